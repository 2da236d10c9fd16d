//! Loading of branches over time: a heat map with a row per branch, in per cent of ratings where there are any.

use super::heat::{self, HeatMap, Note, Rows, Scale};
use super::{Absent, Picture};
use crate::axis::Axis;
use crate::color::SEQUENTIAL;
use crate::store::BranchRow;
use crate::study::{Study, largest, power};
use std::collections::BTreeMap;

/// Full loading, %.
const FULL: f64 = 100.0;
/// Solvers may miss a limit by as much, %.
const NEAR: f64 = 1e-6;

pub(super) fn draw(study: &Study) -> Result<Vec<Picture>, Absent> {
    let rows = Branches::of(study).ok_or(Absent::NoBranches)?;
    let ratings: BTreeMap<(u64, u64), f64> =
        study.facts.ratings.iter().map(|r| (ends(r.from, r.to), r.rating_kva)).collect();
    let rated = rows.ends.iter().any(|ends| ratings.contains_key(ends));
    let of_run = |run: usize| {
        let branches = study.store.branches(run);
        let cell = |branch: &BranchRow| {
            let at = ends(branch.from, branch.to);
            let row = rows.ends.iter().position(|known| *known == at)?;
            let value = if rated {
                ratings.get(&at).and_then(|kva| loading(branch, *kva))
            } else {
                branch.p_from_kw.map(f64::abs)
            };
            Some((row, branch.period, value))
        };
        greatest(branches.iter().filter_map(cell))
    };
    let mut maps = heat::maps(study, rows.ends.len(), of_run)?;
    if maps.is_empty() {
        return Err(Absent::NoBranches);
    }
    let unit = power(if rated { 0.0 } else { largest(maps.iter().flat_map(HeatMap::values)) });
    maps.iter_mut().flat_map(|m| m.cells.iter_mut().flatten().flatten()).for_each(|v| *v *= unit.factor);
    let values = || maps.iter().flat_map(HeatMap::values);
    if values().next().is_none() {
        return Err(Absent::NoData { column: "p_from_kw" });
    }
    let label = if rated { "Loading (% of the rating)".to_owned() } else { format!("Power ({})", unit.label) };
    let note = if rated && values().any(|v| v > FULL + NEAR) {
        Note::Limits { low: f64::NEG_INFINITY, high: FULL + NEAR, name: "beyond the rating".into() }
    } else {
        heat::undefined(&maps, if rated { "no rating" } else { "no flow known" })
    };
    let what = if rated { "Loading of branches over time" } else { "Power through branches over time" };
    let unrated = rated && rows.ends.iter().any(|ends| !ratings.contains_key(ends));
    let how = if unrated {
        "; apparent power at the end that the table of branches gives, against the rating; hatched rows have none"
    } else if rated {
        "; apparent power at the end that the table of branches gives, against the rating"
    } else {
        "; whichever way it flows, for no branch has a rating that it could be compared with"
    };
    let rows_are = format!("{}{how}", rows.what());
    let scale = Scale { axis: Axis::from_zero(values(), 6, &label), map: SEQUENTIAL, note };
    Ok(vec![heat::picture(study, &rows.rows, &maps, &scale, what, &rows_are)])
}

/// The two ends of a branch, whichever way it is written.
fn ends(a: u64, b: u64) -> (u64, u64) {
    (a.min(b), a.max(b))
}

/// Apparent power at the end that the table gives, in per cent of a rating.
fn loading(branch: &BranchRow, rating_kva: f64) -> Option<f64> {
    let apparent = branch.p_from_kw?.hypot(branch.q_from_kvar.unwrap_or(0.0));
    (rating_kva > 0.0).then(|| FULL * apparent / rating_kva)
}

/// Of branches side by side between the same buses the one that is loaded most.
fn greatest(cells: impl Iterator<Item = (usize, usize, Option<f64>)>) -> Vec<(usize, usize, Option<f64>)> {
    let mut out: BTreeMap<(usize, usize), Option<f64>> = BTreeMap::new();
    for (row, period, value) in cells {
        let held = out.entry((row, period)).or_default();
        *held = match (*held, value) {
            (Some(a), Some(b)) => Some(f64::max(a, b)),
            (a, b) => a.or(b),
        };
    }
    out.into_iter().map(|((row, period), value)| (row, period, value)).collect()
}

