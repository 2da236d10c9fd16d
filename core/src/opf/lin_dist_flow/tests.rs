//! Hand calculations, closed forms and differences.

use super::*;
use crate::network::{Branch, Bus, BusKind, Cost, Generator, built_in};
use crate::power_flow::{Injections, lin_dist_flow};

fn generator(node: usize, p_max_kw: f64, q_kvar: f64, per_mwh: f64) -> Generator {
    Generator {
        node: NodeId(node),
        p_kw: 0.0,
        q_kvar: 0.0,
        p_min_kw: 0.0,
        p_max_kw,
        q_min_kvar: -q_kvar,
        q_max_kvar: q_kvar,
        v_pu: None,
        cost_per_h: Some(Cost::Polynomial(vec![0.0, per_mwh / 1e3])),
        in_service: true,
        ..Generator::default()
    }
}

/// Three buses in a row with a generator at the end.
fn chain() -> Network {
    let bus = |id, p, q| Bus { id, p_load_kw: p, q_load_kvar: q, v_min_pu: 0.97, ..Bus::default() };
    let line = |from, r_pu, x_pu| Branch {
        from: NodeId(from),
        to: NodeId(from + 1),
        r_pu,
        x_pu,
        b_pu: 0.0,
        tap: 1.0,
        shift_deg: 0.0,
        rate_kva: None,
        in_service: true,
        ..Branch::default()
    };
    let mut buses = vec![bus(1, 0.0, 0.0), bus(2, 500.0, 200.0), bus(3, 600.0, 300.0)];
    buses[0].kind = BusKind::Slack;
    let root = Generator { p_min_kw: f64::NEG_INFINITY, ..generator(0, f64::INFINITY, f64::INFINITY, 500.0) };
    Network {
        name: "chain".into(),
        base_mva: 1.0,
        buses,
        branches: vec![line(0, 0.02, 0.04), line(1, 0.03, 0.03)],
        generators: vec![root, generator(2, 1000.0, 0.0, 550.0)],
    }
}

#[track_caller]
fn close(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
}

#[test]
fn a_voltage_limit_at_the_end_of_a_chain_sets_the_prices() {
    // By hand: bus 3 sits at 0.97, its generator at 550 is the marginal one, and R = 0.02 and 0.05 give the rest.
    let answer = lin_dist_opf(&chain(), None, SlackVoltage::Held).unwrap();
    close(answer.objective_per_h, 589.45, 1e-8);
    close(answer.generation_kw[0], 311.0, 1e-6);
    close(answer.generation_kw[1], 789.0, 1e-6);
    close(answer.voltage_pu[1].unwrap(), 0.973_426_936_1, 1e-9);
    for (price, expected) in answer.prices.iter().zip([500.0, 520.0, 550.0]) {
        close(price.unwrap().per_kwh() * 1e3, expected, 1e-7);
        close(price.unwrap().energy * 1e3, 500.0, 1e-9);
    }
    // 500 per MWh, per unit of 1 MVA.
    close(answer.voltage_dual_per_h[2], -500.0, 1e-6);
    assert_eq!(&answer.voltage_dual_per_h[..2], [0.0, 0.0]);
}

/// `Lambda_0 + sum_j 2 (mu_low - mu_up) R_jn`, from the topology and the duals alone.
fn closed_form(network: &Network, answer: &LinDistOpf, node: NodeId) -> f64 {
    let topology = Topology::new(network);
    let root = topology.root(node).unwrap();
    let from_voltages: f64 = network
        .nodes()
        .filter(|j| topology.root(*j) == Some(root))
        .map(|j| {
            let r = topology.common_resistance_pu(network, j, node).unwrap();
            -2.0 * answer.voltage_dual_per_h[j.0] * r / network.base_kva()
        })
        .sum();
    answer.prices[root.0].unwrap().per_kwh() + from_voltages
}

#[test]
fn prices_on_the_33_bus_feeder_follow_the_closed_form() {
    let mut n = built_in("ieee-33").unwrap().network().unwrap();
    for bus in &mut n.buses {
        (bus.v_min_pu, bus.v_max_pu) = (0.95, 1.05);
    }
    n.generators[0].cost_per_h = Some(Cost::Polynomial(vec![0.0, 0.6]));
    n.generators.push(generator(17, 600.0, 300.0, 750.0));
    n.generators.push(generator(32, 800.0, 400.0, 650.0));
    n.generators.push(generator(24, 500.0, 0.0, 100.0));
    let answer = lin_dist_opf(&n, None, SlackVoltage::Held).unwrap();
    assert!(answer.voltage_dual_per_h.iter().any(|mu| *mu < -1.0), "some voltage binds");
    for node in n.nodes() {
        let price = answer.prices[node.0].unwrap();
        close(price.per_kwh(), closed_form(&n, &answer, node), 1e-9);
        assert_eq!((price.loss, price.congestion), (0.0, 0.0));
    }
    // The linear flow of the dispatch has these voltages.
    let mut given = Injections::loads_of(&n);
    for (k, g) in n.generators.iter().enumerate() {
        given.add(g.node, answer.generation_kw[k], answer.generation_kvar[k]);
    }
    let flow = lin_dist_flow(&n, &given).unwrap().unwrap();
    for k in 0..33 {
        close(answer.voltage_pu[k].unwrap(), flow.voltage_pu[k].unwrap(), 1e-9);
    }
    for k in 0..n.branches.len() {
        close(answer.branch_kw[k], flow.branch_kw[k], 1e-5);
    }
    // A kW more of load costs its price.
    for k in [5, 17, 32] {
        let at = |step: f64| {
            let mut moved = n.clone();
            moved.buses[k].p_load_kw += step;
            lin_dist_opf(&moved, None, SlackVoltage::Held).unwrap().objective_per_h
        };
        close(answer.prices[k].unwrap().per_kwh(), (at(0.5) - at(-0.5)) / 1.0, 1e-7);
    }
}

