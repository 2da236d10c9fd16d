//! How figures are drawn, as a user writes it: in an experiment, or in a file `Figures(..)` that many experiments share.
//!
//! Knows where it is written, so that what is wrong is told with its place; which figures there are is known where they are
//! drawn.

use crate::fault::{Cause, Fault, did_you_mean};
use crate::text::Text;
use coase_store::{Figures, WrongFigure, WrongFigures};
use std::path::{Path, PathBuf};

/// How figures are drawn, and where that is written.
#[derive(Clone, Debug)]
pub struct WrittenFigures {
    figures: Figures,
    text: Text,
    /// Path of the figures in the text, with a dot behind it; empty where they are all of it.
    within: &'static str,
    /// The file, where it is one of its own.
    pub(crate) file: Option<PathBuf>,
}

impl WrittenFigures {
    /// What an experiment says, or the file that it names.
    pub(crate) fn of(text: &Text) -> Result<Self, Fault> {
        let tree = text.outline();
        let Some(node) = tree.as_ref().and_then(|tree| tree.field("figures")) else {
            return Ok(Self { figures: Figures::default(), text: text.clone(), within: "figures.", file: None });
        };
        let part = text.part(&node.span);
        if let Some(file) = part.as_str().strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            let path = text.folder.join(file);
            if !path.is_file() {
                let reason = "there is no such file".to_owned();
                let cause = Cause::Unreadable { path: path.display().to_string(), reason };
                return Err(text.fault("figures", cause));
            }
            return Self::read(&path);
        }
        if part.as_str() == "None" {
            return Ok(Self { figures: Figures::default(), text: text.clone(), within: "figures.", file: None });
        }
        Ok(Self { figures: part.parse()?, text: text.clone(), within: "figures.", file: None })
    }

    /// Reads a file with `Figures(..)`.
    ///
    /// # Errors
    /// What is wrong with it, with its place.
    pub fn read(path: &Path) -> Result<Self, Fault> {
        let text = Text::read(path)?;
        match text.head() {
            "Figures" => Ok(Self { figures: text.parse()?, text, within: "", file: Some(path.to_owned()) }),
            found => Err(text.wrong_head(found, "`Figures(..)`")),
        }
    }

    /// What is written.
    pub fn figures(&self) -> &Figures {
        &self.figures
    }

    /// Something wrong with it, at its place.
    pub fn fault(&self, wrong: WrongFigures) -> Fault {
        let at = format!("{}{}", self.within, wrong.at);
        match wrong.what {
            WrongFigure::Unknown { kind, name, known } => {
                let hint = did_you_mean(&name, known.iter().map(String::as_str)).or_else(|| there_are(&known));
                self.text.fault(&at, Cause::Unknown { kind, name }).with_hint(hint)
            }
            WrongFigure::Value { field, found, expected } => {
                self.text.fault(&at, Cause::Field { field: field.to_owned(), found, expected })
            }
        }
    }
}

/// The names there are, where they are few.
fn there_are(known: &[String]) -> Option<String> {
    let names = || known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match known.len() {
        0 => Some("there is none here".to_owned()),
        1..=40 => Some(format!("there is {}", names())),
        _ => None,
    }
}
