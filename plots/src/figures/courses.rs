//! What the figures of prices and choices on their way to rest share: which runs have such lines, and how they are drawn.

use super::{Absent, lettered};
use crate::axis::Axis;
use crate::canvas::{Canvas, Stroke};
use crate::figure::{Entry, Key, Sharing};
use crate::geometry::Pt;
use crate::panel::Panel;
use crate::store::CurveRows;
use crate::study::Study;
use crate::style::{CYCLE, DATA_LINE, TWO_COLUMNS_MM};
use std::collections::BTreeMap;

/// Lines of a panel.
pub const MOST_LINES: usize = CYCLE.len();
/// Marks on a line.
const MARKS: usize = 6;

/// The lines of one name of a run.
pub struct Lines {
    pub mechanism: usize,
    pub policy: usize,
    pub curves: Vec<CurveRows>,
}

/// The first run of a trading mechanism with lines of this name: under the reference policy, or else under another.
pub fn of(study: &Study, name: &str) -> Result<Lines, Absent> {
    let policies = study.reference_policy().into_iter().chain(study.policies.iter().copied());
    let found = |policy: usize| {
        study.trading().into_iter().find_map(|mechanism| {
            let run = *study.runs(mechanism, policy).first()?;
            let mut curves = study.store.curves(run);
            curves.retain(|curve| curve.name == name);
            (!curves.is_empty()).then_some(Lines { mechanism, policy, curves })
        })
    };
    policies.into_iter().find_map(found).ok_or(Absent::NoCurves)
}

/// Whether a line has a way to rest, and does not begin there.
pub fn moves(curve: &CurveRows) -> bool {
    curve.points.len() > 1
}

/// Up to three of the periods in which at least two options are told apart: the first, the one with most, and the last; and how many
/// there are.
pub fn periods(options: &BTreeMap<usize, usize>) -> Result<(Vec<usize>, usize), Absent> {
    let several: Vec<(usize, usize)> = options.iter().filter(|(_, n)| **n >= 2).map(|(t, n)| (*t, *n)).collect();
    let (Some(first), Some(last)) = (several.first(), several.last()) else { return Err(Absent::NoCurves) };
    let most = several.iter().fold(*first, |best, next| if next.1 > best.1 { *next } else { best });
    let mut shown = vec![first.0, most.0, last.0];
    shown.dedup();
    Ok((shown, several.len()))
}

/// One panel: its title, and its lines by place in the legend.
pub struct Content {
    pub title: String,
    pub lines: Vec<(usize, Vec<Pt>)>,
}

/// Panels that share both axes, below a legend.
pub fn page(study: &Study, names: &[String], contents: &[Content], x_label: &str, y: impl Fn(&[Pt]) -> Axis) -> Canvas {
    let mut figure = study.figure(TWO_COLUMNS_MM, 64.0);
    let look = |k: usize| CYCLE[k % CYCLE.len()];
    let stroke = |k: usize| Stroke::new(look(k).ink, DATA_LINE).dashed(look(k).dash);
    let keys: Vec<Entry> =
        names.iter().enumerate().map(|(k, name)| (Key::Series(stroke(k), look(k).mark), name.clone())).collect();
    figure.legend(&[keys]);
    let points: Vec<Pt> = contents.iter().flat_map(|c| &c.lines).flat_map(|(_, line)| line.iter().copied()).collect();
    let x = Axis::tight(points.iter().map(|p| p.0), x_label);
    let y = y(&points);
    let panel = |(k, content): (usize, &Content)| {
        let title = if contents.len() > 1 { lettered(k, &content.title) } else { content.title.clone() };
        Panel::new(x.clone(), y.clone()).titled(&title)
    };
    let mut panels: Vec<Panel> = contents.iter().enumerate().map(panel).collect();
    figure.grid(panels.len(), Sharing::XAndY, &mut panels);
    for (panel, content) in panels.iter().zip(contents) {
        let c = &mut figure.canvas;
        panel.back(c);
        for (k, line) in &content.lines {
            panel.line(c, line, stroke(*k));
            // Marks of different lines stand apart.
            let every = line.len().div_ceil(MARKS).max(1);
            for point in line.iter().skip((k * every / MOST_LINES).min(line.len() / 2)).step_by(every) {
                panel.mark(c, *point, look(*k).mark, look(*k).ink);
            }
        }
        panel.front(c);
    }
    figure.canvas
}

/// The names of participants as figures show them.
pub fn name(study: &Study, id: &str) -> String {
    let known = study.participants.iter().map(|i| study.participant(*i)).find(|entity| entity.key == id);
    known.map_or_else(|| crate::text::literal(id), |entity| entity.name.clone())
}
