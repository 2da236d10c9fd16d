//! How far a participant's net withdrawal can go with its devices: the limits on which the hull of a choice hangs.
//!
//! They depend on no price and no terms, and are found once per participant, each by two small programs.

use crate::participant::Participant;
use crate::program::{Expr, Program, Template, Var};
use crate::setting::Setting;
use std::sync::OnceLock;

/// Rounding of a bound that must not cut anything off, relative to its size.
const ROOM: f64 = 1e-9;

/// Least and greatest net withdrawal of one participant per slot, as far as anybody asked.
#[derive(Debug)]
pub(super) struct Reach {
    devices: OnceLock<(Template, Vec<Var>)>,
    ranges: Vec<OnceLock<(f64, f64)>>,
}

impl Reach {
    pub fn new(slots: usize) -> Self {
        Self { devices: OnceLock::new(), ranges: (0..slots).map(|_| OnceLock::new()).collect() }
    }

    /// Least and greatest net withdrawal in a slot, kWh. Where it cannot be found the limits of single devices stand, which
    /// leave room for more.
    pub fn withdrawal(&self, setting: &Setting, participant: &dyn Participant, slot: usize) -> (f64, f64) {
        *self.ranges[slot].get_or_init(|| {
            let (template, withdrawals) = self.devices.get_or_init(|| {
                let mut program = Program::new();
                let contribution = participant.contribute(&mut program, setting);
                let withdrawal = |output: &Expr| program.alias(output.clone().times(-1.0), "net withdrawal", None);
                let withdrawals = contribution.output.iter().map(withdrawal).collect();
                (program.compile(), withdrawals)
            });
            let v = withdrawals[slot];
            let least = |sign: f64| -> Option<f64> {
                let mut instance = template.instance();
                instance.add_linear(v, sign);
                let found = instance.relaxed().ok()?.certificate;
                Some(found.objective - found.gap.abs())
            };
            let (low, high) = template.instance().bounds(v);
            let room = ROOM * (low.abs().max(high.abs()));
            let low = least(1.0).map_or(low, |found| low.max(found - room));
            let high = least(-1.0).map_or(high, |found| high.min(-found + room));
            (low.min(high), high)
        })
    }
}
