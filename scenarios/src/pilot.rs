//! A few runs of an experiment before all of it: what a run takes, and how much runs of different draws differ.
//!
//! Nothing is kept. Knows runs and no terminal.

use crate::experiment::{Experiment, Run};
use crate::progress::Progress;
use crate::run::{NoThreads, RunOptions};
use coase_core::statistics::hypothesis::moments;
use coase_core::statistics::power::Demand;
use coase_store::RunResult;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Runs that were made to see what all take.
#[derive(Clone, Debug)]
pub struct Pilot {
    /// What came of them; nothing of it is an answer of the experiment.
    pub results: Vec<RunResult>,
    /// Time inside runs, of all of them.
    pub busy: Duration,
    /// Smallest differences that the draws can show, where there are draws.
    pub detectable: Vec<Detectable>,
}

/// The smallest mean difference that the draws of an experiment show.
#[derive(Clone, Debug, PartialEq)]
pub struct Detectable {
    /// Column of the run table.
    pub metric: &'static str,
    /// Who is compared: a mechanism.
    pub variant: String,
    /// With whom: the baseline.
    pub baseline: String,
    /// Scenario and policy in which it is largest.
    pub at: String,
    /// Draws that the pilot has of both.
    pub pilot_draws: usize,
    /// Draws that the experiment has.
    pub draws: usize,
    /// The difference, in the unit of the metric, 0 where all draws differ by the same; `None` where the pilot has too few draws,
    /// or no number is enough.
    pub difference: Option<f64>,
}

/// Metrics whose differences are asked for.
const METRICS: [&str; 3] = ["social_cost", "total_cost", "emissions_kg"];
/// Spread of differences, relative to the values, below which they differ by rounding only.
const ROUNDING: f64 = 1e-9;
/// Draws of every combination that are tried.
const DRAWS: usize = 5;
/// Runs that are tried at most.
const MOST: usize = 60;

/// Stops when its time is up.
struct Until(Instant);

impl Progress for Until {
    fn cancelled(&self) -> bool {
        Instant::now() > self.0
    }
}

impl Experiment {
    /// Tries the first draws of every scenario, mechanism and policy, on all threads, for about so long.
    ///
    /// # Errors
    /// If the threads cannot be started.
    pub fn pilot(&self, time: Duration, options: &RunOptions) -> Result<Pilot, NoThreads> {
        let mut seen: BTreeMap<(&str, &str, &str, &str), usize> = BTreeMap::new();
        let mut first: BTreeMap<(&str, &str, &str, &str), usize> = BTreeMap::new();
        let mut chosen: Vec<(usize, usize)> = vec![];
        for (k, run) in self.runs.iter().enumerate() {
            let key = (run.scenario.as_str(), run.variant.as_str(), run.carbon_label.as_str(), run.reporting.as_str());
            // Draws of the first choice of what is swept: only they can be paired.
            let base = *first.entry(key).or_insert(k);
            let count = seen.entry(key).or_default();
            if self.runs[base].swept == run.swept && *count < DRAWS {
                chosen.push((*count, k));
                *count += 1;
            }
        }
        // All first draws, then all second ones: where time is short every combination has been tried.
        chosen.sort_unstable();
        chosen.truncate(MOST);
        let run = |(_, k): &(usize, usize)| Arc::new(Run { matched: None, ..(*self.runs[*k]).clone() });
        let part = Self { runs: chosen.iter().map(run).collect(), ..self.clone() };
        let results = part.run(&RunOptions { shard: None, ..*options }, Until(Instant::now() + time))?;
        let inside = |r: &RunResult| r.timing.map_or(Duration::ZERO, |t| t.build + t.mechanism + t.evaluation);
        let busy = results.iter().map(inside).sum();
        let detectable = self.detectable(&results);
        Ok(Pilot { results, busy, detectable })
    }

    fn detectable(&self, results: &[RunResult]) -> Vec<Detectable> {
        let draws = self.seeds.len();
        if draws < 2 {
            return vec![];
        }
        let mut by_place: BTreeMap<(&str, &str, &str), BTreeMap<u64, &RunResult>> = BTreeMap::new();
        // Under the first report rule of the list: what is paired is played alike.
        let first = self.rules.first().map(|rule| rule.label.as_str());
        let is_asked = |result: &&RunResult| result.status.is_answer() && Some(result.keys.reporting.as_str()) == first;
        for result in results.iter().filter(is_asked) {
            let keys = &result.keys;
            let place = (keys.variant.as_str(), keys.scenario.as_str(), keys.carbon_label.as_str());
            by_place.entry(place).or_default().insert(keys.seed, result);
        }
        let mut found = vec![];
        for metric in METRICS {
            for variant in self.variants().into_iter().filter(|variant| *variant != self.baseline) {
                let mut worst: Option<Detectable> = None;
                for ((_, scenario, policy), own) in by_place.iter().filter(|(place, _)| place.0 == variant) {
                    let Some(base) = by_place.get(&(self.baseline.as_str(), scenario, policy)) else { continue };
                    let pair = |(seed, result): (&u64, &&RunResult)| {
                        Some((result.metric(metric)?, base.get(seed)?.metric(metric)?))
                    };
                    let pairs: Vec<(f64, f64)> = own.iter().filter_map(pair).collect();
                    let size = pairs.iter().fold(0.0_f64, |size, (a, b)| size.max(a.abs()).max(b.abs()));
                    let differences: Vec<f64> = pairs.iter().map(|(a, b)| a - b).collect();
                    let spread = |(_, deviation): (f64, f64)| if deviation > ROUNDING * size { deviation } else { 0.0 };
                    let deviation = moments(&differences).map(spread);
                    let difference = deviation.and_then(|deviation| Demand::default().detectable(deviation, draws));
                    let is_worse = worst.as_ref().is_none_or(|known| {
                        difference.unwrap_or(f64::INFINITY) > known.difference.unwrap_or(f64::INFINITY)
                    });
                    if is_worse {
                        worst = Some(Detectable {
                            metric,
                            variant: variant.to_owned(),
                            baseline: self.baseline.clone(),
                            at: format!("{scenario} under {policy}"),
                            pilot_draws: differences.len(),
                            draws,
                            difference,
                        });
                    }
                }
                found.extend(worst);
            }
        }
        found
    }
}
