//! The three-participant instance with its seller behind a line of 100 kVA: closed forms of the constrained optimum. At the
//! seller's bus the price is its own marginal cost at 100, 0.6; beyond the line the others balance at 0.8.

use coase_core::mechanism::Mechanism;
use coase_core::{Market, Outcome, Party, RunContext};
use coase_mechanisms::{NashBargaining, NetworkRepair, SecurityConstrained, Settlement};
use coase_testkit::agents::{LINE as NETWORK, on_a_line as market, on_a_line_like as market_on};
use coase_testkit::measured::measure;
use coase_testkit::{assert_all, policy};

fn run(mechanism: &dyn Mechanism, market: &Market) -> (Outcome, Vec<f64>, Vec<f64>) {
    let outcome = mechanism.run(market, &mut RunContext::new(1, ())).expect("an outcome");
    let held = market.imposing(&outcome.imposed);
    let plans: Vec<_> = (0..3).map(|i| held.local(i).deliver(&outcome.net[i]).expect("feasible")).collect();
    let output = plans.iter().map(|p| p.output[0]).collect();
    let cost = plans.iter().map(|p| p.cost).collect();
    (outcome, output, cost)
}

fn gain_of(outcome: &Outcome) -> f64 {
    outcome.evidence.iter().find(|c| c.name == "constrained_gain").and_then(|c| c.value).expect("a gain")
}

#[test]
fn bargaining_within_the_line_shares_what_it_leaves() {
    let market = market();
    let (outcome, output, cost) = run(&SecurityConstrained::default(), &market);
    assert_all(&output, &[100.0, 50.0, -150.0], 1e-3);
    assert_all(&[cost.iter().sum()], &[-68.75], 1e-3);
    let paid: Vec<f64> = (0..3).map(|i| -outcome.ledger.balance(Party::Member(i))).collect();
    assert_all(&paid, &[-65.416_666_667, -54.166_666_667, 119.583_333_333], 2e-3);
    assert!(outcome.ledger.balance(Party::Operator).abs() < 1e-9);
    // The line is all but lossless: the gain is 61.25, and nothing is due to the DSO.
    assert_all(&[gain_of(&outcome), outcome.ledger.balance(Party::Dso)], &[61.25, 0.0], 2e-3);
}

/// 61.25 shared by four.
#[test]
fn the_dso_may_bargain_as_one_more() {
    let market = market();
    let (outcome, _, cost) =
        run(&SecurityConstrained { settlement: Settlement::DsoBargains, loss_price_per_kwh: None }, &market);
    for (i, cost) in cost.iter().enumerate() {
        let alone = market.local(i).autarky().expect("feasible").cost;
        let total = cost - outcome.ledger.balance(Party::Member(i));
        assert_all(&[alone - total], &[15.3125], 2e-3);
    }
    assert_all(&[outcome.ledger.balance(Party::Dso)], &[15.3125], 2e-3);
    assert!(outcome.ledger.balance(Party::Operator).abs() < 1e-9);
}

#[test]
fn nodal_settlement_leaves_the_rent_of_the_line_with_the_dso() {
    let market = market();
    let (outcome, _, _) =
        run(&SecurityConstrained { settlement: Settlement::Nodal, loss_price_per_kwh: None }, &market);
    let prices: Vec<f64> = outcome.prices.iter().filter_map(|s| s.price[0]).collect();
    assert_all(&prices, &[0.6, 0.8, 0.8], 1e-4);
    let received: Vec<f64> = (0..3).map(|i| outcome.ledger.balance(Party::Member(i))).collect();
    assert_all(&received, &[60.0, 40.0, -120.0], 0.02);
    assert_all(&[outcome.ledger.balance(Party::Dso)], &[20.0], 0.02);
    // The price at the root is 0.8: what the seller misses of it is the rent of the line.
    let to_dso: Vec<f64> = (0..3).map(|i| -outcome.ledger.balance_with(Party::Member(i), Party::Dso)).collect();
    assert_all(&to_dso, &[20.0, 0.0, 0.0], 0.02);
    assert!(outcome.ledger.balance(Party::Operator).abs() < 1e-9);
}

#[test]
fn repair_makes_a_blind_mechanism_respect_the_line_but_not_better_than_the_optimum() {
    let market = market();
    let (_, blind, _) = run(&NashBargaining::default(), &market);
    assert!(blind[0] > 136.0, "the unconstrained seller needs more than the line carries: {blind:?}");
    let (outcome, repaired, cost) = run(&NetworkRepair::default(), &market);
    assert_eq!(outcome.status, coase_core::Status::Converged);
    assert!(repaired[0] <= 100.0 + 1e-3, "{repaired:?}");
    assert!(cost.iter().sum::<f64>() >= -68.75 - 1e-3);
}

