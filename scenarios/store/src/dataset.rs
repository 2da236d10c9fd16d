//! Results wherever they are, in a folder or in memory.

use crate::error::StoreError;
use crate::folder::Store;
use crate::frame::Frame;
use crate::manifest::Manifest;
use crate::reader::Reader;
use crate::tables::Tables;
use coase_core::record::Table;
use std::collections::BTreeMap;
use std::path::Path;

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
