//! Cooling of a building with one thermal resistance and one thermal capacity.

use crate::participant::check;
use crate::participant::oracle::{Delivered, Draw, TOLERANCE, between, same};
use crate::participant::{Device, DeviceError, Look, Part, Scene, Shown, Surroundings};
use crate::program::{Expr, Program};
use crate::register_device;
use crate::series::Series;
use crate::setting::{Periods, Rating};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a room temperature is controlled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum HvacControl {
    /// Within the band, at a price for discomfort.
    #[default]
    Flexible,
    /// As near to the target as the power permits: a load, no decision.
    ConstantTemperature,
}

/// Cooling: `theta_{t+1} = a theta_t + (1 - a)(theta_out - R COP P_t)` with `a = exp(-h / (R C))`; the band and the
/// discomfort `d (theta - target)^2` per hour apply to the temperature at the end of each period.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hvac {
    /// `R`: thermal resistance of the building, degrees per kW of heat.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub resistance_c_per_kw: f64,
    /// `C`: heat that warms the building by one degree, kWh.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub capacity_kwh_per_c: f64,
    /// Heat removed per unit of electric energy.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub cop: f64,
    /// Greatest electric power, kW.
    #[schemars(range(min = 0.0))]
    pub p_max_kw: f64,
    /// Outdoor temperature per period, degrees Celsius.
    pub outdoor_c: Series,
    /// Temperature at the beginning of the first period, degrees Celsius; `None`: the target.
    #[serde(default)]
    pub start_c: Option<f64>,
    /// Least temperature, degrees Celsius.
    pub min_c: f64,
    /// Greatest temperature, degrees Celsius.
    pub max_c: f64,
    /// Temperature that its users like best, degrees Celsius.
    pub target_c: f64,
    /// `d`: discomfort, money per squared degree and hour.
    #[schemars(range(min = 0.0))]
    pub discomfort_per_c2: f64,
    /// How the power is chosen.
    #[serde(default)]
    pub control: HvacControl,
}

impl Hvac {
    /// `a`: share of a temperature difference that is left after a period.
    pub fn decay(&self, periods: Periods) -> f64 {
        (-periods.hours / (self.resistance_c_per_kw * self.capacity_kwh_per_c)).exp()
    }

    /// Temperature at the end of a period that began at `from_c`.
    pub fn temperature_after(&self, from_c: f64, outdoor_c: f64, p_kw: f64, periods: Periods) -> f64 {
        let a = self.decay(periods);
        a * from_c + (1.0 - a) * (outdoor_c - self.resistance_c_per_kw * self.cop * p_kw)
    }

    /// Electric power that keeps the target as nearly as it can, kW per period, and the temperature it leads to.
    pub fn constant_temperature(&self, periods: Periods) -> Vec<(f64, f64)> {
        let a = self.decay(periods);
        let mut theta = self.start_c();
        let step = |&outdoor: &f64| {
            let drift = a * theta + (1.0 - a) * outdoor;
            let needed = (drift - self.target_c) / ((1.0 - a) * self.resistance_c_per_kw * self.cop);
            let p = needed.clamp(0.0, self.p_max_kw);
            theta = self.temperature_after(theta, outdoor, p, periods);
            (p, theta)
        };
        self.outdoor_c.values().iter().map(step).collect()
    }

    fn start_c(&self) -> f64 {
        self.start_c.unwrap_or(self.target_c)
    }

    /// Temperatures that can be reached within the band form an interval that must never be empty.
    fn check_reach(&self, periods: Periods) -> Result<(), DeviceError> {
        let (mut coldest, mut warmest) = (self.start_c(), self.start_c());
        let kept = self.constant_temperature(periods);
        for (t, &outdoor) in self.outdoor_c.values().iter().enumerate() {
            (coldest, warmest) = match self.control {
                HvacControl::Flexible => (
                    self.temperature_after(coldest, outdoor, self.p_max_kw, periods),
                    self.temperature_after(warmest, outdoor, 0.0, periods),
                ),
                HvacControl::ConstantTemperature => (kept[t].1, kept[t].1),
            };
            if coldest > self.max_c + 1e-9 || warmest < self.min_c - 1e-9 {
                return Err(DeviceError::Unreachable {
                    field: "room temperature",
                    period: Some(t),
                    asked_min: self.min_c,
                    asked_max: self.max_c,
                    least: coldest,
                    greatest: warmest,
                });
            }
            (coldest, warmest) = (coldest.clamp(self.min_c, self.max_c), warmest.clamp(self.min_c, self.max_c));
        }
        Ok(())
    }
}

