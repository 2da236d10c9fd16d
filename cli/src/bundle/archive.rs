//! Archives whose bytes depend on nothing but the files in them.

use anyhow::Context;
use flate2::read::GzDecoder;
use flate2::{Compression, GzBuilder};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::Path;

/// Files by path, as bytes.
pub type Files = Vec<(String, Vec<u8>)>;

/// The hash of a file, as `sha256sum` prints it.
pub fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Writes an archive beside its place and moves it there.
pub fn pack(out: &Path, folder: &str, files: &Files) -> anyhow::Result<()> {
    let said = || format!("{}: cannot be written", out.display());
    let beside = out.with_extension(format!("tmp.{}", std::process::id()));
    let written = File::create(&beside).map_err(anyhow::Error::from).and_then(|file| {
        // No time and no name: the same files are the same archive.
        let gz = GzBuilder::new().mtime(0).write(BufWriter::new(file), Compression::default());
        let mut archive = tar::Builder::new(gz);
        for (path, bytes) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            archive.append_data(&mut header, format!("{folder}/{path}"), bytes.as_slice())?;
        }
        archive.into_inner()?.finish()?.flush()?;
        Ok(std::fs::rename(&beside, out)?)
    });
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written.with_context(said)
}

/// Reads an archive; paths are those below its folder.
pub fn unpack(file: &Path) -> anyhow::Result<Files> {
    let said = || format!("{}: cannot be read as a bundle of `coase bundle`", file.display());
    let mut archive = tar::Archive::new(GzDecoder::new(File::open(file).with_context(said)?));
    let mut files = vec![];
    for entry in archive.entries().with_context(said)? {
        let mut entry = entry.with_context(said)?;
        let path = entry.path().with_context(said)?.to_string_lossy().into_owned();
        let below = path.split_once('/').map_or(path.as_str(), |(_, below)| below).to_owned();
        let mut bytes = vec![];
        entry.read_to_end(&mut bytes).with_context(said)?;
        files.push((below, bytes));
    }
    Ok(files)
}

/// Files that are not those of the list, or are not there.
pub fn damaged(hashes: &str, files: &Files) -> Vec<String> {
    let lines = hashes.lines().filter_map(|line| line.split_once("  "));
    let is_damaged =
        |(hashed, path): &(&str, &str)| !files.iter().any(|(name, bytes)| name == path && hash(bytes) == *hashed);
    lines.filter(is_damaged).map(|(_, path)| path.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::{damaged, hash};

    /// The value that the standard (FIPS 180-4) gives for `abc`.
    #[test]
    fn hashes_are_those_of_the_standard() {
        assert_eq!(hash(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn changed_and_missing_files_are_named() {
        let files = vec![("a".to_owned(), b"abc".to_vec()), ("b".to_owned(), b"x".to_vec())];
        let list = format!("{0}  a\n{0}  b\n{0}  c\n", hash(b"abc"));
        assert_eq!(damaged(&list, &files), ["b", "c"]);
    }
}
