//! Results as typed rows, and the facts about their scenarios: read from a folder or from tables in memory by
//! [`coase_store`]. Runs and participants are held; the other tables, which grow with periods and buses, are read run by run
//! when a figure asks for them.
//!
//! Must not know what a figure needs or how a result came about.

mod rows;

pub use rows::{
    BranchRow, CertificateRow, CurveRows, DeviceColumn, IterationRow, LedgerRow, NodeRow, ParticipantRow, PeriodRow,
    PriceParts, Run, TradeRow,
};

use coase_core::record::{Kind, METRICS, Table};
use coase_store::{Choices, Dataset, Facts, Figures, Names, StoreError, Tables};
use rayon::prelude::*;
use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Runs whose periods are held.
const HELD: usize = 4;

/// Results that are drawn. Rows name their run by its place in `runs`, and stand in the order of the tables.
#[derive(Debug)]
pub struct Store {
    /// The columns of metrics of `runs`, in order.
    pub metrics: Vec<String>,
    /// The swept parameters: columns between the fixed ones and the metrics.
    pub sweeps: Vec<String>,
    /// The device kinds of `periods`, in order of their columns.
    pub devices: Vec<DeviceColumn>,
    pub runs: Vec<Run>,
    pub participants: Vec<ParticipantRow>,
    /// How its figures are drawn.
    pub figures: Figures,
    data: Dataset,
    /// The periods of the runs that were asked for last, the latest behind: every participant asks in turn, and figures are
    /// drawn side by side.
    last: Mutex<Vec<(usize, Arc<Vec<PeriodRow>>)>>,
    /// The first run file that could not be read while figures were drawn.
    failed: Mutex<Option<StoreError>>,
}

impl Store {
    /// Reads a result store.
    ///
    /// # Errors
    /// A folder that is none, or a run file that cannot be read.
    pub fn read(dir: &Path) -> Result<Store, StoreError> {
        Self::over(Dataset::open(dir)?)
    }

    /// Tables in memory, which need no folder.
    pub fn of(tables: Tables) -> Store {
        // Nothing is read, so that nothing can fail.
        Self::over(Dataset::Memory(tables)).unwrap_or_else(|never| unreachable!("{never}"))
    }

    /// Results wherever they are.
    ///
    /// # Errors
    /// If a run file cannot be read.
    pub fn over(data: Dataset) -> Result<Store, StoreError> {
        let frame = data.runs();
        let (sweeps, runs) = rows::runs(frame);
        let of_run = |run| Ok(rows::participants(run, &data.rows(Table::Participants, run)?));
        let participants: Vec<Vec<ParticipantRow>> =
            (0..runs.len()).into_par_iter().map(of_run).collect::<Result<_, StoreError>>()?;
        let participants = participants.into_iter().flatten().collect();
        Ok(Store {
            metrics: METRICS.iter().map(|column| column.name.to_owned()).collect(),
            sweeps,
            devices: rows::devices(),
            runs,
            participants,
            figures: data.manifest().figures.clone(),
            data,
            last: Mutex::default(),
            failed: Mutex::default(),
        })
    }

    /// The same, with its figures drawn in another way.
    pub fn drawn_as(self, figures: Figures) -> Store {
        Store { figures, ..self }
    }

    /// What its figures can be about.
    pub fn names(&self) -> Names {
        let mut names = Names {
            metrics: METRICS.iter().filter(|c| c.kind != Kind::Text).map(|c| c.name.to_owned()).collect(),
            swept: self.sweeps.iter().map(|path| (path.clone(), vec![])).collect(),
            ..Names::default()
        };
        fn add<T: PartialEq>(list: &mut Vec<T>, new: T) {
            if !list.contains(&new) {
                list.push(new);
            }
        }
        for run in &self.runs {
            add(&mut names.scenarios, run.scenario.clone());
            add(&mut names.mechanisms, run.variant.clone());
            add(&mut names.policies, run.carbon_label.clone());
            add(&mut names.seeds, run.seed);
            for ((_, values), value) in names.swept.iter_mut().zip(&run.sweep) {
                if !value.is_empty() {
                    add(values, value.clone());
                }
            }
        }
        let mut known = HashSet::new();
        let ids = self.participants.iter().map(|row| &row.participant);
        names.participants = ids.filter(|id| known.insert(id.as_str())).cloned().collect();
        names
    }

    /// Where they come from.
    pub fn data(&self) -> &Dataset {
        &self.data
    }

    /// A metric of a run by the name of its column; `None` where it is empty or no such column exists.
    pub fn metric(&self, run: usize, name: &str) -> Option<f64> {
        let column = self.metrics.iter().position(|m| m == name)?;
        self.runs[run].metrics[column]
    }

    /// What the manifest says about a scenario; nothing where it does not know it.
    pub fn facts(&self, scenario: &str) -> Facts {
        self.data.manifest().scenarios.get(scenario).cloned().unwrap_or_default()
    }

    /// How social cost is counted in a scenario.
    pub fn choices(&self, scenario: &str) -> Option<&Choices> {
        self.data.manifest().choices.iter().find(|choices| choices.scenario == scenario)
    }

    /// The periods of all participants in a run.
    pub fn periods(&self, run: usize) -> Arc<Vec<PeriodRow>> {
        let last = || self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, rows)) = last().iter().find(|(known, _)| *known == run) {
            return rows.clone();
        }
        let rows = Arc::new(self.rows(Table::Periods, run, rows::periods));
        let mut held = last();
        if held.len() == HELD {
            held.remove(0);
        }
        held.push((run, rows.clone()));
        rows
    }

    /// Who sold to whom in a run.
    pub fn trades(&self, run: usize) -> Vec<TradeRow> {
        self.rows(Table::Trades, run, rows::trades)
    }

    /// The buses of a run's network in every period.
    pub fn nodes(&self, run: usize) -> Vec<NodeRow> {
        self.rows(Table::Nodes, run, rows::nodes)
    }

    /// The branches of a run's network in every period.
    pub fn branches(&self, run: usize) -> Vec<BranchRow> {
        self.rows(Table::Branches, run, rows::branches)
    }

    /// What was checked and measured of a run.
    pub fn certificates(&self, run: usize) -> Vec<CertificateRow> {
        self.rows(Table::Certificates, run, rows::certificates)
    }

    /// The payments of a run.
    pub fn ledger(&self, run: usize) -> Vec<LedgerRow> {
        self.rows(Table::Ledger, run, rows::ledger)
    }

    /// The curves that explain a run's outcome, where they were asked for.
    pub fn curves(&self, run: usize) -> Vec<CurveRows> {
        self.rows(Table::Curves, run, rows::curves)
    }

    /// The recorded iterations of a run, in order.
    pub fn iterations(&self, run: usize) -> Vec<IterationRow> {
        self.rows(Table::Convergence, run, rows::iterations)
    }

    /// Rows of a run; none where they cannot be read, which [`Store::failure`] tells.
    fn rows<T>(&self, table: Table, run: usize, typed: fn(&coase_store::Frame) -> Vec<T>) -> Vec<T> {
        match self.data.rows(table, run) {
            Ok(frame) => typed(&frame),
            Err(error) => {
                self.failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                Vec::new()
            }
        }
    }

    /// The first run file that could not be read meanwhile: figures drawn without it are wrong.
    ///
    /// # Errors
    /// If there was one.
    pub(crate) fn failure(&self) -> Result<(), StoreError> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
    }
}
