//! Values over a fixed pattern, and their solution.

use super::{Certificate, Expr, Program, Row, Var, reference};
use std::sync::Arc;

/// One program to solve: a template with its own bounds, costs and right-hand sides.
#[derive(Clone, Debug)]
pub struct Instance {
    program: Arc<Program>,
    pub(super) lower: Vec<f64>,
    pub(super) upper: Vec<f64>,
    pub(super) linear: Vec<f64>,
    pub(super) curvature: Vec<f64>,
    pub(super) constant: f64,
    pub(super) rhs: Vec<f64>,
}

/// A certified answer.
#[derive(Clone, Debug)]
pub struct Solution {
    /// Values of the variables.
    pub x: Vec<f64>,
    /// Duals of the rows: the derivative of the least cost by the right-hand side.
    pub y: Vec<f64>,
    /// Proof of its quality.
    pub certificate: Certificate,
    /// Programs solved to respect the choices: 1 where the relaxation respected all of them.
    pub nodes: usize,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SolveError {
    /// A variable has empty, infinite or undefined bounds.
    #[error("{scope}: a quantity would have to lie between {lower} and {upper}")]
    Bounds {
        /// Whose variable it is.
        scope: String,
        /// Its lower bound.
        lower: f64,
        /// Its upper bound.
        upper: f64,
    },
    /// No point satisfies all rows and bounds; the named rows are those that cannot hold together.
    #[error("infeasible: {}", rows.join("; "))]
    Infeasible {
        /// What cannot hold, in words: scope, row, period, by how much.
        rows: Vec<String>,
    },
    /// The best point found is not proven good enough.
    #[error("not solved to tolerance: gap {gap:.3e}, infeasibility {feasibility:.3e}")]
    NotCertified {
        /// Its duality gap.
        gap: f64,
        /// Its largest row violation.
        feasibility: f64,
    },
    /// Branch and bound stopped at its limit of nodes.
    #[error("the choices (such as charging or discharging) were not settled within {nodes} programs; gap {gap:.3e}")]
    Undecided {
        /// Programs solved.
        nodes: usize,
        /// Distance between the best answer and the bound.
        gap: f64,
    },
}

impl Solution {
    /// Value of an expression.
    pub fn value(&self, e: impl Into<Expr>) -> f64 {
        e.into().value(&self.x)
    }

    /// Dual of a row.
    pub fn dual(&self, row: Row) -> f64 {
        self.y[row.index()]
    }
}

impl Instance {
    pub(super) fn new(program: Arc<Program>) -> Self {
        Self {
            lower: program.lower.clone(),
            upper: program.upper.clone(),
            linear: program.linear.clone(),
            curvature: program.curvature.clone(),
            constant: program.constant,
            rhs: program.rhs.clone(),
            program,
        }
    }

    pub(super) fn rows(&self) -> &[Vec<(Var, f64)>] {
        &self.program.rows
    }

    /// Fixes a variable.
    pub fn fix(&mut self, v: Var, value: f64) -> &mut Self {
        self.bound(v, value, value)
    }

    /// Replaces the bounds of a variable.
    pub fn bound(&mut self, v: Var, lower: f64, upper: f64) -> &mut Self {
        self.lower[v.index()] = lower;
        self.upper[v.index()] = upper;
        self
    }

    /// Bounds of a variable in this instance.
    pub fn bounds(&self, v: Var) -> (f64, f64) {
        (self.lower[v.index()], self.upper[v.index()])
    }

    /// Adds `slope * v` to the objective.
    pub fn add_linear(&mut self, v: Var, slope: f64) -> &mut Self {
        self.linear[v.index()] += slope;
        self
    }

    /// Adds `weight * (v - centre)^2` to the objective.
    pub fn add_square(&mut self, v: Var, weight: f64, centre: f64) -> &mut Self {
        self.curvature[v.index()] += 2.0 * weight;
        self.linear[v.index()] -= 2.0 * weight * centre;
        self.constant += weight * centre * centre;
        self
    }

    /// Replaces a right-hand side.
    pub fn set_rhs(&mut self, row: Row, rhs: f64) -> &mut Self {
        self.rhs[row.index()] = rhs;
        self
    }

    /// Solves from scratch: the answer depends on the instance alone.
    ///
    /// # Errors
    /// See [`SolveError`].
    pub fn solve(&self) -> Result<Solution, SolveError> {
        if let Some(broken) = &self.program.broken {
            return Err(broken.clone());
        }
        reference::solve(self)
    }

    /// Among the optima of this instance the one with least `sum v^2` over `squares`: the documented second criterion that
    /// makes a reported schedule unique in those quantities. `first` is an answer of [`solve`](Self::solve).
    ///
    /// # Errors
    /// See [`SolveError`].
    pub fn least_squares_among_optima(&self, first: &Solution, squares: &[Var]) -> Result<Solution, SolveError> {
        let mut face = self.clone();
        let mut reduced = self.linear.clone();
        for (i, row) in self.rows().iter().enumerate() {
            for &(v, a) in row {
                reduced[v.index()] -= a * first.y[i];
            }
        }
        let scale = self.linear.iter().fold(1e-9_f64, |m, q| m.max(q.abs()));
        for j in 0..first.x.len() {
            let c = reduced[j] + self.curvature[j] * first.x[j];
            if self.curvature[j] > 0.0 {
                face.lower[j] = first.x[j];
                face.upper[j] = first.x[j];
            } else if c > 1e-7 * scale {
                face.upper[j] = face.lower[j];
            } else if c < -1e-7 * scale {
                face.lower[j] = face.upper[j];
            }
            face.linear[j] = 0.0;
            face.curvature[j] = 0.0;
        }
        face.constant = 0.0;
        for &v in squares {
            face.add_square(v, 1.0, 0.0);
        }
        let second = reference::solve(&face)?;
        let certificate = Certificate::of(self, &second.x, &first.y);
        Ok(Solution { x: second.x, y: first.y.clone(), certificate, nodes: first.nodes })
    }
}
