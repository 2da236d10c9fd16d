//! Heat maps along the feeder over time, a row per bus or branch: what the figures of voltages, carbon and loading share.

use super::{Absent, Basis, Picture, lettered, listed};
use crate::axis::Axis;
use crate::canvas::{Align, Canvas, Fill, Stroke};
use crate::color::Map;
use crate::figure::{ColorBar, Figure, Key, Sharing};
use crate::geometry::Rect;
use crate::panel::Panel;
use crate::study::Study;
use crate::style::{
    BLACK, Hatch, INK, MINOR_TICK_LINE, MM, NOTE, ONE_COLUMN_MM, PAD_TITLE, TICK_LABEL, TWO_COLUMNS_MM, WHITE,
};
use crate::text;

/// More periods are narrower than a printed line.
const MOST_PERIODS: usize = 744;

/// One map.
pub(super) struct HeatMap {
    pub(super) title: String,
    /// By row of the feeder and period.
    pub(super) cells: Vec<Vec<Option<f64>>>,
}

impl HeatMap {
    pub(super) fn values(&self) -> impl Iterator<Item = f64> {
        self.cells.iter().flatten().flatten().copied()
    }
}

/// What colours mean.
pub(super) struct Scale {
    pub(super) axis: Axis,
    pub(super) map: Map,
    pub(super) note: Note,
}

/// What is told beside the title.
#[derive(Clone, PartialEq)]
pub(super) enum Note {
    None,
    /// Cells without value are hatched.
    Undefined {
        name: String,
    },
    /// What lies outside is outlined.
    Limits {
        low: f64,
        high: f64,
        name: String,
    },
}

impl Note {
    /// The sample and what it means.
    fn key(&self) -> Option<(Key, String)> {
        match self {
            Note::None => None,
            Note::Undefined { name } => {
                Some((Key::Fill(Fill::new(WHITE).hatched(Hatch::Forward).edged()), name.clone()))
            }
            Note::Limits { name, .. } => Some((Key::Frame(Stroke::new(BLACK, 1.0)), name.clone())),
        }
    }
}

/// Tells of cells without value where there are any.
pub(super) fn undefined(maps: &[HeatMap], name: &str) -> Note {
    let any = maps.iter().any(|m| m.cells.iter().flatten().any(Option::is_none));
    if any { Note::Undefined { name: name.to_owned() } } else { Note::None }
}

/// The rows of the maps in feeder order, and where a lateral begins.
pub(super) struct Rows {
    /// Of buses, or of what ends at them.
    pub(super) ids: Vec<u64>,
    pub(super) laterals: Vec<usize>,
    pub(super) label: &'static str,
}

/// The maps of the baseline and the best market under the reference policy, from row, period and value of what a run has.
pub(super) fn maps(
    study: &Study,
    rows: usize,
    of_run: impl Fn(usize) -> Vec<(usize, usize, Option<f64>)>,
) -> Result<Vec<HeatMap>, Absent> {
    let policy = study.reference_policy().ok_or(Absent::NoRun)?;
    let best = study.best_market(policy);
    let shown = study.baseline().into_iter().chain(best.filter(|b| Some(*b) != study.baseline()));
    let periods = study.clock.periods;
    if periods < 2 {
        return Err(Absent::OnePeriod);
    }
    if periods > MOST_PERIODS {
        return Err(Absent::TooManyPeriods { periods });
    }
    let mut out = Vec::new();
    for m in shown {
        let Some(&run) = study.runs(m, policy).first() else { continue };
        let found = of_run(run);
        let mut cells = vec![vec![None; periods]; rows];
        for (row, period, value) in &found {
            cells[*row][*period] = *value;
        }
        if !found.is_empty() {
            out.push(HeatMap { title: study.mechanism(m).name.clone(), cells });
        }
    }
    Ok(out)
}

/// The figure and its caption; `rows_are` says what a row is and where rows begin.
pub(super) fn picture(
    study: &Study,
    rows: &Rows,
    maps: &[HeatMap],
    scale: &Scale,
    what: &str,
    rows_are: &str,
) -> Picture {
    let policy = study.reference_policy().map(|p| study.policy(p).name.clone()).unwrap_or_default();
    let names: Vec<String> = maps.iter().map(|m| m.title.clone()).collect();
    Picture {
        qualifier: String::new(),
        title: what.into(),
        caption: format!(
            "{what} under {}, carbon policy {policy}; {rows_are}.{}",
            listed(&names),
            study.footnote(&Basis::OneRun)
        ),
        canvas: draw(study, maps, scale, rows).canvas,
    }
}

fn draw(study: &Study, maps: &[HeatMap], scale: &Scale, rows: &Rows) -> Figure {
    let clock = study.clock;
    let n = rows.ids.len();
    let height = (24.0 + 1.5 * n as f64).clamp(62.0, 210.0);
    let mut figure = study.figure(if maps.len() > 1 { TWO_COLUMNS_MM } else { ONE_COLUMN_MM }, height);
    let free = (height - 18.0) * MM;
    let y = Axis::rows(n, bus_ticks(rows, free / n as f64), rows.label);
    // beside a title there is room on a wide page only
    let narrow = figure.is_narrow();
    if let Some((key, text)) = scale.note.key().filter(|_| narrow) {
        figure.legend(&[vec![(key, text)]]);
    }
    let bar = figure.color_bar(scale.axis.clone(), scale.map);
    let mut panels: Vec<Panel> = maps
        .iter()
        .enumerate()
        .map(|(i, m)| {
            let title = if maps.len() > 1 { lettered(i, &m.title) } else { m.title.clone() };
            Panel::new(clock.axis(""), y.clone()).boxed().titled(&title)
        })
        .collect();
    figure.shared_x_label(clock.label);
    figure.grid(maps.len(), Sharing::Y, &mut panels);
    let c = &mut figure.canvas;
    for (panel, map) in panels.iter().zip(maps) {
        cells(c, panel, map, &bar, clock.step);
        for &row in &rows.laterals {
            // rows that are no neighbours on the feeder
            let y = panel.py(row as f64 - 0.5);
            c.segment((panel.area.x0, y), (panel.area.x1, y), Stroke::new(WHITE, 1.4));
            c.segment((panel.area.x0, y), (panel.area.x1, y), Stroke::new(INK, MINOR_TICK_LINE));
        }
        if let Note::Limits { low, high, .. } = scale.note {
            contour(c, panel, map, clock.step, &|v| v < low || v > high);
        }
        panel.front(c);
    }
    bar.draw(c, panels[0].area.y0, panels[0].area.y1);
    if let Some(panel) = panels.last().filter(|_| !narrow) {
        note(c, panel.area, &scale.note);
    }
    figure
}

