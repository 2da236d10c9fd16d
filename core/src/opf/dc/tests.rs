//! Published objectives, the tables of the design, and invariants.

use super::*;
use crate::network::{Branch, Bus, BusKind, Cost, Generator};
use crate::power_flow::{Injections, dc_flow};

mod angles;

fn bus(id: u64, p_load_kw: f64) -> Bus {
    Bus { id, p_load_kw, ..Bus::default() }
}

fn line(from: usize, to: usize, x_pu: f64, rate_kva: Option<f64>) -> Branch {
    Branch {
        from: NodeId(from),
        to: NodeId(to),
        r_pu: 0.0,
        x_pu,
        b_pu: 0.0,
        tap: 1.0,
        shift_deg: 0.0,
        rate_kva,
        in_service: true,
        ..Branch::default()
    }
}

fn unit(node: usize, p_max_kw: f64, per_kwh: f64) -> Generator {
    Generator {
        node: NodeId(node),
        p_kw: 0.0,
        q_kvar: 0.0,
        p_min_kw: 0.0,
        p_max_kw,
        q_min_kvar: 0.0,
        q_max_kvar: 0.0,
        v_pu: None,
        cost_per_h: Some(Cost::Polynomial(vec![0.0, per_kwh])),
        in_service: true,
        ..Generator::default()
    }
}

fn network(mut buses: Vec<Bus>, slack: usize, branches: Vec<Branch>, generators: Vec<Generator>) -> Network {
    buses[slack].kind = BusKind::Slack;
    Network { name: "test".into(), base_mva: 100.0, buses, branches, generators }
}

/// Three equal lines; 100 MW at bus 3; cheap power at bus 1 behind a limit of 50 MW on 1-3.
fn three_buses() -> Network {
    network(
        vec![bus(1, 0.0), bus(2, 0.0), bus(3, 100e3)],
        0,
        vec![line(0, 1, 0.1, None), line(1, 2, 0.1, None), line(0, 2, 0.1, Some(50e3))],
        vec![unit(0, 200e3, 0.02), unit(1, 200e3, 0.05)],
    )
}

/// The PJM five-bus system of Li and Bo (2010), as in MATPOWER's case5.
pub(in crate::opf) fn case5() -> Network {
    let mut n = network(
        vec![bus(1, 0.0), bus(2, 300e3), bus(3, 300e3), bus(4, 400e3), bus(5, 0.0)],
        3,
        vec![
            line(0, 1, 0.0281, Some(400e3)),
            line(0, 3, 0.0304, None),
            line(0, 4, 0.0064, None),
            line(1, 2, 0.0108, None),
            line(2, 3, 0.0297, None),
            line(3, 4, 0.0297, Some(240e3)),
        ],
        vec![
            unit(0, 40e3, 0.014),
            unit(0, 170e3, 0.015),
            unit(2, 520e3, 0.030),
            unit(3, 200e3, 0.040),
            unit(4, 600e3, 0.010),
        ],
    );
    n.name = "case5".into();
    n
}

fn case5_carbon(price_per_tonne: f64) -> CarbonPricing {
    CarbonPricing {
        price_per_tonne,
        generator_kg_per_kwh: vec![0.55, 0.60, 0.35, 0.70, 0.95],
        node_kg_per_kwh: vec![0.0; 5],
    }
}

#[track_caller]
fn close(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
}

#[track_caller]
fn prices_are(answer: &DcOpf, per_mwh: &[f64]) {
    for (found, expected) in answer.prices.iter().zip(per_mwh) {
        close(found.unwrap().per_kwh() * 1e3, *expected, 1e-6);
    }
}

#[test]
fn a_limit_in_a_triangle_costs_three_times_the_difference_at_the_sink() {
    let answer = dc_opf(&three_buses(), None).unwrap();
    close(answer.objective_per_h, 3500.0, 1e-7);
    close(answer.generation_kw[0], 50e3, 1e-6);
    close(answer.generation_kw[1], 50e3, 1e-6);
    prices_are(&answer, &[20.0, 50.0, 80.0]);
    close(answer.congestion_per_kwh[2] * 1e3, 90.0, 1e-7);
    assert_eq!(&answer.congestion_per_kwh[..2], [0.0, 0.0]);
    let price = answer.prices[2].unwrap();
    close(price.energy * 1e3, 20.0, 1e-7);
    close(price.congestion * 1e3, 60.0, 1e-7);
    // Written the other way round, the dual has the other sign.
    let mut turned = three_buses();
    (turned.branches[2].from, turned.branches[2].to) = (NodeId(2), NodeId(0));
    let turned = dc_opf(&turned, None).unwrap();
    close(turned.congestion_per_kwh[2] * 1e3, -90.0, 1e-7);
    prices_are(&turned, &[20.0, 50.0, 80.0]);
}

