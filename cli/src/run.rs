//! `coase run` and `coase collect`: results, figures, and what they come to.

use crate::args::{Collect, Run};
use crate::progress::{RunBar, Show};
use crate::summary::Summary;
use crate::{Finish, console, offence::Offence, plot};
use anyhow::Context;
use coase_scenarios::{Existing, RunOptions, RunStatus, Store, StoreOptions};
use std::path::{Path, PathBuf};

/// Revision of the source, where it was under version control.
const REVISION: Option<&str> = option_env!("COASE_SOURCE_REVISION");

/// Runs an experiment into a store, draws it and says what came out.
pub fn run(args: &Run) -> anyhow::Result<Finish> {
    let experiment = coase_scenarios::load(&args.file, &args.set).map_err(Offence::from)?;
    let store = Store::create(folder(args))?;
    let show = if args.quiet { Show::Never } else { Show::OnTerminals };
    let bar = RunBar::new(show);
    let results = store.run(&experiment, &options(args), &bar);
    bar.finish();
    let results = match results {
        Ok(results) => results,
        Err(broken_off) => return Ok(broke_off(&broken_off.into())),
    };
    let answered = results.iter().all(|result| result.status.is_answer());
    // The figures of a part of an experiment are drawn when it has been collected.
    let reported = if args.shard.is_some() { Ok(()) } else { report(store.dir(), &experiment.baseline, show) };
    if let Err(wrong) = reported {
        return Ok(broke_off(&wrong));
    }
    Ok(if answered { Finish::Done } else { Finish::SomeFailed })
}

/// Builds the tables and figures of a store from the runs that are there.
pub fn collect(args: &Collect) -> anyhow::Result<Finish> {
    let store = Store::open(&args.folder)?;
    let found = store.collect()?;
    let text = std::fs::read_to_string(store.dir().join("manifest.json")).context("manifest.json")?;
    let manifest: serde_json::Value = serde_json::from_str(&text).context("manifest.json")?;
    report(store.dir(), manifest["baseline"].as_str().unwrap_or_default(), Show::OnTerminals)?;
    console::print(&format!("collected {} of {} runs\n", found.finished(), found.planned));
    let failures = [RunStatus::NotConverged, RunStatus::Infeasible, RunStatus::Failed];
    let failed: usize = failures.iter().map(|status| found.count(*status)).sum();
    Ok(if failed == 0 { Finish::Done } else { Finish::SomeFailed })
}

/// Draws the figures and prints the summary; where nothing is shown, only what went wrong, on standard error.
fn report(folder: &Path, baseline: &str, show: Show) -> anyhow::Result<()> {
    let drawn = plot::draw(folder, &coase_plots::Format::ALL, show)?;
    coase_plots::tables(folder)?;
    let summary = Summary::read(folder)?;
    if show == Show::Never {
        console::error(&summary.problems());
        return Ok(());
    }
    let figures = if drawn.drawn.is_empty() { "" } else { " (figures in `figures`, tables for papers in `tables`)" };
    console::print(&format!("{}results in {}{figures}\n", summary.text(baseline), folder.display()));
    Ok(())
}

fn broke_off(wrong: &anyhow::Error) -> Finish {
    console::failure(wrong);
    Finish::SomeFailed
}

fn folder(args: &Run) -> PathBuf {
    let stem = || args.file.file_stem().map_or_else(|| "experiment".into(), PathBuf::from);
    args.out.clone().unwrap_or_else(|| Path::new("results").join(stem()))
}

fn options(args: &Run) -> StoreOptions {
    StoreOptions {
        run: RunOptions { jobs: args.jobs.map(usize::from), shard: args.shard },
        existing: match (args.fresh, args.retry_failed) {
            (true, _) => Existing::Fresh,
            (false, true) => Existing::RetryFailed,
            (false, false) => Existing::Reuse,
        },
        source_revision: REVISION.map(str::to_owned),
    }
}
