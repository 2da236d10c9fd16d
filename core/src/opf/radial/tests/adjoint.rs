//! The adjoint and the certificate, against things that know nothing of them.

use nalgebra::{DMatrix, DVector};
use proptest::prelude::*;

use super::super::adjoint::{Prices, Sources};
use super::super::ask::{Control, Hour, Import};
use super::super::certificate::{Certified, ScaledDuals, certify};
use super::super::feeder::{Feeder, FlowState};
use super::super::formulation::Scaled;
use crate::network::{Branch, Bus, BusKind, Network, NodeId, built_in};
use crate::power_flow::{Injections, PowerFlow};

fn line(from: usize, to: usize, tap: f64, b_pu: f64) -> Branch {
    Branch {
        from: NodeId(from),
        to: NodeId(to),
        r_pu: 0.02,
        x_pu: 0.05,
        b_pu,
        tap,
        shift_deg: 0.0,
        rate_kva: Some(900.0),
        angle_min_deg: -25.0,
        angle_max_deg: 40.0,
        in_service: true,
    }
}

/// Taps both ways, charging, shunts, two slacks.
fn awkward() -> Network {
    let mut buses: Vec<Bus> =
        (0..7).map(|k| Bus { id: k + 1, p_load_kw: 100.0, q_load_kvar: 40.0, ..Bus::default() }).collect();
    (buses[0].kind, buses[0].v_pu) = (BusKind::Slack, 1.02);
    buses[5].kind = BusKind::Slack;
    buses[2].b_kvar = 60.0;
    buses[3].g_kw = 25.0;
    let branches = vec![
        line(0, 1, 1.0, 0.03),
        line(2, 1, 0.97, 0.02),
        line(2, 3, 1.04, 0.05),
        line(3, 4, 1.0, 0.0),
        line(5, 6, 0.95, 0.1),
    ];
    Network { name: "awkward".into(), base_mva: 1.0, buses, branches, generators: vec![] }
}

fn flow_of(feeder: &Feeder, p: &[f64], q: &[f64]) -> FlowState {
    let v = (0..feeder.len()).map(|k| if k < feeder.roots { feeder.v_root[k] } else { 1.0 }).collect();
    feeder.flow(p, q, &FlowState { v, ..FlowState::default() }).expect("a light load")
}

/// Prices from the transposed Jacobian of the four equations of every branch, dense. The equations are quadratic, so
/// central differences are exact.
fn dense(feeder: &Feeder, p: &[f64], q: &[f64], s: &FlowState, sources: &Sources) -> (Vec<f64>, Vec<f64>) {
    let (n, roots) = (feeder.len(), feeder.roots);
    let m = 4 * (n - roots);
    let at = |k: usize| 4 * (k - roots);
    let unpack = |y: &DVector<f64>| {
        let mut s = s.clone();
        for k in roots..n {
            (s.p[k], s.q[k], s.l[k], s.v[k]) = (y[at(k)], y[at(k) + 1], y[at(k) + 2], y[at(k) + 3]);
        }
        s
    };
    let equations = |y: &DVector<f64>| {
        let s = unpack(y);
        let mut f = DVector::zeros(m);
        for k in roots..n {
            let b = &feeder.branch[k];
            let above = s.v[b.parent];
            f[at(k)] += s.p[k] - b.r * s.l[k] - p[k] - feeder.g[k] * s.v[k];
            f[at(k) + 1] += s.q[k] - b.x * s.l[k] - q[k] + feeder.b[k] * s.v[k];
            f[at(k) + 2] =
                b.down * s.v[k] - b.up * above + 2.0 * (b.r * s.p[k] + b.x * s.q[k]) - (b.r * b.r + b.x * b.x) * s.l[k];
            f[at(k) + 3] = s.l[k] * b.up * above - s.p[k] * s.p[k] - s.q[k] * s.q[k];
            if b.parent >= roots {
                f[at(b.parent)] -= s.p[k];
                f[at(b.parent) + 1] -= s.q[k];
            }
        }
        f
    };
    let worth = |y: &DVector<f64>| {
        let s = unpack(y);
        (roots..n)
            .map(|k| {
                let [sent, received] = feeder.terminals(&s, k);
                let import = if feeder.branch[k].parent < roots {
                    sources.root.0 * s.p[k] + sources.root.1 * s.q[k]
                } else {
                    0.0
                };
                let square = |(p, q): (f64, f64)| p * p + q * q;
                // tan(limit) R - I >= 0 of the voltages at both ends of the series element.
                let b = &feeder.branch[k];
                let (re, im) = (b.up * s.v[b.parent] - b.r * s.p[k] - b.x * s.q[k], b.x * s.p[k] - b.r * s.q[k]);
                let [low, high] = sources.angle[k];
                let inside = low * (im - b.angle.0.tan() * re) + high * (b.angle.1.tan() * re - im);
                import - inside
                    + sources.voltage[k] * s.v[k]
                    + sources.sending[k] * square(sent)
                    + sources.receiving[k] * square(received)
            })
            .sum::<f64>()
    };
    let y = DVector::from_iterator(m, (roots..n).flat_map(|k| [s.p[k], s.q[k], s.l[k], s.v[k]]));
    assert!(equations(&y).amax() < 1e-11, "not a flow: {}", equations(&y).amax());
    let (mut jacobian, mut gradient) = (DMatrix::zeros(m, m), DVector::zeros(m));
    for j in 0..m {
        let (mut up, mut down) = (y.clone(), y.clone());
        up[j] += 0.5;
        down[j] -= 0.5;
        jacobian.set_column(j, &(equations(&up) - equations(&down)));
        gradient[j] = worth(&up) - worth(&down);
    }
    let price = jacobian.transpose().lu().solve(&gradient).expect("regular away from the nose");
    ((roots..n).map(|k| price[at(k)]).collect(), (roots..n).map(|k| price[at(k) + 1]).collect())
}