#[test]
fn prices_without_a_carbon_price_are_those_of_the_published_five_bus_system() {
    let answer = dc_opf(&case5(), Some(&case5_carbon(0.0))).unwrap();
    close(answer.objective_per_h, 17_479.896_925_38, 1e-6);
    for (found, mw) in answer.generation_kw.iter().zip([40.0, 170.0, 323.494_846_27, 0.0, 466.505_153_73]) {
        close(*found, mw * 1e3, 1e-4);
    }
    prices_are(&answer, &[16.977_358_82, 26.384_459_52, 30.0, 39.942_736_32, 10.0]);
    let carbon = answer.carbon.unwrap();
    let marginal = [0.740_679_24, 0.458_466_21, 0.35, 0.051_717_91, 0.95];
    let average = [0.777_035_26, 0.712_180_16, 0.390_096_57, 0.874_300_18, 0.95];
    for k in 0..5 {
        close(carbon.marginal_kg_per_kwh[k].unwrap(), marginal[k], 1e-8);
        close(carbon.intensity_kg_per_kwh[k].unwrap(), average[k], 1e-8);
    }
    close(carbon.emissions_kg_per_h, 680_403.092_24, 1e-2);
    // An average signal collects all carbon, a marginal one does not.
    let load = [0.0, 300e3, 300e3, 400e3, 0.0];
    let charged = |w: &[Option<f64>]| w.iter().zip(load).map(|(w, d)| w.unwrap() * d).sum::<f64>();
    close(charged(&carbon.intensity_kg_per_kwh), carbon.emissions_kg_per_h, 1e-6);
    close(charged(&carbon.marginal_kg_per_kwh), 263_227.028_71, 1e-2);
}

#[test]
fn a_small_carbon_price_moves_prices_by_the_marginal_emissions_and_nothing_else() {
    let before = dc_opf(&case5(), Some(&case5_carbon(0.0))).unwrap();
    let answer = dc_opf(&case5(), Some(&case5_carbon(20.0))).unwrap();
    close(answer.objective_per_h, 31_087.958_770_15, 1e-6);
    prices_are(&answer, &[31.790_943_53, 35.553_783_81, 37.0, 40.977_094_53, 29.0]);
    let carbon = answer.carbon.unwrap();
    for k in 0..5 {
        close(answer.generation_kw[k], before.generation_kw[k], 1e-5);
        let (now, then) = (answer.prices[k].unwrap().per_kwh(), before.prices[k].unwrap().per_kwh());
        close(now, then + 0.020 * carbon.marginal_kg_per_kwh[k].unwrap(), 1e-10);
        // Frozen generation: the slack is bus 4 with 0.7 kg/kWh.
        close(answer.prices[k].unwrap().carbon, 0.020 * 0.7, 1e-12);
    }
}

#[test]
fn a_large_carbon_price_turns_the_merit_order_and_ends_the_congestion() {
    let answer = dc_opf(&case5(), Some(&case5_carbon(50.0))).unwrap();
    for (found, mw) in answer.generation_kw.iter().zip([40.0, 170.0, 520.0, 0.0, 270.0]) {
        close(*found, mw * 1e3, 1e-4);
    }
    prices_are(&answer, &[57.5; 5]);
    close(answer.objective_per_h, 49_535.0, 1e-6);
    assert!(answer.congestion_per_kwh.iter().all(|c| c.abs() < 1e-9));
    let carbon = answer.carbon.unwrap();
    close(carbon.emissions_kg_per_h, 562_500.0, 1e-3);
    close(answer.objective_per_h - 0.05 * carbon.emissions_kg_per_h, 21_410.0, 1e-5);
    let average = [0.700_875_40, 0.525_190_33, 0.35, 0.749_857_26, 0.95];
    for k in 0..5 {
        close(carbon.marginal_kg_per_kwh[k].unwrap(), 0.95, 1e-9);
        close(carbon.intensity_kg_per_kwh[k].unwrap(), average[k], 1e-8);
    }
}

