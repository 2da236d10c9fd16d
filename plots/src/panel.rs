//! One pair of axes on the page and the marks that are drawn in data coordinates.

use crate::axis::{Axis, Kind};
use crate::canvas::{Align, Canvas, Fill, Stroke};
use crate::color::Rgb;
use crate::geometry::{Pt, Rect};
use crate::numbers::{Look, Shape, Trace};
use crate::style::{
    ASCENT, DESCENT, ERROR_CAP, GRID, GRID_LINE, INK, LABEL, LEADING, MARKER, MINOR_TICK, MINOR_TICK_LINE, Mark,
    PAD_LABEL, PAD_TICK, PAD_TITLE, SPINE, THIN_LINE, TICK, TICK_LABEL,
};
use crate::text;

/// Which grid lines stand behind the data.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Grid {
    None,
    /// Vertical lines, at the ticks of the x axis.
    X,
    /// Horizontal lines, at the ticks of the y axis.
    Y,
    Both,
}

/// Which sides have a spine.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Spines {
    LeftBottom,
    All,
}

/// Whether an axis of the panel carries labels, or leaves them to its neighbour.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Labels {
    Shown,
    Hidden,
}

/// A panel; [`crate::figure::Figure::grid`] gives it its place.
#[derive(Clone, Debug)]
pub struct Panel {
    pub area: Rect,
    pub x: Axis,
    pub y: Axis,
    pub title: String,
    pub grid: Grid,
    pub spines: Spines,
    pub x_labels: Labels,
    pub y_labels: Labels,
    /// Share of the width of its row.
    pub weight: f64,
    /// Room for the y tick labels; the panels of a column share it, so that their labels stand in line.
    pub tick_room: f64,
}

impl Panel {
    pub fn new(x: Axis, y: Axis) -> Panel {
        let tick_room = y.widest();
        Panel {
            area: Rect::new(0.0, 0.0, 1.0, 1.0),
            x,
            y,
            title: String::new(),
            grid: Grid::Y,
            spines: Spines::LeftBottom,
            x_labels: Labels::Shown,
            y_labels: Labels::Shown,
            weight: 1.0,
            tick_room,
        }
    }

    pub fn titled(self, title: &str) -> Panel {
        Panel { title: title.into(), ..self }
    }

    pub fn with_grid(self, grid: Grid) -> Panel {
        Panel { grid, ..self }
    }

    pub fn boxed(self) -> Panel {
        Panel { spines: Spines::All, grid: Grid::None, ..self }
    }

    /// Position on the page.
    pub fn px(&self, x: f64) -> f64 {
        self.area.x0 + self.x.share(x) * self.area.width()
    }

    /// Position on the page.
    pub fn py(&self, y: f64) -> f64 {
        self.area.y1 - self.y.share(y) * self.area.height()
    }

    /// Position on the page.
    pub fn point(&self, x: f64, y: f64) -> Pt {
        (self.px(x), self.py(y))
    }

    /// Whether a data point lies within the axes.
    pub fn shows(&self, x: f64, y: f64) -> bool {
        self.area.grow(0.5).contains(self.point(x, y))
    }

    /// Room for labels at the left.
    pub fn left(&self) -> f64 {
        match self.y_labels {
            Labels::Hidden => 0.0,
            Labels::Shown => tick(&self.y) + PAD_TICK + self.y.widest() + axis_label(&self.y),
        }
    }

    /// Room for labels at the bottom.
    pub fn bottom(&self) -> f64 {
        match self.x_labels {
            Labels::Hidden => 2.0,
            Labels::Shown => self.tick_labels_bottom() + axis_label(&self.x),
        }
    }

    fn tick_labels_bottom(&self) -> f64 {
        let tick = if self.x.marked() { TICK } else { 1.0 };
        tick + PAD_TICK + self.x.lines() as f64 * TICK_LABEL * LEADING
    }

