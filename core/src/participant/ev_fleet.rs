//! Electric vehicles with given sessions, charged (and discharged) as groups of vehicles that can stand for each other.
//!
//! What a group has taken in since it arrived lies between two curves, the envelope. For identical vehicles the envelope
//! and the group's power limit describe exactly what they can do together. Where there are too many different vehicles,
//! all of one efficiency share an envelope, which is then only an outer approximation: whether the vehicles can follow is
//! checked afterwards by [`EvFleet::disaggregate`].

use super::check::{self, DeviceError};
use super::device::{Part, Surroundings};
use crate::program::{Expr, Program, Var};
use crate::setting::Periods;
use std::cmp::Ordering;
use std::sync::Arc;

/// More distinct sessions than this share envelopes.
pub const MOST_GROUPS: usize = 200;

/// What the vehicles may do while they are connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EvMode {
    /// Charge only (V1G).
    #[default]
    ChargeOnly,
    /// Charge and discharge (V2G), not at once.
    Bidirectional,
}

/// Vehicles and their sessions.
#[derive(Clone, Debug, PartialEq)]
pub struct EvFleet {
    /// What they may do.
    pub mode: EvMode,
    /// When they are connected and what they need.
    pub sessions: Vec<EvSession>,
}

/// Identical vehicles that are connected from `arrival_h` to `departure_h`, counted from the start of the horizon.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EvSession {
    /// How many vehicles.
    pub count: usize,
    /// Hour of arrival.
    pub arrival_h: f64,
    /// Hour of departure.
    pub departure_h: f64,
    /// Energy in the battery of one vehicle at arrival, kWh.
    pub energy_kwh: f64,
    /// Least energy in its battery at departure, kWh.
    pub target_kwh: f64,
    /// Size of its battery, kWh.
    pub capacity_kwh: f64,
    /// Greatest power at its terminals, kW.
    pub p_max_kw: f64,
    /// Share of energy that passes between terminals and battery, in either direction.
    pub efficiency: f64,
}

impl EvFleet {
    /// Checks the numbers.
    ///
    /// # Errors
    /// [`DeviceError::Session`] with the first session whose hours leave the horizon, whose target exceeds the battery or
    /// what can be charged in time, or whose numbers are negative or not finite.
    pub fn validate(&self, periods: Periods) -> Result<(), DeviceError> {
        let wrong = |(session, error)| DeviceError::Session { session, error: Box::new(error) };
        let check = |(k, s): (usize, &EvSession)| s.validate(periods).map_err(|e| wrong((k, e)));
        self.sessions.iter().enumerate().try_for_each(check)
    }

    /// Greatest power of all connected vehicles in any period: what they can at most give and take, kW.
    pub fn rating_kw(&self, periods: Periods) -> (f64, f64) {
        let connected =
            |t| self.sessions.iter().map(|s| s.power_kw() * s.presence(t, periods)).fold(0.0, |sum, p| sum + p);
        let taken = (0..periods.count).map(connected).fold(0.0, f64::max);
        (if self.mode == EvMode::Bidirectional { taken } else { 0.0 }, taken)
    }

    /// The envelope of the fleet's charging: least and greatest energy taken from the grid until each instant `t h`, kWh, at
    /// `t = 0..=periods`, when nothing is ever given back.
    pub fn charging_envelope_kwh(&self, periods: Periods) -> (Vec<f64>, Vec<f64>) {
        let at = |t: usize| {
            self.sessions.iter().fold((0.0, 0.0), |(low, high), s| {
                let (a, b) = s.reach_kwh(t as f64 * periods.hours, EvMode::ChargeOnly);
                (low + a / s.efficiency, high + b / s.efficiency)
            })
        };
        (0..=periods.count).map(at).unzip()
    }

    /// Whether groups stand for identical vehicles, so that everything they do together the vehicles can do.
    pub fn is_exact(&self) -> bool {
        self.groups_by(order_of_all).len() <= MOST_GROUPS
    }

    pub(super) fn contribute(&self, program: &mut Program, around: &Surroundings) -> Part {
        let periods = around.periods;
        let exact = self.is_exact();
        let groups = if exact { self.groups_by(order_of_all) } else { self.groups_by(order_of_efficiency) };
        let mut part = Part::default();
        part.series.power_kw = vec![Expr::default(); periods.count];
        part.series.stored_kwh = if exact { vec![Expr::default(); periods.count] } else { vec![] };
        if !exact {
            part.series.fleet = Some(Arc::new(self.clone()));
        }
        for group in groups {
            self.contribute_group(&group, program, periods, &mut part);
        }
        part
    }

