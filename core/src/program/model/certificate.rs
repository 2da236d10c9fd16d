//! The certificate: feasibility and optimality gap of a point, whoever computed it. Knows no solver.

use super::Instance;
use super::cone::ConeDual;
use super::flows::Divisor;

/// How good a point is, proven by weak duality and nothing else.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Certificate {
    /// Largest violation of a row (or of a disc or cone); bounds hold exactly.
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
    ///
    /// With squared currents `l = phi(x)` in the rows, `eta` their prices, the reduced costs include `eta grad phi`, and a
    /// negative price adds `[-eta]+ D`, `D = |S - v S^/v^|^2 / v` being the Bregman distance of `phi` over the box.
    pub fn of(problem: &Instance, x: &[f64], y: &[f64]) -> Self {
        Self::with_cones(problem, x, y, &[])
    }

    /// The same with duals `(t, u)` of second-order cones `||F x + g|| <= c'x + d`: they take `t c + F'u` from the reduced costs,
    /// and `t (c'x + d) + u'(F x + g)`, which is not negative inside the cone, adds to the gap. A dual outside its cone, whose
    /// `t` is less than `||u||`, counts with `t = ||u||`; a dual that is not given counts as zero.
    pub fn with_cones(problem: &Instance, x: &[f64], y: &[f64], cones: &[ConeDual]) -> Self {
        let mut reduced = problem.linear.clone();
        let mut residual = problem.rhs.clone();
        for (i, row) in problem.rows().iter().enumerate() {
            for &(v, a) in row {
                reduced[v.index()] -= a * y[i];
                residual[i] -= a * x[v.index()];
            }
        }
        let nonconvex = bend(problem, x, y, &mut reduced, &mut residual);
        let mut gap = nonconvex + problem.price_cones(x, cones, &mut reduced);
        let mut objective = problem.constant;
        for j in 0..x.len() {
            let (h, c, lo, hi) = (problem.curvature[j], reduced[j], problem.lower[j], problem.upper[j]);
            // Also right where a caller made the cost concave: then an end of the range is best.
            let best = if h > 0.0 {
                (-c / h).clamp(lo, hi)
            } else if 0.5 * h * (lo + hi) + c >= 0.0 {
                lo
            } else {
                hi
            };
            // A zero reduced cost contributes nothing whatever `best` is.
            if h != 0.0 || c != 0.0 {
                gap += (x[j] - best) * (0.5 * h * (x[j] + best) + c);
            }
            objective += (0.5 * problem.curvature[j] * x[j] + problem.linear[j]) * x[j];
        }
        let slack: f64 = residual.iter().zip(y).map(|(r, y)| r * y).sum();
        let feasibility =
            residual.iter().fold(0.0, |worst: f64, r| if r.is_nan() { f64::INFINITY } else { worst.max(r.abs()) });
        let feasibility =
            problem.discs().iter().fold(feasibility, |worst, d| worst.max(x[d.a].hypot(x[d.b]) - d.radius));
        let feasibility = problem.cones().iter().fold(feasibility, |worst, cone| {
            let excess = cone.excess(x);
            if excess.is_nan() { f64::INFINITY } else { worst.max(excess) }
        });
        let gap = if gap.is_nan() { f64::INFINITY } else { gap - slack };
        Self { feasibility, gap, objective }
    }
}

/// Adds flows and discs to the reduced costs and residuals; returns what they add to the gap.
fn bend(problem: &Instance, x: &[f64], y: &[f64], reduced: &mut [f64], residual: &mut [f64]) -> f64 {
    let mut gap = 0.0;
    for f in problem.flows() {
        let ((l, v), eta) = (f.square_current(x), f.price(y));
        for &(i, e) in &f.effect {
            residual[i] -= e * l;
        }
        reduced[f.p] += eta * 2.0 * x[f.p] / v;
        reduced[f.q] += eta * 2.0 * x[f.q] / v;
        let (low, high) = match f.v {
            Divisor::Constant(v) => (v, v),
            Divisor::Variable(j, factor) => {
                reduced[j] -= eta * l / v * factor;
                (factor * problem.lower[j], factor * problem.upper[j])
            }
        };
        if eta < 0.0 {
            let most = |j: usize| problem.lower[j].abs().max(problem.upper[j].abs());
            let reach = most(f.p).hypot(most(f.q)) + high * x[f.p].hypot(x[f.q]) / v;
            gap -= eta * reach * reach / low;
        }
    }
    for d in problem.discs() {
        let size = x[d.a] * x[d.a] + x[d.b] * x[d.b];
        let slack = d.radius * d.radius - size;
        // Any multiplier proves a bound; at the rim the best one leaves no gradient across it.
        let slope = |j: usize| reduced[j] + problem.curvature[j] * x[j];
        let w = (-(slope(d.a) * x[d.a] + slope(d.b) * x[d.b]) / (2.0 * size)).max(0.0);
        if slack <= 1e-5 * d.radius * d.radius && w.is_finite() {
            reduced[d.a] += 2.0 * w * x[d.a];
            reduced[d.b] += 2.0 * w * x[d.b];
            gap += w * slack;
        }
    }
    gap
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::{Cost, Expr, Program};

    /// min x^2 + 3 y on x + y = 2, both in [0, 2]: x = 3/2, y = 1/2, dual 3, least cost 15/4.
    fn two_variables() -> Instance {
        let mut program = Program::new();
        let (x, y) = (program.var(0.0, 2.0), program.var(0.0, 2.0));
        program.equal(Expr::from(x).plus(1.0, y), 2.0, "sum", None);
        let mut cost = Cost::default();
        cost.add(3.0, y).add_square(1.0, x);
        program.add_cost(&cost);
        program.compile().instance()
    }

    #[test]
    fn the_optimum_has_no_gap() {
        let c = Certificate::of(&two_variables(), &[1.5, 0.5], &[3.0]);
        assert_eq!(c, Certificate { feasibility: 0.0, gap: 0.0, objective: 3.75 });
    }

    #[test]
    fn a_feasible_point_costs_at_most_its_gap_more() {
        // At (1, 1) the cost is 4, a quarter too much; with the right dual the gap is exactly that.
        let c = Certificate::of(&two_variables(), &[1.0, 1.0], &[3.0]);
        assert!((c.gap - 0.25).abs() < 1e-15 && c.objective == 4.0, "{c:?}");
        // With a dual of 2: the Lagrangian's least value is 1^2 - 2*1 + 0 + 4 = 3.
        let c = Certificate::of(&two_variables(), &[1.0, 1.0], &[2.0]);
        assert!((c.gap - 1.0).abs() < 1e-15, "{c:?}");
    }

    #[test]
    fn an_infeasible_point_shows_its_residual() {
        let c = Certificate::of(&two_variables(), &[1.0, 0.5], &[3.0]);
        assert_eq!(c.feasibility, 0.5);
    }

    #[test]
    fn a_concave_cost_is_bounded_by_its_better_end() {
        // max x^2 on [-1, 2] is 4; at 0 the gap is 4.
        let mut program = Program::new();
        let v = program.var(-1.0, 2.0);
        let mut problem = program.compile().instance();
        problem.add_square(v, -1.0, 0.0);
        assert_eq!(Certificate::of(&problem, &[0.0], &[]).gap, 4.0);
    }

    #[test]
    fn what_is_not_a_number_is_not_feasible() {
        let c = Certificate::of(&two_variables(), &[f64::NAN, 0.5], &[3.0]);
        assert!(c.feasibility == f64::INFINITY && c.gap == f64::INFINITY);
    }
}
