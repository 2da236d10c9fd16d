//! The result store: one file per finished run, and tables, manifest and resolved experiment collected from them.
//!
//! Every file is written beside its place and then moved into it, so that it is whole or not there. A run file proves that it
//! is what was written, for this run and by this build. Tables hold nothing that depends on when or how fast a run was made.
//! One process writes a store at a time, but for the parts of one experiment.

mod abatement;
mod clock;
mod held;
mod lock;
mod manifest;
#[cfg(feature = "parquet")]
mod parquet_file;
mod prepared;
mod run_file;
mod tables;
mod timings;
mod whole;

pub use held::Held;
pub use prepared::{Before, Prepared, Ran};
pub use run_file::{Build, RunFileError};

use crate::experiment::Experiment;
use crate::run::{NoThreads, Progress, RunOptions, RunResult, RunStatus};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
    #[error("{path} is not a file of a result store ({source}): move it away, or name another folder")]
    NotOurs {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The list of runs in a manifest is not the one that was written.
    #[error("{path} was changed: its list of runs does not have the hash that stands in it")]
    Changed {
        /// The manifest.
        path: PathBuf,
    },
    /// Another process writes the folder.
    #[error(
        "{path} is in use by another coase{}: wait until it has ended, or give another folder",
        process.map_or_else(String::new, |process| format!(" (process {process})"))
    )]
    InUse {
        /// The folder.
        path: PathBuf,
        /// Which process, where it is known.
        process: Option<u32>,
    },
    /// A file that would be overwritten and that nothing says is ours.
    #[error("{path} is there, and no manifest.json says what it is the result of: move it, or give another folder")]
    Unknown {
        /// Which.
        path: PathBuf,
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
    /// Revision of the source that the program was built from; results of another are run again.
    pub source_revision: Option<String>,
    /// Hash of the program itself, where it has plugins of which the revision says nothing.
    pub program_hash: Option<String>,
    /// The file that the experiment was read from, for the manifest.
    pub file: Option<PathBuf>,
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

/// A run that is not there, or a file that is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The run, as a reader calls it.
    pub run: String,
    /// Where its file is, or should be.
    pub path: PathBuf,
    /// What is wrong with the file; `None` where there is none.
    pub why: Option<RunFileError>,
}

/// What a store holds of an experiment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Runs of the experiment.
    pub planned: usize,
    /// Runs of which there is no result that could be used.
    pub missing: Vec<Left>,
    /// How many builds of the program made the results; those of another revision are not used, so that more than one means
    /// plugins that were built apart.
    pub programs: usize,
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
        let made_later = ["figures", "tables"].map(|name| store.dir.join(name)).into_iter().filter(|f| f.exists());
        for folder in [store.dir.clone(), runs].into_iter().chain(made_later) {
            let probe = folder.join(format!(".probe-{}", std::process::id()));
            fs::write(&probe, b"").map_err(|source| StoreError::Write { path: folder, source })?;
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

    /// Takes the folder for an experiment and looks at what is there; nothing but what killed processes left is changed yet.
    ///
    /// # Errors
    /// If another process writes the folder, or something stands in it that would be overwritten and is not a result.
    pub fn prepare(&self, experiment: Arc<Experiment>, options: StoreOptions) -> Result<Prepared, StoreError> {
        Prepared::new(self, experiment, options)
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
        Ok(self.prepare(Arc::new(experiment.clone()), options.clone())?.run(progress)?.results)
    }

    /// Of the runs of a part of an experiment, those whose files are there.
    pub fn kept(&self, experiment: &Experiment, part: &RunOptions) -> usize {
        let chosen = experiment.in_shard(part.shard);
        chosen.into_iter().filter(|k| self.run_path(&experiment.runs[*k].run_id).is_file()).count()
    }

    /// Builds the tables from the runs that are there.
    ///
    /// # Errors
    /// If a file of the store cannot be read or written, or another process writes it. Run files that are missing, damaged or
    /// of another build are in the summary.
    pub fn collect(&self) -> Result<Summary, StoreError> {
        self.hold()?.collect()
    }

    /// Takes the folder, so that nobody else writes it meanwhile.
    ///
    /// # Errors
    /// If another process has it.
    pub fn hold(&self) -> Result<Held, StoreError> {
        Held::new(self.clone(), false)
    }

    fn manifest_path(&self) -> PathBuf {
        self.dir.join("manifest.json")
    }

    fn run_path(&self, run_id: &str) -> PathBuf {
        self.dir.join("runs").join(format!("{run_id}.json"))
    }
}
