//! `trades`: one row per bilateral trade, as the mechanism decided it, or as the rule for net sales writes it.

use crate::evaluate::Case;
use crate::outcome::Trade;
use crate::table::{Column, Field, Row, Value, columns, integer, number, text};

/// A trade.
struct Line<'a> {
    case: &'a Case<'a>,
    trade: &'a Trade,
}

impl Line<'_> {
    fn id(&self, member: usize) -> Value {
        self.case.setting().members[member].id.as_str().into()
    }
}

/// What fills a column.
type Fill = fn(&Line) -> Value;

const FIELDS: &[Field<Fill>] = &[
    integer("period", "From 0.").by(|l| l.case.setting().slots[l.trade.slot].period.into()),
    text("product", "What is traded.").by(|l| l.case.setting().slots[l.trade.slot].product.name().into()),
    text("seller", "Id.").by(|l| l.id(l.trade.seller)),
    text("buyer", "Id.").by(|l| l.id(l.trade.buyer)),
    number(
        "quantity_kwh",
        "kWh",
        "Quantity, not negative; of another product than energy in its own unit, as MHz of spectrum.",
    )
    .by(|l| l.trade.quantity.into()),
    number(
        "price_per_kwh",
        "money/kWh",
        "Price of the trade, where it carries one; of another product per its own unit.",
    )
    .by(|l| l.case.traded.price_of(l.trade).into()),
];

pub(super) static COLUMNS: [Column; FIELDS.len()] = columns(FIELDS);

pub(in crate::evaluate) fn rows(case: &Case) -> Vec<Row> {
    let mut trades: Vec<&Trade> = case.traded.trades.iter().collect();
    trades.sort_by_key(|t| (t.slot, t.seller, t.buyer));
    let line = |trade| Line { case, trade };
    trades.into_iter().map(line).map(|line| FIELDS.iter().map(|field| (field.value)(&line)).collect()).collect()
}
