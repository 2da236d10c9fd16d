//! How the prices that sellers ask move from round to round to rest, in single periods.

use super::courses::{self, Content, MOST_LINES, moves, page};
use super::{Absent, Basis, Picture, shown_of};
use crate::axis::Axis;
use crate::study::Study;
use std::collections::BTreeMap;
use std::fmt::Write as _;

pub(super) fn draw(study: &Study) -> Result<Vec<Picture>, Absent> {
    let lines = courses::of(study, "price_update")?;
    let mut sellers: BTreeMap<usize, usize> = BTreeMap::new();
    for period in lines.curves.iter().filter(|curve| moves(curve)).filter_map(|curve| curve.period) {
        *sellers.entry(period).or_default() += 1;
    }
    let (shown, all) = courses::periods(&sellers)?;
    let of_period = |t: usize| lines.curves.iter().filter(move |curve| curve.period == Some(t)).take(MOST_LINES);
    let mut ids: Vec<&str> = shown.iter().flat_map(|t| of_period(*t)).map(|curve| curve.participant.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    let place = |id: &str| ids.iter().position(|other| *other == id).unwrap_or(0);
    let content = |t: &usize| Content {
        title: study.clock.named(*t),
        lines: of_period(*t).map(|curve| (place(&curve.participant), curve.points.clone())).collect(),
    };
    let contents: Vec<Content> = shown.iter().map(content).collect();
    let names: Vec<String> = ids.iter().map(|id| courses::name(study, id)).collect();
    let mut caption =
        format!("Prices that sellers ask under {}, round by round", study.mechanism(lines.mechanism).name);
    let _ = write!(caption, "; carbon policy {}.", study.policy(lines.policy).name);
    caption +=
        &shown_of(shown.len(), all, "periods with several sellers", "the first, the one with most sellers, the last");
    let sellers = |t: usize| lines.curves.iter().filter(move |curve| curve.period == Some(t)).count();
    let most = shown.iter().map(|t| sellers(*t)).max().unwrap_or(0);
    caption += &shown_of(most.min(MOST_LINES), most, "sellers at most of a period", "the first");
    caption += &study.footnote(&Basis::OneRun);
    let label = format!("Price ({}/kWh)", study.currency());
    let canvas = page(study, &names, &contents, "Round", |points| Axis::tight(points.iter().map(|p| p.1), &label));
    Ok(vec![Picture { qualifier: String::new(), title: "Prices on their way to rest".into(), caption, canvas }])
}
