//! Worked examples with exact or published answers.

use super::{CarbonFlow, CarbonFlowError, FlowGraph, LossRule, trace};
use nalgebra::{Complex, DMatrix, DVector};

const KW_PER_MW: f64 = 1000.0;

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-9, "found {found}, expected {expected}");
}

fn intensities_are(flow: &CarbonFlow, expected: &[f64]) {
    assert_eq!(flow.intensity_kg_per_kwh.len(), expected.len());
    for (node, (found, expected)) in flow.intensity_kg_per_kwh.iter().zip(expected).enumerate() {
        let found = found.unwrap_or_else(|| panic!("node {node} has no intensity"));
        assert!((found - expected).abs() < 1e-9, "node {node}: found {found}, expected {expected}");
    }
}

/// Six buses without losses, exact rationals.
fn six_bus() -> FlowGraph {
    let mut graph = FlowGraph::new(6);
    graph.source(0, 100.0, 0.9);
    graph.source(1, 60.0, 0.4);
    graph.source(5, 40.0, 0.0);
    for (from, to, kw) in
        [(1, 2, 40.0), (1, 3, 60.0), (2, 4, 50.0), (2, 5, 30.0), (3, 4, 10.0), (6, 4, 10.0), (6, 5, 10.0)]
    {
        graph.lossless_branch(from - 1, to - 1, kw);
    }
    graph
}

#[test]
fn six_bus_intensities_are_the_exact_rationals() {
    for rule in [LossRule::Explicit, LossRule::LoadsPay] {
        let flow = trace(&six_bus(), rule).unwrap();
        intensities_are(&flow, &[0.9, 0.6, 0.9, 39.0 / 70.0, 0.45, 0.0]);
        assert_eq!(flow.throughflow_kw, [100.0, 100.0, 60.0, 70.0, 40.0, 40.0]);
        for (found, expected) in flow.load_kg_per_h.iter().zip([0.0, 12.0, 45.0, 39.0, 18.0, 0.0]) {
            close(*found, expected);
        }
        close(flow.total_source_kg_per_h(), 114.0);
        close(flow.total_loss_kg_per_h(), 0.0);
    }
}

#[test]
fn six_bus_shares_are_the_exact_rationals() {
    let shares = trace(&six_bus(), LossRule::Explicit).unwrap().shares();
    let expected = [
        [1.0, 0.4, 1.0, 3.0 / 7.0, 0.3, 0.0],
        [0.0, 0.6, 0.0, 3.0 / 7.0, 0.45, 0.0],
        [0.0, 0.0, 0.0, 1.0 / 7.0, 0.25, 1.0],
    ];
    for (source, column) in expected.iter().enumerate() {
        for (node, share) in column.iter().enumerate() {
            close(shares[node].as_ref().unwrap()[source], *share);
        }
    }
}

#[test]
fn an_isolated_bus_has_no_intensity_and_changes_nothing() {
    let mut graph = six_bus();
    graph.loads_kw.push(Some(0.0));
    let flow = trace(&graph, LossRule::Explicit).unwrap();
    assert_eq!(flow.intensity_kg_per_kwh[6], None);
    assert_eq!(flow.shares()[6], None);
    assert_eq!(flow.downstream_price(&[1.0; 7], 1.0).unwrap()[6], None);
    assert!(flow.circulations.is_empty());
    assert_eq!(flow.intensity_kg_per_kwh[..6], trace(&six_bus(), LossRule::Explicit).unwrap().intensity_kg_per_kwh);
}

