//! What can be typed for figures and pages.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Draws the figures of stored results again
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coase plot results/side_by_side
  coase plot results/side_by_side --format pdf
  coase plot results/side_by_side --kind change,voltage --width-mm 88.9
  coase plot results/side_by_side --spec house_style.ron")]
pub struct Plot {
    /// Folder of the results
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Formats, separated by commas
    #[arg(long, value_delimiter = ',', default_value = "svg,pdf,png")]
    pub format: Vec<FigureFormat>,
    /// File `Figures(..)` that says which figures are drawn and how; not given: as the experiment says
    #[arg(long, value_name = "FILE")]
    pub spec: Option<PathBuf>,
    /// Kinds of figures that are drawn, separated by commas: `coase list figures`
    #[arg(long, value_delimiter = ',', value_name = "KIND")]
    pub kind: Vec<String>,
    /// Width in print of every figure: 88.9 is a column of a journal, 181.9 a page
    #[arg(long, value_name = "MM")]
    pub width_mm: Option<f64>,
}

/// A file format of figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FigureFormat {
    Svg,
    Pdf,
    Png,
}

/// Writes the page of stored results, `report.html`, again
///
/// One file that can be read, sorted and printed in a browser without anything else: what the experiment found, every run, all
/// figures, claims, methods and where it comes from. `coase run`, `coase collect` and `coase plot` write it too.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coase report results/side_by_side")]
pub struct Report {
    /// Folder of the results
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

/// Puts two result folders side by side: runs that differ first, then what only one has
///
/// Runs are the same where scenario, mechanism, policy, swept values and seed are. Figures that differ by less than a millionth
/// are equal. The page `comparison.html` in DIR_B has all of it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coase compare results/before results/after
  coase compare results/before results/after --json

Exit status: 0 both are compared, whatever differs; 2 one of them holds no results.")]
pub struct Compare {
    /// Folder of the results that others are compared with
    #[arg(value_name = "DIR_A")]
    pub a: PathBuf,
    /// Folder of the other results
    #[arg(value_name = "DIR_B")]
    pub b: PathBuf,
    /// Prints JSON, and writes a page only where it is named
    #[arg(long)]
    pub json: bool,
    /// Where the page goes; by default DIR_B/comparison.html
    #[arg(long, value_name = "FILE.html")]
    pub html: Option<PathBuf>,
}

/// Runs the experiments of the library and writes a page with a card for each, every kind of figure and every paper
///
/// The page is `index.html` in the folder; beside it lie the results of every experiment. The page is checked: every card has a
/// picture, and every link leads somewhere.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coase gallery --periods 4                   quickly: horizons are cut
  coase gallery side_by_side three_vpp --out two_of_them

Exit status: 0 the page is whole, 1 a card has no picture or a link leads nowhere (each is named), 2 bad input.")]
pub struct Gallery {
    /// Only these experiments of the library, by their names; all of them if left out
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Cuts every horizon to so many periods
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub periods: Option<u32>,
    /// Leaves out the view by kind of figure, which runs experiments of its own
    #[arg(long)]
    pub no_kinds: bool,
    /// Folder of the pages of results, from which papers are read
    #[arg(long, value_name = "DIR", default_value = "docs")]
    pub docs: PathBuf,
    /// Folder of the gallery
    #[arg(long, value_name = "DIR", default_value = "gallery")]
    pub out: PathBuf,
}

/// Writes the pages of `docs` that report results, from their templates and the library's experiments
///
/// Numbers, tables and claims of a page are expressions in its template, `docs/pages/NAME.md`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coase pages                 writes them, figures included
  coase pages file-format     writes one
  coase pages --check         says which are stale, or claim what their runs deny

Exit status: 0 all pages are as their runs find, 1 a page is stale or denied, 2 bad input.")]
pub struct Pages {
    /// Only these pages, by their names; all of them if left out
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Writes nothing and says what is wrong
    #[arg(long)]
    pub check: bool,
    /// Folder of the pages; their templates are in `pages` below it
    #[arg(long, value_name = "DIR", default_value = "docs")]
    pub docs: PathBuf,
    /// Folder of the experiments that templates name
    #[arg(long, value_name = "DIR", default_value = "scenarios/library")]
    pub library: PathBuf,
    /// Where the runs are kept
    #[arg(long, value_name = "DIR", default_value = "results/pages")]
    pub out: PathBuf,
}
