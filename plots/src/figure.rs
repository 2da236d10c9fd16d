//! A figure: a page whose free area legends, colour bars and panels take away piece by piece. All margins are
//! measured, none is guessed.

use crate::axis::Axis;
use crate::canvas::{Align, Canvas, Fill, Stroke};
use crate::color::{Map, Rgb};
use crate::geometry::Rect;
use crate::numbers::Look;
use crate::panel::{Labels, Panel};
use crate::style::{
    COLOR_BAR, GAP, GRID, INK, KEY_GAP, LABEL, MARKER, MM, Mark, PAD_LABEL, PAD_PAGE, PAD_TICK, SPINE, TICK, TICK_LABEL,
};
use crate::text::{self, Weight};

/// The sample of a legend.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Key {
    Line(Stroke),
    /// A line with its marker.
    Series(Stroke, Mark),
    Fill(Fill),
    Mark(Mark, Rgb),
    /// A line on the fill between it and zero.
    Band(Stroke, Fill),
    /// An empty frame.
    Frame(Stroke),
    /// A cased line of a width.
    Cased(f64),
    /// A disc with a rim.
    Ring(Rgb),
    /// An upright bar.
    Post,
}

impl Key {
    /// What it is the key to.
    fn looks(&self) -> Vec<Look> {
        match self {
            Key::Line(stroke) => vec![Look::Line(*stroke)],
            Key::Series(stroke, mark) => vec![Look::Line(*stroke), Look::Mark(*mark, stroke.color)],
            Key::Fill(fill) => vec![Look::Fill(*fill)],
            Key::Mark(mark, color) => vec![Look::Mark(*mark, *color)],
            Key::Band(stroke, fill) => vec![Look::Line(*stroke), Look::Fill(*fill)],
            Key::Frame(_) | Key::Cased(_) | Key::Ring(_) | Key::Post => vec![],
        }
    }

    fn width(&self) -> f64 {
        match self {
            Key::Line(_) | Key::Series(..) | Key::Band(..) | Key::Cased(_) => 18.0,
            Key::Post => 4.0,
            Key::Fill(_) | Key::Frame(_) => 12.0,
            Key::Mark(..) | Key::Ring(_) => 8.0,
        }
    }

    fn draw(&self, c: &mut Canvas, x: f64, y: f64) {
        let (end, middle) = (x + self.width(), x + self.width() / 2.0);
        let swatch = Rect::new(x, y - 3.2, end, y + 3.2);
        match self {
            Key::Line(s) => c.segment((x, y), (end, y), *s),
            Key::Series(s, mark) => {
                c.segment((x, y), (end, y), *s);
                c.mark((middle, y), *mark, MARKER, s.color);
            }
            Key::Fill(f) => c.rect(swatch, *f),
            Key::Mark(mark, color) => c.mark((middle, y), *mark, MARKER, *color),
            Key::Band(s, f) => {
                c.rect(swatch, *f);
                c.segment((x, y), (end, y), *s);
            }
            Key::Frame(s) => c.frame(swatch, *s),
            Key::Cased(width) => {
                // a wide line with round ends stays on the page where it stands at its edge
                let x = x.max((width + 1.0) / 2.0);
                c.segment((x, y), (end, y), Stroke::new(INK, width + 1.0));
                c.segment((x + 0.5, y), (end - 0.5, y), Stroke::new(GRID, *width));
            }
            Key::Ring(color) => {
                c.disc((middle, y), 4.0, INK);
                c.disc((middle, y), 3.3, *color);
            }
            Key::Post => c.rect(Rect::new(x + 0.5, y - 4.5, end - 0.5, y + 4.5), Fill::new(INK)),
        }
    }
}

/// One entry of a legend.
pub type Entry = (Key, String);

/// Which inner labels of a grid of panels go because the panels share an axis.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Sharing {
    None,
    Y,
    XAndY,
}

/// A figure under construction.
#[derive(Debug)]
pub struct Figure {
    pub canvas: Canvas,
    /// What is still free.
    pub area: Rect,
    legend: Option<Placed>,
    x_label: Option<String>,
    /// The width that it is laid out for, pt.
    needed: f64,
}

