//! Participants: whatever can put its possibilities, costs and emissions into a program. A *report* is a participant too.
//!
//! A device contributes variables, constraints, cost and emissions to a local problem; it knows nothing of markets, tariffs
//! or policies.

mod report;

pub use report::Report;

use crate::auction::Order;
use crate::program::{Cost, Expr, Program};
use crate::setting::Setting;
use std::fmt::Debug;

/// What a participant puts into a program.
#[derive(Clone, Debug, Default)]
pub struct Contribution {
    /// Net output per slot: net export in kWh for energy, offered amount for other products.
    pub output: Vec<Expr>,
    /// Own resource cost over the horizon: fuel, wear, compensation, discomfort. No tariff, no carbon payment.
    pub cost: Cost,
    /// Direct emissions per period, kg.
    pub emission_kg: Vec<Expr>,
    /// Energy from emitting devices per period, kWh.
    pub emitting_kwh: Vec<Expr>,
    /// What each device does, for reporting only.
    pub devices: Vec<DeviceSeries>,
}

/// The series of one device that results are reported from.
#[derive(Clone, Debug, Default)]
pub struct DeviceSeries {
    /// Kind in result columns: `pv`, `wind`, `micro_turbine`, `storage`, `load`, `interruptible`, `shiftable`, `ev_fleet`,
    /// `hvac`, `quadratic`.
    pub kind: &'static str,
    /// Power per period, kW, positive towards the grid.
    pub power_kw: Vec<Expr>,
    /// Stored energy at the end of each period, kWh; empty for devices without a store.
    pub stored_kwh: Vec<Expr>,
    /// Power that was available and could be curtailed, kW per period; empty for devices that are not renewable.
    pub available_kw: Vec<f64>,
    /// Demand that its owner would like served, kW per period (interruptible: the load it is a share of); empty otherwise.
    pub desired_kw: Vec<f64>,
    /// Deviation from comfort as a share of the permitted deviation, per period (temperature); empty otherwise.
    pub discomfort: Vec<Expr>,
}

/// Anything that can take part in a market.
pub trait Participant: Debug + Send + Sync {
    /// Adds its variables and rows to the program and says what they mean. Every variable has finite bounds.
    fn contribute(&self, program: &mut Program, setting: &Setting) -> Contribution;

    /// Exact supply steps in a slot where they are known in closed form (bid lists, vehicles): sells where the quantity is
    /// positive. Otherwise the market samples the response to prices.
    fn orders(&self, _slot: usize) -> Option<Vec<Order>> {
        None
    }
}
