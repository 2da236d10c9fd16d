//! Dispatchable generation with fuel, emissions and a ramp limit.

use crate::participant::check;
use crate::participant::oracle::{Delivered, Draw, between};
use crate::participant::{Device, DeviceError, Look, Part, Shown, Surroundings};
use crate::program::{Expr, Program, Var};
use crate::register_device;
use crate::setting::{Periods, Rating};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A unit that is always on: `p_min <= P_t <= p_max`, fuel `a P^2 + b P + c` per hour, `|P_t - P_{t-1}| <= R` per hour.
/// The first period is free of the ramp limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MicroTurbine {
    /// Least power, kW: the unit is never off.
    #[serde(default)]
    #[schemars(range(min = 0.0))]
    pub p_min_kw: f64,
    /// Greatest power, kW.
    #[schemars(range(min = 0.0))]
    pub p_max_kw: f64,
    /// `b`: linear fuel cost, money per kWh.
    #[serde(default)]
    pub cost_per_kwh: f64,
    /// `a`: quadratic fuel cost, money per hour for a square of the power, `a P^2` with `P` in kW.
    #[serde(default)]
    #[schemars(range(min = 0.0))]
    pub cost_per_kwh2: f64,
    /// `c`: money per hour, whatever the power.
    #[serde(default)]
    pub cost_per_h: f64,
    /// `R`: greatest change of power per hour between consecutive periods, kW; `None`: no limit.
    #[serde(default)]
    #[schemars(range(min = 0.0))]
    pub ramp_kw_per_h: Option<f64>,
    /// Direct emissions, kg per kWh.
    #[schemars(range(min = 0.0))]
    pub emission_kg_per_kwh: f64,
    /// Price of a kW held as reserve for one period, money; `None`: offers no reserve. Scenario files trade none.
    #[serde(skip)]
    pub reserve_cost_per_kw: Option<f64>,
}

impl Device for MicroTurbine {
    fn validate(&self, _periods: Periods) -> Result<(), DeviceError> {
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

    fn rating(&self, _periods: Periods, _load_kw: &[f64]) -> Rating {
        Rating { supply_kw: self.p_max_kw, demand_kw: 0.0 }
    }

    fn emission_kg_per_kwh(&self) -> f64 {
        self.emission_kg_per_kwh
    }

    fn contribute(&self, program: &mut Program, around: &Surroundings<'_>) -> Part {
        let h = around.periods.hours;
        let mut part = Part::default();
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
            part.power_kw.push(Expr::from(p));
        }
        part
    }
}

register_device!(MicroTurbine, "micro-turbine", "dispatchable generation with fuel, emissions and a ramp limit",
    role: Generation, carbon: Direct,
    power: "Micro-turbine output.",
    example: MicroTurbine {
        p_min_kw: 0.0,
        p_max_kw: 30.0,
        cost_per_kwh: 0.5,
        cost_per_kwh2: 0.0,
        cost_per_h: 0.0,
        ramp_kw_per_h: None,
        emission_kg_per_kwh: 0.55,
        reserve_cost_per_kw: None,
    },
    look: Look { place: 0, gives: Some(Shown::plain("Turbine", 0x8C8C8C)), takes: None },
    oracle: (draw, check),
    rank: 2);

fn draw(draw: &mut Draw, _periods: Periods) -> MicroTurbine {
    MicroTurbine {
        p_min_kw: draw.between(0.0, 20.0),
        p_max_kw: draw.between(20.0, 80.0),
        cost_per_kwh: draw.between(0.1, 1.0),
        cost_per_kwh2: if draw.chance(0.3) { 0.0 } else { draw.between(0.0, 1e-2) },
        cost_per_h: draw.between(0.0, 2.0),
        ramp_kw_per_h: draw.chance(0.7).then(|| draw.between(5.0, 60.0)),
        emission_kg_per_kwh: 0.6,
        reserve_cost_per_kw: None,
    }
}

fn check(unit: &MicroTurbine, done: &Delivered<'_>) -> Result<f64, String> {
    done.within(|_| unit.p_min_kw, |_| unit.p_max_kw)?;
    if let Some(ramp) = unit.ramp_kw_per_h {
        let step = ramp * done.periods.hours;
        for (t, pair) in done.power_kw.windows(2).enumerate() {
            between("change of power", t + 1, pair[1] - pair[0], -step, step)?;
        }
    }
    Ok(done.cost(|p| unit.cost_per_kwh2 * p * p + unit.cost_per_kwh * p + unit.cost_per_h))
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
        let portfolio = Portfolio::new("test", vec![unit.boxed()], hourly(1)).unwrap();
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
        let found = at_prices(vec![unit.boxed()], periods, &[0.5, 10.0, 0.0]).unwrap();
        assert_all_close(&found.power_kw(0), &[4.0, 5.0, 4.0], 1e-7);
        assert_close(found.profit, 0.5 * (-0.5 * 4.0 + 9.0 * 5.0 - 4.0), 1e-9);
    }

    #[test]
    fn pays_for_idling_and_for_its_least_power() {
        let unit = MicroTurbine { p_min_kw: 1.0, cost_per_h: 3.0, emission_kg_per_kwh: 0.5, ..turbine(5.0, 2.0) };
        let periods = Periods { count: 4, hours: 0.5 };
        let found = at_prices(vec![unit.boxed()], periods, &[0.0; 4]).unwrap();
        assert_close(found.profit, -(3.0 + 2.0) * 2.0, 1e-9);
        assert_all_close(&found.values(&found.contribution.emission_kg), &[0.25; 4], 1e-9);
        assert_all_close(&found.values(&found.contribution.emitting_kwh), &[0.5; 4], 1e-9);
    }

    #[test]
    fn a_unit_without_emissions_is_no_emitting_device() {
        let found = at_prices(vec![turbine(5.0, 1.0).boxed()], hourly(1), &[2.0]).unwrap();
        assert_all_close(&found.values(&found.contribution.emitting_kwh), &[0.0], 0.0);
        assert_all_close(&found.power_kw(0), &[5.0], 1e-7);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        assert!(MicroTurbine { p_min_kw: 6.0, ..turbine(5.0, 1.0) }.validate(hourly(1)).is_err());
        assert!(MicroTurbine { cost_per_kwh2: -1e-4, ..turbine(5.0, 1.0) }.validate(hourly(1)).is_err());
        assert!(MicroTurbine { ramp_kw_per_h: Some(-1.0), ..turbine(5.0, 1.0) }.validate(hourly(1)).is_err());
        assert!(MicroTurbine { emission_kg_per_kwh: f64::NAN, ..turbine(5.0, 1.0) }.validate(hourly(1)).is_err());
        assert!(turbine(-5.0, 1.0).validate(hourly(1)).is_err());
        assert!(turbine(5.0, 1.0).validate(hourly(1)).is_ok());
    }
}
