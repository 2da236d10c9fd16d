//! Digits of the published tables that other tests do not look at, and prices against differences and duals.

use super::*;

#[test]
fn currents_of_the_relaxation_where_it_is_no_power_flow() {
    let (network, hour) = two_buses(1.05, 500.0, 0.0);
    let opf = RadialOpf::new(&network).unwrap();
    let relaxed = opf.relaxed(&hour).unwrap();
    close(relaxed.loss_kw / 1e3, 0.03 * 11.888_888_89, 1e-7);
    close(relaxed.max_cone_gap, 5.257_5, 1e-6);
    assert!(!relaxed.is_power_flow);
    close(1e3 * relaxed.price_per_kwh(NodeId(1)).unwrap(), 300.0, 1e-4);
    close(opf.solve(&hour).unwrap().loss_kw / 1e3, 0.03 * 4.620_930, 1e-6);

    let (network, hour) = two_buses(1.10, 500.0, 0.0);
    let opf = RadialOpf::new(&network).unwrap();
    let relaxed = opf.relaxed(&hour).unwrap();
    close(relaxed.loss_kw / 1e3, 0.03 * 6.980_330_96, 1e-8);
    close(relaxed.objective_per_h, -1_295.295_035_58, 1e-5);
    assert!(relaxed.max_cone_gap < 1e-7 && relaxed.is_power_flow, "{}", relaxed.max_cone_gap);

    let (network, hour) = two_buses(1.10, -50.0, -100.0);
    let relaxed = RadialOpf::new(&network).unwrap().relaxed(&hour).unwrap();
    close(relaxed.max_cone_gap, 54.43, 5e-3);
    assert!(!relaxed.is_power_flow);
}

/// One branch of this feeder has no resistance: a current in it costs nothing, and the relaxation need not know which flows.
#[test]
fn a_branch_without_resistance_leaves_the_relaxation_a_power_flow() {
    let network = embedded("khodr-141");
    let hour = Hour::of(&network, 0.6).unwrap();
    let opf = RadialOpf::new(&network).unwrap();
    let (exact, relaxed) = (opf.solve(&hour).unwrap(), opf.relaxed(&hour).unwrap());
    assert!(relaxed.is_power_flow, "{}", relaxed.max_cone_gap);
    close(relaxed.objective_per_h, exact.objective_per_h, 1e-4);
    close(relaxed.loss_kw, 632.695_583_28, 1e-4);
}

#[test]
fn the_relaxation_without_controls_is_the_power_flow() {
    let (network, hour) = feeder_33(false, 0.9);
    let opf = RadialOpf::new(&network).unwrap();
    let (exact, relaxed) = (opf.solve(&hour).unwrap(), opf.relaxed(&hour).unwrap());
    close(relaxed.loss_kw, 202.677_126_46, 1e-6);
    assert!(relaxed.max_cone_gap < 1e-9, "{}", relaxed.max_cone_gap);
    close(price(&network, &exact, 18), 688.315_457_69, 1e-7);
    for (id, expected) in [
        (2, 0.002_949_192_7),
        (6, 0.054_827_521_9),
        (18, 0.085_710_760_5),
        (22, 0.006_401_112_4),
        (25, 0.028_045_382_3),
        (33, 0.102_399_614_2),
    ] {
        let reactive = exact.buses[network.node(id).unwrap().0].unwrap().reactive_price;
        close(reactive / 0.6, expected, 6e-11);
    }
    // What loads pay exceeds what upstream costs by the surplus of marginal losses.
    let paid: f64 = exact.buses.iter().zip(&hour.load_kw).map(|(b, kw)| b.unwrap().price.per_kwh() * kw).sum();
    close(paid, 2_404.345_800_80, 1e-7);
    close(paid - exact.objective_per_h, 53.739_524_93, 1e-7);
}

