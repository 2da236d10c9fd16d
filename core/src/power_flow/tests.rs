//! Published figures and closed forms. The reference cases are in `reference.rs`.

use super::sweep::Sweep;
use super::*;
use crate::network::{Branch, Bus, BusKind, Generator, Network, NodeId, Topology, built_in};

mod operating_state;
mod properties;
mod reference;

pub(super) fn embedded(id: &str) -> Network {
    built_in(id).expect("embedded").network().expect("valid")
}

fn solved(network: &Network) -> Flow {
    PowerFlow::new(network).unwrap().solve(&Injections::of(network)).unwrap()
}

fn by_newton(network: &Network) -> Flow {
    PowerFlow::new(network).unwrap().solve_by_newton(&Injections::of(network)).unwrap()
}

fn close(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
}

fn bus(id: u64, p_load_kw: f64, q_load_kvar: f64) -> Bus {
    let kind = if id == 1 { BusKind::Slack } else { BusKind::Pq };
    Bus { id, kind, p_load_kw, q_load_kvar, ..Bus::default() }
}

fn line(from: usize, to: usize, r_pu: f64, x_pu: f64) -> Branch {
    Branch {
        from: NodeId(from),
        to: NodeId(to),
        r_pu,
        x_pu,
        b_pu: 0.0,
        tap: 1.0,
        shift_deg: 0.0,
        rate_kva: None,
        in_service: true,
        ..Branch::default()
    }
}

fn network(base_mva: f64, buses: Vec<Bus>, branches: Vec<Branch>) -> Network {
    Network { name: String::new(), base_mva, buses, branches, generators: Vec::new() }
}

/// r = 0.02, x = 0.04, load 0.8 + 0.4j times `factor`, 1 MVA.
fn two_buses(factor: f64) -> Network {
    network(1.0, vec![bus(1, 0.0, 0.0), bus(2, 800.0 * factor, 400.0 * factor)], vec![line(0, 1, 0.02, 0.04)])
}

#[test]
fn published_losses_and_lowest_voltages_of_the_built_in_feeders() {
    // Das et al. 1995; Baran and Wu 1989; Khodr et al. 2008; the digits from two independent programs.
    for (id, loss_kw, loss_kvar, v_min, at) in [
        ("das-15", 61.79441139, 57.29771760, 0.9445169817, 13),
        ("ieee-33", 202.67712646, 135.14097097, 0.9130904794, 18),
        ("ieee-69", 224.99169415, 102.15804984, 0.9091877137, 65),
        ("khodr-141", 632.69558328, 467.65044924, 0.9278620616, 87),
    ] {
        let n = embedded(id);
        let sweep = solved(&n);
        assert_eq!(sweep.method, Method::Sweep, "{id}");
        for flow in [sweep, by_newton(&n)] {
            // The short lines of the last feeder cost Newton's method digits.
            let tolerance = if flow.method == Method::Sweep { 1e-8 } else { 1e-6 };
            close(flow.loss_kw, loss_kw, tolerance);
            close(flow.loss_kvar, loss_kvar, tolerance);
            let (node, v) = flow.min_voltage().unwrap();
            close(v, v_min, 1e-10);
            assert_eq!(n.bus(node).id, at);
            assert!(flow.mismatch_pu < 1e-9);
        }
    }
    let flow = solved(&embedded("ieee-14"));
    assert_eq!(flow.method, Method::Newton);
    close(flow.loss_kw, 13393.27236, 1e-5);
    let flow = solved(&embedded("ieee-33"));
    close(flow.slack_kw(), 3917.6771265, 1e-6);
    close(flow.slack_kvar(), 2435.1409710, 1e-6);
}

#[test]
fn the_price_feeder_without_its_generator() {
    let flow = solved(&embedded("ap-15"));
    close(flow.slack_kw(), 1644.9992111, 1e-6);
    close(flow.loss_kw, 14.09921112, 1e-7);
    let (node, v) = flow.min_voltage().unwrap();
    assert_eq!(node, NodeId(11));
    close(v, 0.8806507425, 1e-9);
}

