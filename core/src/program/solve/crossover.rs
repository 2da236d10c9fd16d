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
    let mut refinement = Refinement::new(problem);
    let quality = refinement.refine(problem, start, most_steps)?;
    Some((refinement.best, quality))
}

/// The method's workspace. It may be used again for the same normal form with other costs: the last factors stay, and where
/// the same variables are free as then, nothing is factored.
#[derive(Debug)]
pub(super) struct Refinement<'p> {
    /// The best point of the last refinement that found one.
    pub best: Point,
    /// Newton steps of the last refinement, and factorisations among them.
    pub steps: usize,
    pub factorisations: usize,
    kernel: Ldl<'p>,
    pull: Vec<f64>,
    give: Vec<f64>,
    floor: Vec<f64>,
    point: Point,
    centre: Vec<f64>,
    wish: Vec<f64>,
    slope: Vec<f64>,
    weight: Vec<f64>,
    residual: Vec<f64>,
    dy: Vec<f64>,
    free: Vec<bool>,
    factored: bool,
}

impl<'p> Refinement<'p> {
    pub fn new(problem: &Normal<'p>) -> Self {
        let (n, m) = (problem.linear.len(), problem.rhs.len());
        let nowhere = || Point { x: vec![0.0; n], y: vec![0.0; m] };
        let mut refinement = Self {
            best: nowhere(),
            steps: 0,
            factorisations: 0,
            kernel: Ldl::new(problem.pattern),
            pull: vec![0.0; n],
            give: vec![0.0; n],
            floor: vec![],
            point: nowhere(),
            centre: vec![0.0; n],
            wish: vec![0.0; n],
            slope: vec![0.0; n],
            weight: vec![0.0; n],
            residual: vec![0.0; m],
            dy: vec![0.0; m],
            free: vec![false; n],
            factored: false,
        };
        refinement.weigh(problem);
        refinement
    }

    /// Takes the curvature of the problem.
    pub fn weigh(&mut self, problem: &Normal) {
        for (j, pull) in self.pull.iter_mut().enumerate() {
            *pull = (PULL / problem.range[j].min(1.0).powi(2) - problem.curvature[j]).max(0.0);
            self.give[j] = 1.0 / (problem.curvature[j] + *pull);
        }
        // A pivot far below what the row would have with every variable free belongs to a row without a free variable.
        self.floor = problem.weighed_diagonal(&self.give);
        self.floor.iter_mut().for_each(|d| *d *= 1e-11);
        self.factored = false;
    }

    /// Forgets the factors.
    pub fn forget(&mut self) {
        self.factored = false;
    }

    /// Refines `start` to [`best`](Self::best); returns its quality, or nothing where no point whose rows hold was found within
    /// the budget of Newton steps.
    pub fn refine(&mut self, problem: &Normal, start: &Point, most_steps: usize) -> Option<Quality> {
        let n = problem.linear.len();
        let (lower, upper, linear) = (&problem.lower[..n], &problem.upper[..n], &problem.linear[..n]);
        (self.steps, self.factorisations) = (0, 0);
        self.point.y.copy_from_slice(&start.y);
        self.centre.copy_from_slice(&start.x);
        let mut best: Option<Quality> = None;
        let mut last = f64::INFINITY;
        for round in 0..ROUNDS {
            problem.transposed(&self.point.y, &mut self.slope);
            let (wish, x, slope) = (&mut self.wish[..n], &mut self.point.x[..n], &self.slope[..n]);
            let (pull, give, centre) = (&self.pull[..n], &self.give[..n], &self.centre[..n]);
            for j in 0..n {
                wish[j] = (slope[j] - linear[j] + pull[j] * centre[j]) * give[j];
                x[j] = clip(wish[j], lower[j], upper[j]);
            }
            problem.residual(&self.point.x, &mut self.residual);
            loop {
                let miss = problem.relative(&self.residual);
                if miss <= RESIDUAL {
                    break;
                }
                // Also ends on NaN, of which `relative` makes a zero only if every row is.
                if self.steps >= most_steps || !miss.is_finite() {
                    return best;
                }
                self.steps += 1;
                self.face(problem, miss);
                self.kernel.solve(&self.residual, &mut self.dy);
                problem.transposed(&self.dy, &mut self.slope);
                let initial = dot(&self.residual, &self.dy);
                let step = search(problem, &self.point.x, &self.wish, &self.slope, &self.give, initial);
                for (y, d) in self.point.y.iter_mut().zip(&self.dy) {
                    *y += step * d;
                }
                let (wish, x, slope) = (&mut self.wish[..n], &mut self.point.x[..n], &self.slope[..n]);
                let give = &self.give[..n];
                for j in 0..n {
                    wish[j] += step * slope[j] * give[j];
                    x[j] = clip(wish[j], lower[j], upper[j]);
                }
                problem.residual(&self.point.x, &mut self.residual);
            }
            let quality = problem.certify(&self.point, &mut self.slope, &mut self.residual);
            let stalled = round > 1 && quality.gap > 0.5 * last;
            last = quality.gap;
            self.centre.copy_from_slice(&self.point.x);
            if best.is_none_or(|b| quality.gap < b.gap) {
                best = Some(quality);
                self.best.x.copy_from_slice(&self.point.x);
                self.best.y.copy_from_slice(&self.point.y);
            }
            if stalled || quality.within(EXACT) {
                break;
            }
        }
        best
    }

    /// Factors the rows over the variables that are free, unless these are the same as at the last factors.
    fn face(&mut self, problem: &Normal, miss: f64) {
        let n = problem.linear.len();
        let (lower, upper) = (&problem.lower[..n], &problem.upper[..n]);
        let (wish, free) = (&self.wish[..n], &mut self.free[..n]);
        let mut changed = !self.factored;
        for j in 0..n {
            let inside = wish[j] > lower[j] && wish[j] < upper[j];
            changed |= inside != free[j];
            free[j] = inside;
        }
        if changed {
            let (weight, give) = (&mut self.weight[..n], &self.give[..n]);
            for j in 0..n {
                weight[j] = if free[j] { give[j] } else { 0.0 };
            }
            problem.weigh(&self.weight, &mut self.kernel.values);
            let replacement = |i: usize| 2.0 * miss * problem.size[i] * problem.size[i];
            self.kernel.factor(&Pivots::Signed { floor: Some(&self.floor), replacement: &replacement });
            self.factored = true;
            self.factorisations += 1;
        }
    }
}

/// Root of the derivative of the dual along the step, `initial - sum_j s_j (clip(w_j + a s_j d_j) - x_j)`, to a tenth of
/// its initial value. It decreases and is piecewise linear: Newton's method in a bracket, which grows by fours.
fn search(problem: &Normal, x: &[f64], wish: &[f64], slope: &[f64], give: &[f64], initial: f64) -> f64 {
    let n = x.len();
    let (lower, upper) = (&problem.lower[..n], &problem.upper[..n]);
    let (wish, slope, give) = (&wish[..n], &slope[..n], &give[..n]);
    let derivative = |a: f64| {
        let (mut value, mut bend) = (initial, 0.0);
        for j in 0..n {
            let v = wish[j] + a * slope[j] * give[j];
            let inside = clip(v, lower[j], upper[j]);
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
