//! Values over a fixed pattern, and their solution.

use super::filling::Filling;
use super::flows::{Disc, Divisor, FlowPattern, FlowProgram, FlowTerm, Mode};
use super::normal::Symbolic;
use super::{Certificate, Compiled, Expr, Restriction, Row, Var, bounded, choices, face, solver};
use crate::words::number;
use std::sync::Arc;

/// One program to solve: a template with its own bounds, costs and right-hand sides.
#[derive(Clone, Debug)]
pub struct Instance {
    compiled: Arc<Compiled>,
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
    /// Whether the search among the choices came to its end; otherwise it ran into its limit, and the gap in the certificate
    /// is what it leaves open.
    pub settled: bool,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SolveError {
    /// A variable has empty, infinite or undefined bounds.
    #[error("{scope}: a quantity would have to lie between {} and {}", number(*lower), number(*upper))]
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
    /// Branch and bound stopped at its limit of programs before it had any answer.
    #[error("no answer that respects the choices (such as charging or discharging) was found within {nodes} programs")]
    Undecided {
        /// Programs solved.
        nodes: usize,
    },
    /// One of the above with whose program it was, where its own words do not say so.
    #[error("{who}: {source}")]
    Of {
        /// Whose.
        who: String,
        /// What was wrong.
        source: Box<SolveError>,
    },
    /// The question cannot be posed: what it needs is not there.
    #[error("needs {need}")]
    Unmet {
        /// What is missing.
        need: &'static str,
    },
    /// The network of the question is refused.
    #[error(transparent)]
    Network(Box<crate::opf::OpfError>),
}

impl SolveError {
    /// The same error with whose program it was. Infeasible rows and bounds name their owners themselves.
    pub fn of(self, who: &str) -> Self {
        match self {
            error @ (SolveError::NotCertified { .. } | SolveError::Undecided { .. }) => {
                SolveError::Of { who: who.to_owned(), source: Box::new(error) }
            }
            other => other,
        }
    }
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

    /// Dual of a row.
    pub fn dual(&self, row: Row) -> f64 {
        self.y[row.index()]
    }
}

impl Instance {
    pub(super) fn new(compiled: Arc<Compiled>) -> Self {
        let program = &compiled.program;
        Self {
            lower: program.lower.clone(),
            upper: program.upper.clone(),
            linear: program.linear.clone(),
            curvature: program.curvature.clone(),
            constant: program.constant,
            rhs: program.rhs.clone(),
            compiled,
        }
    }

    /// Fixes a variable.
    pub fn fix(&mut self, v: Var, value: f64) -> &mut Self {
        self.bound(v, value, value)
    }

    /// Replaces the bounds of a variable.
    pub fn bound(&mut self, v: Var, lower: f64, upper: f64) -> &mut Self {
        (self.lower[v.index()], self.upper[v.index()]) = bounded(lower, upper);
        self
    }

    /// Bounds of a variable in this instance.
    pub fn bounds(&self, v: Var) -> (f64, f64) {
        (self.lower[v.index()], self.upper[v.index()])
    }

    /// Takes every cost out of the objective: what is added from here on is all that counts.
    pub fn forget_costs(&mut self) -> &mut Self {
        self.linear.fill(0.0);
        self.curvature.fill(0.0);
        self.constant = 0.0;
        self
    }

    /// Number of variables, and of rows.
    pub fn size(&self) -> (usize, usize) {
        (self.lower.len(), self.rhs.len())
    }

