//! The rows of a run in every table but `runs`: a file per table, with every column beside the function that fills it.

pub(super) mod branches;
pub(super) mod certificates;
mod contract;
pub(super) mod convergence;
pub(super) mod curves;
pub(super) mod ledger;
pub(super) mod nodes;
pub(super) mod participants;
pub(super) mod periods;
pub(super) mod trades;

pub use periods::DeviceColumns;

use crate::table::{Column, Table, integer};

/// The key of tables of what physically happens, and of what follows from it: they have rows for every realisation. What is
/// decided before (trades, the mechanism's iterations) and what is measured over all (participants, certificates) has none.
const REALISATION: Column =
    integer("realisation", "Number of the drawn realisation, from 0; 0 where nothing is drawn.");

/// The realisation that is measured: nothing is drawn.
const ONLY: usize = 0;

/// The columns of a table but `runs`, after `run_id`.
pub(crate) fn columns(table: Table) -> Vec<&'static Column> {
    match table {
        Table::Runs => vec![],
        Table::Participants => participants::COLUMNS.iter().collect(),
        Table::Periods => periods::COLUMNS.iter().chain(DeviceColumns::all().iter()).collect(),
        Table::Trades => trades::COLUMNS.iter().collect(),
        Table::Nodes => nodes::COLUMNS.iter().collect(),
        Table::Branches => branches::COLUMNS.iter().collect(),
        Table::Certificates => certificates::COLUMNS.iter().collect(),
        Table::Convergence => convergence::COLUMNS.iter().collect(),
        Table::Ledger => ledger::COLUMNS.iter().collect(),
        Table::Curves => curves::COLUMNS.iter().collect(),
    }
}
