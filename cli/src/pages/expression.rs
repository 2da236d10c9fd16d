//! Arithmetic over figures of runs: `base.emissions_kg[grid-only, retail + tax] - base.emissions_kg[grid-only, retail]`.
//!
//! ```text
//! sum    = product { ("+" | "-") product }
//! product = factor { ("*" | "/") factor }
//! factor = number | "-" factor | "(" sum ")" | "abs(" sum ")" | reference
//! reference = run "." column { "." column } "[" label { "," label } "]"
//! ```

/// A figure of a run: of the table `runs`, or of the table named before the column.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    pub run: String,
    /// Table and column; `runs` where no table is named.
    pub table: String,
    pub column: String,
    /// Mechanism, policy, then what else tells rows apart: a swept value, or a participant.
    pub labels: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    Number(f64),
    Figure(Reference),
    Absolute(Box<Expression>),
    Apply(Operator, Box<[Expression; 2]>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
}

impl Expression {
    /// Reads a whole text.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut reader = Reader { rest: text.trim() };
        let found = reader.sum()?;
        if reader.rest.is_empty() { Ok(found) } else { Err(format!("`{}` was not expected", reader.rest)) }
    }

    /// The value, with figures looked up.
    pub fn value(&self, look_up: &dyn Fn(&Reference) -> Result<f64, String>) -> Result<f64, String> {
        Ok(match self {
            Expression::Number(x) => *x,
            Expression::Figure(reference) => look_up(reference)?,
            Expression::Absolute(inner) => inner.value(look_up)?.abs(),
            Expression::Apply(operator, sides) => {
                let (a, b) = (sides[0].value(look_up)?, sides[1].value(look_up)?);
                match operator {
                    Operator::Add => a + b,
                    Operator::Subtract => a - b,
                    Operator::Multiply => a * b,
                    Operator::Divide if b == 0.0 => return Err("division by zero".to_owned()),
                    Operator::Divide => a / b,
                }
            }
        })
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn takes(&mut self, word: &str) -> bool {
        match self.rest.strip_prefix(word) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn expects(&mut self, word: &str) -> Result<(), String> {
        if self.takes(word) { Ok(()) } else { Err(format!("`{word}` is missing before `{}`", self.rest)) }
    }

    fn sum(&mut self) -> Result<Expression, String> {
        let mut left = self.product()?;
        loop {
            let operator = match () {
                () if self.takes("+") => Operator::Add,
                () if self.takes("-") => Operator::Subtract,
                () => return Ok(left),
            };
            left = Expression::Apply(operator, Box::new([left, self.product()?]));
        }
    }

    fn product(&mut self) -> Result<Expression, String> {
        let mut left = self.factor()?;
        loop {
            let operator = match () {
                () if self.takes("*") => Operator::Multiply,
                () if self.takes("/") => Operator::Divide,
                () => return Ok(left),
            };
            left = Expression::Apply(operator, Box::new([left, self.factor()?]));
        }
    }

    fn factor(&mut self) -> Result<Expression, String> {
        if self.takes("abs(") {
            let inner = self.sum()?;
            self.expects(")")?;
            return Ok(Expression::Absolute(Box::new(inner)));
        }
        if self.takes("(") {
            let inner = self.sum()?;
            self.expects(")")?;
            return Ok(inner);
        }
        if self.takes("-") {
            let zero = Expression::Number(0.0);
            return Ok(Expression::Apply(Operator::Subtract, Box::new([zero, self.factor()?])));
        }
        if self.rest.starts_with(|c: char| c.is_ascii_digit()) {
            let end = self.rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(self.rest.len());
            let (digits, rest) = self.rest.split_at(end);
            self.rest = rest.trim_start();
            return digits.parse().map(Expression::Number).map_err(|_| format!("`{digits}` is no number"));
        }
        self.reference()
    }

    fn reference(&mut self) -> Result<Expression, String> {
        let (path, rest) = self.rest.split_once('[').ok_or_else(|| format!("`{}` is no figure of a run", self.rest))?;
        let (labels, rest) = rest.split_once(']').ok_or_else(|| format!("`]` is missing after `{rest}`"))?;
        let words: Vec<&str> = path.split('.').map(str::trim).collect();
        let [run, table, column] = match words[..] {
            [run, column] => [run, "runs", column],
            [run, table, column] => [run, table, column],
            _ => return Err(format!("`{path}` is not `run.column` or `run.table.column`")),
        };
        if [run, table, column].iter().any(|w| w.is_empty() || w.contains(char::is_whitespace)) {
            return Err(format!("`{path}` is not `run.column` or `run.table.column`"));
        }
        self.rest = rest.trim_start();
        Ok(Expression::Figure(Reference {
            run: run.to_owned(),
            table: table.to_owned(),
            column: column.to_owned(),
            labels: labels.split(',').map(|label| label.trim().to_owned()).collect(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::{Expression, Reference};

    fn value(text: &str) -> Result<f64, String> {
        Expression::read(text)?.value(&|r: &Reference| match (&*r.run, &*r.column) {
            ("a", "cost") => Ok(10.0 * r.labels.len() as f64),
            _ => Err(format!("unknown: {}", r.column)),
        })
    }

    #[test]
    fn arithmetic_binds_as_usual() {
        for (text, expected) in [
            ("1 + 2 * 3", 7.0),
            ("(1 + 2) * 3 - 4 / 2", 7.0),
            ("8 - 2 - 1", 5.0),
            ("-2 + 3", 1.0),
            ("abs(2 - 5)", 3.0),
            ("a.cost[m, retail + tax] - a.cost[m]", 10.0),
            ("1 - a.cost[m] / a.cost[m, p]", 0.5),
        ] {
            assert_eq!(value(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_table_may_be_named() {
        let Ok(Expression::Figure(found)) = Expression::read("a.participants.carbon_cost[m, p, vpp1]") else {
            panic!()
        };
        assert_eq!((&*found.table, &*found.column, found.labels.len()), ("participants", "carbon_cost", 3));
    }

    #[test]
    fn what_makes_no_sense_is_an_error() {
        for text in
            ["", "1 +", "a", "a.cost", "a.cost[m", "a.b.c.d[m]", "1 2", "(1", "1 / 0", "a.other[m]", "a b.cost[m]"]
        {
            assert!(value(text).is_err(), "{text}");
        }
    }
}
