//! From a result store to files: every figure of every scenario, and the captions.

use crate::export::{Format, Meta, encode};
use crate::figures::{KINDS, Picture};
use crate::identity::Identity;
use crate::store::{Store, StoreError};
use crate::study::Study;
use crate::text::unmarked;
use rayon::prelude::*;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// What came out of a drawing.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Report {
    /// The files written, in the order of the figures.
    pub drawn: Vec<PathBuf>,
    pub skipped: Vec<Skipped>,
}

/// A figure that was not drawn.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Skipped {
    pub figure: String,
    pub scenario: String,
    pub reason: String,
}

/// Why nothing could be drawn or written.
#[derive(Debug, thiserror::Error)]
pub enum PlotError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{}: {source}", file.display())]
    Write { file: PathBuf, source: std::io::Error },
}

/// Draws all figures of the result store `dir` into `dir/figures`, in the given formats, and their captions into
/// `captions.md`. `progress` is told how many files of how many are done.
///
/// # Errors
/// A table that is missing or malformed, a file that cannot be written.
pub fn draw(dir: &Path, formats: &[Format], progress: &(dyn Fn(usize, usize) + Sync)) -> Result<Report, PlotError> {
    let store = Store::read(dir)?;
    let (pictures, skipped) = pictures(&store);
    let folder = dir.join("figures");
    std::fs::create_dir_all(&folder).map_err(|source| PlotError::Write { file: folder.clone(), source })?;
    let jobs: Vec<(&Named, Format)> = pictures.iter().flat_map(|p| formats.iter().map(move |f| (p, *f))).collect();
    let done = AtomicUsize::new(0);
    progress(0, jobs.len());
    let drawn = jobs
        .par_iter()
        .map(|(named, format)| {
            let meta = Meta {
                title: unmarked(&named.picture.title),
                description: unmarked(&named.picture.caption),
                experiment: store.manifest.experiment_hash.clone(),
            };
            let file = folder.join(&named.stem).with_extension(format.extension());
            write(&file, &encode(&named.picture.canvas, &meta, *format))?;
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, jobs.len());
            Ok(file)
        })
        .collect::<Result<Vec<PathBuf>, PlotError>>()?;
    write(&folder.join("captions.md"), captions(&pictures).as_bytes())?;
    Ok(Report { drawn, skipped })
}

/// A picture and the stem of its file name.
#[derive(Clone, PartialEq, Debug)]
pub struct Named {
    pub stem: String,
    pub picture: Picture,
}

/// All pictures of a store, and what is not drawn and why.
pub fn pictures(store: &Store) -> (Vec<Named>, Vec<Skipped>) {
    let identity = Identity::of(store);
    let studies = Study::all(store, &identity);
    let (mut drawn, mut skipped): (Vec<Named>, Vec<Skipped>) = (Vec::new(), Vec::new());
    for study in &studies {
        for kind in KINDS {
            match (kind.draw)(study) {
                Ok(pictures) => {
                    for picture in pictures {
                        let scenario = if studies.len() > 1 { study.scenario.as_str() } else { "" };
                        let parts = [kind.name, scenario, picture.qualifier.as_str()];
                        let stem = unused(&stem(&parts), &drawn);
                        drawn.push(Named { stem, picture });
                    }
                }
                Err(reason) => skipped.push(Skipped {
                    figure: kind.name.to_owned(),
                    scenario: study.scenario.clone(),
                    reason: reason.to_string(),
                }),
            }
        }
    }
    (drawn, skipped)
}

/// The parts joined by `-`, with nothing in them that a file name should not have.
pub(crate) fn stem(parts: &[&str]) -> String {
    let safe = |c: char| if c.is_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' };
    let named: Vec<String> = parts.iter().filter(|p| !p.is_empty()).map(|p| p.chars().map(safe).collect()).collect();
    named.join("-")
}

/// Two names may become one on their way into a file name.
fn unused(stem: &str, drawn: &[Named]) -> String {
    let taken = |s: &str| drawn.iter().any(|d| d.stem == s);
    let numbered = (2..).map(|i| format!("{stem}-{i}"));
    std::iter::once(stem.to_owned()).chain(numbered).find(|s| !taken(s)).expect("invariant: numbers do not run out")
}

fn captions(pictures: &[Named]) -> String {
    let mut out = String::from("# Captions\n");
    for named in pictures {
        let (title, caption) = (unmarked(&named.picture.title), unmarked(&named.picture.caption));
        let _ = write!(out, "\n**{}.** {title}. {caption}\n", named.stem);
    }
    out
}

pub(crate) fn write(file: &Path, bytes: &[u8]) -> Result<(), PlotError> {
    std::fs::write(file, bytes).map_err(|source| PlotError::Write { file: file.to_owned(), source })
}
