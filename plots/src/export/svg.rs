//! SVG by plotters' backend, then put right: absolute baselines, labels in one piece with `<tspan>`, neighbouring
//! strokes of one style joined, metadata.

use super::Meta;
use super::paint::{FAMILY, FURTHER_FAMILY, Scale, paint};
use crate::canvas::{Canvas, Op};
use crate::style::ASCENT;
use crate::text::{self, Face};
use plotters::prelude::SVGBackend;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// plotters writes whole numbers only: 1/20 pt.
const UNITS_PER_PT: f64 = 20.0;

/// A figure as SVG.
pub fn svg(canvas: &Canvas, meta: &Meta) -> String {
    let (w, h) = ((canvas.width * UNITS_PER_PT).round() as u32, (canvas.height * UNITS_PER_PT).round() as u32);
    let mut body = String::new();
    {
        let mut backend = SVGBackend::with_string(&mut body, (w, h));
        let scale = Scale { per_pt: UNITS_PER_PT, per_pixel: 1.0 };
        paint(canvas, &mut backend, scale).expect("invariant: a string takes everything");
    }
    let mut out = header(canvas, meta, w, h);
    out.push_str(&embedded_fonts(canvas));
    write_elements(&mut out, body.split_once('>').map_or("", |(_, rest)| rest));
    out
}

/// A figure as a part of a page, with a label for readers who do not see it: without what only a file of its own needs.
pub fn drawing(canvas: &Canvas, label: &str) -> String {
    let whole = svg(canvas, &Meta { title: String::new(), description: String::new(), experiment: String::new() });
    let (w, h) = ((canvas.width * UNITS_PER_PT).round() as u32, (canvas.height * UNITS_PER_PT).round() as u32);
    let body = whole.split_once("</metadata>").map_or("", |(_, body)| body);
    format!(
        "<svg width=\"{:.2}pt\" height=\"{:.2}pt\" viewBox=\"0 0 {w} {h}\" role=\"img\" aria-label=\"{}\" \
         font-family=\"{FAMILY}\" stroke-linejoin=\"round\">{body}",
        canvas.width,
        canvas.height,
        escaped(label)
    )
}

fn header(canvas: &Canvas, meta: &Meta, w: u32, h: u32) -> String {
    let (title, description, hash) = (escaped(&meta.title), escaped(&meta.description), escaped(&meta.experiment));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{:.2}pt\" height=\"{:.2}pt\" viewBox=\"0 0 {w} {h}\" \
         role=\"img\" font-family=\"{FAMILY}\" stroke-linejoin=\"round\">\n\
         <title>{title}</title>\n<desc>{description}</desc>\n\
         <metadata><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" \
         xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><rdf:Description><dc:title>{title}</dc:title>\
         <dc:identifier>{hash}</dc:identifier><dc:creator>coase</dc:creator></rdf:Description></rdf:RDF></metadata>\n\
         <rect width=\"{w}\" height=\"{h}\" fill=\"#fff\"/>\n",
        canvas.width, canvas.height,
    )
}

/// Subsets of the system fonts that labels use: whoever opens the file may not have them.
fn embedded_fonts(canvas: &Canvas) -> String {
    let mut used: BTreeMap<Face, BTreeMap<char, u16>> = BTreeMap::new();
    for label in canvas.ops.iter().filter_map(|op| if let Op::Text(label) = op { Some(label) } else { None }) {
        for run in text::runs(&label.text) {
            for glyph in text::glyphs(&run.text, label.weight).iter().filter(|g| matches!(g.face, Face::System(_))) {
                used.entry(glyph.face).or_default().insert(glyph.c, glyph.id.0);
            }
        }
    }
    let mut faces = String::new();
    for (face, glyphs) in used {
        let (data, index) = face.data();
        let glyphs: Vec<(char, u16)> = glyphs.into_iter().collect();
        let Some(address) = super::woff::data_address(data, index, &glyphs) else { continue };
        let characters: Vec<String> = glyphs.iter().map(|g| format!("U+{:X}", u32::from(g.0))).collect();
        let range = characters.join(",");
        let _ = writeln!(
            faces,
            "@font-face{{font-family:\"{FURTHER_FAMILY}\";unicode-range:{range};src:url({address}) format(\"woff\")}}"
        );
    }
    if faces.is_empty() { faces } else { format!("<style>\n{faces}</style>\n") }
}

