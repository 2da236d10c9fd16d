//! RON in which a name may stand in quotes: `weights: "Exponential"`, `kind: "Slack"`, `inner: "grid-only"`.
//!
//! RON wants names without quotes, and says so where it meets one in quotes. Dicts and JSON have no other way to write a name,
//! so the quotes are taken away there and the text is read again; every place in it stays where it is. Knows RON and no types.

use crate::open::camel_case;
use ron::error::{Position, SpannedError};
use ron::{Error, Options};
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

/// Reads a text, names in quotes included. What begins with a small letter is an id, whose name is in CamelCase.
///
/// # Errors
/// RON's own, with its place in the text as written.
pub fn from_str<T: DeserializeOwned>(options: &Options, text: &str) -> Result<T, SpannedError> {
    let mut read = Cow::Borrowed(text);
    // Places that are text after all.
    let mut texts = BTreeSet::new();
    loop {
        let error = match options.from_str(&read) {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let at = byte(&read, error.span.start);
        let at = at + read[at..].len() - read[at..].trim_start().len();
        if is(&error.code, &Error::ExpectedIdentifier) {
            let Some(found) = quoted(&read, at).filter(|place| !texts.contains(&place.start)) else {
                return Err(error);
            };
            let mut out = read.into_owned();
            for place in alike(&out, &found) {
                if !texts.contains(&place.start) {
                    let name = name(&out[place.start + 1..place.end - 1]);
                    out.replace_range(place.clone(), &format!("{name:width$}", width = place.len()));
                }
            }
            read = Cow::Owned(out);
        } else if is(&error.code, &Error::ExpectedString) && quoted(text, at).is_some() && texts.insert(at) {
            let mut out = read.into_owned();
            let place = quoted(text, at).unwrap_or(at..at);
            out.replace_range(place.clone(), &text[place]);
            read = Cow::Owned(out);
        } else {
            return Err(error);
        }
    }
}

/// Inside a plugin's parameters only the words of an error are left.
fn is(error: &Error, wanted: &Error) -> bool {
    error == wanted || matches!(error, Error::Message(words) if *words == wanted.to_string())
}

/// `grid-only` to `GridOnly()`, which is no longer than the id in quotes; `Exponential` to itself.
fn name(word: &str) -> String {
    if word.starts_with(|c: char| c.is_ascii_lowercase()) { camel_case(word) + "()" } else { word.to_owned() }
}

/// The name in quotes that begins at an offset, quotes included; not the key of a map.
fn quoted(text: &str, at: usize) -> Option<Range<usize>> {
    let inner = text.get(at..)?.strip_prefix('"')?;
    let length = inner.find('"')?;
    let is_name = inner[..length].starts_with(|c: char| c.is_ascii_alphabetic())
        && inner[..length].chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    let is_key = inner[length + 1..].trim_start().starts_with(':');
    (is_name && !is_key).then_some(at..at + length + 2)
}

/// The place, and all others where the same field has the same value: a file may hold thousands.
fn alike(text: &str, found: &Range<usize>) -> Vec<Range<usize>> {
    let before = text[..found.start].trim_end();
    let Some(field) = before.strip_suffix(':').map(str::trim_end) else { return vec![found.clone()] };
    let start = field.rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).map_or(0, |k| k + 1);
    let (field, value) = (&field[start..], &text[found.clone()]);
    let is_of_field = |at: usize| {
        let before = text[..at].trim_end().strip_suffix(':').map(str::trim_end);
        before
            .and_then(|before| before.strip_suffix(field))
            .is_some_and(|rest| !rest.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_'))
    };
    let all = text.match_indices(value).filter(|(at, _)| is_of_field(*at));
    all.map(|(at, _)| at..at + value.len()).collect()
}

/// Offset of a position that RON counts in lines and characters from 1.
fn byte(text: &str, position: Position) -> usize {
    let before = position.line.saturating_sub(1);
    let start = if before == 0 { 0 } else { text.match_indices('\n').nth(before - 1).map_or(text.len(), |m| m.0 + 1) };
    text[start..].char_indices().nth(position.col.saturating_sub(1)).map_or(text.len(), |c| start + c.0)
}

#[cfg(test)]
mod tests {
    use super::from_str;
    use ron::Options;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Deserialize)]
    enum Kind {
        Slack,
        Pq,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Bus {
        name: String,
        kind: Kind,
    }

    fn read(text: &str) -> Result<Vec<Bus>, String> {
        from_str(&Options::default(), text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_name_in_quotes_is_the_name() {
        let bus = |name: &str, kind| Bus { name: name.into(), kind };
        let text = r#"[(name: "Slack", kind: "Slack"), (name: "a \"b\"", kind: Pq), (kind:"Pq", name: "kind")]"#;
        assert_eq!(read(text), Ok(vec![bus("Slack", Kind::Slack), bus("a \"b\"", Kind::Pq), bus("kind", Kind::Pq)]));
    }

    #[test]
    fn a_text_with_the_words_of_a_name_stays_a_text() {
        #[derive(Debug, PartialEq, Deserialize)]
        enum Either {
            Name { kind: Kind },
            Text { kind: String },
        }
        let text = r#"[Name(kind: "Pq"), Text(kind: "Pq"), Name(kind: "Slack")]"#;
        let read: Vec<Either> = from_str(&Options::default(), text).unwrap();
        assert_eq!(read[1], Either::Text { kind: "Pq".into() });
        assert_eq!(read[2], Either::Name { kind: Kind::Slack });
    }

    #[test]
    fn what_is_no_name_is_an_error_at_its_place() {
        let error = |text: &str| read(text).unwrap_err();
        assert!(
            error(r#"[(name: "a", kind: "no name")]"#).starts_with("1:20"),
            "{}",
            error(r#"[(name: "a", kind: "no name")]"#)
        );
        assert!(error(r#"[(name: "ä", kind: "Pv")]"#).contains("Pv"));
        assert!(error(r#"[("name": "a")]"#).starts_with("1:3"));
    }

    #[test]
    fn thousands_of_names_are_read_in_one_go() {
        let text = format!("[{}]", r#"(name: "a", kind: "Pq"),"#.repeat(20_000));
        assert_eq!(read(&text).unwrap().len(), 20_000);
    }
}
