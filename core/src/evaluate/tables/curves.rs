//! `curves`: one row per point of a line that explains the outcome, where such lines are asked for.
//!
//! Supply and demand are those of any rule that clears a book; what else there is comes from the mechanism itself.

use crate::curve::Curve;
use crate::error::MechanismError;
use crate::evaluate::Case;
use crate::table::{Column, Field, Row, Value, columns, integer, number, text};

/// A point of a line.
struct Line<'a> {
    case: &'a Case<'a>,
    curve: &'a Curve,
    at: usize,
}

impl Line<'_> {
    fn id(&self, member: Option<usize>) -> Value {
        member.map_or(Value::Missing, |i| self.case.setting().members[i].id.as_str().into())
    }
}

/// What fills a column.
type Fill = fn(&Line) -> Value;

const FIELDS: &[Field<Fill>] = &[
    text("curve", "What the line shows.").by(|l| l.curve.name.into()),
    text("participant", "Id of whose line it is; empty where it is nobody's.").by(|l| l.id(l.curve.member)),
    text("other", "Id of the other participant that it is about, where there is one.").by(|l| l.id(l.curve.other)),
    integer("period", "From 0; empty where the line belongs to no period.")
        .by(|l| l.curve.slot.map_or(Value::Missing, |slot| l.case.setting().slots[slot].period.into())),
    integer("point", "Number of the point on its line, from 0.").by(|l| l.at.into()),
    number("x", "", "What is varied, in the unit of the line.").by(|l| l.curve.points[l.at].0.into()),
    number("y", "", "What it leads to, in the unit of the line.").by(|l| l.curve.points[l.at].1.into()),
];

pub(super) static COLUMNS: [Column; FIELDS.len()] = columns(FIELDS);

pub(in crate::evaluate) fn rows(case: &Case) -> Result<Vec<Row>, MechanismError> {
    let mut curves = if case.mechanism.as_auction().is_some() { bids(case)? } else { vec![] };
    curves.extend(case.mechanism.curves(&case.cleared.truth, &case.cleared.outcome, case.seed)?);
    let lines = curves.iter().flat_map(|curve| (0..curve.points.len()).map(move |at| Line { case, curve, at }));
    Ok(lines.map(|line| FIELDS.iter().map(|field| (field.value)(&line)).collect()).collect())
}

/// True bids of every slot, best first: `demand` and `supply`, a line for each block from where the blocks before it end. Under a
/// ladder they are made at the price of a kilogram without trade.
fn bids(case: &Case) -> Result<Vec<Curve>, MechanismError> {
    let truth = &case.cleared.truth;
    let mut curves = vec![];
    for slot in 0..case.setting().slots.len() {
        let book = truth.book(slot)?;
        for (name, orders) in [("demand", &book.buyers), ("supply", &book.sellers)] {
            let mut sum = 0.0;
            for order in orders {
                let points = vec![(sum, order.price), (sum + order.quantity, order.price)];
                sum += order.quantity;
                curves.push(Curve { name, member: Some(order.who), other: None, slot: Some(slot), points });
            }
        }
    }
    Ok(curves)
}
