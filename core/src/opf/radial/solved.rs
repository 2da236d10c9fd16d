//! An hour on its own base, and what a program of it comes to.

use super::ask::Hour;
use super::feeder::Feeder;
use super::formulation::{Layout, Scaled};
use crate::network::Network;
use crate::opf::{OpfError, SlackVoltage};
use crate::program::flows::{FlowPattern, FlowProgram};
use crate::program::flows::{FlowPoint, FlowSolution};
use std::sync::Arc;

/// Misses below this (pu) are none.
pub(super) const MISSED: f64 = 1e-7;

/// One program of an hour and its answer.
pub(super) struct Solved {
    pub program: FlowProgram,
    pub layout: Layout,
    pub solution: FlowSolution,
    pub pattern: Arc<FlowPattern>,
}

/// The network and the hour on a base of the hour's own.
pub(super) fn in_per_unit(network: &Network, hour: &Hour, slack: SlackVoltage) -> Result<(Feeder, Scaled), OpfError> {
    hour.check(network)?;
    let load: f64 = hour.load_kw.iter().zip(&hour.load_kvar).map(|(p, q)| p.hypot(*q)).sum();
    let rating: f64 = hour.controls.iter().map(|c| c.p_max_kw.abs().min(c.s_max_kva.unwrap_or(f64::INFINITY))).sum();
    let base = [load, rating].into_iter().find(|b| *b > 0.0 && b.is_finite()).unwrap_or(network.base_kva());
    let feeder = Feeder::with_slack(network, base, slack)?;
    for c in &hour.controls {
        let Some(bus) = network.buses.get(c.node.0) else {
            return Err(OpfError::Isolated { bus: 0 });
        };
        if feeder.position[c.node.0].is_none() {
            return Err(OpfError::Isolated { bus: bus.id });
        }
    }
    let scaled = Scaled::new(&feeder, hour);
    Ok((feeder, scaled))
}

impl Solved {
    pub fn controls(&self) -> Vec<(f64, f64)> {
        let (at, x) = (&self.layout, &self.solution.point.x);
        at.control_p.iter().zip(&at.control_q).map(|(&p, &q)| (x[p], x[q])).collect()
    }

    /// Cost in units of price x base, the roots' own consumption included.
    pub fn objective(&self, feeder: &Feeder, hour: &Scaled) -> f64 {
        let shunt = |k: usize| if feeder.choice[k].is_none() { feeder.g[k] * feeder.v_root[k] } else { 0.0 };
        let own: f64 = (0..feeder.roots).map(|k| hour.p[k] + shunt(k)).sum();
        let constant = if hour.import_rows().0 { 0.0 } else { hour.root_price * own };
        self.program.objective(&self.solution.point.x) + constant
    }

    /// The point with its controls pushed towards ends of their ranges: another start.
    pub fn pushed(&self, way: usize) -> FlowPoint {
        let mut point = self.solution.point.clone();
        for (k, (&p, &q)) in self.layout.control_p.iter().zip(&self.layout.control_q).enumerate() {
            for (j, bit) in [(p, 0), (q, 1)] {
                let up = ((way >> bit) + k).is_multiple_of(2);
                point.x[j] = if up { self.program.upper[j] } else { self.program.lower[j] };
            }
        }
        point
    }
}
