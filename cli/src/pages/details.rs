//! Figures of single periods, pairs and lines: what rows of a table that has many for a run add up to, and where a line ends.
//!
//! Labels behind mechanism and policy choose the rows: a participant by its id, `period 9` (from 0), of trades `from vpp1` and
//! `to vpp2`, of lines `with vpp2`, `with nobody` and, for what is varied instead of what comes of it, `x`.

use super::expression::Reference;
use coase_core::record::Table;
use coase_store::{Frame, RowRef};

/// The tables of this kind.
pub const TABLES: [Table; 3] = [Table::Periods, Table::Trades, Table::Curves];

/// The one that a reference names.
pub fn table(name: &str) -> Option<Table> {
    TABLES.into_iter().find(|table| table.name() == name)
}

/// The figure of one run. Rows of `periods` and `trades` are summed; of a line it is the last point.
///
/// # Errors
/// No such column, or no row that the labels choose, or several lines, in words.
pub fn figure(frame: &Frame, table: Table, reference: &Reference, run_id: &str) -> Result<f64, String> {
    let labels = &reference.labels[2..];
    let named = || format!("{} of `{}`", reference.labels.join(", "), reference.run);
    let fits = |row: &RowRef<'_>| row.word("run_id") == run_id && labels.iter().all(|label| chooses(table, label, row));
    let rows = frame.rows().filter(fits);
    if table == Table::Curves {
        return last(rows.filter(|row| row.word("curve") == reference.column), labels)
            .map_err(|why| format!("{why} `{}` {}", reference.column, named()));
    }
    if frame.series(&reference.column).is_none() {
        return Err(format!("`{}` has no column `{}`", table.name(), reference.column));
    }
    let numbers: Vec<f64> = rows.filter_map(|row| row.number(&reference.column)).collect();
    // Nobody trades where no trade is written.
    if numbers.is_empty() && table != Table::Trades {
        return Err(format!("no number in `{}` of {}", reference.column, named()));
    }
    Ok(numbers.iter().sum())
}

fn chooses(table: Table, label: &str, row: &RowRef<'_>) -> bool {
    let (key, value) = label.split_once(' ').unwrap_or(("", label));
    match (table, key) {
        (_, "period") => row.number("period").is_some_and(|period| value.parse() == Ok(period)),
        (Table::Trades, "from") => row.word("seller") == value,
        (Table::Trades, "to") => row.word("buyer") == value,
        (Table::Curves, "with") => row.word("other") == if value == "nobody" { "" } else { value },
        (Table::Curves, "") if value == "x" => true,
        (Table::Periods | Table::Curves, "") => row.word("participant") == value,
        _ => false,
    }
}

/// Where the one line of these rows ends.
fn last<'f>(rows: impl Iterator<Item = RowRef<'f>>, labels: &[String]) -> Result<f64, &'static str> {
    let what = if labels.iter().any(|label| label == "x") { "x" } else { "y" };
    let (mut found, mut lines) = (None, 0);
    for row in rows {
        lines += usize::from(row.number("point") == Some(0.0));
        found = row.number(what);
    }
    match (found, lines) {
        (Some(number), 1) => Ok(number),
        (Some(_), _) => Err("several lines"),
        (None, _) => Err("no line"),
    }
}

#[cfg(test)]
mod tests {
    use super::figure;
    use crate::pages::expression::{Expression, Reference};
    use coase_core::record::{Table, Value};
    use coase_store::{Frame, Head};

    fn reference(text: &str) -> Reference {
        match Expression::read(text) {
            Ok(Expression::Figure(reference)) => reference,
            other => panic!("{text}: {other:?}"),
        }
    }

    fn frame(table: Table, rows: &[&[Value]]) -> Frame {
        let columns = table.columns().into_iter().map(Head::of);
        let mut frame = Frame::new(std::iter::once(Head::run_id()).chain(columns));
        for row in rows {
            let run: Vec<Value> = [Value::from("run")].into_iter().chain(row.iter().cloned()).collect();
            frame.push(&run);
        }
        frame
    }

    #[test]
    fn trades_of_a_period_or_a_pair_add_up() {
        let trade = |period: usize, seller: &str, buyer: &str, kwh: f64| {
            [period.into(), "energy".into(), seller.into(), buyer.into(), kwh.into(), Value::Missing]
        };
        let rows = [trade(1, "a", "b", 2.0), trade(1, "a", "c", 3.0), trade(2, "c", "a", 4.0)];
        let frame = frame(Table::Trades, &rows.iter().map(|row| &row[..]).collect::<Vec<_>>());
        let sum = |labels: &str| {
            figure(&frame, Table::Trades, &reference(&format!("x.trades.quantity_kwh[m, p{labels}]")), "run").unwrap()
        };
        assert_eq!([sum(""), sum(", period 1"), sum(", from a, to c"), sum(", period 3")], [9.0, 5.0, 3.0, 0.0]);
    }

    #[test]
    fn a_line_ends_at_its_last_point() {
        let point = |who: &str, other: &str, at: usize, x: f64, y: f64| {
            let other = if other.is_empty() { Value::Missing } else { other.into() };
            ["share".into(), who.into(), other, 3_usize.into(), at.into(), x.into(), y.into()]
        };
        let rows = [point("a", "b", 0, 0.0, 0.5), point("a", "b", 1, 7.0, 0.8), point("a", "", 0, 0.0, 0.2)];
        let frame = frame(Table::Curves, &rows.iter().map(|row| &row[..]).collect::<Vec<_>>());
        let end =
            |labels: &str| figure(&frame, Table::Curves, &reference(&format!("x.curves.share[m, p, {labels}]")), "run");
        assert_eq!(end("a, with b, period 3"), Ok(0.8));
        assert_eq!(end("a, with b, period 3, x"), Ok(7.0));
        assert_eq!(end("a, with nobody"), Ok(0.2));
        for wrong in ["a", "b", "a, with c"] {
            assert!(end(wrong).is_err(), "{wrong}");
        }
    }
}
