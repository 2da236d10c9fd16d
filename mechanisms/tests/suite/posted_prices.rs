//! Sellers with prices and buyers who spread over them, on markets whose positions are given: against closed forms.

use coase_core::mechanism::Mechanism;
use coase_core::network::Network;
use coase_core::outcome::Verdict;
use coase_core::participant::{Device, Load, Participant, Portfolio, Pv};
use coase_core::population::Dynamics;
use coase_core::pricing::{Buyer, Method, PricingGame as Numbers, Seller, Update};
use coase_core::setting::{Feeder, Member, Periods, Setting};
use coase_core::{Curve, Market, MechanismError, Outcome, RunContext, Status};
use coase_mechanisms::{EvolutionaryBuyers, MidMarketRate, MultipleGame, PricingGame, Surplus};
use coase_testkit::agents::three;
use coase_testkit::measured::measure;
use coase_testkit::{policy, tariff};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What sellers have and buyers need, kWh, for an hour, at a tariff of 1.2 / 0.3.
const E: [f64; 3] = [100.0, 60.0, 80.0];
const NEEDS: [f64; 3] = [60.0, 50.0, 40.0];
const CONGESTION: f64 = 0.25;

fn plants() -> Vec<Arc<dyn Participant>> {
    let hour = Periods { count: 1, hours: 1.0 };
    let plant = |id: String, device: Box<dyn Device>| -> Arc<dyn Participant> {
        Arc::new(Portfolio::new(id, vec![device], hour).expect("valid"))
    };
    let sellers = E.iter().enumerate().map(|(j, kw)| {
        plant(format!("s{}", j + 1), Pv { p_max_kw: *kw, profile: vec![1.0].into(), cost_per_kwh: 0.0 }.boxed())
    });
    let buyers =
        NEEDS.iter().enumerate().map(|(i, kw)| plant(format!("b{}", i + 1), Load { p_kw: vec![*kw].into() }.boxed()));
    sellers.chain(buyers).collect()
}

fn setting(feeder: Option<Feeder>, export_max_kw: f64) -> Setting {
    let ids = ["s1", "s2", "s3", "b1", "b2", "b3"];
    let mut members = ids.map(|id| Member::new(id, 200.0, export_max_kw)).to_vec();
    if let Some(feeder) = &feeder {
        for (k, member) in members.iter_mut().enumerate() {
            member.node = feeder.network.node(k as u64 % 3 + 1);
        }
    }
    Setting::energy(Periods { count: 1, hours: 1.0 }, Some(tariff(&[1.2], 0.3, 0.5)), feeder, members)
}

fn apart() -> Market {
    Market::new(setting(None, 200.0), plants())
}

/// A seller and a buyer at each of three buses of a line, the last two nearer to each other.
fn on_a_line() -> Market {
    let line = r#"Network(name: "line", base_mva: 1, buses: [(id: 1, kind: Slack, v_min_pu: 0.5, v_max_pu: 1.5),
        (id: 2, v_min_pu: 0.5, v_max_pu: 1.5), (id: 3, v_min_pu: 0.5, v_max_pu: 1.5)],
        branches: [(from: 1, to: 2, r_pu: 0.02, x_pu: 0.01), (from: 2, to: 3, r_pu: 0.01, x_pu: 0.01)])"#;
    let feeder = Feeder::new(Network::from_ron(line).expect("a network"), vec![1.0]).expect("a feeder");
    Market::new(setting(Some(feeder), 200.0), plants())
}

fn run(mechanism: &dyn Mechanism, market: &Market) -> Outcome {
    mechanism.outcome(market, &mut RunContext::new(1, ())).expect("an outcome")
}

fn near(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() <= tolerance, "{found:?} instead of {expected:?}");
    }
}

/// Sales of the three sellers, kWh.
fn sold(outcome: &Outcome) -> Vec<f64> {
    outcome.net[..3].iter().map(|net| net[0]).collect()
}

fn slopes() -> Vec<f64> {
    E.iter().map(|e| e / CONGESTION).collect()
}

