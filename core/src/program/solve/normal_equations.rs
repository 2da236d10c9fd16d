//! Steps of the normal form by its normal equations: each factors `A diag(theta) A'`.
//!
//! `x` stays strictly inside its box, so that the only residuals are those of the rows and of the dual. The slacks are
//! kept beside `x`: where rows force a variable to its bound they fall below the rounding of `x`.

use super::predictor_corrector::{BackEnd, Ended, iterate};
use crate::linear::{Ldl, Pivots};
use crate::program::model::normal_form::{Normal, Point};

const MOST_ITERATIONS: usize = 60;
/// Iterations from a point that was best for other costs; where they do not do, it is no good start.
const MOST_WARM_ITERATIONS: usize = 25;
/// How far such a point is drawn inside, as a share of the ranges, and what a bound is worth there at least.
const DRAWN_INSIDE: f64 = 0.03;
const WARM_MONEY: f64 = 1e-4;

/// The method's iterate and workspace.
pub(super) struct NormalEquations<'a, 'p> {
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
    /// Mean complementarity that ends the search, and of the iterate.
    target: f64,
    mu: f64,
    /// Iterations that an attempt may take, and what is left of them.
    most: usize,
    left: usize,
    work: Work,
}

/// Space that every iteration uses again. By variable: inverse slacks, `theta`, the gradient of the Lagrangian, a step of `x`
/// (before its solve: the part that does not depend on the rows' duals), `A'y`, steps of the multipliers. By row: residual,
/// right-hand side, step of the dual.
struct Work {
    inverse_lower: Vec<f64>,
    inverse_upper: Vec<f64>,
    theta: Vec<f64>,
    gradient: Vec<f64>,
    dx: Vec<f64>,
    pull: Vec<f64>,
    dzl: Vec<f64>,
    dzu: Vec<f64>,
    residual: Vec<f64>,
    rhs: Vec<f64>,
    dy: Vec<f64>,
}

impl<'a, 'p> NormalEquations<'a, 'p> {
    /// Starts in the middle of the box, with multipliers that make every range worth the money at stake.
    pub fn new(problem: &'a Normal<'p>) -> Self {
        let x = problem.lower.iter().zip(&problem.range).map(|(l, r)| l + 0.5 * r).collect();
        let slack: Vec<f64> = problem.range.iter().map(|r| 0.5 * r).collect();
        let z: Vec<f64> = problem.range.iter().map(|r| 1.0 / r).collect();
        let (variables, rows) = (vec![0.0; problem.linear.len()], vec![0.0; problem.rhs.len()]);
        Self {
            problem,
            kernel: Ldl::new(problem.pattern),
            point: Point { x, y: rows.clone() },
            below: slack.clone(),
            above: slack,
            at_lower: z.clone(),
            at_upper: z,
            target: 0.0,
            mu: f64::INFINITY,
            most: MOST_ITERATIONS,
            left: 0,
            work: Work {
                inverse_lower: variables.clone(),
                inverse_upper: variables.clone(),
                theta: variables.clone(),
                gradient: variables.clone(),
                dx: variables.clone(),
                pull: variables.clone(),
                dzl: variables.clone(),
                dzu: variables,
                residual: rows.clone(),
                rhs: rows.clone(),
                dy: rows,
            },
        }
    }

    /// Starts near a point that was best for other costs: drawn inside its box, with multipliers that know its reduced costs.
    pub fn warm(problem: &'a Normal<'p>, near: &Point) -> Self {
        let mut start = Self::new(problem);
        start.most = MOST_WARM_ITERATIONS;
        start.point.y.copy_from_slice(&near.y);
        problem.transposed(&near.y, &mut start.work.pull);
        for j in 0..problem.linear.len() {
            let (lower, upper) = (problem.lower[j], problem.upper[j]);
            let margin = DRAWN_INSIDE * problem.range[j];
            let x = near.x[j].max(lower + margin).min(upper - margin);
            let (below, above) = (x - lower, upper - x);
            let reduced = problem.curvature[j] * x + problem.linear[j] - start.work.pull[j];
            start.at_lower[j] = (WARM_MONEY / below).max(reduced);
            start.at_upper[j] = (WARM_MONEY / above).max(-reduced);
            (start.point.x[j], start.below[j], start.above[j]) = (x, below, above);
        }
        start
    }

    /// Iterates until the mean complementarity product is at most `target`, rows and dual nearly satisfied.
    pub fn descend(&mut self, target: f64) -> Ended {
        (self.target, self.left) = (target, self.most);
        iterate(self)
    }

