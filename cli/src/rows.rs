//! Tables of results as rows of text: what the pages read.

use coase_core::record::Table;
use coase_store::{Dataset, Frame};
use std::rc::Rc;

/// A row of a table by the names of its columns.
pub struct Row {
    header: Rc<Vec<String>>,
    cells: Vec<String>,
}

impl Row {
    #[cfg(test)]
    pub fn of(cells: &[(&str, &str)]) -> Self {
        let (header, cells) = cells.iter().map(|(name, cell)| ((*name).to_owned(), (*cell).to_owned())).unzip();
        Self { header: Rc::new(header), cells }
    }

    /// The text under a column; empty where there is none.
    pub fn cell(&self, column: &str) -> &str {
        self.header.iter().position(|name| name == column).and_then(|k| self.cells.get(k)).map_or("", String::as_str)
    }

    /// Whether a swept parameter has this value, as text or as a number.
    pub fn is_swept_to(&self, value: &str) -> bool {
        let same = |cell: &str| {
            cell == value || cell.parse::<f64>().ok().is_some_and(|x| value.parse::<f64>().ok() == Some(x))
        };
        self.header.iter().zip(&self.cells).any(|(name, cell)| name.contains('.') && same(cell))
    }
}

/// The rows of a table.
///
/// # Errors
/// If a run file cannot be read.
pub fn table(results: &Dataset, table: Table) -> anyhow::Result<Vec<Row>> {
    Ok(rows(&results.table(table)?))
}

fn rows(frame: &Frame) -> Vec<Row> {
    let header = Rc::new(frame.all().iter().map(|series| series.head.name.clone()).collect());
    let cells = |k: usize| frame.all().iter().map(|series| series.text(k)).collect();
    (0..frame.len()).map(|k| Row { header: Rc::clone(&header), cells: cells(k) }).collect()
}
