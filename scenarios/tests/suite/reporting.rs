//! Behaviour as an axis of experiments: who plays how, in which rows, and what is refused with its place.

use coase_mechanisms as _;
use coase_scenarios::{Experiment, Fault, Loader, Override, RunOptions};
use std::path::Path;

fn load_with(fields: &str, set: &[&str]) -> Result<Experiment, Fault> {
    let text = format!("Experiment(scenarios: [\"three_vpp\"], {fields})");
    let set: Vec<Override> = set.iter().map(|set| set.parse()).collect::<Result<_, _>>()?;
    Loader::default().load_text("test", &text, Path::new(""), &set)
}

#[track_caller]
fn loaded(fields: &str) -> Experiment {
    load_with(fields, &[]).unwrap_or_else(|fault| panic!("{fault}"))
}

#[track_caller]
fn refused(fields: &str, words: &[&str]) {
    let said = load_with(fields, &[]).map(|e| e.runs.len()).expect_err("refused").to_string();
    for part in words {
        assert!(said.contains(part), "`{part}` is not in: {said}");
    }
}

fn ids(experiment: &Experiment) -> Vec<&str> {
    experiment.runs.iter().map(|run| run.run_id.as_str()).collect()
}

const TWO: &str = r#"mechanisms: ["grid-only", "uniform-price"]"#;

/// Runs that are truthful keep the identity that they had before there were rules; others have one of their own.
#[test]
fn the_truth_changes_no_identity_and_every_other_rule_does() {
    let (plain, written) = (loaded(TWO), loaded(&format!(r#"{TWO}, reporting: ["truthful"]"#)));
    assert_eq!(ids(&plain), ids(&written));
    let both = loaded(&format!(r#"{TWO}, reporting: ["truthful", Distorted(price_factor: 1.1)]"#));
    let played: Vec<(&str, &str)> = both.runs.iter().map(|r| (r.variant.as_str(), r.reporting.as_str())).collect();
    let of = |mechanism| [(mechanism, "truthful"), (mechanism, "distorted")];
    assert_eq!(played, [of("grid-only"), of("uniform-price")].concat());
    assert_eq!([ids(&both)[0], ids(&both)[2]], [ids(&plain)[0], ids(&plain)[1]]);
    assert_ne!(ids(&both)[1], ids(&both)[0]);
    // What is archived finds the same runs.
    let resolved = both.resolved().expect("written");
    let again = Loader::default().load_text("again", &resolved, Path::new(""), &[]).expect("readable");
    assert_eq!(ids(&again), ids(&both));
}

#[test]
fn rules_have_labels_parameters_that_are_swept_or_set_and_a_place_in_filters() {
    let rules = r#"reporting: ["truthful", (label: "greedy", reporting: Distorted(price_factor: 1.2))]"#;
    let swept = loaded(&format!(
        r#"{TWO}, {rules}, sweep: [(path: "reporting.price_factor", values: [1.1, 1.3])], only: [{{"reporting": "greedy"}}]"#
    ));
    assert_eq!(swept.runs.len(), 4);
    assert!(swept.runs.iter().all(|run| run.reporting == "greedy"));
    assert_eq!(swept.swept(), ["reporting.price_factor"]);
    let set = load_with(&format!("{TWO}, {rules}"), &["reporting.greedy.price_factor=1.4"]).expect("a place");
    assert!(set.resolved().expect("written").contains("price_factor: 1.4"));
    let none = load_with(TWO, &["reporting.price_factor=1.4"]).expect_err("no place").to_string();
    assert!(none.contains("reporting.price_factor"), "{none}");
}

#[test]
fn what_cannot_be_played_is_refused_with_its_place() {
    refused(&format!(r#"{TWO}, reporting: ["honest"]"#), &["there is no report rule `honest`"]);
    refused(&format!(r#"{TWO}, reporting: ["truthful", "truthful"]"#), &["report rule `truthful` is there twice"]);
    refused(&format!("{TWO}, reporting: []"), &["the list of report rules is empty"]);
    let nobody = r#"reporting: [Distorted(of: {"vpp9": (price_factor: 1.1)})]"#;
    refused(&format!("{TWO}, {nobody}"), &["three_vpp", "vpp9", "vpp1, vpp2, vpp3"]);
    refused(&format!("{TWO}, reporting: [Distorted(quantity_factor: 0)]"), &["quantity_factor", "above 0"]);
    refused(&format!("{TWO}, reporting: [BestResponse(rounds_max: 0)]"), &["rounds_max"]);
}

/// The tables say how a run was played, and gains are measured by the truth.
#[test]
fn behaviour_stands_in_the_row_of_the_run() {
    let fields = r#"mechanisms: ["uniform-price"], reporting: ["truthful", "best-response", "zero-intelligence", Distorted(price_factor: 1.2)]"#;
    let results = loaded(fields).run(&RunOptions::default(), ()).expect("threads");
    let behaviour: Vec<&str> = results.iter().map(|result| result.behaviour.as_str()).collect();
    assert_eq!(behaviour, ["truthful", "best_response", "random", "distorted"]);
    let efficiency: Vec<f64> = results.iter().map(|result| result.metric("efficiency").expect("a number")).collect();
    assert!((efficiency[0] - 1.0).abs() < 1e-6, "{efficiency:?}");
    // 619221/756371 at rest.
    assert!((efficiency[1] - 619_221.0 / 756_371.0).abs() < 5e-4, "{efficiency:?}");
    assert!(efficiency[2] < 0.99, "{efficiency:?}");
    // All that exaggerate alike want the same trades.
    assert!((efficiency[3] - 1.0).abs() < 1e-6, "{efficiency:?}");
}
