//! What a member can do and what it costs, device by device, as the equations of the model say.

use super::draw::{Device, Member, World};
use super::plain::{Plain, Terms};

/// A member inside a program. Powers are kW, energies kWh.
pub struct Seat {
    pub import: Vec<usize>,
    pub export: Vec<usize>,
    /// Sold to other members, kW; negative buys.
    pub sold: Vec<usize>,
    /// Kilograms: of imports and of own fuel.
    pub imported_kg: Terms,
    pub fuel_kg: Terms,
    /// kWh of the turbine, for quotas by output.
    pub fuel_kwh: Terms,
    pub imported_kwh: Terms,
    pub exported_kg: Terms,
}

impl Seat {
    /// Everything that is charged where every import counts.
    pub fn gross_kg(&self) -> Terms {
        self.imported_kg.iter().chain(&self.fuel_kg).copied().collect()
    }
}

/// Seats a member at the tariff.
pub fn seat(program: &mut Plain, world: &World, member: &Member) -> Seat {
    let (n, h) = (world.periods, world.hours);
    let import: Vec<usize> = (0..n).map(|t| program.within(0.0, member.import_max_kw, h * world.buy[t])).collect();
    let export: Vec<usize> = (0..n).map(|t| program.within(0.0, member.export_max_kw, -h * world.sell[t])).collect();
    let sold: Vec<usize> = (0..n).map(|_| program.free()).collect();
    // What comes in, in each period; the load stands on the other side.
    let mut supply: Vec<Terms> = (0..n).map(|t| vec![(1.0, import[t]), (-1.0, export[t]), (-1.0, sold[t])]).collect();
    let mut demand = vec![0.0; n];
    let load: Vec<f64> = (0..n)
        .map(|t| member.devices.iter().map(|d| if let Device::Load { p_kw } = d { p_kw[t] } else { 0.0 }).sum())
        .collect();
    let (mut fuel_kg, mut fuel_kwh) = (vec![], vec![]);
    for device in &member.devices {
        match device {
            Device::Load { p_kw } => demand.iter_mut().zip(p_kw).for_each(|(d, p)| *d += p),
            Device::Renewable { p_max_kw, profile, cost, .. } => {
                for t in 0..n {
                    let v = program.within(0.0, p_max_kw * profile[t], h * cost);
                    supply[t].push((1.0, v));
                }
            }
            Device::Interruptible { share, cost } => {
                for t in 0..n {
                    let v = program.within(0.0, share * load[t], h * cost);
                    supply[t].push((1.0, v));
                }
            }
            Device::Shiftable { share, cost } => {
                let mut sum = vec![];
                for t in 0..n {
                    let [more, less] = [0, 1].map(|_| program.within(0.0, share * load[t], h * cost));
                    // Shifted load stays within the share of either sign.
                    supply[t].extend([(-1.0, more), (1.0, less)]);
                    sum.extend([(1.0, more), (-1.0, less)]);
                }
                program.equal(sum, 0.0);
            }
            Device::Turbine { low, high, cost, square, per_hour, ramp, kg } => {
                let mut before = None;
                for t in 0..n {
                    let v = program.within(*low, *high, h * cost);
                    program.square[v] = h * square;
                    program.constant += h * per_hour;
                    supply[t].push((1.0, v));
                    fuel_kg.push((h * kg, v));
                    fuel_kwh.push((h, v));
                    if let (Some(before), Some(ramp)) = (before, ramp) {
                        program.at_most(vec![(1.0, v), (-1.0, before)], h * ramp);
                        program.at_most(vec![(-1.0, v), (1.0, before)], h * ramp);
                    }
                    before = Some(v);
                }
            }
            Device::Storage { capacity, charge, discharge, into, out, retention, start, end, cost } => {
                let mut before: Option<usize> = None;
                for t in 0..n {
                    let c = program.within(0.0, *charge, h * cost);
                    let d = program.within(0.0, *discharge, h * cost);
                    supply[t].extend([(-1.0, c), (1.0, d)]);
                    let last = t + 1 == n;
                    let (low, high) = if last { (*end, *end) } else { (0.1, 0.9) };
                    let stored = program.within(low * capacity, high * capacity, 0.0);
                    let kept = retention.powf(h);
                    let mut terms = vec![(1.0, stored), (-h * into, c), (h / out, d)];
                    let mut rhs = 0.0;
                    match before {
                        Some(v) => terms.push((-kept, v)),
                        None => rhs = kept * start * capacity,
                    }
                    program.equal(terms, rhs);
                    before = Some(stored);
                }
            }
            Device::Vehicles { v2g, count, arrival, departure, energy, target, capacity, p_max, efficiency } => {
                let many = *count as f64;
                let mut taken: Terms = vec![];
                for t in 0..n {
                    let (from, to) = (t as f64 * h, (t + 1) as f64 * h);
                    let present = (departure.min(to) - arrival.max(from)).max(0.0) / h;
                    if present < 1e-9 {
                        continue;
                    }
                    let c = program.within(0.0, many * p_max * present, 0.0);
                    supply[t].push((-1.0, c));
                    taken.push((h * efficiency, c));
                    if *v2g {
                        let d = program.within(0.0, many * p_max * present, 0.0);
                        supply[t].push((1.0, d));
                        taken.push((-h / efficiency, d));
                    }
                    // Never beyond the battery, never below empty; enough at the end of the stay.
                    program.at_most(taken.clone(), many * (capacity - energy));
                    program.at_most(taken.iter().map(|(a, v)| (-a, *v)).collect(), many * energy);
                }
                program.at_most(taken.iter().map(|(a, v)| (-a, *v)).collect(), -many * (target - energy));
            }
            Device::Room { resistance, capacity, cop, p_max, outdoor, start, target, discomfort } => {
                let decay = (-h / (resistance * capacity)).exp();
                let mut before: Option<usize> = None;
                for t in 0..n {
                    let p = program.within(0.0, *p_max, 0.0);
                    supply[t].push((-1.0, p));
                    let inside = program.within(22.0, 26.0, 0.0);
                    program.square[inside] = h * discomfort;
                    program.linear[inside] = -2.0 * h * discomfort * target;
                    program.constant += h * discomfort * target * target;
                    let mut terms = vec![(1.0, inside), ((1.0 - decay) * resistance * cop, p)];
                    let mut rhs = (1.0 - decay) * outdoor[t];
                    match before {
                        Some(v) => terms.push((-decay, v)),
                        None => rhs += decay * start,
                    }
                    program.equal(terms, rhs);
                    before = Some(inside);
                }
            }
            Device::Quadratic { a, b } => {
                // It goes no further than prices between nothing and twice the dearest purchase would take it.
                let dearest = world.buy.iter().copied().fold(0.0, f64::max);
                let at = |price: f64| (price - b) / a / h;
                for t in 0..n {
                    // Cost of a net export of g kWh: a g^2 / 2 + b g, with g = h p.
                    let v = program.within(at(0.0).min(0.0), at(2.0 * dearest).max(0.0), h * b);
                    program.square[v] = 0.5 * a * h * h;
                    supply[t].push((1.0, v));
                }
            }
        }
    }
    for t in 0..n {
        program.equal(std::mem::take(&mut supply[t]), demand[t]);
    }
    let per_import = |kg: bool| {
        import.iter().enumerate().map(|(t, v)| (if kg { h * world.intensity[t] } else { h }, *v)).collect::<Terms>()
    };
    let exported_kg = export.iter().enumerate().map(|(t, v)| (-h * world.intensity[t], *v)).collect();
    Seat {
        imported_kg: per_import(true),
        imported_kwh: per_import(false),
        exported_kg,
        fuel_kg,
        fuel_kwh,
        import,
        export,
        sold,
    }
}
