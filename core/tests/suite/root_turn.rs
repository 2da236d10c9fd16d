//! The share of the root's jump in nodal prices: on random feeders near balance with upstream, in whatever base a network is
//! written.

use crate::play::{Alone, Efficient};
use coase_core::Market;
use coase_core::engine::Cleared;
use coase_core::mechanism::Mechanism;
use coase_core::network::{Network, built_in};
use coase_core::outcome::{Status, Verdict};
use coase_core::participant::{Device, Load, MicroTurbine, Participant, Portfolio, Storage};
use coase_core::setting::{Feeder, Member, Periods, Setting};
use coase_testkit::measured::cleared;
use coase_testkit::{policy, tariff};
use proptest::prelude::*;
use std::sync::Arc;

/// A participant of a random feeder.
#[derive(Clone, Debug)]
struct Plant {
    bus: u64,
    load_kw: Vec<f64>,
    turbine_kw: f64,
    turbine_cost: f64,
    turbine_kg: f64,
    store_kwh: f64,
}

#[derive(Clone, Debug)]
struct Case {
    plants: Vec<Plant>,
    buy: Vec<f64>,
    sell: f64,
    intensity: f64,
    passive: f64,
}

fn market(case: &Case, network: &Network) -> Market {
    let periods = Periods { count: case.buy.len(), hours: 1.0 };
    let member = |(i, plant): (usize, &Plant)| Member {
        node: network.node(plant.bus),
        ..Member::new(format!("p{i}"), 3000.0, 3000.0)
    };
    let members: Vec<Member> = case.plants.iter().enumerate().map(member).collect();
    let tariff = tariff(&case.buy, case.sell, case.intensity);
    let feeder = Feeder::new(network.clone(), vec![case.passive; periods.count]).expect("a feeder");
    let plant = |(i, p): (usize, &Plant)| {
        let mut devices = vec![
            Load { p_kw: p.load_kw.clone().into() }.boxed(),
            MicroTurbine {
                p_min_kw: 0.0,
                p_max_kw: p.turbine_kw,
                cost_per_kwh: p.turbine_cost,
                cost_per_kwh2: 0.0,
                cost_per_h: 0.0,
                ramp_kw_per_h: None,
                emission_kg_per_kwh: p.turbine_kg,
                reserve_cost_per_kw: None,
            }
            .boxed(),
        ];
        if p.store_kwh > 0.0 {
            devices.push(
                Storage {
                    capacity_kwh: p.store_kwh,
                    p_charge_max_kw: 0.4 * p.store_kwh,
                    p_discharge_max_kw: 0.4 * p.store_kwh,
                    efficiency_charge: 0.95,
                    efficiency_discharge: 0.95,
                    retention_per_h: 1.0,
                    soc_min: 0.1,
                    soc_max: 0.9,
                    soc_start: 0.5,
                    soc_end: None,
                    cost_per_kwh: 0.01,
                    reserve_cost_per_kw: None,
                }
                .boxed(),
            );
        }
        Arc::new(Portfolio::new(format!("p{i}"), devices, periods).expect("a plant")) as Arc<dyn Participant>
    };
    let plants = case.plants.iter().enumerate().map(plant).collect();
    Market::new(Setting::energy(periods, Some(tariff), Some(feeder), members), plants)
}

fn ieee_33() -> Network {
    built_in("ieee-33").expect("built in").network().expect("valid")
}

fn value(found: &Cleared, name: &str) -> (f64, f64) {
    let certificate = found.outcome.evidence.iter().find(|c| c.name == name).expect(name);
    assert_eq!(certificate.verdict, Verdict::Upheld, "{certificate:?}");
    (certificate.value.expect("a value"), certificate.tolerance.expect("a tolerance"))
}

