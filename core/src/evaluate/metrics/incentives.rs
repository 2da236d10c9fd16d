//! What somebody, or a group, would rather do than keep the outcome.

use super::Metric;
use crate::evaluate::Case;
use crate::evaluate::measures::money_tolerance;
use crate::table::number;

pub(super) const METRICS: &[Metric] = &[
    number("individual_rationality_violation", "money", "Sum of losses against no trade under the same terms.")
        .equals("sum over participants of max(0, -gain), tolerance aside")
        .by(|case| losses(case).into()),
    number("max_regret", "money", "Greatest gain found from a unilateral misreport; a lower bound.")
        .equals("max over participants and misreports of (utility of the misreport - utility of the truth)")
        .by(|case| case.regret.as_ref().and_then(|found| found.certificate.value).into()),
    number("core_excess", "money", "Greatest gain that a group would have by itself over what it got.")
        .equals("max over groups S of (gain of S by itself - sum over S of gain); that of all only where they gain less than they could")
        .by(|case| case.coalitions.as_ref().and_then(|found| found.excess.value).into()),
];

fn losses(case: &Case) -> f64 {
    let tolerance = money_tolerance(case);
    case.gains().iter().filter(|g| **g < -tolerance).map(|g| -g).sum()
}
