//! The result store: one file per finished run, and tables, manifest and resolved experiment collected from them.
//!
//! A run file is written beside its place and then moved into it, so that it is whole or not there. Tables hold nothing that
//! depends on when or how fast a run was made.

mod abatement;
mod clock;
mod manifest;
#[cfg(feature = "parquet")]
mod parquet_file;
mod run_file;
mod tables;
mod timings;

pub use run_file::RunFileError;

use crate::experiment::{Experiment, Run};
use crate::run::{Memory, NoThreads, Progress, RunOptions, RunResult, RunStatus};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

/// What went wrong with a result store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A file or folder cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file of the store is not what it should be.
    #[error("{path} is not a file of a result store: {source}")]
    NotOurs {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A run file is damaged.
    #[error("{path}: {source}")]
    RunFile {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        source: RunFileError,
    },
    /// A folder without a manifest.
    #[error("{path} is not a result store: it has no manifest.json")]
    NoManifest {
        /// The folder.
        path: PathBuf,
    },
    /// A Parquet table cannot be written.
    #[cfg(feature = "parquet")]
    #[error("cannot write {path}: {source}")]
    Parquet {
        /// Which.
        path: PathBuf,
        /// Why.
        source: parquet::errors::ParquetError,
    },
    /// The experiment cannot be written out.
    #[error("a plugin cannot write its own parameters: {0}")]
    Unwritable(ron::Error),
    /// The threads could not be started.
    #[error(transparent)]
    Threads(#[from] NoThreads),
}

/// A folder with results.
#[derive(Clone, Debug)]
pub struct Store {
    dir: PathBuf,
}

/// How an experiment is run into a store.
#[derive(Clone, Debug, Default)]
pub struct StoreOptions {
    /// How the runs are run.
    pub run: RunOptions,
    /// What is done with results that are there already.
    pub existing: Existing,
    /// Revision of the source that the program was built from, for the manifest.
    pub source_revision: Option<String>,
}

/// What is done with results that are there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Existing {
    /// They are used.
    #[default]
    Reuse,
    /// They are used unless they are failures.
    RetryFailed,
    /// Everything is run again.
    Fresh,
}

/// What a store holds of an experiment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Runs of the experiment.
    pub planned: usize,
    by_status: [usize; RunStatus::ALL.len()],
}

impl Summary {
    /// Runs whose results are there.
    pub fn finished(&self) -> usize {
        self.by_status.iter().sum()
    }

    /// Runs that ended in a way.
    pub fn count(&self, status: RunStatus) -> usize {
        RunStatus::ALL.iter().zip(self.by_status).filter(|(s, _)| **s == status).map(|(_, count)| count).sum()
    }

    fn add(&mut self, status: RunStatus) {
        for (s, count) in RunStatus::ALL.iter().zip(&mut self.by_status) {
            *count += usize::from(*s == status);
        }
    }
}

impl Store {
    /// A store that can be written: the folder is made if it is not there.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn create(dir: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let store = Self { dir: dir.into() };
        let runs = store.dir.join("runs");
        fs::create_dir_all(&runs).map_err(|source| StoreError::Write { path: runs.clone(), source })?;
        // Whatever cannot be written is found before anything is computed.
        for folder in [&store.dir, &runs] {
            let probe = folder.join(format!(".probe-{}", std::process::id()));
            write_whole(&probe, b"")?;
            fs::remove_file(&probe).map_err(|source| StoreError::Write { path: probe, source })?;
        }
        Ok(store)
    }

    /// A store that is there.
    ///
    /// # Errors
    /// If the folder has no manifest.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let store = Self { dir: dir.into() };
        if store.manifest_path().is_file() { Ok(store) } else { Err(StoreError::NoManifest { path: store.dir }) }
    }

    /// Its folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Runs an experiment and keeps every result as soon as it is there; then collects the tables.
    ///
    /// # Errors
    /// If the store cannot be written. What goes wrong in a run is the status of that run.
    pub fn run(
        &self,
        experiment: &Experiment,
        options: &StoreOptions,
        progress: &dyn Progress,
    ) -> Result<Vec<RunResult>, StoreError> {
        let start = SystemTime::now();
        let resolved = experiment.resolved().map_err(StoreError::Unwritable)?;
        write_whole(&self.dir.join("resolved.ron"), resolved.as_bytes())?;
        manifest::write(self, experiment, options, start, None)?;
        let memory = StoreMemory { store: self, existing: options.existing, error: Mutex::new(None) };
        let results = experiment.run_with(&options.run, &memory, progress)?;
        if let Some(error) = memory.error.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
            return Err(error);
        }
        timings::write(self, options.run.shard, &results)?;
        manifest::write(self, experiment, options, start, Some(SystemTime::now()))?;
        self.collect()?;
        Ok(results)
    }

    /// Builds the tables from the runs that are there.
    ///
    /// # Errors
    /// If a file of the store cannot be read or written.
    pub fn collect(&self) -> Result<Summary, StoreError> {
        tables::collect(self, &manifest::read(self)?)
    }

    fn manifest_path(&self) -> PathBuf {
        self.dir.join("manifest.json")
    }

    fn run_path(&self, run_id: &str) -> PathBuf {
        self.dir.join("runs").join(format!("{run_id}.json"))
    }
}

/// Results on disk; the first failure to write stops the experiment.
struct StoreMemory<'a> {
    store: &'a Store,
    existing: Existing,
    error: Mutex<Option<StoreError>>,
}

impl Memory for StoreMemory<'_> {
    /// A file that is damaged, or that lacks a comparison that is now asked for, is run again.
    fn recall(&self, run: &Run) -> Option<RunResult> {
        if self.existing == Existing::Fresh {
            return None;
        }
        let result = run_file::read(&self.store.run_path(&run.run_id)).ok().flatten()?;
        let again = self.existing == Existing::RetryFailed && !result.status.is_answer();
        let has_all = result.charged_kg.is_none()
            || run.compared.iter().all(|(hash, _)| result.charged_kg_under.contains_key(hash));
        (has_all && !again).then_some(result)
    }

    fn keep(&self, run: &Run, result: &RunResult) -> bool {
        match run_file::write(&self.store.run_path(&run.run_id), run, result) {
            Ok(()) => true,
            Err(error) => {
                let mut first = self.error.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                first.get_or_insert(error);
                false
            }
        }
    }
}

/// Writes a file that is whole or not there: beside its place, to the disk, then into its place.
fn write_whole(path: &Path, content: &[u8]) -> Result<(), StoreError> {
    let failed = |source| StoreError::Write { path: path.to_owned(), source };
    let beside = beside(path);
    let mut file = fs::File::create(&beside).map_err(failed)?;
    file.write_all(content).and_then(|()| file.sync_all()).map_err(failed)?;
    fs::rename(&beside, path).map_err(failed)
}

/// Where a file is written before it is moved into its place.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    path.with_file_name(format!("{name}.tmp.{}", std::process::id()))
}
