//! What is said of several draws: differences from the baseline and risk, by numbers that are worked out by hand.

use crate::fixture::{Shape, write_store};
use coase_plots::lint::lint;
use coase_plots::store::Store;
use coase_plots::text::unmarked;
use coase_plots::{Format, draw, pictures, tables};
use coase_store::RunStatus;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Three mechanisms under one policy or two, every seed one draw.
fn shape(policies: &[&'static str], seeds: u64) -> Shape {
    Shape {
        mechanisms: ["grid-only", "mid-market-rate", "bill-sharing"].map(|id| (id, id)).to_vec(),
        policies: policies.iter().map(|id| (*id, *id)).collect(),
        seeds,
        participants: 1,
        periods: 1,
        buses: 0,
        ..Shape::side_by_side()
    }
}

fn folder(name: &str) -> PathBuf {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&dir);
    dir
}

/// A store whose costs and emissions are those of a function of mechanism, policy and seed.
fn store(dir: &Path, shape: &Shape, value: impl Fn(&str, &str, u64) -> f64) -> Store {
    write_store(dir, shape);
    let mut store = Store::read(dir).unwrap();
    for name in ["total_cost", "social_cost", "emissions_kg"] {
        let column = store.metrics.iter().position(|m| m == name).unwrap();
        for run in &mut store.runs {
            run.metrics[column] = Some(value(&run.mechanism, &run.carbon_policy, run.seed));
        }
    }
    store
}

/// The rows of a table as tidy data.
fn rows(dir: &Path, table: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(dir.join("tables").join(table).with_extension("csv")).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

fn number(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column}: {row:?}"))
}

fn near(found: f64, wanted: f64) {
    assert!((found - wanted).abs() < 1e-6, "{found} instead of {wanted}");
}

/// Days that differ by far more than the mechanisms do.
fn five_days(mechanism: &str, policy: &str, seed: u64) -> f64 {
    let k = seed as usize - 1;
    let day = 100.0 + 10.0 * k as f64;
    let own = match mechanism {
        "mid-market-rate" => [-5.0, -4.0, -3.0, -2.0, -1.0][k],
        // A difference of a solver's size is none.
        "bill-sharing" => [2.0, 1e-7, -1.0, 3.0, 1.0][k],
        _ => 0.0,
    };
    day + own + if policy == "tax" { 7.0 } else { 0.0 }
}

#[test]
fn differences_are_taken_within_each_draw() {
    let dir = folder("differences");
    let mut store = store(&dir, &shape(&["none"], 5), five_days);
    let last = store.runs.iter_mut().find(|r| r.mechanism == "bill-sharing" && r.seed == 5).unwrap();
    last.status = RunStatus::Failed;
    tables(&store, &dir).unwrap();
    let rows = rows(&dir, "differences");
    assert_eq!(rows.len(), 3 * 2, "two mechanisms against the baseline in three metrics");
    let of = |metric: &str, one: &str| rows.iter().find(|r| r["metric"] == metric && r["one"] == one).unwrap();
    for metric in ["social_cost", "total_cost", "emissions_kg"] {
        let better = of(metric, "mid-market-rate");
        assert_eq!((better["baseline"].as_str(), better["within"].as_str()), ("grid-only", "none"));
        near(number(better, "mean_difference"), -3.0);
        assert_eq!(["n", "left_out", "wins", "ties", "losses"].map(|c| better[c].as_str()), ["5", "0", "5", "0", "0"]);
        // t = -3 sqrt 5 / sqrt 2.5, 4 degrees: 2 (1/2 - 3/8 t / sqrt(1 + t^2/4) (1 - t^2 / (12 (1 + t^2/4)))), the smaller
        // of two: doubled.
        near(number(better, "p_holm"), 2.0 * 0.013_235_594);
        // All five of one sign: 2 / 2^5, doubled.
        near(number(better, "p_signed_rank_holm"), 0.125);
        let (low, high) = (number(better, "low_95"), number(better, "high_95"));
        assert!(-5.0 < low && low < -3.5 && -2.5 < high && high < -1.0, "{low} {high}");
        let other = of(metric, "bill-sharing");
        near(number(other, "mean_difference"), 1.0);
        assert_eq!(["n", "left_out", "wins", "ties", "losses"].map(|c| other[c].as_str()), ["4", "1", "1", "1", "2"]);
        // t = 2 / sqrt(10/3), 3 degrees: 2 (1/2 - (x / (1 + x^2) + atan x) / pi), x = t / sqrt 3.
        let x = 0.4_f64.sqrt();
        near(number(other, "p_holm"), 1.0 - 2.0 / std::f64::consts::PI * (x / (1.0 + x * x) + x.atan()));
    }
    let text = std::fs::read_to_string(dir.join("tables/differences.md")).unwrap();
    assert!(
        text.contains("| mechanism | No carbon price | Mid-market rate | Grid only | 5 | \u{2212}3.000 |"),
        "{text}"
    );
    assert!(text.contains("3 of 30 pairs are left out"), "{text}");
    assert!(text.contains("BCa") && text.contains("Holm"), "{text}");
    let latex = std::fs::read_to_string(dir.join("tables/differences.tex")).unwrap();
    assert!(latex.contains("& 5 & $-$3.000 & $-$"), "{latex}");
}

