//! Comparing like with like: mechanisms and policies of a scenario at the points that all of them answered, and at no others.
//!
//! A point is a choice of swept values and a seed. A mechanism or policy without a swept parameter ran once for all its values
//! and stands at each of them.

use super::Page;
use super::evidence::Evidence;
use crate::store::Run;
use coase_core::statistics::{Paired, mean, paired};
use std::collections::BTreeMap;

/// A mechanism under a policy; places in the identity.
pub(super) type Cell = (usize, usize);

/// What can be compared of a scenario.
pub(super) struct Panel<'a> {
    /// Among the panels of the page.
    pub place: usize,
    pub scenario: &'a str,
    /// In order of appearance; places in the identity.
    pub mechanisms: Vec<usize>,
    /// Likewise.
    pub policies: Vec<usize>,
    /// Cells with an answer at every point compared, with their runs, one at each point.
    pub compared: BTreeMap<Cell, Vec<usize>>,
    /// Cells that are not compared, and why.
    pub apart: BTreeMap<Cell, String>,
    /// Points compared.
    pub points: usize,
    /// Points asked for.
    pub asked: usize,
    /// Seeds among them.
    pub seeds: usize,
}

/// Swept values as written, then the seed; empty where a run has no such parameter.
type Point = Vec<String>;

/// How a figure is better.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Better {
    Less,
    More,
}

/// What a figure is measured in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unit {
    Money,
    Kilograms,
    OfNominal,
    None,
}

/// A figure of runs by which cells are compared.
pub(super) struct Measure {
    /// In addresses.
    pub key: &'static str,
    pub name: &'static str,
    /// Who has the best of it: "Least social cost".
    pub best: &'static str,
    pub better: Option<Better>,
    pub unit: Unit,
    pub of: fn(&Page, usize) -> Option<f64>,
}

/// The figures of the page, the first ones in sentences.
pub(super) const MEASURES: [Measure; 8] = [
    Measure {
        key: "social_cost",
        name: "Social cost",
        best: "Least social cost",
        better: Some(Better::Less),
        unit: Unit::Money,
        of: |page, run| page.store.metric(run, "social_cost"),
    },
    Measure {
        key: "emissions_kg",
        name: "Emissions",
        best: "Least emissions",
        better: Some(Better::Less),
        unit: Unit::Kilograms,
        of: |page, run| page.store.metric(run, "emissions_kg"),
    },
    Measure {
        key: "total_cost",
        name: "Cost to participants",
        best: "Least cost to participants",
        better: Some(Better::Less),
        unit: Unit::Money,
        of: |page, run| page.store.metric(run, "total_cost"),
    },
    Measure {
        key: "jain_index",
        name: "Evenness of gains (Jain)",
        best: "Most even gains",
        better: Some(Better::More),
        unit: Unit::None,
        of: |page, run| page.store.metric(run, "jain_index"),
    },
    Measure {
        key: "welfare_gain",
        name: "Gain of participants",
        best: "Greatest gain",
        better: Some(Better::More),
        unit: Unit::Money,
        of: |page, run| page.store.metric(run, "welfare_gain"),
    },
    Measure {
        key: "losers",
        name: "Participants who lose",
        best: "Fewest losers",
        better: Some(Better::Less),
        unit: Unit::None,
        of: |page, run| page.of(run, |e| e.has_gains.then_some(e.losers.len() as f64)),
    },
    Measure {
        key: "voltage_excess_pu",
        name: "Voltage beyond limits, worst",
        best: "Least beyond voltage limits",
        better: Some(Better::Less),
        unit: Unit::OfNominal,
        of: |page, run| page.of(run, |e| e.voltage.as_ref().map(|excess| excess.by.max(0.0))),
    },
    Measure {
        key: "carbon_revenue",
        name: "Carbon revenue",
        best: "",
        better: None,
        unit: Unit::Money,
        of: |page, run| page.store.metric(run, "carbon_revenue"),
    },
];

impl Page<'_> {
    fn of(&self, run: usize, value: impl Fn(&Evidence) -> Option<f64>) -> Option<f64> {
        self.evidence.get(run).and_then(value)
    }
}

