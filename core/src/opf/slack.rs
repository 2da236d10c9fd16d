//! What is decided about the voltage of the slacks.

use crate::network::{Network, NodeId};

/// What an optimal power flow may do with the voltage of the slacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SlackVoltage {
    /// Choose it within the limits of the bus, as it chooses the others.
    #[default]
    WithinLimits,
    /// Leave it at its set point.
    Held,
}

impl SlackVoltage {
    /// Least and greatest magnitude of a slack, pu.
    pub(super) fn range_pu(self, network: &Network, slack: NodeId) -> (f64, f64) {
        let (bus, set_point) = (network.bus(slack), network.voltage_set_point(slack));
        match self {
            Self::Held => (set_point, set_point),
            // A range without width is a set point.
            Self::WithinLimits if bus.v_max_pu - bus.v_min_pu < 1e-9 => {
                let v = f64::midpoint(bus.v_min_pu, bus.v_max_pu);
                (v, v)
            }
            // Voltage without end is no choice.
            Self::WithinLimits => (bus.v_min_pu.max(0.1), bus.v_max_pu.min(2.0 * set_point.max(1.0))),
        }
    }
}