#[test]
fn policies_are_compared_with_the_first() {
    let dir = folder("differences_of_policies");
    let store = store(&dir, &shape(&["none", "tax"], 5), five_days);
    tables(&store, &dir).unwrap();
    let rows = rows(&dir, "differences");
    // By metric two mechanisms under two policies, and one policy under three mechanisms.
    assert_eq!(rows.len(), 3 * (2 * 2 + 3));
    let policies: Vec<_> = rows.iter().filter(|r| r["compared"] == "policy").collect();
    assert_eq!(policies.len(), 3 * 3);
    for row in policies {
        assert_eq!((row["one"].as_str(), row["baseline"].as_str()), ("tax", "none"));
        near(number(row, "mean_difference"), 7.0);
        assert_eq!(row["losses"], "5");
    }
}

#[test]
fn risk_is_of_the_worst_draws() {
    let dir = folder("risk");
    let store = store(&dir, &shape(&["none"], 40), |mechanism, _, seed| match mechanism {
        "grid-only" => seed as f64,
        _ => 2.0 * (41 - seed) as f64,
    });
    tables(&store, &dir).unwrap();
    let rows = rows(&dir, "risk");
    assert_eq!(rows.len(), 3);
    for row in &rows {
        // Of 1, 2, .., 40, 38 is not exceeded by 38 of 40, and two are worse; their variance is 40 (40 + 1) / 12.
        let factor = if row["mechanism"] == "grid-only" { 1.0 } else { 2.0 };
        assert_eq!((row["n"].as_str(), row["left_out"].as_str()), ("40", "0"));
        near(number(row, "mean_total_cost"), 20.5 * factor);
        near(number(row, "deviation"), (40.0 * 41.0 / 12.0_f64).sqrt() * factor);
        near(number(row, "value_at_risk_95"), 38.0 * factor);
        near(number(row, "conditional_value_at_risk_95"), 39.5 * factor);
    }
    let text = std::fs::read_to_string(dir.join("tables/risk.md")).unwrap();
    assert!(text.contains("| 40 | 20.50 | 11.69 | 38.00 | 39.50 |"), "{text}");
}

#[test]
fn nothing_is_said_where_nothing_is_drawn() {
    let names = |dir: &Path, store: &Store| -> Vec<String> {
        let name = |file: PathBuf| file.file_name().unwrap().to_str().unwrap().to_owned();
        tables(store, dir).unwrap().into_iter().map(name).collect()
    };
    let usual = ["metrics.tex", "metrics.md", "participants.tex", "participants.md"];
    let dir = folder("one_seed");
    assert_eq!(names(&dir, &store(&dir, &shape(&["none", "tax"], 1), five_days)), usual);
    // Seeds that change nothing replicate nothing.
    let dir = folder("idle");
    let mut idle = store(&dir, &shape(&["none"], 3), |_, _, _| 1.0);
    for run in &mut idle.runs {
        run.metrics.fill(Some(1.0));
    }
    assert_eq!(names(&dir, &idle), usual);
}

