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

#[cfg(test)]
mod tests {
    use super::MicroTurbine;
    use crate::participant::testing::{assert_all_close, assert_close, at_prices, hourly, with_cost};
    use crate::participant::{Device, Portfolio};
    use crate::setting::{Periods, Setting};

    fn turbine(p_max_kw: f64, cost_per_kwh: f64) -> MicroTurbine {
        MicroTurbine {
            p_min_kw: 0.0,
            p_max_kw,
            cost_per_kwh,
            cost_per_kwh2: 0.0,
            cost_per_h: 0.0,
            ramp_kw_per_h: None,
            emission_kg_per_kwh: 0.0,
            reserve_cost_per_kw: None,
        }
    }

    #[test]
    fn runs_where_marginal_fuel_and_carbon_meet_the_price() {
        // a = 60, b = 350, price 600, e = 0.6, quota 0.4, carbon 280.
        let unit = MicroTurbine { cost_per_kwh2: 60.0, emission_kg_per_kwh: 0.6, ..turbine(10.0, 350.0) };
        let portfolio = Portfolio::new("test", vec![Device::MicroTurbine(unit)], hourly(1)).unwrap();
        let setting = Setting::energy(hourly(1), None, None, vec![]);
        for (carbon, quota, expected) in
            [(0.0, 0.0, 2.0833333333), (280.0, 0.0, 0.6833333333), (280.0, 0.4, 1.6166666667)]
        {
            let found = with_cost(&portfolio, &setting, |own| {
                let mut cost = own.cost.clone();
                cost.add(-600.0, &own.output[0]);
                cost.add(carbon, &own.emission_kg[0]).add(-carbon * quota, &own.emitting_kwh[0]);
                cost
            });
            assert_close(found.unwrap().power_kw(0)[0], expected, 1e-9);
        }
    }

    #[test]
    fn ramps_from_the_first_period_which_is_free() {
        // 2 kW per hour are 1 kW per half hour; running early at a loss of 1 earns 9 later.
        let unit = MicroTurbine { ramp_kw_per_h: Some(2.0), ..turbine(5.0, 1.0) };
        let periods = Periods { count: 3, hours: 0.5 };
        let found = at_prices(vec![Device::MicroTurbine(unit)], periods, &[0.5, 10.0, 0.0]).unwrap();
        assert_all_close(&found.power_kw(0), &[4.0, 5.0, 4.0], 1e-7);
        assert_close(found.profit, 0.5 * (-0.5 * 4.0 + 9.0 * 5.0 - 4.0), 1e-9);
    }

    #[test]
    fn pays_for_idling_and_for_its_least_power() {
        let unit = MicroTurbine { p_min_kw: 1.0, cost_per_h: 3.0, emission_kg_per_kwh: 0.5, ..turbine(5.0, 2.0) };
        let periods = Periods { count: 4, hours: 0.5 };
        let found = at_prices(vec![Device::MicroTurbine(unit)], periods, &[0.0; 4]).unwrap();
        assert_close(found.profit, -(3.0 + 2.0) * 2.0, 1e-9);
        assert_all_close(&found.values(&found.contribution.emission_kg), &[0.25; 4], 1e-9);
        assert_all_close(&found.values(&found.contribution.emitting_kwh), &[0.5; 4], 1e-9);
    }

    #[test]
    fn a_unit_without_emissions_is_no_emitting_device() {
        let found = at_prices(vec![Device::MicroTurbine(turbine(5.0, 1.0))], hourly(1), &[2.0]).unwrap();
        assert_all_close(&found.values(&found.contribution.emitting_kwh), &[0.0], 0.0);
        assert_all_close(&found.power_kw(0), &[5.0], 1e-7);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        assert!(MicroTurbine { p_min_kw: 6.0, ..turbine(5.0, 1.0) }.validate().is_err());
        assert!(MicroTurbine { cost_per_kwh2: -1e-4, ..turbine(5.0, 1.0) }.validate().is_err());
        assert!(MicroTurbine { ramp_kw_per_h: Some(-1.0), ..turbine(5.0, 1.0) }.validate().is_err());
        assert!(MicroTurbine { emission_kg_per_kwh: f64::NAN, ..turbine(5.0, 1.0) }.validate().is_err());
        assert!(turbine(-5.0, 1.0).validate().is_err());
        assert!(turbine(5.0, 1.0).validate().is_ok());
    }
}
