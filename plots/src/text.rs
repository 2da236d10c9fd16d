//! Measuring, splitting and writing labels. The font is data of the crate `dejavu`; a system font is asked only for
//! characters that it does not have.
//!
//! Markup: `_` and `^` take the next character or a braced group as subscript or superscript, a backslash takes the
//! next character as it is.

use crate::fallback;
use crate::language::{has_decimal_comma, said};
use ab_glyph::{Font, FontRef, GlyphId};
use std::sync::LazyLock;

/// Regular or bold.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Weight {
    Regular,
    Bold,
}

static REGULAR: LazyLock<FontRef<'static>> = LazyLock::new(|| parse(dejavu::sans_condensed::regular()));
static BOLD: LazyLock<FontRef<'static>> = LazyLock::new(|| parse(dejavu::sans_condensed::bold()));

/// A face that labels are set in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Face {
    /// The embedded font.
    Own(Weight),
    /// A font of the system, which has no bold.
    System(usize),
}

impl Face {
    /// The face that sets a character; the embedded one, with its box, where none has it.
    pub fn of(c: char, weight: Weight) -> Face {
        let own = Face::Own(weight);
        if font(weight).glyph_id(c).0 != 0 { own } else { fallback::serving(c).map_or(own, Face::System) }
    }

    /// The parsed face.
    pub fn font(self) -> FontRef<'static> {
        match self {
            Face::Own(weight) => font(weight).clone(),
            Face::System(k) => fallback::face(k).font().unwrap_or_else(|| REGULAR.clone()),
        }
    }

    /// The bytes of the face and its place in them, for embedding.
    pub fn data(self) -> (&'static [u8], u32) {
        match self {
            Face::Own(weight) => (font_data(weight), 0),
            Face::System(k) => fallback::face(k).data().unwrap_or((font_data(Weight::Regular), 0)),
        }
    }

    /// Font units per em.
    pub fn units_per_em(self) -> f64 {
        match self {
            Face::Own(weight) => units_per_em(weight),
            Face::System(k) => fallback::face(k).units_per_em(),
        }
    }
}

/// A character set in a face, lengths in em.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Glyph {
    pub c: char,
    pub face: Face,
    pub id: GlyphId,
    /// By how much it stands off from the one before, besides that one's advance.
    pub kern: f64,
    pub advance: f64,
}

/// A run set glyph by glyph.
pub fn glyphs(text: &str, weight: Weight) -> Vec<Glyph> {
    let mut set: Vec<Glyph> = Vec::new();
    for c in text.chars() {
        let face = Face::of(c, weight);
        let (font, em) = (face.font(), face.units_per_em());
        let id = font.glyph_id(c);
        let before = set.last().filter(|before| before.face == face);
        let kern = before.map_or(0.0, |before| f64::from(font.kern_unscaled(before.id, id)) / em);
        set.push(Glyph { c, face, id, kern, advance: f64::from(font.h_advance_unscaled(id)) / em });
    }
    set
}

/// The parsed face.
pub fn font(weight: Weight) -> &'static FontRef<'static> {
    match weight {
        Weight::Regular => &REGULAR,
        Weight::Bold => &BOLD,
    }
}

/// The bytes of the face, for embedding.
pub fn font_data(weight: Weight) -> &'static [u8] {
    match weight {
        Weight::Regular => dejavu::sans_condensed::regular(),
        Weight::Bold => dejavu::sans_condensed::bold(),
    }
}

/// Font units per em.
pub fn units_per_em(weight: Weight) -> f64 {
    f64::from(font(weight).units_per_em().expect("invariant: DejaVu states its em"))
}

/// A piece of a label on one level.
#[derive(Clone, PartialEq, Debug)]
pub struct Run {
    pub text: String,
    /// Size in units of the label's size.
    pub scale: f64,
    /// Baseline above the label's, em of the label's size.
    pub rise: f64,
}

/// Size of a sub- or superscript in units of the label's size.
const SCRIPT: f64 = 0.72;

/// Splits a label with markup into its runs.
pub fn runs(label: &str) -> Vec<Run> {
    let mut out: Vec<Run> = Vec::new();
    let mut plain = String::new();
    let mut chars = label.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => plain.extend(chars.next()),
            '_' | '^' => {
                if !plain.is_empty() {
                    out.push(Run { text: std::mem::take(&mut plain), scale: 1.0, rise: 0.0 });
                }
                let text = if chars.next_if_eq(&'{').is_some() {
                    chars.by_ref().take_while(|d| *d != '}').collect()
                } else {
                    chars.next().into_iter().collect()
                };
                out.push(Run { text, scale: SCRIPT, rise: if c == '_' { -0.16 } else { 0.34 } });
            }
            _ => plain.push(c),
        }
    }
    if !plain.is_empty() {
        out.push(Run { text: plain, scale: 1.0, rise: 0.0 });
    }
    out
}

/// Makes somebody's name a label: no character of it is markup.
pub fn literal(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        if matches!(c, '_' | '^' | '\\') {
            out.push('\\');
        }
        out.push(if c.is_control() { ' ' } else { c });
    }
    out
}

/// The label without markup, for captions.
pub fn unmarked(label: &str) -> String {
    runs(label).into_iter().map(|r| r.text).collect()
}

/// Width of one run of a label set in `size`.
pub fn run_width(run: &Run, size: f64, weight: Weight) -> f64 {
    glyphs(&run.text, weight).iter().map(|glyph| glyph.kern + glyph.advance).sum::<f64>() * size * run.scale
}

/// Width of a label in pt, from the font's own advances and kerning.
pub fn width(label: &str, size: f64) -> f64 {
    weighted_width(label, size, Weight::Regular)
}