/// Prices of the equilibrium where all sell, none sells out and the grid is dearer: costs are what the grid pays.
fn equilibrium_prices() -> Vec<f64> {
    let (s, cost) = (slopes(), 0.3);
    let all: f64 = s.iter().sum();
    let need: f64 = NEEDS.iter().sum();
    let share: Vec<f64> = s.iter().map(|s| s / all).collect();
    let own: Vec<f64> = share.iter().map(|x| need / all + cost * (1.0 - x)).collect();
    let upper: f64 = (0..3).map(|j| share[j] * own[j] / (2.0 - share[j])).sum();
    let lower: f64 = 1.0 - share.iter().map(|x| x / (2.0 - x)).sum::<f64>();
    (0..3).map(|j| (upper / lower + own[j]) / (2.0 - share[j])).collect()
}

/// What is asked at prices: `y_j = s_j (level - p_j)`.
fn asked(prices: &[f64]) -> Vec<f64> {
    let s = slopes();
    let level =
        (NEEDS.iter().sum::<f64>() + s.iter().zip(prices).map(|(s, p)| s * p).sum::<f64>()) / s.iter().sum::<f64>();
    s.iter().zip(prices).map(|(s, p)| s * (level - p)).collect()
}

fn given_prices() -> BTreeMap<String, f64> {
    [("s1", 0.55), ("s2", 0.60), ("s3", 0.50)].map(|(id, p)| (id.to_owned(), p)).into()
}

#[test]
fn evolutionary_buyers_come_to_wardrops_equilibrium() {
    let market = apart();
    let expected = asked(&[0.55, 0.60, 0.50]);
    let dynamics = [Dynamics::Replicator { step: 0.8 }, Dynamics::Smith, Dynamics::Projection];
    for dynamics in dynamics {
        let rule = EvolutionaryBuyers { dynamics, prices_per_kwh: given_prices(), ..EvolutionaryBuyers::default() };
        let found = measure(&market, &rule, &*policy("None()"));
        assert_eq!(found.cleared.outcome.status, Status::Converged, "{dynamics:?}");
        near(&sold(&found.cleared.outcome), &expected, 1e-4);
        assert_eq!(
            found.verdict("wardrop_gap"),
            Verdict::Upheld,
            "{dynamics:?}: {:?}",
            found.certificate("wardrop_gap")
        );
        for name in ["budget_balance", "individual_rationality", "ledger_balance"] {
            assert_eq!(found.verdict(name), Verdict::Upheld, "{dynamics:?}: {name}");
        }
        // Gains are those of the price against the tariff on what is traded.
        let gain: f64 = found.of_participants("gain").iter().sum();
        assert!((gain - 150.0 * 0.9).abs() < 1e-3, "{gain}");
    }
    // Nothing drives out what is not used where nothing is better than the mean: it comes near, and says that it is not there.
    let slow = EvolutionaryBuyers {
        dynamics: Dynamics::BrownVonNeumannNash,
        prices_per_kwh: given_prices(),
        ..EvolutionaryBuyers::default()
    };
    let outcome = run(&slow, &market);
    near(&sold(&outcome), &expected, 0.1);
    assert!(matches!(outcome.status, Status::NotConverged { .. }), "{:?}", outcome.status);
    let logit = EvolutionaryBuyers {
        dynamics: Dynamics::Logit { noise: 0.05 },
        prices_per_kwh: given_prices(),
        ..EvolutionaryBuyers::default()
    };
    let found = measure(&market, &logit, &*policy("None()"));
    assert_eq!(found.verdict("wardrop_gap"), Verdict::Measured);
    assert!(found.certificate("wardrop_gap").value.unwrap() > 0.1, "noise buys where it is dear");
}

#[test]
fn sellers_without_a_price_ask_a_share_of_the_tariff() {
    let market = apart();
    let prices = |share: f64| {
        let outcome = run(&EvolutionaryBuyers { price_share: share, ..EvolutionaryBuyers::default() }, &market);
        outcome.trades.unwrap().iter().map(|t| t.price.unwrap()).collect::<Vec<_>>()
    };
    assert!(prices(0.5).iter().all(|p| (p - 0.75).abs() < 1e-12));
    assert!(prices(0.25).iter().all(|p| (p - 0.525).abs() < 1e-12));
    let unknown =
        EvolutionaryBuyers { prices_per_kwh: [("s9".to_owned(), 0.5)].into(), ..EvolutionaryBuyers::default() };
    let error = unknown.run(&market, &mut RunContext::new(1, ())).unwrap_err();
    assert!(matches!(&error, MechanismError::Parameter { name: "prices_per_kwh", .. }), "{error}");
}

