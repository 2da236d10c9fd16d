//! What can be wrong with a file, and where: the data from which the command line draws the offending line.

use crate::csv_file::CsvError;
use coase_core::Plain;
use coase_core::network::ReadError;
use coase_core::participant::DeviceError;
use coase_core::power_flow::PowerFlowError;
use coase_core::series::NotDrawn;
use coase_core::setting::PriorError;
use std::fmt;
use std::ops::Range;

/// Something wrong with an input file.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Which file.
    pub file: String,
    /// Where in it; `None` where the file as a whole is at fault.
    pub place: Option<Place>,
    /// What is wrong.
    pub cause: Box<Cause>,
    /// What may have been meant, or what to do.
    pub hint: Option<String>,
}

/// A place in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// How many characters of the line are at fault, at least 1.
    pub width: usize,
    /// The line.
    pub text: String,
}

impl Place {
    /// Line, column and line text of a span.
    pub(crate) fn of(text: &str, span: &Range<usize>) -> Self {
        let start = span.start.min(text.len());
        let line_start = text[..start].rfind('\n').map_or(0, |k| k + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |k| start + k);
        let end = span.end.clamp(start, line_end);
        Self {
            line: text[..start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            width: text[start..end].chars().count().max(1),
            text: text[line_start..line_end].trim_end_matches('\r').to_owned(),
        }
    }
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// The file cannot be read.
    #[error("cannot read {path}: {reason}")]
    Unreadable {
        /// Where it was looked for.
        path: String,
        /// The operating system's account of it.
        reason: String,
    },
    /// Some bytes of the file are no text.
    #[error("{what}")]
    Encoding {
        /// What they are.
        what: String,
    },
    /// What is believed of a participant is no law of its price.
    #[error("the prior of `{participant}`: {error}")]
    Prior {
        /// Whose.
        participant: String,
        /// What is wrong with it.
        error: PriorError,
    },
    /// The file is empty, or holds only comments.
    #[error("the file holds no {expected}")]
    Nothing {
        /// What it should hold.
        expected: &'static str,
    },
    /// The file does not begin with the word it should.
    #[error("the file begins with `{found}`, expected {expected}")]
    Head {
        /// What stands there.
        found: String,
        /// What should.
        expected: &'static str,
    },
    /// Nobody has this field.
    #[error("{of} has no field `{field}`; it has {fields}")]
    NoField {
        /// What it is a field of.
        of: String,
        /// The field.
        field: String,
        /// The fields there are.
        fields: String,
    },
    /// A field that has no default is not there.
    #[error("`{field}` is missing in {of}")]
    NoValue {
        /// What it is a field of.
        of: String,
        /// The field.
        field: String,
    },
    /// The text is no RON.
    #[error("{0}")]
    Syntax(&'static str),
    /// RON does not accept the text for another reason.
    #[error("{0}")]
    Ron(ron::Error),
    /// Nobody has this name.
    #[error("there is no {kind} `{name}`")]
    Unknown {
        /// What it should be.
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// A name is used twice.
    #[error("{kind} `{name}` is there twice")]
    Twice {
        /// What it is.
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// A name that cannot be one.
    #[error("`{name}` cannot be {kind}: {why}")]
    Name {
        /// What it should be.
        kind: &'static str,
        /// The name.
        name: String,
        /// Why not.
        why: &'static str,
    },
    /// Something else than was expected.
    #[error("{field} is {found}, expected {expected}")]
    Field {
        /// Which.
        field: String,
        /// What it is.
        found: String,
        /// What it should be.
        expected: String,
    },
    /// A number out of its range.
    #[error("{field} is {}, expected {expected}", Plain(*value))]
    Value {
        /// Which.
        field: &'static str,
        /// What it is.
        value: f64,
        /// The range.
        expected: &'static str,
    },
    /// A series has a value that is not a finite number.
    #[error("period {period} of {field} is {}, expected a finite number", Plain(*value))]
    NotFinite {
        /// Which series.
        field: &'static str,
        /// Where in it.
        period: usize,
        /// What it is.
        value: f64,
    },
    /// A series does not have one value per period.
    #[error("{field} has {found} values, expected one for each of the {expected} periods")]
    Length {
        /// Which series.
        field: &'static str,
        /// How many there are.
        found: usize,
        /// How many periods there are.
        expected: usize,
    },
    /// The grid pays more than it takes.
    #[error("in period {period} the grid buys at {sell} and sells at {buy} per kWh: trading in a circle would pay")]
    MoneyPump {
        /// When.
        period: usize,
        /// What it charges.
        buy: f64,
        /// What it pays.
        sell: f64,
    },
    /// A list that needs an element has none.
    #[error("{0} is empty")]
    Empty(&'static str),
    /// A required field depends on another one.
    #[error("{field} is missing: {why}")]
    Missing {
        /// Which.
        field: &'static str,
        /// Why it is needed.
        why: &'static str,
    },
    /// A device that cannot be.
    #[error("{kind}: {error}")]
    Device {
        /// Its kind.
        kind: &'static str,
        /// What is wrong with it.
        error: DeviceError,
    },
    /// A report rule makes no sense among the members of a scenario.
    #[error("report rule `{label}` in `{scenario}`: {wrong}")]
    Rule {
        /// Its label.
        label: String,
        /// Name of the scenario.
        scenario: String,
        /// What is wrong.
        wrong: String,
    },
    /// No closed path leads from the bus to a slack.
    #[error("bus {bus} is not connected to the grid: no closed branches lead to a slack bus")]
    Disconnected {
        /// Which.
        bus: u64,
    },
    /// A network has no such bus.
    #[error("bus {bus} is not in the network `{network}`")]
    NoBus {
        /// Its number.
        bus: u64,
        /// The network's name.
        network: String,
    },
    /// A network file is not right.
    #[error("{}", without_line(.0))]
    Network(ReadError),
    /// A network contradicts itself after the scenario's changes.
    #[error("network: {0}")]
    NetworkNumbers(PowerFlowError),
    /// A CSV file is not right.
    #[error(transparent)]
    Csv(CsvError),
    /// `$COASE_DATA` is used and not set.
    #[error("`{file}` is looked for in $COASE_DATA, which is not set")]
    NoData {
        /// The file as written.
        file: String,
    },
    /// A path of `--set` or of a sweep leads nowhere.
    #[error("no place answers to the path `{path}`")]
    Path {
        /// The path.
        path: String,
    },
    /// A path of `--set` is not followed by a value.
    #[error("`{written}` is not PATH=VALUE")]
    Override {
        /// What was written.
        written: String,
    },
    /// A series cannot be drawn.
    #[error("{series} cannot be drawn: {error}")]
    Law {
        /// Its path in the scenario.
        series: String,
        /// Why not.
        error: NotDrawn,
    },
    /// The file asks for something that cannot be done.
    #[error("{what} is not possible: {why}")]
    NotPossible {
        /// What.
        what: String,
        /// Why not.
        why: &'static str,
    },
}

/// A network's error without the line, which the place of the fault shows.
fn without_line(error: &ReadError) -> String {
    match error {
        ReadError::Head { found, .. } => format!("a network file begins with `Network(`, found `{found}`"),
        ReadError::Ron { source, .. } => source.to_string(),
        ReadError::Matpower { source, .. } => source.to_string(),
        ReadError::InvalidAt { source, .. } => source.to_string(),
        other => other.to_string(),
    }
}

impl Fault {
    /// What is wrong, in words.
    pub fn message(&self) -> String {
        self.cause.to_string()
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<Option<String>>) -> Self {
        self.hint = hint.into().or(self.hint);
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "{}:{}:{}: {}", self.file, place.line, place.column, self.cause)?,
            None => write!(f, "{}: {}", self.file, self.cause)?,
        }
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, " ({hint})"))
    }
}

impl std::error::Error for Fault {}

/// The word that may have been meant: a slip of the finger away, or else much alike, as `pv_max` and `p_max_kw` are.
pub fn nearest<'a>(word: &str, all: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const ALIKE: f64 = 0.7;
    let lower = word.to_lowercase();
    let others: Vec<&str> = all.into_iter().filter(|candidate| *candidate != word).collect();
    let slip = |candidate: &&'a str| {
        let distance = strsim::damerau_levenshtein(&lower, &candidate.to_lowercase());
        (distance <= 1 + candidate.len() / 3).then_some((distance, *candidate))
    };
    let alike = |candidate: &&'a str| (strsim::jaro_winkler(&lower, &candidate.to_lowercase()), *candidate);
    others.iter().filter_map(slip).min().map(|found| found.1).or_else(|| {
        let best = others.iter().map(alike).max_by(|a, b| a.0.total_cmp(&b.0));
        best.filter(|found| found.0 > ALIKE).map(|found| found.1)
    })
}

/// The same as a hint.
pub(crate) fn did_you_mean<'a>(word: &str, all: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(word, all).map(|found| format!("did you mean `{found}`?"))
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_word_that_was_meant_is_found_by_slips_and_by_likeness() {
        let fields = ["p_max_kw", "profile", "cost_per_kwh"];
        assert_eq!(nearest("pv_max", fields), Some("p_max_kw"));
        assert_eq!(nearest("porfile", fields), Some("profile"));
        assert_eq!(nearest("xyz", fields), None);
    }
}
