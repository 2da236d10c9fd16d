//! A network as the command line names it.

use crate::nearest::hint;
use crate::offence::{Offence, Place};
use anyhow::{Context, bail};
use coase_core::network::{self, Network, ReadError};
use coase_scenarios::{read_matpower_text, read_text};
use std::path::Path;

/// Loads a built-in network by id, or a `.m` or `.ron` file.
pub fn load(name: &str) -> anyhow::Result<Network> {
    if let Some(built_in) = network::built_in(name) {
        return built_in.network().with_context(|| format!("built-in network `{name}`"));
    }
    let path = Path::new(name);
    let is_matpower = path.extension().is_some_and(|e| e == "m");
    let read: fn(&str) -> Result<Network, ReadError> = match path.extension().and_then(|e| e.to_str()) {
        Some("m") => Network::from_matpower,
        Some("ron") => Network::from_ron,
        _ => {
            let ids = network::BUILT_IN.iter().map(|b| b.id);
            bail!("`{name}` is neither a built-in network nor a .m or .ron file{}", hint(name, ids))
        }
    };
    let text = if is_matpower { read_matpower_text(path) } else { read_text(path) }.map_err(Offence::from)?;
    let mut network = read(&text).map_err(|wrong| offence(name, &text, &wrong))?;
    if network.name.is_empty() {
        network.name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    }
    Ok(network)
}

fn offence(file: &str, text: &str, wrong: &ReadError) -> Offence {
    let (place, message) = match wrong {
        ReadError::Head { line, found } => {
            (Some(Place::of(text, *line, None)), format!("a network file begins with `Network(`, found `{found}`"))
        }
        ReadError::Ron { line, column, source } => (Some(Place::of(text, *line, Some(*column))), source.to_string()),
        ReadError::Matpower { line, source } => (Some(Place::of(text, *line, None)), source.to_string()),
        ReadError::InvalidAt { line, source } => (Some(Place::of(text, *line, None)), source.to_string()),
        other => (None, other.to_string()),
    };
    Offence { file: file.to_owned(), place, message, hint: None }
}
