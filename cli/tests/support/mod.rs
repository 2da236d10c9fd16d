//! Running the program as a user does.

#![allow(dead_code, reason = "each test crate uses a part of it")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A fresh folder of a test's own.
pub fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A file with a text.
pub fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Runs `coase` with arguments.
pub fn coase(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_coase")).args(args).output().unwrap()
}

/// The exit status.
pub fn status(output: &Output) -> i32 {
    output.status.code().expect("ended by itself")
}

/// What was printed.
pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What was complained of.
pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Standard output as JSON, of a run that must end with a status.
pub fn json(args: &[&str], expected: i32) -> serde_json::Value {
    let output = coase(args);
    assert_eq!(status(&output), expected, "{args:?}: {}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{args:?}: {e}: {}", stdout(&output)))
}

/// A column of a result table, as written.
pub fn column(store: &Path, table: &str, name: &str) -> Vec<String> {
    let path = store.join(format!("{table}.csv"));
    let mut reader = csv::Reader::from_path(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let at = reader.headers().unwrap().iter().position(|h| h == name).unwrap_or_else(|| panic!("{table}: no {name}"));
    reader.records().map(|row| row.unwrap()[at].to_owned()).collect()
}
