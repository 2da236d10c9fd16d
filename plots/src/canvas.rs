//! The display list of a figure, in points with y downwards.
//!
//! Everything the drawing backends lack (dashes, hatches, clipping, markers) happens here; what is left are polylines,
//! polygons, discs and labels. Must not know axes or data: the numbers that panels note down pass through.

use crate::color::Rgb;
use crate::geometry::{Pt, Rect, clip_line, clip_polygon, dashes, hatch_strokes, inside};
pub use crate::ink::{Fill, Stroke};
use crate::language::said;
use crate::numbers::Numbers;
use crate::style::{BAR_EDGE, CAP_HEIGHT, HATCH_LINE, HATCH_STEP, Hatch, INK, Mark, WHITE};
use crate::text::Weight;
use std::fmt;

/// Which point of a label its position names.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Align {
    Left,
    Center,
    Right,
}

/// The direction a label reads in.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Reading {
    Across,
    Upwards,
}

/// A label with its markup.
#[derive(Clone, PartialEq, Debug)]
pub struct Label {
    /// On the baseline.
    pub at: Pt,
    pub align: Align,
    pub size: f64,
    pub weight: Weight,
    pub reading: Reading,
    pub color: Rgb,
    pub text: String,
}

/// One element of the display list.
#[derive(Clone, PartialEq, Debug)]
pub enum Op {
    Path { points: Vec<Pt>, color: Rgb, width: f64 },
    Polygon { points: Vec<Pt>, color: Rgb },
    Disc { center: Pt, radius: f64, color: Rgb },
    Text(Label),
}

impl Op {
    /// Moves the element.
    pub fn shift(&mut self, dx: f64, dy: f64) {
        let shift = |p: &mut Pt| *p = (p.0 + dx, p.1 + dy);
        match self {
            Op::Path { points, .. } | Op::Polygon { points, .. } => points.iter_mut().for_each(shift),
            Op::Disc { center, .. } => shift(center),
            Op::Text(label) => shift(&mut label.at),
        }
    }
}

/// A page and what is drawn on it.
#[derive(Clone, PartialEq, Debug)]
pub struct Canvas {
    pub width: f64,
    pub height: f64,
    pub ops: Vec<Op>,
    /// What panels drew, in the coordinates of their axes.
    pub numbers: Numbers,
    clip: Option<Rect>,
}

impl Canvas {
    /// An empty page.
    pub fn new(width: f64, height: f64) -> Canvas {
        Canvas { width, height, ops: Vec::new(), numbers: Numbers::default(), clip: None }
    }

    /// Draws with everything outside `r` cut off.
    pub fn clipped(&mut self, r: Rect, draw: impl FnOnce(&mut Canvas)) {
        let outer = self.clip.replace(r);
        draw(self);
        self.clip = outer;
    }

    pub fn line(&mut self, points: &[Pt], stroke: Stroke) {
        let pieces = match self.clip {
            // the outermost data may lie on the edge of the panel and keep its full width there
            Some(r) => clip_line(points, r.grow(stroke.width * 0.5)),
            None => vec![points.to_vec()],
        };
        for piece in pieces {
            let strokes = if stroke.dash.is_empty() { vec![piece] } else { dashes(&piece, stroke.dash) };
            for points in strokes.into_iter().filter(|s| s.len() > 1) {
                self.ops.push(Op::Path { points, color: stroke.color, width: stroke.width });
            }
        }
    }

    pub fn segment(&mut self, a: Pt, b: Pt, stroke: Stroke) {
        self.line(&[a, b], stroke);
    }

    pub fn polygon(&mut self, points: &[Pt], fill: Fill) {
        let points = match self.clip {
            Some(r) => clip_polygon(points, r),
            None => points.to_vec(),
        };
        if points.len() < 3 {
            return;
        }
        self.ops.push(Op::Polygon { points: points.clone(), color: fill.color });
        self.hatch(&points, fill.hatch, fill.color);
        if let Some(color) = fill.edge {
            self.ops.push(Op::Path { points: closed(&points), color, width: BAR_EDGE });
        }
    }

    pub fn rect(&mut self, r: Rect, fill: Fill) {
        self.polygon(&r.corners(), fill);
    }

    /// The outline of a rectangle.
    pub fn frame(&mut self, r: Rect, stroke: Stroke) {
        self.line(&closed(&r.corners()), stroke);
    }

