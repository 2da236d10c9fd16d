//! A commitment that is kept in several realisations of what is uncertain.

use coase_core::engine::{self, Cleared, Reporting};
use coase_core::evaluate::{Evaluation, Search, Yardstick, evaluate};
use coase_core::mechanism::Mechanism;
use coase_core::open::Open;
use coase_core::participant::{Device, Load, Portfolio};
use coase_core::policy::CarbonPolicy;
use coase_core::record::{METRICS, Table, Value};
use coase_core::schemars::{self, JsonSchema};
use coase_core::setting::{Member, Periods, Setting, Tariff};
use coase_core::{Market, MechanismError, Outcome, Participant, RunContext, register};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Nobody trades.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Still {}

impl Mechanism for Still {
    fn run(&self, market: &Market, _: &mut RunContext) -> Result<Outcome, MechanismError> {
        Ok(Outcome::new(market.setting()))
    }
}

register!(Still, "still", Baseline, "nobody trades", claims: [BudgetBalanced], needs: [], information: Prices);

const BUY: f64 = 0.30;
const PERIODS: Periods = Periods { count: 2, hours: 1.0 };

/// One household with a load that may turn out so.
fn market(load_kw: [f64; 2]) -> Market {
    let tariff = Tariff {
        buy_per_kwh: vec![BUY; 2],
        sell_per_kwh: vec![0.05; 2],
        intensity_kg_per_kwh: vec![0.5; 2],
        upstream_carbon_per_tonne: 0.0,
    };
    let load = Load { p_kw: load_kw.to_vec().into() };
    let home = Portfolio::new("home", vec![load.boxed()], PERIODS).expect("valid");
    let members = vec![Member::new("home", 100.0, 100.0)];
    Market::new(Setting::energy(PERIODS, Some(tariff), None, members), vec![Arc::new(home) as Arc<dyn Participant>])
}

fn cleared(policy: &dyn CarbonPolicy) -> Cleared {
    let entered = engine::enter(&market([2.0, 2.0]), policy);
    engine::clear(&Still {}, &entered, policy, &Reporting::Truthful, 1, ()).expect("an outcome")
}

fn measured(cleared: &Cleared, policy: &dyn CarbonPolicy) -> Evaluation {
    let yardstick = Yardstick {
        upstream_cost_per_kwh: vec![BUY; 2],
        damage_per_tonne: 0.0,
        core: Search::Skipped,
        regret: Search::Skipped,
        curves: Search::Skipped,
    };
    evaluate(cleared, &Still {}, policy, 1, &yardstick).expect("figures")
}

fn metric(found: &Evaluation, name: &str) -> f64 {
    let place = METRICS.iter().position(|c| c.name == name).expect("a metric");
    let Value::Number(x) = found.record.metrics[place] else { panic!("no number") };
    x
}

/// Of two loads with probabilities 1/4 and 3/4 the bill is 0.30 (4/4 + 3 · 12/4) and the emissions are 0.5 of the energy.
#[test]
fn figures_are_expectations_and_rows_say_which_realisation_they_are_of() {
    let policy = (<dyn CarbonPolicy>::set().get("none").expect("registered").default)();
    let one = cleared(&*policy);
    let both = one.clone().realised_in(&*policy, [(0.25, market([1.0, 3.0])), (0.75, market([4.0, 8.0]))]);
    let found = measured(&both.expect("deliverable"), &*policy);
    let energy = 0.25 * 4.0 + 0.75 * 12.0;
    assert!((metric(&found, "operating_cost") - BUY * energy).abs() < 1e-9);
    assert!((metric(&found, "emissions_kg") - 0.5 * energy).abs() < 1e-9);
    let place = |name: &str| Table::Periods.columns().iter().position(|c| c.name == name).expect("a column");
    let rows = &found.record.periods;
    let of: Vec<(&Value, &Value)> =
        rows.iter().map(|row| (&row[place("realisation")], &row[place("load_kw")])).collect();
    let expected: Vec<(i64, f64)> = vec![(0, 1.0), (0, 3.0), (1, 4.0), (1, 8.0)];
    assert_eq!(of.len(), expected.len());
    for ((k, kw), (realisation, load)) in of.into_iter().zip(expected) {
        assert_eq!(k, &Value::Integer(realisation));
        let Value::Number(kw) = kw else { panic!("a number") };
        assert!((kw.abs() - load).abs() < 1e-9, "{kw}");
    }
    // What everybody pays on average is what the ledger says.
    assert!((found.ledger.turnover() - BUY * energy).abs() < 1e-9);
}

/// One realisation of weight 1 that is what was foreseen changes no figure.
#[test]
fn what_turns_out_as_foreseen_is_the_run_itself() {
    let policy = (<dyn CarbonPolicy>::set().get("tax").expect("registered").default)();
    let one = cleared(&*policy);
    let certain = one.clone().realised_in(&*policy, [(1.0, market([2.0, 2.0]))]).expect("deliverable");
    let (plain, realised) = (measured(&one, &*policy), measured(&certain, &*policy));
    assert_eq!(plain.record.metrics, realised.record.metrics);
    assert_eq!(plain.record.periods, realised.record.periods);
    assert_eq!(plain.ending, realised.ending);
}

#[test]
fn weights_that_are_no_probabilities_are_refused() {
    let policy = (<dyn CarbonPolicy>::set().get("none").expect("registered").default)();
    for weights in [[0.5, 0.4], [1.5, -0.5], [f64::NAN, 1.0]] {
        let truths = weights.map(|weight| (weight, market([1.0, 1.0])));
        let refused = cleared(&*policy).realised_in(&*policy, truths).expect_err("no probabilities");
        assert!(matches!(refused, MechanismError::Weights { .. }), "{refused}");
    }
}
