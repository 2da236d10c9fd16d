//! Arithmetic over figures of runs: `base.emissions_kg[grid-only, retail + tax] - base.emissions_kg[grid-only, retail]`.
//!
//! ```text
//! sum    = product { ("+" | "-") product }
//! product = factor { ("*" | "/") factor }
//! factor = number | "-" factor | "(" sum ")" | "abs(" sum ")" | over "(" sum ")" | reference
//! over   = "mean" | "low" | "high" | "draws" | "below"
//! reference = run "." column { "." column } "[" label { "," label } "]"
//! ```
//!
//! `mean`, `low` and `high` are the mean over the draws of an experiment and the ends of its 95 % bootstrap interval; the sum
//! is worked out within every draw, and a draw at which one of its runs has no answer is left out. `draws` counts those that
//! are left, `below` those at which the sum is less than 0.

use coase_core::statistics::against::{Against, Difference, Order};
use coase_core::statistics::ranks::Better;

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
    OverDraws(Over, Box<Expression>),
    Apply(Operator, Box<[Expression; 2]>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// What is taken of a sum over the draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    Mean,
    Low,
    High,
    Draws,
    Below,
}

impl Over {
    const ALL: [(&'static str, Over); 5] = [
        ("mean(", Over::Mean),
        ("low(", Over::Low),
        ("high(", Over::High),
        ("draws(", Over::Draws),
        ("below(", Over::Below),
    ];

    fn of(self, found: &Difference) -> Result<f64, String> {
        let interval = || found.interval().ok_or_else(|| "one draw has no interval".to_owned());
        Ok(match self {
            Over::Mean => found.mean,
            Over::Low => interval()?.0,
            Over::High => interval()?.1,
            Over::Draws => found.n as f64,
            Over::Below => found.tally.wins as f64,
        })
    }
}

/// Why a figure is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// There is no such figure.
    Unknown(String),
    /// The run ended without an answer.
    NoAnswer(String),
}

impl Missing {
    fn why(self) -> String {
        match self {
            Missing::Unknown(why) | Missing::NoAnswer(why) => why,
        }
    }
}

/// Where figures are looked up.
pub trait Figures {
    /// A figure of a run, of one seed where one is told.
    fn figure(&self, reference: &Reference, seed: Option<u64>) -> Result<f64, Missing>;

    /// The seeds of an experiment and how they hang together.
    fn seeds(&self, run: &str) -> Result<(Vec<u64>, Order), String>;
}

impl Expression {
    /// Reads a whole text.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut reader = Reader { rest: text.trim() };
        let found = reader.sum()?;
        if reader.rest.is_empty() { Ok(found) } else { Err(format!("`{}` was not expected", reader.rest)) }
    }

    /// The value, with figures looked up.
    pub fn value(&self, figures: &dyn Figures) -> Result<f64, String> {
        self.at(figures, None).map_err(Missing::why)
    }

    fn at(&self, figures: &dyn Figures, seed: Option<u64>) -> Result<f64, Missing> {
        Ok(match self {
            Expression::Number(x) => *x,
            Expression::Figure(reference) => figures.figure(reference, seed)?,
            Expression::Absolute(inner) => inner.at(figures, seed)?.abs(),
            Expression::OverDraws(over, inner) => {
                let found = inner.over_draws(figures).map_err(Missing::Unknown)?;
                over.of(&found).map_err(Missing::Unknown)?
            }
            Expression::Apply(operator, sides) => {
                let (a, b) = (sides[0].at(figures, seed)?, sides[1].at(figures, seed)?);
                match operator {
                    Operator::Add => a + b,
                    Operator::Subtract => a - b,
                    Operator::Multiply => a * b,
                    Operator::Divide if b == 0.0 => return Err(Missing::Unknown("division by zero".to_owned())),
                    Operator::Divide => a / b,
                }
            }
        })
    }

    /// The sum at every draw at which all its runs have an answer.
    pub fn over_draws(&self, figures: &dyn Figures) -> Result<Difference, String> {
        let runs = self.runs();
        let [run] = runs[..] else {
            return Err(format!("draws are those of one experiment, and there are {}", runs.len()));
        };
        let (seeds, order) = figures.seeds(run)?;
        let mut found = vec![];
        for seed in seeds {
            match self.at(figures, Some(seed)) {
                Ok(value) => found.push(value),
                Err(Missing::NoAnswer(_)) => {}
                Err(Missing::Unknown(why)) => return Err(why),
            }
        }
        let against = Against { better: Better::Low, order, ..Against::default() };
        against.taken(&found).ok_or_else(|| format!("no draw of `{run}` has an answer"))
    }

    /// The experiments that it reads, each once.
    pub fn runs(&self) -> Vec<&str> {
        match self {
            Expression::Number(_) => vec![],
            Expression::Figure(reference) => vec![&reference.run],
            Expression::Absolute(inner) | Expression::OverDraws(_, inner) => inner.runs(),
            Expression::Apply(_, sides) => {
                let mut runs = sides[0].runs();
                runs.extend(sides[1].runs());
                runs.sort_unstable();
                runs.dedup();
                runs
            }
        }
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
        if let Some((_, over)) = Over::ALL.iter().find(|(word, _)| self.takes(word)) {
            let inner = self.sum()?;
            self.expects(")")?;
            return Ok(Expression::OverDraws(*over, Box::new(inner)));
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
    use super::{Expression, Figures, Missing, Order, Reference};

    /// Cost of `a`: ten for each label. Of `days`: the square of the seed, without an answer at the third of four.
    struct Known;

    impl Figures for Known {
        fn figure(&self, r: &Reference, seed: Option<u64>) -> Result<f64, Missing> {
            match (&*r.run, &*r.column, seed) {
                ("a", "cost", _) => Ok(10.0 * r.labels.len() as f64),
                ("days", "cost", Some(3)) => Err(Missing::NoAnswer("day 3".to_owned())),
                ("days", "cost", Some(seed)) => Ok((seed * seed) as f64),
                _ => Err(Missing::Unknown(format!("unknown: {}", r.column))),
            }
        }

        fn seeds(&self, run: &str) -> Result<(Vec<u64>, Order), String> {
            if run == "days" { Ok((vec![1, 2, 3, 4], Order::Independent)) } else { Err(format!("{run} draws nothing")) }
        }
    }

    fn value(text: &str) -> Result<f64, String> {
        Expression::read(text)?.value(&Known)
    }

    #[test]
    fn draws_are_worked_out_one_by_one_and_those_without_an_answer_left_out() {
        assert_eq!(value("mean(days.cost[m, p])"), Ok(7.0));
        assert_eq!(value("mean(days.cost[m, p] * days.cost[m, p])"), Ok(91.0), "the mean of squares of 1, 4 and 16");
        assert_eq!(value("draws(days.cost[m, p]) + below(days.cost[m, p] - 5)"), Ok(5.0));
        let (low, high) = (value("low(days.cost[m, p])").unwrap(), value("high(days.cost[m, p])").unwrap());
        assert!((1.0..7.0).contains(&low) && high > 7.0 && high <= 16.0, "{low} {high}");
        for text in
            ["mean(a.cost[m])", "mean(days.other[m])", "days.cost[m]", "mean(a.cost[m] - days.cost[m])", "mean(1)"]
        {
            assert!(value(text).is_err(), "{text}");
        }
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