#[test]
fn marginal_emissions_follow_quadratic_costs_and_differences_of_loads() {
    let mut n = case5();
    for (g, square) in n.generators.iter_mut().zip([1e-7, 2e-7, 5e-8, 1e-7, 2e-8]) {
        let Some(Cost::Polynomial(c)) = &mut g.cost_per_h else { panic!("polynomial") };
        c.push(square);
    }
    let carbon = case5_carbon(12.0);
    let answer = dc_opf(&n, Some(&carbon)).unwrap();
    for k in 0..5 {
        let at = |step: f64| {
            let mut moved = n.clone();
            moved.buses[k].p_load_kw += step;
            let answer = dc_opf(&moved, Some(&carbon)).unwrap();
            (answer.carbon.unwrap().emissions_kg_per_h, answer.objective_per_h)
        };
        let ((e_up, c_up), (e_down, c_down)) = (at(10.0), at(-10.0));
        let marginal = answer.carbon.as_ref().unwrap().marginal_kg_per_kwh[k].unwrap();
        close(marginal, (e_up - e_down) / 20.0, 1e-6);
        close(answer.prices[k].unwrap().per_kwh(), (c_up - c_down) / 20.0, 1e-8);
    }
}

#[test]
fn flows_and_angles_are_those_of_the_dc_flow_of_the_dispatch() {
    let mut n = case5();
    n.buses[1].g_kw = 7e3;
    n.buses[3].angle_deg = 12.0;
    n.branches[4].tap = 0.96;
    n.branches[2].shift_deg = 1.5;
    let answer = dc_opf(&n, None).unwrap();
    let mut injections = Injections::loads_of(&n);
    for (g, kw) in n.generators.iter().zip(&answer.generation_kw) {
        injections.add(g.node, *kw, 0.0);
    }
    let flow = dc_flow(&n, &injections).unwrap();
    close(flow.slack_kw[0].1, 0.0, 1e-6);
    for k in 0..6 {
        close(answer.branch_kw[k], flow.branch_kw[k], 1e-5);
    }
    for k in 0..5 {
        close(answer.angle_deg[k].unwrap(), flow.angle_deg[k].unwrap(), 1e-9);
    }
    assert!(answer.certificate.gap.abs() < 1e-6 && answer.certificate.feasibility < 1e-5, "{:?}", answer.certificate);
}

/// A generator of 0.38 + 0.002 g per kWh and 0.45 kg beside a load of 20 kW, upstream 0.5 at 0.581 kg, carbon at 280 per
/// tonne: what is exported depends on whether upstream carbon is credited.
#[test]
fn exports_are_credited_with_upstream_carbon_or_not() {
    let root = |p_min_kw: f64, p_max_kw: f64| Generator { p_min_kw, ..unit(0, p_max_kw, 0.5) };
    let plant = Generator { cost_per_h: Some(Cost::Polynomial(vec![0.0, 0.38, 1e-3])), ..unit(0, 100.0, 0.0) };
    let answer = |roots: Vec<Generator>| {
        let mut generators = vec![plant.clone()];
        let mut kg = vec![0.45];
        kg.extend(roots.iter().map(|_| 0.581));
        generators.extend(roots);
        let n = network(vec![bus(1, 20.0)], 0, vec![], generators);
        let carbon = CarbonPricing { price_per_tonne: 280.0, generator_kg_per_kwh: kg, node_kg_per_kwh: vec![0.0] };
        let answer = dc_opf(&n, Some(&carbon)).unwrap();
        (answer.generation_kw[0], answer.prices[0].unwrap().per_kwh())
    };
    // One connection, whose export is credited like its import is charged.
    let credited = answer(vec![root(-1e3, 1e3)]);
    close(credited.0, 78.34, 1e-6);
    close(credited.1, 0.5 + 0.28 * 0.581, 1e-9);
    // An import, and an export that only takes: carbon that leaves is charged as a load's would be, and all is kept here.
    let like_load = answer(vec![root(0.0, 1e3), root(-1e3, 0.0)]);
    close(like_load.0, 20.0, 1e-6);
    close(like_load.1, 0.38 + 0.002 * 20.0 + 0.28 * 0.45, 1e-9);
}

