//! Runs and their figures, as the result tables have them.

use coase_core::engine::{Cleared, Reporting, clear, enter};
use coase_core::evaluate::{Evaluation, Search, Yardstick, evaluate};
use coase_core::mechanism::Mechanism;
use coase_core::open::Open;
use coase_core::outcome::Verdict;
use coase_core::policy::CarbonPolicy;
use coase_core::record::{METRICS, Table, Value};
use coase_core::{Certificate, Market, MechanismError};

/// A run and its figures.
pub struct Measured {
    /// What came out of the engine.
    pub cleared: Cleared,
    /// What the evaluator says of it.
    pub found: Evaluation,
}

/// A registered mechanism with its defaults.
#[track_caller]
pub fn mechanism(id: &str) -> Box<dyn Mechanism> {
    (<dyn Mechanism>::set().get(id).unwrap_or_else(|| panic!("{id} is not registered")).default)()
}

/// Upstream energy is worth its feed-in price, a tonne of emissions does damage; nothing expensive is searched.
pub fn yardstick(market: &Market, damage_per_tonne: f64) -> Yardstick {
    Yardstick {
        upstream_cost_per_kwh: market.setting().tariff.as_ref().expect("a tariff").sell_per_kwh.clone(),
        damage_per_tonne,
        core: Search::Skipped,
        regret: Search::Skipped,
        curves: Search::Skipped,
    }
}

/// What the engine makes of a mechanism under a policy, everybody truthful, seed 1.
///
/// # Errors
/// What the engine refuses.
pub fn try_clear(
    market: &Market,
    mechanism: &dyn Mechanism,
    policy: &dyn CarbonPolicy,
) -> Result<Cleared, MechanismError> {
    clear(mechanism, &enter(market, policy), policy, &Reporting::Truthful, 1, ())
}

/// The same where it must work.
#[track_caller]
pub fn cleared(market: &Market, mechanism: &dyn Mechanism, policy: &dyn CarbonPolicy) -> Cleared {
    try_clear(market, mechanism, policy).expect("an outcome")
}

/// A run and its figures, damage of emissions left out.
///
/// # Errors
/// What the policy, the engine and the evaluator refuse.
pub fn try_measure(
    market: &Market,
    mechanism: &dyn Mechanism,
    policy: &dyn CarbonPolicy,
) -> Result<Measured, MechanismError> {
    policy.check(market.setting())?;
    try_measure_by(&yardstick(market, 0.0), market, mechanism, policy)
}

/// The same by a yardstick of one's own, whatever the policy says of the setting.
///
/// # Errors
/// What the engine and the evaluator refuse.
pub fn try_measure_by(
    yardstick: &Yardstick,
    market: &Market,
    mechanism: &dyn Mechanism,
    policy: &dyn CarbonPolicy,
) -> Result<Measured, MechanismError> {
    let cleared = try_clear(market, mechanism, policy)?;
    let found = evaluate(&cleared, mechanism, policy, 1, yardstick)?;
    Ok(Measured { cleared, found })
}

/// The same where it must work.
#[track_caller]
pub fn measure(market: &Market, mechanism: &dyn Mechanism, policy: &dyn CarbonPolicy) -> Measured {
    try_measure(market, mechanism, policy).expect("figures")
}

/// The same with a damage of emissions.
#[track_caller]
pub fn measure_with_damage(
    damage_per_tonne: f64,
    market: &Market,
    mechanism: &dyn Mechanism,
    policy: &dyn CarbonPolicy,
) -> Measured {
    try_measure_by(&yardstick(market, damage_per_tonne), market, mechanism, policy).expect("figures")
}

/// A cell that holds a number.
pub fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(x) => Some(*x),
        Value::Integer(k) => Some(*k as f64),
        _ => None,
    }
}

/// The cells of a column of a table, by its name.
#[track_caller]
pub fn column(found: &Evaluation, table: Table, name: &str) -> Vec<Option<f64>> {
    let at = table.columns().iter().position(|c| c.name == name).unwrap_or_else(|| panic!("no column {name}"));
    found.record.rows(table).iter().map(|row| number(&row[at])).collect()
}

impl Measured {
    /// A metric of the run, where it has it.
    #[track_caller]
    pub fn metric_if_any(&self, name: &str) -> Option<f64> {
        let at = METRICS.iter().position(|c| c.name == name).unwrap_or_else(|| panic!("no metric {name}"));
        number(&self.found.record.metrics[at])
    }

    /// A metric that the run has.
    #[track_caller]
    pub fn metric(&self, name: &str) -> f64 {
        self.metric_if_any(name).unwrap_or_else(|| panic!("{name} is empty"))
    }

    /// A column of a table.
    #[track_caller]
    pub fn column(&self, table: Table, name: &str) -> Vec<Option<f64>> {
        column(&self.found, table, name)
    }

    /// A column of `participants` that is never empty.
    #[track_caller]
    pub fn of_participants(&self, name: &str) -> Vec<f64> {
        self.column(Table::Participants, name).into_iter().map(|x| x.expect(name)).collect()
    }

    /// The five parts of the gain of each participant.
    pub fn parts(&self) -> [Vec<f64>; 5] {
        let received = self.of_participants("payment").iter().map(|p| -p).collect();
        let [a, b, c, d] = ["gain_resource", "gain_retail_margin", "gain_carbon", "gain_network"]
            .map(|name| self.of_participants(name));
        [a, b, c, d, received]
    }

    /// A certificate that the run must have.
    #[track_caller]
    pub fn certificate(&self, name: &str) -> &Certificate {
        self.found.certificates.iter().find(|c| c.name == name).unwrap_or_else(|| panic!("no certificate {name}"))
    }

    /// Its verdict.
    #[track_caller]
    pub fn verdict(&self, name: &str) -> Verdict {
        self.certificate(name).verdict
    }
}
