//! Demand: what is always served, what may be cut, what may be moved.

use super::check::{self, DeviceError};
use super::device::{Part, Surroundings};
use crate::program::{Expr, Program};
use crate::setting::Periods;

/// Hours within which moved load comes back.
const DAY_H: f64 = 24.0;

/// Demand that is always served.
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    /// Demand per period, kW.
    pub p_kw: Vec<f64>,
}

impl Load {
    /// Checks the numbers.
    ///
    /// # Errors
    /// A series of the wrong length or with negative values.
    pub fn validate(&self, periods: Periods) -> Result<(), DeviceError> {
        check::series("p_kw", &self.p_kw, periods, "at least 0", |v| v >= 0.0)
    }

    pub(super) fn contribute(&self) -> Part {
        let mut part = Part::default();
        part.series.power_kw = self.p_kw.iter().map(|p| Expr::constant(-p)).collect();
        part.series.desired_kw.clone_from(&self.p_kw);
        part
    }
}

/// A share of the participant's own load that may be cut, `0 <= cut_t <= share x load_t`; nothing is recovered later.
#[derive(Clone, Debug, PartialEq)]
pub struct Interruptible {
    /// Greatest share of the load that may be cut.
    pub share: f64,
    /// Paid to the user per kWh cut.
    pub compensation_per_kwh: f64,
}

impl Interruptible {
    /// Checks the numbers.
    ///
    /// # Errors
    /// A share outside 0 to 1, a compensation that is negative or not finite.
    pub fn validate(&self) -> Result<(), DeviceError> {
        check::share("share", self.share)?;
        check::not_negative("compensation_per_kwh", self.compensation_per_kwh)
    }

    pub(super) fn contribute(&self, program: &mut Program, around: &Surroundings) -> Part {
        let mut part = Part::default();
        for load in around.load_kw {
            let cut = program.var(0.0, self.share * load);
            part.cost.add(self.compensation_per_kwh * around.periods.hours, cut);
            part.series.power_kw.push(Expr::from(cut));
        }
        part.series.desired_kw = around.load_kw.to_vec();
        part
    }
}

/// A share of the participant's own load that may be moved: `up_t, down_t` within `[0, share x load_t]` and
/// `sum up_t = sum down_t` over each day of 24 hours (the last one may be shorter).
#[derive(Clone, Debug, PartialEq)]
pub struct Shiftable {
    /// Greatest share of the load of a period that may be added or taken away.
    pub share: f64,
    /// Paid per kWh added and per kWh taken away.
    pub cost_per_kwh: f64,
}

impl Shiftable {
    /// Checks the numbers.
    ///
    /// # Errors
    /// A share outside 0 to 1, a cost that is negative or not finite.
    pub fn validate(&self) -> Result<(), DeviceError> {
        check::share("share", self.share)?;
        check::not_negative("cost_per_kwh", self.cost_per_kwh)
    }

    pub(super) fn contribute(&self, program: &mut Program, around: &Surroundings) -> Part {
        let mut part = Part::default();
        let h = around.periods.hours;
        let day = |t: usize| ((t as f64 + 0.5) * h / DAY_H) as usize;
        let mut moved = Expr::default();
        for (t, load) in around.load_kw.iter().enumerate() {
            let limit = self.share * load;
            // Moving up and down at once only costs; where it costs nothing, one variable cannot do it.
            let down = if self.cost_per_kwh > 0.0 {
                let (up, down) = (program.var(0.0, limit), program.var(0.0, limit));
                part.cost.add(self.cost_per_kwh * h, up).add(self.cost_per_kwh * h, down);
                Expr::from(down).plus(-1.0, up)
            } else {
                Expr::from(program.var(-limit, limit))
            };
            moved.add(h, &down);
            if t + 1 == around.load_kw.len() || day(t + 1) != day(t) {
                program.equal(std::mem::take(&mut moved), 0.0, "moved load comes back within the day", Some(t));
            }
            part.series.power_kw.push(down);
        }
        part.series.desired_kw = around.load_kw.to_vec();
        part
    }
}

#[cfg(test)]
mod tests {
    use super::{Interruptible, Load, Shiftable};
    use crate::participant::Device;
    use crate::participant::testing::{assert_all_close, assert_close, at_prices, hourly};
    use crate::setting::Periods;

    fn load(p_kw: &[f64]) -> Device {
        Device::Load(Load { p_kw: p_kw.to_vec() })
    }

    #[test]
    fn interruptible_load_is_cut_to_its_share_where_the_price_exceeds_the_compensation() {
        let cut = Device::Interruptible(Interruptible { share: 0.1, compensation_per_kwh: 0.8 });
        let periods = Periods { count: 3, hours: 0.5 };
        let found = at_prices(vec![load(&[10.0, 20.0, 30.0]), cut], periods, &[0.7, 0.9, 1.0]).unwrap();
        assert_all_close(&found.power_kw(0), &[-10.0, -20.0, -30.0], 0.0);
        assert_all_close(&found.power_kw(1), &[0.0, 2.0, 3.0], 1e-7);
        // Half hours: (0.9 - 0.8) x 1 kWh + (1.0 - 0.8) x 1.5 kWh.
        let bought = 0.5 * (0.7 * 10.0 + 0.9 * 20.0 + 1.0 * 30.0);
        assert_close(found.profit, -bought + 0.1 + 0.3, 1e-9);
    }

    #[test]
    fn load_moves_where_the_price_gap_exceeds_the_cost_of_both_moves() {
        let shift = |gap: f64| {
            let shiftable = Device::Shiftable(Shiftable { share: 0.1, cost_per_kwh: 0.02 });
            let found = at_prices(vec![load(&[100.0, 50.0]), shiftable], hourly(2), &[1.0 + gap, 1.0]).unwrap();
            found.power_kw(1)
        };
        assert_all_close(&shift(0.05), &[5.0, -5.0], 1e-7);
        assert_all_close(&shift(0.03), &[0.0, 0.0], 1e-7);
    }

    #[test]
    fn free_moves_need_no_choice() {
        let shiftable = Device::Shiftable(Shiftable { share: 0.1, cost_per_kwh: 0.0 });
        let found = at_prices(vec![load(&[100.0, 50.0]), shiftable], hourly(2), &[1.01, 1.0]).unwrap();
        assert_all_close(&found.power_kw(1), &[5.0, -5.0], 1e-7);
        assert_eq!(found.solution.nodes, 1);
    }

    #[test]
    fn load_does_not_move_into_another_day() {
        let prices: Vec<f64> = (0..36).map(|t| if t < 24 { 2.0 } else { 1.0 }).collect();
        let shiftable = Device::Shiftable(Shiftable { share: 0.5, cost_per_kwh: 0.01 });
        let found = at_prices(vec![load(&[10.0; 36]), shiftable], hourly(36), &prices).unwrap();
        assert_all_close(&found.power_kw(1), &[0.0; 36], 1e-7);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        assert!(Load { p_kw: vec![1.0, -1.0] }.validate(hourly(2)).is_err());
        assert!(Load { p_kw: vec![1.0] }.validate(hourly(2)).is_err());
        assert!(Interruptible { share: 1.1, compensation_per_kwh: 1.0 }.validate().is_err());
        assert!(Interruptible { share: 0.1, compensation_per_kwh: -1.0 }.validate().is_err());
        assert!(Shiftable { share: 0.1, cost_per_kwh: f64::NAN }.validate().is_err());
        let text = Load { p_kw: vec![1.0, f64::NAN] }.validate(hourly(2)).unwrap_err().to_string();
        assert_eq!(text, "p_kw in period 1: found NaN, expected at least 0");
    }
}
