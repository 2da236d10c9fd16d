//! Text out of files that users name, or the fault that says why there is none.

use crate::fault::{Cause, Fault, Place};
use crate::file::{LARGEST, Undecoded, bytes, decoded, is_latin};
use std::path::Path;

/// The text of a file: a regular one of bounded size, in UTF-8.
///
/// # Errors
/// Why it cannot be read, with line and column where some bytes are no text.
pub fn read_text(path: &Path) -> Result<String, Fault> {
    decoded(content(path)?).map_err(|found| not_text(path, found))
}

/// The text of a MATPOWER file: as [`read_text`], but names and comments may be in Latin-1, as many files of that age are.
///
/// # Errors
/// As [`read_text`].
pub(crate) fn read_matpower_text(path: &Path) -> Result<String, Fault> {
    let bytes = content(path)?;
    if is_latin(&bytes) {
        return Ok(bytes.into_iter().map(char::from).collect());
    }
    decoded(bytes).map_err(|found| not_text(path, found))
}

fn content(path: &Path) -> Result<Vec<u8>, Fault> {
    let file = path.display().to_string();
    bytes(path, LARGEST).map_err(|reason| {
        let cause = Cause::Unreadable { path: file.clone(), reason };
        Fault { file, place: None, cause: Box::new(cause), hint: None }
    })
}

fn not_text(path: &Path, found: Undecoded) -> Fault {
    let Undecoded { what, advice, line, column, text } = found;
    let place = Place { line, column, width: 1, text };
    let cause = Box::new(Cause::Encoding { what });
    Fault { file: path.display().to_string(), place: Some(place), cause, hint: Some(advice) }
}
