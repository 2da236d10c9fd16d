//! What a participant says it is. A report is itself a participant, so it answers every question that the truth answers.

use super::{Contribution, DeviceReport, Participant};
use crate::book::Order;
use crate::program::{Cost, Expr, Program};
use crate::setting::{Product, Setting};
use std::sync::Arc;

/// A report to a mechanism.
#[derive(Clone, Debug, Default)]
pub enum Report {
    /// Its true type.
    #[default]
    Truth,
    /// The standard misreport `f'(x) = s (k f(x/s) + d x/s)`.
    Distorted {
        /// `k`: factor on the whole cost.
        price_factor: f64,
        /// `d`: added to the marginal cost, per kWh.
        price_shift: f64,
        /// `s`: factor on all quantities.
        quantity_factor: f64,
    },
    /// Something else of one of its devices, by its position; the truth where it has no such device.
    Device {
        /// Which.
        device: usize,
        /// What is said of it.
        said: DeviceReport,
    },
    /// Another model altogether: other devices, explicit bids, a forecast.
    Other(Arc<dyn Participant>),
}

impl Report {
    /// The participant that the market meets.
    pub fn apply(&self, truth: &Arc<dyn Participant>) -> Arc<dyn Participant> {
        match self {
            Report::Truth => truth.clone(),
            &Report::Distorted { price_factor, price_shift, quantity_factor } => {
                Arc::new(Distorted { inner: truth.clone(), price_factor, price_shift, quantity_factor })
            }
            Report::Device { device, said } => truth.with_device(*device, *said).unwrap_or_else(|| truth.clone()),
            Report::Other(participant) => participant.clone(),
        }
    }
}

#[derive(Debug)]
struct Distorted {
    inner: Arc<dyn Participant>,
    price_factor: f64,
    price_shift: f64,
    quantity_factor: f64,
}

impl Participant for Distorted {
    fn contribute(&self, program: &mut Program, setting: &Setting) -> Contribution {
        let truth = self.inner.contribute(program, setting);
        let s = self.quantity_factor;
        let mut cost: Cost = truth.cost.times(s * self.price_factor);
        for (output, slot) in truth.output.iter().zip(&setting.slots) {
            if slot.product == Product::Energy {
                cost.add(s * self.price_shift, output);
            }
        }
        let scaled = |series: Vec<Expr>| series.into_iter().map(|e| e.times(s)).collect::<Vec<_>>();
        let mut devices = truth.devices;
        for device in &mut devices {
            device.power_kw = scaled(std::mem::take(&mut device.power_kw));
            device.stored_kwh = scaled(std::mem::take(&mut device.stored_kwh));
            if let Some(store) = &mut device.store {
                store.start_kwh *= s;
            }
            for kw in device.available_kw.iter_mut().chain(&mut device.desired_kw) {
                *kw *= s;
            }
        }
        Contribution {
            output: scaled(truth.output),
            cost,
            emission_kg: scaled(truth.emission_kg),
            emitting_kwh: scaled(truth.emitting_kwh),
            devices,
        }
    }

    fn orders(&self, slot: usize) -> Option<Vec<Order>> {
        let distort = |o: Order| Order {
            price: self.price_factor * o.price + self.price_shift,
            quantity: self.quantity_factor * o.quantity,
            ..o
        };
        Some(self.inner.orders(slot)?.into_iter().map(distort).collect())
    }
}
