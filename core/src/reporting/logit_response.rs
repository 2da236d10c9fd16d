//! Logit response: reports answer to what the others reported so far, with noise.

use super::grid::Grid;
use super::learned::{FACTORS, Learning, Learns, ROUNDS};
use crate::learning::Learner;
use crate::register_report_rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// In each round members draw their report with weights `exp(mean u / noise)` of what each factor would have brought so far.
/// Members report the factor that they reported most often in the second half. The certificate `exploitability` is the most
/// that anybody gains by another factor of the grid, all of which are tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LogitResponse {
    /// What members may report, as factors on their cost.
    pub price_factors: Vec<f64>,
    /// What members may report instead, as shifts of the price of every kWh; none by default.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub price_shifts_per_kwh: Vec<f64>,
    /// Rounds of play.
    #[schemars(range(min = 1))]
    pub rounds: usize,
    /// By how much a choice errs, as a share of what a report of the grid can change against the truth of the others.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub noise_per_stake: f64,
}

impl Default for LogitResponse {
    fn default() -> Self {
        Self { price_factors: FACTORS.to_vec(), price_shifts_per_kwh: vec![], rounds: ROUNDS, noise_per_stake: 0.05 }
    }
}

register_report_rule!(LogitResponse, "logit-response", "reports answer to what the others reported so far, with noise", behaviour: Learned,
    source: "Fudenberg and Kreps (1993)");

impl Learns for LogitResponse {
    fn learning(&self) -> Learning<'_> {
        let grid = Grid { factors: &self.price_factors, shifts: &self.price_shifts_per_kwh };
        Learning { learner: Learner::LogitResponse { noise: self.noise_per_stake }, grid, rounds: self.rounds }
    }
}
