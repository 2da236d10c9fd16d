//! Closed branches as lines without losses: what flows per radian, and between which limits.

use super::error::OpfError;
use crate::network::{Network, NodeId, Topology};

/// A closed branch.
pub(super) struct Line {
    pub branch: usize,
    pub from: NodeId,
    pub to: NodeId,
    /// kW per radian.
    pub stiffness: f64,
    /// kW that the phase shift takes from the flow.
    pub shifted: f64,
    /// Least and greatest flow that the rating and the limits of the angle leave, kW.
    pub limits: (f64, f64),
}

impl Line {
    /// The limits with ends that stand for infinity, for a network in which nothing exceeds `reach_kw`.
    pub fn bounds(&self, reach_kw: f64) -> (f64, f64) {
        let (low, high) = self.limits;
        (low.max((-reach_kw).min(high - reach_kw)), high.min(reach_kw.max(low + reach_kw)))
    }
}

/// The lines of a network.
///
/// # Errors
/// A branch without reactance, and one whose limits contradict each other.
pub(super) fn lines(network: &Network, topology: &Topology) -> Result<Vec<Line>, OpfError> {
    let closed = network.branches.iter().enumerate().filter(|(_, b)| b.in_service && topology.is_energised(b.from));
    closed
        .map(|(k, branch)| {
            if branch.x_pu == 0.0 {
                return Err(OpfError::ZeroReactance { number: k + 1 });
            }
            let stiffness = network.base_kva() / (branch.x_pu * branch.tap);
            let shifted = stiffness * branch.shift_deg.to_radians();
            let rate = branch.rate_kva.unwrap_or(f64::INFINITY);
            // The flow is the angle in other units; a negative reactance turns it.
            let at = |degrees: f64| stiffness * degrees.to_radians() - shifted;
            let (a, b) = (at(branch.angle_min_deg), at(branch.angle_max_deg));
            let (low, high) = (a.min(b).max(-rate), a.max(b).min(rate));
            if low > high {
                let ends = network.ends(branch);
                let what = format!(
                    "branch {} ({ends}): the limits of its angle ask for {:.3} kW more than its rating of {rate} kW",
                    k + 1,
                    low - high
                );
                return Err(OpfError::Infeasible { what: vec![what] });
            }
            Ok(Line { branch: k, from: branch.from, to: branch.to, stiffness, shifted, limits: (low, high) })
        })
        .collect()
}
