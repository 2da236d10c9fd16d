//! EXP3: reports are weighed by what those that were made brought.

use super::learned::{FACTORS, Learning, ROUNDS};
use crate::context::RunContext;
use crate::engine::{ReportRule, Said};
use crate::error::MechanismError;
use crate::learning::Learner;
use crate::market::Market;
use crate::mechanism::Mechanism;
use crate::register_report_rule;
use crate::setting::Setting;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// In each round members draw their report, and learn from what that one brought alone, divided by its chance. Members report the factor that they reported most often in the
/// second half. The certificate `exploitability` is the most that anybody gains by another factor of the grid, all of which are
/// tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Exp3 {
    /// What members may report, as factors on their cost.
    pub price_factors: Vec<f64>,
    /// Rounds of play.
    #[schemars(range(min = 1))]
    pub rounds: usize,
    /// Share of rounds in which any factor is as likely; not given: that of the bound on regret.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1.0))]
    pub exploration: Option<f64>,
}

impl Default for Exp3 {
    fn default() -> Self {
        Self { price_factors: FACTORS.to_vec(), rounds: ROUNDS, exploration: None }
    }
}

register_report_rule!(Exp3, "exp3", "reports weighed by what those that were made brought", behaviour: Learned,
    source: "Auer, Cesa-Bianchi, Freund and Schapire (2002)");

impl Exp3 {
    fn learning(&self) -> Learning<'_> {
        let learner = Learner::Exp3 { exploration: self.exploration };
        Learning { learner, factors: &self.price_factors, rounds: self.rounds }
    }
}

impl ReportRule for Exp3 {
    fn said(&self, truth: &Market, mechanism: &dyn Mechanism, ctx: &mut RunContext) -> Result<Said, MechanismError> {
        self.learning().said(truth, mechanism, ctx)
    }

    fn check(&self, _: &Setting) -> Result<(), String> {
        self.learning().check()
    }

    fn draws(&self) -> bool {
        true
    }
}