#[test]
fn published_voltages_of_the_33_and_15_bus_feeders() {
    let published: [(&str, &[f64]); 2] = [
        (
            "ieee-33",
            &[
                1.0, 0.99703226, 0.98293798, 0.97545641, 0.96805923, 0.94965818, 0.94617261, 0.94132844, 0.93505937,
                0.92924442, 0.92838442, 0.92688484, 0.92077175, 0.91850499, 0.91709268, 0.91572476, 0.91369755,
                0.91309048, 0.9965039, 0.9929263, 0.9922218, 0.99158438, 0.97935226, 0.9726811, 0.96935611, 0.94772891,
                0.94516516, 0.93372558, 0.92550748, 0.92195006, 0.91778889, 0.91687347, 0.91658982,
            ],
        ),
        (
            "das-15",
            &[
                1.0, 0.97128281, 0.95666894, 0.95090461, 0.94991783, 0.95823133, 0.95600793, 0.95695416, 0.96797035,
                0.96689702, 0.94995194, 0.94582841, 0.94451698, 0.94860784, 0.94843933,
            ],
        ),
    ];
    for (id, magnitudes) in published {
        let flow = solved(&embedded(id));
        for (v, expected) in flow.voltages.iter().zip(magnitudes) {
            close(v.unwrap().magnitude_pu, *expected, 6e-9);
        }
    }
}

#[test]
fn the_first_sweeps_of_the_33_bus_feeder() {
    let n = embedded("ieee-33");
    let one = complex::Complex::ONE;
    let sweep = Sweep::new(&n, &Topology::new(&n), &[one; 33]);
    let given = Injections::of(&n);
    let injection: Vec<_> =
        given.p_kw.iter().zip(&given.q_kvar).map(|(p, q)| complex::Complex::new(p / 1e4, q / 1e4)).collect();
    let mut state = sweep.begin();
    for (loss, v_min) in [
        (176.36179673, 0.9194978175),
        (200.62294214, 0.9135831817),
        (202.51931284, 0.9131283738),
        (202.66499808, 0.9130933952),
        (202.67619418, 0.9130907033),
    ] {
        sweep.step(&mut state, &injection);
        close(sweep.series_loss(&state, &n) * 1e4, loss, 6e-9);
        close(state.voltage.iter().map(|v| v.norm()).fold(9.0, f64::min), v_min, 6e-11);
    }
    assert!(sweep.solve(&injection).unwrap().1 <= 14);
}

#[test]
fn closed_and_reconfigured_ties_of_the_33_bus_feeder() {
    let mut n = embedded("ieee-33");
    for tie in 32..37 {
        n.branches[tie].in_service = true;
    }
    let flow = solved(&n);
    assert_eq!(flow.method, Method::Newton);
    close(flow.loss_kw, 123.29082975, 1e-8);
    close(flow.min_voltage().unwrap().1, 0.9532799207, 1e-10);
    // Loss-minimal radial configuration: branches 7, 9, 14, 32 and 37 open.
    for open in [7, 9, 14, 32, 37] {
        n.branches[open - 1].in_service = false;
    }
    for flow in [solved(&n), by_newton(&n)] {
        close(flow.loss_kw, 139.55134722, 1e-8);
        let (node, v) = flow.min_voltage().unwrap();
        close(v, 0.9378191163, 1e-10);
        assert_eq!(n.bus(node).id, 32);
    }
}

#[test]
fn distributed_generation_reverses_a_flow() {
    let mut buses = vec![
        bus(1, 0.0, 0.0),
        bus(2, 900.0 - 200.0, 300.0 - 20.0),
        bus(3, 1500.0 - 1000.0, 450.0 - 500.0),
        bus(4, 4800.0 - 5000.0, 1100.0 - 1200.0),
        bus(5, 300.0 - 500.0, 120.0 + 10.0),
    ];
    for bus in &mut buses {
        bus.base_kv = Some(10.0);
    }
    // 10 kV, 100 MVA: 1 ohm is 1 pu.
    let z = |from, to| line(from, to, 2.05, 1.8);
    let n = network(100.0, buses, vec![z(0, 1), z(1, 2), z(2, 3), z(2, 4)]);
    for flow in [solved(&n), by_newton(&n)] {
        close(flow.slack_kw(), 817.77938643, 1e-8);
        close(flow.slack_kvar(), 275.61116858, 1e-8);
        close(flow.loss_kw, 17.77938643, 1e-8);
        close(flow.loss_kvar, 15.61116858, 1e-8);
        for (v, kv) in flow.voltages[1..].iter().zip([9.7831656656, 9.7649848339, 9.8250228411, 9.7827656550]) {
            close(v.unwrap().magnitude_pu * 10.0, kv, 1e-9);
        }
        assert!(flow.branches[2].p_from_kw < 0.0);
    }
}

