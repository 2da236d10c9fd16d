//! The further reference rules on the three agents and on small markets, against closed forms.

use coase_core::mechanism::Mechanism;
use coase_core::outcome::Verdict;
use coase_core::participant::{Device, Load, Participant, Portfolio, Pv};
use coase_core::setting::{Member, Periods, Setting};
use coase_core::{Market, Outcome, Party, RunContext, Status};
use coase_mechanisms::{
    Aggregator, BilateralPreferences, EnergyCollective, Keys, NetBilling, RandomMatching, SharingKeys, Tatonnement,
};
use coase_testkit::agents::{Agent, market as agents, three};
use coase_testkit::measured::measure;
use coase_testkit::{assert_all, policy, tariff};
use proptest::prelude::*;
use std::sync::Arc;

fn run(mechanism: &dyn Mechanism, market: &Market) -> Outcome {
    mechanism.outcome(market, &mut RunContext::new(1, ())).expect("an outcome")
}

/// Members that generate or need given quantities, kWh per hour, at a tariff of 0.4 / 1.0.
fn given(positions: &[&[f64]]) -> Market {
    let count = positions[0].len();
    let periods = Periods { count, hours: 1.0 };
    let mut members = vec![];
    let mut participants: Vec<Arc<dyn Participant>> = vec![];
    for (k, kwh) in positions.iter().enumerate() {
        let id = format!("m{k}");
        let part = |sign: f64| -> Vec<f64> { kwh.iter().map(|x| (sign * x).max(0.0)).collect() };
        let most = part(1.0).iter().copied().fold(0.0, f64::max);
        let mut devices = vec![Load { p_kw: part(-1.0).into() }.boxed()];
        if most > 0.0 {
            let profile: Vec<f64> = part(1.0).iter().map(|x| x / most).collect();
            devices.push(Pv { p_max_kw: most, profile: profile.into(), cost_per_kwh: 0.0 }.boxed());
        }
        members.push(Member::new(&id, 100.0, 100.0));
        participants.push(Arc::new(Portfolio::new(id, devices, periods).expect("valid")));
    }
    Market::new(Setting::energy(periods, Some(tariff(&vec![1.0; count], 0.4, 0.5)), None, members), participants)
}

/// Production (6, 2), needs (2, 4) and (3, 1), keys of one half.
#[test]
fn keys_leave_the_bills_of_the_rule() {
    let market = given(&[&[6.0, 2.0], &[-2.0, -3.0], &[-4.0, -1.0]]);
    let half = vec![0.0, 0.5, 0.5];
    for (keys, bills, lost) in [
        (Keys::Static(half.clone()), [-0.4, 2.0, 1.0], 0.6),
        (Keys::Proportional, [0.0, 1.5, 0.5], 0.0),
        (Keys::Hybrid(half), [0.0, 2.0, 0.0], 0.0),
    ] {
        let found = measure(&market, &SharingKeys { keys, price_share: None }, &*policy("None()"));
        assert_all(&found.of_participants("total_cost"), &bills, 1e-6);
        assert_all(&[found.certificate("unshared_cost").value.expect("measured")], &[lost], 1e-6);
        assert_eq!(found.verdict("budget_balance"), Verdict::Upheld);
    }
}

#[test]
fn netting_makes_the_gift_of_the_rule() {
    let market = given(&[&[3.0, -4.0, 2.0], &[-2.0, 1.0, -6.0]]);
    let found = measure(&market, &NetBilling::default(), &*policy("None()"));
    assert_all(&found.of_participants("total_cost"), &[-0.4, 7.0], 1e-6);
    assert_all(&[found.certificate("netting_gift").value.expect("measured")], &[3.0], 1e-6);
    assert_eq!(found.verdict("individual_rationality"), Verdict::Upheld);
}

/// Adders of 0.02, 0.10 and 0.01: with relays everything goes by way of the second.
#[test]
fn preferences_are_evaded_where_members_may_pass_on() {
    let named = |a: &str, b: &str, adder| (a.to_owned(), b.to_owned(), adder);
    let adders_per_kwh = vec![named("vpp1", "vpp2", 0.02), named("vpp3", "vpp1", 0.10), named("vpp2", "vpp3", 0.01)];
    let market = three();
    for (relaying, net, cost) in [
        (true, [131.842_105, 39.473_684, -171.315_789], -68.009_210_526),
        (false, [118.947_368, 43.157_895, -162.105_263], -59.231_578_947),
    ] {
        let rule = BilateralPreferences { adders_per_kwh: adders_per_kwh.clone(), relaying };
        let outcome = run(&rule, &market);
        let found: Vec<f64> = outcome.net.iter().map(|x| x[0]).collect();
        assert_all(&found, &net, 1e-3);
        let objective = outcome.evidence.iter().find(|c| c.name == "preferred_cost").and_then(|c| c.value);
        assert_all(&[objective.expect("measured")], &[cost], 1e-5);
        assert!(outcome.ledger.balance(Party::Operator).abs() < 1e-9);
    }
    let plain = run(&BilateralPreferences::default(), &market);
    assert_all(&plain.net.iter().map(|x| x[0]).collect::<Vec<_>>(), &[136.842_105, 39.473_684, -176.315_789], 1e-3);
    assert_all(&plain.trades.iter().flatten().filter_map(|t| t.price).collect::<Vec<_>>(), &[71.0 / 95.0; 2], 1e-4);
    let wrong = BilateralPreferences { adders_per_kwh: vec![named("vpp1", "vpp9", 0.1)], relaying: false };
    let error = (&wrong as &dyn Mechanism).outcome(&market, &mut RunContext::new(1, ())).expect_err("refused");
    assert!(error.to_string().contains("vpp9"), "{error}");
}

