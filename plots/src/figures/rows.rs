//! Dots on rows: what replaces bars where there are many mechanisms.

use crate::axis::Axis;
use crate::canvas::{Canvas, Fill};
use crate::figure::{Entry, Figure, Key, Sharing};
use crate::geometry::Rect;
use crate::panel::{Grid, Panel};
use crate::study::Study;
use crate::style::{MM, ROW_MM, Series, TICK_LABEL, TWO_COLUMNS_MM, ZEBRA};
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
    let mut figure = Figure::new(page / MM, 6.0 + (14.0 + ROW_MM * rows.len() as f64) * below);
    if series.len() > 1 {
        let key = |(s, name): (&Series, &String)| -> Entry { (Key::Mark(s.mark, s.ink), name.clone()) };
        figure.legend(&[series.iter().zip(legend).map(key).collect()]);
    }
    let names: Vec<(usize, String)> =
        rows.iter().enumerate().map(|(i, r)| (i, text::fit(&r.name, TICK_LABEL, longest))).collect();
    let width = (page - longest) / columns as f64;
    let mut panels: Vec<Panel> = titles
        .iter()
        .map(|(title, label)| {
            // panels of one quantity share their axis
            let same = titles.iter().enumerate().filter(|(_, other)| other.1 == *label).map(|(other, _)| other);
            let values = same.flat_map(|k| rows.iter().flat_map(move |r| r.panels[k].iter().flatten()));
            let ends = values.flat_map(|e| e.interval.map_or([e.mean; 2], |(a, b)| [a, b]));
            let mut y = Axis::rows(rows.len(), names.clone(), "");
            y.kind = crate::axis::Kind::Category;
            let ends: Vec<f64> = ends.collect();
            let most = if columns > 2 { 4 } else { 5 };
            let tries = (2..=most).rev().map(|steps| Axis::around(ends.iter().copied(), steps, label));
            let x = tries.into_iter().reduce(|fits, next| if has_room(&fits, width) { fits } else { next });
            let x = x.unwrap_or_else(|| Axis::around(ends, 2, label));
            Panel::new(with_room(x, width, columns), y).with_grid(Grid::X).titled(title)
        })
        .collect();
    figure.grid(columns, Sharing::Y, &mut panels);
    for (k, panel) in panels.iter().enumerate() {
        let c = &mut figure.canvas;
        shade_every_second_row(c, panel, rows.len());
        panel.back(c);
        for (i, row) in rows.iter().enumerate() {
            let estimates = || row.panels[k].iter().zip(series);
            for (estimate, s) in estimates() {
                if let Some(interval) = estimate.and_then(|e| e.interval) {
                    panel.interval_x(c, i as f64, interval, s.ink);
                }
            }
            for (estimate, s) in estimates() {
                if let Some(e) = estimate {
                    panel.mark(c, (e.mean, i as f64), s.mark, s.ink);
                }
            }
        }
        panel.front(c);
    }
    figure
}
