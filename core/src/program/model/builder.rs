//! The builder: variables, rows, costs and choices, written by devices and markets. Knows no solver.

use super::cone::SecondOrder;
use super::filling::Filling;
use super::flows::{Block, Disc, Divisor, FlowTerm};
use super::template::Template;
use super::{Cost, Expr, Row, SolveError, Var};

/// A restriction of one variable to `[lower, upper]`: an alternative of [`Program::either`] is a list of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Restriction {
    /// The variable.
    pub variable: Var,
    /// Least value in this alternative.
    pub lower: f64,
    /// Greatest value in this alternative.
    pub upper: f64,
}

/// The builder: variables, rows, costs and choices, written by devices and markets.
#[derive(Clone, Debug, Default)]
pub struct Program {
    pub(super) lower: Vec<f64>,
    pub(super) upper: Vec<f64>,
    pub(super) linear: Vec<f64>,
    pub(super) curvature: Vec<f64>,
    pub(super) constant: f64,
    pub(super) rows: Vec<Vec<(Var, f64)>>,
    pub(super) rhs: Vec<f64>,
    /// Scope of each variable.
    pub(super) owners: Vec<usize>,
    pub(super) labels: Vec<(usize, &'static str, Option<usize>)>,
    pub(super) scopes: Vec<String>,
    pub(super) choices: Vec<Vec<Vec<Restriction>>>,
    pub(super) fillings: Vec<Filling>,
    pub(super) most_programs: Option<usize>,
    pub(super) flows: Vec<FlowTerm>,
    pub(super) discs: Vec<Disc>,
    pub(super) cones: Vec<SecondOrder>,
    pub(super) blocks: Vec<Block>,
    pub(super) broken: Option<SolveError>,
}

impl Program {
    /// An empty program.
    pub fn new() -> Self {
        Self { scopes: vec![String::new()], ..Self::default() }
    }

    /// Names what follows (a participant, a device), so that an infeasible program can say whose row cannot hold.
    pub fn scope(&mut self, name: impl Into<String>) {
        self.scopes.push(name.into());
    }

    /// A variable within finite bounds. Empty or infinite bounds are remembered and reported when the program is solved.
    pub fn var(&mut self, lower: f64, upper: f64) -> Var {
        let (lower, upper) = bounded(lower, upper);
        if !(lower.is_finite() && upper.is_finite() && lower <= upper) && self.broken.is_none() {
            self.broken =
                Some(SolveError::Bounds { scope: self.scopes.last().cloned().unwrap_or_default(), lower, upper });
        }
        self.owners.push(self.scopes.len().saturating_sub(1));
        self.lower.push(lower);
        self.upper.push(upper);
        self.linear.push(0.0);
        self.curvature.push(0.0);
        Var(self.lower.len() - 1)
    }

    /// A variable equal to an expression, with the bounds that follow from the expression's variables.
    pub fn alias(&mut self, expression: impl Into<Expr>, what: &'static str, period: Option<usize>) -> Var {
        let e = expression.into();
        let (lo, hi) = self.range(&e);
        let v = self.var(lo, hi);
        self.equal(e.plus(-1.0, v), 0.0, what, period);
        v
    }

    /// `expression = rhs`. The label says what the row means if it cannot hold.
    pub fn equal(&mut self, expression: impl Into<Expr>, rhs: f64, what: &'static str, period: Option<usize>) -> Row {
        let e = expression.into();
        self.rhs.push(rhs - e.constant);
        self.rows.push(merged(e.terms));
        self.labels.push((self.scopes.len().saturating_sub(1), what, period));
        Row(self.rows.len() - 1)
    }

    /// `lower <= expression <= upper`, as a row with a slack; `-inf` and `inf` are allowed and mean no limit on that side.
    pub fn within(
        &mut self,
        expression: impl Into<Expr>,
        lower: f64,
        upper: f64,
        what: &'static str,
        period: Option<usize>,
    ) -> Row {
        let e = expression.into();
        let (lo, hi) = self.range(&e);
        // A limit outside the expression's range is kept out of the bounds: a loose bound costs digits.
        let (lo, hi) = if lower > hi || upper < lo {
            (lower.max(lo.min(upper)), upper.min(hi.max(lower)))
        } else {
            (lower.max(lo), upper.min(hi))
        };
        let slack = self.var(lo, hi);
        self.equal(e.plus(-1.0, slack), 0.0, what, period)
    }

    /// `expression <= rhs`.
    pub fn at_most(&mut self, expression: impl Into<Expr>, rhs: f64, what: &'static str, period: Option<usize>) -> Row {
        self.within(expression, f64::NEG_INFINITY, rhs, what, period)
    }

