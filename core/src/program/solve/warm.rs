//! A convex program that was solved before with other costs: from its last face, or from inside near its last point.
//!
//! Where the same variables are free as before, a step is two rounds of the crossover with the factors that are there. Else an
//! interior point starts near the last answer. Whatever the way, an answer counts by its certificate; where none is good
//! enough the program is solved from nothing. Choices are not looked at here.

use super::crossover::{EXACT, Refinement};
use super::normal_equations::NormalEquations;
use super::predictor_corrector::Ended;
use super::relaxation::{self, ENOUGH, relaxation};
use crate::program::model::normal_form::{Normal, Point};
use crate::program::{Instance, Solution, SolveError, Template};

/// Newton steps on the last face before it is given up.
const FACE_STEPS: usize = 4;
/// Complementarity to which the interior point descends before its crossover, and the Newton steps of that, round by round.
const DESCENT: [(f64, usize); 3] = [(4e-10, 6), (4e-13, 20), (4e-16, 40)];

/// By which way an answer was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::program) enum Route {
    /// On the last face, with the factors that were there.
    Face,
    /// By a few Newton steps from the last face.
    Newton,
    /// By an interior point from the last answer.
    Interior,
}

/// What is kept of the last answer.
#[derive(Debug)]
pub(in crate::program) struct Memory<'t> {
    normal: Normal<'t>,
    refinement: Refinement<'t>,
    /// The last certified point, in the units of the normal form.
    kept: Point,
    /// Bounds and right-hand sides that the normal form was made of.
    lower: Vec<f64>,
    upper: Vec<f64>,
    rhs: Vec<f64>,
}

impl<'t> Memory<'t> {
    /// Solves from nothing; what is remembered then.
    pub fn cold(template: &'t Template, problem: &Instance) -> Result<(Self, Solution), SolveError> {
        let solution = relaxation(problem)?.solution;
        let normal = Normal::new(template.symbolic(), problem);
        let kept = normal.scaled(&solution.x, &solution.y);
        let refinement = Refinement::new(&normal);
        let (lower, upper, rhs) = (problem.lower.clone(), problem.upper.clone(), problem.rhs.clone());
        Ok((Self { normal, refinement, kept, lower, upper, rhs }, solution))
    }

    /// Whether a program differs from the remembered one in its costs alone.
    pub fn fits(&self, problem: &Instance) -> bool {
        self.lower == problem.lower && self.upper == problem.upper && self.rhs == problem.rhs
    }

    /// Solves a program that differs from the remembered one in its costs alone; nothing where that needs a start from nothing.
    pub fn warm(&mut self, problem: &Instance) -> Option<(Route, Solution)> {
        if self.normal.take_costs(problem) {
            self.refinement.weigh(&self.normal);
        }
        if let Some(found) = self.on_the_face(problem) {
            return Some(found);
        }
        let mut interior = NormalEquations::warm(&self.normal, &self.kept);
        let (mut reduced, mut residual) = (vec![0.0; self.kept.x.len()], vec![0.0; self.kept.y.len()]);
        for (round, (target, steps)) in DESCENT.into_iter().enumerate() {
            if interior.descend(target) == Ended::Stuck {
                return None;
            }
            let asked = if round == 0 { EXACT } else { ENOUGH.gap };
            self.refinement.forget();
            let refined = self.refinement.refine(&self.normal, &interior.point, steps);
            if refined.is_some_and(|quality| quality.within(asked))
                && let Some(solution) = relaxation::accepted(&self.normal, problem, &self.refinement.best)
            {
                self.kept.clone_from(&self.refinement.best);
                return Some((Route::Interior, solution));
            }
            let quality = self.normal.certify(&interior.point, &mut reduced, &mut residual);
            if quality.within(asked)
                && let Some(solution) = relaxation::accepted(&self.normal, problem, &interior.point)
            {
                self.kept.clone_from(&interior.point);
                return Some((Route::Interior, solution));
            }
        }
        None
    }

    fn on_the_face(&mut self, problem: &Instance) -> Option<(Route, Solution)> {
        let quality = self.refinement.refine(&self.normal, &self.kept, FACE_STEPS)?;
        if !quality.within(EXACT) {
            return None;
        }
        let solution = relaxation::accepted(&self.normal, problem, &self.refinement.best)?;
        self.kept.clone_from(&self.refinement.best);
        let route = if self.refinement.factorisations == 0 { Route::Face } else { Route::Newton };
        Some((route, solution))
    }
}