#[test]
fn two_buses_in_closed_form() {
    let n = two_buses(1.0);
    for flow in [solved(&n), by_newton(&n)] {
        let v = flow.voltages[1].unwrap();
        close(v.magnitude_pu, 0.966585466983, 1e-12);
        close(v.angle_deg, -1.4227816254, 1e-10);
        close(flow.branches[0].p_from_kw, 817.125350173, 1e-9);
        close(flow.branches[0].q_from_kvar, 434.250700346, 1e-9);
        close(flow.loss_kw, 0.856267508646 * 20.0, 1e-10);
        let power_flow = PowerFlow::new(&n).unwrap();
        let mut sensitivities = power_flow.sensitivities(&flow).unwrap();
        let slack = sensitivities.slack_kw();
        close(slack.p[1], 1.0350481371, 1e-10);
        close(slack.q[1], 0.0186258792, 1e-10);
        assert_eq!((slack.p[0], slack.q[0]), (1.0, 0.0));
        // ∂v/∂p for v = |V|², per pu.
        let voltage = sensitivities.voltage_pu(NodeId(1));
        let squared = 2.0 * v.magnitude_pu * 1000.0;
        close(voltage.p[1] * squared, -0.0435048137, 1e-10);
        close(voltage.q[1] * squared, -0.0818625879, 1e-10);
    }
}

#[test]
fn a_load_beyond_the_nose_has_no_flow() {
    let nose = 6.9444444444;
    let near = solved(&two_buses(nose * 0.9999));
    // |V| goes to 0.5270462767 like a square root.
    close(near.voltages[1].unwrap().magnitude_pu, 0.5270462767, 0.01);
    assert!(near.voltages[1].unwrap().magnitude_pu > 0.5270462767);
    let beyond = two_buses(nose * 1.001);
    let error = PowerFlow::new(&beyond).unwrap().solve(&Injections::of(&beyond)).unwrap_err();
    let PowerFlowError::BeyondCapability { bus: 2, share } = error else { panic!("{error}") };
    close(share, 1.0 / 1.001, 1e-6);
}

#[test]
fn marginal_supply_of_the_33_bus_feeder() {
    let n = embedded("ieee-33");
    let power_flow = PowerFlow::new(&n).unwrap();
    let flow = power_flow.solve(&Injections::of(&n)).unwrap();
    let mut sensitivities = power_flow.sensitivities(&flow).unwrap();
    let slack = sensitivities.slack_kw();
    for (id, by_p, by_q) in [
        (2, 1.0047906828, 0.0029491927),
        (6, 1.0797532421, 0.0548275219),
        (18, 1.1471924295, 0.0857107605),
        (22, 1.0125258836, 0.0064011124),
        (25, 1.0495592745, 0.0280453823),
        (33, 1.1265389178, 0.1023996142),
    ] {
        let node = n.node(id).unwrap();
        close(slack.p[node.0], by_p, 1e-10);
        close(slack.q[node.0], by_q, 1e-10);
    }
    // Priced at 0.6 per kWh: total payment and merchandising surplus per hour.
    let payment: f64 = n.buses.iter().zip(&slack.p).map(|(bus, s)| 0.6 * s * bus.p_load_kw).sum();
    close(payment, 2404.34580080, 1e-7);
    close(payment - 0.6 * flow.slack_kw(), 53.73952493, 1e-7);
}

