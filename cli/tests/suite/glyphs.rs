//! Labels in scripts that the embedded font does not have: set in a font of the system, or told.

use crate::support::{file, folder, status, stderr, stdout};
use std::path::Path;
use std::process::{Command, Output};

/// A wind farm, a solar station and a village, as their users call them.
const NAMES: [&str; 3] = ["风电场", "光伏站", "village_1"];

fn experiment(folder: &Path) -> String {
    let [wind, sun, village] = NAMES;
    file(
        folder,
        "case.ron",
        &format!(
            "Experiment(
    scenarios: [Scenario(name: \"case\", periods: 2, currency: \"元\",
        grid: (buy_price_per_kwh: 0.3, sell_price_per_kwh: 0.1, intensity_kg_per_kwh: 0.4),
        participants: [
            (id: \"{wind}\", devices: [Wind(p_max_kw: 8, profile: [1, 0.5])]),
            (id: \"{sun}\", devices: [Pv(p_max_kw: 5, profile: [0.5, 1]), Load(p_kw: 2)]),
            (id: \"{village}\", devices: [Load(p_kw: 6)]),
        ])],
    mechanisms: [\"grid-only\", (label: \"中间价\", mechanism: MidMarketRate())],
    carbon: [\"none\", (label: \"碳税\", policy: Tax(price_per_tonne: 50))],
)"
        ),
    )
}

/// Runs `coase` on a machine whose fonts lie in a folder of their own.
fn coase(fonts: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_coase")).args(args).env("COASE_FONTS", fonts).output().unwrap()
}

/// The embedded font with some of its glyphs under other characters.
fn font_with(characters: &str) -> Vec<u8> {
    let font = dejavu::sans_condensed::regular();
    let number = |at: usize| u32::from_be_bytes(font[at..at + 4].try_into().unwrap()) as usize;
    let count = usize::from(u16::from_be_bytes([font[4], font[5]]));
    let mut sorted: Vec<u32> = characters.chars().map(u32::from).collect();
    sorted.sort_unstable();
    sorted.dedup();
    // One subtable of format 12, a group for each character; any glyphs with outlines will do.
    let mut map = vec![0, 0, 0, 1, 0, 3, 0, 10, 0, 0, 0, 12, 0, 12, 0, 0];
    let groups = sorted.len() as u32;
    for value in [16 + 12 * groups, 0, groups] {
        map.extend(value.to_be_bytes());
    }
    for (k, c) in sorted.iter().enumerate() {
        for value in [*c, *c, 68 + k as u32] {
            map.extend(value.to_be_bytes());
        }
    }
    let mut out = font[..12].to_vec();
    let mut body: Vec<u8> = vec![];
    for entry in (0..count).map(|k| 12 + 16 * k) {
        let table = if &font[entry..entry + 4] == b"cmap" {
            &map[..]
        } else {
            &font[number(entry + 8)..number(entry + 8) + number(entry + 12)]
        };
        out.extend(&font[entry..entry + 8]);
        out.extend(((12 + 16 * count + body.len()) as u32).to_be_bytes());
        out.extend((table.len() as u32).to_be_bytes());
        body.extend(table);
        body.resize(body.len().next_multiple_of(4), 0);
    }
    out.extend(body);
    out
}

fn all_files(folder: &Path, extension: &str) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = entries.filter(|path| path.extension().is_some_and(|e| e == extension)).collect();
    found.sort();
    found.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

#[test]
fn without_a_font_the_characters_are_named_and_tables_still_compile() {
    let folder = folder("glyphs_without");
    let path = experiment(&folder);
    let checked = coase(&folder.join("no_fonts"), &["check", &path]);
    assert_eq!(status(&checked), 0, "{}", stderr(&checked));
    for words in ["`风` (U+98CE)", "`元` (U+5143)", "`税` (U+7A0E)", "fonts-noto-cjk"] {
        assert!(stdout(&checked).contains(words), "{}", stdout(&checked));
    }
    let out = folder.join("out");
    let ran = coase(&folder.join("no_fonts"), &["run", &path, "--out", out.to_str().unwrap()]);
    assert_eq!(status(&ran), 0, "{}", stderr(&ran));
    assert!(stderr(&ran).contains("(U+98CE)") && stderr(&ran).contains("coase plot"), "{}", stderr(&ran));
    let tables = all_files(&out.join("tables"), "tex");
    assert!(!tables.is_empty());
    let participants =
        tables.iter().map(|t| String::from_utf8(t.clone()).unwrap()).find(|t| t.contains("风电场")).unwrap();
    assert!(participants.contains("\\coasetext{风电场}{U+98CE U+7535 U+573A}"), "{participants}");
    assert!(participants.contains("village\\_1"), "{participants}");
    let svgs = all_files(&out.join("figures"), "svg");
    assert!(svgs.iter().all(|svg| !String::from_utf8_lossy(svg).contains("@font-face")));
}

#[test]
fn with_a_font_its_characters_are_embedded_and_labels_stand_as_written() {
    let folder = folder("glyphs_with");
    let fonts = folder.join("fonts");
    std::fs::create_dir_all(&fonts).unwrap();
    std::fs::write(fonts.join("Own.ttf"), font_with("风电场光伏站元中间价碳税")).unwrap();
    let path = experiment(&folder);
    let checked = coase(&fonts, &["check", &path]);
    assert!(!stdout(&checked).contains("note"), "{}", stdout(&checked));
    let out = folder.join("out");
    let ran = coase(&fonts, &["run", &path, "--out", out.to_str().unwrap()]);
    assert_eq!(status(&ran), 0, "{}", stderr(&ran));
    assert!(!stderr(&ran).contains("U+"), "{}", stderr(&ran));
    // Every label can be searched for in the SVG, and the character map of a PDF leads back to it.
    let svgs: Vec<String> =
        all_files(&out.join("figures"), "svg").into_iter().map(|svg| String::from_utf8(svg).unwrap()).collect();
    for label in NAMES.into_iter().chain(["中间价", "碳税"]) {
        let svg = svgs.iter().find(|svg| svg.contains(label)).unwrap_or_else(|| panic!("{label} is in no figure"));
        if !label.is_ascii() {
            assert!(svg.contains("@font-face") && svg.contains("data:font/woff;base64,"), "{label}");
        }
    }
    let pdfs = all_files(&out.join("figures"), "pdf");
    let contains = |pdf: &Vec<u8>, words: &[u8]| pdf.windows(words.len()).any(|part| part.eq_ignore_ascii_case(words));
    assert!(pdfs.iter().any(|pdf| contains(pdf, b"<98CE>") && contains(pdf, b"/S0")));
    // Whatever the font, figures repeat their bytes.
    let pngs = all_files(&out.join("figures"), "png");
    let again = coase(&fonts, &["plot", out.to_str().unwrap()]);
    assert_eq!(status(&again), 0, "{}", stderr(&again));
    assert_eq!(all_files(&out.join("figures"), "pdf"), pdfs);
    assert_eq!(all_files(&out.join("figures"), "png"), pngs);
}
