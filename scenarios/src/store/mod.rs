//! Running an experiment into a result store, and describing it there.

mod described;
mod prepared;

pub use prepared::{Before, Prepared, Ran};

use crate::experiment::Experiment;
use crate::progress::Progress;
use crate::run::{NoThreads, RunOptions};
use coase_core::record::Table;
use coase_store::{RunResult, Store, StoreError, Tables};
use std::path::PathBuf;
use std::sync::Arc;

/// What can go wrong with an experiment as a whole; what goes wrong in a run is the status of that run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExperimentError {
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The experiment cannot be written out.
    #[error("a plugin cannot write its own parameters: {0}")]
    Unwritable(ron::Error),
    /// The threads could not be started.
    #[error(transparent)]
    Threads(#[from] NoThreads),
}

/// How an experiment is run into a store.
#[derive(Clone, Debug, Default)]
pub struct StoreOptions {
    /// How the runs are run.
    pub run: RunOptions,
    /// What is done with results that are there already.
    pub existing: Existing,
    /// The tables that are wanted; `None`: all.
    pub tables: Option<Vec<Table>>,
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

impl Experiment {
    /// Runs into a store, and keeps every result as soon as it is there; then collects the tables.
    ///
    /// # Errors
    /// If the store cannot be written. What goes wrong in a run is the status of that run.
    pub fn run_into(
        &self,
        store: &Store,
        options: &StoreOptions,
        progress: impl Progress + 'static,
    ) -> Result<Ran, ExperimentError> {
        Prepared::new(store, Arc::new(self.clone()), options.clone())?.run(progress)
    }

    /// Of the runs of a part, how many have a file in a store.
    pub fn kept_in(&self, store: &Store, part: &RunOptions) -> usize {
        let chosen = self.in_shard(part.shard);
        chosen.into_iter().filter(|k| store.run_path(&self.runs[*k].run_id).is_file()).count()
    }

    /// The tables of results that no folder holds.
    pub fn tables(&self, results: &[RunResult]) -> Tables {
        Tables::of(self.manifest(&StoreOptions::default()), results)
    }
}
