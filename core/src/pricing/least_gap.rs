//! What is said where no equilibrium is found: the prices that come nearest to one, and correlated play.

use super::PricingGame;
use crate::learning::{Learner, NormalForm, NormalFormError, learn};

/// Prices of a seller on the coarse grid.
const POINTS: usize = 19;
/// Profiles of a grid, at most.
const MOST_PROFILES: usize = 8_000;
/// Points at which the fine search measures the gap.
const MOST_TRIED: usize = 80;
/// Rounds of regret matching.
const ROUNDS: usize = 5_000;

/// Play by which nobody regrets not to have asked another price of the grid all along: what regret matching averages to.
#[derive(Clone, Debug, PartialEq)]
pub struct Correlated {
    /// Mean price of each seller.
    pub mean_prices: Vec<f64>,
    /// Mean profit of each seller, money.
    pub profits: Vec<f64>,
    /// The most that a seller would have gained by one price of the grid all along, money: a coarse correlated equilibrium has 0.
    pub gap: f64,
    /// Prices of the grid.
    pub points: usize,
}

impl PricingGame {
    /// Prices on an even grid over the range.
    pub fn grid(&self, points: usize) -> Vec<f64> {
        let (low, high) = self.range();
        let last = points.saturating_sub(1).max(1) as f64;
        (0..points).map(|k| low + (high - low) * k as f64 / last).collect()
    }

    /// The game on an even grid of prices: profits of all sellers at all profiles.
    ///
    /// # Errors
    /// More profiles than a strategic form may have.
    pub fn on_grid(&self, points: usize) -> Result<NormalForm, NormalFormError> {
        let grid = self.grid(points);
        let mut follower = self.follower();
        NormalForm::of(vec![points; self.sellers.len()], |profile| {
            let prices: Vec<f64> = profile.iter().map(|k| grid[*k]).collect();
            let demand = follower.demand(&prices);
            self.profits(&prices, &demand.totals)
        })
    }

    /// The grid that is used where no equilibrium is found; `None` where sellers are too many for one.
    fn coarse(&self) -> Option<usize> {
        let sellers = u32::try_from(self.sellers.len()).ok()?;
        let fits = |points: &usize| points.checked_pow(sellers).is_some_and(|all| all <= MOST_PROFILES);
        (5..=POINTS).rev().find(fits)
    }

    /// The prices with the least gap among these, among those of a coarse grid, and around the best of them.
    pub(super) fn least_gap(&self, candidates: &[Vec<f64>]) -> Vec<f64> {
        let gap = |prices: &[f64]| self.nikaido_isoda(prices).nikaido_isoda;
        let mut starts = candidates.to_vec();
        starts.extend(self.coarse().and_then(|points| {
            let form = self.on_grid(points).ok()?;
            let grid = self.grid(points);
            let least = (0..form.profiles()).map(|k| (form.pure_gap(k), k)).min_by(|a, b| a.0.total_cmp(&b.0))?;
            Some(form.profile(least.1).into_iter().map(|k| grid[k]).collect())
        }));
        let mut best =
            starts.into_iter().map(|prices| (gap(&prices), prices)).min_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or_else(
                || {
                    let middle = self.middle();
                    (gap(&middle), middle)
                },
            );
        let mut width = (self.price_max - self.price_min) / (2.0 * POINTS as f64);
        let mut tried = 0;
        while tried < MOST_TRIED && width > 1e-6 * (self.price_max - self.price_min) {
            let mut better = false;
            for j in 0..self.sellers.len() {
                for sign in [1.0, -1.0] {
                    let mut prices = best.1.clone();
                    prices[j] = self.clipped(prices[j] + sign * width);
                    let found = gap(&prices);
                    tried += 1;
                    if found < best.0 {
                        (best, better) = ((found, prices), true);
                    }
                }
            }
            if !better {
                width *= 0.5;
            }
        }
        best.1
    }

    /// What regret matching averages to on a coarse grid; `None` where sellers are too many for one.
    pub fn correlated(&self) -> Option<Correlated> {
        let points = self.coarse()?;
        let form = self.on_grid(points).ok()?;
        let grid = self.grid(points);
        let learned = learn(&form, Learner::RegretMatching { plus: true }, ROUNDS, 0);
        let mean = |x: &Vec<f64>| x.iter().zip(&grid).map(|(x, p)| x * p).sum();
        let gap = learned.regrets.iter().copied().fold(0.0, f64::max);
        Some(Correlated {
            mean_prices: learned.average.iter().map(mean).collect(),
            profits: learned.payoffs,
            gap,
            points,
        })
    }
}
