//! Mehrotra's predictor and corrector, whatever the linear system of a step is.
//!
//! One factorisation a round, two solves with it: straight at complementarity zero, and then towards a centre that the first
//! solve has told, with its second-order term. Source: S. Mehrotra (1992).

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// At what was asked.
    Reached,
    /// No progress that could be continued: infeasible, or out of digits or rounds.
    Stuck,
}

/// An iterate, and the linear system of its steps.
pub(super) trait BackEnd {
    /// Measures the iterate; how the search ends here, if it does.
    fn assess(&mut self) -> Option<Ended>;

    /// Factors the system of a step from the iterate.
    fn factor(&mut self);

    /// Solves for the step to complementarity zero; the mean complementarity after as much of it as the boundaries allow,
    /// relative to that of the iterate.
    fn predict(&mut self) -> f64;

    /// The mean complementarity that the corrector aims at.
    fn centre(&self, ratio: f64) -> f64;

    /// Solves for the step to complementarity `centre`, with the second-order term of the predictor, and takes it.
    fn correct(&mut self, centre: f64);
}

/// Iterates until the back end says that it ends.
pub(super) fn iterate(back_end: &mut impl BackEnd) -> Ended {
    loop {
        if let Some(ended) = back_end.assess() {
            return ended;
        }
        back_end.factor();
        let ratio = back_end.predict();
        let centre = back_end.centre(ratio);
        back_end.correct(centre);
    }
}
