//! A table as CSV: a header, then the rows of one run after another.

use crate::error::StoreError;
use crate::frame::{Cells, Frame, Head, Series};
use crate::text::{Written, push_integer};
use crate::whole::WholeFile;
use std::borrow::Cow;
use std::io::Write as _;
use std::path::PathBuf;

/// Bytes that are held before they are written.
const HELD: usize = 1 << 17;

pub(crate) struct CsvTable {
    path: PathBuf,
    file: WholeFile,
    lines: Vec<u8>,
}

/// A column about to be written, its words as they stand in the file.
enum Column<'a> {
    Text(Vec<Cow<'a, str>>, &'a [u32]),
    Number(&'a [f64]),
    Integer(&'a [Option<i64>]),
}

impl<'a> Column<'a> {
    fn of(series: &'a Series) -> Self {
        match &series.cells {
            Cells::Text(words) => Column::Text(words.words().iter().map(|word| quoted(word)).collect(), words.places()),
            Cells::Number(numbers) => Column::Number(numbers),
            Cells::Integer(numbers) => Column::Integer(numbers),
        }
    }

    /// Appends a cell; nothing where it is missing.
    fn push(&self, row: usize, written: &mut Written, lines: &mut Vec<u8>) {
        match self {
            Column::Text(words, places) => {
                let word = places.get(row).and_then(|at| words.get(*at as usize));
                lines.extend(word.map_or(&[][..], |word| word.as_bytes()));
            }
            Column::Number(numbers) => {
                if let Some(number) = numbers.get(row).filter(|x| !x.is_nan()) {
                    written.push(*number, lines);
                }
            }
            Column::Integer(numbers) => {
                if let Some(number) = numbers.get(row).copied().flatten() {
                    push_integer(number, lines);
                }
            }
        }
    }
}

/// A word as it stands in the file: in quotes where it holds what ends a cell, every quote in it doubled.
fn quoted(word: &str) -> Cow<'_, str> {
    if word.contains([',', '"', '\r', '\n']) {
        Cow::Owned(format!("\"{}\"", word.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(word)
    }
}

impl CsvTable {
    pub(crate) fn new(path: PathBuf, heads: &[Head]) -> Result<Self, StoreError> {
        let file = WholeFile::create(&path)?;
        let mut lines = b"run_id".to_vec();
        for head in heads {
            lines.push(b',');
            lines.extend(quoted(&head.name).as_bytes());
        }
        lines.push(b'\n');
        Ok(Self { path, file, lines })
    }

    /// The rows of a run.
    pub(crate) fn rows(&mut self, run_id: &str, rows: &Frame, written: &mut Written) -> Result<(), StoreError> {
        let run_id = quoted(run_id);
        let columns: Vec<Column> = rows.all().iter().map(Column::of).collect();
        for row in 0..rows.len() {
            self.lines.extend(run_id.as_bytes());
            for column in &columns {
                self.lines.push(b',');
                column.push(row, written, &mut self.lines);
            }
            self.lines.push(b'\n');
            if self.lines.len() >= HELD {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// The whole file, which has still to be moved into its place.
    pub(crate) fn finish(mut self) -> Result<WholeFile, StoreError> {
        self.flush()?;
        self.file.sync()
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        let flushed = self.file.write_all(&self.lines);
        self.lines.clear();
        flushed.map_err(|source| StoreError::Write { path: self.path.clone(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::CsvTable;
    use crate::frame::{Frame, Head};
    use crate::text::Written;
    use coase_core::record::{Kind, Value};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// The same bytes as those of the crate `csv`, which quotes where it has to.
        #[test]
        fn lines_are_those_of_a_csv_writer(words in proptest::collection::vec("[a\u{e9},\"\r\n ';#]{0,4}", 1..20), number: f64) {
            let head = |name: &str, kind| Head { name: name.to_owned(), kind, unit: "", meaning: "" };
            let heads = [head("a,b", Kind::Text), head("x", Kind::Number), head("n", Kind::Integer)];
            let mut frame = Frame::new(heads.clone());
            let mut expected = csv::Writer::from_writer(vec![]);
            expected.write_record(["run_id", "a,b", "x", "n"]).unwrap();
            for (k, word) in words.iter().enumerate() {
                frame.push(&[word.as_str().into(), number.into(), k.into()]);
                let x = if number.is_finite() { crate::written(number + 0.0) } else { String::new() };
                expected.write_record(["0f", word, &x, &k.to_string()]).unwrap();
            }
            frame.push(&[Value::Missing, Value::Missing, Value::Missing]);
            expected.write_record(["0f", "", "", ""]).unwrap();
            let path = std::env::temp_dir().join(format!("coase-csv-table-{}", std::process::id()));
            let mut table = CsvTable::new(path.clone(), &heads).unwrap();
            table.rows("0f", &frame, &mut Written::new()).unwrap();
            table.finish().unwrap().keep().unwrap();
            let found = std::fs::read(&path).unwrap();
            std::fs::remove_file(&path).unwrap();
            prop_assert_eq!(found, expected.into_inner().unwrap());
        }
    }
}
