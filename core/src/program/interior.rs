//! Interior point for the normal form: Mehrotra's predictor and corrector on the slacks to the bounds.
//!
//! `x` stays strictly inside its box, so that the only residuals are those of the rows and of the dual. The slacks are
//! kept beside `x`: where rows force a variable to its bound they fall below the rounding of `x`. Each iteration factors
//! `A diag(theta) A'` once. Source: S. Mehrotra (1992).

use super::ldl::{Ldl, Pivots};
use super::normal::{Normal, Point};

const MOST_ITERATIONS: usize = 60;

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// At the requested complementarity, rows and dual nearly satisfied.
    Reached,
    /// No progress that could be continued: infeasible, or out of digits.
    Stuck,
}

/// The method's iterate and workspace.
pub(super) struct Interior<'a, 'p> {
    problem: &'a Normal<'p>,
    kernel: Ldl<'p>,
    /// The current point.
    pub point: Point,
    /// Slacks to the lower and upper bounds.
    below: Vec<f64>,
    above: Vec<f64>,
    /// Multipliers of the lower and upper bounds.
    at_lower: Vec<f64>,
    at_upper: Vec<f64>,
    /// Iterations spent so far.
    pub iterations: usize,
}

impl<'a, 'p> Interior<'a, 'p> {
    /// Starts in the middle of the box, with multipliers that make every range worth the money at stake.
    pub fn new(problem: &'a Normal<'p>) -> Self {
        let x = problem.lower.iter().zip(&problem.range).map(|(l, r)| l + 0.5 * r).collect();
        let slack: Vec<f64> = problem.range.iter().map(|r| 0.5 * r).collect();
        let z: Vec<f64> = problem.range.iter().map(|r| 1.0 / r).collect();
        Self {
            problem,
            kernel: Ldl::new(problem.pattern),
            point: Point { x, y: vec![0.0; problem.rhs.len()] },
            below: slack.clone(),
            above: slack,
            at_lower: z.clone(),
            at_upper: z,
            iterations: 0,
        }
    }

    /// Iterates until the mean complementarity product is at most `target`.
    pub fn descend(&mut self, target: f64) -> Ended {
        let p = self.problem;
        let (n, m) = (p.linear.len(), p.rhs.len());
        let (h, q, l, u, range) = (&p.curvature[..n], &p.linear[..n], &p.lower[..n], &p.upper[..n], &p.range[..n]);
        let (sl, su) = (&mut self.below[..n], &mut self.above[..n]);
        let Point { x, y } = &mut self.point;
        let (x, zl, zu) = (&mut x[..n], &mut self.at_lower[..n], &mut self.at_upper[..n]);
        let mut space = vec![0.0; 8 * n];
        let (inverse_lower, rest) = space.split_at_mut(n);
        let (inverse_upper, rest) = rest.split_at_mut(n);
        let (theta, rest) = rest.split_at_mut(n);
        let (gradient, rest) = rest.split_at_mut(n);
        let (dx, rest) = rest.split_at_mut(n);
        let (pull, rest) = rest.split_at_mut(n);
        let (dzl, dzu) = rest.split_at_mut(n);
        let (mut residual, mut rhs, mut dy) = (vec![0.0; m], vec![0.0; m], vec![0.0; m]);
        // A row whose weights have vanished keeps its dual.
        let pivots = Pivots::Signed { floor: None, replacement: &|_| 1e30 };
        let pairs = (2 * n).max(1) as f64;
        for _ in 0..MOST_ITERATIONS {
            p.transposed(y, pull);
            p.residual(x, &mut residual);
            let (mut mu, mut dual) = (0.0, 0.0_f64);
            for j in 0..n {
                let (a, b) = (1.0 / sl[j], 1.0 / su[j]);
                let g = h[j] * x[j] + q[j] - pull[j];
                inverse_lower[j] = a;
                inverse_upper[j] = b;
                theta[j] = 1.0 / (h[j] + zl[j] * a + zu[j] * b);
                gradient[j] = g;
                dx[j] = -g * theta[j];
                dual = larger(dual, ((g - zl[j] + zu[j]) * range[j]).abs());
                mu += sl[j] * zl[j] + su[j] * zu[j];
            }
            mu /= pairs;
            if n == 0 || (mu <= target && dual <= (10.0 * target).max(4e-10) && p.relative(&residual) <= 1e-4) {
                return Ended::Reached;
            }
            if mu.is_nan() || mu <= 1e-17 {
                return Ended::Stuck;
            }
            self.iterations += 1;
            p.weigh(theta, &mut self.kernel.values);
            self.kernel.factor(&pivots);

            // Predictor: straight at complementarity zero.
            rhs.copy_from_slice(&residual);
            p.subtract(dx, &mut rhs);
            self.kernel.solve(&rhs, &mut dy);
            p.transposed(&dy, pull);
            let (mut shrink_x, mut shrink_z) = (1.0_f64, 1.0_f64);
            for j in 0..n {
                let d = theta[j] * pull[j] + dx[j];
                let (a, b) = (d * inverse_lower[j], d * inverse_upper[j]);
                shrink_x = larger(shrink_x, larger(-a, b));
                shrink_z = larger(shrink_z, larger(1.0 + a, 1.0 - b));
                dzl[j] = -zl[j] * (1.0 + a);
                dzu[j] = -zu[j] * (1.0 - b);
                dx[j] = d;
            }
            let (step_x, step_z) = (1.0 / shrink_x, 1.0 / shrink_z);
            let mut ahead = 0.0;
            for j in 0..n {
                ahead += (sl[j] + step_x * dx[j]) * (zl[j] + step_z * dzl[j])
                    + (su[j] - step_x * dx[j]) * (zu[j] + step_z * dzu[j]);
            }
            let ratio = ahead / (pairs * mu);
            let centre = mu * ratio * ratio * ratio;

            // Corrector: towards the centre, with the predictor's second-order term.
            for j in 0..n {
                dzl[j] = (centre - dx[j] * dzl[j]) * inverse_lower[j];
                dzu[j] = (centre + dx[j] * dzu[j]) * inverse_upper[j];
                dx[j] = theta[j] * (dzl[j] - dzu[j] - gradient[j]);
            }
            rhs.copy_from_slice(&residual);
            p.subtract(dx, &mut rhs);
            self.kernel.solve(&rhs, &mut dy);
            p.transposed(&dy, pull);
            let mut shrink = 0.995_f64;
            for j in 0..n {
                let d = theta[j] * pull[j] + dx[j];
                let (a, b) = (d * inverse_lower[j], d * inverse_upper[j]);
                dzl[j] -= zl[j] * (1.0 + a);
                dzu[j] -= zu[j] * (1.0 - b);
                shrink = larger(shrink, larger(larger(-a, b), larger(-dzl[j] / zl[j], -dzu[j] / zu[j])));
                dx[j] = d;
            }
            let step = 0.995 / shrink;
            for j in 0..n {
                sl[j] += step * dx[j];
                su[j] -= step * dx[j];
                // Counted from the nearer bound, so that it is exact there and never outside.
                x[j] = if sl[j] < su[j] { l[j] + sl[j] } else { u[j] - su[j] };
                zl[j] += step * dzl[j];
                zu[j] += step * dzu[j];
            }
            for (y, d) in y.iter_mut().zip(&dy) {
                *y += step * d;
            }
        }
        Ended::Stuck
    }
}

/// The larger of two numbers, compiled to one instruction (NaN is caught elsewhere).
#[inline(always)]
fn larger(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}
