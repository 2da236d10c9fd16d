//! A battery that never charges and discharges at once.

use crate::carbon_flow::storage::StorageEfficiency;
use crate::participant::check;
use crate::participant::oracle::{Delivered, Draw, between, same};
use crate::participant::{Device, DeviceError, Hatching, Look, Part, Scene, Shown, Store, Surroundings};
use crate::program::{Expr, Program};
use crate::register_device;
use crate::setting::{Periods, Rating};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A battery: `S_{t+1} = k S_t + eta_c P_c h - P_d h / eta_d`, with `P_c P_d = 0`, power and wear at the terminals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    /// Energy it can hold, kWh.
    #[schemars(range(min = 0.0))]
    pub capacity_kwh: f64,
    /// Greatest charging power at the terminals, kW.
    #[schemars(range(min = 0.0))]
    pub p_charge_max_kw: f64,
    /// Greatest discharging power at the terminals, kW.
    #[schemars(range(min = 0.0))]
    pub p_discharge_max_kw: f64,
    /// Share of the charged energy that is stored, more than 0 and at most 1.
    #[serde(default = "efficiency")]
    #[schemars(range(max = 1.0), extend("exclusiveMinimum" = 0.0))]
    pub efficiency_charge: f64,
    /// Share of the energy drawn from the store that reaches the terminals, more than 0 and at most 1.
    #[serde(default = "efficiency")]
    #[schemars(range(max = 1.0), extend("exclusiveMinimum" = 0.0))]
    pub efficiency_discharge: f64,
    /// Share of the stored energy that is left after an hour; `k` is this to the power of the period length.
    #[serde(default = "retention")]
    #[schemars(range(max = 1.0), extend("exclusiveMinimum" = 0.0))]
    pub retention_per_h: f64,
    /// Least state of charge, as a share of the capacity.
    #[serde(default = "soc_min")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub soc_min: f64,
    /// Greatest state of charge, as a share of the capacity.
    #[serde(default = "soc_max")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub soc_max: f64,
    /// State of charge before the first period, as a share of the capacity.
    #[serde(default = "soc_start")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub soc_start: f64,
    /// State of charge after the last period, as a share of the capacity; `None`: as at the start.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub soc_end: Option<f64>,
    /// Wear, money per kWh charged and per kWh discharged.
    #[serde(default)]
    #[schemars(range(min = 0.0))]
    pub cost_per_kwh: f64,
    /// Price of a kW held as reserve for one period, money; `None`: offers no reserve. Scenario files trade none.
    #[serde(skip)]
    pub reserve_cost_per_kw: Option<f64>,
}

fn efficiency() -> f64 {
    0.95
}

fn retention() -> f64 {
    1.0
}

fn soc_min() -> f64 {
    0.1
}

fn soc_max() -> f64 {
    0.9
}

fn soc_start() -> f64 {
    0.5
}

