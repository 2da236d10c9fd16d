//! A feeder's day with coupling between its hours, as a program with one network block per hour.

use crate::five_vpps::{five_vpps, setting};
use coase_core::network::{Network, built_in};
use coase_core::opf::{Control, Hour, Import, NetworkBlock, Price, Withdrawal};
use coase_core::participant::Participant;
use coase_core::program::{Cost, Expr, Instance, Program, Solution, Template, Var};

/// The feeder's own load over the day, as a share of its peak.
pub const LOAD: [f64; 24] = [
    0.62, 0.58, 0.56, 0.55, 0.56, 0.6, 0.68, 0.78, 0.86, 0.9, 0.92, 0.93, 0.91, 0.9, 0.89, 0.88, 0.9, 0.95, 1.0, 0.99,
    0.95, 0.87, 0.77, 0.68,
];

/// Time-of-use price, per kWh.
pub fn price(t: usize) -> f64 {
    match t {
        0..=6 | 22 | 23 => 0.385,
        9..=11 | 17..=20 => 1.02,
        _ => 0.7,
    }
}

/// A built-in feeder with limits 0.95 to 1.05 pu, and its own load of an hour with three generators.
pub fn hour(id: &str, t: usize) -> (Network, Hour) {
    let mut network = built_in(id).expect("embedded").network().expect("valid");
    for bus in &mut network.buses {
        (bus.v_min_pu, bus.v_max_pu) = (0.95, 1.05);
    }
    let (at, size) = if id == "ieee-33" { ([18, 33, 25], 1.0) } else { ([87, 52, 130], 3.0) };
    let mut hour = Hour::of(&network, price(t)).expect("costs are plain");
    for load in hour.load_kw.iter_mut().chain(&mut hour.load_kvar) {
        *load *= LOAD[t];
    }
    hour.import = Import::at(price(t));
    hour.controls = at
        .into_iter()
        .zip([(600.0, 300.0, 0.75), (800.0, 400.0, 0.65), (500.0, 0.0, 0.1)])
        .map(|(bus, (p, q, cost))| {
            let mut c = Control::active(network.node(bus).expect("the feeder has it"), size * p, cost);
            (c.q_min_kvar, c.q_max_kvar) = (-size * q, size * q);
            c
        })
        .collect();
    (network, hour)
}

/// The day: generators, and a storage of `capacity_kwh` at the first generator's bus where there is one.
pub fn day(id: &str, hours: usize, capacity_kwh: f64) -> (Template, Vec<NetworkBlock>, Vec<(Var, Var)>) {
    let mut program = Program::new();
    let mut cost = Cost::default();
    let (mut blocks, mut flows) = (vec![], vec![]);
    let mut level = Expr::constant(0.5 * capacity_kwh);
    for t in 0..hours {
        let (network, hour) = hour(id, t);
        let mut withdrawals = vec![];
        for c in &hour.controls {
            let p = program.var(c.p_min_kw, c.p_max_kw);
            let q = program.var(c.q_min_kvar, c.q_max_kvar);
            cost.add(c.cost_per_kwh, p);
            let less = |v: Var| Expr::from(v).times(-1.0);
            withdrawals.push(Withdrawal { node: c.node, active_kw: less(p), reactive_kvar: less(q) });
        }
        if capacity_kwh > 0.0 {
            let rate = 0.25 * capacity_kwh;
            let (charge, discharge) = (program.var(0.0, rate), program.var(0.0, rate));
            let (low, high) = if t + 1 == hours { (0.5, 0.5) } else { (0.1, 0.9) };
            let next = program.var(low * capacity_kwh, high * capacity_kwh);
            let flow = level.plus(0.95, charge).plus(-1.0 / 0.95, discharge).plus(-1.0, next);
            program.equal(flow, 0.0, "stored energy", Some(t));
            cost.add(0.005, charge).add(0.005, discharge);
            withdrawals.push(Withdrawal {
                node: hour.controls[0].node,
                active_kw: Expr::from(charge).plus(-1.0, discharge),
                reactive_kvar: Expr::default(),
            });
            level = Expr::from(next);
            flows.push((charge, discharge));
        }
        let block = NetworkBlock::build(&mut program, &network, t, &hour.load_kw, &hour.load_kvar, &withdrawals)
            .expect("the feeder is radial");
        cost.add(hour.import.price_per_kwh, block.import_kw);
        blocks.push(block);
    }
    program.add_cost(&cost);
    (program.compile(), blocks, flows)
}

/// The day with five plants and all their devices inside; on the small feeder at half its own load.
pub fn day_with_plants(id: &str) -> (Template, Vec<NetworkBlock>) {
    let mut program = Program::new();
    let mut cost = Cost::default();
    let setting = setting();
    let plants: Vec<_> = five_vpps()
        .iter()
        .map(|plant| {
            let inside = plant.portfolio.contribute(&mut program, &setting);
            program.add_cost(&inside.cost);
            (plant.bus, inside.output)
        })
        .collect();
    let mut blocks = vec![];
    for t in 0..24 {
        let (network, mut hour) = hour(id, t);
        if id == "ieee-33" {
            hour.load_kw.iter_mut().chain(&mut hour.load_kvar).for_each(|load| *load *= 0.5);
        }
        let mut withdrawals = vec![];
        for c in &hour.controls {
            let (p, q) = (program.var(c.p_min_kw, c.p_max_kw), program.var(c.q_min_kvar, c.q_max_kvar));
            cost.add(c.cost_per_kwh, p);
            let less = |v: Var| Expr::from(v).times(-1.0);
            withdrawals.push(Withdrawal { node: c.node, active_kw: less(p), reactive_kvar: less(q) });
        }
        for (bus, output) in &plants {
            let node = network.node(u64::from(*bus)).expect("both feeders have these buses");
            let active_kw = output[t].clone().times(-1.0);
            withdrawals.push(Withdrawal { node, active_kw, reactive_kvar: Expr::default() });
        }
        let block = NetworkBlock::build(&mut program, &network, t, &hour.load_kw, &hour.load_kvar, &withdrawals)
            .expect("the feeder is radial");
        cost.add(hour.import.price_per_kwh, block.import_kw);
        blocks.push(block);
    }
    program.add_cost(&cost);
    (program.compile(), blocks)
}

/// Prices at every bus in every hour, in their parts.
pub fn prices(instance: &Instance, solution: &Solution, blocks: &[NetworkBlock]) -> Vec<Vec<Option<Price>>> {
    let reduced = instance.reduced_costs(&solution.x, &solution.y);
    blocks.iter().map(|block| block.prices(solution, &reduced, 1.0, 0.0)).collect()
}
