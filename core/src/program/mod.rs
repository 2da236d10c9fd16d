//! Convex programs: a thin builder over the solvers, and a certificate of our own for every answer.
//!
//! Every local problem, coalition problem and market clearing is one separable quadratic program
//!
//! ```text
//! min  sum_j  h_j/2 x_j^2 + q_j x_j + c     s.t.  A x = b,   l <= x <= u          h >= 0, all bounds finite
//! ```
//!
//! An inequality is a row with a slack variable, a ladder is a sum of bounded variables, and what is not convex (a storage
//! that may not charge and discharge at once) is a choice between alternatives, each of which only tightens bounds.
//! Second-order cones ([`Program::within_cone`]) may be added; a conic solver then answers, and the same certificate decides.
//! A network adds squared currents to rows and discs to variables; such a program is solved on its flows as they are, and
//! its certificate says how far the answer may be from the best.
//!
//! ```
//! use coase_core::program::{Cost, Expr, Program};
//!
//! // A generator at 0.3 per kWh and 0.05 per kWh squared, and a grid at 0.5, serve 4 kWh.
//! let mut program = Program::new();
//! let (generator, grid) = (program.var(0.0, 10.0), program.var(0.0, 10.0));
//! let balance = program.equal(Expr::from(generator).plus(1.0, grid), 4.0, "balance", None);
//! let mut cost = Cost::default();
//! cost.add(0.3, generator).add_square(0.05, generator).add(0.5, grid);
//! program.add_cost(&cost);
//! let answer = program.compile().instance().solve()?;
//! assert!((answer.value(generator) - 2.0).abs() < 1e-9 && (answer.dual(balance) - 0.5).abs() < 1e-9);
//! assert!(answer.certificate.gap < 1e-9);
//! # Ok::<(), coase_core::program::SolveError>(())
//! ```
//!
//! `model` is what is asked and what an answer is worth, `solve` how it is found, a [`Session`] is the place of a solver's memory.
//! This module knows no participant, no market and no network.

mod model;
mod session;
mod solve;

pub use model::{
    Certificate, Chosen, Cone, ConeDual, Cost, Expr, Instance, Program, Refusal, Restriction, Row, Solution,
    SolveError, Template, Var, Written,
};
pub use session::{Routes, Session};

/// Programs with power flows, for a formulation that writes one without the builder.
pub(crate) mod flows {
    pub(crate) use super::model::flow_pattern::FlowPattern;
    pub(crate) use super::model::flows::{Disc, Divisor, FlowPoint, FlowProgram, FlowTerm, Mode};
    #[cfg(test)]
    pub(crate) use super::solve::reference::relaxed_point;
    pub(crate) use super::solve::{FlowSolution, response, solve_flows};
}
