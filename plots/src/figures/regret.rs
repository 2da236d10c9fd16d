//! What every participant could gain by a misreport of its own, by mechanism.

use super::rows::{DotRow, dot_panels};
use super::{Absent, Basis, Picture, greatest, shown_of};
use crate::study::{Study, largest};
use crate::style::{CYCLE, Series};
use coase_core::statistics::Estimate;

/// Participants that dots can be told apart of.
const MOST_PARTICIPANTS: usize = 8;

pub(super) fn draw(study: &Study) -> Result<Vec<Picture>, Absent> {
    let policies = study.reference_policy().into_iter().chain(study.policies.iter().copied());
    let searched = |policy: &usize| study.mechanisms.iter().any(|m| !found(study, *m, *policy).is_empty());
    let policy = policies.into_iter().find(searched).ok_or(Absent::NotSearched)?;
    let mut rows: Vec<(usize, Vec<(usize, Estimate)>)> =
        study.mechanisms.iter().map(|m| (*m, found(study, *m, policy))).filter(|(_, all)| !all.is_empty()).collect();
    let worst = |all: &[(usize, Estimate)]| all.iter().map(|(_, e)| e.mean).fold(0.0, f64::max);
    rows.sort_by(|a, b| worst(&a.1).total_cmp(&worst(&b.1)));

    let of = |all: &[(usize, Estimate)], i: usize| all.iter().find(|(k, _)| *k == i).map(|(_, e)| *e);
    let size = |i: &usize| largest(rows.iter().filter_map(|(_, all)| of(all, *i)).map(|e| e.mean));
    let sizes: Vec<f64> = study.participants.iter().map(size).collect();
    let shown: Vec<usize> = greatest(&sizes, MOST_PARTICIPANTS).into_iter().map(|k| study.participants[k]).collect();
    let unit = study.money(largest(sizes));
    let scaled = |e: Estimate| Estimate {
        mean: e.mean * unit.factor,
        interval: e.interval.map(|(a, b)| (a * unit.factor, b * unit.factor)),
        ..e
    };
    let dots: Vec<DotRow> = rows
        .iter()
        .map(|(m, all)| DotRow {
            name: study.mechanism(*m).name.clone(),
            panels: vec![shown.iter().map(|i| of(all, *i).map(scaled)).collect()],
        })
        .collect();
    let all = study.participants.len() <= MOST_PARTICIPANTS;
    let look = |(k, i): (usize, &usize)| if all { study.participant(*i).series } else { CYCLE[k % CYCLE.len()] };
    let series: Vec<Series> = shown.iter().enumerate().map(look).collect();
    let names: Vec<String> = shown.iter().map(|i| study.participant(*i).name.clone()).collect();
    let label = format!("Greatest gain found from a misreport ({})", unit.label);
    let caption = format!(
        "Greatest gain that is found for each participant from a misreport of its own while the others tell the truth, \
         carbon policy {}; mechanisms in the order of the greatest. Every mark is a lower bound: zero says that no \
         misreport of those tried gained anything.{}{}",
        study.policy(policy).name,
        shown_of(shown.len(), study.participants.len(), "participants", "those with the greatest gain"),
        study.footnote(&Basis::Means)
    );
    Ok(vec![Picture {
        qualifier: String::new(),
        title: "Gain from misreports".into(),
        caption,
        canvas: dot_panels(study, &[(String::new(), label)], &dots, &series, &names).canvas,
    }])
}

/// Who could gain how much, where that was searched.
fn found(study: &Study, mechanism: usize, policy: usize) -> Vec<(usize, Estimate)> {
    let of = |i: &usize| Some((*i, study.of_participant((mechanism, policy), *i, |row| row.regret)?));
    study.participants.iter().filter_map(of).collect()
}
