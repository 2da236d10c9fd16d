//! Whether an equilibrium in prices is the only one: diagonal strict concavity.

use super::PricingGame;
use crate::random;
use nalgebra::{DMatrix, SymmetricEigen};
use rand::RngExt;

impl PricingGame {
    /// The negative Jacobian of all profits' slopes, `-d(dU_j/dp_j)/dp_k`, with its transpose, halved.
    pub fn concavity_matrix(&self, prices: &[f64]) -> DMatrix<f64> {
        let n = self.sellers.len();
        let demand = self.demand(prices);
        let of = |j: usize| self.demand_slopes(prices, &demand.rest.shares, j);
        let slopes: Vec<Vec<f64>> = (0..n).map(of).collect();
        let jacobian = DMatrix::from_fn(n, n, |j, k| match () {
            // What it has is sold: its profit rises in its price at a constant rate.
            () if demand.totals[j] >= self.sellers[j].quantity => 0.0,
            () if j == k => 2.0 * slopes[j][j],
            () => slopes[k][j],
        });
        -0.5 * (&jacobian + jacobian.transpose())
    }

    /// Eigenvalues of [`Self::concavity_matrix`], ascending.
    pub fn concavity(&self, prices: &[f64]) -> Vec<f64> {
        let mut values: Vec<f64> =
            SymmetricEigen::new(self.concavity_matrix(prices)).eigenvalues.iter().copied().collect();
        values.sort_by(f64::total_cmp);
        values
    }

    /// The least eigenvalue over sampled prices at which every seller sells and none sells out. Where it is above 0 at all such
    /// prices, the game is diagonally strictly concave on them and has at most one equilibrium there (Rosen, 1965); on a sample it
    /// is evidence. `None` where no sample is of that kind.
    pub fn least_concavity(&self, samples: usize, seed: u64) -> Option<f64> {
        let (low, high) = self.range();
        let mut stream = random::stream(seed, "prices", 0, 0);
        let mut least = None;
        for _ in 0..samples {
            let prices: Vec<f64> = self.sellers.iter().map(|_| low + (high - low) * stream.random::<f64>()).collect();
            let totals = self.demand(&prices).totals;
            if totals.iter().zip(&self.sellers).all(|(y, seller)| *y > 0.0 && *y < seller.quantity) {
                let found = self.concavity(&prices).first().copied().unwrap_or(f64::INFINITY);
                least = Some(least.map_or(found, |least: f64| least.min(found)));
            }
        }
        least
    }
}