impl Device for Storage {
    fn validate(&self, periods: Periods) -> Result<(), DeviceError> {
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

    fn rating(&self, _periods: Periods, _load_kw: &[f64]) -> Rating {
        Rating { supply_kw: self.p_discharge_max_kw, demand_kw: self.p_charge_max_kw }
    }

    fn complete(&mut self, _scene: &Scene) -> Result<(), DeviceError> {
        self.soc_end.get_or_insert(self.soc_start);
        Ok(())
    }

    fn store(&self) -> Option<Store> {
        Some(Store {
            start_kwh: self.soc_start * self.capacity_kwh,
            efficiency: StorageEfficiency {
                charge: self.efficiency_charge,
                discharge: self.efficiency_discharge,
                retention_per_h: self.retention_per_h,
            },
        })
    }

    fn contribute(&self, program: &mut Program, around: &Surroundings<'_>) -> Part {
        let h = around.periods.hours;
        let last = around.periods.count.saturating_sub(1);
        let kept = self.kept(around.periods);
        let (floor, ceiling) = (self.soc_min * self.capacity_kwh, self.soc_max * self.capacity_kwh);
        let end = self.end_kwh();
        // Without discharging, charging is limited by the room there can be; and the other way round.
        let charge_max = ((ceiling - kept * floor) / (self.efficiency_charge * h)).clamp(0.0, self.p_charge_max_kw);
        let discharge_max =
            ((kept * ceiling - floor) * self.efficiency_discharge / h).clamp(0.0, self.p_discharge_max_kw);
        let mut part = Part::default();
        let mut stored = Expr::constant(self.soc_start * self.capacity_kwh);
        for t in 0..around.periods.count {
            let charge = program.var(0.0, charge_max);
            let discharge = program.var(0.0, discharge_max);
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
            part.power_kw.push(power);
            part.stored_kwh.push(stored.clone());
        }
        part
    }
}

impl Storage {
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

register_device!(Storage, "storage", "a battery that never charges and discharges at once",
    role: Store, carbon: Carried,
    power: "Storage, positive when discharging.",
    example: Storage {
        capacity_kwh: 20.0,
        p_charge_max_kw: 5.0,
        p_discharge_max_kw: 5.0,
        efficiency_charge: efficiency(),
        efficiency_discharge: efficiency(),
        retention_per_h: retention(),
        soc_min: soc_min(),
        soc_max: soc_max(),
        soc_start: soc_start(),
        soc_end: None,
        cost_per_kwh: 0.0,
        reserve_cost_per_kw: None,
    },
    stored: ("soc_kwh", "Energy in the storages at the end of the period; vehicles aside."),
    look: Look {
        place: 3,
        gives: Some(Shown::hatched("Discharge", 0x009E73, Hatching::Forward)),
        takes: Some(Shown::hatched("Charge", 0x80CFB9, Hatching::Back)),
    },
    oracle: (draw, check),
    rank: 3);

fn draw(draw: &mut Draw, _periods: Periods) -> Storage {
    Storage {
        capacity_kwh: draw.between(10.0, 200.0),
        p_charge_max_kw: draw.between(5.0, 80.0),
        p_discharge_max_kw: draw.between(5.0, 80.0),
        efficiency_charge: draw.between(0.8, 1.0),
        efficiency_discharge: draw.between(0.8, 1.0),
        retention_per_h: if draw.chance(0.4) { 1.0 } else { draw.between(0.95, 1.0) },
        soc_min: draw.between(0.0, 0.2),
        soc_max: draw.between(0.7, 1.0),
        soc_start: draw.between(0.2, 0.7),
        soc_end: draw.chance(0.5).then(|| draw.between(0.2, 0.7)),
        cost_per_kwh: draw.between(0.0, 0.05),
        reserve_cost_per_kw: None,
    }
}

/// The net power says all about what was stored, for the battery goes one way at a time.
fn check(battery: &Storage, done: &Delivered<'_>) -> Result<f64, String> {
    done.within(|_| -battery.p_charge_max_kw, |_| battery.p_discharge_max_kw)?;
    let h = done.periods.hours;
    let left_after_a_period = (h * battery.retention_per_h.ln()).exp();
    let mut stored = battery.soc_start * battery.capacity_kwh;
    if done.stored_kwh.len() != done.periods.count {
        return Err(format!("{} values of stored energy", done.stored_kwh.len()));
    }
    for (t, (p, claimed)) in done.power_kw.iter().zip(done.stored_kwh).enumerate() {
        let gained = if *p < 0.0 { -p * battery.efficiency_charge } else { -p / battery.efficiency_discharge };
        stored = left_after_a_period * stored + h * gained;
        same("stored energy", t, *claimed, stored)?;
        between(
            "stored energy",
            t,
            stored,
            battery.soc_min * battery.capacity_kwh,
            battery.soc_max * battery.capacity_kwh,
        )?;
    }
    let end = battery.soc_end.unwrap_or(battery.soc_start) * battery.capacity_kwh;
    same("stored energy at the end", done.periods.count - 1, stored, end)?;
    Ok(done.cost(|p| battery.cost_per_kwh * p.abs()))
}

#[cfg(test)]
mod tests {
    use super::Storage;
    use crate::participant::testing::{Response, assert_all_close, assert_close, at_prices, hourly, in_setting};
    use crate::participant::{Device, DeviceError, Portfolio};
    use crate::program::{Cost, Expr, Program};
    use crate::setting::{Product, Setting, Slot};

