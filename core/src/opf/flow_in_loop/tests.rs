//! Worked examples, differences, and the tax that uniform prices are.

use super::*;
use crate::network::{Branch, Bus, BusKind, Cost, Generator};
use crate::opf::{CarbonPricing, dc_opf};
use proptest::prelude::*;

#[track_caller]
fn close(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
}

fn bus(id: u64, mw: f64) -> Bus {
    let kind = if id == 1 { BusKind::Slack } else { BusKind::Pq };
    Bus { id, kind, p_load_kw: 1e3 * mw, ..Bus::default() }
}

fn line(from: usize, to: usize, x_pu: f64) -> Branch {
    Branch {
        from: NodeId(from),
        to: NodeId(to),
        r_pu: 0.0,
        x_pu,
        b_pu: 0.0,
        tap: 1.0,
        shift_deg: 0.0,
        rate_kva: None,
        in_service: true,
        ..Branch::default()
    }
}

/// Marginal cost per MWh `b + 2 a p`, p in MW.
fn unit(node: usize, b: f64, a: f64) -> Generator {
    Generator {
        node: NodeId(node),
        p_kw: 0.0,
        q_kvar: 0.0,
        p_min_kw: 0.0,
        p_max_kw: 200e3,
        q_min_kvar: 0.0,
        q_max_kvar: 0.0,
        v_pu: None,
        cost_per_h: Some(Cost::Polynomial(vec![0.0, b / 1e3, a / 1e6])),
        in_service: true,
        ..Generator::default()
    }
}

fn network(buses: Vec<Bus>, branches: Vec<Branch>, generators: Vec<Generator>) -> Network {
    Network { name: "test".into(), base_mva: 100.0, buses, branches, generators }
}

/// Coal (0.9) at bus 1, gas (0.4) at bus 2, 40 and 60 MW of load, nothing lost or congested.
fn two_buses() -> Network {
    network(vec![bus(1, 40.0), bus(2, 60.0)], vec![line(0, 1, 0.1)], vec![unit(0, 250.0, 0.5), unit(1, 300.0, 1.0)])
}

fn pricing(price_per_tonne: [f64; 2], generator_kg_per_kwh: &[f64]) -> ConsumptionPricing {
    ConsumptionPricing {
        generator_kg_per_kwh: generator_kg_per_kwh.to_vec(),
        price_per_tonne: price_per_tonne.to_vec(),
        cap_kg_per_kwh: vec![None; 2],
    }
}

#[test]
fn two_prices_of_carbon_separate_two_buses_without_congestion() {
    let n = two_buses();
    let at = |n: &Network| flow_in_loop_opf(n, &pricing([100.0, 150.0], &[0.9, 0.4])).unwrap();
    let answer = at(&n);
    assert!(answer.converged && answer.residual_per_kwh < 1e-9, "{answer:?}");
    close(answer.generation_kw[0], 58_333.333_333_3, 1e-2);
    close(answer.generation_kw[1], 41_666.666_666_7, 1e-2);
    close(answer.intensity_kg_per_kwh[1].unwrap(), 0.552_777_777_8, 1e-6);
    for (k, (y, balance, price)) in
        [(115.714_285_714_3, 308.333_333_333_3, 398.333_333_333_3), (150.0, 360.416_666_666_7, 443.333_333_333_3)]
            .into_iter()
            .enumerate()
    {
        close(answer.downstream_price_per_tonne[k].unwrap(), y, 1e-4);
        close(1e3 * answer.balance_price_per_kwh[k].unwrap(), balance, 1e-4);
        close(1e3 * answer.price_per_kwh[k].unwrap(), price, 1e-4);
    }
    close(answer.objective_per_h, 39_095.833_333_333_3, 1e-5);
    close(answer.charge_per_h, 8_575.0, 1e-1);
    // The price to a consumer is what one kW more costs.
    for k in 0..2 {
        let moved = |kw: f64| {
            let mut moved = n.clone();
            moved.buses[k].p_load_kw += kw;
            at(&moved).objective_per_h
        };
        close(answer.price_per_kwh[k].unwrap(), (moved(100.0) - moved(-100.0)) / 200.0, 1e-6);
    }
}

#[test]
fn generators_wish_their_dispatch_at_the_balance_price_less_what_their_carbon_costs_downstream() {
    // Gas at the first bus as well: two intensities at one bus, so that only one settlement is right.
    let n = network(
        vec![bus(1, 40.0), bus(2, 60.0)],
        vec![line(0, 1, 0.1)],
        vec![unit(0, 250.0, 0.5), unit(0, 300.0, 1.0)],
    );
    let answer = flow_in_loop_opf(&n, &pricing([100.0, 150.0], &[0.9, 0.4])).unwrap();
    assert!(answer.converged, "{answer:?}");
    close(answer.generation_kw[0], 61_666.666_7, 1e-2);
    close(answer.generation_kw[1], 38_333.333_3, 1e-2);
    close(answer.intensity_kg_per_kwh[0].unwrap(), 0.708_333_333_3, 1e-6);
    close(answer.downstream_price_per_tonne[0].unwrap(), 130.0, 1e-4);
    let (balance, price) = (1e3 * answer.balance_price_per_kwh[0].unwrap(), 1e3 * answer.price_per_kwh[0].unwrap());
    close(balance, 336.583_333_333_3, 1e-4);
    close(price, 407.416_666_666_7, 1e-4);
    // Coal answers 250 + p, gas 300 + 2 p.
    let charge = |k: usize| 1e3 * answer.source_charge_per_kwh[k];
    close(balance - charge(0) - 250.0, 61.666_666_7, 1e-4);
    close((balance - charge(1) - 300.0) / 2.0, 38.333_333_3, 1e-4);
    // Its own carbon at the price of the bus, paid the consumer's price, it would wish another one that does not add up.
    let (coal, gas) = (price - 100.0 * 0.9 - 250.0, (price - 100.0 * 0.4 - 300.0) / 2.0);
    close(coal, 67.416_666_7, 1e-4);
    close(gas, 33.708_333_3, 1e-4);
    assert!((coal + gas - 100.0).abs() > 1.0);
}

