//! From per unit back to kW, and prices into their parts.

use super::adjoint::Sources;
use super::ask::Hour;
use super::certificate::Certified;
use super::feeder::{Feeder, FlowState};
use super::formulation::Scaled;
use super::proof::LimitDuals;
use super::result::{BusResult, Dispatch, Status, Violation};
use super::solved::{MISSED, Solved};
use crate::network::Network;
use crate::opf::Price;
use crate::program::flows::response;

/// A squared current that exceeds that of the flow by this share is none.
const INEXACT: f64 = 1e-5;
/// Power beyond the limits of the import that is none, pu of the hour's base.
const MISSED_POWER: f64 = 1e-6;

/// What an answer is told in terms of.
pub(super) struct Report<'a> {
    pub network: &'a Network,
    pub feeder: &'a Feeder,
    pub hour: &'a Hour,
    pub scaled: &'a Scaled,
}

impl Report<'_> {
    /// The answer of an exact solve.
    pub fn dispatch(&self, solved: &Solved, c: &Certified, status: Status, iterations: usize) -> Dispatch {
        let (feeder, scaled) = (self.feeder, self.scaled);
        let base = feeder.base_kva;
        let mut branches = vec![(0.0, 0.0); self.network.branches.len()];
        let mut loss = 0.0;
        for k in feeder.roots..feeder.len() {
            let line = &feeder.branch[k];
            let (sent, received) = (c.flow.p[k], c.flow.p[k] - line.r * c.flow.l[k]);
            loss += sent - received;
            branches[line.index] =
                if line.forward { (sent * base, received * base) } else { (-received * base, -sent * base) };
        }
        Dispatch {
            status,
            objective_per_h: c.cost * scaled.price * base,
            controls: c.controls.iter().map(|(p, q)| (p * base, q * base)).collect(),
            import_kw: c.flow.import.0 * base,
            import_kvar: c.flow.import.1 * base,
            loss_kw: loss * base,
            buses: self.buses(solved, c),
            branches,
            certificate: Some(c.certificate(feeder, scaled)),
            duals: Some(LimitDuals::of(self.network, feeder, scaled, &c.duals)),
            max_cone_gap: 0.0,
            is_power_flow: true,
            iterations,
        }
    }

    /// Prices in parts: one adjoint per source, which add up because it is linear.
    fn buses(&self, solved: &Solved, c: &Certified) -> Vec<Option<BusResult>> {
        let (feeder, scaled, hour) = (self.feeder, self.scaled, self.hour);
        let n = feeder.len();
        let (active, reactive) = c.duals.sources.root;
        let carbon_root = hour.import.carbon_per_kwh / scaled.price;
        let zero = Sources::root(n, 0.0, 0.0);
        let part = |sources: Sources| feeder.prices(&c.flow, &sources).active;
        let energy = active - carbon_root;
        let loss = part(Sources::root(n, energy, reactive));
        let carbon = part(Sources::root(n, carbon_root, 0.0));
        let voltage = part(Sources { voltage: c.duals.sources.voltage.clone(), ..zero.clone() });
        let congestion = part(Sources {
            sending: c.duals.sources.sending.clone(),
            receiving: c.duals.sources.receiving.clone(),
            angle: c.duals.sources.angle.clone(),
            ..zero
        });
        let emission = marginal_emissions(feeder, hour, solved);
        let per_kwh = scaled.price;
        let mut buses = vec![None; self.network.buses.len()];
        for k in 0..n {
            let price = Price {
                energy: energy * per_kwh,
                loss: (loss[k] - energy) * per_kwh,
                voltage: voltage[k] * per_kwh,
                congestion: congestion[k] * per_kwh,
                carbon: carbon[k] * per_kwh,
            };
            buses[feeder.node[k].0] = Some(BusResult {
                voltage_pu: c.flow.v[k].sqrt(),
                price,
                reactive_price: c.prices.reactive[k] * per_kwh,
                marginal_emission_kg_per_kwh: emission[k],
            });
        }
        buses
    }

    /// The answer of the relaxation.
    pub fn relaxed(&self, solved: &Solved) -> Dispatch {
        let (feeder, scaled, hour) = (self.feeder, self.scaled, self.hour);
        let base = feeder.base_kva;
        let (at, point) = (&solved.layout, &solved.solution.point);
        let value = solved.objective(feeder, scaled);
        let (mut import, mut loss, mut cone) = ((0.0, 0.0), 0.0, 0.0_f64);
        let mut is_power_flow = true;
        let to_network = (base / self.network.base_kva()).powi(2);
        let mut branches = vec![(0.0, 0.0); self.network.branches.len()];
        for k in 0..feeder.roots {
            let v = at.voltage(feeder, point, k);
            import.0 += scaled.p[k] + feeder.g[k] * v;
            import.1 += scaled.q[k] - feeder.b[k] * v;
        }
        for k in feeder.roots..feeder.len() {
            let line = &feeder.branch[k];
            let (phi, v) = solved.program.square_current(at.flow[k], &point.x);
            let excess = point.excess[at.flow[k]];
            let (p, q) = (point.x[at.p[k]], point.x[at.q[k]]);
            cone = cone.max(excess * v);
            is_power_flow &= excess * v <= INEXACT * (p * p + q * q).max(1e-6);
            let lost = line.r * (phi + excess);
            loss += lost;
            branches[line.index] =
                if line.forward { (p * base, (p - lost) * base) } else { ((lost - p) * base, -p * base) };
            if line.parent < feeder.roots {
                import.0 += p;
                import.1 += q;
            }
        }
        let controls: Vec<(f64, f64)> = solved.controls();
        for (unit, u) in scaled.units.iter().zip(&controls) {
            if unit.at < feeder.roots {
                import.0 -= u.0;
                import.1 -= u.1;
            }
        }
        let emission = marginal_emissions(feeder, hour, solved);
        let mut buses = vec![None; self.network.buses.len()];
        for k in 0..feeder.len() {
            let v = at.voltage(feeder, point, k);
            let price = at.active[k].map_or(scaled.root_price, |r| point.y[r]) * scaled.price;
            // The relaxation has no flow to take an adjoint at: its price is one piece.
            let price = Price { energy: price, ..Price::default() };
            buses[feeder.node[k].0] = Some(BusResult {
                voltage_pu: v.sqrt(),
                price,
                reactive_price: at.reactive[k].map_or(0.0, |r| point.y[r]) * scaled.price,
                marginal_emission_kg_per_kwh: emission[k],
            });
        }
        let scale = scaled.price * base;
        Dispatch {
            status: Status::Local { gap_per_h: 0.0, bound_per_h: value * scale },
            objective_per_h: value * scale,
            controls: controls.iter().map(|(p, q)| (p * base, q * base)).collect(),
            import_kw: import.0 * base,
            import_kvar: import.1 * base,
            loss_kw: loss * base,
            buses,
            branches,
            certificate: None,
            duals: None,
            max_cone_gap: cone * to_network,
            is_power_flow,
            iterations: solved.solution.iterations,
        }
    }
}

