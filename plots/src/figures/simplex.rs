//! How buyers spread over three options: the plane of their shares, with the way that shares move, ways from several beginnings, and
//! points of rest by their stability.

use super::explained::{Explained, first_explained, in_period, name_of};
use super::{Absent, Basis, Picture, lettered, shown_of};
use crate::canvas::{Align, Canvas, Fill, Stroke};
use crate::color::Rgb;
use crate::figure::Key;
use crate::geometry::{Pt, Rect};
use crate::store::CurveRows;
use crate::study::Study;
use crate::style::{
    BLUE, CAP_HEIGHT, DATA_LINE, GAP, GRID, GRID_LINE, INK, LABEL, MARKER, Mark, NOTE, ORANGE, RED, SPINE, THIN_LINE,
    TWO_COLUMNS_MM, WHITE,
};
use crate::text;

/// Planes side by side.
const MOST_PLANES: usize = 2;
/// Grid lines of each share.
const PARTS: usize = 5;
/// Room for the names of corners and for the shares along the sides, pt.
const ROOM: f64 = 16.0;
/// Arrows of the field.
const FIELD: Rgb = Rgb::hex(0xC4C4C4);
const WAY: Stroke = Stroke::new(BLUE, DATA_LINE);
/// Points of rest: curve, mark, colour, name.
const RESTS: [(&str, Mark, Rgb, &str); 3] = [
    ("simplex_stable", Mark::Disc, INK, "stable"),
    ("simplex_saddle", Mark::Diamond, ORANGE, "saddle"),
    ("simplex_unstable", Mark::Square, RED, "unstable"),
];

pub(super) fn draw(study: &Study) -> Result<Vec<Picture>, Absent> {
    let (policy, all) = first_explained(study, false, &|name| name.starts_with("simplex_")).ok_or(Absent::NoCurves)?;
    let planes: Vec<(&Explained, Option<usize>)> =
        all.iter().take(MOST_PLANES).map(|of| (of, of.busiest(study))).collect();
    let Some((first, period)) = planes.first() else { return Err(Absent::NoCurves) };
    let buyer = first.of_period(*period).next().map_or_else(String::new, |curve| name_of(study, &curve.other));
    let caption = format!(
        "Shares of what {buyer} needs by option{}, carbon policy {}: which way they move (arrows), ways from several beginnings \
         (lines), points of rest (marks).{}{}",
        in_period(study, *period),
        study.policy(policy).name,
        shown_of(planes.len(), all.len(), "mechanisms whose buyers choose among three", "the first"),
        study.footnote(&Basis::OneRun)
    );
    Ok(vec![Picture {
        qualifier: String::new(),
        title: "Shares of buyers among three options".into(),
        caption,
        canvas: page(study, &planes),
    }])
}

fn page(study: &Study, planes: &[(&Explained, Option<usize>)]) -> Canvas {
    let width = if planes.len() > 1 { TWO_COLUMNS_MM } else { crate::style::ONE_COLUMN_MM };
    let mut figure = study.figure(width, 86.0);
    let drawn = |name: &str| planes.iter().any(|(of, period)| of.of_period(*period).any(|curve| curve.name == name));
    let mut keys = vec![(Key::Line(WAY), "way".to_owned())];
    let rests = RESTS.iter().filter(|(curve, ..)| drawn(curve));
    keys.extend(rests.map(|(_, mark, color, name)| (Key::Mark(*mark, *color), (*name).to_owned())));
    figure.legend(&[keys]);
    let free = figure.area;
    let each = (free.width() - GAP * (planes.len() - 1) as f64) / planes.len() as f64;
    for (k, (of, period)) in planes.iter().enumerate() {
        let x0 = free.x0 + k as f64 * (each + GAP);
        let mut area = Rect::new(x0, free.y0, x0 + each, free.y1);
        if planes.len() > 1 {
            let title = lettered(k, &study.mechanism(of.mechanism).name);
            figure.canvas.bold((area.x0, area.y0 + LABEL), LABEL, &title);
            area.y0 += LABEL + 4.0;
        }
        let curves: Vec<&CurveRows> = of.of_period(*period).collect();
        Plane::within(area).draw(study, &mut figure.canvas, &curves);
    }
    figure.canvas
}

/// A triangle on the page: where all choose the first, the second and the third option.
struct Plane {
    corners: [Pt; 3],
}

impl Plane {
    fn within(area: Rect) -> Self {
        let area = Rect::new(area.x0 + ROOM, area.y0 + ROOM, area.x1 - ROOM, area.y1 - ROOM);
        let side = area.width().min(area.height() / 0.75_f64.sqrt());
        let (middle, height) = (area.center(), side * 0.75_f64.sqrt());
        let (left, right) = (middle.0 - 0.5 * side, middle.0 + 0.5 * side);
        let (top, bottom) = (middle.1 - 0.5 * height, middle.1 + 0.5 * height);
        Self { corners: [(left, bottom), (right, bottom), (middle.0, top)] }
    }

