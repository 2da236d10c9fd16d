//! What photovoltaic and wind generation have in common: available power is given, using it is a choice, `0 <= P_t <= p_max x
//! profile_t`.

use crate::participant::check::{self, DeviceError};
use crate::participant::oracle::Delivered;
use crate::participant::{Part, Surroundings};
use crate::program::{Expr, Program};
use crate::series::Series;
use crate::setting::Periods;

/// Curtailable generation without emissions.
pub(super) struct Curtailable<'a> {
    pub(super) p_max_kw: f64,
    pub(super) profile: &'a Series,
    pub(super) cost_per_kwh: f64,
}

impl Curtailable<'_> {
    pub(super) fn validate(&self, periods: Periods) -> Result<(), DeviceError> {
        check::not_negative("p_max_kw", self.p_max_kw)?;
        check::series("profile", self.profile, periods, "0 to 1", |v| (0.0..=1.0).contains(&v))?;
        check::finite("cost_per_kwh", self.cost_per_kwh)
    }

    pub(super) fn contribute(&self, program: &mut Program, around: &Surroundings<'_>) -> Part {
        let mut part = Part::default();
        for share in self.profile.values() {
            let available = self.p_max_kw * share;
            let used = program.var(0.0, available);
            part.cost.add(self.cost_per_kwh * around.periods.hours, used);
            part.power_kw.push(Expr::from(used));
            part.available_kw.push(available);
        }
        part
    }

    /// Never more than there is, and only what is used costs.
    pub(super) fn check(&self, done: &Delivered<'_>) -> Result<f64, String> {
        done.within(|_| 0.0, |t| self.p_max_kw * self.profile.values()[t])?;
        Ok(done.cost(|p| self.cost_per_kwh * p))
    }
}
