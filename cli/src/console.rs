//! The two streams of the terminal.
//!
//! A reader that goes away (`coase list | head -1`) is no error, and nothing here can panic.

use crate::offence::Offence;
use std::io::{ErrorKind, Write};

/// Writes to standard output.
pub fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    if let Err(wrong) = out.write_all(text.as_bytes()).and_then(|()| out.flush())
        && wrong.kind() != ErrorKind::BrokenPipe
    {
        error(&format!("error: standard output: {wrong}\n"));
    }
}

/// Characters in a line of the terminal that standard output goes to, or what the environment says in `COLUMNS`; `None` where
/// nobody says, as in a file.
pub fn width() -> Option<usize> {
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.trim().parse().ok());
    let found = || {
        let out = terminal::Term::stdout();
        out.is_term().then(|| out.size_checked()).flatten().map(|(_, columns)| usize::from(columns))
    };
    // Narrower than this nothing is readable.
    told.or_else(found).map(|columns: usize| columns.max(40))
}

/// Writes to standard error.
pub fn error(text: &str) {
    // Where should one complain that nobody listens?
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Writes what a reader must know, a line each.
pub fn notes(notes: &[String]) {
    print(&folded(&in_lines(notes)));
}

/// The same to standard error.
pub fn notes_aside(notes: &[String]) {
    aside(&in_lines(notes));
}

/// Writes prose to standard error, its lines no longer than the terminal's.
pub fn aside(text: &str) {
    error(&folded(text));
}

fn in_lines(notes: &[String]) -> String {
    notes.iter().fold(String::new(), |text, note| text + "note: " + note + "\n")
}

fn folded(text: &str) -> String {
    width().map_or_else(|| text.to_owned(), |width| crate::wrap::folded(text, width))
}

/// Writes an error: with its line where it is in a file, else with its causes.
pub fn failure(wrong: &anyhow::Error) {
    match wrong.downcast_ref::<Offence>() {
        Some(offence) => error(&offence.drawn()),
        None => error(&format!("error: {}\n", with_causes(wrong))),
    }
}

/// An error with its causes; one that is told already is not told again.
fn with_causes(wrong: &anyhow::Error) -> String {
    wrong.chain().map(ToString::to_string).fold(String::new(), |said, cause| match said.as_str() {
        "" => cause,
        _ if said.contains(&cause) => said,
        _ => format!("{said}: {cause}"),
    })
}

/// Writes a value as JSON, numbers in full precision.
pub fn print_json<T: serde::Serialize>(value: &T) -> anyhow::Result<()> {
    print(&(serde_json::to_string_pretty(value)? + "\n"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::with_causes;
    use anyhow::Context;

    #[test]
    fn a_cause_is_told_once() {
        let io = || std::io::Error::other("the disk is full");
        let told = coase_store::StoreError::Write { path: "a.csv".into(), source: io() };
        assert_eq!(with_causes(&told.into()), "cannot write a.csv: the disk is full");
        let untold = Err::<(), _>(io()).context("cannot make `b`").unwrap_err();
        assert_eq!(with_causes(&untold), "cannot make `b`: the disk is full");
    }
}
