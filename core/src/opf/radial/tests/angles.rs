//! Slacks that choose their voltage, limits of angles, and units that fall short.

use super::properties::tree;
use super::*;
use crate::opf::{OpfError, SlackVoltage, ac_opf, certify_with_slack, relaxed_opf};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

fn case(text: &str) -> Network {
    Network::from_matpower(text).unwrap()
}

const SLACK: &str = include_str!("../../../../tests/cases/slack_voltage_a.m");
const SHORT: &str = include_str!("../../../../tests/cases/load_above_units_a.m");

#[test]
fn a_slack_chooses_its_voltage_unless_it_is_held() {
    let n = case(SLACK);
    let free = ac_opf(&n, None, SlackVoltage::WithinLimits).unwrap();
    assert!(matches!(free.status, Status::Certified { .. }), "{:?}", free.status);
    close(free.objective_per_h, 250.923_548, 1e-5);
    close(free.voltage_pu[0].unwrap(), 1.06, 1e-8);
    for (price, per_mwh) in free.prices.iter().zip([50.0, 51.345_59, 51.630_02]) {
        close(1e3 * price.unwrap().per_kwh(), per_mwh, 1e-5);
    }
    let relaxed = relaxed_opf(&n, None, SlackVoltage::WithinLimits).unwrap();
    close(relaxed.objective_per_h, free.objective_per_h, 1e-5);
    let held = ac_opf(&n, None, SlackVoltage::Held).unwrap();
    close(held.objective_per_h, 251.253_0, 1e-4);
    close(held.voltage_pu[0].unwrap(), 1.0, 1e-12);
}

/// The best of many held voltages is what a slack chooses, and the certificate needs no solver to say so.
#[test]
fn the_voltage_chosen_is_the_best_of_those_held() {
    let mut runner = TestRunner::deterministic();
    let mut compared = 0;
    for _ in 0..40 {
        let (mut network, hour) = tree().new_tree(&mut runner).unwrap().current().ask();
        (network.buses[0].v_min_pu, network.buses[0].v_max_pu) = (0.97, 1.04);
        let free = RadialOpf::with_slack(&network, SlackVoltage::WithinLimits).unwrap().solve(&hour).unwrap();
        let at = |v_pu: f64| {
            let mut held = network.clone();
            held.buses[0].v_pu = v_pu;
            RadialOpf::new(&held).unwrap().solve(&hour).unwrap()
        };
        let held: Vec<Dispatch> = (0..=28).map(|k| at(0.97 + 0.0025 * f64::from(k))).collect();
        let best = held.iter().filter(|d| d.is_feasible()).map(|d| d.objective_per_h).fold(f64::INFINITY, f64::min);
        if !free.is_feasible() {
            assert_eq!(best, f64::INFINITY, "{:?}", free.status);
            continue;
        }
        let Status::Certified { gap_per_h } = free.status else { continue };
        assert!(free.objective_per_h <= best + gap_per_h + 1e-7, "{} {best}", free.objective_per_h);
        let chosen = at(free.buses[0].unwrap().voltage_pu);
        close(chosen.objective_per_h, free.objective_per_h, 1e-5);
        let slack = [free.buses[0].unwrap().voltage_pu];
        let duals = free.duals.as_ref().unwrap();
        let proof = certify_with_slack(&network, &hour, &slack, &free.controls, duals).unwrap();
        assert!(proof.gap_per_h < 1e-5 * (1.0 + proof.objective_per_h.abs()), "{proof:?}");
        // At another voltage the same duals prove as much less as it costs more.
        let worse = certify_with_slack(&network, &hour, &[0.97], &free.controls, duals).unwrap();
        let lost = worse.objective_per_h - free.objective_per_h;
        assert!(worse.gap_per_h >= lost - 1e-6, "{} {lost}", worse.gap_per_h);
        compared += 1;
    }
    assert!(compared > 20, "{compared}");
}

