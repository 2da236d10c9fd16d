//! Electric vehicles with given sessions, charged (and discharged) as groups of vehicles that can stand for each other.
//!
//! What a group has taken in since it arrived lies between two curves, the envelope. For identical vehicles the envelope
//! and the group's power limit describe exactly what they can do together. Where there are too many different vehicles,
//! all of one efficiency share an envelope, which is then only an outer approximation: whether the vehicles can follow is
//! checked afterwards by [`EvFleet::disaggregate`].

mod disaggregation;

pub use disaggregation::Disaggregation;

use crate::participant::check;
use crate::participant::oracle::{Delivered, Draw, between, same};
use crate::participant::{Device, DeviceError, Hatching, LeftOut, Look, Part, Shown, Surroundings, Unserved};
use crate::program::{Expr, Program, Var};
use crate::register_device;
use crate::setting::{Periods, Rating};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// More distinct sessions than this share envelopes.
pub const MOST_GROUPS: usize = 200;

/// Less of a period than this is rounding in the hours of a session.
const SHORTEST_PRESENCE: f64 = 1e-9;

/// What the vehicles may do while they are connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EvMode {
    /// Charge only (V1G).
    ChargeOnly,
    /// Charge and discharge (V2G); a group acts as one and never does both at once.
    Bidirectional,
}

/// Electric vehicles and their sessions. Of each vehicle that is connected `E_{t+1} = E_t + eta P_c h - P_d h / eta` with `P_c
/// P_d = 0` (`P_d = 0` without `v2g`), `0 <= E_t <= capacity`, `E = energy` at arrival and `E >= target` at departure, powers
/// up to `p_max`. Equal vehicles act as one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EvFleet {
    /// Whether they may discharge (V2G); a group acts as one and never charges and discharges at once.
    #[serde(default)]
    pub v2g: bool,
    /// When they are connected and what they need.
    pub sessions: Vec<EvSession>,
}

/// Identical vehicles that are connected from `arrival_h` to `departure_h`, counted from the start of the horizon.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EvSession {
    /// How many vehicles, at most 1000000.
    #[serde(default = "single")]
    #[schemars(range(max = 1_000_000))]
    pub count: usize,
    /// Hour of arrival.
    #[schemars(range(min = 0.0))]
    pub arrival_h: f64,
    /// Hour of departure.
    #[schemars(range(min = 0.0))]
    pub departure_h: f64,
    /// Energy in the battery of one vehicle at arrival, kWh.
    #[schemars(range(min = 0.0))]
    pub energy_kwh: f64,
    /// Least energy in its battery at departure, kWh.
    #[schemars(range(min = 0.0))]
    pub target_kwh: f64,
    /// Size of its battery, kWh.
    #[schemars(range(min = 0.0))]
    pub capacity_kwh: f64,
    /// Greatest power at its terminals, kW.
    #[schemars(range(min = 0.0))]
    pub p_max_kw: f64,
    /// Share of energy that passes between terminals and battery, in either direction, more than 0 and at most 1.
    #[serde(default = "efficiency")]
    #[schemars(range(max = 1.0), extend("exclusiveMinimum" = 0.0))]
    pub efficiency: f64,
}

fn single() -> usize {
    1
}

fn efficiency() -> f64 {
    0.95
}

/// Vehicles of one session beyond which a number is a slip.
const MOST_VEHICLES: usize = 1_000_000;

impl EvFleet {
    fn mode(&self) -> EvMode {
        if self.v2g { EvMode::Bidirectional } else { EvMode::ChargeOnly }
    }

    /// The envelope of the fleet's charging: least and greatest energy taken from the grid until each instant `t h`, kWh, at
    /// `t = 0..=periods`, when nothing is ever given back.
    pub fn charging_envelope_kwh(&self, periods: Periods) -> (Vec<f64>, Vec<f64>) {
        let at = |t: usize| {
            self.sessions.iter().fold((0.0, 0.0), |(low, high), s| {
                let (a, b) = s.reach_kwh(t as f64 * periods.hours, EvMode::ChargeOnly);
                let per_kwh = s.count as f64 / s.efficiency;
                (low + per_kwh * a, high + per_kwh * b)
            })
        };
        (0..=periods.count).map(at).unzip()
    }

