//! Shares that an outcome determines and its terms contain, such as how much of what is sold is covered by allowances: the
//! outcome is asked for at the shares of the one before until they no longer change.
//!
//! Steps are whole at first, then halves, then ever smaller, which ends swings between two answers where one lies between.

use super::{Cleared, Run};
use crate::context::{Progress, Step};
use crate::error::MechanismError;
use crate::outcome::{Certificate, Kind, Status};
use crate::policy::Signal;

/// Change of a share that is none.
const TOLERANCE: f64 = 1e-9;
/// Change that an answer may leave.
const SETTLED: f64 = 1e-6;
/// Rounds with whole steps, with half ones, and in all.
const WHOLE: usize = 10;
const HALVES: usize = 30;
const MAX_ROUNDS: usize = 80;

pub(super) fn clear(run: &Run<'_>) -> Result<Cleared, MechanismError> {
    let setting = run.setting();
    let Signal::ByMember(mut shares) = run.policy.start(setting) else {
        return Err(MechanismError::Unmet { need: "shares to begin with" });
    };
    let mut rounds = vec![];
    let mut best: Option<(Cleared, f64, usize)> = None;
    for step in 0..MAX_ROUNDS {
        let signal = Signal::ByMember(shares.clone());
        let cleared = run.round(&run.policy.terms(setting, &signal), signal.clone())?;
        let called_for = run.policy.target(setting, &cleared.physical, &signal);
        let wanted = called_for.shares();
        let (residual, place) = shares.distance(wanted);
        let objective = cleared.physical.plans.iter().map(|p| p.cost).sum();
        let values = vec![("primal_residual", residual), ("objective", objective)];
        rounds.push(Step { stage: "shares", step, values });
        run.observer.step(&Progress { stage: "shares", step, residual });
        if best.as_ref().is_none_or(|b| residual < b.1) {
            best = Some((cleared, residual, place));
        }
        if residual <= TOLERANCE || run.observer.cancelled() {
            break;
        }
        let length = match step {
            _ if step < WHOLE => 1.0,
            _ if step < HALVES => 0.5,
            _ => 1.0 / (step - HALVES + 3) as f64,
        };
        shares.step(wanted, length);
    }
    let Some((mut cleared, residual, place)) = best else {
        return Err(MechanismError::Unmet { need: "shares to begin with" });
    };
    cleared.rounds = rounds;
    let what = format!("shares called for against shares in the terms; greatest at {place}");
    let check = Certificate::check("fixed_point_shares", residual, SETTLED, what).about(Kind::FixedPoint);
    cleared.outcome.evidence.push(check);
    if residual > SETTLED && cleared.outcome.status == Status::Converged {
        cleared.outcome.status = Status::NotConverged { residual };
        cleared.reason = Some(format!(
            "the shares of what is sold that allowances cover were not brought to a fixed point: {residual:.3e} is left"
        ));
    }
    Ok(cleared)
}