/// Like with like: a blind outcome against the blind optimum, a repaired one against the optimum within the line.
#[test]
fn efficiency_is_measured_within_the_same_limits_on_both_sides() {
    let market = market();
    let measure = |mechanism: &dyn Mechanism, name: &str| measure(&market, mechanism, &*policy("None()")).metric(name);
    let blind = NashBargaining::default();
    // Without trade the three cost -7.5; together -5505/76, within the line -68.75.
    assert!((measure(&blind, "efficiency") - 1.0).abs() < 1e-6);
    let cost = measure(&blind, "repair_cost");
    assert!(cost >= 5505.0 / 76.0 - 68.75 - 1e-3, "{cost}");
    let repaired = measure(&blind, "efficiency_repaired");
    assert!((repaired - (61.25 - (cost - (5505.0 / 76.0 - 68.75))) / 61.25).abs() < 1e-4, "{repaired} {cost}");
    assert!(repaired <= 1.0 + 1e-6);
    let secure = SecurityConstrained::default();
    assert!((measure(&secure, "efficiency_repaired") - 1.0).abs() < 1e-4);
    assert!(measure(&secure, "repair_cost").abs() < 1e-9);
}

/// A voltage that no trade misses and nobody's injection can lift: the limit is named, with where and when.
#[test]
fn limits_that_nobody_can_relieve_are_named() {
    let text =
        NETWORK.replace("(id: 2, v_min_pu: 0.9", "(id: 2, v_min_pu: 1.05").replace("rate_kva: 100", "rate_kva: 1e6");
    let market = market_on(&text);
    let repaired = NetworkRepair::default().run(&market, &mut RunContext::new(1, ())).expect("an outcome");
    let found = repaired.evidence.iter().find(|c| c.name == "network_limits").expect("a certificate");
    assert!(
        found.witness.starts_with("bus 2, period 0: voltage 0.99")
            || found.witness.starts_with("bus 2, period 0: voltage 1 pu"),
        "{found:?}"
    );
    assert!(found.witness.contains("below its limit of 1.05 pu"), "{found:?}");
    assert!(
        matches!(repaired.status, coase_core::Status::NotConverged { residual } if residual > 0.04),
        "{:?}",
        repaired.status
    );
    let error =
        SecurityConstrained::default().run(&market, &mut RunContext::new(1, ())).expect_err("no optimum").to_string();
    for part in ["infeasible: bus 2, period 0: voltage", "below its limit of 1.05 pu"] {
        assert!(error.contains(part), "{error}");
    }
}

/// Bus 2 misses its limit without trade and only its member can lift it, at its own cost: the gain is negative, and no
/// participant is promised one.
#[test]
fn nobody_is_promised_a_gain_where_no_trade_misses_the_limits() {
    let text = "Network(name: \"two\", base_mva: 1,
        buses: [(id: 1, kind: Slack), (id: 2, v_min_pu: 0.99, p_kw: 400)],
        branches: [(from: 1, to: 2, r_pu: 0.05, x_pu: 0.05)])";
    let market = market_on(text);
    let outcome = SecurityConstrained::default().run(&market, &mut RunContext::new(1, ())).expect("an outcome");
    let gain = gain_of(&outcome);
    let withheld = outcome.withheld.iter().any(|(claim, _)| *claim == coase_core::outcome::Claim::IndividuallyRational);
    assert_eq!(withheld, gain < 0.0, "{gain}");
}

/// A generator of the network puts 30 kW on the line before the seller does: 70 are left. Beyond the line the others balance
/// at `590 / 700`, and the seller's own marginal cost at 70 is 0.48.
#[test]
fn generators_of_the_network_are_on_the_line_too() {
    let with_generator = |bus: &str| {
        let text = NETWORK.replace("(id: 2, ", &format!("(id: 2, kind: {bus}, "));
        text.trim_end().trim_end_matches(')').to_owned() + "    generators: [(bus: 2, p_kw: 30)],\n)"
    };
    let market = market_on(&with_generator("Pq"));
    let (outcome, output, _) = run(&SecurityConstrained::default(), &market);
    assert_all(&output, &[70.0, 58.571_428_571, -128.571_428_571], 1e-3);
    let prices: Vec<f64> = outcome.prices.iter().filter_map(|s| s.price[0]).collect();
    assert_all(&prices, &[0.48, 590.0 / 700.0, 590.0 / 700.0], 1e-4);
    // Where it holds the voltage of its bus, the joint program does not apply.
    let held = market_on(&with_generator("Pv"));
    let error = SecurityConstrained::default().run(&held, &mut RunContext::new(1, ())).expect_err("not modelled");
    assert!(error.to_string().contains("no generator holds the voltage"), "{error}");
}
