//! Carbon along flows, where a kWh fed in may earn more than one drawn costs: which way to exchange is then a choice, and few
//! of these are left.

use coase_core::record::Value;
use coase_mechanisms as _;
use coase_scenarios::{Loader, RunOptions, RunResult, RunStatus};
use std::fs;
use std::path::{Path, PathBuf};

/// Runs on one of the feeders of `cases/nodal` at 332 per tonne.
fn runs(feeder: &str, extra: &str, mechanisms: &str) -> Vec<RunResult> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/nodal");
    let scenario = fs::read_to_string(folder.join(format!("{feeder}.ron"))).unwrap();
    let scenario = scenario.split_once("Scenario(").map(|(_, rest)| format!("Scenario({extra} {rest}")).unwrap();
    let policies = "NodalFlow(price_per_tonne: 332), SteppedNodal(base_price_per_tonne: 332, interval_kg: 200)";
    let text = format!("Experiment(scenarios: [{scenario}], mechanisms: [{mechanisms}], carbon: [{policies}])");
    let loader = Loader { data: std::env::var_os("COASE_DATA").map(PathBuf::from) };
    let experiment = loader.load_text("test", &text, &folder, &[]).unwrap_or_else(|fault| panic!("{fault}"));
    experiment.run(&RunOptions::default(), ()).unwrap()
}

const ALONE_AND_TOGETHER: &str = "\"grid-only\", \"nash-bargaining\"";

fn certificate<'r>(run: &'r RunResult, name: &str) -> Option<&'r Vec<Value>> {
    run.record.certificates.iter().find(|row| row[0] == Value::from(name))
}

/// Purchase and sale prices are equal: import against export is a tie in every period of every member.
#[test]
fn a_feeder_with_equal_prices_is_answered_under_carbon_along_flows() {
    for run in runs("random_324", "", ALONE_AND_TOGETHER) {
        assert_eq!(run.status, RunStatus::Converged, "{}", run.reason);
        assert!(certificate(&run, "choices_gap").is_none());
    }
}

/// Whatever the limit of programs, a run has an answer, and says what its choices leave open.
#[test]
fn a_limit_of_one_program_never_fails_a_run() {
    for run in runs("random_315", "choice_programs: 1,", ALONE_AND_TOGETHER) {
        assert!(
            [RunStatus::Converged, RunStatus::NotConverged].contains(&run.status),
            "{:?} {}",
            run.status,
            run.reason
        );
        if let Some(row) = certificate(&run, "choices_gap") {
            assert!(matches!(row[1], Value::Number(gap) if gap > 0.0), "{row:?}");
        }
    }
}

/// Eight participants over a day: 192 signs, of which some ten are choices.
#[test]
fn a_day_on_69_buses_is_settled_for_all_together() {
    if std::env::var_os("COASE_DATA").is_none() {
        eprintln!("skipped: COASE_DATA is not set");
        return;
    }
    for run in runs("feeder69_day", "choice_programs: 100,", "\"central-optimum\"") {
        assert_eq!(run.status, RunStatus::Converged, "{}", run.reason);
        assert!(certificate(&run, "choices_gap").is_none());
    }
}
