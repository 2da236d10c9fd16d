//! Participants: whatever can put its possibilities, costs and emissions into a program. A *report* is a participant too.
//!
//! A device contributes variables, constraints, cost and emissions to a local problem; it knows nothing of markets, tariffs
//! or policies. Every device is a plugin: nothing here or above lists them but the registry.

pub mod check;
mod device;
mod device_report;
pub mod devices;
mod distortion;
pub mod oracle;
pub mod plugin;
mod portfolio;
mod report;
mod steps;
#[cfg(test)]
mod testing;

pub use check::DeviceError;
pub use device::{Device, LeftOut, Part, Scene, Surroundings, Unserved};
pub use device_report::DeviceReport;
pub use devices::*;
pub use distortion::{Distortion, DistortionError};
pub use plugin::{CarbonRole, DevicePlugin, DeviceRole, Hatching, Look, Shown, devices};
pub use portfolio::{Portfolio, PortfolioError};
pub use report::Report;
pub use steps::{Step, Steps, StepsError};

use crate::book::Order;
use crate::carbon_flow::storage::StorageEfficiency;
use crate::program::{Cost, Expr, Program};
use crate::setting::Setting;
use std::fmt::Debug;
use std::sync::Arc;

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
    /// Kind in result columns: that of a registered device, or `bids`.
    pub kind: &'static str,
    /// What its energy is.
    pub role: DeviceRole,
    /// Power per period, kW, positive towards the grid.
    pub power_kw: Vec<Expr>,
    /// Stored energy at the end of each period, kWh; empty for devices without a store.
    pub stored_kwh: Vec<Expr>,
    /// Power that was available and could be curtailed, kW per period; empty for devices that are not renewable.
    pub available_kw: Vec<f64>,
    /// What its store is, where it has one that can give back what it took.
    pub store: Option<Store>,
    /// Demand of which its power is what goes unserved, kW per period; empty for all others.
    pub desired_kw: Vec<f64>,
    /// Signed deviation from comfort as a share of the greatest permitted one, per period (temperature); empty otherwise.
    pub discomfort: Vec<Expr>,
    /// The device itself, which knows its users; `None` where bids are all that is known.
    pub device: Option<Arc<dyn Device>>,
}

/// A store of energy, as far as carbon accounts need to know it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Store {
    /// Energy held before the first period, kWh.
    pub start_kwh: f64,
    /// Its efficiencies.
    pub efficiency: StorageEfficiency,
}

/// Anything that can take part in a market.
///
/// ```
/// use coase_core::participant::Contribution;
/// use coase_core::program::{Expr, Program};
/// use coase_core::setting::{Member, Periods, Setting, Tariff};
/// use coase_core::{Market, Participant};
/// use std::sync::Arc;
///
/// /// A household that takes 2 kWh, whatever it costs.
/// #[derive(Debug)]
/// struct Household;
///
/// impl Participant for Household {
///     fn contribute(&self, _: &mut Program, _: &Setting) -> Contribution {
///         let nothing = vec![Expr::default()];
///         Contribution {
///             output: vec![Expr::constant(-2.0)],
///             emission_kg: nothing.clone(),
///             emitting_kwh: nothing,
///             ..Contribution::default()
///         }
///     }
/// }
///
/// let tariff = Tariff {
///     buy_per_kwh: vec![0.5],
///     sell_per_kwh: vec![0.2],
///     intensity_kg_per_kwh: vec![0.4],
///     upstream_carbon_per_tonne: 0.0,
/// };
/// let member = Member::new("household", 5.0, 0.0);
/// let setting = Setting::energy(Periods { count: 1, hours: 1.0 }, Some(tariff), None, vec![member]);
/// let market = Market::new(setting, vec![Arc::new(Household)]);
/// assert!((market.local(0).autarky()?.cost - 2.0 * 0.5).abs() < 1e-6);
/// # Ok::<(), coase_core::program::SolveError>(())
/// ```
pub trait Participant: Debug + Send + Sync {
    /// Adds its variables and rows to the program and says what they mean. Every variable has finite bounds.
    fn contribute(&self, program: &mut Program, setting: &Setting) -> Contribution;

    /// Exact supply steps in a slot where they are known in closed form (bid lists, vehicles): sells where the quantity is
    /// positive. Otherwise the market samples the response to prices.
    fn orders(&self, _slot: usize) -> Option<Vec<Order>> {
        None
    }

    /// The devices that it is made of, where it is made of devices.
    fn parts(&self) -> &[Arc<dyn Device>] {
        &[]
    }

    /// The participant that says this of one of its devices; `None` where it has no such device.
    fn with_device(&self, _device: usize, _said: DeviceReport) -> Option<Arc<dyn Participant>> {
        None
    }
}