    /// Room for the title.
    pub fn top(&self) -> f64 {
        if self.title.is_empty() { TICK_LABEL * 0.4 } else { LABEL + 5.0 }
    }

    /// Half of the last tick label hangs over the right end; names of categories stay within their cells.
    pub fn right(&self) -> f64 {
        if self.x_labels == Labels::Hidden || self.x.kind == Kind::Category {
            return 1.0;
        }
        let width = self.area.width().max(40.0);
        let over = |t: &(f64, String)| text::block_width(&t.1, TICK_LABEL) / 2.0 - (1.0 - self.x.share(t.0)) * width;
        self.x.ticks.iter().map(over).fold(1.0, f64::max)
    }

    /// Labels that would touch each other: every second, third, fifth one only.
    fn label_every(&self) -> usize {
        if self.x.ticks.len() < 3 {
            return 1;
        }
        let fits = |k: &usize| self.x.widest() + 3.0 <= self.pitch() * *k as f64;
        let most = self.x.ticks.len() / 2;
        [1, 2, 3, 5, 10, 20, 50].into_iter().filter(|k| *k <= most.max(1)).find(fits).unwrap_or(1)
    }

    /// Distance of neighbouring ticks of the x axis.
    fn pitch(&self) -> f64 {
        match &self.x.ticks[..] {
            [a, b, ..] => (self.px(b.0) - self.px(a.0)).abs(),
            _ => self.area.width(),
        }
    }

    /// The grid; before the data.
    pub fn back(&self, c: &mut Canvas) {
        let stroke = Stroke::new(GRID, GRID_LINE);
        let r = self.area;
        if matches!(self.grid, Grid::X | Grid::Both) {
            for (v, _) in &self.x.ticks {
                c.segment((self.px(*v), r.y0), (self.px(*v), r.y1), stroke);
            }
        }
        if matches!(self.grid, Grid::Y | Grid::Both) {
            for (v, _) in &self.y.ticks {
                c.segment((r.x0, self.py(*v)), (r.x1, self.py(*v)), stroke);
            }
        }
    }

    /// Spines, ticks and labels; after the data.
    pub fn front(&self, c: &mut Canvas) {
        let (spine, r) = (Stroke::new(INK, SPINE), self.area);
        match self.spines {
            Spines::All => c.frame(r, spine),
            Spines::LeftBottom => c.line(&[(r.x0, r.y0), (r.x0, r.y1), (r.x1, r.y1)], spine),
        }
        let crosses = |a: &Axis| a.kind == Kind::Number && a.low < 0.0 && a.high > 0.0;
        if crosses(&self.y) && matches!(self.grid, Grid::Y) {
            c.segment((r.x0, self.py(0.0)), (r.x1, self.py(0.0)), spine);
        }
        if crosses(&self.x) && matches!(self.grid, Grid::X) {
            c.segment((self.px(0.0), r.y0), (self.px(0.0), r.y1), spine);
        }
        self.x_axis(c);
        self.y_axis(c);
        c.bold((r.x0, r.y0 - PAD_TITLE), LABEL, &self.title);
    }

    fn x_axis(&self, c: &mut Canvas) {
        let (spine, r) = (Stroke::new(INK, SPINE), self.area);
        let every = self.label_every();
        let first = r.y1 + if self.x.marked() { TICK } else { 1.0 } + PAD_TICK + TICK_LABEL * ASCENT;
        for (i, (v, label)) in self.x.ticks.iter().enumerate() {
            let x = self.px(*v);
            if self.x.marked() {
                c.segment((x, r.y1), (x, r.y1 + TICK), spine);
            }
            if self.x_labels == Labels::Shown && i % every == 0 && !label.is_empty() {
                for (k, line) in label.split('\n').enumerate() {
                    let line = text::fit(line, TICK_LABEL, self.pitch() * every as f64 - 3.0);
                    c.text((x, first + TICK_LABEL * LEADING * k as f64), Align::Center, TICK_LABEL, &line);
                }
            }
        }
        for v in &self.x.minor {
            c.segment((self.px(*v), r.y1), (self.px(*v), r.y1 + MINOR_TICK), Stroke::new(INK, MINOR_TICK_LINE));
        }
        if self.x_labels == Labels::Shown {
            let baseline = r.y1 + self.tick_labels_bottom() + PAD_LABEL + LABEL * 0.7;
            c.text((r.center().0, baseline), Align::Center, LABEL, &self.x.label);
        }
    }

