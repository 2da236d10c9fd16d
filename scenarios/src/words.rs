//! What RON's errors mean to somebody who writes a scenario: which field, what stands there, what was expected.
//!
//! Knows RON's errors and the places of a text, and nothing of scenarios.

use crate::fault::{Cause, did_you_mean};
use crate::outline::{Node, Step};
use coase_core::open::camel_case;
use ron::Error;
use std::ops::Range;

/// An error in the user's words.
pub(crate) struct Told {
    pub(crate) cause: Cause,
    /// A better place than RON's, where there is one.
    pub(crate) span: Option<Range<usize>>,
    pub(crate) hint: Option<String>,
}

/// Translates an error that RON reports at an offset of `text`; `tree` is the outline of the text.
pub(crate) fn told(error: Error, text: &str, at: usize, tree: Option<&Node>) -> Told {
    let error = typed(error);
    // RON may report the blank in front of a value.
    let rest = text.get(at..).unwrap_or_default();
    let at = at + rest.len() - rest.trim_start().len();
    // A name without its parentheses is reported behind it.
    let is_bare = matches!(error, Error::ExpectedStructLike | Error::ExpectedNamedStructLike(_));
    let last = text.get(..at).and_then(|before| before.chars().next_back()).filter(|c| is_bare && c.is_alphanumeric());
    let at = at - last.map_or(0, char::len_utf8);
    let way = tree.map_or_else(Vec::new, |tree| tree.way_to(at));
    let here = way.last().map(|(_, node)| *node);
    let found = here.map_or_else(|| word_at(text, at), |node| shortened(&text[node.span.clone()]));
    let plain = |cause| Told { cause, span: None, hint: None };
    let wrong = |expected: &str| {
        let (field, found) = (if way.is_empty() { field_before(text, at) } else { path(&way) }, found.clone());
        let cause = Cause::Field { field, found, expected: expected.to_owned() };
        Told { cause, span: here.map(|node| node.span.clone()), hint: None }
    };
    let quoted = found.strip_prefix('"').and_then(|f| f.strip_suffix('"')).filter(|f| !f.is_empty());
    let is_word = found.starts_with(char::is_alphabetic) && !found.contains(['(', '[', '{', ' ']);
    match error {
        Error::ExpectedInteger | Error::InvalidIntegerDigit { .. } => wrong("a whole number"),
        Error::IntegerOutOfBounds if found.starts_with('-') => wrong("a whole number of at least 0"),
        Error::IntegerOutOfBounds => wrong("a smaller whole number"),
        Error::ExpectedComma if text[..at].ends_with("None") && text[at..].starts_with('(') => {
            let hint =
                "`None` is the empty option of the format and takes no parentheses: write `\"none\"`, the id in quotes";
            Told { hint: Some(hint.to_owned()), ..plain(Cause::Ron(Error::ExpectedComma)) }
        }
        Error::ExpectedComma if found.parse::<f64>().is_ok() => wrong("a whole number"),
        Error::ExpectedComma | Error::ExpectedString if is_word => quotes(wrong("text in quotes"), &found),
        Error::ExpectedFloat | Error::FloatUnderscore | Error::UnderscoreAtBeginning => wrong("a number"),
        Error::ExpectedString => wrong("text in quotes"),
        Error::ExpectedBoolean => wrong("true or false"),
        Error::ExpectedChar => wrong("a character in single quotes, such as ';'"),
        Error::ExpectedArray => wrong("a list in brackets, [..]"),
        Error::ExpectedMap => wrong("a map, {\"key\": value}"),
        Error::ExpectedStructLike | Error::ExpectedNamedStructLike(_) if is_word => {
            let hint = format!("write `{found}(..)` with its fields, or `{found}()`");
            Told { hint: Some(hint), ..wrong("a name with its fields in parentheses") }
        }
        Error::ExpectedStructLike | Error::ExpectedNamedStructLike(_) | Error::ExpectedDifferentStructName { .. } => {
            wrong("fields in parentheses, (name: value, ..)")
        }
        Error::ExpectedIdentifier => {
            let hint = quoted.map(|id| format!("write `{}()` here", camel_case(id)));
            Told { hint, ..wrong("a name with its fields in parentheses, without quotes") }
        }
        Error::InvalidValueForType { expected, .. } => wrong(&expected),
        Error::SuggestRawIdentifier(found) | Error::InvalidIdentifier(found) => {
            let named = way.iter().rev().find_map(|(_, node)| node.name.clone());
            let of = named.unwrap_or_else(|| "a struct".to_owned());
            let before = text[..at.min(text.len())].trim_end().strip_suffix(',').unwrap_or_default();
            let is_decimal =
                before.ends_with(|c: char| c.is_ascii_digit()) && found.starts_with(|c: char| c.is_ascii_digit());
            let hint = is_decimal.then(|| "decimals have a point, as in 1.5".to_owned());
            let expected = "`name: value` in its parentheses".to_owned();
            Told {
                hint,
                ..plain(Cause::Field { field: format!("`{of}`"), found: format!("given `{found}`"), expected })
            }
        }
        Error::NoSuchEnumVariant { expected, found, outer } => {
            let name = path(&way);
            let field = if name == WHOLE { outer.unwrap_or(name) } else { name };
            // As it stands there: an id in quotes was read as a name.
            let (word, found) = match quoted {
                Some(word) => (word.to_owned(), format!("\"{word}\"")),
                None => (found.clone(), found),
            };
            let ids = || expected.iter().map(|name| (*name).to_owned()).chain(expected.iter().map(|name| kebab(name)));
            let hint = did_you_mean(&word, ids().collect::<Vec<_>>().iter().map(String::as_str));
            Told { hint, ..plain(Cause::Field { field, found, expected: one_of(expected) }) }
        }
        Error::NoSuchStructField { expected, found, outer } => {
            let hint = did_you_mean(&found, expected.iter().copied());
            let of = owner(&way).or(outer).unwrap_or_else(|| "this".to_owned());
            Told { hint, ..plain(Cause::NoField { of, field: found, fields: expected.join(", ") }) }
        }
        Error::MissingStructField { field, outer } => no_value(&way, outer, field.to_owned()),
        Error::DuplicateStructField { field, .. } => plain(Cause::Twice { kind: "field", name: field.to_owned() }),
        // Inside a plugin's parameters.
        Error::Message(words) if is_unknown("variant", &words) => {
            let (said, expected) = named(&words);
            let (word, found) = match quoted {
                Some(word) => (word.to_owned(), format!("\"{word}\"")),
                None => (said.clone(), said),
            };
            let ids: Vec<String> = expected.iter().map(|name| kebab(name)).collect();
            let hint = did_you_mean(&word, expected.iter().chain(&ids).map(String::as_str));
            let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
            Told { hint, ..plain(Cause::Field { field: path(&way), found, expected: one_of(&expected) }) }
        }
        Error::Message(words) if is_unknown("field", &words) => {
            let (field, expected) = named(&words);
            let hint = did_you_mean(&field, expected.iter().map(String::as_str));
            let of = owner(&way).unwrap_or_else(|| "this".to_owned());
            Told { hint, ..plain(Cause::NoField { of, field, fields: expected.join(", ") }) }
        }
        Error::Message(words) if words.starts_with("Expected ") && words.contains(" but found ") => {
            wrong(words["Expected ".len()..].split(" but found ").next().unwrap_or_default())
        }
        Error::ExceededRecursionLimit => plain(Cause::Syntax("brackets are nested too deeply")),
        Error::Eof => plain(Cause::Syntax("the file ends before all its brackets are closed")),
        Error::Message(words) => match BodyError::of(&words) {
            Some(BodyError::NoField { found, fields }) => {
                let hint = did_you_mean(&found, fields.iter().map(String::as_str));
                let of = owner(&way).unwrap_or_else(|| "this".to_owned());
                Told { hint, ..plain(Cause::NoField { of, field: found, fields: fields.join(", ") }) }
            }
            Some(BodyError::NoValue { field }) => no_value(&way, None, field),
            Some(BodyError::Twice { field }) => plain(Cause::Twice { kind: "field", name: field }),
            None => plain(Cause::Ron(Error::Message(words))),
        },
        other => plain(Cause::Ron(other)),
    }
}

