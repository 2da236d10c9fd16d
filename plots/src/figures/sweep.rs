//! Metrics against a swept parameter: a line per mechanism, or per policy where the user wants a panel for every mechanism.

use super::cost_and_emissions::titles;
use super::{Absent, Basis, Picture, lettered, listed, shown_of};
use crate::axis::{Axis, range};
use crate::canvas::Stroke;
use crate::designed::Designed;
use crate::figure::{Entry, Figure, Key, Sharing};
use crate::geometry::Pt;
use crate::identity::Entity;
use crate::measure::{Measure, swept_label};
use crate::panel::Panel;
use crate::study::{Study, largest};
use crate::style::{DATA_LINE, TWO_COLUMNS_MM};
use crate::text::literal;
use coase_core::statistics::{Estimate, estimate};
use coase_store::RunStatus;
use std::collections::BTreeMap;

/// More lines cannot be told apart.
const MOST_LINES: usize = 6;
/// Panels beside each other, and in all.
const COLUMNS: usize = 3;
const MOST_PANELS: usize = 9;

pub(super) fn draw(study: &Study) -> Result<Vec<Picture>, Absent> {
    let sweeps = &study.store.sweeps;
    if sweeps.is_empty() {
        return Err(Absent::NoSweep);
    }
    // Points of a box are no line.
    let designed = Designed::of(study.store, study.identity);
    let columns = (0..sweeps.len()).filter(|column| designed.as_ref().is_none_or(|d| !d.has_column(*column)));
    let pictures: Vec<Picture> = columns.filter_map(|column| picture(study, column, sweeps.len())).collect();
    if pictures.is_empty() { Err(Absent::NoNumericSweep) } else { Ok(pictures) }
}

fn picture(study: &Study, column: usize, columns: usize) -> Option<Picture> {
    let name = &study.store.sweeps[column];
    let measures = study.measures(&["total_cost", "emissions_kg"]);
    let facets: Vec<Facet> = if study.facets.is_empty() {
        vec![Facet::of_first_policy(study, column, &measures)?]
    } else {
        let faceted = study.facets.iter().map(|(title, facet)| Facet::of(title, facet, column, &measures));
        faceted.filter(|facet| facet.lines.iter().any(|l| l.points.len() > 1)).collect()
    };
    if facets.is_empty() {
        return None;
    }
    let missing: Vec<String> = facets.iter().flat_map(|facet| facet.missing(column)).collect();
    let missing = if missing.is_empty() { String::new() } else { format!(" No answer: {}.", missing.join("; ")) };
    let most = facets.iter().map(|facet| facet.all).max().unwrap_or(0);
    let rest = shown_of(most.min(MOST_LINES), most, "lines", "the first");
    let by = match &facets[..] {
        [facet] => facet.by(study),
        _ => format!(
            "by mechanism; panels: {}",
            listed(&facets.iter().map(|facet| facet.title.clone()).collect::<Vec<_>>())
        ),
    };
    let all = facets.len() * measures.len();
    let panels = shown_of(all.min(MOST_PANELS), all, "panels", "the first");
    let letters = match (&measures[..], facets.len()) {
        ([_, _, ..], 1) => {
            let lettered = |(k, title): (usize, String)| format!("{title} ({})", char::from(b'a' + k as u8));
            let named = measures.iter().copied().map(Measure::title).enumerate().map(lettered).collect::<Vec<_>>();
            listed(&named)
        }
        _ => titles(&measures),
    };
    Some(Picture {
        qualifier: if columns > 1 { name.clone() } else { String::new() },
        title: format!("{} against {}", titles(&measures), literal(name)),
        caption: format!(
            "{letters} against {} {by}.{rest}{panels}{missing}{}",
            literal(name),
            study.footnote(&Basis::Along(study.columns_of_facets().chain([column]).collect()))
        ),
        canvas: page(study, &facets, &measures, name).canvas,
    })
}

struct Line {
    mechanism: usize,
    policy: usize,
    /// Value of the parameter and the metrics, by the parameter.
    points: Vec<(f64, Vec<Option<Estimate>>)>,
}

