//! LinDistFlow: the power flow of a radial network with losses left out (Baran and Wu 1989).
//!
//! Flows are sums of the loads behind, and squared voltages fall by 2(rP + xQ) along a branch. It overestimates the
//! voltages of a feeder that only consumes. Shunts and charging are left out; taps scale the voltage, shifts do
//! nothing to it.

use crate::network::{Network, NodeId, Topology};

use super::error::PowerFlowError;
use super::injections::Injections;

/// A solved linear flow.
#[derive(Debug, Clone, PartialEq)]
pub struct LinDistFlow {
    /// Voltage magnitude by node, pu; `None` where no closed path leads to a slack, NaN never: a squared voltage below
    /// 0 counts as 0.
    pub voltage_pu: Vec<Option<f64>>,
    /// Active flow by branch from its sending to its receiving end, kW.
    pub branch_kw: Vec<f64>,
    /// Reactive flow by branch, kvar.
    pub branch_kvar: Vec<f64>,
}

/// Solves the linear flow; `None` if the network is not radial.
///
/// # Errors
/// A network or injections that do not fit.
pub fn lin_dist_flow(network: &Network, injections: &Injections) -> Result<Option<LinDistFlow>, PowerFlowError> {
    network.check()?;
    injections.check(network)?;
    let topology = Topology::new(network);
    if !topology.is_radial() {
        return Ok(None);
    }
    let base = network.base_kva();
    let (mut p, mut q) = (injections.p_kw.clone(), injections.q_kvar.clone());
    let (mut branch_kw, mut branch_kvar) = (vec![0.0; network.branches.len()], vec![0.0; network.branches.len()]);
    let mut square = vec![None; network.buses.len()];
    for node in topology.order().iter().rev() {
        let Some(parent) = topology.parent(*node) else { continue };
        // What the subtree injects goes up, against a branch that is written towards the node.
        let sign = if network.branches[parent.branch].to == *node { -1.0 } else { 1.0 };
        branch_kw[parent.branch] = sign * p[node.0];
        branch_kvar[parent.branch] = sign * q[node.0];
        p[parent.node.0] += p[node.0];
        q[parent.node.0] += q[node.0];
    }
    for node in topology.order() {
        square[node.0] = Some(match topology.parent(*node) {
            None => network.voltage_set_point(*node).powi(2),
            Some(parent) => {
                let branch = &network.branches[parent.branch];
                let above: f64 = square[parent.node.0].expect("invariant: parents come first");
                let drop = -2.0 * (branch.r_pu * p[node.0] + branch.x_pu * q[node.0]) / base;
                let ratio = branch.tap * branch.tap;
                if branch.to == *node { above / ratio - drop } else { (above - drop) * ratio }
            }
        });
    }
    let magnitude = |n: NodeId| square[n.0].map(|v: f64| v.max(0.0).sqrt());
    Ok(Some(LinDistFlow { voltage_pu: network.nodes().map(magnitude).collect(), branch_kw, branch_kvar }))
}
