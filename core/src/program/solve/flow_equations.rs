//! Steps of a program with power flows by its quasidefinite system: the flow equations themselves, without a cone.
//!
//! The target of the barrier never falls below a hundredth of the tolerance: a collapsed barrier would freeze the rows where
//! active limits depend on each other.

use super::flow_iterate::{Iterate, Residuals, Step, Work};
use super::flow_system::StepSystem;
use super::predictor_corrector::{BackEnd, Ended, iterate};
use crate::program::model::flow_pattern::FlowPattern;
use crate::program::model::flows::{FlowPoint, FlowProgram};

const MOST_ITERATIONS: usize = 100;
/// Iterations without a gain of a tenth before giving up.
const PATIENCE: usize = 30;
/// Residual of the corrector, as a share of the iterate's error, below which it is not refined.
const ENOUGH: f64 = 1e-4;
/// Ranges below this are points.
const POINT: f64 = 1e-12;

/// A point and how good it is.
#[derive(Clone, Debug)]
pub(crate) struct FlowSolution {
    pub point: FlowPoint,
    /// Largest of the residuals of rows, dual and complementarity.
    pub error: f64,
    pub iterations: usize,
}

/// The search for one program's answer.
struct FlowEquations<'a> {
    program: &'a FlowProgram,
    system: StepSystem<'a>,
    fixed: Vec<bool>,
    tolerance: f64,
    now: Iterate,
    residuals: Residuals,
    /// The predictor and the corrector.
    ahead: Step,
    step: Step,
    work: Work,
    best: FlowPoint,
    least: f64,
    /// Iterations since the last gain.
    patience: usize,
    iterations: usize,
}

/// Solves `program`, whose pattern is `pattern`; `from` is a point of a related program to start from.
pub(crate) fn solve(
    program: &FlowProgram,
    pattern: &FlowPattern,
    tolerance: f64,
    from: Option<&FlowPoint>,
) -> FlowSolution {
    let fixed = fixed(program);
    let mut search = FlowEquations {
        program,
        system: StepSystem::new(program, pattern),
        tolerance,
        now: Iterate::start(program, pattern.mode(), &fixed, from),
        fixed,
        residuals: Residuals::default(),
        ahead: Step::default(),
        step: Step::default(),
        work: Work::default(),
        best: FlowPoint::default(),
        least: f64::INFINITY,
        patience: 0,
        iterations: 0,
    };
    iterate(&mut search);
    if !search.least.is_finite() {
        search.now.write_point(program, &mut search.best);
    }
    FlowSolution { point: search.best, error: search.least, iterations: search.iterations }
}

/// Variables whose range is a point.
fn fixed(program: &FlowProgram) -> Vec<bool> {
    program.lower.iter().zip(&program.upper).map(|(l, u)| u - l <= POINT).collect()
}

impl BackEnd for FlowEquations<'_> {
    fn assess(&mut self) -> Option<Ended> {
        self.now.residuals(self.program, &self.fixed, &mut self.residuals);
        let error = self.residuals.error;
        if !error.is_finite() {
            return Some(Ended::Stuck);
        }
        self.patience = if error < 0.9 * self.least { 0 } else { self.patience + 1 };
        if error <= self.least {
            self.least = error;
            self.now.write_point(self.program, &mut self.best);
        }
        if error <= self.tolerance {
            return Some(Ended::Reached);
        }
        (self.iterations >= MOST_ITERATIONS || self.patience > PATIENCE).then_some(Ended::Stuck)
    }

    fn factor(&mut self) {
        self.iterations += 1;
        let Self { program, system, fixed, residuals, work, .. } = self;
        self.now.factor(program, system, residuals, fixed, work);
    }

    fn predict(&mut self) -> f64 {
        let Self { program, system, fixed, residuals, ahead, .. } = self;
        self.now.direction(program, system, residuals, fixed, (0.0, None), f64::INFINITY, ahead);
        let reach = self.now.reach(program, ahead, 1.0);
        let mu = self.now.complementarity_after(ahead, reach);
        if residuals.mu > 0.0 { (mu / residuals.mu).clamp(0.0, 1.0) } else { 0.0 }
    }

    fn centre(&self, ratio: f64) -> f64 {
        let mu = self.residuals.mu;
        (mu * ratio.powi(3).max(1e-4)).max(mu.min(self.tolerance / 100.0))
    }

    fn correct(&mut self, centre: f64) {
        let Self { program, system, fixed, residuals, ahead, step, work, .. } = self;
        let tolerance = (self.tolerance / 100.0).max(ENOUGH * residuals.error);
        self.now.direction(program, system, residuals, fixed, (centre, Some(ahead)), tolerance, step);
        let reach = self.now.reach(program, step, 0.995);
        self.now.advance(program, step, reach, residuals.primal, work);
    }
}

/// Response of the solution to its rows: component `i` is the derivative of `weights'x` by the right-hand side of row
/// `i`, along the optimum.
pub(crate) fn response(program: &FlowProgram, pattern: &FlowPattern, at: &FlowPoint, weights: &[f64]) -> Vec<f64> {
    let n = program.linear.len();
    let fixed = fixed(program);
    let now = Iterate::at(program, pattern.mode(), &fixed, at);
    let mut residuals = Residuals::default();
    now.residuals(program, &fixed, &mut residuals);
    let mut system = StepSystem::new(program, pattern);
    now.factor(program, &mut system, &residuals, &fixed, &mut Work::default());
    let mut rhs = vec![0.0; n + program.rhs.len()];
    for j in 0..n {
        rhs[j] = if fixed[j] { 0.0 } else { weights[j] };
    }
    let mut out = vec![0.0; rhs.len()];
    // The system is symmetric: one solve gives the derivative by every row.
    system.solve(&rhs, &mut out, 1e-14);
    out.split_off(n)
}
