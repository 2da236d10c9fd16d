//! PDF straight from the display list: strokes, fills and subset fonts on one page.

use super::Meta;
use crate::canvas::{Align, Canvas, Label, Op, Reading};
use crate::color::Rgb;
use crate::geometry::Pt;
use crate::text::{self, Face, Weight};
use ab_glyph::{Font, GlyphId};
use pdf_writer::types::{CidFontType, FontFlags, LineJoinStyle, SystemInfo, UnicodeCmap};
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref, Str, TextStr};
use std::collections::BTreeMap;

/// A figure as PDF, its page the size of the figure.
pub fn pdf(canvas: &Canvas, meta: &Meta) -> Vec<u8> {
    let faces = Embedded::used(canvas);
    let mut next = Ref::new(1);
    let [catalog, pages, page, content, info] = std::array::from_fn(|_| next.bump());
    let font_refs: Vec<FontRefs> = faces.iter().map(|_| FontRefs(std::array::from_fn(|_| next.bump()))).collect();

    let mut out = Pdf::new();
    out.catalog(catalog).pages(pages);
    out.pages(pages).kids([page]).count(1);
    let mut leaf = out.page(page);
    leaf.media_box(Rect::new(0.0, 0.0, rounded(canvas.width), rounded(canvas.height)));
    leaf.parent(pages).contents(content);
    let mut resources = leaf.resources();
    let mut fonts = resources.fonts();
    for (face, refs) in faces.iter().zip(&font_refs) {
        fonts.pair(Name(resource(face.face).as_bytes()), refs.0[0]);
    }
    fonts.finish();
    resources.finish();
    leaf.finish();
    for (face, refs) in faces.iter().zip(&font_refs) {
        face.write(&mut out, refs);
    }
    out.stream(content, &deflate(&page_content(canvas))).filter(Filter::FlateDecode);
    out.document_info(info)
        .title(TextStr(&meta.title))
        .subject(TextStr(&meta.description))
        .keywords(TextStr(&meta.experiment))
        .creator(TextStr("coase"));
    out.finish()
}

fn page_content(canvas: &Canvas) -> Vec<u8> {
    let mut c = Content::new();
    c.transform([1.0, 0.0, 0.0, -1.0, 0.0, rounded(canvas.height)]);
    c.set_line_join(LineJoinStyle::RoundJoin);
    c.set_fill_rgb(1.0, 1.0, 1.0).rect(0.0, 0.0, rounded(canvas.width), rounded(canvas.height)).fill_nonzero();
    let mut pen = Pen { fill: None, stroke: None, width: None };
    for op in &canvas.ops {
        match op {
            Op::Path { points, color, width } => {
                pen.stroke(&mut c, *color, *width);
                trace(&mut c, points);
                c.stroke();
            }
            Op::Polygon { points, color } => {
                pen.fill(&mut c, *color);
                trace(&mut c, points);
                c.close_path().fill_nonzero();
            }
            Op::Disc { center, radius, color } => {
                pen.fill(&mut c, *color);
                circle(&mut c, *center, *radius);
                c.fill_nonzero();
            }
            Op::Text(label) => {
                pen.fill(&mut c, label.color);
                set_label(&mut c, label);
            }
        }
    }
    c.finish()
}

/// What the page is set to, so that it is said once.
struct Pen {
    fill: Option<Rgb>,
    stroke: Option<Rgb>,
    width: Option<f64>,
}

impl Pen {
    fn fill(&mut self, c: &mut Content, color: Rgb) {
        if self.fill.replace(color) != Some(color) {
            let [r, g, b] = shares(color);
            c.set_fill_rgb(r, g, b);
        }
    }

    fn stroke(&mut self, c: &mut Content, color: Rgb, width: f64) {
        if self.stroke.replace(color) != Some(color) {
            let [r, g, b] = shares(color);
            c.set_stroke_rgb(r, g, b);
        }
        if self.width.replace(width) != Some(width) {
            c.set_line_width(rounded(width));
        }
    }
}

fn trace(c: &mut Content, points: &[Pt]) {
    for (i, p) in points.iter().enumerate() {
        if i == 0 {
            c.move_to(rounded(p.0), rounded(p.1));
        } else {
            c.line_to(rounded(p.0), rounded(p.1));
        }
    }
}

fn circle(c: &mut Content, (x, y): Pt, r: f64) {
    // control points that keep a cubic within 0.03 % of the quarter circle
    let k = 0.5523 * r;
    let f = rounded;
    c.move_to(f(x + r), f(y));
    c.cubic_to(f(x + r), f(y + k), f(x + k), f(y + r), f(x), f(y + r));
    c.cubic_to(f(x - k), f(y + r), f(x - r), f(y + k), f(x - r), f(y));
    c.cubic_to(f(x - r), f(y - k), f(x - k), f(y - r), f(x), f(y - r));
    c.cubic_to(f(x + k), f(y - r), f(x + r), f(y - k), f(x + r), f(y));
}