/// IEEE 14-bus data: from, to, x (pu), tap.
const CASE14: [(usize, usize, f64, f64); 20] = [
    (1, 2, 0.05917, 1.0),
    (1, 5, 0.22304, 1.0),
    (2, 3, 0.19797, 1.0),
    (2, 4, 0.17632, 1.0),
    (2, 5, 0.17388, 1.0),
    (3, 4, 0.17103, 1.0),
    (4, 5, 0.04211, 1.0),
    (4, 7, 0.20912, 0.978),
    (4, 9, 0.55618, 0.969),
    (5, 6, 0.25202, 0.932),
    (6, 11, 0.1989, 1.0),
    (6, 12, 0.25581, 1.0),
    (6, 13, 0.13027, 1.0),
    (7, 8, 0.17615, 1.0),
    (7, 9, 0.11001, 1.0),
    (9, 10, 0.0845, 1.0),
    (9, 14, 0.27038, 1.0),
    (10, 11, 0.19207, 1.0),
    (12, 13, 0.19988, 1.0),
    (13, 14, 0.34802, 1.0),
];
const CASE14_LOAD_MW: [f64; 14] = [0.0, 21.7, 94.2, 47.8, 7.6, 11.2, 0.0, 0.0, 29.5, 9.0, 3.5, 6.1, 13.5, 14.9];

/// Flows (pu) of the linear power flow: branches `(from, to, susceptance, shift)`, node 0 the reference.
fn dc_flows(branches: &[(usize, usize, f64, f64)], injections: &[f64]) -> Vec<f64> {
    let n = injections.len();
    let mut b = DMatrix::<f64>::zeros(n, n);
    let mut rhs = DVector::from_column_slice(injections);
    for &(from, to, susceptance, shift) in branches {
        b[(from, from)] += susceptance;
        b[(to, to)] += susceptance;
        b[(from, to)] -= susceptance;
        b[(to, from)] -= susceptance;
        rhs[from] += susceptance * shift;
        rhs[to] -= susceptance * shift;
    }
    b.row_mut(0).fill(0.0);
    b[(0, 0)] = 1.0;
    rhs[0] = 0.0;
    let angle = b.lu().solve(&rhs).unwrap();
    branches.iter().map(|&(from, to, susceptance, shift)| susceptance * (angle[from] - angle[to] - shift)).collect()
}

/// Zhou and Kang (2012) on the IEEE 14-bus system, with DC flows.
#[test]
fn fourteen_bus_case_of_the_literature() {
    let mut generation_mw = [0.0; 14];
    let mut graph = FlowGraph::new(14);
    for (bus, mw, g_per_kwh) in [(1, 120.0, 875.0), (2, 40.0, 525.0), (3, 60.0, 0.0), (6, 19.0, 520.0), (8, 20.0, 0.0)]
    {
        generation_mw[bus - 1] = mw;
        graph.source(bus - 1, mw * KW_PER_MW, g_per_kwh / 1000.0);
    }
    let branches: Vec<_> = CASE14.iter().map(|&(from, to, x, tap)| (from - 1, to - 1, 1.0 / (x * tap), 0.0)).collect();
    let injections: Vec<f64> = (0..14).map(|n| (generation_mw[n] - CASE14_LOAD_MW[n]) / 100.0).collect();
    for (&(from, to, ..), flow_pu) in branches.iter().zip(dc_flows(&branches, &injections)) {
        graph.lossless_branch(from, to, flow_pu * 100.0 * KW_PER_MW);
    }
    let flow = trace(&graph, LossRule::Explicit).unwrap();
    let throughflow_mw = [
        120.0,
        117.94911255,
        94.2,
        72.77105672,
        69.46508660,
        43.94611131,
        32.42189042,
        20.0,
        43.75388869,
        9.0,
        7.42632303,
        7.70987238,
        19.21978827,
        14.9,
    ];
    let w_g_per_kwh = [
        875.0,
        756.30474492,
        275.05299006,
        792.75771334,
        828.15725467,
        694.92617541,
        303.73150109,
        0.0,
        430.38639641,
        545.79402167,
        694.92617541,
        694.92617541,
        694.92617541,
        531.93750553,
    ];
    for node in 0..14 {
        assert!((flow.throughflow_kw[node] / KW_PER_MW - throughflow_mw[node]).abs() < 1e-8, "bus {}", node + 1);
    }
    // Published to 1e-8 g/kWh.
    intensities_are(&flow, &w_g_per_kwh.map(|w| w / 1000.0));
    close(flow.total_source_kg_per_h() / 1000.0, 135.88);
    close(flow.total_load_kg_per_h() / 1000.0, 135.88);
    for (load_kw, mw) in flow.load_kw.iter().zip(CASE14_LOAD_MW) {
        assert!((load_kw / KW_PER_MW - mw).abs() < 1e-9);
    }
}

