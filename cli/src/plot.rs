//! `coase plot`, and the figures at the end of a run.

use crate::Finish;
use crate::args::{FigureFormat, Plot};
use crate::console;
use coase_plots::{Format, Report};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::fmt::Write;
use std::io::IsTerminal;
use std::path::Path;

/// Draws the figures of a result store again.
pub fn plot(args: &Plot) -> anyhow::Result<Finish> {
    anyhow::ensure!(args.folder.join("runs.csv").is_file(), "`{}` holds no results", args.folder.display());
    let report = draw(&args.folder, &args.format, Draw::Shown)?;
    let mut text = format!("{} files in {}\n", report.drawn.len(), args.folder.join("figures").display());
    for skipped in &report.skipped {
        writeln!(text, "not drawn: {} of {}: {}", skipped.figure, skipped.scenario, skipped.reason)?;
    }
    console::print(&text);
    Ok(Finish::Done)
}

/// Whether progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draw {
    /// Where standard error is a terminal.
    Shown,
    /// Not at all.
    Silent,
}

/// Draws figures of a result store.
pub fn draw(folder: &Path, formats: &[FigureFormat], progress: Draw) -> anyhow::Result<Report> {
    let bar = bar(progress, "figures");
    let formats: Vec<Format> = formats.iter().map(|f| f.of_plots()).collect();
    let report = coase_plots::draw(folder, &formats, &|done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    Ok(report?)
}

/// A progress bar on standard error, if that is a terminal.
pub fn bar(progress: Draw, what: &str) -> ProgressBar {
    let hidden = progress == Draw::Silent || !std::io::stderr().is_terminal();
    let target = if hidden { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let style = ProgressStyle::with_template("{prefix} [{bar:40}] {pos}/{len} {wide_msg}");
    let bar = ProgressBar::with_draw_target(Some(0), target).with_prefix(what.to_owned());
    style.map_or(bar.clone(), |style| bar.with_style(style.progress_chars("=> ")))
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
