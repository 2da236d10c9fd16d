//! Reading a folder: the table of runs in memory, the rows of other tables run by run from their files.

use crate::abatement::Bases;
use crate::collect::{self, Survey};
use crate::error::{RunFileError, StoreError};
use crate::folder::Store;
use crate::frame::{Frame, Head};
use crate::manifest::Manifest;
use crate::result::RunResult;
use crate::run_file::run_row;
use coase_core::record::Table;
use std::collections::BTreeMap;

/// What a folder holds: the same runs as its tables, of which it needs none.
#[derive(Clone, Debug)]
pub struct Reader {
    store: Store,
    manifest: Manifest,
    runs: Frame,
    /// The place in the manifest of every row of `runs`.
    planned: Vec<usize>,
}

impl Store {
    /// What is there, to be read.
    ///
    /// # Errors
    /// If there is no manifest, or it is not one.
    pub fn read(&self) -> Result<Reader, StoreError> {
        Reader::open(self.clone())
    }
}

impl Reader {
    pub(crate) fn open(store: Store) -> Result<Self, StoreError> {
        let manifest = store.manifest()?;
        if !manifest.is_whole() {
            return Err(StoreError::Changed { path: store.manifest_path() });
        }
        let heads = Head::all(Table::Runs, &manifest.swept_heads());
        let mut runs = Frame::new(std::iter::once(Head::run_id()).chain(heads.iter().cloned()));
        let mut bases = Bases::default();
        let build = manifest.build();
        let find =
            |id: &str| -> Option<RunResult> { Some(collect::read(&store, &build, id, &[]).ok().flatten()?.result) };
        let survey = Survey::of(&store, &manifest, |planned, mut run| {
            bases.fill(planned, &mut run.result, find);
            let row = run_row(&heads, &planned.swept_values(), &run.result);
            runs.push(&[vec![planned.run_id.as_str().into()], row].concat());
        });
        Ok(Self { store, manifest, runs, planned: survey.found })
    }

    /// The folder.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What was run.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The table `runs`: those that are there and of the build that the manifest names.
    pub fn runs(&self) -> &Frame {
        &self.runs
    }

    /// The rows of one run in another table, without `run_id`; the run by its row in `runs`.
    ///
    /// # Errors
    /// If its file cannot be read any more.
    pub fn rows(&self, table: Table, run: usize) -> Result<Frame, StoreError> {
        let mut rows = self.rows_of(&[table], run)?;
        Ok(rows.remove(&table).unwrap_or_default())
    }

    /// The same of several tables at once.
    ///
    /// # Errors
    /// Likewise.
    pub fn rows_of(&self, tables: &[Table], run: usize) -> Result<BTreeMap<Table, Frame>, StoreError> {
        let Some(planned) = self.planned.get(run).and_then(|k| self.manifest.runs.get(*k)) else {
            return Ok(BTreeMap::new());
        };
        let read = collect::read(&self.store, &self.manifest.build(), &planned.run_id, tables);
        let run = read.and_then(|run| run.ok_or(RunFileError::Unreadable("it is gone".to_owned())));
        let run = run.map_err(|why| StoreError::RunFile { path: self.store.run_path(&planned.run_id), why })?;
        Ok(run.into_frames())
    }

    /// A whole table in memory.
    ///
    /// # Errors
    /// If a run file cannot be read any more.
    pub fn table(&self, table: Table) -> Result<Frame, StoreError> {
        if table == Table::Runs {
            return Ok(self.runs.clone());
        }
        let mut all = Frame::new(std::iter::once(Head::run_id()).chain(Head::all(table, &[])));
        for (run, row) in self.runs.rows().enumerate() {
            all.append(row.word("run_id"), &self.rows(table, run)?);
        }
        Ok(all)
    }
}
