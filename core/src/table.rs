//! What result tables are made of: their names, columns, cells and rows. What stands in a column is declared where it is
//! computed, in `evaluate`; the whole schema is read from `record`.

/// A result table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// One row per run: what was run, how it ended, the metrics.
    Runs,
    /// One row per run and participant.
    Participants,
    /// One row per run, realisation, participant, period and product.
    Periods,
    /// One row per bilateral trade.
    Trades,
    /// One row per run, realisation, period and bus.
    Nodes,
    /// One row per run, realisation, period and branch in service.
    Branches,
    /// One row per run and certificate.
    Certificates,
    /// One row per recorded iteration of the mechanism in the settled round; of a mechanism that has none, per round of the
    /// fixed point of nodal prices around it.
    Convergence,
    /// One row per run, realisation and payment.
    Ledger,
    /// One row per point of a curve that explains the outcome, where curves are asked for.
    Curves,
}

impl Table {
    /// All tables, in the order in which they are written.
    pub const ALL: [Table; 10] = [
        Table::Runs,
        Table::Participants,
        Table::Periods,
        Table::Trades,
        Table::Nodes,
        Table::Branches,
        Table::Certificates,
        Table::Convergence,
        Table::Ledger,
        Table::Curves,
    ];

    /// The name of its file, without extension.
    pub fn name(self) -> &'static str {
        match self {
            Table::Runs => "runs",
            Table::Participants => "participants",
            Table::Periods => "periods",
            Table::Trades => "trades",
            Table::Nodes => "nodes",
            Table::Branches => "branches",
            Table::Certificates => "certificates",
            Table::Convergence => "convergence",
            Table::Ledger => "ledger",
            Table::Curves => "curves",
        }
    }
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Words.
    Text,
    /// A number.
    Number,
    /// A whole number.
    Integer,
}

/// A column of a result table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Name in the file.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Unit; empty for words and ratios.
    pub unit: &'static str,
    /// Meaning in one sentence.
    pub meaning: &'static str,
    /// What it is equal to, in names of columns where there are such; `None` where the meaning says it all.
    pub equation: Option<&'static str>,
}

impl Column {
    /// The same with the equation behind it.
    pub(crate) const fn equals(self, equation: &'static str) -> Self {
        Self { equation: Some(equation), ..self }
    }

    /// The same with what fills it, a function of what a row is about.
    pub(crate) const fn by<F: Copy>(self, value: F) -> Field<F> {
        Field { column: self, value }
    }
}

/// A column of words.
pub(crate) const fn text(name: &'static str, meaning: &'static str) -> Column {
    Column { name, kind: Kind::Text, unit: "", meaning, equation: None }
}

/// A column of numbers.
pub(crate) const fn number(name: &'static str, unit: &'static str, meaning: &'static str) -> Column {
    Column { name, kind: Kind::Number, unit, meaning, equation: None }
}

/// A column of whole numbers.
pub(crate) const fn integer(name: &'static str, meaning: &'static str) -> Column {
    Column { name, kind: Kind::Integer, unit: "", meaning, equation: None }
}

/// A column beside the function that fills it: there is no place where a name and its value could part.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<F> {
    /// The column.
    pub column: Column,
    /// What fills it.
    pub value: F,
}

/// The columns of as many fields, in order.
pub(crate) const fn columns<F: Copy, const N: usize>(fields: &[Field<F>]) -> [Column; N] {
    let mut columns = [fields[0].column; N];
    let mut k = 1;
    while k < N {
        columns[k] = fields[k].column;
        k += 1;
    }
    columns
}

/// A cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Words.
    Text(String),
    /// A finite number.
    Number(f64),
    /// A whole number.
    Integer(i64),
    /// Does not apply, or was not asked for.
    Missing,
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(text)
    }
}

impl From<f64> for Value {
    /// A number that is not finite is missing: no NaN ever reaches a file. Negative zero is zero.
    fn from(x: f64) -> Self {
        if x.is_finite() { Value::Number(x + 0.0) } else { Value::Missing }
    }
}

impl From<Option<f64>> for Value {
    fn from(x: Option<f64>) -> Self {
        x.map_or(Value::Missing, Value::from)
    }
}

impl From<usize> for Value {
    fn from(x: usize) -> Self {
        i64::try_from(x).map_or(Value::Missing, Value::Integer)
    }
}

impl From<u64> for Value {
    fn from(x: u64) -> Self {
        i64::try_from(x).map_or(Value::Missing, Value::Integer)
    }
}

/// A row of a table, without `run_id`.
pub type Row = Vec<Value>;

/// What one run leaves in the tables, except for what the experiment knows of it (its keys).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunRecord {
    /// Values of `METRICS`, in that order.
    pub metrics: Vec<Value>,
    /// Rows of all other tables.
    pub participants: Vec<Row>,
    /// Rows of `periods`.
    pub periods: Vec<Row>,
    /// Rows of `trades`.
    pub trades: Vec<Row>,
    /// Rows of `nodes`.
    pub nodes: Vec<Row>,
    /// Rows of `branches`.
    pub branches: Vec<Row>,
    /// Rows of `certificates`.
    pub certificates: Vec<Row>,
    /// Rows of `convergence`.
    pub convergence: Vec<Row>,
    /// Rows of `ledger`.
    pub ledger: Vec<Row>,
    /// Rows of `curves`.
    pub curves: Vec<Row>,
}

impl RunRecord {
    /// Rows of a table other than `runs`.
    pub fn rows(&self, table: Table) -> &[Row] {
        match table {
            Table::Runs => &[],
            Table::Participants => &self.participants,
            Table::Periods => &self.periods,
            Table::Trades => &self.trades,
            Table::Nodes => &self.nodes,
            Table::Branches => &self.branches,
            Table::Certificates => &self.certificates,
            Table::Convergence => &self.convergence,
            Table::Ledger => &self.ledger,
            Table::Curves => &self.curves,
        }
    }
}
