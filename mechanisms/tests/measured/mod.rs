//! Runs and their figures, as the result tables have them.
#![allow(dead_code, reason = "every test file uses its own part")]

use coase_core::engine::{Cleared, Reporting, clear, enter};
use coase_core::evaluate::{Evaluation, Search, Yardstick, evaluate};
use coase_core::mechanism::Mechanism;
use coase_core::policy::CarbonPolicy;
use coase_core::record::{METRICS, Table, Value};
use coase_core::{Market, MechanismError};

/// Resource value of a kWh from upstream.
pub const UPSTREAM: f64 = 0.4;

pub struct Measured {
    pub cleared: Cleared,
    pub found: Evaluation,
}

pub fn policy(text: &str) -> Box<dyn CarbonPolicy> {
    use ron::extensions::Extensions;
    let extensions = Extensions::IMPLICIT_SOME | Extensions::UNWRAP_NEWTYPES | Extensions::UNWRAP_VARIANT_NEWTYPES;
    ron::Options::default().with_default_extension(extensions).from_str(text).expect(text)
}

/// # Errors
/// What the engine and the evaluator refuse.
pub fn try_measure(
    market: &Market,
    mechanism: &dyn Mechanism,
    policy: &dyn CarbonPolicy,
) -> Result<Measured, MechanismError> {
    let yardstick = Yardstick {
        upstream_cost_per_kwh: vec![UPSTREAM; market.setting().periods.count],
        damage_per_tonne: 0.0,
        core: Search::Skipped,
        regret: Search::Skipped,
    };
    policy.check(market.setting())?;
    let market = enter(market, policy);
    let cleared = clear(mechanism, &market, policy, &Reporting::Truthful, 1, &())?;
    let found = evaluate(&cleared, mechanism, policy, 1, &yardstick)?;
    Ok(Measured { cleared, found })
}

pub fn measure(market: &Market, mechanism: &dyn Mechanism, policy: &dyn CarbonPolicy) -> Measured {
    try_measure(market, mechanism, policy).expect("figures")
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(x) => Some(*x),
        _ => None,
    }
}

impl Measured {
    /// A metric of the run.
    #[track_caller]
    pub fn metric(&self, name: &str) -> f64 {
        let at = METRICS.iter().position(|c| c.name == name).expect(name);
        number(&self.found.record.metrics[at]).unwrap_or_else(|| panic!("{name} is empty"))
    }

    /// A column of a table.
    pub fn column(&self, table: Table, name: &str) -> Vec<Option<f64>> {
        let at = table.columns().iter().position(|c| c.name == name).expect(name);
        self.found.record.rows(table).iter().map(|row| number(&row[at])).collect()
    }

    /// A column of `participants` that is never empty.
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
}
