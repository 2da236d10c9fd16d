//! Total cost and emissions of every mechanism under every policy: dots on rows, for what is compared differs by far less than
//! it is.

use super::rows::{DotRow, dot_panels};
use super::{Absent, Basis, Picture, lettered, listed};
use crate::figure::Figure;
use crate::measure::Measure;
use crate::study::{Study, Unit, largest};
use coase_core::statistics::Estimate;

pub(super) fn draw(study: &Study) -> Result<Vec<Picture>, Absent> {
    if study.run_count() == 0 {
        return Err(Absent::NoRun);
    }
    if study.mechanisms.len() * study.policies.len() < 2 {
        return Err(Absent::OneRun);
    }
    let measures = study.measures(&["total_cost", "emissions_kg"]);
    let all = measures.iter().map(|m| Ok((*m, quantity(study, *m)?))).collect::<Result<Vec<_>, Absent>>()?;
    let is_zero = |(_, q): &(Measure, Quantity)| q.values.iter().flatten().flatten().all(|e| e.mean == 0.0);
    let (mut zero, mut shown): (Vec<_>, Vec<_>) = all.into_iter().partition(is_zero);
    if shown.is_empty() {
        shown = std::mem::take(&mut zero);
    }
    let nothing: Vec<String> = zero.iter().map(|(_, q)| in_a_sentence(&q.title)).collect();
    let nothing = if nothing.is_empty() { String::new() } else { format!(" Zero everywhere: {}.", listed(&nothing)) };
    let (measures, quantities): (Vec<Measure>, Vec<Quantity>) = shown.into_iter().unzip();
    let canvas = dots(study, &quantities).canvas;
    Ok(vec![Picture {
        qualifier: String::new(),
        title: format!("{} by mechanism and carbon policy", titles(&measures)),
        caption: format!("{} Axes do not begin at zero.{nothing}{}", caption(&measures), study.footnote(&Basis::Means)),
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
    let title = |i: usize, q: &Quantity| if quantities.len() > 1 { lettered(i, &q.title) } else { q.title.clone() };
    let titles: Vec<(String, String)> =
        quantities.iter().enumerate().map(|(i, q)| (title(i, q), q.label.clone())).collect();
    dot_panels(study, &titles, &rows, &series, &legend)
}
