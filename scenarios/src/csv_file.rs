//! Columns of CSV files, plain or gzipped. Knows no scenario; every rejection names line and column.

use crate::file::{self, LARGEST};
use crate::moment::number;
use crate::spec::{CsvColumn, Resample};
use crate::zone::Clock;
use coase_core::Plain;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What can be wrong with a CSV file.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CsvError {
    /// It cannot be opened or unpacked.
    #[error("cannot read {file}: {reason}")]
    Unreadable {
        /// Which file.
        file: String,
        /// Why not, in words.
        reason: String,
    },
    /// It is not text in UTF-8.
    #[error("{file}, line {line}, column {column}: {what}")]
    Encoding {
        /// Which file.
        file: String,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// What stands there.
        what: String,
        /// What to do.
        advice: String,
    },
    /// A row has more or fewer cells than the header.
    #[error("{file}, line {line}: {reason}")]
    Malformed {
        /// Which file.
        file: String,
        /// Line, from 1.
        line: u64,
        /// What is wrong.
        reason: String,
        /// What to do, where that can be guessed.
        advice: Option<String>,
    },
    /// No column has this name.
    #[error("{file} has no column `{column}`; {}", named(.columns))]
    NoColumn {
        /// Which file.
        file: String,
        /// The name.
        column: String,
        /// The names there are.
        columns: Vec<String>,
        /// What to do, where that can be guessed.
        advice: Option<String>,
    },
    /// Several columns have this name.
    #[error("{file}, line {line}: the columns {} are all called `{column}`", numbers(.positions))]
    TwoColumns {
        /// Which file.
        file: String,
        /// Line of the header, from 1.
        line: u64,
        /// The name.
        column: String,
        /// Where they are, from 1.
        positions: Vec<usize>,
    },
    /// A cell is not a finite number.
    #[error("{file}, line {line}, column `{column}`: {}", not_a_number(.cell))]
    Cell {
        /// Which file.
        file: String,
        /// Line, from 1.
        line: u64,
        /// The column's name.
        column: String,
        /// What stands there.
        cell: String,
        /// What to do, where that can be guessed.
        advice: Option<String>,
    },
    /// Fewer rows than asked for.
    #[error("{file} has {found} rows, expected {expected} from row {start}")]
    Short {
        /// Which file.
        file: String,
        /// How many rows there are.
        found: usize,
        /// The first row asked for, from 0.
        start: usize,
        /// How many rows are asked for.
        expected: usize,
    },
    /// The column of times does not go with the periods.
    #[error("{file}, line {line}, column `{column}`: {reason}")]
    Time {
        /// Which file.
        file: String,
        /// Line, from 1.
        line: u64,
        /// The column's name.
        column: String,
        /// What is wrong.
        reason: String,
        /// What to do, where that can be guessed.
        advice: Option<String>,
    },
    /// No row has the time at which the horizon begins.
    #[error("{file}, column `{column}`: no row is of {wanted}; the times go from {first} to {last}")]
    NoMoment {
        /// Which file.
        file: String,
        /// The column of times.
        column: String,
        /// The time that is looked for.
        wanted: String,
        /// The first time of the column.
        first: String,
        /// The last one.
        last: String,
    },
    /// Rows cannot be spread over the periods.
    #[error("{file}: {reason}")]
    Resample {
        /// Which file.
        file: String,
        /// Why not.
        reason: String,
    },
}

impl CsvError {
    /// What to do about it.
    pub(crate) fn advice(&self) -> Option<String> {
        match self {
            Self::Encoding { advice, .. } => Some(advice.clone()),
            Self::Malformed { advice, .. }
            | Self::NoColumn { advice, .. }
            | Self::Cell { advice, .. }
            | Self::Time { advice, .. } => advice.clone(),
            Self::TwoColumns { .. } => Some("give each a name of its own in the header".to_owned()),
            Self::Unreadable { .. } | Self::Short { .. } | Self::Resample { .. } | Self::NoMoment { .. } => None,
        }
    }
}

/// The names in a header, the first of many.
fn named(columns: &[String]) -> String {
    const SHOWN: usize = 12;
    let quoted: Vec<String> = columns.iter().take(SHOWN).map(|c| format!("`{}`", shortened(c))).collect();
    let more = columns.len().saturating_sub(SHOWN);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    if columns.is_empty() { "it is empty".to_owned() } else { format!("there are {}{more}", quoted.join(", ")) }
}

fn numbers(positions: &[usize]) -> String {
    let words: Vec<String> = positions.iter().map(usize::to_string).collect();
    words.join(" and ")
}

fn not_a_number(cell: &str) -> String {
    if cell.is_empty() {
        "the cell is empty, expected a number".to_owned()
    } else {
        format!("`{}` is not a number", shortened(cell))
    }
}

/// A cell as messages show it.
fn shortened(cell: &str) -> String {
    const LONGEST: usize = 60;
    let mut short: String = cell.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if cell.chars().nth(LONGEST).is_some() {
        short.push_str("..");
    }
    short.replace("\\'", "'").replace("\\\"", "\"")
}

