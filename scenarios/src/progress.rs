//! Who watches runs and tells them to stop.

use crate::experiment::Run;
use coase_core::context::{self, Observer};
use coase_store::RunResult;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whoever watches an experiment.
pub trait Progress: Send + Sync {
    /// Before the first run; `runs` is how many there will be.
    fn begun(&self, _runs: usize) {}

    /// A run has begun.
    fn started(&self, _run: &Run) {}

    /// A run has taken a step.
    fn step(&self, _run: &Run, _step: &context::Progress<'_>) {}

    /// A run has ended, or its result was there already.
    fn finished(&self, _run: &Run, _result: &RunResult) {}

    /// Whether to stop: runs that have not begun are left out, those that have stop as soon as they can.
    fn cancelled(&self) -> bool {
        false
    }
}

impl Progress for () {}

impl<P: Progress + ?Sized> Progress for &P {
    fn begun(&self, runs: usize) {
        (**self).begun(runs);
    }

    fn started(&self, run: &Run) {
        (**self).started(run);
    }

    fn step(&self, run: &Run, step: &context::Progress<'_>) {
        (**self).step(run, step);
    }

    fn finished(&self, run: &Run, result: &RunResult) {
        (**self).finished(run, result);
    }

    fn cancelled(&self) -> bool {
        (**self).cancelled()
    }
}

impl<P: Progress + ?Sized> Progress for Arc<P> {
    fn begun(&self, runs: usize) {
        (**self).begun(runs);
    }

    fn started(&self, run: &Run) {
        (**self).started(run);
    }

    fn step(&self, run: &Run, step: &context::Progress<'_>) {
        (**self).step(run, step);
    }

    fn finished(&self, run: &Run, result: &RunResult) {
        (**self).finished(run, result);
    }

    fn cancelled(&self) -> bool {
        (**self).cancelled()
    }
}

/// Passes on what one run does, and remembers whether it was told to stop: what it returns then is no result.
pub(crate) struct Told {
    /// Who watches the steps, if anybody does.
    steps: Option<Arc<dyn Progress>>,
    end: Arc<dyn Progress>,
    stopped: AtomicBool,
}

impl Told {
    pub(crate) fn watched(progress: &Arc<dyn Progress>) -> Self {
        Self { steps: Some(progress.clone()), ..Self::unwatched(progress) }
    }

    pub(crate) fn unwatched(progress: &Arc<dyn Progress>) -> Self {
        Self { steps: None, end: progress.clone(), stopped: AtomicBool::new(false) }
    }

    /// The result, unless the run was told to stop while it was made.
    pub(crate) fn unless_stopped<T>(self, made: impl FnOnce(&Arc<dyn Progress>) -> Option<T>) -> Option<T> {
        let told = Arc::new(self);
        let progress: Arc<dyn Progress> = told.clone();
        made(&progress).filter(|_| !told.stopped.load(Ordering::Relaxed))
    }
}

impl Progress for Told {
    fn step(&self, run: &Run, step: &context::Progress<'_>) {
        if let Some(progress) = &self.steps {
            progress.step(run, step);
        }
    }

    fn cancelled(&self) -> bool {
        let cancelled = self.end.cancelled();
        if cancelled {
            self.stopped.store(true, Ordering::Relaxed);
        }
        cancelled
    }
}

/// Shows the steps of one run.
pub(crate) struct Watch {
    pub(crate) run: Arc<Run>,
    pub(crate) progress: Arc<dyn Progress>,
}

impl Observer for Watch {
    fn step(&self, step: &context::Progress<'_>) {
        self.progress.step(&self.run, step);
    }

    fn cancelled(&self) -> bool {
        self.progress.cancelled()
    }
}
