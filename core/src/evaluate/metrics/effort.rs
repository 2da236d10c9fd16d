//! What it took to find the outcome.

use super::Metric;
use crate::table::{Value, integer};

pub(super) const METRICS: &[Metric] = &[
    integer("iterations", "Recorded iterations: rows of `convergence`.")
        .equals("number of rows of the run in `convergence`")
        .by(|case| Value::from(case.cleared.iterations().len())),
    integer("messages", "Scalars sent between participants and operator.")
        .by(|case| Value::from(case.cleared.trace.messages)),
    integer("local_solves", "Questions asked of single participants.")
        .by(|case| Value::from(case.cleared.questions.local)),
];
