//! The fixed point of nodal prices around a mechanism, by an anchor on quantities.
//!
//! Iterating on prices stalls, because answers to symmetric prices are sets: a storage is indifferent. With an anchor
//! `sum_t rho_t/2 (x_t - c_t)^2` on every member's net withdrawal the loop is the proximal gradient method on the
//! participants' and the network's cost; at `c = x` the anchor's gradient vanishes, so the fixed point is the true one.
//! Anderson's method accelerates it. Where the price jumps at the root the share of the jump is found beside the quantities
//! ([`root_turn`](super::root_turn)). Prices that are averages along flows have no such cost behind them: there several
//! attempts are made, with the anchor as steep as prices turn out to be, without acceleration, and from whatever answers
//! better. The outcome is settled with a weak anchor, which only chooses among ties, and certificates say how near it is: in
//! prices, in quantities, in money. Where it violates limits of the network that the policy prices, the search goes on with
//! them in the prices.

mod centre;
mod rounds;
mod settlement;

pub(super) use centre::moved;

use super::root_turn::band_kwh;
use super::within_limits::{self, Penalty};
use super::{Cleared, Run};
use crate::context::Step;
use crate::error::MechanismError;
use crate::market::Plan;
use crate::setting::FixedPointSearch;
use crate::terms::{Anchor, Terms};
use centre::is_of_state;
use rounds::{Attempt, attempt, marginal_prices};
use settlement::Settled;
use std::sync::Arc;

/// Rounds of the first attempt where the share of a jump at the root is sought too, as a multiple of the others'.
const ROUNDS_AT_ROOT: usize = 3;
/// New beginnings from an answer that is cheaper at the prices of the point found.
const MAX_RESTARTS: usize = 5;

pub(super) fn clear(run: &Run<'_>) -> Result<Cleared, MechanismError> {
    let found = search(run, &Penalty::default(), None)?;
    if found.stopped && run.policy.prices_limits() && within_limits::violated(run.setting(), &found.settled.physical) {
        return within_limits::clear(run, found);
    }
    Ok(found.settled)
}

/// Quantities that everybody withdraws, shares of the root's jump, and the schedules they come from.
#[derive(Clone)]
pub(super) struct Point {
    /// Withdrawals, kWh, member-major.
    pub at: Vec<f64>,
    /// Share per period of the root's jump in the price; empty where there is none.
    pub share: Vec<f64>,
    /// Schedules of the last round.
    pub plans: Vec<Arc<Plan>>,
}

/// What stays the same from attempt to attempt.
#[derive(Clone)]
pub(super) struct Basis {
    /// The policy's first signal: the shape of all.
    start: Vec<f64>,
    /// Weights of the anchor that losses need, money per kWh squared, member-major.
    pub weight: Vec<f64>,
    /// Exchange of all members in a period, as a multiple.
    band_kwh: f64,
    /// The greatest price of a kWh.
    dearest: f64,
    /// Whether prices are marginal costs of the flow, so that the share of the root's jump is all that can turn.
    marginal: bool,
}

/// Where a search ended.
pub(super) struct Found {
    /// The outcome, with its certificates.
    pub settled: Cleared,
    /// Where it is settled.
    pub point: Point,
    pub basis: Basis,
    /// Whether it is a fixed point: its certificates hold.
    pub stopped: bool,
}

/// The anchored loop with limits in the prices, from another one's end or from the flat tariff. Its rounds follow those of
/// the other.
pub(super) fn search(run: &Run<'_>, penalty: &Penalty, from: Option<Found>) -> Result<Found, MechanismError> {
    let (basis, start, mut rounds) = if let Some(found) = from {
        (found.basis, found.point, found.settled.rounds)
    } else {
        let (basis, start) = begin(run)?;
        (basis, start, vec![])
    };
    let mut settled = attempts(run, penalty, &basis, &start, &mut rounds)?;
    settled.cleared.rounds = rounds;
    Ok(Found { settled: settled.cleared, point: settled.point, basis, stopped: settled.upheld })
}

