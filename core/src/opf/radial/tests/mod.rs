//! Published figures, closed forms and independent computations.

use super::*;
use crate::network::{Branch, Bus, BusKind, Network, NodeId, built_in};
use crate::power_flow::{Injections, PowerFlow};
use crate::program::{Cost, Expr, Program, SolveError, Var};

mod adjoint;
mod angles;
mod oracles;
mod proof;
mod properties;
mod response;
mod thousand;

fn embedded(id: &str) -> Network {
    built_in(id).expect("embedded").network().expect("valid")
}

fn close(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
}

/// Bus 1 at 1 pu, r = 0.03, x = 0.06 to bus 2 with load 0.2 + 0.1j and up to 3 pu of photovoltaics, 1 MVA.
fn two_buses(v_max_pu: f64, root_price: f64, pv_cost: f64) -> (Network, Hour) {
    let bus = |id, kind, p, q| Bus { id, kind, p_load_kw: p, q_load_kvar: q, v_max_pu, ..Bus::default() };
    let line = Branch {
        from: NodeId(0),
        to: NodeId(1),
        r_pu: 0.03,
        x_pu: 0.06,
        b_pu: 0.0,
        tap: 1.0,
        shift_deg: 0.0,
        rate_kva: None,
        in_service: true,
        ..Branch::default()
    };
    let network = Network {
        name: String::new(),
        base_mva: 1.0,
        buses: vec![bus(1, BusKind::Slack, 0.0, 0.0), bus(2, BusKind::Pq, 200.0, 100.0)],
        branches: vec![line],
        generators: vec![],
    };
    let mut hour = Hour::of(&network, root_price / 1e3).unwrap();
    hour.controls.push(Control::active(NodeId(1), 3000.0, pv_cost / 1e3));
    (network, hour)
}

#[test]
fn two_buses_with_room_for_voltage_are_certified() {
    let (network, hour) = two_buses(1.10, 500.0, 0.0);
    let d = RadialOpf::new(&network).unwrap().solve(&hour).unwrap();
    assert!(matches!(d.status, Status::Certified { .. }), "{:?} {:?}", d.status, d.certificate);
    close(d.objective_per_h, -1295.29503558, 1e-6);
    close(d.buses[1].unwrap().voltage_pu, 1.0604661762, 1e-9);
    close(d.price_per_kwh(NodeId(1)).unwrap() * 1e3, 428.906571, 1e-5);
}

#[test]
fn a_binding_upper_voltage_makes_the_relaxation_inexact_and_the_answer_local() {
    let (network, hour) = two_buses(1.05, 500.0, 0.0);
    let opf = RadialOpf::new(&network).unwrap();
    let relaxed = opf.relaxed(&hour).unwrap();
    close(relaxed.objective_per_h, -1221.66666667, 1e-6);
    close(relaxed.controls[0].0, 3000.0, 1e-4);
    let d = opf.solve(&hour).unwrap();
    close(d.objective_per_h, -1058.13796232, 1e-5);
    close(d.controls[0].0, 2454.904, 1e-3);
    let Status::Local { gap_per_h, bound_per_h } = d.status else { panic!("{:?}", d.status) };
    close(bound_per_h, -1221.66666667, 1e-5);
    close(gap_per_h, 163.52870435, 1e-4);
}

#[test]
fn negative_prices_are_solved_and_bounded() {
    let (network, hour) = two_buses(1.10, -50.0, -100.0);
    let opf = RadialOpf::new(&network).unwrap();
    close(opf.relaxed(&hour).unwrap().objective_per_h, -275.33333333, 1e-6);
    close(opf.solve(&hour).unwrap().objective_per_h, -170.470496, 1e-5);
}

/// 33 buses at 600 per MWh; with generators at 18, 33 and 25.
fn feeder_33(generators: bool, v_min_pu: f64) -> (Network, Hour) {
    let mut network = embedded("ieee-33");
    for bus in &mut network.buses {
        (bus.v_min_pu, bus.v_max_pu) = (v_min_pu, 1.05);
    }
    let mut hour = Hour::of(&network, 0.6).unwrap();
    hour.controls.clear();
    hour.import = Import::at(0.6);
    if generators {
        for (id, p, q, cost) in [(18, 600.0, 300.0, 0.75), (33, 800.0, 400.0, 0.65), (25, 500.0, 0.0, 0.1)] {
            let mut control = Control::active(network.node(id).unwrap(), p, cost);
            (control.q_min_kvar, control.q_max_kvar) = (-q, q);
            hour.controls.push(control);
        }
    }
    (network, hour)
}

