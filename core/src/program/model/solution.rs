//! Answers. Knows no solver.

use super::{Certificate, Cone, ConeDual, Expr, Row};

/// A certified answer.
#[derive(Clone, Debug)]
pub struct Solution {
    /// Values of the variables.
    pub x: Vec<f64>,
    /// Duals of the rows: the derivative of the least cost by the right-hand side.
    pub y: Vec<f64>,
    /// Duals of the cones.
    pub cones: Vec<ConeDual>,
    /// Proof of its quality.
    pub certificate: Certificate,
    /// Programs solved to respect the choices: 1 where the relaxation respected all of them.
    pub nodes: usize,
    /// Whether the search among the choices came to its end; otherwise it ran into its limit, and the gap in the certificate
    /// is what it leaves open.
    pub settled: bool,
}

/// The answer to a second criterion among optimal points.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// The point chosen; the first answer where the criterion could not be settled, which is no worse in cost.
    pub solution: Solution,
    /// Whether the criterion decided. Otherwise the point is an arbitrary one of those that cost the same.
    pub settled: bool,
}

impl Solution {
    /// Value of an expression.
    pub fn value(&self, e: impl Into<Expr>) -> f64 {
        e.into().value(&self.x)
    }

    /// Dual of a cone.
    pub fn cone(&self, cone: Cone) -> &ConeDual {
        &self.cones[cone.index()]
    }

    /// Dual of a row.
    pub fn dual(&self, row: Row) -> f64 {
        self.y[row.index()]
    }
}
