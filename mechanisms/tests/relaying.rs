//! Energy that one participant imports for another is told. A ladder of 1, 2, 3 per kg in tiers of 100 kg at 1 kg/kWh: who
//! needs 300 kWh pays 600 for carbon alone; with somebody who needs nothing, 100 kWh are imported at the first tier of each
//! and 100 at the second, for 400. Least traded among those schedules is 100 kWh, all of it relayed.

mod measured;

use coase_core::participant::{Device, Load, Participant, Portfolio};
use coase_core::setting::{Member, Periods, Setting, Tariff};
use coase_core::{Market, mechanism::Mechanism};
use coase_mechanisms::{CentralOptimum, GridOnly, NashBargaining};
use measured::{measure, policy};
use std::sync::Arc;

fn market() -> Market {
    let periods = Periods { count: 1, hours: 1.0 };
    let tariff = Tariff {
        buy_per_kwh: vec![0.5],
        sell_per_kwh: vec![0.3],
        intensity_kg_per_kwh: vec![1.0],
        upstream_carbon_per_tonne: 0.0,
    };
    let plants = [300.0, 0.0].map(|kw| {
        let load = vec![Load { p_kw: vec![kw].into() }.boxed()];
        Arc::new(Portfolio::new("plant", load, periods).expect("valid")) as Arc<dyn Participant>
    });
    let members = ["needs", "relays"].map(|id| Member::new(id, 1000.0, 1000.0)).to_vec();
    Market::new(Setting::energy(periods, Some(tariff), None, members), plants.to_vec())
}

#[test]
fn a_ladder_is_climbed_by_relaying_and_that_is_seen() {
    let ladder = policy("Stepped(base_price_per_tonne: 1000, interval_kg: 100, growth: 1)");
    let rules: [&dyn Mechanism; 2] = [&CentralOptimum::default(), &NashBargaining::default()];
    for rule in rules {
        let run = measure(&market(), rule, &*ladder);
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
    assert_eq!(measure(&market(), &GridOnly::default(), &*ladder).metric("resold_kwh"), 0.0);
    let run = measure(&market(), &NashBargaining::default(), &*policy("Tax(price_per_tonne: 1000)"));
    assert_eq!(run.metric("resold_kwh"), 0.0);
}
