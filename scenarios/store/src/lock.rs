//! One process at a time in a folder of results, but for the parts of one experiment.

use crate::error::StoreError;
use std::fs::{self, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

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

/// What a part of an experiment writes into the lock behind its process while it has the folder to itself.
const PART: &str = " part";
/// How long parts wait for a part that has the folder to itself: only while it looks at what is there.
const PATIENCE: Duration = Duration::from_secs(120);

impl Lock {
    /// Takes the folder for this process alone; where it may be `shared` and others share it, shares it with them. Parts that
    /// begin at the same time wait for the one that came first.
    ///
    /// # Errors
    /// If another process has it.
    pub(crate) fn take(folder: &Path, shared: bool) -> Result<Self, StoreError> {
        let path = folder.join(".lock");
        let opened = fs::File::options().create(true).read(true).write(true).truncate(false).open(&path);
        let mut file = opened.map_err(|source| StoreError::Write { path, source })?;
        let begin = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => {
                    // Who looks on may want to know whom to wait for.
                    let who = std::process::id().to_string() + if shared { PART } else { "" };
                    let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(who.as_bytes()));
                    return Ok(Self { file: Some(file), who: Who::Nobody });
                }
                Err(TryLockError::Error(_)) => return Ok(Self { file: None, who: Who::Unknown }),
                Err(TryLockError::WouldBlock) if shared && file.try_lock_shared().is_ok() => {
                    return Ok(Self { file: Some(file), who: Who::Parts });
                }
                Err(TryLockError::WouldBlock) => {
                    let mut process = String::new();
                    let _ = file.rewind().and_then(|()| file.read_to_string(&mut process));
                    let (process, is_part) =
                        process.strip_suffix(PART).map_or((process.as_str(), false), |process| (process, true));
                    // Whoever came first may not have written yet who it is.
                    let patience = if is_part { PATIENCE } else { A_MOMENT };
                    if !shared || begin.elapsed() > patience {
                        return Err(StoreError::InUse {
                            path: folder.to_owned(),
                            process: process.trim().parse().ok(),
                        });
                    }
                    std::thread::sleep(A_MOMENT / 10);
                }
            }
        }
    }

    /// Lets others in who share it too. Another part may have the folder to itself for a moment in between.
    ///
    /// # Errors
    /// If another process took the folder for itself in between.
    pub(crate) fn share(&mut self, folder: &Path) -> Result<(), StoreError> {
        if let (Some(file), Who::Nobody) = (&self.file, self.who) {
            let lost = || StoreError::InUse { path: folder.to_owned(), process: None };
            file.unlock().map_err(|_| lost())?;
            let begin = Instant::now();
            while file.try_lock_shared().is_err() {
                if begin.elapsed() > PATIENCE {
                    return Err(lost());
                }
                std::thread::sleep(A_MOMENT / 10);
            }
            self.who = Who::Parts;
        }
        Ok(())
    }
}

/// How long it takes to write a few bytes and be seen, at most.
const A_MOMENT: Duration = Duration::from_millis(200);

/// Waits until nobody else builds the tables of a folder; those who share it come one after another.
pub(crate) fn tables(folder: &Path) -> Option<fs::File> {
    let file = fs::File::options().create(true).write(true).truncate(false).open(folder.join(".tables.lock")).ok()?;
    file.lock().is_ok().then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;
    use std::thread;

    fn folder(name: &str) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("coase_lock_{}_{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn parts_that_begin_at_once_all_get_in() {
        let folder = folder("parts");
        let barrier = Barrier::new(8);
        let part = || {
            barrier.wait();
            let mut lock = Lock::take(&folder, true)?;
            // Looks at what is there.
            thread::sleep(Duration::from_millis(20));
            lock.share(&folder)?;
            thread::sleep(Duration::from_millis(50));
            Ok::<(), StoreError>(())
        };
        thread::scope(|scope| {
            let parts: Vec<_> = (0..8).map(|_| scope.spawn(part)).collect();
            for part in parts {
                part.join().unwrap().unwrap();
            }
        });
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn nobody_waits_for_a_process_that_is_no_part() {
        let folder = folder("alone");
        let alone = Lock::take(&folder, false).unwrap();
        let begin = Instant::now();
        for shared in [true, false] {
            let refused = Lock::take(&folder, shared).err().unwrap();
            assert!(matches!(refused, StoreError::InUse { process: Some(id), .. } if id == std::process::id()));
        }
        assert!(begin.elapsed() < Duration::from_secs(10));
        drop(alone);
        assert!(Lock::take(&folder, false).is_ok());
        fs::remove_dir_all(folder).unwrap();
    }
}
