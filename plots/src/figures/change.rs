//! By how much every mechanism and policy changes social cost, emissions and bills against no trade without a carbon price.
//!
//! Bars from zero hide what a policy does where all of them are long; here only the differences are drawn.

use super::rows::{DotRow, dot_panels};
use super::{Absent, Basis, Picture, lettered};
use crate::study::{NO_POLICY, Study, Unit, largest, without_noise};
use coase_core::statistics::{Estimate, estimate};

/// Column, title, and what it is called on the axis.
const FIGURES: [(&str, &str); 3] =
    [("social_cost", "Social cost"), ("emissions_kg", "Emissions"), ("total_cost", "Participants' cost")];

pub(super) fn draw(study: &Study) -> Result<Vec<Picture>, Absent> {
    let baseline = study.baseline().ok_or(Absent::NoBaseline)?;
    let plain = study.policies.iter().copied().find(|p| study.policy(*p).id == NO_POLICY);
    let reference = plain.or_else(|| study.policies.first().copied()).ok_or(Absent::NoRun)?;
    let cells = study.mechanisms.len() * study.policies.len();
    if cells < 2 || study.runs(baseline, reference).is_empty() {
        return Err(Absent::OneRun);
    }
    let mut panels: Vec<Changes> = FIGURES.iter().filter_map(|of| changes(study, (baseline, reference), *of)).collect();
    if panels.is_empty() {
        return Err(Absent::NoData { column: FIGURES[0].0 });
    }
    // Where policies change nothing that is drawn first, the order is that of the study.
    let least = |m: &usize| panels[0].values[*m].iter().flatten().map(|e| e.mean).fold(f64::INFINITY, f64::min);
    let mut order: Vec<usize> = (0..study.mechanisms.len()).collect();
    order.sort_by(|a, b| least(a).total_cmp(&least(b)));
    let rows: Vec<DotRow> = order
        .iter()
        .map(|m| DotRow {
            name: study.mechanism(study.mechanisms[*m]).name.clone(),
            panels: panels.iter_mut().map(|of| std::mem::take(&mut of.values[*m])).collect(),
        })
        .collect();
    let titles: Vec<(String, String)> =
        panels.iter().enumerate().map(|(k, of)| (lettered(k, of.title), of.label.clone())).collect();
    let series: Vec<_> = study.policies.iter().map(|p| study.policy(*p).series).collect();
    let legend: Vec<String> = study.policies.iter().map(|p| study.policy(*p).name.clone()).collect();
    Ok(vec![Picture {
        qualifier: String::new(),
        title: "Change against no trade".into(),
        caption: format!(
            "Change of social cost, emissions and what participants pay against {} under {}, by mechanism and carbon \
             policy, seed by seed. Only social cost compares carbon policies: what participants pay for carbon somebody \
             receives.{}",
            study.mechanism(baseline).name,
            study.policy(reference).name,
            study.footnote(&Basis::Means)
        ),
        canvas: dot_panels(&titles, &rows, &series, &legend).canvas,
    }])
}

/// The differences of a figure, by mechanism, then by policy.
struct Changes {
    title: &'static str,
    label: String,
    values: Vec<Vec<Option<Estimate>>>,
}

fn changes(study: &Study, reference: (usize, usize), (column, title): (&'static str, &'static str)) -> Option<Changes> {
    let before = |seed: u64| {
        let runs = study.runs(reference.0, reference.1);
        let same = runs.iter().find(|run| study.store.runs[**run].seed == seed)?;
        study.store.metric(*same, column)
    };
    let of_cell = |m: usize, p: usize| {
        let difference = |run: &usize| {
            let change = study.store.metric(*run, column)? - before(study.store.runs[*run].seed)?;
            Some(without_noise(change))
        };
        estimate(&study.runs(m, p).iter().filter_map(difference).collect::<Vec<f64>>())
    };
    let cells: Vec<Vec<Option<Estimate>>> =
        study.mechanisms.iter().map(|m| study.policies.iter().map(|p| of_cell(*m, *p)).collect()).collect();
    let known: Vec<f64> = cells.iter().flatten().flatten().map(|e| e.mean).collect();
    if known.is_empty() {
        return None;
    }
    let unit: Unit = if column == "emissions_kg" { study.carbon(largest(known)) } else { study.money(largest(known)) };
    let scaled = |e: &Estimate| Estimate {
        mean: e.mean * unit.factor,
        interval: e.interval.map(|(a, b)| (a * unit.factor, b * unit.factor)),
        n: e.n,
    };
    Some(Changes {
        title,
        label: format!("Change ({})", unit.label),
        values: cells.iter().map(|row| row.iter().map(|e| e.as_ref().map(scaled)).collect()).collect(),
    })
}