#[test]
fn an_apparent_power_limit_is_a_circle() {
    // 300 kvar must come through; sqrt(500^2 - 300^2) = 400 kW is what is left of 500 kVA.
    let mut n = chain();
    for bus in &mut n.buses {
        bus.v_min_pu = 0.8;
    }
    n.branches[1].rate_kva = Some(500.0);
    n.generators[1] = generator(2, 1000.0, 0.0, 800.0);
    let answer = lin_dist_opf(&n, None, SlackVoltage::Held).unwrap();
    close(answer.branch_kw[1], 400.0, 1e-5);
    close(answer.branch_kvar[1], 300.0, 1e-6);
    close(answer.generation_kw[1], 200.0, 1e-5);
    let price = answer.prices[2].unwrap();
    close(price.per_kwh() * 1e3, 800.0, 1e-6);
    close(price.congestion * 1e3, 300.0, 1e-6);
    // dC/dS: 300 per MWh over dP/dS = 500/400; tangents are as steep to first order in their distance.
    close(answer.congestion_per_kvah[1] * 1e3, 300.0 * 500.0 / 400.0, 2e-2);
    // The generators' reactive power is worth something behind the limit.
    close(answer.reactive_price_per_kvarh[2].unwrap() * 1e3, 300.0 * 300.0 / 400.0, 2e-2);
}

#[test]
fn carbon_moves_prices_by_the_marginal_emissions() {
    let n = chain();
    let carbon = |price_per_tonne| CarbonPricing {
        price_per_tonne,
        generator_kg_per_kwh: vec![0.581, 0.3],
        node_kg_per_kwh: vec![0.581; 3],
    };
    let [before, after] = [100.0, 110.0].map(|p| lin_dist_opf(&n, Some(&carbon(p)), SlackVoltage::Held).unwrap());
    let now = before.carbon.clone().unwrap();
    for k in 0..3 {
        let moved = after.prices[k].unwrap().per_kwh() - before.prices[k].unwrap().per_kwh();
        close(moved, 0.010 * now.marginal_kg_per_kwh[k].unwrap(), 1e-10);
    }
    let kw = &before.generation_kw;
    close(now.emissions_kg_per_h, 0.581 * kw[0] + 0.3 * kw[1], 1e-9);
    close(before.prices[0].unwrap().carbon, 0.0581, 1e-12);
}

#[test]
fn what_cannot_hold_is_named() {
    let mut n = chain();
    n.generators.truncate(1);
    let Err(OpfError::Infeasible { what }) = lin_dist_opf(&n, None, SlackVoltage::Held) else { panic!("feasible") };
    assert!(what.iter().any(|w| w.contains("voltage")), "{what:?}");
    let mesh = built_in("ieee-14").unwrap().network().unwrap();
    assert_eq!(lin_dist_opf(&mesh, None, SlackVoltage::Held).unwrap_err(), OpfError::Meshed);
}

/// Voltage high at the slack, and power let through only as far as the angle across a line allows: prices are differences.
#[test]
fn a_slack_that_chooses_and_a_limit_of_an_angle_have_their_prices() {
    let mut n = chain();
    for bus in &mut n.buses {
        (bus.v_min_pu, bus.v_max_pu) = (0.95, 1.05);
    }
    let free = lin_dist_opf(&n, None, SlackVoltage::WithinLimits).unwrap();
    let held = lin_dist_opf(&n, None, SlackVoltage::Held).unwrap();
    assert!(free.objective_per_h <= held.objective_per_h + 1e-9);
    let of_file = n.clone();
    let across = |answer: &LinDistOpf| {
        // Of the file, sending before receiving bus, degrees.
        let (b, v) = (&of_file.branches[0], answer.voltage_pu[0].unwrap());
        let (p, q) = (answer.branch_kw[0] / of_file.base_kva(), answer.branch_kvar[0] / of_file.base_kva());
        (b.x_pu * p - b.r_pu * q).atan2(v * v - b.r_pu * p - b.x_pu * q).to_degrees()
    };
    let limit = 0.8 * across(&free);
    n.branches[0].angle_max_deg = limit;
    let bound = lin_dist_opf(&n, None, SlackVoltage::WithinLimits).unwrap();
    close(across(&bound), limit, 1e-6);
    assert!(bound.objective_per_h > free.objective_per_h + 1e-6);
    for k in 0..n.buses.len() {
        let cost = |by: f64| {
            let mut moved = n.clone();
            moved.buses[k].p_load_kw += by;
            lin_dist_opf(&moved, None, SlackVoltage::WithinLimits).unwrap().objective_per_h
        };
        let price = bound.prices[k].unwrap();
        close(price.per_kwh(), (cost(0.1) - cost(-0.1)) / 0.2, 1e-6);
        assert_eq!(price.congestion != 0.0, k > 0, "{price:?}");
    }
}
