//! `timings.csv`: wall time of the runs that were made, the only table that two identical runs do not share. Every shard
//! keeps its own file.

use super::whole::write_whole;
use super::{Store, StoreError};
use crate::experiment::Experiment;
use crate::run::{RunResult, Shard};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

const HEADER: &str = "run_id,build_s,mechanism_s,evaluation_s";

/// Adds the times of these runs to those of the experiment's other runs that are there.
pub(super) fn write(
    store: &Store,
    experiment: &Experiment,
    shard: Option<Shard>,
    results: &[RunResult],
) -> Result<(), StoreError> {
    let name = shard.map_or_else(
        || "timings.csv".to_owned(),
        |shard| format!("timings-{}-of-{}.csv", shard.index(), shard.count()),
    );
    let path = store.dir().join(name);
    // A result that was there already keeps the time it took when it was made.
    let old = fs::read_to_string(&path).unwrap_or_default();
    let planned: BTreeSet<&str> = experiment.runs.iter().map(|run| run.run_id.as_str()).collect();
    let mut rows: BTreeMap<String, String> = old
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(','))
        .filter(|(id, _)| planned.contains(id))
        .map(|(id, times)| (id.to_owned(), times.to_owned()))
        .collect();
    for result in results {
        if let Some(timing) = result.timing {
            let [build, mechanism, evaluation] =
                [timing.build, timing.mechanism, timing.evaluation].map(|d| d.as_secs_f64());
            rows.insert(result.run_id.clone(), format!("{build:.6},{mechanism:.6},{evaluation:.6}"));
        }
    }
    let mut text = format!("{HEADER}\n");
    for (id, times) in rows {
        let _ = writeln!(text, "{id},{times}");
    }
    write_whole(&path, text.as_bytes())
}
