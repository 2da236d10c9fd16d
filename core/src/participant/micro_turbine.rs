//! Dispatchable generation with fuel, emissions and a ramp limit.

use super::check::{self, DeviceError};
use super::device::{Part, Surroundings};
use crate::program::{Expr, Program, Var};

/// A unit that is always on: `p_min <= P_t <= p_max`, fuel `a P^2 + b P + c` per hour, `|P_t - P_{t-1}| <= R` per hour.
/// The first period is free of the ramp limit.
#[derive(Clone, Debug, PartialEq)]
pub struct MicroTurbine {
    /// Least power, kW: the unit is never off.
    pub p_min_kw: f64,
    /// Greatest power, kW.
    pub p_max_kw: f64,
    /// `b`: linear fuel cost per kWh.
    pub cost_per_kwh: f64,
    /// `a`: quadratic fuel cost, `a P^2` per hour with `P` in kW.
    pub cost_per_kwh2: f64,
    /// `c`: cost of every hour, whatever the power.
    pub cost_per_h: f64,
    /// `R`: greatest change of power per hour between consecutive periods, kW; `None`: no limit.
    pub ramp_kw_per_h: Option<f64>,
    /// Direct emissions per kWh.
    pub emission_kg_per_kwh: f64,
    /// Price of a kW held as reserve for one period; `None`: offers no reserve.
    pub reserve_cost_per_kw: Option<f64>,
}

impl MicroTurbine {
    /// Checks the numbers.
    ///
    /// # Errors
    /// Negative or crossed power limits, a concave cost, negative emissions or ramp, anything that is not finite.
    pub fn validate(&self) -> Result<(), DeviceError> {
        check::not_negative("p_min_kw", self.p_min_kw)?;
        check::not_negative("p_max_kw", self.p_max_kw)?;
        check::at_most(("p_min_kw", self.p_min_kw), ("p_max_kw", self.p_max_kw))?;
        check::finite("cost_per_kwh", self.cost_per_kwh)?;
        check::not_negative("cost_per_kwh2", self.cost_per_kwh2)?;
        check::finite("cost_per_h", self.cost_per_h)?;
        self.ramp_kw_per_h.map_or(Ok(()), |r| check::not_negative("ramp_kw_per_h", r))?;
        check::not_negative("emission_kg_per_kwh", self.emission_kg_per_kwh)?;
        self.reserve_cost_per_kw.map_or(Ok(()), |c| check::not_negative("reserve_cost_per_kw", c))
    }

    pub(super) fn contribute(&self, program: &mut Program, around: &Surroundings) -> Part {
        let h = around.periods.hours;
        let mut part = Part { emission_kg_per_kwh: self.emission_kg_per_kwh, ..Part::default() };
        part.cost.affine.constant = self.cost_per_h * h * around.periods.count as f64;
        let range = self.p_max_kw - self.p_min_kw;
        let step = self.ramp_kw_per_h.map_or(range, |r| (r * h).min(range));
        let mut before: Option<Var> = None;
        for t in 0..around.periods.count {
            let p = program.var(self.p_min_kw, self.p_max_kw);
            part.cost.add(self.cost_per_kwh * h, p);
            if self.cost_per_kwh2 > 0.0 {
                part.cost.add_square(self.cost_per_kwh2 * h, p);
            }
            if let Some(before) = before.filter(|_| step < range) {
                program.within(Expr::from(p).plus(-1.0, before), -step, step, "ramp limit", Some(t));
            }
            before = Some(p);
            if let Some(cost) = self.reserve_cost_per_kw {
                // What is called must be there within the period it is called in.
                let mut offer = |traded: bool, label, sign: f64| {
                    if !traded {
                        return Expr::default();
                    }
                    let r = program.var(0.0, step);
                    part.cost.add(cost, r);
                    let called = Expr::from(p).plus(sign, r);
                    program.within(called, self.p_min_kw, self.p_max_kw, label, Some(t));
                    Expr::from(r)
                };
                let up = offer(around.reserve_up[t], "upward reserve within the rating", 1.0);
                let down = offer(around.reserve_down[t], "downward reserve within the rating", -1.0);
                part.reserve_up_kw.push(up);
                part.reserve_down_kw.push(down);
            }
            part.series.power_kw.push(Expr::from(p));
        }
        part
    }
}
