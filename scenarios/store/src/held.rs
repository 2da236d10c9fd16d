//! A store that this process alone writes: collecting, and keeping the list of figures and tables that were made from it.

use crate::collect::{self, Summary};
use crate::error::StoreError;
use crate::folder::Store;
use crate::lock::{self, Lock, Who};
use crate::manifest::Made;
use crate::whole;
use coase_core::record::Table;
use std::fs;
use std::path::{Component, Path};

/// A store that nobody else writes as long as this is there.
pub struct Held {
    store: Store,
    lock: Lock,
}

impl Held {
    /// Takes the folder; where `shared`, together with others that share it.
    pub(crate) fn take(store: Store, shared: bool) -> Result<Self, StoreError> {
        let lock = Lock::take(store.dir(), shared)?;
        // Nobody else is at work here: what is on its way belongs to the dead.
        if lock.who == Who::Nobody {
            whole::sweep(store.dir(), is_own);
            whole::sweep(&store.dir().join("runs"), is_run);
            for folder in MADE {
                let of_figure = |name: &str| ENDINGS.iter().any(|ending| name.ends_with(ending));
                whole::sweep(&store.dir().join(folder), of_figure);
            }
        }
        Ok(Self { store, lock })
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Whether other parts of an experiment are at work in it.
    pub fn is_shared(&self) -> bool {
        self.lock.who == Who::Parts
    }

    /// Lets other parts of the experiment in.
    ///
    /// # Errors
    /// If another process took the folder for itself in between.
    pub fn share(&mut self) -> Result<(), StoreError> {
        self.lock.share(self.store.dir())
    }

    /// Builds the tables that are wanted from the runs that are there, and removes the others. Tables that are there and of
    /// just these runs stay as they are.
    ///
    /// # Errors
    /// As [`Store::collect`].
    pub fn collect(&self, wanted: &[Table]) -> Result<Summary, StoreError> {
        self.collect_at(wanted, None)
    }

    /// The same, and says in the manifest that the experiment ended.
    ///
    /// # Errors
    /// Likewise.
    pub fn collect_at(&self, wanted: &[Table], end: Option<&str>) -> Result<Summary, StoreError> {
        let manifest = self.store.manifest()?;
        if !manifest.is_whole() {
            return Err(StoreError::Changed { path: self.store.manifest_path() });
        }
        let _tables = lock::tables(self.store.dir());
        let (summary, made) = collect::collect(&self.store, &manifest, wanted)?;
        let mut changed = vec![];
        if !summary.are_tables_current {
            changed.push(("tables", self.store.field(&made)?));
        }
        if let Some(end) = end {
            changed.push(("end", self.store.field(&end)?));
        }
        if !changed.is_empty() {
            self.store.set_fields(&changed)?;
        }
        Ok(summary)
    }

    /// Says which figures and tables for papers were made from the store, by their paths; those that were made before, are not
    /// among them and are `gone` by their names are removed. Nothing else is: what the program did not make is not in its list.
    /// With `made_of`, a hash of all that they were made of, they need not be made anew as long as nothing changes.
    ///
    /// # Errors
    /// If the manifest cannot be written.
    pub fn set_made<'a>(
        &self,
        files: impl IntoIterator<Item = &'a Path>,
        gone: fn(&str) -> bool,
        made_of: Option<&str>,
    ) -> Result<(), StoreError> {
        let dir = self.store.dir();
        let name = |file: &Path| {
            let parts: Vec<_> = file.strip_prefix(dir).ok()?.iter().map(|part| part.to_str()).collect::<Option<_>>()?;
            Some(parts.join("/"))
        };
        let mut made: Vec<String> = files.into_iter().filter_map(name).collect();
        let before = self.store.manifest()?.made;
        let (kept, gone): (Vec<String>, Vec<String>) = before
            .into_iter()
            .filter(|file| !made.contains(file))
            .partition(|file| !gone(file) && dir.join(file).is_file());
        remove(dir, &gone);
        made.extend(kept);
        made.sort_unstable();
        let drawn = made_of.map(|of| Made::now(dir, of.to_owned(), made.iter().cloned()));
        self.store.set_fields(&[("made", self.store.field(&made)?), ("drawn", self.store.field(&drawn)?)])
    }

    /// Whether the figures and tables for papers are there and were made of this.
    pub fn is_made_of(&self, made_of: &str) -> bool {
        let drawn = self.store.manifest().ok().and_then(|manifest| manifest.drawn);
        drawn.is_some_and(|drawn| drawn.is_current(self.store.dir(), made_of))
    }

    /// Removes all that was made from runs: tables, times, and the figures and tables for papers of a list.
    pub fn remove_made(&self, made: &[String]) {
        let dir = self.store.dir();
        for name in fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.file_name()) {
            if name.to_str().is_some_and(|name| is_own(name) && name != "manifest.json") {
                let _ = fs::remove_file(dir.join(name));
            }
        }
        remove(dir, made);
    }
}

impl Store {
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
}

/// Folders and endings of figures and tables for papers.
const MADE: [&str; 2] = ["figures", "tables"];
const ENDINGS: [&str; 6] = [".svg", ".pdf", ".png", ".tex", ".md", ".csv"];

/// Removes files of a list; one that is gone already is no matter. Whatever the list says, nothing outside the two folders.
fn remove(dir: &Path, files: &[String]) {
    for file in files {
        let parts: Vec<Component> = Path::new(file).components().collect();
        let [Component::Normal(folder), Component::Normal(_)] = parts[..] else { continue };
        if MADE.iter().any(|made| folder == *made) && ENDINGS.iter().any(|ending| file.ends_with(ending)) {
            let _ = fs::remove_file(dir.join(file));
        }
    }
}

/// Whether a name is that of a file of a run: 32 hex digits and an ending.
fn is_run(name: &str) -> bool {
    let is_id = |stem: &str| stem.len() == 32 && stem.bytes().all(|b| b.is_ascii_hexdigit());
    matches!(name.rsplit_once('.'), Some((stem, "run")) if is_id(stem))
}

/// Whether a file directly in the folder is one that the program writes.
pub fn is_own(name: &str) -> bool {
    let is_table = |stem: &str| Table::ALL.iter().any(|table| table.name() == stem);
    match name.rsplit_once('.') {
        Some((stem, "csv")) => is_table(stem) || stem == "timings" || stem.starts_with("timings-"),
        Some((stem, "parquet")) => is_table(stem),
        _ => ["manifest.json", "resolved.ron", "report.html", "comparison.html"].contains(&name),
    }
}
