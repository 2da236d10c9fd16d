//! Total cost and emissions of every mechanism under every policy: bars, or dots on rows where there are many.

use super::rows::{DotRow, dot_panels};
use super::{Absent, Basis, Picture, group_width, lettered, listed};
use crate::axis::Axis;
use crate::canvas::Fill;
use crate::figure::{Entry, Figure, Key, Sharing};
use crate::measure::Measure;
use crate::panel::Panel;
use crate::study::{Study, Unit, largest};
use crate::style::{GAP, INK, MM, TICK_LABEL, TWO_COLUMNS_MM};
use crate::text;
use coase_core::statistics::Estimate;

const MOST_MECHANISMS: usize = 8;
const MOST_POLICIES: usize = 5;

pub(super) fn draw(study: &Study) -> Result<Vec<Picture>, Absent> {
    if study.run_count() == 0 {
        return Err(Absent::NoRun);
    }
    if study.mechanisms.len() * study.policies.len() < 2 {
        return Err(Absent::OneRun);
    }
    let measures = study.measures(&["total_cost", "emissions_kg"]);
    let quantities: Vec<Quantity> = measures.iter().map(|m| quantity(study, *m)).collect::<Result<_, _>>()?;
    let bars = study.mechanisms.len() <= MOST_MECHANISMS && study.policies.len() <= MOST_POLICIES;
    let canvas = match names_for_bars(study, quantities.len()) {
        Some(names) if bars => bar_panels(study, &quantities, &names).canvas,
        _ => dots(study, &quantities).canvas,
    };
    Ok(vec![Picture {
        qualifier: String::new(),
        title: format!("{} by mechanism and carbon policy", titles(&measures)),
        caption: format!("{}{}", caption(&measures), study.footnote(&Basis::Means)),
        canvas,
    }])
}

/// `Total cost and emissions`.
pub(super) fn titles(measures: &[Measure]) -> String {
    let titles: Vec<String> = measures.iter().copied().map(Measure::title).collect();
    let lower = |(k, title): (usize, &String)| if k == 0 { title.clone() } else { in_a_sentence(title) };
    listed(&titles.iter().enumerate().map(lower).collect::<Vec<_>>())
}

/// A title within a sentence: names keep their capital.
fn in_a_sentence(title: &str) -> String {
    let mut chars = title.chars();
    match chars.next() {
        Some(first) if !title.starts_with("Jain") && !title.starts_with("Gini") => {
            first.to_lowercase().collect::<String>() + chars.as_str()
        }
        _ => title.to_owned(),
    }
}

fn caption(measures: &[Measure]) -> String {
    let shows = |name: &str| measures.iter().any(|m| m.name() == name);
    let said = match measures {
        [a, b] if (a.name(), b.name()) == ("total_cost", "emissions_kg") => {
            "Total cost of the participants (a), carbon payments included, and emissions of the whole feeder (b) by mechanism and \
             carbon policy."
                .to_owned()
        }
        _ => format!("{} by mechanism and carbon policy.", titles(measures)),
    };
    let of_cost = if shows("total_cost") {
        " Only social cost compares policies; total cost counts payments to the authority."
    } else {
        ""
    };
    said + of_cost
}

struct Quantity {
    title: String,
    label: String,
    /// By mechanism and policy of the study, in the unit of the label.
    values: Vec<Vec<Option<Estimate>>>,
}

impl Quantity {
    /// Everything the axis must hold.
    fn extremes(&self) -> Vec<f64> {
        self.values.iter().flatten().flatten().flat_map(ends).collect()
    }
}

fn ends(e: &Estimate) -> [f64; 2] {
    e.interval.map_or([e.mean, e.mean], |(low, high)| [low.min(e.mean), high.max(e.mean)])
}

fn quantity(study: &Study, measure: Measure) -> Result<Quantity, Absent> {
    let column = measure.name();
    let estimates: Vec<Vec<Option<Estimate>>> = study
        .mechanisms
        .iter()
        .map(|m| study.policies.iter().map(|p| study.metric(*m, *p, column)).collect())
        .collect();
    if estimates.iter().flatten().all(Option::is_none) {
        return Err(Absent::NoData { column });
    }
    let most = largest(estimates.iter().flatten().flatten().flat_map(ends));
    let unit = measure.unit(study, most);
    let scaled = |e: &Estimate| scale(e, &unit);
    Ok(Quantity {
        title: measure.title(),
        label: measure.label(&unit),
        values: estimates.iter().map(|row| row.iter().map(|e| e.as_ref().map(scaled)).collect()).collect(),
    })
}

