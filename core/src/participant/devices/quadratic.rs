//! An agent known only by a quadratic cost of what it exports: the textbook prosumer of the market literature.

use crate::participant::check;
use crate::participant::oracle::{Delivered, Draw};
use crate::participant::{Device, DeviceError, Look, Part, Scene, Shown, Surroundings};
use crate::program::{Expr, Program};
use crate::register_device;
use crate::series::Series;
use crate::setting::{Periods, Rating};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Cost `a/2 g^2 + b g` of a net export `g` of either sign, kWh per period, within bounds. `b` is the value of energy at no
/// exchange.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quadratic {
    /// `a`: how fast the marginal cost rises, money per kWh squared.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub a_per_kwh2: f64,
    /// `b`: marginal cost at no exchange, money per kWh, per period.
    pub b_per_kwh: Series,
    /// Least net export, kWh per period (negative: greatest purchase). In scenario files it follows from the prices.
    #[serde(skip, default = "without_bound_below")]
    pub net_export_min_kwh: f64,
    /// Greatest net export, kWh per period. In scenario files it follows from the prices.
    #[serde(skip, default = "without_bound_above")]
    pub net_export_max_kwh: f64,
    /// Price of a kW held as reserve for one period, money; `None`: offers no reserve. Scenario files trade none.
    #[serde(skip)]
    pub reserve_cost_per_kw: Option<f64>,
}

fn without_bound_below() -> f64 {
    f64::NEG_INFINITY
}

fn without_bound_above() -> f64 {
    f64::INFINITY
}

impl Quadratic {
    /// An agent whose bounds are its net exports at the least and the greatest price it may meet: `g = (price - b) / a`.
    ///
    /// # Errors
    /// As [`Device::validate`].
    pub fn between_prices(
        a_per_kwh2: f64,
        b_per_kwh: Vec<f64>,
        least_price: f64,
        greatest_price: f64,
    ) -> Result<Self, DeviceError> {
        let mut agent = Self {
            a_per_kwh2,
            b_per_kwh: b_per_kwh.into(),
            net_export_min_kwh: f64::NEG_INFINITY,
            net_export_max_kwh: f64::INFINITY,
            reserve_cost_per_kw: None,
        };
        agent.bound(least_price, greatest_price)?;
        Ok(agent)
    }

    fn bound(&mut self, least_price: f64, greatest_price: f64) -> Result<(), DeviceError> {
        let (a, b) = (self.a_per_kwh2, self.b_per_kwh.values());
        check::positive("a_per_kwh2", a)?;
        check::finite("price", least_price.abs().max(greatest_price.abs()))?;
        let dearest = b.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let cheapest = b.iter().copied().fold(f64::INFINITY, f64::min);
        let periods = Periods { count: b.len(), hours: 1.0 };
        self.net_export_min_kwh = (least_price - dearest) / a;
        self.net_export_max_kwh = (greatest_price - cheapest) / a;
        self.validate(periods)
    }
}

impl Device for Quadratic {
    fn validate(&self, periods: Periods) -> Result<(), DeviceError> {
        check::not_negative("a_per_kwh2", self.a_per_kwh2)?;
        check::series("b_per_kwh", &self.b_per_kwh, periods, "a number", |_| true)?;
        check::finite("net_export_min_kwh", self.net_export_min_kwh)?;
        check::finite("net_export_max_kwh", self.net_export_max_kwh)?;
        check::at_most(
            ("net_export_min_kwh", self.net_export_min_kwh),
            ("net_export_max_kwh", self.net_export_max_kwh),
        )?;
        self.reserve_cost_per_kw.map_or(Ok(()), |c| check::not_negative("reserve_cost_per_kw", c))
    }

    fn rating(&self, periods: Periods, _load_kw: &[f64]) -> Rating {
        Rating {
            supply_kw: (self.net_export_max_kwh / periods.hours).max(0.0),
            demand_kw: (-self.net_export_min_kwh / periods.hours).max(0.0),
        }
    }

    fn series(&mut self) -> Vec<(&'static str, &mut Series)> {
        vec![("b_per_kwh", &mut self.b_per_kwh)]
    }

    /// Beyond twice the dearest price nobody sells and below zero nobody buys: bounds that never bind in a market.
    fn complete(&mut self, scene: &Scene) -> Result<(), DeviceError> {
        self.bound(0.0, 2.0 * scene.dearest_per_kwh)
    }

    fn contribute(&self, program: &mut Program, around: &Surroundings<'_>) -> Part {
        let h = around.periods.hours;
        let (low, high) = (self.net_export_min_kwh, self.net_export_max_kwh);
        let mut part = Part::default();
        for (t, b) in self.b_per_kwh.values().iter().enumerate() {
            let g = program.var(low, high);
            part.cost.add(*b, g);
            if self.a_per_kwh2 > 0.0 {
                part.cost.add_square(0.5 * self.a_per_kwh2, g);
            }
            if let Some(cost) = self.reserve_cost_per_kw {
                let mut offer = |traded: bool, label, sign: f64| {
                    if !traded {
                        return Expr::default();
                    }
                    let r = program.var(0.0, (high - low) / h);
                    part.cost.add(cost, r);
                    program.within(Expr::from(g).plus(sign * h, r), low, high, label, Some(t));
                    Expr::from(r)
                };
                let up = offer(around.reserve_up[t], "upward reserve within the bounds", 1.0);
                let down = offer(around.reserve_down[t], "downward reserve within the bounds", -1.0);
                part.reserve_up_kw.push(up);
                part.reserve_down_kw.push(down);
            }
            part.power_kw.push(Expr::from(g).times(1.0 / h));
        }
        part
    }
}