#[test]
fn ranks_are_a_diagram_where_three_mechanisms_meet_several_draws() {
    let dir = folder("ranks");
    let five = store(&dir, &shape(&["none", "tax"], 5), five_days);
    let (drawn, _) = pictures(&five);
    let ranks = drawn.iter().find(|d| d.stem == "ranks").unwrap();
    assert_eq!(lint(&ranks.picture.canvas), vec![]);
    let labels = ranks.picture.canvas.to_string();
    for label in ["CD = 1.48", "Mid-market rate", "Grid only", "Bill sharing"] {
        assert!(labels.contains(label), "{label}: {labels}");
    }
    // By draw 1 for the second; 2, 2.5, 3, 2, 2 for the first and 3, 2.5, 2, 3, 3 for the third: mean ranks 2.3, 1, 2.7, chi2 =
    // 2 (1.5^2 + 5^2 + 3.5^2) / (sum of squares 69.5 - 60), for there is one tie; with 2 degrees p = exp(-chi2 / 2). CD = 2.344 sqrt(3 4 / (6 5)).
    let caption = unmarked(&ranks.picture.caption);
    let chi_square = 2.0 * (1.5_f64.powi(2) + 5.0_f64.powi(2) + 3.5_f64.powi(2)) / (69.5 - 60.0);
    let told = format!("5 draws, CD = 1.48, Friedman's test p = {:.3}.", (-0.5 * chi_square).exp());
    assert!(caption.contains(&format!("(a) No carbon price: {told} (b) Tax: {told}")), "{caption}");
    draw(&five, &dir, &[Format::Png], &|_, _| {}).unwrap();

    let why = |store: &Store| {
        let skipped = pictures(store).1.into_iter().find(|s| s.figure == "ranks");
        skipped.map(|s| s.reason).unwrap()
    };
    let dir = folder("ranks_of_one_seed");
    assert!(why(&store(&dir, &shape(&["none"], 1), five_days)).starts_with("fewer than two draws"));
    let dir = folder("ranks_of_two");
    let mut two = shape(&["none"], 5);
    two.mechanisms.pop();
    assert!(why(&store(&dir, &two, five_days)).starts_with("fewer than three mechanisms"));
}

/// A first mechanism with a budget of a quarter of the gain and a second that gives half of it up without one, over draws.
#[test]
fn budgets_and_efficiency_are_drawn_where_an_operator_keeps_or_pays_something() {
    let dir = folder("budget");
    write_store(&dir, &shape(&["none"], 4));
    let mut store = Store::read(&dir).unwrap();
    let place = |store: &Store, name: &str| store.metrics.iter().position(|m| m == name).unwrap();
    let places = ["efficiency", "operator_surplus", "welfare_gain"].map(|name| place(&store, name));
    for run in &mut store.runs {
        let luck = run.seed as f64;
        let [efficiency, budget, gain] = match run.mechanism.as_str() {
            "mid-market-rate" => [0.9 + 0.01 * luck, 0.25 * (10.0 + luck), 10.0 + luck],
            "bill-sharing" => [0.5, 0.0, 5.0 + luck],
            _ => [0.0, 0.0, 0.0],
        };
        for (place, value) in places.into_iter().zip([efficiency, budget, gain]) {
            run.metrics[place] = Some(value);
        }
    }
    let (drawn, _) = pictures(&store);
    let figure = drawn.iter().find(|d| d.stem == "budget_and_efficiency").unwrap();
    assert_eq!(lint(&figure.picture.canvas), vec![]);
    let labels = figure.picture.canvas.to_string();
    for label in ["Efficiency", "Budget (share of the gain)", "Mid-market rate", "Bill sharing"] {
        assert!(labels.contains(label), "{label}: {labels}");
    }
    assert!(!labels.contains("Grid only"), "{labels}");
    draw(&store, &dir, &[Format::Png], &|_, _| {}).unwrap();
    // Nobody keeps anything.
    for run in &mut store.runs {
        run.metrics[places[1]] = Some(0.0);
    }
    let skipped = pictures(&store).1.into_iter().find(|s| s.figure == "budget_and_efficiency").unwrap();
    assert!(skipped.reason.contains("surplus or a deficit"), "{}", skipped.reason);
}
