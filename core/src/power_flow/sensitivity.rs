//! First derivatives of a solved flow by the loads, from the transposed Jacobian: one solve per quantity for all nodes
//! at once.

use crate::linear::SparseLu;
use crate::network::{Branch, BusKind, NodeId, Slope};

use super::admittance::TwoPort;
use super::complex::Complex;
use super::flow::BranchFlow;
use super::newton::Newton;

/// Derivative of one quantity by the load at every node.
///
/// A PV node answers a reactive load by itself, and what isolated nodes want changes nothing: 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// By active load, per kW.
    pub p: Vec<f64>,
    /// By reactive load, per kvar.
    pub q: Vec<f64>,
}

/// A linear functional of a flow, by the weight of every quantity in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Weights {
    /// Of the active supply of all slacks.
    pub slack_kw: f64,
    /// Of the reactive supply of all slacks.
    pub slack_kvar: f64,
    /// Of voltage magnitudes.
    pub voltage_pu: Vec<(NodeId, f64)>,
    /// Of the powers into both ends of branches, by number in the network; those of open branches count nothing.
    pub branches: Vec<(usize, BranchFlow)>,
}

impl Weights {
    /// Adds a multiple of a limit's derivative.
    pub fn add(&mut self, slope: Slope, multiplier: f64) {
        match slope {
            Slope::Voltage(node, by_v) => self.voltage_pu.push((node, by_v * multiplier)),
            Slope::From(branch, by_p, by_q) => {
                let (p_from_kw, q_from_kvar) = (by_p * multiplier, by_q * multiplier);
                self.branches.push((branch, BranchFlow { p_from_kw, q_from_kvar, ..BranchFlow::default() }));
            }
            Slope::To(branch, by_p, by_q) => {
                let (p_to_kw, q_to_kvar) = (by_p * multiplier, by_q * multiplier);
                self.branches.push((branch, BranchFlow { p_to_kw, q_to_kvar, ..BranchFlow::default() }));
            }
        }
    }
}

/// The linearisation of a power flow at its solution.
#[derive(Debug)]
pub struct Sensitivities<'a> {
    pub(super) newton: &'a Newton,
    pub(super) factors: SparseLu,
    pub(super) voltage: Vec<Complex>,
    pub(super) kinds: &'a [BusKind],
    pub(super) branches: &'a [Branch],
    pub(super) ports: &'a [TwoPort],
    pub(super) base_kva: f64,
}

impl Sensitivities<'_> {
    /// ∂P_0/∂load: kW more from the slacks per kW (kvar) more of load. The marginal loss is this less 1.
    pub fn slack_kw(&mut self) -> Response {
        self.weighted(1.0, 0.0, &[])
    }

    /// ∂Q_0/∂load: kvar more from the slacks per kW (kvar) more of load.
    pub fn slack_kvar(&mut self) -> Response {
        self.weighted(0.0, 1.0, &[])
    }

    /// ∂|V_node|/∂load, pu per kW (kvar); 0 where the voltage is held.
    pub fn voltage_pu(&mut self, node: NodeId) -> Response {
        self.weighted(0.0, 0.0, &[(node, 1.0)])
    }

    /// Derivative of `slack_kw`·P_0 + `slack_kvar`·Q_0 + Σ c_j |V_j|, the `voltage_pu` being (j, c_j): with prices
    /// and limit duals for weights, nodal prices in one solve.
    pub fn weighted(&mut self, slack_kw: f64, slack_kvar: f64, voltage_pu: &[(NodeId, f64)]) -> Response {
        self.of(&Weights { slack_kw, slack_kvar, voltage_pu: voltage_pu.to_vec(), branches: vec![] })
    }

    /// Derivative of any linear functional of the flow.
    pub fn of(&mut self, weights: &Weights) -> Response {
        let &Weights { slack_kw, slack_kvar, .. } = weights;
        let mut adjoint = vec![0.0; self.newton.unknowns()];
        self.newton.add_slack_gradient(&self.voltage, slack_kw, slack_kvar, &mut adjoint);
        for (node, weight) in &weights.voltage_pu {
            if let Some(at) = self.newton.magnitude(node.0) {
                // The unknown is the relative magnitude; powers are per unit.
                adjoint[at] += weight * self.voltage[node.0].norm() / self.base_kva;
            }
        }
        for (branch, ends) in &weights.branches {
            if self.branches[*branch].in_service {
                self.add_branch_gradient(*branch, ends, &mut adjoint);
            }
        }
        self.factors.solve_transposed(&mut adjoint);
        let nodes = self.kinds.len();
        let mut response = Response { p: vec![0.0; nodes], q: vec![0.0; nodes] };
        for i in 0..nodes {
            // A load is a negative injection.
            if let Some(at) = self.newton.angle(i) {
                response.p[i] = 0.0 - adjoint[at];
            }
            if let Some(at) = self.newton.magnitude(i) {
                response.q[i] = 0.0 - adjoint[at];
            }
            if self.kinds[i] == BusKind::Slack {
                response.p[i] = slack_kw;
                response.q[i] = slack_kvar;
            }
        }
        response
    }

    /// Gradient of the weighted powers into a branch by the unknowns. With t_ft = V_f (y_ft V_t)*, the power into the
    /// sending end has ∂S_f/∂θ_f = −∂S_f/∂θ_t = j t_ft, ∂S_f/∂ln|V_t| = t_ft and ∂S_f/∂ln|V_f| = 2 |V_f|² y_ff* + t_ft.
    fn add_branch_gradient(&self, branch: usize, weight: &BranchFlow, gradient: &mut [f64]) {
        let (from, to) = (self.branches[branch].from.0, self.branches[branch].to.0);
        let (vf, vt, port) = (self.voltage[from], self.voltage[to], &self.ports[branch]);
        let ends = [
            (from, to, vf, port.ff, vf * (port.ft * vt).conj(), weight.p_from_kw, weight.q_from_kvar),
            (to, from, vt, port.tt, vt * (port.tf * vf).conj(), weight.p_to_kw, weight.q_to_kvar),
        ];
        for (near, far, v, own, t, p, q) in ends {
            let own = own.conj().scale(2.0 * v.square_norm());
            let by_angle = q * t.re - p * t.im;
            for (node, sign) in [(near, 1.0), (far, -1.0)] {
                if let Some(at) = self.newton.angle(node) {
                    gradient[at] += sign * by_angle;
                }
            }
            let by_far = p * t.re + q * t.im;
            for (node, slope) in [(near, by_far + p * own.re + q * own.im), (far, by_far)] {
                if let Some(at) = self.newton.magnitude(node) {
                    gradient[at] += slope;
                }
            }
        }
    }
}
