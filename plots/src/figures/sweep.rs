//! Cost and emissions against a swept parameter, a line per mechanism.

use super::{Absent, Basis, Picture, lettered, listed, shown_of};
use crate::axis::{Axis, range};
use crate::canvas::Stroke;
use crate::designed::Designed;
use crate::figure::{Entry, Figure, Key, Sharing};
use crate::geometry::Pt;
use crate::panel::Panel;
use crate::study::{Study, Unit, largest};
use crate::style::{DATA_LINE, TWO_COLUMNS_MM};
use crate::text::literal;
use coase_core::statistics::{Estimate, estimate};
use coase_store::RunStatus;
use std::collections::BTreeMap;

/// More lines cannot be told apart.
const MOST_LINES: usize = 6;

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
    // a policy without the field says nothing about it
    let reference = study.reference_policy();
    let (policy, lines) = reference
        .into_iter()
        .chain(study.policies.iter().copied())
        .map(|p| (p, lines(study, p, column)))
        .find(|(_, lines)| lines.iter().any(|l| l.points.len() > 1))?;
    let name = &study.store.sweeps[column];
    let others: Vec<String> =
        study.policies.iter().filter(|p| **p != policy).map(|p| study.policy(*p).name.clone()).collect();
    let others = if others.is_empty() { String::new() } else { format!(" Not drawn: {}.", listed(&others)) };
    let missing = missing(study, policy, column);
    let rest = shown_of(lines.len(), study.mechanisms.len(), "mechanisms", "the first");
    let policy = &study.policy(policy).name;
    Some(Picture {
        qualifier: if columns > 1 { name.clone() } else { String::new() },
        title: format!("Cost and emissions against {}", literal(name)),
        caption: format!(
            "Total cost (a) and emissions (b) against {} by mechanism, carbon policy {policy}.{others}{rest}{missing}{}",
            literal(name),
            study.footnote(&Basis::Along(vec![column]))
        ),
        canvas: panels(study, &lines, name).canvas,
    })
}

struct Line {
    mechanism: usize,
    /// Value of the parameter, cost, emissions; by the parameter.
    points: Vec<(f64, [Option<Estimate>; 2])>,
}

const METRICS: [&str; 2] = ["total_cost", "emissions_kg"];

/// The lines of a policy, the other parameters at their first point.
fn lines(study: &Study, policy: usize, column: usize) -> Vec<Line> {
    let store = study.store;
    let runs = || store.runs.iter().enumerate().filter(|(_, r)| r.scenario == study.scenario);
    let of_mechanism = |m: usize| {
        let mut samples: BTreeMap<u64, (f64, [Vec<f64>; 2])> = BTreeMap::new();
        for (i, run) in runs() {
            let here = run.variant == study.mechanism(m).key
                && run.carbon_label == study.policy(policy).key
                && run.status == RunStatus::Converged
                && study.at_first_point(&run.sweep, Some(column));
            let Some(x) = run.sweep[column].parse::<f64>().ok().filter(|x| here && x.is_finite()) else { continue };
            let (_, values) = samples.entry(ordered(x)).or_insert((x, [Vec::new(), Vec::new()]));
            for (value, name) in values.iter_mut().zip(METRICS) {
                value.extend(store.metric(i, name));
            }
        }
        let points = samples.into_values().map(|(x, [cost, emissions])| (x, [estimate(&cost), estimate(&emissions)]));
        Line { mechanism: m, points: points.collect() }
    };
    study.mechanisms.iter().take(MOST_LINES).map(|m| of_mechanism(*m)).collect()
}

/// Points of the lines where a mechanism has no converged run.
fn missing(study: &Study, policy: usize, column: usize) -> String {
    let here = |run: &&crate::store::Run| {
        run.scenario == study.scenario
            && run.carbon_label == study.policy(policy).key
            && run.status != RunStatus::Converged
            && study.at_first_point(&run.sweep, Some(column))
            && !run.sweep[column].is_empty()
    };
    let told: Vec<String> = study
        .store
        .runs
        .iter()
        .filter(here)
        .map(|run| {
            let name =
                study.identity.mechanism(&run.variant).map_or_else(String::new, |m| study.mechanism(m).name.clone());
            format!("{name} at {}", literal(&run.sweep[column]))
        })
        .collect();
    if told.is_empty() { String::new() } else { format!(" No answer: {}.", told.join("; ")) }
}

