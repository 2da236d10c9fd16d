//! From a nearly optimal point to an exact one: proximal points outside, a semismooth Newton method on the dual inside.
//!
//! Variables without curvature get a weak pull to the last point, which makes the dual of every round a concave, once
//! differentiable, piecewise quadratic function of the multipliers; its gradient is the residual of the rows. Once the
//! right variables are free the step is exact, and the answer lies on its bounds to the last digit. Ties and dependent
//! rows need nothing extra: the pull chooses a point, and a row without a free variable moves by half a price at most.

use crate::linear::{Ldl, Pivots};
use crate::program::model::normal_form::{Normal, Point, Quality};

const ROUNDS: usize = 12;
const RESIDUAL: f64 = 1e-12;
/// Weight of the pull, as money per squared range.
const PULL: f64 = 4e-5;
/// A gap that leaves nothing to gain.
pub(super) const EXACT: f64 = 1e-12;

/// Refines `start`; returns the best point whose rows hold, with its quality, or nothing within the
/// budget of Newton steps.
pub(super) fn refine(problem: &Normal, start: &Point, most_steps: usize) -> Option<(Point, Quality)> {
    let (n, m) = (problem.linear.len(), problem.rhs.len());
    let pull: Vec<f64> =
        (0..n).map(|j| (PULL / problem.range[j].min(1.0).powi(2) - problem.curvature[j]).max(0.0)).collect();
    let give: Vec<f64> = (0..n).map(|j| 1.0 / (problem.curvature[j] + pull[j])).collect();
    // A pivot far below what the row would have with every variable free belongs to a row without a free variable.
    let floor: Vec<f64> = problem.weighed_diagonal(&give).iter().map(|d| 1e-11 * d).collect();
    let mut kernel = Ldl::new(problem.pattern);
    let mut point = start.clone();
    let mut centre = start.x.clone();
    let (mut wish, mut slope, mut weight) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
    let (mut residual, mut dy) = (vec![0.0; m], vec![0.0; m]);
    let (mut free, mut factored) = (vec![false; n], false);
    let mut best: Option<(Point, Quality)> = None;
    let (mut steps, mut last) = (0, f64::INFINITY);
    for round in 0..ROUNDS {
        problem.transposed(&point.y, &mut slope);
        for j in 0..n {
            wish[j] = (slope[j] - problem.linear[j] + pull[j] * centre[j]) * give[j];
            point.x[j] = clip(wish[j], problem.lower[j], problem.upper[j]);
        }
        problem.residual(&point.x, &mut residual);
        loop {
            let miss = problem.relative(&residual);
            if miss <= RESIDUAL {
                break;
            }
            // Also ends on NaN, of which `relative` makes a zero only if every row is.
            if steps >= most_steps || !miss.is_finite() {
                return best;
            }
            steps += 1;
            let mut changed = !factored;
            for j in 0..n {
                let inside = wish[j] > problem.lower[j] && wish[j] < problem.upper[j];
                changed |= inside != free[j];
                free[j] = inside;
            }
            if changed {
                for j in 0..n {
                    weight[j] = if free[j] { give[j] } else { 0.0 };
                }
                problem.weigh(&weight, &mut kernel.values);
                let replacement = |i: usize| 2.0 * miss * problem.size[i] * problem.size[i];
                kernel.factor(&Pivots::Signed { floor: Some(&floor), replacement: &replacement });
                factored = true;
            }
            kernel.solve(&residual, &mut dy);
            problem.transposed(&dy, &mut slope);
            let step = search(problem, &point.x, &wish, &slope, &give, dot(&residual, &dy));
            for (y, d) in point.y.iter_mut().zip(&dy) {
                *y += step * d;
            }
            for j in 0..n {
                wish[j] += step * slope[j] * give[j];
                point.x[j] = clip(wish[j], problem.lower[j], problem.upper[j]);
            }
            problem.residual(&point.x, &mut residual);
        }
        let quality = problem.certify(&point, &mut slope, &mut residual);
        let stalled = round > 1 && quality.gap > 0.5 * last;
        last = quality.gap;
        centre.copy_from_slice(&point.x);
        if best.as_ref().is_none_or(|(_, b)| quality.gap < b.gap) {
            best = Some((point.clone(), quality));
        }
        if stalled || quality.within(EXACT) {
            break;
        }
    }
    best
}

/// Root of the derivative of the dual along the step, `initial - sum_j s_j (clip(w_j + a s_j d_j) - x_j)`, to a tenth of
/// its initial value. It decreases and is piecewise linear: Newton's method in a bracket, which grows by fours.
fn search(problem: &Normal, x: &[f64], wish: &[f64], slope: &[f64], give: &[f64], initial: f64) -> f64 {
    let derivative = |a: f64| {
        let (mut value, mut bend) = (initial, 0.0);
        for j in 0..x.len() {
            let v = wish[j] + a * slope[j] * give[j];
            let inside = clip(v, problem.lower[j], problem.upper[j]);
            value -= slope[j] * (inside - x[j]);
            if inside == v {
                bend += slope[j] * slope[j] * give[j];
            }
        }
        (value, bend)
    };
    let (mut low, mut high, mut a) = (0.0, f64::INFINITY, 1.0_f64);
    for _ in 0..40 {
        let (value, bend) = derivative(a);
        if value.abs() <= 0.1 * initial {
            break;
        }
        if value > 0.0 {
            low = a;
        } else {
            high = a;
        }
        let newton = if bend > 1e-300 { a + value / bend } else { f64::INFINITY };
        a = if newton > low && newton < high {
            newton.min(10.0 * a)
        } else if high.is_infinite() {
            4.0 * a
        } else if low == 0.0 {
            0.1 * high
        } else if high > 4.0 * low {
            (low * high).sqrt()
        } else {
            0.5 * (low + high)
        };
    }
    a
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// `v` within bounds that are known to be in order.
#[inline(always)]
fn clip(v: f64, lower: f64, upper: f64) -> f64 {
    let v = if v > lower { v } else { lower };
    if v < upper { v } else { upper }
}