/// A field that must be given is not there.
fn no_value(way: &[(Option<Step>, &Node)], outer: Option<String>, field: String) -> Told {
    let owner_node = way.iter().rev().find(|(_, node)| node.has_fields()).map(|(_, node)| *node);
    let of = owner(way).or(outer).unwrap_or_else(|| "this".to_owned());
    // The bracket of the whole struct would mark many lines: its first word will do.
    let span = owner_node.map(|node| node.span.start..node.span.start + node.name.as_ref().map_or(1, String::len));
    Told { cause: Cause::NoValue { of, field }, span, hint: None }
}

/// What is wrong inside a plugin's parameters, of which only serde's words are left.
enum BodyError {
    NoField { found: String, fields: Vec<String> },
    NoValue { field: String },
    Twice { field: String },
}

impl BodyError {
    /// Serde's words, or those of RON for the same error.
    fn of(words: &str) -> Option<Self> {
        let mut quoted = words.split('`').skip(1).step_by(2).map(str::to_owned);
        let begins = |ways: [&str; 2]| ways.iter().any(|way| words.starts_with(way));
        if begins(["unknown field `", "Unexpected field named `"]) {
            let known = words.split_once(", expected").map_or("", |(_, known)| known);
            let fields = known.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            Some(BodyError::NoField { found: quoted.next()?, fields })
        } else if begins(["missing field `", "Unexpected missing field named `"]) {
            Some(BodyError::NoValue { field: quoted.next()? })
        } else if begins(["duplicate field `", "Unexpected duplicate field named `"]) {
            Some(BodyError::Twice { field: quoted.next()? })
        } else {
            None
        }
    }
}

