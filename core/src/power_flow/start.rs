//! Where a search for the voltages begins.

use std::f64::consts::TAU;

use crate::network::{Branch, BusKind, Network, Topology};

use super::complex::Complex;

/// Magnitudes of a file, pu, that are believed.
const BELIEVED_PU: std::ops::RangeInclusive<f64> = 0.3..=2.0;

/// Shifts from here on are vector groups, which come in steps of 30 degrees, or as good as one.
const VECTOR_GROUP_DEG: f64 = 15.0;

/// Voltages by node, in polar form so that whole turns are kept; isolated nodes have none.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Start {
    /// rad
    pub angle: Vec<f64>,
    /// pu
    pub magnitude: Vec<f64>,
}

impl Start {
    /// Set-points where there are any, else 1 pu, at the angle of the slack of the tree less what the transformers on
    /// the way from it shift. In a mesh only vector groups count: a phase shifter of a few degrees drives power round its
    /// loop, and to turn everything behind it would begin far from that.
    pub(super) fn flat(network: &Network, topology: &Topology, kinds: &[BusKind]) -> Self {
        let n = network.buses.len();
        let mut start = Self { angle: vec![0.0; n], magnitude: vec![0.0; n] };
        for node in topology.order() {
            let i = node.0;
            start.magnitude[i] = if kinds[i] == BusKind::Pq { 1.0 } else { network.voltage_set_point(*node) };
            start.angle[i] = match topology.parent(*node) {
                None => network.bus(*node).angle_deg.to_radians(),
                Some(parent) => {
                    let branch: &Branch = &network.branches[parent.branch];
                    let counts = topology.is_radial() || branch.shift_deg.abs() >= VECTOR_GROUP_DEG;
                    let shift = if counts { branch.shift_deg.to_radians() } else { 0.0 };
                    start.angle[parent.node.0] + if branch.to == *node { -shift } else { shift }
                }
            };
        }
        start
    }

    /// The voltages that the network's buses carry, set-points before them: as a rule a solution that somebody found.
    /// Each angle is within half a turn of where `flat` has it as seen from the node before. `None` where that is the
    /// flat start itself.
    pub(super) fn filed(network: &Network, topology: &Topology, kinds: &[BusKind], flat: &Self) -> Option<Self> {
        let mut start = flat.clone();
        let mut other = false;
        for node in topology.order() {
            let i = node.0;
            let bus = network.bus(*node);
            if kinds[i] == BusKind::Pq && BELIEVED_PU.contains(&bus.v_pu) {
                start.magnitude[i] = bus.v_pu;
            }
            if let Some(parent) = topology.parent(*node) {
                let near = start.angle[parent.node.0] + flat.angle[i] - flat.angle[parent.node.0];
                let angle = bus.angle_deg.to_radians();
                start.angle[i] = angle + TAU * ((near - angle) / TAU).round();
            }
            other |= (start.magnitude[i] - flat.magnitude[i]).abs() + (start.angle[i] - flat.angle[i]).abs() > 1e-9;
        }
        other.then_some(start)
    }

    pub(super) fn voltages(&self) -> Vec<Complex> {
        self.magnitude.iter().zip(&self.angle).map(|(m, a)| Complex::polar(*m, *a)).collect()
    }
}
