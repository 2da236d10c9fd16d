//! Policies made comparable by equal prices, money or tonnes.

use coase_core::record::{METRICS, Value};
use coase_mechanisms as _;
use coase_scenarios::{Existing, Experiment, Loader, Override, RunOptions, RunResult, RunStatus, Store, StoreOptions};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// 10 MWh from a turbine at 420 per MWh with 0.6 t/MWh or from green energy at 600; one tonne of quota.
const TOY: &str = r#"Scenario(
    name: "toy", periods: 1, currency: "CNY",
    grid: (buy_price_per_kwh: 9.0, sell_price_per_kwh: 0.0, intensity_kg_per_kwh: 0.581),
    participants: [(id: "a", quota_kg: 1000, devices: [
        MicroTurbine(p_max_kw: 10000, cost_per_kwh: 0.42, emission_kg_per_kwh: 0.6),
        MicroTurbine(p_max_kw: 10000, cost_per_kwh: 0.60, emission_kg_per_kwh: 0.0),
        Load(p_kw: 10000),
    ])],
)"#;

fn load(text: &str, overrides: &[&str]) -> Experiment {
    let overrides: Vec<Override> = overrides.iter().map(|o| o.parse().unwrap()).collect();
    Loader::default().load_text("test", text, Path::new(""), &overrides).unwrap_or_else(|fault| panic!("{fault}"))
}

fn toy(fields: &str) -> Experiment {
    load(&format!("Experiment(scenarios: [{TOY}], mechanisms: [\"grid-only\"], {fields})"), &[])
}

fn run(experiment: &Experiment) -> Vec<RunResult> {
    let results = experiment.run(&RunOptions::default(), ()).unwrap();
    assert!(results.iter().all(|r| r.status == RunStatus::Converged), "{results:?}");
    results
}

fn metric(result: &RunResult, name: &str) -> f64 {
    match result.record.metrics[METRICS.iter().position(|c| c.name == name).unwrap()] {
        Value::Number(x) => x,
        ref other => panic!("{name} is {other:?}"),
    }
}

/// Verdict and witness of a run's certificate.
fn certificate(result: &RunResult) -> (String, String) {
    let row = result.record.certificates.iter().find(|row| row[0] == Value::from("match")).expect("a certificate");
    let text = |k: usize| match &row[k] {
        Value::Text(text) => text.clone(),
        other => panic!("{other:?}"),
    };
    (text(3), text(4))
}

fn close(found: f64, expected: f64, relative: f64) {
    assert!((found - expected).abs() <= relative * expected.abs(), "{found}, expected {expected}");
}

const MEASURES: [&str; 4] = ["MarginalPrice", "AveragePrice", "Revenue", "Emissions"];

#[test]
fn a_tax_matched_with_a_tax_has_its_price_whatever_is_equal() {
    for measure in MEASURES {
        let taxes =
            "carbon: [\"none\", Tax(price_per_tonne: 250), (label: \"other\", policy: Tax(price_per_tonne: 100))]";
        let results = run(&toy(&format!("{taxes}, match: {measure}")));
        assert_eq!(metric(&results[2], "carbon_price_per_tonne"), 250.0);
        assert_eq!(metric(&results[2], "carbon_price_factor"), 2.5);
        assert_eq!(metric(&results[2], "total_cost"), metric(&results[1], "total_cost"));
        assert_eq!(certificate(&results[2]).0, "upheld");
        // The reference, and what has no price, run as written.
        for result in &results[..2] {
            assert!(result.record.certificates.iter().all(|row| row[0] != Value::from("match")));
        }
    }
}

