//! Whether a rest point is stable, and how fast it is reached: eigenvalues on the directions that keep shares summing to 1,
//! functions that fall along the way, and the test by invaders.

use super::{Dynamics, PopulationGame};
use crate::random;
use nalgebra::{DMatrix, Schur};
use rand::RngExt;

/// Rounds of an eigenvalue iteration.
const MOST_ROUNDS: usize = 10_000;

impl PopulationGame {
    /// `dF_ij / dx_kl`.
    pub fn payoff_jacobian(&self) -> DMatrix<f64> {
        let m = self.options;
        let n = self.base.len();
        DMatrix::from_fn(n, n, |a, b| {
            if a % m != b % m {
                return 0.0;
            }
            let own = if a == b { self.own[a] } else { 0.0 };
            -(self.slope[a % m] + own) * self.mass[b / m]
        })
    }

    /// Eigenvalues of the payoffs on the directions that shares can move in, ascending: below 0 the game is contractive, and its
    /// equilibrium unique, evolutionarily stable and reached from everywhere.
    pub fn payoff_eigenvalues(&self) -> Option<Vec<f64>> {
        self.on_tangent(&self.payoff_jacobian())
    }

    /// Eigenvalues of a dynamics at a rest point, ascending and all real, for the game has a potential: below 0 the rest point is
    /// stable. A step below `2 / |least|` keeps it so. `None` where the dynamics has no derivative there (Brown, von Neumann and
    /// Nash; Smith; projection where an option is unused).
    pub fn eigenvalues(&self, rule: Dynamics, shares: &[f64]) -> Option<Vec<f64>> {
        let m = self.options;
        let df = self.payoff_jacobian();
        let costs = self.costs(shares);
        let n = shares.len();
        let mean = |i: usize| -> f64 { self.row(shares, i).iter().zip(self.row(&costs, i)).map(|(x, c)| x * c).sum() };
        let means: Vec<f64> = (0..self.buyers()).map(mean).collect();
        let (noise, weights) = match rule {
            Dynamics::Replicator { .. } => (1.0, shares),
            Dynamics::Logit { noise } => (noise, shares),
            Dynamics::Projection if shares.iter().all(|x| *x > 0.0) => return self.on_tangent(&df),
            _ => return None,
        };
        // x_k (dF_k - sum_m x_m dF_m) of the buyer's own options
        let spread = DMatrix::from_fn(n, n, |a, b| {
            let of = (a / m) * m..(a / m + 1) * m;
            let average: f64 = of.map(|k| weights[k] * df[(k, b)]).sum();
            weights[a] * (df[(a, b)] - average) / noise
        });
        let jacobian = match rule {
            Dynamics::Logit { .. } => spread - DMatrix::identity(n, n),
            _ => DMatrix::from_fn(n, n, |a, b| {
                let same_buyer = a / m == b / m;
                let diagonal = if a == b { means[a / m] - costs[a] } else { 0.0 };
                let copied = if same_buyer { shares[a] * costs[b] } else { 0.0 };
                diagonal + spread[(a, b)] + copied
            }),
        };
        self.on_tangent(&jacobian)
    }

    /// Eigenvalues of a matrix on the directions that keep every buyer's shares summing to 1.
    fn on_tangent(&self, matrix: &DMatrix<f64>) -> Option<Vec<f64>> {
        let (m, b) = (self.options, self.buyers());
        if m == 1 {
            return Some(vec![]);
        }
        // Helmert's basis: orthonormal, and each column sums to 0.
        let basis = DMatrix::from_fn(m * b, (m - 1) * b, |row, column| {
            if row / m != column / (m - 1) {
                return 0.0;
            }
            let (j, k) = (row % m, column % (m - 1) + 1);
            let norm = ((k * (k + 1)) as f64).sqrt();
            match j.cmp(&k) {
                std::cmp::Ordering::Less => 1.0 / norm,
                std::cmp::Ordering::Equal => -(k as f64) / norm,
                std::cmp::Ordering::Greater => 0.0,
            }
        });
        let inner = basis.transpose() * matrix * &basis;
        let values = Schur::try_new(inner, f64::EPSILON, MOST_ROUNDS)?.complex_eigenvalues();
        let mut values: Vec<f64> = values.iter().map(|value| value.re).collect();
        values.sort_by(f64::total_cmp);
        Some(values)
    }

    /// `sum_i D_i sum_j x*_ij ln(x*_ij / x_ij)`: falls along the replicator towards an equilibrium `x*`.
    pub fn divergence(&self, rest: &[f64], shares: &[f64]) -> f64 {
        let terms = rest.iter().zip(shares).enumerate().filter(|(_, (r, _))| **r > 0.0);
        terms.map(|(k, (r, x))| self.mass[k / self.options] * r * (r / x).ln()).sum()
    }

    /// `sum_ij D_i ([F_ij - F_i]+)^2 / 2`: falls along the dynamics of Brown, von Neumann and Nash.
    pub fn excess(&self, shares: &[f64]) -> f64 {
        let costs = self.costs(shares);
        let of_buyer = |i: usize| -> f64 {
            let (x, c) = (self.row(shares, i), self.row(&costs, i));
            let mean: f64 = x.iter().zip(c).map(|(x, c)| x * c).sum();
            0.5 * self.mass[i] * c.iter().map(|c| (mean - c).max(0.0).powi(2)).sum::<f64>()
        };
        (0..self.buyers()).map(of_buyer).sum()
    }

    /// `sum_ijk D_i x_ij ([F_ik - F_ij]+)^2`: falls along Smith's dynamics.
    pub fn envy(&self, shares: &[f64]) -> f64 {
        let costs = self.costs(shares);
        let of_buyer = |i: usize| -> f64 {
            let (x, c) = (self.row(shares, i), self.row(&costs, i));
            let envy = |j: usize| -> f64 { c.iter().map(|other| (c[j] - other).max(0.0).powi(2)).sum() };
            self.mass[i] * (0..x.len()).map(|j| x[j] * envy(j)).sum::<f64>()
        };
        (0..self.buyers()).map(of_buyer).sum()
    }

    /// The test of evolutionary stability by sampled invaders `y`: the greatest `sum_i D_i (y_i - x_i) F_i(y) / |y - x|^2`, money. Below
    /// 0 no invader of the sample gains a foothold at `x`.
    pub fn invasion(&self, rest: &[f64], samples: usize, seed: u64) -> f64 {
        let m = self.options;
        let mut stream = random::stream(seed, "invaders", 0, 0);
        let mut worst = f64::NEG_INFINITY;
        for sample in 0..samples {
            // Uniform on the simplex, half of them drawn close to the rest point.
            let mut y: Vec<f64> = rest.iter().map(|_| -stream.random::<f64>().max(f64::MIN_POSITIVE).ln()).collect();
            let near = if sample % 2 == 0 { 1.0 } else { 1e-3 };
            for (row, x) in y.chunks_exact_mut(m).zip(rest.chunks_exact(m)) {
                let sum: f64 = row.iter().sum();
                row.iter_mut().zip(x).for_each(|(y, x)| *y = x + near * (*y / sum - x));
            }
            let costs = self.costs(&y);
            let terms = || y.iter().zip(rest).zip(&costs).enumerate();
            let gain: f64 = terms().map(|(k, ((y, x), c))| -self.mass[k / m] * (y - x) * c).sum();
            let distance: f64 = terms().map(|(_, ((y, x), _))| (y - x).powi(2)).sum();
            if distance > 0.0 {
                worst = worst.max(gain / distance);
            }
        }
        worst
    }
}