fn scale(e: &Estimate, unit: &Unit) -> Estimate {
    let f = unit.factor;
    Estimate { mean: e.mean * f, interval: e.interval.map(|(a, b)| (a * f, b * f)), n: e.n }
}

/// Names below the groups, in two lines; `None` if some name does not fit.
fn names_for_bars(study: &Study, panels: usize) -> Option<Vec<String>> {
    let page = study.width_mm(TWO_COLUMNS_MM);
    let beside = if page < TWO_COLUMNS_MM || panels == 1 { 1.0 } else { 2.0 };
    let panel = page * MM / beside - 36.0 - GAP;
    let pitch = panel / study.mechanisms.len() as f64;
    let fits = |s: &String| text::block_width(s, TICK_LABEL) + 3.0 <= pitch;
    let name = |m: &usize| {
        let entity = study.mechanism(*m);
        [entity.name.clone(), text::two_lines(&entity.name), entity.short.clone(), text::two_lines(&entity.short)]
            .into_iter()
            .find(fits)
    };
    study.mechanisms.iter().map(name).collect()
}

fn bar_panels(study: &Study, quantities: &[Quantity], names: &[String]) -> Figure {
    let height = 12.0 + 50.0 * quantities.len().div_ceil(2) as f64;
    let mut figure = study.figure(TWO_COLUMNS_MM, height);
    let fill = |p: usize| Fill::of(&study.policy(p).series);
    if study.policies.len() > 1 {
        let entries: Vec<Entry> =
            study.policies.iter().map(|p| (Key::Fill(fill(*p)), study.policy(*p).name.clone())).collect();
        figure.legend(&[entries]);
    }
    let mut panels: Vec<Panel> = quantities
        .iter()
        .enumerate()
        .map(|(i, q)| {
            let y = Axis::from_zero(q.extremes(), 5, &q.label);
            Panel::new(Axis::categories(names, ""), y).titled(&lettered(i, &q.title))
        })
        .collect();
    figure.grid(2.min(panels.len()), Sharing::None, &mut panels);
    let group = group_width(study.policies.len());
    let width = group / study.policies.len() as f64;
    for (panel, quantity) in panels.iter().zip(quantities) {
        let c = &mut figure.canvas;
        panel.back(c);
        for (m, row) in quantity.values.iter().enumerate() {
            for (k, estimate) in row.iter().enumerate() {
                let Some(e) = estimate else { continue };
                let x = m as f64 - group / 2.0 + width * k as f64;
                panel.bar(c, (x, 0.0), (x + width, e.mean), fill(study.policies[k]));
                if let Some(interval) = e.interval {
                    panel.interval_y(c, x + width / 2.0, interval, INK);
                }
            }
        }
        panel.front(c);
    }
    figure
}

/// Mechanisms as rows: as the user lists them, else the least of what is drawn first on top.
fn dots(study: &Study, quantities: &[Quantity]) -> Figure {
    let cost = |m: usize| {
        let means: Vec<f64> = quantities[0].values[m].iter().flatten().map(|e| e.mean).collect();
        means.iter().sum::<f64>() / means.len().max(1) as f64
    };
    let mut order: Vec<usize> = (0..study.mechanisms.len()).collect();
    if study.wanted.mechanisms.is_empty() {
        order.sort_by(|a, b| cost(*a).total_cmp(&cost(*b)));
    }
    let series: Vec<_> = study.policies.iter().map(|p| study.policy(*p).series).collect();
    let legend = study.policies.iter().map(|p| study.policy(*p).name.clone()).collect::<Vec<_>>();
    let rows: Vec<DotRow> = order
        .iter()
        .map(|m| DotRow {
            name: study.mechanism(study.mechanisms[*m]).name.clone(),
            panels: quantities.iter().map(|q| q.values[*m].clone()).collect(),
        })
        .collect();
    let titles: Vec<(String, String)> =
        quantities.iter().enumerate().map(|(i, q)| (lettered(i, &q.title), q.label.clone())).collect();
    dot_panels(study, &titles, &rows, &series, &legend)
}
