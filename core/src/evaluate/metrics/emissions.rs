//! Kilograms: emitted, charged, and where the emission flow brings them.

use super::Metric;
use crate::carbon_flow::CarbonFlow;
use crate::evaluate::Case;
use crate::table::{Value, number};

pub(super) const METRICS: &[Metric] = &[
    number("emissions_kg", "kg", "Source-side emissions of the whole feeder.")
        .equals("sum over t of (direct kg of participants[t] + intensity[t] * max(0, net kWh from upstream[t]))")
        .by(|case| case.carbon.emissions_kg.into()),
    number("covered_kg", "kg", "Emissions charged to somebody.")
        .equals("emissions_kg - uncovered_kg")
        .by(|case| case.responsibility.covered_kg.into()),
    number("uncovered_kg", "kg", "Emissions charged to nobody.")
        .equals("emissions_kg - covered_kg")
        .by(|case| case.responsibility.uncovered_kg.into()),
    number("phantom_kg", "kg", "Kilograms charged that nobody emitted.")
        .equals("kg charged - covered_kg - double_charged_kg")
        .by(|case| case.responsibility.phantom_kg.into()),
    number("double_charged_kg", "kg", "Kilograms charged twice.")
        .equals("kg charged - covered_kg - phantom_kg")
        .by(|case| case.responsibility.double_charged_kg.into()),
    number("load_carbon_kg", "kg", "Carbon that the emission flow brings to loads.")
        .equals("sum over t of period_h * sum over loads of carbon_intensity_kg_per_kwh * kW[t]")
        .by(|case| over_network(case, CarbonFlow::total_load_kg_per_h)),
    number("loss_carbon_kg", "kg", "Carbon of network losses.")
        .equals("sum over t of period_h * sum over branches of carbon_intensity_kg_per_kwh * loss_kw[t]")
        .by(|case| over_network(case, CarbonFlow::total_loss_kg_per_h)),
    // Both of these need the run without a policy: whoever has it fills them.
    number("accounted_abatement_kg", "kg", "Charged base of this policy on the outcome without one, minus on its own.")
        .equals("(kg that this policy would charge in the run without a policy) - (kg that it charges), before quotas")
        .by(|_| Value::Missing),
    number("actual_abatement_kg", "kg", "Emissions of the outcome without a policy, minus of its own.")
        .equals("(emissions_kg in the run without a policy) - emissions_kg")
        .by(|_| Value::Missing),
];

/// A rate summed over the horizon, kg; missing without a network.
fn over_network(case: &Case, kg_per_h: fn(&CarbonFlow) -> f64) -> Value {
    let grid = &case.cleared.physical.grid;
    if grid.is_empty() {
        return Value::Missing;
    }
    let hours = case.setting().periods.hours;
    grid.iter().map(|state| kg_per_h(&state.carbon) * hours).sum::<f64>().into()
}