/// Baran and Wu (1989), 33 buses, 12.66 kV: `bus:P kW,Q kvar`, then `from-to:r ohm,x ohm` of the closed branches.
const LOADS_33: &str = "1:0,0; 2:100,60; 3:90,40; 4:120,80; 5:60,30; 6:60,20; 7:200,100; 8:200,100; 9:60,20; \
    10:60,20; 11:45,30; 12:60,35; 13:60,35; 14:120,80; 15:60,10; 16:60,20; 17:60,20; 18:90,40; 19:90,40; 20:90,40; \
    21:90,40; 22:90,40; 23:90,50; 24:420,200; 25:420,200; 26:60,25; 27:60,25; 28:60,20; 29:120,70; 30:200,600; \
    31:150,70; 32:210,100; 33:60,40";
const BRANCHES_33: &str = "1-2:0.0922,0.047; 2-3:0.493,0.2511; 3-4:0.366,0.1864; 4-5:0.3811,0.1941; 5-6:0.819,0.707; \
    6-7:0.1872,0.6188; 7-8:0.7114,0.2351; 8-9:1.03,0.74; 9-10:1.044,0.74; 10-11:0.1966,0.065; 11-12:0.3744,0.1238; \
    12-13:1.468,1.155; 13-14:0.5416,0.7129; 14-15:0.591,0.526; 15-16:0.7463,0.545; 16-17:1.289,1.721; \
    17-18:0.732,0.574; 2-19:0.164,0.1565; 19-20:1.5042,1.3554; 20-21:0.4095,0.4784; 21-22:0.7089,0.9373; \
    3-23:0.4512,0.3083; 23-24:0.898,0.7091; 24-25:0.896,0.7011; 6-26:0.203,0.1034; 26-27:0.2842,0.1447; \
    27-28:1.059,0.9337; 28-29:0.8042,0.7006; 29-30:0.5075,0.2585; 30-31:0.9744,0.963; 31-32:0.3105,0.3619; \
    32-33:0.341,0.5302";

/// The 33-bus feeder with generation (bus, kW, kvar, kg/kWh), solved by backward and forward sweeps.
fn feeder_33(generation: &[(usize, f64, f64, f64)]) -> FlowGraph {
    let numbers =
        |text: &str| -> Vec<f64> { text.split([':', ',', '-']).map(|number| number.trim().parse().unwrap()).collect() };
    let mut demand_kva = vec![Complex::new(0.0, 0.0); 33];
    for load in LOADS_33.split(';').map(numbers) {
        demand_kva[load[0] as usize - 1] = Complex::new(load[1], load[2]);
    }
    for &(bus, kw, kvar, _) in generation {
        demand_kva[bus - 1] -= Complex::new(kw, kvar);
    }
    let branches: Vec<(usize, usize, Complex<f64>)> = BRANCHES_33
        .split(';')
        .map(numbers)
        .map(|b| (b[0] as usize - 1, b[1] as usize - 1, Complex::new(b[2], b[3]) / (12.66 * 12.66)))
        .collect();
    // Per unit on 1 MVA; branches are listed parents first.
    let mut voltage = vec![Complex::new(1.0, 0.0); 33];
    let mut current = vec![Complex::new(0.0, 0.0); 33];
    for _ in 0..60 {
        for node in 0..33 {
            current[node] = (demand_kva[node] / 1000.0 / voltage[node]).conj();
        }
        for &(parent, child, _) in branches.iter().rev() {
            let from_below = current[child];
            current[parent] += from_below;
        }
        for &(parent, child, z) in &branches {
            voltage[child] = voltage[parent] - z * current[child];
        }
    }
    let mut graph = FlowGraph::new(33);
    for &(parent, child, _) in &branches {
        let sent = voltage[parent] * current[child].conj() * 1000.0;
        let received = voltage[child] * current[child].conj() * 1000.0;
        graph.branch(parent, child, sent.re, -received.re);
    }
    let slack_kw = (voltage[0] * current[0].conj()).re * 1000.0;
    graph.source(0, slack_kw, 0.5810);
    for &(bus, kw, _, kg_per_kwh) in generation {
        graph.source(bus - 1, kw, kg_per_kwh);
    }
    graph
}

