//! A mechanism that lives outside the workspace's own crate is found by its name, takes parameters and sweeps like any
//! other, and spoils nothing but its own runs when it breaks.

use coase_core::mechanism::Mechanism;
use coase_core::schemars::{self, JsonSchema};
use coase_core::{Market, MechanismError, Outcome, RunContext, register};
use coase_mechanisms as _;
use coase_scenarios::{Experiment, Loader, RunOptions, RunStatus};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Does nothing, or breaks.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Fragile {
    strength: u32,
}

register!(Fragile, "fragile", Baseline, "breaks unless it is strong", claims: [], needs: [], information: Prices);

impl Mechanism for Fragile {
    fn run(&self, market: &Market, _: &mut RunContext) -> Result<Outcome, MechanismError> {
        assert!(self.strength > 0, "it broke");
        Ok(Outcome::new(market.setting()))
    }
}

fn load(mechanisms: &str, more: &str) -> Experiment {
    let text = format!("Experiment(scenarios: [\"three_vpp\"], mechanisms: [{mechanisms}], {more})");
    Loader::default().load_text("test", &text, Path::new(""), &[]).unwrap_or_else(|fault| panic!("{fault}"))
}

#[test]
fn a_mechanism_from_elsewhere_is_read_swept_and_written_back() {
    let more = "sweep: [(path: \"mechanism.strength\", values: [1, 2])]";
    let experiment = load("\"grid-only\", (label: \"f\", mechanism: Fragile(strength: 5))", more);
    assert_eq!(experiment.runs.len(), 1 + 2);
    let resolved = experiment.resolved().unwrap();
    assert!(resolved.contains("(label: \"f\", mechanism: Fragile(strength: 5))"), "{resolved}");
    let again = Loader::default().load_text("test", &resolved, Path::new(""), &[]).unwrap();
    assert_eq!(experiment.hash(), again.hash());
}

#[test]
fn a_mechanism_that_breaks_is_a_failed_run_and_the_rest_goes_on() {
    let experiment = load("Fragile(), \"grid-only\", (label: \"strong\", mechanism: Fragile(strength: 1))", "");
    let results = experiment.run(&RunOptions::default(), ()).unwrap();
    let status: Vec<RunStatus> = results.iter().map(|r| r.status).collect();
    assert_eq!(status, [RunStatus::Failed, RunStatus::Converged, RunStatus::Converged]);
    assert!(results[0].reason.contains("it broke"), "{}", results[0].reason);
    // Without trade the strong one is `grid-only`.
    assert_eq!(results[1].record.participants, results[2].record.participants);
}
