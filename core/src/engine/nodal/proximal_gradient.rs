//! One attempt at a fixed point: rounds from a point until they no longer move.

use super::anderson::Anderson;
use super::certify::{End, Settled, Side, Sides};
use super::penalty::Penalty;
use super::point::{Basis, Point, distance, greatest, marginal_prices, with_proximal_term, withdrawals};
use super::prices::{guarded, is_of_state};
use super::settle::settle;
use super::steepness::Steepness;
use crate::context::{Progress, Step};
use crate::engine::Run;
use crate::error::MechanismError;

/// Change of price that a step may still mean, relative to the dearest price.
const PRICE_STEP: f64 = 1e-7;
/// The same where that is still too much for the settlement.
const LEAST_PRICE_STEP: f64 = 1e-9;
/// Change of withdrawal that a step may still mean, relative to what all members exchange in a period.
const LOAD_STEP: f64 = 4e-6;
/// Strength of the anchor in settlement.
const WEAK: f64 = 0.03;
/// Rounds without halving the best step after which the anchor is doubled.
const PATIENCE: usize = 20;
/// The same where the root's share is sought too, after which the memory is given up.
const PATIENCE_AT_ROOT: usize = 25;
/// Rounds in which a share goes one way, inside its bounds, until its band is narrowed: it is slower than members are.
const DRIFT: i32 = 10;
/// By how much.
const DRIFT_FACTOR: f64 = 4.0;
/// Times that patience may run out in a row before an attempt is given up.
const MAX_STALLS: usize = 3;

/// How an attempt is made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt {
    /// Whether steps are extrapolated.
    pub accelerated: bool,
    /// Multiple of the anchor that losses need.
    pub strength: f64,
    /// Whether the anchor follows the slope that prices turn out to have.
    pub steep: bool,
    /// Most rounds.
    pub rounds: usize,
}

/// The answer that moved least.
struct Best {
    /// Weighted length of its step.
    norm: f64,
    point: Point,
}