#[test]
fn sensitivities_agree_with_differences_on_a_mesh_with_held_voltages() {
    let n = embedded("ieee-14");
    let power_flow = PowerFlow::new(&n).unwrap();
    let at = Injections::of(&n);
    let flow = power_flow.solve(&at).unwrap();
    let mut sensitivities = power_flow.sensitivities(&flow).unwrap();
    let (p, q) = (sensitivities.slack_kw(), sensitivities.slack_kvar());
    let watched = NodeId(13);
    let v = sensitivities.voltage_pu(watched);
    let all = sensitivities.weighted(2.0, -0.5, &[(watched, 7.0)]);
    let h = 100.0;
    for i in 0..n.buses.len() {
        for (dp, dq) in [(h, 0.0), (0.0, h)] {
            let moved = |sign: f64| {
                let mut load = at.clone();
                load.add(NodeId(i), -sign * dp, -sign * dq);
                power_flow.solve(&load).unwrap()
            };
            let (up, down) = (moved(1.0), moved(-1.0));
            let pick = |r: &Response| if dp > 0.0 { r.p[i] } else { r.q[i] };
            close(pick(&p), (up.slack_kw() - down.slack_kw()) / (2.0 * h), 1e-6);
            close(pick(&q), (up.slack_kvar() - down.slack_kvar()) / (2.0 * h), 1e-6);
            let magnitude = |flow: &Flow| flow.voltages[watched.0].unwrap().magnitude_pu;
            close(pick(&v), (magnitude(&up) - magnitude(&down)) / (2.0 * h), 1e-12);
            close(pick(&all), 2.0 * pick(&p) - 0.5 * pick(&q) + 7.0 * pick(&v), 1e-12);
        }
    }
}

#[test]
fn sensitivities_of_branch_powers_agree_with_differences() {
    let mut n = embedded("ieee-14");
    n.branches[7].shift_deg = 4.0;
    let ends = |p_from_kw, q_from_kvar, p_to_kw, q_to_kvar| BranchFlow { p_from_kw, q_from_kvar, p_to_kw, q_to_kvar };
    // One with a tap, one with a shift, one with charging, one that is open.
    n.branches[2].in_service = false;
    let branches = vec![
        (8, ends(1.0, 0.0, 0.0, 0.0)),
        (7, ends(0.3, -0.7, 0.2, 0.5)),
        (1, ends(0.0, 0.0, 1.0, -2.0)),
        (2, ends(9.0, 9.0, 9.0, 9.0)),
    ];
    let weights = Weights { slack_kw: 0.4, slack_kvar: 0.1, voltage_pu: vec![(NodeId(13), 900.0)], branches };
    let value = |flow: &Flow| {
        let branches = weights.branches.iter().map(|(k, w)| {
            let f = &flow.branches[*k];
            w.p_from_kw * f.p_from_kw
                + w.q_from_kvar * f.q_from_kvar
                + w.p_to_kw * f.p_to_kw
                + w.q_to_kvar * f.q_to_kvar
        });
        0.4 * flow.slack_kw()
            + 0.1 * flow.slack_kvar()
            + 900.0 * flow.voltages[13].unwrap().magnitude_pu
            + branches.sum::<f64>()
    };
    let power_flow = PowerFlow::new(&n).unwrap();
    let at = Injections::of(&n);
    let flow = power_flow.solve(&at).unwrap();
    let found = power_flow.sensitivities(&flow).unwrap().of(&weights);
    let h = 100.0;
    for i in 0..n.buses.len() {
        for (dp, dq, found) in [(h, 0.0, found.p[i]), (0.0, h, found.q[i])] {
            let moved = |sign: f64| {
                let mut load = at.clone();
                load.add(NodeId(i), -sign * dp, -sign * dq);
                value(&power_flow.solve(&load).unwrap())
            };
            close(found, (moved(1.0) - moved(-1.0)) / (2.0 * h), 2e-6);
        }
    }
}

#[test]
fn taps_shifts_and_charging_are_the_same_to_both_methods_either_way_round() {
    let mut n = network(
        1.0,
        vec![bus(1, 0.0, 0.0), bus(2, 100.0, 40.0), bus(3, 50.0, -30.0), bus(4, 80.0, 10.0)],
        vec![line(0, 1, 0.01, 0.05), line(2, 1, 0.02, 0.04), line(1, 3, 0.03, 0.02)],
    );
    for (branch, (tap, shift, b)) in
        n.branches.iter_mut().zip([(0.97, 30.0, 0.0), (1.03, -12.0, 0.02), (1.0, 0.0, 0.1)])
    {
        (branch.tap, branch.shift_deg, branch.b_pu) = (tap, shift, b);
    }
    n.buses[3].b_kvar = 25.0;
    n.buses[2].g_kw = 3.0;
    n.buses[0].angle_deg = 5.0;
    let (a, b) = (solved(&n), by_newton(&n));
    assert_eq!((a.method, b.method), (Method::Sweep, Method::Newton));
    for (a, b) in a.voltages.iter().zip(&b.voltages) {
        close(a.unwrap().magnitude_pu, b.unwrap().magnitude_pu, 1e-12);
        close(a.unwrap().angle_deg, b.unwrap().angle_deg, 1e-10);
    }
    for (a, b) in a.branches.iter().zip(&b.branches) {
        close(a.p_from_kw, b.p_from_kw, 1e-8);
        close(a.q_from_kvar, b.q_from_kvar, 1e-8);
        close(a.p_to_kw, b.p_to_kw, 1e-8);
        close(a.q_to_kvar, b.q_to_kvar, 1e-8);
    }
    // A shift of 30 degrees delays by that much behind the slack's 5 degrees.
    assert!((a.voltages[1].unwrap().angle_deg + 25.0).abs() < 1.0);
}

