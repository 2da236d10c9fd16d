//! The file of one finished run: how it ended, and its rows in every table. Holds nothing of time or machine, so that two
//! identical runs leave identical files.

use super::StoreError;
use super::whole::write_whole;
use crate::experiment::{Run, hex};
use crate::run::{RunResult, RunStatus};
use coase_core::record::{METRICS, Row, RunRecord, Table, Value};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::LazyLock;

/// Why a run file is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RunFileError {
    /// The file system does not give it.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// It does not begin and end as run files do.
    #[error("it is no whole run file of this program")]
    Form,
    /// It was changed after it was written.
    #[error("it is damaged: its content does not have the checksum that stands in it")]
    Checksum,
    /// It lies where another run belongs.
    #[error("it holds another run, {found}")]
    Foreign {
        /// Which.
        found: String,
    },
    /// It was written by another build.
    #[error("it was made by another build, {found}; this is {expected}")]
    Build {
        /// Which.
        found: Box<Build>,
        /// Which was expected.
        expected: Box<Build>,
    },
    /// The tables of the program that wrote it have other columns.
    #[error("it was made by a program whose tables have other columns")]
    Columns,
    /// It is no form of a run.
    #[error("it is no result of a run: {0}")]
    Content(String),
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

/// Which program made a result.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Build {
    /// Its version.
    pub version: String,
    /// Revision of its source.
    pub source_revision: Option<String>,
    /// Hash of the program itself, where that has plugins of which the revision says nothing.
    pub program_hash: Option<String>,
}

impl Build {
    /// Hash of a program.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn hash_of(program: &Path) -> std::io::Result<String> {
        Ok(checksum(&std::fs::read(program)?))
    }

    /// Version and revision: what two copies of the program share that were built apart.
    pub(super) fn source(&self) -> (&str, Option<&str>) {
        (&self.version, self.source_revision.as_deref())
    }
}

impl fmt::Display for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |text: &str| text.chars().take(12).collect::<String>();
        write!(f, "{}", self.version)?;
        if let Some(revision) = &self.source_revision {
            // The end says whether the source was changed since the revision.
            let (id, changed) = revision.split_once('-').map_or((revision.as_str(), None), |(id, c)| (id, Some(c)));
            write!(f, " of source {}", short(id))?;
            changed.map_or(Ok(()), |changed| write!(f, "-{changed}"))?;
        }
        self.program_hash.as_ref().map_or(Ok(()), |hash| write!(f, ", program {}", short(hash)))
    }
}

#[derive(Deserialize)]
struct Form {
    run_id: String,
    columns: String,
    build: Build,
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
    columns: &'a str,
    build: &'a Build,
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

/// What a run file looks like: `{"checksum":"<32 hex digits>","run":{..}}`; the checksum is that of the bytes of `run`.
const BEGIN: &str = "{\"checksum\":\"";
const MIDDLE: &str = "\",\"run\":";
const END: &str = "}\n";

fn checksum(body: &[u8]) -> String {
    blake3::hash(body).to_hex()[..32].to_owned()
}

/// A hash of the columns of all tables: rows do not say what they are rows of.
static COLUMNS: LazyLock<String> = LazyLock::new(|| {
    let names = |table: &Table| std::iter::once(table.name()).chain(table.columns().into_iter().map(|c| c.name));
    hex(Table::ALL.iter().flat_map(names))
});

/// Writes the file.
pub(super) fn write(path: &Path, build: &Build, run: &Run, result: &RunResult) -> Result<(), StoreError> {
    let rows = |table: &Table| (table.name(), result.record.rows(*table).iter().map(|row| Cells(row)).collect());
    let form = Written {
        run_id: &run.run_id,
        columns: &COLUMNS,
        build,
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
    let body = serde_json::to_vec(&form).map_err(|source| StoreError::NotOurs { path: path.to_owned(), source })?;
    let sum = checksum(&body);
    write_whole(path, &[BEGIN.as_bytes(), sum.as_bytes(), MIDDLE.as_bytes(), &body, END.as_bytes()].concat())
}

/// What a run file holds.
pub(super) struct Stored {
    pub(super) build: Build,
    pub(super) keys: Keys,
    pub(super) result: RunResult,
}

/// Reads the file of a run; `None` where there is none.
///
/// # Errors
/// If it is not whole, not as it was written, or not of this run.
pub(super) fn read(path: &Path, run_id: &str) -> Result<Option<Stored>, RunFileError> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(RunFileError::Unreadable(error.to_string())),
    };
    let rest = text.strip_prefix(BEGIN.as_bytes()).and_then(|rest| rest.strip_suffix(END.as_bytes()));
    let (sum, rest) = rest.and_then(|rest| rest.split_at_checked(32)).ok_or(RunFileError::Form)?;
    let body = rest.strip_prefix(MIDDLE.as_bytes()).ok_or(RunFileError::Form)?;
    if checksum(body).as_bytes() != sum {
        return Err(RunFileError::Checksum);
    }
    let form: Form = serde_json::from_slice(body).map_err(|error| RunFileError::Content(error.to_string()))?;
    if form.run_id != run_id {
        return Err(RunFileError::Foreign { found: form.run_id });
    }
    if form.columns != *COLUMNS {
        return Err(RunFileError::Columns);
    }
    parsed(form).map(Some)
}

fn parsed(mut form: Form) -> Result<Stored, RunFileError> {
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
    Ok(Stored { build: form.build, keys: form.keys, result })
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