    const TARIFF: [f64; 24] = [
        0.385, 0.385, 0.385, 0.385, 0.385, 0.754, 0.754, 1.02, 1.02, 1.02, 1.02, 1.02, 1.02, 1.02, 1.02, 1.02, 0.754,
        0.754, 1.02, 1.02, 1.02, 0.754, 0.754, 0.385,
    ];

    fn unit(p_kw: f64, soc_min: f64, soc_max: f64, soc_start: f64) -> Storage {
        Storage {
            capacity_kwh: 1.0,
            p_charge_max_kw: p_kw,
            p_discharge_max_kw: p_kw,
            efficiency_charge: 0.95,
            efficiency_discharge: 0.95,
            retention_per_h: 1.0,
            soc_min,
            soc_max,
            soc_start,
            soc_end: None,
            cost_per_kwh: 0.0,
            reserve_cost_per_kw: None,
        }
    }

    fn meet(storage: Storage, prices: &[f64]) -> Response {
        at_prices(vec![storage.boxed()], hourly(prices.len()), prices).unwrap()
    }

    #[test]
    fn one_cycle_earns_the_price_gap_less_losses() {
        let found = meet(unit(2.0, 0.0, 1.0, 0.0), &[0.385, 1.02]);
        assert_close(found.profit, 1.02 * 0.95 - 0.385 / 0.95, 1e-9);
        assert_close(found.profit, 0.5637368421, 1e-9);
        assert_all_close(&found.power_kw(0), &[-1.0 / 0.95, 0.95], 1e-7);
        assert_all_close(&found.values(&found.contribution.devices[0].stored_kwh), &[1.0, 0.0], 1e-7);
    }

    #[test]
    fn a_cycle_pays_from_the_round_trip_efficiency_on() {
        let even = 0.385 / (0.95 * 0.95);
        assert_close(meet(unit(2.0, 0.0, 1.0, 0.0), &[0.385, even - 1e-3]).profit, 0.0, 1e-9);
        assert_close(meet(unit(2.0, 0.0, 1.0, 0.0), &[0.385, even + 1e-3]).profit, 0.95e-3, 1e-9);
    }

    #[test]
    fn wear_is_paid_at_the_terminals_in_both_directions() {
        let worn = Storage { cost_per_kwh: 0.02, ..unit(2.0, 0.0, 1.0, 0.0) };
        assert_close(meet(worn, &[0.385, 1.02]).profit, 0.5637368421 - 0.02 * (1.0 / 0.95 + 0.95), 1e-9);
    }

    #[test]
    fn a_day_of_arbitrage() {
        assert_close(meet(unit(0.5, 0.1, 0.9, 0.5), &TARIFF).profit, 0.5912421053, 1e-9);
    }

    #[test]
    fn negative_prices_do_not_make_it_charge_and_discharge_at_once() {
        let mut prices = TARIFF;
        prices[12..15].fill(-0.1);
        let found = meet(unit(0.5, 0.1, 0.9, 0.5), &prices);
        assert_close(found.profit, 1.4042109418, 1e-9);
        assert_close(relaxed(&unit(0.5, 0.1, 0.9, 0.5), &prices), 1.4090859418, 1e-9);
    }

    #[test]
    fn burning_energy_at_a_negative_price_earns_nothing() {
        let found = meet(unit(1.0, 0.0, 1.0, 0.5), &[-0.1]);
        assert_close(found.profit, 0.0, 1e-9);
        assert_close(relaxed(&unit(1.0, 0.0, 1.0, 0.5), &[-0.1]), 0.1 * (1.0 - 0.95 * 0.95), 1e-9);
    }

    /// The same battery written down again without the choice.
    fn relaxed(s: &Storage, prices: &[f64]) -> f64 {
        let mut program = Program::new();
        let mut cost = Cost::default();
        let start = s.soc_start * s.capacity_kwh;
        let mut change = Expr::default();
        for (t, price) in prices.iter().enumerate() {
            let (c, d) = (program.var(0.0, s.p_charge_max_kw), program.var(0.0, s.p_discharge_max_kw));
            cost.add(*price, c).add(-price, d);
            change.add(s.efficiency_charge, c).add(-1.0 / s.efficiency_discharge, d);
            let (low, high) = if t + 1 == prices.len() { (start, start) } else { (s.soc_min, s.soc_max) };
            program.within(change.clone(), low - start, high - start, "stored energy", Some(t));
        }
        program.add_cost(&cost);
        let solution = program.compile().instance().solve().unwrap();
        -cost.value(&solution.x)
    }

