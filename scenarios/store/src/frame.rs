//! A table in memory: typed columns of one length.

use crate::text;
use coase_core::record::{Column, Kind, METRICS, RUN_KEYS, Row, Table, Value};
use std::collections::HashMap;

/// What a column is: its name and what its cells are.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// Name in the file.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// Unit; empty for words, ratios and swept parameters.
    pub unit: &'static str,
    /// Meaning in one sentence.
    pub meaning: &'static str,
}

impl Head {
    /// A column of the schema.
    pub fn of(column: &Column) -> Self {
        let Column { name, kind, unit, meaning, .. } = *column;
        Self { name: name.to_owned(), kind, unit, meaning }
    }

    /// `run_id`, with which every table of a store begins.
    pub fn run_id() -> Self {
        Self { name: "run_id".to_owned(), kind: Kind::Text, unit: "", meaning: "Which run: 32 hex digits." }
    }

    /// Columns of `runs` that measure the outcome.
    pub(crate) fn metrics() -> Vec<Head> {
        METRICS.iter().map(Head::of).collect()
    }

    /// The column of a swept parameter.
    pub fn swept(path: &str, kind: Kind) -> Self {
        Self { name: path.to_owned(), kind, unit: "", meaning: SWEPT }
    }

    /// Whether it is the column of a swept parameter.
    pub fn is_swept(&self) -> bool {
        self.meaning == SWEPT
    }

    /// Columns of a table after `run_id`; in `runs` the swept parameters stand between keys and metrics.
    pub(crate) fn all(table: Table, swept: &[Head]) -> Vec<Head> {
        let mut heads: Vec<Head> = table.columns().into_iter().map(Head::of).collect();
        if table == Table::Runs {
            heads.splice(RUN_KEYS.len()..RUN_KEYS.len(), swept.iter().cloned());
        }
        heads
    }
}

/// The meaning of the column of a swept parameter.
const SWEPT: &str = "Value of a swept parameter.";

/// The cells of a column. Cells that are missing are equal.
#[derive(Clone, Debug)]
pub enum Cells {
    /// Words.
    Text(Words),
    /// Numbers; NaN where a cell is missing.
    Number(Vec<f64>),
    /// Whole numbers.
    Integer(Vec<Option<i64>>),
}

impl PartialEq for Cells {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Cells::Text(a), Cells::Text(b)) => a == b,
            (Cells::Number(a), Cells::Number(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a == b || (a.is_nan() && b.is_nan()))
            }
            (Cells::Integer(a), Cells::Integer(b)) => a == b,
            _ => false,
        }
    }
}

/// Words, each kept once.
#[derive(Clone, Debug, Default)]
pub struct Words {
    different: Vec<String>,
    /// The word of every cell.
    at: Vec<u32>,
    known: HashMap<String, u32>,
}

/// The place of a word that is missing.
pub(crate) const NO_WORD: u32 = u32::MAX;

impl PartialEq for Words {
    fn eq(&self, other: &Self) -> bool {
        self.at.len() == other.at.len() && (0..self.at.len()).all(|k| self.get(k) == other.get(k))
    }
}

impl Words {
    /// Cells by the places of their words.
    pub(crate) fn of(different: Vec<String>, at: Vec<u32>) -> Self {
        let known = different.iter().enumerate().map(|(place, word)| (word.clone(), place as u32)).collect();
        Self { different, at, known }
    }

    /// The word of a cell; `None` where it is missing.
    pub fn get(&self, row: usize) -> Option<&str> {
        self.at.get(row).and_then(|at| self.different.get(*at as usize)).map(String::as_str)
    }

    /// The different words, in order of appearance.
    pub fn words(&self) -> &[String] {
        &self.different
    }

    /// The place of every cell's word in [`Words::words`]; `u32::MAX` where it is missing.
    pub fn places(&self) -> &[u32] {
        &self.at
    }

    fn len(&self) -> usize {
        self.at.len()
    }

    pub(crate) fn push(&mut self, word: Option<&str>) {
        let Some(word) = word else { return self.at.push(NO_WORD) };
        let last = self.at.last().copied().filter(|at| self.different.get(*at as usize).is_some_and(|w| w == word));
        let at = last.or_else(|| self.known.get(word).copied()).unwrap_or_else(|| {
            let at = self.different.len() as u32;
            self.different.push(word.to_owned());
            self.known.insert(word.to_owned(), at);
            at
        });
        self.at.push(at);
    }

