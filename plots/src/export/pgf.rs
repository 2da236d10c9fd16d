//! A figure in pgfplots, for papers that are to be set in the fonts of their text: every panel an `axis` at its place and in its
//! size, with the data written out. Hatches are left out, and what a figure draws without its panels.

use crate::axis::{Axis, Kind};
use crate::canvas::{Canvas, Stroke};
use crate::color::Rgb;
use crate::latex::label;
use crate::numbers::{Frame, Look, Numbers, Shape, Trace};
use crate::style::{MARKER, Mark, THIN_LINE};
use std::fmt::Write as _;

/// Cells of a panel beyond which TeX runs out of memory: larger maps are left to the data.
const MOST_CELLS: usize = 400;

/// A figure as an environment `tikzpicture`; empty where no panel drew anything.
pub fn pgf(canvas: &Canvas) -> String {
    let numbers = &canvas.numbers;
    if numbers.panels.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        "% \\usepackage{pgfplots}\n% \\pgfplotsset{compat=1.16}\n\\begin{tikzpicture}[x=1pt, y=1pt, font=\\footnotesize]\n",
    );
    let mut named: Vec<String> = vec![];
    for frame in &numbers.panels {
        panel(&mut out, canvas, numbers, frame, &mut named);
    }
    out + "\\end{tikzpicture}\n"
}

fn panel(out: &mut String, canvas: &Canvas, numbers: &Numbers, frame: &Frame, named: &mut Vec<String>) {
    let (r, below) = (frame.area, canvas.height - frame.area.y1);
    let _ = writeln!(
        out,
        "\\begin{{axis}}[at={{({:.2}pt,{below:.2}pt)}}, anchor=south west, scale only axis, width={:.2}pt, height={:.2}pt,",
        r.x0,
        r.width(),
        r.height()
    );
    let _ = writeln!(out, "  title={{{}}}, title style={{font=\\footnotesize\\bfseries}},", label(&frame.title));
    axis(out, 'x', &frame.x);
    axis(out, 'y', &frame.y);
    let _ = writeln!(
        out,
        "  axis lines=left, axis line style={{-}}, legend style={{draw=none, at={{(0,1.12)}}, anchor=south west, legend columns=3}}]"
    );
    let is_cell = |trace: &&Trace| matches!(trace.shape, Shape::Cell { .. });
    let cells = frame.traces.iter().filter(is_cell).count() <= MOST_CELLS;
    if !cells {
        out.push_str("% a map of more cells than TeX holds: they are in the figure's data (CSV)\n");
    }
    for trace in frame.traces.iter().filter(|trace| cells || !is_cell(trace)) {
        let name = numbers.called(&trace.look);
        let is_new = !name.is_empty() && !named.contains(&name);
        draw(out, trace, if is_new { Some(&name) } else { None });
        if is_new {
            named.push(name);
        }
    }
    out.push_str("\\end{axis}\n");
}

fn axis(out: &mut String, which: char, axis: &Axis) {
    let (low, high) = (axis.low.min(axis.high), axis.low.max(axis.high));
    let ticks: Vec<String> = axis.ticks.iter().map(|(v, _)| number(*v)).collect();
    let labels: Vec<String> =
        axis.ticks.iter().map(|(_, text)| format!("{{{}}}", label(&text.replace('\n', " ")))).collect();
    let reversed = if axis.low > axis.high { format!(" {which} dir=reverse,") } else { String::new() };
    let align = if matches!(axis.kind, Kind::Category | Kind::Row) && which == 'x' {
        " x tick label style={align=center, text width=5em},"
    } else {
        ""
    };
    let _ = writeln!(
        out,
        "  {which}min={}, {which}max={},{reversed}{align} {which}label={{{}}}, {which}tick={{{}}}, {which}ticklabels={{{}}},",
        number(low),
        number(high),
        label(&axis.label),
        ticks.join(","),
        labels.join(",")
    );
}

