//! First derivatives of a solved flow by the loads, from the transposed Jacobian: one solve per quantity for all nodes
//! at once.

use crate::linear::SparseLu;
use crate::network::{BusKind, NodeId};

use super::complex::Complex;
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

/// The linearisation of a power flow at its solution.
#[derive(Debug)]
pub struct Sensitivities<'a> {
    newton: &'a Newton,
    factors: SparseLu,
    voltage: Vec<Complex>,
    kinds: &'a [BusKind],
    base_kva: f64,
}

impl<'a> Sensitivities<'a> {
    pub(super) fn new(
        newton: &'a Newton,
        factors: SparseLu,
        voltage: Vec<Complex>,
        kinds: &'a [BusKind],
        base_kva: f64,
    ) -> Self {
        Self { newton, factors, voltage, kinds, base_kva }
    }

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
        let mut adjoint = vec![0.0; self.newton.unknowns()];
        self.newton.add_slack_gradient(&self.voltage, slack_kw, slack_kvar, &mut adjoint);
        for (node, weight) in voltage_pu {
            if let Some(at) = self.newton.magnitude(node.0) {
                // The unknown is the relative magnitude; powers are per unit.
                adjoint[at] += weight * self.voltage[node.0].norm() / self.base_kva;
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
}
