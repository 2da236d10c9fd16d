//! From a result store to files: every figure of every scenario, and the captions.

use crate::canvas::Op;
use crate::export::{Format, Meta, encode, pgf};
use crate::figures::{Absent, KINDS, Kind, Picture};
use crate::identity::Identity;
use crate::language;
use crate::latex::{self, FURTHER, sets};
use crate::store::Store;
use crate::study::{Study, Wanted};
use crate::style::{MM, ONE_COLUMN_MM, TWO_COLUMNS_MM};
use crate::text::{literal, unmarked};
use coase_store::{ALL, Drawing, Facets, Figures, KindOfFigure, Names, StoreError, WrongFigures};
use rayon::prelude::*;
use std::borrow::Cow;
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
    /// For papers: the data of figures (CSV), figures in pgfplots, and all of them with captions and labels (`figures.tex`).
    pub sources: Vec<PathBuf>,
    pub skipped: Vec<Skipped>,
    /// Characters of labels that no font has.
    pub missing: Vec<char>,
    /// What was drawn.
    pub pictures: Vec<Named>,
}

/// A figure that was not drawn.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Skipped {
    pub figure: String,
    pub scenario: String,
    pub reason: String,
    /// Whether the user asked for just this one.
    pub is_wanted: bool,
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
    write(&file, captions(&pictures, &skipped).as_bytes())?;
    let sources = sources(&pictures, &folder)?;
    Ok(Report { drawn, captions: file, sources, skipped, missing: missing(&pictures), pictures })
}

/// Writes what papers are made from: the data of every figure, the figure in pgfplots, and a file with all figures, their
/// captions and labels.
fn sources(pictures: &[Named], folder: &Path) -> Result<Vec<PathBuf>, PlotError> {
    let of = |named: &Named| -> Result<Vec<PathBuf>, PlotError> {
        let canvas = &named.picture.canvas;
        let mut written = vec![];
        for (extension, text) in [("csv", canvas.numbers.csv()), ("tex", pgf(canvas))] {
            if !text.is_empty() {
                let file = folder.join(format!("{}.{extension}", named.stem));
                write(&file, text.as_bytes())?;
                written.push(file);
            }
        }
        Ok(written)
    };
    let written = pictures.par_iter().map(of).collect::<Result<Vec<_>, PlotError>>()?;
    let all = folder.join("figures.tex");
    write(&all, in_latex(pictures).as_bytes())?;
    Ok(written.into_iter().flatten().chain([all]).collect())
}

/// All figures as LaTeX floats.
fn in_latex(pictures: &[Named]) -> String {
    let mut out = String::from(
        "% Every figure with its caption and label: copy what you need. Where the files are: \\graphicspath{{results/NAME/figures/}}\n\
         % \\usepackage{graphicx}\n",
    );
    let said = |named: &Named| named.picture.in_print();
    if pictures.iter().any(|named| unmarked(&said(named)).chars().any(|c| !sets(c))) {
        out.push_str(FURTHER);
    }
    for named in pictures {
        // Wider than a column is as wide as a page.
        let environment = if named.picture.canvas.width > 260.0 { "figure*" } else { "figure" };
        // Journals' columns and pages differ by fractions of a millimetre: what is drawn for one is set as wide as it.
        let drawn_for = [ONE_COLUMN_MM, TWO_COLUMNS_MM].map(|mm| mm * MM);
        let is_for = drawn_for.iter().any(|width| (named.picture.canvas.width / width - 1.0).abs() < 0.01);
        let size = if is_for { "[width=\\linewidth]" } else { "" };
        let (caption, label) = (latex::label(&said(named)), latex::reference(&named.stem));
        let _ = write!(
            out,
            "\n\\begin{{{environment}}}[tbp]\n\\centering\n\\includegraphics{size}{{{}.pdf}}\n\\caption{{{caption}}}\n\\label{{fig:{label}}}\n\
             \\end{{{environment}}}\n",
            named.stem
        );
    }
    out
}

/// The files in the folder `figures` of some results, by their names, in alphabetical order; none where there is no folder.
pub fn figure_files(dir: &Path) -> Vec<String> {
    let there = std::fs::read_dir(dir.join("figures")).into_iter().flatten().flatten();
    let mut names: Vec<String> = there.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_unstable();
    names
}

/// Writes a page into a folder, whole or not at all; says where it is.
///
/// # Errors
/// If it cannot be written.
pub fn write_page(dir: &Path, name: &str, html: &str) -> Result<PathBuf, PlotError> {
    let file = dir.join(name);
    write(&file, html.as_bytes())?;
    Ok(file)
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
    /// The kind of figure that it is of.
    pub kind: &'static str,
    pub scenario: String,
    pub picture: Picture,
}

/// Whether all that is wanted of figures can be asked of what they are to be about.
///
/// # Errors
/// The first thing that cannot.
pub fn check(figures: &Figures, names: &Names) -> Result<(), WrongFigures> {
    let kinds: Vec<KindOfFigure> = KINDS.iter().map(Kind::facts).collect();
    figures.check(&kinds, names)
}

