//! Carbon intensity and voltage along the feeder over time: heat maps with a row per bus.

use super::{Absent, Basis, Picture, lettered, listed};
use crate::axis::Axis;
use crate::canvas::{Align, Canvas, Fill, Stroke};
use crate::color::{DIVERGING, Map, SEQUENTIAL};
use crate::figure::{ColorBar, Figure, Key, Sharing};
use crate::geometry::Rect;
use crate::panel::Panel;
use crate::store::NodeRow;
use crate::study::Study;
use crate::style::{
    BLACK, Hatch, INK, MINOR_TICK_LINE, MM, NOTE, ONE_COLUMN_MM, PAD_TITLE, TICK_LABEL, TWO_COLUMNS_MM, WHITE,
};
use crate::text;

/// More periods are narrower than a printed line.
const MOST_PERIODS: usize = 744;
/// The voltage that the diverging map is white at, p.u.
const NOMINAL: f64 = 1.0;

pub(super) fn carbon_intensity(study: &Study) -> Result<Vec<Picture>, Absent> {
    let maps = maps(study, |n| n.carbon_intensity_kg_per_kwh)?;
    let values = || maps.iter().flat_map(HeatMap::values);
    if values().next().is_none() {
        return Err(Absent::NoData { column: "carbon_intensity_kg_per_kwh" });
    }
    let axis = Axis::from_zero(values(), 6, "Carbon intensity (kg CO_2/kWh)");
    let undefined = maps.iter().any(|m| m.cells.iter().flatten().any(Option::is_none));
    let note = if undefined { Note::Undefined } else { Note::None };
    let what = "Nodal carbon intensity of the feeder over time";
    Ok(vec![picture(study, &maps, &Scale { axis, map: SEQUENTIAL, note }, what)])
}

pub(super) fn voltage(study: &Study) -> Result<Vec<Picture>, Absent> {
    let maps = maps(study, |n| n.voltage_pu)?;
    let values = || maps.iter().flat_map(HeatMap::values);
    if values().next().is_none() {
        return Err(Absent::NoData { column: "voltage_pu" });
    }
    let half = values().map(|v| (v - NOMINAL).abs()).fold(0.0, f64::max);
    // symmetric about the nominal voltage, or the white would mean something else
    let above = Axis::around([-half, half], 8, "");
    let axis = Axis::linear(NOMINAL + above.low, NOMINAL + above.high, 8, "Voltage magnitude (p.u.)");
    let note = match (study.facts.v_min_pu, study.facts.v_max_pu) {
        (Some(low), Some(high)) => Note::Limits { low, high },
        _ => Note::None,
    };
    let what = "Voltage along the feeder over time";
    Ok(vec![picture(study, &maps, &Scale { axis, map: DIVERGING, note }, what)])
}

struct HeatMap {
    title: String,
    /// By row of the feeder and period.
    cells: Vec<Vec<Option<f64>>>,
}

impl HeatMap {
    fn values(&self) -> impl Iterator<Item = f64> {
        self.cells.iter().flatten().flatten().copied()
    }
}

struct Scale {
    axis: Axis,
    map: Map,
    note: Note,
}

#[derive(Clone, Copy, PartialEq)]
enum Note {
    None,
    /// Cells without value are hatched.
    Undefined,
    /// What lies outside is outlined.
    Limits {
        low: f64,
        high: f64,
    },
}

/// The rows of the maps: buses in feeder order, and where a lateral begins.
struct Rows {
    buses: Vec<u64>,
    laterals: Vec<usize>,
}

/// The baseline and the best market under the reference policy.
fn maps(study: &Study, value: impl Fn(&NodeRow) -> Option<f64>) -> Result<Vec<HeatMap>, Absent> {
    let policy = study.reference_policy().ok_or(Absent::NoRun)?;
    let best = study.best_market(policy);
    let shown = study.baseline().into_iter().chain(best.filter(|b| Some(*b) != study.baseline()));
    let rows = rows(study).ok_or(Absent::NoNetwork)?;
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
        let mut cells = vec![vec![None; periods]; rows.buses.len()];
        let mut any = false;
        for node in &study.store.nodes(run) {
            if let Some(row) = rows.buses.iter().position(|b| *b == node.bus) {
                cells[row][node.period] = value(node);
                any = true;
            }
        }
        if any {
            out.push(HeatMap { title: study.mechanism(m).name.clone(), cells });
        }
    }
    if out.is_empty() { Err(Absent::NoNetwork) } else { Ok(out) }
}