    /// The cells of another list behind these.
    fn append(&mut self, other: &Words) {
        let mut places: Vec<Option<u32>> = vec![None; other.different.len()];
        for at in &other.at {
            match places.get(*at as usize).copied() {
                None => self.at.push(NO_WORD),
                Some(Some(place)) => self.at.push(place),
                Some(None) => {
                    self.push(other.different.get(*at as usize).map(String::as_str));
                    places[*at as usize] = self.at.last().copied();
                }
            }
        }
    }
}

/// A column with its cells.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What it is.
    pub head: Head,
    /// Its cells.
    pub cells: Cells,
}

impl Series {
    fn new(head: Head) -> Self {
        let cells = match head.kind {
            Kind::Text => Cells::Text(Words::default()),
            Kind::Number => Cells::Number(vec![]),
            Kind::Integer => Cells::Integer(vec![]),
        };
        Self { head, cells }
    }

    pub(crate) fn len(&self) -> usize {
        match &self.cells {
            Cells::Text(words) => words.len(),
            Cells::Number(numbers) => numbers.len(),
            Cells::Integer(numbers) => numbers.len(),
        }
    }

    /// Appends a cell; one of another kind than the column's becomes of its kind where that can be.
    pub(crate) fn push(&mut self, value: &Value) {
        match (&mut self.cells, value) {
            (Cells::Text(words), Value::Text(word)) => words.push(Some(word)),
            (Cells::Text(words), Value::Number(number)) => words.push(Some(&text::written(*number))),
            (Cells::Text(words), Value::Integer(number)) => words.push(Some(&number.to_string())),
            (Cells::Text(words), Value::Missing) => words.push(None),
            (Cells::Number(numbers), Value::Number(number)) => numbers.push(*number),
            (Cells::Number(numbers), Value::Integer(number)) => numbers.push(*number as f64),
            (Cells::Number(numbers), _) => numbers.push(f64::NAN),
            (Cells::Integer(numbers), Value::Integer(number)) => numbers.push(Some(*number)),
            (Cells::Integer(numbers), Value::Number(number)) if number.fract() == 0.0 => {
                numbers.push(Some(*number as i64));
            }
            (Cells::Integer(numbers), _) => numbers.push(None),
        }
    }

    fn append(&mut self, other: &Series) {
        match (&mut self.cells, &other.cells) {
            (Cells::Text(words), Cells::Text(more)) => words.append(more),
            (Cells::Number(numbers), Cells::Number(more)) => numbers.extend(more),
            (Cells::Integer(numbers), Cells::Integer(more)) => numbers.extend(more),
            // Of another kind: its cells one by one.
            (_, _) => (0..other.len()).for_each(|row| self.push(&other.value(row))),
        }
    }

    /// A cell.
    pub fn value(&self, row: usize) -> Value {
        match &self.cells {
            Cells::Text(words) => words.get(row).map_or(Value::Missing, Value::from),
            Cells::Number(numbers) => numbers.get(row).copied().map_or(Value::Missing, Value::from),
            Cells::Integer(numbers) => numbers.get(row).copied().flatten().map_or(Value::Missing, Value::Integer),
        }
    }

    /// A cell as a number, where it is one.
    pub fn number(&self, row: usize) -> Option<f64> {
        match &self.cells {
            Cells::Text(_) => None,
            Cells::Number(numbers) => numbers.get(row).copied().filter(|x| !x.is_nan()),
            Cells::Integer(numbers) => numbers.get(row).copied().flatten().map(|x| x as f64),
        }
    }

    /// A cell as a whole number, where it is one.
    pub fn integer(&self, row: usize) -> Option<i64> {
        match &self.cells {
            Cells::Integer(numbers) => numbers.get(row).copied().flatten(),
            Cells::Text(_) | Cells::Number(_) => None,
        }
    }

    /// A cell as a word; empty where it is missing or a number.
    pub fn word(&self, row: usize) -> &str {
        match &self.cells {
            Cells::Text(words) => words.get(row).unwrap_or(""),
            Cells::Number(_) | Cells::Integer(_) => "",
        }
    }

