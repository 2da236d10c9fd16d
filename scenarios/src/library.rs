//! The scenarios and experiments that come with the program.

/// A file of the library.
#[derive(Clone, Copy, Debug)]
pub struct LibraryFile {
    /// File name without extension.
    pub id: &'static str,
    /// What it is, in a line.
    pub summary: &'static str,
    /// Its text, with its sources in a comment.
    pub text: &'static str,
}

/// Every file of the library, small ones first.
pub const LIBRARY: &[LibraryFile] = &[LibraryFile {
    id: "three_vpp",
    summary: "three quadratic agents, one period, no network: every mechanism can be checked by hand",
    text: include_str!("../library/three_vpp.ron"),
}];

/// The file with an id, with or without `.ron`.
pub fn library_file(name: &str) -> Option<&'static LibraryFile> {
    let id = name.strip_suffix(".ron").unwrap_or(name);
    LIBRARY.iter().find(|file| file.id == id)
}