#[test]
fn duals_of_limits_are_those_of_the_table() {
    let (network, hour) = feeder_33(true, 0.95);
    let d = RadialOpf::new(&network).unwrap().solve(&hour).unwrap();
    let duals = d.duals.as_ref().unwrap();
    close(duals.voltage_lower[network.node(15).unwrap().0], 834.917_899, 1e-4);
    close(d.import_kw, 2_575.270_668_6, 1e-3);
    close(d.loss_kw, 78.668_191_81, 1e-4);
    // Reactive power of the two units that have it is at its limit in either case.
    for v_min_pu in [0.9, 0.95] {
        let (network, hour) = feeder_33(true, v_min_pu);
        let d = RadialOpf::new(&network).unwrap().solve(&hour).unwrap();
        close(d.controls[0].1, 300.0, 1e-4);
        close(d.controls[1].1, 400.0, 1e-4);
    }

    let (network, hour) = proof::feeder_15();
    let d = RadialOpf::new(&network).unwrap().solve(&hour).unwrap();
    let k = network.branches.iter().position(|b| {
        let ends = network.ends(b);
        (ends.from, ends.to) == (11, 12)
    });
    // Of the apparent power itself, per MVA: twice the rating times that of its square. At the end of bus 12.
    let (from, to) = d.duals.unwrap().branches[k.unwrap()];
    close(1e3 * 2.0 * 256.0 * to, 36.722_1, 1e-4);
    assert!(from.abs() < 1e-9);
}

#[test]
fn the_price_feeder_without_its_generator_names_the_voltage_it_misses() {
    let (network, mut hour) = proof::feeder_15();
    hour.controls.clear();
    let d = RadialOpf::new(&network).unwrap().solve(&hour).unwrap();
    close(d.import_kw, 1_644.999_211_1, 1e-4);
    let Status::Violated(missed) = &d.status else { panic!("{:?}", d.status) };
    let at_12 = network.node(12).unwrap().0;
    let by = missed.iter().find_map(|v| match v {
        Violation::Undervoltage { node, by_pu } if *node == at_12 => Some(*by_pu),
        _ => None,
    });
    close(by.unwrap(), 0.9 - 0.880_650_742_5, 1e-8);
}

/// Duals of the relaxation, the adjoint at the exact point and differences of the least cost are three computations of one
/// price: they agree to 1e-6 per MWh.
#[test]
fn duals_the_adjoint_and_differences_are_one_price() {
    for v_min_pu in [0.9, 0.95] {
        let (network, hour) = feeder_33(true, v_min_pu);
        let opf = RadialOpf::new(&network).unwrap();
        let (adjoint, dual) = (opf.solve(&hour).unwrap(), opf.relaxed(&hour).unwrap());
        for bus in 1..33 {
            let per_mwh = |d: &Dispatch| 1e3 * d.price_per_kwh(NodeId(bus)).unwrap();
            close(per_mwh(&adjoint), per_mwh(&dual), 1e-6);
            let step = 0.04;
            let cost = |kw: f64| {
                let mut moved = hour.clone();
                moved.load_kw[bus] += kw;
                opf.solve(&moved).unwrap().objective_per_h
            };
            let difference = 1e3 * (cost(step) - cost(-step)) / (2.0 * step);
            close(per_mwh(&adjoint), difference, 1e-6);
        }
    }
}

#[test]
fn the_response_split_of_the_integrated_price() {
    let (network, hour) = carbon(280.0);
    let d = RadialOpf::new(&network).unwrap().solve(&hour).unwrap();
    for (id, electricity, of_carbon) in [(18, 674.599_642, 164.160_222), (33, 650.0, 126.0)] {
        let at = d.buses[network.node(id).unwrap().0].unwrap();
        let response = 280.0 * at.marginal_emission_kg_per_kwh;
        close(response, of_carbon, 5e-4);
        close(1e3 * at.price.per_kwh() - response, electricity, 5e-4);
    }
    // What it emits, and would at no price: the generator at 33 then stands still.
    let emitted = |d: &Dispatch| 0.581 * d.import_kw + 0.45 * d.controls[2].0;
    close(emitted(&d), 1_783.738_636_1, 1e-3);
    let (network, hour) = carbon(0.0);
    let without = RadialOpf::new(&network).unwrap().solve(&hour).unwrap();
    close(emitted(&without), 1_892.700_710_6, 1e-3);
}
