//! The certificate: feasibility and optimality gap of a point, whoever computed it. Knows no solver.

use super::Instance;

/// How good a point is, proven by weak duality and nothing else.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Certificate {
    /// Largest violation of an equality row; bounds hold exactly.
    pub feasibility: f64,
    /// `f(x) - f* <= gap`: the duality gap of the point with its multipliers.
    pub gap: f64,
    /// Objective at the point.
    pub objective: f64,
}

impl Certificate {
    /// Certifies `x` (within its bounds) with multipliers `y` of the rows.
    ///
    /// With `r = b - A x` and reduced costs `c = q - A'y`, the Lagrangian's minimiser over the box is
    /// `xi_j = clip(-c_j / h_j)`, and `gap = sum_j (x_j - xi_j)(h_j/2 (x_j + xi_j) + c_j) - y'r`: every term of the sum is
    /// non-negative and vanishes exactly where `x_j = xi_j`.
    pub fn of(problem: &Instance, x: &[f64], y: &[f64]) -> Self {
        let mut reduced = problem.linear.clone();
        let mut residual = problem.rhs.clone();
        for (i, row) in problem.rows().iter().enumerate() {
            for &(v, a) in row {
                reduced[v.index()] -= a * y[i];
                residual[i] -= a * x[v.index()];
            }
        }
        let mut gap = 0.0;
        let mut objective = problem.constant;
        for j in 0..x.len() {
            let (h, c, lo, hi) = (problem.curvature[j], reduced[j], problem.lower[j], problem.upper[j]);
            let best = if h > 0.0 {
                (-c / h).clamp(lo, hi)
            } else if c >= 0.0 {
                lo
            } else {
                hi
            };
            // A zero reduced cost contributes nothing whatever `best` is.
            if h > 0.0 || c != 0.0 {
                gap += (x[j] - best) * (0.5 * h * (x[j] + best) + c);
            }
            objective += (0.5 * problem.curvature[j] * x[j] + problem.linear[j]) * x[j];
        }
        let slack: f64 = residual.iter().zip(y).map(|(r, y)| r * y).sum();
        let feasibility =
            residual.iter().fold(0.0, |worst: f64, r| if r.is_nan() { f64::INFINITY } else { worst.max(r.abs()) });
        let gap = if gap.is_nan() { f64::INFINITY } else { gap - slack };
        Self { feasibility, gap, objective }
    }
}