register_device!(Quadratic, "quadratic", "an agent known only by a quadratic cost of what it exports",
    role: Generation, carbon: Free,
    power: "Quadratic agent's net output.",
    example: Quadratic {
        a_per_kwh2: 0.004,
        b_per_kwh: Series::Constant(0.2),
        net_export_min_kwh: f64::NEG_INFINITY,
        net_export_max_kwh: f64::INFINITY,
        reserve_cost_per_kw: None,
    },
    look: Look {
        place: 9,
        gives: Some(Shown::plain("Net generation", 0xB5B5B5)),
        takes: Some(Shown::plain("Net demand", 0x59A3CD)),
    },
    oracle: (draw, check),
    rank: 9);

fn draw(draw: &mut Draw, periods: Periods) -> Quadratic {
    Quadratic {
        a_per_kwh2: draw.between(0.002, 0.05),
        b_per_kwh: draw.series(periods, 0.1, 1.3).into(),
        net_export_min_kwh: draw.between(-80.0, 0.0),
        net_export_max_kwh: draw.between(0.0, 80.0),
        reserve_cost_per_kw: None,
    }
}

fn check(agent: &Quadratic, done: &Delivered<'_>) -> Result<f64, String> {
    let h = done.periods.hours;
    done.within(|_| agent.net_export_min_kwh / h, |_| agent.net_export_max_kwh / h)?;
    let exported = done.power_kw.iter().map(|p| p * h);
    Ok(exported.zip(agent.b_per_kwh.values()).map(|(g, b)| (0.5 * agent.a_per_kwh2 * g + b) * g).sum())
}

#[cfg(test)]
mod tests {
    use super::Quadratic;
    use crate::participant::testing::{assert_all_close, assert_close, at_prices, hourly};
    use crate::participant::{Device, Participant, Portfolio};
    use crate::program::{Cost, Expr, Program};
    use crate::setting::{Product, Setting, Slot};

    #[test]
    fn exports_what_brings_marginal_cost_to_the_price() {
        let agent = Quadratic::between_prices(0.004, vec![0.20, 0.30], 0.0, 2.0).unwrap();
        assert_all_close(&[agent.net_export_min_kwh, agent.net_export_max_kwh], &[-75.0, 450.0], 1e-9);
        let periods = crate::setting::Periods { count: 2, hours: 0.5 };
        let found = at_prices(vec![agent.boxed()], periods, &[0.4, 0.1]).unwrap();
        assert_all_close(&found.values(&found.contribution.output), &[50.0, -50.0], 1e-7);
        assert_all_close(&found.power_kw(0), &[100.0, -100.0], 1e-7);
        assert_close(found.profit, 0.4 * 50.0 - (0.002 * 2500.0 + 10.0) - 5.0 - (0.002 * 2500.0 - 15.0), 1e-9);
    }

    #[test]
    fn three_agents_share_a_reserve_and_its_price() {
        // Capacities 140 and 60, 30 kW of reserve at 0.05 and 0.08 per kW: energy price 0.76, reserve price 0.09.
        let mut setting = Setting::energy(hourly(1), None, None, vec![]);
        setting.slots.push(Slot { product: Product::ReserveUp, period: 0 });
        let mut program = Program::new();
        let (mut energy, mut reserve) = (Expr::default(), Expr::default());
        let (mut cost, mut outputs) = (Cost::default(), vec![]);
        for (a, b, high, price) in
            [(0.004, 0.20, 140.0, Some(0.05)), (0.005, 0.55, 60.0, Some(0.08)), (0.002, 1.10, 450.0, None)]
        {
            let mut agent = Quadratic::between_prices(a, vec![b], 0.0, 2.0).unwrap();
            agent.net_export_max_kwh = high;
            agent.reserve_cost_per_kw = price;
            let portfolio = Portfolio::new("agent", vec![agent.boxed()], hourly(1)).unwrap();
            let own = portfolio.contribute(&mut program, &setting);
            energy.add(1.0, &own.output[0]);
            reserve.add(1.0, &own.output[1]);
            cost.add(1.0, &own.cost.affine);
            cost.squares.extend(own.cost.squares);
            outputs.extend(own.output);
        }
        let balance = program.equal(energy, 0.0, "energy balance", None);
        let requirement = program.equal(reserve, 30.0, "reserve requirement", None);
        program.add_cost(&cost);
        let solution = program.compile().instance().solve().unwrap();
        let found: Vec<f64> = outputs.iter().map(|e| solution.value(e)).collect();
        assert_all_close(&found, &[130.0, 10.0, 40.0, 20.0, -170.0, 0.0], 1e-6);
        assert_close(solution.dual(balance), 0.76, 1e-7);
        assert_close(solution.dual(requirement), 0.09, 1e-7);
        assert_close(cost.value(&solution.x), -70.2, 1e-7);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        assert!(Quadratic::between_prices(0.0, vec![0.2], 0.0, 2.0).is_err());
        assert!(Quadratic::between_prices(0.1, vec![f64::NAN], 0.0, 2.0).is_err());
        assert!(Quadratic::between_prices(0.1, vec![0.2], 2.0, 0.0).is_err());
        let agent = Quadratic::between_prices(0.1, vec![0.2], 0.0, 2.0).unwrap();
        assert!(agent.validate(hourly(2)).is_err());
    }
}