/// A legend that moves to the left edge of the axes once that is known.
#[derive(Clone, Copy, Debug)]
struct Placed {
    first_op: usize,
    end_op: usize,
    right: f64,
}

const KEY_TEXT: f64 = 3.0;
/// Panels that are narrower have no room for their ticks, pt.
const LEAST_PANEL: f64 = 88.0;

impl Figure {
    /// An empty page of a size in mm.
    pub fn new(width_mm: f64, height_mm: f64) -> Figure {
        let (w, h) = (width_mm * MM, height_mm * MM);
        let area = Rect::new(PAD_PAGE, PAD_PAGE, w - PAD_PAGE, h - PAD_PAGE);
        Figure { canvas: Canvas::new(w, h), area, legend: None, x_label: None, needed: w }
    }

    /// The same, laid out for another width than it has, mm: where it is narrower, legends and panels take more rows and the
    /// page grows.
    #[must_use]
    pub fn needing(self, width_mm: f64) -> Figure {
        Figure { needed: width_mm * MM, ..self }
    }

    /// By how much it is narrower than it is laid out for, pt.
    fn short_of(&self) -> f64 {
        (self.needed - self.canvas.width).max(0.0)
    }

    /// Whether it is narrower than it is laid out for.
    pub fn is_narrow(&self) -> bool {
        self.short_of() > 0.0
    }

    /// Adds height at the foot.
    fn grow(&mut self, height: f64) {
        self.canvas.height += height;
        self.area.y1 += height;
    }

    /// The legend above the panels: every group begins a row, and rows of several entries share their columns.
    pub fn legend(&mut self, groups: &[Vec<Entry>]) {
        if groups.iter().all(Vec::is_empty) {
            return;
        }
        for group in groups {
            for (key, name) in group {
                self.canvas.numbers.name(key.looks(), name);
            }
        }
        let first_op = self.canvas.ops.len();
        let entry_width = |e: &Entry| e.0.width() + KEY_TEXT + text::width(&e.1, LABEL);
        // a single entry at the end, such as a total, is aligned with nothing
        let total_entry = groups.last().filter(|g| g.len() == 1 && groups.len() > 1).map(|g| &g[0]);
        let is_total = |row: &[Entry]| row.first().is_some_and(|e| total_entry.is_some_and(|t| std::ptr::eq(e, t)));
        let longest = groups.iter().map(Vec::len).max().unwrap_or(1);
        let columns_for = |n: usize| -> Vec<f64> {
            (0..n)
                .map(|k| {
                    let aligned = groups.iter().filter(|g| !is_total(g));
                    let column = aligned.flat_map(|g| g.chunks(n)).filter_map(|row| row.get(k));
                    column.map(entry_width).fold(0.0, f64::max)
                })
                .collect()
        };
        let total = |widths: &[f64]| widths.iter().sum::<f64>() + KEY_GAP * (widths.len() - 1) as f64;
        let fitting = |room: f64| (1..=longest).rev().find(|n| total(&columns_for(*n)) <= room).unwrap_or(1);
        let (n, as_needed) = (fitting(self.area.width()), fitting(self.area.width() + self.short_of()));
        let rows_of = |n: usize| groups.iter().map(|group| group.len().div_ceil(n)).sum::<usize>();
        let further = rows_of(n).saturating_sub(rows_of(as_needed));
        let widths = columns_for(n);
        let (x0, y0, x1) = (self.area.x0, self.area.y0, self.area.x1);
        let line = LABEL * 1.35;
        let (mut rows, mut right) = (0.0, x0);
        let mut end = x0;
        for row in groups.iter().flat_map(|g| g.chunks(n)) {
            // the total goes on where the last row has the room
            let goes_on = is_total(row) && end + entry_width(&row[0]) <= x1;
            let mut x = if goes_on { end } else { x0 };
            if x == x0 {
                rows += 1.0;
            }
            for (k, entry) in row.iter().enumerate() {
                let y = y0 + line * (rows - 0.5);
                let text_x = x + entry.0.width() + KEY_TEXT;
                let label = text::fit(&entry.1, LABEL, x1 - text_x);
                entry.0.draw(&mut self.canvas, x, y);
                self.canvas.text_middle((text_x, y), Align::Left, LABEL, &label);
                right = f64::max(right, text_x + text::width(&label, LABEL));
                x += widths[k] + KEY_GAP;
            }
            end = x;
        }
        self.area.y0 += line * rows + 4.0;
        self.grow(line * further as f64);
        self.legend = Some(Placed { first_op, end_op: self.canvas.ops.len(), right });
    }

