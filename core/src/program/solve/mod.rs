//! How an answer is found: one interior-point method over two linear systems, and what surrounds it.
//!
//! A convex program is solved by normal equations and moved to its exact face ([`crossover`]), choices are settled by branch
//! and bound ([`choices`]), a sequence that differs in its costs goes on from its last answer ([`warm`]), ties by a second criterion on the optimal face ([`face`]), and a program with power flows by the
//! quasidefinite system of its flow equations. Second-order cones are left to Clarabel ([`conic`]). Whoever found a point, the certificate decides.

mod choices;
mod conic;
mod crossover;
mod exact;
mod face;
mod flow_equations;
mod flow_iterate;
mod flow_relaxation;
mod flow_system;
mod infeasible;
mod normal_equations;
mod predictor_corrector;
pub(super) mod reference;
mod relaxation;
mod warm;

pub(crate) use flow_equations::{FlowSolution, response, solve as solve_flows};
pub(super) use warm::{Memory, Route};

use super::{Chosen, Instance, Solution, SolveError, Var};

/// A certified answer, with the money its gap is measured against.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub solution: Solution,
    pub money: f64,
}

impl Instance {
    /// Whether a point keeps all choices, as far as a solver's rounding goes.
    pub fn respects_choices(&self, x: &[f64]) -> bool {
        choices::respected(self, x)
    }

    /// The relaxation, in which choices are ignored: its cost less its gap is a bound for all answers.
    ///
    /// # Errors
    /// See [`SolveError`].
    pub fn relaxed(&self) -> Result<Solution, SolveError> {
        relaxation::relaxation(self).map(|answer| answer.solution)
    }

    /// Solves from scratch: the answer depends on the instance alone.
    ///
    /// Costs are least to about 1e-12 of the money that moves (1e-9 is guaranteed, and certified, except where only the
    /// last resort has an answer: 1e-7). Where choices had to be branched over, [`Solution::nodes`] is more than 1, the
    /// duals are those of the deciding node, in which the choices are fixed, and the gap is that of branch and bound.
    ///
    /// With second-order cones a conic solver answers: rows and cones hold to 1e-8 of their size, the gap is at most 1e-7 of
    /// the money that moves, both certified.
    ///
    /// With a network inside (squared currents, discs) the program is not convex: the answer keeps all rows, and
    /// [`Certificate::gap`](super::Certificate::gap) is its proven distance from the best, tiny as a rule, larger where losing power would pay.
    ///
    /// # Errors
    /// See [`SolveError`].
    pub fn solve(&self) -> Result<Solution, SolveError> {
        choices::solve(self)
    }

    /// The answer of an independent solver (Clarabel) to the relaxation, in which choices are ignored: for tests and for
    /// doubts. Its certificate is ours, whatever the quality. With a network inside it is the answer to the conic relaxation,
    /// whose rows hold for its own squared currents only.
    ///
    /// # Errors
    /// [`SolveError::Bounds`].
    pub fn second_opinion(&self) -> Result<Solution, SolveError> {
        relaxation::second_opinion(self)
    }

    /// Has all instances of this template solved with 1, 3 or 8 parts that look alike (such as the hours of a day) side by side.
    /// False where none look alike, where that number is not compiled, or after a first solve. Nobody but the test that no
    /// result depends on it needs this.
    #[doc(hidden)]
    pub fn analyse_in_lanes(&self, lanes: usize) -> bool {
        flow_relaxation::analyse_in_lanes(self, lanes)
    }

    /// Among the optima of this instance the one with least `sum v^2` over `squares`: the documented second criterion that
    /// makes a reported schedule unique in those quantities. `first` is an answer of [`solve`](Self::solve).
    ///
    /// The answer keeps the duals of `first`; its certificate is against this instance, so its gap bounds what the second
    /// criterion costs. Choices are respected; where `first` had to branch over them, only schedules that are optimal at
    /// the deciding node's prices are compared. With second-order cones there is no second criterion: `first` stays.
    ///
    /// # Errors
    /// See [`SolveError`].
    pub fn least_squares_among_optima(&self, first: &Solution, squares: &[Var]) -> Result<Chosen, SolveError> {
        face::least_squares(self, first, squares)
    }

    /// The same for another second criterion, which is written into an instance that has no costs: the optimum where it is
    /// least. Variables with a cost of their own in squares are unique among optima, and the criterion does not move them.
    ///
    /// # Errors
    /// See [`SolveError`].
    pub fn least_among_optima(
        &self,
        first: &Solution,
        criterion: &dyn Fn(&mut Instance),
    ) -> Result<Chosen, SolveError> {
        face::least(self, first, criterion)
    }
}