/// The branches of a scenario by their rows.
struct Branches {
    rows: Rows,
    /// By row.
    ends: Vec<(u64, u64)>,
    radial: bool,
}

impl Branches {
    fn of(study: &Study) -> Option<Branches> {
        let of_scenario = study.store.runs.iter().enumerate().filter(|(_, run)| run.scenario == study.scenario);
        let first = of_scenario.map(|(run, _)| study.store.branches(run)).find(|rows| !rows.is_empty())?;
        let mut known: Vec<(u64, u64)> = Vec::new();
        for row in first.iter().filter(|row| row.period == first[0].period) {
            let at = ends(row.from, row.to);
            if !known.contains(&at) {
                known.push(at);
            }
        }
        Branches::along(&study.facts.feeder, &known).or_else(|| {
            let rows = Rows {
                ids: (1..=known.len() as u64).collect(),
                laterals: vec![],
                label: "Branch (place in the table)",
            };
            Some(Branches { rows, ends: known.clone(), radial: false })
        })
    }

    /// In the order of a feeder: every bus but the root by the branch that feeds it, from its neighbour before it on its strand,
    /// or where a lateral begins from a bus of an earlier strand; `None` where that does not use every branch once.
    fn along(strands: &[Vec<u64>], known: &[(u64, u64)]) -> Option<Branches> {
        let (mut ids, mut at, mut laterals): (Vec<u64>, Vec<(u64, u64)>, Vec<usize>) = (vec![], vec![], vec![]);
        for (k, strand) in strands.iter().enumerate() {
            if k > 0 {
                laterals.push(ids.len());
            }
            for (place, bus) in strand.iter().enumerate() {
                let feeds = |other: u64| known.contains(&ends(other, *bus)).then(|| ends(other, *bus));
                let from = match place.checked_sub(1) {
                    Some(before) => feeds(strand[before]),
                    None if k == 0 => continue,
                    None => strands[..k].iter().flatten().find_map(|other| feeds(*other)),
                };
                ids.push(*bus);
                at.push(from?);
            }
        }
        let whole = at.len() == known.len() && !at.is_empty();
        whole.then_some(Branches { rows: Rows { ids, laterals, label: "Branch into bus" }, ends: at, radial: true })
    }

    fn what(&self) -> &'static str {
        if self.radial {
            "rows are branches by the bus that they feed, from the root outwards"
        } else {
            "rows are branches in the order of the table"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Branches, greatest, loading};
    use crate::store::BranchRow;

    fn branch(p: f64, q: f64) -> BranchRow {
        BranchRow {
            period: 0,
            from: 1,
            to: 2,
            p_from_kw: Some(p),
            q_from_kvar: Some(q),
            carbon_flow_kg_per_h: None,
            carbon_intensity_kg_per_kwh: None,
        }
    }

    #[test]
    fn loading_is_apparent_power_over_the_rating_whichever_way_it_flows() {
        assert_eq!(loading(&branch(-300.0, 400.0), 400.0), Some(125.0));
        assert_eq!(loading(&branch(300.0, -400.0), 1000.0), Some(50.0));
        assert_eq!(loading(&branch(1.0, 0.0), 0.0), None);
    }

    #[test]
    fn branches_stand_in_the_order_of_the_feeder() {
        let strands = [vec![1, 2, 3], vec![5, 4]];
        let along = Branches::along(&strands, &[(1, 2), (4, 5), (2, 3), (2, 5)]).unwrap();
        assert_eq!(along.ends, [(1, 2), (2, 3), (2, 5), (4, 5)]);
        assert_eq!((along.rows.ids, along.rows.laterals), (vec![2, 3, 5, 4], vec![2]));
        // A branch that closes a loop is on no strand.
        assert!(Branches::along(&strands, &[(1, 2), (4, 5), (2, 3), (2, 5), (3, 4)]).is_none());
        assert!(Branches::along(&[], &[(1, 2)]).is_none());
    }

    #[test]
    fn of_parallel_branches_the_fuller_one_is_shown() {
        let cells = [(0, 0, Some(10.0)), (0, 0, Some(30.0)), (0, 1, None), (1, 0, Some(5.0))];
        assert_eq!(greatest(cells.into_iter()), [(0, 0, Some(30.0)), (0, 1, None), (1, 0, Some(5.0))]);
    }
}