impl Report<'_> {
    /// Limits that a point of the relaxation misses, with its own currents.
    pub fn missed_by_relaxation(&self, solved: &Solved) -> Vec<Violation> {
        let (feeder, scaled) = (self.feeder, self.scaled);
        let (at, point) = (&solved.layout, &solved.solution.point);
        let n = feeder.len();
        let mut s = at.voltages(feeder, point);
        (s.p, s.q, s.l) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
        for k in 0..feeder.roots {
            s.import.0 += scaled.p[k] + feeder.g[k] * s.v[k];
            s.import.1 += scaled.q[k] - feeder.b[k] * s.v[k];
        }
        for k in feeder.roots..n {
            (s.p[k], s.q[k]) = (point.x[at.p[k]], point.x[at.q[k]]);
            s.l[k] = solved.program.square_current(at.flow[k], &point.x).0 + point.excess[at.flow[k]];
            if feeder.branch[k].parent < feeder.roots {
                s.import.0 += s.p[k];
                s.import.1 += s.q[k];
            }
        }
        let at_roots = scaled.units.iter().zip(solved.controls()).filter(|(unit, _)| unit.at < feeder.roots);
        for (_, u) in at_roots {
            s.import.0 -= u.0;
            s.import.1 -= u.1;
        }
        violations(feeder, scaled, &s)
    }
}

