//! What a participant says of one of its devices, all others being as they are.

use super::{Device, DeviceSeries, Distortion, Part, Store};
use crate::program::Expr;

/// What is said of one device.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DeviceReport {
    /// That it is not there.
    Hidden,
    /// That it is larger or smaller, dearer or cheaper: `f'(x) = s (k f(x/s) + d x/s)` of its cost `f` over its energy `x`.
    Distorted(Distortion),
}

impl DeviceReport {
    /// What the device puts into a program as it is said to be; one that is not there puts nothing.
    pub(super) fn said(self, part: Part, hours: f64) -> Part {
        let DeviceReport::Distorted(Distortion { price_factor, price_shift_per_kwh, quantity_factor: s }) = self else {
            return Part::default();
        };
        let mut cost = part.cost.times(s * price_factor);
        for power in &part.power_kw {
            cost.add(s * price_shift_per_kwh * hours, power);
        }
        let scaled = |series: Vec<_>| series.into_iter().map(|e: Expr| e.times(s)).collect::<Vec<_>>();
        let sized = |series: Vec<f64>| series.into_iter().map(|x| s * x).collect::<Vec<_>>();
        Part {
            power_kw: scaled(part.power_kw),
            stored_kwh: scaled(part.stored_kwh),
            available_kw: sized(part.available_kw),
            desired_kw: sized(part.desired_kw),
            discomfort: part.discomfort,
            cost,
            reserve_up_kw: scaled(part.reserve_up_kw),
            reserve_down_kw: scaled(part.reserve_down_kw),
            goods: part.goods.into_iter().map(|(product, given)| (product, scaled(given))).collect(),
        }
    }

    /// The series of the device with its store as it is said to be.
    pub(super) fn stored(self, series: DeviceSeries, device: &dyn Device) -> DeviceSeries {
        let DeviceReport::Distorted(Distortion { quantity_factor, .. }) = self else { return series };
        let store = device.store().map(|store| Store { start_kwh: quantity_factor * store.start_kwh, ..store });
        DeviceSeries { store, ..series }
    }
}
