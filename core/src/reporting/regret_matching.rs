//! Regret matching: reports are as likely as they are regretted not to have been made.

use super::grid::Grid;
use super::learned::{FACTORS, Learning, Learns, ROUNDS};
use crate::learning::Learner;
use crate::register_report_rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// In each round members draw their report in proportion to how much they regret not to have made it so far. Members report
/// the factor that they reported most often in the second half. The certificate `exploitability` is the most that anybody
/// gains by another factor of the grid, all of which are tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RegretMatching {
    /// What members may report, as factors on their cost.
    pub price_factors: Vec<f64>,
    /// What members may report instead, as shifts of the price of every kWh; none by default.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub price_shifts_per_kwh: Vec<f64>,
    /// Rounds of play.
    #[schemars(range(min = 1))]
    pub rounds: usize,
    /// Whether negative regret is forgotten in every round.
    pub plus: bool,
}

impl Default for RegretMatching {
    fn default() -> Self {
        Self { price_factors: FACTORS.to_vec(), price_shifts_per_kwh: vec![], rounds: ROUNDS, plus: true }
    }
}

register_report_rule!(RegretMatching, "regret-matching", "reports as likely as they are regretted not to have been made", behaviour: Learned,
    source: "Hart and Mas-Colell (2000); plus: Tammelin (2014)");

impl Learns for RegretMatching {
    fn learning(&self) -> Learning<'_> {
        let grid = Grid { factors: &self.price_factors, shifts: &self.price_shifts_per_kwh };
        Learning { learner: Learner::RegretMatching { plus: self.plus }, grid, rounds: self.rounds }
    }
}
