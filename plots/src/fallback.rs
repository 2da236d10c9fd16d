//! Fonts of the system, for characters that the embedded font does not have.
//!
//! They are looked for only once such a character is drawn. Which one serves a character depends on the fonts that are
//! there and on nothing else. `COASE_FONTS` names the folders to look in instead of the usual ones.

use ab_glyph::{Font, FontRef};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, OnceLock};

/// A face of a font file, loaded when it is first drawn with.
#[derive(Debug)]
pub struct SystemFace {
    path: PathBuf,
    index: u32,
    /// What it has, as ranges of code points in order.
    ranges: Vec<(u32, u32)>,
    loaded: OnceLock<Option<Loaded>>,
}

#[derive(Debug)]
struct Loaded {
    data: Vec<u8>,
    em: f64,
}

/// Bytes beyond which a file is not looked into.
const LARGEST: u64 = 128 << 20;
/// Files beyond which no more are looked at, and folders within folders.
const MOST_FILES: usize = 5000;
const DEEPEST: usize = 8;

static FACES: LazyLock<Vec<SystemFace>> = LazyLock::new(|| faces_in(&folders()));
static SERVES: LazyLock<Mutex<BTreeMap<char, Option<usize>>>> = LazyLock::new(Mutex::default);

/// The position of the face that has a character.
pub fn serving(c: char) -> Option<usize> {
    let mut known = SERVES.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    *known.entry(c).or_insert_with(|| {
        let has = |face: &SystemFace| face.has(c) && face.font().is_some_and(|font| font.glyph_id(c).0 != 0);
        FACES.iter().position(has)
    })
}

/// The face at a position that [`serving`] gave.
pub fn face(position: usize) -> &'static SystemFace {
    &FACES[position]
}

impl SystemFace {
    fn has(&self, c: char) -> bool {
        let c = u32::from(c);
        let after = self.ranges.partition_point(|range| range.0 <= c);
        after > 0 && c <= self.ranges[after - 1].1
    }

    fn loaded(&self) -> Option<&Loaded> {
        self.loaded
            .get_or_init(|| {
                let data = std::fs::read(&self.path).ok()?;
                let em = f64::from(FontRef::try_from_slice_and_index(&data, self.index).ok()?.units_per_em()?);
                Some(Loaded { data, em })
            })
            .as_ref()
    }

    /// The font; `None` where its file has gone since it was found.
    pub fn font(&self) -> Option<FontRef<'_>> {
        FontRef::try_from_slice_and_index(&self.loaded()?.data, self.index).ok()
    }

    /// The bytes of its file and its place in them, for embedding.
    pub fn data(&self) -> Option<(&[u8], u32)> {
        self.loaded().map(|loaded| (loaded.data.as_slice(), self.index))
    }

    /// Font units per em.
    pub fn units_per_em(&self) -> f64 {
        self.loaded().map_or(1000.0, |loaded| loaded.em)
    }
}

/// Where systems keep their fonts.
fn folders() -> Vec<PathBuf> {
    if let Some(named) = std::env::var_os("COASE_FONTS") {
        return std::env::split_paths(&named).filter(|folder| !folder.as_os_str().is_empty()).collect();
    }
    let mut folders: Vec<PathBuf> =
        ["/usr/share/fonts", "/usr/local/share/fonts", "/System/Library/Fonts", "/Library/Fonts"]
            .into_iter()
            .map(PathBuf::from)
            .collect();
    let below = |variable: &str, parts: &[&str]| {
        let base = std::env::var_os(variable).filter(|base| !base.is_empty()).map(PathBuf::from);
        base.map(|base| parts.iter().fold(base, |folder, part| folder.join(part)))
    };
    let own = [
        below("HOME", &[".local", "share", "fonts"]),
        below("HOME", &[".fonts"]),
        below("HOME", &["Library", "Fonts"]),
        below("XDG_DATA_HOME", &["fonts"]),
        below("WINDIR", &["Fonts"]),
        below("LOCALAPPDATA", &["Microsoft", "Windows", "Fonts"]),
    ];
    folders.extend(own.into_iter().flatten());
    folders
}

/// Every face with outlines that may be embedded, those that suit a figure first.
fn faces_in(folders: &[PathBuf]) -> Vec<SystemFace> {
    let mut files = BTreeSet::new();
    for folder in folders {
        collect(folder, 0, &mut files);
    }
    let mut faces: Vec<(u32, SystemFace)> = files.into_iter().flat_map(|path| faces_of(&path)).collect();
    faces.sort_by(|a, b| (a.0, &a.1.path, a.1.index).cmp(&(b.0, &b.1.path, b.1.index)));
    faces.into_iter().map(|(_, face)| face).collect()
}

fn collect(folder: &Path, depth: usize, files: &mut BTreeSet<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let extension = path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
        if path.is_dir() {
            if depth < DEEPEST {
                collect(&path, depth + 1, files);
            }
        } else if matches!(extension.as_deref(), Some("ttf" | "otf" | "ttc" | "otc")) && files.len() < MOST_FILES {
            files.insert(path);
        }
    }
}

