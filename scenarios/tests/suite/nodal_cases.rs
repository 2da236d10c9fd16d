//! Small feeders near balance with upstream, where nodal prices jump at the root: cost and share of the jump against an
//! independent model that minimises `sum J + tau sum e [P_0]+` by cutting planes, and cases by arithmetic.

use coase_core::record::{METRICS, Table, Value};
use coase_mechanisms as _;
use coase_scenarios::{Experiment, Loader, RunOptions, RunResult, RunStatus};
use std::path::Path;

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/nodal"))
}

fn load(text: &str) -> Experiment {
    Loader::default().load_text("test", text, folder(), &[]).unwrap_or_else(|fault| panic!("{fault}"))
}

fn run(text: &str) -> Vec<RunResult> {
    load(text).run(&RunOptions::default(), ()).unwrap()
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(x) => Some(*x),
        Value::Integer(x) => Some(*x as f64),
        _ => None,
    }
}

fn metric(result: &RunResult, name: &str) -> f64 {
    let k = METRICS.iter().position(|c| c.name == name).unwrap();
    number(&result.record.metrics[k]).unwrap_or_else(|| panic!("{name} of {} is missing", result.run_id))
}

/// A column of a table, in the order of its rows.
fn column(result: &RunResult, table: Table, name: &str) -> Vec<Option<f64>> {
    let k = table.columns().iter().position(|c| c.name == name).unwrap();
    result.record.rows(table).iter().map(|row| number(&row[k])).collect()
}

/// Shares of the root's jump by period, and the exchange there, kW.
fn root(result: &RunResult) -> Vec<(f64, f64)> {
    let shares = column(result, Table::Nodes, "root_share_imported");
    let exchange = column(result, Table::Nodes, "p_kw");
    shares.iter().zip(exchange).filter_map(|(share, kw)| Some(((*share)?, kw?))).collect()
}

fn certificate(result: &RunResult, name: &str) -> Option<(f64, Option<f64>, String)> {
    let row = result.record.rows(Table::Certificates).iter().find(|row| row[0] == Value::from(name))?;
    let Value::Text(verdict) = &row[3] else { panic!("{row:?}") };
    Some((number(&row[1])?, number(&row[2]), verdict.clone()))
}

fn nothing_refuted(result: &RunResult) {
    for row in result.record.rows(Table::Certificates) {
        assert_ne!(row[3], Value::from("refuted"), "{row:?}");
    }
}

