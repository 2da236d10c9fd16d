//! The layered game: sellers lead with prices, buyers follow by an evolutionary dynamics to rest, and sellers look at what came of
//! it and move their prices.

use super::PricingGame;
use super::seek::{SHORTER, distance};
use crate::population::{Dynamics, Play};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Rounds in which steps stay as they are; afterwards moves are allowed less and less far, so that prices come to rest at a kink.
const PATIENCE: usize = 80;
/// Steps of the inner loop, at most.
const MOST_INNER: usize = 10_000;

/// How sellers move their prices.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum Update {
    /// `p <- p + step dU/dp`: rests where no seller gains by a small change.
    Gradient {
        /// Price squared per money; not given: a quarter of each seller's price per kWh of demand.
        #[serde(default)]
        #[schemars(extend("exclusiveMinimum" = 0.0))]
        step: Option<f64>,
    },
    /// `p <- p + step (y - E)`: rests where each sells just what it has, or at an end of the range. Not an equilibrium of the prices.
    ExcessDemand {
        /// Price per kWh; not given: a quarter of each seller's price per kWh of demand.
        #[serde(default)]
        #[schemars(extend("exclusiveMinimum" = 0.0))]
        step: Option<f64>,
    },
}

impl Default for Update {
    fn default() -> Self {
        Update::Gradient { step: None }
    }
}

impl Update {
    /// The step that is asked for.
    pub fn step(self) -> Option<f64> {
        match self {
            Update::Gradient { step } | Update::ExcessDemand { step } => step,
        }
    }
}

/// Where the layers came to rest.
#[derive(Clone, Debug, PartialEq)]
pub struct Layered {
    /// Prices.
    pub prices: Vec<f64>,
    /// What is asked of sellers, kWh.
    pub totals: Vec<f64>,
    /// Shares of the groups of buyers, with all options.
    pub shares: Vec<f64>,
    /// Rounds of the sellers.
    pub outer: usize,
    /// Steps of the buyers, over all rounds.
    pub inner: usize,
    /// `max |p - p before|` in the last round.
    pub moved: f64,
    /// The Wardrop gap of the last shares, money.
    pub wardrop_gap: f64,
    /// Whether prices came to rest, and buyers in the last round.
    pub at_rest: bool,
}

/// How long the layers play.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Patience {
    /// Prices rest where none moves more than this.
    pub tolerance: f64,
    /// Buyers rest where shares move less than this per unit of time,
    pub inner_tolerance: f64,
    /// or less than this times the last move of prices, whichever is more.
    pub forcing: f64,
    /// Rounds of the sellers, at most.
    pub rounds: usize,
}

impl Default for Patience {
    fn default() -> Self {
        Self { tolerance: 1e-7, inner_tolerance: 1e-8, forcing: 1e-2, rounds: 2_000 }
    }
}

impl PricingGame {
    /// Plays the layers from these prices, buyers choosing all alike in the first round. `watch` sees prices and shares after each
    /// round, and says whether to go on.
    pub fn layered(
        &self,
        start: &[f64],
        dynamics: Dynamics,
        update: Update,
        patience: Patience,
        watch: &mut dyn FnMut(&Layered) -> bool,
    ) -> Layered {
        let n = self.sellers.len();
        let steps = self.steps(update.step());
        let mut most = self.longest_move();
        let prices: Vec<f64> = start.iter().map(|p| self.clipped(*p)).collect();
        let mut now = Layered {
            prices,
            totals: vec![],
            shares: self.at_zero.uniform(),
            outer: 0,
            inner: 0,
            moved: f64::INFINITY,
            wardrop_gap: 0.0,
            at_rest: false,
        };
        let mut buyers = self.at_zero.clone();
        while now.outer < patience.rounds {
            buyers.set_options(&self.at_zero, &now.prices);
            let near = if now.moved.is_finite() { patience.forcing * now.moved } else { 0.0 };
            let near = near.max(patience.inner_tolerance);
            let rest = Play::new(&buyers, dynamics, &now.shares).rest(near, MOST_INNER);
            let totals = buyers.totals(&rest.shares)[..n].to_vec();
            let slopes = match update {
                Update::Gradient { .. } => {
                    // Which options are in use is not to be read from shares that only come near to nothing.
                    let exact = buyers.equilibrium_from(&rest.shares).shares;
                    self.gradient_at(&buyers, &now.prices, &totals, &exact)
                }
                Update::ExcessDemand { .. } => totals.iter().zip(&self.sellers).map(|(y, s)| y - s.quantity).collect(),
            };
            if now.outer >= PATIENCE {
                most *= SHORTER;
            }
            let next = self.moved(&now.prices, &slopes, &steps, most);
            now.moved = distance(&next, &now.prices);
            now.inner += rest.steps;
            now.outer += 1;
            (now.totals, now.shares, now.wardrop_gap) = (totals, rest.shares, rest.gap);
            // Prices at an end of the range stand still at once, however loosely buyers have answered.
            now.at_rest = now.moved <= patience.tolerance && rest.converged && near <= patience.inner_tolerance;
            if now.at_rest {
                break;
            }
            now.prices = next;
            if !watch(&now) {
                break;
            }
        }
        now
    }
}