fn faces_of(path: &Path) -> Vec<(u32, SystemFace)> {
    let small = std::fs::metadata(path).is_ok_and(|about| about.is_file() && about.len() <= LARGEST);
    let Some(data) = small.then(|| std::fs::read(path).ok()).flatten() else { return vec![] };
    let count = ttf_parser::fonts_in_collection(&data).unwrap_or(1).min(64);
    (0..count)
        .filter_map(|index| {
            let face = ttf_parser::Face::parse(&data, index).ok()?;
            let tables = face.tables();
            let outlined = tables.glyf.is_some() || tables.cff.is_some();
            let may_be_embedded = face.is_subsetting_allowed()
                && face.permissions().is_none_or(|p| p != ttf_parser::Permissions::Restricted);
            if !outlined || !may_be_embedded {
                return None;
            }
            let ranges = ranges(&face);
            let face = SystemFace { path: path.to_owned(), index, ranges, loaded: OnceLock::new() };
            Some((unsuited(path), face))
        })
        .collect()
}

fn ranges(face: &ttf_parser::Face) -> Vec<(u32, u32)> {
    let mut points = BTreeSet::new();
    for table in
        face.tables().cmap.iter().flat_map(|cmap| cmap.subtables).filter(ttf_parser::cmap::Subtable::is_unicode)
    {
        table.codepoints(|c| _ = points.insert(c));
    }
    let mut ranges: Vec<(u32, u32)> = vec![];
    for point in points {
        match ranges.last_mut() {
            Some(last) if last.1 + 1 == point => last.1 = point,
            _ => ranges.push((point, point)),
        }
    }
    ranges
}

/// How little a face suits beside a sans serif of normal weight, by the name of its file.
fn unsuited(path: &Path) -> u32 {
    const MARKS: [(&str, u32); 10] = [
        ("italic", 8),
        ("oblique", 8),
        ("bold", 4),
        ("black", 4),
        ("heavy", 4),
        ("mono", 2),
        ("serif", 1),
        ("light", 1),
        ("thin", 1),
        ("condensed", 1),
    ];
    let name = path.file_stem().map(|stem| stem.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let serif = |mark: &str| mark != "serif" || !name.contains("sansserif");
    MARKS.iter().filter(|(mark, _)| name.contains(mark) && serif(mark)).map(|(_, weight)| weight).sum()
}

/// What to do about characters that no font has.
pub fn advice(missing: &[char]) -> String {
    let shown: Vec<String> = missing.iter().take(20).map(|c| format!("`{c}` (U+{:04X})", u32::from(*c))).collect();
    let more =
        if missing.len() > shown.len() { format!(" and {} more", missing.len() - shown.len()) } else { String::new() };
    let asian = missing.iter().any(|c| matches!(u32::from(*c), 0x1100..=0x11ff | 0x2e80..=0x9fff | 0xac00..=0xd7af | 0xf900..=0xfaff | 0x20000..=0x3ffff));
    let (family, package) = if asian { ("Noto Sans CJK", "fonts-noto-cjk") } else { ("Noto Sans", "fonts-noto-core") };
    format!(
        "no font here has {}{more}: boxes stand for them in the figures. Install a font that has them, such as {family} \
         (Debian and Ubuntu: `apt install {package}`), or name a folder with one in COASE_FONTS, and draw again with `coase plot`",
        shown.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::{advice, faces_in, unsuited};
    use std::path::Path;

    #[test]
    fn faces_are_found_by_what_they_have_and_the_plain_ones_come_first() {
        let folder = std::env::temp_dir().join(format!("coase-fonts-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("deeper")).unwrap();
        std::fs::write(folder.join("Some-Bold.ttf"), dejavu::sans_condensed::bold()).unwrap();
        std::fs::write(folder.join("deeper/Some.ttf"), dejavu::sans_condensed::regular()).unwrap();
        std::fs::write(folder.join("broken.ttf"), b"no font").unwrap();
        std::fs::write(folder.join("cut.otf"), &dejavu::sans_condensed::regular()[..5000]).unwrap();
        let faces = faces_in(std::slice::from_ref(&folder));
        let names: Vec<_> = faces.iter().map(|f| f.path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["Some.ttf", "Some-Bold.ttf"]);
        assert!(faces[0].has('n') && faces[0].has('\u{2212}') && !faces[0].has('\u{98ce}'));
        assert!(faces[0].font().is_some() && faces[0].units_per_em() == 2048.0);
        assert!(faces_in(&[folder.join("none")]).is_empty());
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_is_missing_is_named_with_what_to_install() {
        let told = advice(&['\u{98ce}', '\u{5149}']);
        assert!(told.contains("`\u{98ce}` (U+98CE), `\u{5149}` (U+5149)") && told.contains("fonts-noto-cjk"), "{told}");
        assert!(advice(&['\u{10fffd}']).contains("fonts-noto-core"));
        assert!(unsuited(Path::new("NotoSerif-Bold.ttf")) > unsuited(Path::new("NotoSans-Regular.ttf")));
    }
}
