//! Reading a result store: the CSV tables as typed rows, and the facts about the scenarios in its manifest.
//!
//! Must not know what a figure needs or how a result came about.

mod manifest;
mod rows;
mod table;

pub use manifest::{Manifest, ScenarioFacts};
pub use rows::{
    BranchRow, CertificateRow, ConvergenceRow, DeviceColumn, LedgerRow, NodeRow, ParticipantRow, PeriodRow, PriceParts,
    Run, Status, TradeRow,
};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A result store in memory. Rows name their run by its place in `runs`, and stand in the order of the files.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Store {
    pub manifest: Manifest,
    /// The columns of metrics of `runs`, in order.
    pub metrics: Vec<String>,
    /// The swept parameters: columns between the fixed ones and the metrics.
    pub sweeps: Vec<String>,
    /// The device kinds of `periods`, in order of their columns.
    pub devices: Vec<DeviceColumn>,
    pub runs: Vec<Run>,
    pub participants: Vec<ParticipantRow>,
    pub periods: Vec<PeriodRow>,
    pub trades: Vec<TradeRow>,
    pub nodes: Vec<NodeRow>,
    pub branches: Vec<BranchRow>,
    pub certificates: Vec<CertificateRow>,
    pub convergence: Vec<ConvergenceRow>,
    pub ledger: Vec<LedgerRow>,
}

/// Why a result store cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{}: {source}", file.display())]
    Unreadable { file: PathBuf, source: std::io::Error },
    #[error("{}: {source}", file.display())]
    Malformed { file: PathBuf, source: csv::Error },
    #[error("{}: {source}", file.display())]
    Manifest { file: PathBuf, source: serde_json::Error },
    #[error("{}: no column `{column}`", file.display())]
    MissingColumn { file: PathBuf, column: String },
    #[error("{}:{line}: column `{column}`: `{found}` is not {expected}", file.display())]
    BadValue { file: PathBuf, line: u64, column: String, found: String, expected: &'static str },
    #[error("{}:{line}: run `{run_id}` is not in the table of runs", file.display())]
    UnknownRun { file: PathBuf, line: u64, run_id: String },
}

impl Store {
    /// Reads all tables and the manifest of a result store.
    ///
    /// # Errors
    /// A missing or malformed table, with file, line and column; a manifest that is there but no JSON.
    pub fn read(dir: &Path) -> Result<Store, StoreError> {
        let runs = rows::runs(dir)?;
        let ids: BTreeMap<String, usize> = runs.rows.iter().enumerate().map(|(i, r)| (r.id.clone(), i)).collect();
        let (devices, periods) = rows::periods(dir, &ids)?;
        Ok(Store {
            manifest: Manifest::read(dir)?,
            metrics: runs.metrics,
            sweeps: runs.sweeps,
            devices,
            participants: rows::participants(dir, &ids)?,
            periods,
            trades: rows::trades(dir, &ids)?,
            nodes: rows::nodes(dir, &ids)?,
            branches: rows::branches(dir, &ids)?,
            certificates: rows::certificates(dir, &ids)?,
            convergence: rows::convergence(dir, &ids)?,
            ledger: rows::ledger(dir, &ids)?,
            runs: runs.rows,
        })
    }

    /// A metric of a run by the name of its column; `None` where it is empty or no such column exists.
    pub fn metric(&self, run: usize, name: &str) -> Option<f64> {
        let column = self.metrics.iter().position(|m| m == name)?;
        self.runs[run].metrics[column]
    }

    /// What the manifest says about a scenario.
    pub fn facts(&self, scenario: &str) -> ScenarioFacts {
        self.manifest.scenarios.get(scenario).cloned().unwrap_or_default()
    }
}