#[test]
fn isolated_buses_have_no_voltage_and_are_not_served() {
    let mut n = embedded("ieee-33");
    let whole = solved(&n);
    n.branches[16].in_service = false; // 17-18
    for flow in [solved(&n), by_newton(&n)] {
        assert_eq!(flow.voltages[17], None);
        assert_eq!(flow.p_kw[17], 0.0);
        assert_eq!(flow.branches[16], BranchFlow::default());
        close(flow.slack_kw() - flow.loss_kw, 3715.0 - 90.0, 1e-8);
        assert!(flow.loss_kw < whole.loss_kw);
        let mut sensitivities = PowerFlow::new(&n).map(|p| p.sensitivities(&flow).unwrap().slack_kw()).unwrap();
        assert_eq!(sensitivities.p.remove(17), 0.0);
    }
}

#[test]
fn a_slack_supplies_what_its_own_bus_wants_too() {
    let mut n = two_buses(1.0);
    n.buses[0].p_load_kw = 50.0;
    n.generators.push(Generator {
        node: NodeId(0),
        p_kw: 999.0,
        q_kvar: 0.0,
        p_min_kw: 0.0,
        p_max_kw: f64::INFINITY,
        q_min_kvar: f64::NEG_INFINITY,
        q_max_kvar: f64::INFINITY,
        v_pu: None,
        cost_per_h: None,
        in_service: true,
        ..Generator::default()
    });
    let flow = solved(&n);
    close(flow.slack_kw(), 817.125350173 + 50.0, 1e-9);
    close(flow.p_kw[0], 817.125350173, 1e-9);
}

#[test]
fn a_held_voltage_without_a_generator_is_not_held() {
    let mut n = two_buses(1.0);
    n.buses[1].kind = BusKind::Pv;
    close(solved(&n).voltages[1].unwrap().magnitude_pu, 0.966585466983, 1e-12);
}

#[test]
fn unfit_injections_are_refused() {
    let n = two_buses(1.0);
    let power_flow = PowerFlow::new(&n).unwrap();
    let mut injections = Injections::none(&n);
    injections.q_kvar[1] = f64::INFINITY;
    assert_eq!(power_flow.solve(&injections), Err(PowerFlowError::InjectionNotFinite { bus: 2 }));
    injections.p_kw.pop();
    let error = PowerFlowError::InjectionCount { expected: 2, found: 1 };
    assert_eq!(power_flow.solve(&injections), Err(error.clone()));
    assert_eq!(dc_flow(&n, &injections), Err(error));
}

#[test]
fn a_network_of_slacks_only_is_solved() {
    let n = network(1.0, vec![bus(1, 10.0, 0.0)], vec![]);
    for flow in [solved(&n), by_newton(&n)] {
        assert_eq!((flow.slack_kw(), flow.loss_kw), (10.0, 0.0));
    }
    assert_eq!(dc_flow(&n, &Injections::of(&n)).unwrap().slack_kw, [(NodeId(0), 10.0)]);
}

#[test]
fn three_equal_lines_share_a_transfer_two_to_one() {
    let n = network(
        1.0,
        vec![bus(1, 0.0, 0.0), bus(2, 0.0, 0.0), bus(3, 900.0, 0.0)],
        vec![line(0, 2, 0.0, 0.1), line(0, 1, 0.0, 0.1), line(1, 2, 0.0, 0.1)],
    );
    let ptdf = Ptdf::new(&n).unwrap();
    for (branch, share) in [(0, 2.0 / 3.0), (1, 1.0 / 3.0), (2, 1.0 / 3.0)] {
        close(ptdf.transfer(branch, NodeId(0), NodeId(2)), share, 1e-14);
    }
    let flow = dc_flow(&n, &Injections::of(&n)).unwrap();
    for (found, expected) in flow.branch_kw.iter().zip([600.0, 300.0, 300.0]) {
        close(*found, expected, 1e-10);
    }
    close(flow.slack_kw[0].1, 900.0, 1e-10);
}

