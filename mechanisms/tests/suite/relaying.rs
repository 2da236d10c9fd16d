//! Energy that one participant imports for another is told. A ladder of 1, 2, 3 per kg in tiers of 100 kg at 1 kg/kWh: who
//! needs 300 kWh pays 600 for carbon alone; with somebody who needs nothing, 100 kWh are imported at the first tier of each
//! and 100 at the second, for 400. Least traded among those schedules is 100 kWh, all of it relayed.

use coase_core::mechanism::Mechanism;
use coase_mechanisms::{CentralOptimum, GridOnly, NashBargaining};
use coase_testkit::agents::pair;
use coase_testkit::measured::measure;
use coase_testkit::policy;

#[test]
fn a_ladder_is_climbed_by_relaying_and_that_is_seen() {
    let ladder = policy("Stepped(base_price_per_tonne: 1000, interval_kg: 100, growth: 1)");
    let rules: [&dyn Mechanism; 2] = [&CentralOptimum::default(), &NashBargaining::default()];
    for rule in rules {
        let run = measure(&pair(), rule, &*ladder);
        assert!((run.metric("welfare_gain") - 200.0).abs() < 1e-4, "{}", run.metric("welfare_gain"));
        assert!((run.metric("resold_kwh") - 100.0).abs() < 1e-4, "{}", run.metric("resold_kwh"));
        let relayed = run.of_participants("resold_kwh");
        assert!(relayed[0] == 0.0 && (relayed[1] - 100.0).abs() < 1e-4, "{relayed:?}");
        // Nothing is saved: the same energy comes from upstream.
        assert!(run.metric("resource_gain").abs() < 1e-6, "{}", run.metric("resource_gain"));
    }
}

#[test]
fn nobody_relays_without_trade_or_where_a_tonne_costs_the_same_for_all() {
    let ladder = policy("Stepped(base_price_per_tonne: 1000, interval_kg: 100, growth: 1)");
    assert_eq!(measure(&pair(), &GridOnly::default(), &*ladder).metric("resold_kwh"), 0.0);
    let run = measure(&pair(), &NashBargaining::default(), &*policy("Tax(price_per_tonne: 1000)"));
    assert_eq!(run.metric("resold_kwh"), 0.0);
}