/// One line, a dear generator behind it: it runs just so much that the angle across the line is within its limit.
fn behind_a_limit(turned: bool, shift_deg: f64) -> (Network, Hour) {
    let (mut network, mut hour) = two_buses(1.2, 500.0, 600.0);
    network.buses[1].p_load_kw = 900.0;
    hour.load_kw[1] = 900.0;
    let line = &mut network.branches[0];
    (line.shift_deg, line.tap) = (shift_deg, 1.02);
    if turned {
        std::mem::swap(&mut line.from, &mut line.to);
        (line.angle_min_deg, line.angle_max_deg) = (shift_deg - 1.2, shift_deg + 50.0);
    } else {
        (line.angle_min_deg, line.angle_max_deg) = (shift_deg - 50.0, shift_deg + 1.2);
    }
    (network, hour)
}

#[test]
fn a_limit_of_an_angle_is_met_by_the_least_generation_that_meets_it() {
    for (turned, shift_deg) in [(false, 0.0), (true, 0.0), (false, 30.0), (true, -150.0)] {
        let (network, hour) = behind_a_limit(turned, shift_deg);
        let power_flow = PowerFlow::new(&network).unwrap();
        let across = |kw: f64| {
            let mut injections = Injections::loads_of(&network);
            injections.add(NodeId(1), kw, 0.0);
            let flow = power_flow.solve(&injections).unwrap();
            let angle = |n: usize| flow.voltages[n].unwrap().angle_deg;
            let (line, sign) = (&network.branches[0], if turned { -1.0 } else { 1.0 });
            let apart = angle(line.from.0) - angle(line.to.0) - line.shift_deg;
            sign * ((apart + 180.0).rem_euclid(360.0) - 180.0)
        };
        assert!(across(0.0) > 1.2);
        let (mut low, mut high) = (0.0, 900.0);
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            if across(middle) > 1.2 { low = middle } else { high = middle }
        }
        let opf = RadialOpf::new(&network).unwrap();
        let d = opf.solve(&hour).unwrap();
        assert!(matches!(d.status, Status::Certified { .. }), "{:?} {:?}", d.status, d.certificate);
        close(d.controls[0].0, high, 1e-3);
        let relaxed = opf.relaxed(&hour).unwrap();
        close(relaxed.objective_per_h, d.objective_per_h, 1e-4);
        // What the limit adds to the price is congestion, and the parts are the whole.
        let price = d.buses[1].unwrap().price;
        close(price.per_kwh(), 0.6, 1e-7);
        assert!(price.congestion > 0.01, "{price:?}");
        let proof = certify(&network, &hour, &d.controls, d.duals.as_ref().unwrap()).unwrap();
        assert!(proof.gap_per_h.abs() < 1e-5, "{proof:?}");
    }
}

#[test]
fn prices_beside_a_binding_angle_and_a_chosen_voltage_are_differences_of_the_cost() {
    let mut network = odd_tree();
    for bus in &mut network.buses {
        (bus.v_min_pu, bus.v_max_pu) = (0.9, 1.05);
    }
    network.branches[1].angle_min_deg = -0.1;
    network.branches[3].angle_min_deg = -0.4;
    let mut hour = Hour::of(&network, 0.5).unwrap();
    for (node, cost) in [(5, 0.52), (2, 0.55)] {
        let mut c = Control::active(NodeId(node), 900.0, cost);
        (c.q_min_kvar, c.q_max_kvar, c.cost_per_kwh2) = (-100.0, 100.0, 2e-5);
        hour.controls.push(c);
    }
    let opf = RadialOpf::with_slack(&network, SlackVoltage::WithinLimits).unwrap();
    let d = opf.solve(&hour).unwrap();
    assert!(d.is_feasible(), "{:?}", d.status);
    assert!(d.buses.iter().flatten().any(|b| b.price.congestion.abs() > 5e-4), "{d:?}");
    let cost = |node: usize, by: f64| {
        let mut moved = hour.clone();
        moved.load_kw[node] += by;
        opf.solve(&moved).unwrap().objective_per_h
    };
    for node in 0..6 {
        let difference = (cost(node, 0.02) - cost(node, -0.02)) / 0.04;
        close(d.buses[node].unwrap().price.per_kwh(), difference, 3e-6);
    }
}