impl Device for Hvac {
    fn validate(&self, periods: Periods) -> Result<(), DeviceError> {
        check::positive("resistance_c_per_kw", self.resistance_c_per_kw)?;
        check::positive("capacity_kwh_per_c", self.capacity_kwh_per_c)?;
        check::positive("cop", self.cop)?;
        check::not_negative("p_max_kw", self.p_max_kw)?;
        check::series("outdoor_c", &self.outdoor_c, periods, "a number", |_| true)?;
        check::finite("start_c", self.start_c())?;
        check::finite("min_c", self.min_c)?;
        check::finite("max_c", self.max_c)?;
        check::finite("target_c", self.target_c)?;
        check::at_most(("min_c", self.min_c), ("target_c", self.target_c))?;
        check::at_most(("target_c", self.target_c), ("max_c", self.max_c))?;
        check::not_negative("discomfort_per_c2", self.discomfort_per_c2)?;
        self.check_reach(periods)
    }

    fn rating(&self, _periods: Periods, _load_kw: &[f64]) -> Rating {
        Rating { supply_kw: 0.0, demand_kw: self.p_max_kw }
    }

    fn series(&mut self) -> Vec<(&'static str, &mut Series)> {
        vec![("outdoor_c", &mut self.outdoor_c)]
    }

    fn complete(&mut self, _scene: &Scene) -> Result<(), DeviceError> {
        self.start_c.get_or_insert(self.target_c);
        Ok(())
    }

    fn contribute(&self, program: &mut Program, around: &Surroundings<'_>) -> Part {
        let mut part = Part::default();
        let h = around.periods.hours;
        let permitted = (self.max_c - self.target_c).max(self.target_c - self.min_c);
        let share = |deviation: Expr| if permitted > 0.0 { deviation.times(1.0 / permitted) } else { Expr::default() };
        if self.control == HvacControl::ConstantTemperature {
            for (p, theta) in self.constant_temperature(around.periods) {
                let deviation = theta - self.target_c;
                part.cost.affine.constant += self.discomfort_per_c2 * h * deviation * deviation;
                part.power_kw.push(Expr::constant(-p));
                part.discomfort.push(share(Expr::constant(deviation)));
            }
            return part;
        }
        let a = self.decay(around.periods);
        let cooling = (1.0 - a) * self.resistance_c_per_kw * self.cop;
        // Deviations from the target instead of temperatures: the cost of comfort has no large cancelling parts.
        let mut deviation = Expr::constant(self.start_c() - self.target_c);
        for (t, outdoor) in self.outdoor_c.values().iter().enumerate() {
            let p = program.var(0.0, self.p_max_kw);
            let next = program.var(self.min_c - self.target_c, self.max_c - self.target_c);
            let balance = deviation.times(a).plus(-cooling, p).plus(-1.0, next);
            program.equal(balance, -(1.0 - a) * (outdoor - self.target_c), "room temperature", Some(t));
            if self.discomfort_per_c2 > 0.0 {
                part.cost.add_square(self.discomfort_per_c2 * h, next);
            }
            deviation = Expr::from(next);
            part.power_kw.push(Expr::from(p).times(-1.0));
            part.discomfort.push(share(deviation.clone()));
        }
        part
    }
}

register_device!(Hvac, "hvac", "cooling of a building within a band of comfort",
    role: FlexibleLoad, carbon: Load,
    power: "Air conditioning, negative.",
    example: Hvac {
        resistance_c_per_kw: 2.0,
        capacity_kwh_per_c: 2.0,
        cop: 3.0,
        p_max_kw: 3.0,
        outdoor_c: Series::Constant(30.0),
        start_c: None,
        min_c: 22.0,
        max_c: 26.0,
        target_c: 24.0,
        discomfort_per_c2: 0.05,
        control: HvacControl::Flexible,
    },
    look: Look { place: 5, gives: None, takes: Some(Shown::plain("HVAC", 0xE69F00)) },
    oracle: (draw, follow),
    rank: 8);