/// Makes an attempt from a point; its rounds follow those that there were.
pub(super) fn attempt(
    run: &Run<'_>,
    penalty: &Penalty,
    basis: &Basis,
    how: Attempt,
    start: &Point,
    rounds: &mut Vec<Step>,
) -> Result<Settled, MechanismError> {
    let setting = run.setting();
    let periods = setting.periods.count;
    let mut strength = how.strength;
    let mut centre = start.clone();
    let mut answer = start.at.clone();
    let mut reached = start.at.clone();
    let mut steepness = Steepness::new(periods, basis.band_kwh, basis.dearest, &basis.weight);
    let mut anderson = Anderson::default();
    let mut best = Best { norm: f64::INFINITY, point: start.clone() };
    let (mut checkpoint, mut waited, mut stalls) = (f64::INFINITY, 0, 0);
    let mut tolerance = PRICE_STEP * basis.dearest;
    let mut settled: Option<Settled> = None;
    let (mut bands, mut drift) = (vec![basis.band_kwh; periods], vec![0_i32; periods]);
    let (mut sides, mut cycle) = (Sides::default(), false);
    let anchors = |strength: f64, steepness: &Steepness| {
        let full = basis.weight.iter().enumerate().map(|(k, w)| strength * w + penalty.weight(k)).collect::<Vec<f64>>();
        let full = steepness.on(&full);
        (full.iter().map(|w| WEAK * w).collect::<Vec<f64>>(), full)
    };
    for _ in 0..how.rounds {
        let (mut here, drawn) = guarded(run, penalty, basis, &mut centre, &answer, &reached)?;
        reached.clone_from(&centre.at);
        if drawn {
            anderson = Anderson::default();
        }
        if let Some(turn) = &mut here.turn {
            turn.band_kwh.clone_from(&bands);
        }
        let terms = here.terms(run);
        let price = marginal_prices(run, &terms, &centre.plans);
        let mut rho: Vec<f64> =
            basis.weight.iter().enumerate().map(|(k, w)| strength * w + penalty.weight(k)).collect();
        if how.steep {
            // At the whole of the root's price: a share that moves is no slope.
            let seen = match &here.turn {
                Some(turn) => turn.at_full_share(&price, &centre.share),
                None => price.clone(),
            };
            steepness.observe(&centre.at, seen, &rho);
            rho = steepness.on(&rho);
        }
        if let Some(turn) = &here.turn {
            rho.iter_mut().zip(turn.stiffness()).for_each(|(r, s)| *r += s);
        }
        let plans = run.answer(&with_proximal_term(terms, &centre.at, &rho, periods))?.plans;
        answer = withdrawals(run, &plans);
        let step: Vec<f64> = answer.iter().zip(&centre.at).map(|(y, c)| y - c).collect();
        let share = here.turn.as_ref().map_or(vec![], |turn| turn.next(&centre.share, &step));
        // What is left of the marginal cost at the centre, per kWh: independent of the anchor wherever answers are free.
        let mut residual: Vec<f64> = step.iter().zip(&rho).map(|(d, r)| d * r).collect();
        let mut price_step = greatest(&residual);
        let load_step = greatest(&step);
        let mut norm: f64 = residual.iter().zip(&basis.weight).map(|(f, w)| f * f / w).sum();
        let mut weight = rho.clone();
        if let Some(turn) = &here.turn {
            let metric = turn.weight();
            let moves: Vec<f64> = share.iter().zip(&centre.share).map(|(next, now)| next - now).collect();
            price_step = price_step.max(greatest(&times(&turn.jump_per_kwh, &moves)));
            residual.extend(times(&metric, &moves));
            norm += moves.iter().zip(&metric).map(|(d, w)| d * d * w).sum::<f64>();
            weight.extend(metric);
        }
        for (rounds, (next, now)) in drift.iter_mut().zip(share.iter().zip(&centre.share)) {
            let inside = *next > 0.0 && *next < 1.0;
            let way = if next > now { 1 } else { -1 };
            *rounds = match *rounds {
                _ if !inside => 0,
                before if before * way >= 0 => before + way,
                _ => way,
            };
        }
        let norm = norm.sqrt();
        record(run, rounds, load_step, price_step, plans.iter().map(|p| p.cost).sum());
        let point = Point { at: answer.clone(), share, plans };
        if norm < best.norm {
            best = Best { norm, point: point.clone() };
        }
        if price_step <= tolerance && load_step <= LOAD_STEP * basis.band_kwh {
            // The weak anchor of the settlement lets what is left of a step grow: the loop goes on until that is little too.
            match settle(run, penalty, basis, &point, &anchors(strength, &steepness), &End::Rest) {
                Ok(found) if found.upheld || tolerance <= LEAST_PRICE_STEP * basis.dearest => return Ok(found),
                Ok(found) => settled = Some(found),
                Err(error) if is_of_state(&error) => {}
                Err(error) => return Err(error),
            }
            tolerance *= 0.1;
        }
        cycle |= !sides.before.withdrawal.is_empty()
            && distance(&sides.before.withdrawal, &answer) < 1e-12 * basis.band_kwh
            && distance(&sides.after.withdrawal, &answer) > LOAD_STEP * basis.band_kwh;
        sides.before = std::mem::replace(&mut sides.after, Side { withdrawal: answer.clone(), price });
        if run.observer.cancelled() {
            break;
        }
        if best.norm <= 0.5 * checkpoint {
            (checkpoint, waited, stalls) = (best.norm, 0, 0);
        } else {
            waited += 1;
        }
        let from = centre.clone();
        centre = point.clone();
        if let (Some(turn), true) = (&here.turn, waited >= PATIENCE_AT_ROOT) {
            centre.share = turn.carried_on(&centre.share, &step);
            for (band, rounds) in bands.iter_mut().zip(&mut drift) {
                if rounds.abs() >= DRIFT {
                    *band /= DRIFT_FACTOR;
                }
                *rounds = 0;
            }
            anderson = Anderson::default();
            (checkpoint, waited) = (norm, 0);
        } else if here.turn.is_none() && waited >= PATIENCE {
            stalls += 1;
            if stalls == MAX_STALLS {
                break;
            }
            strength *= 2.0;
            anderson = Anderson::default();
            centre = best.point.clone();
            (checkpoint, waited) = (best.norm, 0);
        } else if how.accelerated {
            let next = anderson.next(&[&from.at[..], &from.share].concat(), &residual, &weight);
            let (at, share) = next.split_at(from.at.len());
            centre.at = at.to_vec();
            centre.share = share.iter().map(|s| s.clamp(0.0, 1.0)).collect();
        }
    }
    if let Some(settled) = settled {
        return Ok(settled);
    }
    let end = if cycle { End::Cycle(sides) } else { End::Rounds(sides) };
    settle(run, penalty, basis, &best.point, &anchors(strength, &steepness), &end)
}

/// One round more in the trace, and for whoever watches.
fn record(run: &Run<'_>, rounds: &mut Vec<Step>, load_kwh: f64, price_per_kwh: f64, cost: f64) {
    let (stage, step) = ("policy", rounds.len());
    let values = vec![("primal_residual", load_kwh), ("dual_residual", price_per_kwh), ("objective", cost)];
    rounds.push(Step { stage, step, values });
    run.observer.step(&Progress { stage, step, residual: load_kwh });
}

fn times(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(x, y)| x * y).collect()
}