/// The reference is the toy's ladder: 3 t for 560, resting at the kink between 280 and 350.
#[test]
fn prices_and_revenue_of_the_toy_are_met() {
    let against = |measure: &str, reference: &str, other: &str| {
        let results = run(&toy(&format!("carbon: [{reference}, {other}], match: {measure}")));
        let (verdict, witness) = certificate(&results[1]);
        assert_eq!(verdict, "upheld", "{witness}");
        metric(&results[1], "carbon_price_per_tonne")
    };
    close(against("MarginalPrice", "Stepped()", "Tax()"), 315.0, 2e-4);
    // 6 t pay 560 at 93.33, though 280 raises 1680.
    close(against("Revenue", "Stepped()", "Tax()"), 560.0 / 6.0, 2e-4);
    // A tonne of the ladder costs 186.67.
    close(against("AveragePrice", "Stepped()", "Tax()"), 560.0 / 3.0, 2e-4);
    // 1400 for 6 t with one of them free; 6 t cost 233.33 each.
    close(against("AveragePrice", "CapAndTrade()", "Tax()"), 1400.0 / 6.0, 2e-4);
    close(against("Revenue", "CapAndTrade()", "Tax()"), 1400.0 / 6.0, 2e-4);
    // The other way: a tax of 1000 on 6 t; the ladder's 5 t beyond the quota pay 6 times the base price.
    close(against("Revenue", "Tax(price_per_tonne: 180)", "Stepped(base_price_per_tonne: 20)"), 180.0, 2e-4);
    // A surplus is paid for: 320 at a price of 320.
    close(
        against(
            "Revenue",
            "CapAndTrade(price_per_tonne: 320)",
            "(label: \"second\", policy: CapAndTrade(price_per_tonne: 600))",
        ),
        320.0,
        2e-4,
    );
}

/// The tax falls from 6 t to none at 300, past the 3 t of the ladder: 6000 are paid on either side.
#[test]
fn emissions_that_jump_past_the_target_are_not_attainable_and_both_sides_are_said() {
    let results = run(&toy("carbon: [Stepped(), Tax(price_per_tonne: 100)], match: Emissions"));
    close(metric(&results[0], "emissions_kg"), 3000.0, 1e-6);
    let (verdict, witness) = certificate(&results[1]);
    assert_eq!(verdict, "measured");
    assert!(witness.starts_with("not attainable: emissions_kg 3000.0000"), "{witness}");
    let factors: Vec<f64> = witness
        .split("at price factor ")
        .skip(1)
        .map(|w| w.split([',', ';']).next().unwrap().parse().unwrap())
        .collect();
    assert!(factors.len() == 2 && factors[0] < factors[1] && factors[1] - factors[0] <= 1e-5 * factors[1], "{witness}");
    for factor in factors {
        close(factor, 3.0, 1e-4);
    }
    let cost: f64 = witness.split("interpolated total cost ").nth(1).unwrap().parse().unwrap();
    close(cost, 6000.0, 1e-4);
    // Either side is as near.
    close(metric(&results[1], "carbon_price_per_tonne"), 300.0, 1e-4);
    // The ladder has 6 t at every base price up to 200: the nearest of them to equal base prices that is tried.
    let results = run(&toy("carbon: [Tax(), Stepped()], match: Emissions"));
    assert_eq!(certificate(&results[1]).0, "upheld");
    close(metric(&results[1], "emissions_kg"), 6000.0, 1e-6);
}

/// No base price of the ladder makes a tonne cost 280 on average: 216 is the most.
#[test]
fn a_price_beyond_the_range_is_not_attainable() {
    let results = run(&toy("carbon: [Tax(), Stepped()], match: AveragePrice"));
    let (verdict, witness) = certificate(&results[1]);
    assert_eq!(verdict, "measured");
    assert!(witness.starts_with("not attainable: carbon_average_price_per_tonne 280.0000"), "{witness}");
    assert!(metric(&results[1], "carbon_average_price_per_tonne") <= 216.0 + 1e-3);
}

/// What was found is a parameter like any other.
#[test]
fn a_matched_run_is_the_run_with_that_price_factor() {
    let results = run(&toy("carbon: [Stepped(), Tax()], match: Revenue"));
    let factor = metric(&results[1], "carbon_price_factor");
    let again = run(&toy(&format!("carbon: [Stepped(), Tax(price_factor: {factor})]")));
    assert_eq!(results[1].record.metrics, again[1].record.metrics);
    let others = |r: &RunResult| {
        r.record.certificates.iter().filter(|c| c[0] != Value::from("match")).cloned().collect::<Vec<_>>()
    };
    assert_eq!(others(&results[1]), others(&again[1]));
    assert_eq!(results[1].record.ledger, again[1].record.ledger);
}

