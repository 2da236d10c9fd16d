//! The batch runner: every run of an experiment, in parallel, in an order that shares work, with answers in the order of the
//! tables. Knows no store and no terminal.

use crate::experiment::{Experiment, Run};
use crate::matched::{self, Target};
use crate::progress::{Progress, Told};
use crate::single::{Entered, ended, measured};
use coase_core::Market;
use coase_store::{RunResult, RunStatus};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How runs are run; nothing of it changes a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunOptions {
    /// Number of threads; `None`: as many as the machine has.
    pub jobs: Option<usize>,
    /// The part of the runs to do.
    pub shard: Option<Shard>,
}

/// One of `count` parts of an experiment; a run belongs to a part by the rank of its `run_id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: usize,
    count: usize,
}

/// A part that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a shard: expected I/N with I from 0 to N - 1")]
pub struct NoShard(String);

impl Shard {
    /// Its number, from 0.
    pub fn index(self) -> usize {
        self.index
    }

    /// How many there are.
    pub fn count(self) -> usize {
        self.count
    }
}

impl FromStr for Shard {
    type Err = NoShard;

    fn from_str(text: &str) -> Result<Self, NoShard> {
        let parsed = text.split_once('/').and_then(|(i, n)| Some((i.trim().parse().ok()?, n.trim().parse().ok()?)));
        match parsed {
            Some((index, count)) if index < count => Ok(Self { index, count }),
            _ => Err(NoShard(text.to_owned())),
        }
    }
}

/// What remembers results across programs; `()` remembers nothing.
pub(crate) trait Memory: Sync {
    /// The result of a run that has been run before.
    fn recall(&self, run: &Run) -> Option<RunResult>;

    /// Keeps a result; `false` stops the experiment.
    fn keep(&self, run: &Run, result: &RunResult) -> bool;

    /// What of a kept result stays in memory.
    fn retained(&self, result: RunResult) -> RunResult {
        result
    }
}

impl Memory for () {
    fn recall(&self, _: &Run) -> Option<RunResult> {
        None
    }

    fn keep(&self, _: &Run, _: &RunResult) -> bool {
        true
    }
}

/// The threads could not be started.
#[derive(Debug, thiserror::Error)]
#[error("cannot start {jobs} threads: {reason}")]
pub struct NoThreads {
    jobs: usize,
    reason: String,
}

/// So many threads; `None`: as many as the machine has.
pub(crate) fn threads(jobs: Option<usize>) -> Result<rayon::ThreadPool, NoThreads> {
    let jobs = jobs.unwrap_or(0);
    // A thread that waits takes up other runs on top of its own: give it room.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).stack_size(64 << 20).build();
    pool.map_err(|e| NoThreads { jobs, reason: e.to_string() })
}

impl Experiment {
    /// Runs everything and keeps the results in memory, in the order of [`Experiment::runs`].
    ///
    /// # Errors
    /// If the threads cannot be started. What goes wrong in a run is the status of that run.
    pub fn run(&self, options: &RunOptions, progress: impl Progress + 'static) -> Result<Vec<RunResult>, NoThreads> {
        self.run_with(options, &(), &(Arc::new(progress) as Arc<dyn Progress>))
    }

    pub(crate) fn run_with(
        &self,
        options: &RunOptions,
        memory: &dyn Memory,
        progress: &Arc<dyn Progress>,
    ) -> Result<Vec<RunResult>, NoThreads> {
        let pool = threads(options.jobs)?;
        let chosen = self.in_shard(options.shard);
        progress.begun(chosen.len());
        let mut results: Vec<(usize, RunResult)> = pool.install(|| {
            let groups = self.groups(&chosen);
            groups.par_iter().flat_map_iter(|group| group.run(self, memory, progress)).collect()
        });
        results.sort_by_key(|r| r.0);
        Ok(results.into_iter().map(|r| r.1).collect())
    }

