//! What no reader should have to find: labels off the page, on each other or too small, glyphs the font lacks,
//! coordinates that are no numbers.

use crate::canvas::{Align, Canvas, Label, Op, Reading};
use crate::geometry::{Pt, Rect};
use crate::style::{CAP_HEIGHT, NOTE};
use crate::text;

/// A flaw of a finished figure.
#[derive(Clone, PartialEq, Debug)]
pub enum Flaw {
    OffThePage { label: String },
    Overlap { label: String, other: String },
    TooSmall { label: String, size: f64 },
    NoGlyph { label: String, missing: Vec<char> },
    NotFinite { element: usize },
    DrawnOffThePage { element: usize },
}

/// All flaws of a figure; empty is good.
pub fn lint(canvas: &Canvas) -> Vec<Flaw> {
    let page = Rect::new(0.0, 0.0, canvas.width, canvas.height);
    let mut flaws = Vec::new();
    let mut boxes: Vec<(Rect, &str)> = Vec::new();
    for (element, op) in canvas.ops.iter().enumerate() {
        let extent = extent(op);
        let corners = extent.corners();
        if corners.iter().any(|p| !p.0.is_finite() || !p.1.is_finite()) {
            flaws.push(Flaw::NotFinite { element });
            continue;
        }
        let on_page = corners.iter().all(|p| page.grow(0.01).contains(*p));
        let Op::Text(label) = op else {
            if !on_page {
                flaws.push(Flaw::DrawnOffThePage { element });
            }
            continue;
        };
        let text = label.text.clone();
        if !on_page {
            flaws.push(Flaw::OffThePage { label: text.clone() });
        }
        if label.size < NOTE {
            flaws.push(Flaw::TooSmall { label: text.clone(), size: label.size });
        }
        let missing = text::missing(&text);
        if !missing.is_empty() {
            flaws.push(Flaw::NoGlyph { label: text.clone(), missing });
        }
        for (other, name) in &boxes {
            if extent.overlap(other) > 0.4 {
                flaws.push(Flaw::Overlap { label: text.clone(), other: (*name).to_owned() });
            }
        }
        boxes.push((extent, &label.text));
    }
    flaws
}

/// The box of a label from baseline to cap height.
pub fn label_box(label: &Label) -> Rect {
    let width = text::weighted_width(&label.text, label.size, label.weight);
    let before = match label.align {
        Align::Left => 0.0,
        Align::Center => width / 2.0,
        Align::Right => width,
    };
    let ((x, y), height) = (label.at, label.size * CAP_HEIGHT);
    match label.reading {
        Reading::Across => Rect::new(x - before, y - height, x - before + width, y),
        Reading::Upwards => Rect::new(x - height, y + before - width, x, y + before),
    }
}

fn extent(op: &Op) -> Rect {
    match op {
        Op::Path { points, width, .. } => bounds(points).grow(width / 2.0),
        Op::Polygon { points, .. } => bounds(points),
        Op::Disc { center, radius, .. } => Rect::around(&[*center]).grow(*radius),
        Op::Text(label) => label_box(label),
    }
}

/// As [`Rect::around`], but a coordinate that is no number shows.
fn bounds(points: &[Pt]) -> Rect {
    if points.iter().all(|p| p.0.is_finite() && p.1.is_finite()) {
        Rect::around(points)
    } else {
        Rect { x0: f64::NAN, y0: f64::NAN, x1: f64::NAN, y1: f64::NAN }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canvas::Stroke;
    use crate::style::INK;

    fn canvas() -> Canvas {
        Canvas::new(100.0, 50.0)
    }

    #[test]
    fn every_flaw_is_found() {
        let mut c = canvas();
        c.text((10.0, 20.0), Align::Left, 8.0, "one");
        c.text((12.0, 21.0), Align::Left, 8.0, "two");
        c.text((95.0, 40.0), Align::Left, 8.0, "three");
        c.text((50.0, 40.0), Align::Left, 5.0, "four");
        // a character that is nobody's
        c.text((50.0, 10.0), Align::Left, 8.0, "\u{10fffd}");
        c.segment((f64::NAN, 0.0), (1.0, 1.0), Stroke::new(INK, 1.0));
        c.segment((0.0, 1.0), (0.0, 60.0), Stroke::new(INK, 1.0));
        let found = lint(&c);
        assert_eq!(found.len(), 6, "{found:?}");
    }

    #[test]
    fn a_clean_page_is_clean() {
        let mut c = canvas();
        c.text((10.0, 20.0), Align::Left, 8.0, "one");
        c.text_upwards((90.0, 25.0), 8.0, "upwards");
        assert_eq!(lint(&c), vec![]);
    }
}
