//! The runs of an experiment at the points of its box of parameters: one result for every point of the design.

use crate::identity::Identity;
use crate::store::Store;
use coase_core::statistics::sensitivity::{Findings, Sensitivity};
use coase_store::RunStatus;
use std::collections::BTreeMap;

/// A study of what results hinge on, with its points.
pub(crate) struct Designed<'a> {
    pub study: &'a Sensitivity,
    /// Where the parameters stand among the swept ones.
    columns: Vec<usize>,
    /// The points in the order of the design.
    points: Vec<Vec<f64>>,
    /// In order of appearance.
    pub cells: Vec<Cell<'a>>,
}

/// The runs of one scenario, mechanism, policy and point of the other sweeps.
pub(crate) struct Cell<'a> {
    pub scenario: &'a str,
    /// Place in the identity.
    pub mechanism: usize,
    /// Place in the identity.
    pub policy: usize,
    /// The swept parameters with their values, those of the box empty.
    pub others: Vec<String>,
    /// Whether it has any of the parameters.
    pub varies: bool,
    /// Runs at every point, one for each seed; none where one has no answer.
    runs: Vec<Vec<usize>>,
}

impl<'a> Designed<'a> {
    /// That of a store; `None` where its experiment has no box.
    pub fn of(store: &'a Store, identity: &Identity) -> Option<Designed<'a>> {
        let study = store.data().manifest().sensitivity.as_ref()?;
        let column = |path: &String| store.sweeps.iter().position(|swept| swept == path);
        let columns: Vec<usize> = study.over.iter().map(|p| column(&p.path)).collect::<Option<_>>()?;
        let points = study.points();
        let key = |values: &mut dyn Iterator<Item = f64>| values.map(f64::to_bits).collect::<Vec<u64>>();
        let mut places: BTreeMap<Vec<u64>, Vec<usize>> = BTreeMap::new();
        for (k, point) in points.iter().enumerate() {
            places.entry(key(&mut point.iter().copied())).or_default().push(k);
        }
        let mut cells: Vec<Cell<'a>> = vec![];
        let mut failed: Vec<Vec<bool>> = vec![];
        for (run, row) in store.runs.iter().enumerate() {
            let (Some(mechanism), Some(policy)) =
                (identity.mechanism(&row.variant), identity.policy(&row.carbon_label))
            else {
                continue;
            };
            let mut others = row.sweep.clone();
            for column in &columns {
                others[*column].clear();
            }
            let varies = columns.iter().any(|column| !row.sweep[*column].is_empty());
            let same = |cell: &Cell| {
                (cell.scenario, cell.mechanism, cell.policy) == (&row.scenario, mechanism, policy)
                    && cell.others == others
            };
            let place = cells.iter().position(same).unwrap_or_else(|| {
                let runs = vec![vec![]; points.len()];
                cells.push(Cell { scenario: &row.scenario, mechanism, policy, others, varies, runs });
                failed.push(vec![false; points.len()]);
                cells.len() - 1
            });
            let values = columns.iter().map(|column| row.sweep[*column].parse().unwrap_or(f64::NAN));
            let at = if varies {
                places.get(&key(&mut values.into_iter())).cloned().unwrap_or_default()
            } else {
                (0..points.len()).collect()
            };
            for k in at {
                if row.status == RunStatus::Converged {
                    cells[place].runs[k].push(run);
                } else {
                    failed[place][k] = true;
                }
            }
        }
        for (cell, failed) in cells.iter_mut().zip(failed) {
            for (runs, failed) in cell.runs.iter_mut().zip(failed) {
                if failed {
                    runs.clear();
                }
            }
        }
        Some(Designed { study, columns, points, cells })
    }

    /// Number of points.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Whether a swept parameter is one of the box.
    pub fn has_column(&self, column: usize) -> bool {
        self.columns.contains(&column)
    }

    /// What the results of a cell hinge on; `None` where a point has no answer, or nothing varies.
    pub fn findings(&self, store: &Store, cell: &Cell, metric: &str) -> Option<Findings> {
        let results: Vec<f64> = cell.results(store, metric).into_iter().collect::<Option<_>>()?;
        if cell.varies { self.study.findings(&results).ok() } else { None }
    }
}

impl Cell<'_> {
    /// The result at every point, the mean over the seeds; `None` where some seed has no answer.
    pub fn results(&self, store: &Store, metric: &str) -> Vec<Option<f64>> {
        let mean = |runs: &Vec<usize>| {
            let values: Option<Vec<f64>> = runs.iter().map(|run| store.metric(*run, metric)).collect();
            values.filter(|v| !v.is_empty()).map(|v| v.iter().sum::<f64>() / v.len() as f64)
        };
        self.runs.iter().map(mean).collect()
    }
}
