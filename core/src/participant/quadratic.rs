//! An agent known only by a quadratic cost of what it exports: the textbook prosumer of the market literature.

use super::check::{self, DeviceError};
use super::device::{Part, Surroundings};
use crate::program::{Expr, Program};
use crate::setting::Periods;

/// Cost `a/2 g^2 + b g` of a net export `g` of either sign, kWh per period, within bounds. `b` is the value of energy at no
/// exchange.
#[derive(Clone, Debug, PartialEq)]
pub struct Quadratic {
    /// `a`: how fast the marginal cost rises, money per kWh squared.
    pub a_per_kwh2: f64,
    /// `b`: marginal cost at no exchange, per period and kWh.
    pub b_per_kwh: Vec<f64>,
    /// Least net export, kWh per period (negative: greatest purchase).
    pub net_export_min_kwh: f64,
    /// Greatest net export, kWh per period.
    pub net_export_max_kwh: f64,
    /// Price of a kW held as upward reserve for one period; `None`: offers no reserve.
    pub reserve_cost_per_kw: Option<f64>,
}

impl Quadratic {
    /// An agent whose bounds are its net exports at the least and the greatest price it may meet: `g = (price - b) / a`.
    ///
    /// # Errors
    /// As [`validate`](Self::validate).
    pub fn between_prices(
        a_per_kwh2: f64,
        b_per_kwh: Vec<f64>,
        least_price: f64,
        greatest_price: f64,
    ) -> Result<Self, DeviceError> {
        check::positive("a_per_kwh2", a_per_kwh2)?;
        let dearest = b_per_kwh.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let cheapest = b_per_kwh.iter().copied().fold(f64::INFINITY, f64::min);
        let agent = Self {
            a_per_kwh2,
            net_export_min_kwh: (least_price - dearest) / a_per_kwh2,
            net_export_max_kwh: (greatest_price - cheapest) / a_per_kwh2,
            b_per_kwh,
            reserve_cost_per_kw: None,
        };
        agent.validate(Periods { count: agent.b_per_kwh.len(), hours: 1.0 })?;
        Ok(agent)
    }

    /// Checks the numbers.
    ///
    /// # Errors
    /// A concave cost, crossed bounds, a series of the wrong length, anything that is not finite.
    pub fn validate(&self, periods: Periods) -> Result<(), DeviceError> {
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

    pub(super) fn contribute(&self, program: &mut Program, around: &Surroundings) -> Part {
        let h = around.periods.hours;
        let (low, high) = (self.net_export_min_kwh, self.net_export_max_kwh);
        let mut part = Part::default();
        for (t, b) in self.b_per_kwh.iter().enumerate() {
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
            part.series.power_kw.push(Expr::from(g).times(1.0 / h));
        }
        part
    }
}
