//! Files that users name: which are read, how much of them, and in which encoding.
//!
//! Knows bytes and characters, and nothing of what the text says.

use flate2::read::MultiGzDecoder;
use std::fs;
use std::io::Read;
use std::path::Path;

/// No file is read that is larger, packed or unpacked: 256 MiB. A year of quarters of an hour of 250 households has 70.
pub(crate) const LARGEST: u64 = 256 << 20;

/// The bytes of a regular file, unpacked where they are gzipped; `Err` is why not, in words.
pub(crate) fn bytes(path: &Path, largest: u64) -> Result<Vec<u8>, String> {
    let words = |error: std::io::Error| error.to_string();
    let about = fs::metadata(path).map_err(words)?;
    if about.is_dir() {
        return Err("it is a folder".to_owned());
    }
    // A pipe without a writer would be waited for without end, and some devices never end.
    if !about.is_file() {
        return Err("it is a pipe, a device or a socket, and only regular files are read".to_owned());
    }
    let too_large = |what: &str| Err(format!("it is {what} than {} MiB", largest >> 20));
    if about.len() > largest {
        return too_large("larger");
    }
    let mut packed = vec![];
    fs::File::open(path).map_err(words)?.take(largest + 1).read_to_end(&mut packed).map_err(words)?;
    if packed.len() as u64 > largest {
        return too_large("larger");
    }
    if !packed.starts_with(&[0x1f, 0x8b]) {
        return Ok(packed);
    }
    let mut content = vec![];
    MultiGzDecoder::new(&packed[..]).take(largest + 1).read_to_end(&mut content).map_err(words)?;
    if content.len() as u64 > largest { too_large("unpacked larger") } else { Ok(content) }
}

/// Bytes that are no text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Undecoded {
    /// What they are.
    pub(crate) what: String,
    /// What to do.
    pub(crate) advice: String,
    /// Line, from 1.
    pub(crate) line: usize,
    /// Column in characters, from 1.
    pub(crate) column: usize,
    /// The line, as far as it can be shown.
    pub(crate) text: String,
}

/// A text in UTF-8, without its byte order mark.
pub(crate) fn decoded(bytes: Vec<u8>) -> Result<String, Undecoded> {
    let begin = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    if let Some((what, advice)) = foreign(&bytes) {
        return Err(undecoded(&bytes, 0, what.to_owned(), advice.to_owned()));
    }
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        // Every other byte of Latin letters is 0 in UTF-16, with or without a byte order mark.
        let zeros = count(&bytes, 0);
        let (what, advice) = if 3 * zeros > bytes.len() { UTF_16 } else { BINARY };
        return Err(undecoded(&bytes, at, what.to_owned(), advice.to_owned()));
    }
    match String::from_utf8(bytes) {
        Ok(text) if begin == 0 => Ok(text),
        Ok(text) => Ok(text[begin..].to_owned()),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let bytes = error.into_bytes();
            let byte = bytes[at];
            let latin = if byte >= 0xa0 { format!(" (`{}` in Latin-1)", char::from(byte)) } else { String::new() };
            let advice = "the file is perhaps in Latin-1 or Windows-1252: save it as UTF-8 (Excel: `CSV UTF-8`; elsewhere \
                          `iconv -f WINDOWS-1252 -t UTF-8`)";
            Err(undecoded(&bytes, at, format!("the byte {byte:#04X} is not UTF-8{latin}"), advice.to_owned()))
        }
    }
}

const UTF_16: (&str, &str) =
    ("the text is in UTF-16", "save it as UTF-8 (Excel: `CSV UTF-8`; elsewhere `iconv -f UTF-16 -t UTF-8`)");
const BINARY: (&str, &str) = ("a NUL character is not text", "the file is damaged, or is no text file");

