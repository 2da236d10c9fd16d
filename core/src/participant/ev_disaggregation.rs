//! Splitting a fleet's power among its vehicles, least laxity first.

use super::ev_fleet::{EvFleet, EvSession};
use crate::setting::Periods;

/// How well the vehicles of a fleet can follow a power series.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Disaggregation {
    /// Energy missing from the batteries at departure, in grid-side kWh, summed over vehicles.
    pub short_kwh: f64,
    /// Energy of the series that no connected vehicle could take or give, kWh.
    pub unplaced_kwh: f64,
    /// Power per session and period, all its vehicles together, kW; positive charges.
    pub charging_kw: Vec<Vec<f64>>,
}

impl Disaggregation {
    /// Energy by which the series would have to change for this split to serve everybody, kWh: 0 proves that the vehicles
    /// can follow; a positive value bounds the least change from above.
    pub fn deviation_kwh(&self) -> f64 {
        self.short_kwh + self.unplaced_kwh
    }
}

/// The vehicles of one session on the way; they are identical, so they share equally.
struct Vehicles<'a> {
    session: &'a EvSession,
    /// Energy in all batteries.
    energy: f64,
}

impl EvFleet {
    /// Splits a power series (positive towards the grid, as devices report it) among the vehicles: in every period the
    /// vehicles with the least laxity first, so that the least remaining laxity is as great as it can be (smoothed least
    /// laxity first: Nakahira, Chen, Chen, Low 2017); energy beyond the needs goes to the batteries that leave first.
    ///
    /// Laxity is the time a vehicle could still wait: hours until departure less hours of full power that it needs.
    /// Periods missing from the series count as no power.
    pub fn disaggregate(&self, power_kw: &[f64], periods: Periods) -> Disaggregation {
        let h = periods.hours;
        let mut vehicles: Vec<Vehicles> = self
            .sessions
            .iter()
            .map(|session| Vehicles { session, energy: session.count as f64 * session.energy_kwh })
            .collect();
        let mut result =
            Disaggregation { charging_kw: vec![vec![0.0; periods.count]; vehicles.len()], ..Disaggregation::default() };
        for t in 0..periods.count {
            let asked = -power_kw.get(t).copied().unwrap_or(0.0) * h;
            let mut moved = vec![0.0; vehicles.len()];
            let left = if asked >= 0.0 {
                let left = share_charge(&mut vehicles, &mut moved, asked, t, periods, Stage::Needs);
                share_charge(&mut vehicles, &mut moved, left, t, periods, Stage::Room)
            } else {
                share_discharge(&mut vehicles, &mut moved, -asked, t, periods)
            };
            result.unplaced_kwh += left;
            for (series, energy) in result.charging_kw.iter_mut().zip(moved) {
                series[t] = energy / h;
            }
        }
        result.short_kwh = vehicles.iter().map(Vehicles::need).sum();
        result
    }
}

/// What charging energy is for.
#[derive(Clone, Copy, PartialEq)]
enum Stage {
    /// Reaching the targets.
    Needs,
    /// Filling the batteries further.
    Room,
}

impl Vehicles<'_> {
    fn count(&self) -> f64 {
        self.session.count as f64
    }

    /// Grid-side energy still missing to the target.
    fn need(&self) -> f64 {
        ((self.count() * self.session.target_kwh - self.energy) / self.session.efficiency).max(0.0)
    }

    /// Grid-side energy that the batteries could still take.
    fn room(&self) -> f64 {
        ((self.count() * self.session.capacity_kwh - self.energy) / self.session.efficiency).max(0.0)
    }

    /// Grid-side energy per hour of full power.
    fn speed(&self) -> f64 {
        self.count() * self.session.p_max_kw
    }
}

