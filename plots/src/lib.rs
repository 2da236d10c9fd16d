//! Figures and tables for papers from results, which [`coase_store`] reads from a folder or holds in memory.
//!
//! A figure is a display list in points ([`canvas`]) that axes, panels and legends fill; three sinks turn it into SVG,
//! PNG and PDF, the same bytes every time. This crate reads results and nothing else: it does not know how a number was
//! computed, which mechanisms exist, or what a terminal is.
//!
//! ```no_run
//! use coase_plots::{Format, draw, store::Store, tables};
//!
//! let dir = std::path::Path::new("results/side_by_side");
//! let store = Store::read(dir)?;
//! let report = draw(&store, dir, &[Format::Svg, Format::Pdf], &|done, total| eprintln!("{done} of {total}"))?;
//! for skipped in &report.skipped {
//!     eprintln!("no {}: {}", skipped.figure, skipped.reason);
//! }
//! tables(&store, dir)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! To add a kind of figure: a file in `figures` with a function from a [`study::Study`] to pictures, and a line in
//! [`figures::KINDS`]. What it draws must pass [`lint::lint`].

pub mod axis;
pub mod canvas;
pub mod color;
pub mod export;
mod fallback;
pub mod figure;
pub mod figures;
pub mod formula;
pub mod geometry;
pub mod identity;
pub mod ink;
mod language;
mod latex;
pub mod lint;
mod measure;
pub mod numbers;
pub mod panel;
pub mod place;
pub mod report;
pub mod store;
pub mod study;
pub mod style;
pub mod text;

mod designed;
mod draw;
mod facets;
mod footnote;
mod tables;
mod wanted;
mod words;

pub use draw::{Named, PlotError, Report, Skipped, check, draw, figure_files, pictures, write_page};
pub use export::Format;
pub use fallback::advice as advice_on_missing;
pub use footnote::Basis;
pub use tables::tables;
pub use text::missing_from_names;
