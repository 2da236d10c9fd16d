//! Two plugins with one id: an error that names both crates, whatever is asked.

use coase_core::mechanism::Mechanism;
use coase_core::schemars::{self, JsonSchema};
use coase_core::{Market, MechanismError, Outcome, RunContext, register};
use coase_testkit::files;
use serde::{Deserialize, Serialize};
use std::process::Command;

/// A rule of this crate with the id of another.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Mine {}

register!(Mine, "nash-bargaining", Baseline, "nothing at all", claims: [], needs: [], information: Reports, source: "a test");

impl Mechanism for Mine {
    fn run(&self, market: &Market, _: &mut RunContext) -> Result<Outcome, MechanismError> {
        Ok(Outcome::new(market.setting()))
    }
}

/// The program with both, in a process of its own: what it writes is read.
#[test]
fn both_crates_are_named() {
    const ASKED: &str = "COASE_TEST_ARGUMENTS";
    if let Ok(asked) = std::env::var(ASKED) {
        let code = coase::main(std::iter::once("coase").chain(asked.split(' ')));
        assert_eq!(format!("{code:?}"), format!("{:?}", std::process::ExitCode::from(2)));
        return;
    }
    let folder = files::folder(env!("CARGO_TARGET_TMPDIR"), "twice");
    let experiment = "Experiment(scenarios: [\"three_vpp.ron\"], mechanisms: [\"grid-only\"])";
    let path = files::file(&folder, "study.ron", experiment);
    for asked in ["list", "explain tax", &format!("check {path}"), &format!("run {path} --out {}", folder.display())] {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["both_crates_are_named", "--exact", "--nocapture"])
            .env(ASKED, asked)
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr.clone()).unwrap();
        assert!(output.status.success(), "{asked}: {said}");
        for word in ["`nash-bargaining`", "crate `coase_mechanisms`", "crate `twice`"] {
            assert!(said.contains(word), "{asked}: {word}: {said}");
        }
        assert!(!said.contains("panicked"), "{said}");
    }
}
