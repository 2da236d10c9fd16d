//! The attempts at a fixed point, in turn until certificates hold.

use super::certify::Settled;
use super::penalty::Penalty;
use super::point::{self, Basis, Found, Point, marginal_prices, moved, withdrawals};
use super::prices::{self, is_of_state};
use super::proximal_gradient::{Attempt, attempt};
use super::root_share::band_kwh;
use crate::context::Step;
use crate::engine::Run;
use crate::error::MechanismError;
use crate::setting::FixedPointSearch;

/// Rounds of the first attempt where the share of a jump at the root is sought too, as a multiple of the others'.
const ROUNDS_AT_ROOT: usize = 3;
/// New beginnings from an answer that is cheaper at the prices of the point found.
const MAX_RESTARTS: usize = 5;

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
    Ok(Found { settled: settled.cleared, point: settled.point, basis, converged: settled.upheld })
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
        dearest: point::dearest_per_kwh(run, &terms, &plans),
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
    let (here, _) = prices::guarded(run, &none, &basis, &mut point, &at, &still)?;
    let at_full_share = point.clone();
    if let Some(turn) = &here.turn {
        let share = |t: usize| if turn.exchange_kwh[t] < 0.0 && !turn.rests(t) { 0.0 } else { 1.0 };
        point.share = (0..periods).map(share).collect();
    }
    basis.weight = prices::weights(run, &basis, &at_full_share, |point| {
        let there = prices::prices(run, &none, &basis, point).map_err(MechanismError::from)?;
        let buy = |k: usize| setting.tariff.as_ref().map_or(0.0, |x| x.buy_per_kwh[k % periods]);
        let prices = marginal_prices(run, &there.terms(run), &point.plans);
        // A charge beside the retail tariff rises with its own part alone.
        let charged = if basis.marginal { &there.signal.nodal().price_per_kwh[..] } else { &prices[..] };
        let whole = |(k, p): (usize, &f64)| if basis.marginal { *p } else { buy(k) + p };
        Ok(charged.iter().enumerate().map(whole).collect())
    })?;
    Ok((basis, point))
}
