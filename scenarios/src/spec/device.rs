//! Devices as written.

use super::Series;
use serde::{Deserialize, Serialize};

/// A device of a participant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "each variant is the device of that name in the core")]
pub enum Device {
    Pv(Renewable),
    Wind(Renewable),
    /// Demand that is always served, kW.
    Load {
        p_kw: Series,
    },
    /// A share of the load that may be cut.
    Interruptible {
        share: f64,
        compensation_per_kwh: f64,
    },
    /// A share of the load that may be moved within the day; the cost is on what is moved away and on what is added.
    Shiftable {
        share: f64,
        #[serde(default)]
        cost_per_kwh: f64,
    },
    MicroTurbine(MicroTurbine),
    Storage(Storage),
    EvFleet(EvFleet),
    Hvac(Hvac),
    Quadratic(Quadratic),
}

/// Photovoltaic or wind generation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Renewable {
    /// Rating, kW.
    pub p_max_kw: f64,
    /// Available share of the rating.
    pub profile: Series,
    /// Per kWh used.
    #[serde(default)]
    pub cost_per_kwh: f64,
}

/// A generator with fuel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MicroTurbine {
    /// Least power, kW.
    #[serde(default)]
    pub p_min_kw: f64,
    /// Greatest power, kW.
    pub p_max_kw: f64,
    /// Linear cost.
    #[serde(default)]
    pub cost_per_kwh: f64,
    /// `a` of `a P^2` per hour.
    #[serde(default)]
    pub cost_per_kwh2: f64,
    /// Cost of every hour.
    #[serde(default)]
    pub cost_per_h: f64,
    /// Greatest change of power per hour, kW; `None`: no limit.
    #[serde(default)]
    pub ramp_kw_per_h: Option<f64>,
    /// Direct emissions.
    pub emission_kg_per_kwh: f64,
}

/// A battery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    /// Energy it can hold, kWh.
    pub capacity_kwh: f64,
    /// Greatest charging power, kW.
    pub p_charge_max_kw: f64,
    /// Greatest discharging power, kW.
    pub p_discharge_max_kw: f64,
    /// Share of the charged energy that is stored.
    #[serde(default = "efficiency")]
    pub efficiency_charge: f64,
    /// Share of the drawn energy that is delivered.
    #[serde(default = "efficiency")]
    pub efficiency_discharge: f64,
    /// Share of the stored energy that is left after an hour.
    #[serde(default = "super::one")]
    pub retention_per_h: f64,
    /// Least state of charge.
    #[serde(default = "soc_min")]
    pub soc_min: f64,
    /// Greatest state of charge.
    #[serde(default = "soc_max")]
    pub soc_max: f64,
    /// State of charge before the first period.
    #[serde(default = "soc_start")]
    pub soc_start: f64,
    /// State of charge after the last period; `None`: as at the start.
    #[serde(default)]
    pub soc_end: Option<f64>,
    /// Wear per kWh charged and per kWh discharged.
    #[serde(default)]
    pub cost_per_kwh: f64,
}

/// Electric vehicles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvFleet {
    /// Whether they may discharge.
    #[serde(default)]
    pub v2g: bool,
    /// When they are connected and what they need.
    pub sessions: Vec<Session>,
}

/// Identical vehicles that are connected at the same time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// How many.
    #[serde(default = "single")]
    pub count: usize,
    /// Hour of arrival.
    pub arrival_h: f64,
    /// Hour of departure.
    pub departure_h: f64,
    /// Energy in the battery at arrival, kWh.
    pub energy_kwh: f64,
    /// Least energy at departure, kWh.
    pub target_kwh: f64,
    /// Size of the battery, kWh.
    pub capacity_kwh: f64,
    /// Greatest power, kW.
    pub p_max_kw: f64,
    /// Share of energy that passes between terminals and battery.
    #[serde(default = "efficiency")]
    pub efficiency: f64,
}

/// Cooling of a building.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hvac {
    /// Thermal resistance, degrees per kW of heat.
    pub resistance_c_per_kw: f64,
    /// Thermal capacity.
    pub capacity_kwh_per_c: f64,
    /// Heat removed per unit of electric energy.
    pub cop: f64,
    /// Greatest electric power, kW.
    pub p_max_kw: f64,
    /// Outdoor temperature.
    pub outdoor_c: Series,
    /// Temperature before the first period; `None`: the target.
    #[serde(default)]
    pub start_c: Option<f64>,
    /// Least temperature.
    pub min_c: f64,
    /// Greatest temperature.
    pub max_c: f64,
    /// Most comfortable temperature.
    pub target_c: f64,
    /// Cost of a squared degree for an hour.
    pub discomfort_per_c2: f64,
    /// How it is controlled.
    #[serde(default)]
    pub control: HvacControl,
}

/// How cooling is controlled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum HvacControl {
    /// Within the band, at a price for discomfort.
    #[default]
    Flexible,
    /// As near to the target as the power permits.
    ConstantTemperature,
}

/// An agent with the cost `a/2 g^2 + b g` of net export `g`, kWh per period.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quadratic {
    /// `a`.
    pub a_per_kwh2: f64,
    /// `b`.
    pub b_per_kwh: Series,
}

fn efficiency() -> f64 {
    0.95
}

fn soc_min() -> f64 {
    0.1
}

fn soc_max() -> f64 {
    0.9
}

fn soc_start() -> f64 {
    0.5
}

fn single() -> usize {
    1
}