fn feeder_33_with_three_sources() -> FlowGraph {
    feeder_33(&[(18, 300.0, 0.0, 0.65), (33, 800.0, 400.0, 0.45), (25, 1200.0, 0.0, 0.0)])
}

#[test]
fn lossy_feeder_with_explicit_losses() {
    let graph = feeder_33_with_three_sources();
    close(graph.sources[0].kw / 1000.0, 1.4783545397);
    let flow = trace(&graph, LossRule::Explicit).unwrap();
    let mut w = [0.0; 33];
    for (buses, value) in [
        (1..=2, 0.581),
        (3..=13, 0.45982259),
        (14..=14, 0.50646727),
        (15..=18, 0.65),
        (19..=22, 0.581),
        (23..=25, 0.0),
        (26..=27, 0.45982259),
        (28..=28, 0.45087077),
        (29..=33, 0.45),
    ] {
        buses.for_each(|bus: usize| w[bus - 1] = value);
    }
    for (node, expected) in w.iter().enumerate() {
        // Given with eight digits.
        assert!((flow.intensity_kg_per_kwh[node].unwrap() - expected).abs() < 5.1e-9, "bus {}", node + 1);
    }
    assert!((flow.total_source_kg_per_h() / 1000.0 - 1.4139239875).abs() < 1e-9);
    assert!((flow.total_load_kg_per_h() / 1000.0 - 1.3854869574).abs() < 1e-9);
    assert!((flow.total_loss_kg_per_h() / 1000.0 - 0.0284370301).abs() < 1e-9);
    let loss_kw: f64 = graph.branches.iter().map(|b| b.from_kw + b.to_kw).sum();
    assert!((loss_kw - 63.35453967).abs() < 1e-7);
    close(flow.total_loss_kg_per_h() / loss_kw, 0.4488554456);

    let reversed: Vec<(usize, usize)> = graph
        .branches
        .iter()
        .zip(&flow.branches)
        .filter(|(flow, _)| flow.from_kw < 0.0)
        .map(|(flow, _)| (flow.to + 1, flow.from + 1))
        .collect();
    let expected = [
        (15, 14),
        (16, 15),
        (17, 16),
        (18, 17),
        (23, 3),
        (24, 23),
        (25, 24),
        (29, 28),
        (30, 29),
        (31, 30),
        (32, 31),
        (33, 32),
    ];
    assert_eq!(reversed, expected);
}

#[test]
fn lossy_feeder_whose_loads_pay_for_losses() {
    let flow = trace(&feeder_33_with_three_sources(), LossRule::LoadsPay).unwrap();
    for (bus, expected) in [(18, 0.65), (22, 0.58500989), (13, 0.48723784)] {
        assert!((flow.intensity_kg_per_kwh[bus - 1].unwrap() - expected).abs() < 5.1e-9, "bus {bus}");
    }
    assert!((flow.total_load_kg_per_h() / 1000.0 - 1.4139239875).abs() < 1e-9);
    close(flow.total_loss_kg_per_h(), 0.0);
}