#[test]
fn the_pricing_game_ends_in_its_closed_form_by_every_method() {
    let market = apart();
    let expected = equilibrium_prices();
    for method in Method::ALL {
        let found = measure(&market, &PricingGame { method, ..PricingGame::default() }, &*policy("None()"));
        let outcome = &found.cleared.outcome;
        assert_eq!(outcome.status, Status::Converged, "{method:?}");
        near(&outcome.strategies.concat(), &expected, 1e-7);
        near(&sold(outcome), &asked(&expected), 1e-4);
        for name in ["nikaido_isoda", "equilibrium_gap", "budget_balance", "individual_rationality"] {
            assert_eq!(found.verdict(name), Verdict::Upheld, "{method:?}: {:?}", found.certificate(name));
        }
    }
}

/// Distances make pairs differ, and best replies cycle: the run says so, and plays the least gap.
#[test]
fn a_pricing_game_with_distances_has_no_equilibrium() {
    let market = on_a_line();
    let rule = PricingGame { distance_per_kwh: 0.03, ..PricingGame::default() };
    let found = measure(&market, &rule, &*policy("None()"));
    let Status::NoEquilibriumFound { gap } = found.cleared.outcome.status else {
        panic!("{:?}", found.cleared.outcome.status);
    };
    let certificate = found.certificate("nikaido_isoda");
    assert!(gap > 1e-3 && certificate.value == Some(gap) && certificate.verdict == Verdict::Measured);
    assert!(certificate.witness.contains("best replies come again every"), "{certificate:?}");
    assert_eq!(found.verdict("equilibrium_gap"), Verdict::NotApplicable);
    // The same game on plain numbers, distances 2, 1 and 3 over their mean of 30 pairs.
    let mean = 8.0 * (2.0 + 3.0 + 1.0) / 30.0;
    let at = [0.0, 2.0, 3.0];
    let sellers = E.map(|quantity| Seller { cost: 0.3, quantity, congestion: CONGESTION }).to_vec();
    let buyer = |i: usize| Buyer {
        quantity: NEEDS[i],
        adders: at.map(|x: f64| 0.03 * (x - at[i]).abs() / mean).to_vec(),
        grid_price: Some(1.2),
        value: None,
    };
    let numbers = Numbers::new(sellers, &[buyer(0), buyer(1), buyer(2)], 0.3, 1.2).unwrap();
    let there = numbers.solve(Method::GaussSeidel, &mut |_, _| true);
    assert!((there.gap.nikaido_isoda - gap).abs() < 1e-6, "{} and {gap}", there.gap.nikaido_isoda);
    assert!(found.certificate("felt_cost").value.unwrap() > 0.0);
    // Without the distances the feeder changes nothing.
    near(&run(&PricingGame::default(), &market).strategies.concat(), &equilibrium_prices(), 1e-7);
}

#[test]
fn the_multiple_game_rests_at_the_closed_form_and_excess_demand_elsewhere() {
    let market = apart();
    let found = measure(&market, &MultipleGame::default(), &*policy("None()"));
    let outcome = &found.cleared.outcome;
    assert_eq!(outcome.status, Status::Converged, "{:?}", outcome.evidence);
    near(&outcome.strategies.concat(), &equilibrium_prices(), 1e-5);
    near(&sold(outcome), &asked(&equilibrium_prices()), 1e-2);
    assert_eq!(found.verdict("wardrop_gap"), Verdict::Upheld);
    assert!(found.certificate("nikaido_isoda").value.unwrap() < 1e-5);
    // 240 kWh for 150: nothing is scarce, and prices fall to the least.
    let walras = MultipleGame { update: Update::ExcessDemand { step: None }, ..MultipleGame::default() };
    let found = measure(&market, &walras, &*policy("None()"));
    assert_eq!(found.cleared.outcome.status, Status::Converged, "it seeks no equilibrium of the prices");
    near(&found.cleared.outcome.strategies.concat(), &[0.3; 3], 1e-6);
    assert!(found.certificate("nikaido_isoda").value.unwrap() > 1.0, "which is far from one");
    // Prices that rest where nobody gains by a small change are not taken for an equilibrium.
    let rule = MultipleGame { distance_per_kwh: 0.03, ..MultipleGame::default() };
    let outcome = run(&rule, &on_a_line());
    assert!(!matches!(outcome.status, Status::Converged), "{:?}", outcome.status);
}

