//! What the outcome does to the network.

use super::Metric;
use crate::evaluate::Case;
use crate::table::number;

pub(super) const METRICS: &[Metric] = &[
    number("loss_kwh", "kWh", "Energy lost in the branches of the network.")
        .equals("sum over t of period_h * sum over branches of loss_kw[t]")
        .by(|case| loss_kwh(case).into()),
    number("voltage_violation_pu", "pu", "Sum of voltages beyond limits over buses and periods.")
        .equals("sum over t and buses of max(0, v[t] - v_max_pu, v_min_pu - v[t])")
        .by(|case| case.beyond.as_ref().map(|beyond| beyond.voltage.sum).into()),
    number("thermal_violation_kva", "kVA", "Sum of flows beyond ratings over branches and periods.")
        .equals("sum over t and branches of max(0, |S[t]| - rating), |S|: apparent power at the end that carries more")
        .by(|case| case.beyond.as_ref().map(|beyond| beyond.rating.sum).into()),
];

/// `None` without a network.
fn loss_kwh(case: &Case) -> Option<f64> {
    let setting = case.setting();
    let loss = |t: usize| case.cleared.physical.loss_kwh(setting, t);
    setting.feeder.as_ref().map(|_| (0..setting.periods.count).map(loss).sum())
}
