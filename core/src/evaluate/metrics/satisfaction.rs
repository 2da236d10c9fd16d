//! How much of their comfort users keep.

use super::Metric;
use crate::evaluate::Case;
use crate::market::DevicePlan;
use crate::table::number;

pub(super) const METRICS: &[Metric] =
    &[number("user_satisfaction", "", "1 less interrupted load and temperature deviation; mean over what has comfort.")
        .equals("mean over devices with comfort of 1 - (interrupted kWh / desired kWh, kWh not charged / kWh needed, or mean deviation / permitted deviation)")
        .by(|case| satisfaction(case).into())];

/// Mean over devices with a comfort of their own: 1 less the interrupted share of the load, 1 less the mean deviation of
/// temperature as a share of what is permitted, 1 less the share of charging that vehicles miss.
fn satisfaction(case: &Case) -> Option<f64> {
    let periods = case.setting().periods;
    let of = |d: &DevicePlan| -> Option<f64> {
        let desired: f64 = d.desired_kw.iter().sum();
        if desired > 0.0 {
            return Some(1.0 - d.power_kw.iter().sum::<f64>() / desired);
        }
        if let Some(missed) = d.unserved(periods) {
            let charged = periods.hours * d.power_kw.iter().map(|p| (-p).max(0.0)).sum::<f64>();
            return Some(if missed.kwh > 0.0 { 1.0 - missed.kwh / (charged + missed.kwh) } else { 1.0 });
        }
        let comfort = || 1.0 - d.discomfort.iter().map(|x| x.abs()).sum::<f64>() / d.discomfort.len() as f64;
        (!d.discomfort.is_empty()).then(comfort)
    };
    let found: Vec<f64> = case.cleared.physical.plans.iter().flat_map(|p| &p.devices).filter_map(of).collect();
    (!found.is_empty()).then(|| found.iter().sum::<f64>() / found.len() as f64)
}