#[test]
fn a_cap_on_the_intensity_of_consumption_has_a_price() {
    let mut n = two_buses();
    n.buses[0].p_load_kw = 0.0;
    n.buses[1].p_load_kw = 100e3;
    n.generators = vec![unit(0, 300.0, 0.0), unit(1, 500.0, 0.0)];
    let mut capped = pricing([0.0, 0.0], &[0.9, 0.4]);
    capped.cap_kg_per_kwh[1] = Some(0.6);
    let answer = flow_in_loop_opf(&n, &capped).unwrap();
    assert!(answer.converged, "{answer:?}");
    close(answer.branch_kw[0], 40e3, 1e-2);
    close(answer.generation_kw[1], 60e3, 1e-2);
    close(answer.objective_per_h, 42_000.0, 1e-3);
    close(answer.cap_price_per_tonne[1], 400.0, 1e-3);
    close(1e3 * answer.price_per_kwh[0].unwrap(), 300.0, 1e-4);
    close(1e3 * answer.price_per_kwh[1].unwrap(), 420.0, 1e-4);
}

#[test]
fn what_does_not_fit_is_refused() {
    let n = two_buses();
    let refused = |n: &Network, p: &ConsumptionPricing| flow_in_loop_opf(n, p).unwrap_err();
    assert!(matches!(refused(&n, &pricing([1.0, 1.0], &[0.9])), OpfError::CarbonCount { expected: 2, found: 1, .. }));
    assert_eq!(refused(&n, &pricing([1.0, f64::NAN], &[0.9, 0.4])), OpfError::CarbonNotFinite);
    let mut negative = n.clone();
    negative.buses[1].p_load_kw = -5.0;
    assert!(matches!(refused(&negative, &pricing([1.0, 1.0], &[0.9, 0.4])), OpfError::Field { bus: 2, .. }));
    let mut consumer = n.clone();
    consumer.generators[1].p_min_kw = -5.0;
    assert!(matches!(refused(&consumer, &pricing([1.0, 1.0], &[0.9, 0.4])), OpfError::Field { field: "p_min_kw", .. }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// With one price for all, carbon charged along the flows is a tax at the sources: the same cost, the same prices.
    #[test]
    fn one_price_for_all_is_the_tax_at_the_sources(
        loads in prop::collection::vec(0.0..60.0f64, 3..7),
        chords in prop::collection::vec((0usize..6, 0usize..6, 0.05..0.3f64), 0..3),
        units in prop::collection::vec((0usize..6, 100.0..600.0f64, 0.1..2.0f64, 0.0..1.0f64), 2..5),
        tau in 0.0..400.0f64,
        rated in prop::option::of(20.0..80.0f64),
    ) {
        let count = loads.len();
        let buses = loads.iter().enumerate().map(|(k, mw)| bus(k as u64 + 1, *mw)).collect();
        let mut branches: Vec<Branch> = (1..count).map(|k| line((k * 7) % k, k, 0.1 + 0.02 * k as f64)).collect();
        branches.extend(chords.iter().filter(|c| c.0 % count != c.1 % count).map(|c| line(c.0 % count, c.1 % count, c.2)));
        branches[0].rate_kva = rated.map(|mw| 1e3 * mw);
        let mut generators: Vec<Generator> = units.iter().map(|u| unit(u.0 % count, u.1, u.2)).collect();
        // Something dear can serve everybody.
        generators.extend((0..count).map(|k| unit(k, 900.0, 1.0)));
        let kg: Vec<f64> = units.iter().map(|u| u.3).chain(std::iter::repeat_n(0.7, count)).collect();
        let n = network(buses, branches, generators);
        let taxed = CarbonPricing { price_per_tonne: tau, generator_kg_per_kwh: kg.clone(), node_kg_per_kwh: vec![0.0; count] };
        let tax = dc_opf(&n, Some(&taxed)).unwrap();
        let found = flow_in_loop_opf(&n, &ConsumptionPricing::uniform(&n, kg, tau)).unwrap();
        prop_assert!(found.converged, "{:?}", found);
        let scale = 1.0 + tax.objective_per_h.abs();
        prop_assert!((found.objective_per_h - tax.objective_per_h).abs() <= 1e-7 * scale, "{} {}", found.objective_per_h, tax.objective_per_h);
        prop_assert!((found.charge_per_h - per_kg(tau) * tax.carbon.as_ref().unwrap().emissions_kg_per_h).abs() <= 1e-5 * scale);
        for (k, price) in tax.prices.iter().enumerate() {
            if n.buses[k].p_load_kw > 1.0 {
                let (a, b) = (found.price_per_kwh[k].unwrap(), price.unwrap().per_kwh());
                // Where costs are nearly flat a price is less certain than the cost that is held above.
                prop_assert!((a - b).abs() < 1e-5, "bus {}: {} {}", k + 1, a, b);
            }
            if let Some(y) = found.downstream_price_per_tonne[k] {
                prop_assert!((y - tau).abs() < 1e-6 * (1.0 + tau), "{} {}", y, tau);
            }
        }
    }
}
