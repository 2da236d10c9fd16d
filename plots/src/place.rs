//! Puts labels beside points without covering markers, lines or each other.

use crate::canvas::{Align, Canvas, Stroke};
use crate::geometry::{Pt, Rect};
use crate::style::{CAP_HEIGHT, GREY};
use crate::text;
use std::f64::consts::TAU;

/// A label and the points it may stand beside.
#[derive(Clone, Debug)]
pub struct Tag {
    pub anchors: Vec<Pt>,
    pub text: String,
}

/// Distances from the anchor that are tried.
const DISTANCES: [f64; 5] = [5.0, 9.0, 15.0, 22.0, 32.0];
/// Dislike of each of the twelve directions, from the right clockwise: beside the point is best.
const DIRECTIONS: [f64; 12] = [0.0, 1.0, 2.0, 3.0, 2.0, 1.0, 0.5, 1.0, 2.0, 3.0, 2.0, 1.0];

/// Places each label at the cheapest of its anchors, twelve directions and five distances; the most crowded label
/// goes first. `avoid` are markers, `lines` curves.
pub fn place(c: &mut Canvas, area: Rect, tags: &[Tag], avoid: &[Rect], lines: &[Vec<Pt>], size: f64) {
    let mut taken = avoid.to_vec();
    let dots = along(lines);
    for i in most_crowded_first(tags) {
        let tag = &tags[i];
        let Some(best) = best_place(tag, area, &taken, &dots, size) else { continue };
        if best.distance > DISTANCES[1] {
            let r = best.area;
            let end = (best.anchor.0.clamp(r.x0, r.x1), best.anchor.1.clamp(r.y0, r.y1));
            c.segment(best.anchor, end, Stroke::new(GREY, 0.4));
        }
        c.text((best.area.x0, best.area.y1), Align::Left, size, &tag.text);
        taken.push(best.area);
    }
}

struct Place {
    cost: f64,
    area: Rect,
    anchor: Pt,
    distance: f64,
}

fn best_place(tag: &Tag, area: Rect, taken: &[Rect], dots: &[Pt], size: f64) -> Option<Place> {
    let (w, h) = (text::width(&tag.text, size), size * CAP_HEIGHT);
    let beside = |u: f64, length: f64| match u {
        u if u > 0.3 => 0.0,
        u if u < -0.3 => -length,
        _ => -length / 2.0,
    };
    let mut best: Option<Place> = None;
    for &anchor in &tag.anchors {
        for (k, &distance) in DISTANCES.iter().enumerate() {
            for (direction, dislike) in DIRECTIONS.iter().enumerate() {
                let (uy, ux) = (TAU * direction as f64 / 12.0).sin_cos();
                let x = anchor.0 + ux * distance + beside(ux, w);
                let y = anchor.1 + uy * distance + beside(uy, h);
                let r = Rect::new(x, y, x + w, y + h);
                let mut cost = k as f64 * 6.0 + dislike;
                cost += taken.iter().map(|t| r.grow(1.2).overlap(t) * 20.0).sum::<f64>();
                cost += dots.iter().filter(|d| r.grow(1.0).contains(**d)).count() as f64 * 4.0;
                if r.x0 < area.x0 + 1.0 || r.x1 > area.x1 || r.y0 < area.y0 || r.y1 > area.y1 - 1.0 {
                    cost += 1e4;
                }
                if best.as_ref().is_none_or(|b| cost < b.cost - 1e-9) {
                    best = Some(Place { cost, area: r, anchor, distance });
                }
            }
        }
    }
    best
}

/// Points along lines, 3 pt apart: a label that contains one covers the line.
fn along(lines: &[Vec<Pt>]) -> Vec<Pt> {
    let mut dots = Vec::new();
    for segment in lines.iter().flat_map(|l| l.windows(2)) {
        let (a, b) = (segment[0], segment[1]);
        let n = ((b.0 - a.0).hypot(b.1 - a.1) / 3.0).ceil().clamp(1.0, 400.0) as i32;
        dots.extend(
            (0..=n).map(|i| f64::from(i) / f64::from(n)).map(|t| (a.0 + t * (b.0 - a.0), a.1 + t * (b.1 - a.1))),
        );
    }
    dots
}

fn most_crowded_first(tags: &[Tag]) -> Vec<usize> {
    let all: Vec<Pt> = tags.iter().flat_map(|t| t.anchors.clone()).collect();
    let near = |p: &Pt| all.iter().map(|q| 1.0 / ((q.0 - p.0).hypot(q.1 - p.1) + 5.0)).sum::<f64>();
    let crowd: Vec<f64> =
        tags.iter().map(|t| t.anchors.iter().map(near).sum::<f64>() / t.anchors.len().max(1) as f64).collect();
    let mut order: Vec<usize> = (0..tags.len()).collect();
    order.sort_by(|a, b| crowd[*b].total_cmp(&crowd[*a]));
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::lint;

    #[test]
    fn labels_of_a_cluster_do_not_touch() {
        let mut c = Canvas::new(250.0, 200.0);
        let tags: Vec<Tag> = (0..6)
            .map(|i| Tag { anchors: vec![(100.0 + f64::from(i) * 3.0, 100.0)], text: format!("Mechanism {i}") })
            .collect();
        place(&mut c, Rect::new(0.0, 0.0, 250.0, 200.0), &tags, &[], &[], 7.0);
        assert_eq!(lint(&c), vec![]);
    }
}
