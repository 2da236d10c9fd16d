//! Figures of a run that is kept in several realisations: expectations, and the rows of each.
//!
//! Knows evaluations and weights, and nothing of what was evaluated.

use super::Evaluation;
use super::tables::certificates::certificate_row;
use crate::outcome::{Certificate, Ledger, Payment, Verdict};
use crate::table::{Row, RunRecord, Table, Value};

/// Metrics and rows of participants in expectation, the rows of what physically happens by realisation, and of every
/// certificate the worst: what is claimed has to hold however things turn out.
pub(super) fn all(each: &[(f64, Evaluation)]) -> (RunRecord, Vec<Certificate>, Ledger, Vec<f64>) {
    let records: Vec<(f64, &RunRecord)> = each.iter().map(|(weight, found)| (*weight, &found.record)).collect();
    let rows = |of: fn(&RunRecord) -> &Vec<Row>, table: Table| by_realisation(&records, of, table);
    let certificates = worst(each);
    let record = RunRecord {
        metrics: mean(&records.iter().map(|(weight, r)| (*weight, &r.metrics)).collect::<Vec<_>>()),
        participants: (0..records.first().map_or(0, |(_, r)| r.participants.len()))
            .map(|i| mean(&records.iter().map(|(weight, r)| (*weight, &r.participants[i])).collect::<Vec<_>>()))
            .collect(),
        periods: rows(|r| &r.periods, Table::Periods),
        trades: records.first().map_or_else(Vec::new, |(_, r)| r.trades.clone()),
        nodes: rows(|r| &r.nodes, Table::Nodes),
        branches: rows(|r| &r.branches, Table::Branches),
        certificates: certificates.iter().map(certificate_row).collect(),
        convergence: records.first().map_or_else(Vec::new, |(_, r)| r.convergence.clone()),
        ledger: rows(|r| &r.ledger, Table::Ledger),
        curves: records.first().map_or_else(Vec::new, |(_, r)| r.curves.clone()),
    };
    let mut ledger = Ledger::default();
    for (weight, found) in each {
        for &Payment { from, to, amount, reason, product } in found.ledger.entries() {
            ledger.pay_for(from, to, weight * amount, reason, product);
        }
    }
    let members = each.first().map_or(0, |(_, found)| found.gains.len());
    let gains = (0..members).map(|i| each.iter().map(|(weight, found)| weight * found.gains[i]).sum()).collect();
    (record, certificates, ledger, gains)
}

/// The expectation of every cell: of a number, its mean; of what is the same in all, that; else nothing.
fn mean(rows: &[(f64, &Row)]) -> Row {
    let cell = |k: usize| {
        let cells = || rows.iter().map(|(weight, row)| (*weight, &row[k]));
        let number = |(weight, value): (f64, &Value)| match value {
            Value::Number(x) => Some(weight * x),
            _ => None,
        };
        let first = &rows[0].1[k];
        if cells().all(|(_, value)| value == first) {
            return first.clone();
        }
        cells().map(number).sum::<Option<f64>>().map_or(Value::Missing, Value::from)
    };
    (0..rows.first().map_or(0, |(_, row)| row.len())).map(cell).collect()
}

/// The rows of all realisations, one realisation after the other; where its table has the key, with its number.
fn by_realisation(records: &[(f64, &RunRecord)], of: fn(&RunRecord) -> &Vec<Row>, table: Table) -> Vec<Row> {
    let key = super::tables::columns(table).iter().position(|column| column.name == "realisation");
    let numbered = |(k, (_, record)): (usize, &(f64, &RunRecord))| {
        let mut rows = of(record).clone();
        for row in &mut rows {
            if let Some(key) = key {
                row[key] = k.into();
            }
        }
        rows
    };
    records.iter().enumerate().flat_map(numbered).collect()
}

/// Of certificates of one name, in the order of the first realisation that has them, the worst and where it was found.
fn worst(each: &[(f64, Evaluation)]) -> Vec<Certificate> {
    let rank = |c: &Certificate| match c.verdict {
        Verdict::Refuted => 4,
        Verdict::Upheld => 3,
        Verdict::Measured => 2,
        Verdict::NotApplicable => 1,
        Verdict::NotSearched => 0,
    };
    let beyond = |c: &Certificate| (rank(c), c.value.unwrap_or(f64::NEG_INFINITY));
    let mut found: Vec<(usize, usize, Certificate)> = vec![];
    for (k, (_, evaluation)) in each.iter().enumerate() {
        let mut seen: Vec<&str> = vec![];
        for certificate in &evaluation.certificates {
            // Several of one name, as of the claims of a policy, are told apart by their order.
            let nth = seen.iter().filter(|name| **name == certificate.name).count();
            seen.push(certificate.name);
            match found.iter_mut().find(|(_, n, known)| *n == nth && known.name == certificate.name) {
                Some(known)
                    if beyond(certificate).partial_cmp(&beyond(&known.2)) == Some(std::cmp::Ordering::Greater) =>
                {
                    *known = (k, nth, certificate.clone());
                }
                Some(_) => {}
                None => found.push((k, nth, certificate.clone())),
            }
        }
    }
    let told = |(k, _, certificate): (usize, usize, Certificate)| {
        let witness = if certificate.witness.is_empty() {
            format!("realisation {k}")
        } else {
            format!("realisation {k}: {}", certificate.witness)
        };
        Certificate { witness, ..certificate }
    };
    found.into_iter().map(told).collect()
}