    fn pairs(&self) -> f64 {
        (2 * self.point.x.len()).max(1) as f64
    }

    /// Solves for the step whose part without duals is `dx`; `pull` is `A'dy`.
    fn solve(&mut self) {
        let Work { residual, rhs, dx, dy, pull, .. } = &mut self.work;
        rhs.copy_from_slice(residual);
        self.problem.subtract(dx, rhs);
        self.kernel.solve(rhs, dy);
        self.problem.transposed(dy, pull);
    }
}

impl BackEnd for NormalEquations<'_, '_> {
    fn assess(&mut self) -> Option<Ended> {
        if self.left == 0 {
            return Some(Ended::Stuck);
        }
        let p = self.problem;
        let n = p.linear.len();
        self.mu = 0.0;
        let work = &mut self.work;
        p.transposed(&self.point.y, &mut work.pull);
        p.residual(&self.point.x, &mut work.residual);
        let (h, q, range, x, pull) =
            (&p.curvature[..n], &p.linear[..n], &p.range[..n], &self.point.x[..n], &work.pull[..n]);
        let (sl, su, zl, zu) = (&self.below[..n], &self.above[..n], &self.at_lower[..n], &self.at_upper[..n]);
        let (inverse_lower, inverse_upper) = (&mut work.inverse_lower[..n], &mut work.inverse_upper[..n]);
        let (theta, gradient, dx) = (&mut work.theta[..n], &mut work.gradient[..n], &mut work.dx[..n]);
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
        mu /= self.pairs();
        self.mu = mu;
        let target = self.target;
        if n == 0 || (mu <= target && dual <= (10.0 * target).max(4e-10) && p.relative(&self.work.residual) <= 1e-4) {
            return Some(Ended::Reached);
        }
        (mu.is_nan() || mu <= 1e-17).then_some(Ended::Stuck)
    }

    fn factor(&mut self) {
        self.left -= 1;
        self.problem.weigh(&self.work.theta, &mut self.kernel.values);
        // A row whose weights have vanished keeps its dual.
        self.kernel.factor(&Pivots::Signed { floor: None, replacement: &|_| 1e30 });
    }

    fn predict(&mut self) -> f64 {
        self.solve();
        let n = self.point.x.len();
        let (sl, su, zl, zu) = (&self.below[..n], &self.above[..n], &self.at_lower[..n], &self.at_upper[..n]);
        let work = &mut self.work;
        let (inverse_lower, inverse_upper) = (&work.inverse_lower[..n], &work.inverse_upper[..n]);
        let (theta, pull) = (&work.theta[..n], &work.pull[..n]);
        let (dx, dzl, dzu) = (&mut work.dx[..n], &mut work.dzl[..n], &mut work.dzu[..n]);
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
        ahead / (self.pairs() * self.mu)
    }

    fn centre(&self, ratio: f64) -> f64 {
        self.mu * ratio * ratio * ratio
    }

    fn correct(&mut self, centre: f64) {
        let n = self.point.x.len();
        let work = &mut self.work;
        let (inverse_lower, inverse_upper) = (&work.inverse_lower[..n], &work.inverse_upper[..n]);
        let (theta, gradient) = (&work.theta[..n], &work.gradient[..n]);
        let (dx, dzl, dzu) = (&mut work.dx[..n], &mut work.dzl[..n], &mut work.dzu[..n]);
        for j in 0..n {
            dzl[j] = (centre - dx[j] * dzl[j]) * inverse_lower[j];
            dzu[j] = (centre + dx[j] * dzu[j]) * inverse_upper[j];
            dx[j] = theta[j] * (dzl[j] - dzu[j] - gradient[j]);
        }
        self.solve();
        let work = &mut self.work;
        let (inverse_lower, inverse_upper) = (&work.inverse_lower[..n], &work.inverse_upper[..n]);
        let (theta, pull) = (&work.theta[..n], &work.pull[..n]);
        let (dx, dzl, dzu) = (&mut work.dx[..n], &mut work.dzl[..n], &mut work.dzu[..n]);
        let (l, u, x) = (&self.problem.lower[..n], &self.problem.upper[..n], &mut self.point.x[..n]);
        let (sl, su) = (&mut self.below[..n], &mut self.above[..n]);
        let (zl, zu) = (&mut self.at_lower[..n], &mut self.at_upper[..n]);
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
        for (y, d) in self.point.y.iter_mut().zip(&work.dy) {
            *y += step * d;
        }
    }
}

/// The larger of two numbers, compiled to one instruction (NaN is caught elsewhere).
#[inline(always)]
fn larger(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}
