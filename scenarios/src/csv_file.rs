//! Columns of CSV files, plain or gzipped. Knows no scenario; every rejection names line and column.

use flate2::read::MultiGzDecoder;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What can be wrong with a CSV file.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CsvError {
    /// It cannot be opened or unpacked.
    #[error("cannot read {file}: {reason}")]
    Unreadable {
        /// Which file.
        file: String,
        /// The operating system's account of it.
        reason: String,
    },
    /// A row has more or fewer cells than the header, or the text is not UTF-8.
    #[error("{file}, line {line}: {reason}")]
    Malformed {
        /// Which file.
        file: String,
        /// Line, from 1.
        line: u64,
        /// What is wrong.
        reason: String,
    },
    /// No column has this name.
    #[error("{file} has no column `{column}`")]
    NoColumn {
        /// Which file.
        file: String,
        /// The name.
        column: String,
    },
    /// A cell is not a finite number.
    #[error("{file}, line {line}, column `{column}`: `{cell}` is not a number")]
    Cell {
        /// Which file.
        file: String,
        /// Line, from 1.
        line: u64,
        /// The column's name.
        column: String,
        /// What stands there.
        cell: String,
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
}

/// CSV files that have been read, so that many columns of one file cost one reading.
#[derive(Debug, Default)]
pub(crate) struct CsvFiles {
    tables: BTreeMap<PathBuf, Arc<Table>>,
}

#[derive(Debug)]
pub(crate) struct Table {
    file: String,
    header: csv::StringRecord,
    rows: Vec<csv::StringRecord>,
}

impl CsvFiles {
    /// A file as a table.
    pub(crate) fn table(&mut self, path: &Path) -> Result<Arc<Table>, CsvError> {
        if let Some(table) = self.tables.get(path) {
            return Ok(table.clone());
        }
        let table = Arc::new(Table::read(path)?);
        self.tables.insert(path.to_owned(), table.clone());
        Ok(table)
    }
}

impl Table {
    fn read(path: &Path) -> Result<Self, CsvError> {
        let file = path.display().to_string();
        let unreadable = |e: std::io::Error| CsvError::Unreadable { file: file.clone(), reason: e.to_string() };
        let mut bytes = vec![];
        let source = fs::File::open(path).map_err(unreadable)?;
        if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz")) {
            MultiGzDecoder::new(source).read_to_end(&mut bytes).map_err(unreadable)?;
        } else {
            std::io::BufReader::new(source).read_to_end(&mut bytes).map_err(unreadable)?;
        }
        let malformed = |e: csv::Error| {
            let line = e.position().map_or(1, csv::Position::line);
            let reason = match e.kind() {
                csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                    format!("{len} cells, the header has {expected_len}")
                }
                other => format!("{other:?}"),
            };
            CsvError::Malformed { file: file.clone(), line, reason }
        };
        // A byte order mark is no part of the first column's name.
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text);
        let header = reader.headers().map_err(malformed)?.clone();
        let rows = reader.records().collect::<Result<Vec<_>, _>>().map_err(malformed)?;
        Ok(Self { file, header, rows })
    }

    /// Names of the columns.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &str> {
        self.header.iter()
    }

    /// A column, times `scale`: all of it, or `count` rows from `start` on.
    pub(crate) fn column(&self, name: &str, scale: f64, window: Option<(usize, usize)>) -> Result<Vec<f64>, CsvError> {
        let position = self
            .columns()
            .position(|c| c == name)
            .ok_or_else(|| CsvError::NoColumn { file: self.file.clone(), column: name.to_owned() })?;
        let (start, count) = window.unwrap_or((0, self.rows.len()));
        let rows = start.checked_add(count).and_then(|end| self.rows.get(start..end)).ok_or_else(|| {
            CsvError::Short { file: self.file.clone(), found: self.rows.len(), start, expected: count }
        })?;
        let number = |row: &csv::StringRecord| {
            let cell = row.get(position).unwrap_or("");
            cell.parse::<f64>().ok().filter(|x| x.is_finite()).map(|x| x * scale).ok_or_else(|| CsvError::Cell {
                file: self.file.clone(),
                line: row.position().map_or(0, csv::Position::line),
                column: name.to_owned(),
                cell: cell.to_owned(),
            })
        };
        rows.iter().map(number).collect()
    }
}