const PAIR: &str = r#"Scenario(
    name: "pair", periods: 2, currency: "CNY",
    grid: (buy_price_per_kwh: [1.0, 0.6], sell_price_per_kwh: 0.3, intensity_kg_per_kwh: 0.8),
    participants: [
        (id: "a", devices: [MicroTurbine(p_max_kw: 30, cost_per_kwh: 0.5, cost_per_kwh2: 2e-3, emission_kg_per_kwh: 0.45), Load(p_kw: 5)]),
        (id: "b", quota_kg: 4, devices: [Load(p_kw: [10, 20]), Storage(capacity_kwh: 10, p_charge_max_kw: 5, p_discharge_max_kw: 5)]),
    ],
)"#;

fn several(fields: &str) -> Experiment {
    let head = "mechanisms: [\"grid-only\", \"central-optimum\", \"nash-bargaining\"]";
    // Loads by chance, so that seeds tell runs apart.
    let pair = PAIR.replace("Load(p_kw: 5)", "Load(p_kw: Drawn(law: Normal(relative_deviation: 0.1), times: 5))");
    load(&format!("Experiment(scenarios: [\"three_vpp\", {pair}], {head}, {fields})"), &[])
}

#[test]
fn every_run_is_matched_with_that_of_its_own_mechanism_scenario_sweep_and_seed() {
    let fields = "carbon: [\"none\", Tax(price_per_tonne: 100), Stepped(interval_kg: 5)], seeds: [1, 2], match: Revenue, \
        sweep: [(path: \"carbon.price_per_tonne\", values: [60, 200]), (path: \"scenario.grid.sell_price_per_kwh\", values: [0.2, 0.3])]";
    let experiment = several(fields);
    // The ladder has no such parameter, but is matched with a tax that has.
    assert_eq!(experiment.runs.len(), 2 * 3 * 2 * (2 + 2 * 4));
    let results = run(&experiment);
    let mut matched = 0;
    for (k, planned) in experiment.runs.iter().enumerate() {
        let Some(found) = planned.matched else { continue };
        let reference = &experiment.runs[found.reference];
        assert_eq!(
            (&reference.scenario, &reference.variant, reference.seed),
            (&planned.scenario, &planned.variant, planned.seed)
        );
        assert_eq!((&reference.swept, reference.carbon_label.as_str()), (&planned.swept, "tax"));
        let (verdict, witness) = certificate(&results[k]);
        let target = metric(&results[found.reference], "carbon_payments");
        if verdict == "upheld" {
            matched += 1;
            close(metric(&results[k], "carbon_payments"), target, 1e-4);
        } else {
            assert!(witness.starts_with("not attainable"), "{witness}");
        }
    }
    assert!(matched > 40, "{matched}");
}

#[test]
fn the_reference_is_part_of_the_identity_of_what_is_matched_with_it() {
    let ids = |growth: &str, how: &str| {
        let experiment = several(&format!("carbon: [\"none\", Stepped(growth: {growth}), \"tax\"], match: {how}"));
        experiment.runs.iter().map(|r| (r.carbon_label.clone(), r.run_id.clone())).collect::<Vec<_>>()
    };
    let (a, b) = (ids("0.25", "Revenue"), ids("0.5", "Revenue"));
    for ((label, a), (_, b)) in a.iter().zip(&b) {
        assert_eq!(a == b, label == "none", "{label}");
    }
    assert_eq!(ids("0.25", "Revenue"), a);
    assert!(ids("0.25", "AveragePrice").iter().zip(&a).all(|(x, y)| x.1 != y.1));
}

/// A folder that goes away.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("coase-matching-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }

    fn store(&self) -> Store {
        Store::create(&self.0).unwrap()
    }

    fn tables(&self) -> BTreeMap<String, String> {
        let names = fs::read_dir(&self.0).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned());
        let tables = names
            .filter(|n| n.rsplit_once('.').is_some_and(|(stem, end)| end == "csv" && !stem.starts_with("timings")));
        tables.map(|n| (n.clone(), fs::read_to_string(self.0.join(n)).unwrap())).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Shards, threads, resumption and the resolved form leave the same tables, byte for byte.
