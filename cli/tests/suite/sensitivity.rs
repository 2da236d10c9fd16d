//! What results hinge on, as a user asks and reads it.

use crate::support::{coase, file, folder, status, stderr};
use std::collections::BTreeMap;
use std::path::Path;

/// One period in which one agent meets the tariff: net export `g` at cost `a g^2 / 2 + b g`.
fn experiment(a: f64, b: f64, carbon: &str, sensitivity: &str) -> String {
    format!(
        "Experiment(
    scenarios: [Scenario(
        name: \"alone\", periods: 1, currency: \"EUR\",
        grid: (buy_price_per_kwh: 0.6, sell_price_per_kwh: 0.4, intensity_kg_per_kwh: 0.5),
        participants: [(id: \"a\", import_max_kw: 1000, export_max_kw: 1000,
            devices: [Quadratic(a_per_kwh2: {a}, b_per_kwh: {b})])],
    )],
    mechanisms: [\"grid-only\"],
    carbon: [{carbon}],
    sensitivity: {sensitivity},
)"
    )
}

/// Runs an experiment into a folder.
fn run(folder: &Path, text: &str) {
    let path = file(folder, "study.ron", text);
    let output = coase(&["run", &path, "--quiet", "--out", folder.join("out").to_str().unwrap()]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
}

/// The rows of a table for papers by the names of their columns.
fn table(folder: &Path, name: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(folder.join("out/tables").join(name).with_extension("csv")).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

/// Whoever sells at `p` earns `(p - b)^2 / 2a`: the ends of the bars are closed forms.
#[test]
fn a_tornado_has_the_bars_of_its_closed_form() {
    let folder = folder("sensitivity_tornado");
    let tornado = "(over: [
        (path: \"scenario.grid.sell_price_per_kwh\", from: 0.3, to: 0.5),
        (path: \"scenario.participants.a.devices.0.a_per_kwh2\", from: 0.002, to: 0.008, base: 0.004),
    ], method: OneAtATime)";
    run(&folder, &experiment(0.004, 0.2, "\"none\"", tornado));
    let rows = table(&folder, "sensitivity");
    let of = |metric: &str, parameter: &str| -> [f64; 4] {
        let row = rows.iter().find(|row| row["metric"] == metric && row["parameter"].ends_with(parameter)).unwrap();
        ["low", "base", "high", "swing"].map(|column| row[column].parse().unwrap())
    };
    let earned = |p: f64, a: f64| -(p - 0.2) * (p - 0.2) / (2.0 * a);
    for (parameter, low, high) in [
        ("sell_price_per_kwh", earned(0.3, 0.004), earned(0.5, 0.004)),
        ("a_per_kwh2", earned(0.4, 0.002), earned(0.4, 0.008)),
    ] {
        let base = earned(0.4, 0.004);
        let greatest = low.max(high).max(base) - low.min(high).min(base);
        for (found, expected) in of("total_cost", parameter).into_iter().zip([low, base, high, greatest]) {
            assert!((found - expected).abs() < 1e-6, "{parameter}: {found} for {expected}");
        }
    }
    for ending in ["tex", "md"] {
        assert!(folder.join("out/tables/sensitivity").with_extension(ending).exists());
    }
    assert!(folder.join("out/figures/sensitivity.svg").exists(), "the figure is drawn");
    assert!(!folder.join("out/tables/box_share.csv").exists(), "one at a time says nothing about the box");
    // The archive is the experiment.
    let resolved = folder.join("out/resolved.ron");
    let again = folder.join("again");
    let output = coase(&["run", resolved.to_str().unwrap(), "--quiet", "--out", again.to_str().unwrap()]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    for table in ["runs.csv", "tables/sensitivity.csv"] {
        assert_eq!(std::fs::read(again.join(table)).unwrap(), std::fs::read(folder.join("out").join(table)).unwrap());
    }
}

/// A tax on imports never lowers the bill and always the emissions of whoever buys: shares of the box are 0 and 1.
#[test]
fn a_box_share_counts_where_one_beats_the_other() {
    let folder = folder("sensitivity_share");
    let points = "(over: [
        (path: \"carbon.price_per_tonne\", from: 20, to: 400, scale: Log),
        (path: \"scenario.participants.a.devices.0.b_per_kwh\", from: 0.9, to: 1.4),
    ], method: LatinHypercube(points: 20), seed: 7)";
    run(&folder, &experiment(0.004, 1.0, "\"none\", \"tax\"", points));
    let rows = table(&folder, "box_share");
    let of = |metric: &str| {
        let row = rows.iter().find(|row| row["metric"] == metric && row["compared"] == "policy").unwrap();
        ["share", "n", "wins", "left_out"].map(|column| row[column].parse::<f64>().unwrap())
    };
    assert_eq!(of("emissions_kg"), [1.0, 20.0, 20.0, 0.0]);
    assert_eq!(of("total_cost"), [0.0, 20.0, 0.0, 0.0]);
    assert!(!folder.join("out/tables/sensitivity.csv").exists(), "points only");
}

#[test]
fn what_is_no_box_is_refused_at_its_place() {
    let folder = folder("sensitivity_refused");
    let over = |parameter: &str| {
        format!("(over: [(path: \"scenario.grid.sell_price_per_kwh\", {parameter})], method: OneAtATime)")
    };
    let cases = [
        (over("from: 0.5, to: 0.3"), &["study.ron:10", "to is 0.3", "above `from`"][..]),
        (over("from: 0, to: 0.3, scale: Log"), &["study.ron:10", "from is 0", "logarithmic"]),
        (over("from: 0.1, to: 0.3, base: 0.4"), &["study.ron:10", "base is 0.4"]),
        (over("from: 0.1, to: 0.9"), &["study.ron", "0.9"]),
        (over("from: 0.1, to: 0.3").replace("sell_price", "sel_price"), &["study.ron:10", "sel_price"]),
        (
            over("from: 0.1, to: 0.3").replace("OneAtATime", "Morris(walks: 3, levels: 5)"),
            &["study.ron:10", "levels is 5", "even"],
        ),
        (over("from: 0.1, to: 0.3").replace("OneAtATime", "Sobol(rows: 1)"), &["study.ron:10", "rows is 1"]),
        ("(over: [], method: OneAtATime)".to_owned(), &["study.ron:10", "list of parameters"]),
        (
            over("from: 0.1, to: 0.3") + ", sweep: [(path: \"scenario.grid.sell_price_per_kwh\", values: [0.2])]",
            &["study.ron:10", "twice"],
        ),
    ];
    for (sensitivity, expected) in cases {
        let path = file(&folder, "study.ron", &experiment(0.004, 0.2, "\"none\"", &sensitivity));
        let output = coase(&["run", &path, "--quiet", "--out", folder.join("never").to_str().unwrap()]);
        let complaint = stderr(&output);
        assert_eq!(status(&output), 2, "{sensitivity}: {complaint}");
        for words in expected {
            assert!(complaint.contains(words), "`{words}` is not in\n{complaint}");
        }
    }
    assert!(!folder.join("never").exists());
}
