//! The tables, collected from the run files in the order of the experiment, batch by batch: the files of a batch are read side by
//! side, then every table writes its rows of them. Every table that is wanted is written, if only its header.

use crate::abatement::Bases;
use crate::csv_table::CsvTable;
use crate::error::{RunFileError, StoreError};
use crate::folder::Store;
use crate::frame::{Frame, Head};
use crate::hash_of;
use crate::manifest::{Made, MadeTables, Manifest, PlannedRun};
use crate::program::Build;
use crate::result::RunStatus;
use crate::run_file::{self, StoredRun, run_row};
use crate::text::Written;
use crate::whole::WholeFile;
use coase_core::record::Table;
use rayon::prelude::*;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::path::{Path, PathBuf};

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
    /// Whether the tables that were there are those of these runs, so that none was written.
    pub are_tables_current: bool,
    /// Hash of all that the tables are made of: the runs, and the build that made them.
    pub of: String,
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

/// What is there and proves itself to be of this plan and of the build that the manifest names.
pub(crate) struct Survey {
    /// Places of the runs in the plan.
    pub(crate) found: Vec<usize>,
    pub(crate) summary: Summary,
}

impl Survey {
    /// Looks at every run; `see` is shown each that is there, without rows.
    pub(crate) fn of(store: &Store, manifest: &Manifest, mut see: impl FnMut(&PlannedRun, StoredRun)) -> Self {
        let mut seen = |runs: Vec<(&PlannedRun, StoredRun)>| {
            for (planned, run) in runs {
                see(planned, run);
            }
            Ok::<(), Infallible>(())
        };
        match Self::with_rows(store, manifest, &[], &mut seen) {
            Ok(survey) => survey,
            Err(never) => match never {},
        }
    }

    /// The same with the rows of some tables; `see` is shown the runs of a batch together.
    fn with_rows<'m, E>(
        store: &Store,
        manifest: &'m Manifest,
        tables: &[Table],
        see: &mut impl FnMut(Vec<(&'m PlannedRun, StoredRun)>) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut found = vec![];
        let mut summary = Summary { planned: manifest.runs.len(), ..Summary::default() };
        let build = manifest.build();
        let mut programs = BTreeSet::new();
        let mut hasher = blake3::Hasher::new();
        let mut from = 0;
        while from < manifest.runs.len() {
            let batch = &manifest.runs[from..from + batch(store, &manifest.runs[from..])];
            let read: Vec<_> = batch.par_iter().map(|planned| read(store, &build, &planned.run_id, tables)).collect();
            let mut runs = Vec::with_capacity(batch.len());
            for (k, (planned, run)) in batch.iter().zip(read).enumerate() {
                match run {
                    Ok(Some(run)) => {
                        found.push(from + k);
                        summary.add(run.result.status);
                        hasher.update(&run.checksum);
                        if !programs.contains(&run.build) {
                            programs.insert(run.build.clone());
                        }
                        runs.push((planned, run));
                    }
                    missing => {
                        hasher.update(&[0; 16]);
                        let (run, path) = (planned.name.clone(), store.run_path(&planned.run_id));
                        summary.missing.push(Left { run, path, why: missing.err() });
                    }
                }
            }
            see(runs)?;
            from += batch.len();
        }
        summary.programs = programs.len();
        let runs = hasher.finalize().to_hex();
        let Build { version, source_revision, program_hash } = &build;
        let made_by = [Some(version), source_revision.as_ref(), program_hash.as_ref()];
        let made_by = made_by.into_iter().map(|part| part.map_or("", String::as_str));
        let what = [manifest.experiment_hash.as_str(), &runs].into_iter().chain(made_by);
        summary.of = hash_of(what.chain(manifest.swept.iter().map(String::as_str)));
        Ok(Self { found, summary })
    }
}

/// How many of the next runs are read together: few enough that memory does not grow with what a run holds.
fn batch(store: &Store, next: &[PlannedRun]) -> usize {
    const RUNS: usize = 64;
    const BYTES: u64 = 16 << 20;
    let size = |run: &PlannedRun| std::fs::metadata(store.run_path(&run.run_id)).map_or(0, |file| file.len());
    let mut bytes = 0;
    let fits = |run: &&PlannedRun| {
        bytes += size(run);
        bytes <= BYTES
    };
    next.iter().take(RUNS).take_while(fits).count().max(1)
}

/// A run of a build; `None` where there is no file.
pub(crate) fn read(
    store: &Store,
    build: &Build,
    run_id: &str,
    tables: &[Table],
) -> Result<Option<StoredRun>, RunFileError> {
    match run_file::read(&store.run_path(run_id), run_id, tables)? {
        Some(run) if run.build.source() != build.source() => {
            Err(RunFileError::Build { found: Box::new(run.build), expected: Box::new(build.clone()) })
        }
        run => Ok(run),
    }
}

/// Writes the tables that are wanted, unless they are there and of just these runs; removes the others.
pub(crate) fn collect(
    store: &Store,
    manifest: &Manifest,
    wanted: &[Table],
) -> Result<(Summary, MadeTables), StoreError> {
    let wanted: Vec<Table> = Table::ALL.into_iter().filter(|table| wanted.contains(table)).collect();
    let names: Vec<String> = wanted.iter().map(|table| table.name().to_owned()).collect();
    if let Some(made) = manifest.tables.as_ref().filter(|made| made.wanted == names) {
        let mut summary = Survey::of(store, manifest, |_, _| {}).summary;
        if made.made.is_current(store.dir(), &summary.of) {
            summary.are_tables_current = true;
            return Ok((summary, made.clone()));
        }
    }
    let mut writer = Writer::new(store.dir(), manifest, &wanted)?;
    let mut bases = Bases::default();
    let build = manifest.build();
    let mut write = |mut runs: Vec<(&PlannedRun, StoredRun)>| {
        for (planned, run) in &mut runs {
            bases.fill(planned, &mut run.result, |id| Some(read(store, &build, id, &[]).ok().flatten()?.result));
        }
        writer.runs(&runs)
    };
    let Survey { summary, .. } = Survey::with_rows(store, manifest, &wanted, &mut write)?;
    let files = writer.finish()?;
    for table in Table::ALL.iter().filter(|table| !wanted.contains(table)) {
        for ending in ["csv", "parquet"] {
            // One that is not there is no matter.
            let _ = std::fs::remove_file(store.dir().join(table.name()).with_extension(ending));
        }
    }
    let made = Made::now(store.dir(), summary.of.clone(), files);
    Ok((summary, MadeTables { made, wanted: names }))
}

/// All tables of a store on their way into it.
pub(crate) struct Writer {
    heads: Vec<Head>,
    tables: Vec<(Table, TableWriter)>,
}

impl Writer {
    pub(crate) fn new(dir: &Path, manifest: &Manifest, wanted: &[Table]) -> Result<Self, StoreError> {
        let swept = manifest.swept_heads();
        let tables = Table::ALL.into_iter().filter(|table| wanted.contains(table));
        let tables = tables.map(|table| Ok((table, TableWriter::new(dir, table, &Head::all(table, &swept))?)));
        let tables = tables.collect::<Result<_, StoreError>>()?;
        Ok(Self { tables, heads: Head::all(Table::Runs, &swept) })
    }

