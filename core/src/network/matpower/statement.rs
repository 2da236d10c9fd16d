//! Splits MATLAB text into statements, without comments, each with its line.

use crate::network::matpower_error::{At, MatpowerError};

/// Stands for a line break after `...`: blank, but it counts as a line.
pub(super) const CONTINUED: char = '\u{b}';

/// A statement as written, comments removed; line breaks inside brackets are kept.
#[derive(Debug, PartialEq)]
pub(super) struct Statement {
    /// Line of its first character, from 1.
    pub line: usize,
    pub text: String,
}

/// All statements that are not empty.
pub(super) fn statements(text: &str) -> Result<Vec<Statement>, At> {
    let mut splitter = Splitter { line: 1, start: 1, text: String::new(), open: Vec::new(), done: Vec::new() };
    // Lines of the block comments that are open.
    let mut comments = Vec::new();
    // Lines end with a line feed, as on Windows after a carriage return, or with a carriage return alone.
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', "\n");
    let mut lines = text.split('\n').peekable();
    while let Some(line) = lines.next() {
        match line.trim() {
            "%{" | "#{" => comments.push(splitter.line),
            "%}" | "#}" if !comments.is_empty() => _ = comments.pop(),
            _ if !comments.is_empty() => {}
            _ => splitter.line(line, lines.peek().is_some())?,
        }
        splitter.line += 1;
    }
    if let Some(line) = comments.first() {
        return Err(MatpowerError::UnclosedComment.at(*line));
    }
    if let Some((open, line)) = splitter.open.first() {
        return Err(MatpowerError::Unclosed { open: *open }.at(*line));
    }
    splitter.finish();
    Ok(splitter.done)
}

struct Splitter {
    line: usize,
    start: usize,
    text: String,
    open: Vec<(char, usize)>,
    done: Vec<Statement>,
}

impl Splitter {
    fn line(&mut self, line: &str, more: bool) -> Result<(), At> {
        let mut rest = line;
        while let Some(c) = rest.chars().next() {
            match c {
                '%' | '#' => break,
                '.' if rest.starts_with("...") => {
                    if more {
                        self.text.push(CONTINUED);
                    }
                    return Ok(());
                }
                '\'' if self.is_transpose() => {}
                '\'' | '"' => {
                    let end = string_end(rest, c).ok_or(MatpowerError::Unclosed { open: c }.at(self.line))?;
                    self.push(&rest[..end]);
                    rest = &rest[end..];
                    continue;
                }
                '[' | '{' | '(' => self.open.push((c, self.line)),
                ']' | '}' | ')' => {
                    let opening = match c {
                        ']' => '[',
                        '}' => '{',
                        _ => '(',
                    };
                    if self.open.pop().is_none_or(|(open, _)| open != opening) {
                        return Err(MatpowerError::Syntax {
                            expected: "a bracket that closes the last one opened",
                            found: c.into(),
                        }
                        .at(self.line));
                    }
                }
                ';' | ',' if self.open.is_empty() => {
                    self.finish();
                    rest = &rest[1..];
                    continue;
                }
                _ => {}
            }
            let width = c.len_utf8();
            self.push(&rest[..width]);
            rest = &rest[width..];
        }
        if self.open.is_empty() {
            self.finish();
        } else {
            self.text.push('\n');
        }
        Ok(())
    }

    /// Whether a single quote here turns what stands before it, rather than begins a string.
    fn is_transpose(&self) -> bool {
        let before = self.text.trim_end_matches([' ', '\t']);
        let closes = before.ends_with([']', ')', '}']);
        let touches = before.len() == self.text.len();
        // Inside brackets a blank in front of the quote separates two values.
        (closes && (touches || self.open.is_empty()))
            || (touches && before.ends_with(|c: char| c.is_alphanumeric() || "_.'".contains(c)))
    }

    fn push(&mut self, text: &str) {
        if self.text.is_empty() {
            if text.trim().is_empty() {
                return;
            }
            self.start = self.line;
        }
        self.text.push_str(text);
    }

    fn finish(&mut self) {
        let text = self.text.trim_end();
        if !text.is_empty() {
            self.done.push(Statement { line: self.start, text: text.to_owned() });
        }
        self.text.clear();
    }
}

/// Length of the string that `text` begins with; a doubled quote stands for one.
fn string_end(text: &str, quote: char) -> Option<usize> {
    let mut from = 1;
    loop {
        let close = from + text[from..].find(quote)?;
        if !text[close + 1..].starts_with(quote) {
            return Some(close + 1);
        }
        from = close + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_keep_their_lines_through_comments_strings_and_continuations() {
        let text =
            "function mpc = f % a; b\n%{\nhidden = 1;\n%}\nx = 'a;%''b'; y = [1 2 % one\n3 4];\n[A, ...\n B] = idx;z=1";
        let found = statements(text).unwrap();
        let expected = [
            (1, "function mpc = f"),
            (5, "x = 'a;%''b'"),
            (5, "y = [1 2 \n3 4]"),
            (7, "[A, \u{b} B] = idx"),
            (8, "z=1"),
        ];
        let found: Vec<_> = found.iter().map(|s| (s.line, s.text.as_str())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn octave_and_old_line_ends_are_read_too() {
        let text =
            "# one\r\n#{\r\nhidden = 1\r\n#}\r\nx = 1; # two\ry = {'a' 'b'}' ; z = [1 2].' ;w = ['a' ' %' 'b']'\n";
        let found = statements(text).unwrap();
        let found: Vec<_> = found.iter().map(|s| (s.line, s.text.as_str())).collect();
        assert_eq!(found, [(5, "x = 1"), (6, "y = {'a' 'b'}'"), (6, "z = [1 2].'"), (6, "w = ['a' ' %' 'b']'")]);
    }

    #[test]
    fn a_block_comment_that_swallows_the_rest_is_named() {
        let error = statements("a = 1;\n%{\nb = 2;\n%").unwrap_err();
        assert_eq!((error.line, error.error), (2, MatpowerError::UnclosedComment));
    }

    #[test]
    fn what_is_open_at_the_end_is_named_with_its_line() {
        let error = statements("a = 1;\nb = [1 2\n3").unwrap_err();
        assert_eq!((error.line, error.error), (2, MatpowerError::Unclosed { open: '[' }));
        assert_eq!(statements("a = 'x").unwrap_err().error, MatpowerError::Unclosed { open: '\'' });
        assert!(statements("a = (1]").is_err());
    }
}
