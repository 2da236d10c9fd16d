//! A scarcity price: raised while its target lies above it, bracketed, then bisected. Where emissions jump across the cap
//! there is no price at which they meet it: then the cheapest price that holds the cap is taken and the gap is named.

use super::{Cleared, Run};
use crate::mechanism::MechanismError;
use crate::outcome::{Certificate, Kind, Status};

/// Relative width at which the bracket of the price is closed.
const TOLERANCE: f64 = 1e-9;
/// Doublings and halvings together.
const MAX_ROUNDS: usize = 120;

pub(super) fn clear(run: &Run<'_>) -> Result<Cleared, MechanismError> {
    let policy = run.policy;
    let at = |price: f64| -> Result<(Cleared, f64), MechanismError> {
        let signal = vec![price];
        let cleared = run.round(&policy.terms(run.setting(), &signal), signal.clone())?;
        let target = policy.target(run.setting(), &cleared.physical, &signal)[0];
        Ok((cleared, target - price))
    };
    let start = policy.start(run.setting())[0];
    let (first, excess) = at(start)?;
    if excess <= tolerance(start) {
        return Ok(finished(first, excess.max(0.0), 0.0));
    }
    let (mut low, mut step) = (start, start.abs().max(1e-3));
    let mut rounds = 1;
    let mut high = loop {
        let price = low + step;
        let (cleared, excess) = at(price)?;
        rounds += 1;
        if excess <= tolerance(price) {
            break (price, cleared, excess);
        }
        if rounds >= MAX_ROUNDS {
            let mut failed = finished(cleared, 0.0, 0.0);
            failed.outcome.status = Status::NotConverged { residual: excess };
            failed.reason = Some(format!("no price up to {price:.3e} per kg holds the target"));
            return Ok(failed);
        }
        low = price;
        step *= 2.0;
    };
    while high.0 - low > TOLERANCE * high.0.abs().max(1e-6) && high.2.abs() > tolerance(high.0) && rounds < MAX_ROUNDS {
        let price = 0.5 * (low + high.0);
        let (cleared, excess) = at(price)?;
        rounds += 1;
        if excess > tolerance(price) {
            low = price;
        } else {
            high = (price, cleared, excess);
        }
    }
    let width = high.0 - low;
    Ok(finished(high.1, high.2, width))
}

fn tolerance(price: f64) -> f64 {
    1e-9 * price.abs().max(1e-6)
}

fn finished(mut cleared: Cleared, excess: f64, width: f64) -> Cleared {
    let witness = format!("bracket of width {width:.3e}; the target is missed by {excess:.3e} at the price taken");
    cleared.outcome.evidence.push(Certificate::measure("fixed_point_price", width, witness).about(Kind::FixedPoint));
    cleared
}
