//! Comparing like with like: mechanisms are compared at the points that all of them answered, and at no others.
//!
//! A point is a choice of swept values and a seed. A mechanism or policy without a swept field ran once for all its values and
//! stands at each of them.

use super::Run;
use coase_core::statistics::{self, Paired, paired};

/// The runs of a scenario under a policy.
pub(super) struct Group<'a> {
    pub scenario: &'a str,
    pub policy: &'a str,
    pub runs: Vec<&'a Run>,
}

/// A choice of swept values, then the seed; empty where a run has no such field.
pub(super) type Point<'a> = Vec<&'a str>;

/// What can be compared of a group.
pub(super) struct Panel<'a> {
    /// Mechanisms with an answer at every point compared, in their order, with their runs, one at each point.
    pub compared: Vec<(&'a str, Vec<&'a Run>)>,
    /// Mechanisms without an answer at the points compared.
    pub without: Vec<&'a str>,
    /// Points compared.
    pub points: usize,
    /// Points asked for.
    pub asked: usize,
    /// Whether the points are seeds only.
    pub are_seeds: bool,
}

impl<'a> Group<'a> {
    /// Mechanisms in the order of the table.
    pub fn mechanisms(&self) -> Vec<&'a str> {
        let mut mechanisms: Vec<&str> = vec![];
        for run in &self.runs {
            if !mechanisms.contains(&run.mechanism.as_str()) {
                mechanisms.push(&run.mechanism);
            }
        }
        mechanisms
    }

    /// The points that all mechanisms with an answer have answered. Where there is no such point, the mechanism with the
    /// fewest answers is set aside until there is one.
    pub fn panel(&self) -> Panel<'a> {
        let points = self.points();
        let runs_of = |m: &str| self.runs.iter().copied().filter(|run| run.mechanism == m).collect();
        let series: Vec<(&str, Vec<&Run>)> = self.mechanisms().into_iter().map(|m| (m, runs_of(m))).collect();
        let (compared, common) = paired_runs(&points, &series);
        let without = self.mechanisms().into_iter().filter(|m| compared.iter().all(|(c, _)| c != m)).collect();
        let are_seeds =
            points.iter().all(|point| point.split_last().map(|p| p.1) == points[0].split_last().map(|p| p.1));
        Panel { compared, without, points: common, asked: points.len(), are_seeds }
    }

    /// All points at which something ran: those that are no shorthand for others.
    pub(super) fn points(&self) -> Vec<Point<'a>> {
        let mut points: Vec<Point> = vec![];
        for run in &self.runs {
            let point: Point = run.point.iter().map(String::as_str).collect();
            if !points.contains(&point) {
                points.push(point);
            }
        }
        let covers = |wide: &Point, narrow: &Point| {
            wide != narrow && wide.iter().zip(narrow).all(|(w, n)| w.is_empty() || w == n)
        };
        let kept: Vec<bool> = points.iter().map(|wide| !points.iter().any(|narrow| covers(wide, narrow))).collect();
        points.into_iter().zip(kept).filter_map(|(point, kept)| kept.then_some(point)).collect()
    }
}

/// Of some series those that have an answer at all points that are left, with one run for each of these points, and how many
/// points these are.
pub(super) fn paired_runs<'a, K: Copy>(
    points: &[Point],
    series: &[(K, Vec<&'a Run>)],
) -> (Vec<(K, Vec<&'a Run>)>, usize) {
    let answers = |runs: &Vec<&'a Run>| -> Vec<Option<&'a Run>> {
        points.iter().map(|at| runs.iter().copied().find(|run| run.answered() && stands_at(run, at))).collect()
    };
    let answered: Vec<Vec<Option<&Run>>> = series.iter().map(|(_, runs)| answers(runs)).collect();
    let has = |runs: &Vec<Option<&Run>>| runs.iter().map(Option::is_some).collect();
    let Paired { series: left, points: at } = paired(&answered.iter().map(has).collect::<Vec<_>>());
    let of = |s: &usize| (series[*s].0, at.iter().filter_map(|k| answered[*s][*k]).collect());
    (left.iter().map(of).collect(), at.len())
}

/// A run without a swept field stands at all its values; so does one for a point without that field.
fn stands_at(run: &Run, point: &Point) -> bool {
    run.point.iter().zip(point).all(|(own, at)| own.is_empty() || at.is_empty() || own == at)
}

/// Mean of a figure over runs; none unless all have it.
pub(super) fn mean(runs: &[&Run], figure: impl Fn(&Run) -> Option<f64>) -> Option<f64> {
    statistics::mean(&runs.iter().map(|run| figure(run)).collect::<Option<Vec<f64>>>()?)
}
