//! Columns of CSV files, plain or gzipped. Knows no scenario; every rejection names line and column.

use crate::file::{self, LARGEST};
use crate::moment::{Moment, Order, first_break, moment, number, usual_step_h};
use crate::spec::{CsvColumn, Resample};
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
            Self::Unreadable { .. } | Self::Short { .. } | Self::Resample { .. } => None,
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
        let CsvColumn { column, scale, start, resample, time, .. } = ask.column;
        let position = self.position(column)?;
        let sampled = match time {
            Some(name) => Some(self.periods_per_row(name, ask)?),
            None if resample.is_some() => Some(self.guessed_periods_per_row(ask)?),
            None => None,
        };
        let each = sampled.unwrap_or(1);
        let wanted = ask.periods.div_ceil(each);
        let (begin, count) = start.map_or((0, self.rows.len()), |start| (start, wanted));
        let rows = self.rows(begin, count)?;
        if let Some(name) = time {
            self.check_times(name, rows, each, ask)?;
        }
        let mut values = rows.iter().map(|row| self.number(row, position, ask)).collect::<Result<Vec<_>, _>>()?;
        if let (Some(Resample::Interpolate), true) = (resample, each > 1)
            && let Some(next) = self.rows.get(begin + count)
        {
            values.push(self.number(next, position, ask)?);
        }
        let mut values = spread(&values, count, each, *resample);
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

    /// The times of some rows, with whichever order of day and month lets them follow one another.
    fn moments(&self, name: &str, rows: &[Row], ask: &Ask<'_>) -> Result<Vec<Moment>, CsvError> {
        let position = self.position(name)?;
        let read = |order: Order| -> Result<Vec<Moment>, &Row> {
            rows.iter().map(|row| moment(row.cell(position), ask.column.decimal(), order).ok_or(row)).collect()
        };
        let in_step = |moments: &Vec<Moment>| {
            usual_step_h(moments).is_none_or(|step| step > 0.0 && first_break(moments, step).is_none())
        };
        let (day, month) = (read(Order::DayFirst), read(Order::MonthFirst));
        let moments = match (day, month) {
            (Ok(day), Ok(month)) => Ok(if in_step(&month) && !in_step(&day) { month } else { day }),
            (Ok(moments), Err(_)) | (Err(_), Ok(moments)) => Ok(moments),
            (Err(row), Err(_)) => Err(row),
        };
        let moments = moments.map_err(|row| {
            let cell = shortened(row.cell(position));
            let expected = "expected one such as 2024-10-27 01:00, 27.10.2024 01:00, 01:00, or a number of hours";
            self.out_of_time(row, name, format!("`{cell}` is not a time, {expected}"), None)
        })?;
        let local = moments.first().map(|m| m.local);
        match moments.iter().position(|m| Some(m.local) != local) {
            Some(k) => {
                let reason = "some times have their offset from UTC and some have not".to_owned();
                Err(self.out_of_time(&rows[k], name, reason, None))
            }
            None => Ok(moments),
        }
    }

    fn out_of_time(&self, row: &Row, column: &str, reason: String, advice: Option<String>) -> CsvError {
        CsvError::Time { file: self.file.clone(), line: row.line, column: column.to_owned(), reason, advice }
    }

    /// How many periods a row covers by its column of times.
    fn periods_per_row(&self, name: &str, ask: &Ask<'_>) -> Result<usize, CsvError> {
        let start = ask.column.start.unwrap_or(0).min(self.rows.len());
        let rows = &self.rows[start..self.rows.len().min(start.saturating_add(ask.periods).saturating_add(1))];
        let moments = self.moments(name, rows, ask)?;
        let Some(step_h) = usual_step_h(&moments) else {
            if ask.column.resample.is_none() {
                return Ok(1);
            }
            let reason = "one row does not say how far apart rows are".to_owned();
            return Err(CsvError::Resample { file: self.file.clone(), reason });
        };
        let ratio = step_h / ask.period_h;
        let each = ratio.round();
        let apart = format!("the rows are {} h apart, and a period has {} h", hours(step_h), hours(ask.period_h));
        let tell = |advice: &str| {
            Err(self.out_of_time(&rows[1.min(rows.len() - 1)], name, apart.clone(), Some(advice.to_owned())))
        };
        if step_h <= 0.0 {
            // Out of order: the rows say where.
            return Ok(1);
        }
        if each < 1.0 || ratio < 0.99 {
            return tell("average the rows over each period first, or make `period_h` as short as they are");
        }
        if (ratio - each).abs() > 0.01 {
            return tell("make `period_h` a part of the distance of the rows");
        }
        if each > 1.0 && ask.column.resample.is_none() {
            return tell("say what holds between rows: `resample: Repeat` or `resample: Interpolate` in Csv(..)");
        }
        Ok(each as usize)
    }

    /// The same without times: the rows are as many as go into the periods.
    fn guessed_periods_per_row(&self, ask: &Ask<'_>) -> Result<usize, CsvError> {
        let rows = self.rows.len();
        let reason = if ask.column.start.is_some() {
            "with `start`, `resample` needs `time`, the column that says how far apart rows are".to_owned()
        } else if rows == 0 || !ask.periods.is_multiple_of(rows) {
            format!(
                "{rows} rows cannot be spread evenly over {} periods; name the column of times as `time`",
                ask.periods
            )
        } else {
            return Ok(ask.periods / rows);
        };
        Err(CsvError::Resample { file: self.file.clone(), reason })
    }

    /// Checks that rows follow one another as periods do.
    fn check_times(&self, name: &str, rows: &[Row], each: usize, ask: &Ask<'_>) -> Result<(), CsvError> {
        let position = self.position(name)?;
        let moments = self.moments(name, rows, ask)?;
        let step_h = ask.period_h * each as f64;
        let Some(found) = first_break(&moments, step_h) else { return Ok(()) };
        let cell = |row: usize| shortened(rows[row].cell(position));
        let (this, before) = (cell(found.row), cell(found.row - 1));
        let utc = "clocks may have been changed here: write times in UTC, or with their offset (`+02:00`)";
        let changed = found.local && (found.found_h - step_h).abs() <= 1.0 + 1e-6;
        let reason = if found.found_h == 0.0 {
            format!("`{this}` is there twice")
        } else if found.found_h < 0.0 {
            format!("`{this}` comes after `{before}`")
        } else {
            format!("from `{before}` to `{this}` are {} h, expected {} h", hours(found.found_h), hours(step_h))
        };
        Err(self.out_of_time(&rows[found.row], name, reason, changed.then(|| utc.to_owned())))
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

#[cfg(test)]
mod tests;
