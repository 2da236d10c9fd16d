//! Cooling of a building with one thermal resistance and one thermal capacity.

use super::check::{self, DeviceError};
use super::device::{Part, Surroundings};
use crate::program::{Expr, Program};
use crate::setting::Periods;

/// How a room temperature is controlled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HvacControl {
    /// Within the band, at a price for discomfort.
    #[default]
    Flexible,
    /// As near to the target as the power permits: a load, no decision.
    ConstantTemperature,
}

/// Cooling: `theta_{t+1} = a theta_t + (1 - a)(theta_out - R COP P_t)` with `a = exp(-h / (R C))`; the band and the
/// discomfort `d (theta - target)^2` per hour apply to the temperature at the end of each period.
#[derive(Clone, Debug, PartialEq)]
pub struct Hvac {
    /// `R`: thermal resistance of the building, degrees per kW of heat.
    pub resistance_c_per_kw: f64,
    /// `C`: heat that warms the building by one degree, kWh.
    pub capacity_kwh_per_c: f64,
    /// Heat removed per unit of electric energy.
    pub cop: f64,
    /// Greatest electric power, kW.
    pub p_max_kw: f64,
    /// Outdoor temperature per period, degrees Celsius.
    pub outdoor_c: Vec<f64>,
    /// Temperature at the beginning of the first period.
    pub start_c: f64,
    /// Least temperature.
    pub min_c: f64,
    /// Greatest temperature.
    pub max_c: f64,
    /// Temperature that its users like best.
    pub target_c: f64,
    /// `d`: discomfort per squared degree and hour.
    pub discomfort_per_c2: f64,
    /// How it is controlled.
    pub control: HvacControl,
}

impl Hvac {
    /// Checks the numbers.
    ///
    /// # Errors
    /// Resistance, capacity or performance not positive, a target outside the band, a band that cooling cannot hold,
    /// anything that is not finite.
    pub fn validate(&self, periods: Periods) -> Result<(), DeviceError> {
        check::positive("resistance_c_per_kw", self.resistance_c_per_kw)?;
        check::positive("capacity_kwh_per_c", self.capacity_kwh_per_c)?;
        check::positive("cop", self.cop)?;
        check::not_negative("p_max_kw", self.p_max_kw)?;
        check::series("outdoor_c", &self.outdoor_c, periods, "a number", |_| true)?;
        check::finite("start_c", self.start_c)?;
        check::finite("min_c", self.min_c)?;
        check::finite("max_c", self.max_c)?;
        check::finite("target_c", self.target_c)?;
        check::at_most(("min_c", self.min_c), ("target_c", self.target_c))?;
        check::at_most(("target_c", self.target_c), ("max_c", self.max_c))?;
        check::not_negative("discomfort_per_c2", self.discomfort_per_c2)?;
        self.check_reach(periods)
    }

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
        let mut theta = self.start_c;
        let step = |&outdoor: &f64| {
            let drift = a * theta + (1.0 - a) * outdoor;
            let needed = (drift - self.target_c) / ((1.0 - a) * self.resistance_c_per_kw * self.cop);
            let p = needed.clamp(0.0, self.p_max_kw);
            theta = self.temperature_after(theta, outdoor, p, periods);
            (p, theta)
        };
        self.outdoor_c.iter().map(step).collect()
    }

    pub(super) fn contribute(&self, program: &mut Program, around: &Surroundings) -> Part {
        let mut part = Part::default();
        let h = around.periods.hours;
        let permitted = (self.max_c - self.target_c).max(self.target_c - self.min_c);
        let share = |deviation: Expr| if permitted > 0.0 { deviation.times(1.0 / permitted) } else { Expr::default() };
        if self.control == HvacControl::ConstantTemperature {
            for (p, theta) in self.constant_temperature(around.periods) {
                let deviation = theta - self.target_c;
                part.cost.affine.constant += self.discomfort_per_c2 * h * deviation * deviation;
                part.series.power_kw.push(Expr::constant(-p));
                part.series.discomfort.push(share(Expr::constant(deviation)));
            }
            return part;
        }
        let a = self.decay(around.periods);
        let cooling = (1.0 - a) * self.resistance_c_per_kw * self.cop;
        // Deviations from the target instead of temperatures: the cost of comfort has no large cancelling parts.
        let mut deviation = Expr::constant(self.start_c - self.target_c);
        for (t, outdoor) in self.outdoor_c.iter().enumerate() {
            let p = program.var(0.0, self.p_max_kw);
            let next = program.var(self.min_c - self.target_c, self.max_c - self.target_c);
            let balance = deviation.times(a).plus(-cooling, p).plus(-1.0, next);
            program.equal(balance, -(1.0 - a) * (outdoor - self.target_c), "room temperature", Some(t));
            if self.discomfort_per_c2 > 0.0 {
                part.cost.add_square(self.discomfort_per_c2 * h, next);
            }
            deviation = Expr::from(next);
            part.series.power_kw.push(Expr::from(p).times(-1.0));
            part.series.discomfort.push(share(deviation.clone()));
        }
        part
    }

    /// Temperatures that can be reached within the band form an interval that must never be empty.
    fn check_reach(&self, periods: Periods) -> Result<(), DeviceError> {
        let (mut coldest, mut warmest) = (self.start_c, self.start_c);
        let kept = self.constant_temperature(periods);
        for (t, &outdoor) in self.outdoor_c.iter().enumerate() {
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