    fn y_axis(&self, c: &mut Canvas) {
        let (spine, r) = (Stroke::new(INK, SPINE), self.area);
        let labels = r.x0 - tick(&self.y) - PAD_TICK;
        for (v, label) in &self.y.ticks {
            let y = self.py(*v);
            if self.y.marked() {
                c.segment((r.x0 - TICK, y), (r.x0, y), spine);
            }
            if self.y_labels == Labels::Shown {
                let lines: Vec<&str> = label.split('\n').collect();
                for (k, line) in lines.iter().enumerate() {
                    let below = TICK_LABEL * LEADING * (k as f64 - (lines.len() - 1) as f64 / 2.0);
                    c.text_middle((labels, y + below), Align::Right, TICK_LABEL, line);
                }
            }
        }
        if self.y_labels == Labels::Shown {
            let baseline = labels - self.tick_room - PAD_LABEL - LABEL * DESCENT * 0.5;
            c.text_upwards((baseline, r.center().1), LABEL, &self.y.label);
        }
    }

    /// Notes down what is drawn.
    fn note(&self, c: &mut Canvas, look: Look, shape: Shape) {
        c.numbers.add(&self.title, self.area, &self.x, &self.y, Trace { look, shape });
    }

    /// A curve through data points.
    pub fn line(&self, c: &mut Canvas, data: &[Pt], stroke: Stroke) {
        if data.len() > 1 {
            self.note(c, Look::Line(stroke), Shape::Line(data.to_vec()));
        }
        let points: Vec<Pt> = data.iter().map(|d| self.point(d.0, d.1)).collect();
        c.clipped(self.area, |c| c.line(&points, stroke));
    }

    /// A value per period as stairs; a period without value is a gap.
    pub fn steps(&self, c: &mut Canvas, values: &[Option<f64>], period: f64, stroke: Stroke) {
        let mut stairs: Vec<Pt> = Vec::new();
        for (i, value) in values.iter().chain([&None]).enumerate() {
            if let Some(v) = value {
                stairs.extend([(i as f64 * period, *v), ((i + 1) as f64 * period, *v)]);
            } else {
                self.line(c, &stairs, stroke);
                stairs.clear();
            }
        }
    }

    /// The area between two step profiles, one polygon per run of periods where they differ: no seams.
    pub fn between_steps(&self, c: &mut Canvas, low: &[f64], high: &[f64], period: f64, fill: Fill) {
        let open = |i: usize| (high[i] - low[i]).abs() > 1e-9;
        let x = |i: usize| i as f64 * period;
        let mut start = 0;
        while start < low.len() {
            if !open(start) {
                start += 1;
                continue;
            }
            let end = (start..low.len()).find(|i| !open(*i)).unwrap_or(low.len());
            let there = (start..end).flat_map(|i| [self.point(x(i), high[i]), self.point(x(i + 1), high[i])]);
            let back = (start..end).rev().flat_map(|i| [self.point(x(i + 1), low[i]), self.point(x(i), low[i])]);
            let mut points: Vec<Pt> = there.chain(back).collect();
            points.dedup();
            let steps = (start..end).map(|i| (x(i), x(i + 1), low[i], high[i])).collect();
            self.note(c, Look::Fill(fill), Shape::Steps(steps));
            c.clipped(self.area, |c| c.polygon(&points, fill));
            start = end;
        }
    }

