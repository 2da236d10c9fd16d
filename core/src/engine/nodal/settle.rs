//! The outcome at a point: the mechanism's answer to the prices there, held by a weak proximal term, with its certificates.

use super::certify::{End, Settled, certify};
use super::penalty::Penalty;
use super::point::{Basis, Point, with_proximal_term};
use super::prices::prices;
use crate::engine::Run;
use crate::error::MechanismError;

/// The mechanism's outcome at the prices of a point, held there by a weak anchor; while the exchange at the root rests by
/// the whole of it, whose gradient vanishes at the point. `anchors` are the weak and the whole one.
pub(super) fn settle(
    run: &Run<'_>,
    penalty: &Penalty,
    basis: &Basis,
    point: &Point,
    anchors: &(Vec<f64>, Vec<f64>),
    end: &End,
) -> Result<Settled, MechanismError> {
    let setting = run.setting();
    let periods = setting.periods.count;
    let here = prices(run, penalty, basis, point)?;
    let (mut weight, whole) = anchors.clone();
    if let Some(turn) = &here.turn {
        for (k, stiffness) in turn.stiffness().iter().enumerate() {
            let t = k % periods;
            if turn.jump_per_kwh[t] > 0.0 && (turn.rests(t) || (point.share[t] > 0.0 && point.share[t] < 1.0)) {
                weight[k] = whole[k] + stiffness;
            }
        }
    }
    let mut cleared = run.round(&with_proximal_term(here.terms(run), &point.at, &weight, periods), here.signal)?;
    cleared.limits = here.limits;
    certify(run, basis, point, cleared, end)
}