/// A phase shifter drives power around a triangle that nothing feeds.
#[test]
fn a_circulation_without_a_source_is_named_and_disturbs_nobody() {
    let branches = [(0, 1, 10.0, 0.0), (1, 2, 10.0, 0.0), (2, 3, 10.0, 0.3), (3, 4, 10.0, 0.0), (4, 2, 10.0, 0.0)];
    let flows = dc_flows(&branches, &[1.0, -1.0, 0.0, 0.0, 0.0]);
    close(flows[2].abs(), 1.0);
    for rule in [LossRule::Explicit, LossRule::LoadsPay] {
        let mut graph = FlowGraph::new(5);
        graph.source(0, 1000.0, 0.7);
        for (&(from, to, ..), pu) in branches.iter().zip(&flows) {
            graph.lossless_branch(from, to, 1000.0 * pu);
        }
        let flow = trace(&graph, rule).unwrap();
        assert_eq!(flow.circulations, [vec![2, 3, 4]]);
        assert_eq!(flow.intensity_kg_per_kwh[2..], [None, None, None]);
        assert!(flow.throughflow_kw[2..].iter().all(|kw| (kw - 1000.0).abs() < 1e-9));
        close(flow.intensity_kg_per_kwh[1].unwrap(), 0.7);
        close(flow.total_load_kg_per_h(), 700.0);
    }
}

/// The same triangle with losses: it is fed, so it has an intensity, and no load beyond it to bear its carbon.
#[test]
fn a_lossy_circulation_has_the_intensity_of_what_feeds_it() {
    let mut graph = FlowGraph::new(5);
    graph.source(0, 1003.0, 0.7);
    graph.lossless_branch(0, 1, 1003.0);
    graph.lossless_branch(1, 2, 3.0);
    graph.branch(2, 3, 1000.0, -999.0);
    graph.branch(3, 4, 999.0, -998.0);
    graph.branch(4, 2, 998.0, -997.0);
    let flow = trace(&graph, LossRule::Explicit).unwrap();
    intensities_are(&flow, &[0.7; 5]);
    close(flow.total_loss_kg_per_h(), 2.1);
    assert!(flow.circulations.is_empty());

    let flow = trace(&graph, LossRule::LoadsPay).unwrap();
    assert_eq!(flow.intensity_kg_per_kwh[2..], [None, None, None]);
    close(flow.load_kg_per_h[1], 702.1);
    close(flow.total_loss_kg_per_h(), 0.0);
}

/// Two nodes, coal at 1 and gas at 2, at the optimum of the carbon-aware dispatch with prices (100, 150) per tonne.
#[test]
fn downstream_prices_of_the_two_node_example() {
    let mut graph = FlowGraph::new(2);
    graph.source(0, 58.333_333_333_333_336, 0.9);
    graph.source(1, 41.666_666_666_666_664, 0.4);
    graph.lossless_branch(0, 1, 18.333_333_333_333_336);
    let flow = trace(&graph, LossRule::Explicit).unwrap();
    assert!((flow.intensity_kg_per_kwh[1].unwrap() - 0.5527777778).abs() < 1e-9);
    let y = flow.downstream_price(&[100.0, 150.0], 0.0).unwrap();
    assert!((y[0].unwrap() - 115.7142857143).abs() < 1e-9);
    assert!((y[1].unwrap() - 150.0).abs() < 1e-9);
    // Bus prices: marginal cost of each source and what its carbon is charged downstream; then the load's own charge.
    let bus_price = [250.0 + 58.333_333_333_333_336, 300.0 + 2.0 * 41.666_666_666_666_664];
    let ec: Vec<f64> = (0..2)
        .map(|n| {
            let w = flow.intensity_kg_per_kwh[n].unwrap();
            let e = graph.sources[n].kg_per_kwh;
            bus_price[n] + y[n].unwrap() * (e - w) + [100.0, 150.0][n] * w
        })
        .collect();
    assert!((ec[0] - 398.3333333333).abs() < 1e-9 && (ec[1] - 443.3333333333).abs() < 1e-9, "{ec:?}");
}

