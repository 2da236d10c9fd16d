//! Values over a fixed pattern.

use super::builder::bounded;
use super::cone::SecondOrder;
use super::filling::Filling;
use super::flow_pattern::FlowPattern;
use super::flows::{Block, Disc, Divisor, FlowProgram, FlowTerm, Mode};
use super::normal_form::Symbolic;
use super::template::Compiled;
use super::{Restriction, Row, SolveError, Var};
use std::sync::Arc;

/// Programs that settling the choices may take, unless the program says otherwise.
const MOST_PROGRAMS: usize = 2000;

/// One program to solve: a template with its own bounds, costs and right-hand sides.
#[derive(Clone, Debug)]
pub struct Instance {
    compiled: Arc<Compiled>,
    pub(in crate::program) lower: Vec<f64>,
    pub(in crate::program) upper: Vec<f64>,
    pub(in crate::program) linear: Vec<f64>,
    pub(in crate::program) curvature: Vec<f64>,
    pub(in crate::program) constant: f64,
    pub(in crate::program) rhs: Vec<f64>,
}

/// A program in plain numbers: least `sum_j curvature_j/2 x_j^2 + linear_j x_j` with `lower <= x <= upper` and every row, by
/// variable and coefficient, equal to its `rhs`.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    /// `h`, by variable.
    pub curvature: Vec<f64>,
    /// `q`, by variable.
    pub linear: Vec<f64>,
    /// Lower bounds.
    pub lower: Vec<f64>,
    /// Upper bounds.
    pub upper: Vec<f64>,
    /// Coefficients of each row.
    pub rows: Vec<Vec<(usize, f64)>>,
    /// Right-hand side of each row.
    pub rhs: Vec<f64>,
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

    /// Gives every cost back its value in the program, as if the instance were new.
    pub fn restore_costs(&mut self) -> &mut Self {
        let program = &self.compiled.program;
        self.linear.copy_from_slice(&program.linear);
        self.curvature.copy_from_slice(&program.curvature);
        self.constant = program.constant;
        self
    }

    /// Number of variables, and of rows.
    pub fn size(&self) -> (usize, usize) {
        (self.lower.len(), self.rhs.len())
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

    /// The convex part in plain numbers, for another solver: choices, cones and power flows are left out.
    pub fn written(&self) -> Written {
        let rows = self.rows().iter().map(|row| row.iter().map(|&(v, a)| (v.index(), a)).collect()).collect();
        Written {
            curvature: self.curvature.clone(),
            linear: self.linear.clone(),
            lower: self.lower.clone(),
            upper: self.upper.clone(),
            rows,
            rhs: self.rhs.clone(),
        }
    }

    /// Gradient of the Lagrangian, `H x + q - A'y` (and `eta grad phi` for squared currents `phi` with price `eta`), by
    /// variable: at an optimum positive at lower and negative at upper bounds, and what a unit more of a limit is worth. Without
    /// what cones take from it.
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

    pub(in crate::program) fn rows(&self) -> &[Vec<(Var, f64)>] {
        &self.compiled.program.rows
    }

    /// Bounds of a variable in the program, or here where they are wider.
    pub(in crate::program) fn widest(&self, v: Var) -> (f64, f64) {
        let (program, j) = (&self.compiled.program, v.index());
        (program.lower[j].min(self.lower[j]), program.upper[j].max(self.upper[j]))
    }

    pub(in crate::program) fn choices(&self) -> &[Vec<Vec<Restriction>>] {
        &self.compiled.program.choices
    }

    pub(in crate::program) fn fillings(&self) -> &[Filling] {
        &self.compiled.program.fillings
    }

    /// Whether anything is to be chosen.
    pub(in crate::program) fn chooses(&self) -> bool {
        !self.choices().is_empty() || self.fillings().iter().any(|f| !f.falls.is_empty())
    }

    /// Programs that settling the choices may take.
    pub(in crate::program) fn most_programs(&self) -> usize {
        self.compiled.program.most_programs.unwrap_or(MOST_PROGRAMS)
    }

    pub(in crate::program) fn flows(&self) -> &[FlowTerm] {
        &self.compiled.program.flows
    }

    /// Whether it is without flows and discs.
    pub(in crate::program) fn is_convex(&self) -> bool {
        self.flows().is_empty() && self.discs().is_empty()
    }

    pub(in crate::program) fn cones(&self) -> &[SecondOrder] {
        &self.compiled.program.cones
    }

    pub(in crate::program) fn blocks(&self) -> &[Block] {
        &self.compiled.program.blocks
    }

    pub(in crate::program) fn discs(&self) -> &[Disc] {
        &self.compiled.program.discs
    }

    /// The analysed pattern of the program's flows; `scaled` is any instance of it in other units.
    pub(in crate::program) fn flow_pattern(&self, scaled: &FlowProgram) -> &FlowPattern {
        self.compiled.flows.get_or_init(|| FlowPattern::new(scaled, Mode::Exact))
    }

    /// Takes a pattern for the program's flows; false where there is one already.
    pub(in crate::program) fn take_flow_pattern(&self, pattern: FlowPattern) -> bool {
        self.compiled.flows.set(pattern).is_ok()
    }

    pub(in crate::program) fn symbolic(&self) -> &Symbolic {
        self.compiled.symbolic()
    }

    pub(super) fn is_of(&self, compiled: &Arc<Compiled>) -> bool {
        Arc::ptr_eq(&self.compiled, compiled)
    }

    pub(in crate::program) fn scopes(&self) -> usize {
        self.compiled.program.scopes.len()
    }

    pub(in crate::program) fn row_scope(&self, row: usize) -> usize {
        self.compiled.program.labels[row].0
    }

    /// Scope, label and period of a row.
    pub(in crate::program) fn row_label(&self, row: usize) -> (&str, &'static str, Option<usize>) {
        let (scope, what, period) = self.compiled.program.labels[row];
        (self.compiled.program.scope_name(scope), what, period)
    }

    /// Scope, label and period of a cone.
    pub(in crate::program) fn cone_label(&self, cone: usize) -> (&str, &'static str, Option<usize>) {
        let (scope, what, period) = self.cones()[cone].label;
        (self.compiled.program.scope_name(scope), what, period)
    }

    pub(in crate::program) fn check_bounds(&self) -> Result<(), SolveError> {
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
