//! A share of the load that may be cut against compensation.

use crate::participant::check;
use crate::participant::oracle::{Delivered, Draw};
use crate::participant::{Device, DeviceError, Hatching, Look, Part, Shown, Surroundings};
use crate::program::{Expr, Program};
use crate::register_device;
use crate::setting::{Periods, Rating};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A share of the participant's own load that may be cut, `0 <= cut_t <= share x load_t`; nothing is recovered later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Interruptible {
    /// Greatest share of the load that may be cut, 0 to 1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub share: f64,
    /// Paid to the user, money per kWh cut.
    #[schemars(range(min = 0.0))]
    pub compensation_per_kwh: f64,
}

impl Device for Interruptible {
    fn validate(&self, _periods: Periods) -> Result<(), DeviceError> {
        check::share("share", self.share)?;
        check::not_negative("compensation_per_kwh", self.compensation_per_kwh)
    }

    /// Cutting a load gives nothing that it did not take.
    fn rating(&self, _periods: Periods, _load_kw: &[f64]) -> Rating {
        Rating::default()
    }

    fn contribute(&self, program: &mut Program, around: &Surroundings<'_>) -> Part {
        let mut part = Part::default();
        for load in around.load_kw {
            let cut = program.var(0.0, self.share * load);
            part.cost.add(self.compensation_per_kwh * around.periods.hours, cut);
            part.power_kw.push(Expr::from(cut));
        }
        part.desired_kw = around.load_kw.to_vec();
        part
    }

    fn share_of_load(&self) -> Option<f64> {
        Some(self.share)
    }
}

register_device!(Interruptible, "interruptible", "a share of the load that may be cut against compensation",
    role: FlexibleLoad, carbon: Load,
    power: "Interrupted load, positive.",
    example: Interruptible { share: 0.1, compensation_per_kwh: 0.8 },
    look: Look { place: 7, gives: Some(Shown::hatched("Interrupted", 0xBFDCEC, Hatching::Dots)), takes: None },
    oracle: (draw, check),
    rank: 5);

fn draw(draw: &mut Draw, _periods: Periods) -> Interruptible {
    Interruptible { share: draw.between(0.0, 0.4), compensation_per_kwh: draw.between(0.2, 1.0) }
}

fn check(device: &Interruptible, done: &Delivered<'_>) -> Result<f64, String> {
    done.within(|_| 0.0, |t| device.share * done.load_kw[t])?;
    Ok(done.cost(|p| device.compensation_per_kwh * p))
}

#[cfg(test)]
mod tests {
    use super::Interruptible;
    use crate::participant::testing::{assert_all_close, assert_close, at_prices, hourly};
    use crate::participant::{Device, Load};
    use crate::setting::Periods;

    fn load(p_kw: &[f64]) -> Box<dyn Device> {
        Load { p_kw: p_kw.to_vec().into() }.boxed()
    }

    #[test]
    fn interruptible_load_is_cut_to_its_share_where_the_price_exceeds_the_compensation() {
        let cut = Interruptible { share: 0.1, compensation_per_kwh: 0.8 }.boxed();
        let periods = Periods { count: 3, hours: 0.5 };
        let found = at_prices(vec![load(&[10.0, 20.0, 30.0]), cut], periods, &[0.7, 0.9, 1.0]).unwrap();
        assert_all_close(&found.power_kw(0), &[-10.0, -20.0, -30.0], 0.0);
        assert_all_close(&found.power_kw(1), &[0.0, 2.0, 3.0], 1e-7);
        // Half hours: (0.9 - 0.8) x 1 kWh + (1.0 - 0.8) x 1.5 kWh.
        let bought = 0.5 * (0.7 * 10.0 + 0.9 * 20.0 + 1.0 * 30.0);
        assert_close(found.profit, -bought + 0.1 + 0.3, 1e-9);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        assert!(Interruptible { share: 1.1, compensation_per_kwh: 1.0 }.validate(hourly(1)).is_err());
        assert!(Interruptible { share: 0.1, compensation_per_kwh: -1.0 }.validate(hourly(1)).is_err());
    }
}
