//! The metrics of a run: in every file some columns of `runs`, each beside the function that fills it.
//!
//! A new metric is a file with its columns and its line in [`GROUPS`]; the table has them in this order.

mod carbon_price;
mod community;
mod cost;
mod coupling;
mod effort;
mod emissions;
mod fairness;
mod gain;
mod incentives;
mod market_power;
mod network;
mod others;
mod renewables;
mod satisfaction;

use super::Case;
use crate::table::{Column, Field, Row, Value};

/// A column of `runs` beside the function that fills it.
type Metric = Field<fn(&Case) -> Value>;

/// All metrics, in the order of the table.
const GROUPS: &[&[Metric]] = &[
    cost::METRICS,
    gain::METRICS,
    coupling::METRICS,
    others::METRICS,
    carbon_price::METRICS,
    incentives::METRICS,
    fairness::METRICS,
    emissions::METRICS,
    renewables::METRICS,
    community::METRICS,
    market_power::METRICS,
    satisfaction::METRICS,
    network::METRICS,
    effort::METRICS,
];

/// The metrics of a run, in the order of the columns.
pub(super) fn row(case: &Case) -> Row {
    GROUPS.iter().copied().flatten().map(|metric| (metric.value)(case)).collect()
}

const COUNT: usize = {
    let (mut count, mut k) = (0, 0);
    while k < GROUPS.len() {
        count += GROUPS[k].len();
        k += 1;
    }
    count
};

/// Columns of `runs` that measure the outcome.
pub const METRICS: &[Column] = &{
    let mut columns = [GROUPS[0][0].column; COUNT];
    let (mut count, mut k) = (0, 0);
    while k < GROUPS.len() {
        let mut of_group = 0;
        while of_group < GROUPS[k].len() {
            columns[count] = GROUPS[k][of_group].column;
            count += 1;
            of_group += 1;
        }
        k += 1;
    }
    columns
};