fn price(network: &Network, d: &Dispatch, id: u64) -> f64 {
    d.price_per_kwh(network.node(id).unwrap()).unwrap() * 1e3
}

#[test]
fn marginal_losses_of_33_buses() {
    let (network, hour) = feeder_33(false, 0.9);
    let d = RadialOpf::new(&network).unwrap().solve(&hour).unwrap();
    assert!(matches!(d.status, Status::Certified { .. }), "{:?}", d.status);
    close(d.loss_kw, 202.67712646, 1e-7);
    for (id, expected) in
        [(2, 1.0047906828), (6, 1.0797532421), (18, 1.1471924295), (22, 1.0125258836), (25, 1.0495592745)]
    {
        close(price(&network, &d, id), 600.0 * expected, 1e-6);
    }
    close(price(&network, &d, 33), 675.92335071, 1e-7);
    let reactive = d.buses[network.node(18).unwrap().0].unwrap().reactive_price;
    close(reactive, 0.6 * 0.0857107605, 1e-10);
}

#[test]
fn three_generators_on_33_buses() {
    let (network, hour) = feeder_33(true, 0.9);
    let d = RadialOpf::new(&network).unwrap().solve(&hour).unwrap();
    assert!(matches!(d.status, Status::Certified { gap_per_h } if gap_per_h < 1e-5), "{:?}", d.status);
    close(d.objective_per_h, 2059.07349399, 1e-6);
    close(d.controls[1].0, 294.0201921, 1e-4);
    close(d.controls[0].0, 0.0, 1e-5);
    close(d.import_kw, 3029.9339486, 1e-4);
    close(d.loss_kw, 108.95414064, 1e-4);
    for (id, expected) in [(33, 650.0), (18, 674.35283691), (25, 615.68502834)] {
        close(price(&network, &d, id), expected, 1e-5);
    }
    close(d.buses[15].unwrap().voltage_pu, 0.9405039177, 1e-8);
}

#[test]
fn a_lower_voltage_limit_has_a_price_of_its_own() {
    let (network, hour) = feeder_33(true, 0.95);
    let d = RadialOpf::new(&network).unwrap().solve(&hour).unwrap();
    assert!(matches!(d.status, Status::Certified { .. }), "{:?} {:?}", d.status, d.certificate);
    close(d.objective_per_h, 2068.89612853, 1e-6);
    close(d.controls[0].0, 67.7533728, 1e-3);
    close(d.controls[1].0, 650.6441504, 1e-3);
    // Price, loss part, voltage part; energy is 600.
    for (id, total, loss, voltage) in [
        (2, 602.80530128, 1.84038214, 0.96491914),
        (6, 651.89589781, 28.77387323, 23.12202457),
        (15, 747.34685384, 56.86254220, 90.48431164),
        (18, 750.0, 59.01376135, 90.98623865),
        (22, 607.43567909, 6.45966063, 0.97601845),
        (25, 619.68581571, 13.46516747, 6.22064825),
        (33, 650.0, 27.01864957, 22.98135043),
    ] {
        let parts = d.buses[network.node(id).unwrap().0].unwrap().price;
        close(parts.per_kwh() * 1e3, total, 2e-6);
        close(parts.energy * 1e3, 600.0, 1e-9);
        close(parts.loss * 1e3, loss, 2e-6);
        close(parts.voltage * 1e3, voltage, 2e-6);
        assert_eq!((parts.congestion, parts.carbon), (0.0, 0.0));
    }
}

