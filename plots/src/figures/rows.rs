//! Dots on rows: what replaces bars where there are many mechanisms.

use crate::axis::Axis;
use crate::canvas::{Canvas, Fill};
use crate::figure::{Entry, Figure, Key, Sharing};
use crate::geometry::Rect;
use crate::panel::{Grid, Panel};
use crate::study::Study;
use crate::style::{MARKER, MM, ROW_MM, Series, TICK_LABEL, TWO_COLUMNS_MM, ZEBRA};
use crate::text;
use coase_core::statistics::Estimate;

/// Panels that are narrower have no room for three numbers below them, pt.
const LEAST_PANEL: f64 = 96.0;

pub(super) struct DotRow {
    pub(super) name: String,
    /// By panel, then by series.
    pub(super) panels: Vec<Vec<Option<Estimate>>>,
}

/// Marks at the ends stay off the names of the rows, and labels at the ends off those of the next panel.
fn with_room(axis: Axis, width: f64, panels: usize) -> Axis {
    let outer = if panels > 1 { 0.5 * widest_label(&axis) / width } else { 0.0 };
    let room = outer.max(0.015) * (axis.high - axis.low);
    Axis { low: axis.low - room, high: axis.high + room, ..axis }
}

fn widest_label(axis: &Axis) -> f64 {
    axis.ticks.iter().map(|(_, label)| text::width(label, TICK_LABEL)).fold(0.0, f64::max)
}

/// Whether the labels of the ticks stand apart on an axis of this width.
fn has_room(axis: &Axis, width: f64) -> bool {
    width / axis.ticks.len().saturating_sub(1).max(1) as f64 > widest_label(axis) + 6.0
}

/// Shades every second row of a panel, so that the eye keeps to one.
pub(super) fn shade_every_second_row(c: &mut Canvas, panel: &Panel, rows: usize) {
    for i in (1..rows).step_by(2) {
        let (y0, y1) = (panel.py(i as f64 - 0.5), panel.py(i as f64 + 0.5));
        c.rect(Rect::new(panel.area.x0, y0, panel.area.x1, y1), Fill::new(ZEBRA));
    }
}

/// Between marks of one row that stand side by side, pt.
const LANE: f64 = 2.0 * MARKER + 0.6;
/// Rows get no higher than fills this, mm.
const HIGHEST_MM: f64 = 130.0;

/// The axis of a panel; panels of one quantity share it.
fn axis(titles: &[(String, String)], rows: &[DotRow], panel: usize, width: f64, columns: usize) -> Axis {
    let label = &titles[panel].1;
    let same = titles.iter().enumerate().filter(|(_, other)| other.1 == *label).map(|(other, _)| other);
    let values = same.flat_map(|k| rows.iter().flat_map(move |r| r.panels[k].iter().flatten()));
    let ends: Vec<f64> = values.flat_map(|e| e.interval.map_or([e.mean; 2], |(a, b)| [a, b])).collect();
    let most = if columns > 2 { 4 } else { 5 };
    let tries = (2..=most).rev().map(|steps| Axis::around(ends.iter().copied(), steps, label));
    let x = tries.into_iter().reduce(|fits, next| if has_room(&fits, width) { fits } else { next });
    with_room(x.unwrap_or_else(|| Axis::around(ends.iter().copied(), 2, label)), width, columns)
}

/// Where a mark stands among those of its row that it would touch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Lane {
    place: usize,
    of: usize,
}

impl Lane {
    /// Rows below the middle of its own, of a row of this height in pt.
    fn offset(self, pitch: f64) -> f64 {
        let step = (LANE / pitch).min(0.8 / self.of as f64);
        step * (self.place as f64 - (self.of - 1) as f64 / 2.0)
    }
}

/// The lanes of the marks of a row: those that touch, directly or through others, share the row in the order of the series.
fn lanes(marks: &[Option<Estimate>], px: &dyn Fn(f64) -> f64) -> Vec<Lane> {
    let mut order: Vec<(usize, f64)> =
        marks.iter().enumerate().filter_map(|(k, e)| e.map(|e| (k, px(e.mean)))).collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut out = vec![Lane { place: 0, of: 1 }; marks.len()];
    let mut rest = &order[..];
    while !rest.is_empty() {
        let end = (1..rest.len()).find(|k| rest[*k].1 - rest[k - 1].1 > 2.0 * MARKER).unwrap_or(rest.len());
        let mut members: Vec<usize> = rest[..end].iter().map(|m| m.0).collect();
        members.sort_unstable();
        for (place, k) in members.into_iter().enumerate() {
            out[k] = Lane { place, of: end };
        }
        rest = &rest[end..];
    }
    out
}

