//! What surrounds a run: randomness, budget, progress, and the trace it leaves. Knows no terminal.

use crate::random::{self, Stream};
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

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

/// Whoever watches: a terminal, a notebook, a test, nobody (`()`).
pub trait Observer: Send + Sync {
    /// Called after each step.
    fn step(&self, _progress: &Progress<'_>) {}

    /// Whether the run should stop as soon as it can.
    fn cancelled(&self) -> bool {
        false
    }
}

impl Observer for () {}

impl<O: Observer + ?Sized> Observer for &O {
    fn step(&self, progress: &Progress<'_>) {
        (**self).step(progress);
    }

    fn cancelled(&self) -> bool {
        (**self).cancelled()
    }
}

impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn step(&self, progress: &Progress<'_>) {
        (**self).step(progress);
    }

    fn cancelled(&self) -> bool {
        (**self).cancelled()
    }
}

/// One recorded step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Which loop.
    pub stage: &'static str,
    /// Steps of that loop before it in the run.
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

/// Why a mechanism was told to stop: what it returns after that is no converged answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BrokenOff {
    /// Whoever watches wanted no more.
    Cancelled,
    /// The budget was used up.
    OutOfSteps {
        /// Steps taken, of all loops together.
        steps: usize,
        /// The loop that took the last one.
        stage: &'static str,
        /// First value of the last step, usually a residual; not finite where it had none.
        residual: f64,
    },
}

impl BrokenOff {
    /// The residual at the end; not finite where there is none.
    pub fn residual(self) -> f64 {
        match self {
            BrokenOff::Cancelled => f64::INFINITY,
            BrokenOff::OutOfSteps { residual, .. } => residual,
        }
    }
}

impl std::fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            BrokenOff::Cancelled => f.write_str("the run was cancelled"),
            BrokenOff::OutOfSteps { steps, stage, residual } => {
                write!(f, "the mechanism used up its budget of {steps} steps in its loop `{stage}`")?;
                if residual.is_finite() { write!(f, ", with a residual of {residual:.3e}") } else { Ok(()) }
            }
        }
    }
}

/// A run's surroundings, handed to the mechanism. It borrows nothing, so that it can be lent to a mechanism of another language.
pub struct RunContext {
    seed: u64,
    max_steps: usize,
    observer: Arc<dyn Observer>,
    trace: Trace,
    steps_of: HashMap<&'static str, usize>,
    broken_off: Option<BrokenOff>,
}

impl RunContext {
    /// Steps that a run may take if nobody says otherwise.
    pub const DEFAULT_MAX_STEPS: usize = 20_000;

    /// Fresh surroundings.
    pub fn new(seed: u64, observer: impl Observer + 'static) -> Self {
        Self {
            seed,
            max_steps: Self::DEFAULT_MAX_STEPS,
            observer: Arc::new(observer),
            trace: Trace::default(),
            steps_of: HashMap::new(),
            broken_off: None,
        }
    }

    /// The same with another budget of steps.
    pub fn with_max_steps(self, max_steps: usize) -> Self {
        Self { max_steps, ..self }
    }

    /// The seed of the run.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Whether whoever watches wants no more: for loops that take long between two steps.
    pub fn cancelled(&self) -> bool {
        self.observer.cancelled()
    }

    /// The random stream of a purpose, keyed by the seed, the purpose, the participant and the slot and by nothing else.
    pub fn stream(&self, purpose: &str, participant: usize, slot: usize) -> Stream {
        random::stream(self.seed, purpose, participant, slot)
    }

    /// Counts scalars sent.
    pub fn messages(&mut self, scalars: usize) {
        self.trace.messages += scalars as u64;
    }

    /// One iteration done: recorded and shown; the answer says whether the budget allows another. A mechanism that is told to
    /// break has not converged, whatever it returns.
    pub fn step(&mut self, stage: &'static str, values: &[(&'static str, f64)]) -> ControlFlow<()> {
        let count = self.steps_of.entry(stage).or_default();
        let step = *count;
        *count += 1;
        self.trace.steps.push(Step { stage, step, values: values.to_vec() });
        self.observer.step(&Progress { stage, step, residual: values.first().map_or(0.0, |v| v.1) });
        let steps = self.trace.steps.len();
        if self.observer.cancelled() {
            self.broken_off = Some(BrokenOff::Cancelled);
        } else if steps >= self.max_steps {
            let residual = values.first().map_or(f64::INFINITY, |v| v.1);
            self.broken_off = Some(BrokenOff::OutOfSteps { steps, stage, residual });
        }
        if self.broken_off.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Why the mechanism was told to stop, if it was.
    pub fn broken_off(&self) -> Option<BrokenOff> {
        self.broken_off
    }

    /// The trace.
    pub fn finish(self) -> Trace {
        self.trace
    }
}

#[cfg(test)]
mod tests {
    use super::{BrokenOff, RunContext};
    use std::ops::ControlFlow::{Break, Continue};

    /// A context moves to another thread and back, as a binding of another language does with it.
    #[test]
    fn a_context_is_owned() {
        let ctx = RunContext::new(7, ());
        let back = std::thread::spawn(move || ctx).join().expect("no panic");
        assert_eq!((back.seed(), back.cancelled()), (7, false));
    }

    #[test]
    fn every_loop_is_counted_by_itself_and_all_share_the_budget() {
        let mut ctx = RunContext::new(1, ()).with_max_steps(4);
        assert_eq!(ctx.step("outer", &[]), Continue(()));
        assert_eq!(ctx.step("inner", &[("residual", 2.0)]), Continue(()));
        assert_eq!(ctx.step("outer", &[]), Continue(()));
        assert_eq!(ctx.broken_off(), None);
        assert_eq!(ctx.step("inner", &[("residual", 1.5)]), Break(()));
        let told = BrokenOff::OutOfSteps { steps: 4, stage: "inner", residual: 1.5 };
        assert_eq!(ctx.broken_off(), Some(told));
        assert!(told.to_string().contains("4 steps") && told.to_string().contains("`inner`"), "{told}");
        let steps: Vec<(&str, usize)> = ctx.finish().steps.iter().map(|s| (s.stage, s.step)).collect();
        assert_eq!(steps, [("outer", 0), ("inner", 0), ("outer", 1), ("inner", 1)]);
    }

    /// The position of a step is not searched for: a million steps are taken while one counted backwards would take hours.
    #[test]
    fn a_step_costs_the_same_however_many_there_were() {
        let mut ctx = RunContext::new(1, ()).with_max_steps(usize::MAX);
        for _ in 0..1_000_000 {
            let _ = ctx.step("loop", &[]);
        }
        assert_eq!(ctx.finish().steps.last().map(|s| s.step), Some(999_999));
    }
}
