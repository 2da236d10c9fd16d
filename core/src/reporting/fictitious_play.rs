//! Fictitious play: reports answer best to what the others reported so far.

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

/// In each round members report what would have brought them most against all that the others reported so far; of equal factors the first. Members report the factor that they reported most often in the
/// second half. The certificate `exploitability` is the most that anybody gains by another factor of the grid, all of which are
/// tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FictitiousPlay {
    /// What members may report, as factors on their cost.
    pub price_factors: Vec<f64>,
    /// Rounds of play.
    #[schemars(range(min = 1))]
    pub rounds: usize,
}

impl Default for FictitiousPlay {
    fn default() -> Self {
        Self { price_factors: FACTORS.to_vec(), rounds: ROUNDS }
    }
}

register_report_rule!(FictitiousPlay, "fictitious-play", "reports answer best to what the others reported so far", behaviour: Learned,
    source: "Brown (1951)");

impl FictitiousPlay {
    fn learning(&self) -> Learning<'_> {
        let learner = Learner::FictitiousPlay;
        Learning { learner, factors: &self.price_factors, rounds: self.rounds }
    }
}

impl ReportRule for FictitiousPlay {
    fn said(&self, truth: &Market, mechanism: &dyn Mechanism, ctx: &mut RunContext) -> Result<Said, MechanismError> {
        self.learning().said(truth, mechanism, ctx)
    }

    fn check(&self, _: &Setting) -> Result<(), String> {
        self.learning().check()
    }

    fn draws(&self) -> bool {
        false
    }
}
