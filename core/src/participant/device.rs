//! The device trait, and what a device exchanges with its portfolio.
//!
//! A device is one file in `devices/`, or in any other crate: a serde struct of parameters as scenario files have them, `impl
//! Device`, and [`register_device!`](crate::register_device). It knows the program that it adds variables and rows to, and
//! nothing of markets, tariffs or policies.

use super::Store;
use super::check::DeviceError;
use super::plugin::RegisteredDevice;
use crate::program::{Cost, Expr, Program};
use crate::series::Series;
use crate::setting::{Periods, Product, Rating, Slot};
use std::fmt::Debug;

/// What can generate, consume or store energy. Power is positive towards the grid.
pub trait Device: RegisteredDevice + erased_serde::Serialize + Debug + Send + Sync {
    /// Checks the numbers of the device by themselves.
    ///
    /// # Errors
    /// [`DeviceError`] names the field as scenario files have it, what was found and what was expected.
    fn validate(&self, periods: Periods) -> Result<(), DeviceError>;

    /// What the device can at most generate and consume, kW. `load_kw` is the participant's own load per period. Import and
    /// export limits that a scenario leaves open are sums of ratings.
    fn rating(&self, periods: Periods, load_kw: &[f64]) -> Rating;

    /// Adds its variables and rows to the program and says what they mean. Every variable has finite bounds.
    fn contribute(&self, program: &mut Program, around: &Surroundings<'_>) -> Part;

    /// Its series with the names of their fields: who reads a scenario writes them out and cuts them to the horizon.
    fn series(&mut self) -> Vec<(&'static str, &mut Series)> {
        vec![]
    }

    /// Fills in what is left open and follows from other parameters or from the scenario; may be asked again when the scenario
    /// has changed.
    ///
    /// # Errors
    /// A number from which nothing follows.
    fn complete(&mut self, _scene: &Scene) -> Result<(), DeviceError> {
        Ok(())
    }

    /// Takes it to a horizon that ends earlier, and says which of its charging sessions (or similar tasks) are left out. What
    /// is in [`Device::series`] is cut without its help.
    fn shorten(&mut self, _end_h: f64) -> LeftOut {
        LeftOut::default()
    }

    /// Demand that it adds to the participant's own load, kW per period: what other devices of the participant may be a share
    /// of. Empty where it adds none.
    fn own_load_kw(&self) -> &[f64] {
        &[]
    }

    /// The share of the participant's own load that it decides about; `None` where it refers to no load.
    fn share_of_load(&self) -> Option<f64> {
        None
    }

    /// Direct emissions per kWh that it generates, kg.
    fn emission_kg_per_kwh(&self) -> f64 {
        0.0
    }

    /// Its store, where carbon accounts follow what it takes until it is given back.
    fn store(&self) -> Option<Store> {
        None
    }

    /// What its users miss of what they need if it follows a power series, kW per period; `None` where users need nothing of
    /// their own that could be missed.
    fn unserved(&self, _power_kw: &[f64], _periods: Periods) -> Option<Unserved> {
        None
    }

    /// What it can trade besides energy: each gets a slot in every period.
    fn goods(&self) -> &'static [Product] {
        &[]
    }

    /// As an element of a list of devices.
    fn boxed(self) -> Box<dyn Device>
    where
        Self: Sized + 'static,
    {
        Box::new(self)
    }
}

/// What a scenario says that a device's open parameters may follow from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scene {
    /// Greatest price of imports, per kWh.
    pub dearest_per_kwh: f64,
}

/// Charging sessions that a shortened horizon leaves out.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LeftOut {
    /// Sessions left out.
    pub sessions: usize,
    /// Sessions over the whole horizon.
    pub of: usize,
    /// Vehicles in those left out.
    pub vehicles: usize,
    /// Energy that they would have had to charge, kWh in the battery.
    pub energy_kwh: f64,
}

/// What users miss of what they need.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unserved {
    /// Energy missed, kWh at the grid.
    pub kwh: f64,
    /// Whether the equations of the device describe its users exactly, so that nothing can be missed.
    pub exact: bool,
}

/// What a device is told about its surroundings.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// The horizon.
    pub periods: Periods,
    /// The participant's own load, kW per period.
    pub load_kw: &'a [f64],
    /// Whether upward reserve is traded, per period.
    pub reserve_up: &'a [bool],
    /// Whether downward reserve is traded, per period.
    pub reserve_down: &'a [bool],
    /// All that is traded.
    pub slots: &'a [Slot],
}

impl Surroundings<'_> {
    /// Whether a good is traded in a period.
    pub fn is_traded(&self, product: Product, period: usize) -> bool {
        self.slots.contains(&Slot { product, period })
    }
}

/// What a device hands to its portfolio.
#[derive(Debug, Default)]
pub struct Part {
    /// Power per period, kW, positive towards the grid.
    pub power_kw: Vec<Expr>,
    /// Stored energy at the end of each period, kWh; empty for devices without a store.
    pub stored_kwh: Vec<Expr>,
    /// Power that was available and could be curtailed, kW per period; empty for devices that are not renewable.
    pub available_kw: Vec<f64>,
    /// Demand of which its power is what goes unserved, kW per period; empty for all others.
    pub desired_kw: Vec<f64>,
    /// Signed deviation from comfort as a share of the greatest permitted one, per period; empty for devices without comfort.
    pub discomfort: Vec<Expr>,
    /// Own cost over the horizon: fuel, wear, compensation, discomfort.
    pub cost: Cost,
    /// Upward reserve it offers per period, kW; empty where it offers none, zero where none is traded.
    pub reserve_up_kw: Vec<Expr>,
    /// Downward reserve it offers per period, kW; as above.
    pub reserve_down_kw: Vec<Expr>,
    /// What it gives of [`Device::goods`] per period, in the unit of each; counted where the good is traded.
    pub goods: Vec<(Product, Vec<Expr>)>,
}

/// The greatest value of a series that is not negative.
pub(super) fn greatest(series: &[f64]) -> f64 {
    series.iter().copied().fold(0.0, f64::max)
}
