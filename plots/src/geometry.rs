//! Plane geometry of the display list: rectangles, clipping, dashes, hatches. Units are points, y runs downwards.

use crate::style::Dash;

/// A point (x, y).
pub type Pt = (f64, f64);

/// An upright rectangle; `x0 <= x1`, `y0 <= y1`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Rect {
    pub x0: f64,
    pub y0: f64,
    pub x1: f64,
    pub y1: f64,
}

impl Rect {
    /// Through two opposite corners, in any order.
    pub fn new(x0: f64, y0: f64, x1: f64, y1: f64) -> Rect {
        Rect { x0: x0.min(x1), y0: y0.min(y1), x1: x0.max(x1), y1: y0.max(y1) }
    }

    /// The smallest rectangle around some points.
    pub fn around(points: &[Pt]) -> Rect {
        let empty = Rect { x0: f64::MAX, y0: f64::MAX, x1: f64::MIN, y1: f64::MIN };
        points.iter().fold(empty, |r, p| Rect {
            x0: r.x0.min(p.0),
            y0: r.y0.min(p.1),
            x1: r.x1.max(p.0),
            y1: r.y1.max(p.1),
        })
    }

    pub fn width(&self) -> f64 {
        self.x1 - self.x0
    }

    pub fn height(&self) -> f64 {
        self.y1 - self.y0
    }

    pub fn center(&self) -> Pt {
        (f64::midpoint(self.x0, self.x1), f64::midpoint(self.y0, self.y1))
    }

    /// The rectangle with all sides moved outwards by `d`.
    pub fn grow(&self, d: f64) -> Rect {
        Rect { x0: self.x0 - d, y0: self.y0 - d, x1: self.x1 + d, y1: self.y1 + d }
    }

    /// Area in common.
    pub fn overlap(&self, other: &Rect) -> f64 {
        let w = (self.x1.min(other.x1) - self.x0.max(other.x0)).max(0.0);
        let h = (self.y1.min(other.y1) - self.y0.max(other.y0)).max(0.0);
        w * h
    }

    pub fn contains(&self, p: Pt) -> bool {
        p.0 >= self.x0 && p.0 <= self.x1 && p.1 >= self.y0 && p.1 <= self.y1
    }

    pub fn corners(&self) -> [Pt; 4] {
        [(self.x0, self.y0), (self.x1, self.y0), (self.x1, self.y1), (self.x0, self.y1)]
    }
}

/// The pieces of a polyline inside a rectangle (Liang and Barsky, 1984).
pub fn clip_line(points: &[Pt], r: Rect) -> Vec<Vec<Pt>> {
    let mut pieces: Vec<Vec<Pt>> = Vec::new();
    for segment in points.windows(2) {
        let Some((start, end)) = clip_segment(segment[0], segment[1], r) else { continue };
        match pieces.last_mut() {
            Some(piece) if piece.last() == Some(&start) => piece.push(end),
            _ => pieces.push(vec![start, end]),
        }
    }
    pieces
}

fn clip_segment(a: Pt, b: Pt, r: Rect) -> Option<(Pt, Pt)> {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let (mut enter, mut leave) = (0.0f64, 1.0f64);
    for (p, q) in [(-dx, a.0 - r.x0), (dx, r.x1 - a.0), (-dy, a.1 - r.y0), (dy, r.y1 - a.1)] {
        if p == 0.0 {
            if q < 0.0 {
                return None;
            }
        } else if p < 0.0 {
            enter = enter.max(q / p);
        } else {
            leave = leave.min(q / p);
        }
    }
    // t = 0 and t = 1 give the ends to the last bit, so that neighbouring pieces join
    let at = |t: f64| if t == 1.0 { b } else { (a.0 + t * dx, a.1 + t * dy) };
    (enter <= leave).then(|| (at(enter), at(leave)))
}

/// The part of a polygon inside a rectangle (Sutherland and Hodgman, 1974).
pub fn clip_polygon(points: &[Pt], r: Rect) -> Vec<Pt> {
    let inside: [&dyn Fn(Pt) -> f64; 4] = [&|p| p.0 - r.x0, &|p| r.x1 - p.0, &|p| p.1 - r.y0, &|p| r.y1 - p.1];
    let mut polygon = points.to_vec();
    for depth in inside {
        let mut kept = Vec::with_capacity(polygon.len() + 4);
        for (i, &a) in polygon.iter().enumerate() {
            let b = polygon[(i + 1) % polygon.len()];
            let (da, db) = (depth(a), depth(b));
            if da >= 0.0 {
                kept.push(a);
            }
            if (da >= 0.0) != (db >= 0.0) {
                let t = da / (da - db);
                kept.push((a.0 + t * (b.0 - a.0), a.1 + t * (b.1 - a.1)));
            }
        }
        polygon = kept;
    }
    polygon
}