fn agree(prices: &Prices, roots: usize, (active, reactive): &(Vec<f64>, Vec<f64>)) {
    for (found, expected) in
        prices.active[roots..].iter().zip(active).chain(prices.reactive[roots..].iter().zip(reactive))
    {
        assert!((found - expected).abs() < 1e-9 * (1.0 + expected.abs()), "{found} is not {expected}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_adjoint_is_the_transposed_jacobian(
        load in prop::collection::vec((-0.4..0.4_f64, -0.2..0.2_f64), 7),
        duals in prop::collection::vec((-2.0..2.0_f64, 0.0..2.0_f64, 0.0..2.0_f64, [0.0..2.0_f64, 0.0..2.0_f64]), 7),
        root in (-1.0..2.0_f64, -0.5..0.5_f64),
    ) {
        let feeder = Feeder::new(&awkward(), 1e3).unwrap();
        let (p, q): (Vec<f64>, Vec<f64>) = load.into_iter().unzip();
        let flow = flow_of(&feeder, &p, &q);
        let mut sources = Sources::root(7, root.0, root.1);
        for (k, (mu, sending, receiving, angle)) in duals.into_iter().enumerate().skip(feeder.roots) {
            (sources.voltage[k], sources.sending[k], sources.receiving[k]) = (mu, sending, receiving);
            sources.angle[k] = angle;
        }
        let prices = feeder.prices(&flow, &sources);
        agree(&prices, feeder.roots, &dense(&feeder, &p, &q, &flow, &sources));
    }
}

#[test]
fn prices_without_limits_are_the_sensitivities_of_the_power_flow() {
    let feeders =
        ["das-15", "ap-15", "ieee-33", "ieee-69", "khodr-141"].map(|id| built_in(id).unwrap().network().unwrap());
    for network in feeders.into_iter().chain([awkward()]) {
        let base = 1234.5;
        let feeder = Feeder::new(&network, base).unwrap();
        let load = |of: fn(&Bus) -> f64| feeder.node.iter().map(|n| of(network.bus(*n)) / base).collect::<Vec<f64>>();
        let flow = flow_of(&feeder, &load(|b| b.p_load_kw), &load(|b| b.q_load_kvar));
        let watched = feeder.len() - 1;
        let power_flow = PowerFlow::new(&network).unwrap();
        let solved = power_flow.solve(&Injections::loads_of(&network)).unwrap();
        let mut sensitivities = power_flow.sensitivities(&solved).unwrap();
        // 600 and 40 per MWh at the root, and 300 per hour and pu of the last squared voltage.
        let magnitude = solved.voltages[feeder.node[watched].0].unwrap().magnitude_pu;
        let expected = sensitivities.weighted(600.0, 40.0, &[(feeder.node[watched], 300e3 * 2.0 * magnitude)]);
        let mut sources = Sources::root(feeder.len(), 600.0, 40.0);
        sources.voltage[watched] = 300e3 / base;
        let found = feeder.prices(&flow, &sources);
        for k in 0..feeder.len() {
            let node = feeder.node[k].0;
            assert!((found.active[k] - expected.p[node]).abs() < 1e-6, "{} {node}", network.name);
            assert!((found.reactive[k] - expected.q[node]).abs() < 1e-6, "{} {node}", network.name);
        }
    }
}

#[test]
fn prices_are_differences_of_the_power_flow() {
    // 600 per MWh on the 33-bus feeder: known to 1e-6.
    let network = built_in("ieee-33").unwrap().network().unwrap();
    let feeder = Feeder::new(&network, 1e4).unwrap();
    let load = |of: fn(&Bus) -> f64| feeder.node.iter().map(|n| of(network.bus(*n)) / 1e4).collect::<Vec<f64>>();
    let (p, q) = (load(|b| b.p_load_kw), load(|b| b.q_load_kvar));
    let found = feeder.prices(&flow_of(&feeder, &p, &q), &Sources::root(33, 600.0, 0.0));
    let cost = |p: &[f64], q: &[f64]| 600.0 * flow_of(&feeder, p, q).import.0;
    for k in 1..33 {
        let step = 1e-5;
        let at = |of: &[f64], by: f64| {
            let mut moved = of.to_vec();
            moved[k] += by;
            moved
        };
        let active = (cost(&at(&p, step), &q) - cost(&at(&p, -step), &q)) / (2.0 * step);
        let reactive = (cost(&p, &at(&q, step)) - cost(&p, &at(&q, -step))) / (2.0 * step);
        assert!((found.active[k] - active).abs() < 1e-6, "{k}: {} {active}", found.active[k]);
        assert!((found.reactive[k] - reactive).abs() < 1e-6, "{k}: {} {reactive}", found.reactive[k]);
    }
}

/// r = 0.03, x = 0.06, load 0.2 + 0.1j and up to 3 pu of free photovoltaics at bus 2; 1 MVA.
fn two_buses(v_max_pu: f64, root_price: f64) -> (Feeder, Scaled) {
    let mut network = awkward();
    network.buses.truncate(2);
    network.branches = vec![Branch { r_pu: 0.03, x_pu: 0.06, rate_kva: None, ..line(0, 1, 1.0, 0.0) }];
    network.buses[0] = Bus { id: 1, kind: BusKind::Slack, ..Bus::default() };
    network.buses[1] = Bus { id: 2, p_load_kw: 200.0, q_load_kvar: 100.0, v_max_pu, ..Bus::default() };
    let feeder = Feeder::new(&network, 1e3).unwrap();
    let hour = Hour {
        load_kw: vec![0.0, 200.0],
        load_kvar: vec![0.0, 100.0],
        controls: vec![Control::active(NodeId(1), 3000.0, 0.0)],
        import: Import::at(root_price),
    };
    let scaled = Scaled::new(&feeder, &hour);
    (feeder, scaled)
}

/// Certificate of an output, kW, with duals of the voltage limits at bus 2, money per hour and pu.
fn certificate(feeder: &Feeder, hour: &Scaled, p_kw: f64, (upper, lower): (f64, f64)) -> Option<Certified> {
    let unit = hour.price * feeder.base_kva;
    let mut sources = Sources::root(2, hour.root_price, 0.0);
    sources.voltage[1] = (upper - lower) / unit;
    let duals = ScaledDuals { sources, voltage: vec![(0.0, 0.0), (upper / unit, lower / unit)], controls: vec![0.0] };
    let flat = FlowState { v: vec![1.0; 2], ..FlowState::default() };
    certify(feeder, hour, &[(p_kw / feeder.base_kva, 0.0)], duals, &flat)
}

#[test]
fn full_output_below_the_voltage_limit_is_proven_optimal() {
    let (feeder, hour) = two_buses(1.10, 0.5);
    let unit = hour.price * feeder.base_kva;
    let c = certificate(&feeder, &hour, 3000.0, (0.0, 0.0)).unwrap();
    assert!((c.cost * unit + 1_295.295_035_58).abs() < 1e-7, "{}", c.cost * unit);
    assert!((c.prices.active[1] * hour.price * 1e3 - 428.906_571).abs() < 1e-6);
    assert!(c.gap.abs() < 1e-12 && c.least_current_price > 0.0 && c.violation <= 0.0, "{c:?}");
    // A kWh held back is found: the gap is at least what it is worth, and not much more.
    let c = certificate(&feeder, &hour, 2999.0, (0.0, 0.0)).unwrap();
    assert!((0.4285..0.4295).contains(&(c.gap * unit)), "{}", c.gap * unit);
}

#[test]
fn output_held_back_by_an_upper_voltage_limit_is_not_proven_optimal() {
    let (feeder, hour) = two_buses(1.05, 0.5);
    let unit = hour.price * feeder.base_kva;
    // An interior generator without cost has the price 0: prices are affine in the dual, which that fixes.
    let price = |mu: f64| certificate(&feeder, &hour, 2454.904, (mu, 0.0)).unwrap().prices.active[1];
    let mu = price(0.0) / (price(0.0) - price(1.0));
    let c = certificate(&feeder, &hour, 2454.904, (mu, 0.0)).unwrap();
    assert!((c.cost * unit + 1_058.137_96).abs() < 1e-3, "{}", c.cost * unit);
    assert!(c.prices.active[1].abs() < 1e-12 && c.violation < 1e-6, "{c:?}");
    assert!((c.least_current_price + 0.0589).abs() < 1e-4, "{}", c.least_current_price);
    assert!(c.parts[2] > 0.0 && c.gap > 1e-3, "{c:?}");
}