    /// Positions of the runs of a part, in order.
    pub(crate) fn in_shard(&self, shard: Option<Shard>) -> Vec<usize> {
        let Some(shard) = shard else { return (0..self.runs.len()).collect() };
        let mut by_id: Vec<usize> = (0..self.runs.len()).collect();
        by_id.sort_by(|a, b| self.runs[*a].run_id.cmp(&self.runs[*b].run_id));
        let mut chosen: Vec<usize> = by_id.into_iter().skip(shard.index).step_by(shard.count).collect();
        chosen.sort_unstable();
        chosen
    }

    /// Runs of the same scenario together, and in it those under the same policy: they share a market.
    fn groups(&self, chosen: &[usize]) -> Vec<ScenarioGroup> {
        let mut by_scenario: BTreeMap<&str, BTreeMap<&str, Vec<usize>>> = BTreeMap::new();
        for k in chosen {
            let run = &self.runs[*k];
            let policies = by_scenario.entry(&run.instance.hash).or_default();
            policies.entry(&run.policy_hash).or_default().push(*k);
        }
        let mut groups: Vec<ScenarioGroup> = by_scenario
            .into_values()
            .map(|policies| ScenarioGroup { policies: policies.into_values().collect() })
            .collect();
        groups.sort_by_key(|g| g.policies.iter().flatten().min().copied());
        groups
    }
}

/// Positions of the runs of one scenario, by policy.
struct ScenarioGroup {
    policies: Vec<Vec<usize>>,
}

impl ScenarioGroup {
    fn run(
        &self,
        experiment: &Experiment,
        memory: &dyn Memory,
        progress: &Arc<dyn Progress>,
    ) -> Vec<(usize, RunResult)> {
        let known = |k: &usize| {
            let run = &experiment.runs[*k];
            memory.recall(run).inspect(|result| progress.finished(run, result)).map(|result| (*k, result))
        };
        let mut done: Vec<(usize, RunResult)> = self.policies.iter().flatten().filter_map(known).collect();
        let is_open = |k: &usize| !done.iter().any(|d| d.0 == *k);
        let open: Vec<Vec<usize>> = self
            .policies
            .iter()
            .map(|runs| runs.iter().copied().filter(is_open).collect())
            .filter(|runs: &Vec<usize>| !runs.is_empty())
            .collect();
        let Some(first) = open.first().map(|runs| &experiment.runs[runs[0]]) else { return done };
        if progress.cancelled() {
            return done;
        }
        let begin = Instant::now();
        let built = guarded("the market cannot be built", || {
            Market::new(first.instance.setting.clone(), first.instance.participants.clone())
        });
        let market = match built {
            Ok(market) => market,
            Err(reason) => {
                let failed = |k: &usize| {
                    let run = &experiment.runs[*k];
                    progress.started(run);
                    let result = ended(run, RunStatus::Failed, reason.clone());
                    let goes_on = memory.keep(run, &result);
                    progress.finished(run, &result);
                    goes_on.then(|| (*k, memory.retained(result)))
                };
                done.extend(open.iter().flatten().filter_map(failed));
                return done;
            }
        };
        let phase = Phase { experiment, memory, progress, market: &market, built: begin.elapsed() };
        // What others are matched with comes first, so that nobody waits for it.
        let (written, matched) = split(&open, |k| experiment.runs[k].matched.is_none());
        done.extend(phase.run(&written, &BTreeMap::new()));
        let targets = phase.targets(&matched, &done);
        done.extend(phase.run(&matched, &targets));
        done
    }
}

/// Runs by policy, as before, in two parts: those that are chosen and the others.
fn split(policies: &[Vec<usize>], chosen: impl Fn(usize) -> bool) -> (Vec<Vec<usize>>, Vec<Vec<usize>>) {
    let part = |wanted: bool| {
        let of = |runs: &Vec<usize>| runs.iter().copied().filter(|k| chosen(*k) == wanted).collect::<Vec<_>>();
        policies.iter().map(of).filter(|runs| !runs.is_empty()).collect()
    };
    (part(true), part(false))
}

/// Runs of one scenario that can all begin.
struct Phase<'a> {
    experiment: &'a Experiment,
    memory: &'a dyn Memory,
    progress: &'a Arc<dyn Progress>,
    market: &'a Market,
    built: Duration,
}