#[test]
fn an_angle_that_cannot_be_kept_is_named() {
    let (mut network, mut hour) = behind_a_limit(false, 30.0);
    hour.controls.clear();
    let opf = RadialOpf::new(&network).unwrap();
    let found = opf.solve(&hour).unwrap();
    let Status::Violated(missed) = &found.status else { panic!("{found:?}") };
    let said = missed[0].describe(&network);
    assert!(said.contains("branch 1 (1-2)") && said.contains("above its limit of 31.2 degrees"), "{said}");
    assert!(matches!(opf.relaxed(&hour).unwrap().status, Status::Violated(_)));
    (network.branches[0].angle_min_deg, network.branches[0].angle_max_deg) = (-100.0, -70.0);
    let Err(OpfError::Infeasible { what }) = RadialOpf::new(&network) else { panic!() };
    assert!(what[0].contains("branch 1 (1-2)") && what[0].contains("shift of 30"), "{what:?}");
}

#[test]
fn units_below_the_load_are_named_with_what_is_missing_losses_included() {
    let n = case(SHORT);
    let flow = PowerFlow::new(&n).unwrap().solve(&Injections::loads_of(&n)).unwrap();
    let missing = flow.slack_kw() - 4000.0;
    for answer in [ac_opf(&n, None, SlackVoltage::Held), relaxed_opf(&n, None, SlackVoltage::WithinLimits)] {
        let Err(OpfError::Infeasible { what }) = answer else { panic!("{answer:?}") };
        let by: f64 = what[0].rsplit(' ').next().unwrap().parse().unwrap();
        assert!(what[0].starts_with("bus 1: active power, kW: short by "), "{what:?}");
        close(by, missing, 0.02);
    }
    // More than is wanted: a unit that cannot be turned down.
    let mut n = case(SHORT);
    (n.generators[0].p_min_kw, n.generators[0].p_max_kw) = (8000.0, 9000.0);
    let Err(OpfError::Infeasible { what }) = ac_opf(&n, None, SlackVoltage::Held) else { panic!() };
    assert!(what[0].contains("too much by"), "{what:?}");
    // Beyond what the lines carry at any voltage.
    let mut n = case(SHORT);
    n.generators[0].p_max_kw = 1e6;
    n.buses[2].p_load_kw = 90e3;
    let Err(OpfError::Infeasible { what }) = ac_opf(&n, None, SlackVoltage::Held) else { panic!() };
    assert!(what[0].contains("bus 3") && what[0].contains('%'), "{what:?}");
}

#[test]
fn a_limit_of_an_angle_inside_a_program_is_that_of_the_optimal_power_flow() {
    for (turned, shift_deg) in [(false, 0.0), (true, -150.0)] {
        let (network, hour) = behind_a_limit(turned, shift_deg);
        let expected = RadialOpf::new(&network).unwrap().solve(&hour).unwrap();
        let mut program = Program::new();
        let generated = program.var(0.0, 3000.0);
        let active_kw = Expr::from(generated).times(-1.0);
        let out = Withdrawal { node: NodeId(1), active_kw, reactive_kvar: Expr::default() };
        let block = NetworkBlock::build(&mut program, &network, 0, &hour.load_kw, &hour.load_kvar, &[out]).unwrap();
        let mut cost = Cost::default();
        cost.add(0.5, block.import_kw).add(0.6, generated);
        program.add_cost(&cost);
        let instance = program.compile().instance();
        let answer = instance.solve().unwrap();
        close(answer.certificate.objective, expected.objective_per_h, 1e-4);
        close(answer.value(generated), expected.controls[0].0, 1e-2);
        let reduced = instance.reduced_costs(&answer.x, &answer.y);
        let (found, price) = (block.prices(&answer, &reduced, 1.0, 0.0)[1].unwrap(), expected.buses[1].unwrap().price);
        for (found, price) in
            [(found.per_kwh(), price.per_kwh()), (found.congestion, price.congestion), (found.loss, price.loss)]
        {
            close(found, price, 1e-6);
        }
    }
}