fn set_label(c: &mut Content, label: &Label) {
    let total = text::weighted_width(&label.text, label.size, label.weight);
    let mut along = match label.align {
        Align::Left => 0.0,
        Align::Center => -total / 2.0,
        Align::Right => -total,
    };
    c.begin_text();
    for run in text::runs(&label.text) {
        let glyphs = text::glyphs(&run.text, label.weight);
        for part in glyphs.chunk_by(|a, b| a.face == b.face) {
            let face = part[0].face;
            c.set_font(Name(resource(face).as_bytes()), rounded(label.size * run.scale));
            let (across, (x, y)) = (-run.rise * label.size, label.at);
            c.set_text_matrix(match label.reading {
                Reading::Across => [1.0, 0.0, 0.0, -1.0, rounded(x + along), rounded(y + across)],
                Reading::Upwards => [0.0, -1.0, -1.0, 0.0, rounded(x + across), rounded(y - along)],
            });
            let mut positioned = c.show_positioned();
            let mut items = positioned.items();
            let mut codes: Vec<u8> = Vec::new();
            for glyph in part {
                if glyph.kern != 0.0 {
                    items.show(Str(&codes));
                    items.adjust(rounded(-glyph.kern * 1000.0));
                    codes.clear();
                }
                codes.extend(code(face, glyph.id.0).to_be_bytes());
                along += (glyph.kern + glyph.advance) * label.size * run.scale;
            }
            items.show(Str(&codes));
            items.finish();
            positioned.finish();
        }
    }
    c.end_text();
}

/// The glyphs of one face that the page uses; the subset keeps their numbers.
struct Embedded {
    face: Face,
    glyphs: BTreeMap<u16, char>,
}

/// Font, descendant, descriptor, file, character map.
struct FontRefs([Ref; 5]);

impl Embedded {
    fn used(canvas: &Canvas) -> Vec<Embedded> {
        let mut used: BTreeMap<Face, BTreeMap<u16, char>> = BTreeMap::new();
        for label in canvas.ops.iter().filter_map(|op| if let Op::Text(label) = op { Some(label) } else { None }) {
            for run in text::runs(&label.text) {
                for glyph in text::glyphs(&run.text, label.weight) {
                    used.entry(glyph.face).or_default().insert(glyph.id.0, glyph.c);
                }
            }
        }
        used.into_iter().map(|(face, glyphs)| Embedded { face, glyphs }).collect()
    }

    fn write(&self, out: &mut Pdf, FontRefs([font_ref, descendant, descriptor, file, cmap]): &FontRefs) {
        let (data, index) = self.face.data();
        let program = Program::of(self.face, &self.glyphs.keys().copied().collect::<Vec<_>>());
        let name = format!("COASE{}+{}", tag(self.face), base_name(self.face, data, index));
        let name = Name(name.as_bytes());
        let system = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };
        out.type0_font(*font_ref)
            .base_font(name)
            .encoding_predefined(Name(b"Identity-H"))
            .descendant_font(*descendant)
            .to_unicode(*cmap);

        let (font, em) = (self.face.font(), self.face.units_per_em());
        let mut cid = out.cid_font(*descendant);
        cid.subtype(if program.is_cff { CidFontType::Type0 } else { CidFontType::Type2 });
        cid.base_font(name).system_info(system).font_descriptor(*descriptor).default_width(0.0);
        if !program.is_cff {
            cid.cid_to_gid_map_predefined(Name(b"Identity"));
        }
        let coded: BTreeMap<u16, (u16, char)> =
            self.glyphs.iter().map(|(glyph, c)| (code(self.face, *glyph), (*glyph, *c))).collect();
        let mut widths = cid.widths();
        for (code, (glyph, _)) in &coded {
            let advance = f64::from(font.h_advance_unscaled(GlyphId(*glyph))) / em * 1000.0;
            widths.consecutive(*code, [advance.round() as f32]);
        }
        widths.finish();
        cid.finish();

        let Extent { bbox, ascent, descent, cap_height, stem } = Extent::of(self.face, data, index);
        let mut about = out.font_descriptor(*descriptor);
        about.name(name).flags(FontFlags::SYMBOLIC).bbox(bbox).italic_angle(0.0);
        about.ascent(ascent).descent(descent).cap_height(cap_height).stem_v(stem);
        if program.is_cff {
            about.font_file3(*file);
        } else {
            about.font_file2(*file);
        }
        about.finish();

