//! Splits MATLAB text into statements, without comments, each with its line.

use super::error::{At, MatpowerError};

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
    let mut block_comment = 0_usize;
    let mut lines = text.trim_start_matches('\u{feff}').split('\n').peekable();
    while let Some(line) = lines.next() {
        match line.trim() {
            "%{" => block_comment += 1,
            "%}" if block_comment > 0 => block_comment -= 1,
            _ if block_comment > 0 => {}
            _ => splitter.line(line, lines.peek().is_some())?,
        }
        splitter.line += 1;
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
        let mut rest = line.trim_end_matches('\r');
        while let Some(c) = rest.chars().next() {
            match c {
                '%' => break,
                '.' if rest.starts_with("...") => {
                    if more {
                        self.text.push(CONTINUED);
                    }
                    return Ok(());
                }
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
    fn what_is_open_at_the_end_is_named_with_its_line() {
        let error = statements("a = 1;\nb = [1 2\n3").unwrap_err();
        assert_eq!((error.line, error.error), (2, MatpowerError::Unclosed { open: '[' }));
        assert_eq!(statements("a = 'x").unwrap_err().error, MatpowerError::Unclosed { open: '\'' });
        assert!(statements("a = (1]").is_err());
    }
}