/// CSV files that have been read, so that many columns of one file cost one reading.
#[derive(Debug, Default)]
pub(crate) struct CsvFiles {
    tables: BTreeMap<(PathBuf, Option<char>), Arc<Table>>,
}

impl CsvFiles {
    /// A file as a table; without a separator it is a comma, or what the file itself says.
    pub(crate) fn table(&mut self, path: &Path, separator: Option<char>) -> Result<Arc<Table>, CsvError> {
        let key = (path.to_owned(), separator);
        if let Some(table) = self.tables.get(&key) {
            return Ok(table.clone());
        }
        let table = Arc::new(Table::read(path, separator)?);
        self.tables.insert(key, table.clone());
        Ok(table)
    }
}

/// What is to become of a column: a value for each of so many periods of so many hours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) column: &'a CsvColumn,
    pub(crate) periods: usize,
    pub(crate) period_h: f64,
    /// Where in time the horizon begins, and whose clocks the column shows.
    pub(crate) clock: &'a Clock,
}

/// How rows and periods go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Every row stands for so many periods.
    Periods(usize),
    /// So many rows make a period.
    Rows(usize),
}

impl Step {
    /// Rows that so many periods need.
    fn rows(self, periods: usize) -> usize {
        match self {
            Step::Periods(each) => periods.div_ceil(each),
            Step::Rows(each) => periods.saturating_mul(each),
        }
    }

