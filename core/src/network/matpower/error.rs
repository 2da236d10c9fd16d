//! What a MATPOWER text can get wrong, besides describing an impossible network.

/// A MATPOWER text that cannot be read faithfully.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MatpowerError {
    /// A bracket, brace, parenthesis or string is not closed.
    #[error("`{open}` is never closed")]
    Unclosed {
        /// What was opened.
        open: char,
    },
    /// Something else was expected.
    #[error("expected {expected}, found `{found}`")]
    Syntax {
        /// What could have stood here.
        expected: &'static str,
        /// What stands here.
        found: String,
    },
    /// A statement outside of the known forms: skipping it could change the numbers.
    #[error("this statement is not understood and could change the data: `{statement}`")]
    Statement {
        /// The statement.
        statement: String,
    },
    /// A table that this reader has no place for.
    #[error("`mpc.{field}` is not supported")]
    Field {
        /// The field.
        field: String,
    },
    /// Case format 1.
    #[error("only case format version 2 can be read, this is `{found}`")]
    Version {
        /// The version found.
        found: String,
    },
    /// A field that must be there is not.
    #[error("`mpc.{field}` is missing")]
    Missing {
        /// The field.
        field: &'static str,
    },
    /// A field is set twice.
    #[error("`mpc.{field}` is set a second time")]
    Twice {
        /// The field.
        field: String,
    },
    /// A name is used that no earlier statement defines.
    #[error("`{name}` is used, but not defined before")]
    Undefined {
        /// The name.
        name: &'static str,
    },
    /// A row has not as many cells as the first one.
    #[error("a row of `mpc.{field}` has {found} cells, those before have {expected}")]
    Ragged {
        /// The table.
        field: &'static str,
        /// Cells of the first row.
        expected: usize,
        /// Cells of this row.
        found: usize,
    },
    /// A table is too narrow.
    #[error("`mpc.{field}` needs {at_least} columns or more, found {found}")]
    Columns {
        /// The table.
        field: &'static str,
        /// Columns needed.
        at_least: usize,
        /// Columns found.
        found: usize,
    },
    /// A bus number is not a positive integer.
    #[error("{value} is not a bus number")]
    BusNumber {
        /// The value found.
        value: f64,
    },
    /// A bus type is not 1 to 4.
    #[error("{value} is not a bus type (1 PQ, 2 PV, 3 slack, 4 isolated)")]
    BusType {
        /// The value found.
        value: f64,
    },
    /// A row names a bus that is not in `mpc.bus`.
    #[error("bus {id} is not in `mpc.bus`")]
    UnknownBus {
        /// The number in question.
        id: u64,
    },
    /// A cost is neither piecewise linear nor polynomial, or has fewer cells than it announces.
    #[error("a cost row must hold model 1 or 2, start-up, shut-down, a count and as many parameters as it says")]
    Cost,
    /// The number of cost rows fits neither the generators nor twice the generators.
    #[error("`mpc.gencost` has {found} rows for {generators} generators")]
    CostRows {
        /// Number of generators.
        generators: usize,
        /// Rows found.
        found: usize,
    },
    /// Ohms are to be converted with a base voltage that the file does not give.
    #[error("the conversion from ohms needs a base voltage in the first row of `mpc.bus`")]
    NoBaseVoltage,
}

/// An error and the line (from 1) it belongs to.
#[derive(Debug)]
pub(super) struct At {
    pub line: usize,
    pub error: MatpowerError,
}

impl MatpowerError {
    pub(super) fn at(self, line: usize) -> At {
        At { line, error: self }
    }
}