    /// One label under all panels instead of one per panel.
    pub fn shared_x_label(&mut self, label: &str) {
        self.x_label = Some(label.into());
    }

    /// Takes room for a colour bar at the right; drawn by [`ColorBar::draw`] once the panels are placed.
    pub fn color_bar(&mut self, axis: Axis, map: Map) -> ColorBar {
        let width = COLOR_BAR + TICK + PAD_TICK + axis.widest() + PAD_LABEL + LABEL;
        self.area.x1 -= width + 6.0;
        ColorBar { x: self.area.x1 + 6.0, axis, map }
    }

    /// Places panels row by row in the free area.
    pub fn grid(&mut self, columns: usize, sharing: Sharing, panels: &mut [Panel]) {
        let n = panels.len();
        if n == 0 {
            return;
        }
        let columns = self.fitting(columns.clamp(1, n), panels);
        let rows = n.div_ceil(columns);
        if self.x_label.is_some() {
            self.area.y1 -= LABEL + PAD_LABEL;
        }
        for (i, p) in panels.iter_mut().enumerate() {
            if sharing == Sharing::XAndY && i + columns < n {
                p.x_labels = Labels::Hidden;
            }
            if sharing != Sharing::None && i % columns != 0 {
                p.y_labels = Labels::Hidden;
            }
        }
        let most = |of: &dyn Fn(&Panel) -> f64, chosen: &dyn Fn(usize) -> bool| {
            panels.iter().enumerate().filter(|(i, _)| chosen(*i)).map(|(_, p)| of(p)).fold(0.0, f64::max)
        };
        let in_column = |k: usize| move |i: usize| i % columns == k;
        let in_row = |k: usize| move |i: usize| i / columns == k;
        let left: Vec<f64> = (0..columns).map(|k| most(&Panel::left, &in_column(k))).collect();
        let tick_room: Vec<f64> = (0..columns).map(|k| most(&|p| p.y.widest(), &in_column(k))).collect();
        let top: Vec<f64> = (0..rows).map(|k| most(&Panel::top, &in_row(k))).collect();
        let bottom: Vec<f64> = (0..rows).map(|k| most(&Panel::bottom, &in_row(k))).collect();
        let right = most(&Panel::right, &|i| i % columns == columns - 1 || i == n - 1).max(1.0);
        // the last tick label of an inner panel may hang into the gap only where the next panel leaves room for it
        let apart = |k: usize| left[k + 1] > 0.0 || panels[k].x != panels[k + 1].x;
        let hang: Vec<f64> = (0..columns)
            .map(|k| if k + 1 < columns && apart(k) { most(&Panel::right, &in_column(k)) } else { 0.0 })
            .collect();
        let weights: Vec<f64> = panels.iter().take(columns).map(|p| p.weight).collect();
        let sum = |v: &[f64]| v.iter().sum::<f64>();
        let width = self.area.width() - sum(&left) - sum(&hang) - GAP * (columns - 1) as f64 - right;
        let row_gap = GAP * 0.5;
        let height = (self.area.height() - sum(&top) - sum(&bottom) - row_gap * (rows - 1) as f64) / rows as f64;
        for (i, p) in panels.iter_mut().enumerate() {
            let (row, column) = (i / columns, i % columns);
            let before = sum(&left[..=column]) + sum(&hang[..column]) + GAP * column as f64;
            let x0 = self.area.x0 + before + width * sum(&weights[..column]) / sum(&weights);
            let above = sum(&top[..=row]) + sum(&bottom[..row]);
            let y0 = self.area.y0 + above + (height + row_gap) * row as f64;
            p.tick_room = tick_room[column];
            p.area = Rect::new(x0, y0, x0 + width * weights[column] / sum(&weights), y0 + height);
            if column + 1 < columns && i + 1 < n && hang[column] == 0.0 {
                drop_touching_label(p);
            }
            p.title = text::fit_weighted(&p.title, LABEL, Weight::Bold, p.area.width());
        }
        let x0 = panels.iter().map(|p| p.area.x0).fold(f64::MAX, f64::min);
        let x1 = panels.iter().map(|p| p.area.x1).fold(0.0, f64::max);
        if let Some(label) = self.x_label.take() {
            let baseline = self.area.y1 + PAD_LABEL + LABEL * 0.7;
            self.canvas.text((f64::midpoint(x0, x1), baseline), Align::Center, LABEL, &label);
        }
        if let Some(legend) = self.legend.take() {
            let page = self.canvas.width - PAD_PAGE;
            let dx = (x0 - self.area.x0).min(page - legend.right).max(0.0);
            for op in &mut self.canvas.ops[legend.first_op..legend.end_op] {
                op.shift(dx, 0.0);
            }
        }
    }