fn case() -> impl Strategy<Value = Case> {
    let plant = (
        prop::sample::select(vec![2_u64, 6, 12, 18, 22, 25, 29, 33]),
        prop::collection::vec(20.0..300.0, 3),
        0.0..400.0,
        0.2..1.2,
        prop::sample::select(vec![0.0, 0.45, 0.6]),
        prop::sample::select(vec![0.0, 200.0, 500.0]),
    );
    let plant = plant.prop_map(|(bus, load_kw, turbine_kw, turbine_cost, turbine_kg, store_kwh)| Plant {
        bus,
        load_kw,
        turbine_kw,
        turbine_cost,
        turbine_kg,
        store_kwh,
    });
    let buy = prop::collection::vec(prop::sample::select(vec![0.385, 0.7, 1.02]), 3);
    (prop::collection::vec(plant, 2..4), buy, 0.2..0.38, 0.3..0.9, 0.0..0.12)
        .prop_map(|(plants, buy, sell, intensity, passive)| Case { plants, buy, sell, intensity, passive })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    /// Alone or together, marginal prices have a fixed point wherever the root comes to rest, and certificates prove it.
    #[test]
    fn marginal_prices_have_a_fixed_point_on_random_feeders(case in case()) {
        let market = market(&case, &ieee_33());
        let policy = policy("NodalMarginal(price_per_tonne: 332)");
        for mechanism in [&Alone {} as &dyn Mechanism, &Efficient {}] {
            let found = cleared(&market, mechanism, &*policy);
            prop_assert_eq!(&found.outcome.status, &Status::Converged, "{:?}", found.reason);
            let (turn, money) = value(&found, "fixed_point_turn");
            let (gap, _) = value(&found, "fixed_point_gap");
            // The tolerance of each is a millionth of the money that moves.
            prop_assert!(turn >= -1e-12 && turn + gap <= 2.0 * money, "{} {} {}", turn, gap, money);
            for (t, share) in found.root_share_imported.iter().enumerate() {
                let (share, kwh) = (share.expect("a jump"), found.physical.upstream_import_kwh[t]);
                prop_assert!((0.0..=1.0).contains(&share));
                prop_assert!(kwh.abs() < 1e-2 || share == f64::from(u8::from(kwh > 0.0)), "{} {}", share, kwh);
            }
        }
    }
}

/// A network in per unit of another base power.
fn written_in(network: &Network, base_mva: f64) -> Network {
    let factor = base_mva / network.base_mva;
    let mut other = Network { base_mva, ..network.clone() };
    for branch in &mut other.branches {
        branch.r_pu *= factor;
        branch.x_pu *= factor;
        branch.b_pu /= factor;
    }
    other
}

/// What a network is written in decides nothing: prices, schedules and flows are the same to a billionth.
#[test]
fn the_base_power_of_a_network_decides_nothing() {
    let plant = |bus, load_kw: f64, turbine_kw, turbine_cost, turbine_kg, store_kwh| Plant {
        bus,
        load_kw: vec![load_kw, 0.6 * load_kw],
        turbine_kw,
        turbine_cost,
        turbine_kg,
        store_kwh,
    };
    let small = vec![plant(2, 2.0, 4.0, 1.12, 0.0, 0.0), plant(3, 1.0, 0.0, 1.0, 0.0, 0.0)];
    let large = vec![plant(18, 150.0, 260.0, 0.5, 0.45, 200.0), plant(33, 90.0, 200.0, 0.9, 0.6, 0.0)];
    let with_jump = ["Integrated()", "NodalMarginal()", "NodalFlow()", "Integrated(root_export: Unpriced)"];
    let along_flows = ["Integrated(form: FlowInLoop, ladder: (interval_kg: 20))"];
    let cases = [(&small, vec![1.0, 1.0], 0.0, &with_jump[..]), (&large, vec![0.385, 1.02], 0.0, &with_jump[..])];
    for (plants, buy, passive, policies) in
        cases.into_iter().chain([(&large, vec![0.385, 1.02], 0.1, &along_flows[..])])
    {
        let case = Case { plants: plants.clone(), buy, sell: 0.3, intensity: 0.5, passive };
        for text in policies {
            let policy = policy(text);
            let found = [1.0, 10.0, 100.0].map(|base| {
                let found = cleared(&market(&case, &written_in(&ieee_33(), base)), &Alone {}, &*policy);
                assert_eq!(found.outcome.status, Status::Converged, "{text} {base}: {:?}", found.reason);
                let costs = found.physical.plans.iter().map(|p| p.cost);
                let outputs = found.physical.plans.iter().flat_map(|p| p.output.clone());
                costs.chain(outputs).chain(found.signal.numbers()).collect::<Vec<f64>>()
            });
            for other in &found[1..] {
                for (a, b) in found[0].iter().zip(other) {
                    assert!((a - b).abs() <= 1e-9 * (1.0 + a.abs()), "{text}: {a} {b}\n{found:?}");
                }
            }
        }
    }
}
