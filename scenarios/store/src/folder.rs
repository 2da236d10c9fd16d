//! A folder with results.

use crate::collect::Summary;
use crate::error::{RunFileError, StoreError};
use crate::frame::Frame;
use crate::held::Held;
use crate::manifest::Manifest;
use crate::program::Build;
use crate::reader::Reader;
use crate::result::RunResult;
use crate::run_file::{self, StoredRun};
use crate::tables::Tables;
use coase_core::record::Table;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A folder with results.
#[derive(Clone, Debug)]
pub struct Store {
    dir: PathBuf,
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

    /// Builds the tables from the runs that are there.
    ///
    /// # Errors
    /// If a file of the store cannot be read or written, or another process writes it. Run files that are missing, damaged or
    /// of another build are in the summary.
    pub fn collect(&self) -> Result<Summary, StoreError> {
        self.hold()?.collect(&Table::ALL)
    }

    /// Takes the folder, so that nobody else writes it meanwhile.
    ///
    /// # Errors
    /// If another process has it.
    pub fn hold(&self) -> Result<Held, StoreError> {
        Held::take(self.clone(), false)
    }

    /// Takes the folder; where `shared`, together with other parts of one experiment that share it.
    ///
    /// # Errors
    /// If another process has it.
    pub fn hold_shared(&self, shared: bool) -> Result<Held, StoreError> {
        Held::take(self.clone(), shared)
    }

    /// Where the file of a run is, or would be.
    pub fn run_path(&self, run_id: &str) -> PathBuf {
        self.dir.join("runs").join(format!("{run_id}.run"))
    }

    /// The stored result of a run without its rows; `None` where there is none.
    ///
    /// # Errors
    /// Why the file is not used.
    pub fn stored(&self, run_id: &str) -> Result<Option<StoredRun>, RunFileError> {
        run_file::read(&self.run_path(run_id), run_id, &[])
    }

    /// Keeps a result.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn keep(&self, build: &Build, result: &RunResult) -> Result<(), StoreError> {
        run_file::write(&self.run_path(&result.run_id), build, result)
    }

    /// What is there, to be read.
    ///
    /// # Errors
    /// If there is no manifest, or it is not one.
    pub fn read(&self) -> Result<Reader, StoreError> {
        Reader::open(self.clone())
    }
}

/// Results wherever they are.
#[derive(Clone, Debug)]
pub enum Dataset {
    /// In a folder.
    Folder(Reader),
    /// In memory.
    Memory(Tables),
}

impl Dataset {
    /// What a folder holds.
    ///
    /// # Errors
    /// If it is no result store.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        Ok(Self::Folder(Store::open(dir)?.read()?))
    }

    /// What was run.
    pub fn manifest(&self) -> &Manifest {
        match self {
            Dataset::Folder(reader) => reader.manifest(),
            Dataset::Memory(tables) => tables.manifest(),
        }
    }

    /// The table `runs`.
    pub fn runs(&self) -> &Frame {
        match self {
            Dataset::Folder(reader) => reader.runs(),
            Dataset::Memory(tables) => tables.frame(Table::Runs),
        }
    }

    /// The rows of one run in another table, without `run_id`; the run by its row in `runs`.
    ///
    /// # Errors
    /// If its file cannot be read any more.
    pub fn rows(&self, table: Table, run: usize) -> Result<Frame, StoreError> {
        match self {
            Dataset::Folder(reader) => reader.rows(table, run),
            Dataset::Memory(tables) => Ok(tables.rows(table, run)),
        }
    }

    /// The same of several tables at once.
    ///
    /// # Errors
    /// Likewise.
    pub fn rows_of(&self, of: &[Table], run: usize) -> Result<BTreeMap<Table, Frame>, StoreError> {
        match self {
            Dataset::Folder(reader) => reader.rows_of(of, run),
            Dataset::Memory(tables) => Ok(of.iter().map(|table| (*table, tables.rows(*table, run))).collect()),
        }
    }

    /// A whole table in memory, with `run_id` in front.
    ///
    /// # Errors
    /// If a run file cannot be read any more.
    pub fn table(&self, table: Table) -> Result<Frame, StoreError> {
        match self {
            Dataset::Folder(reader) => reader.table(table),
            Dataset::Memory(tables) => Ok(tables.frame(table).clone()),
        }
    }
}
