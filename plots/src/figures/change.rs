//! By how much every mechanism and policy changes social cost, emissions and bills against no trade without a carbon price.
//!
//! Bars from zero hide what a policy does where all of them are long; here only the differences are drawn.

use super::rows::{DotRow, dot_panels};
use super::{Absent, Basis, Picture, lettered, listed};
use crate::measure::Measure;
use crate::study::{NO_POLICY, Study, largest, without_noise};
use coase_core::statistics::{Estimate, estimate};

/// What is drawn where the user does not say.
const METRICS: [&str; 3] = ["social_cost", "emissions_kg", "total_cost"];

pub(super) fn draw(study: &Study) -> Result<Vec<Picture>, Absent> {
    let baseline = study.baseline().ok_or(Absent::NoBaseline)?;
    let plain = study.policies.iter().copied().find(|p| study.policy(*p).id == NO_POLICY);
    let reference = plain.or_else(|| study.policies.first().copied()).ok_or(Absent::NoRun)?;
    let cells = study.mechanisms.len() * study.policies.len();
    if cells < 2 || study.runs(baseline, reference).is_empty() {
        return Err(Absent::OneRun);
    }
    let mut panels: Vec<Changes> = study
        .measures(&METRICS)
        .into_iter()
        .filter_map(|measure| changes(study, (baseline, reference), measure))
        .collect();
    if panels.is_empty() {
        return Err(Absent::NoData { column: METRICS[0] });
    }
    // Where policies change nothing that is drawn first, the order is that of the study.
    let least = |m: &usize| panels[0].values[*m].iter().flatten().map(|e| e.mean).fold(f64::INFINITY, f64::min);
    let mut order: Vec<usize> = (0..study.mechanisms.len()).collect();
    if study.wanted.mechanisms.is_empty() {
        order.sort_by(|a, b| least(a).total_cmp(&least(b)));
    }
    let rows: Vec<DotRow> = order
        .iter()
        .map(|m| DotRow {
            name: study.mechanism(study.mechanisms[*m]).name.clone(),
            panels: panels.iter_mut().map(|of| std::mem::take(&mut of.values[*m])).collect(),
        })
        .collect();
    let titles: Vec<(String, String)> =
        panels.iter().enumerate().map(|(k, of)| (lettered(k, &of.title), of.label.clone())).collect();
    let series: Vec<_> = study.policies.iter().map(|p| study.policy(*p).series).collect();
    let legend: Vec<String> = study.policies.iter().map(|p| study.policy(*p).name.clone()).collect();
    let shown: Vec<String> = panels.iter().map(|of| of.title.to_lowercase()).collect();
    let pays = study.measures(&METRICS).iter().any(|measure| measure.name() == "total_cost");
    Ok(vec![Picture {
        qualifier: String::new(),
        title: "Change against no trade".into(),
        caption: format!(
            "Change of {} against {} under {}, by mechanism and carbon policy, seed by seed.{}{}",
            listed(&shown),
            study.mechanism(baseline).name,
            study.policy(reference).name,
            if pays {
                " Only social cost compares carbon policies: what participants pay for carbon somebody receives."
            } else {
                ""
            },
            study.footnote(&Basis::Means)
        ),
        canvas: dot_panels(study, &titles, &rows, &series, &legend).canvas,
    }])
}

/// The differences of a figure, by mechanism, then by policy.
struct Changes {
    title: String,
    label: String,
    values: Vec<Vec<Option<Estimate>>>,
}

fn changes(study: &Study, reference: (usize, usize), measure: Measure) -> Option<Changes> {
    let column = measure.name();
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
    let unit = measure.unit(study, largest(known));
    let scaled = |e: &Estimate| Estimate {
        mean: e.mean * unit.factor,
        interval: e.interval.map(|(a, b)| (a * unit.factor, b * unit.factor)),
        n: e.n,
    };
    Some(Changes {
        title: if column == "total_cost" { "Participants' cost".to_owned() } else { measure.title() },
        label: if unit.label.is_empty() { "Change".to_owned() } else { format!("Change ({})", unit.label) },
        values: cells.iter().map(|row| row.iter().map(|e| e.as_ref().map(scaled)).collect()).collect(),
    })
}