#[test]
fn a_piecewise_cost_is_the_polynomial_it_equals() {
    let plain = dc_opf(&case5(), None).unwrap();
    let mut n = case5();
    n.generators[4].cost_per_h = Some(Cost::Piecewise(vec![(0.0, 0.0), (100e3, 1000.0), (600e3, 6000.0)]));
    let pieces = dc_opf(&n, None).unwrap();
    close(plain.objective_per_h, pieces.objective_per_h, 1e-7);
    prices_are(&pieces, &[16.977_358_82, 26.384_459_52, 30.0, 39.942_736_32, 10.0]);
}

#[test]
fn what_cannot_hold_is_named() {
    // 30 MW in over a line of 20 MW.
    let n = network(vec![bus(4, 0.0), bus(9, 30e3)], 0, vec![line(0, 1, 0.1, Some(20e3))], vec![unit(0, 100e3, 0.02)]);
    let Err(OpfError::Infeasible { what }) = dc_opf(&n, None) else { panic!("feasible") };
    assert!(what.iter().any(|w| w.contains("bus 9") || w.contains("4-9")), "{what:?}");
    assert!(what.iter().any(|w| w.contains("10000")), "{what:?}");
    // Not enough generation.
    let mut n = three_buses();
    n.generators[0].p_max_kw = 10e3;
    n.generators[1].p_max_kw = 10e3;
    let Err(OpfError::Infeasible { what }) = dc_opf(&n, None) else { panic!("feasible") };
    assert!(what.iter().any(|w| w.contains("active power")), "{what:?}");
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut n = case5();
    n.generators[2].cost_per_h = None;
    assert_eq!(dc_opf(&n, None).unwrap_err(), OpfError::NoCost { number: 3, bus: 3 });
    let mut n = case5();
    n.branches[1].x_pu = 0.0;
    n.branches[1].r_pu = 0.1;
    assert_eq!(dc_opf(&n, None).unwrap_err(), OpfError::ZeroReactance { number: 2 });
    let mut carbon = case5_carbon(10.0);
    carbon.generator_kg_per_kwh.pop();
    assert!(matches!(dc_opf(&case5(), Some(&carbon)), Err(OpfError::CarbonCount { expected: 5, found: 4, .. })));
    // Paid for power without end.
    let mut n = three_buses();
    n.generators.push(Generator { p_min_kw: f64::NEG_INFINITY, ..unit(0, f64::INFINITY, 0.01) });
    n.generators.push(Generator { p_min_kw: f64::NEG_INFINITY, ..unit(0, f64::INFINITY, 0.03) });
    assert!(matches!(dc_opf(&n, None), Err(OpfError::Unbounded { .. })));
}

#[test]
fn an_isolated_bus_has_no_price_and_is_not_served() {
    let mut n = case5();
    n.buses.push(bus(6, 10e3));
    let answer = dc_opf(&n, Some(&CarbonPricing { node_kg_per_kwh: vec![0.0; 6], ..case5_carbon(0.0) })).unwrap();
    close(answer.objective_per_h, 17_479.896_925_38, 1e-6);
    assert_eq!((answer.prices[5], answer.angle_deg[5]), (None, None));
    let carbon = answer.carbon.unwrap();
    assert_eq!((carbon.intensity_kg_per_kwh[5], carbon.marginal_kg_per_kwh[5]), (None, None));
}

#[test]
fn objectives_of_the_reference_cases() {
    let Some(folder) = std::env::var_os("COASE_DATA").map(std::path::PathBuf::from) else {
        eprintln!("skipped: COASE_DATA names no folder with the reference cases");
        return;
    };
    for (case, objective, tolerance) in [
        ("case5", 17_479.896_925_38, 1e-6),
        ("case6ww", 3_046.412_511_66, 1e-6),
        ("case9", 5_216.026_607_75, 1e-6),
        ("case2383wp", 1_796_340.101, 1e-2),
    ] {
        let Ok(text) = std::fs::read_to_string(folder.join("matpower").join(format!("{case}.m"))) else {
            eprintln!("skipped: {case} is not there");
            continue;
        };
        let n = Network::from_matpower(&text).unwrap();
        let answer = dc_opf(&n, None).unwrap_or_else(|e| panic!("{case}: {e}"));
        close(answer.objective_per_h, objective, tolerance);
        // The gap is a proof: weak duality.
        assert!(answer.certificate.gap.abs() < 1e-8 * objective, "{case}: {:?}", answer.certificate);
    }
}