/// Cuts a polyline into its dashes.
pub fn dashes(points: &[Pt], pattern: Dash) -> Vec<Vec<Pt>> {
    let Some(&first) = points.first() else { return Vec::new() };
    let (mut out, mut dash) = (Vec::new(), vec![first]);
    let (mut phase, mut left) = (0, pattern[0]);
    for segment in points.windows(2) {
        let (mut a, b) = (segment[0], segment[1]);
        let mut length = (b.0 - a.0).hypot(b.1 - a.1);
        while length > left {
            let t = left / length;
            a = (a.0 + t * (b.0 - a.0), a.1 + t * (b.1 - a.1));
            length -= left;
            if phase % 2 == 0 {
                dash.push(a);
                out.push(std::mem::take(&mut dash));
            } else {
                dash = vec![a];
            }
            phase += 1;
            left = pattern[phase % pattern.len()];
        }
        left -= length;
        if phase % 2 == 0 {
            dash.push(b);
        }
    }
    if phase % 2 == 0 && dash.len() > 1 {
        out.push(dash);
    }
    out
}

/// Parallel strokes across a simple polygon, at `degrees` to the x axis and `step` apart. The phase is that of the
/// page, so that the hatches of neighbours line up.
pub fn hatch_strokes(polygon: &[Pt], degrees: f64, step: f64) -> Vec<[Pt; 2]> {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let turned: Vec<Pt> = polygon.iter().map(|p| (p.0 * cos + p.1 * sin, -p.0 * sin + p.1 * cos)).collect();
    let back = |u: f64, v: f64| (u * cos - v * sin, u * sin + v * cos);
    let bounds = Rect::around(&turned);
    let mut out = Vec::new();
    let mut row = ((bounds.y0 + 1e-6) / step).ceil();
    while row * step < bounds.y1 {
        let v = row * step;
        for span in crossings(&turned, v).chunks_exact(2) {
            // shorter strokes are specks
            if span[1] - span[0] > 0.3 {
                out.push([back(span[0], v), back(span[1], v)]);
            }
        }
        row += 1.0;
    }
    out
}

/// Where the horizontal line at `v` crosses the edges, from left to right.
pub fn crossings(polygon: &[Pt], v: f64) -> Vec<f64> {
    let mut out = Vec::new();
    for (i, a) in polygon.iter().enumerate() {
        let b = polygon[(i + 1) % polygon.len()];
        if (a.1 <= v) != (b.1 <= v) {
            out.push(a.0 + (v - a.1) / (b.1 - a.1) * (b.0 - a.0));
        }
    }
    out.sort_by(f64::total_cmp);
    out
}

/// Whether a point lies inside a simple polygon.
pub fn inside(polygon: &[Pt], p: Pt) -> bool {
    crossings(polygon, p.1).iter().filter(|x| **x > p.0).count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SQUARE: Rect = Rect { x0: 0.0, y0: 0.0, x1: 10.0, y1: 10.0 };

    fn length(pieces: &[Vec<Pt>]) -> f64 {
        pieces.iter().flat_map(|p| p.windows(2)).map(|s| (s[1].0 - s[0].0).hypot(s[1].1 - s[0].1)).sum()
    }

    #[test]
    fn a_polyline_that_leaves_and_returns_falls_into_two_pieces() {
        let pieces = clip_line(&[(1.0, 5.0), (15.0, 5.0), (15.0, 6.0), (1.0, 6.0)], SQUARE);
        assert_eq!(pieces, vec![vec![(1.0, 5.0), (10.0, 5.0)], vec![(10.0, 6.0), (1.0, 6.0)]]);
    }

    #[test]
    fn dashes_cover_their_share() {
        let on = length(&dashes(&[(0.0, 0.0), (60.0, 0.0), (60.0, 5.0)], &[4.0, 1.0]));
        assert!((on - 52.0).abs() < 1e-9);
    }

    #[test]
    fn hatch_of_a_square_has_the_length_of_its_area() {
        for degrees in [0.0, 45.0, -45.0] {
            let strokes = hatch_strokes(&Rect::new(0.0, 0.0, 200.0, 200.0).corners(), degrees, 2.0);
            let total: f64 = strokes.iter().map(|s| (s[1].0 - s[0].0).hypot(s[1].1 - s[0].1)).sum();
            assert!((total * 2.0 / 40_000.0 - 1.0).abs() < 0.02, "{degrees}: {total}");
        }
    }

    proptest! {
        #[test]
        fn clipped_things_are_inside(xs in prop::collection::vec((-30.0..30.0f64, -30.0..30.0f64), 3..9)) {
            let grown = SQUARE.grow(1e-9);
            prop_assert!(clip_polygon(&xs, SQUARE).iter().all(|p| grown.contains(*p)));
            prop_assert!(clip_line(&xs, SQUARE).iter().flatten().all(|p| grown.contains(*p)));
        }
    }
}
