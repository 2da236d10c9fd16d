//! The tables, collected from the run files in the order of the experiment. Every table is written, if only its header.

use super::abatement::Bases;
use super::manifest::{Plan, PlannedRun, Swept};
use super::run_file::{self, Keys, RunFileError, Stored};
use super::whole::WholeFile;
use super::{Left, Store, StoreError, Summary};
use crate::run::RunResult;
use coase_core::record::{Column, Kind, METRICS, RUN_KEYS, Row, Table, Value};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A column of a written table.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) name: String,
    #[cfg_attr(not(feature = "parquet"), expect(dead_code, reason = "CSV has no types"))]
    pub(super) kind: Kind,
}

/// Collects what is there and proves itself to be of this plan and of the build that the manifest names.
pub(super) fn collect(store: &Store, plan: &Plan) -> Result<Summary, StoreError> {
    let mut writers = Table::ALL
        .iter()
        .map(|table| Writer::new(store.dir(), *table, &heads(*table, plan)))
        .collect::<Result<Vec<_>, _>>()?;
    let mut summary = Summary { planned: plan.runs.len(), ..Summary::default() };
    let mut bases = Bases::default();
    let build = plan.build();
    let mut programs = BTreeSet::new();
    for planned in &plan.runs {
        let path = store.run_path(&planned.run_id);
        let of_this_build = |stored: Option<Stored>| match stored {
            Some(Stored { build: found, .. }) if found.source() != build.source() => {
                Err(RunFileError::Build { found: Box::new(found), expected: Box::new(build.clone()) })
            }
            stored => Ok(stored),
        };
        let Stored { build: made_by, keys, mut result } =
            match run_file::read(&path, &planned.run_id).and_then(of_this_build) {
                Ok(Some(stored)) => stored,
                Ok(None) => {
                    summary.missing.push(Left { run: planned.name.clone(), path, why: None });
                    continue;
                }
                Err(why) => {
                    summary.missing.push(Left { run: planned.name.clone(), path, why: Some(why) });
                    continue;
                }
            };
        programs.insert(made_by);
        summary.add(result.status);
        bases.fill(store, &build, planned, &mut result);
        for (table, writer) in Table::ALL.iter().zip(&mut writers) {
            if *table == Table::Runs {
                writer.row(&planned.run_id, &run_row(&keys, planned, &result))?;
            }
            for row in result.record.rows(*table) {
                writer.row(&planned.run_id, row)?;
            }
        }
    }
    summary.programs = programs.len();
    // All are on the disk before the first is moved. The runs come last: rows of runs that are not among them are refused by
    // every reader, runs without rows are not.
    let files = writers.into_iter().map(Writer::finish).collect::<Result<Vec<_>, _>>()?;
    files.into_iter().flatten().rev().try_for_each(WholeFile::keep)?;
    Ok(summary)
}

/// Columns of a table after `run_id`.
fn heads(table: Table, plan: &Plan) -> Vec<Head> {
    let head = |column: &Column| Head { name: column.name.to_owned(), kind: column.kind };
    if table != Table::Runs {
        return table.columns().into_iter().map(head).collect();
    }
    let swept = plan.swept.iter().enumerate().map(|(k, path)| {
        let is_number = |run: &PlannedRun| !matches!(run.swept.get(k), Some(Some(Swept::Text(_))));
        let kind = if plan.runs.iter().all(is_number) { Kind::Number } else { Kind::Text };
        Head { name: path.clone(), kind }
    });
    RUN_KEYS.iter().map(head).chain(swept).chain(METRICS.iter().map(head)).collect()
}

/// A row of `runs`: the keys in the order of [`RUN_KEYS`], the swept values, the metrics.
fn run_row(keys: &Keys, planned: &PlannedRun, result: &RunResult) -> Row {
    let key = |column: &Column| match column.name {
        "scenario" => keys.scenario.as_str().into(),
        "mechanism" => keys.mechanism.as_str().into(),
        "variant" => keys.variant.as_str().into(),
        "carbon_policy" => keys.carbon_policy.as_str().into(),
        "carbon_label" => keys.carbon_label.as_str().into(),
        "seed" => keys.seed.into(),
        "status" => result.status.name().into(),
        "reason" if result.reason.is_empty() => Value::Missing,
        "reason" => result.reason.as_str().into(),
        "residual" => result.residual.into(),
        "behaviour" => result.behaviour.as_str().into(),
        "information" => result.information.as_str().into(),
        _ => Value::Missing,
    };
    let swept = planned.swept.iter().map(|value| match value {
        Some(Swept::Number(number)) => Value::from(*number),
        Some(Swept::Text(text)) => text.as_str().into(),
        None => Value::Missing,
    });
    RUN_KEYS.iter().map(key).chain(swept).chain(result.record.metrics.iter().cloned()).collect()
}

/// A cell as text: the shortest that reads back the same, nothing where nothing is known.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Number(number) => {
            let (plain, scientific) = (number.to_string(), format!("{number:e}"));
            if scientific.len() < plain.len() { scientific } else { plain }
        }
        Value::Missing => String::new(),
    }
}

/// One table in its forms, written beside its place and moved into it at the end.
struct Writer {
    path: PathBuf,
    csv: csv::Writer<WholeFile>,
    #[cfg(feature = "parquet")]
    parquet: super::parquet_file::ParquetTable,
}

impl Writer {
    fn new(dir: &Path, table: Table, heads: &[Head]) -> Result<Self, StoreError> {
        let path = dir.join(format!("{}.csv", table.name()));
        let failed = |source| StoreError::Write { path: path.clone(), source };
        let mut csv = csv::Writer::from_writer(WholeFile::create(&path)?);
        let names = std::iter::once("run_id").chain(heads.iter().map(|h| h.name.as_str()));
        csv.write_record(names).map_err(|e| failed(e.into()))?;
        Ok(Self {
            #[cfg(feature = "parquet")]
            parquet: super::parquet_file::ParquetTable::new(path.with_extension("parquet"), table.name(), heads)?,
            path,
            csv,
        })
    }

    fn row(&mut self, run_id: &str, row: &Row) -> Result<(), StoreError> {
        let cells = std::iter::once(run_id.to_owned()).chain(row.iter().map(text));
        let failed = |e: csv::Error| StoreError::Write { path: self.path.clone(), source: e.into() };
        self.csv.write_record(cells).map_err(failed)?;
        #[cfg(feature = "parquet")]
        self.parquet.row(run_id, row)?;
        Ok(())
    }

    /// The whole files, which have still to be moved into their places.
    fn finish(self) -> Result<Vec<WholeFile>, StoreError> {
        let failed = |source| StoreError::Write { path: self.path.clone(), source };
        Ok(vec![
            self.csv.into_inner().map_err(|e| failed(e.into_error()))?.sync()?,
            #[cfg(feature = "parquet")]
            self.parquet.finish()?,
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::text;
    use coase_core::record::Value;

    #[test]
    fn numbers_are_the_shortest_text_that_reads_back_the_same() {
        for (number, expected) in [
            (0.1, "0.1"),
            (3.0, "3"),
            (1e300, "1e300"),
            (-2.5e-9, "-2.5e-9"),
            (-0.0, "0"),
            (1e6, "1e6"),
            (1234.5, "1234.5"),
        ] {
            let written = text(&Value::from(number));
            assert_eq!(written, expected);
            assert_eq!(written.parse::<f64>(), Ok(number));
        }
        assert_eq!(text(&Value::from(f64::NAN)), "");
        assert_eq!(text(&Value::Integer(7)), "7");
    }
}
