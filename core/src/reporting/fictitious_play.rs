//! Fictitious play: reports answer best to what the others reported so far.

use super::grid::Grid;
use super::learned::{FACTORS, Learning, Learns, ROUNDS};
use crate::learning::Learner;
use crate::register_report_rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// In each round members report what would have brought them most against all that the others reported so far; of equal
/// factors the first. Members report the factor that they reported most often in the second half. The certificate
/// `exploitability` is the most that anybody gains by another factor of the grid, all of which are tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FictitiousPlay {
    /// What members may report, as factors on their cost.
    pub price_factors: Vec<f64>,
    /// What members may report instead, as shifts of the price of every kWh; none by default.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub price_shifts_per_kwh: Vec<f64>,
    /// Rounds of play.
    #[schemars(range(min = 1))]
    pub rounds: usize,
}

impl Default for FictitiousPlay {
    fn default() -> Self {
        Self { price_factors: FACTORS.to_vec(), price_shifts_per_kwh: vec![], rounds: ROUNDS }
    }
}

register_report_rule!(FictitiousPlay, "fictitious-play", "reports answer best to what the others reported so far", behaviour: Learned,
    source: "Brown (1951)");

impl Learns for FictitiousPlay {
    fn learning(&self) -> Learning<'_> {
        let grid = Grid { factors: &self.price_factors, shifts: &self.price_shifts_per_kwh };
        Learning { learner: Learner::FictitiousPlay, grid, rounds: self.rounds }
    }
}
