//! The file of one finished run: how it ended, and its rows in every table. Holds nothing of time or machine, so that two
//! identical runs leave identical files.
//!
//! | bytes | hold |
//! |---|---|
//! | 12 | `coase run 2\n` |
//! | 8 | length of the rest after the checksum |
//! | 16 | checksum of the rest: the first bytes of its BLAKE3 hash |
//! | .. | run id, hash of all columns, build, keys, status, reason, residual, behaviour, information, kilograms charged |
//! | .. | tables in the order of [`Table::ALL`], each with its length in bytes: its rows, column by column |
//!
//! Of `runs` the file holds the metrics alone, in one row: the other columns stand before. How numbers, words and columns are
//! written is said in `codec`.

use crate::codec::{Decoder, Encoder, Malformed};
use crate::error::{RunFileError, StoreError};
use crate::folder::Store;
use crate::frame::{Frame, Head};
use crate::hash_of;
use crate::program::Build;
use crate::result::{Keys, RunResult, RunStatus};
use crate::whole::WholeFile;
use coase_core::record::{METRICS, RunRecord, Table, Value};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::sync::LazyLock;

const MAGIC: &[u8; 12] = b"coase run 2\n";
const CHECKSUM: usize = 16;

/// Checksum of the content of a run file.
pub(crate) type Checksum = [u8; CHECKSUM];

fn checksum(body: &[u8]) -> Checksum {
    let mut sum = [0; CHECKSUM];
    sum.copy_from_slice(&blake3::hash(body).as_bytes()[..CHECKSUM]);
    sum
}

/// A hash of the columns of all tables: rows do not say what they are rows of.
static COLUMNS: LazyLock<String> = LazyLock::new(|| {
    let columns = |table: &Table| {
        let kinds = table.columns().into_iter().flat_map(|c| [c.name.to_owned(), format!("{:?}", c.kind)]);
        std::iter::once(table.name().to_owned()).chain(kinds).collect::<Vec<_>>()
    };
    let all: Vec<String> = Table::ALL.iter().flat_map(columns).collect();
    hash_of(all.iter().map(String::as_str))
});

fn heads(table: Table) -> Vec<Head> {
    if table == Table::Runs { Head::metrics() } else { Head::all(table, &[]) }
}

/// Writes the file. It is not forced to the disk: one that a crash of the machine cuts short says so, and its run is made again.
pub(crate) fn write(path: &Path, build: &Build, result: &RunResult) -> Result<(), StoreError> {
    let body = encoded(build, result);
    let mut file = WholeFile::create(path)?;
    let length = (body.len() as u64).to_le_bytes();
    let written =
        [MAGIC.as_slice(), &length, &checksum(&body), &body].into_iter().try_for_each(|part| file.write_all(part));
    written.map_err(|source| StoreError::Write { path: path.to_owned(), source })?;
    file.keep()
}

fn encoded(build: &Build, result: &RunResult) -> Vec<u8> {
    let mut out = Encoder::default();
    let Keys { scenario, mechanism, variant, carbon_policy, carbon_label, reporting, seed } = &result.keys;
    out.word(&result.run_id);
    out.word(&COLUMNS);
    out.word(&build.version);
    out.option(build.source_revision.as_deref(), Encoder::word);
    out.option(build.program_hash.as_deref(), Encoder::word);
    for key in [scenario, mechanism, variant, carbon_policy, carbon_label, reporting] {
        out.word(key);
    }
    out.count(*seed);
    out.word(result.status.name());
    out.word(&result.reason);
    out.option(result.residual.filter(|r| r.is_finite()), Encoder::number);
    out.word(&result.behaviour);
    out.word(&result.information);
    out.option(result.charged_kg, Encoder::number);
    out.count(result.charged_kg_under.len() as u64);
    for (policy, kg) in &result.charged_kg_under {
        out.word(policy);
        out.number(*kg);
    }
    for table in Table::ALL {
        let mut rows = Encoder::default();
        if table == Table::Runs {
            let mut frame = Frame::new(heads(table));
            frame.push(&result.record.metrics);
            rows.frame(&frame);
        } else {
            rows.frame(&Frame::of_rows(table, result.record.rows(table)));
        }
        out.count(rows.0.len() as u64);
        out.0.extend(rows.0);
    }
    out.0
}

