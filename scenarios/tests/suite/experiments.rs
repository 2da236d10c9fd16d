//! Experiments that draw, vary together, name and leave out: what the runs are, and what is refused with its place.

use coase_mechanisms as _;
use coase_scenarios::{Experiment, Fault, Loader, RunOptions};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const PAIR: &str = r#"Scenario(
    name: "pair", periods: 2, currency: "CNY",
    grid: (buy_price_per_kwh: [1.0, 0.6], sell_price_per_kwh: 0.3, intensity_kg_per_kwh: 0.8),
    participants: [
        (id: "a", devices: [MicroTurbine(p_max_kw: 30, cost_per_kwh: 0.5, emission_kg_per_kwh: 0.45), Load(p_kw: 5)]),
        (id: "b", devices: [Load(p_kw: [10, 20])]),
    ],
)"#;

fn load(fields: &str) -> Result<Experiment, Fault> {
    load_in(Path::new(""), PAIR, fields)
}

fn load_in(folder: &Path, scenario: &str, fields: &str) -> Result<Experiment, Fault> {
    let text = format!("Experiment(scenarios: [{scenario}],\n{fields})");
    Loader::default().load_text("test", &text, folder, &[])
}

#[track_caller]
fn loaded(fields: &str) -> Experiment {
    load(fields).unwrap_or_else(|fault| panic!("{fault}"))
}

