//! What surrounds a run: randomness, budget, progress, and the trace it leaves. Knows no terminal.

use crate::random::{self, Stream};
use std::ops::ControlFlow;

/// One step of an iterative mechanism, as it happens.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// Which loop: `admm`, `price`, `policy`, ...
    pub stage: &'a str,
    /// Steps of that loop so far.
    pub step: usize,
    /// Its first value, usually a residual.
    pub residual: f64,
}

/// Whoever watches: a terminal, a test, nobody.
pub trait Observer: Sync {
    /// Called after each step.
    fn step(&self, _progress: &Progress<'_>) {}

    /// Whether the run should stop as soon as it can.
    fn cancelled(&self) -> bool {
        false
    }
}

impl Observer for () {}

/// One recorded step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Which loop.
    pub stage: &'static str,
    /// Position in that loop, from 0.
    pub step: usize,
    /// Named values.
    pub values: Vec<(&'static str, f64)>,
}

/// What a run leaves behind besides its outcome.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// Steps in order.
    pub steps: Vec<Step>,
    /// Scalars sent between participants and operator.
    pub messages: u64,
}

/// A run's surroundings, handed to the mechanism.
pub struct RunContext<'a> {
    seed: u64,
    max_steps: usize,
    observer: &'a dyn Observer,
    trace: Trace,
}

impl<'a> RunContext<'a> {
    /// Steps that a run may take if nobody says otherwise.
    pub const DEFAULT_MAX_STEPS: usize = 20_000;

    /// Fresh surroundings.
    pub fn new(seed: u64, observer: &'a dyn Observer) -> Self {
        Self { seed, max_steps: Self::DEFAULT_MAX_STEPS, observer, trace: Trace::default() }
    }

    /// The same with another budget of steps.
    pub fn with_max_steps(self, max_steps: usize) -> Self {
        Self { max_steps, ..self }
    }

    /// The random stream of a purpose, keyed by the seed, the purpose, the participant and the slot and by nothing else.
    pub fn stream(&self, purpose: &str, participant: usize, slot: usize) -> Stream {
        random::stream(self.seed, purpose, participant, slot)
    }

    /// Counts scalars sent.
    pub fn messages(&mut self, scalars: usize) {
        self.trace.messages += scalars as u64;
    }

    /// One iteration done: recorded and shown; the answer says whether the budget allows another.
    pub fn step(&mut self, stage: &'static str, values: &[(&'static str, f64)]) -> ControlFlow<()> {
        let step = self.trace.steps.iter().rev().take_while(|s| s.stage == stage).count();
        self.trace.steps.push(Step { stage, step, values: values.to_vec() });
        self.observer.step(&Progress { stage, step, residual: values.first().map_or(0.0, |v| v.1) });
        if self.observer.cancelled() || self.trace.steps.len() >= self.max_steps {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    /// The trace.
    pub fn finish(self) -> Trace {
        self.trace
    }
}