/// Goes through the backend's output, which has one element per line and labels on a line of their own.
fn write_elements(out: &mut String, body: &str) {
    let mut open_path: Option<&str> = None;
    let mut lines = body.lines();
    while let Some(line) = lines.next() {
        // dashes and hatches arrive as one polyline each
        let stroke = line
            .strip_prefix("<polyline ")
            .and_then(|l| l.strip_suffix("\"/>"))
            .and_then(|l| l.split_once("points=\""));
        if open_path.is_some() && open_path != stroke.map(|s| s.0) {
            out.push_str("\"/>\n");
            open_path = None;
        }
        if let Some((style, points)) = stroke {
            if open_path.is_none() {
                let _ = write!(out, "<path {}d=\"", lean(style));
                open_path = Some(style);
            }
            let _ = write!(out, "M{}", points.trim_end());
        } else if line.starts_with("<text") {
            let size = attribute(line, "font-size").unwrap_or(0.0);
            out.push_str(&on_baseline(line, size));
            let label = lines.next().unwrap_or("").trim_end_matches("</text>");
            let _ = writeln!(out, "{}</text>", spans(label, size));
        } else if !line.is_empty() && line != "</text>" {
            let _ = writeln!(out, "{}", lean(line));
        }
    }
}

/// Without what is the default anyway.
fn lean(element: &str) -> String {
    let family = format!(" font-family=\"{FAMILY}\"");
    element
        .replace("opacity=\"1\" ", "")
        .replace(" opacity=\"1\"", "")
        .replace(" stroke=\"none\"", "")
        .replace(" stroke-width=\"0\"", "")
        .replace(" text-anchor=\"start\"", "")
        .replace(&family, "")
        .replace(" \"/>", "\"/>")
}

/// `y` on the baseline: not every reader of SVG knows offsets in em.
fn on_baseline(element: &str, size: f64) -> String {
    let y = attribute(element, "y").unwrap_or(0.0);
    let lean = lean(element).replace(&format!(" dy=\"{ASCENT}em\""), "");
    lean.replacen(&format!(" y=\"{y}\""), &format!(" y=\"{}\"", (y + ASCENT * size).round()), 1)
}

fn attribute(element: &str, name: &str) -> Option<f64> {
    let key = format!(" {name}=\"");
    let from = element.find(&key)? + key.len();
    element[from..].split('"').next()?.parse().ok()
}

/// Markup as `<tspan>`: the label stays one object and flows with whatever font the reader has.
fn spans(label: &str, size: f64) -> String {
    let mut out = String::new();
    let mut level = 0.0;
    for run in text::runs(&unescaped(label)) {
        let dy = ((level - run.rise) * size).round();
        level = run.rise;
        let content = escaped(&run.text);
        if run.scale == 1.0 && dy == 0.0 {
            out.push_str(&content);
        } else if run.scale == 1.0 {
            let _ = write!(out, "<tspan dy=\"{dy}\">{content}</tspan>");
        } else {
            let _ = write!(out, "<tspan dy=\"{dy}\" font-size=\"{}\">{content}</tspan>", (size * run.scale).round());
        }
    }
    out
}

const ENTITIES: [(&str, &str); 5] = [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\"", "&quot;"), ("'", "&apos;")];

fn escaped(s: &str) -> String {
    ENTITIES.iter().fold(s.to_owned(), |s, (c, entity)| s.replace(c, entity))
}

fn unescaped(s: &str) -> String {
    ENTITIES.iter().rev().fold(s.to_owned(), |s, (c, entity)| s.replace(entity, c))
}