/// What is refused says the words and stands in the experiment's own lines.
#[track_caller]
fn refused(found: Result<Experiment, Fault>, words: &[&str]) {
    let fault = found.map(|e| e.runs.len()).expect_err("refused");
    let said = fault.to_string();
    assert!(fault.place.is_some(), "{said}");
    for part in words {
        assert!(said.contains(part), "`{part}` is not in: {said}");
    }
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("coase-experiments-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Load of "b" in the first period of every run.
fn load_kw(experiment: &Experiment) -> Vec<f64> {
    let of = |run: &coase_scenarios::Run| {
        let mut form = run.instance.form.clone();
        let b = form.participants.iter_mut().find(|p| p.id == "b").unwrap();
        b.devices[0].series()[0].1.values()[0]
    };
    experiment.runs.iter().map(|run| of(run)).collect()
}

#[test]
fn what_is_zipped_changes_together_and_is_crossed_with_the_rest() {
    let experiment = loaded(
        r#"mechanisms: ["grid-only"], carbon: [Tax(price_per_tonne: 10)],
        sweep: [(path: "scenario.grid.sell_price_per_kwh", values: [0.1, 0.2])],
        zip: [(paths: ["scenario.participants.b.devices.0.p_kw", "carbon.price_per_tonne"],
               rows: [[[1, 2], 50], [[3, 4], 80], [[5, 6], 90]], labels: ["low", "middle", "high"])]"#,
    );
    assert_eq!(
        experiment.swept(),
        ["scenario.grid.sell_price_per_kwh", "scenario.participants.b.devices.0.p_kw", "carbon.price_per_tonne"]
    );
    let prices: Vec<f64> = experiment.runs.iter().map(|run| run.policy.price_per_tonne().unwrap()).collect();
    assert_eq!(prices, [50.0, 80.0, 90.0, 50.0, 80.0, 90.0]);
    assert_eq!(load_kw(&experiment), [1.0, 3.0, 5.0, 1.0, 3.0, 5.0]);
    let shown = format!("{:?}", experiment.runs[1].swept);
    assert_eq!(shown, "[Number(0.1), Text(\"middle\"), Number(80.0)]");
    // The resolved form gives the same runs.
    let again = Loader::default().load_text("test", &experiment.resolved().unwrap(), Path::new(""), &[]).unwrap();
    assert_eq!(experiment.hash(), again.hash());
}

#[test]
fn ranges_are_values_and_one_of_several_is_addressed_by_its_label() {
    let experiment = loaded(
        r#"mechanisms: ["grid-only"],
        carbon: ["none", (label: "dear.tax", policy: Tax(price_per_tonne: 10)), (label: "cheap", policy: Tax(price_per_tonne: 1))],
        sweep: [(path: "carbon.dear.tax.price_per_tonne", values: Range(from: 100, to: 300, count: 3))]"#,
    );
    let found: Vec<(&str, Option<f64>)> =
        experiment.runs.iter().map(|run| (run.carbon_label.as_str(), run.policy.price_per_tonne())).collect();
    let dear = |price| ("dear.tax", Some(price));
    assert_eq!(found, [("none", None), dear(100.0), dear(200.0), dear(300.0), ("cheap", Some(1.0))]);
}

#[test]
fn combinations_are_chosen_and_left_out_by_what_tables_show() {
    let fields = |filters: &str| {
        format!(
            r#"mechanisms: ["grid-only", "central-optimum"], carbon: ["none", "tax"],
            sweep: [(path: "scenario.grid.sell_price_per_kwh", values: [0.1, 0.2])], {filters}"#
        )
    };
    assert_eq!(loaded(&fields("")).runs.len(), 8);
    let only = loaded(&fields(r#"only: [{"mechanism": "grid-only", "carbon": "none"}, {"carbon": ["tax"]}]"#));
    assert_eq!(only.runs.len(), 2 + 4);
    let except =
        loaded(&fields(r#"except: [{"mechanism": "central-optimum", "scenario.grid.sell_price_per_kwh": 0.2}]"#));
    assert_eq!(except.runs.len(), 6);
    assert!(
        except.runs.iter().all(|run| run.variant != "central-optimum" || format!("{:?}", run.swept).contains("0.1"))
    );
    let again = Loader::default().load_text("test", &except.resolved().unwrap(), Path::new(""), &[]).unwrap();
    assert_eq!(except.hash(), again.hash());
    refused(load(&fields(r#"except: [{"mechansim": "grid-only"}]"#)), &["mechansim", "mechanism"]);
    refused(load(&fields(r#"only: [{"carbon": "taxes"}]"#)), &["`carbon`", "`taxes`"]);
    refused(load(&fields(r#"except: [{"carbon": ["none", "tax"]}]"#)), &["empty"]);
}

#[test]
fn sweeps_that_cannot_be_are_refused_with_their_place() {
    let with = |fields: &str| load(&format!("mechanisms: [\"grid-only\"], carbon: [\"tax\"], {fields}"));
    let paths = r#"paths: ["carbon.price_per_tonne", "scenario.grid.sell_price_per_kwh"]"#;
    refused(with(&format!("zip: [({paths}, rows: [[1, 0.1], [2]])]")), &["row 1", "1 values", "2 paths"]);
    refused(with(&format!("zip: [({paths}, rows: [[1, 0.1], [1, 0.1]])]")), &["row", "twice"]);
    refused(with(&format!("zip: [({paths}, rows: [[1, 0.1], [2, 0.1]], labels: [\"a\"])]")), &["labels", "2 rows"]);
    refused(
        with(
            r#"sweep: [(path: "carbon.price_per_tonne", values: [1, 2])], zip: [(paths: ["carbon.price_per_tonne"], rows: [[1], [2]])]"#,
        ),
        &["carbon.price_per_tonne", "twice"],
    );
    refused(
        with(
            r#"sweep: [(path: "scenario.grid", values: [1]), (path: "scenario.grid.sell_price_per_kwh", values: [0.1])]"#,
        ),
        &["a part of the other"],
    );
    refused(with(r#"sweep: [(path: "carbon.price_per_tonne", values: Range(from: 1, to: 0))]"#), &["`to` is 0"]);
    refused(with("seeds: [1, 2]"), &["2 seeds", "nothing is drawn"]);
}

#[test]
fn the_number_of_repeated_participants_is_swept() {
    let many = PAIR.replace(
        "    ],",
        "        Repeat(id: \"home\", count: 2, of: (devices: [Load(p_kw: 3)]), \
         vary: [(path: \"devices.0.p_kw\", values: Normal(mean: 3, deviation: 0.5))]),\n    ],",
    );
    let fields = r#"mechanisms: ["grid-only"], sweep: [(path: "scenario.participants.home.count", values: [2, 5])]"#;
    let experiment = load_in(Path::new(""), &many, fields).unwrap_or_else(|fault| panic!("{fault}"));
    let members: Vec<usize> = experiment.runs.iter().map(|run| run.instance.setting.members.len()).collect();
    assert_eq!(members, [4, 7]);
    let results = experiment.run(&RunOptions::default(), ()).unwrap();
    assert!(results.iter().all(|result| result.status.is_answer()));
    let again = Loader::default().load_text("test", &experiment.resolved().unwrap(), Path::new(""), &[]);
    // What is swept stands in the resolved form as it is written.
    assert_eq!(again.unwrap_or_else(|fault| panic!("{fault}")).hash(), experiment.hash());
    let colliding = many.replace("id: \"home\"", "id: \"b\"").replace("(id: \"b\", devices", "(id: \"b1\", devices");
    refused(load_in(Path::new(""), &colliding, "mechanisms: [\"grid-only\"]"), &["b1", "twice"]);
}

#[test]
fn seeds_take_their_days_from_long_series_and_all_series_the_same_day() {
    let folder = folder("days");
    let mut csv = String::from("load,price\n");
    for row in 0..20 {
        let _ = writeln!(csv, "{row},{}", 1000 + row);
    }
    std::fs::write(folder.join("year.csv"), csv).unwrap();
    let scenario = PAIR
        .replace("Load(p_kw: [10, 20])", "Load(p_kw: Csv(file: \"year.csv\", column: \"load\"))")
        .replace("[1.0, 0.6]", "Csv(file: \"year.csv\", column: \"price\")");
    let days = |draws: &str, seeds: &str| {
        load_in(&folder, &scenario, &format!("mechanisms: [\"grid-only\"], draws: {draws}, seeds: {seeds}"))
    };
    let experiment =
        days("Days(first: 1, every: 4)", "Range(from: 1, to: 4)").unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!(load_kw(&experiment), [1.0, 5.0, 9.0, 13.0]);
    let price = |run: &coase_scenarios::Run| run.instance.setting.tariff.as_ref().unwrap().buy_per_kwh[0];
    assert!(experiment.runs.iter().zip(load_kw(&experiment)).all(|(run, kw)| price(run) == 1000.0 + kw));
    // Written out, the long series are in the file, and the days are the same without the CSV.
    let text = experiment.resolved().unwrap();
    let again =
        Loader::default().load_text("test", &text, Path::new(""), &[]).unwrap_or_else(|f| panic!("{f}\n{text}"));
    assert_eq!(experiment.hash(), again.hash());

    let drawn = days("DrawnDays(of: 10, every: 2)", "Range(from: 1, to: 10)").unwrap_or_else(|fault| panic!("{fault}"));
    let mut all = load_kw(&drawn);
    all.sort_by(f64::total_cmp);
    assert_eq!(all, (0..10).map(|day| f64::from(2 * day)).collect::<Vec<_>>());

    refused(days("Days(every: 4)", "Range(from: 1, to: 6)"), &["year.csv"]);
    refused(days("DrawnDays(of: 3, every: 2)", "[1, 4]"), &["seed 4", "3"]);
    refused(days("Days(every: 0)", "[1]"), &["every"]);
    refused(days("Days(every: 1)", "[0]"), &["seed 0"]);
    refused(load("mechanisms: [\"grid-only\"], draws: Days(every: 2)"), &["longer than its horizon"]);
    std::fs::remove_dir_all(folder).unwrap();
}

/// Mechanisms and policies of one seed meet the same draw, and seeds differ.
#[test]
fn what_is_drawn_is_common_to_all_that_is_compared() {
    let scenario = PAIR
        .replace("Load(p_kw: [10, 20])", "Load(p_kw: Drawn(law: Normal(relative_deviation: 0.2), times: [10, 20]))");
    let fields = "mechanisms: [\"grid-only\", \"central-optimum\"], carbon: [\"none\", \"tax\"], seeds: [1, 2, 3]";
    let experiment = load_in(Path::new(""), &scenario, fields).unwrap_or_else(|fault| panic!("{fault}"));
    let loads = load_kw(&experiment);
    let of = |seed: u64| -> Vec<f64> {
        experiment.runs.iter().zip(&loads).filter(|(run, _)| run.seed == seed).map(|(_, kw)| *kw).collect()
    };
    for seed in 1..=3 {
        let all = of(seed);
        assert_eq!(all.len(), 4);
        assert!(all.iter().all(|kw| *kw == all[0] && (kw - 10.0).abs() <= 6.0), "{all:?}");
    }
    assert!(of(1)[0] != of(2)[0] && of(2)[0] != of(3)[0]);
    let again = Loader::default().load_text("test", &experiment.resolved().unwrap(), Path::new(""), &[]).unwrap();
    assert_eq!(experiment.hash(), again.hash());
    let wrong = scenario.replace("relative_deviation: 0.2", "relative_deviation: -0.2");
    refused(load_in(Path::new(""), &wrong, fields), &["-0.2", "seed 1"]);
}

#[test]
fn the_library_is_run_by_name() {
    let experiment = Loader::default().load(Path::new("three_vpp"), &[]).unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!((experiment.name.as_str(), experiment.runs.len()), ("three_vpp", 4));
}

/// The pilot keeps nothing and tries the first draws of everything; where two mechanisms do the same in every draw any difference
/// would show, and a payment that depends on the draw has a spread.
#[test]
fn a_pilot_tries_a_few_draws_and_says_what_all_could_show() {
    let scenario = PAIR
        .replace("Load(p_kw: [10, 20])", "Load(p_kw: Drawn(law: Normal(relative_deviation: 0.2), times: [10, 20]))");
    let fields = "mechanisms: [\"grid-only\", \"central-optimum\"], carbon: [\"none\"], seeds: Range(from: 1, to: 40)";
    let experiment = load_in(Path::new(""), &scenario, fields).unwrap_or_else(|fault| panic!("{fault}"));
    let pilot = experiment.pilot(std::time::Duration::from_secs(60), &RunOptions::default()).unwrap();
    assert_eq!(pilot.results.len(), 2 * 5);
    let found = pilot.detectable.iter().find(|d| d.metric == "total_cost").expect("asked for");
    assert_eq!((found.variant.as_str(), found.pilot_draws, found.draws), ("central-optimum", 5, 40));
    // With 40 pairs 80 % power takes 0.4543 deviations (noncentral t, tables of Cohen).
    let differences: Vec<f64> = (1..=5)
        .map(|seed| {
            let of = |id: &str| {
                let result = pilot.results.iter().find(|r| r.keys.variant == id && r.keys.seed == seed).unwrap();
                result.metric("total_cost").unwrap()
            };
            of("central-optimum") - of("grid-only")
        })
        .collect();
    let mean = differences.iter().sum::<f64>() / 5.0;
    let deviation = (differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / 4.0).sqrt();
    let difference = found.difference.expect("known");
    assert!((difference - 0.4543 * deviation).abs() < 2e-3 * deviation, "{difference} {deviation}");
    // One seed: nothing is compared.
    let one = load("mechanisms: [\"grid-only\", \"central-optimum\"]").unwrap_or_else(|fault| panic!("{fault}"));
    assert!(one.pilot(std::time::Duration::from_secs(60), &RunOptions::default()).unwrap().detectable.is_empty());
}