#[test]
fn a_congested_branch_of_15_buses() {
    let mut network = embedded("ap-15");
    for bus in &mut network.buses {
        (bus.v_min_pu, bus.v_max_pu) = (0.9, 1.1);
    }
    let mut hour = Hour::of(&network, 0.05).unwrap();
    let mut control = Control::active(network.node(12).unwrap(), 400.0, 0.01);
    control.q_max_kvar = 400.0;
    hour.controls = vec![control];
    hour.import = Import { p_min_kw: 0.0, q_min_kvar: 0.0, p_max_kw: 10e3, q_max_kvar: 10e3, ..Import::at(0.05) };
    let d = RadialOpf::new(&network).unwrap().solve(&hour).unwrap();
    assert!(matches!(d.status, Status::Certified { .. }), "{:?} {:?}", d.status, d.certificate);
    close(d.objective_per_h, 71.12671364, 1e-6);
    close(d.controls[0].0, 269.00213, 1e-3);
    close(d.controls[0].1, 13.26617, 1e-3);
    close(d.import_kw, 1368.73385, 1e-3);
    // Accuracy of the published prices about 1e-6.
    let expected = [
        50.0,
        50.08544922,
        49.45222452,
        48.43523191,
        48.57607111,
        48.67288033,
        48.78790331,
        47.86784921,
        47.74733353,
        47.53172246,
        46.95897060,
        10.0,
        50.06804309,
        50.46311908,
        50.69244406,
    ];
    for (id, expected) in (1..).zip(expected) {
        close(price(&network, &d, id), expected, 3e-6);
    }
    let parts = d.buses[network.node(12).unwrap().0].unwrap().price;
    close(parts.loss * 1e3, -3.306236, 1e-5);
    close(parts.congestion * 1e3, -36.693764, 1e-5);
}

/// Carbon at 280 per tonne, 0.581 kg/kWh upstream, 0.45 for the generator at 33.
fn carbon(price_per_tonne: f64) -> (Network, Hour) {
    let (network, mut hour) = feeder_33(false, 0.9);
    let per_kg = price_per_tonne / 1e3;
    let node = |id| network.node(id).unwrap();
    let fixed = |id, p: f64, q: f64, cost| {
        let mut c = Control::active(node(id), p, cost);
        (c.p_min_kw, c.q_min_kvar, c.q_max_kvar) = (p, q, q);
        c
    };
    let mut free = fixed(33, 2000.0, 400.0, 0.65 + 0.45 * per_kg);
    (free.p_min_kw, free.emission_kg_per_kwh) = (0.0, 0.45);
    hour.controls = vec![fixed(18, 0.0, 300.0, 0.0), fixed(25, 500.0, 0.0, 0.1), free];
    hour.import = Import { carbon_per_kwh: 0.581 * per_kg, emission_kg_per_kwh: 0.581, ..Import::at(0.6) };
    (network, hour)
}

#[test]
fn an_integrated_price_has_a_carbon_part_and_a_marginal_emission() {
    let (network, hour) = carbon(280.0);
    let d = RadialOpf::new(&network).unwrap().solve(&hour).unwrap();
    close(d.controls[2].0, 976.3536556, 1e-3);
    close(d.import_kw, 2313.9061808, 1e-3);
    let at = |id: u64| d.buses[network.node(id).unwrap().0].unwrap();
    close(at(18).price.per_kwh() * 1e3, 838.75986388, 1e-5);
    close(at(25).price.per_kwh() * 1e3, 778.27281013, 1e-5);
    // Frozen split: electricity and carbon.
    for (id, electricity, carbon) in [(18, 659.85199340, 178.90787048), (33, 610.47883778, 165.52116222)] {
        close(at(id).price.carbon * 1e3, carbon, 1e-5);
        close((at(id).price.per_kwh() - at(id).price.carbon) * 1e3, electricity, 1e-5);
    }
    close(at(18).marginal_emission_kg_per_kwh, 0.58628651, 1e-6);
    close(at(33).marginal_emission_kg_per_kwh, 0.45, 1e-6);
}

/// The three generators of the 33-bus day inside a program: variables, costs and the network as a block.
fn block_33(v_min_pu: f64) -> (Network, Program, NetworkBlock, Vec<Var>) {
    let (network, hour) = feeder_33(true, v_min_pu);
    let mut program = Program::new();
    let mut cost = Cost::default();
    let (mut withdrawals, mut outputs) = (vec![], vec![]);
    for c in &hour.controls {
        let p = program.var(c.p_min_kw, c.p_max_kw);
        let q = program.var(c.q_min_kvar, c.q_max_kvar);
        cost.add(c.cost_per_kwh, p);
        outputs.push(p);
        let less = |v: Var| Expr::from(v).times(-1.0);
        withdrawals.push(Withdrawal { node: c.node, active_kw: less(p), reactive_kvar: less(q) });
    }
    let block = NetworkBlock::build(&mut program, &network, 0, &hour.load_kw, &hour.load_kvar, &withdrawals).unwrap();
    cost.add(0.6, block.import_kw);
    program.add_cost(&cost);
    (network, program, block, outputs)
}

