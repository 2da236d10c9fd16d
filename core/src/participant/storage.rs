//! A battery that never charges and discharges at once.

use super::Store;
use super::check::{self, DeviceError};
use super::device::{Part, Surroundings};
use crate::carbon::storage::StorageEfficiency;
use crate::program::{Expr, Program};
use crate::setting::Periods;

/// A battery: `S_{t+1} = k S_t + eta_c P_c h - P_d h / eta_d`, with `P_c P_d = 0`, power and wear at the terminals.
#[derive(Clone, Debug, PartialEq)]
pub struct Storage {
    /// Energy it can hold, kWh.
    pub capacity_kwh: f64,
    /// Greatest charging power at the terminals, kW.
    pub p_charge_max_kw: f64,
    /// Greatest discharging power at the terminals, kW.
    pub p_discharge_max_kw: f64,
    /// Share of the charged energy that is stored.
    pub efficiency_charge: f64,
    /// Share of the energy drawn from the store that reaches the terminals.
    pub efficiency_discharge: f64,
    /// Share of the stored energy that is left after an hour; `k` is this to the power of the period length.
    pub retention_per_h: f64,
    /// Least state of charge, as a share of the capacity.
    pub soc_min: f64,
    /// Greatest state of charge.
    pub soc_max: f64,
    /// State of charge before the first period.
    pub soc_start: f64,
    /// State of charge after the last period; `None`: as at the start.
    pub soc_end: Option<f64>,
    /// Wear per kWh charged and per kWh discharged.
    pub cost_per_kwh: f64,
    /// Price of a kW held as reserve for one period; `None`: offers no reserve.
    pub reserve_cost_per_kw: Option<f64>,
}

impl Storage {
    /// Checks the numbers.
    ///
    /// # Errors
    /// Negative sizes, efficiencies or states of charge outside 0 to 1, crossed limits, a final state that the power cannot
    /// reach, anything that is not finite.
    pub fn validate(&self, periods: Periods) -> Result<(), DeviceError> {
        check::not_negative("capacity_kwh", self.capacity_kwh)?;
        check::not_negative("p_charge_max_kw", self.p_charge_max_kw)?;
        check::not_negative("p_discharge_max_kw", self.p_discharge_max_kw)?;
        check::efficiency("efficiency_charge", self.efficiency_charge)?;
        check::efficiency("efficiency_discharge", self.efficiency_discharge)?;
        check::efficiency("retention_per_h", self.retention_per_h)?;
        check::share("soc_min", self.soc_min)?;
        check::share("soc_max", self.soc_max)?;
        check::share("soc_start", self.soc_start)?;
        check::at_most(("soc_min", self.soc_min), ("soc_max", self.soc_max))?;
        check::at_most(("soc_min", self.soc_min), ("soc_start", self.soc_start))?;
        check::at_most(("soc_start", self.soc_start), ("soc_max", self.soc_max))?;
        if let Some(end) = self.soc_end {
            check::share("soc_end", end)?;
            check::at_most(("soc_min", self.soc_min), ("soc_end", end))?;
            check::at_most(("soc_end", end), ("soc_max", self.soc_max))?;
        }
        check::not_negative("cost_per_kwh", self.cost_per_kwh)?;
        self.reserve_cost_per_kw.map_or(Ok(()), |c| check::not_negative("reserve_cost_per_kw", c))?;
        self.check_reach(periods)
    }

