//! What a mechanism does with reports, and what that is worth to those who made them: every run of a search goes through here
//! and is counted.

use super::Watch;
use crate::context::RunContext;
use crate::engine::ReportRule;
use crate::error::MechanismError;
use crate::evaluate::report_game::utility;
use crate::market::Market;
use crate::mechanism::Mechanism;
use crate::outcome::{Outcome, Status};
use crate::participant::Distortion;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Who says what; everybody else tells the truth.
pub(crate) type Said = Vec<(usize, Distortion)>;

/// A mechanism on a true market, with the same luck for every report.
pub(crate) struct Bench<'a> {
    pub mechanism: &'a dyn Mechanism,
    pub truth: &'a Market,
    pub seed: u64,
    pub watch: &'a dyn Watch,
    counts: Arc<Counts>,
}

/// How many runs there were.
#[derive(Default)]
pub(crate) struct Counts {
    tried: AtomicUsize,
    failed: AtomicUsize,
}

impl Counts {
    /// One more run, and whether it had an outcome.
    pub fn count<T>(&self, watch: &dyn Watch, found: Option<T>) -> Option<T> {
        self.tried.fetch_add(1, Ordering::Relaxed);
        self.failed.fetch_add(usize::from(found.is_none()), Ordering::Relaxed);
        watch.ran();
        found
    }

    /// Runs so far, and those without an outcome.
    pub fn read(&self) -> (usize, usize) {
        (self.tried.load(Ordering::Relaxed), self.failed.load(Ordering::Relaxed))
    }
}

impl<'a> Bench<'a> {
    pub fn new(mechanism: &'a dyn Mechanism, truth: &'a Market, seed: u64, watch: &'a dyn Watch) -> Self {
        Self { mechanism, truth, seed, watch, counts: Arc::default() }
    }

    /// The same on another market; its runs count here.
    pub fn on<'b>(&'b self, truth: &'b Market) -> Bench<'b> {
        Bench { truth, counts: self.counts.clone(), ..*self }
    }

    /// Runs so far, and those without an outcome.
    pub fn counts(&self) -> (usize, usize) {
        self.counts.read()
    }

    /// What the seats of each of these players get together, where the others report as said.
    ///
    /// # Errors
    /// No outcome, one that is not what the mechanism defines, or a commitment that somebody cannot keep.
    fn try_worth(&self, said: &Said, players: &[usize]) -> Result<Vec<f64>, MechanismError> {
        let tell = |market: Market, (seat, what): &(usize, Distortion)| market.with_report(*seat, &what.report());
        self.worth_in(&said.iter().fold(self.truth.clone(), tell), players)
    }

    /// The same in the market as it is said to be.
    fn worth_in(&self, market: &Market, players: &[usize]) -> Result<Vec<f64>, MechanismError> {
        let outcome = self.mechanism.outcome(market, &mut RunContext::new(self.seed, ()))?;
        match outcome.status {
            Status::Converged => {}
            Status::NotConverged { residual: gap } | Status::NoEquilibriumFound { gap } => {
                return Err(MechanismError::Failed(format!("no answer to tolerance: {gap:.3e}")));
            }
        }
        players.iter().map(|player| self.of_player(*player, &outcome)).collect()
    }

    fn of_player(&self, player: usize, outcome: &Outcome) -> Result<f64, MechanismError> {
        self.truth.seats_of(player).map(|seat| utility(self.truth, seat, outcome)).sum()
    }

    /// What each of these players gets; `None`, and a failed run, where there is no outcome.
    pub fn worth(&self, said: &Said, players: &[usize]) -> Option<Vec<f64>> {
        let found = self.try_worth(said, players).ok();
        self.counts.count(self.watch, found.filter(|worth| worth.iter().all(|x| x.is_finite())))
    }

    /// What a player gets where reports come about by a rule; `None`, and a failed run, where there is no outcome.
    pub fn worth_by(&self, rule: &dyn ReportRule, player: usize) -> Option<f64> {
        let said = rule.said(self.truth, self.mechanism, &mut RunContext::new(self.seed, ()));
        let found = said.and_then(|said| self.worth_in(&said.market(self.truth), &[player])).ok();
        self.counts.count(self.watch, found.filter(|worth| worth[0].is_finite())).map(|worth| worth[0])
    }

    /// What each player gets if all tell the truth.
    ///
    /// # Errors
    /// As above: there is nothing to compare with.
    pub fn truthful(&self) -> Result<Vec<f64>, MechanismError> {
        let players: Vec<usize> = (0..self.truth.players()).collect();
        let found = self.try_worth(&vec![], &players);
        self.counts.count(self.watch, found.as_ref().ok());
        found
    }
}
