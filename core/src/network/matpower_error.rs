//! What a MATPOWER text can get wrong, besides describing an impossible network.

use crate::Plain;

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
    /// A block comment is not closed: it would hide the rest of the file.
    #[error(
        "the block comment is never closed and hides the rest of the file: close it with `%}}` on a line of its own"
    )]
    UnclosedComment,
    /// Parentheses within parentheses.
    #[error("parentheses are nested more than {deepest} deep")]
    TooDeep {
        /// How deep they may be.
        deepest: usize,
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
    /// A statement after the end of the function.
    #[error("nothing is read after the end of the function, but here stands `{statement}`")]
    AfterEnd {
        /// The statement.
        statement: String,
    },
    /// A field that constrains flows or dispatch in a way that is not modelled.
    #[error("`mpc.{field}` holds {what}, which cannot be modelled: to do without, remove the field")]
    Field {
        /// The field.
        field: String,
        /// What it holds.
        what: &'static str,
    },
    /// A table of unknown meaning that could be a constraint.
    #[error(
        "`mpc.{field}` is not known, and its {rows} rows of {columns} belong to no bus, branch or generator: if it is \
         only a remark or a result, remove it"
    )]
    UnknownTable {
        /// The field.
        field: String,
        /// Number of rows.
        rows: usize,
        /// Number of columns.
        columns: usize,
    },
    /// A direct-current line in service.
    #[error("direct-current line {number} from bus {} to bus {} is in service, and direct-current lines are not \
         modelled: switch it off (third column of `mpc.dcline` 0), or put its power into the loads of its buses", Plain(*from), Plain(*to))]
    DcLine {
        /// Its row, from 1.
        number: usize,
        /// Its sending bus, as written.
        from: f64,
        /// Its receiving bus, as written.
        to: f64,
    },
    /// Case format 1.
    #[error("only case format version 2 can be read, this is `{found}` (MATPOWER's `loadcase` and `savecase` convert)")]
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
    #[error("row {row} of `mpc.{field}`: {} is not a bus number", Plain(*value))]
    BusNumber {
        /// The table.
        field: &'static str,
        /// The row, from 1.
        row: usize,
        /// The value found.
        value: f64,
    },
    /// A bus type is not 1 to 4.
    #[error("bus {bus}: {} is not a bus type (1 PQ, 2 PV, 3 slack, 4 isolated)", Plain(*value))]
    BusType {
        /// The bus.
        bus: u64,
        /// The value found.
        value: f64,
    },
    /// A row names a bus that is not in `mpc.bus`.
    #[error("{element} {row} names bus {id}, which is not in `mpc.bus`")]
    UnknownBus {
        /// `branch` or `generator`.
        element: &'static str,
        /// Its row, from 1.
        row: usize,
        /// The number in question.
        id: u64,
    },
    /// A cost is neither piecewise linear nor polynomial, or has fewer cells than it announces.
    #[error(
        "cost of generator {number} at bus {bus}: {found}; a row holds model 1 (points) or 2 (polynomial), start-up, \
         shut-down, a count and as many points or coefficients as it says"
    )]
    Cost {
        /// The generator, from 1.
        number: usize,
        /// Its bus.
        bus: u64,
        /// What is wrong with the row.
        found: String,
    },
    /// A status that is neither on nor off.
    #[error("{element}: status is {}, but must be {must_be}", Plain(*value))]
    Status {
        /// Whose, with its buses.
        element: String,
        /// What it is.
        value: f64,
        /// What it may be.
        must_be: &'static str,
    },
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
