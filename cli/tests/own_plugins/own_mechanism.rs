//! A mechanism that nothing in the workspace knows of, registered by this test, runs like any other.

#[allow(clippy::trivially_copy_pass_by_ref, reason = "conditions of claims take their mechanism as it is")]
#[path = "../../../examples/outside_plugin/src/posted_price.rs"]
mod posted_price;

use crate::folder;
use coase_testkit::files::{column, file};
use std::process::ExitCode;

fn coase(args: &[&str]) -> ExitCode {
    coase::main(["coase"].iter().chain(args))
}

fn is_success(code: ExitCode) -> bool {
    format!("{code:?}") == format!("{:?}", ExitCode::SUCCESS)
}

#[test]
fn it_runs_from_a_file_and_meets_its_closed_form() {
    let folder = folder("own_mechanism");
    let experiment = file(
        &folder,
        "experiment.ron",
        "Experiment(scenarios: [\"three_vpp.ron\"], mechanisms: [\"grid-only\", PostedPrice(share: 0.5)])",
    );
    let out = folder.join("out");
    assert!(is_success(coase(&["explain", "posted-price"])));
    assert!(is_success(coase(&["run", &experiment, "--quiet", "--out", out.to_str().unwrap()])));
    // At 0.70 the agents would sell 125, sell 30 and buy 200: 155 are traded, and
    // J = -31.25, -2.25, -37.975 against -5, 0, -2.5 without trade.
    assert_eq!(column(&out, "runs", "mechanism"), ["grid-only", "posted-price"]);
    let total: Vec<f64> = column(&out, "runs", "total_cost").iter().map(|x| x.parse().unwrap()).collect();
    assert!((total[0] + 7.5).abs() < 1e-6, "{total:?}");
    assert!((total[1] + 71.475).abs() < 1e-6, "{total:?}");
    let gains = column(&out, "participants", "gain");
    let gains: Vec<f64> = gains[3..].iter().map(|x| x.parse().unwrap()).collect();
    for (found, expected) in gains.iter().zip([26.25, 2.25, 35.475]) {
        assert!((found - expected).abs() < 1e-6, "{gains:?}");
    }
    let verdicts = column(&out, "certificates", "verdict");
    assert!(verdicts.iter().all(|verdict| verdict != "refuted"), "{verdicts:?}");
}

#[test]
fn its_bad_parameters_are_refused_like_those_of_any_other() {
    let folder = folder("own_refused");
    let experiment = |mechanism: &str| {
        format!("Experiment(scenarios: [\"three_vpp.ron\"], mechanisms: [\"grid-only\", {mechanism}])")
    };
    let misspelt = file(&folder, "misspelt.ron", &experiment("PostedPrice(shrae: 0.5)"));
    assert!(!is_success(coase(&["check", &misspelt])));
    // A value without meaning fails its run, and the rest runs.
    let beyond = file(&folder, "beyond.ron", &experiment("PostedPrice(share: 2.0)"));
    let out = folder.join("out");
    assert!(!is_success(coase(&["run", &beyond, "--quiet", "--out", out.to_str().unwrap()])));
    assert_eq!(column(&out, "runs", "status"), ["converged", "failed"]);
    assert!(column(&out, "runs", "reason")[1].contains("share"));
}
