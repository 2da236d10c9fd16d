//! Files that are whole or not there: written beside their place, to the disk, then moved into it.

use crate::error::StoreError;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What stands between a file's name and the process that writes it.
const BESIDE: &str = ".tmp.";

/// A file on its way. Dropped before it is [kept](WholeFile::keep), it leaves nothing.
pub(crate) struct WholeFile {
    path: PathBuf,
    beside: PathBuf,
    file: Option<fs::File>,
}

impl WholeFile {
    pub(crate) fn create(path: &Path) -> Result<Self, StoreError> {
        let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let beside = path.with_file_name(format!("{name}{BESIDE}{}", std::process::id()));
        let file = fs::File::create(&beside).map_err(|source| StoreError::Write { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), beside, file: Some(file) })
    }

    /// The name that it will have.
    pub(crate) fn name(&self) -> String {
        self.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    /// Brings it to the disk.
    pub(crate) fn sync(self) -> Result<Self, StoreError> {
        let synced = self.file.as_ref().map_or(Ok(()), fs::File::sync_all);
        synced.map_err(|source| StoreError::Write { path: self.path.clone(), source })?;
        Ok(self)
    }

    /// Moves it into its place.
    pub(crate) fn keep(mut self) -> Result<(), StoreError> {
        let moved = fs::rename(&self.beside, &self.path);
        moved.map_err(|source| StoreError::Write { path: self.path.clone(), source })?;
        self.file = None;
        Ok(())
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.as_mut().map_or(Ok(0), |file| file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // Whoever reports why it was not kept says more than that it could not be removed.
            let _ = fs::remove_file(&self.beside);
        }
    }
}

/// Makes a folder that is not there.
pub(crate) fn create_dir(dir: &Path) -> Result<(), StoreError> {
    fs::create_dir_all(dir).map_err(|source| StoreError::Write { path: dir.to_owned(), source })
}

/// Writes a whole file.
pub(crate) fn write_whole(path: &Path, content: &[u8]) -> Result<(), StoreError> {
    let mut file = WholeFile::create(path)?;
    file.write_all(content).map_err(|source| StoreError::Write { path: path.to_owned(), source })?;
    file.sync()?.keep()
}

/// Removes files in a folder that were on their way when their process was killed; only those whose name in the end is one
/// that the program writes.
pub(crate) fn sweep(folder: &Path, is_ours: impl Fn(&str) -> bool) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some((whole, process)) = name.to_str().and_then(|name| name.rsplit_once(BESIDE)) else { continue };
        if !process.is_empty() && process.bytes().all(|b| b.is_ascii_digit()) && is_ours(whole) {
            // One that cannot be removed is in nobody's way.
            let _ = fs::remove_file(entry.path());
        }
    }
}
