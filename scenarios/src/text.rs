//! A piece of a file: the part of it that is one RON value, so that faults inside it are placed in the whole.

pub(crate) use crate::dialect::options;
use crate::fault::{Cause, Fault, Place, did_you_mean};
use crate::outline::{self, NoSuchPlace, Node};
use crate::reading::read_text;
use crate::some::without_some;
use crate::words::told;
use coase_core::quoted;
use serde::de::DeserializeOwned;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One RON value in a file.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    /// The file's name in messages.
    pub(crate) file: String,
    /// The folder that relative names in it refer to.
    pub(crate) folder: PathBuf,
    whole: Arc<str>,
    range: Range<usize>,
}

impl Text {
    /// A whole file.
    pub(crate) fn new(file: impl Into<String>, folder: impl Into<PathBuf>, text: impl Into<Arc<str>>) -> Self {
        let mut whole: Arc<str> = text.into();
        // A byte order mark is no part of the text.
        if let Some(rest) = whole.strip_prefix('\u{feff}') {
            whole = rest.into();
        }
        Self { file: file.into(), folder: folder.into(), range: outline::beginning(&whole)..whole.len(), whole }
    }

    /// Reads a whole file from disk.
    pub(crate) fn read(path: &Path) -> Result<Self, Fault> {
        let file = path.display().to_string();
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        read_text(path).map(|text| Self::new(file, folder, text))
    }

    /// The value's text.
    pub(crate) fn as_str(&self) -> &str {
        &self.whole[self.range.clone()]
    }

    /// A part of it, by its place within this one.
    pub(crate) fn part(&self, span: &Range<usize>) -> Self {
        Self { range: self.range.start + span.start..self.range.start + span.end, ..self.clone() }
    }

    /// The same with another value of its own.
    pub(crate) fn replaced(&self, value: &str) -> Self {
        let whole = format!("{}{value}{}", &self.whole[..self.range.start], &self.whole[self.range.end..]);
        Self { whole: whole.into(), range: self.range.start..self.range.start + value.len(), ..self.clone() }
    }

    /// The same with a value put at a path.
    pub(crate) fn put(&self, path: &[&str], value: &str) -> Result<Self, NoSuchPlace> {
        outline::put(self.as_str(), path, value).map(|text| self.replaced(&text))
    }

    /// Its tree.
    pub(crate) fn outline(&self) -> Option<Node> {
        outline::outline(self.as_str())
    }

    /// The word it begins with.
    pub(crate) fn head(&self) -> &str {
        let text = self.as_str();
        &text[..text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len())]
    }

    /// It begins with another word than it should.
    pub(crate) fn wrong_head(&self, found: &str, expected: &'static str) -> Fault {
        if self.as_str().trim().is_empty() {
            return self.fault("", Cause::Nothing { expected });
        }
        let found = if found.is_empty() { self.as_str().chars().take(1).collect() } else { found.to_owned() };
        self.fault("", Cause::Head { found, expected })
    }

    /// Reads it as a value.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        quoted::from_str(&options(), &without_some(self.as_str())).map_err(|error| self.ron_fault(error))
    }

    /// A fault at a dotted path, or at the deepest part of it that is there.
    pub(crate) fn fault(&self, path: &str, cause: Cause) -> Fault {
        let parts: Vec<&str> = path.split('.').filter(|p| !p.is_empty()).collect();
        let span = self.outline().map_or(0..0, |tree| tree.deepest(&parts).0.span.clone());
        self.fault_at(&span, cause)
    }

    /// Whether a dotted path leads to something.
    pub(crate) fn has(&self, path: &str) -> bool {
        let parts: Vec<&str> = path.split('.').collect();
        self.outline().is_some_and(|tree| tree.deepest(&parts).1 == parts.len())
    }

    fn fault_at(&self, span: &Range<usize>, cause: Cause) -> Fault {
        let span = self.range.start + span.start..self.range.start + span.end;
        Fault {
            file: self.file.clone(),
            place: Some(Place::of(&self.whole, &span)),
            cause: Box::new(cause),
            hint: None,
        }
    }

    fn ron_fault(&self, error: ron::error::SpannedError) -> Fault {
        let text = self.as_str();
        self.told(error.code, byte(text, error.span.start)..byte(text, error.span.end))
    }

    /// A fault that somebody else has found in the whole file, at a line and column from 1.
    pub(crate) fn ron_fault_at(&self, error: ron::Error, line: usize, column: usize) -> Fault {
        let at = byte(&self.whole, ron::error::Position { line, col: column }).saturating_sub(self.range.start);
        self.told(error, at..at)
    }

    fn told(&self, error: ron::Error, found: Range<usize>) -> Fault {
        let text = self.as_str();
        let Range { start, end } = found;
        let hint = match &error {
            // Inside a plugin's parameters only the words are left; they name found and expected in backticks.
            ron::Error::Message(message) => {
                let mut quoted = message.split('`').skip(1).step_by(2);
                quoted.next().and_then(|found| did_you_mean(found, quoted))
            }
            _ => None,
        };
        let told = told(error, text, start, self.outline().as_ref());
        self.fault_at(&told.span.unwrap_or(start..end.max(start)), told.cause).with_hint(told.hint.or(hint))
    }
}

/// Offset of a position that RON counts in lines and characters from 1.
fn byte(text: &str, position: ron::error::Position) -> usize {
    let before = position.line.saturating_sub(1);
    let start = if before == 0 { 0 } else { text.match_indices('\n').nth(before - 1).map_or(text.len(), |m| m.0 + 1) };
    text[start..].char_indices().nth(position.col.saturating_sub(1)).map_or(text.len(), |c| start + c.0)
}