    fn hatch(&mut self, polygon: &[Pt], hatch: Hatch, ground: Rgb) {
        let color = if ground.luminance() > 0.22 { INK.mix(ground, 0.15) } else { WHITE };
        let strokes = match hatch {
            Hatch::None => Vec::new(),
            Hatch::Dots => return self.dots(polygon, color),
            Hatch::Forward => hatch_strokes(polygon, -45.0, HATCH_STEP),
            Hatch::Back => hatch_strokes(polygon, 45.0, HATCH_STEP),
            Hatch::Horizontal => hatch_strokes(polygon, 0.0, HATCH_STEP * 0.9),
            Hatch::Cross => {
                let mut both = hatch_strokes(polygon, -45.0, HATCH_STEP * 1.25);
                both.extend(hatch_strokes(polygon, 45.0, HATCH_STEP * 1.25));
                both
            }
        };
        self.ops.extend(strokes.into_iter().map(|s| Op::Path { points: s.to_vec(), color, width: HATCH_LINE }));
    }

    fn dots(&mut self, polygon: &[Pt], color: Rgb) {
        let (step, radius) = (HATCH_STEP * 0.9, 0.42);
        let bounds = Rect::around(polygon).grow(-0.4);
        let mut row = (bounds.y0 / step).ceil();
        while row * step < bounds.y1 {
            let offset = if row.rem_euclid(2.0) == 0.0 { 0.0 } else { step / 2.0 };
            let mut column = ((bounds.x0 - offset) / step).ceil();
            while column * step + offset < bounds.x1 {
                let center = (column * step + offset, row * step);
                if inside(polygon, center) {
                    self.ops.push(Op::Disc { center, radius, color });
                }
                column += 1.0;
            }
            row += 1.0;
        }
    }

    pub fn disc(&mut self, center: Pt, radius: f64, color: Rgb) {
        self.ops.push(Op::Disc { center, radius, color });
    }

    /// A marker with a white rim that parts it from what lies below.
    pub fn mark(&mut self, at: Pt, mark: Mark, radius: f64, color: Rgb) {
        match mark {
            Mark::None => {}
            Mark::Disc => {
                self.disc(at, radius + 0.5, WHITE);
                self.disc(at, radius, color);
            }
            _ => {
                let points: Vec<Pt> =
                    outline(mark).iter().map(|d| (at.0 + d.0 * radius, at.1 + d.1 * radius)).collect();
                self.ops.push(Op::Path { points: closed(&points), color: WHITE, width: 1.0 });
                self.ops.push(Op::Polygon { points, color });
            }
        }
    }

    /// A label in ink; `at` is on the baseline.
    pub fn text(&mut self, at: Pt, align: Align, size: f64, text: &str) {
        self.label(Label {
            at,
            align,
            size,
            weight: Weight::Regular,
            reading: Reading::Across,
            color: INK,
            text: text.into(),
        });
    }

    /// As [`Canvas::text`], bold and from the left.
    pub fn bold(&mut self, at: Pt, size: f64, text: &str) {
        self.label(Label {
            at,
            align: Align::Left,
            size,
            weight: Weight::Bold,
            reading: Reading::Across,
            color: INK,
            text: text.into(),
        });
    }

    /// As [`Canvas::text_middle`] with both centred, in a colour that is read on a ground: ink, or white on what is dark.
    pub fn text_on(&mut self, ground: Rgb, at: Pt, size: f64, text: &str) {
        self.label(Label {
            at: (at.0, at.1 + CAP_HEIGHT * size / 2.0),
            align: Align::Center,
            size,
            weight: Weight::Regular,
            reading: Reading::Across,
            color: if ground.luminance() > 0.22 { INK } else { WHITE },
            text: text.into(),
        });
    }

    /// As [`Canvas::text`], with the capitals centred on `at`.
    pub fn text_middle(&mut self, at: Pt, align: Align, size: f64, text: &str) {
        self.text((at.0, at.1 + CAP_HEIGHT * size / 2.0), align, size, text);
    }

    /// Reads upwards, centred on y; x is the baseline.
    pub fn text_upwards(&mut self, at: Pt, size: f64, text: &str) {
        self.label(Label {
            at,
            align: Align::Center,
            size,
            weight: Weight::Regular,
            reading: Reading::Upwards,
            color: INK,
            text: text.into(),
        });
    }

    fn label(&mut self, mut label: Label) {
        if !label.text.is_empty() {
            label.text = said(&label.text).into_owned();
            self.ops.push(Op::Text(label));
        }
    }
}