    #[test]
    fn stored_energy_decays_by_the_hour_whatever_the_period() {
        let leaking = Storage { retention_per_h: 0.81, ..unit(2.0, 0.0, 1.0, 0.5) };
        let periods = crate::setting::Periods { count: 2, hours: 0.5 };
        // Without wear it would pay to sell first and recharge late: an empty store loses nothing.
        let storage = Storage { soc_end: Some(0.5 * 0.81), cost_per_kwh: 0.1, ..leaking.clone() };
        let found = at_prices(vec![storage.boxed()], periods, &[1.0, 1.0]).unwrap();
        assert_close(found.profit, 0.0, 1e-9);
        // Holding 0.5 kWh over one period of half an hour loses a tenth of it, 0.05 / 0.95 at the terminals.
        let one = crate::setting::Periods { count: 1, hours: 0.5 };
        let found = at_prices(vec![leaking.boxed()], one, &[1.0]).unwrap();
        assert_close(found.profit, -0.05 / 0.95, 1e-9);
        assert_all_close(&found.power_kw(0), &[-0.1 / 0.95], 1e-7);
    }

    #[test]
    fn reserve_needs_power_and_energy_behind_it() {
        let offer = |p_kw| {
            let storage = Storage { reserve_cost_per_kw: Some(0.01), ..unit(p_kw, 0.1, 0.9, 0.5) };
            let portfolio = Portfolio::new("test", vec![storage.boxed()], hourly(1)).unwrap();
            let mut setting = Setting::energy(hourly(1), None, None, vec![]);
            setting.slots.push(Slot { product: Product::ReserveUp, period: 0 });
            setting.slots.push(Slot { product: Product::ReserveDown, period: 0 });
            let found = in_setting(&portfolio, &setting, &[0.0, 0.02, 0.03]).unwrap();
            found.values(&found.contribution.output)
        };
        assert_all_close(&offer(0.2), &[0.0, 0.2, 0.2], 1e-7);
        // An hour's call draws 1 / 0.95 kWh per kW from 0.4 and adds 0.95 kWh per kW to a room of 0.4.
        assert_all_close(&offer(5.0), &[0.0, 0.4 * 0.95, 0.4 / 0.95], 1e-7);
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let good = unit(0.5, 0.1, 0.9, 0.5);
        let day = hourly(24);
        good.validate(day).unwrap();
        let field = |storage: Storage| match storage.validate(day).unwrap_err() {
            DeviceError::Value { field, .. }
            | DeviceError::Order { field, .. }
            | DeviceError::Unreachable { field, .. } => field,
            other => panic!("{other}"),
        };
        assert_eq!(field(Storage { capacity_kwh: -1.0, ..good.clone() }), "capacity_kwh");
        assert_eq!(field(Storage { p_charge_max_kw: f64::NAN, ..good.clone() }), "p_charge_max_kw");
        assert_eq!(field(Storage { p_discharge_max_kw: f64::INFINITY, ..good.clone() }), "p_discharge_max_kw");
        assert_eq!(field(Storage { efficiency_charge: 0.0, ..good.clone() }), "efficiency_charge");
        assert_eq!(field(Storage { retention_per_h: 1.1, ..good.clone() }), "retention_per_h");
        assert_eq!(field(Storage { soc_max: 1.2, ..good.clone() }), "soc_max");
        assert_eq!(field(Storage { soc_min: 0.6, ..good.clone() }), "soc_min");
        assert_eq!(field(Storage { soc_start: 0.95, ..good.clone() }), "soc_start");
        assert_eq!(field(Storage { cost_per_kwh: -0.1, ..good.clone() }), "cost_per_kwh");
        assert_eq!(field(Storage { soc_end: Some(0.9), p_charge_max_kw: 0.01, ..good.clone() }), "soc_end");
        assert_eq!(field(Storage { retention_per_h: 0.5, p_charge_max_kw: 0.001, ..good.clone() }), "soc_min");
        let text = Storage { soc_start: 1.5, ..good }.validate(day).unwrap_err().to_string();
        assert_eq!(text, "soc_start: found 1.5, expected 0 to 1");
    }
}
