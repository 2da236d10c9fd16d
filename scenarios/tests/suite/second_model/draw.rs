//! Random scenarios: the numbers, and the same numbers as a file.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::fmt::Write;

/// Uniform numbers, the same for a seed on every machine.
pub struct Draw(ChaCha8Rng);

impl Draw {
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    pub fn unit(&mut self) -> f64 {
        self.0.random()
    }

    /// Rounded, so that the file holds just this number in few digits.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        ((low + (high - low) * self.unit()) * 1e4).round() / 1e4
    }

    pub fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    fn series(&mut self, n: usize, low: f64, high: f64) -> Vec<f64> {
        (0..n).map(|_| self.between(low, high)).collect()
    }
}

#[derive(Clone, Debug)]
pub struct World {
    pub periods: usize,
    pub hours: f64,
    pub buy: Vec<f64>,
    pub sell: Vec<f64>,
    pub intensity: Vec<f64>,
    pub members: Vec<Member>,
}

#[derive(Clone, Debug)]
pub struct Member {
    pub quota_kg: f64,
    pub import_max_kw: f64,
    pub export_max_kw: f64,
    pub devices: Vec<Device>,
}

#[derive(Clone, Debug)]
pub enum Device {
    /// Greatest power of each period; the kind is only a name.
    Renewable {
        kind: &'static str,
        p_max_kw: f64,
        profile: Vec<f64>,
        cost: f64,
    },
    Load {
        p_kw: Vec<f64>,
    },
    Interruptible {
        share: f64,
        cost: f64,
    },
    Shiftable {
        share: f64,
        cost: f64,
    },
    Turbine {
        low: f64,
        high: f64,
        cost: f64,
        square: f64,
        per_hour: f64,
        ramp: Option<f64>,
        kg: f64,
    },
    Storage {
        capacity: f64,
        charge: f64,
        discharge: f64,
        into: f64,
        out: f64,
        retention: f64,
        start: f64,
        end: f64,
        cost: f64,
    },
    Vehicles {
        v2g: bool,
        count: usize,
        arrival: f64,
        departure: f64,
        energy: f64,
        target: f64,
        capacity: f64,
        p_max: f64,
        efficiency: f64,
    },
    Room {
        resistance: f64,
        capacity: f64,
        cop: f64,
        p_max: f64,
        outdoor: Vec<f64>,
        start: f64,
        target: f64,
        discomfort: f64,
    },
    Quadratic {
        a: f64,
        b: f64,
    },
}

/// A scenario of two to four members; the seed says all.
pub fn world(seed: u64) -> World {
    let mut draw = Draw::new(seed);
    let periods = 3 + (draw.unit() * 3.0) as usize;
    let hours = if draw.chance(0.7) { 1.0 } else { 0.5 };
    let buy = draw.series(periods, 0.4, 1.2);
    let sell = buy.iter().map(|b| ((b * draw.between(0.2, 0.8)) * 1e4).round() / 1e4).collect();
    let intensity =
        if draw.chance(0.5) { vec![draw.between(0.3, 0.9); periods] } else { draw.series(periods, 0.3, 0.9) };
    let count = 2 + (draw.unit() * 3.0) as usize;
    let members = (0..count).map(|_| member(&mut draw, periods, hours)).collect();
    World { periods, hours, buy, sell, intensity, members }
}

fn member(draw: &mut Draw, n: usize, hours: f64) -> Member {
    let horizon = n as f64 * hours;
    let mut devices = vec![];
    if draw.chance(0.15) {
        devices.push(Device::Quadratic { a: draw.between(0.002, 0.05), b: draw.between(0.1, 1.3) });
    }
    if draw.chance(0.85) {
        devices.push(Device::Load { p_kw: draw.series(n, 5.0, 60.0) });
        if draw.chance(0.4) {
            devices.push(Device::Interruptible { share: draw.between(0.05, 0.3), cost: draw.between(0.3, 1.3) });
        }
        if draw.chance(0.4) {
            devices.push(Device::Shiftable { share: draw.between(0.05, 0.3), cost: draw.between(0.005, 0.08) });
        }
    }
    for kind in ["Pv", "Wind"] {
        if draw.chance(0.4) {
            let (p_max_kw, cost) = (draw.between(10.0, 90.0), draw.between(0.0, 0.05));
            devices.push(Device::Renewable { kind, p_max_kw, profile: draw.series(n, 0.0, 1.0), cost });
        }
    }
    if draw.chance(0.5) {
        let high = draw.between(20.0, 80.0);
        devices.push(Device::Turbine {
            low: if draw.chance(0.5) { 0.0 } else { draw.between(0.0, 10.0) },
            high,
            cost: draw.between(0.2, 0.9),
            square: if draw.chance(0.5) { 0.0 } else { draw.between(0.0005, 0.008) },
            per_hour: if draw.chance(0.7) { 0.0 } else { draw.between(0.1, 2.0) },
            ramp: draw.chance(0.5).then(|| draw.between(0.2, 0.8) * high),
            kg: draw.between(0.3, 0.8),
        });
    }
    if draw.chance(0.5) {
        let start = draw.between(0.2, 0.8);
        devices.push(Device::Storage {
            capacity: draw.between(20.0, 150.0),
            charge: draw.between(5.0, 40.0),
            discharge: draw.between(5.0, 40.0),
            into: draw.between(0.85, 1.0),
            out: draw.between(0.85, 1.0),
            retention: if draw.chance(0.6) { 1.0 } else { draw.between(0.985, 1.0) },
            start,
            end: if draw.chance(0.6) { start } else { draw.between(0.15, 0.3) },
            cost: draw.between(0.003, 0.04),
        });
    }
    if draw.chance(0.35) {
        let arrival = draw.between(0.0, 0.4 * horizon);
        let departure = draw.between(arrival + 0.3 * horizon, horizon);
        let (efficiency, p_max, energy) = (draw.between(0.85, 1.0), draw.between(3.0, 11.0), draw.between(5.0, 20.0));
        let reach = (efficiency * p_max * (departure - arrival)).min(30.0);
        devices.push(Device::Vehicles {
            v2g: draw.chance(0.4),
            count: 1 + (draw.unit() * 6.0) as usize,
            arrival,
            departure,
            energy,
            target: energy + (reach * draw.between(0.1, 0.9) * 1e4).floor() / 1e4,
            capacity: 55.0,
            p_max,
            efficiency,
        });
    }
    if draw.chance(0.35) {
        devices.push(Device::Room {
            resistance: draw.between(0.15, 0.4),
            capacity: draw.between(8.0, 20.0),
            cop: draw.between(2.5, 4.0),
            p_max: draw.between(20.0, 40.0),
            outdoor: draw.series(n, 25.5, 33.0),
            start: draw.between(23.5, 24.5),
            target: draw.between(23.5, 24.5),
            discomfort: draw.between(0.05, 1.0),
        });
    }
    Member { quota_kg: draw.between(0.0, 60.0), import_max_kw: 400.0, export_max_kw: 300.0, devices }
}

