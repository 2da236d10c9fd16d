//! What can be typed for papers.

use clap::Args;
use std::path::PathBuf;

/// Prints BibTeX of what results rest on: the program, mechanisms, policies, devices and networks
///
/// Entries carry a comment that says what they are cited for. A source that has no entry is named in a comment.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coase cite results/side_by_side
  coase cite results/side_by_side > references.bib")]
pub struct Cite {
    /// Folder of the results
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

/// Prints the methods of a paper in LaTeX: the problem, devices, mechanisms, policies and figures that results rest on
///
/// Works are cited by the keys of `coase cite`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coase methods results/side_by_side > methods.tex
  coase cite results/side_by_side > references.bib")]
pub struct Methods {
    /// Folder of the results
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

/// Packs results for a paper: the experiment, its tables, references, and a hash of every file
///
/// The archive is the same, byte for byte, whenever and wherever the same results are packed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coase bundle results/side_by_side
  coase bundle results/side_by_side --out paper.tar.gz
  coase verify paper.tar.gz")]
pub struct Bundle {
    /// Folder of the results
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// The archive; by default the folder's name with `.tar.gz`
    #[arg(long, value_name = "FILE.tar.gz")]
    pub out: Option<PathBuf>,
}

/// Runs a bundle again and compares its tables byte for byte
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coase verify paper.tar.gz
  coase verify paper.tar.gz --out again         keeps what was run

Exit status: 0 every table is the same, 1 a table differs or a file is not the one that was packed, 2 bad input.")]
pub struct Verify {
    /// An archive of `coase bundle`
    #[arg(value_name = "FILE.tar.gz")]
    pub file: PathBuf,
    /// Where it is unpacked and run; by default a folder that is removed again
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Number of threads; by default as many as the machine has
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
}
