//! PDF straight from the display list: strokes, fills and two subset fonts on one page.

use super::Meta;
use crate::canvas::{Align, Canvas, Label, Op, Reading};
use crate::color::Rgb;
use crate::geometry::Pt;
use crate::text::{self, Weight};
use ab_glyph::{Font, GlyphId};
use pdf_writer::types::{CidFontType, FontFlags, LineJoinStyle, SystemInfo, UnicodeCmap};
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref, Str, TextStr};
use std::collections::BTreeMap;

/// A figure as PDF, its page the size of the figure.
pub fn pdf(canvas: &Canvas, meta: &Meta) -> Vec<u8> {
    let faces: Vec<Face> = [Weight::Regular, Weight::Bold].into_iter().filter_map(|w| Face::used(canvas, w)).collect();
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
        fonts.pair(face.resource(), refs.0[0]);
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
    let font = text::font(label.weight);
    let em = text::units_per_em(label.weight);
    let total = text::weighted_width(&label.text, label.size, label.weight);
    let mut along = match label.align {
        Align::Left => 0.0,
        Align::Center => -total / 2.0,
        Align::Right => -total,
    };
    c.begin_text();
    for run in text::runs(&label.text) {
        c.set_font(resource(label.weight), rounded(label.size * run.scale));
        let (across, (x, y)) = (-run.rise * label.size, label.at);
        c.set_text_matrix(match label.reading {
            Reading::Across => [1.0, 0.0, 0.0, -1.0, rounded(x + along), rounded(y + across)],
            Reading::Upwards => [0.0, -1.0, -1.0, 0.0, rounded(x + across), rounded(y - along)],
        });
        let mut positioned = c.show_positioned();
        let mut items = positioned.items();
        let mut glyphs: Vec<u8> = Vec::new();
        let mut previous = None;
        for character in run.text.chars() {
            let glyph = font.glyph_id(character);
            let kern = previous.map_or(0.0, |p| font.kern_unscaled(p, glyph));
            if kern != 0.0 {
                items.show(Str(&glyphs));
                items.adjust(rounded(-f64::from(kern) / em * 1000.0));
                glyphs.clear();
            }
            glyphs.extend(glyph.0.to_be_bytes());
            previous = Some(glyph);
        }
        items.show(Str(&glyphs));
        items.finish();
        positioned.finish();
        along += text::run_width(&run, label.size, label.weight);
    }
    c.end_text();
}

/// The glyphs of one weight that the page uses; the subset keeps their numbers.
struct Face {
    weight: Weight,
    glyphs: BTreeMap<u16, char>,
}

/// Font, descendant, descriptor, file, character map.
struct FontRefs([Ref; 5]);

impl Face {
    fn used(canvas: &Canvas, weight: Weight) -> Option<Face> {
        let font = text::font(weight);
        let mut glyphs = BTreeMap::new();
        for op in &canvas.ops {
            if let Op::Text(label) = op
                && label.weight == weight
            {
                for c in text::runs(&label.text).iter().flat_map(|r| r.text.chars()) {
                    glyphs.insert(font.glyph_id(c).0, c);
                }
            }
        }
        (!glyphs.is_empty()).then_some(Face { weight, glyphs })
    }

    fn resource(&self) -> Name<'static> {
        resource(self.weight)
    }

    fn write(&self, out: &mut Pdf, FontRefs([font_ref, descendant, descriptor, file, cmap]): &FontRefs) {
        let (name, stem) = match self.weight {
            Weight::Regular => (Name(b"COASEA+DejaVuSansCondensed"), 80.0),
            Weight::Bold => (Name(b"COASEB+DejaVuSansCondensed-Bold"), 140.0),
        };
        let system = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };
        out.type0_font(*font_ref)
            .base_font(name)
            .encoding_predefined(Name(b"Identity-H"))
            .descendant_font(*descendant)
            .to_unicode(*cmap);

        let (font, em) = (text::font(self.weight), text::units_per_em(self.weight));
        let mut cid = out.cid_font(*descendant);
        cid.subtype(CidFontType::Type2).base_font(name).system_info(system).font_descriptor(*descriptor);
        cid.default_width(0.0).cid_to_gid_map_predefined(Name(b"Identity"));
        let mut widths = cid.widths();
        for glyph in self.glyphs.keys() {
            let advance = f64::from(font.h_advance_unscaled(GlyphId(*glyph))) / em * 1000.0;
            widths.consecutive(*glyph, [advance.round() as f32]);
        }
        widths.finish();
        cid.finish();

        // from the font's own tables, in thousandths of an em
        out.font_descriptor(*descriptor)
            .name(name)
            .flags(FontFlags::SYMBOLIC)
            .bbox(Rect::new(-918.0, -463.0, 1614.0, 1232.0))
            .italic_angle(0.0)
            .ascent(928.0)
            .descent(-236.0)
            .cap_height(729.0)
            .stem_v(stem)
            .font_file2(*file);

        let glyphs: Vec<u16> = self.glyphs.keys().copied().collect();
        let subset = subsetter::subset(text::font_data(self.weight), 0, subsetter::Profile::pdf(&glyphs))
            .expect("invariant: DejaVu can be subset");
        out.stream(*file, &deflate(&subset)).filter(Filter::FlateDecode).pair(Name(b"Length1"), subset.len() as i32);
        let mut map = UnicodeCmap::new(Name(b"Custom"), system);
        for (glyph, c) in &self.glyphs {
            map.pair(*glyph, *c);
        }
        out.cmap(*cmap, &map.finish());
    }
}

fn resource(weight: Weight) -> Name<'static> {
    match weight {
        Weight::Regular => Name(b"F0"),
        Weight::Bold => Name(b"F1"),
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