    /// Where the shares of the first and the second option stand.
    fn at(&self, (first, second): Pt) -> Pt {
        let weights = [first, second, 1.0 - first - second];
        let sum = |of: fn(&Pt) -> f64| self.corners.iter().zip(weights).map(|(corner, w)| w * of(corner)).sum();
        (sum(|p| p.0), sum(|p| p.1))
    }

    fn draw(&self, study: &Study, c: &mut Canvas, curves: &[&CurveRows]) {
        let named = |name: &'static str| curves.iter().filter(move |curve| curve.name == name);
        self.back(c);
        for flow in named("simplex_flow") {
            if let [from, to] = flow.points[..] {
                let (from, to) = (self.at(from), self.at(to));
                // An arrow that begins at the rim may leave it; what leaves is not shown.
                if self.holds(from) && self.holds(to) {
                    c.segment(from, to, Stroke::new(FIELD, THIN_LINE));
                    head(c, from, to, 2.6, FIELD);
                }
            }
        }
        for way in named("simplex_trajectory") {
            let points: Vec<Pt> = way.points.iter().map(|p| self.at(*p)).collect();
            c.line(&points, Stroke::new(WHITE, DATA_LINE + 1.2));
            c.line(&points, WAY);
            if let Some((from, to)) = half_way(&points) {
                head(c, from, to, 4.4, BLUE);
            }
        }
        self.front(c);
        for (name, mark, color, _) in RESTS {
            for rest in named(name) {
                rest.points.iter().for_each(|p| c.mark(self.at(*p), mark, 1.35 * MARKER, color));
            }
        }
        let center = self.at((1.0 / 3.0, 1.0 / 3.0));
        for corner in named("simplex_corner") {
            let Some(point) = corner.points.first() else { continue };
            let (x, y) = self.at(*point);
            let name = name_of(study, &corner.participant);
            let below = y > center.1;
            let baseline = if below { y + 9.0 + LABEL * CAP_HEIGHT } else { y - 6.0 };
            let align = if below && x < center.0 {
                Align::Left
            } else if below {
                Align::Right
            } else {
                Align::Center
            };
            let x = if below && x < center.0 {
                x - ROOM
            } else if below {
                x + ROOM
            } else {
                x
            };
            c.text((x, baseline), align, LABEL, &name);
        }
    }

    fn holds(&self, p: Pt) -> bool {
        crate::geometry::inside(&self.corners, p)
    }

    /// Lines of equal shares.
    fn back(&self, c: &mut Canvas) {
        for k in 1..PARTS {
            let share = k as f64 / PARTS as f64;
            let rest = 1.0 - share;
            for (a, b) in [((share, 0.0), (share, rest)), ((0.0, share), (rest, share)), ((rest, 0.0), (0.0, rest))] {
                c.segment(self.at(a), self.at(b), Stroke::new(GRID, GRID_LINE));
            }
        }
    }

    /// The sides, and the shares along them: of the second option below, of the third at the right, of the first at the left.
    fn front(&self, c: &mut Canvas) {
        let [a, b, top] = self.corners;
        c.line(&[a, b, top, a], Stroke::new(INK, SPINE));
        for k in 1..PARTS {
            let share = k as f64 / PARTS as f64;
            let label = text::number(share, 1);
            let (x, y) = self.at((1.0 - share, share));
            c.text((x, y + 3.0 + NOTE * CAP_HEIGHT), Align::Center, NOTE, &label);
            let (x, y) = self.at((0.0, 1.0 - share));
            c.text_middle((x + 4.0, y - 1.0), Align::Left, NOTE, &label);
            let (x, y) = self.at((share, 0.0));
            c.text_middle((x - 4.0, y - 1.0), Align::Right, NOTE, &label);
        }
    }
}

/// The piece of a line in which half of its length is reached.
fn half_way(points: &[Pt]) -> Option<(Pt, Pt)> {
    let length = |w: &[Pt]| (w[1].0 - w[0].0).hypot(w[1].1 - w[0].1);
    let half = 0.5 * points.windows(2).map(length).sum::<f64>();
    let mut gone = 0.0;
    let mut pieces = points.windows(2).filter(|w| length(w) > 0.0);
    pieces
        .find(|w| {
            gone += length(w);
            gone >= half
        })
        .map(|w| (w[0], w[1]))
}

/// The head of an arrow.
fn head(c: &mut Canvas, from: Pt, to: Pt, size: f64, color: Rgb) {
    let length = (to.0 - from.0).hypot(to.1 - from.1);
    if length <= 0.0 {
        return;
    }
    let (ux, uy) = ((to.0 - from.0) / length, (to.1 - from.1) / length);
    let back = (to.0 - size * ux, to.1 - size * uy);
    let side = 0.4 * size;
    c.polygon(
        &[to, (back.0 - side * uy, back.1 + side * ux), (back.0 + side * uy, back.1 - side * ux)],
        Fill::new(color),
    );
}
