//! A folder with results: where its files are.

use crate::error::StoreError;
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

    /// Where the manifest is.
    pub fn manifest_path(&self) -> PathBuf {
        self.dir().join("manifest.json")
    }

    /// Where the file of a run is, or would be.
    pub fn run_path(&self, run_id: &str) -> PathBuf {
        self.dir.join("runs").join(format!("{run_id}.run"))
    }
}