impl<'a> Panel<'a> {
    /// The panels of all scenarios, in order of appearance.
    pub fn all(page: &Page<'a>) -> Vec<Panel<'a>> {
        let mut scenarios: Vec<&str> = vec![];
        for run in &page.store.runs {
            if !scenarios.contains(&run.scenario.as_str()) {
                scenarios.push(&run.scenario);
            }
        }
        scenarios.into_iter().enumerate().map(|(place, scenario)| Panel::of(page, place, scenario)).collect()
    }

    fn of(page: &Page<'a>, place: usize, scenario: &'a str) -> Panel<'a> {
        let all: Vec<(usize, &Run)> =
            page.store.runs.iter().enumerate().filter(|(_, run)| run.scenario == scenario).collect();
        let (mut mechanisms, mut policies): (Vec<usize>, Vec<usize>) = (vec![], vec![]);
        let mut cells: BTreeMap<Cell, Vec<usize>> = BTreeMap::new();
        let mut own: BTreeMap<usize, Point> = BTreeMap::new();
        for (run_at, run) in &all {
            let (Some(m), Some(p)) = (page.identity.mechanism(&run.variant), page.identity.policy(&run.carbon_label))
            else {
                continue;
            };
            for (known, entity) in [(&mut mechanisms, m), (&mut policies, p)] {
                if !known.contains(&entity) {
                    known.push(entity);
                }
            }
            cells.entry((m, p)).or_default().push(*run_at);
            own.insert(*run_at, point(run));
        }
        let mut points: Vec<Point> = own.values().cloned().collect();
        points.sort();
        points.dedup();
        let points = kept(points);
        let answers = |runs: &Vec<usize>| -> Vec<Option<usize>> {
            let fits = |run: &usize, at: &Point| {
                own[run].iter().zip(at).all(|(own, at)| own.is_empty() || at.is_empty() || own == at)
            };
            let stands = |run: &usize, at: &Point| page.store.runs[*run].status.is_answer() && fits(run, at);
            points.iter().map(|at| runs.iter().copied().find(|run| stands(run, at))).collect()
        };
        let answered: Vec<(Cell, Vec<Option<usize>>)> =
            cells.iter().map(|(cell, runs)| (*cell, answers(runs))).collect();
        let has = |runs: &Vec<Option<usize>>| runs.iter().map(Option::is_some).collect();
        let Paired { series, points: at } = paired(&answered.iter().map(|(_, runs)| has(runs)).collect::<Vec<_>>());
        let of = |s: &usize| (answered[*s].0, at.iter().filter_map(|k| answered[*s].1[*k]).collect());
        let compared: BTreeMap<Cell, Vec<usize>> =
            if at.is_empty() { BTreeMap::new() } else { series.iter().map(of).collect() };
        let apart = answered
            .iter()
            .filter(|(cell, _)| !compared.contains_key(cell))
            .map(|(cell, found)| {
                let count = found.iter().flatten().count();
                let runs = &cells[cell];
                let reason = runs.iter().map(|run| &page.store.runs[*run]).find(|run| !run.status.is_answer());
                let words = reason.map_or_else(String::new, |run| {
                    let why = if run.reason.is_empty() { String::new() } else { format!(": {}", run.reason) };
                    format!("; {}{why}", run.status.name().replace('_', " "))
                });
                (*cell, format!("{count} of {} points answered{words}", points.len()))
            })
            .collect();
        let mut seeds: Vec<&String> = points.iter().filter_map(|point| point.last()).collect();
        seeds.sort_unstable();
        seeds.dedup();
        let (seeds, asked) = (seeds.len(), points.len());
        Panel { place, scenario, mechanisms, policies, compared, apart, points: at.len(), asked, seeds }
    }

    /// Mean of a figure over the points compared; none unless every run has it.
    pub fn mean(&self, page: &Page, cell: Cell, measure: &Measure) -> Option<f64> {
        let values: Option<Vec<f64>> = self.compared.get(&cell)?.iter().map(|run| (measure.of)(page, *run)).collect();
        mean(&values?)
    }

    /// All cells that are compared and have the figure.
    pub fn means(&self, page: &Page, measure: &Measure) -> Vec<(Cell, f64)> {
        self.compared.keys().filter_map(|cell| Some((*cell, self.mean(page, *cell, measure)?))).collect()
    }

    /// The best of some cells, and all that are as good; none where all are equal.
    pub fn best(cells: &[(Cell, f64)], better: Better) -> Option<(Vec<Cell>, f64)> {
        let sign = if better == Better::Less { 1.0 } else { -1.0 };
        let best = cells.iter().map(|(_, value)| sign * value).min_by(f64::total_cmp)?;
        let within = tolerance(best);
        let winners: Vec<Cell> = cells.iter().filter(|(_, v)| sign * v <= best + within).map(|(c, _)| *c).collect();
        (winners.len() < cells.len()).then_some((winners, sign * best))
    }

    /// Over what figures are means; empty where they are none.
    pub fn points_in_words(&self) -> String {
        let what = match (self.seeds, self.asked) {
            (_, 1) => return String::new(),
            (seeds, asked) if seeds == asked => "seeds",
            (1, _) => "swept points",
            _ => "swept points and seeds",
        };
        if self.points == self.asked {
            format!("Figures are means over all {} {what}.", self.points)
        } else {
            format!(
                "Figures are means over {} of {} {what}: those that all compared answered.",
                self.points, self.asked
            )
        }
    }
}

/// What differs by less is equal.
pub(super) fn tolerance(value: f64) -> f64 {
    1e-4 * value.abs() + 1e-9
}

fn point(run: &Run) -> Point {
    run.sweep.iter().cloned().chain([run.seed.to_string()]).collect()
}

/// Points without those that are a shorthand for others.
fn kept(points: Vec<Point>) -> Vec<Point> {
    let has_gaps = points.iter().any(|point| point.iter().any(String::is_empty));
    if !has_gaps {
        return points;
    }
    let covers =
        |wide: &Point, narrow: &Point| wide != narrow && wide.iter().zip(narrow).all(|(w, n)| w.is_empty() || w == n);
    let keep = |wide: &Point| !wide.iter().any(String::is_empty) || !points.iter().any(|narrow| covers(wide, narrow));
    points.iter().filter(|point| keep(point)).cloned().collect()
}
