//! Logit response: reports answer to what the others reported so far, with noise.

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

/// In each round members draw their report with weights `exp(mean u / noise)` of what each factor would have brought so far. Members report the factor that they reported most often in the
/// second half. The certificate `exploitability` is the most that anybody gains by another factor of the grid, all of which are
/// tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LogitResponse {
    /// What members may report, as factors on their cost.
    pub price_factors: Vec<f64>,
    /// Rounds of play.
    #[schemars(range(min = 1))]
    pub rounds: usize,
    /// By how much a choice errs, as a share of what a report of the grid can change against the truth of the others.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub noise_per_stake: f64,
}

impl Default for LogitResponse {
    fn default() -> Self {
        Self { price_factors: FACTORS.to_vec(), rounds: ROUNDS, noise_per_stake: 0.05 }
    }
}

register_report_rule!(LogitResponse, "logit-response", "reports answer to what the others reported so far, with noise", behaviour: Learned,
    source: "Fudenberg and Kreps (1993)");

impl LogitResponse {
    fn learning(&self) -> Learning<'_> {
        let learner = Learner::LogitResponse { noise: self.noise_per_stake };
        Learning { learner, factors: &self.price_factors, rounds: self.rounds }
    }
}

impl ReportRule for LogitResponse {
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
