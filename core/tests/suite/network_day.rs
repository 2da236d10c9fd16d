//! Networks inside programs over several hours, through the public interface.

use coase_core::network::NodeId;
use coase_core::opf::{Hour, NetworkBlock, Price, RadialOpf, Status, Withdrawal};
use coase_core::program::{Cost, Expr, Program};
use coase_testkit::feeder_day::{self, day, day_with_plants, hour};

#[test]
fn hours_without_coupling_cost_what_they_cost_one_by_one() {
    for id in ["ieee-33", "khodr-141"] {
        let hours = if id == "ieee-33" { 24 } else { 3 };
        let (template, blocks, _) = day(id, hours, 0.0);
        let instance = template.instance();
        let joint = instance.solve().unwrap();
        let reduced = instance.reduced_costs(&joint.x, &joint.y);
        let mut sum = 0.0;
        for t in 0..hours {
            let (network, hour) = hour(id, t);
            let d = RadialOpf::new(&network).unwrap().solve(&hour).unwrap();
            assert!(matches!(d.status, Status::Certified { .. }), "{id} {t}: {:?} {:?}", d.status, d.certificate);
            sum += d.objective_per_h;
            let prices = blocks[t].prices(&joint, &reduced, 1.0, 0.0);
            for node in network.nodes() {
                let (one, all) = (d.price_per_kwh(node).unwrap(), blocks[t].price(&joint, node).unwrap());
                assert!((one - all).abs() < 2e-6, "{id} {t} {node:?}: {one} {all}");
                let (one, parts) = (d.buses[node.0].unwrap().price, prices[node.0].unwrap());
                assert_parts(&parts, &one, all);
            }
        }
        assert!((joint.certificate.objective - sum).abs() < 1e-6 * sum, "{id}: {} {sum}", joint.certificate.objective);
        assert!(joint.certificate.gap <= 1e-6 * sum, "{id}: {:?}", joint.certificate);
    }
}

/// Parts that are those of another computation, and add up to the dual.
fn assert_parts(parts: &Price, expected: &Price, dual: f64) {
    for (a, b) in [
        (parts.energy, expected.energy),
        (parts.loss, expected.loss),
        (parts.congestion, expected.congestion),
        (parts.voltage, expected.voltage),
        (parts.carbon, expected.carbon),
        (parts.per_kwh(), dual),
    ] {
        assert!((a - b).abs() < 2e-6, "{parts:?} {expected:?} {dual}");
    }
}

/// Half an hour of a feeder whose voltages, ratings and import carbon show in its prices, against the hour on its own.
#[test]
fn limits_and_carbon_are_parts_of_the_price_inside_a_program_too() {
    const HOURS: f64 = 0.5;
    let (mut network, mut one) = hour("ieee-33", 0);
    let at = |bus: u64| network.node(bus).expect("the feeder has it");
    let (from, to) = (at(6), at(26));
    let line = network.branches.iter_mut().find(|b| b.from == from && b.to == to).expect("the feeder has it");
    line.rate_kva = Some(500.0);
    network.buses.iter_mut().for_each(|bus| bus.v_min_pu = 0.97);
    one.import.carbon_per_kwh = 0.15;
    let expected = RadialOpf::new(&network).unwrap().solve(&one).unwrap();
    assert!(matches!(expected.status, Status::Certified { .. }), "{:?}", expected.status);

    let (mut program, mut cost, mut withdrawals) = (Program::new(), Cost::default(), vec![]);
    for c in &one.controls {
        let (p, q) = (program.var(c.p_min_kw, c.p_max_kw), program.var(c.q_min_kvar, c.q_max_kvar));
        cost.add(c.cost_per_kwh * HOURS, p);
        let less = |v| Expr::from(v).times(-1.0);
        withdrawals.push(Withdrawal { node: c.node, active_kw: less(p), reactive_kvar: less(q) });
    }
    let Hour { load_kw, load_kvar, import, .. } = &one;
    let block = NetworkBlock::build(&mut program, &network, 0, load_kw, load_kvar, &withdrawals).unwrap();
    cost.add((import.price_per_kwh + import.carbon_per_kwh) * HOURS, block.import_kw);
    program.add_cost(&cost);
    let instance = program.compile().instance();
    let solution = instance.solve().unwrap();
    let reduced = instance.reduced_costs(&solution.x, &solution.y);
    let prices = block.prices(&solution, &reduced, HOURS, import.carbon_per_kwh);
    let (mut congested, mut low) = (0.0_f64, 0.0_f64);
    for (k, (parts, bus)) in prices.iter().zip(&expected.buses).enumerate() {
        let dual = block.price(&solution, NodeId(k)).unwrap() / HOURS;
        assert_parts(&parts.unwrap(), &bus.unwrap().price, dual);
        (congested, low) = (congested.max(parts.unwrap().congestion), low.max(parts.unwrap().voltage));
    }
    assert!(congested > 0.03 && low > 0.1, "{congested} {low}");
}