/// The variant with gas at the first node as well.
#[test]
fn downstream_price_of_two_sources_at_one_node() {
    let mut graph = FlowGraph::new(2);
    graph.source(0, 61.666_666_666_666_664, 0.9);
    graph.source(0, 38.333_333_333_333_336, 0.4);
    graph.lossless_branch(0, 1, 60.0);
    let flow = trace(&graph, LossRule::Explicit).unwrap();
    assert!((flow.intensity_kg_per_kwh[0].unwrap() - 0.7083333333).abs() < 1e-9);
    let y = flow.downstream_price(&[100.0, 150.0], 0.0).unwrap();
    close(y[0].unwrap(), 130.0);
}

#[test]
fn power_exported_at_the_root_takes_its_carbon_along() {
    let mut graph = FlowGraph::new(2);
    let slack = graph.source(0, -30.0, 0.581);
    graph.source(1, 100.0, 0.2);
    graph.branch(0, 1, -40.0, 42.0);
    let flow = trace(&graph, LossRule::Explicit).unwrap();
    intensities_are(&flow, &[0.2, 0.2]);
    close(flow.source_kg_per_h[slack], 0.0);
    close(flow.drawn_kg_per_h[slack], 6.0);
    assert_eq!(flow.load_kw, [40.0, 58.0]);
    close(flow.total_loss_kg_per_h(), 0.4);
}

#[test]
fn both_ends_may_feed_the_losses_of_a_branch() {
    let mut graph = FlowGraph::new(2);
    graph.source(0, 5.0, 0.9);
    graph.source(1, 8.0, 0.1);
    graph.branch(0, 1, 2.0, 1.0);
    let flow = trace(&graph, LossRule::Explicit).unwrap();
    intensities_are(&flow, &[0.9, 0.1]);
    close(flow.branches[0].loss_kg_per_h, 2.0 * 0.9 + 0.1);
    close(flow.total_load_kg_per_h() + flow.total_loss_kg_per_h(), 5.3);
    // Where loads pay, each end's loads pay for what is lost from there.
    let flow = trace(&graph, LossRule::LoadsPay).unwrap();
    close(flow.load_kg_per_h[0], 4.5);
    close(flow.load_kg_per_h[1], 0.8);
}

#[test]
fn a_tiny_branch_carries_nothing() {
    let mut graph = FlowGraph::new(2);
    graph.source(0, 5.0, 0.9);
    graph.lossless_branch(0, 1, 1e-9);
    let flow = trace(&graph, LossRule::Explicit).unwrap();
    assert_eq!(flow.intensity_kg_per_kwh, [Some(0.9), None]);
    assert_eq!(flow.branches[0].loss_kg_per_h, 0.0);
}

#[test]
fn a_negative_load_is_a_source_if_its_intensity_is_known() {
    let mut graph = FlowGraph::new(2);
    graph.source(0, 10.0, 0.6);
    graph.lossless_branch(0, 1, 10.0);
    graph.loads_kw = vec![Some(0.0), Some(10.0)];
    assert!(trace(&graph, LossRule::Explicit).is_ok());
    graph.branches[0] = super::BranchFlow { from: 0, to: 1, from_kw: 15.0, to_kw: -15.0 };
    graph.loads_kw = vec![Some(-5.0), None];
    assert_eq!(
        trace(&graph, LossRule::Explicit).unwrap_err(),
        CarbonFlowError::MissingSource { node: 0, missing_kw: 5.0 }
    );
    graph.negative_load_kg_per_kwh = Some(0.0);
    let flow = trace(&graph, LossRule::Explicit).unwrap();
    intensities_are(&flow, &[0.4, 0.4]);
    assert_eq!(flow.sources.len(), 2);
    close(flow.shares()[1].as_ref().unwrap()[1], 1.0 / 3.0);
}

