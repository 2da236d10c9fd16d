//! Numbers, arithmetic and tables of MATLAB text.

use super::statement::CONTINUED;
use crate::network::matpower_error::{At, MatpowerError};

/// A row of a table and its line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub line: usize,
    pub cells: Vec<f64>,
}

/// Reads the rows of `[ ... ]`, which begins at `line`.
pub(super) fn table(text: &str, line: usize) -> Result<Vec<Row>, At> {
    let inside = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
    let inside = inside.ok_or_else(|| syntax("a table in `[ ]`", text).at(line))?;
    let mut reader = Reader { rest: inside, line, spaced: true, depth: 0 };
    let mut rows = Vec::new();
    let mut row = Row { line, cells: Vec::new() };
    // Two commas, or one at the beginning of a row, leave a cell out.
    let mut after_value = false;
    loop {
        reader.skip_blanks();
        match reader.peek() {
            None | Some(';' | '\n') => {
                if !row.cells.is_empty() {
                    rows.push(std::mem::replace(&mut row, Row { line, cells: Vec::new() }));
                }
                if reader.peek().is_none() {
                    return Ok(rows);
                }
                reader.bump();
                after_value = false;
            }
            Some(',') if after_value => {
                reader.bump();
                after_value = false;
            }
            Some(_) => {
                if row.cells.is_empty() {
                    row.line = reader.line;
                }
                let value = reader.sum()?;
                row.cells.push(value);
                after_value = true;
            }
        }
    }
}

/// Rows for columns and columns for rows; every row then begins where the table did.
pub(super) fn transposed(rows: &[Row], line: usize) -> Vec<Row> {
    let width = rows.first().map_or(0, |row| row.cells.len());
    (0..width).map(|k| Row { line, cells: rows.iter().map(|row| row.cells[k]).collect() }).collect()
}

/// Reads a number or arithmetic that fills the whole text.
pub(super) fn number(text: &str, line: usize) -> Result<f64, At> {
    let mut reader = Reader { rest: text.trim(), line, spaced: false, depth: 0 };
    let value = reader.sum()?;
    reader.skip_blanks();
    if reader.rest.is_empty() { Ok(value) } else { Err(syntax("the end of the number", reader.rest).at(reader.line)) }
}

fn syntax(expected: &'static str, found: &str) -> MatpowerError {
    MatpowerError::Syntax { expected, found: shown(found.split_whitespace().next().unwrap_or("the end"), 30) }
}

