//! What can go wrong with a store, and why a run file is not used.

use crate::program::Build;
use std::path::PathBuf;

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
    /// A run file that was whole is not any more.
    #[error("{path} changed while it was read: {why}")]
    RunFile {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        why: RunFileError,
    },
}

/// Why a run file is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RunFileError {
    /// The file system does not give it.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// It does not begin and end as run files do.
    #[error("it is no whole run file of this program")]
    Form,
    /// It was changed after it was written.
    #[error("it is damaged: its content does not have the checksum that stands in it")]
    Checksum,
    /// It lies where another run belongs.
    #[error("it holds another run, {found}")]
    Foreign {
        /// Which.
        found: String,
    },
    /// It was written by another build.
    #[error("it was made by another build, {found}; this is {expected}")]
    Build {
        /// Which.
        found: Box<Build>,
        /// Which was expected.
        expected: Box<Build>,
    },
    /// The tables of the program that wrote it have other columns.
    #[error("it was made by a program whose tables have other columns")]
    Columns,
    /// It is no form of a run.
    #[error("it is no result of a run: {0}")]
    Content(String),
    /// No run ends like this.
    #[error("there is no status `{0}`")]
    Status(String),
}