fn cells(c: &mut Canvas, panel: &Panel, map: &HeatMap, bar: &ColorBar, step: f64) {
    for (row, values) in map.cells.iter().enumerate() {
        for (h, value) in values.iter().enumerate() {
            if let Some(value) = value {
                let (from, to) = ((h as f64 * step, row as f64 - 0.5), ((h + 1) as f64 * step, row as f64 + 0.5));
                panel.note_cell(c, from, to, *value, bar.color(*value));
            }
        }
        let color = |h: usize| values[h].map(|v| bar.color(v));
        let mut start = 0;
        while start < values.len() {
            // equal neighbours are one rectangle
            let end = (start + 1..values.len()).find(|h| color(*h) != color(start)).unwrap_or(values.len());
            let (a, b) =
                (panel.point(start as f64 * step, row as f64 - 0.5), panel.point(end as f64 * step, row as f64 + 0.5));
            let r = Rect::new(a.0, a.1, b.0, b.1);
            match color(start) {
                // cells overlap a little: no seams
                Some(color) => {
                    let (x1, y1) = ((r.x1 + 0.25).min(panel.area.x1), (r.y1 + 0.25).min(panel.area.y1));
                    c.rect(Rect { x1, y1, ..r }, Fill::new(color));
                }
                None => c.rect(r, Fill::new(WHITE).hatched(Hatch::Forward)),
            }
            start = end;
        }
    }
}

/// The border of the marked cells, along the edges of the cells.
fn contour(c: &mut Canvas, panel: &Panel, map: &HeatMap, step: f64, marked: &dyn Fn(f64) -> bool) {
    let at = |row: Option<usize>, h: Option<usize>| {
        row.and_then(|r| map.cells.get(r))
            .and_then(|values| h.and_then(|h| values.get(h)))
            .is_some_and(|v| v.is_some_and(marked))
    };
    let stroke = Stroke::new(BLACK, 1.0);
    for row in 0..map.cells.len() {
        for h in 0..map.cells[row].len() {
            if !at(Some(row), Some(h)) {
                continue;
            }
            let (x0, x1) = (h as f64 * step, (h + 1) as f64 * step);
            let (y0, y1) = (row as f64 - 0.5, row as f64 + 0.5);
            let edges = [
                (at(Some(row), h.checked_sub(1)), (x0, y0), (x0, y1)),
                (at(Some(row), Some(h + 1)), (x1, y0), (x1, y1)),
                (at(row.checked_sub(1), Some(h)), (x0, y0), (x1, y0)),
                (at(Some(row + 1), Some(h)), (x0, y1), (x1, y1)),
            ];
            for (inside, a, b) in edges {
                if !inside {
                    c.segment(panel.point(a.0, a.1), panel.point(b.0, b.1), stroke);
                }
            }
        }
    }
}

/// What a hatch or an outline means, at the right end of the line of the titles.
fn note(c: &mut Canvas, panel: Rect, note: &Note) {
    let (Note::Undefined { name } | Note::Limits { name, .. }) = note else { return };
    let (x, y) = (panel.x1 - text::width(name, NOTE), panel.y0 - PAD_TITLE - 3.0);
    let swatch = Rect::new(x - 12.0, y - 3.0, x - 3.0, y + 3.0);
    if matches!(note, Note::Undefined { .. }) {
        c.rect(swatch, Fill::new(WHITE).hatched(Hatch::Forward).edged());
    } else {
        c.frame(swatch, Stroke::new(BLACK, 1.0));
    }
    c.text_middle((x, y), Align::Left, NOTE, name);
}

/// Numbers of rows that have room: the root, the end of the trunk and of each lateral, then the middles of long gaps.
fn bus_ticks(rows: &Rows, pitch: f64) -> Vec<(usize, String)> {
    let n = rows.ids.len();
    let apart = ((TICK_LABEL + 1.5) / pitch).ceil().max(1.0) as usize;
    let free = |chosen: &[usize], row: usize| chosen.iter().all(|c| c.abs_diff(row) >= apart);
    let mut chosen: Vec<usize> = Vec::new();
    let ends = rows.laterals.iter().map(|l| l - 1).chain([n - 1]);
    for row in [0].into_iter().chain(ends) {
        if free(&chosen, row) {
            chosen.push(row);
        }
    }
    chosen.sort_unstable();
    let few = (4 * apart).max(5);
    for gap in chosen.clone().windows(2) {
        let parts = (gap[1] - gap[0]) / few;
        chosen.extend((1..=parts.min(12)).map(|k| gap[0] + k * (gap[1] - gap[0]) / (parts + 1)));
    }
    chosen.sort_unstable();
    chosen.dedup();
    chosen.into_iter().map(|row| (row, rows.ids[row].to_string())).collect()
}
