//! `certificates`: one row per certificate.

use crate::outcome::Certificate;
use crate::table::{Column, Field, Row, Value, columns, number, text};

/// What fills a column.
type Fill = fn(&Certificate) -> Value;

const FIELDS: &[Field<Fill>] = &[
    text("name", "What was checked or measured.").by(|c| c.name.into()),
    number("value", "", "The figure.").by(|c| c.value.into()),
    number("tolerance", "", "What it may be at most, where something is claimed.").by(|c| c.tolerance.into()),
    text("verdict", "upheld, refuted, measured, not_applicable or not_searched.").by(|c| c.verdict.name().into()),
    text("witness", "Where it was found, or why the question makes no sense or was not searched.")
        .by(|c| c.witness.as_str().into()),
    text(
        "kind",
        "What it is about: feasibility, conservation, optimality, fixed_point, policy_constraint (refuted, the run is not converged), claim or figure.",
    )
    .by(|c| c.kind.name().into()),
];

pub(super) static COLUMNS: [Column; FIELDS.len()] = columns(FIELDS);

/// A certificate as a row of its table.
pub fn certificate_row(certificate: &Certificate) -> Row {
    FIELDS.iter().map(|field| (field.value)(certificate)).collect()
}