    /// Adds a cost to the objective.
    pub fn add_cost(&mut self, cost: &Cost) {
        self.constant += cost.affine.constant;
        for &(v, c) in &cost.affine.terms {
            self.linear[v.0] += c;
        }
        for &(v, w) in &cost.squares {
            self.curvature[v.0] += 2.0 * w;
        }
    }

    /// At least one of the alternatives holds. What is solved first ignores the choice; where the answer respects none of
    /// the alternatives, branch and bound decides.
    pub fn either(&mut self, alternatives: Vec<Vec<Restriction>>) {
        self.choices.push(alternatives);
    }

    /// Not both of two non-negative variables are positive.
    pub fn exclusive(&mut self, a: Var, b: Var) {
        let off = |v: Var| vec![Restriction { variable: v, lower: 0.0, upper: 0.0 }];
        self.either(vec![off(a), off(b)]);
    }

    /// Limits the programs that settling the choices may take (2000 where nothing is said; one with power flows inside counts
    /// as ten): the answer is then the best one found, with what it may be away from the best.
    pub fn limit_programs(&mut self, most: usize) {
        self.most_programs = Some(most.max(1));
    }

    /// Adds the squared current `l = (p^2 + q^2) / v` times its coefficients to rows; `v` is a number, or a variable times a
    /// number. All variables have finite bounds, those of `v` are positive. The program is no longer convex.
    pub(crate) fn squared_current(&mut self, p: Var, q: Var, v: (Option<Var>, f64), effect: &[(Row, f64)]) {
        let (variable, factor) = v;
        self.flows.push(FlowTerm {
            p: p.0,
            q: q.0,
            v: variable.map_or(Divisor::Constant(factor), |v| Divisor::Variable(v.0, factor)),
            effect: effect.iter().map(|&(row, e)| (row.0, e)).collect(),
        });
    }

    /// Writes a part of the program whose costs count so much. What it charges are variables of its own.
    pub(crate) fn weighing<T>(&mut self, weight: f64, write: impl FnOnce(&mut Self) -> T) -> T {
        let (first, constant) = (self.lower.len(), self.constant);
        let written = write(self);
        self.linear[first..].iter_mut().chain(&mut self.curvature[first..]).for_each(|cost| *cost *= weight);
        self.constant = constant + weight * (self.constant - constant);
        written
    }

    /// Writes a part of the program that may look like others, such as one hour of a day: see [`Block`].
    pub(crate) fn block<T>(&mut self, write: impl FnOnce(&mut Self) -> T) -> T {
        let (variables, rows) = (self.lower.len(), self.rows.len());
        let written = write(self);
        self.blocks.push(Block { variables: variables..self.lower.len(), rows: rows..self.rows.len() });
        written
    }

    /// `a^2 + b^2 <= radius^2`.
    pub(crate) fn within_disc(&mut self, a: Var, b: Var, radius: f64) {
        self.discs.push(Disc { a: a.0, b: b.0, radius });
    }

    /// Bounds of a variable.
    pub fn bounds(&self, v: Var) -> (f64, f64) {
        (self.lower[v.0], self.upper[v.0])
    }

    /// Least and greatest value of an expression over the bounds of its variables.
    pub fn range(&self, e: &Expr) -> (f64, f64) {
        merged(e.terms.clone()).iter().fold((e.constant, e.constant), |(lo, hi), &(v, c)| {
            let (a, b) = (c * self.lower[v.0], c * self.upper[v.0]);
            (lo + a.min(b), hi + a.max(b))
        })
    }

    /// Fixes the pattern; values can still vary from instance to instance.
    pub fn compile(self) -> Template {
        Template::new(self)
    }

    pub(super) fn scope_name(&self, scope: usize) -> &str {
        self.scopes.get(scope).map_or("", String::as_str)
    }
}

/// Bounds, where rounding in a caller's arithmetic may have crossed two that are meant to be equal.
pub(super) fn bounded(lower: f64, upper: f64) -> (f64, f64) {
    (lower, if upper < lower && lower - upper <= 1e-9 * (1.0 + lower.abs()) { lower } else { upper })
}

/// Terms sorted by variable, equal variables added up.
fn merged(mut terms: Vec<(Var, f64)>) -> Vec<(Var, f64)> {
    terms.sort_by_key(|t| t.0);
    terms.dedup_by(|later, first| {
        let same = later.0 == first.0;
        if same {
            first.1 += later.1;
        }
        same
    });
    terms.retain(|t| t.1 != 0.0);
    terms
}