#[test]
fn a_storage_moves_power_between_the_hours_of_a_feeder() {
    let (template, blocks, flows) = day("ieee-33", 24, 1000.0);
    let with = template.instance().solve().unwrap();
    let without = day("ieee-33", 24, 0.0).0.instance().solve().unwrap();
    let gain = without.certificate.objective - with.certificate.objective;
    // One full cycle of 800 kWh between the cheapest and the dearest price, losses and wear paid, sets the size: with power
    // limits and network losses it earns at least half of it, with two evening and noon peaks at most two and a half.
    let cycle = 800.0 * (1.02 * 0.95 - 0.385 / 0.95) - 800.0 * 0.005 * 2.0;
    assert!(gain > 0.5 * cycle && gain < 2.5 * cycle, "{gain} {cycle}");
    assert!(with.certificate.gap < 1e-6 * with.certificate.objective, "{:?}", with.certificate);
    // An hour's price is the worth of energy at the storage's bus: charging and discharging hours straddle the losses.
    let (network, one) = hour("ieee-33", 0);
    let node = one.controls[0].node;
    let price = |t: usize| blocks[t].price(&with, node).unwrap();
    let inside = |v: f64| v > 1e-3 && v < 250.0 - 1e-3;
    let charging: Vec<usize> = (0..24).filter(|&t| inside(with.value(flows[t].0))).collect();
    let discharging: Vec<usize> = (0..24).filter(|&t| inside(with.value(flows[t].1))).collect();
    for (&c, &d) in charging.iter().zip(&discharging) {
        assert!(price(d) > price(c), "{} {}", price(c), price(d));
    }
    for t in 0..24 {
        assert!(with.value(flows[t].0).min(with.value(flows[t].1)) < 1e-4);
        let v = blocks[t].voltage_pu(&with, network.node(18).unwrap()).unwrap();
        assert!(v > 0.95 - 1e-8 && v < 1.05 + 1e-8, "{v}");
    }
}

/// The same yardstick for both: rows that hold and a gap that is proven, prices that agree.
#[test]
fn a_day_with_plants_inside_is_at_least_as_accurate_as_a_conic_solvers() {
    for id in ["ieee-33", "khodr-141"] {
        let (template, blocks) = day_with_plants(id);
        let instance = template.instance();
        let (own, conic) = (instance.solve().unwrap(), instance.second_opinion().unwrap());
        let (a, b) = (own.certificate, conic.certificate);
        assert!(
            a.feasibility <= b.feasibility.max(1e-7) && a.gap <= b.gap.abs().max(1e-9 * a.objective),
            "{a:?} {b:?}"
        );
        assert!((a.objective - b.objective).abs() < 1e-6 * a.objective, "{a:?} {b:?}");
        let parts = feeder_day::prices(&instance, &own, &blocks);
        for (block, parts) in blocks.iter().zip(&parts) {
            for (k, parts) in parts.iter().enumerate() {
                let price = |s| block.price(s, NodeId(k)).unwrap();
                let (own, conic, sum) = (price(&own), price(&conic), parts.unwrap().per_kwh());
                assert!((own - conic).abs() < 1e-5 && (own - sum).abs() < 1e-6, "{id} {k}: {own} {conic} {sum}");
            }
        }
    }
}

/// Where voltage limits bind, flows that hold and flows that are relaxed still agree: exact and conic cost, and prices.
#[test]
fn a_day_within_binding_voltage_limits_costs_what_a_conic_solver_finds() {
    let (template, blocks) = day_with_plants("ieee-33");
    let loose = template.instance();
    let mut tight = template.instance();
    for v in blocks.iter().flat_map(|block| block.square_voltage.iter().flatten()) {
        let (_, high) = tight.bounds(*v);
        tight.bound(*v, 0.99_f64.powi(2), high);
    }
    let (free, own, conic) = (loose.solve().unwrap(), tight.solve().unwrap(), tight.second_opinion().unwrap());
    let (free, a, b) = (free.certificate.objective, own.certificate, conic.certificate);
    assert!(a.objective > 1.01 * free, "the limit binds: {} {free}", a.objective);
    assert!(a.gap <= 1e-8 * a.objective && (a.objective - b.objective).abs() < 1e-7 * a.objective, "{a:?} {b:?}");
    for block in &blocks {
        for k in 0..33 {
            let price = |s| block.price(s, NodeId(k)).unwrap();
            assert!((price(&own) - price(&conic)).abs() < 1e-5, "{k}: {} {}", price(&own), price(&conic));
        }
    }
}

/// What a day's answer is: the schedule, the duals, the certificate and every bus's prices, to the bit.
fn bits(lanes: Option<usize>) -> Vec<u64> {
    let (template, blocks) = day_with_plants("ieee-33");
    let instance = template.instance();
    if let Some(lanes) = lanes {
        assert!(instance.analyse_in_lanes(lanes), "no hours side by side");
    }
    let solution = instance.solve().expect("the limits can be kept");
    let certificate = solution.certificate;
    assert!(certificate.gap.abs() < 1e-6 * certificate.objective && certificate.feasibility < 1e-5, "{certificate:?}");
    let prices = feeder_day::prices(&instance, &solution, &blocks);
    let parts = prices.iter().flatten().flatten().flat_map(|p| [p.energy, p.loss, p.congestion, p.voltage, p.carbon]);
    let proof = [certificate.gap, certificate.feasibility, certificate.objective];
    solution.x.iter().chain(&solution.y).copied().chain(proof).chain(parts).map(f64::to_bits).collect()
}

#[test]
fn a_day_of_five_plants_is_the_same_to_the_bit_with_one_three_and_eight_hours_side_by_side() {
    let as_is = bits(None);
    for lanes in [1, 3, 8] {
        let found = bits(Some(lanes));
        let differ = found.iter().zip(&as_is).filter(|(a, b)| a != b).count();
        assert!(found.len() == as_is.len() && differ == 0, "{lanes}: {differ} of {} numbers differ", as_is.len());
    }
}
