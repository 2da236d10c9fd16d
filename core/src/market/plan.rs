//! What one participant does, and what it costs it.

use crate::participant::{EvFleet, Store};
use std::sync::Arc;

/// A schedule of one participant and its bill before payments between participants.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Net sale per slot, kWh for energy.
    pub trade: Vec<f64>,
    /// Net physical output per slot: net injection at the connection point in kWh for energy.
    pub output: Vec<f64>,
    /// Import from the grid per period, kWh.
    pub import_kwh: Vec<f64>,
    /// Export to the grid per period, kWh.
    pub export_kwh: Vec<f64>,
    /// Direct emissions per period, kg.
    pub emission_kg: Vec<f64>,
    /// Energy from emitting devices per period, kWh.
    pub emitting_kwh: Vec<f64>,
    /// Energy per energy slot that it could not deliver or take as committed, kWh; empty where it could.
    pub shortfall_kwh: Vec<f64>,
    /// What that shortfall costs.
    pub shortfall_cost: f64,
    /// Fuel, wear, compensation, discomfort.
    pub resource_cost: f64,
    /// Tariff paid for imports less tariff received for exports.
    pub tariff_cost: f64,
    /// Adders of its terms: nodal terms, imposed fees, direct carbon price.
    pub adder_cost: f64,
    /// Charge on its carbon account.
    pub carbon_charge: f64,
    /// Balance of its carbon account, kg; `None` without one.
    pub balance_kg: Option<f64>,
    /// Marginal cost of a kg on its carbon account, the dual of its balance: the price of its tier and, where the schedule
    /// keeps the balance between two tiers, a price between theirs; `None` without an account.
    pub kg_price: Option<f64>,
    /// The sum of the five costs: all it pays except to peers and operator.
    pub cost: f64,
    /// Marginal cost of selling one more unit per slot.
    pub marginal_cost: Vec<f64>,
    /// Schedules of its devices.
    pub devices: Vec<DevicePlan>,
    /// Proven distance of the cost from the least cost.
    pub gap: f64,
    /// Whether other schedules cost the same and the second criterion, least squares of the exchange, could not decide.
    pub arbitrary: bool,
}

/// The schedule of one device.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DevicePlan {
    /// Kind, as in result columns.
    pub kind: &'static str,
    /// Power per period, kW, positive towards the grid.
    pub power_kw: Vec<f64>,
    /// Stored energy at the end of each period, kWh.
    pub stored_kwh: Vec<f64>,
    /// Renewable power that was available, kW.
    pub available_kw: Vec<f64>,
    /// Demand its owner would like served, kW.
    pub desired_kw: Vec<f64>,
    /// What its store is, where it has one.
    pub store: Option<Store>,
    /// Deviation from comfort as a share of what is permitted.
    pub discomfort: Vec<f64>,
    /// Vehicles behind a shared envelope, which may be unable to follow the power exactly.
    pub fleet: Option<Arc<EvFleet>>,
}

impl Plan {
    /// Import less export in a period, kWh.
    pub fn net_exchange_kwh(&self, period: usize) -> f64 {
        self.import_kwh[period] - self.export_kwh[period]
    }
}