/// What one panel shows of every metric.
struct Facet<'a> {
    title: String,
    study: &'a Study<'a>,
    lines: Vec<Line>,
    /// Lines that there are, drawn or not.
    all: usize,
    /// Policies that have no lines, by name.
    others: Vec<String>,
}

impl<'a> Facet<'a> {
    /// Lines by mechanism under the first policy that has some: a policy without the field says nothing about it.
    fn of_first_policy(study: &'a Study<'a>, column: usize, measures: &[Measure]) -> Option<Self> {
        let policies = study.reference_policy().into_iter().chain(study.policies.iter().copied());
        let of = |p: usize| {
            let shown = study.mechanisms.iter().take(MOST_LINES);
            let lines: Vec<Line> = shown.map(|m| line(study, (*m, p), column, measures)).collect();
            lines.iter().any(|l| l.points.len() > 1).then_some((p, lines))
        };
        let (policy, lines) = policies.into_iter().find_map(of)?;
        let others = study.policies.iter().filter(|p| **p != policy).map(|p| study.policy(*p).name.clone()).collect();
        Some(Self { title: String::new(), study, lines, all: study.mechanisms.len(), others })
    }

    /// Lines by mechanism and policy.
    fn of(title: &str, study: &'a Study<'a>, column: usize, measures: &[Measure]) -> Self {
        let pairs = study.policies.iter().flat_map(|p| study.mechanisms.iter().map(move |m| (*m, *p)));
        let all: Vec<Line> = pairs.map(|cell| line(study, cell, column, measures)).collect();
        let told: Vec<Line> = all.into_iter().filter(|line| line.points.len() > 1).collect();
        let count = told.len();
        Self {
            title: title.to_owned(),
            study,
            lines: told.into_iter().take(MOST_LINES).collect(),
            all: count,
            others: vec![],
        }
    }

    fn by(&self, study: &Study) -> String {
        let others =
            if self.others.is_empty() { String::new() } else { format!(" Not drawn: {}", listed(&self.others)) };
        let policy = self.lines.first().map_or_else(String::new, |line| study.policy(line.policy).name.clone());
        let dot = if others.is_empty() { "" } else { "." };
        format!("by mechanism, carbon policy {policy}{dot}{others}")
    }

    /// Points of the lines where a mechanism has no converged run.
    fn missing(&self, column: usize) -> Vec<String> {
        let is_drawn = |m: usize, p: usize| self.lines.iter().any(|l| l.policy == p && l.mechanism == m);
        let study = self.study;
        let of_run = |run: &crate::store::Run| {
            let m = study.identity.mechanism(&run.variant)?;
            let p = study.identity.policy(&run.carbon_label)?;
            let here = study.has(run, &[column]) && run.status != RunStatus::Converged && !run.sweep[column].is_empty();
            let place = if self.title.is_empty() { String::new() } else { format!(" in {}", self.title) };
            let told = || format!("{} at {}{place}", study.mechanism(m).name, literal(&run.sweep[column]));
            (here && is_drawn(m, p)).then(told)
        };
        study.store.runs.iter().filter_map(of_run).collect()
    }
}

/// The line of a mechanism under a policy, the other parameters at their point.
fn line(study: &Study, (m, p): (usize, usize), column: usize, measures: &[Measure]) -> Line {
    let store = study.store;
    let mut samples: BTreeMap<u64, (f64, Vec<Vec<f64>>)> = BTreeMap::new();
    for (i, run) in store.runs.iter().enumerate() {
        let here = run.variant == study.mechanism(m).key
            && run.carbon_label == study.policy(p).key
            && run.status == RunStatus::Converged
            && study.has(run, &[column]);
        let Some(x) = run.sweep[column].parse::<f64>().ok().filter(|x| here && x.is_finite()) else { continue };
        let (_, values) = samples.entry(ordered(x)).or_insert((x, vec![vec![]; measures.len()]));
        for (value, measure) in values.iter_mut().zip(measures) {
            value.extend(store.metric(i, measure.name()));
        }
    }
    let points = samples.into_values().map(|(x, values)| (x, values.iter().map(|v| estimate(v)).collect()));
    Line { mechanism: m, policy: p, points: points.collect() }
}

