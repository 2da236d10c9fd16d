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
