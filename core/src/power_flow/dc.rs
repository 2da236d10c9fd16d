//! DC power flow: flat voltages, small angles, no losses.
//!
//! f = (θ_from − θ_to − φ)/(xτ) on every branch, and the flows out of each node sum to its injection less its shunt
//! conductance.

use crate::linear::{SparseLu, SparseMatrix};
use crate::network::{Network, NodeId, Topology};

use super::error::PowerFlowError;
use super::injections::Injections;

/// A solved DC flow.
#[derive(Debug, Clone, PartialEq)]
pub struct DcFlow {
    /// Angle by node, degrees; `None` where no closed path leads to a slack.
    pub angle_deg: Vec<Option<f64>>,
    /// Flow by branch from its sending to its receiving end, kW; 0 in open and dead branches.
    pub branch_kw: Vec<f64>,
    /// Supply of each slack beyond the injections given for its node, kW.
    pub slack_kw: Vec<(NodeId, f64)>,
}

/// Solves the DC power flow.
///
/// # Errors
/// A network or injections that do not fit, or a branch without reactance.
pub fn dc_flow(network: &Network, injections: &Injections) -> Result<DcFlow, PowerFlowError> {
    let mut model = DcModel::new(network)?;
    let base = network.base_kva();
    let expected = network.buses.len();
    injections.check(network)?;
    let mut theta: Vec<f64> = vec![0.0; expected];
    for slack in network.slacks() {
        theta[slack.0] = network.bus(slack).angle_deg.to_radians();
    }
    let mut balance = vec![0.0; model.unknowns];
    for (i, at) in model.unknown_of.iter().enumerate() {
        if let Some(at) = at {
            balance[*at] += (injections.p_kw[i] - network.buses[i].g_kw) / base;
        }
    }
    for line in &model.lines {
        // What the shift drives through the branch, and what the fixed angle of a slack does.
        let driven = line.susceptance * line.shift;
        for (own, other, sign) in [(line.from, line.to, 1.0), (line.to, line.from, -1.0)] {
            if let Some(at) = model.unknown_of[own] {
                balance[at] += sign * driven;
                if model.unknown_of[other].is_none() {
                    balance[at] += line.susceptance * theta[other];
                }
            }
        }
    }
    model.factors.solve(&mut balance);
    for (i, at) in model.unknown_of.iter().enumerate() {
        if let Some(at) = at {
            theta[i] = balance[*at];
        }
    }
    let mut branch_kw = vec![0.0; network.branches.len()];
    let mut out_kw = vec![0.0; expected];
    for line in &model.lines {
        let kw = line.susceptance * (theta[line.from] - theta[line.to] - line.shift) * base;
        branch_kw[line.branch] = kw;
        out_kw[line.from] += kw;
        out_kw[line.to] -= kw;
    }
    let supply = |s: NodeId| (s, out_kw[s.0] + network.bus(s).g_kw - injections.p_kw[s.0]);
    Ok(DcFlow {
        angle_deg: network.nodes().map(|n| model.topology.is_energised(n).then(|| theta[n.0].to_degrees())).collect(),
        branch_kw,
        slack_kw: network.slacks().map(supply).collect(),
    })
}

/// Power transfer distribution factors: flow on each branch per unit of injection at each node, withdrawn at the
/// slacks.
#[derive(Debug, Clone, PartialEq)]
pub struct Ptdf {
    nodes: usize,
    factor: Vec<f64>,
}

impl Ptdf {
    /// Computes all factors: a dense table of branches by nodes.
    ///
    /// # Errors
    /// As [`dc_flow`].
    pub fn new(network: &Network) -> Result<Self, PowerFlowError> {
        let mut model = DcModel::new(network)?;
        let nodes = network.buses.len();
        let mut factor = vec![0.0; network.branches.len() * nodes];
        for line in &model.lines {
            // The matrix is symmetric, so a row of the factors is one solve.
            let mut row = vec![0.0; model.unknowns];
            if let Some(at) = model.unknown_of[line.from] {
                row[at] += line.susceptance;
            }
            if let Some(at) = model.unknown_of[line.to] {
                row[at] -= line.susceptance;
            }
            model.factors.solve(&mut row);
            for (i, at) in model.unknown_of.iter().enumerate() {
                if let Some(at) = at {
                    factor[line.branch * nodes + i] = row[*at];
                }
            }
        }
        Ok(Self { nodes, factor })
    }

    /// The factors of one branch by node.
    pub fn branch(&self, branch: usize) -> &[f64] {
        &self.factor[branch * self.nodes..(branch + 1) * self.nodes]
    }

    /// Flow on a branch per unit sent from one node to another, whatever the slack.
    pub fn transfer(&self, branch: usize, from: NodeId, to: NodeId) -> f64 {
        let row = self.branch(branch);
        row[from.0] - row[to.0]
    }
}

struct DcLine {
    branch: usize,
    from: usize,
    to: usize,
    /// 1/(xτ), pu.
    susceptance: f64,
    /// rad
    shift: f64,
}

struct DcModel {
    topology: Topology,
    lines: Vec<DcLine>,
    unknown_of: Vec<Option<usize>>,
    unknowns: usize,
    factors: SparseLu,
}

impl DcModel {
    fn new(network: &Network) -> Result<Self, PowerFlowError> {
        network.check()?;
        let topology = Topology::new(network);
        let slacks = network.slacks().count();
        let mut unknown_of = vec![None; network.buses.len()];
        // Slacks stand first in the order.
        for (k, node) in topology.order()[slacks..].iter().enumerate() {
            unknown_of[node.0] = Some(k);
        }
        let unknowns = topology.order().len() - slacks;
        let mut lines = Vec::new();
        let mut entries = Vec::new();
        for (k, branch) in network.branches.iter().enumerate() {
            if !(branch.in_service && topology.is_energised(branch.from)) {
                continue;
            }
            if branch.x_pu == 0.0 {
                return Err(PowerFlowError::ZeroReactance { number: k + 1 });
            }
            let susceptance = 1.0 / (branch.x_pu * branch.tap);
            let (from, to) = (branch.from.0, branch.to.0);
            for (i, j, value) in
                [(from, from, susceptance), (to, to, susceptance), (from, to, -susceptance), (to, from, -susceptance)]
            {
                if let (Some(i), Some(j)) = (unknown_of[i], unknown_of[j]) {
                    entries.push((i, j, value));
                }
            }
            lines.push(DcLine { branch: k, from, to, susceptance, shift: branch.shift_deg.to_radians() });
        }
        let matrix = SparseMatrix::from_entries(unknowns, &entries);
        let factors = SparseLu::new(&matrix).map_err(|singular| PowerFlowError::Singular {
            bus: network.bus(topology.order()[slacks + singular.column]).id,
        })?;
        Ok(Self { topology, lines, unknown_of, unknowns, factors })
    }
}
