//! The operator as a leader in prices, where its best one is known in closed form.

use coase_core::network::Network;
use coase_core::outcome::Verdict;
use coase_core::variational::{SharedGame, equilibrium};
use coase_core::{Market, MechanismError};
use coase_mechanisms::{Following, StackelbergIntegratedPrice};
use coase_testkit::agents::{Agent, LINE, THREE, market, on_a_line, on_network};
use coase_testkit::measured::{measure, try_measure};
use coase_testkit::{assert_all, policy};

/// One buyer draws `(0.1 - a) / 0.002` kWh of 0.581 kg each: `max (a - k)(0.1 - a)` with `k` what carbon costs per kWh.
#[test]
fn a_single_buyer_is_asked_half_of_what_carbon_leaves() {
    for (carbon_price_per_tonne, k) in [(0.0, 0.0), (100.0, 0.0581)] {
        let rule = StackelbergIntegratedPrice { carbon_price_per_tonne, ..StackelbergIntegratedPrice::default() };
        let found = measure(&market(&[THREE[2]]), &rule, &*policy("None()"));
        let value = |name: &str| found.certificate(name).value.expect(name);
        let (adder, kwh) = (0.5 * (0.1 + k), 0.5 * (0.1 - k) / 0.002);
        assert!((value("leader_adder_per_kwh") - adder).abs() < 1e-6, "{:?}", found.found.certificates);
        assert!((value("leader_revenue") - adder * kwh).abs() < 1e-4);
        assert!((value("leader_cost") + (adder - k) * kwh).abs() < 1e-8);
        assert_eq!(found.verdict("leader_gap"), Verdict::Upheld);
        assert!((found.metric("dso_revenue") - adder * kwh).abs() < 1e-4);
    }
}

#[test]
fn policies_with_prices_at_buses_are_refused_around_it() {
    let rule = StackelbergIntegratedPrice::default();
    let refused = try_measure(&on_a_line(), &rule, &*policy("Integrated(price_per_tonne: 280)"));
    let words = match refused {
        Err(error @ MechanismError::Unmet { .. }) => error.to_string(),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("two set prices at the same buses, and it runs"),
    };
    assert!(words.contains("sets no prices at buses"), "{words}");
}

/// Two sellers beyond the line of 100 kVA, at the grid's 0.4, and what they cost.
const SELLERS: [Agent; 2] = [Agent::of(0.004, 0.20), Agent::of(0.001, 0.20)];

fn beyond_the_line(rate_kva: u32) -> Market {
    let line = LINE.replace("rate_kva: 100", &format!("rate_kva: {rate_kva}"));
    let [first, second] = SELLERS;
    on_network(Network::from_ron(&line).expect("a network"), 1.0, &[first.at(2), second.at(2), THREE[2]])
}

fn apart(adder_max_per_kwh: f64) -> StackelbergIntegratedPrice {
    let carbon_price_per_tonne = 0.0;
    StackelbergIntegratedPrice {
        adder_max_per_kwh,
        carbon_price_per_tonne,
        followers: Following::Members,
        ..StackelbergIntegratedPrice::default()
    }
}

/// The same in numbers: `x` sold at 0.4 less what it costs, and at most 100 in all.
struct Shared;

impl SharedGame for Shared {
    fn bounds(&self) -> Vec<(f64, f64)> {
        vec![(0.0, 1000.0); 2]
    }

    fn payoff(&self, i: usize, x: &[f64]) -> f64 {
        (0.4 - SELLERS[i].b) * x[i] - 0.5 * SELLERS[i].a * x[i] * x[i]
    }

    fn slope(&self, i: usize, x: &[f64]) -> f64 {
        0.4 - SELLERS[i].b - SELLERS[i].a * x[i]
    }

    fn limits(&self) -> Vec<(Vec<f64>, f64)> {
        vec![(vec![1.0; 2], 100.0)]
    }
}

/// Alone they would sell 50 and 200. At a price of 0.12 for the line they sell 20 and 80, as the extragradient method finds.
#[test]
fn members_by_themselves_share_a_line_at_one_price_for_all() {
    let found = measure(&beyond_the_line(100), &apart(0.0), &*policy("None()"));
    assert_all(&found.of_participants("export_kwh"), &[20.0, 80.0, 0.0], 1e-3);
    let numbers = equilibrium(&Shared, &[1.0; 2], 1e-9).expect("an equilibrium");
    assert_all(&found.of_participants("export_kwh")[..2], &numbers.x, 1e-3);
    let price = found.certificate("shared_limit_price_per_kwh").value.expect("a price");
    assert_all(&[price], &[-numbers.price[0]], 1e-5);
    for name in ["nikaido_isoda", "shared_price_gap", "least_cost_gap", "leader_gap"] {
        assert_eq!(found.verdict(name), Verdict::Upheld, "{name}: {:?}", found.certificate(name));
    }
}

#[test]
fn where_no_limit_binds_members_do_what_is_best_for_each() {
    let found = measure(&beyond_the_line(1000), &apart(0.0), &*policy("None()"));
    assert_all(&found.of_participants("export_kwh"), &[50.0, 200.0, 0.0], 1e-3);
    assert_eq!(found.certificate("nikaido_isoda").value, Some(0.0));
}

/// What it pays for is fed in against its own adder: a leader who earns by adders asks no less than one who may not.
#[test]
fn a_leader_of_members_by_themselves_does_no_worse_than_without_adders() {
    let cost = |most: f64| {
        let found = measure(&beyond_the_line(100), &apart(most), &*policy("None()"));
        assert_eq!(found.verdict("leader_gap"), Verdict::Upheld);
        found.certificate("leader_cost").value.expect("a cost")
    };
    assert!(cost(0.05) <= cost(0.0) + 1e-6);
}
