//! A seller's best price against the others', sought over the whole range, and the gap that is left to it.

use super::{Follower, PricingGame};
use crate::error::MechanismError;
use crate::game::{Axis, Game, Profile, Space, Strategy};
use crate::outcome::Party;

/// Prices of the coarse search.
const POINTS: usize = 181;
/// Steps of the fine one.
const MOST_STEPS: usize = 200;

/// A best price.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Response {
    /// The price, per kWh.
    pub price: f64,
    /// What it earns, money.
    pub profit: f64,
}

/// What sellers still gain by another price.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gap {
    /// The gap of Nikaido and Isoda: the sum of what each gains alone, money.
    pub nikaido_isoda: f64,
    /// What each gains, money.
    pub gains: Vec<f64>,
    /// The price with which it does.
    pub prices: Vec<f64>,
}

impl PricingGame {
    /// The best price of a seller against the others', over the whole range: 181 prices, then the root of the profit's slope around
    /// the best of them.
    pub fn best_response(&self, follower: &mut Follower<'_>, prices: &[f64], j: usize) -> Response {
        let mut at = prices.to_vec();
        let now = Response { price: prices[j], profit: follower.profit_only(prices, j) };
        let (low, high) = self.range();
        let width = (high - low) / (POINTS - 1) as f64;
        if width <= 0.0 {
            return now;
        }
        let point = |k: usize| if k + 1 == POINTS { high } else { low + width * k as f64 };
        let mut best = (0, f64::NEG_INFINITY);
        for k in 0..POINTS {
            at[j] = point(k);
            let profit = follower.profit_only(&at, j);
            if profit > best.1 {
                best = (k, profit);
            }
        }
        let coarse = Response { price: point(best.0), profit: best.1 };
        let around = (point(best.0.saturating_sub(1)), point((best.0 + 1).min(POINTS - 1)));
        let fine = Self::peak(follower, &mut at, j, coarse.price, around);
        // Around a peak profits are equal to rounding: the root of the slope tells more than they do.
        let slack = 1e-12 * fine.profit.abs();
        [coarse, now]
            .into_iter()
            .fold(fine, |best, other| if other.profit > best.profit + slack { other } else { best })
    }

    /// The root of the profit's slope between two prices: Newton's method, kept in a bracket that is halved where it leaves it.
    /// The slope is linear between kinks, so that a peak is met exactly, and a kink by halving.
    fn peak(
        follower: &mut Follower<'_>,
        at: &mut [f64],
        j: usize,
        from: f64,
        (mut low, mut high): (f64, f64),
    ) -> Response {
        let mut price = from;
        let mut best = Response { price, profit: f64::NEG_INFINITY };
        for step in 0..MOST_STEPS {
            at[j] = price;
            let (profit, slope, curvature) = follower.profit(at, j);
            // Later prices are nearer to the root: of profits that are equal to rounding the last.
            if profit >= best.profit - 1e-14 * best.profit.abs() {
                best = Response { price, profit };
            }
            match slope {
                s if s > 0.0 => low = price,
                s if s < 0.0 => high = price,
                _ => break,
            }
            let newton = price - slope / curvature;
            let inside = curvature < 0.0 && newton > low && newton < high && step % 4 != 3;
            let next = if inside { newton } else { 0.5 * (low + high) };
            if (next - price).abs() <= f64::EPSILON * price.abs() || high - low <= f64::EPSILON * high.abs() {
                break;
            }
            price = next;
        }
        best
    }

    /// What sellers still gain by another price, each over the whole range.
    pub fn nikaido_isoda(&self, prices: &[f64]) -> Gap {
        let mut follower = self.follower();
        let mut gap = Gap::default();
        for j in 0..self.sellers.len() {
            let now = follower.profit_only(prices, j);
            let best = self.best_response(&mut follower, prices, j);
            gap.gains.push((best.profit - now).max(0.0));
            gap.prices.push(best.price);
        }
        gap.nikaido_isoda = gap.gains.iter().sum();
        gap
    }
}

/// Sellers by position; a strategy is a price. The candidates are the best response over all prices.
impl Game for PricingGame {
    fn players(&self) -> Vec<Party> {
        (0..self.sellers.len()).map(Party::Member).collect()
    }

    fn space(&self, _: usize) -> Space {
        Space { axes: vec![Axis { name: "price_per_kwh".to_owned(), min: self.price_min, max: self.price_max }] }
    }

    fn candidates(&self, player: usize, profile: &Profile) -> Vec<Strategy> {
        let prices: Vec<f64> = profile.iter().flatten().copied().collect();
        vec![vec![self.best_response(&mut self.follower(), &prices, player).price]]
    }

    fn payoff(&self, player: usize, profile: &Profile) -> Result<f64, MechanismError> {
        let prices: Vec<f64> = profile.iter().flatten().copied().collect();
        Ok(self.follower().profit_only(&prices, player))
    }
}