#[test]
fn a_network_inside_a_program_is_the_same_network() {
    for (v_min, objective, output, price_18) in
        [(0.9, 2059.07349399, 294.0201921, 674.35283691), (0.95, 2068.89612853, 650.6441504, 750.0)]
    {
        let (network, program, block, outputs) = block_33(v_min);
        let answer = program.compile().instance().solve().unwrap();
        close(answer.certificate.objective, objective, 1e-4);
        assert!(answer.certificate.gap < 1e-3 && answer.certificate.feasibility < 1e-6, "{:?}", answer.certificate);
        close(answer.value(outputs[1]), output, 1e-2);
        close(block.price(&answer, network.node(18).unwrap()).unwrap() * 1e3, price_18, 1e-4);
    }
}

#[test]
fn a_network_inside_a_program_has_a_bound_where_its_answer_is_not_proven() {
    // The two buses whose relaxation is inexact: the gap is the distance to the relaxation.
    let (network, hour) = two_buses(1.05, 500.0, 0.0);
    let mut program = Program::new();
    let pv = program.var(0.0, 3000.0);
    let out = Withdrawal { node: NodeId(1), active_kw: Expr::from(pv).times(-1.0), reactive_kvar: Expr::default() };
    let block = NetworkBlock::build(&mut program, &network, 0, &hour.load_kw, &hour.load_kvar, &[out]).unwrap();
    let mut cost = Cost::default();
    cost.add(0.5, block.import_kw);
    program.add_cost(&cost);
    let answer = program.compile().instance().solve().unwrap();
    close(answer.certificate.objective, -1058.13796232, 1e-4);
    close(answer.certificate.gap, 163.52870435, 1e-3);
    close(block.voltage_pu(&answer, NodeId(1)).unwrap(), 1.05, 1e-9);
    assert_eq!(block.voltage_pu(&answer, NodeId(0)), Some(1.0));
}

#[test]
fn ratings_inside_a_program_are_those_of_the_optimal_power_flow() {
    let mut network = embedded("ap-15");
    for bus in &mut network.buses {
        (bus.v_min_pu, bus.v_max_pu) = (0.9, 1.1);
    }
    let hour = Hour::of(&network, 0.05).unwrap();
    let mut program = Program::new();
    let (p, q) = (program.var(0.0, 400.0), program.var(0.0, 400.0));
    let less = |v: Var| Expr::from(v).times(-1.0);
    let out = Withdrawal { node: network.node(12).unwrap(), active_kw: less(p), reactive_kvar: less(q) };
    let block = NetworkBlock::build(&mut program, &network, 0, &hour.load_kw, &hour.load_kvar, &[out]).unwrap();
    program.at_most(less(block.import_kvar), 0.0, "no reactive export", None);
    let mut cost = Cost::default();
    cost.add(0.05, block.import_kw).add(0.01, p);
    program.add_cost(&cost);
    let answer = program.compile().instance().solve().unwrap();
    close(answer.certificate.objective, 71.12671364, 1e-5);
    close(answer.value(p), 269.00213, 1e-2);
    close(block.price(&answer, network.node(11).unwrap()).unwrap() * 1e3, 46.95897060, 1e-4);
}

