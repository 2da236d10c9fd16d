//! Four ways to an equilibrium in prices. Where each ends is not yet an equilibrium: the gap says.

use super::PricingGame;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Rounds after which a gradient method that has not come to rest is thought to jump about a kink, where a seller sells out or buyers
/// turn to the grid: from then on moves are allowed less and less far.
const PATIENCE: usize = 600;
/// By this factor in every round, from this share of the range on.
pub(super) const SHORTER: f64 = 0.93;
const LONGEST: f64 = 0.2;
/// Prices nearer than this share of the range are the same.
const SAME: f64 = 1e-9;

/// How sellers look for prices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Method {
    /// Each in turn takes its best price over the whole range.
    #[default]
    GaussSeidel,
    /// All go half the way to their best price at once (Uryas'ev and Rubinstein, 1994).
    Relaxation,
    /// All follow the slope of their profit, within the range.
    Gradient,
    /// The same with the slope of a point ahead (Korpelevich, 1976), which converges where the gradient circles.
    Extragradient,
}

impl Method {
    /// All of them.
    pub const ALL: [Method; 4] = [Method::GaussSeidel, Method::Relaxation, Method::Gradient, Method::Extragradient];

    fn most_rounds(self) -> usize {
        match self {
            Method::GaussSeidel | Method::Relaxation => 200,
            Method::Gradient | Method::Extragradient => 5_000,
        }
    }
}

/// Where a search ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Sought {
    /// The last prices.
    pub prices: Vec<f64>,
    /// Rounds taken.
    pub rounds: usize,
    /// `max |p - p before|` in the last round.
    pub moved: f64,
    /// Whether prices came to rest.
    pub at_rest: bool,
    /// The prices that come again and again, in order, where they do.
    pub cycle: Vec<Vec<f64>>,
}

impl PricingGame {
    /// The step of a gradient method for each seller, price squared per money: what is asked for, or a quarter of `1 / s_j`.
    pub(super) fn steps(&self, step: Option<f64>) -> Vec<f64> {
        self.sellers.iter().map(|seller| step.unwrap_or(0.25 / seller.slope())).collect()
    }

    /// Looks for prices until none moves more than `tolerance`, from a start on. `step` is that of the gradient methods; without it
    /// each seller has one that suits its quantity. `watch` sees the prices after each round, and says whether to go on.
    pub fn seek(
        &self,
        method: Method,
        start: &[f64],
        step: Option<f64>,
        tolerance: f64,
        watch: &mut dyn FnMut(&[f64], f64) -> bool,
    ) -> Sought {
        let mut follower = self.follower();
        let mut prices: Vec<f64> = start.iter().map(|p| self.clipped(*p)).collect();
        let steps = self.steps(step);
        let mut most = self.longest_move();
        let mut known = vec![prices.clone()];
        let (mut rounds, mut moved) = (0, f64::INFINITY);
        let same = SAME * (self.price_max - self.price_min);
        while rounds < method.most_rounds() {
            let before = prices.clone();
            match method {
                Method::GaussSeidel => {
                    for j in 0..prices.len() {
                        prices[j] = self.best_response(&mut follower, &prices, j).price;
                    }
                }
                Method::Relaxation => {
                    for j in 0..prices.len() {
                        prices[j] = 0.5 * (before[j] + self.best_response(&mut follower, &before, j).price);
                    }
                }
                Method::Gradient | Method::Extragradient => {
                    let mut slopes = follower.gradient(&prices);
                    if method == Method::Extragradient {
                        slopes = follower.gradient(&self.moved(&before, &slopes, &steps, most));
                    }
                    prices = self.moved(&before, &slopes, &steps, most);
                    if rounds >= PATIENCE {
                        most *= SHORTER;
                    }
                }
            }
            rounds += 1;
            moved = distance(&prices, &before);
            let go_on = watch(&prices, moved);
            if moved <= tolerance {
                return Sought { prices, rounds, moved, at_rest: true, cycle: vec![] };
            }
            if method == Method::GaussSeidel {
                if let Some(earlier) = known.iter().position(|other| distance(other, &prices) <= same)
                    && moved > same
                {
                    let cycle = known.split_off(earlier);
                    return Sought { prices, rounds, moved, at_rest: false, cycle };
                }
                known.push(prices.clone());
            }
            if !go_on {
                break;
            }
        }
        Sought { prices, rounds, moved, at_rest: false, cycle: vec![] }
    }

    /// The farthest that a price moves in a round.
    pub(super) fn longest_move(&self) -> f64 {
        LONGEST * (self.price_max - self.price_min)
    }

    /// Prices that follow their slopes, none further than `most`.
    pub(super) fn moved(&self, prices: &[f64], slopes: &[f64], steps: &[f64], most: f64) -> Vec<f64> {
        let next = |((p, slope), step): ((&f64, &f64), &f64)| self.clipped(p + (step * slope).clamp(-most, most));
        prices.iter().zip(slopes).zip(steps).map(next).collect()
    }
}

pub(super) fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}
