//! One process at a time in a folder of results, but for the parts of one experiment.

use crate::error::StoreError;
use std::fs::{self, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

/// A lock that ends with its process, however that ends.
pub(crate) struct Lock {
    file: Option<fs::File>,
    pub(crate) who: Who,
}

/// Who else may write the folder.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// Nobody.
    Nobody,
    /// Other parts of the same experiment.
    Parts,
    /// Nobody can say: the file system knows no locks.
    Unknown,
}

impl Lock {
    /// Takes the folder for this process alone; where it may be `shared` and others share it, shares it with them.
    ///
    /// # Errors
    /// If another process has it.
    pub(crate) fn take(folder: &Path, shared: bool) -> Result<Self, StoreError> {
        let path = folder.join(".lock");
        let opened = fs::File::options().create(true).read(true).write(true).truncate(false).open(&path);
        let mut file = opened.map_err(|source| StoreError::Write { path, source })?;
        match file.try_lock() {
            Ok(()) => {
                // Who looks on may want to know whom to wait for.
                let _ = file.set_len(0).and_then(|()| file.write_all(std::process::id().to_string().as_bytes()));
                Ok(Self { file: Some(file), who: Who::Nobody })
            }
            Err(TryLockError::Error(_)) => Ok(Self { file: None, who: Who::Unknown }),
            Err(TryLockError::WouldBlock) if shared && file.try_lock_shared().is_ok() => {
                Ok(Self { file: Some(file), who: Who::Parts })
            }
            Err(TryLockError::WouldBlock) => {
                let mut process = String::new();
                let _ = file.rewind().and_then(|()| file.read_to_string(&mut process));
                Err(StoreError::InUse { path: folder.to_owned(), process: process.trim().parse().ok() })
            }
        }
    }

    /// Lets others in who share it too.
    ///
    /// # Errors
    /// If another process took the folder for itself in between.
    pub(crate) fn share(&mut self, folder: &Path) -> Result<(), StoreError> {
        if let (Some(file), Who::Nobody) = (&self.file, self.who) {
            let lost = || StoreError::InUse { path: folder.to_owned(), process: None };
            file.unlock().map_err(|_| lost())?;
            file.try_lock_shared().map_err(|_| lost())?;
            self.who = Who::Parts;
        }
        Ok(())
    }
}

/// Waits until nobody else builds the tables of a folder; those who share it come one after another.
pub(crate) fn tables(folder: &Path) -> Option<fs::File> {
    let file = fs::File::options().create(true).write(true).truncate(false).open(folder.join(".tables.lock")).ok()?;
    file.lock().is_ok().then_some(file)
}
