//! Folders, files and result tables of tests that run the program.

use std::path::{Path, PathBuf};

/// A fresh folder of a test's own within another, for which a test has `env!("CARGO_TARGET_TMPDIR")`.
#[track_caller]
pub fn folder(within: &str, name: &str) -> PathBuf {
    let folder = Path::new(within).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// A file with a text; its path as an argument of the program.
#[track_caller]
pub fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("a file");
    path.to_str().expect("a path in UTF-8").to_owned()
}

/// A column of a result table, as written.
#[track_caller]
pub fn column(store: &Path, table: &str, name: &str) -> Vec<String> {
    let path = store.join(format!("{table}.csv"));
    let mut reader = csv::Reader::from_path(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let heads = reader.headers().unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let at = heads.iter().position(|h| h == name).unwrap_or_else(|| panic!("{table}: no {name}"));
    reader.records().map(|row| row.expect("a row of text")[at].to_owned()).collect()
}
