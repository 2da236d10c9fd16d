//! RON text in, network out: the head word, and the line of whatever is wrong.

use crate::quoted;
use serde::Deserialize;

use super::error::{NetworkError, ReadError};
use super::model::Network;
use super::ron_form::NetworkForm;

impl Network {
    /// Reads a network from RON text.
    ///
    /// ```
    /// let network = coase_core::network::Network::from_ron(
    ///     r#"Network(
    ///         name: "two buses", base_mva: 1, base_kv: 10,
    ///         buses: [(id: 1, kind: Slack), (id: 2, p_kw: 400, q_kvar: 100)],
    ///         branches: [(from: 1, to: 2, r_ohm: 1.2, x_ohm: 0.8, rate_kva: 600)],
    ///     )"#,
    /// )?;
    /// assert_eq!(network.branches[0].r_pu, 0.012);
    /// # Ok::<(), coase_core::network::ReadError>(())
    /// ```
    ///
    /// # Errors
    /// A missing head word, a syntax error or unknown field with its place, or a network that contradicts itself.
    pub fn from_ron(text: &str) -> Result<Self, ReadError> {
        // A byte order mark is no part of the text.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        require_head(text)?;
        let extensions = ron::extensions::Extensions::IMPLICIT_SOME
            | ron::extensions::Extensions::UNWRAP_NEWTYPES
            | ron::extensions::Extensions::UNWRAP_VARIANT_NEWTYPES;
        let options = ron::Options::default().with_default_extension(extensions);
        let form: NetworkForm = quoted::from_str(&options, text).map_err(|e| ReadError::Ron {
            line: e.span.start.line,
            column: e.span.start.col,
            source: e.code,
        })?;
        Self::try_from(form).map_err(|source| match line_of(&source, text, extensions) {
            Some(line) => ReadError::InvalidAt { line, source },
            None => ReadError::Invalid(source),
        })
    }
}

/// The elements of a network as they stand in its text.
#[derive(Deserialize)]
#[serde(rename = "Network")]
struct Fields<'a> {
    #[serde(borrow)]
    base_mva: &'a ron::value::RawValue,
    #[serde(borrow)]
    buses: &'a ron::value::RawValue,
}

/// The same, one by one.
#[derive(Deserialize)]
#[serde(rename = "Network")]
struct Elements<'a> {
    #[serde(borrow)]
    buses: Vec<&'a ron::value::RawValue>,
    #[serde(borrow)]
    branches: Vec<&'a ron::value::RawValue>,
    #[serde(borrow, default)]
    generators: Vec<&'a ron::value::RawValue>,
}

/// The line, from 1, of the element that an error is about.
fn line_of(error: &NetworkError, text: &str, extensions: ron::extensions::Extensions) -> Option<usize> {
    #[derive(Deserialize)]
    #[serde(rename = "Bus")]
    struct Id {
        id: u64,
    }
    let options = ron::Options::default().with_default_extension(extensions);
    let elements: Elements = options.from_str(text).ok()?;
    let fields: Fields = options.from_str(text).ok()?;
    let raw = match error {
        NetworkError::PowerBase { .. } => Some(&fields.base_mva),
        // Of two buses with one id, the second is in the way.
        NetworkError::Bus { id, .. } | NetworkError::DuplicateBus { id } => {
            elements.buses.iter().rfind(|raw| options.from_str::<Id>(raw.get_ron()).is_ok_and(|bus| bus.id == *id))
        }
        NetworkError::Branch { number, .. }
        | NetworkError::Loop { number, .. }
        | NetworkError::ImpedanceUnit { number, .. }
        | NetworkError::OhmBase { number, .. }
        | NetworkError::UnknownBus { element: "branch", number, .. } => elements.branches.get(number - 1),
        NetworkError::Generator { number, .. } | NetworkError::UnknownBus { number, .. } => {
            elements.generators.get(number - 1)
        }
        _ => Some(&fields.buses),
    }?;
    let element = after_blanks(raw.get_ron());
    let offset = (element.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    Some(text.get(..offset)?.matches('\n').count() + 1)
}

/// RON accepts a struct without its name; a file should say what it is.
fn require_head(text: &str) -> Result<(), ReadError> {
    let rest = after_blanks(text);
    let word: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    if word == "Network" {
        return Ok(());
    }
    let line = text[..text.len() - rest.len()].matches('\n').count() + 1;
    let found = if word.is_empty() { rest.chars().take(1).collect() } else { word };
    Err(ReadError::Head { line, found })
}

/// What follows blanks, comments and attributes.
fn after_blanks(text: &str) -> &str {
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        if rest.starts_with("//") || rest.starts_with("#!") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if let Some(inside) = rest.strip_prefix("/*") {
            rest = after_block_comment(inside);
        } else {
            return rest;
        }
    }
}