/// A key that sorts as the number does.
fn ordered(x: f64) -> u64 {
    let bits = x.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

/// The field at the end of a path, as it is written, for units are part of its name; and whose it is.
fn field(path: &str) -> String {
    let parts: Vec<&str> = path.split('.').collect();
    let last = parts.last().copied().unwrap_or(path);
    let whose = match parts[..] {
        ["scenario", "participants", who, "devices", what, _, ..] if what.parse::<usize>().is_err() => {
            format!(", {what} of {who}")
        }
        ["scenario", "participants", who, _, ..] => format!(" of {who}"),
        _ => String::new(),
    };
    literal(&format!("{last}{whose}"))
}

fn panels(study: &Study, lines: &[Line], name: &str) -> Figure {
    let values = |k: usize| lines.iter().flat_map(move |l| l.points.iter().filter_map(move |p| p.1[k]));
    let units: [Unit; 2] =
        [study.money(largest(values(0).map(|e| e.mean))), study.carbon(largest(values(1).map(|e| e.mean)))];
    let values_of_x = lines.iter().flat_map(|l| l.points.iter().map(|p| p.0));
    let (low, high) = range(values_of_x).unwrap_or((0.0, 1.0));
    // markers at the ends stay off the spines
    let room = 0.04 * (high - low);
    let x = Axis { low: low - room, high: high + room, ..Axis::linear(low, high, 5, &field(name)) };
    let mut figure = Figure::new(TWO_COLUMNS_MM, 66.0);
    let stroke = |m: usize| {
        let series = study.mechanism(m).series;
        Stroke::new(series.ink, DATA_LINE).dashed(series.dash)
    };
    let key = |l: &Line| -> Entry {
        let entity = study.mechanism(l.mechanism);
        (Key::Series(stroke(l.mechanism), entity.series.mark), entity.name.clone())
    };
    let drawn: Vec<&Line> = lines.iter().filter(|l| !l.points.is_empty()).collect();
    figure.legend(&[drawn.iter().map(|l| key(l)).collect()]);
    let mut panels: Vec<Panel> = ["Total cost", "Emissions"]
        .iter()
        .enumerate()
        .map(|(k, title)| {
            let ends = values(k).flat_map(|e| e.interval.map_or([e.mean; 2], |(a, b)| [a, b]));
            let y = Axis::tight(ends.map(|v| v * units[k].factor), &format!("{title} ({})", units[k].label));
            Panel::new(x.clone(), y).titled(&lettered(k, title))
        })
        .collect();
    figure.grid(2, Sharing::None, &mut panels);
    for (k, panel) in panels.iter().enumerate() {
        let c = &mut figure.canvas;
        panel.back(c);
        let factor = units[k].factor;
        for line in &drawn {
            let series = study.mechanism(line.mechanism).series;
            let points: Vec<Pt> = line.points.iter().filter_map(|(x, e)| e[k].map(|e| (*x, e.mean * factor))).collect();
            panel.line(c, &points, stroke(line.mechanism));
            for (x, e) in &line.points {
                if let Some((low, high)) = e[k].and_then(|e| e.interval) {
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

#[cfg(test)]
mod tests {
    use super::field;

    #[test]
    fn an_axis_says_the_field_and_whose_it_is() {
        let of = ["scenario.participants.farm.devices.Pv.p_max_kw", "scenario.participants.farm.devices.0.p_max_kw"];
        assert_eq!(of.map(field), ["p\\_max\\_kw, Pv of farm", "p\\_max\\_kw of farm"]);
        let of = ["scenario.participants.home.count", "scenario.grid.sell_price_per_kwh", "carbon.price_factor"];
        assert_eq!(of.map(field), ["count of home", "sell\\_price\\_per\\_kwh", "price\\_factor"]);
    }
}
