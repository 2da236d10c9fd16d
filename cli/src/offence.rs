//! An error in a file, drawn with its line.

use ariadne::{Config, IndexType, Label, Report, ReportKind, Source};
use coase_scenarios::Fault;
use coase_scenarios::answers::AnswerError;
use std::fmt;
use std::io::IsTerminal;

/// Something wrong with a file that the user wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offence {
    /// The file as the user named it.
    pub file: String,
    /// Where in it, if anywhere in particular.
    pub place: Option<Place>,
    /// What is wrong.
    pub message: String,
    /// What may have been meant.
    pub hint: Option<String>,
}

/// A place in a text; counts from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub line: usize,
    pub column: usize,
    /// Characters at fault.
    pub width: usize,
    /// The whole line.
    pub text: String,
}

impl Offence {
    /// The error as lines for a terminal.
    pub fn drawn(&self) -> String {
        let Some(place) = &self.place else {
            let hint = self.hint.as_ref().map_or(String::new(), |h| format!("  help: {h}\n"));
            // What names the file already is not told twice.
            let file = if self.message.contains(&self.file) { String::new() } else { format!("{}: ", self.file) };
            return format!("error: {file}{}\n{hint}", self.message);
        };
        // The drawing shows one line: a tab would shift the marks, and a mark needs a character to stand under.
        let line = place.text.replace('\t', " ") + " ";
        // Empty lines in front, so that it stands under its own number.
        let before = place.line.saturating_sub(1);
        let length = line.chars().count();
        let column = place.column.saturating_sub(1).min(length - 1);
        let (start, end) = (before + column, before + length.min(column + place.width.max(1)));
        let text = "\n".repeat(before) + &line;
        let config = Config::default().with_index_type(IndexType::Char).with_color(std::io::stderr().is_terminal());
        let mut report = Report::build(ReportKind::Error, (&self.file, start..end))
            .with_config(config)
            .with_message(&self.message)
            .with_label(Label::new((&self.file, start..end)).with_message("here"));
        if let Some(hint) = &self.hint {
            report = report.with_help(hint);
        }
        let mut drawing = vec![];
        match report.finish().write((&self.file, Source::from(text)), &mut drawing) {
            Ok(()) => String::from_utf8_lossy(&drawing).into_owned(),
            Err(_) => format!("error: {self}\n"),
        }
    }
}

/// Why a question to a network has no answer, drawn where a file is at fault.
pub fn asked(error: AnswerError) -> anyhow::Error {
    match error {
        AnswerError::File(fault) => Offence::from(fault).into(),
        other => other.into(),
    }
}

impl From<Fault> for Offence {
    fn from(fault: Fault) -> Self {
        let message = fault.message();
        let place = fault.place.map(|p| Place { line: p.line, column: p.column, width: p.width, text: p.text });
        Self { file: fault.file, place, message, hint: fault.hint }
    }
}

impl fmt::Display for Offence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "{}:{}:{}: {}", self.file, place.line, place.column, self.message)?,
            None => write!(f, "{}: {}", self.file, self.message)?,
        }
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, " ({hint})"))
    }
}

impl std::error::Error for Offence {}

#[cfg(test)]
mod tests {
    use super::{Offence, Place};

    fn offence(place: Option<Place>) -> Offence {
        Offence { file: "a.ron".into(), place, message: "unexpected word".into(), hint: Some("did you mean b?".into()) }
    }

    #[test]
    fn a_drawing_names_file_line_and_column_and_shows_the_line() {
        let place = Place { line: 3, column: 9, width: 7, text: "  three wieghts: 4".into() };
        let drawn = offence(Some(place)).drawn();
        for expected in ["a.ron:3:9", "three wieghts: 4", "unexpected word", "did you mean b?", "3 │"] {
            assert!(drawn.contains(expected), "{expected}: {drawn}");
        }
    }

    #[test]
    fn places_beyond_the_text_are_drawn_all_the_same() {
        for (line, column, width) in [(1, 40, 1), (9, 1, 0), (0, 0, 3), (1, 4, 9)] {
            let drawn = offence(Some(Place { line, column, width, text: "äbc".into() })).drawn();
            assert!(drawn.contains("unexpected word"), "{drawn}");
        }
        assert!(offence(None).drawn().starts_with("error: a.ron: unexpected word"));
    }
}