#[test]
fn limits_that_cannot_hold_are_named() {
    // Alone, the 33 buses fall to 0.9131 pu at bus 18; with a limit of 0.93 the far ends miss it.
    let (network, mut hour) = feeder_33(false, 0.93);
    let opf = RadialOpf::new(&network).unwrap();
    let d = opf.solve(&hour).unwrap();
    let Status::Violated(missed) = &d.status else { panic!("{:?}", d.status) };
    let flow = PowerFlow::new(&network).unwrap().solve(&Injections::loads_of(&network)).unwrap();
    let low = flow.voltages.iter().filter(|v| v.unwrap().magnitude_pu < 0.93).count();
    assert_eq!(missed.len(), low, "{missed:?}");
    let at_18 = missed.iter().find(|v| matches!(v, Violation::Undervoltage { node: 17, .. })).unwrap();
    let Violation::Undervoltage { by_pu, .. } = at_18 else { unreachable!() };
    close(*by_pu, 0.93 - 0.9130904794, 1e-8);
    // Beyond the nose there is nothing to name.
    for load in hour.load_kw.iter_mut().chain(&mut hour.load_kvar) {
        *load *= 5.0;
    }
    assert_eq!(opf.solve(&hour).unwrap().status, Status::NoPowerFlow);
}

/// A tree with taps, charging and shunts: everything that the 33 buses lack.
fn odd_tree() -> Network {
    let bus = |id: u64| Bus {
        id,
        kind: if id == 1 { BusKind::Slack } else { BusKind::Pq },
        p_load_kw: 40.0 * id as f64,
        q_load_kvar: 20.0 * id as f64,
        g_kw: if id == 3 { 15.0 } else { 0.0 },
        b_kvar: if id == 4 { 60.0 } else { 0.0 },
        v_pu: 1.02,
        v_min_pu: 0.8,
        v_max_pu: 1.2,
        ..Bus::default()
    };
    let line = |from: usize, to: usize, tap: f64, b_pu: f64| Branch {
        from: NodeId(from - 1),
        to: NodeId(to - 1),
        r_pu: 0.02 + 0.005 * from as f64,
        x_pu: 0.03 + 0.004 * to as f64,
        b_pu,
        tap,
        shift_deg: 0.0,
        rate_kva: None,
        in_service: true,
        ..Branch::default()
    };
    Network {
        name: String::new(),
        base_mva: 1.0,
        buses: (1..=6).map(bus).collect(),
        // Transformers and lines written both ways.
        branches: vec![
            line(1, 2, 0.97, 0.0),
            line(3, 2, 1.03, 0.0),
            line(2, 4, 1.0, 0.04),
            line(5, 4, 1.0, 0.03),
            line(5, 6, 1.02, 0.02),
        ],
        generators: vec![],
    }
}

#[test]
fn taps_charging_and_shunts_are_those_of_the_power_flow() {
    let network = odd_tree();
    let hour = Hour::of(&network, 0.5).unwrap();
    let d = RadialOpf::new(&network).unwrap().solve(&hour).unwrap();
    let power_flow = PowerFlow::new(&network).unwrap();
    let flow = power_flow.solve(&Injections::loads_of(&network)).unwrap();
    close(d.import_kw, flow.slack_kw(), 1e-8);
    close(d.import_kvar, flow.slack_kvar(), 1e-8);
    close(d.loss_kw, flow.loss_kw, 1e-8);
    let mut sensitivities = power_flow.sensitivities(&flow).unwrap();
    let marginal = sensitivities.slack_kw();
    for n in network.nodes() {
        let bus = d.buses[n.0].unwrap();
        close(bus.voltage_pu, flow.voltages[n.0].unwrap().magnitude_pu, 1e-11);
        close(bus.price.per_kwh(), 0.5 * marginal.p[n.0], 1e-10);
        close(bus.reactive_price, 0.5 * marginal.q[n.0], 1e-10);
    }
    for (k, branch) in flow.branches.iter().enumerate() {
        close(d.branches[k].0, branch.p_from_kw, 1e-8);
        close(d.branches[k].1, -branch.p_to_kw, 1e-8);
    }
}

