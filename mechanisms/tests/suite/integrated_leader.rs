//! The operator as a leader in prices, where its best one is known in closed form.

use coase_core::MechanismError;
use coase_core::outcome::Verdict;
use coase_mechanisms::StackelbergIntegratedPrice;
use coase_testkit::agents::{THREE, market, on_a_line};
use coase_testkit::measured::{measure, try_measure};
use coase_testkit::policy;

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