/// A turbine of 3 at .6, own load 1, exports 2 to a bus fed with 4 at .581 whose other member draws 6.
#[test]
fn a_member_exports_its_internal_mix() {
    let mut graph = FlowGraph::new(1);
    graph.source(0, 4000.0, 0.581);
    let seller = graph.join_member(0, -2000.0);
    graph.source(seller.node, 3000.0, 0.6);
    let buyer = graph.join_member(0, 6000.0);
    let flow = trace(&graph, LossRule::Explicit).unwrap();
    close(flow.intensity_kg_per_kwh[seller.node].unwrap(), 0.6);
    let w = (4.0 * 0.581 + 2.0 * 0.6) / 6.0;
    close(flow.intensity_kg_per_kwh[buyer.connection].unwrap(), w);
    close(flow.load_kw[seller.node], 1000.0);
    close(flow.load_kg_per_h[seller.node] + flow.load_kg_per_h[buyer.node], 4124.0);

    // An importing member with a panel mixes both.
    let mut graph = FlowGraph::new(1);
    graph.source(0, 1000.0, 0.581);
    let member = graph.join_member(0, 600.0);
    graph.source(member.node, 200.0, 0.0);
    graph.source(member.node, 200.0, 0.4);
    let flow = trace(&graph, LossRule::Explicit).unwrap();
    close(flow.intensity_kg_per_kwh[member.node].unwrap(), (0.581 * 600.0 + 0.4 * 200.0) / 1000.0);
    close(flow.load_kw[0], 400.0);
}

#[test]
fn bad_input_is_named() {
    let base = six_bus;
    let fails = |graph: &FlowGraph| trace(graph, LossRule::Explicit).unwrap_err();
    let mut graph = base();
    graph.lossless_branch(0, 9, 1.0);
    assert_eq!(fails(&graph), CarbonFlowError::BranchEnd { branch: 7, node: 9, nodes: 6 });
    let mut graph = base();
    graph.lossless_branch(3, 3, 1.0);
    assert_eq!(fails(&graph), CarbonFlowError::SelfLoop { branch: 7, node: 3 });
    let mut graph = base();
    graph.source(6, 1.0, 0.0);
    assert_eq!(fails(&graph), CarbonFlowError::SourceNode { source_index: 3, node: 6, nodes: 6 });
    let mut graph = base();
    graph.source(1, 1.0, f64::NAN);
    assert_eq!(fails(&graph), CarbonFlowError::SourceNotFinite { source_index: 3 });
    let mut graph = base();
    graph.branch(0, 1, f64::INFINITY, 0.0);
    assert_eq!(fails(&graph), CarbonFlowError::BranchNotFinite { branch: 7 });
    let mut graph = base();
    graph.branch(0, 1, -3.0, -1.0);
    assert_eq!(fails(&graph), CarbonFlowError::GeneratingBranch { branch: 7, generated_kw: 4.0 });
    let mut graph = base();
    graph.lossless_branch(0, 1, 30.0);
    assert_eq!(fails(&graph), CarbonFlowError::MissingSource { node: 0, missing_kw: 30.0 });
    let mut graph = base();
    graph.loads_kw[1] = Some(21.0);
    assert_eq!(fails(&graph), CarbonFlowError::Unbalanced { node: 1, excess_kw: -1.0 });
    let mut graph = base();
    graph.loads_kw[1] = Some(f64::NAN);
    assert_eq!(fails(&graph), CarbonFlowError::NodeNotFinite { node: 1 });
    let mut graph = base();
    graph.threshold_kw = -1.0;
    assert_eq!(fails(&graph), CarbonFlowError::Threshold { threshold_kw: -1.0 });
    let flow = trace(&base(), LossRule::Explicit).unwrap();
    assert_eq!(flow.downstream_price(&[1.0], 0.0), Err(CarbonFlowError::Length { expected: 6, found: 1 }));
}
