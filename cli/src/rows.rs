//! The tables of a result store as rows: what the summary and the pages read.

use anyhow::Context;
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

/// A row of a table by the names of its columns.
pub struct Row {
    header: Rc<csv::StringRecord>,
    cells: csv::StringRecord,
}

impl Row {
    #[cfg(test)]
    pub fn of(cells: &[(&str, &str)]) -> Self {
        let (header, cells): (Vec<&str>, Vec<&str>) = cells.iter().copied().unzip();
        Self { header: Rc::new(header.into()), cells: cells.into() }
    }

    /// The text under a column; empty where there is none.
    pub fn cell(&self, column: &str) -> &str {
        self.header.iter().position(|name| name == column).and_then(|k| self.cells.get(k)).unwrap_or("")
    }

    /// The same, owned.
    pub fn text(&self, column: &str) -> String {
        self.cell(column).to_owned()
    }

    /// A missing figure adds nothing.
    pub fn number(&self, column: &str) -> f64 {
        self.cell(column).parse().unwrap_or(0.0)
    }

    /// Whether a swept parameter has this value, as text or as a number.
    pub fn is_swept_to(&self, value: &str) -> bool {
        let same = |cell: &str| {
            cell == value || cell.parse::<f64>().ok().is_some_and(|x| value.parse::<f64>().ok() == Some(x))
        };
        self.header.iter().zip(&self.cells).any(|(name, cell)| name.contains('.') && same(cell))
    }

    /// Parameters that were swept: their columns are named by paths.
    pub fn swept(&self) -> Vec<String> {
        let cells = self.header.iter().zip(&self.cells);
        cells.filter(|(name, cell)| name.contains('.') && !cell.is_empty()).map(|(n, c)| format!("{n} = {c}")).collect()
    }

    /// Values of all swept parameters, then the seed.
    pub fn point(&self) -> Vec<String> {
        let swept = self.header.iter().zip(&self.cells).filter(|(name, _)| name.contains('.'));
        swept.map(|(_, cell)| cell.to_owned()).chain([self.text("seed")]).collect()
    }

    /// The columns that hold a number.
    pub fn numbers(&self) -> BTreeMap<String, f64> {
        let parsed =
            self.header.iter().zip(&self.cells).map(|(name, cell)| Some((name.to_owned(), cell.parse().ok()?)));
        parsed.flatten().collect()
    }
}

/// The rows of a table of a result store.
///
/// # Errors
/// A table that is missing or no CSV.
pub fn table(folder: &Path, name: &str) -> anyhow::Result<Vec<Row>> {
    let path = folder.join(format!("{name}.csv"));
    let said = || format!("cannot read `{}`", path.display());
    let mut reader = csv::Reader::from_path(&path).with_context(said)?;
    let header = Rc::new(reader.headers().with_context(said)?.clone());
    reader.records().map(|cells| Ok(Row { header: header.clone(), cells: cells.with_context(said)? })).collect()
}