fn draw(draw: &mut Draw, periods: Periods) -> Hvac {
    Hvac {
        resistance_c_per_kw: draw.between(0.15, 0.4),
        capacity_kwh_per_c: draw.between(8.0, 20.0),
        cop: draw.between(2.5, 4.0),
        p_max_kw: draw.between(20.0, 40.0),
        outdoor_c: draw.series(periods, 22.5, 34.0).into(),
        start_c: draw.chance(0.7).then(|| draw.between(22.5, 25.5)),
        min_c: 22.0,
        max_c: 26.0,
        target_c: draw.between(23.0, 25.0),
        discomfort_per_c2: if draw.chance(0.3) { 0.0 } else { draw.between(0.0, 1.0) },
        control: if draw.chance(0.7) { HvacControl::Flexible } else { HvacControl::ConstantTemperature },
    }
}

/// The temperature is that of the heat balance `C dtheta/dt = (outdoor - theta) / R - cop P`, integrated in small steps.
fn follow(room: &Hvac, done: &Delivered<'_>) -> Result<f64, String> {
    done.within(|_| -room.p_max_kw, |_| 0.0)?;
    if done.discomfort.len() != done.periods.count {
        return Err(format!("{} values of discomfort", done.discomfort.len()));
    }
    let mut theta = room.start_c.unwrap_or(room.target_c);
    let permitted = (room.max_c - room.target_c).max(room.target_c - room.min_c);
    let mut cost = 0.0;
    for (t, (p, outdoor)) in done.power_kw.iter().zip(room.outdoor_c.values()).enumerate() {
        theta = heated(room, theta, *outdoor, -p, done.periods.hours);
        between("temperature", t, theta, room.min_c, room.max_c)?;
        same("deviation from the target", t, done.discomfort[t] * permitted, theta - room.target_c)?;
        cost += done.periods.hours * room.discomfort_per_c2 * (theta - room.target_c).powi(2);
        if room.control == HvacControl::ConstantTemperature {
            let is_at_an_end =
                (theta > room.target_c && -p > room.p_max_kw - TOLERANCE) || (theta < room.target_c && -p < TOLERANCE);
            if !is_at_an_end {
                same("temperature", t, theta, room.target_c)?;
            }
        }
    }
    Ok(cost)
}

/// Temperature after some hours of constant power: four stages of Runge and Kutta, two hundred times.
fn heated(room: &Hvac, from_c: f64, outdoor_c: f64, p_kw: f64, hours: f64) -> f64 {
    const STEPS: usize = 200;
    let step = hours / STEPS as f64;
    let slope =
        |theta: f64| ((outdoor_c - theta) / room.resistance_c_per_kw - room.cop * p_kw) / room.capacity_kwh_per_c;
    (0..STEPS).fold(from_c, |theta, _| {
        let k1 = slope(theta);
        let k2 = slope(theta + 0.5 * step * k1);
        let k3 = slope(theta + 0.5 * step * k2);
        let k4 = slope(theta + step * k3);
        theta + step / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
    })
}

#[cfg(test)]
mod tests {
    use super::{Hvac, HvacControl};
    use crate::participant::testing::{assert_all_close, assert_close, at_prices, hourly};
    use crate::participant::{Device, DeviceError};
    use crate::setting::Periods;

    /// R = 2, C = 2, COP 3, 32 degrees outside.
    fn room(periods: usize) -> Hvac {
        Hvac {
            resistance_c_per_kw: 2.0,
            capacity_kwh_per_c: 2.0,
            cop: 3.0,
            p_max_kw: 2.0,
            outdoor_c: vec![32.0; periods].into(),
            start_c: Some(26.0),
            min_c: 22.0,
            max_c: 28.0,
            target_c: 26.0,
            discomfort_per_c2: 0.0,
            control: HvacControl::Flexible,
        }
    }

    #[test]
    fn temperatures_follow_the_exact_step_of_the_circuit() {
        let room = room(4);
        assert_close(room.decay(hourly(4)), 0.7788007831, 1e-10);
        let mut theta = 26.0;
        let mut found = vec![];
        for p in [1.0, 0.5, 0.0, 2.0, 1.0] {
            found.push(theta);
            theta = room.temperature_after(theta, 32.0, p, hourly(4));
        }
        assert_all_close(&found, &[26.0, 26.0, 26.6635976508, 27.8440056716, 26.1089177595], 1e-9);
        assert_close(theta, 26.0848252364, 1e-9);
    }