/// A key that sorts as the number does.
fn ordered(x: f64) -> u64 {
    let bits = x.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

fn page(study: &Study, facets: &[Facet], measures: &[Measure], name: &str) -> Figure {
    let lines = || facets.iter().flat_map(|facet| &facet.lines);
    let values_of_x = lines().flat_map(|l| l.points.iter().map(|p| p.0));
    let (low, high) = range(values_of_x).unwrap_or((0.0, 1.0));
    // markers at the ends stay off the spines
    let room = 0.04 * (high - low);
    let x = Axis { low: low - room, high: high + room, ..Axis::linear(low, high, 5, &swept_label(name, study)) };
    let wanted: Vec<(usize, &Facet)> =
        (0..measures.len()).flat_map(|k| facets.iter().map(move |facet| (k, facet))).take(MOST_PANELS).collect();
    let columns = wanted.len().min(if facets.len() > 1 { facets.len().min(COLUMNS) } else { 2 });
    let mut figure = study.figure(TWO_COLUMNS_MM, 8.0 + 58.0 * wanted.len().div_ceil(columns) as f64);
    let several_mechanisms = lines().any(|l| Some(l.mechanism) != lines().next().map(|first| first.mechanism));
    let several_policies = facets
        .iter()
        .any(|facet| facet.lines.iter().any(|l| Some(l.policy) != facet.lines.first().map(|first| first.policy)));
    let entity = |l: &Line| -> &Entity {
        if several_mechanisms { study.mechanism(l.mechanism) } else { study.policy(l.policy) }
    };
    // where both differ in a panel, the mechanism is told by colour and mark, and the policy by the line
    let stroke = |l: &Line| {
        let of_policy = several_mechanisms && several_policies;
        let dash = if of_policy { study.policy(l.policy).series.dash } else { entity(l).series.dash };
        Stroke::new(entity(l).series.ink, DATA_LINE).dashed(dash)
    };
    let named = |l: &Line| {
        if several_mechanisms && several_policies {
            format!("{}, {}", study.mechanism(l.mechanism).name, study.policy(l.policy).name)
        } else {
            entity(l).name.clone()
        }
    };
    let mut keys: Vec<Entry> = vec![];
    for line in lines().filter(|l| !l.points.is_empty()) {
        let entry = (Key::Series(stroke(line), entity(line).series.mark), named(line));
        if !keys.iter().any(|known| known.1 == entry.1) {
            keys.push(entry);
        }
    }
    figure.legend(&[keys]);
    let ends = |k: usize| {
        let estimates = lines().flat_map(move |l| l.points.iter().filter_map(move |p| p.1[k]));
        estimates.flat_map(|e| e.interval.map_or([e.mean; 2], |(a, b)| [a, b]))
    };
    let units: Vec<_> = measures.iter().enumerate().map(|(k, m)| m.unit(study, largest(ends(k)))).collect();
    let mut panels: Vec<Panel> = wanted
        .iter()
        .enumerate()
        .map(|(i, (k, facet))| {
            let y = Axis::tight(ends(*k).map(|v| v * units[*k].factor), &measures[*k].label(&units[*k]));
            let title = if facet.title.is_empty() { measures[*k].title() } else { facet.title.clone() };
            let title = if wanted.len() == 1 { title } else { lettered(i, &title) };
            Panel::new(x.clone(), y).titled(&title)
        })
        .collect();
    let sharing = if facets.len() > 1 && measures.len() == 1 { Sharing::Y } else { Sharing::None };
    figure.grid(columns, sharing, &mut panels);
    for ((k, facet), panel) in wanted.iter().zip(&panels) {
        let c = &mut figure.canvas;
        panel.back(c);
        let factor = units[*k].factor;
        for line in &facet.lines {
            let series = entity(line).series;
            let points: Vec<Pt> =
                line.points.iter().filter_map(|(x, e)| e[*k].map(|e| (*x, e.mean * factor))).collect();
            panel.line(c, &points, stroke(line));
            for (x, e) in &line.points {
                if let Some((low, high)) = e[*k].and_then(|e| e.interval) {
                    panel.interval_y(c, *x, (low * factor, high * factor), series.ink);
                }
            }
            for p in points {
                panel.mark(c, p, series.mark, series.ink);
            }
        }
        panel.front(c);
    }
    figure
}
