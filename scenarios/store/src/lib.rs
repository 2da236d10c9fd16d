//! The result store of Coase: one file per finished run, the tables collected from them, and the manifest that says what was
//! run.
//!
//! One schema, that of [`coase_core::record`], is written and read here and nowhere else. Whoever makes results hands over
//! [`RunResult`]s; whoever reads them gets [`Frame`]s, tables of typed columns, from a folder ([`Reader`]) or from memory
//! ([`Tables`]).
//!
//! Every file is written beside its place and then moved into it, so that it is whole or not there. A run file proves that it
//! is what was written, for this run and by this build. Tables hold nothing that depends on when or how fast a run was made;
//! they are written run by run, so that memory does not grow with the number of runs. One process writes a store at a time,
//! but for the parts of one experiment.
//!
//! This crate must not know how a result was computed or how it is drawn.

mod abatement;
mod clock;
mod codec;
mod collect;
mod csv_table;
mod dataset;
mod error;
mod figures;
mod folder;
mod frame;
mod held;
mod lock;
mod manifest;
#[cfg(feature = "parquet")]
mod parquet_file;
mod program;
mod reader;
mod result;
mod run_file;
mod swept;
mod tables;
mod text;
mod timings;
mod whole;

pub use clock::utc;
pub use collect::{Left, Summary};
pub use dataset::Dataset;
pub use error::{RunFileError, StoreError};
pub use figures::{
    ALL, Drawing, Facets, Figures, HatchStyle, KindOfFigure, Language, LineStyle, Look, MarkStyle, Names, WrongFigure,
    WrongFigures, rgb,
};
pub use folder::Store;
pub use frame::{Cells, Frame, Head, RowRef, Series, Words};
pub use held::{Held, is_own};
pub use manifest::{BranchRating, Choices, Counts, Facts, Input, Made, MadeTables, Manifest, PlannedRun, Platform};
pub use program::Build;
pub use reader::Reader;
pub use result::{Keys, RunResult, RunStatus, Timing, as_played};
pub use run_file::StoredRun;
pub use swept::Swept;
pub use tables::Tables;
pub use text::{in_a_table, written};

/// The version of the program, part of every run's identity.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// 32 hex digits of a hash of texts, each with its length, so that no two lists collide.
pub fn hash_of<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

/// BLAKE3 of bytes, 64 hex digits, as `b3sum` prints it.
pub fn hash_of_bytes(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}
