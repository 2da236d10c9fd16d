//! Photovoltaic generation: the sun says how much there is, the owner how much of it is used.

use super::curtailable::Curtailable;
use crate::participant::oracle::{Delivered, Draw};
use crate::participant::{Device, DeviceError, Look, Part, Shown, Surroundings};
use crate::program::Program;
use crate::register_device;
use crate::series::Series;
use crate::setting::{Periods, Rating};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Photovoltaic generation: the sun says how much there is, the owner how much of it is used.
/// `0 <= P_t <= p_max x profile_t`; the cost is `cost_per_kwh x P_t` per hour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pv {
    /// Rating, kW.
    #[schemars(range(min = 0.0))]
    pub p_max_kw: f64,
    /// Available power as a share of the rating, per period.
    #[schemars(extend("minimum" = 0.0, "maximum" = 1.0))]
    pub profile: Series,
    /// Operation and maintenance, money per kWh used; energy left unused costs nothing.
    #[serde(default)]
    pub cost_per_kwh: f64,
}

impl Pv {
    fn as_curtailable(&self) -> Curtailable<'_> {
        Curtailable { p_max_kw: self.p_max_kw, profile: &self.profile, cost_per_kwh: self.cost_per_kwh }
    }
}

impl Device for Pv {
    fn validate(&self, periods: Periods) -> Result<(), DeviceError> {
        self.as_curtailable().validate(periods)
    }

    fn rating(&self, _periods: Periods, _load_kw: &[f64]) -> Rating {
        Rating { supply_kw: self.p_max_kw, demand_kw: 0.0 }
    }

    fn contribute(&self, program: &mut Program, around: &Surroundings<'_>) -> Part {
        self.as_curtailable().contribute(program, around)
    }

    fn series(&mut self) -> Vec<(&'static str, &mut Series)> {
        vec![("profile", &mut self.profile)]
    }
}

register_device!(Pv, "pv", "photovoltaic generation that may be curtailed",
    role: Generation, carbon: Free,
    power: "Photovoltaic output.",
    example: Pv { p_max_kw: 5.0, profile: Series::Constant(0.6), cost_per_kwh: 0.0 },
    look: Look { place: 2, gives: Some(Shown::plain("PV", 0xF0E442)), takes: None },
    oracle: (draw, check),
    rank: 0);

fn draw(draw: &mut Draw, periods: Periods) -> Pv {
    Pv {
        p_max_kw: draw.between(10.0, 90.0),
        profile: draw.series(periods, 0.0, 1.0).into(),
        cost_per_kwh: draw.between(-0.01, 0.05),
    }
}

fn check(device: &Pv, done: &Delivered<'_>) -> Result<f64, String> {
    device.as_curtailable().check(done)
}