/// From 0.7 with half of the right step: half of the way to 71/95 in every round.
#[test]
fn the_price_goes_half_of_the_way_in_every_round() {
    let responses = 1.0 / 0.004 + 1.0 / 0.005 + 1.0 / 0.002;
    let rule = Tatonnement { step_per_kwh2: Some(0.5 / responses), start_per_kwh: Some(0.7) };
    let mut ctx = RunContext::new(1, ());
    let outcome = (&rule as &dyn Mechanism).outcome(&three(), &mut ctx).expect("an outcome");
    let steps = ctx.finish().steps;
    let cried: Vec<f64> = steps.iter().map(|step| step.values[1].1).collect();
    assert_all(&cried[..4], &[0.7, 0.723_684_211, 0.735_526_316, 0.741_447_368], 1e-6);
    assert_all(&cried[cried.len() - 1..], &[71.0 / 95.0], 1e-6);
    assert_eq!(outcome.status, Status::Converged);
    let found = measure(&three(), &Tatonnement::default(), &*policy("None()"));
    assert_eq!(found.verdict("efficiency"), Verdict::Upheld);
    // Twice the right step swings, and never comes to rest.
    let wild = Tatonnement { step_per_kwh2: Some(2.05 / responses), start_per_kwh: Some(0.7) };
    assert!(matches!(run(&wild, &three()).status, Status::NotConverged { .. }));
}

/// Needs of 5, 3 and 2 and a supply of 4: (3, 1, 0), and everybody else buys 2 from the grid.
#[test]
fn the_collective_fills_the_largest_need_first() {
    let market = given(&[&[4.0], &[-5.0], &[-3.0], &[-2.0]]);
    let outcome = run(&EnergyCollective::default(), &market);
    assert_all(&outcome.net.iter().map(|x| x[0]).collect::<Vec<_>>(), &[4.0, -3.0, -1.0, 0.0], 1e-5);
    let found = measure(&three(), &EnergyCollective::default(), &*policy("None()"));
    assert_all(&[found.metric("welfare_gain")], &[4935.0 / 76.0], 1e-5);
    assert_eq!(found.verdict("budget_balance"), Verdict::Upheld);
}

/// Bought at 0.55, sold half of the way from there to 1.0, on 4 kWh that are matched.
#[test]
fn the_aggregator_keeps_its_margin() {
    let market = given(&[&[4.0], &[-5.0], &[-3.0]]);
    let found = measure(&market, &Aggregator::default(), &*policy("None()"));
    assert_all(&[found.metric("operator_surplus")], &[0.225 * 4.0], 1e-6);
    assert_all(&found.of_participants("payment"), &[-0.55 * 4.0, 0.775 * 2.5, 0.775 * 1.5], 1e-6);
    for name in ["individual_rationality", "no_deficit"] {
        assert_eq!(found.verdict(name), Verdict::Upheld);
    }
    let wrong = Aggregator { bid_share: 1.2, ..Aggregator::default() };
    assert!((&wrong as &dyn Mechanism).outcome(&market, &mut RunContext::new(1, ())).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Random pairs match all that can be matched, at the middle of the tariff, and the same seed matches the same pairs.
    #[test]
    fn random_pairs_are_balanced_and_nobody_loses(positions in prop::collection::vec(-9.0..9.0_f64, 2..7)) {
        let each: Vec<[f64; 1]> = positions.iter().map(|x| [*x]).collect();
        let market = given(&each.iter().map(|x| &x[..]).collect::<Vec<_>>());
        let outcome = run(&RandomMatching::default(), &market);
        let (surplus, deficit): (f64, f64) =
            (positions.iter().map(|x| x.max(0.0)).sum(), positions.iter().map(|x| (-x).max(0.0)).sum());
        let sold: f64 = outcome.net.iter().map(|x| x[0].max(0.0)).sum();
        prop_assert!((sold - surplus.min(deficit)).abs() < 1e-5);
        prop_assert!(outcome.ledger.balance(Party::Operator).abs() < 1e-9);
        for (i, kwh) in positions.iter().enumerate() {
            prop_assert!(outcome.net[i][0] * kwh >= -1e-9 && outcome.net[i][0].abs() <= kwh.abs() + 1e-6);
            let money = outcome.ledger.balance(Party::Member(i));
            prop_assert!((money - 0.7 * outcome.net[i][0]).abs() < 1e-6);
        }
        let again = run(&RandomMatching::default(), &market);
        prop_assert!(outcome.trades == again.trades);
    }

    /// Whatever the agents are: keys, collectives and preferences pay out what is paid in.
    #[test]
    fn reference_rules_are_balanced(drawn in prop::collection::vec((0.002..0.02_f64, 0.1..1.4_f64), 2..4)) {
        let market = agents(&drawn.iter().map(|(a, b)| Agent::of(*a, *b)).collect::<Vec<_>>());
        let rules: [&dyn Mechanism; 4] = [
            &SharingKeys::default(), &EnergyCollective::default(), &BilateralPreferences::default(), &Tatonnement::default(),
        ];
        for rule in rules {
            let outcome = run(rule, &market);
            prop_assert!(outcome.ledger.balance(Party::Operator).abs() <= 1e-9 * (1.0 + outcome.ledger.turnover()));
            let net: f64 = outcome.net.iter().map(|x| x[0]).sum();
            prop_assert!(net.abs() < 1e-6, "{rule:?}: {net}");
        }
    }
}