impl Phase<'_> {
    /// Runs by policy; those that are matched have a target each, by the position of the run it comes from.
    fn run(&self, policies: &[Vec<usize>], targets: &BTreeMap<usize, Target>) -> Vec<(usize, RunResult)> {
        let &Self { experiment, memory, progress, market, built } = self;
        policies
            .par_iter()
            .enumerate()
            .flat_map_iter(|(p, runs)| {
                let begin = Instant::now();
                let policy = &experiment.runs[runs[0]].policy;
                let entered = guarded("the market cannot enter the policy", || Entered::new(market, policy));
                let shared = begin.elapsed() + if p == 0 { built } else { Duration::ZERO };
                let one = |(r, k): (usize, &usize)| {
                    let run = &experiment.runs[*k];
                    if progress.cancelled() {
                        return None;
                    }
                    // A target that was cancelled leaves out whoever waits for it.
                    let target = match run.matched {
                        Some(matched) => Some(targets.get(&matched.reference)?),
                        None => None,
                    };
                    progress.started(run);
                    let build = if r == 0 { shared } else { Duration::ZERO };
                    let result = perform(run, &entered, target, build, progress)?;
                    let goes_on = memory.keep(run, &result);
                    progress.finished(run, &result);
                    goes_on.then(|| (*k, memory.retained(result)))
                };
                runs.par_iter().enumerate().filter_map(one).collect::<Vec<_>>()
            })
            .collect()
    }

    /// What matched runs are to be equal to. A run of another shard is looked up, or made and not kept.
    fn targets(&self, matched: &[Vec<usize>], done: &[(usize, RunResult)]) -> BTreeMap<usize, Target> {
        let runs = matched.iter().flatten().filter_map(|k| self.experiment.runs[*k].matched);
        let wanted: BTreeMap<usize, _> = runs.map(|m| (m.reference, m.measure)).collect();
        let target = |(k, measure): (usize, _)| {
            let run = &self.experiment.runs[k];
            let here = done.iter().find(|d| d.0 == k).map(|d| &d.1);
            let elsewhere = if here.is_none() { self.memory.recall(run) } else { None };
            let made = || {
                let made = || {
                    let entered = Entered::new(self.market, &run.policy);
                    Told::unwatched(self.progress)
                        .unless_stopped(|progress| Some(measured(run, &entered, Duration::ZERO, progress)))
                };
                guarded("the mechanism or policy broke off", made)
                    .unwrap_or_else(|reason| Some(ended(run, RunStatus::Failed, reason)))
            };
            let result = here.cloned().or(elsewhere).or_else(|| (!self.progress.cancelled()).then(made).flatten())?;
            Some((k, Target::new(run, measure, &result)))
        };
        wanted.into_par_iter().filter_map(target).collect()
    }
}

/// One run; `None` if it was broken off. A panic of a plugin is a failed run.
fn perform(
    run: &Arc<Run>,
    entered: &Shared<Entered<'_>>,
    target: Option<&Target>,
    build: Duration,
    progress: &Arc<dyn Progress>,
) -> Option<RunResult> {
    let entered = match entered {
        Ok(entered) => entered,
        Err(reason) => return Some(ended(run, RunStatus::Failed, reason.clone())),
    };
    let made = || {
        Told::watched(progress).unless_stopped(|progress| match target {
            None => Some(measured(run, entered, build, progress)),
            Some(target) => matched::run(run, entered, target, build, progress),
        })
    };
    guarded("the mechanism or policy broke off", made)
        .unwrap_or_else(|reason| Some(ended(run, RunStatus::Failed, reason)))
}

/// What several runs share, or why there is none: each of them fails with that reason, and nothing else does.
pub(crate) type Shared<T> = Result<T, String>;

/// What is made, or what broke it off in words.
pub(crate) fn guarded<T>(what: &str, made: impl FnOnce() -> T) -> Shared<T> {
    catch_unwind(AssertUnwindSafe(made)).map_err(|panic| {
        let words = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
        let words = words.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        format!("{what}: {words}")
    })
}