/// Inside a plugin's parameters only the words of an error are left; those of RON lead back to it.
fn typed(error: Error) -> Error {
    let Error::Message(words) = &error else { return error };
    let between = |before: &str, after: &str| words.strip_prefix(before)?.split(after).next().map(str::to_owned);
    if let Some(found) = between("Found invalid std identifier \"", "\"") {
        return Error::SuggestRawIdentifier(found);
    }
    let known = [
        Error::ExpectedInteger,
        Error::IntegerOutOfBounds,
        Error::ExpectedComma,
        Error::ExpectedFloat,
        Error::FloatUnderscore,
        Error::UnderscoreAtBeginning,
        Error::ExpectedString,
        Error::ExpectedBoolean,
        Error::ExpectedChar,
        Error::ExpectedArray,
        Error::ExpectedMap,
        Error::ExpectedStructLike,
        Error::ExpectedIdentifier,
        Error::ExceededRecursionLimit,
        Error::Eof,
    ];
    known.into_iter().find(|known| known.to_string() == *words).unwrap_or(error)
}

/// Whether an error says that nobody has a variant or field of this name.
fn is_unknown(what: &str, words: &str) -> bool {
    ["Unexpected", "Unexpected enum"].iter().any(|before| words.starts_with(&format!("{before} {what} named `")))
}

/// What was found, and what was expected, of an error that names them in backticks.
fn named(words: &str) -> (String, Vec<String>) {
    let quoted = |text: &str| text.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let (found, expected) = words.split_once(", ").unwrap_or((words, ""));
    (quoted(found).into_iter().next().unwrap_or_default(), quoted(expected))
}

/// `GridOnly` to `grid-only`.
fn kebab(name: &str) -> String {
    let mut id = String::new();
    for (k, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() && k > 0 {
            id.push('-');
        }
        id.push(letter.to_ascii_lowercase());
    }
    id
}

