//! Auctions in a market: bids from the participants' own problems, slot by slot, delivered and settled like everything else.

use coase_core::Market;
use coase_core::outcome::{Claim, Verdict};
use coase_core::participant::{Device, Load, Participant, Portfolio, Pv, Storage};
use coase_core::setting::{Member, Periods, Setting};
use coase_mechanisms as _;
use coase_testkit::agents::three;
use coase_testkit::measured::{Measured, mechanism, try_measure};
use coase_testkit::{policy, tariff};
use std::sync::Arc;

fn measured(market: &Market, id: &str, under: &str) -> Measured {
    try_measure(market, &*mechanism(id), &*policy(under)).unwrap_or_else(|e| panic!("{id}: {e}"))
}

fn evidence(run: &Measured, name: &str) -> f64 {
    run.cleared.outcome.evidence.iter().find(|c| c.name == name).and_then(|c| c.value).expect("measured")
}

/// Steps of sloped curves miss little of what the closed form gains, and say how much at most.
#[test]
fn three_agents_nearly_reach_the_common_optimum() {
    let run = measured(&three(), "double-auction", "None()");
    let expected = [11715.0 / 361.0, 5625.0 / 1444.0, 10320.0 / 361.0];
    for (gain, expected) in run.of_participants("gain").iter().zip(expected) {
        assert!((gain - expected).abs() < 2.5, "{gain} {expected}");
    }
    let price = run.cleared.outcome.prices[0].price[0].expect("a price");
    assert!((price - 71.0 / 95.0).abs() < 0.6 / 16.0, "{price}");
    let loss = run.metric("coupling_loss");
    assert!((0.0..1.0).contains(&loss), "{loss}");
    assert!(evidence(&run, "bid_step_error") > 0.0);
    assert_eq!(run.verdict("budget_balance"), Verdict::Upheld);
    assert_eq!(run.verdict("individual_rationality"), Verdict::Upheld);
}

/// A surplus in the first hour, a need in the second, and a store between them: together a kWh is carried over, which saves 1 and
/// wears 0.02; in neither hour by itself has the store anything to gain.
#[test]
fn what_only_both_hours_together_gain_is_the_coupling_loss() {
    let periods = Periods { count: 2, hours: 1.0 };
    let store = Storage {
        capacity_kwh: 1.0,
        p_charge_max_kw: 1.0,
        p_discharge_max_kw: 1.0,
        efficiency_charge: 1.0,
        efficiency_discharge: 1.0,
        retention_per_h: 1.0,
        soc_min: 0.0,
        soc_max: 1.0,
        soc_start: 0.0,
        soc_end: None,
        cost_per_kwh: 0.01,
        reserve_cost_per_kw: None,
    };
    let plants = [
        ("roof", Pv { p_max_kw: 1.0, profile: vec![1.0, 0.0].into(), cost_per_kwh: 0.0 }.boxed()),
        ("store", store.boxed()),
        ("house", Load { p_kw: vec![0.0, 1.0].into() }.boxed()),
    ];
    let (mut members, mut participants) = (vec![], vec![]);
    for (id, device) in plants {
        let portfolio = Portfolio::new(id, vec![device], periods).expect("valid");
        let mut member = Member::new(id, 10.0, 10.0);
        member.rating = portfolio.rating();
        members.push(member);
        participants.push(Arc::new(portfolio) as Arc<dyn Participant>);
    }
    let setting = Setting::energy(periods, Some(tariff(&[1.0, 1.0], 0.0, 0.5)), None, members);
    let run = measured(&Market::new(setting, participants), "double-auction", "None()");
    assert!((run.metric("coupling_loss") - 0.98).abs() < 1e-6, "{}", run.metric("coupling_loss"));
}

/// Under a ladder bids are made at the price of the tier that they lead to, or it is said by how much they are not.
#[test]
fn bids_know_the_price_of_their_tier() {
    for under in ["Stepped(interval_kg: 20)", "Stepped(interval_kg: 100000)"] {
        let run = measured(&three(), "mcafee", under);
        let off = evidence(&run, "bid_carbon_price");
        assert!(off.is_finite() && off >= 0.0);
        if under.contains("100000") {
            assert!(off < 1e-9, "one tier has one price: {off}");
        }
        // Sloped curves are bid in steps: no truth can be claimed for them.
        assert!(run.cleared.outcome.withheld.iter().any(|(claim, why)| *claim == Claim::Truthful && !why.is_empty()));
        assert_eq!(run.verdict("ledger_balance"), Verdict::Upheld);
    }
}

/// Matched pairs are the trades, each at its own price, between two members.
#[test]
fn pairs_that_an_auction_matches_are_its_trades() {
    for id in ["pay-as-bid", "continuous-double-auction"] {
        let run = measured(&three(), id, "None()");
        let trades = run.cleared.outcome.trades.as_ref().expect("pairs");
        assert!(!trades.is_empty() && trades.iter().all(|t| t.price.is_some() && t.seller != t.buyer));
        let mut left = run.cleared.outcome.net.clone();
        for t in trades {
            left[t.seller][t.slot] -= t.quantity;
            left[t.buyer][t.slot] += t.quantity;
        }
        assert!(left.iter().flatten().all(|kwh| kwh.abs() < 1e-7), "{id}: {left:?}");
    }
}
