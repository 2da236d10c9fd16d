//! How iterative solvers approach their answer: residuals and the distance of the cost from its end, by iteration.

use super::{Absent, Basis, Picture, lettered, listed, shown_of};
use crate::axis::Axis;
use crate::canvas::Stroke;
use crate::figure::{Entry, Key, Sharing};
use crate::geometry::Pt;
use crate::panel::Panel;
use crate::store::IterationRow;
use crate::study::Study;
use crate::style::{DATA_LINE, TWO_COLUMNS_MM};
use coase_store::RunStatus;
use std::fmt::Write as _;

/// More lines cannot be told apart.
const MOST_LINES: usize = 6;
/// Where one solver is so many times slower than another, only its beginning is drawn.
const MOST_TIMES_LONGER: usize = 6;
/// Marks on a line besides the one at its end.
const MARKS: usize = 5;
/// Decades that a panel shows at most, and that nothing of a cost is below.
const MOST_DECADES: i32 = 12;
const ROUNDING: f64 = 1e-12;

pub(super) fn draw(study: &Study) -> Result<Vec<Picture>, Absent> {
    let policies = study.reference_policy().into_iter().chain(study.policies.iter().copied());
    let (policy, lines) =
        policies.map(|p| (p, lines(study, p))).find(|(_, lines)| !lines.is_empty()).ok_or(Absent::NoIterations)?;
    let drawn = &lines[..lines.len().min(MOST_LINES)];
    let longest = drawn.iter().map(|line| line.rows.len()).max().unwrap_or(2);
    let shortest = drawn.iter().map(|line| line.rows.len()).min().unwrap_or(2);
    let end = longest.min(MOST_TIMES_LONGER * shortest.max(10));
    let panels = panels(study, drawn, end);
    let names = |chosen: &dyn Fn(&&Line) -> bool| -> Vec<String> {
        drawn.iter().filter(chosen).map(|line| study.mechanism(line.mechanism).name.clone()).collect()
    };
    let mut caption = String::from("Primal (a) and dual residuals (b)");
    if panels.len() > 2 {
        caption += ", and distance of the cost from that at the end of the run, relative to it (c),";
    }
    let _ = write!(caption, " by iteration, carbon policy {}.", study.policy(policy).name);
    let open = names(&|line| !line.converged);
    if !open.is_empty() {
        let _ = write!(caption, " Without an answer at its end: {}.", listed(&open));
    }
    let beyond = names(&|line| line.rows.len() > end);
    if !beyond.is_empty() {
        let _ = write!(caption, " Beyond what is drawn: {}.", listed(&beyond));
    }
    caption += &shown_of(drawn.len(), lines.len(), "mechanisms with iterations", "the first");
    let shown: Vec<usize> = drawn.iter().map(|line| line.run).collect();
    caption += &study.footnote_showing(&Basis::OneRun, &shown);
    Ok(vec![Picture {
        qualifier: String::new(),
        title: "Convergence of the solvers".into(),
        caption,
        canvas: page(study, drawn, panels),
    }])
}

/// The iterations of the first run of a mechanism.
struct Line {
    run: usize,
    mechanism: usize,
    converged: bool,
    rows: Vec<IterationRow>,
}

/// What is drawn of an iteration, and where it is missing or nothing, which no logarithm has.
type Value = fn(&IterationRow) -> Option<f64>;

/// The lines of a policy at the first point of the sweeps; also of runs that found no answer.
fn lines(study: &Study, policy: usize) -> Vec<Line> {
    let mut lines: Vec<Line> = vec![];
    for (i, run) in study.store.runs.iter().enumerate() {
        let here = study.has(run, &[])
            && run.carbon_label == study.policy(policy).key
            && matches!(run.status, RunStatus::Converged | RunStatus::NotConverged);
        let Some(mechanism) = study.identity.mechanism(&run.variant).filter(|_| here) else { continue };
        if lines.iter().any(|line| line.mechanism == mechanism) {
            continue;
        }
        let rows = study.store.iterations(i);
        if rows.iter().filter(|row| positive(row.primal_residual).is_some()).count() > 1 {
            lines.push(Line { run: i, mechanism, converged: run.status == RunStatus::Converged, rows });
        }
    }
    lines
}

