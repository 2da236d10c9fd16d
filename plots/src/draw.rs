//! From a result store to files: every figure of every scenario, and the captions.

use crate::canvas::Op;
use crate::export::{Format, Meta, encode};
use crate::figures::{KINDS, Picture};
use crate::identity::Identity;
use crate::store::Store;
use crate::study::Study;
use crate::text::unmarked;
use coase_store::StoreError;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// What came out of a drawing.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Report {
    /// The files written, in the order of the figures.
    pub drawn: Vec<PathBuf>,
    /// The file with their captions.
    pub captions: PathBuf,
    pub skipped: Vec<Skipped>,
    /// Characters of labels that no font has.
    pub missing: Vec<char>,
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

/// Draws all figures of some results into `dir/figures`, in the given formats, and their captions into `captions.md`.
/// `progress` is told how many files of how many are done.
///
/// # Errors
/// A run file that cannot be read any more, a file that cannot be written.
pub fn draw(
    store: &Store,
    dir: &Path,
    formats: &[Format],
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Report, PlotError> {
    let (pictures, skipped) = pictures(store);
    store.failure()?;
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
                experiment: store.data().manifest().experiment_hash.clone(),
            };
            let file = folder.join(&named.stem).with_extension(format.extension());
            write(&file, &encode(&named.picture.canvas, &meta, *format))?;
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, jobs.len());
            Ok(file)
        })
        .collect::<Result<Vec<PathBuf>, PlotError>>()?;
    let file = folder.join("captions.md");
    write(&file, captions(&pictures).as_bytes())?;
    Ok(Report { drawn, captions: file, skipped, missing: missing(&pictures) })
}

/// Characters that no font has, each once.
fn missing(pictures: &[Named]) -> Vec<char> {
    let ops = pictures.iter().flat_map(|named| &named.picture.canvas.ops);
    let labels = ops.filter_map(|op| if let Op::Text(label) = op { Some(&label.text) } else { None });
    labels.flat_map(|text| crate::text::missing(text)).collect::<BTreeSet<char>>().into_iter().collect()
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
    let asked: Vec<_> = studies.iter().flat_map(|study| KINDS.iter().map(move |kind| (study, kind))).collect();
    let answers: Vec<_> = asked.par_iter().map(|(study, kind)| (kind.draw)(study)).collect();
    for ((study, kind), answer) in asked.into_iter().zip(answers) {
        match answer {
            Ok(pictures) => {
                for picture in pictures {
                    let scenario = if studies.len() > 1 { study.scenario.as_str() } else { "" };
                    let parts = [kind.name, scenario, picture.qualifier.as_str()];
                    let stem = unused(&stem(&parts), |taken| drawn.iter().any(|d| taken(&d.stem)));
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
    (drawn, skipped)
}

/// Bytes of a stem: with an ending, and what a file on its way has behind it, far from the 255 that file systems take, and
/// leaving room for folders where paths may have 260.
const LONGEST: usize = 96;

/// The parts joined by `-`, with nothing in them that a file name should not have on any system. What is too long is cut, and
/// ends in a hash of the whole.
pub(crate) fn stem(parts: &[&str]) -> String {
    let safe = |c: char| if c.is_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' };
    let named: Vec<String> = parts.iter().filter(|p| !p.is_empty()).map(|p| p.chars().map(safe).collect()).collect();
    let whole = named.join("-");
    if whole.len() <= LONGEST {
        return whole;
    }
    let end = format!("-{:08x}", fnv(parts.join("\0").as_bytes()));
    let room = LONGEST - end.len();
    let cut = (0..=room).rev().find(|k| whole.is_char_boundary(*k)).unwrap_or(0);
    format!("{}{end}", &whole[..cut])
}

/// A short hash (Fowler, Noll and Vo's 1a, 64 bits, folded to 32).
fn fnv(bytes: &[u8]) -> u32 {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3));
    (hash >> 32) as u32 ^ hash as u32
}

/// Two names may become one on their way into a file name, or on a file system that does not tell small letters from
/// capitals; `among` asks whether any name taken answers a question.
pub(crate) fn unused(stem: &str, among: impl Fn(&dyn Fn(&str) -> bool) -> bool) -> String {
    let taken = |candidate: &str| {
        let lower = candidate.to_lowercase();
        among(&|name: &str| name.to_lowercase() == lower)
    };
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

/// Writes a file that is whole or not there: beside its place, then moved into it.
pub(crate) fn write(file: &Path, bytes: &[u8]) -> Result<(), PlotError> {
    let name = file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let beside = file.with_file_name(format!("{name}.tmp.{}", std::process::id()));
    std::fs::write(&beside, bytes).and_then(|()| std::fs::rename(&beside, file)).map_err(|source| {
        // What is said is why; that half a file is left over as well helps nobody.
        let _ = std::fs::remove_file(&beside);
        PlotError::Write { file: file.to_owned(), source }
    })
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, stem, unused};

    #[test]
    fn stems_have_nothing_that_a_file_system_refuses() {
        assert_eq!(stem(&["gain_split", "", "a/b:c*.d"]), "gain_split-a_b_c__d");
        assert_eq!(stem(&["dispatch", "..\\x", "村庄"]), "dispatch-___x-村庄");
        for long in ["x".repeat(300), "村".repeat(300), format!("{}é", "y".repeat(86))] {
            let cut = stem(&["dispatch", &long]);
            assert!(cut.len() <= LONGEST && cut.starts_with("dispatch-"), "{cut}");
            // Names that differ far behind stay apart.
            assert_ne!(cut, stem(&["dispatch", &format!("{long}z")]));
            assert_eq!(cut, stem(&["dispatch", &long]));
        }
        assert_eq!(stem(&[&"x".repeat(LONGEST)]), "x".repeat(LONGEST));
    }

    #[test]
    fn names_that_become_one_are_numbered_whatever_their_case() {
        let taken = ["a_b", "a_b-2", "Other"];
        let fresh = |name: &str| unused(name, |is| taken.iter().any(|t| is(t)));
        assert_eq!(
            (fresh("a_b"), fresh("A_B"), fresh("other"), fresh("c")),
            ("a_b-3".into(), "A_B-3".into(), "other-2".into(), "c".into())
        );
    }
}