fn draw(out: &mut String, trace: &Trace, name: Option<&str>) {
    let color = of_color(trace.look.color());
    let is_finite = |p: &(f64, f64)| p.0.is_finite() && p.1.is_finite();
    let at = |x: f64, y: f64| format!("({},{})", number(x), number(y));
    let forget = if name.is_some() { "" } else { ", forget plot" };
    match &trace.shape {
        Shape::Line(points) => {
            let points: Vec<String> = points.iter().filter(|p| is_finite(p)).map(|p| at(p.0, p.1)).collect();
            let stroke = match trace.look {
                Look::Line(stroke) => stroke,
                _ => Stroke::new(trace.look.color(), THIN_LINE),
            };
            let _ = writeln!(
                out,
                "\\addplot[no marks, color={color}, line width={:.2}pt{}{forget}] coordinates {{{}}};",
                stroke.width,
                dashes(stroke),
                points.join(" ")
            );
        }
        Shape::Mark(p) if is_finite(p) => {
            let mark = match trace.look {
                Look::Mark(mark, _) => mark_name(mark),
                _ => "*",
            };
            let _ = writeln!(
                out,
                "\\addplot[only marks, mark={mark}, mark size={MARKER:.1}pt, color={color}{forget}] coordinates {{{}}};",
                at(p.0, p.1)
            );
        }
        Shape::Bar(a, b) | Shape::Cell { from: a, to: b, .. } if is_finite(a) && is_finite(b) => {
            area(out, &color, forget, &[at(a.0, a.1), at(a.0, b.1), at(b.0, b.1), at(b.0, a.1)]);
        }
        Shape::IntervalX { y, from, to } => interval(out, &color, &at(*from, *y), &at(*to, *y)),
        Shape::IntervalY { x, from, to } => interval(out, &color, &at(*x, *from), &at(*x, *to)),
        Shape::Steps(steps) => {
            let there = steps.iter().flat_map(|s| [at(s.0, s.3), at(s.1, s.3)]);
            let back = steps.iter().rev().flat_map(|s| [at(s.1, s.2), at(s.0, s.2)]);
            area(out, &color, forget, &there.chain(back).collect::<Vec<_>>());
        }
        Shape::Mark(_) | Shape::Bar(..) | Shape::Cell { .. } => return,
    }
    if let Some(name) = name.filter(|_| !matches!(trace.shape, Shape::IntervalX { .. } | Shape::IntervalY { .. })) {
        let _ = writeln!(out, "\\addlegendentry{{{}}}", label(&crate::text::literal(name)));
    }
}

fn area(out: &mut String, color: &str, forget: &str, corners: &[String]) {
    let _ = writeln!(
        out,
        "\\addplot[fill={color}, draw=black, line width=0.3pt, area legend{forget}] coordinates {{{}}} -- cycle;",
        corners.join(" ")
    );
}

fn interval(out: &mut String, color: &str, from: &str, to: &str) {
    let _ = writeln!(
        out,
        "\\draw[color={color}, line width={THIN_LINE:.2}pt] (axis cs:{} -- (axis cs:{};",
        &from[1..],
        &to[1..]
    );
}

fn of_color(Rgb(r, g, b): Rgb) -> String {
    format!("{{rgb,255:red,{r};green,{g};blue,{b}}}")
}

fn dashes(stroke: Stroke) -> String {
    if stroke.dash.is_empty() {
        return String::new();
    }
    let parts = stroke
        .dash
        .iter()
        .enumerate()
        .map(|(k, length)| format!("{} {length}pt", if k % 2 == 0 { "on" } else { "off" }));
    format!(", dash pattern={}", parts.collect::<Vec<_>>().join(" "))
}

fn mark_name(mark: Mark) -> &'static str {
    match mark {
        Mark::None => "none",
        Mark::Disc => "*",
        Mark::Square => "square*",
        Mark::Up => "triangle*",
        Mark::Down => "triangle*, mark options={rotate=180}",
        Mark::Diamond => "diamond*",
        Mark::Plus => "+",
        Mark::Cross => "x",
        Mark::Star => "star",
    }
}

/// A number as TeX reads it.
fn number(v: f64) -> String {
    format!("{}", if v == 0.0 { 0.0 } else { v })
}