    /// Columns of panels that have room on the page as it is: as many as wanted where it is as wide as it is laid out for. Where
    /// there are fewer, the page grows by the rows that this makes.
    fn fitting(&mut self, wanted: usize, panels: &[Panel]) -> usize {
        let short = self.short_of();
        if short == 0.0 || wanted == 1 {
            return wanted;
        }
        let beside = panels.iter().map(|p| p.left() + GAP).fold(0.0, f64::max);
        let room = |width: f64, columns: usize| width / columns as f64 - beside;
        let as_needed = room(self.area.width() + short, wanted);
        let least = as_needed.min(LEAST_PANEL);
        let columns = (1..=wanted).rev().find(|k| room(self.area.width(), *k) >= least).unwrap_or(1);
        let rows = |columns: usize| panels.len().div_ceil(columns) as f64;
        let height = self.area.height() / rows(wanted);
        self.grow(height * (rows(columns) - rows(wanted)));
        columns
    }

    /// A single panel in the whole free area.
    pub fn single(&mut self, mut panel: Panel) -> Panel {
        self.grid(1, Sharing::None, std::slice::from_mut(&mut panel));
        panel
    }
}

/// "24" of one panel and "0" of the next would run together.
fn drop_touching_label(p: &mut Panel) {
    if p.x_labels == Labels::Hidden || !p.x.marked() {
        return;
    }
    let Some((v, label)) = p.x.ticks.last().cloned() else { return };
    if p.px(v) > p.area.x1 - 1.0
        && text::width(&label, TICK_LABEL) + 2.0 > GAP
        && let Some(last) = p.x.ticks.last_mut()
    {
        last.1.clear();
    }
}

/// A vertical colour bar at the right of the panels.
#[derive(Clone, Debug)]
pub struct ColorBar {
    x: f64,
    axis: Axis,
    map: Map,
}

impl ColorBar {
    pub fn color(&self, value: f64) -> Rgb {
        self.map.at(self.axis.share(value))
    }

    /// Draws the bar between two heights.
    pub fn draw(&self, c: &mut Canvas, y0: f64, y1: f64) {
        // one step per 64th: no visible bands, few elements
        const STEPS: i32 = 64;
        let (x0, x1) = (self.x, self.x + COLOR_BAR);
        let y = |share: f64| y1 - share * (y1 - y0);
        for i in 0..STEPS {
            let (low, high) = (f64::from(i) / f64::from(STEPS), f64::from(i + 1) / f64::from(STEPS));
            // steps overlap a little: no seams
            let bottom = if i == 0 { y(low) } else { y(low) + 0.3 };
            c.rect(Rect::new(x0, y(high), x1, bottom), Fill::new(self.map.at(f64::midpoint(low, high))));
        }
        let spine = Stroke::new(INK, SPINE);
        c.frame(Rect::new(x0, y0, x1, y1), spine);
        for (v, label) in &self.axis.ticks {
            let at = y(self.axis.share(*v));
            c.segment((x1, at), (x1 + TICK, at), spine);
            c.text_middle((x1 + TICK + PAD_TICK, at), Align::Left, TICK_LABEL, label);
        }
        let baseline = x1 + TICK + PAD_TICK + self.axis.widest() + PAD_LABEL + LABEL * 0.72;
        c.text_upwards((baseline, f64::midpoint(y0, y1)), LABEL, &self.axis.label);
    }
}
