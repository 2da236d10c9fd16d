//! Regret matching: reports are as likely as they are regretted not to have been made.

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

/// In each round members draw their report in proportion to how much they regret not to have made it so far. Members report the factor that they reported most often in the
/// second half. The certificate `exploitability` is the most that anybody gains by another factor of the grid, all of which are
/// tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RegretMatching {
    /// What members may report, as factors on their cost.
    pub price_factors: Vec<f64>,
    /// Rounds of play.
    #[schemars(range(min = 1))]
    pub rounds: usize,
    /// Whether negative regret is forgotten in every round.
    pub plus: bool,
}

impl Default for RegretMatching {
    fn default() -> Self {
        Self { price_factors: FACTORS.to_vec(), rounds: ROUNDS, plus: true }
    }
}

register_report_rule!(RegretMatching, "regret-matching", "reports as likely as they are regretted not to have been made", behaviour: Learned,
    source: "Hart and Mas-Colell (2000); plus: Tammelin (2014)");

impl RegretMatching {
    fn learning(&self) -> Learning<'_> {
        let learner = Learner::RegretMatching { plus: self.plus };
        Learning { learner, factors: &self.price_factors, rounds: self.rounds }
    }
}

impl ReportRule for RegretMatching {
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
