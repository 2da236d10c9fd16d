//! The result of a power flow.

use crate::network::{Measured, NodeId};

/// Voltage at a node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Voltage {
    /// Magnitude, pu.
    pub magnitude_pu: f64,
    /// Angle, degrees.
    pub angle_deg: f64,
}

/// Power flowing *into* a branch at each of its ends, so that a flow that arrives is negative.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct BranchFlow {
    /// Active power into the branch at its sending end, kW.
    pub p_from_kw: f64,
    /// Reactive power into the branch at its sending end, kvar.
    pub q_from_kvar: f64,
    /// Active power into the branch at its receiving end, kW.
    pub p_to_kw: f64,
    /// Reactive power into the branch at its receiving end, kvar.
    pub q_to_kvar: f64,
}

impl BranchFlow {
    /// Active power lost, kW.
    pub fn loss_kw(&self) -> f64 {
        self.p_from_kw + self.p_to_kw
    }

    /// Reactive power taken up, less what line charging gives, kvar.
    pub fn loss_kvar(&self) -> f64 {
        self.q_from_kvar + self.q_to_kvar
    }

    /// Greater apparent power of the two ends, kVA.
    pub fn apparent_kva(&self) -> f64 {
        self.p_from_kw.hypot(self.q_from_kvar).max(self.p_to_kw.hypot(self.q_to_kvar))
    }
}

/// What a slack supplies beyond the injections given for its node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlackFlow {
    /// The slack.
    pub node: NodeId,
    /// Active supply, kW; negative is export to the upstream grid.
    pub p_kw: f64,
    /// Reactive supply, kvar.
    pub q_kvar: f64,
}

/// How a flow was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Backward-forward sweep.
    Sweep,
    /// Newton's method in polar coordinates.
    Newton,
}

/// A solved power flow.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    /// Voltage by node; `None` where no closed path leads to a slack.
    pub voltages: Vec<Option<Voltage>>,
    /// Net active injection by node as it came out, kW: that of the slack and its node's together; 0 if isolated.
    pub p_kw: Vec<f64>,
    /// Net reactive injection by node as it came out, kvar: found by the flow at slack and PV nodes.
    pub q_kvar: Vec<f64>,
    /// Flow by branch, in the order of the network; 0 in open and dead branches.
    pub branches: Vec<BranchFlow>,
    /// Supply of each slack, in the order of the file.
    pub slacks: Vec<SlackFlow>,
    /// Active loss of all branches, kW.
    pub loss_kw: f64,
    /// Reactive loss of all branches, kvar, line charging included.
    pub loss_kvar: f64,
    /// Sweeps or Newton steps taken.
    pub iterations: usize,
    /// Greatest mismatch left between given and found injections, pu.
    pub mismatch_pu: f64,
    /// How it was found.
    pub method: Method,
}

impl Flow {
    /// Active supply of all slacks, kW.
    pub fn slack_kw(&self) -> f64 {
        self.slacks.iter().map(|slack| slack.p_kw).sum()
    }

    /// Reactive supply of all slacks, kvar.
    pub fn slack_kvar(&self) -> f64 {
        self.slacks.iter().map(|slack| slack.q_kvar).sum()
    }

    /// The lowest voltage magnitude, pu, and where it is.
    pub fn min_voltage(&self) -> Option<(NodeId, f64)> {
        let magnitudes = self.voltages.iter().enumerate().filter_map(|(i, v)| Some((NodeId(i), (*v)?.magnitude_pu)));
        magnitudes.min_by(|a, b| a.1.total_cmp(&b.1))
    }
}

impl Measured for Flow {
    fn voltage_pu(&self, node: NodeId) -> Option<f64> {
        self.voltages[node.0].map(|v| v.magnitude_pu)
    }

    fn power_at_from(&self, branch: usize) -> (f64, f64) {
        (self.branches[branch].p_from_kw, self.branches[branch].q_from_kvar)
    }

    fn power_at_to(&self, branch: usize) -> (f64, f64) {
        (self.branches[branch].p_to_kw, self.branches[branch].q_to_kvar)
    }
}