/// What is told by its first bytes to be something else.
fn foreign(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let begins = |magic: &[u8]| bytes.starts_with(magic);
    if begins(b"\xff\xfe") || begins(b"\xfe\xff") {
        return Some(UTF_16);
    }
    if begins(b"PK\x03\x04") || begins(b"\xd0\xcf\x11\xe0") {
        return Some((
            "this is a workbook or another archive, not text",
            "open it in Excel and save the sheet as `CSV UTF-8`",
        ));
    }
    begins(b"PAR1").then_some(("this is a Parquet file, not text", "write it as CSV"))
}

fn undecoded(bytes: &[u8], at: usize, what: String, advice: String) -> Undecoded {
    let start = bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |k| k + 1);
    let end = bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |k| at + k);
    let before = String::from_utf8_lossy(&bytes[start..at]);
    let shown: String = before.chars().chain(bytes[at..end].iter().map(|byte| char::from(*byte))).collect();
    let shown = shown.trim_start_matches('\u{feff}').chars().filter(|c| !c.is_control()).take(200).collect();
    let line = count(&bytes[..at], b'\n') + 1;
    Undecoded { what, advice, line, column: before.trim_start_matches('\u{feff}').chars().count() + 1, text: shown }
}

/// How often a byte occurs.
fn count(bytes: &[u8], wanted: u8) -> usize {
    bytes.split(|byte| *byte == wanted).count() - 1
}

/// Whether the bytes are text in an older encoding of one byte a character, as names and comments often are.
pub(crate) fn is_latin(bytes: &[u8]) -> bool {
    !bytes.contains(&0) && foreign(bytes).is_none() && std::str::from_utf8(bytes).is_err()
}

#[cfg(test)]
mod tests {
    use super::{bytes, decoded};
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;
    use std::path::PathBuf;

    fn file(name: &str, content: &[u8]) -> PathBuf {
        let path = std::env::temp_dir().join(format!("coase-file-{}-{name}", std::process::id()));
        std::fs::write(&path, content).unwrap();
        path
    }

    #[test]
    fn what_is_larger_than_allowed_is_not_read_packed_or_unpacked() {
        let plain = file("plain", &vec![b'1'; 3 << 20]);
        assert_eq!(bytes(&plain, 4 << 20).unwrap().len(), 3 << 20);
        assert_eq!(bytes(&plain, 2 << 20).unwrap_err(), "it is larger than 2 MiB");
        let mut zip = GzEncoder::new(vec![], Compression::best());
        zip.write_all(&vec![b'1'; 3 << 20]).unwrap();
        let packed = zip.finish().unwrap();
        assert!(packed.len() < 10_000);
        // What it is is told by its content, whatever its name.
        let bomb = file("bomb", &packed);
        assert_eq!(bytes(&bomb, 4 << 20).unwrap().len(), 3 << 20);
        assert_eq!(bytes(&bomb, 2 << 20).unwrap_err(), "it is unpacked larger than 2 MiB");
        std::fs::remove_file(plain).unwrap();
        std::fs::remove_file(bomb).unwrap();
    }

    #[test]
    fn other_encodings_are_named_with_their_place() {
        assert_eq!(decoded(b"\xef\xbb\xbfa".to_vec()).unwrap(), "a");
        let found = decoded(b"zeit,leistung\r\na,gr\xf6\xdfe\n".to_vec()).unwrap_err();
        assert_eq!((found.line, found.column, found.text.as_str()), (2, 5, "a,größe"));
        assert_eq!(found.what, "the byte 0xF6 is not UTF-8 (`ö` in Latin-1)");
        for (text, what) in [
            (&b"\xff\xfea\0b\0"[..], "UTF-16"),
            (b"\xfe\xff\0a\0b", "UTF-16"),
            (b"a\0b\0c\0", "UTF-16"),
            (b"load\n1\0\n", "NUL"),
            (b"PK\x03\x04..", "workbook"),
            (b"\x80", "0x80 is not UTF-8"),
        ] {
            let found = decoded(text.to_vec()).unwrap_err();
            assert!(found.what.contains(what), "{found:?}");
        }
    }
}