/// The display list as text, an element per line, to a hundredth of a point: what a change of a figure shows up in.
impl fmt::Display for Canvas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // no "-0"
        let r = |v: f64| (v * 100.0).round() / 100.0 + 0.0;
        let list = |points: &[Pt]| {
            points
                .iter()
                .map(|p| [" ".to_owned(), r(p.0).to_string(), ",".to_owned(), r(p.1).to_string()].concat())
                .collect::<String>()
        };
        writeln!(f, "page {} x {}", r(self.width), r(self.height))?;
        for op in &self.ops {
            match op {
                Op::Path { points, color, width } => writeln!(f, "path {} {width}{}", color.css(), list(points))?,
                Op::Polygon { points, color } => writeln!(f, "polygon {}{}", color.css(), list(points))?,
                Op::Disc { center, radius, color } => {
                    writeln!(f, "disc {} {}{}", color.css(), r(*radius), list(&[*center]))?;
                }
                Op::Text(l) => {
                    let (size, at) = (l.size, list(&[l.at]));
                    writeln!(f, "text {:?} {:?} {:?} {size}{at} {:?}", l.align, l.weight, l.reading, l.text)?;
                }
            }
        }
        Ok(())
    }
}

/// The points of a polygon as a closed line: the second point again, so that the first corner is joined as well.
fn closed(points: &[Pt]) -> Vec<Pt> {
    points.iter().chain(&points[..2]).copied().collect()
}

/// The outline of a marker of radius 1; the factors give all markers the same visual weight.
fn outline(mark: Mark) -> Vec<Pt> {
    let scaled = |k: f64, points: &[Pt]| points.iter().map(|p| (p.0 * k, p.1 * k)).collect();
    match mark {
        Mark::None | Mark::Disc => Vec::new(),
        Mark::Square => scaled(0.89, &[(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)]),
        Mark::Up => scaled(1.2, &[(0.0, -1.0), (0.95, 0.72), (-0.95, 0.72)]),
        Mark::Down => scaled(1.2, &[(0.0, 1.0), (0.95, -0.72), (-0.95, -0.72)]),
        Mark::Diamond => scaled(1.25, &[(0.0, -1.0), (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0)]),
        Mark::Plus => scaled(1.15, &PLUS),
        Mark::Cross => {
            let s = std::f64::consts::FRAC_1_SQRT_2;
            let turned: Vec<Pt> = PLUS.iter().map(|p| ((p.0 - p.1) * s, (p.0 + p.1) * s)).collect();
            scaled(1.2, &turned)
        }
        Mark::Star => (0..10)
            .map(|i| {
                let angle = std::f64::consts::PI * (f64::from(i) / 5.0 - 0.5);
                let r = if i % 2 == 0 { 1.35 } else { 0.61 };
                (angle.cos() * r, angle.sin() * r)
            })
            .collect(),
    }
}

/// Half the thickness of a bar of a plus.
const T: f64 = 0.36;
const PLUS: [Pt; 12] = [
    (-T, -1.0),
    (T, -1.0),
    (T, -T),
    (1.0, -T),
    (1.0, T),
    (T, T),
    (T, 1.0),
    (-T, 1.0),
    (-T, T),
    (-1.0, T),
    (-1.0, -T),
    (-T, -T),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::style::BLACK;

    #[test]
    fn nothing_is_drawn_outside_the_clip() {
        let clip = Rect::new(10.0, 10.0, 20.0, 20.0);
        let mut c = Canvas::new(100.0, 100.0);
        c.clipped(clip, |c| {
            c.polygon(&Rect::new(0.0, 0.0, 15.0, 15.0).corners(), Fill::new(BLACK).hatched(Hatch::Cross).edged());
            c.line(&[(0.0, 12.0), (50.0, 12.0)], Stroke::new(BLACK, 1.0).dashed(&[2.0, 1.0]));
            c.rect(Rect::new(50.0, 50.0, 60.0, 60.0), Fill::new(BLACK));
        });
        let grown = clip.grow(0.5 + 1e-9);
        let points = c.ops.iter().flat_map(|op| match op {
            Op::Path { points, .. } | Op::Polygon { points, .. } => points.clone(),
            _ => Vec::new(),
        });
        assert!(points.clone().count() > 20);
        assert!(points.into_iter().all(|p| grown.contains(p)));
    }

    #[test]
    fn hatch_is_light_on_dark_ground() {
        let strokes = |ground: Rgb| {
            let mut c = Canvas::new(50.0, 50.0);
            c.rect(Rect::new(0.0, 0.0, 40.0, 40.0), Fill::new(ground).hatched(Hatch::Forward));
            c.ops.iter().find_map(|op| if let Op::Path { color, .. } = op { Some(*color) } else { None })
        };
        assert_eq!(strokes(BLACK), Some(WHITE));
        assert!(strokes(WHITE).is_some_and(|c| c.luminance() < 0.1));
    }
}