fn list(values: &[f64]) -> String {
    format!("{values:?}")
}

impl World {
    /// The scenario as a file.
    pub fn ron(&self, name: &str) -> String {
        let mut text = format!(
            "Scenario(name: {name:?}, periods: {}, period_h: {:?}, currency: \"CNY\", damage_per_tonne: 100,\n\
             grid: (buy_price_per_kwh: {}, sell_price_per_kwh: {}, intensity_kg_per_kwh: {}), participants: [\n",
            self.periods,
            self.hours,
            list(&self.buy),
            list(&self.sell),
            list(&self.intensity)
        );
        for (k, member) in self.members.iter().enumerate() {
            let devices: Vec<String> = member.devices.iter().map(Device::ron).collect();
            let (quota, import, export) = (member.quota_kg, member.import_max_kw, member.export_max_kw);
            let _ = writeln!(
                text,
                "(id: \"m{k}\", quota_kg: {quota:?}, import_max_kw: {import:?}, export_max_kw: {export:?}, devices: [{}]),",
                devices.join(", ")
            );
        }
        text + "])"
    }
}

impl Device {
    fn ron(&self) -> String {
        match self {
            Device::Renewable { kind, p_max_kw, profile, cost } => {
                format!("{kind}(p_max_kw: {p_max_kw:?}, profile: {}, cost_per_kwh: {cost:?})", list(profile))
            }
            Device::Load { p_kw } => format!("Load(p_kw: {})", list(p_kw)),
            Device::Interruptible { share, cost } => {
                format!("Interruptible(share: {share:?}, compensation_per_kwh: {cost:?})")
            }
            Device::Shiftable { share, cost } => format!("Shiftable(share: {share:?}, cost_per_kwh: {cost:?})"),
            Device::Turbine { low, high, cost, square, per_hour, ramp, kg } => {
                let ramp = ramp.map_or(String::new(), |r| format!(", ramp_kw_per_h: {r:?}"));
                format!(
                    "MicroTurbine(p_min_kw: {low:?}, p_max_kw: {high:?}, cost_per_kwh: {cost:?}, cost_per_kwh2: {square:?}, \
                     cost_per_h: {per_hour:?}, emission_kg_per_kwh: {kg:?}{ramp})"
                )
            }
            Device::Storage { capacity, charge, discharge, into, out, retention, start, end, cost } => format!(
                "Storage(capacity_kwh: {capacity:?}, p_charge_max_kw: {charge:?}, p_discharge_max_kw: {discharge:?}, \
                 efficiency_charge: {into:?}, efficiency_discharge: {out:?}, retention_per_h: {retention:?}, soc_min: 0.1, \
                 soc_max: 0.9, soc_start: {start:?}, soc_end: {end:?}, cost_per_kwh: {cost:?})"
            ),
            Device::Vehicles { v2g, count, arrival, departure, energy, target, capacity, p_max, efficiency } => {
                format!(
                    "EvFleet(v2g: {v2g}, sessions: [(count: {count}, arrival_h: {arrival:?}, departure_h: {departure:?}, \
                 energy_kwh: {energy:?}, target_kwh: {target:?}, capacity_kwh: {capacity:?}, p_max_kw: {p_max:?}, \
                 efficiency: {efficiency:?})])"
                )
            }
            Device::Room { resistance, capacity, cop, p_max, outdoor, start, target, discomfort } => format!(
                "Hvac(resistance_c_per_kw: {resistance:?}, capacity_kwh_per_c: {capacity:?}, cop: {cop:?}, p_max_kw: {p_max:?}, \
                 outdoor_c: {}, start_c: {start:?}, min_c: 22.0, max_c: 26.0, target_c: {target:?}, discomfort_per_c2: {discomfort:?})",
                list(outdoor)
            ),
            Device::Quadratic { a, b } => format!("Quadratic(a_per_kwh2: {a:?}, b_per_kwh: {b:?})"),
        }
    }
}