/// What a run file holds.
pub struct StoredRun {
    /// Which program made it.
    pub build: Build,
    /// How it ended, and its metrics.
    pub result: RunResult,
    pub(crate) checksum: Checksum,
    /// The tables that were asked for.
    frames: BTreeMap<Table, Frame>,
}

impl StoredRun {
    /// Rows of a table other than `runs` that was asked for.
    pub fn frame(&self, table: Table) -> Option<&Frame> {
        self.frames.get(&table)
    }

    pub(crate) fn into_frames(self) -> BTreeMap<Table, Frame> {
        self.frames
    }
}

impl Store {
    /// The stored result of a run without its rows; `None` where there is none.
    ///
    /// # Errors
    /// Why the file is not used.
    pub fn stored(&self, run_id: &str) -> Result<Option<StoredRun>, RunFileError> {
        read(&self.run_path(run_id), run_id, &[])
    }

    /// Keeps a result.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn keep(&self, build: &Build, result: &RunResult) -> Result<(), StoreError> {
        write(&self.run_path(&result.run_id), build, result)
    }
}

/// Reads the file of a run, and of its rows those of some tables; `None` where there is no file.
///
/// # Errors
/// If it is not whole, not as it was written, or not of this run.
pub(crate) fn read(path: &Path, run_id: &str, tables: &[Table]) -> Result<Option<StoredRun>, RunFileError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(RunFileError::Unreadable(error.to_string())),
    };
    let rest = bytes.strip_prefix(MAGIC.as_slice()).ok_or(RunFileError::Form)?;
    let (length, rest) = rest.split_first_chunk::<8>().ok_or(RunFileError::Form)?;
    let (sum, body) = rest.split_first_chunk::<CHECKSUM>().ok_or(RunFileError::Form)?;
    if u64::from_le_bytes(*length) != body.len() as u64 {
        return Err(RunFileError::Form);
    }
    if checksum(body) != *sum {
        return Err(RunFileError::Checksum);
    }
    decoded(body, *sum, run_id, tables).map(Some)
}

fn decoded(body: &[u8], checksum: Checksum, run_id: &str, tables: &[Table]) -> Result<StoredRun, RunFileError> {
    let mut from = Decoder(body);
    let content = |Malformed(what)| RunFileError::Content(what.to_owned());
    let found = from.word().map_err(content)?;
    if found != run_id {
        return Err(RunFileError::Foreign { found: found.to_owned() });
    }
    if from.word().map_err(content)? != *COLUMNS {
        return Err(RunFileError::Columns);
    }
    let parts = |from: &mut Decoder| -> Result<(StoredRun, String), Malformed> {
        let owned = |from: &mut Decoder| from.word().map(str::to_owned);
        let build =
            Build { version: owned(from)?, source_revision: from.option(owned)?, program_hash: from.option(owned)? };
        let keys = Keys {
            scenario: owned(from)?,
            mechanism: owned(from)?,
            variant: owned(from)?,
            carbon_policy: owned(from)?,
            carbon_label: owned(from)?,
            reporting: owned(from)?,
            seed: from.count()?,
        };
        let status = owned(from)?;
        let mut result = RunResult {
            run_id: run_id.to_owned(),
            keys,
            status: RunStatus::Failed,
            reason: owned(from)?,
            residual: from.option(Decoder::number)?,
            behaviour: owned(from)?,
            information: owned(from)?,
            charged_kg: from.option(Decoder::number)?,
            charged_kg_under: BTreeMap::new(),
            record: RunRecord::default(),
            timing: None,
        };
        for _ in 0..from.count()? {
            result.charged_kg_under.insert(owned(from)?, from.number()?);
        }
        let mut frames = BTreeMap::new();
        for table in Table::ALL {
            let rows = from.part()?;
            if table == Table::Runs {
                let metrics = Decoder(rows).frame(heads(table))?;
                result.record.metrics = metrics.row(0).cells().map(|cell| cell.1).collect();
            } else if tables.contains(&table) {
                frames.insert(table, Decoder(rows).frame(heads(table))?);
            }
        }
        Ok((StoredRun { build, result, checksum, frames }, status))
    };
    let (mut run, status) = parts(&mut from).map_err(content)?;
    run.result.status = RunStatus::named(&status).ok_or(RunFileError::Status(status))?;
    debug_assert_eq!(run.result.record.metrics.len(), METRICS.len());
    Ok(run)
}

