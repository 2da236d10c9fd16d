//! `agv` through the binary: priors of the scenario, histories in files, and what is wrong with them.

use crate::support::{coase, column, folder, status, stderr};
use coase as _; // links the plugins
use std::path::{Path, PathBuf};

const BIDS: &str = "bid\n0.62\n0.71\n0.55\n0.80\n0.67\n0.74\n0.59\n0.69\n0.77\n0.64\n";

/// The three agents, of whom the second and the third have given priors and the first another.
fn scenario(folder: &Path, first: &str) -> PathBuf {
    let text = format!(
        "Scenario(
    name: \"three\", periods: 1, currency: \"CNY\",
    grid: (buy_price_per_kwh: 1.0, sell_price_per_kwh: 0.4, intensity_kg_per_kwh: 0.581),
    participants: [
        (id: \"vpp1\", {first} devices: [Quadratic(a_per_kwh2: 0.004, b_per_kwh: 0.20)]),
        (id: \"vpp2\", prior: Normal(mean_per_kwh: 0.6, deviation_per_kwh: 0.1), devices: [Quadratic(a_per_kwh2: 0.005, b_per_kwh: 0.55)]),
        (id: \"vpp3\", prior: Uniform(low_per_kwh: 0.4, high_per_kwh: 1.0), devices: [Quadratic(a_per_kwh2: 0.002, b_per_kwh: 1.10)]),
    ],
)"
    );
    std::fs::write(folder.join("three.ron"), text).unwrap();
    std::fs::write(folder.join("bids.csv"), BIDS).unwrap();
    let file = folder.join("agv.ron");
    let text = "Experiment(scenarios: [\"three.ron\"], mechanisms: [\"grid-only\", \"agv\", \"vcg\"])";
    std::fs::write(&file, text).unwrap();
    file
}

fn run(folder: &Path, file: &Path) -> (i32, String, PathBuf) {
    let out = folder.join("out");
    let output = coase(&["run", file.to_str().unwrap(), "--quiet", "--out", out.to_str().unwrap()]);
    (status(&output), stderr(&output), out)
}

fn certificate(out: &Path, run: &str, name: &str) -> (String, f64) {
    let of = |column_name| column(out, "certificates", column_name);
    let (ids, names, verdicts, values) = (of("run_id"), of("name"), of("verdict"), of("value"));
    let at = (0..ids.len()).find(|k| ids[*k] == run && names[*k] == name).unwrap_or_else(|| panic!("no {name}"));
    (verdicts[at].clone(), values[at].parse().unwrap_or(f64::NAN))
}

/// A balanced budget against a deficit, and truth in expectation; the history is written out in the resolved file.
#[test]
fn priors_of_a_scenario_balance_what_vickrey_pays() {
    let folder = folder("agv");
    let history = r#"prior: Kernel(history_per_kwh: Csv(file: "bids.csv", column: "bid"), bandwidth: LeastSquares),"#;
    let file = scenario(&folder, history);
    let (status, error, out) = run(&folder, &file);
    assert_eq!(status, 0, "{error}");
    let (ids, surplus) = (column(&out, "runs", "run_id"), column(&out, "runs", "operator_surplus"));
    let surplus: Vec<f64> = surplus.iter().map(|x| x.parse().unwrap()).collect();
    assert!(surplus[1].abs() < 1e-12 && surplus[2] < -40.0, "{surplus:?}");
    for name in ["budget_balance", "expected_regret", "transfer_balance"] {
        assert_eq!(certificate(&out, &ids[1], name).0, "upheld", "{name}");
    }
    assert!(certificate(&out, &ids[1], "worst_interim_utility").1 < 0.0);
    let resolved = std::fs::read_to_string(out.join("resolved.ron")).unwrap();
    assert!(resolved.contains("0.62") && !resolved.contains("bids.csv"), "{resolved}");
    assert!(column(&out, "runs", "information").contains(&"prior".to_owned()));
}

#[test]
fn a_history_that_says_nothing_is_shown_in_its_line() {
    let folder = folder("agv_bad");
    for (prior, said) in [
        ("prior: Kernel(history_per_kwh: [0.5]),", "history of 1"),
        ("prior: Kernel(history_per_kwh: [0.5, 0.6, 1.7]),", "value 2 of the history is 1.7"),
        ("prior: Uniform(low_per_kwh: 0.9, high_per_kwh: 0.5),", "the greatest price must be above the least"),
        ("prior: Uniform(low_per_kwh: 1.5, high_per_kwh: 2.0),", "no price that it allows lies between 0.4 and 1"),
        (r#"prior: Kernel(history_per_kwh: Csv(file: "bids.csv", column: "ask")),"#, "no column `ask`"),
        (r#"prior: Kernel(history_per_kwh: Csv(file: "bids.csv", column: "bid", start: 1)),"#, "`start` in a history"),
    ] {
        let file = scenario(&folder, prior);
        let (status, error, _) = run(&folder, &file);
        assert_eq!(status, 2, "{error}");
        assert!(error.contains(said) && error.contains("three.ron:5"), "{prior}: {error}");
        assert!(error.contains("vpp1") || error.contains("Csv"), "{prior}: {error}");
    }
    // Columns of files are read in scenarios only.
    let file = scenario(&folder, "");
    let text = r#"Experiment(scenarios: ["three.ron"], mechanisms: [Agv(prior: Kernel(history_per_kwh: Csv(file: "bids.csv", column: "bid")))])"#;
    std::fs::write(folder.join("csv.ron"), text).unwrap();
    let (status, error, _) = run(&folder, &folder.join("csv.ron"));
    assert!(status == 2 && error.contains("of a participant"), "{error}");
    let (status, error, out) = run(&folder, &file);
    assert_eq!(status, 1, "{error}");
    let reasons = column(&out, "runs", "reason");
    assert!(reasons[1].contains("`vpp1` has none"), "{reasons:?}");
}