/// All pictures of a store, as its figures are wanted, and what is not drawn and why.
pub fn pictures(store: &Store) -> (Vec<Named>, Vec<Skipped>) {
    let identity = Identity::of(store);
    let wishes = wishes(store, &identity);
    let several = wishes.iter().any(|wish| wish.study.scenario != wishes[0].study.scenario);
    let answers: Vec<_> = wishes.par_iter().map(|wish| wish.answer(&store.figures)).collect();
    let (mut drawn, mut skipped): (Vec<Named>, Vec<Skipped>) = (Vec::new(), Vec::new());
    for (wish, answer) in wishes.into_iter().zip(answers) {
        match answer {
            Ok(pictures) => {
                for mut picture in pictures {
                    let scenario = if several { wish.study.scenario.as_str() } else { "" };
                    let name = wish.drawing.name.as_deref().unwrap_or(wish.kind.name);
                    let stem = unused(&stem(&[name, scenario, picture.qualifier.as_str()]), |taken| {
                        drawn.iter().any(|d| taken(&d.stem))
                    });
                    if let Some(title) = &wish.drawing.title {
                        picture.title = literal(title);
                    }
                    drawn.push(Named { stem, kind: wish.kind.name, scenario: wish.study.scenario.clone(), picture });
                }
            }
            Err(reason) => skipped.push(Skipped {
                figure: wish.drawing.name.as_deref().unwrap_or(wish.kind.name).to_owned(),
                scenario: wish.study.scenario.clone(),
                reason: reason.to_string(),
                is_wanted: wish.is_wanted,
            }),
        }
    }
    (drawn, skipped)
}

/// A kind of figure that is drawn of a study.
struct Wish<'a> {
    kind: &'static Kind,
    drawing: Cow<'a, Drawing>,
    /// Whether the user asked for just this.
    is_wanted: bool,
    study: Study<'a>,
}

impl Wish<'_> {
    fn answer(&self, figures: &Figures) -> Result<Vec<Picture>, Absent> {
        language::speaking(figures, || (self.kind.draw)(&self.study))
    }
}

/// What is drawn, in order: what the user lists, or every kind of every scenario.
fn wishes<'a>(store: &'a Store, identity: &'a Identity) -> Vec<Wish<'a>> {
    let figures = &store.figures;
    let every = Drawing { kind: ALL.to_owned(), ..Drawing::default() };
    let listed: Vec<Cow<Drawing>> = if figures.draw.is_empty() {
        vec![Cow::Owned(every)]
    } else {
        figures.draw.iter().map(Cow::Borrowed).collect()
    };
    let mut wishes = vec![];
    for drawing in listed {
        let wanted = Wanted::of(&drawing, figures, store, identity);
        let mut scenarios = Study::scenarios(store);
        scenarios.retain(|name| drawing.scenarios.is_empty() || drawing.scenarios.iter().any(|known| known == name));
        if drawing.facets == Some(Facets::Scenarios) {
            scenarios.truncate(1);
        }
        for scenario in scenarios {
            let study = Study::of(store, identity, scenario, wanted.clone()).faceted();
            let is_wanted = drawing.kind != ALL;
            let kinds = KINDS.iter().filter(|kind| if is_wanted { kind.name == drawing.kind } else { !kind.on_demand });
            wishes.extend(kinds.map(|kind| Wish { kind, drawing: drawing.clone(), is_wanted, study: study.clone() }));
        }
    }
    wishes
}

/// Bytes of a stem: with an ending, and what a file on its way has behind it, far from the 255 that file systems take, and
/// leaving room for folders where paths may have 260.
const LONGEST: usize = 96;

/// The parts joined by `-`, with nothing in them that a file name should not have on any system. What is too long is cut, and
/// ends in a hash of the whole.
pub(crate) fn stem(parts: &[&str]) -> String {
    // What has no place in a name is one stroke, however long, and none at its beginning.
    let safe = |part: &&str| {
        let pieces = part.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-')));
        let joined = pieces.filter(|piece| !piece.is_empty()).collect::<Vec<_>>().join("_");
        if joined.is_empty() { "_".to_owned() } else { joined }
    };
    let named: Vec<String> = parts.iter().filter(|p| !p.is_empty()).map(safe).collect();
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

fn captions(pictures: &[Named], skipped: &[Skipped]) -> String {
    let mut out = String::from("# Captions\n");
    for named in pictures {
        let _ = write!(out, "\n**{}.** {}\n", named.stem, unmarked(&named.picture.in_print()));
    }
    if !skipped.is_empty() {
        out.push_str("\n# Not drawn\n\n");
        let scenarios: BTreeSet<&str> = skipped.iter().map(|skipped| skipped.scenario.as_str()).collect();
        for Skipped { figure, scenario, reason, .. } in skipped {
            let of = if scenarios.len() > 1 { format!(" of {scenario}") } else { String::new() };
            let _ = writeln!(out, "- {figure}{of}: {reason}");
        }
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
        assert_eq!(stem(&["gain_split", "", "a/b:c*.d"]), "gain_split-a_b_c_d");
        assert_eq!(stem(&["dispatch", "..\\x", "村庄"]), "dispatch-x-村庄");
        assert_eq!(stem(&["dispatch", "??"]), "dispatch-_");
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