/// Limits that a flow misses.
pub(super) fn violations(feeder: &Feeder, hour: &Scaled, s: &FlowState) -> Vec<Violation> {
    let mut missed = vec![];
    let beyond = |(low, high): (f64, f64), x: f64, limited: bool| {
        let (short, over) = if limited { (x - high, low - x) } else { (0.0, 0.0) };
        [short, over].map(|by| if by > MISSED_POWER { by * feeder.base_kva } else { 0.0 })
    };
    let (row_p, row_q) = hour.import_rows();
    let [short_kw, over_kw] = beyond(hour.import_p, s.import.0, row_p);
    let [short_kvar, over_kvar] = beyond(hour.import_q, s.import.1, row_q);
    if short_kw > 0.0 || short_kvar > 0.0 {
        missed.push(Violation::Short { by_kw: short_kw, by_kvar: short_kvar });
    }
    if over_kw > 0.0 || over_kvar > 0.0 {
        missed.push(Violation::Surplus { by_kw: over_kw, by_kvar: over_kvar });
    }
    for k in 0..feeder.len() {
        let (v, node) = (s.v[k], feeder.node[k].0);
        if v < feeder.v_min[k] - MISSED {
            missed.push(Violation::Undervoltage { node, by_pu: feeder.v_min[k].sqrt() - v.sqrt() });
        }
        if v > feeder.v_max[k] + MISSED {
            missed.push(Violation::Overvoltage { node, by_pu: v.sqrt() - feeder.v_max[k].sqrt() });
        }
        if k < feeder.roots {
            continue;
        }
        let line = &feeder.branch[k];
        if let Some(limit) = line.limit {
            let most = feeder.terminals(s, k).iter().fold(0.0, |most: f64, (p, q)| most.max(p.hypot(*q)));
            if most > limit + MISSED {
                missed.push(Violation::Overload { branch: line.index, by_kva: (most - limit) * feeder.base_kva });
            }
        }
        let angle = feeder.angle(s, k);
        let by = (angle - line.angle.1).max(0.0) - (line.angle.0 - angle).max(0.0);
        if by.abs() > MISSED {
            let by_deg = if line.forward { by } else { -by }.to_degrees();
            missed.push(Violation::Angle { branch: line.index, by_deg });
        }
    }
    missed
}

/// Emission per kWh of load along the optimum, by position: the response of all sources to the active rows.
fn marginal_emissions(feeder: &Feeder, hour: &Hour, solved: &Solved) -> Vec<f64> {
    let (program, at) = (&solved.program, &solved.layout);
    let root = hour.import.emission_kg_per_kwh;
    let mut weights = vec![0.0; program.linear.len()];
    for (c, &p) in hour.controls.iter().zip(&at.control_p) {
        weights[p] += c.emission_kg_per_kwh;
        if at.active[feeder.position[c.node.0].unwrap_or(0)].is_none() {
            weights[p] -= root;
        }
    }
    for (k, choice) in feeder.choice.iter().enumerate() {
        if choice.is_some() && at.active[k].is_none() {
            weights[at.v[k]] += root * feeder.g[k];
        }
    }
    // Import is either a variable of its own, the last ones, or the flow into the roots' branches.
    let import = at.active.first().copied().flatten();
    for k in feeder.roots..feeder.len() {
        if feeder.branch[k].parent < feeder.roots && import.is_none() {
            weights[at.p[k]] += root;
        }
    }
    if import.is_some() {
        for row in at.active[..feeder.roots].iter().flatten() {
            for &(i, j, a) in &program.entries {
                if i == *row && !at.control_p.contains(&j) && !at.p.contains(&j) && a == 1.0 {
                    weights[j] += root;
                }
            }
        }
    }
    let rows = response(program, &solved.pattern, &solved.solution.point, &weights);
    (0..feeder.len()).map(|k| at.active[k].map_or(root, |r| rows[r])).collect()
}
