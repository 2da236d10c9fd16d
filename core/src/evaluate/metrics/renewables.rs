//! What becomes of renewable energy.

use super::Metric;
use crate::evaluate::Case;
use crate::table::number;

pub(super) const METRICS: &[Metric] = &[
    number("curtailment_kwh", "kWh", "Renewable energy that was available and not used.")
        .equals("max(0, available kWh - used kWh) of renewable devices")
        .by(|case| renewables(case).map(|kwh| (kwh.available - kwh.used).max(0.0)).into()),
    number("renewable_utilisation", "", "Renewable energy used over available.")
        .equals("used kWh / available kWh of renewable devices")
        .by(|case| renewables(case).map(|kwh| kwh.used / kwh.available).into()),
];

/// Renewable energy, kWh.
struct Renewables {
    available: f64,
    used: f64,
}

/// That of all participants; `None` where none was available.
fn renewables(case: &Case) -> Option<Renewables> {
    let hours = case.setting().periods.hours;
    let plans = &case.cleared.physical.plans;
    let devices = plans.iter().flat_map(|p| &p.devices).filter(|d| !d.available_kw.is_empty());
    let (available, used) = devices.fold((0.0, 0.0), |sum, d| {
        (sum.0 + hours * d.available_kw.iter().sum::<f64>(), sum.1 + hours * d.power_kw.iter().sum::<f64>())
    });
    (available > 0.0).then_some(Renewables { available, used })
}
