//! How evenly gains are shared.

use super::Metric;
use crate::evaluate::fairness::{gini, jain};
use crate::table::number;

pub(super) const METRICS: &[Metric] = &[
    number("jain_index", "", "Jain's index of the participants' gains.")
        .equals("(sum of gain)^2 / (n * sum of gain^2) over n participants")
        .by(|case| jain(&case.gains(), case.accounts.ledger.turnover()).into()),
    number("gini", "", "Gini coefficient of the participants' gains.")
        .equals("sum over pairs (i, j) of |gain[i] - gain[j]| / (2 * n^2 * mean gain) over n participants")
        .by(|case| gini(&case.gains(), case.accounts.ledger.turnover()).into()),
];
