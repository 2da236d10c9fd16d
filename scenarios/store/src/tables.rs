//! Tables in memory, from results that no folder holds.

use crate::abatement::Bases;
use crate::collect::Writer;
use crate::error::StoreError;
use crate::frame::{Frame, Head};
use crate::manifest::Manifest;
use crate::result::RunResult;
use crate::run_file::run_row;
use crate::whole::create_dir;
use coase_core::record::Table;
use std::collections::BTreeMap;
use std::path::Path;

/// The tables of an experiment, with what its manifest says of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tables {
    manifest: Manifest,
    frames: BTreeMap<Table, Frame>,
    /// Where the rows of every run begin, and where those of the last end.
    starts: BTreeMap<Table, Vec<usize>>,
}

impl Tables {
    /// The tables of results. Rows stand in the order of the manifest's runs; a run without a result has none.
    pub fn of(manifest: Manifest, results: &[RunResult]) -> Self {
        let by_id: BTreeMap<&str, &RunResult> = results.iter().map(|r| (r.run_id.as_str(), r)).collect();
        let swept = manifest.swept_heads();
        let frame = |table: Table| Frame::new(std::iter::once(Head::run_id()).chain(Head::all(table, &swept)));
        let mut frames: BTreeMap<Table, Frame> = Table::ALL.into_iter().map(|table| (table, frame(table))).collect();
        let mut starts: BTreeMap<Table, Vec<usize>> = Table::ALL.into_iter().map(|table| (table, vec![0])).collect();
        let heads = Head::all(Table::Runs, &swept);
        let mut bases = Bases::default();
        for planned in &manifest.runs {
            let Some(result) = by_id.get(planned.run_id.as_str()) else { continue };
            let mut run = (*result).clone().without_rows();
            bases.fill(planned, &mut run, |id| by_id.get(id).map(|base| (*base).clone().without_rows()));
            for (table, frame) in &mut frames {
                if *table == Table::Runs {
                    let mut row = Frame::new(heads.clone());
                    row.push(&run_row(&heads, &planned.swept_values(), &run));
                    frame.append(&planned.run_id, &row);
                } else {
                    frame.append(&planned.run_id, &Frame::of_rows(*table, result.record.rows(*table)));
                }
                starts.entry(*table).or_default().push(frame.len());
            }
        }
        Self { manifest, frames, starts }
    }

    /// What was run.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// A table, with `run_id` in front.
    pub fn frame(&self, table: Table) -> &Frame {
        static NONE: Frame = Frame::NONE;
        self.frames.get(&table).unwrap_or(&NONE)
    }

    /// The rows of one run in a table, without `run_id`; the run by its row in `runs`.
    pub fn rows(&self, table: Table, run: usize) -> Frame {
        let starts = self.starts.get(&table).map_or(&[][..], Vec::as_slice);
        let ends = starts.get(run).zip(starts.get(run + 1));
        ends.map_or_else(Frame::default, |(from, to)| self.frame(table).part(*from, *to))
    }

    /// Writes the tables into a folder, as a store has them.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, dir: &Path) -> Result<(), StoreError> {
        create_dir(dir)?;
        let mut writer = Writer::new(dir, &self.manifest, &Table::ALL)?;
        let runs = self.frame(Table::Runs);
        for (run, row) in runs.rows().enumerate() {
            for table in Table::ALL {
                writer.rows(table, row.word("run_id"), &self.rows(table, run))?;
            }
        }
        writer.finish().map(|_| ())
    }
}
