//! Fields of a case besides its tables of buses, branches, generators and costs.
//!
//! What may be read past, and what constrains the problem and is refused by name.

use super::cell::{Row, table, transposed};
use crate::network::matpower_error::{At, MatpowerError};

/// What constrains or changes flows and dispatch, and has no place in the network model.
const CONSTRAINTS: [(&str, &[&str]); 7] = [
    (
        "constraints or costs of the user's own",
        &["A", "l", "u", "Au", "lbu", "ubu", "N", "H", "Cw", "fparm", "z0", "zl", "zu", "userfcn"],
    ),
    ("limits on interfaces", &["if", "iflims", "interface"]),
    ("reserve requirements", &["reserves", "reserve"]),
    ("soft limits", &["softlims"]),
    ("a three-phase network", &["bus3p", "line3p", "xfmr3p", "shunt3p", "load3p", "gen3p", "lc", "buslink"]),
    ("a direct-current network", &["busdc", "convdc", "branchdc"]),
    (
        "equipment beside buses, branches and generators",
        &[
            "storage",
            "switch",
            "ne_branch",
            "load",
            "shunt",
            "svc",
            "facts",
            "trafo3w",
            "transformer",
            "hvdc",
            "contab",
            "xgd",
        ],
    ),
];

/// What solvers and `savecase` leave beside the data; whatever is below these names changes nothing.
const RESULTS: [&str; 22] = [
    "areas",
    "zones",
    "order",
    "om",
    "raw",
    "output",
    "success",
    "et",
    "f",
    "iterations",
    "x",
    "mu",
    "var",
    "lin",
    "nle",
    "nli",
    "nlc",
    "qdc",
    "cost",
    "userdata",
    "dclinecost",
    "task",
];

/// Fields that are data and are read elsewhere, as a whole.
const DATA: [&str; 6] = ["version", "baseMVA", "bus", "gen", "branch", "gencost"];

/// A table of which only the shape is known, to be compared with those of the case once all of it has been read.
#[derive(Debug)]
pub(super) struct Unknown {
    field: String,
    line: usize,
    rows: usize,
    columns: usize,
}

/// Whether an assignment to a part of a field, such as `bus_name{1}`, leaves the data alone.
pub(super) fn is_remark(root: &str) -> bool {
    !DATA.contains(&root) && root != "dcline" && constraint(root).is_none()
}

fn constraint(root: &str) -> Option<&'static str> {
    CONSTRAINTS.iter().find(|(_, fields)| fields.contains(&root)).map(|(what, _)| *what)
}

/// Reads past `mpc.{field} = {value}`, or says why it cannot; `line` is that of the field, `at` that of the value.
pub(super) fn pass(field: &str, value: &str, line: usize, at: usize) -> Result<Option<Unknown>, At> {
    let root = field.split('.').next().unwrap_or(field);
    if DATA.contains(&root) {
        return Err(MatpowerError::Statement { statement: format!("mpc.{field} = ..") }.at(line));
    }
    if let Some(what) = constraint(root) {
        let empty = is_empty(value, at)?;
        return if empty { Ok(None) } else { Err(MatpowerError::Field { field: field.into(), what }.at(line)) };
    }
    if field == "dcline" {
        return dc_lines(value, at).map(|()| None);
    }
    if RESULTS.contains(&root) || !value.starts_with('[') || value.contains(['\'', '"']) && !is_transposed(value) {
        return Ok(None);
    }
    let rows = any_table(value, at)?;
    let columns = rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
    Ok(Some(Unknown { field: field.into(), line, rows: rows.len(), columns }))
}

impl Unknown {
    /// One row, or one cell, for each of something is a remark on it; `counts` are the lengths of the tables.
    pub(super) fn check(&self, counts: &[usize]) -> Result<(), At> {
        let one_each = counts.contains(&self.rows) || (self.rows == 1 && counts.contains(&self.columns));
        if self.rows == 0 || (self.rows == 1 && self.columns == 1) || one_each {
            return Ok(());
        }
        let Self { field, line, rows, columns } = self;
        Err(MatpowerError::UnknownTable { field: field.clone(), rows: *rows, columns: *columns }.at(*line))
    }
}

/// `[..]`, or `[..]'`, or `zeros(0, 5)`.
pub(super) fn any_table(value: &str, at: usize) -> Result<Vec<Row>, At> {
    if is_no_rows(value) {
        return Ok(Vec::new());
    }
    let inside = value.strip_suffix(".'").or_else(|| value.strip_suffix('\'')).map(str::trim_end);
    match inside {
        Some(inside) => {
            let rows = table(inside, at)?;
            let width = rows.first().map_or(0, |row| row.cells.len());
            match rows.iter().find(|row| row.cells.len() != width) {
                Some(row) => {
                    let (expected, found) = ("a row as long as those before", format!("{} cells", row.cells.len()));
                    Err(MatpowerError::Syntax { expected, found }.at(row.line))
                }
                None => Ok(transposed(&rows, at)),
            }
        }
        None => table(value, at),
    }
}

fn is_transposed(value: &str) -> bool {
    let inside = value.strip_suffix(".'").or_else(|| value.strip_suffix('\''));
    inside.is_some_and(|inside| inside.trim_end().ends_with(']') && !inside.contains(['\'', '"']))
}

/// `zeros(0, 5)`, as `savecase` may write a table without rows.
fn is_no_rows(value: &str) -> bool {
    let inside = value.strip_prefix("zeros").map(str::trim).and_then(|v| v.strip_prefix('(')?.strip_suffix(')'));
    inside.is_some_and(|sizes| sizes.split(',').any(|size| size.trim() == "0"))
}

fn is_empty(value: &str, at: usize) -> Result<bool, At> {
    if let Some(inside) = value.strip_prefix('{').and_then(|v| v.strip_suffix('}')) {
        return Ok(inside.trim().is_empty());
    }
    Ok(is_no_rows(value) || (value.starts_with('[') && any_table(value, at)?.is_empty()))
}

/// Direct-current lines change nothing while they are off.
fn dc_lines(value: &str, at: usize) -> Result<(), At> {
    for (k, row) in any_table(value, at)?.iter().enumerate() {
        let c = &row.cells;
        if c.len() < 3 {
            return Err(MatpowerError::Columns { field: "dcline", at_least: 3, found: c.len() }.at(row.line));
        }
        if c[2] != 0.0 {
            return Err(MatpowerError::DcLine { number: k + 1, from: c[0], to: c[1] }.at(row.line));
        }
    }
    Ok(())
}
