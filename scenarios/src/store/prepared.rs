//! An experiment about to be run into a store: what is there already, and what of it can be used.

use super::described::{called, inputs, question_of, seen_from};
use super::{Existing, ExperimentError, StoreOptions};
use crate::experiment::{Experiment, Run, VERSION};
use crate::progress::Progress;
use crate::run::Memory;
use coase_core::record::{RunRecord, Table};
use coase_store::{Build, Held, Left, Manifest, RunFileError, RunResult, Store, StoreError, Summary, is_own, utc};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// An experiment about to be run into a folder that nobody else writes.
pub struct Prepared {
    held: Held,
    experiment: Arc<Experiment>,
    options: StoreOptions,
    build: Build,
    before: Option<Before>,
    /// The manifest that is there and stays for now.
    there: Option<Manifest>,
    found: BTreeMap<String, RunResult>,
    unused: Vec<Left>,
}

/// Results of something else that a folder holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Before {
    /// Name of the experiment.
    pub experiment: String,
    /// Its file, as seen from the folder.
    pub file: Option<String>,
    /// Whether that is there and another than the one now run.
    pub is_another_file: bool,
    /// How many runs it has.
    pub runs: usize,
    /// When it was begun.
    pub start: String,
    /// The build that ran it, where the experiment is the same and the build is not.
    pub build: Option<Build>,
    made: Vec<String>,
}

/// What running an experiment into a store came to.
pub struct Ran {
    /// The folder, which nobody else writes yet.
    pub held: Held,
    /// How the runs ended, in the order of the experiment; their metrics and rows are in the store.
    pub results: Vec<RunResult>,
    /// What the tables hold; `None` where it was cancelled, which leaves them as they were.
    pub summary: Option<Summary>,
}

impl Prepared {
    /// Takes the folder for an experiment and looks at what is there; nothing but what killed processes left is changed yet.
    ///
    /// # Errors
    /// If another process writes the folder, or something stands in it that would be overwritten and is not a result.
    pub fn new(store: &Store, experiment: Arc<Experiment>, options: StoreOptions) -> Result<Self, StoreError> {
        let held = store.hold_shared(options.run.shard.is_some())?;
        let build = Build {
            version: VERSION.to_owned(),
            source_revision: options.source_revision.clone(),
            program_hash: options.program_hash.clone(),
        };
        let mut prepared = Self {
            held,
            experiment,
            options,
            build,
            before: None,
            there: None,
            found: BTreeMap::new(),
            unused: vec![],
        };
        prepared.look_at_results()?;
        if prepared.options.existing != Existing::Fresh {
            prepared.look_at_runs();
        }
        Ok(prepared)
    }

    /// Results of another experiment, or of another build, that running this one removes.
    pub fn before(&self) -> Option<&Before> {
        self.before.as_ref()
    }

    /// Files of runs that are there and not used, and why: these runs are made again.
    pub fn unused(&self) -> &[Left] {
        &self.unused
    }

    /// Runs whose results are there and are used.
    pub fn found(&self) -> usize {
        self.found.len()
    }

    /// The folder.
    pub fn store(&self) -> &Store {
        self.held.store()
    }

    /// Runs that have to be done here.
    pub fn planned(&self) -> usize {
        self.experiment.in_shard(self.options.run.shard).len()
    }

