//! `coase plot`, and the figures at the end of a run.

use crate::Finish;
use crate::args::{FigureFormat, Plot};
use crate::console;
use crate::progress::{Show, bar};
use coase_plots::{Format, Report};
use coase_store::Store;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Draws the figures of a result store again.
pub fn plot(args: &Plot) -> anyhow::Result<Finish> {
    let store = Store::open(&args.folder)?;
    let formats: Vec<Format> = args.format.iter().map(|f| f.of_plots()).collect();
    let held = store.hold()?;
    let results = coase_plots::store::Store::read(store.dir())?;
    let report = draw(&results, store.dir(), &formats, Show::OnTerminals)?;
    let page = crate::report::write(&results, store.dir(), &report.pictures, &report.skipped)?;
    held.set_made(
        report.drawn.iter().chain(&report.sources).chain([&report.captions, &page]).map(PathBuf::as_path),
        false,
        None,
    )?;
    let mut text = format!("{} files in {}\n", report.drawn.len(), args.folder.join("figures").display());
    for skipped in &report.skipped {
        writeln!(text, "not drawn: {} of {}: {}", skipped.figure, skipped.scenario, skipped.reason)?;
    }
    console::print(&text);
    tell_missing(&report);
    Ok(Finish::Done)
}

/// Says which characters of labels are boxes in the figures, and what to install.
pub fn tell_missing(report: &Report) {
    if !report.missing.is_empty() {
        console::error(&format!("note: {}\n", coase_plots::advice_on_missing(&report.missing)));
    }
}

/// Draws figures of some results into a folder.
pub fn draw(
    results: &coase_plots::store::Store,
    folder: &Path,
    formats: &[Format],
    show: Show,
) -> anyhow::Result<Report> {
    let bar = bar(show, "figures");
    let report = coase_plots::draw(results, folder, formats, &|done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    Ok(report?)
}

impl FigureFormat {
    fn of_plots(self) -> Format {
        match self {
            FigureFormat::Svg => Format::Svg,
            FigureFormat::Pdf => Format::Pdf,
            FigureFormat::Png => Format::Png,
        }
    }
}