/// What follows the `*/` that closes the comment just opened; they nest in RON.
fn after_block_comment(inside: &str) -> &str {
    let mut depth = 1;
    let mut at = 0;
    let bytes = inside.as_bytes();
    while depth > 0 {
        match bytes.get(at..at + 2) {
            Some(b"/*") => (depth, at) = (depth + 1, at + 2),
            Some(b"*/") => (depth, at) = (depth - 1, at + 2),
            Some(_) => at += 1,
            None => return "",
        }
    }
    &inside[at..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::NodeId;

    fn with(buses: &str, branches: &str) -> Result<Network, ReadError> {
        Network::from_ron(&format!(
            "Network(\n base_mva: 1, base_kv: 10,\n buses: [{buses}],\n branches: [{branches}])"
        ))
    }

    const TWO: &str = "(id: 1, kind: Slack), (id: 2, p_kw: 5)";

    #[test]
    fn the_head_word_is_required_after_any_comments() {
        let found = |text| match Network::from_ron(text) {
            Err(ReadError::Head { line, found }) => (line, found),
            other => panic!("{other:?}"),
        };
        assert_eq!(found("// a feeder\n\n(base_mva: 1)"), (3, "(".into()));
        assert_eq!(found("Scenario(base_mva: 1)"), (1, "Scenario".into()));
        assert_eq!(found(""), (1, String::new()));
        let quoted = "Network(base_mva: 1, buses: [(id: 9, kind: \"Slack\")], branches: [])";
        assert_eq!(Network::from_ron(quoted).unwrap().node(9), Some(NodeId(0)));
        let fine = "/* a /* nested */ one */ // and\n#![enable(implicit_some)]\nNetwork(base_mva: 1, buses: [(id: 9, kind: Slack)], branches: [])";
        assert_eq!(Network::from_ron(fine).unwrap().node(9), Some(NodeId(0)));
    }

    #[test]
    fn an_unknown_field_is_refused_at_its_place() {
        let error = with("(id: 1, kind: Slack), (id: 2, p_kW: 5)", "").unwrap_err();
        assert!(matches!(error, ReadError::Ron { line: 3, .. }), "{error}");
        assert!(error.to_string().contains("p_kW") && error.to_string().contains("p_kw"), "{error}");
    }

    #[test]
    fn contradictions_are_refused_with_their_line() {
        let line = |buses, branches| match with(buses, branches) {
            Err(ReadError::InvalidAt { line, source }) => (line, source),
            other => panic!("{other:?}"),
        };
        let twice = "(id: 1, kind: Slack),\n (id: 2),\n // a comment (id: 2)\n (id: 2, p_kw: 5)";
        assert_eq!(line(twice, ""), (6, NetworkError::DuplicateBus { id: 2 }));
        let (at, error) = line("(id: 1, kind: Slack),\n (v_pu: -1, id: 2)", "");
        assert!(at == 4 && matches!(error, NetworkError::Bus { id: 2, field: "v_pu", .. }));
        let negative = "\n\n(from: 1, to: 2, r_pu: 1, x_pu: 1, rate_kva: -3)";
        let (at, error) = line(TWO, negative);
        assert!(at == 6 && matches!(error, NetworkError::Branch { number: 1, field: "rate_kva", .. }));
        assert_eq!(line("\n(id: 2)", ""), (3, NetworkError::NoSlack));
        let absurd = "\u{feff}// a comment\nNetwork(\n base_mva:\n 1e300, buses: [(id: 1, kind: Slack)], branches: [])";
        let error = Network::from_ron(absurd).unwrap_err();
        assert_eq!(error, ReadError::InvalidAt { line: 4, source: NetworkError::PowerBase { value: 1e300 } });
    }
}