/// The attempts in turn until certificates hold; else the best. The first two begin where the search does, for they are
/// different searches; the others from the best that was found.
fn attempts(
    run: &Run<'_>,
    penalty: &Penalty,
    basis: &Basis,
    begin: &Point,
    rounds: &mut Vec<Step>,
) -> Result<Settled, MechanismError> {
    let all = attempts_in_turn(run, basis);
    let mut best: Option<Settled> = None;
    let mut failure = None;
    let mut restarts = MAX_RESTARTS;
    for (k, how) in all.into_iter().enumerate().take(run.setting().fixed_point.attempts.max(1)) {
        let (mut how, mut start) = (how, begin.clone());
        if let (true, Some(best)) = (k > 1, &best) {
            start = best.point.clone();
        }
        loop {
            let found = match attempt(run, penalty, basis, how, &start, rounds) {
                Ok(found) => found,
                // A point without a state of the network is no answer; another attempt may end elsewhere.
                Err(error) if is_of_state(&error) => {
                    failure.get_or_insert(error);
                    break;
                }
                Err(error) => match best {
                    Some(best) => return Ok(best),
                    None => return Err(error),
                },
            };
            let (upheld, better) = (found.upheld, found.better.clone());
            if best.as_ref().is_none_or(|best| upheld || found.excess < best.excess) {
                best = Some(found);
            }
            if upheld || run.observer.cancelled() {
                break;
            }
            match better {
                Some(better) if restarts > 0 && !basis.marginal => {
                    restarts -= 1;
                    start = better;
                    how = all[0];
                }
                _ => break,
            }
        }
        if best.as_ref().is_some_and(|best| best.upheld) || run.observer.cancelled() {
            break;
        }
    }
    match (best, failure) {
        (Some(best), _) => Ok(best),
        (None, Some(error)) => Err(error),
        (None, None) => Err(MechanismError::Unmet { need: "at least one attempt at a fixed point" }),
    }
}

/// Acceleration misleads where prices jump, a weak anchor where they are steep, a steep one where they are not.
fn attempts_in_turn(run: &Run<'_>, basis: &Basis) -> [Attempt; FixedPointSearch::ATTEMPTS] {
    let steep = run.policy.turns_steeply(run.setting());
    let rounds = run.setting().fixed_point.rounds.max(1);
    let first = if basis.marginal { rounds.saturating_mul(ROUNDS_AT_ROOT) } else { rounds };
    let attempt = |accelerated, strength, steep| Attempt { accelerated, strength, steep, rounds };
    [
        Attempt { rounds: first, ..attempt(true, 1.0, steep) },
        attempt(true, 1.0, !steep),
        attempt(false, 4.0, false),
        attempt(false, 2.0, false),
        attempt(true, 4.0, false),
    ]
}

/// The first answer, to the prices of the root, and what follows from it for the search.
fn begin(run: &Run<'_>) -> Result<(Basis, Point), MechanismError> {
    let setting = run.setting();
    let periods = setting.periods.count;
    let start = run.policy.start(setting);
    let terms = run.policy.terms(setting, &start);
    let plans = run.answer(&terms)?.plans;
    let at = withdrawals(run, &plans);
    let mut basis = Basis {
        band_kwh: band_kwh(&at, periods),
        dearest: settlement::dearest_per_kwh(run, &terms, &plans),
        marginal: false,
        weight: vec![],
        start,
    };
    // Where nobody exchanges anything there is only the network's own load.
    let still = vec![0.0; at.len()];
    let mut point = Point { at: at.clone(), share: vec![1.0; periods], plans };
    let known = moved(run, &point.plans, &at).or_else(|_| moved(run, &point.plans, &still))?;
    basis.marginal = run.policy.root_jump_per_kwh(setting, &known).is_some();
    if !basis.marginal {
        point.share.clear();
    }
    let none = Penalty::default();
    let (here, _) = centre::guarded(run, &none, &basis, &mut point, &at, &still)?;
    let at_full_share = point.clone();
    if let Some(turn) = &here.turn {
        let share = |t: usize| if turn.exchange_kwh[t] < 0.0 && !turn.rests(t) { 0.0 } else { 1.0 };
        point.share = (0..periods).map(share).collect();
    }
    basis.weight = centre::weights(run, &basis, &at_full_share, |point| {
        let there = centre::prices(run, &none, &basis, point).map_err(MechanismError::from)?;
        let buy = |k: usize| setting.tariff.as_ref().map_or(0.0, |x| x.buy_per_kwh[k % periods]);
        let prices = marginal_prices(run, &there.terms(run), &point.plans);
        // A charge beside the retail tariff rises with its own part alone.
        let charged = if basis.marginal { &there.signal[..prices.len()] } else { &prices[..] };
        let whole = |(k, p): (usize, &f64)| if basis.marginal { *p } else { buy(k) + p };
        Ok(charged.iter().enumerate().map(whole).collect())
    })?;
    Ok((basis, point))
}

/// Net physical withdrawal of every member and period, kWh, member-major.
fn withdrawals(run: &Run<'_>, plans: &[Arc<Plan>]) -> Vec<f64> {
    let setting = run.setting();
    let of = |plan: &Arc<Plan>| {
        (0..setting.periods.count).map(|t| setting.energy_slot(t).map_or(0.0, |k| -plan.output[k])).collect::<Vec<_>>()
    };
    plans.iter().flat_map(of).collect()
}

fn anchored(terms: Vec<Terms>, centre: &[f64], rho: &[f64], periods: usize) -> Vec<Terms> {
    let chunks = centre.chunks(periods).zip(rho.chunks(periods));
    let anchor = |(c, r): (&[f64], &[f64])| Anchor { centre_kwh: c.to_vec(), weight: r.to_vec() };
    terms.into_iter().zip(chunks).map(|(t, chunk)| Terms { anchor: Some(anchor(chunk)), ..t }).collect()
}
