//! Hedge: reports are weighed by what each would have brought.

use super::grid::Grid;
use super::learned::{FACTORS, Learning, Learns, ROUNDS};
use crate::learning::Learner;
use crate::register_report_rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// In each round members draw their report with weights `exp(rate sum u)` of what each factor would have brought so far.
/// Members report the factor that they reported most often in the second half. The certificate `exploitability` is the most
/// that anybody gains by another factor of the grid, all of which are tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Hedge {
    /// What members may report, as factors on their cost.
    pub price_factors: Vec<f64>,
    /// What members may report instead, as shifts of the price of every kWh; none by default.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub price_shifts_per_kwh: Vec<f64>,
    /// Rounds of play.
    #[schemars(range(min = 1))]
    pub rounds: usize,
    /// Weight per unit of money; not given: that of the bound on regret, `sqrt(8 ln K / rounds)` over the range of payoffs.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub rate: Option<f64>,
}

impl Default for Hedge {
    fn default() -> Self {
        Self { price_factors: FACTORS.to_vec(), price_shifts_per_kwh: vec![], rounds: ROUNDS, rate: None }
    }
}

register_report_rule!(Hedge, "hedge", "reports weighed by what each would have brought", behaviour: Learned,
    source: "Freund and Schapire (1997)");

impl Learns for Hedge {
    fn learning(&self) -> Learning<'_> {
        let grid = Grid { factors: &self.price_factors, shifts: &self.price_shifts_per_kwh };
        Learning { learner: Learner::Hedge { rate: self.rate }, grid, rounds: self.rounds }
    }
}
