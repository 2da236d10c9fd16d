//! Photovoltaic and wind generation: available energy is given, using it is a choice.

use super::check::{self, DeviceError};
use super::device::{Part, Surroundings};
use crate::program::{Expr, Program};
use crate::setting::Periods;

/// Curtailable generation `0 <= P_t <= p_max x profile_t` without emissions.
#[derive(Clone, Debug, PartialEq)]
pub struct Renewable {
    /// Rating, kW.
    pub p_max_kw: f64,
    /// Available power as a share of the rating, per period.
    pub profile: Vec<f64>,
    /// Operation and maintenance per kWh used; energy left unused costs nothing.
    pub cost_per_kwh: f64,
}

impl Renewable {
    /// Checks the numbers.
    ///
    /// # Errors
    /// A negative rating, a profile of the wrong length or outside 0 to 1, a cost that is not finite.
    pub fn validate(&self, periods: Periods) -> Result<(), DeviceError> {
        check::not_negative("p_max_kw", self.p_max_kw)?;
        check::series("profile", &self.profile, periods, "0 to 1", |v| (0.0..=1.0).contains(&v))?;
        check::finite("cost_per_kwh", self.cost_per_kwh)
    }

    pub(super) fn contribute(&self, program: &mut Program, around: &Surroundings) -> Part {
        let mut part = Part::default();
        for share in &self.profile {
            let available = self.p_max_kw * share;
            let used = program.var(0.0, available);
            part.cost.add(self.cost_per_kwh * around.periods.hours, used);
            part.series.power_kw.push(Expr::from(used));
            part.series.available_kw.push(available);
        }
        part
    }
}
