//! Splitting a fleet's power among its vehicles, least laxity first.

use super::{EvFleet, EvSession};
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

#[cfg(test)]
mod tests {
    use crate::participant::testing::{assert_all_close, assert_close, hourly};
    use crate::participant::{EvFleet, EvSession};
    use proptest::prelude::*;

    fn car(p_max_kw: f64, need_kwh: f64, departure_h: f64) -> EvSession {
        EvSession {
            count: 1,
            arrival_h: 0.0,
            departure_h,
            energy_kwh: 0.0,
            target_kwh: need_kwh,
            capacity_kwh: need_kwh,
            p_max_kw,
            efficiency: 1.0,
        }
    }

    fn fleet(sessions: Vec<EvSession>) -> EvFleet {
        EvFleet { v2g: false, sessions }
    }

    #[test]
    fn a_series_within_the_envelope_may_be_two_kilowatt_hours_away_from_any_split() {
        let fleet = fleet(vec![car(10.0, 10.0, 4.0), car(1.0, 3.0, 4.0)]);
        let series = [0.0, 11.0, 0.0, 2.0];
        let (low, high) = fleet.charging_envelope_kwh(hourly(4));
        let mut taken = 0.0;
        for (t, p) in series.iter().enumerate() {
            taken += p;
            assert!(low[t + 1] <= taken && taken <= high[t + 1]);
        }
        let split = fleet.disaggregate(&series.map(|p| -p), hourly(4));
        assert_close(split.short_kwh, 1.0, 1e-12);
        assert_close(split.unplaced_kwh, 1.0, 1e-12);
        assert_close(split.deviation_kwh(), 2.0, 1e-12);
        assert_all_close(&split.charging_kw[0], &[0.0, 10.0, 0.0, 0.0], 1e-12);
        assert_all_close(&split.charging_kw[1], &[0.0, 1.0, 0.0, 1.0], 1e-12);
    }

    #[test]
    fn the_car_that_cannot_wait_goes_first() {
        let fleet = fleet(vec![car(7.0, 7.0, 3.0), car(7.0, 7.0, 1.0), car(7.0, 7.0, 2.0)]);
        let split = fleet.disaggregate(&[-7.0; 3], hourly(3));
        assert_eq!(split.deviation_kwh(), 0.0);
        assert_all_close(&split.charging_kw[1], &[7.0, 0.0, 0.0], 1e-12);
        assert_all_close(&split.charging_kw[2], &[0.0, 7.0, 0.0], 1e-12);
        assert_all_close(&split.charging_kw[0], &[0.0, 0.0, 7.0], 1e-12);
    }

    #[test]
    fn equal_laxity_shares_in_proportion_to_power() {
        let fleet = fleet(vec![car(9.0, 9.0, 4.0), car(3.0, 3.0, 4.0)]);
        let split = fleet.disaggregate(&[-4.0, -8.0, 0.0, 0.0], hourly(4));
        assert_eq!(split.deviation_kwh(), 0.0);
        assert_all_close(&split.charging_kw[0], &[3.0, 6.0, 0.0, 0.0], 1e-12);
        assert_all_close(&split.charging_kw[1], &[1.0, 2.0, 0.0, 0.0], 1e-12);
    }

    #[test]
    fn needs_come_before_room() {
        let full = EvSession { target_kwh: 0.0, ..car(7.0, 20.0, 1.0) };
        let fleet = fleet(vec![full, car(7.0, 6.0, 2.0)]);
        let split = fleet.disaggregate(&[-7.0, 0.0], hourly(2));
        assert_eq!(split.deviation_kwh(), 0.0);
        assert_all_close(&split.charging_kw[0], &[1.0, 0.0], 1e-12);
    }

    #[test]
    fn discharging_takes_from_the_car_that_can_wait_longest() {
        let parked = |departure_h| EvSession { energy_kwh: 10.0, capacity_kwh: 20.0, ..car(5.0, 10.0, departure_h) };
        let fleet = EvFleet { v2g: true, sessions: vec![parked(2.0), parked(4.0)] };
        let split = fleet.disaggregate(&[5.0, 0.0, -5.0, 0.0], hourly(4));
        assert_eq!(split.deviation_kwh(), 0.0);
        assert_all_close(&split.charging_kw[1], &[-5.0, 0.0, 5.0, 0.0], 1e-12);
        // At the end nobody can give any more and still leave with its target.
        let split = fleet.disaggregate(&[0.0, 0.0, 0.0, 5.0], hourly(4));
        assert_eq!(split.unplaced_kwh, 5.0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn energy_is_accounted_for_to_the_last_kilowatt_hour(
            cars in prop::collection::vec((1.0..10.0f64, 0.0..1.0f64, 1u32..6), 1..8),
            series in prop::collection::vec(0.0..30.0f64, 6),
        ) {
            let cars: Vec<EvSession> = cars
                .into_iter()
                .map(|(p, ambition, departure)| {
                    let departure = f64::from(departure);
                    EvSession { capacity_kwh: 30.0, ..car(p, (ambition * p * departure).min(30.0), departure) }
                })
                .collect();
            let fleet = fleet(cars.clone());
            let power: Vec<f64> = series.iter().map(|p| -p).collect();
            let split = fleet.disaggregate(&power, hourly(6));
            let mut placed = 0.0;
            let mut short = 0.0;
            for (car, charged) in cars.iter().zip(&split.charging_kw) {
                for (t, p) in charged.iter().enumerate() {
                    let limit = if (t as f64) < car.departure_h { car.p_max_kw } else { 0.0 };
                    prop_assert!(*p >= 0.0 && *p <= limit + 1e-9);
                }
                let energy: f64 = charged.iter().sum();
                prop_assert!(energy <= car.capacity_kwh + 1e-9);
                placed += energy;
                short += (car.target_kwh - energy).max(0.0);
            }
            let asked: f64 = series.iter().sum();
            prop_assert!((placed + split.unplaced_kwh - asked).abs() < 1e-7);
            prop_assert!((short - split.short_kwh).abs() < 1e-7);
        }
    }
}
