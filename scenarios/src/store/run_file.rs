//! The file of one finished run: how it ended, and its rows in every table. Holds nothing of time or machine, so that two
//! identical runs leave identical files.

use super::{StoreError, write_whole};
use crate::experiment::{Run, VERSION};
use crate::run::{RunResult, RunStatus};
use coase_core::record::{METRICS, Row, RunRecord, Table, Value};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::path::Path;

/// A run file that was not written by this version of the program, or was changed since.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunFileError {
    /// No run ends like this.
    #[error("there is no status `{0}`")]
    Status(String),
    /// A cell that is neither text nor number.
    #[error("a cell of `{table}` is neither text nor number nor null")]
    Cell {
        /// Which table.
        table: &'static str,
    },
    /// A row of another length.
    #[error("a row of `{table}` has {found} cells, expected {expected}")]
    Width {
        /// Which table.
        table: &'static str,
        /// Cells there are.
        found: usize,
        /// Cells there should be.
        expected: usize,
    },
}

#[derive(Deserialize)]
struct Form {
    run_id: String,
    #[serde(flatten)]
    keys: Keys,
    status: String,
    reason: String,
    residual: Option<f64>,
    behaviour: String,
    information: String,
    charged_kg: Option<f64>,
    charged_kg_under: BTreeMap<String, f64>,
    metrics: Vec<Json>,
    tables: BTreeMap<String, Vec<Vec<Json>>>,
}

/// What a run file says of the run itself.
#[derive(Serialize, Deserialize)]
pub(super) struct Keys {
    pub(super) scenario: String,
    pub(super) mechanism: String,
    pub(super) variant: String,
    pub(super) carbon_policy: String,
    pub(super) carbon_label: String,
    pub(super) seed: u64,
}

/// The same form as it is written, borrowed from the result.
#[derive(Serialize)]
struct Written<'a> {
    run_id: &'a str,
    program_version: &'a str,
    #[serde(flatten)]
    keys: Keys,
    status: &'a str,
    reason: &'a str,
    residual: Option<f64>,
    behaviour: &'a str,
    information: &'a str,
    charged_kg: Option<f64>,
    charged_kg_under: &'a BTreeMap<String, f64>,
    metrics: Cells<'a>,
    tables: BTreeMap<&'static str, Vec<Cells<'a>>>,
}

/// A row, cell by cell.
struct Cells<'a>(&'a [Value]);

impl Serialize for Cells<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Cell))
    }
}

struct Cell<'a>(&'a Value);

impl Serialize for Cell<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Text(text) => serializer.serialize_str(text),
            Value::Number(x) => serializer.serialize_f64(*x),
            Value::Integer(x) => serializer.serialize_i64(*x),
            Value::Missing => serializer.serialize_none(),
        }
    }
}

/// Writes the file.
pub(super) fn write(path: &Path, run: &Run, result: &RunResult) -> Result<(), StoreError> {
    let rows = |table: &Table| (table.name(), result.record.rows(*table).iter().map(|row| Cells(row)).collect());
    let form = Written {
        run_id: &run.run_id,
        program_version: VERSION,
        keys: Keys {
            scenario: run.scenario.clone(),
            mechanism: run.mechanism.plugin().id.to_owned(),
            variant: run.variant.clone(),
            carbon_policy: run.policy.plugin().id.to_owned(),
            carbon_label: run.carbon_label.clone(),
            seed: run.seed,
        },
        status: result.status.name(),
        reason: &result.reason,
        residual: result.residual.filter(|r| r.is_finite()),
        behaviour: &result.behaviour,
        information: &result.information,
        charged_kg: result.charged_kg,
        charged_kg_under: &result.charged_kg_under,
        metrics: Cells(&result.record.metrics),
        tables: Table::ALL.iter().filter(|t| **t != Table::Runs).map(rows).collect(),
    };
    let text = serde_json::to_vec(&form).map_err(|source| StoreError::NotOurs { path: path.to_owned(), source })?;
    write_whole(path, &text)
}

/// Reads the file; `None` where there is none.
pub(super) fn read(path: &Path) -> Result<Option<RunResult>, StoreError> {
    Ok(read_with_keys(path)?.map(|(_, result)| result))
}

/// The same with what the file says of the run.
pub(super) fn read_with_keys(path: &Path) -> Result<Option<(Keys, RunResult)>, StoreError> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(StoreError::Read { path: path.to_owned(), source }),
    };
    let form: Form =
        serde_json::from_slice(&text).map_err(|source| StoreError::NotOurs { path: path.to_owned(), source })?;
    parsed(form).map(Some).map_err(|source| StoreError::RunFile { path: path.to_owned(), source })
}

fn parsed(mut form: Form) -> Result<(Keys, RunResult), RunFileError> {
    let status = RunStatus::ALL.into_iter().find(|s| s.name() == form.status);
    let status = status.ok_or(RunFileError::Status(form.status))?;
    let mut rows = |table: Table| {
        let rows = form.tables.remove(table.name()).unwrap_or_default();
        rows.into_iter().map(|cells| row(table.name(), table.columns().len(), cells)).collect::<Result<Vec<Row>, _>>()
    };
    let record = RunRecord {
        participants: rows(Table::Participants)?,
        periods: rows(Table::Periods)?,
        trades: rows(Table::Trades)?,
        nodes: rows(Table::Nodes)?,
        branches: rows(Table::Branches)?,
        certificates: rows(Table::Certificates)?,
        convergence: rows(Table::Convergence)?,
        ledger: rows(Table::Ledger)?,
        metrics: row(Table::Runs.name(), METRICS.len(), form.metrics)?,
    };
    let result = RunResult {
        run_id: form.run_id,
        status,
        reason: form.reason,
        residual: form.residual,
        behaviour: form.behaviour,
        information: form.information,
        charged_kg: form.charged_kg,
        charged_kg_under: form.charged_kg_under,
        record,
        timing: None,
    };
    Ok((form.keys, result))
}

fn row(table: &'static str, expected: usize, cells: Vec<Json>) -> Result<Row, RunFileError> {
    if cells.len() != expected {
        return Err(RunFileError::Width { table, found: cells.len(), expected });
    }
    cells.into_iter().map(|cell| value(cell).ok_or(RunFileError::Cell { table })).collect()
}

fn value(cell: Json) -> Option<Value> {
    match cell {
        Json::Null => Some(Value::Missing),
        Json::String(text) => Some(Value::Text(text)),
        Json::Number(number) => match number.as_i64() {
            Some(integer) => Some(Value::Integer(integer)),
            None => number.as_f64().map(Value::from),
        },
        Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    }
}
