//! Running the program as a user does.

use std::path::PathBuf;
use std::process::{Command, Output};

pub use coase_testkit::files::{column, file};

/// A fresh folder of a test's own.
pub fn folder(name: &str) -> PathBuf {
    coase_testkit::files::folder(env!("CARGO_TARGET_TMPDIR"), name)
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