    /// The rows of some runs, the tables side by side.
    fn runs(&mut self, runs: &[(&PlannedRun, StoredRun)]) -> Result<(), StoreError> {
        let heads = &self.heads;
        self.tables.par_iter_mut().try_for_each(|(table, writer)| {
            let rows = runs.iter().filter_map(|(planned, run)| rows_of(planned, run, *table, heads));
            writer.all(&rows.collect::<Vec<_>>())
        })
    }

    /// The rows of a run in one table.
    pub(crate) fn rows(&mut self, table: Table, run_id: &str, rows: &Frame) -> Result<(), StoreError> {
        let writer = self.tables.iter_mut().find(|(of, _)| *of == table);
        writer.map_or(Ok(()), |(_, writer)| writer.all(&[(run_id, Cow::Borrowed(rows))]))
    }

    /// Moves all into place; says their names. All are on the disk before the first is moved. The runs come last: rows of runs
    /// that are not among them are refused by every reader, runs without rows are not.
    pub(crate) fn finish(self) -> Result<Vec<String>, StoreError> {
        let files = self.tables.into_par_iter().map(|(_, writer)| writer.finish()).collect::<Result<Vec<_>, _>>()?;
        let files: Vec<WholeFile> = files.into_iter().flatten().collect();
        let names = files.iter().map(WholeFile::name).collect();
        files.into_iter().rev().try_for_each(WholeFile::keep)?;
        Ok(names)
    }
}

/// The rows of a run in a table, with its id; `heads` are those of `runs`.
fn rows_of<'a>(planned: &'a PlannedRun, run: &'a StoredRun, table: Table, heads: &[Head]) -> Option<RunRows<'a>> {
    let rows = if table == Table::Runs {
        let mut row = Frame::new(heads.iter().cloned());
        row.push(&run_row(heads, &planned.swept_values(), &run.result));
        Cow::Owned(row)
    } else {
        Cow::Borrowed(run.frame(table)?)
    };
    Some((&planned.run_id, rows))
}

/// The id of a run and its rows.
type RunRows<'a> = (&'a str, Cow<'a, Frame>);

/// One table in its forms, written beside its place and moved into it at the end.
struct TableWriter {
    csv: CsvTable,
    written: Written,
    #[cfg(feature = "parquet")]
    parquet: crate::parquet_file::ParquetTable,
}

impl TableWriter {
    fn new(dir: &Path, table: Table, heads: &[Head]) -> Result<Self, StoreError> {
        let path = dir.join(format!("{}.csv", table.name()));
        Ok(Self {
            #[cfg(feature = "parquet")]
            parquet: crate::parquet_file::ParquetTable::new(path.with_extension("parquet"), table.name(), heads)?,
            csv: CsvTable::new(path, heads)?,
            written: Written::new(),
        })
    }

    /// The rows of some runs, in both forms side by side.
    fn all(&mut self, runs: &[RunRows<'_>]) -> Result<(), StoreError> {
        let Self { csv, written, .. } = self;
        let as_csv = || runs.iter().try_for_each(|(run_id, rows)| csv.rows(run_id, rows, written));
        #[cfg(feature = "parquet")]
        {
            let parquet = &mut self.parquet;
            let as_parquet = || runs.iter().try_for_each(|(run_id, rows)| parquet.rows(run_id, rows));
            let (csv, parquet) = rayon::join(as_csv, as_parquet);
            csv.and(parquet)
        }
        #[cfg(not(feature = "parquet"))]
        {
            let mut as_csv = as_csv;
            as_csv()
        }
    }

    /// The whole files, which have still to be moved into their places.
    fn finish(self) -> Result<Vec<WholeFile>, StoreError> {
        Ok(vec![
            self.csv.finish()?,
            #[cfg(feature = "parquet")]
            self.parquet.finish()?,
        ])
    }
}