/// The beginning of a text, without control characters.
pub(super) fn shown(text: &str, longest: usize) -> String {
    let mut shown = String::new();
    for c in text.chars().take(longest) {
        if c.is_control() { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    if text.chars().nth(longest).is_some() {
        shown.push_str("..");
    }
    shown
}

/// Parentheses within parentheses beyond which nothing is read.
const DEEPEST: usize = 64;

struct Reader<'a> {
    rest: &'a str,
    line: usize,
    /// Whether blanks separate values, so that `1 -2` are two and `1 - 2` is one.
    spaced: bool,
    /// Open parentheses.
    depth: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn bump(&mut self) {
        if let Some(c) = self.peek() {
            if c == '\n' || c == CONTINUED {
                self.line += 1;
            }
            self.rest = &self.rest[c.len_utf8()..];
        }
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\r' | CONTINUED | '\u{a0}'))
            || (!self.spaced && self.peek() == Some('\n'))
        {
            self.bump();
        }
    }

    /// Takes the next operator if it is one of `which` and joins, rather than separates, values.
    fn operator(&mut self, which: [char; 2]) -> Option<char> {
        let after = self.rest.trim_start_matches([' ', '\t', CONTINUED]);
        let found = after.chars().next().filter(|c| which.contains(c))?;
        let blank_before = after.len() < self.rest.len();
        let blank_after = after[1..].starts_with([' ', '\t', CONTINUED]);
        if self.spaced && blank_before && !blank_after && matches!(found, '+' | '-') {
            return None;
        }
        self.skip_blanks();
        self.bump();
        Some(found)
    }

    fn sum(&mut self) -> Result<f64, At> {
        let mut value = self.product()?;
        while let Some(sign) = self.operator(['+', '-']) {
            let term = self.product()?;
            value = if sign == '+' { value + term } else { value - term };
        }
        Ok(value)
    }

    fn product(&mut self) -> Result<f64, At> {
        let mut value = self.signed()?;
        while let Some(sign) = self.operator(['*', '/']) {
            let factor = self.signed()?;
            value = if sign == '*' { value * factor } else { value / factor };
        }
        Ok(value)
    }

    /// A sign binds looser than a power: −2² is −4.
    fn signed(&mut self) -> Result<f64, At> {
        let negative = self.signs();
        // Powers join from the left, and their exponent may have a sign.
        let mut value = self.primary()?;
        while self.operator(['^', '^']).is_some() {
            let negative = self.signs();
            let exponent = self.primary()?;
            value = value.powf(if negative { -exponent } else { exponent });
        }
        Ok(if negative { -value } else { value })
    }

    /// Takes any signs, and says whether they come to a minus.
    fn signs(&mut self) -> bool {
        let mut negative = false;
        loop {
            self.skip_blanks();
            match self.peek() {
                Some('-') => negative = !negative,
                Some('+') => {}
                _ => return negative,
            }
            self.bump();
        }
    }

    fn primary(&mut self) -> Result<f64, At> {
        self.skip_blanks();
        match self.peek() {
            Some('(') => self.in_parentheses(),
            Some(c) if c.is_ascii_digit() || c == '.' => {
                let length = number_length(self.rest);
                let (digits, rest) = self.rest.split_at(length);
                // Fortran's exponents begin with a D.
                let value = digits.replace(['d', 'D'], "e");
                let value = value.parse().map_err(|_| syntax("a number", self.rest).at(self.line))?;
                self.rest = rest;
                if self.peek().is_some_and(|c| c.is_alphanumeric() || c == '.' || c == '_') {
                    return Err(syntax("a blank after the number", self.rest).at(self.line));
                }
                Ok(value)
            }
            Some(c) if c.is_ascii_alphabetic() => {
                let length = self.rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                let (name, rest) = self.rest.split_at(length.unwrap_or(self.rest.len()));
                let function: fn(f64) -> f64 = match name {
                    "Inf" | "inf" => |_| f64::INFINITY,
                    "NaN" | "nan" => |_| f64::NAN,
                    "pi" => |_| std::f64::consts::PI,
                    "sqrt" => f64::sqrt,
                    "sin" => f64::sin,
                    "cos" => f64::cos,
                    "tan" => f64::tan,
                    "asin" => f64::asin,
                    "acos" => f64::acos,
                    "atan" => f64::atan,
                    "exp" => f64::exp,
                    "log" => f64::ln,
                    "abs" => f64::abs,
                    _ => return Err(syntax("a number", self.rest).at(self.line)),
                };
                self.rest = rest;
                let constant = matches!(name, "Inf" | "inf" | "NaN" | "nan" | "pi");
                let argument = if constant { 0.0 } else { self.in_parentheses()? };
                Ok(function(argument))
            }
            _ => Err(syntax("a number", self.rest).at(self.line)),
        }
    }

    fn in_parentheses(&mut self) -> Result<f64, At> {
        if self.peek() != Some('(') {
            return Err(syntax("`(`", self.rest).at(self.line));
        }
        self.bump();
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(MatpowerError::TooDeep { deepest: DEEPEST }.at(self.line));
        }
        let spaced = std::mem::replace(&mut self.spaced, false);
        let value = self.sum()?;
        self.depth -= 1;
        self.skip_blanks();
        if self.peek() != Some(')') {
            return Err(syntax("`)`", self.rest).at(self.line));
        }
        self.bump();
        self.spaced = spaced;
        Ok(value)
    }
}