/// What cannot be fed in is curtailed and metered as nothing: only what is offered can be sold.
#[test]
fn curtailed_surplus_is_sold_where_it_is_offered() {
    let market = Market::new(setting(None, 0.0), plants());
    let metered = run(&MultipleGame::default(), &market);
    assert!(metered.trades.as_ref().unwrap().is_empty(), "{:?}", metered.trades);
    let rule = MultipleGame { positions: Surplus::Offered, ..MultipleGame::default() };
    let found = measure(&market, &rule, &*policy("None()"));
    let outcome = &found.cleared.outcome;
    let all: f64 = sold(outcome).iter().sum();
    assert!((all - 150.0).abs() < 1e-3, "{all}");
    assert_eq!(found.verdict("dispatch_feasibility"), Verdict::Upheld);
    // Costs of 0 instead of what the grid would pay: prices are lower by less.
    assert!(outcome.strategies.concat().iter().zip(equilibrium_prices()).all(|(p, at_tariff)| *p < at_tariff));
    let curtailed: f64 = found.of_participants("curtailed_kwh").iter().sum();
    assert!((curtailed - 90.0).abs() < 1e-3, "{curtailed}");
}

/// Fixed positions have nothing to plan anew: the first round is the last. Members who can choose rest, or it is said who does not.
#[test]
fn responsive_members_rest_or_say_who_does_not() {
    let rule = MultipleGame { responsive: true, ..MultipleGame::default() };
    let found = measure(&apart(), &rule, &*policy("None()"));
    assert_eq!(found.cleared.outcome.status, Status::Converged);
    assert_eq!(found.verdict("fixed_point_plans"), Verdict::Upheld, "{:?}", found.certificate("fixed_point_plans"));
    let fixed = run(&MultipleGame::default(), &apart());
    near(&found.cleared.outcome.strategies.concat(), &fixed.strategies.concat(), 1e-9);
    let outcome = run(&MultipleGame { certify: false, ..rule }, &three());
    let certificate = outcome.evidence.iter().find(|c| c.name == "fixed_point_plans").expect("it is said");
    match outcome.status {
        Status::Converged => assert_eq!(certificate.verdict, Verdict::Upheld),
        _ => assert!(certificate.witness.contains("would still save"), "{certificate:?}"),
    }
}

fn curves(mechanism: &dyn Mechanism, market: &Market) -> Vec<Curve> {
    let outcome = run(mechanism, market);
    mechanism.curves(market, &outcome, 1).expect("curves")
}

fn named<'c>(curves: &'c [Curve], name: &'static str) -> impl Iterator<Item = &'c Curve> {
    curves.iter().filter(move |curve| curve.name == name)
}

/// Three sellers and a grid that is too dear to be chosen: the plane has one stable point inside, and each corner is left again.
#[test]
fn the_plane_of_shares_has_the_rest_points_of_the_replicator() {
    let all = curves(&EvolutionaryBuyers::default(), &apart());
    // All ask 0.75: shares are in proportion to what each has.
    let stable: Vec<&Curve> = named(&all, "simplex_stable").collect();
    assert_eq!(stable.len(), 1, "{all:?}");
    let (x, y) = stable[0].points[0];
    near(&[x, y], &[E[0] / 240.0, E[1] / 240.0], 1e-9);
    // Corners are sources: whoever is alone there is dearer than both others. Sides are saddles.
    assert_eq!(named(&all, "simplex_unstable").count(), 3);
    assert_eq!(named(&all, "simplex_saddle").count(), 3);
    assert_eq!(named(&all, "simplex_corner").filter_map(|c| c.member).collect::<Vec<_>>(), [0, 1, 2]);
    for way in named(&all, "simplex_trajectory") {
        let (x, y) = *way.points.last().expect("points");
        near(&[x, y], &[E[0] / 240.0, E[1] / 240.0], 1e-5);
        assert!(way.points.iter().all(|(x, y)| *x >= 0.0 && *y >= 0.0 && x + y <= 1.0 + 1e-12));
    }
    // Arrows near the point of rest lead to it.
    let from = |p: (f64, f64)| (p.0 - x).hypot(p.1 - y);
    let towards = named(&all, "simplex_flow").filter(|arrow| from(arrow.points[1]) < from(arrow.points[0])).count();
    assert!(2 * towards > named(&all, "simplex_flow").count(), "{towards}");
    // Without a face that is rested on by itself only the equilibrium is left.
    let smith = EvolutionaryBuyers { dynamics: Dynamics::Smith, ..EvolutionaryBuyers::default() };
    let all = curves(&smith, &apart());
    assert_eq!(named(&all, "simplex_stable").count(), 1);
    assert_eq!(named(&all, "simplex_unstable").count() + named(&all, "simplex_saddle").count(), 0);
}

