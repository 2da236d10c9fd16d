//! EXP3: reports are weighed by what those that were made brought.

use super::grid::Grid;
use super::learned::{FACTORS, Learning, Learns, ROUNDS};
use crate::learning::Learner;
use crate::register_report_rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// In each round members draw their report, and learn from what that one brought alone, divided by its chance. Members report
/// the factor that they reported most often in the second half. The certificate `exploitability` is the most that anybody
/// gains by another factor of the grid, all of which are tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Exp3 {
    /// What members may report, as factors on their cost.
    pub price_factors: Vec<f64>,
    /// What members may report instead, as shifts of the price of every kWh; none by default.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub price_shifts_per_kwh: Vec<f64>,
    /// Rounds of play.
    #[schemars(range(min = 1))]
    pub rounds: usize,
    /// Share of rounds in which any factor is as likely; not given: that of the bound on regret.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1.0))]
    pub exploration: Option<f64>,
}

impl Default for Exp3 {
    fn default() -> Self {
        Self { price_factors: FACTORS.to_vec(), price_shifts_per_kwh: vec![], rounds: ROUNDS, exploration: None }
    }
}

register_report_rule!(Exp3, "exp3", "reports weighed by what those that were made brought", behaviour: Learned,
    source: "Auer, Cesa-Bianchi, Freund and Schapire (2002)");

impl Learns for Exp3 {
    fn learning(&self) -> Learning<'_> {
        let grid = Grid { factors: &self.price_factors, shifts: &self.price_shifts_per_kwh };
        Learning { learner: Learner::Exp3 { exploration: self.exploration }, grid, rounds: self.rounds }
    }
}