    #[test]
    fn an_uncooled_room_warms_from_24_to_28_in_four_time_constants_times_ln_2() {
        let periods = Periods { count: 1, hours: 2.7725887222 };
        assert_close(room(1).temperature_after(24.0, 32.0, 0.0, periods), 28.0, 1e-9);
    }

    #[test]
    fn constant_temperature_takes_the_steady_power() {
        let held = Hvac { control: HvacControl::ConstantTemperature, ..room(3) };
        let found = at_prices(vec![held.boxed()], hourly(3), &[1.0, 2.0, 3.0]).unwrap();
        assert_all_close(&found.power_kw(0), &[-1.0; 3], 1e-9);
        assert_close(found.profit, -6.0, 1e-9);
        // From 28 the greatest power is not enough at first.
        let warm =
            Hvac { start_c: Some(28.0), discomfort_per_c2: 1.0, control: HvacControl::ConstantTemperature, ..room(2) };
        let kept = warm.constant_temperature(hourly(2));
        assert_eq!(kept[0].0, 2.0);
        assert_close(kept[0].1, 28.0 * 0.7788007831 + 20.0 * 0.2211992169, 1e-8);
        assert!(kept[1].0 < 2.0);
        assert_close(kept[1].1, 26.0, 1e-12);
        let discomfort = (kept[0].1 - 26.0).powi(2);
        let found = at_prices(vec![warm.boxed()], hourly(2), &[0.0; 2]).unwrap();
        assert_close(found.profit, -discomfort, 1e-9);
    }

    #[test]
    fn comfort_is_traded_against_the_price() {
        // d (theta - target)^2 h + price P h is least where theta - target = price / (2 d k), k degrees per kW.
        let periods = Periods { count: 1, hours: 0.5 };
        let room = Hvac { discomfort_per_c2: 0.5, p_max_kw: 10.0, ..room(1) };
        let k = (1.0 - (-0.5_f64 / 4.0).exp()) * 6.0;
        let deviation = 0.3 / (2.0 * 0.5 * k);
        let found = at_prices(vec![room.clone().boxed()], periods, &[0.3]).unwrap();
        let power = (room.temperature_after(26.0, 32.0, 0.0, periods) - 26.0 - deviation) / k;
        assert_all_close(&found.power_kw(0), &[-power], 1e-7);
        assert_close(found.profit, -(0.5 * 0.5 * deviation * deviation + 0.3 * 0.5 * power), 1e-9);
        // The band reaches further down (4 degrees) than up (2).
        assert_all_close(&found.values(&found.contribution.devices[0].discomfort), &[deviation / 4.0], 1e-7);
    }

    #[test]
    fn precooling_follows_prices_and_the_reported_powers_give_the_reported_temperatures() {
        let prices = [0.1, 0.1, 1.0, 1.0, 0.1, 1.0];
        let room = Hvac { discomfort_per_c2: 0.01, ..room(6) };
        let found = at_prices(vec![room.clone().boxed()], hourly(6), &prices).unwrap();
        let power = found.power_kw(0);
        assert!(-power[1] > 1.0 && -power[2] < 1.0, "{power:?}");
        let mut theta = room.start_c();
        for (p, deviation) in power.iter().zip(found.values(&found.contribution.devices[0].discomfort)) {
            theta = room.temperature_after(theta, 32.0, -p, hourly(6));
            assert_close(theta, room.target_c + 4.0 * deviation, 1e-7);
            assert!(theta < 28.0 + 1e-7 && theta > 22.0 - 1e-7);
        }
    }

    #[test]
    fn a_band_that_cannot_be_held_is_refused_with_what_can() {
        let weak = Hvac { p_max_kw: 0.5, ..room(24) };
        match weak.validate(hourly(24)) {
            // 29 - 3 exp(-t / 4) passes 28 after 4.39 hours.
            Err(DeviceError::Unreachable { period: Some(4), least, .. }) => assert!(least > 28.0 && least < 29.0),
            other => panic!("{other:?}"),
        }
        let winter = Hvac { outdoor_c: vec![10.0; 24].into(), ..room(24) };
        assert!(matches!(winter.validate(hourly(24)), Err(DeviceError::Unreachable { .. })));
        assert!(Hvac { target_c: 30.0, ..room(24) }.validate(hourly(24)).is_err());
        assert!(Hvac { cop: 0.0, ..room(24) }.validate(hourly(24)).is_err());
        assert!(room(24).validate(hourly(24)).is_ok());
    }
}