    /// The area between two curves over the same places.
    pub fn between_lines(&self, c: &mut Canvas, low: &[Pt], high: &[Pt], fill: Fill) {
        for (a, b) in low.iter().zip(high) {
            self.note(c, Look::Fill(fill), Shape::IntervalY { x: a.0, from: a.1, to: b.1 });
        }
        let points: Vec<Pt> = high.iter().chain(low.iter().rev()).map(|p| self.point(p.0, p.1)).collect();
        c.clipped(self.area, |c| c.polygon(&points, fill));
    }

    /// A bar between two corners in data coordinates.
    pub fn bar(&self, c: &mut Canvas, from: Pt, to: Pt, fill: Fill) {
        self.note(c, Look::Fill(fill), Shape::Bar(from, to));
        let (a, b) = (self.point(from.0, from.1), self.point(to.0, to.1));
        let r = Rect::new(a.0, a.1, b.0, b.1);
        // thinner is nothing but an edge
        if r.height() > 0.05 && r.width() > 0.05 {
            c.clipped(self.area, |c| c.rect(r, fill));
        }
    }

    /// A cell of a map or a matrix: its colour stands for a value. Neighbours overlap a little, so that there are no seams.
    pub fn cell(&self, c: &mut Canvas, from: Pt, to: Pt, value: f64, fill: Fill) {
        self.note(c, Look::Fill(fill), Shape::Cell { from, to, value });
        let (a, b) = (self.point(from.0, from.1), self.point(to.0, to.1));
        let r = Rect::new(a.0, a.1, b.0, b.1);
        let (x1, y1) = ((r.x1 + 0.25).min(self.area.x1), (r.y1 + 0.25).min(self.area.y1));
        c.rect(Rect { x1, y1, ..r }, fill);
    }

    /// Notes down a cell that is drawn together with its neighbours.
    pub fn note_cell(&self, c: &mut Canvas, from: Pt, to: Pt, value: f64, color: Rgb) {
        self.note(c, Look::Fill(Fill::new(color)), Shape::Cell { from, to, value });
    }

    /// A vertical interval with caps.
    pub fn interval_y(&self, c: &mut Canvas, x: f64, interval: (f64, f64), color: Rgb) {
        self.note(c, Look::Plain(color), Shape::IntervalY { x, from: interval.0, to: interval.1 });
        let (a, b) = (self.point(x, interval.0), self.point(x, interval.1));
        let stroke = Stroke::new(color, THIN_LINE);
        c.segment(a, b, stroke);
        for p in [a, b] {
            c.segment((p.0 - ERROR_CAP, p.1), (p.0 + ERROR_CAP, p.1), stroke);
        }
    }

    /// A horizontal interval without caps.
    pub fn interval_x(&self, c: &mut Canvas, y: f64, interval: (f64, f64), color: Rgb) {
        self.note(c, Look::Plain(color), Shape::IntervalX { y, from: interval.0, to: interval.1 });
        c.segment(self.point(interval.0, y), self.point(interval.1, y), Stroke::new(color, THIN_LINE));
    }

    /// Notes down a marker that is drawn otherwise.
    pub fn note_mark(&self, c: &mut Canvas, at: Pt, mark: Mark, color: Rgb) {
        self.note(c, Look::Mark(mark, color), Shape::Mark(at));
    }

    /// A marker.
    pub fn mark(&self, c: &mut Canvas, at: Pt, mark: Mark, color: Rgb) {
        if self.shows(at.0, at.1) {
            self.note(c, Look::Mark(mark, color), Shape::Mark(at));
            c.mark(self.point(at.0, at.1), mark, MARKER, color);
        }
    }
}

fn tick(axis: &Axis) -> f64 {
    if axis.marked() { TICK } else { 0.0 }
}

fn axis_label(axis: &Axis) -> f64 {
    if axis.label.is_empty() { 0.0 } else { PAD_LABEL + LABEL }
}