    /// Distance of the rows, hours.
    fn row_h(self, period_h: f64) -> f64 {
        match self {
            Step::Periods(each) => period_h * each as f64,
            Step::Rows(each) => period_h / each as f64,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Table {
    file: String,
    /// Lines in front of the header.
    skipped: u64,
    header: csv::StringRecord,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    /// Line in the file, from 1.
    line: u64,
    cells: csv::StringRecord,
}

impl Row {
    fn cell(&self, position: usize) -> &str {
        self.cells.get(position).unwrap_or("")
    }
}

impl Table {
    fn read(path: &Path, separator: Option<char>) -> Result<Self, CsvError> {
        let file = path.display().to_string();
        let bytes = file::bytes(path, LARGEST).map_err(|reason| CsvError::Unreadable { file: file.clone(), reason })?;
        let text = file::decoded(bytes).map_err(|found| {
            let (line, column, what, advice) = (found.line, found.column, found.what, found.advice);
            CsvError::Encoding { file: file.clone(), line, column, what, advice }
        })?;
        Self::of(file, &text, separator)
    }

    fn of(file: String, text: &str, separator: Option<char>) -> Result<Self, CsvError> {
        // Excel writes and reads a first line that names the separator.
        let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
        let said = first.trim_end_matches('\r').trim_matches('"');
        let said = said.strip_prefix("sep=").or_else(|| said.strip_prefix("SEP="));
        let (text, skipped) = if said.is_some() { (rest, 1) } else { (text, 0) };
        let said = said.and_then(|s| s.chars().next());
        let separator = separator.or(said).filter(char::is_ascii).unwrap_or(',');
        // The reader counts the blank lines in front of a row to the row.
        let line = |position: Option<&csv::Position>| {
            let (line, byte) = position.map_or((1, 0), |p| (p.line(), p.byte() as usize));
            let blank = text.get(byte..).unwrap_or_default().bytes().take_while(|b| b"\r\n".contains(b));
            line + blank.filter(|b| *b == b'\n').count() as u64 + skipped
        };
        let malformed = |e: &csv::Error| {
            let line = line(e.position());
            let (reason, advice) = match e.kind() {
                csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                    let row = text.lines().nth((line - skipped - 1) as usize).unwrap_or_default();
                    let cells = if *len == 1 { "cell" } else { "cells" };
                    (format!("{len} {cells}, the header has {expected_len}"), other_separator(text, row, separator))
                }
                _ => (e.to_string(), None),
            };
            CsvError::Malformed { file: file.clone(), line, reason, advice }
        };
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(u8::try_from(separator).unwrap_or(b','))
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let header = reader.headers().map_err(|e| malformed(&e))?.clone();
        let row = |cells: csv::StringRecord| Row { line: line(cells.position()), cells };
        let mut rows =
            reader.records().map(|r| r.map(row)).collect::<Result<Vec<_>, _>>().map_err(|e| malformed(&e))?;
        // Spreadsheets leave rows of empty cells at the end.
        while rows.last().is_some_and(|row| row.cells.iter().all(str::is_empty)) {
            rows.pop();
        }
        if header.len() == 1 && rows.is_empty() && header.get(0) == Some("") {
            return Err(CsvError::NoColumn { file, column: String::new(), columns: vec![], advice: None });
        }
        Ok(Self { file, skipped, header, rows })
    }

    /// Names of the columns.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &str> {
        self.header.iter()
    }

    fn position(&self, name: &str) -> Result<usize, CsvError> {
        let found: Vec<usize> = self.columns().enumerate().filter(|c| c.1 == name).map(|c| c.0).collect();
        match found.as_slice() {
            [one] => Ok(*one),
            [] => {
                let columns: Vec<String> = self.columns().map(str::to_owned).collect();
                let row =
                    self.rows.first().map(|row| row.cells.iter().collect::<Vec<_>>().join(",")).unwrap_or_default();
                let header = columns.join(",");
                let advice = if columns.len() == 1 { other_separator(&header, &row, ',') } else { None };
                Err(CsvError::NoColumn { file: self.file.clone(), column: name.to_owned(), columns, advice })
            }
            _ => Err(CsvError::TwoColumns {
                file: self.file.clone(),
                line: self.header.position().map_or(1, csv::Position::line) + self.skipped,
                column: name.to_owned(),
                positions: found.iter().map(|k| k + 1).collect(),
            }),
        }
    }

    fn rows(&self, start: usize, count: usize) -> Result<&[Row], CsvError> {
        start.checked_add(count).and_then(|end| self.rows.get(start..end)).ok_or_else(|| CsvError::Short {
            file: self.file.clone(),
            found: self.rows.len(),
            start,
            expected: count,
        })
    }

    /// The values for the periods: the whole column without `start`, however many there are.
    pub(crate) fn series(&self, ask: &Ask<'_>) -> Result<Vec<f64>, CsvError> {
        let CsvColumn { column, scale, resample, time, .. } = ask.column;
        let position = self.position(column)?;
        let start = match time {
            Some(name) => self.start(name, ask)?,
            None => ask.column.start,
        };
        let step = match time {
            Some(name) => self.step(name, start, ask)?,
            None if resample.is_some() => self.guessed_step(start, ask)?,
            None => Step::Periods(1),
        };
        let wanted = step.rows(ask.periods);
        let (begin, count) = start.map_or((0, self.rows.len()), |start| (start, wanted));
        let rows = self.rows(begin, count)?;
        if let Some(name) = time {
            self.check_times(name, rows, step, ask)?;
        }
        let mut values = rows.iter().map(|row| self.number(row, position, ask)).collect::<Result<Vec<_>, _>>()?;
        let mut values = match step {
            Step::Rows(each) => {
                // Rows that are left over are too many, which the caller tells.
                values.chunks(each).map(|rows| rows.iter().sum::<f64>() / rows.len() as f64).collect()
            }
            Step::Periods(each) => {
                if let (Some(Resample::Interpolate), true) = (resample, each > 1)
                    && let Some(next) = self.rows.get(begin + count)
                {
                    values.push(self.number(next, position, ask)?);
                }
                spread(&values, count, each, *resample)
            }
        };
        // A last row that reaches beyond the horizon; one whole row too many is told by the caller.
        if count == wanted {
            values.truncate(ask.periods);
        }
        for value in &mut values {
            *value *= scale;
        }
        Ok(values)
    }

    fn number(&self, row: &Row, position: usize, ask: &Ask<'_>) -> Result<f64, CsvError> {
        let cell = row.cell(position);
        let decimal = ask.column.decimal();
        number(cell, decimal).ok_or_else(|| {
            let advice = if decimal == '.' && number(cell, ',').is_some() {
                Some("where commas are decimal: `decimal: ','` in Csv(..)".to_owned())
            } else if decimal != '.' && number(cell, '.').is_some() {
                Some(format!("the decimal separator was said to be `{decimal}`; points that group thousands must go"))
            } else if cell.chars().filter(|c| ".,' ".contains(*c)).count() > 1 {
                Some("write numbers without separators of thousands".to_owned())
            } else {
                None
            };
            let (file, column) = (self.file.clone(), ask.column.column.clone());
            CsvError::Cell { file, line: row.line, column, cell: cell.to_owned(), advice }
        })
    }
}

fn hours(hours: f64) -> Plain {
    Plain((hours * 1e6).round() / 1e6)
}

/// Every value for so many periods; the last of `values` may be the one after the rows that are spread.
fn spread(values: &[f64], rows: usize, each: usize, resample: Option<Resample>) -> Vec<f64> {
    let mut spread = Vec::with_capacity(rows * each);
    for (k, value) in values.iter().enumerate().take(rows) {
        let next = match resample {
            Some(Resample::Interpolate) => values.get(k + 1).unwrap_or(value),
            _ => value,
        };
        spread.extend((0..each).map(|part| value + (next - value) * part as f64 / each as f64));
    }
    spread
}

/// A separator by which header and row have as many cells, more than one, where the one in use gives them one.
fn other_separator(text: &str, row: &str, used: char) -> Option<String> {
    let header = text.lines().next().unwrap_or_default();
    let count = |line: &str, c: char| line.matches(c).count();
    let better = [';', '\t', ',', '|']
        .into_iter()
        .find(|c| *c != used && count(header, *c) > 0 && count(header, *c) == count(row, *c))?;
    let written = if better == '\t' { "\\t".to_owned() } else { better.to_string() };
    let decimal =
        better != ',' && row.split(better).any(|cell| cell.contains(',') && number(cell.trim(), ',').is_some());
    let decimal = if decimal { ", decimal: ','" } else { "" };
    Some(format!("the cells seem to be separated by `{written}`: Csv(.., separator: '{written}'{decimal})"))
}

mod times;

#[cfg(test)]
mod tests;
