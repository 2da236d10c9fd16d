//! `ledger`: one row per realisation and payment.

use super::{ONLY, REALISATION};
use crate::evaluate::Case;
use crate::outcome::Payment;
use crate::setting::Setting;
use crate::table::{Column, Field, Row, Value, columns, number, text};

/// A payment.
struct Line<'a> {
    realisation: usize,
    setting: &'a Setting,
    payment: &'a Payment,
}

/// What fills a column.
type Fill = fn(&Line) -> Value;

const FIELDS: &[Field<Fill>] = &[
    REALISATION.by(|l| l.realisation.into()),
    text("from", "Who pays: a participant's id, operator, dso, grid or authority.")
        .by(|l| l.payment.from.name(l.setting).into()),
    text("to", "Who receives.").by(|l| l.payment.to.name(l.setting).into()),
    number("amount", "money", "Positive.").by(|l| l.payment.amount.into()),
    text("reason", "tariff, shortfall, imposed, nodal, carbon, carbon refund, trade, network, or a plugin's own.")
        .by(|l| l.payment.reason.name().into()),
    text("product", "The product it belongs to.")
        .by(|l| l.payment.product.map_or(Value::Missing, |product| product.name().into())),
];

pub(super) static COLUMNS: [Column; FIELDS.len()] = columns(FIELDS);

pub(in crate::evaluate) fn rows(case: &Case) -> Vec<Row> {
    let setting = case.setting();
    let lines = case.accounts.ledger.entries().iter().map(|payment| Line { realisation: ONLY, setting, payment });
    lines.map(|line| FIELDS.iter().map(|field| (field.value)(&line)).collect()).collect()
}