    /// A cell as its text in a table; empty where it is missing.
    pub fn text(&self, row: usize) -> String {
        let mut text = String::new();
        self.write(row, &mut text);
        text
    }

    /// Appends the text of a cell as tables have it: the shortest that reads back the same, nothing where it is missing.
    pub(crate) fn write(&self, row: usize, text: &mut String) {
        match &self.cells {
            Cells::Text(words) => text.push_str(words.get(row).unwrap_or("")),
            Cells::Number(numbers) => {
                if let Some(number) = numbers.get(row).filter(|x| !x.is_nan()) {
                    text::write(*number, text);
                }
            }
            Cells::Integer(numbers) => {
                if let Some(number) = numbers.get(row).copied().flatten() {
                    text.push_str(&number.to_string());
                }
            }
        }
    }
}

/// A table in memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frame {
    series: Vec<Series>,
    len: usize,
}

impl Frame {
    /// No table at all.
    pub(crate) const NONE: Frame = Frame { series: Vec::new(), len: 0 };

    /// A table without a row.
    pub fn new(heads: impl IntoIterator<Item = Head>) -> Self {
        Self { series: heads.into_iter().map(Series::new).collect(), len: 0 }
    }

    /// A table of columns that are there already.
    pub(crate) fn of(series: Vec<Series>, len: usize) -> Self {
        Self { series, len }
    }

    /// The rows of one run, as the record has them.
    pub(crate) fn of_rows(table: Table, rows: &[Row]) -> Self {
        let mut frame = Frame::new(Head::all(table, &[]));
        for row in rows {
            frame.push(row);
        }
        frame
    }

    /// How many rows it has.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no row.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Its columns, in order.
    pub fn all(&self) -> &[Series] {
        &self.series
    }

    /// A column by its name.
    pub fn series(&self, name: &str) -> Option<&Series> {
        self.series.iter().find(|series| series.head.name == name)
    }

    /// A row.
    pub fn row(&self, row: usize) -> RowRef<'_> {
        RowRef { frame: self, row }
    }

    /// All rows, in order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = RowRef<'_>> {
        (0..self.len).map(|row| self.row(row))
    }

    /// Appends a row, whose cells stand as its columns do; a cell that is not there is missing.
    pub fn push(&mut self, row: &[Value]) {
        for (k, series) in self.series.iter_mut().enumerate() {
            series.push(row.get(k).unwrap_or(&Value::Missing));
        }
        self.len += 1;
    }

    /// The rows of another table behind these, whose further columns come after its own.
    pub(crate) fn append(&mut self, run_id: &str, other: &Frame) {
        let Some((id, rest)) = self.series.split_first_mut() else { return };
        if let Cells::Text(words) = &mut id.cells {
            (0..other.len).for_each(|_| words.push(Some(run_id)));
        }
        for (series, more) in rest.iter_mut().zip(&other.series) {
            series.append(more);
        }
        self.len += other.len;
    }

    /// Rows from one to before another, without `run_id`.
    pub(crate) fn part(&self, from: usize, to: usize) -> Frame {
        let mut part = Frame::new(self.series.iter().skip(1).map(|s| s.head.clone()));
        for (series, all) in part.series.iter_mut().zip(self.series.iter().skip(1)) {
            (from..to).for_each(|row| series.push(&all.value(row)));
        }
        part.len = to - from;
        part
    }
}

/// One row of a table, read by the names of its columns.
#[derive(Clone, Copy, Debug)]
pub struct RowRef<'a> {
    frame: &'a Frame,
    row: usize,
}

impl<'a> RowRef<'a> {
    /// The word under a column; empty where it is missing, a number, or there is no such column.
    pub fn word(self, column: &str) -> &'a str {
        self.frame.series(column).map_or("", |series| series.word(self.row))
    }

    /// The number under a column, where there is one.
    pub fn number(self, column: &str) -> Option<f64> {
        self.frame.series(column).and_then(|series| series.number(self.row))
    }

    /// The cell under a column as its text in a table; empty where it is missing or there is no such column.
    pub fn text(self, column: &str) -> String {
        self.frame.series(column).map_or_else(String::new, |series| series.text(self.row))
    }

    /// The columns with this row's cells, in order.
    pub fn cells(self) -> impl Iterator<Item = (&'a Head, Value)> {
        self.frame.series.iter().map(move |series| (&series.head, series.value(self.row)))
    }
}