/// Length of the digits, point and exponent that `text` begins with.
fn number_length(text: &str) -> usize {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mut length = digits(text);
    if text[length..].starts_with('.') {
        length += 1 + digits(&text[length + 1..]);
    }
    if text[length..].starts_with(['e', 'E', 'd', 'D']) {
        let sign = usize::from(text[length + 1..].starts_with(['+', '-']));
        let exponent = digits(&text[length + 1 + sign..]);
        if exponent > 0 {
            length += 1 + sign + exponent;
        }
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str) -> Vec<Vec<f64>> {
        table(text, 1).unwrap().into_iter().map(|row| row.cells).collect()
    }

    #[test]
    fn rows_end_at_semicolons_and_line_breaks_and_keep_their_line() {
        let rows = table("[ \n1\t2 ;\n\n3, 4;5 6\n]", 10).unwrap();
        let expected = [(11, [1.0, 2.0]), (13, [3.0, 4.0]), (13, [5.0, 6.0])];
        assert_eq!(rows, expected.map(|(line, cells)| Row { line, cells: cells.to_vec() }));
        assert!(table("[ \n ]", 1).unwrap().is_empty());
    }

    #[test]
    fn blanks_separate_and_operators_join() {
        assert_eq!(cells("[1 -2]"), [[1.0, -2.0]]);
        assert_eq!(cells("[1 - 2]"), [[-1.0]]);
        assert_eq!(cells("[1-2 3+4]"), [[-1.0, 7.0]]);
        assert_eq!(cells("[6 /3 2 * 5 -Inf +Inf]"), [[2.0, 10.0, f64::NEG_INFINITY, f64::INFINITY]]);
        assert_eq!(cells("[135/sqrt(3) 50/3 (1 -2)]"), [[135.0 / 3.0_f64.sqrt(), 50.0 / 3.0, -1.0]]);
        assert_eq!(
            cells("[-2^2 2^-1 2^3^2 4.43E-05 .5 1. pi]"),
            [[-4.0, 0.5, 64.0, 4.43e-5, 0.5, 1.0, std::f64::consts::PI]]
        );
        assert!(cells("[NaN]")[0][0].is_nan());
    }

    #[test]
    fn brackets_and_signs_without_end_are_no_danger() {
        let error = table(&format!("[\n{}1]", "(".repeat(50_000)), 1).unwrap_err();
        assert_eq!((error.line, error.error), (2, MatpowerError::TooDeep { deepest: DEEPEST }));
        assert_eq!(cells(&format!("[{}1]", "-".repeat(50_001))), [[-1.0]]);
        assert_eq!(cells("[1 --2]"), [[1.0, 2.0]]);
    }

    #[test]
    fn exponents_may_be_fortrans() {
        assert_eq!(cells("[1.5D+02 2d-1 3D0 .5d1]"), [[150.0, 0.2, 3.0, 5.0]]);
        assert!(number("1d", 1).is_err());
    }

    #[test]
    fn a_cell_left_out_between_commas_is_refused() {
        assert_eq!(cells("[1, 2,; 3, 4]"), [[1.0, 2.0], [3.0, 4.0]]);
        assert_eq!(table("[1,\n2,,3]", 1).unwrap_err().line, 2);
        assert!(table("[,1]", 1).is_err());
    }

    #[test]
    fn a_table_can_be_turned() {
        let turned = transposed(&table("[1 2 3; 4 5 6]", 7).unwrap(), 7);
        assert_eq!(turned[2], Row { line: 7, cells: vec![3.0, 6.0] });
        assert!(transposed(&[], 1).is_empty());
    }

    #[test]
    fn what_is_not_a_number_is_named_with_its_line() {
        for (text, found) in [("[1\n2 x3]", "x3"), ("[1\n1.2.3]", ".3"), ("[1\n2 'a']", "'a'"), ("[1\n2e]", "e")] {
            let error = table(text, 4).unwrap_err();
            assert_eq!(error.line, 5, "{text}");
            assert!(matches!(&error.error, MatpowerError::Syntax { found: f, .. } if f == found), "{:?}", error.error);
        }
        assert!(number("1 2", 1).is_err());
        assert!(number("sqrt 2", 1).is_err());
    }
}