#[test]
fn prices_with_a_voltage_limit_and_charged_ratings_are_differences_of_the_cost() {
    let mut network = odd_tree();
    for bus in &mut network.buses {
        bus.v_max_pu = 1.04;
    }
    for branch in &mut network.branches {
        branch.rate_kva = Some(900.0);
    }
    network.branches[3].rate_kva = Some(290.0);
    let mut hour = Hour::of(&network, 0.5).unwrap();
    for (node, cost) in [(5, 0.2), (2, 0.45)] {
        let mut c = Control::active(NodeId(node), 900.0, cost);
        (c.q_min_kvar, c.q_max_kvar, c.s_max_kva, c.cost_per_kwh2) = (-500.0, 500.0, Some(700.0), 1e-5);
        hour.controls.push(c);
    }
    let opf = RadialOpf::new(&network).unwrap();
    let cost = |node: usize, by: f64| {
        let mut moved = hour.clone();
        moved.load_kw[node] += by;
        opf.solve(&moved).unwrap().objective_per_h
    };
    let d = opf.solve(&hour).unwrap();
    assert!(d.is_feasible(), "{:?}", d.status);
    let binding = d.buses.iter().flatten().any(|b| b.price.congestion.abs() > 1e-3);
    assert!(binding, "{d:?}");
    for node in 1..6 {
        let difference = (cost(node, 0.02) - cost(node, -0.02)) / 0.04;
        close(d.buses[node].unwrap().price.per_kwh(), difference, 2e-6);
    }
}

#[test]
fn neither_the_base_nor_the_numbering_matters() {
    let (network, hour) = feeder_33(true, 0.95);
    let reference = RadialOpf::new(&network).unwrap().solve(&hour).unwrap();
    // Another base.
    let mut rebased = network.clone();
    rebased.base_mva *= 7.0;
    for b in &mut rebased.branches {
        b.r_pu *= 7.0;
        b.x_pu *= 7.0;
    }
    // Buses in the opposite order.
    let n = network.buses.len();
    let turned = |node: NodeId| NodeId(n - 1 - node.0);
    let mut reversed = network.clone();
    reversed.buses.reverse();
    for b in &mut reversed.branches {
        (b.from, b.to) = (turned(b.to), turned(b.from));
    }
    let mut reversed_hour = hour.clone();
    reversed_hour.load_kw.reverse();
    reversed_hour.load_kvar.reverse();
    for c in &mut reversed_hour.controls {
        c.node = turned(c.node);
    }
    for g in &mut reversed.generators {
        g.node = turned(g.node);
    }
    for (network, hour, back) in [(rebased, hour, false), (reversed, reversed_hour, true)] {
        let d = RadialOpf::new(&network).unwrap().solve(&hour).unwrap();
        close(d.objective_per_h, reference.objective_per_h, 1e-7);
        for k in 0..n {
            let price = d.buses[if back { n - 1 - k } else { k }].unwrap().price.per_kwh();
            close(price, reference.buses[k].unwrap().price.per_kwh(), 1e-8);
        }
    }
}

#[test]
fn what_cannot_hold_inside_a_program_is_named() {
    // Bus 2 needs voltage above 0.99, the line takes 0.03 for its load: no control can help.
    let (mut network, hour) = two_buses(1.05, 500.0, 0.0);
    network.buses[1].v_min_pu = 0.99;
    let mut program = Program::new();
    NetworkBlock::build(&mut program, &network, 7, &hour.load_kw, &hour.load_kvar, &[]).unwrap();
    match program.compile().instance().solve() {
        Err(SolveError::Infeasible { rows }) => {
            assert!(rows.iter().all(|r| r.contains("period 7") && r.contains(" by ")), "{rows:?}");
            assert!(rows.iter().any(|r| r.contains("bus 2") || r.contains("branch 1-2")), "{rows:?}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_relaxation_is_that_of_a_conic_solver() {
    for v_min in [0.9, 0.95] {
        let (_, program, _, _) = block_33(v_min);
        let instance = program.compile().instance();
        let own = instance.solve().unwrap().certificate.objective;
        let conic = instance.second_opinion().unwrap().certificate.objective;
        close(own, conic, 1e-3);
    }
    let (network, hour) = two_buses(1.05, 500.0, 0.0);
    let mut program = Program::new();
    let pv = program.var(0.0, 3000.0);
    let out = Withdrawal { node: NodeId(1), active_kw: Expr::from(pv).times(-1.0), reactive_kvar: Expr::default() };
    let block = NetworkBlock::build(&mut program, &network, 0, &hour.load_kw, &hour.load_kvar, &[out]).unwrap();
    let mut cost = Cost::default();
    cost.add(0.5, block.import_kw);
    program.add_cost(&cost);
    let conic = program.compile().instance().second_opinion().unwrap().certificate.objective;
    close(conic, RadialOpf::new(&network).unwrap().relaxed(&hour).unwrap().objective_per_h, 1e-3);
}
