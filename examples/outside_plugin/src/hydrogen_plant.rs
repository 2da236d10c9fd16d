//! An electrolyser with a tank: a load that may choose its hours, as long as it makes enough hydrogen.

use coase_core::participant::oracle::{Delivered, Draw, TOLERANCE};
use coase_core::participant::{Device, DeviceError, Look, Part, Shown, Surroundings, check};
use coase_core::program::{Expr, Program};
use coase_core::register_device;
use coase_core::schemars::{self, JsonSchema};
use coase_core::setting::{Periods, Rating};
use serde::{Deserialize, Serialize};

/// Draws `0 <= P_t <= p_max`, and over the horizon at least what the hydrogen takes: `sum_t P_t h >= kwh_per_kg x hydrogen`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HydrogenPlant {
    /// Greatest power, kW.
    #[schemars(range(min = 0.0))]
    pub p_max_kw: f64,
    /// Hydrogen that is asked for, kg per hour in the mean over the horizon.
    #[schemars(range(min = 0.0))]
    pub hydrogen_kg_per_h: f64,
    /// Electric energy that a kg of hydrogen takes.
    #[serde(default = "kwh_per_kg")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "unit" = "kWh/kg"))]
    pub kwh_per_kg: f64,
}

fn kwh_per_kg() -> f64 {
    52.0
}

impl Device for HydrogenPlant {
    /// Refuses numbers without meaning. The names are those of the fields: the message shows the place in the file.
    fn validate(&self, _periods: Periods) -> Result<(), DeviceError> {
        check::not_negative("p_max_kw", self.p_max_kw)?;
        check::not_negative("hydrogen_kg_per_h", self.hydrogen_kg_per_h)?;
        check::positive("kwh_per_kg", self.kwh_per_kg)?;
        let most = self.p_max_kw / self.kwh_per_kg;
        check::at_most(("hydrogen_kg_per_h", self.hydrogen_kg_per_h), ("p_max_kw / kwh_per_kg", most))
    }

    /// What it can at most give and take: import limits that a scenario leaves open follow from it.
    fn rating(&self, _periods: Periods, _load_kw: &[f64]) -> Rating {
        Rating { supply_kw: 0.0, demand_kw: self.p_max_kw }
    }

    /// Its variables and rows. Power is positive towards the grid; it has no cost of its own, for the energy is paid elsewhere.
    fn contribute(&self, program: &mut Program, around: &Surroundings<'_>) -> Part {
        let Periods { count, hours } = around.periods;
        let mut part = Part::default();
        let mut taken = Expr::default();
        for _ in 0..count {
            let p = program.var(0.0, self.p_max_kw);
            taken.add(hours, p);
            part.power_kw.push(Expr::from(p).times(-1.0));
        }
        let (least, most) = (self.least_kwh(around.periods), self.p_max_kw * hours * count as f64);
        program.within(taken, least, most, "energy that the hydrogen takes", None);
        part
    }
}

impl HydrogenPlant {
    fn least_kwh(&self, periods: Periods) -> f64 {
        self.hydrogen_kg_per_h * self.kwh_per_kg * periods.hours * periods.count as f64
    }
}

register_device!(HydrogenPlant, "hydrogen-plant", "a load that chooses its hours and makes enough hydrogen",
    role: FlexibleLoad, carbon: Load,
    power: "Electrolyser, negative.",
    example: HydrogenPlant { p_max_kw: 100.0, hydrogen_kg_per_h: 0.5, kwh_per_kg: kwh_per_kg() },
    look: Look { place: 6, gives: None, takes: Some(Shown::plain("Electrolyser", 0x44AA99)) },
    oracle: (draw, follow),
    source: "an example");

/// Random parameters that make sense, for the test of all devices.
fn draw(draw: &mut Draw, _periods: Periods) -> HydrogenPlant {
    let (p_max_kw, kwh_per_kg) = (draw.between(20.0, 100.0), draw.between(45.0, 60.0));
    HydrogenPlant { p_max_kw, hydrogen_kg_per_h: draw.between(0.0, 0.95) * p_max_kw / kwh_per_kg, kwh_per_kg }
}

/// The equations once more, on the powers that were found, and what they cost the device itself.
fn follow(device: &HydrogenPlant, done: &Delivered<'_>) -> Result<f64, String> {
    done.within(|_| -device.p_max_kw, |_| 0.0)?;
    let made_kg = -done.power_kw.iter().sum::<f64>() * done.periods.hours / device.kwh_per_kg;
    let asked_kg = device.hydrogen_kg_per_h * done.periods.hours * done.periods.count as f64;
    if made_kg < asked_kg - TOLERANCE {
        return Err(format!("{made_kg} kg of hydrogen are made, {asked_kg} are asked for"));
    }
    Ok(0.0)
}
