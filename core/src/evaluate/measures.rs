//! What tables, metrics and certificates measure alike.

use super::Case;
use super::accounts::Accounts;
use crate::market::Plan;

/// A possible gain below this share of the costs is a solver's rounding: efficiency is undefined.
pub(super) const NOTHING_TO_GAIN: f64 = 1e-7;

/// Curtailed energy of one participant, kWh.
pub(super) fn curtailed_kwh(plan: &Plan, hours: f64) -> f64 {
    let renewable = plan.devices.iter().filter(|d| !d.available_kw.is_empty());
    hours * renewable.flat_map(|d| d.available_kw.iter().zip(&d.power_kw)).map(|(a, p)| (a - p).max(0.0)).sum::<f64>()
}

/// Money that is at stake: what participants pay for resources and to the grid, with and without trade. No price that is
/// searched for is in it.
pub(super) fn stake(case: &Case) -> f64 {
    let of = |a: &Accounts| a.sum(|m| m.resource_cost.abs() + m.tariff.abs());
    of(&case.alone) + of(&case.accounts)
}

/// What sums of money lose by rounding.
pub(super) fn rounding(case: &Case) -> f64 {
    1e-11 * (1.0 + case.accounts.ledger.turnover() + case.alone.ledger.turnover())
}

/// Costs come out of programs solved to a gap, so money is compared to a millionth of what is at stake.
pub(super) fn money_tolerance(case: &Case) -> f64 {
    1e-6 * stake(case) + rounding(case)
}
