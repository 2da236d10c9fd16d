//! `convergence`: one row per iteration that the mechanism recorded in the settled round, or per round of the fixed point
//! around it.

use crate::context::Step;
use crate::evaluate::Case;
use crate::table::{Column, Field, Row, Value, columns, integer, number};

/// An iteration.
struct Line<'a> {
    iteration: usize,
    step: &'a Step,
}

impl Line<'_> {
    fn value(&self, name: &str) -> Value {
        self.step.values.iter().find(|value| value.0 == name).map(|value| value.1).into()
    }
}

/// What fills a column.
type Fill = fn(&Line) -> Value;

const FIELDS: &[Field<Fill>] = &[
    integer("iteration", "From 0.").by(|l| l.iteration.into()),
    number(
        "primal_residual",
        "",
        "Distance from agreement; between rounds of nodal prices the greatest change of a withdrawal, kWh in a period.",
    )
    .by(|l| l.value("primal_residual")),
    number(
        "dual_residual",
        "",
        "Change of the agreement; between rounds of nodal prices the greatest marginal cost left, money/kWh.",
    )
    .by(|l| l.value("dual_residual")),
    number("objective", "money", "Cost at the iterate.").by(|l| l.value("objective")),
];

pub(super) static COLUMNS: [Column; FIELDS.len()] = columns(FIELDS);

pub(in crate::evaluate) fn rows(case: &Case) -> Vec<Row> {
    let lines = case.cleared.iterations().iter().enumerate().map(|(iteration, step)| Line { iteration, step });
    lines.map(|line| FIELDS.iter().map(|field| (field.value)(&line)).collect()).collect()
}