fn quotes(told: Told, word: &str) -> Told {
    Told { hint: Some(format!("write \"{word}\"")), ..told }
}

/// Stands for the name of a value that is no field.
const WHOLE: &str = "the value";

/// The way to a value as `--set` and sweeps write it.
fn path(way: &[(Option<Step>, &Node)]) -> String {
    let steps: Vec<String> = way.iter().filter_map(|(step, _)| step.as_ref().map(Step::to_string)).collect();
    // The last field, and what of a list it is.
    let from = steps.iter().rposition(|step| !step.starts_with(|c: char| c.is_ascii_digit())).unwrap_or(0);
    if steps.is_empty() { WHOLE.to_owned() } else { steps[from..].join(".") }
}

/// What the innermost fields belong to: the name of the struct, or the field that holds it.
fn owner(way: &[(Option<Step>, &Node)]) -> Option<String> {
    let k = way.iter().rposition(|(_, node)| node.has_fields())?;
    way[k].1.name.clone().or_else(|| (k > 0).then(|| path(&way[..=k])))
}

fn one_of(words: &[&str]) -> String {
    match words {
        [] => "nothing".to_owned(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// The word or number that begins before an offset and goes on after it.
fn word_at(text: &str, at: usize) -> String {
    let ends = |c: char| c.is_whitespace() || "()[]{},:".contains(c);
    let at = at.min(text.len());
    let start = text[..at].rfind(ends).map_or(0, |k| k + text[k..].chars().next().map_or(1, char::len_utf8));
    let end = text[at..].find(ends).map_or(text.len(), |k| at + k);
    if start < end { shortened(&text[start..end]) } else { shortened(&text[at..]) }
}

/// The field in front of an offset, in a text without an outline.
fn field_before(text: &str, at: usize) -> String {
    let before = text.get(..at).and_then(|before| before.trim_end().strip_suffix(':')).unwrap_or_default();
    let start = before.rfind(|c: char| !(c.is_alphanumeric() || c == '_')).map_or(0, |k| k + 1);
    let name = before.get(start..).unwrap_or_default();
    if name.is_empty() { WHOLE.to_owned() } else { name.to_owned() }
}

fn shortened(text: &str) -> String {
    const LONGEST: usize = 40;
    let line = text.lines().next().unwrap_or_default();
    let mut short: String = line.chars().take(LONGEST).collect();
    if short.len() < text.len() {
        short.push_str("..");
    }
    if short.is_empty() { "the end".to_owned() } else { short }
}

#[cfg(test)]
mod tests {
    use crate::spec::Scenario;
    use crate::text::Text;

    /// The message of a scenario that is wrong, with line and column.
    fn message(text: &str) -> String {
        Text::new("a.ron", "", text).parse::<Scenario>().unwrap_err().to_string()
    }

    #[test]
    fn the_field_that_is_wrong_is_named_with_its_place() {
        let text = "Scenario(\n  name: \"s\", periods: 2.0, currency: \"EUR\",\n  network: Some((source: \"a\")), participants: [])";
        assert_eq!(message(text), "a.ron:2:23: periods is 2.0, expected a whole number");
        assert_eq!(
            message(&text.replace("2.0", "-2")),
            "a.ron:2:23: periods is -2, expected a whole number of at least 0"
        );
        assert_eq!(message(&text.replace("2.0", "2")), "a.ron:1:1: `grid` is missing in Scenario");
        assert_eq!(
            message(&text.replace("2.0", "2").replace("source", "sauce")),
            "a.ron:3:18: network has no field `sauce`; it has source, load_scale, load_shape, v_min_pu, v_max_pu, branch_limit_kva (did you mean `source`?)"
        );
        assert_eq!(message("Scenario(name: [[[["), "a.ron:1:15: name is [[[[, expected text in quotes");
    }
}