#[test]
fn shares_over_time_sum_to_one_and_end_in_the_equilibrium() {
    let all = curves(&EvolutionaryBuyers::default(), &apart());
    let lines: Vec<&Curve> = named(&all, "share").collect();
    assert_eq!(lines.iter().map(|line| line.member).collect::<Vec<_>>(), [Some(0), Some(1), Some(2), None]);
    for k in 0..lines[0].points.len() {
        let sum: f64 = lines.iter().map(|line| line.points[k].1).sum();
        assert!((sum - 1.0).abs() < 1e-12 && lines.iter().all(|line| line.points[k].0 == lines[0].points[k].0));
    }
    let ends: Vec<f64> = lines.iter().map(|line| line.points.last().expect("points").1).collect();
    near(&ends, &[E[0] / 240.0, E[1] / 240.0, E[2] / 240.0, 0.0], 1e-6);
}

/// The lines of best replies cross where the prices of the game do.
#[test]
fn best_replies_of_two_sellers_cross_at_the_equilibrium() {
    let all = curves(&PricingGame::default(), &apart());
    let lines: Vec<&Curve> = named(&all, "best_response").collect();
    assert_eq!(lines.len(), 2);
    // Those with most to sell.
    assert_eq!((lines[0].member, lines[0].other), (Some(0), Some(2)));
    let found = named(&all, "equilibrium").next().expect("there is one");
    let expected = equilibrium_prices();
    near(&[found.points[0].0, found.points[0].1], &[expected[2], expected[0]], 1e-8);
    for (line, (asked, best)) in lines.iter().zip([(expected[2], expected[0]), (expected[0], expected[2])]) {
        let after = line.points.iter().position(|p| p.0 > asked).expect("within the range");
        let (a, b) = (line.points[after - 1], line.points[after]);
        let between = a.1 + (b.1 - a.1) * (asked - a.0) / (b.0 - a.0);
        assert!((between - best).abs() < 1e-6, "{between} instead of {best}");
    }
}

/// At 0.7 the first agent sells 125 kWh and the second 30; the third buys `D` at `0.7 S / D + (D - S) / D`, of which each kWh is worth
/// `1.1 - 0.002 D` to it: `D^2 - 50 D - 150 S = 0`.
#[test]
fn plans_and_the_middle_of_the_tariff_fit_as_by_hand() {
    let found = measure(&three(), &MidMarketRate { responsive: true, ..MidMarketRate::default() }, &*policy("None()"));
    let outcome = &found.cleared.outcome;
    assert_eq!(outcome.status, Status::Converged);
    assert_eq!(found.verdict("fixed_point_plans"), Verdict::Upheld, "{:?}", found.certificate("fixed_point_plans"));
    let supply = 155.0;
    let demand = 0.5 * (50.0 + (2500.0_f64 + 600.0 * supply).sqrt());
    near(&outcome.net.iter().map(|net| net[0]).collect::<Vec<_>>(), &[125.0, 30.0, -supply], 0.5);
    let bought = outcome.prices[1].price[0].unwrap();
    assert!((bought - (1.1 - 0.002 * demand)).abs() < 2e-3, "{bought}");
}

/// What the roofs curtail is offered at the middle of the tariff, and all that is needed is sold.
#[test]
fn curtailed_surplus_is_priced_by_internal_rules_where_it_is_offered() {
    let market = Market::new(setting(None, 0.0), plants());
    let metered = run(&MidMarketRate::default(), &market);
    assert!(metered.trades.as_ref().unwrap().is_empty());
    let rule = MidMarketRate { positions: Surplus::Offered, ..MidMarketRate::default() };
    let found = measure(&market, &rule, &*policy("None()"));
    // 150 of 240 kWh, in proportion to what each has.
    near(&sold(&found.cleared.outcome), &E.map(|e| 150.0 * e / 240.0), 1e-3);
    assert_eq!(found.verdict("dispatch_feasibility"), Verdict::Upheld);
    assert_eq!(found.verdict("individual_rationality"), Verdict::NotApplicable);
    assert!(found.of_participants("gain").iter().all(|gain| *gain > 0.0));
}
