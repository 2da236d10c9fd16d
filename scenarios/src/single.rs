//! One run, from a market that is there to its figures.

use crate::experiment::Run;
use crate::progress::{Progress, Watch};
use coase_core::engine::{self, Cleared, Ending, Reporting};
use coase_core::evaluate::evaluate;
use coase_core::policy::CarbonPolicy;
use coase_core::program::SolveError;
use coase_core::record::RunRecord;
use coase_core::{Market, MechanismError, Status};
use coase_store::{Keys, RunResult, RunStatus, Timing};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A scenario's market entered under one policy at several price factors: runs of different mechanisms share it, so that they
/// share its answers.
pub(crate) struct Entered<'a> {
    market: &'a Market,
    known: Mutex<BTreeMap<u64, Market>>,
}

impl<'a> Entered<'a> {
    pub(crate) fn new(market: &'a Market, policy: &Arc<dyn CarbonPolicy>) -> Self {
        let entered = Self { market, known: Mutex::default() };
        entered.under(policy);
        entered
    }

    /// The market under this policy, which differs from the others that are asked for by its factor only. A policy that refuses
    /// the scenario is asked nothing else: whoever clears the market under it hears why.
    pub(crate) fn under(&self, policy: &Arc<dyn CarbonPolicy>) -> Market {
        let factor = policy.price_factor().to_bits();
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(market) = known().get(&factor) {
            return market.clone();
        }
        let is_possible = policy.check(self.market.setting()).is_ok();
        let market = if is_possible { engine::enter(self.market, &**policy) } else { self.market.clone() };
        known().entry(factor).or_insert(market).clone()
    }
}

/// A run as written.
pub(crate) fn measured(
    run: &Arc<Run>,
    entered: &Entered<'_>,
    build: Duration,
    progress: &Arc<dyn Progress>,
) -> RunResult {
    let begin = Instant::now();
    match cleared(run, &run.policy, entered, progress) {
        Ok(cleared) => {
            let timing = Timing { build, mechanism: begin.elapsed(), ..Timing::default() };
            evaluated(run, &run.policy, &cleared, timing)
        }
        Err(error) => without_outcome(run, &error),
    }
}

/// A run's mechanism under a policy.
pub(crate) fn cleared(
    run: &Arc<Run>,
    policy: &Arc<dyn CarbonPolicy>,
    entered: &Entered<'_>,
    progress: &Arc<dyn Progress>,
) -> Result<Cleared, MechanismError> {
    let watch = Watch { run: run.clone(), progress: progress.clone() };
    let reporting = Reporting::Rule(run.rule.clone());
    engine::clear(&*run.mechanism, &entered.under(policy), &**policy, &reporting, run.seed, watch)
}

/// Everything that is measured of a run's outcome under a policy; what is charged is measured by the policy as written, whose
/// base does not depend on its price.
pub(crate) fn evaluated(run: &Run, policy: &Arc<dyn CarbonPolicy>, cleared: &Cleared, timing: Timing) -> RunResult {
    let begin = Instant::now();
    let evaluation = match evaluate(cleared, &*run.mechanism, &**policy, run.seed, &run.yardstick) {
        Ok(evaluation) => evaluation,
        Err(error) => return without_outcome(run, &error),
    };
    let (status, reason) = said(&evaluation.ending);
    let setting = cleared.truth.setting();
    let charged = run.policy.responsibility(setting, &cleared.physical, &cleared.signal).charged_kg;
    let under = run.compared.iter().filter(|(_, policy)| policy.check(setting).is_ok()).map(|(hash, policy)| {
        let base = policy.responsibility(setting, &cleared.physical, &policy.start(setting));
        (hash.clone(), base.charged_kg.iter().sum())
    });
    RunResult {
        residual: evaluation.ending.residual,
        behaviour: cleared.behaviour.name().to_owned(),
        charged_kg: Some(charged.iter().sum()),
        charged_kg_under: under.collect(),
        record: evaluation.record,
        timing: Some(Timing { evaluation: begin.elapsed(), ..timing }),
        ..ended(run, status, reason)
    }
}

fn said(ending: &Ending) -> (RunStatus, String) {
    let reason = |otherwise: String| ending.reason.clone().unwrap_or(otherwise);
    match ending.status {
        Status::Converged => (RunStatus::Converged, String::new()),
        Status::NotConverged { residual } => {
            (RunStatus::NotConverged, reason(format!("the residual {residual:.3e} is above the tolerance")))
        }
        Status::NoEquilibriumFound { gap } => {
            (RunStatus::NoEquilibrium, reason(format!("at the best point somebody gains {gap:.3e} by deviating")))
        }
    }
}

pub(crate) fn without_outcome(run: &Run, error: &MechanismError) -> RunResult {
    let (status, residual) = match error {
        MechanismError::Solve(error) => unsolved(error),
        MechanismError::CapBelowReach { .. } => (RunStatus::Infeasible, None),
        _ => (RunStatus::Failed, None),
    };
    let reason = match error {
        // The status says it already.
        MechanismError::Solve(SolveError::Infeasible { rows }) if rows.is_empty() => {
            "no schedule keeps every limit".into()
        }
        MechanismError::Solve(SolveError::Infeasible { rows }) => rows.join("; "),
        other => other.to_string(),
    };
    RunResult { residual, ..ended(run, status, reason) }
}

/// How a run ends whose question has no answer: nobody can do what is asked, or nobody found out.
fn unsolved(error: &SolveError) -> (RunStatus, Option<f64>) {
    match error {
        SolveError::Infeasible { .. } => (RunStatus::Infeasible, None),
        SolveError::Bounds { lower, upper, .. } if lower.is_finite() && upper.is_finite() => {
            (RunStatus::Infeasible, None)
        }
        SolveError::NotCertified { gap, .. } => (RunStatus::NotConverged, gap.is_finite().then_some(*gap)),
        SolveError::Undecided { .. } => (RunStatus::NotConverged, None),
        SolveError::Of { source, .. } => unsolved(source),
        SolveError::Bounds { .. } | SolveError::Unmet { .. } | SolveError::Refused(_) => (RunStatus::Failed, None),
    }
}

pub(crate) fn ended(run: &Run, status: RunStatus, reason: String) -> RunResult {
    RunResult {
        run_id: run.run_id.clone(),
        keys: Keys {
            scenario: run.scenario.clone(),
            mechanism: run.mechanism.plugin().id.to_owned(),
            variant: run.variant.clone(),
            carbon_policy: run.policy.plugin().id.to_owned(),
            carbon_label: run.carbon_label.clone(),
            reporting: run.reporting.clone(),
            seed: run.seed,
        },
        status,
        reason,
        residual: None,
        behaviour: run.rule.plugin().behaviour.name().to_owned(),
        information: run.mechanism.plugin().information.name().to_owned(),
        charged_kg: None,
        charged_kg_under: BTreeMap::new(),
        record: RunRecord::empty(),
        timing: None,
    }
}