fn rows(study: &Study) -> Option<Rows> {
    let of_scenario = study.store.runs.iter().enumerate().filter(|(_, run)| run.scenario == study.scenario);
    let first = of_scenario.map(|(run, _)| study.store.nodes(run)).find(|nodes| !nodes.is_empty()).unwrap_or_default();
    let mut buses: Vec<u64> = first.iter().filter(|node| node.period == 0).map(|node| node.bus).collect();
    buses.dedup();
    let strands = study.strands(&buses);
    let starts = strands.iter().scan(0, |next, strand| {
        let start = *next;
        *next += strand.len();
        Some(start)
    });
    let laterals = starts.skip(1).collect();
    (!buses.is_empty()).then(|| Rows { buses: strands.concat(), laterals })
}

fn picture(study: &Study, maps: &[HeatMap], scale: &Scale, what: &str) -> Picture {
    let rows = rows(study).expect("invariant: there are maps, so there are rows");
    let policy = study.reference_policy().map(|p| study.policy(p).name.clone()).unwrap_or_default();
    let names: Vec<String> = maps.iter().map(|m| m.title.clone()).collect();
    Picture {
        qualifier: String::new(),
        title: what.into(),
        caption: format!(
            "{what} under {}, carbon policy {policy}; rows are buses from the root outwards.{}",
            listed(&names),
            study.footnote(&Basis::OneRun)
        ),
        canvas: draw(study, maps, scale, &rows).canvas,
    }
}

fn draw(study: &Study, maps: &[HeatMap], scale: &Scale, rows: &Rows) -> Figure {
    let clock = study.clock;
    let n = rows.buses.len();
    let height = (24.0 + 1.5 * n as f64).clamp(62.0, 210.0);
    let mut figure = study.figure(if maps.len() > 1 { TWO_COLUMNS_MM } else { ONE_COLUMN_MM }, height);
    let free = (height - 18.0) * MM;
    let y = Axis::rows(n, bus_ticks(rows, free / n as f64), "Bus");
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
        if let Note::Limits { low, high } = scale.note {
            contour(c, panel, map, clock.step, &|v| v < low - 1e-9 || v > high + 1e-9);
        }
        panel.front(c);
    }
    bar.draw(c, panels[0].area.y0, panels[0].area.y1);
    if let Some(panel) = panels.last().filter(|_| !narrow) {
        note(c, panel.area, scale.note);
    }
    figure
}

fn cells(c: &mut Canvas, panel: &Panel, map: &HeatMap, bar: &ColorBar, step: f64) {
    for (row, values) in map.cells.iter().enumerate() {
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

impl Note {
    /// The sample and what it means.
    fn key(self) -> Option<(Key, String)> {
        match self {
            Note::None => None,
            Note::Undefined => {
                let hatched = Fill::new(WHITE).hatched(Hatch::Forward).edged();
                Some((Key::Fill(hatched), "no through-flow".to_owned()))
            }
            Note::Limits { low, high } => {
                let text = format!("outside {}\u{2013}{} p.u.", text::number(low, 2), text::number(high, 2));
                Some((Key::Frame(Stroke::new(BLACK, 1.0)), text))
            }
        }
    }
}

/// What a hatch or an outline means, at the right end of the line of the titles.
fn note(c: &mut Canvas, panel: Rect, note: Note) {
    let Some((_, text)) = note.key() else { return };
    let (x, y) = (panel.x1 - text::width(&text, NOTE), panel.y0 - PAD_TITLE - 3.0);
    let swatch = Rect::new(x - 12.0, y - 3.0, x - 3.0, y + 3.0);
    if note == Note::Undefined {
        c.rect(swatch, Fill::new(WHITE).hatched(Hatch::Forward).edged());
    } else {
        c.frame(swatch, Stroke::new(BLACK, 1.0));
    }
    c.text_middle((x, y), Align::Left, NOTE, &text);
}

/// Bus numbers that have room: the root, the end of the trunk and of each lateral, then the middles of long gaps.
fn bus_ticks(rows: &Rows, pitch: f64) -> Vec<(usize, String)> {
    let n = rows.buses.len();
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
    chosen.into_iter().map(|row| (row, rows.buses[row].to_string())).collect()
}
