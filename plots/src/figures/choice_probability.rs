//! How buyers spread over sellers and the grid, from round to round to rest, in single periods.

use super::courses::{self, Content, MOST_LINES, moves, page};
use super::{Absent, Basis, Picture, shown_of};
use crate::axis::Axis;
use crate::store::CurveRows;
use crate::study::Study;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// What the grid is called.
const GRID: &str = "grid";

pub(super) fn draw(study: &Study) -> Result<Vec<Picture>, Absent> {
    let lines = courses::of(study, "choice_probability")?;
    let mut options: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
    for curve in lines.curves.iter().filter(|curve| !curve.other.is_empty() && moves(curve)) {
        if let Some(period) = curve.period {
            options.entry(period).or_default().insert(&curve.other);
        }
    }
    let counts = options.iter().map(|(period, sellers)| (*period, sellers.len())).collect();
    let (shown, all) = courses::periods(&counts)?;
    // The first buyer of a period: those who pay the grid the same choose alike.
    let of_buyer = |t: usize| -> Vec<&CurveRows> {
        let mut curves = lines.curves.iter().filter(|curve| curve.period == Some(t)).peekable();
        let buyer = curves.peek().map(|curve| curve.participant.clone()).unwrap_or_default();
        curves.filter(|curve| curve.participant == buyer).collect()
    };
    let of_period = |t: usize| -> Vec<&CurveRows> { of_buyer(t).into_iter().take(MOST_LINES).collect() };
    let mut ids: Vec<&str> = shown.iter().flat_map(|t| of_period(*t)).map(|curve| curve.other.as_str()).collect();
    // The grid, which has no id, comes last.
    ids.sort_unstable_by_key(|id| (id.is_empty(), *id));
    ids.dedup();
    let place = |id: &str| ids.iter().position(|other| *other == id).unwrap_or(0);
    let content = |t: &usize| {
        let curves = of_period(*t);
        let buyer = curves.first().map_or_else(String::new, |curve| courses::name(study, &curve.participant));
        let lines = curves.iter().map(|curve| (place(&curve.other), curve.points.clone())).collect();
        Content { title: format!("{buyer} in {}", study.clock.named(*t)), lines }
    };
    let contents: Vec<Content> = shown.iter().map(content).collect();
    let named = |id: &&str| if id.is_empty() { GRID.to_owned() } else { courses::name(study, id) };
    let names: Vec<String> = ids.iter().map(named).collect();
    let name = &study.mechanism(lines.mechanism).name;
    let mut caption =
        format!("Shares of what a buyer needs that it takes from each seller and from the grid under {name}, by round");
    let _ = write!(caption, " of the sellers; carbon policy {}.", study.policy(lines.policy).name);
    caption +=
        &shown_of(shown.len(), all, "periods with several sellers", "the first, the one with most sellers, the last");
    let most = shown.iter().map(|t| of_buyer(*t).len()).max().unwrap_or(0);
    caption += &shown_of(most.min(MOST_LINES), most, "options at most of a buyer", "the first");
    caption += &study.footnote(&Basis::OneRun);
    let canvas = page(study, &names, &contents, "Round", |points| {
        Axis::from_zero(points.iter().map(|p| p.1), 5, "Probability of choice")
    });
    Ok(vec![Picture { qualifier: String::new(), title: "Choices on their way to rest".into(), caption, canvas }])
}
