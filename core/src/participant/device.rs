//! The devices a portfolio is made of, as one closed set, and what a device exchanges with its portfolio.

use super::check::DeviceError;
use super::{DeviceSeries, EvFleet, Hvac, Interruptible, Load, MicroTurbine, Quadratic, Renewable, Shiftable, Storage};
use crate::program::{Cost, Expr, Program};
use crate::setting::{Periods, Rating};

/// One device with its numbers resolved.
#[derive(Clone, Debug, PartialEq)]
pub enum Device {
    /// Photovoltaic generation.
    Pv(Renewable),
    /// Wind generation.
    Wind(Renewable),
    /// Demand that is always served.
    Load(Load),
    /// A share of the load that may be cut against compensation.
    Interruptible(Interruptible),
    /// A share of the load that may be moved within the day.
    Shiftable(Shiftable),
    /// Dispatchable generation with fuel.
    MicroTurbine(MicroTurbine),
    /// A battery.
    Storage(Storage),
    /// Electric vehicles.
    EvFleet(EvFleet),
    /// Cooling of a building.
    Hvac(Hvac),
    /// An agent known only by a quadratic cost of net export.
    Quadratic(Quadratic),
}

impl Device {
    /// Kind as result columns have it.
    pub fn kind(&self) -> &'static str {
        match self {
            Device::Pv(_) => "pv",
            Device::Wind(_) => "wind",
            Device::Load(_) => "load",
            Device::Interruptible(_) => "interruptible",
            Device::Shiftable(_) => "shiftable",
            Device::MicroTurbine(_) => "micro_turbine",
            Device::Storage(_) => "storage",
            Device::EvFleet(_) => "ev_fleet",
            Device::Hvac(_) => "hvac",
            Device::Quadratic(_) => "quadratic",
        }
    }

    /// Checks the numbers of the device by themselves.
    ///
    /// # Errors
    /// [`DeviceError`] names the field, what was found and what was expected.
    pub fn validate(&self, periods: Periods) -> Result<(), DeviceError> {
        match self {
            Device::Pv(d) | Device::Wind(d) => d.validate(periods),
            Device::Load(d) => d.validate(periods),
            Device::Interruptible(d) => d.validate(),
            Device::Shiftable(d) => d.validate(),
            Device::MicroTurbine(d) => d.validate(),
            Device::Storage(d) => d.validate(periods),
            Device::EvFleet(d) => d.validate(periods),
            Device::Hvac(d) => d.validate(periods),
            Device::Quadratic(d) => d.validate(periods),
        }
    }

    /// What the device can at most generate and consume, kW. `load_kw` is the participant's own load.
    pub fn rating(&self, periods: Periods, load_kw: &[f64]) -> Rating {
        let (supply_kw, demand_kw) = match self {
            Device::Pv(d) | Device::Wind(d) => (d.p_max_kw, 0.0),
            Device::Load(d) => (0.0, greatest(&d.p_kw)),
            Device::Interruptible(_) => (0.0, 0.0),
            Device::Shiftable(d) => (0.0, d.share * greatest(load_kw)),
            Device::MicroTurbine(d) => (d.p_max_kw, 0.0),
            Device::Storage(d) => (d.p_discharge_max_kw, d.p_charge_max_kw),
            Device::EvFleet(d) => d.rating_kw(periods),
            Device::Hvac(d) => (0.0, d.p_max_kw),
            Device::Quadratic(d) => {
                ((d.net_export_max_kwh / periods.hours).max(0.0), (-d.net_export_min_kwh / periods.hours).max(0.0))
            }
        };
        Rating { supply_kw, demand_kw }
    }

    /// Emission per kWh that it generates, kg.
    pub fn emission_kg_per_kwh(&self) -> f64 {
        match self {
            Device::MicroTurbine(d) => d.emission_kg_per_kwh,
            Device::Pv(_)
            | Device::Wind(_)
            | Device::Load(_)
            | Device::Interruptible(_)
            | Device::Shiftable(_)
            | Device::Storage(_)
            | Device::EvFleet(_)
            | Device::Hvac(_)
            | Device::Quadratic(_) => 0.0,
        }
    }

    pub(super) fn contribute(&self, program: &mut Program, around: &Surroundings) -> Part {
        let mut part = match self {
            Device::Pv(d) | Device::Wind(d) => d.contribute(program, around),
            Device::Load(d) => d.contribute(),
            Device::Interruptible(d) => d.contribute(program, around),
            Device::Shiftable(d) => d.contribute(program, around),
            Device::MicroTurbine(d) => d.contribute(program, around),
            Device::Storage(d) => d.contribute(program, around),
            Device::EvFleet(d) => d.contribute(program, around),
            Device::Hvac(d) => d.contribute(program, around),
            Device::Quadratic(d) => d.contribute(program, around),
        };
        part.series.kind = self.kind();
        part
    }
}

/// What a device is told about its surroundings.
pub(super) struct Surroundings<'a> {
    /// The horizon.
    pub(super) periods: Periods,
    /// The participant's own load, kW.
    pub(super) load_kw: &'a [f64],
    /// Whether upward reserve is traded in a period.
    pub(super) reserve_up: &'a [bool],
    /// Whether downward reserve is traded in a period.
    pub(super) reserve_down: &'a [bool],
}

/// What a device hands to its portfolio.
#[derive(Default)]
pub(super) struct Part {
    /// Its series; the portfolio reads its power from here.
    pub(super) series: DeviceSeries,
    /// Its cost over the horizon.
    pub(super) cost: Cost,
    /// Emissions per kWh generated.
    pub(super) emission_kg_per_kwh: f64,
    /// Upward reserve it offers per period, kW; zero where none is traded.
    pub(super) reserve_up_kw: Vec<Expr>,
    /// Downward reserve it offers per period, kW; zero where none is traded.
    pub(super) reserve_down_kw: Vec<Expr>,
}

/// The greatest value of a non-negative series.
fn greatest(series: &[f64]) -> f64 {
    series.iter().copied().fold(0.0, f64::max)
}