/// The row of a run in `runs` after `run_id`: keys, swept values, metrics. Keys stand under their names.
pub(crate) fn run_row(heads: &[Head], swept: &[Value], result: &RunResult) -> Vec<Value> {
    let keys = &result.keys;
    let mut swept = swept.iter();
    let mut metrics = result.record.metrics.iter();
    let cell = |head: &Head| match head.name.as_str() {
        "scenario" => keys.scenario.as_str().into(),
        "mechanism" => keys.mechanism.as_str().into(),
        "variant" => keys.variant.as_str().into(),
        "carbon_policy" => keys.carbon_policy.as_str().into(),
        "carbon_label" => keys.carbon_label.as_str().into(),
        "reporting" => keys.reporting.as_str().into(),
        "seed" => keys.seed.into(),
        "status" => result.status.name().into(),
        "reason" if result.reason.is_empty() => Value::Missing,
        "reason" => result.reason.as_str().into(),
        "residual" => result.residual.into(),
        "behaviour" => result.behaviour.as_str().into(),
        "information" => result.information.as_str().into(),
        _ if head.is_swept() => swept.next().cloned().unwrap_or(Value::Missing),
        _ => metrics.next().cloned().unwrap_or(Value::Missing),
    };
    heads.iter().map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::{read, write};
    use crate::error::RunFileError;
    use crate::program::Build;
    use crate::result::{Keys, RunResult, RunStatus, Timing};
    use coase_core::record::{RunRecord, Table, Value};
    use std::collections::BTreeMap;

    fn result() -> RunResult {
        let node = |period: usize, bus: u64, volt: f64| {
            let cell = |name| match name {
                "period" => period.into(),
                "bus" => bus.into(),
                "voltage_pu" => volt.into(),
                _ => Value::Missing,
            };
            Table::Nodes.columns().iter().map(|column| cell(column.name)).collect()
        };
        RunResult {
            run_id: "0f".repeat(16),
            keys: Keys { scenario: "dorf \u{e9}".into(), seed: u64::MAX, ..Keys::default() },
            status: RunStatus::NotConverged,
            reason: "a, \"b\"\n".into(),
            residual: Some(1e-3),
            behaviour: "truthful".into(),
            information: String::new(),
            charged_kg: Some(2.5),
            charged_kg_under: BTreeMap::from([("p".into(), 0.1), ("q".into(), -0.2)]),
            record: RunRecord { nodes: vec![node(0, 1, 0.99), node(1, 300, 1.01)], ..RunRecord::empty() },
            timing: Some(Timing::default()),
        }
    }

    #[test]
    fn a_run_file_gives_back_what_was_written() {
        let path = std::env::temp_dir().join(format!("coase-run-file-{}", std::process::id()));
        let build = Build { version: "1".into(), source_revision: Some("abc".into()), program_hash: None };
        let result = result();
        write(&path, &build, &result).unwrap();
        let stored = read(&path, &result.run_id, &[Table::Nodes, Table::Ledger]).unwrap().unwrap();
        assert_eq!(stored.build, build);
        assert_eq!(stored.result, RunResult { timing: None, ..result.clone().without_rows() });
        let nodes = stored.frame(Table::Nodes).unwrap();
        let rows: Vec<Vec<Value>> = nodes.rows().map(|row| row.cells().map(|cell| cell.1).collect()).collect();
        assert_eq!(rows, result.record.nodes);
        assert!(stored.frame(Table::Ledger).unwrap().is_empty() && stored.frame(Table::Trades).is_none());
        let foreign = read(&path, "other", &[]).map(|_| ());
        assert_eq!(foreign, Err(RunFileError::Foreign { found: result.run_id }));
        std::fs::remove_file(path).unwrap();
    }
}
