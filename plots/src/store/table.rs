//! One CSV table: its header, and its cells with their whereabouts.

use super::StoreError;
use csv::{Reader, StringRecord};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

pub(super) struct Table {
    file: PathBuf,
    pub(super) header: StringRecord,
    reader: Reader<File>,
}

impl Table {
    pub(super) fn open(dir: &Path, name: &str) -> Result<Table, StoreError> {
        let file = dir.join(name).with_extension("csv");
        let handle = File::open(&file).map_err(|source| StoreError::Unreadable { file: file.clone(), source })?;
        let mut reader = Reader::from_reader(handle);
        let header = reader.headers().map_err(|source| StoreError::Malformed { file: file.clone(), source })?.clone();
        Ok(Table { file, header, reader })
    }

    /// As [`Table::open`]; `None` where there is no such file.
    pub(super) fn open_if_there(dir: &Path, name: &str) -> Result<Option<Table>, StoreError> {
        match Table::open(dir, name) {
            Err(StoreError::Unreadable { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(None),
            table => table.map(Some),
        }
    }

    /// The place of a column that older stores do not have.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|h| h == name)
    }

    /// The places of columns that must be there.
    pub(super) fn columns<const N: usize>(&self, names: [&str; N]) -> Result<[usize; N], StoreError> {
        let mut places = [0; N];
        for (place, name) in places.iter_mut().zip(names) {
            *place = self
                .column(name)
                .ok_or_else(|| StoreError::MissingColumn { file: self.file.clone(), column: name.to_owned() })?;
        }
        Ok(places)
    }

    /// Reads every row.
    pub(super) fn rows<T>(mut self, mut read: impl FnMut(&Row) -> Result<T, StoreError>) -> Result<Vec<T>, StoreError> {
        let mut out = Vec::new();
        let mut record = StringRecord::new();
        loop {
            match self.reader.read_record(&mut record) {
                Ok(false) => return Ok(out),
                Ok(true) => out.push(read(&Row { file: &self.file, header: &self.header, record: &record })?),
                Err(source) => return Err(StoreError::Malformed { file: self.file, source }),
            }
        }
    }
}

pub(super) struct Row<'a> {
    file: &'a Path,
    header: &'a StringRecord,
    record: &'a StringRecord,
}

impl Row<'_> {
    pub(super) fn text(&self, column: usize) -> &str {
        self.record.get(column).unwrap_or("")
    }

    pub(super) fn owned(&self, column: usize) -> String {
        self.text(column).to_owned()
    }

    /// A finite number, `None` where the cell is empty.
    pub(super) fn number(&self, column: usize) -> Result<Option<f64>, StoreError> {
        match self.text(column) {
            "" => Ok(None),
            text => match text.parse::<f64>() {
                Ok(v) if v.is_finite() => Ok(Some(v)),
                _ => Err(self.bad(column, "a finite number")),
            },
        }
    }

    /// A finite number that must be there.
    pub(super) fn given(&self, column: usize) -> Result<f64, StoreError> {
        self.number(column)?.ok_or_else(|| self.bad(column, "a finite number"))
    }

    pub(super) fn whole<T: std::str::FromStr>(&self, column: usize) -> Result<T, StoreError> {
        self.text(column).parse().map_err(|_| self.bad(column, "a whole number"))
    }

    pub(super) fn run(&self, column: usize, ids: &BTreeMap<String, usize>) -> Result<usize, StoreError> {
        ids.get(self.text(column)).copied().ok_or_else(|| StoreError::UnknownRun {
            file: self.file.to_owned(),
            line: self.line(),
            run_id: self.owned(column),
        })
    }

    pub(super) fn bad(&self, column: usize, expected: &'static str) -> StoreError {
        StoreError::BadValue {
            file: self.file.to_owned(),
            line: self.line(),
            column: self.header.get(column).unwrap_or("").to_owned(),
            found: self.owned(column),
            expected,
        }
    }

    fn line(&self) -> u64 {
        self.record.position().map_or(0, csv::Position::line)
    }
}
