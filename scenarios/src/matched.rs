//! A run whose policy is made comparable: the price factor at which a measure is that of another run is found, and the run at
//! that factor is the run. Its certificate `match` says how near it comes. Knows no store, no terminal and no concrete policy.

use crate::experiment::Run;
use crate::matching::{self, Found, Goal, Point, TOLERANCE, Trial};
use crate::progress::Progress;
use crate::single::{self, Entered};
use crate::spec::Matching;
use coase_core::Status;
use coase_core::engine::Cleared;
use coase_core::evaluate::{CarbonFigures, certificate_row};
use coase_core::outcome::{Certificate, Verdict};
use coase_core::policy::CarbonPolicy;
use coase_store::{RunResult, RunStatus, Timing};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a measure is to be equal to.
pub(crate) struct Target {
    measure: Matching,
    /// Missing where the reference has no answer.
    value: Option<f64>,
    label: String,
    price_per_tonne: f64,
    status: RunStatus,
}

impl Target {
    /// The measure of a run that has been made.
    pub(crate) fn new(reference: &Run, measure: Matching, result: &RunResult) -> Self {
        let number = |name: &str| result.metric(name);
        let price_per_tonne = reference.policy.price_per_tonne().unwrap_or(0.0);
        // Whoever pays nothing at a price of zero pays a price of zero.
        let free = (price_per_tonne == 0.0 && number("emissions_kg").is_some() && measure != Matching::Emissions)
            .then_some(0.0);
        Self {
            measure,
            value: column(measure).and_then(number).or(free),
            label: reference.carbon_label.clone(),
            price_per_tonne,
            status: result.status,
        }
    }
}

/// The column of the run table that holds a measure; policies as written are equal in none.
fn column(measure: Matching) -> Option<&'static str> {
    match measure {
        Matching::BasePrice => None,
        Matching::MarginalPrice => Some("carbon_marginal_price_per_tonne"),
        Matching::AveragePrice => Some("carbon_average_price_per_tonne"),
        Matching::Revenue => Some("carbon_payments"),
        Matching::Emissions => Some("emissions_kg"),
    }
}

fn value(measure: Matching, figures: &CarbonFigures) -> Option<f64> {
    match measure {
        Matching::BasePrice => None,
        Matching::MarginalPrice => figures.marginal_price_per_tonne,
        Matching::AveragePrice => figures.average_price_per_tonne,
        Matching::Revenue => Some(figures.payments),
        Matching::Emissions => Some(figures.emissions_kg),
    }
}

/// The outcome at a trial point.
type Outcome = (Arc<dyn CarbonPolicy>, Cleared);

/// Finds the factor and measures the run at it; `None` if it is broken off.
pub(crate) fn run(
    run: &Arc<Run>,
    entered: &Entered<'_>,
    target: &Target,
    build: Duration,
    progress: &Arc<dyn Progress>,
) -> Option<RunResult> {
    let Some(wanted) = target.value else {
        let reason = format!("the run under `{}`, which this one is matched with, has no answer", target.label);
        return Some(single::ended(run, RunStatus::Failed, reason));
    };
    let setting = &run.instance.setting;
    let own = run.policy.price_per_tonne().filter(|_| run.policy.check(setting).is_ok());
    // As written, it says why it cannot be.
    let Some(own) = own else { return Some(single::measured(run, entered, build, progress)) };
    let begin = Instant::now();
    let prices = target.measure != Matching::Emissions;
    let goal = Goal { target: wanted, rises: prices && wanted >= 0.0, at_zero: prices.then_some(0.0) };
    // Equal base prices come first: equal policies are found at once.
    let equal = if target.price_per_tonne > 0.0 { target.price_per_tonne / own } else { 1.0 };
    let trial = |factor: f64| -> Option<Trial<Outcome>> {
        if progress.cancelled() {
            return None;
        }
        let policy = run.policy.with_price_factor(factor);
        let cleared = single::cleared(run, &policy, entered, progress).ok()?;
        if cleared.outcome.status != Status::Converged {
            return None;
        }
        let figures = CarbonFigures::new(&cleared, &*policy, &run.yardstick);
        let free = (prices && factor == 0.0).then_some(0.0);
        let measure = value(target.measure, &figures).or(free)?;
        Some(Trial { measure, cost: figures.total_cost, outcome: (policy, cleared) })
    };
    let found = matching::search(goal, equal * run.policy.price_factor(), trial);
    if progress.cancelled() {
        return None;
    }
    let certificate = certificate(target, goal, &found);
    let timing = Timing { build, mechanism: begin.elapsed(), ..Timing::default() };
    let mut result = match found.best {
        Some((_, (policy, cleared))) => single::evaluated(run, &policy, &cleared, timing),
        None => single::measured(run, entered, build, progress),
    };
    result.record.certificates.push(certificate_row(&certificate));
    Some(result)
}

/// How near the run comes. Where a measure jumps over its target, both sides of the jump, and what all would pay between them
/// on the straight line, are the answer.
fn certificate(target: &Target, goal: Goal, found: &Found<Outcome>) -> Certificate {
    let name = column(target.measure).unwrap_or_default();
    let of = format!("{name} {:.6} of `{}`", goal.target, target.label);
    let at = |p: &Point| format!("{:.6} at price factor {}", p.measure, p.factor);
    let lost = match found.lost.len() {
        0 => String::new(),
        lost => format!("; {lost} trial points did not converge"),
    };
    let Some((best, _)) = &found.best else {
        let witness = format!("no trial point converged on the way to {of}; the run is as written");
        return Certificate { value: None, ..Certificate::measure("match", 0.0, witness) };
    };
    let distance = goal.distance(best.measure);
    if distance <= TOLERANCE {
        let check = Certificate::check("match", distance, TOLERANCE, format!("{}; {of}{lost}", at(best)));
        if target.status == RunStatus::Converged {
            return check;
        }
        let witness = format!("{}; that run is {}", check.witness, target.status.name());
        return Certificate { verdict: Verdict::Measured, witness, ..check };
    }
    let reached = match (&found.around, found.points.first(), found.points.last()) {
        (Some((a, b)), ..) => {
            let cost = found.interpolated_cost(&goal).map(|c| format!("; interpolated total cost {c:.6}"));
            format!("{}, {}{}", at(a), at(b), cost.unwrap_or_default())
        }
        (None, Some(a), Some(b)) => {
            let (least, most) = found
                .points
                .iter()
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, m), p| (l.min(p.measure), m.max(p.measure)));
            format!("{least:.6} to {most:.6} at price factors {} to {}", a.factor, b.factor)
        }
        _ => String::new(),
    };
    Certificate::measure("match", distance, format!("not attainable: {of}; {reached}{lost}"))
}