    /// Whether groups stand for identical vehicles, so that everything they do together the vehicles can do.
    pub fn is_exact(&self) -> bool {
        self.groups_by(order_of_all).len() <= MOST_GROUPS
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
            if self.v2g {
                let discharge = program.var(0.0, limit);
                program.exclusive(charge, discharge);
                power.add(1.0, discharge);
                balance.add(-h / efficiency, discharge);
            }
            let end = (t + 1) as f64 * h;
            let (low, high) = group.iter().fold((0.0, 0.0), |(low, high), s| {
                let (a, b) = s.reach_kwh(end, self.mode());
                (low + s.count as f64 * a, high + s.count as f64 * b)
            });
            let gain = program.var(low, high);
            if let Some(before) = gained {
                balance.add(1.0, before);
            }
            program.equal(balance.plus(-1.0, gain), 0.0, "energy that the vehicles need by departure", Some(t));
            gained = Some(gain);
            part.power_kw[t].add(1.0, &power);
            // In an exact group all arrive and leave together.
            if let Some(stored) = part.stored_kwh.get_mut(t).filter(|_| group[0].departure_h > end) {
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

impl Device for EvFleet {
    fn validate(&self, periods: Periods) -> Result<(), DeviceError> {
        self.sessions.iter().enumerate().try_for_each(|(position, session)| {
            let wrong =
                |error| DeviceError::Element { list: "sessions", element: "session", position, error: Box::new(error) };
            session.validate(periods).map_err(wrong)
        })
    }

    /// Greatest power of all connected vehicles in any period.
    fn rating(&self, periods: Periods, _load_kw: &[f64]) -> Rating {
        let connected =
            |t| self.sessions.iter().map(|s| s.power_kw() * s.presence(t, periods)).fold(0.0, |sum, p| sum + p);
        let taken = (0..periods.count).map(connected).fold(0.0, f64::max);
        Rating { supply_kw: if self.v2g { taken } else { 0.0 }, demand_kw: taken }
    }

    fn contribute(&self, program: &mut Program, around: &Surroundings<'_>) -> Part {
        let periods = around.periods;
        let exact = self.is_exact();
        let groups = if exact { self.groups_by(order_of_all) } else { self.groups_by(order_of_efficiency) };
        let nothing = vec![Expr::default(); periods.count];
        let stored_kwh = if exact { nothing.clone() } else { vec![] };
        let mut part = Part { power_kw: nothing, stored_kwh, ..Part::default() };
        for group in groups {
            self.contribute_group(&group, program, periods, &mut part);
        }
        part
    }

    /// Sessions that end later are left out.
    fn shorten(&mut self, end_h: f64) -> LeftOut {
        let dropped: Vec<EvSession> = self.sessions.iter().filter(|s| s.departure_h > end_h).copied().collect();
        let of = self.sessions.len();
        self.sessions.retain(|s| s.departure_h <= end_h);
        LeftOut {
            sessions: dropped.len(),
            of,
            vehicles: dropped.iter().map(|s| s.count).sum(),
            energy_kwh: dropped.iter().map(|s| s.count as f64 * (s.target_kwh - s.energy_kwh).max(0.0)).sum(),
        }
    }

    fn unserved(&self, power_kw: &[f64], periods: Periods) -> Option<Unserved> {
        let exact = self.is_exact();
        let kwh = if exact { 0.0 } else { self.disaggregate(power_kw, periods).short_kwh };
        Some(Unserved { kwh, exact })
    }
}

impl EvSession {
    /// Checks the numbers.
    ///
    /// # Errors
    /// Hours that leave the horizon, a target that exceeds the battery or what can be charged in time, numbers that are
    /// negative or not finite, too many vehicles.
    pub fn validate(&self, periods: Periods) -> Result<(), DeviceError> {
        if self.count > MOST_VEHICLES {
            let (value, expected) = (self.count as f64, "at most 1000000");
            return Err(DeviceError::Value { field: "count", period: None, value, expected });
        }
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
    fn presence(&self, period: usize, periods: Periods) -> f64 {
        let (start, end) = (period as f64 * periods.hours, (period + 1) as f64 * periods.hours);
        let share = (self.departure_h.min(end) - self.arrival_h.max(start)) / periods.hours;
        if share > SHORTEST_PRESENCE { share } else { 0.0 }
    }

    /// Power of all vehicles, kW.
    fn power_kw(&self) -> f64 {
        self.count as f64 * self.p_max_kw
    }

    /// Least and greatest energy that one vehicle's battery can have gained by an hour, if it is to leave with its target.
    fn reach_kwh(&self, hour: f64, mode: EvMode) -> (f64, f64) {
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

register_device!(EvFleet, "ev-fleet", "electric vehicles with given sessions, charged or also discharged",
    role: Store, carbon: Load,
    power: "Vehicles, negative when charging.",
    example: EvFleet {
        v2g: false,
        sessions: vec![EvSession {
            count: 2,
            arrival_h: 0.0,
            departure_h: 2.0,
            energy_kwh: 20.0,
            target_kwh: 28.0,
            capacity_kwh: 50.0,
            p_max_kw: 7.0,
            efficiency: efficiency(),
        }],
    },
    stored: (
        "ev_soc_kwh",
        "Energy in the vehicles present at the end of the period; empty where vehicles share an envelope."
    ),
    look: Look {
        place: 6,
        gives: Some(Shown::hatched("EV discharge", 0xE6BCD3, Hatching::Forward)),
        takes: Some(Shown::hatched("EV", 0xCC79A7, Hatching::Cross)),
    },
    oracle: (draw, check_sessions),
    source: "envelopes of flexible loads; disaggregation: Nakahira et al. (2017)",
    rank: 7);

/// One session, several at once that only charge, or several one after the other that also discharge: what a session did can
/// be read off the power of the fleet in the first and the last case.
fn draw(draw: &mut Draw, periods: Periods) -> EvFleet {
    let v2g = draw.chance(0.5);
    let horizon_h = periods.count as f64 * periods.hours;
    let count = draw.whole(1, 3);
    let session = |k: usize, draw: &mut Draw| {
        let (begin, end) = if v2g {
            // Whole periods of its own for each.
            let at = |k: usize| (k * periods.count / count) as f64 * periods.hours;
            (at(k), at(k + 1))
        } else {
            (0.0, horizon_h)
        };
        let arrival_h = draw.between(begin, 0.6 * begin + 0.4 * end);
        let departure_h = draw.between(0.4 * arrival_h + 0.6 * end, end);
        let (efficiency, p_max_kw, energy_kwh) =
            (draw.between(0.85, 1.0), draw.between(3.0, 11.0), draw.between(5.0, 20.0));
        let reach = (efficiency * p_max_kw * (departure_h - arrival_h)).min(35.0);
        EvSession {
            count: draw.whole(1, 6),
            arrival_h,
            departure_h,
            energy_kwh,
            target_kwh: energy_kwh + draw.between(-0.5, 0.95) * reach.min(energy_kwh),
            capacity_kwh: 55.0,
            p_max_kw,
            efficiency,
        }
    };
    EvFleet { v2g, sessions: (0..count).map(|k| session(k, draw)).collect() }
}

/// Energy of each battery from the power of the fleet, session by session where only one is connected; of several at once the
/// limits that hold for them together.
fn check_sessions(fleet: &EvFleet, done: &Delivered<'_>) -> Result<f64, String> {
    let (n, h) = (done.periods.count, done.periods.hours);
    // Hours of a period in which a session is connected.
    let connected_h = |s: &EvSession, t: usize| {
        let (from, to) = (t as f64 * h, (t + 1) as f64 * h);
        (s.departure_h.min(to) - s.arrival_h.max(from)).max(0.0)
    };
    let limit =
        |t: usize| fleet.sessions.iter().map(|s| s.count as f64 * s.p_max_kw * connected_h(s, t) / h).sum::<f64>();
    done.within(|t| -limit(t), |t| if fleet.v2g { limit(t) } else { 0.0 })?;
    if done.stored_kwh.len() != n {
        return Err(format!("{} values of stored energy", done.stored_kwh.len()));
    }
    if fleet.v2g || fleet.sessions.len() == 1 {
        for session in &fleet.sessions {
            let many = session.count as f64;
            let mut energy = many * session.energy_kwh;
            for t in (0..n).filter(|t| connected_h(session, *t) > 1e-9) {
                let p = done.power_kw[t];
                energy += h * if p < 0.0 { -p * session.efficiency } else { -p / session.efficiency };
                between("energy in the batteries", t, energy, 0.0, many * session.capacity_kwh)?;
                let is_there_at_the_end = session.departure_h > (t + 1) as f64 * h;
                same("stored energy", t, done.stored_kwh[t], if is_there_at_the_end { energy } else { 0.0 })?;
            }
            between("energy at departure", n, energy, many * session.target_kwh, many * session.capacity_kwh)?;
        }
        return Ok(0.0);
    }
    let mut taken = 0.0;
    for (t, p) in done.power_kw.iter().enumerate() {
        taken -= h * p;
        let end = (t + 1) as f64 * h;
        let bounds = fleet.sessions.iter().map(|s| {
            let charged_until = |hour: f64| (hour.min(s.departure_h) - s.arrival_h).max(0.0) * s.p_max_kw;
            let room = (s.capacity_kwh - s.energy_kwh) / s.efficiency;
            let need = (s.target_kwh - s.energy_kwh) / s.efficiency;
            let still = charged_until(s.departure_h) - charged_until(end);
            let (low, high) = ((need - still).max(0.0), charged_until(end).min(room));
            (s.count as f64 * low, s.count as f64 * high)
        });
        let (low, high) = bounds.fold((0.0, 0.0), |sum, b| (sum.0 + b.0, sum.1 + b.1));
        between("energy taken by its end", t, taken, low, high)?;
    }
    Ok(0.0)
}

#[cfg(test)]
mod tests {
    use super::{EvFleet, EvSession, MOST_GROUPS};
    use crate::participant::testing::{Response, assert_all_close, assert_close, at_prices, hourly};
    use crate::participant::{Device, DeviceError};
    use crate::setting::Periods;
    use proptest::prelude::*;

    fn session(arrival_h: f64, departure_h: f64, energy_kwh: f64, target_kwh: f64, capacity_kwh: f64) -> EvSession {
        let (p_max_kw, efficiency) = (7.0, 0.95);
        EvSession { count: 1, arrival_h, departure_h, energy_kwh, target_kwh, capacity_kwh, p_max_kw, efficiency }
    }

    fn charging(sessions: Vec<EvSession>) -> EvFleet {
        EvFleet { v2g: false, sessions }
    }

    fn meet(fleet: EvFleet, periods: Periods, prices: &[f64]) -> Response {
        at_prices(vec![fleet.boxed()], periods, prices).unwrap()
    }

    #[test]
    fn the_envelope_of_two_cars() {
        let fleet = charging(vec![session(0.0, 4.0, 10.0, 30.0, 40.0), session(2.0, 6.0, 20.0, 40.0, 50.0)]);
        let (low, high) = fleet.charging_envelope_kwh(hourly(6));
        assert_all_close(&high, &[0.0, 7.0, 14.0, 28.0, 42.0, 49.0, 56.0], 1e-9);
        let expected = [0.0, 0.0526315789, 7.0526315789, 14.1052631579, 28.1052631579, 35.1052631579, 42.1052631579];
        assert_all_close(&low, &expected, 1e-9);
        let twice = fleet.sessions.iter().map(|s| EvSession { count: 2, ..*s }).collect();
        assert_close(charging(twice).charging_envelope_kwh(hourly(6)).0[6], 2.0 * 42.1052631579, 1e-9);
        // Charging as late as prices fall, both leave with exactly what they need.
        let found = meet(fleet, hourly(6), &[6.0, 5.0, 4.0, 3.0, 2.0, 1.0]);
        let taken: f64 = found.power_kw(0).iter().map(|p| -p).sum();
        assert_close(taken, 40.0 / 0.95, 1e-7);
    }

    #[test]
    fn cars_charge_in_the_cheapest_hours_of_their_session() {
        // 12 kWh need 12 / 0.95 at the plug: one full hour at the least price, the rest at the next; nobody is there at 0.01.
        let cars = EvSession { count: 20, ..session(1.0, 5.0, 26.0, 38.0, 50.0) };
        let found = meet(charging(vec![cars]), hourly(6), &[0.01, 0.4, 0.2, 0.3, 0.9, 0.01]);
        let rest = 12.0 / 0.95 - 7.0;
        assert_all_close(&found.power_kw(0), &[0.0, 0.0, -140.0, -20.0 * rest, 0.0, 0.0], 1e-6);
        assert_close(found.profit, -20.0 * (7.0 * 0.2 + rest * 0.3), 1e-8);
        let stored = found.values(&found.contribution.devices[0].stored_kwh);
        let after = 20.0 * (26.0 + 7.0 * 0.95);
        assert_all_close(&stored, &[0.0, 520.0, after, 760.0, 0.0, 0.0], 1e-6);
    }

    #[test]
    fn a_session_may_begin_and_end_within_a_period() {
        let car = session(0.5, 1.25, 0.0, 4.0, 50.0);
        let found = meet(charging(vec![car]), hourly(2), &[1.0, 2.0]);
        assert_all_close(&found.power_kw(0), &[-3.5, -(4.0 / 0.95 - 3.5)], 1e-7);
        let late = session(0.5, 1.25, 0.0, 5.1, 50.0);
        assert!(late.validate(hourly(2)).is_err());
    }

    #[test]
    fn a_car_that_may_discharge_sells_dear_and_refills_cheap() {
        // From 20 kWh back to 20 kWh: 10 kW of charging refill 9 kWh, which are 8.1 kWh sold.
        let car = EvSession {
            count: 1,
            arrival_h: 0.0,
            departure_h: 2.0,
            energy_kwh: 20.0,
            target_kwh: 20.0,
            capacity_kwh: 40.0,
            p_max_kw: 10.0,
            efficiency: 0.9,
        };
        let fleet = EvFleet { v2g: true, sessions: vec![car] };
        let found = meet(fleet, hourly(2), &[1.0, 0.2]);
        assert_all_close(&found.power_kw(0), &[8.1, -10.0], 1e-7);
        assert_close(found.profit, 8.1 - 2.0, 1e-9);
        assert_close(meet(charging(vec![car]), hourly(2), &[1.0, 0.2]).profit, 0.0, 1e-9);
    }

    #[test]
    fn a_negative_price_does_not_make_cars_charge_and_discharge_at_once() {
        // A full battery that must leave full: taking 1 kWh out and putting it back earns nothing in one period.
        let car = session(0.0, 1.0, 50.0, 50.0, 50.0);
        let fleet = EvFleet { v2g: true, sessions: vec![car] };
        assert_close(meet(fleet, hourly(1), &[-1.0]).profit, 0.0, 1e-9);
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_session() {
        let wrong = |s: EvSession| match charging(vec![session(0.0, 4.0, 10.0, 30.0, 40.0), s]).validate(hourly(6)) {
            Err(DeviceError::Element { list: "sessions", position: 1, error, .. }) => error.to_string(),
            other => panic!("{other:?}"),
        };
        let good = session(2.0, 6.0, 20.0, 40.0, 50.0);
        let text = wrong(EvSession { departure_h: 7.0, ..good });
        assert_eq!(text, "departure_h: found 7, expected at most length of the horizon (6)");
        assert!(wrong(EvSession { arrival_h: -1.0, ..good }).starts_with("arrival_h"));
        assert!(wrong(EvSession { arrival_h: 6.5, ..good }).starts_with("arrival_h"));
        assert!(wrong(EvSession { target_kwh: 60.0, ..good }).starts_with("target_kwh"));
        assert!(wrong(EvSession { energy_kwh: 55.0, ..good }).starts_with("energy_kwh"));
        assert!(wrong(EvSession { efficiency: 1.2, ..good }).starts_with("efficiency"));
        let text = wrong(EvSession { departure_h: 4.0, ..good });
        assert_eq!(text, "target_kwh: 40 to 50 is asked, only 20 to 33.3 can be reached");
    }

    /// Sessions that can always be served, in a day of 12 hours.
    fn sessions(count: usize) -> impl Strategy<Value = Vec<EvSession>> {
        let one = (0u32..10, 1u32..6, 0.0..20.0f64, 0.0..1.0f64, 3.0..11.0f64, prop::bool::ANY).prop_map(
            |(arrival, hours, energy_kwh, ambition, p_max_kw, good)| {
                let efficiency = if good { 0.95 } else { 0.9 };
                let departure = (arrival + hours).min(12);
                let capacity_kwh = 40.0;
                let most = (f64::from(departure - arrival) * p_max_kw * efficiency).min(capacity_kwh - energy_kwh);
                EvSession {
                    count: 1,
                    arrival_h: f64::from(arrival),
                    departure_h: f64::from(departure),
                    energy_kwh,
                    target_kwh: energy_kwh + ambition * most,
                    capacity_kwh,
                    p_max_kw,
                    efficiency,
                }
            },
        );
        prop::collection::vec(one, count)
    }

    fn prices() -> impl Strategy<Value = Vec<f64>> {
        prop::collection::vec(0.1..1.0f64, 12)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn each_car_for_itself_is_what_a_fleet_does(sessions in sessions(5), prices in prices(), both in prop::bool::ANY) {
            let together = meet(EvFleet { v2g: both, sessions: sessions.clone() }, hourly(12), &prices).profit;
            let alone = |s: &EvSession| meet(EvFleet { v2g: both, sessions: vec![*s] }, hourly(12), &prices).profit;
            let sum: f64 = sessions.iter().map(alone).sum();
            prop_assert!((together - sum).abs() < 1e-6 * (1.0 + sum.abs()), "{together} {sum}");
            let reversed = sessions.iter().rev().copied().collect();
            let again = meet(EvFleet { v2g: both, sessions: reversed }, hourly(12), &prices).profit;
            prop_assert_eq!(together, again);
        }

        #[test]
        fn a_count_stands_for_as_many_equal_cars(session in sessions(1), prices in prices(), count in 1usize..30) {
            let many = meet(charging(vec![EvSession { count, ..session[0] }]), hourly(12), &prices).profit;
            let listed = meet(charging(vec![session[0]; count]), hourly(12), &prices).profit;
            let one = meet(charging(session), hourly(12), &prices).profit;
            prop_assert!((many - count as f64 * one).abs() < 1e-6 * (1.0 + many.abs()));
            prop_assert!((many - listed).abs() < 1e-9 * (1.0 + many.abs()));
        }

        #[test]
        fn what_single_cars_do_lies_within_the_envelope(sessions in sessions(6), prices in prices()) {
            let fleet = charging(sessions);
            let (low, high) = fleet.charging_envelope_kwh(hourly(12));
            let mut taken = 0.0;
            for (t, p) in meet(fleet, hourly(12), &prices).power_kw(0).iter().enumerate() {
                taken -= p;
                prop_assert!(low[t + 1] - 1e-5 < taken && taken < high[t + 1] + 1e-5);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4))]

        #[test]
        fn a_shared_envelope_is_never_dearer_than_single_cars_and_says_how_far_off_it_is(
            sessions in sessions(MOST_GROUPS + 40), prices in prices()
        ) {
            let fleet = charging(sessions.clone());
            prop_assume!(!fleet.is_exact());
            let shared = meet(fleet, hourly(12), &prices);
            let device = &shared.contribution.devices[0];
            let behind = device.device.as_ref().expect("a portfolio names its devices");
            prop_assert!(!behind.unserved(&shared.power_kw(0), hourly(12)).expect("vehicles have needs").exact);
            let behind = behind.downcast_ref::<EvFleet>().expect("vehicles");
            let (first, second) = sessions.split_at(MOST_GROUPS / 2 + 20);
            let exact: f64 = [first, second].map(|s| meet(charging(s.to_vec()), hourly(12), &prices).profit).iter().sum();
            prop_assert!(shared.profit >= exact - 1e-6 * (1.0 + exact.abs()), "{} {exact}", shared.profit);
            // Putting things right at the dearest and cheapest price closes the gap to the exact answer.
            let split = behind.disaggregate(&shared.power_kw(0), hourly(12));
            let gap = shared.profit - exact;
            prop_assert!(gap <= split.deviation_kwh() * 1.0 + 1e-5, "{gap} but only {split:?}");
        }
    }
}