    pub(super) fn contribute(&self, program: &mut Program, around: &Surroundings) -> Part {
        let h = around.periods.hours;
        let last = around.periods.count.saturating_sub(1);
        let kept = self.kept(around.periods);
        let (floor, ceiling) = (self.soc_min * self.capacity_kwh, self.soc_max * self.capacity_kwh);
        let end = self.end_kwh();
        let mut part = Part::default();
        part.series.store = Some(Store {
            start_kwh: self.soc_start * self.capacity_kwh,
            efficiency: StorageEfficiency {
                charge: self.efficiency_charge,
                discharge: self.efficiency_discharge,
                retention_per_h: self.retention_per_h,
            },
        });
        let mut stored = Expr::constant(self.soc_start * self.capacity_kwh);
        for t in 0..around.periods.count {
            let charge = program.var(0.0, self.p_charge_max_kw);
            let discharge = program.var(0.0, self.p_discharge_max_kw);
            program.exclusive(charge, discharge);
            part.cost.add(self.cost_per_kwh * h, charge).add(self.cost_per_kwh * h, discharge);
            let (low, high) = if t == last { (end, end) } else { (floor, ceiling) };
            let next = program.var(low, high);
            let balance = stored
                .times(kept)
                .plus(self.efficiency_charge * h, charge)
                .plus(-h / self.efficiency_discharge, discharge)
                .plus(-1.0, next);
            program.equal(balance, 0.0, "stored energy", Some(t));
            stored = Expr::from(next);
            let power = Expr::from(discharge).plus(-1.0, charge);
            if let Some(cost) = self.reserve_cost_per_kw {
                let (mut up, mut down) = (Expr::default(), Expr::default());
                // Called reserve comes out of (goes into) what would be stored at the end of the period.
                if around.reserve_up[t] {
                    let r = program.var(0.0, self.p_charge_max_kw + self.p_discharge_max_kw);
                    part.cost.add(cost, r);
                    let called = power.clone().plus(1.0, r);
                    program.at_most(called, self.p_discharge_max_kw, "upward reserve within the rating", Some(t));
                    let left = stored.clone().plus(-h / self.efficiency_discharge, r);
                    program.within(left, floor, f64::INFINITY, "energy behind the upward reserve", Some(t));
                    up.add(1.0, r);
                }
                if around.reserve_down[t] {
                    let r = program.var(0.0, self.p_charge_max_kw + self.p_discharge_max_kw);
                    part.cost.add(cost, r);
                    let called = Expr::from(r).plus(-1.0, &power);
                    program.at_most(called, self.p_charge_max_kw, "downward reserve within the rating", Some(t));
                    let filled = stored.clone().plus(self.efficiency_charge * h, r);
                    program.at_most(filled, ceiling, "room behind the downward reserve", Some(t));
                    down.add(1.0, r);
                }
                part.reserve_up_kw.push(up);
                part.reserve_down_kw.push(down);
            }
            part.series.power_kw.push(power);
            part.series.stored_kwh.push(stored.clone());
        }
        part
    }

    /// Share of the stored energy that is left after a period.
    fn kept(&self, periods: Periods) -> f64 {
        self.retention_per_h.powf(periods.hours)
    }

    /// Energy held after the last period, kWh.
    fn end_kwh(&self) -> f64 {
        self.soc_end.unwrap_or(self.soc_start) * self.capacity_kwh
    }

    /// What can be stored after each period is an interval; the last one must contain the final state.
    fn check_reach(&self, periods: Periods) -> Result<(), DeviceError> {
        let (kept, h) = (self.kept(periods), periods.hours);
        let (floor, ceiling) = (self.soc_min * self.capacity_kwh, self.soc_max * self.capacity_kwh);
        let unreachable = |field, period, asked_min: f64, asked_max: f64, least: f64, greatest: f64| {
            let share = |kwh: f64| kwh / self.capacity_kwh;
            DeviceError::Unreachable {
                field,
                period: Some(period),
                asked_min: share(asked_min),
                asked_max: share(asked_max),
                least: share(least),
                greatest: share(greatest),
            }
        };
        let slack = 1e-9 * (1.0 + self.capacity_kwh);
        let start = self.soc_start * self.capacity_kwh;
        let (mut low, mut high) = (start, start);
        for t in 0..periods.count {
            low = kept * low - self.p_discharge_max_kw * h / self.efficiency_discharge;
            high = kept * high + self.p_charge_max_kw * h * self.efficiency_charge;
            if high < floor - slack {
                return Err(unreachable("soc_min", t, floor, ceiling, low, high));
            }
            (low, high) = (low.clamp(floor, ceiling), high.clamp(floor, ceiling));
        }
        let end = self.end_kwh();
        if periods.count > 0 && (end < low - slack || end > high + slack) {
            return Err(unreachable("soc_end", periods.count - 1, end, end, low, high));
        }
        Ok(())
    }
}