        let packed = deflate(&program.bytes);
        let mut stream = out.stream(*file, &packed);
        stream.filter(Filter::FlateDecode);
        if program.is_cff {
            stream.pair(Name(b"Subtype"), Name(b"CIDFontType0C"));
        } else {
            stream.pair(Name(b"Length1"), program.bytes.len() as i32);
        }
        stream.finish();
        let mut map = UnicodeCmap::new(Name(b"Custom"), system);
        for (code, (_, c)) in &coded {
            map.pair(*code, *c);
        }
        out.cmap(*cmap, &map.finish());
    }
}

/// What is embedded of a font: the whole subset with TrueType outlines, or the table of PostScript ones.
struct Program {
    bytes: Vec<u8>,
    is_cff: bool,
}

impl Program {
    fn of(face: Face, glyphs: &[u16]) -> Program {
        let (data, index) = face.data();
        // A font that was read can be subset, but for damage in parts that drawing does not need.
        let subset = subsetter::subset(data, index, subsetter::Profile::pdf(glyphs));
        let bytes = subset.unwrap_or_else(|_| data.to_vec());
        let cff = ttf_parser::RawFace::parse(&bytes, 0)
            .ok()
            .and_then(|raw| raw.table(ttf_parser::Tag::from_bytes(b"CFF ")).map(<[u8]>::to_vec));
        match cff {
            Some(bytes) => Program { bytes, is_cff: true },
            None => Program { bytes, is_cff: false },
        }
    }
}

/// The number that text names a glyph by: its own, or in fonts with PostScript outlines by characters, the character's.
fn code(face: Face, glyph: u16) -> u16 {
    let Face::System(_) = face else { return glyph };
    let (data, index) = face.data();
    let parsed = ttf_parser::Face::parse(data, index).ok();
    let cid = parsed.and_then(|font| font.tables().cff?.glyph_cid(ttf_parser::GlyphId(glyph)));
    cid.unwrap_or(glyph)
}

/// The PostScript name of a face, in letters that a PDF name may have.
fn base_name(face: Face, data: &[u8], index: u32) -> String {
    match face {
        Face::Own(Weight::Regular) => "DejaVuSansCondensed".to_owned(),
        Face::Own(Weight::Bold) => "DejaVuSansCondensed-Bold".to_owned(),
        Face::System(k) => {
            let name = ttf_parser::Face::parse(data, index).ok().and_then(|font| {
                let mut names = font.names().into_iter();
                names
                    .find(|name| name.name_id == ttf_parser::name_id::POST_SCRIPT_NAME && name.is_unicode())?
                    .to_string()
            });
            let plain =
                |name: String| name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect::<String>();
            name.map(plain).filter(|name| !name.is_empty()).unwrap_or_else(|| format!("System{k}"))
        }
    }
}

/// From the font's own tables, in thousandths of an em.
struct Extent {
    bbox: Rect,
    ascent: f32,
    descent: f32,
    cap_height: f32,
    stem: f32,
}

impl Extent {
    fn of(face: Face, data: &[u8], index: u32) -> Extent {
        let bbox = Rect::new(-918.0, -463.0, 1614.0, 1232.0);
        let own = |stem| Extent { bbox, ascent: 928.0, descent: -236.0, cap_height: 729.0, stem };
        match (face, ttf_parser::Face::parse(data, index)) {
            (Face::Own(Weight::Bold), _) => own(140.0),
            (Face::System(_), Ok(font)) => {
                let per_em = |units: i16| rounded(f64::from(units) / f64::from(font.units_per_em()) * 1000.0);
                let all = font.global_bounding_box();
                Extent {
                    bbox: Rect::new(per_em(all.x_min), per_em(all.y_min), per_em(all.x_max), per_em(all.y_max)),
                    ascent: per_em(font.ascender()),
                    descent: per_em(font.descender()),
                    cap_height: per_em(font.capital_height().unwrap_or(font.ascender())),
                    stem: 80.0,
                }
            }
            _ => own(80.0),
        }
    }
}

/// The last letter of the tag that marks a subset.
fn tag(face: Face) -> char {
    match face {
        Face::Own(Weight::Regular) => 'A',
        Face::Own(Weight::Bold) => 'B',
        Face::System(k) => char::from(b'C' + (k % 24) as u8),
    }
}

/// The name of a face on the page.
fn resource(face: Face) -> String {
    match face {
        Face::Own(Weight::Regular) => "F0".to_owned(),
        Face::Own(Weight::Bold) => "F1".to_owned(),
        Face::System(k) => format!("S{k}"),
    }
}

fn deflate(data: &[u8]) -> Vec<u8> {
    miniz_oxide::deflate::compress_to_vec_zlib(data, 6)
}

fn shares(color: Rgb) -> [f32; 3] {
    [color.0, color.1, color.2].map(|v| rounded(f64::from(v) / 255.0))
}

/// To a thousandth: what a reader can see, without digits of noise.
fn rounded(v: f64) -> f32 {
    ((v * 1000.0).round() / 1000.0) as f32
}
