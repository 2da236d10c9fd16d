//! The numbers behind a figure: what its panels drew, in the coordinates of their axes, and what the legend calls it.
//!
//! Panels note down what they draw, so that a figure's data cannot differ from its picture. What is drawn without a panel's
//! help is not in it.

use crate::axis::{Axis, Kind};
use crate::color::Rgb;
use crate::geometry::{Pt, Rect};
use crate::ink::{Fill, Stroke};
use crate::style::Mark;
use crate::text::unmarked;

/// All panels of a figure.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Numbers {
    pub panels: Vec<Frame>,
    /// What the legend calls a look.
    pub legend: Vec<(Look, String)>,
}

/// The axes of a panel, and what is drawn on them.
#[derive(Clone, PartialEq, Debug)]
pub struct Frame {
    pub title: String,
    pub area: Rect,
    pub x: Axis,
    pub y: Axis,
    /// In the order in which they were drawn.
    pub traces: Vec<Trace>,
}

/// Something that is drawn.
#[derive(Clone, PartialEq, Debug)]
pub struct Trace {
    pub look: Look,
    pub shape: Shape,
}

/// Its form, in data coordinates.
#[derive(Clone, PartialEq, Debug)]
pub enum Shape {
    Line(Vec<Pt>),
    Mark(Pt),
    /// Two corners, the first on the base.
    Bar(Pt, Pt),
    /// From a value to another at a place.
    IntervalX {
        y: f64,
        from: f64,
        to: f64,
    },
    IntervalY {
        x: f64,
        from: f64,
        to: f64,
    },
    /// Between two profiles: where a step begins and ends, from where to where.
    Steps(Vec<(f64, f64, f64, f64)>),
    /// A cell of a map or a matrix between two corners, and the value that its colour stands for.
    Cell {
        from: Pt,
        to: Pt,
        value: f64,
    },
}

/// What it looks like, by which the legend names it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Look {
    Line(Stroke),
    Fill(Fill),
    Mark(Mark, Rgb),
    Plain(Rgb),
}

impl Numbers {
    /// Notes down what a panel draws.
    pub(crate) fn add(&mut self, title: &str, area: Rect, x: &Axis, y: &Axis, trace: Trace) {
        let known = self.panels.iter_mut().find(|frame| frame.area == area && frame.title == title);
        match known {
            Some(frame) => frame.traces.push(trace),
            None => self.panels.push(Frame {
                title: title.to_owned(),
                area,
                x: x.clone(),
                y: y.clone(),
                traces: vec![trace],
            }),
        }
    }

    /// Notes down what the legend calls some looks.
    pub(crate) fn name(&mut self, looks: Vec<Look>, name: &str) {
        self.legend.extend(looks.into_iter().map(|look| (look, name.to_owned())));
    }

    /// What the legend calls a trace; empty where it does not say.
    pub fn called(&self, look: &Look) -> String {
        let named = self.legend.iter().find(|(known, _)| known == look);
        // A line is as wide as its figure wants it, and intervals have the colour of their marker.
        let color = look.color();
        let near = || self.legend.iter().find(|(known, _)| known.color() == color && is_alike(known, look));
        named.or_else(near).map_or_else(String::new, |(_, name)| unmarked(name))
    }

    /// As comma-separated values, a row for each point, bar, interval or step; empty where no panel drew anything.
    pub fn csv(&self) -> String {
        if self.panels.is_empty() {
            return String::new();
        }
        let mut writer = csv::Writer::from_writer(Vec::new());
        let head = [
            "panel", "x_axis", "y_axis", "series", "shape", "part", "x", "x_to", "x_name", "y", "y_to", "y_name",
            "value",
        ];
        let mut write = |row: &[String]| {
            // Into memory, rows of one length: nothing can fail.
            writer.write_record(row).unwrap_or_else(|never| unreachable!("{never}"));
        };
        write(&head.map(str::to_owned));
        for frame in &self.panels {
            for (part, trace) in frame.traces.iter().enumerate() {
                let series = self.called(&trace.look);
                for (shape, x, y) in trace.shape.rows() {
                    let all = [x.0, y.0].into_iter().chain(x.1).chain(y.1);
                    if all.into_iter().any(|v| !v.is_finite()) {
                        continue;
                    }
                    let end = |to: Option<f64>| to.map_or_else(String::new, plain);
                    let mut row = [&frame.title, &frame.x.label, &frame.y.label].map(|s| unmarked(s)).to_vec();
                    row.extend([series.clone(), shape.to_owned(), part.to_string()]);
                    row.extend([plain(x.0), end(x.1), named(&frame.x, x), plain(y.0), end(y.1), named(&frame.y, y)]);
                    row.push(end(trace.shape.value().filter(|v| v.is_finite())));
                    write(&row);
                }
            }
        }
        let bytes = writer.into_inner().unwrap_or_else(|never| unreachable!("{never}"));
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Look {
    pub(crate) fn color(&self) -> Rgb {
        match self {
            Look::Line(stroke) => stroke.color,
            Look::Fill(fill) => fill.color,
            Look::Mark(_, color) | Look::Plain(color) => *color,
        }
    }
}

/// Whether two looks of one colour are of one kind, or one of them is plain.
fn is_alike(known: &Look, look: &Look) -> bool {
    match (known, look) {
        (Look::Line(a), Look::Line(b)) => a.dash == b.dash,
        (Look::Mark(..), Look::Mark(..)) | (_, Look::Plain(_)) => true,
        _ => false,
    }
}

/// A place on an axis, or from where to where.
type Span = (f64, Option<f64>);

impl Shape {
    /// What is said of it in a row each: its name, where on the x axis, where on the y axis.
    fn rows(&self) -> Vec<(&'static str, Span, Span)> {
        let at = |p: &Pt, shape| (shape, (p.0, None), (p.1, None));
        match self {
            Shape::Line(points) => points.iter().map(|p| at(p, "line")).collect(),
            Shape::Mark(p) => vec![at(p, "mark")],
            Shape::Bar(a, b) => vec![("bar", (a.0, Some(b.0)), (a.1, Some(b.1)))],
            Shape::IntervalX { y, from, to } => vec![("interval", (*from, Some(*to)), (*y, None))],
            Shape::IntervalY { x, from, to } => vec![("interval", (*x, None), (*from, Some(*to)))],
            Shape::Steps(steps) => steps.iter().map(|s| ("step", (s.0, Some(s.1)), (s.2, Some(s.3)))).collect(),
            Shape::Cell { from, to, .. } => vec![("cell", (from.0, Some(to.0)), (from.1, Some(to.1)))],
        }
    }

    /// What a colour stands for; only cells have it.
    fn value(&self) -> Option<f64> {
        if let Shape::Cell { value, .. } = self { Some(*value) } else { None }
    }
}

/// The name of the category at a place; empty on an axis of numbers.
fn named(axis: &Axis, (from, to): Span) -> String {
    if !matches!(axis.kind, Kind::Category | Kind::Row) {
        return String::new();
    }
    let at = to.map_or(from, |to| f64::midpoint(from, to));
    let near = axis.ticks.iter().find(|(v, _)| (v - at).abs() <= 0.5);
    near.map_or_else(String::new, |(_, label)| unmarked(&label.replace('\n', " ")))
}

fn plain(v: f64) -> String {
    format!("{}", if v == 0.0 { 0.0 } else { v })
}
