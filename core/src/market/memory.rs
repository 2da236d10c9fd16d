//! Remembered answers and counted questions.

use super::Allocation;
use crate::program::SolveError;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

type Answer = Result<Arc<Allocation>, SolveError>;

/// Answers to group questions, by question.
#[derive(Debug, Default)]
pub(super) struct Memory {
    answers: Mutex<HashMap<Vec<u64>, Arc<OnceLock<Answer>>>>,
}

impl Memory {
    /// The remembered answer, or the one computed now; concurrent askers of one question wait for one computation.
    pub fn answer(&self, key: Vec<u64>, compute: impl FnOnce() -> Answer) -> Answer {
        let cell = self.answers.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().clone();
        cell.get_or_init(compute).clone()
    }
}

/// Questions that a mechanism asked in a run, whether or not the answer was remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Questions {
    /// Questions to single participants.
    pub local: u64,
    /// Questions about groups.
    pub economies: u64,
    /// The most money that a search among choices left open in an answer, where it ran into its limit of programs.
    pub choices_gap: f64,
}

#[derive(Debug, Default)]
pub(super) struct Meter {
    local: AtomicU64,
    economies: AtomicU64,
    /// Bits of a number that is not negative, which are in the order of the numbers.
    choices_gap: AtomicU64,
}

impl Meter {
    pub fn count_local(&self) {
        self.local.fetch_add(1, Ordering::Relaxed);
    }

    pub fn count_economy(&self) {
        self.economies.fetch_add(1, Ordering::Relaxed);
    }

    /// Keeps the most that any answer leaves open.
    pub fn note_choices_gap(&self, money: f64) {
        self.choices_gap.fetch_max(money.max(0.0).to_bits(), Ordering::Relaxed);
    }

    pub fn read(&self) -> Questions {
        Questions {
            local: self.local.load(Ordering::Relaxed),
            economies: self.economies.load(Ordering::Relaxed),
            choices_gap: f64::from_bits(self.choices_gap.load(Ordering::Relaxed)),
        }
    }
}