    /// Runs the experiment and keeps every result as soon as it is there; then collects the tables.
    ///
    /// # Errors
    /// If the store cannot be written. What goes wrong in a run is the status of that run.
    pub fn run(self, progress: impl Progress + 'static) -> Result<Ran, ExperimentError> {
        let progress: Arc<dyn Progress> = Arc::new(progress);
        let Self { mut held, experiment, options, build, before, there, found, .. } = self;
        let store = held.store().clone();
        if let Some(before) = before {
            held.remove_made(&before.made);
        }
        let manifest = Manifest {
            start: utc(SystemTime::now()),
            question: options.file.as_deref().map_or_else(String::new, question_of),
            file: options.file.as_deref().map(|file| seen_from(store.dir(), file)),
            inputs: inputs(store.dir(), &experiment.inputs),
            ..experiment.manifest(&options)
        };
        store.set_manifest(&there.map_or(manifest.clone(), |there| manifest.clone().keeping(there)))?;
        drop(manifest);
        let resolved = experiment.resolved().map_err(ExperimentError::Unwritable)?;
        store.set_resolved(&resolved)?;
        drop(resolved);
        if options.run.shard.is_some() {
            held.share()?;
        }
        let memory = StoreMemory {
            store: &store,
            build: &build,
            existing: options.existing,
            is_matched: experiment.runs.iter().any(|run| run.matched.is_some()),
            found: Mutex::new(found),
            error: Mutex::new(None),
        };
        let results = experiment.run_with(&options.run, &memory, &progress)?;
        if let Some(error) = memory.error.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error.into());
        }
        let part = options.run.shard.map(|shard| (shard.index(), shard.count()));
        let times = results.iter().filter_map(|result| Some((result.run_id.as_str(), result.timing?)));
        store.add_timings(experiment.runs.iter().map(|run| run.run_id.as_str()), part, times)?;
        if results.len() < experiment.in_shard(options.run.shard).len() && progress.cancelled() {
            return Ok(Ran { held, results, summary: None });
        }
        let wanted = options.tables.as_deref().unwrap_or(&Table::ALL);
        let summary = held.collect_at(wanted, Some(&utc(SystemTime::now())))?;
        Ok(Ran { held, results, summary: Some(summary) })
    }

    /// What a manifest says of the folder, and whether anything in it is not ours.
    fn look_at_results(&mut self) -> Result<(), StoreError> {
        let store = self.held.store();
        if !store.manifest_path().exists() {
            let own = |name: &String| is_own(name) && name != "resolved.ron" && !name.starts_with("timings");
            let names = fs::read_dir(store.dir()).into_iter().flatten().flatten();
            let names = names.filter_map(|entry| entry.file_name().into_string().ok());
            return match names.filter(own).min() {
                Some(name) => Err(StoreError::Unknown { path: store.dir().join(name) }),
                None => Ok(()),
            };
        }
        let plan = store.manifest()?;
        let is_same = plan.is_whole() && plan.experiment_hash == self.experiment.hash();
        if is_same && plan.build().source() == self.build.source() {
            self.there = Some(plan);
            return Ok(());
        }
        // Another part is running what would be taken away from it.
        if self.held.is_shared() {
            return Err(StoreError::InUse { path: store.dir().to_owned(), process: None });
        }
        let same_file = |file: &String| {
            let there = store.dir().join(file).canonicalize();
            let here = self.options.file.as_ref().and_then(|file| file.canonicalize().ok());
            there.ok().zip(here).is_none_or(|(there, here)| there == here)
        };
        self.before = Some(Before {
            is_another_file: !is_same && plan.file.as_ref().is_some_and(|file| !same_file(file)),
            build: is_same.then(|| plan.build()),
            experiment: plan.experiment,
            file: plan.file,
            runs: plan.runs.len(),
            start: plan.start,
            made: plan.made,
        });
        Ok(())
    }

    /// Looks at the runs that have to be done here and are there already.
    fn look_at_runs(&mut self) {
        let chosen = self.experiment.in_shard(self.options.run.shard);
        let paths = self.experiment.swept();
        let store = self.held.store();
        let one = |k: &usize| {
            let run = &self.experiment.runs[*k];
            match usable(store, &self.build, run, self.options.existing) {
                Ok(found) => found.map(Ok),
                Err(why) => {
                    let path = store.run_path(&run.run_id);
                    Some(Err(Left { run: called(run, &paths), path, why: Some(why) }))
                }
            }
        };
        let all: Vec<Result<RunResult, Left>> = chosen.par_iter().filter_map(one).collect();
        for read in all {
            match read {
                Ok(result) => drop(self.found.insert(result.run_id.clone(), result)),
                Err(left) => self.unused.push(left),
            }
        }
    }
}

/// The result of a run that was made before, if it can be used: it is whole, of this run and this build, and has every
/// comparison that is now asked for.
fn usable(store: &Store, build: &Build, run: &Run, existing: Existing) -> Result<Option<RunResult>, RunFileError> {
    let Some(stored) = store.stored(&run.run_id)? else { return Ok(None) };
    if stored.build != *build {
        return Err(RunFileError::Build { found: Box::new(stored.build), expected: Box::new(build.clone()) });
    }
    let result = stored.result;
    let again = existing == Existing::RetryFailed && !result.status.is_answer();
    let has_all =
        result.charged_kg.is_none() || run.compared.iter().all(|(hash, _)| result.charged_kg_under.contains_key(hash));
    Ok((has_all && !again).then_some(result))
}

/// Results on disk; the first failure to write stops the experiment.
struct StoreMemory<'a> {
    store: &'a Store,
    build: &'a Build,
    existing: Existing,
    /// Whether some run is matched with another, whose metrics it needs.
    is_matched: bool,
    /// What was found already and not asked for yet.
    found: Mutex<BTreeMap<String, RunResult>>,
    error: Mutex<Option<StoreError>>,
}

impl Memory for StoreMemory<'_> {
    fn recall(&self, run: &Run) -> Option<RunResult> {
        if self.existing == Existing::Fresh {
            return None;
        }
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner).remove(&run.run_id);
        // What another part made meanwhile is there too.
        found.or_else(|| usable(self.store, self.build, run, self.existing).ok().flatten())
    }

    fn keep(&self, _: &Run, result: &RunResult) -> bool {
        match self.store.keep(self.build, result) {
            Ok(()) => true,
            Err(error) => {
                let mut first = self.error.lock().unwrap_or_else(PoisonError::into_inner);
                first.get_or_insert(error);
                false
            }
        }
    }

    /// What is in the store need not be in memory as well.
    fn retained(&self, result: RunResult) -> RunResult {
        if self.is_matched { result.without_rows() } else { RunResult { record: RunRecord::default(), ..result } }
    }
}