#[test]
fn dc_flow_is_the_sum_of_its_factors_and_of_what_shifters_drive() {
    let mut n = embedded("ieee-14");
    let given = Injections::of(&n);
    let flow = dc_flow(&n, &given).unwrap();
    let ptdf = Ptdf::new(&n).unwrap();
    for (k, kw) in flow.branch_kw.iter().enumerate() {
        let sum: f64 = ptdf.branch(k).iter().zip(&given.p_kw).map(|(f, p)| f * p).sum();
        close(*kw, sum, 1e-8);
    }
    // The balance holds with a shifter, and its drive is the closed form of a loop of three equal lines: φ/(3x).
    n.branches[7].shift_deg = 3.0;
    let flow = dc_flow(&n, &given).unwrap();
    close(flow.slack_kw[0].1 + given.p_kw.iter().sum::<f64>(), 0.0, 1e-8);
    let mut loop_of_three = network(
        1.0,
        vec![bus(1, 0.0, 0.0), bus(2, 0.0, 0.0), bus(3, 0.0, 0.0)],
        vec![line(0, 1, 0.0, 0.1), line(1, 2, 0.0, 0.1), line(2, 0, 0.0, 0.1)],
    );
    loop_of_three.branches[1].shift_deg = 0.3_f64.to_degrees();
    let flow = dc_flow(&loop_of_three, &Injections::of(&loop_of_three)).unwrap();
    for kw in flow.branch_kw {
        close(kw, -1000.0, 1e-9);
    }
}

#[test]
fn the_dc_flow_refuses_a_branch_without_reactance() {
    let n = network(1.0, vec![bus(1, 0.0, 0.0), bus(2, 1.0, 0.0)], vec![line(0, 1, 0.1, 0.0)]);
    let error = dc_flow(&n, &Injections::of(&n)).unwrap_err();
    assert_eq!(error, PowerFlowError::ZeroReactance { number: 1 });
}

#[test]
fn the_linear_flow_of_the_33_bus_feeder() {
    let mut n = embedded("ieee-33");
    let flow = lin_dist_flow(&n, &Injections::of(&n)).unwrap().unwrap();
    close(flow.voltage_pu[17].unwrap(), 0.9159343737, 1e-10);
    // Losses afterwards, at 1 pu and at the linear voltages.
    let loss = |voltage: &dyn Fn(NodeId) -> f64| -> f64 {
        let flows = n.branches.iter().zip(flow.branch_kw.iter().zip(&flow.branch_kvar));
        flows.map(|(b, (p, q))| b.r_pu * (p * p + q * q) / voltage(b.from).powi(2) / 1e4).sum()
    };
    close(loss(&|_| 1.0), 176.361797, 1e-6);
    close(loss(&|node| flow.voltage_pu[node.0].unwrap()), 186.037605, 1e-6);
    // Written the other way round, the same.
    for branch in &mut n.branches {
        std::mem::swap(&mut branch.from, &mut branch.to);
    }
    let back = lin_dist_flow(&n, &Injections::of(&n)).unwrap().unwrap();
    assert_eq!(flow.voltage_pu, back.voltage_pu);
    for (a, b) in flow.branch_kw.iter().zip(&back.branch_kw) {
        assert_eq!(*a, -b);
    }
    n.branches[32].in_service = true;
    assert_eq!(lin_dist_flow(&n, &Injections::of(&n)), Ok(None));
}

#[test]
fn two_buses_by_the_linear_flow() {
    let mut n = two_buses(1.0);
    let voltage = |n: &Network| lin_dist_flow(n, &Injections::of(n)).unwrap().unwrap().voltage_pu[1].unwrap();
    close(voltage(&n), 0.936_f64.sqrt(), 1e-15);
    // An unloaded transformer shows its ratio.
    n.buses[1] = bus(2, 0.0, 0.0);
    n.branches[0].tap = 0.95;
    close(voltage(&n), 1.0 / 0.95, 1e-15);
    close(solved(&n).voltages[1].unwrap().magnitude_pu, 1.0 / 0.95, 1e-15);
}