/// Panels with title and x label side by side, their rows shared.
pub(super) fn dot_panels(
    study: &Study,
    titles: &[(String, String)],
    rows: &[DotRow],
    series: &[Series],
    legend: &[String],
) -> Figure {
    let page = study.width_mm(TWO_COLUMNS_MM) * MM;
    let longest = f64::min(TWO_COLUMNS_MM * MM * 0.3, page * 0.4);
    // panels that have no room beside each other stand below each other
    let beside = if page < TWO_COLUMNS_MM * MM { ((page - longest) / LEAST_PANEL) as usize } else { titles.len() };
    let columns = beside.clamp(1, titles.len().max(1));
    let below = titles.len().div_ceil(columns) as f64;
    let width = (page - longest) / columns as f64;
    let axes: Vec<Axis> = (0..titles.len()).map(|k| axis(titles, rows, k, width, columns)).collect();
    // Marks that would hide each other stand side by side, for which rows are as high as they need.
    let crowd = |row: &DotRow| {
        let of_panel = row.panels.iter().zip(&axes).map(|(of, axis)| lanes(of, &|x| axis.share(x) * width));
        of_panel.flatten().map(|lane| lane.of).max().unwrap_or(1)
    };
    let crowd = rows.iter().map(crowd).max().unwrap_or(1);
    let row_mm = (LANE * crowd as f64 / MM).clamp(ROW_MM, (HIGHEST_MM / rows.len().max(1) as f64).max(ROW_MM));
    let mut figure = Figure::new(page / MM, 6.0 + (14.0 + row_mm * rows.len() as f64) * below);
    if series.len() > 1 {
        let key = |(s, name): (&Series, &String)| -> Entry { (Key::Mark(s.mark, s.ink), name.clone()) };
        figure.legend(&[series.iter().zip(legend).map(key).collect()]);
    }
    let names: Vec<(usize, String)> =
        rows.iter().enumerate().map(|(i, r)| (i, text::fit(&r.name, TICK_LABEL, longest))).collect();
    let mut panels: Vec<Panel> = titles
        .iter()
        .zip(axes)
        .map(|((title, _), x)| {
            let mut y = Axis::rows(rows.len(), names.clone(), "");
            y.kind = crate::axis::Kind::Category;
            Panel::new(x, y).with_grid(Grid::X).titled(title)
        })
        .collect();
    figure.grid(columns, Sharing::Y, &mut panels);
    for (k, panel) in panels.iter().enumerate() {
        let c = &mut figure.canvas;
        shade_every_second_row(c, panel, rows.len());
        panel.back(c);
        for (i, row) in rows.iter().enumerate() {
            let placed = lanes(&row.panels[k], &|x| panel.px(x));
            let pitch = panel.area.height() / rows.len() as f64;
            let at = |lane: &Lane| i as f64 + lane.offset(pitch);
            let drawn = || row.panels[k].iter().zip(series).zip(&placed);
            for ((estimate, s), lane) in drawn() {
                if let Some(interval) = estimate.and_then(|e| e.interval) {
                    panel.interval_x(c, at(lane), interval, s.ink);
                }
            }
            for ((estimate, s), lane) in drawn() {
                if let Some(e) = estimate {
                    panel.mark(c, (e.mean, at(lane)), s.mark, s.ink);
                }
            }
        }
        panel.front(c);
    }
    figure
}

#[cfg(test)]
mod tests {
    use super::{Lane, lanes};
    use coase_core::statistics::estimate;

    #[test]
    fn marks_that_would_touch_stand_side_by_side_and_others_in_the_middle() {
        let marks: Vec<_> = [10.0, 50.0, 10.0, 13.0].into_iter().map(|v| estimate(&[v])).chain([None]).collect();
        let found = lanes(&marks, &|x| x);
        let lane = |place, of| Lane { place, of };
        assert_eq!(found, [lane(0, 3), lane(0, 1), lane(1, 3), lane(2, 3), lane(0, 1)]);
        assert_eq!((found[1].offset(12.5), found[2].offset(12.5)), (0.0, 0.0));
        assert!(found[3].offset(12.5) <= 0.4 && found[0].offset(12.5) < -0.2);
        // However many there are, they stay in their row.
        assert!(Lane { place: 19, of: 20 }.offset(12.5) < 0.5);
    }
}