    /// `gain_t = gain_{t-1} + eta P_c h - P_d h / eta` within the envelope of the group.
    fn contribute_group(&self, group: &[EvSession], program: &mut Program, periods: Periods, part: &mut Part) {
        let h = periods.hours;
        let efficiency = group[0].efficiency;
        let mut gained: Option<Var> = None;
        for t in 0..periods.count {
            let limit: f64 = group.iter().map(|s| s.power_kw() * s.presence(t, periods)).sum();
            if limit <= 0.0 {
                continue;
            }
            let charge = program.var(0.0, limit);
            let mut power = Expr::default().plus(-1.0, charge);
            let mut balance = Expr::default().plus(efficiency * h, charge);
            if self.mode == EvMode::Bidirectional {
                let discharge = program.var(0.0, limit);
                program.exclusive(charge, discharge);
                power.add(1.0, discharge);
                balance.add(-h / efficiency, discharge);
            }
            let end = (t + 1) as f64 * h;
            let (low, high) = group.iter().fold((0.0, 0.0), |(low, high), s| {
                let (a, b) = s.reach_kwh(end, self.mode);
                (low + s.count as f64 * a, high + s.count as f64 * b)
            });
            let gain = program.var(low, high);
            if let Some(before) = gained {
                balance.add(1.0, before);
            }
            program.equal(balance.plus(-1.0, gain), 0.0, "energy that the vehicles need by departure", Some(t));
            gained = Some(gain);
            part.series.power_kw[t].add(1.0, &power);
            // In an exact group all arrive and leave together.
            if let Some(stored) = part.series.stored_kwh.get_mut(t).filter(|_| group[0].departure_h > end) {
                stored.add(1.0, gain);
                stored.constant += group.iter().map(|s| s.count as f64 * s.energy_kwh).sum::<f64>();
            }
        }
    }

    /// Sessions gathered in groups of equal order, in an order that does not depend on how they are listed.
    fn groups_by(&self, order: fn(&EvSession, &EvSession) -> Ordering) -> Vec<Vec<EvSession>> {
        let mut sessions: Vec<EvSession> = self.sessions.iter().filter(|s| s.count > 0).copied().collect();
        sessions.sort_by(|a, b| order(a, b).then(order_of_all(a, b)));
        sessions.chunk_by(|a, b| order(a, b).is_eq()).map(<[EvSession]>::to_vec).collect()
    }
}

impl EvSession {
    /// Checks the numbers.
    ///
    /// # Errors
    /// See [`EvFleet::validate`].
    pub fn validate(&self, periods: Periods) -> Result<(), DeviceError> {
        check::not_negative("arrival_h", self.arrival_h)?;
        check::not_negative("departure_h", self.departure_h)?;
        check::at_most(("arrival_h", self.arrival_h), ("departure_h", self.departure_h))?;
        let horizon = periods.count as f64 * periods.hours;
        check::at_most(("departure_h", self.departure_h), ("length of the horizon", horizon))?;
        check::not_negative("capacity_kwh", self.capacity_kwh)?;
        check::not_negative("energy_kwh", self.energy_kwh)?;
        check::not_negative("target_kwh", self.target_kwh)?;
        check::at_most(("energy_kwh", self.energy_kwh), ("capacity_kwh", self.capacity_kwh))?;
        check::at_most(("target_kwh", self.target_kwh), ("capacity_kwh", self.capacity_kwh))?;
        check::not_negative("p_max_kw", self.p_max_kw)?;
        check::efficiency("efficiency", self.efficiency)?;
        let charged = self.efficiency * self.p_max_kw * (self.departure_h - self.arrival_h);
        let greatest = (self.energy_kwh + charged).min(self.capacity_kwh);
        if self.target_kwh > greatest + 1e-9 * (1.0 + greatest) {
            return Err(DeviceError::Unreachable {
                field: "target_kwh",
                period: None,
                asked_min: self.target_kwh,
                asked_max: self.capacity_kwh,
                least: self.energy_kwh,
                greatest,
            });
        }
        Ok(())
    }

    /// Share of a period in which the vehicles are connected.
    pub(super) fn presence(&self, period: usize, periods: Periods) -> f64 {
        let (start, end) = (period as f64 * periods.hours, (period + 1) as f64 * periods.hours);
        ((self.departure_h.min(end) - self.arrival_h.max(start)) / periods.hours).max(0.0)
    }

    /// Power of all vehicles, kW.
    fn power_kw(&self) -> f64 {
        self.count as f64 * self.p_max_kw
    }

    /// Least and greatest energy that one vehicle's battery can have gained by an hour, if it is to leave with its target.
    pub(super) fn reach_kwh(&self, hour: f64, mode: EvMode) -> (f64, f64) {
        let elapsed = (hour.min(self.departure_h) - self.arrival_h).max(0.0);
        let remaining = (self.departure_h - hour.max(self.arrival_h)).max(0.0);
        let high = (self.efficiency * self.p_max_kw * elapsed).min(self.capacity_kwh - self.energy_kwh);
        let needed = self.target_kwh - self.energy_kwh - self.efficiency * self.p_max_kw * remaining;
        let given = match mode {
            EvMode::ChargeOnly => 0.0,
            EvMode::Bidirectional => (self.p_max_kw * elapsed / self.efficiency).min(self.energy_kwh),
        };
        // Rounding may put a target that is just reachable above what is.
        (needed.max(-given).min(high), high)
    }
}

fn order_of_efficiency(a: &EvSession, b: &EvSession) -> Ordering {
    a.efficiency.total_cmp(&b.efficiency)
}

/// By everything but the count.
fn order_of_all(a: &EvSession, b: &EvSession) -> Ordering {
    let key = |s: &EvSession| {
        [s.arrival_h, s.departure_h, s.energy_kwh, s.target_kwh, s.capacity_kwh, s.p_max_kw, s.efficiency]
    };
    let compare = |(x, y): (f64, f64)| x.total_cmp(&y);
    key(a).into_iter().zip(key(b)).map(compare).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
}
