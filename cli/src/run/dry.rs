//! `coase run --dry-run`: what would be run, how long it would take, and what its draws could show.

use crate::console;
use anyhow::Context;
use coase_core::record::Value;
use coase_scenarios::{Experiment, Pilot, Run, RunOptions};
use coase_store::{Build, Store, as_played};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

/// How long runs are tried.
const TIME: Duration = Duration::from_secs(15);
/// Rows of the run table that are printed from its beginning.
const SHOWN: usize = 20;

/// Prints the run table and the estimates; nothing stays on disk.
pub fn dry_run(experiment: &Experiment, options: &RunOptions) -> anyhow::Result<()> {
    console::print(&table(experiment));
    let pilot = experiment.pilot(TIME, options)?;
    let threads =
        options.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get));
    console::print(&estimate(experiment, &pilot, threads, size(experiment, &pilot)?));
    Ok(())
}

/// The beginning and the end of the run table.
fn table(experiment: &Experiment) -> String {
    let mut rows: Vec<Vec<String>> = vec![];
    let swept = experiment.swept();
    let head = ["run", "scenario", "mechanism", "carbon"].into_iter().chain(swept).chain(["seed"]);
    rows.push(head.map(str::to_owned).collect());
    let row = |k: usize, run: &Run| {
        let swept = run.swept.iter().map(cell);
        let head = [
            (k + 1).to_string(),
            run.scenario.clone(),
            as_played(&run.variant, &run.reporting),
            run.carbon_label.clone(),
        ];
        head.into_iter().chain(swept).chain([run.seed.to_string()]).collect::<Vec<_>>()
    };
    let n = experiment.runs.len();
    rows.extend(experiment.runs.iter().take(SHOWN).enumerate().map(|(k, run)| row(k, run)));
    if n > SHOWN + 1 {
        rows.push(vec!["..".to_owned(); rows[0].len()]);
    }
    if n > SHOWN {
        rows.push(row(n - 1, &experiment.runs[n - 1]));
    }
    let width = |c: usize| rows.iter().map(|row| row[c].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let line: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        let _ = writeln!(text, "{}", line.join("  ").trim_end());
    }
    text
}

fn cell(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Number(x) => x.to_string(),
        Value::Integer(x) => x.to_string(),
        Value::Missing => String::new(),
    }
}

/// Bytes that a run takes on disk, tables and its own file together, from those of the pilot.
fn size(experiment: &Experiment, pilot: &Pilot) -> anyhow::Result<Option<u64>> {
    if pilot.results.is_empty() {
        return Ok(None);
    }
    let folder = std::env::temp_dir().join(format!("coase-dry-run-{}", std::process::id()));
    let measured = || -> anyhow::Result<u64> {
        let store = Store::create(folder.clone())?;
        let build = Build { version: String::new(), source_revision: None, program_hash: None };
        for result in &pilot.results {
            store.keep(&build, result)?;
        }
        experiment.tables(&pilot.results).write(&folder)?;
        bytes_in(&folder)
    };
    let found = measured();
    std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    Ok(Some(found? / pilot.results.len() as u64))
}

fn bytes_in(folder: &Path) -> anyhow::Result<u64> {
    let mut sum = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let about = entry.metadata()?;
        sum += if about.is_dir() { bytes_in(&entry.path())? } else { about.len() };
    }
    Ok(sum)
}

fn estimate(experiment: &Experiment, pilot: &Pilot, threads: usize, bytes_a_run: Option<u64>) -> String {
    let (n, tried) = (experiment.runs.len(), pilot.results.len());
    let mut text = String::new();
    let mut line = |words: String| {
        let _ = writeln!(text, "{words}");
    };
    line(String::new());
    let count = |of: &dyn Fn(&Run) -> &str| {
        experiment.runs.iter().map(|run| of(run)).collect::<std::collections::BTreeSet<_>>().len()
    };
    line(format!(
        "{n} runs: {} scenarios, {} mechanisms, {} policies, {} seeds",
        count(&|run| &run.scenario),
        count(&|run| &run.variant),
        count(&|run| &run.carbon_label),
        experiment.seeds.len()
    ));
    if tried == 0 {
        line(format!("no run was finished within {} s: no estimate", TIME.as_secs()));
        return text;
    }
    // Mechanisms take very different times: each counts with its own mean.
    let mut by_mechanism: BTreeMap<&str, (f64, usize)> = BTreeMap::new();
    for result in &pilot.results {
        let Some(timing) = result.timing else { continue };
        let entry = by_mechanism.entry(&result.keys.variant).or_default();
        entry.0 += (timing.build + timing.mechanism + timing.evaluation).as_secs_f64();
        entry.1 += 1;
    }
    let mean = pilot.busy.as_secs_f64() / tried as f64;
    let of = |run: &Run| by_mechanism.get(run.variant.as_str()).map_or(mean, |(sum, n)| sum / *n as f64);
    let seconds = experiment.runs.iter().map(|run| of(run)).sum::<f64>() / threads as f64;
    line(format!("time: {} on {threads} threads (from {tried} runs that were tried)", duration(seconds)));
    if let Some(bytes) = bytes_a_run {
        line(format!("size: about {:.1} MB in the result folder, without figures", (bytes * n as u64) as f64 / 1e6));
    }
    for result in pilot.results.iter().filter(|result| !result.status.is_answer()) {
        let keys = &result.keys;
        let (who, under, at) = (&keys.variant, &keys.carbon_label, &keys.scenario);
        line(format!("warning: {who} under {under} in {at}: {}: {}", result.status.name(), result.reason));
    }
    if experiment.seeds.len() > 1 {
        line(format!(
            "smallest mean differences that {} draws show (power 0.8, level 0.05, paired by draw):",
            experiment.seeds.len()
        ));
    }
    for found in &pilot.detectable {
        let (metric, who, base, at) = (found.metric, &found.variant, &found.baseline, &found.at);
        let tried = found.pilot_draws;
        let said = match found.difference {
            None => format!("not known from {tried} tried draws"),
            Some(0.0) => format!("any: the difference is the same in all {tried} tried draws"),
            Some(x) => format!("{} (from the spread of {tried} tried draws)", significant(x)),
        };
        line(format!("  {metric}, {who} against {base}, at most where {at}: {said}"));
    }
    text
}

/// Three digits: more are not known.
fn significant(x: f64) -> String {
    format!("{x:.2e}").parse::<f64>().map_or_else(|_| x.to_string(), |x| x.to_string())
}

fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 1.0 => "less than a second".to_owned(),
        s if s < 120.0 => format!("about {s:.0} s"),
        s if s < 7200.0 => format!("about {:.0} min", s / 60.0),
        s => format!("about {:.1} h", s / 3600.0),
    }
}