#[test]
fn a_matched_experiment_does_not_depend_on_how_it_is_run() {
    let experiment = several(
        "carbon: [\"none\", Tax(price_per_tonne: 100), Stepped(interval_kg: 5), \"cap-and-trade\"], match: AveragePrice",
    );
    let (whole, parts, resolved) = (Folder::new("whole"), Folder::new("parts"), Folder::new("resolved"));
    let options = |jobs, shard: Option<&str>| StoreOptions {
        run: RunOptions { jobs: Some(jobs), shard: shard.map(|s| s.parse().unwrap()) },
        existing: Existing::Reuse,
        ..StoreOptions::default()
    };
    experiment.run_into(&whole.store(), &options(1, None), ()).unwrap();
    let expected = whole.tables();
    for shard in ["3/4", "0/4", "2/4", "1/4"] {
        experiment.run_into(&parts.store(), &options(3, Some(shard)), ()).unwrap();
    }
    assert!(parts.tables() == expected);
    let again = load(&experiment.resolved().unwrap(), &[]);
    again.run_into(&resolved.store(), &options(2, None), ()).unwrap();
    assert!(resolved.tables() == expected);
    // Without the reference's files, what is matched with it stands, and what is gone is made again.
    for run in experiment.runs.iter().filter(|r| r.carbon_label == "tax" || r.carbon_label == "stepped") {
        fs::remove_file(whole.0.join("runs").join(format!("{}.run", run.run_id))).unwrap();
    }
    experiment.run_into(&whole.store(), &options(2, None), ()).unwrap();
    assert!(whole.tables() == expected);
    let manifest = fs::read_to_string(whole.0.join("manifest.json")).unwrap();
    assert!(manifest.contains("\"match\": \"AveragePrice\"") && manifest.contains("\"matched_with\": \"tax\""));
}

/// Abatement of a matched run is measured as of any other.
#[test]
fn matched_runs_have_their_abatement() {
    let experiment =
        several("carbon: [\"none\", Tax(price_per_tonne: 400), Stepped(interval_kg: 5)], match: MarginalPrice");
    let folder = Folder::new("abatement");
    experiment.run_into(&folder.store(), &StoreOptions::default(), ()).unwrap();
    let text = &folder.tables()["runs.csv"];
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows: Vec<BTreeMap<String, String>> = reader.deserialize().map(|row| row.unwrap()).collect();
    assert_eq!(rows.len(), 2 * 3 * 3);
    for row in rows.iter().filter(|row| row["carbon_policy"] != "none") {
        assert!(!row["actual_abatement_kg"].is_empty() && !row["accounted_abatement_kg"].is_empty());
    }
}

#[test]
fn matching_can_be_set_on_the_command_line_and_needs_something_to_match() {
    let text = format!(
        "Experiment(scenarios: [{TOY}], mechanisms: [\"grid-only\"], carbon: [\"none\", \"tax\", \"stepped\"])"
    );
    let experiment = load(&text, &["experiment.match=Revenue"]);
    assert!(experiment.runs[2].matched.is_some());
    assert!(load(&text, &[]).runs.iter().all(|run| run.matched.is_none()));
    let bare = format!(
        "Experiment(scenarios: [{TOY}], mechanisms: [\"grid-only\"], carbon: [\"none\", HardCap()], match: Revenue)"
    );
    let fault = Loader::default().load_text("test", &bare, Path::new(""), &[]).unwrap_err().to_string();
    assert!(fault.contains("match: Revenue") && fault.contains("price"), "{fault}");
}

/// A reference without an answer is no target, and says so.
#[test]
fn what_is_matched_with_a_failure_fails_with_the_reason() {
    let taxed =
        TOY.replace("intensity_kg_per_kwh: 0.581", "intensity_kg_per_kwh: 0.581, upstream_carbon_in_tariff: 50");
    let text = format!(
        "Experiment(scenarios: [{taxed}], mechanisms: [\"grid-only\"], carbon: [\"tax\", \"stepped\"], match: Revenue)"
    );
    let results = load(&text, &[]).run(&RunOptions::default(), ()).unwrap();
    assert_eq!((results[0].status, results[1].status), (RunStatus::Failed, RunStatus::Failed));
    assert!(results[1].reason.contains("matched with"), "{}", results[1].reason);
}