/// What a case costs and the shares at periods in which the exchange rests.
type Oracle = (&'static str, &'static str, f64, &'static [(usize, f64)]);

const ORACLES: [Oracle; 8] = [
    ("random_303", "grid-only", 412.5547, &[(3, 0.544)]),
    ("random_303", "central-optimum", 280.2095, &[(3, 0.782)]),
    ("random_315", "grid-only", 1232.8509, &[(1, 0.376)]),
    ("random_315", "central-optimum", 799.5590, &[(1, 0.857)]),
    ("random_324", "grid-only", 104.6094, &[(4, 0.364), (5, 0.235)]),
    ("random_324", "central-optimum", 104.6094, &[(4, 0.364), (5, 0.235)]),
    ("random_341", "grid-only", -1234.9862, &[(4, 0.015)]),
    ("random_341", "central-optimum", -1931.0183, &[(3, 0.833)]),
];

#[test]
fn marginal_prices_reach_the_least_cost_with_the_root_at_rest() {
    for (case, mechanism, cost, shares) in ORACLES {
        let results = run(&format!(
            r#"Experiment(scenarios: ["{case}.ron"], mechanisms: ["{mechanism}"], carbon: [NodalMarginal(price_per_tonne: 332)])"#
        ));
        let result = &results[0];
        assert_eq!(result.status, RunStatus::Converged, "{case} {mechanism}: {}", result.reason);
        nothing_refuted(result);
        let found = metric(result, "operating_cost") + 0.332 * metric(result, "emissions_kg");
        assert!((found - cost).abs() < 2e-4 * (1.0 + 1e-2 * cost.abs()), "{case} {mechanism}: {found} against {cost}");
        let at_rest: Vec<(usize, f64)> = root(result)
            .iter()
            .enumerate()
            .filter(|(_, (_, kw))| kw.abs() < 1e-3)
            .map(|(t, (share, _))| (t, *share))
            .collect();
        assert_eq!(
            at_rest.iter().map(|a| a.0).collect::<Vec<_>>(),
            shares.iter().map(|a| a.0).collect::<Vec<_>>(),
            "{case} {mechanism}: {:?}",
            root(result)
        );
        for ((t, found), (_, expected)) in at_rest.iter().zip(shares) {
            assert!((found - expected).abs() < 1e-3, "{case} {mechanism} period {t}: {found} against {expected}");
        }
        let (turn, most, _) = certificate(result, "fixed_point_turn").expect("a turn");
        assert!(turn >= 0.0 && turn <= most.expect("a tolerance"), "{turn}");
    }
}

const SMALL: &str = r#"Experiment(scenarios: ["small_exchange.ron"], mechanisms: ["grid-only"], carbon: [Integrated(price_per_tonne: 280)])"#;

/// 3 kWh imported at 1 and half a kilogram at 0.28: 1.14 per kWh, and marginal losses of 1.9e-5 on the way.
#[test]
fn a_small_community_that_imports_pays_the_whole_carbon_of_its_imports() {
    let result = &run(SMALL)[0];
    assert_eq!(result.status, RunStatus::Converged, "{}", result.reason);
    nothing_refuted(result);
    assert!((metric(result, "total_cost") - 3.420_018_8).abs() < 1e-7, "{}", metric(result, "total_cost"));
    assert!((root(result)[0].0 - 1.0).abs() < 1e-12);
    let price = column(result, Table::Nodes, "price_per_kwh")[0].expect("a price");
    assert!((price - 1.14).abs() < 1e-9, "{price}");
}

/// The turbine at 1.12 without carbon meets the load of 3 kW: the next kWh would be imported at 1.14.
#[test]
fn a_turbine_that_meets_the_load_leaves_the_price_of_a_kilowatt_hour_more() {
    let result = &run(&SMALL.replace("small_exchange", "small_exchange_turbine"))[0];
    assert_eq!(result.status, RunStatus::Converged, "{}", result.reason);
    nothing_refuted(result);
    let (share, kw) = root(result)[0];
    assert!(kw.abs() < 1e-6 && (share - 1.0).abs() < 1e-9, "{kw} {share}");
    let price = column(result, Table::Nodes, "price_per_kwh")[0].expect("a price");
    assert!((price - 1.14).abs() < 1e-9, "{price}");
    assert_eq!(metric(result, "iterations"), 1.0);
}

/// With a kW to spare the turbine is marginal: 1.12 = 1 + 0.14 * 6 / 7.
#[test]
fn a_turbine_with_a_kilowatt_to_spare_makes_the_price() {
    let spare = r#"Scenario(name: "spare", periods: 1, period_h: 1, currency: "CNY", network: (source: "ieee-33", load_scale: 0),
        grid: (buy_price_per_kwh: 1.0, sell_price_per_kwh: 0.4, intensity_kg_per_kwh: 0.5),
        participants: [(id: "a", bus: 2, devices: [Load(p_kw: 3), MicroTurbine(p_max_kw: 4, cost_per_kwh: 1.12, emission_kg_per_kwh: 0)])])"#;
    let result = &run(&SMALL.replace("\"small_exchange.ron\"", spare))[0];
    assert_eq!(result.status, RunStatus::Converged, "{}", result.reason);
    nothing_refuted(result);
    let (share, kw) = root(result)[0];
    assert!(kw.abs() < 1e-5, "{kw}");
    assert!((share - 6.0 / 7.0).abs() < 1e-6, "{share}");
    let price = column(result, Table::Nodes, "price_per_kwh")[0].expect("a price");
    assert!((price - 1.12).abs() < 1e-6, "{price}");
}

#[test]
fn a_feeder_without_load_and_exchange_is_answered_in_one_round() {
    let idle = r#"Scenario(name: "idle", periods: 2, period_h: 1, currency: "CNY", network: (source: "ieee-33", load_scale: 0),
        grid: (buy_price_per_kwh: 1.0, sell_price_per_kwh: 0.4, intensity_kg_per_kwh: 0.5),
        participants: [(id: "a", bus: 2, devices: [Load(p_kw: 0)]), (id: "b", bus: 5, devices: [Load(p_kw: 0)])])"#;
    for policy in ["Integrated()", "NodalMarginal()", "NodalFlow()", "SteppedNodal()"] {
        let text = SMALL.replace("\"small_exchange.ron\"", idle).replace("Integrated(price_per_tonne: 280)", policy);
        let result = &run(&text)[0];
        assert_eq!(result.status, RunStatus::Converged, "{policy}: {}", result.reason);
        nothing_refuted(result);
        assert_eq!(metric(result, "iterations"), 1.0, "{policy}");
        assert_eq!(metric(result, "total_cost"), 0.0, "{policy}");
    }
}

/// A few watt-hours at the root against hundreds of kilowatt-hours that members move: by steps in their proportion a share
/// would take thousands of rounds.
#[test]
fn a_share_far_from_its_end_gets_there() {
    for (case, mechanism, policy) in [
        ("random_2034", "grid-only", "Integrated(price_per_tonne: 332)"),
        ("random_2056", "central-optimum", "NodalMarginal(price_per_tonne: 332)"),
    ] {
        let results =
            run(&format!(r#"Experiment(scenarios: ["{case}.ron"], mechanisms: ["{mechanism}"], carbon: [{policy}])"#));
        assert_eq!(results[0].status, RunStatus::Converged, "{case}: {}", results[0].reason);
        nothing_refuted(&results[0]);
    }
}