fn positive(value: Option<f64>) -> Option<f64> {
    value.filter(|v| *v > 0.0 && v.is_finite())
}

/// A panel's axis label and the points of every line, as iteration and power of ten.
struct Content {
    panel: Panel,
    points: Vec<Vec<Pt>>,
}

fn panels(study: &Study, lines: &[Line], end: usize) -> Vec<Content> {
    let energy = "kWh";
    let residuals: [(&str, String, Value); 2] = [
        ("Primal residual", energy.into(), |row| row.primal_residual),
        ("Dual residual", format!("{}/{energy}", study.currency()), |row| row.dual_residual),
    ];
    let of_rows = |line: &Line, value: &dyn Fn(&IterationRow) -> Option<f64>| -> Vec<Pt> {
        let rows = line.rows.iter().take(end);
        rows.filter_map(|row| Some((row.iteration as f64, positive(value(row))?.log10()))).collect()
    };
    let mut contents = vec![];
    for (title, unit, value) in residuals {
        let points = lines.iter().map(|line| of_rows(line, &value)).collect();
        contents.push((title, format!("{title} ({unit})"), points));
    }
    // A run without an answer says nothing about where it would end.
    let ended = |line: &&Line| line.converged;
    let best = lines.iter().filter(ended).find_map(last_cost);
    if let Some(best) = best {
        let gap = |line: &Line| {
            let end = last_cost(line).filter(|_| line.converged).unwrap_or(best);
            let size = end.abs().max(f64::MIN_POSITIVE);
            of_rows(line, &|row| row.objective.map(|cost| (cost - end).abs() / size).filter(|gap| *gap > ROUNDING))
        };
        contents.push(("Objective gap", "Relative objective gap".into(), lines.iter().map(gap).collect()));
    }
    let x = Axis::from_zero([end as f64], 5, "Iteration");
    let of = |(k, (title, label, points)): (usize, (&str, String, Vec<Vec<Pt>>))| {
        let heights = points.iter().flatten().map(|p| p.1);
        let (low, high) = crate::axis::range(heights).unwrap_or((-1.0, 1.0));
        let high = high.ceil() as i32;
        let low = (low.floor() as i32).max(high - MOST_DECADES).min(high - 1);
        let panel = Panel::new(x.clone(), Axis::decades(low, high, &label)).titled(&lettered(k, title));
        Content { panel, points }
    };
    contents.into_iter().enumerate().map(of).collect()
}

fn last_cost(line: &Line) -> Option<f64> {
    line.rows.iter().rev().find_map(|row| row.objective)
}

fn page(study: &Study, lines: &[Line], contents: Vec<Content>) -> crate::canvas::Canvas {
    let mut figure = study.figure(TWO_COLUMNS_MM, 62.0);
    let stroke = |line: &Line| {
        let series = study.mechanism(line.mechanism).series;
        Stroke::new(series.ink, DATA_LINE).dashed(series.dash)
    };
    let key = |line: &Line| -> Entry {
        let entity = study.mechanism(line.mechanism);
        (Key::Series(stroke(line), entity.series.mark), entity.name.clone())
    };
    figure.legend(&[lines.iter().map(key).collect()]);
    let (mut panels, points): (Vec<Panel>, Vec<_>) = contents.into_iter().map(|c| (c.panel, c.points)).unzip();
    figure.grid(panels.len(), Sharing::None, &mut panels);
    for (panel, points) in panels.iter().zip(points) {
        let c = &mut figure.canvas;
        panel.back(c);
        for (line, points) in lines.iter().zip(&points) {
            panel.line(c, points, stroke(line));
        }
        for (k, (line, points)) in lines.iter().zip(&points).enumerate() {
            let series = study.mechanism(line.mechanism).series;
            // Marks of different lines stand apart; the last one is always there.
            let every = points.len().div_ceil(MARKS).max(1);
            let offset = k * every / lines.len();
            let marked = points.iter().skip(offset).step_by(every).chain(points.last());
            for point in marked {
                panel.mark(c, *point, series.mark, series.ink);
            }
        }
        panel.front(c);
    }
    figure.canvas
}
