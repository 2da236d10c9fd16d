//! `Some((a: 1))` and `(a: 1)` are the same value of an optional field.
//!
//! RON, once told that newtype variants need no brackets of their own (`Pv(p_max_kw: 5)`), takes the brackets of `Some((..))`
//! for those of the struct and then wants `Some(a: 1)`. Knows strings, comments and brackets, and no types.

use std::borrow::Cow;
use std::ops::Range;

/// The text with blanks for the `Some(` and `)` around a bracket; every place stays where it is.
pub(crate) fn without_some(text: &str) -> Cow<'_, str> {
    let mut blanked = wrappers(text);
    if blanked.is_empty() {
        return Cow::Borrowed(text);
    }
    // From the end, so that places in front stay: a blank may be shorter than what it stands for.
    blanked.sort_by_key(|range| std::cmp::Reverse(range.start));
    let mut out = text.to_owned();
    for range in blanked {
        let blanks: String = text[range.clone()].chars().map(|c| if c == '\n' { c } else { ' ' }).collect();
        out.replace_range(range, &blanks);
    }
    Cow::Owned(out)
}

/// An open bracket.
struct Open {
    /// Where the `Some` in front of it begins, if it wraps a bracket.
    some: Option<usize>,
    /// Where the bracket that it wraps has ended.
    inner_end: Option<usize>,
}

/// What stands around the bracket in every `Some((..))`.
fn wrappers(text: &str) -> Vec<Range<usize>> {
    let mut found = vec![];
    let mut open: Vec<Open> = vec![];
    let mut at = 0;
    // Where the last `Some` began, while nothing but its bracket has followed.
    let mut some = None;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        match first {
            '(' => {
                let inside = rest[1..].trim_start();
                open.push(Open { some: some.take().filter(|_| inside.starts_with('(')), inner_end: None });
                if let Some(Open { some: Some(begin), .. }) = open.last() {
                    found.push(*begin..at + rest.len() - inside.len());
                }
                at += 1;
            }
            ')' => {
                at += 1;
                if let Some(Open { some: Some(_), inner_end: Some(end) }) = open.pop() {
                    found.push(end..at);
                } else if let Some(outer) = open.last_mut() {
                    outer.inner_end = Some(at);
                }
            }
            _ => {
                let length = token(rest);
                some = if &rest[..length] == "Some" { Some(at) } else { some.filter(|_| first.is_whitespace()) };
                at += length;
            }
        }
    }
    found
}

/// Length of the word, string, comment or single character that a text begins with; never 0, and what is not closed goes on
/// to the end.
fn token(text: &str) -> usize {
    let until = |from: usize, end: &str| text[from..].find(end).map_or(text.len(), |k| from + k + end.len());
    let word = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    match text.as_bytes() {
        [b'r', b'"' | b'#', ..] => {
            let hashes = text[1..].bytes().take_while(|b| *b == b'#').count();
            if text.as_bytes().get(1 + hashes) == Some(&b'"') {
                until(2 + hashes, &format!("\"{}", "#".repeat(hashes)))
            } else {
                1
            }
        }
        [b'/', b'/', ..] => until(2, "\n"),
        [b'/', b'*', ..] => until(2, "*/"),
        [b'"', ..] => {
            let mut escaped = false;
            let closing = |c: char| {
                let ends = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                ends
            };
            text[1..].find(closing).map_or(text.len(), |k| k + 2)
        }
        _ if word > 0 => word,
        _ => text.chars().next().map_or(1, char::len_utf8),
    }
}

#[cfg(test)]
mod tests {
    use super::without_some;
    use proptest::prelude::*;

    #[test]
    fn the_brackets_of_some_give_way_to_those_they_wrap() {
        for (text, expected) in [
            ("a: Some((b: 1))", "a:      (b: 1) "),
            ("Some( (b: 1), ), c", "      (b: 1)   , c"),
            ("Some((b: Some((1, 2))))", "     (b:      (1, 2) ) "),
            ("Some((1) /* ä */), Some((2))", "     (1)         ,      (2) "),
            ("Some\n(\n((1)))", "    \n \n((1)) "),
        ] {
            assert_eq!(without_some(text), expected);
        }
    }

    #[test]
    fn everything_else_stays() {
        for text in [
            "Some(3)",
            "Some(b: 1)",
            "Some(\"((\")",
            "\"Some((1))\"",
            "r#\"Some((\"1\"))\"#",
            "// Some((1))\n(2)",
            "/* Some((1)) */ (2)",
            "Awesome((1))",
            "Some: ((1))",
            "\"\\\"Some((1))\"",
        ] {
            assert_eq!(without_some(text), text);
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_it_and_every_line_keeps_its_length(text in "([(),:\"/*# \\\\rn\nä]|Some){0,40}") {
            let out = without_some(&text);
            let lengths = |t: &str| t.lines().map(|l| l.chars().count()).collect::<Vec<_>>();
            prop_assert_eq!(lengths(&out), lengths(&text));
        }
    }
}