/// Raises the laxity of the vehicles to a common level until the energy is used up; returns what is left of it.
fn share_charge(
    vehicles: &mut [Vehicles],
    moved: &mut [f64],
    energy: f64,
    t: usize,
    periods: Periods,
    stage: Stage,
) -> f64 {
    let start = t as f64 * periods.hours;
    // Level at which a vehicle begins to charge, speed, greatest energy.
    let plans: Vec<(f64, f64, f64)> = vehicles
        .iter()
        .zip(moved.iter())
        .map(|(v, done)| {
            let presence = v.session.presence(t, periods) * periods.hours;
            let speed = v.speed();
            let limit = (speed * presence - done).max(0.0);
            let wanted = if stage == Stage::Needs { v.need() } else { v.room() };
            let waited = (v.session.departure_h - start.max(v.session.arrival_h)).max(0.0);
            let level = if speed > 0.0 { waited - v.need() / speed } else { 0.0 };
            (level, speed, limit.min(wanted))
        })
        .collect();
    let taken_at =
        |level: f64| plans.iter().map(|&(begin, speed, most)| ((level - begin) * speed).clamp(0.0, most)).sum();
    let most: f64 = plans.iter().map(|p| p.2).sum();
    let level = if energy >= most { f64::INFINITY } else { level_for(energy, &plans, taken_at) };
    let mut left = energy;
    for ((v, done), &(begin, speed, most)) in vehicles.iter_mut().zip(moved).zip(&plans) {
        let share = if level.is_infinite() { most } else { ((level - begin) * speed).clamp(0.0, most) }.min(left);
        *done += share;
        v.energy += v.session.efficiency * share;
        left -= share;
    }
    // Rounding of the level is no unplaced energy.
    if energy < most || left < 1e-9 * (1.0 + energy) { 0.0 } else { left }
}

/// The level at which a continuous, non-decreasing, piecewise linear total reaches `energy`.
fn level_for(energy: f64, plans: &[(f64, f64, f64)], taken_at: impl Fn(f64) -> f64) -> f64 {
    let mut kinks: Vec<f64> =
        plans.iter().filter(|p| p.1 > 0.0).flat_map(|&(begin, speed, most)| [begin, begin + most / speed]).collect();
    kinks.sort_by(f64::total_cmp);
    let above = kinks.partition_point(|&k| taken_at(k) < energy);
    if above == 0 || above == kinks.len() {
        return kinks.get(above).copied().unwrap_or(f64::INFINITY);
    }
    let (a, b) = (kinks[above - 1], kinks[above]);
    let (low, high) = (taken_at(a), taken_at(b));
    a + (b - a) * (energy - low) / (high - low)
}

/// Takes energy from the vehicles with the greatest laxity that can still reach their targets; returns what is left.
fn share_discharge(vehicles: &mut [Vehicles], moved: &mut [f64], energy: f64, t: usize, periods: Periods) -> f64 {
    let end = (t + 1) as f64 * periods.hours;
    let spare = |v: &Vehicles| {
        let presence = v.session.presence(t, periods) * periods.hours;
        let later = (v.session.departure_h - end.max(v.session.arrival_h)).max(0.0);
        let (count, s) = (v.count(), v.session);
        let floor = (count * s.target_kwh - s.efficiency * v.speed() * later).max(0.0);
        ((v.energy - floor) * s.efficiency).clamp(0.0, v.speed() * presence)
    };
    let laxity = |v: &Vehicles| {
        let waited = v.session.departure_h - end;
        if v.speed() > 0.0 { waited - v.need() / v.speed() } else { waited }
    };
    let mut order: Vec<usize> = (0..vehicles.len()).collect();
    order.sort_by(|&a, &b| laxity(&vehicles[b]).total_cmp(&laxity(&vehicles[a])));
    let mut left = energy;
    for k in order {
        let share = spare(&vehicles[k]).min(left);
        moved[k] -= share;
        vehicles[k].energy -= share / vehicles[k].session.efficiency;
        left -= share;
    }
    if left < 1e-9 * (1.0 + energy) { 0.0 } else { left }
}