/// As [`width`], for either weight.
pub fn weighted_width(label: &str, size: f64, weight: Weight) -> f64 {
    runs(&said(label)).iter().map(|r| run_width(r, size, weight)).sum()
}

/// Width of the widest line of a label.
pub fn block_width(label: &str, size: f64) -> f64 {
    said(label).split('\n').map(|line| width(line, size)).fold(0.0, f64::max)
}

/// The label, cut with an ellipsis where it is wider than `max`. Markup must not be in it.
pub fn fit(label: &str, size: f64, max: f64) -> String {
    fit_weighted(label, size, Weight::Regular, max)
}

/// As [`fit`], for either weight.
pub fn fit_weighted(label: &str, size: f64, weight: Weight, max: f64) -> String {
    if weighted_width(label, size, weight) <= max {
        return label.to_owned();
    }
    let mut kept: Vec<char> = said(label).chars().collect();
    while !kept.is_empty() {
        kept.pop();
        // a lone escape at the end would swallow the ellipsis
        while matches!(kept.last(), Some('\\' | ' ')) {
            kept.pop();
        }
        let cut: String = kept.iter().collect::<String>() + "\u{2026}";
        if weighted_width(&cut, size, weight) <= max {
            return cut;
        }
    }
    "\u{2026}".to_owned()
}

/// Breaks a label of several words into two lines of least width.
pub fn two_lines(label: &str) -> String {
    let label = &*said(label);
    label
        .match_indices(' ')
        .map(|(i, _)| format!("{}\n{}", &label[..i], &label[i + 1..]))
        .min_by(|a, b| block_width(a, 1.0).total_cmp(&block_width(b, 1.0)))
        .unwrap_or_else(|| label.to_owned())
}

/// Characters of a label that no font has.
pub fn missing(label: &str) -> Vec<char> {
    runs(label).iter().flat_map(|r| r.text.chars().collect::<Vec<_>>()).filter(|c| is_missing(*c)).collect()
}

/// Characters that no font has, of names that are no labels yet, each once.
pub fn missing_from_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<char> {
    let all: std::collections::BTreeSet<char> =
        names.into_iter().flat_map(str::chars).filter(|c| !c.is_control() && is_missing(*c)).collect();
    all.into_iter().collect()
}

fn is_missing(c: char) -> bool {
    font(Weight::Regular).glyph_id(c).0 == 0 && fallback::serving(c).is_none()
}

/// A number as printed on figures: true minus, thin space from five digits on, never `−0`, decimals as the language of labels has
/// them.
pub fn number(value: f64, decimals: usize) -> String {
    let written = plain_number(value, decimals);
    if has_decimal_comma() { written.replace('.', ",") } else { written }
}

/// The same in English, for captions.
pub fn plain_number(value: f64, decimals: usize) -> String {
    let digits = format!("{:.*}", decimals, value.abs());
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    let negative = value < 0.0 && digits.bytes().any(|b| (b'1'..=b'9').contains(&b));
    let mut out = String::from(if negative { "\u{2212}" } else { "" });
    for (i, c) in whole.chars().enumerate() {
        if whole.len() >= 5 && i > 0 && (whole.len() - i) % 3 == 0 {
            out.push('\u{2009}');
        }
        out.push(c);
    }
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// 10 to the power of `exponent`, as a label.
pub fn power_of_ten(exponent: i32) -> String {
    format!("10^{{{}}}", number(f64::from(exponent), 0))
}

fn parse(data: &'static [u8]) -> FontRef<'static> {
    FontRef::try_from_slice(data).expect("invariant: DejaVu is a font")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_set_as_printed() {
        assert_eq!(number(-0.04, 1), "0.0");
        assert_eq!(number(-12345.6, 1), "\u{2212}12\u{2009}345.6");
        assert_eq!(number(1234.0, 0), "1234");
        assert_eq!(number(1_234_567.0, 0), "1\u{2009}234\u{2009}567");
    }

    #[test]
    fn markup_splits_into_runs_and_literal_names_do_not() {
        let r = runs("CO_2 kWh^{−1}");
        assert_eq!(r.iter().map(|r| r.text.as_str()).collect::<Vec<_>>(), ["CO", "2", " kWh", "−1"]);
        assert!(r[1].rise < 0.0 && r[3].rise > 0.0);
        assert_eq!(runs(&literal("a_b^c\\d")), vec![Run { text: "a_b^c\\d".into(), scale: 1.0, rise: 0.0 }]);
        assert_eq!(unmarked("kg CO_2"), "kg CO2");
    }

    #[test]
    fn unfinished_markup_is_harmless() {
        assert_eq!(runs("_").len(), 1);
        assert_eq!(runs("a^{b").len(), 2);
        assert_eq!(runs("\\").len(), 0);
    }

    #[test]
    fn widths_are_the_fonts_own() {
        // advance of "n" in DejaVu Sans Condensed: 1168 of 2048 units
        assert!((width("n", 2048.0) - 1168.0).abs() < 1e-6);
        assert!(width("_n", 10.0) < width("n", 10.0));
    }

    #[test]
    fn fitted_text_fits() {
        let s = "A very long participant name that nobody should choose";
        for max in [5.0, 20.0, 60.0, 500.0] {
            assert!(width(&fit(s, 8.0, max), 8.0) <= max.max(width("\u{2026}", 8.0)));
        }
        assert_eq!(fit("short", 8.0, 100.0), "short");
    }

    #[test]
    fn lines_break_where_they_are_shortest() {
        assert_eq!(two_lines("Grid only"), "Grid\nonly");
        assert_eq!(two_lines("Word"), "Word");
    }
}
