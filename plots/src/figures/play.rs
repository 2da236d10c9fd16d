//! What comes of mechanisms where members tell the truth, answer best to each other, or learn what to report: social cost against
//! that without trade, and what somebody still gains by another report.

use super::rows::{DotRow, dot_panels};
use super::{Absent, Basis, Picture, lettered, shown_of};
use crate::canvas::Canvas;
use crate::study::{Study, largest};
use crate::style::{CYCLE, Series};
use crate::text::literal;
use coase_core::statistics::{Estimate, estimate};
use coase_store::RunStatus;
use std::collections::BTreeMap;

/// Rows of the figure, and kinds of play in a row.
const MOST_ROWS: usize = 40;
const MOST_KINDS: usize = 5;

/// By mechanism and kind of play, the runs under one policy; kinds in the order of the file.
struct Played {
    mechanisms: Vec<String>,
    kinds: Vec<String>,
    runs: BTreeMap<(usize, usize), Vec<usize>>,
    /// Runs that found no answer.
    open: usize,
}

impl Played {
    fn of(study: &Study, policy: usize) -> Self {
        let mut played = Self { mechanisms: vec![], kinds: vec![], runs: BTreeMap::new(), open: 0 };
        for (i, run) in study.store.runs.iter().enumerate() {
            if !study.has(run, &[]) || run.carbon_label != study.policy(policy).key {
                continue;
            }
            let place = |of: &mut Vec<String>, name: &String| {
                of.iter().position(|known| known == name).unwrap_or_else(|| {
                    of.push(name.clone());
                    of.len() - 1
                })
            };
            let (m, k) = (place(&mut played.mechanisms, &run.label), place(&mut played.kinds, &run.reporting));
            if run.status == RunStatus::Converged {
                played.runs.entry((m, k)).or_default().push(i);
            } else {
                played.open += 1;
            }
        }
        played
    }

    fn estimate(&self, of: (usize, usize), value: &dyn Fn(usize) -> Option<f64>) -> Option<Estimate> {
        let values: Vec<f64> = self.runs.get(&of)?.iter().filter_map(|run| value(*run)).collect();
        estimate(&values)
    }
}

pub(super) fn draw(study: &Study) -> Result<Vec<Picture>, Absent> {
    let mut kinds: Vec<&String> = study.store.runs.iter().map(|run| &run.reporting).collect();
    kinds.sort_unstable();
    kinds.dedup();
    if kinds.len() < 2 {
        return Err(Absent::OneKindOfPlay);
    }
    let policy = study.reference_policy().or(study.policies.first().copied()).ok_or(Absent::NoRun)?;
    let played = Played::of(study, policy);
    let baseline = study.baseline().and_then(|b| study.metric(b, policy, "social_cost")).map(|e| e.mean);
    let baseline = baseline.filter(|cost| *cost != 0.0).ok_or(Absent::NoData { column: "social_cost" })?;
    let cost = |run: usize| Some(100.0 * (study.store.metric(run, "social_cost")? - baseline) / baseline.abs());
    let gains: BTreeMap<usize, f64> =
        played.runs.values().flatten().filter_map(|run| exploitability(study, *run)).collect();
    let kinds = played.kinds.len().min(MOST_KINDS);
    let is_told = |m: usize| (0..kinds).any(|k| played.estimate((m, k), &|run| gains.get(&run).copied()).is_some());
    let rows: Vec<usize> = (0..played.mechanisms.len()).filter(|m| is_told(*m)).collect();
    if rows.is_empty() {
        return Err(Absent::NoExploitability);
    }
    let unit = study.money(largest(gains.values().copied()));
    let row = |m: &usize| DotRow {
        name: literal(&played.mechanisms[*m]),
        panels: vec![
            (0..kinds).map(|k| played.estimate((*m, k), &cost)).collect(),
            (0..kinds)
                .map(|k| played.estimate((*m, k), &|run| gains.get(&run).map(|gain| gain * unit.factor)))
                .collect(),
        ],
    };
    let drawn: Vec<DotRow> = rows.iter().take(MOST_ROWS).map(row).collect();
    let (named, open) = (drawn.len(), played.open);
    let missing = if open > 0 { format!(" {open} runs found no answer and have no mark.") } else { String::new() };
    let caption = format!(
        "Social cost against that of the baseline (a), and the most that anybody gains by another report while the others keep \
         theirs (b), by mechanism and kind of play, carbon policy {}.{missing}{}{}{}",
        study.policy(policy).name,
        shown_of(kinds, played.kinds.len(), "kinds of play", "the first"),
        shown_of(named, rows.len(), "mechanisms", "the first"),
        study.footnote(&Basis::Means)
    );
    let titles = [
        (lettered(0, "Social cost"), "Change (%)".to_owned()),
        (lettered(1, "Exploitability"), format!("Gain ({})", unit.label)),
    ];
    let legend: Vec<String> = played.kinds.iter().take(kinds).map(|kind| literal(kind)).collect();
    Ok(vec![Picture {
        qualifier: String::new(),
        title: "Kinds of play".into(),
        caption,
        canvas: page(study, &titles, &drawn, &legend),
    }])
}

/// The certificate `exploitability` of a run.
fn exploitability(study: &Study, run: usize) -> Option<(usize, f64)> {
    let rows = study.store.certificates(run);
    let found = rows.iter().find(|row| row.name == "exploitability")?;
    Some((run, found.value?))
}

fn page(study: &Study, titles: &[(String, String)], rows: &[DotRow], legend: &[String]) -> Canvas {
    let series: Vec<Series> = CYCLE[..legend.len()].to_vec();
    dot_panels(study, titles, rows, &series, legend).canvas
}
