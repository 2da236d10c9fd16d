//! How near an allocation is proven to be to the least cost: the certificate of every mechanism that says it finds it.

use coase_core::{Allocation, Certificate};

/// Certificate `least_cost_gap`: a millionth of what the members pay for resources, to the grid and for losses is
/// allowed. Carbon is not
/// counted: where its price is searched for it could excuse any gap.
pub(crate) fn least_cost_gap(best: &Allocation, witness: &'static str) -> Certificate {
    let plans = || best.plans.iter().flatten();
    let own: f64 = plans().map(|plan| plan.resource_cost.abs() + plan.tariff_cost.abs()).sum();
    let money = own + best.loss_cost.abs();
    let rounding: f64 = 1.0 + plans().map(|plan| plan.cost.abs()).sum::<f64>();
    Certificate::check("least_cost_gap", best.gap, 1e-6 * money + 1e-12 * rounding, witness)
}
