//! Progress on standard error.

use crate::interrupt;
use coase_scenarios::{Progress, Run};
use coase_store::RunResult;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// Where standard error is a terminal.
    OnTerminals,
    /// Not at all.
    Never,
}

/// A bar with what it counts in front.
pub fn bar(show: Show, what: &str) -> ProgressBar {
    let hidden = show == Show::Never || !std::io::stderr().is_terminal();
    let target = if hidden { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(Some(0), target).with_prefix(what.to_owned());
    let style = ProgressStyle::with_template("{prefix} [{bar:20}] {pos}/{len}, {per_sec}, {eta} left  {wide_msg}");
    style.map_or(bar.clone(), |style| bar.with_style(style.progress_chars("=> ")))
}

/// One bar over the runs of an experiment; beside it, the run that was begun last.
pub struct RunBar {
    bar: ProgressBar,
    /// Whether a run was begun: what ends before was there already.
    is_running: AtomicBool,
}

impl RunBar {
    pub fn new(show: Show) -> Self {
        Self { bar: bar(show, "runs"), is_running: AtomicBool::new(false) }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for RunBar {
    fn begun(&self, runs: usize) {
        self.bar.set_length(runs as u64);
        self.bar.tick();
    }

    fn started(&self, run: &Run) {
        self.is_running.store(true, Ordering::Relaxed);
        self.bar.set_message(format!("{} under {} in {}", run.variant, run.carbon_label, run.scenario));
    }

    fn finished(&self, _: &Run, _: &RunResult) {
        self.bar.inc(1);
        if !self.is_running.load(Ordering::Relaxed) {
            // What was there already took no time and says nothing of how long the rest will take.
            self.bar.reset_eta();
            self.bar.reset_elapsed();
        }
    }

    fn cancelled(&self) -> bool {
        interrupt::received().is_some()
    }
}
