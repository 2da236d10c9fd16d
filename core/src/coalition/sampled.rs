//! The Shapley value of many players, from orders drawn at random.

use crate::random::Stream;
use rand::seq::SliceRandom;

/// Estimates with their standard errors.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampled {
    /// Estimate of each player's share; they add up to the gain of all exactly.
    pub division: Vec<f64>,
    /// Standard error of each; infinite where a single pair of orders was drawn.
    pub standard_error: Vec<f64>,
    /// Orders drawn.
    pub orders: usize,
}

/// `pairs` orders of the players drawn uniformly, each followed by its reverse: who comes early in one comes late in the other,
/// so that their errors tend to cancel.
pub fn antithetic_orders(players: usize, pairs: usize, stream: &mut Stream) -> Vec<Vec<usize>> {
    let mut orders = Vec::with_capacity(2 * pairs);
    for _ in 0..pairs {
        let mut order: Vec<usize> = (0..players).collect();
        order.shuffle(stream);
        let reverse = order.iter().rev().copied().collect();
        orders.push(order);
        orders.push(reverse);
    }
    orders
}

/// Average marginal contribution over orders that come in pairs, as [`antithetic_orders`] draws them:
/// `worth(k, j)` is what the first `j` players of order `k` gain together, `j` from 0 (nothing) to all.
///
/// The standard error is that of the mean over pairs, each pair one draw.
///
/// # Panics
/// If orders do not come in pairs.
pub fn sampled_shapley(orders: &[Vec<usize>], worth: impl Fn(usize, usize) -> f64) -> Sampled {
    assert!(!orders.is_empty() && orders.len().is_multiple_of(2), "orders come in pairs");
    let n = orders[0].len();
    let contributions = |k: usize| {
        let mut of = vec![0.0; n];
        for (j, player) in orders[k].iter().enumerate() {
            of[*player] = worth(k, j + 1) - worth(k, j);
        }
        of
    };
    let pairs: Vec<Vec<f64>> = (0..orders.len() / 2)
        .map(|p| {
            let (forward, back) = (contributions(2 * p), contributions(2 * p + 1));
            forward.iter().zip(&back).map(|(a, b)| 0.5 * (a + b)).collect()
        })
        .collect();
    let count = pairs.len() as f64;
    let mean = |i: usize| pairs.iter().map(|pair| pair[i]).sum::<f64>() / count;
    let division: Vec<f64> = (0..n).map(mean).collect();
    let error = |i: usize| {
        let squares: f64 = pairs.iter().map(|pair| (pair[i] - division[i]).powi(2)).sum();
        if pairs.len() > 1 { (squares / (count - 1.0) / count).sqrt() } else { f64::INFINITY }
    };
    Sampled { standard_error: (0..n).map(error).collect(), division, orders: orders.len() }
}
