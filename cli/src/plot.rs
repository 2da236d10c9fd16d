//! `coase plot`, and the figures at the end of a run.

use crate::args::{FigureFormat, Plot};
use crate::offence::Offence;
use crate::progress::{Show, bar};
use crate::{Finish, console};
use anyhow::anyhow;
use coase_plots::{Format, Report};
use coase_scenarios::{WrittenFigures, nearest};
use coase_store::{Drawing, Figures, Names, Store, WrongFigure};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Draws the figures of a result store again.
pub fn plot(args: &Plot) -> anyhow::Result<Finish> {
    let store = Store::open(&args.folder)?;
    let formats: Vec<Format> = args.format.iter().map(|f| f.of_plots()).collect();
    let held = store.hold()?;
    let results = coase_plots::store::Store::read(store.dir())?;
    let figures = wanted(args, &results)?;
    let is_asked = figures != results.figures;
    let results = results.drawn_as(figures);
    let report = draw(&results, store.dir(), &formats, Show::OnTerminals)?;
    let page = crate::report::write(&results, store.dir(), &report.pictures, &report.skipped)?;
    held.set_made(
        report.drawn.iter().chain(&report.sources).chain([&report.captions, &page]).map(PathBuf::as_path),
        // Other formats of the same figures stay, and no figure that was drawn in another way.
        if is_asked { |file| file.starts_with("figures/") } else { |_| false },
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

/// How the figures are drawn: as a file says, as the experiment said, or as the arguments do.
fn wanted(args: &Plot, results: &coase_plots::store::Store) -> anyhow::Result<Figures> {
    let names = results.names();
    let mut figures = match &args.spec {
        Some(file) => {
            let written = WrittenFigures::read(file).map_err(Offence::from)?;
            check(&written, &names)?;
            written.figures().clone()
        }
        None => results.figures.clone(),
    };
    if !args.kind.is_empty() {
        figures.draw = args.kind.iter().map(|kind| Drawing { kind: kind.clone(), ..Drawing::default() }).collect();
    }
    figures.width_mm = args.width_mm.or(figures.width_mm);
    coase_plots::check(&figures, &names).map_err(|wrong| match wrong.what {
        WrongFigure::Unknown { kind, name, known } => {
            let meant = nearest(&name, known.iter().map(String::as_str));
            let meant = meant.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            anyhow!("there is no {kind} `{name}`{meant} (`coase list figures` shows all kinds)")
        }
        WrongFigure::Value { field, found, expected } => anyhow!("{field} is {found}, expected {expected}"),
    })?;
    Ok(figures)
}

/// Whether what is written of figures can be asked of what they are to be about.
pub fn check(written: &WrittenFigures, names: &Names) -> Result<(), Offence> {
    coase_plots::check(written.figures(), names).map_err(|wrong| Offence::from(written.fault(wrong)))
}

/// What the user asked for and is not drawn, and what else is not drawn of what there could be.
pub fn tell_skipped(report: &Report) {
    for skipped in report.skipped.iter().filter(|skipped| skipped.is_wanted) {
        console::error(&format!("note: not drawn: {} of {}: {}\n", skipped.figure, skipped.scenario, skipped.reason));
    }
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
