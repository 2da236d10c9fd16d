//! Games on plain numbers, without market and network: one file for each head word, and its line in [`FORMS`].
//!
//! A file begins with the word of its game, `Coalitions(..)`. What follows is a form of its own, which says what can be written,
//! reads and checks it, and answers.

mod coalitions;
mod cournot;
mod exported;
mod named;
mod normal_form;
mod population;
mod pricing;

pub use coalitions::{Coalitions, CoalitionsAnswer};
pub use cournot::{Cournot, CournotAnswer, CournotSeller, CournotStep};
pub(crate) use exported::written;
pub use normal_form::{NormalForm, NormalFormAnswer, NormalFormPlayer};
pub use population::{Population, PopulationAnswer, PopulationBuyer, PopulationSeller};
pub use pricing::{Pricing, PricingAnswer, PricingBuyer, PricingSeller};

use crate::fault::{Fault, did_you_mean};
use crate::text::Text;
use coase_core::coalition::CoalitionError;
use coase_core::declaration::{Declaration, schema_of};
use coase_core::learning::NormalFormError;
use serde_json::{Value, json};
use std::path::Path;

/// Why a game has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GameError {
    /// The file is not right.
    #[error(transparent)]
    File(#[from] Fault),
    /// A game of groups has no answer.
    #[error(transparent)]
    Coalitions(#[from] CoalitionError),
    /// It has no strategic form that can be listed.
    #[error(transparent)]
    StrategicForm(#[from] NormalFormError),
}

/// A game that was read and checked.
pub trait Game {
    /// Solves it.
    ///
    /// # Errors
    /// If a solver has no answer that it can certify.
    fn answer(&self) -> Result<Box<dyn GameAnswer>, GameError>;

    /// Its strategic form in Gambit's `.nfg` format; `None` for a game that has none with finitely many strategies.
    ///
    /// # Errors
    /// If it has too many profiles to list.
    fn strategic_form(&self) -> Option<Result<String, GameError>> {
        None
    }
}

/// What was found.
pub trait GameAnswer {
    /// As JSON, with the names of the command line.
    ///
    /// # Errors
    /// None, as long as names are texts.
    fn json(&self) -> serde_json::Result<Value>;

    /// For people.
    fn sheets(&self) -> Vec<Sheet>;

    /// Whether the answer is one: an equilibrium that was sought and provably is not there is.
    fn is_found(&self) -> bool {
        true
    }
}

/// A table for people, with what is said below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sheet {
    /// Names of the columns: the first holds names, the others numbers or words.
    pub head: Vec<String>,
    /// Cells.
    pub rows: Vec<Vec<String>>,
    /// What is said below.
    pub notes: Vec<String>,
}

/// A form of games.
struct Form {
    /// The head word.
    head: &'static str,
    read: fn(&Text) -> Result<Box<dyn Game>, Fault>,
    schema: fn() -> Value,
    /// It and its parts, by their names.
    declarations: fn() -> Vec<(&'static str, Declaration)>,
}

/// All forms, in the order of the documentation.
const FORMS: &[Form] = &[
    Form {
        head: "Coalitions",
        read: |text| Ok(Box::new(coalitions::read(text)?)),
        schema: schema_of::<Coalitions>,
        declarations: || vec![("Coalitions", Declaration::of::<Coalitions>())],
    },
    population::FORM,
    pricing::FORM,
    cournot::FORM,
    normal_form::FORM,
];

/// What head words there are, in the words of an error.
const HEADS: &str = "`Coalitions(..)`, `Population(..)`, `Pricing(..)`, `Cournot(..)` or `NormalForm(..)`";

/// Reads the game of a file.
///
/// # Errors
/// What is wrong, with its place.
pub fn read_game(path: &Path) -> Result<Box<dyn Game>, Fault> {
    read(&Text::read(path)?)
}

/// Whether a file begins with the word of a scenario or experiment, in which games are played, and not with that of a game.
pub fn plays_games(path: &Path) -> bool {
    Text::read(path).is_ok_and(|text| matches!(text.head(), "Scenario" | "Experiment"))
}

/// Reads a game from a text that lies in no file.
///
/// # Errors
/// What is wrong, with its place.
pub fn read_game_text(name: &str, text: &str) -> Result<Box<dyn Game>, Fault> {
    read(&Text::new(name, "", text))
}

fn read(text: &Text) -> Result<Box<dyn Game>, Fault> {
    let found = text.head();
    if let Some(form) = FORMS.iter().find(|form| form.head == found) {
        return (form.read)(text);
    }
    let hint = did_you_mean(found, FORMS.iter().map(|form| form.head));
    Err(text.wrong_head(found, HEADS).with_hint(hint))
}

/// The forms by their head words and their parts, each with its fields.
pub(crate) fn declarations() -> impl Iterator<Item = (&'static str, Declaration)> {
    FORMS.iter().flat_map(|form| (form.declarations)())
}

/// The JSON schema of a game file: an object with the head word and the fields of its form.
pub fn game_schema() -> Value {
    let of = |form: &Form| {
        let head = form.head;
        json!({"type": "object", "properties": {head: (form.schema)()}, "required": [head], "additionalProperties": false})
    };
    json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Game", "oneOf": FORMS.iter().map(of).collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use super::{FORMS, HEADS};

    #[test]
    fn an_error_names_every_head_word() {
        assert!(FORMS.iter().all(|form| HEADS.contains(&format!("`{}(..)`", form.head))), "{HEADS}");
    }
}