    /// Whether a point keeps all choices, as far as a solver's rounding goes.
    pub fn respects_choices(&self, x: &[f64]) -> bool {
        choices::respected(self, x)
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

    /// Right-hand side of a row in this instance.
    pub fn rhs(&self, row: Row) -> f64 {
        self.rhs[row.index()]
    }

    /// Replaces a right-hand side.
    pub fn set_rhs(&mut self, row: Row, rhs: f64) -> &mut Self {
        self.rhs[row.index()] = rhs;
        self
    }

    /// Gradient of the Lagrangian, `H x + q - A'y` (and `eta grad phi` for squared currents `phi` with price `eta`), by
    /// variable: at an optimum positive at lower and negative at upper bounds, and what a unit more of a limit is worth.
    pub fn reduced_costs(&self, x: &[f64], y: &[f64]) -> Vec<f64> {
        let mut reduced: Vec<f64> =
            self.linear.iter().zip(&self.curvature).zip(x).map(|((q, h), x)| q + h * x).collect();
        for (row, y) in self.rows().iter().zip(y) {
            for &(v, a) in row {
                reduced[v.index()] -= a * y;
            }
        }
        for flow in self.flows() {
            let ((l, v), eta) = (flow.square_current(x), flow.price(y));
            reduced[flow.p] += eta * 2.0 * x[flow.p] / v;
            reduced[flow.q] += eta * 2.0 * x[flow.q] / v;
            if let Divisor::Variable(j, factor) = flow.v {
                reduced[j] -= eta * l / v * factor;
            }
        }
        reduced
    }

    /// The relaxation, in which choices are ignored: its cost less its gap is a bound for all answers.
    ///
    /// # Errors
    /// See [`SolveError`].
    pub fn relaxed(&self) -> Result<Solution, SolveError> {
        solver::relaxation(self).map(|answer| answer.solution)
    }

    /// Solves from scratch: the answer depends on the instance alone.
    ///
    /// Costs are least to about 1e-12 of the money that moves (1e-9 is guaranteed, and certified, except where only the
    /// last resort has an answer: 1e-7). Where choices had to be branched over, [`Solution::nodes`] is more than 1, the
    /// duals are those of the deciding node, in which the choices are fixed, and the gap is that of branch and bound.
    ///
    /// With a network inside (squared currents, discs) the program is not convex: the answer keeps all rows, and
    /// [`Certificate::gap`] is its proven distance from the best, tiny as a rule, larger where losing power would pay.
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
        solver::second_opinion(self)
    }

    /// Among the optima of this instance the one with least `sum v^2` over `squares`: the documented second criterion that
    /// makes a reported schedule unique in those quantities. `first` is an answer of [`solve`](Self::solve).
    ///
    /// The answer keeps the duals of `first`; its certificate is against this instance, so its gap bounds what the second
    /// criterion costs. Choices are respected; where `first` had to branch over them, only schedules that are optimal at
    /// the deciding node's prices are compared.
    ///
    /// # Errors
    /// See [`SolveError`].
    pub fn least_squares_among_optima(&self, first: &Solution, squares: &[Var]) -> Result<Chosen, SolveError> {
        face::least_squares(self, first, squares)
    }

    pub(super) fn rows(&self) -> &[Vec<(Var, f64)>] {
        &self.compiled.program.rows
    }

    /// Bounds of a variable in the program, or here where they are wider.
    pub(super) fn widest(&self, v: Var) -> (f64, f64) {
        let (program, j) = (&self.compiled.program, v.index());
        (program.lower[j].min(self.lower[j]), program.upper[j].max(self.upper[j]))
    }

    pub(super) fn choices(&self) -> &[Vec<Vec<Restriction>>] {
        &self.compiled.program.choices
    }

    pub(super) fn fillings(&self) -> &[Filling] {
        &self.compiled.program.fillings
    }

    /// Programs that settling the choices may take.
    pub(super) fn most_programs(&self) -> usize {
        self.compiled.program.most_programs.unwrap_or(choices::MOST_PROGRAMS)
    }

    pub(super) fn flows(&self) -> &[FlowTerm] {
        &self.compiled.program.flows
    }

    /// Whether it is without flows and discs.
    pub(super) fn is_convex(&self) -> bool {
        self.flows().is_empty() && self.discs().is_empty()
    }

    pub(super) fn discs(&self) -> &[Disc] {
        &self.compiled.program.discs
    }

    /// The analysed pattern of the program's flows; `scaled` is any instance of it in other units.
    pub(super) fn flow_pattern(&self, scaled: &FlowProgram) -> &FlowPattern {
        self.compiled.flows.get_or_init(|| FlowPattern::new(scaled, Mode::Exact))
    }

    pub(super) fn symbolic(&self) -> &Symbolic {
        self.compiled.symbolic.get_or_init(|| Symbolic::new(&self.compiled.program))
    }

    pub(super) fn scopes(&self) -> usize {
        self.compiled.program.scopes.len()
    }

    pub(super) fn row_scope(&self, row: usize) -> usize {
        self.compiled.program.labels[row].0
    }

    /// Scope, label and period of a row.
    pub(super) fn row_label(&self, row: usize) -> (&str, &'static str, Option<usize>) {
        let (scope, what, period) = self.compiled.program.labels[row];
        (self.compiled.program.scope_name(scope), what, period)
    }

    pub(super) fn check_bounds(&self) -> Result<(), SolveError> {
        let program = &self.compiled.program;
        if let Some(broken) = &program.broken {
            return Err(broken.clone());
        }
        for (j, (&lower, &upper)) in self.lower.iter().zip(&self.upper).enumerate() {
            if !(lower.is_finite() && upper.is_finite() && lower <= upper) {
                return Err(SolveError::Bounds { scope: program.scope_name(program.owners[j]).into(), lower, upper });
            }
        }
        Ok(())
    }
}
