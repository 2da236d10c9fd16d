//! The network's operator as a leader, on markets where its best fee is known in closed form.

use coase_core::mechanism::Mechanism;
use coase_core::outcome::Verdict;
use coase_core::participant::{Device, Load, MicroTurbine, Participant, Portfolio, Pv, Quadratic};
use coase_core::setting::{Member, Periods, Setting};
use coase_core::{Market, MechanismError, Party, Reason, RunContext};
use coase_mechanisms::{Distance, Fee, FeeSolver, StackelbergNetworkFee};
use coase_testkit::agents::{THREE, market};
use coase_testkit::five_vpps::OnFeeder;
use coase_testkit::measured::{Measured, measure, mechanism, try_measure};
use coase_testkit::{HOUR, assert_all, policy, tariff};
use std::sync::Arc;

fn run(market: &Market, rule: &StackelbergNetworkFee) -> Measured {
    measure(market, rule, &*policy("None()"))
}

fn value(run: &Measured, name: &str) -> f64 {
    run.certificate(name).value.unwrap_or_else(|| panic!("{name} is empty"))
}

/// Seller and buyer at the ends of the three: they trade `(0.9 - fee) / 0.006` as long as the fee is below 0.6.
fn two() -> Market {
    market(&[THREE[0], THREE[2]])
}

fn fixed(per_kwh: f64) -> StackelbergNetworkFee {
    StackelbergNetworkFee { fee: Fee::Fixed { per_kwh }, ..StackelbergNetworkFee::default() }
}

#[test]
fn the_best_fee_of_two_agents_is_the_vertex_of_a_parabola() {
    for solver in [FeeSolver::Search, FeeSolver::SingleLevel] {
        let rule = StackelbergNetworkFee { solver, ..StackelbergNetworkFee::default() };
        let found = run(&two(), &rule);
        assert!(
            (value(&found, "leader_fee_per_kwh") - 0.45).abs() < 1e-7,
            "{solver:?}: {:?}",
            found.found.certificates
        );
        assert!((value(&found, "leader_revenue") - 33.75).abs() < 1e-6, "{solver:?}");
        assert_all(&found.cleared.outcome.net.concat(), &[75.0, -75.0], 1e-5);
        let paid = found.found.ledger.balance_of(Party::Dso, &[Reason::Network]);
        assert!((paid - 33.75).abs() < 1e-6 && (found.metric("dso_revenue") - paid).abs() < 1e-9);
        // With wear the trade is the quantity in which marginal revenue is marginal wear.
        let found = run(&two(), &StackelbergNetworkFee { wear_per_kwh2: 1e-3, ..rule });
        assert!((value(&found, "leader_fee_per_kwh") - 0.484615384615).abs() < 1e-7, "{solver:?}");
        assert!((value(&found, "leader_revenue") - 31.153846154).abs() < 1e-6, "{solver:?}");
        let prices: Vec<f64> = found.cleared.outcome.trades.iter().flatten().filter_map(|t| t.price).collect();
        assert_all(&prices, &[0.476923077], 1e-6);
    }
}

/// Distances 1, 2 and 1.5, wear 2e-4 for each of them.
fn three_apart() -> StackelbergNetworkFee {
    let rows = vec![vec![0.0, 1.0, 2.0], vec![1.0, 0.0, 1.5], vec![2.0, 1.5, 0.0]];
    StackelbergNetworkFee { distance: Distance::Given(rows), wear_per_kwh2: 2e-4, ..StackelbergNetworkFee::default() }
}

#[test]
fn the_best_fee_of_three_agents_apart_and_its_prices_are_as_computed_elsewhere() {
    for solver in [FeeSolver::Search, FeeSolver::SingleLevel] {
        let found = run(&market(&THREE), &StackelbergNetworkFee { solver, ..three_apart() });
        assert!((value(&found, "leader_fee_per_kwh") - 0.220127072544).abs() < 1e-7, "{solver:?}");
        assert!((value(&found, "leader_revenue") - 34.576134731712).abs() < 1e-6, "{solver:?}");
        let trades = found.cleared.outcome.trades.clone().unwrap();
        let of = |seller, buyer| -> f64 {
            trades.iter().filter(|t| (t.seller, t.buyer) == (seller, buyer)).map(|t| t.quantity).sum()
        };
        assert_all(&[of(0, 2), of(1, 2), of(0, 1)], &[73.121110579, 10.509595718, 0.0], 1e-4);
        let prices: Vec<f64> = trades.iter().filter_map(|t| t.price).collect();
        assert_all(&prices, &[0.492484442, 0.602547979], 1e-6);
        for name in ["leader_gap", "follower_kkt", "complementarity"] {
            let verdict = found.found.certificates.iter().find(|c| c.name == name).map(|c| c.verdict);
            let expected = (solver == FeeSolver::Search || name != "leader_gap").then_some(Verdict::Upheld);
            assert_eq!(verdict, expected, "{solver:?}: {name}");
        }
        if solver == FeeSolver::SingleLevel {
            assert_eq!(found.verdict("single_level_gap"), Verdict::Upheld);
        }
    }
}

#[test]
fn the_revenue_of_given_fees_is_as_computed_elsewhere() {
    for (per_kwh, revenue) in [(0.1, 23.094182825), (0.2, 34.253808864), (0.25, 33.866083795)] {
        let found = run(&market(&THREE), &StackelbergNetworkFee { fee: Fee::Fixed { per_kwh }, ..three_apart() });
        assert!((value(&found, "leader_revenue") - revenue).abs() < 1e-6, "{per_kwh}");
    }
    // At 0.3 the pair at distance 2 is indifferent between trade and the grid.
    let found = run(&market(&THREE), &StackelbergNetworkFee { fee: Fee::Fixed { per_kwh: 0.3 }, ..three_apart() });
    assert!((value(&found, "leader_revenue") - 29.5).abs() < 1e-5, "{:?}", found.certificate("leader_revenue"));
    assert!(value(&found, "leader_revenue_pessimistic").abs() < 1e-4);
}

#[test]
fn without_a_fee_all_reach_the_common_optimum_with_the_least_squares() {
    let found = run(&market(&THREE), &fixed(0.0));
    assert!((found.metric("total_cost") + 5505.0 / 76.0).abs() < 1e-6);
    let best = measure(&market(&THREE), &*mechanism("central-optimum"), &*policy("None()"));
    assert_all(&found.cleared.outcome.net.concat(), &best.cleared.outcome.net.concat(), 1e-5);
    assert_eq!(found.metric("dso_revenue"), 0.0);
    assert_ne!(found.verdict("equilibrium_gap"), Verdict::Upheld, "nobody chose this fee");
}

#[test]
fn traded_energy_never_rises_with_the_fee() {
    let traded: Vec<f64> = (0..=13)
        .map(|k| {
            let found = run(&market(&THREE), &fixed(0.05 * f64::from(k)));
            found.cleared.outcome.trades.iter().flatten().map(|t| t.quantity).sum()
        })
        .collect();
    assert!(traded.windows(2).all(|w| w[1] <= w[0] + 1e-6), "{traded:?}");
    assert!(traded[13] < 1e-6 && traded[0] > 170.0, "{traded:?}");
}

/// Two pairs of 10 kWh at distance 1, whose sellers else get 0.4 and whose buyers else make their own at 0.6 and 0.8.
fn two_pairs() -> (Market, StackelbergNetworkFee) {
    let sun = || Pv { p_max_kw: 10.0, profile: vec![1.0].into(), cost_per_kwh: 0.0 }.boxed();
    let turbine = |cost_per_kwh: f64| {
        MicroTurbine {
            p_min_kw: 0.0,
            p_max_kw: 10.0,
            cost_per_kwh,
            cost_per_kwh2: 0.0,
            cost_per_h: 0.0,
            ramp_kw_per_h: None,
            emission_kg_per_kwh: 0.0,
            reserve_cost_per_kw: None,
        }
        .boxed()
    };
    let load = || Load { p_kw: vec![10.0].into() }.boxed();
    let plants = [
        ("s1", vec![sun()]),
        ("b1", vec![load(), turbine(0.6)]),
        ("s2", vec![sun()]),
        ("b2", vec![load(), turbine(0.8)]),
    ];
    let mut members = vec![];
    let mut participants: Vec<Arc<dyn Participant>> = vec![];
    for (id, devices) in plants {
        let portfolio = Portfolio::new(id, devices, HOUR).expect("valid");
        members.push(Member { rating: portfolio.rating(), ..Member::new(id, 100.0, 100.0) });
        participants.push(Arc::new(portfolio));
    }
    let setting = Setting::energy(HOUR, Some(tariff(&[1.0], 0.4, 0.5)), None, members);
    let far = |i: usize, j: usize| {
        if i == j {
            0.0
        } else if i / 2 == j / 2 {
            1.0
        } else {
            100.0
        }
    };
    let rows = (0..4).map(|i| (0..4).map(|j| far(i, j)).collect()).collect();
    let rule = StackelbergNetworkFee { distance: Distance::Given(rows), ..StackelbergNetworkFee::default() };
    (Market::new(setting, participants), rule)
}

#[test]
fn two_fees_may_earn_the_same_and_the_run_says_so() {
    let (market, rule) = two_pairs();
    let found = run(&market, &rule);
    assert!((value(&found, "leader_revenue") - 4.0).abs() < 1e-6, "{:?}", found.found.certificates);
    assert!((value(&found, "leader_fee_per_kwh") - 0.2).abs() < 1e-7);
    // Where members are indifferent and disfavour the operator, the pair with the smaller gap does not trade.
    assert!((value(&found, "leader_revenue_pessimistic") - 2.0).abs() < 1e-6);
    for name in ["follower_kkt", "complementarity", "individual_rationality"] {
        assert_eq!(found.verdict(name), Verdict::Upheld, "{:?}", found.certificate(name));
    }
    let unique = found.certificate("unique");
    assert_eq!(unique.verdict, Verdict::Refuted, "{unique:?}");
    assert!(unique.witness.contains("0.200000") && unique.witness.contains("0.400000"), "{unique:?}");
    assert_eq!(found.verdict("equilibrium_gap"), Verdict::Upheld);
    // The three agents have one.
    assert_eq!(run(&two(), &StackelbergNetworkFee::default()).verdict("unique"), Verdict::Upheld);
    // A fee for each pair takes both gaps: 2 + 4.
    let each = run(&market, &StackelbergNetworkFee { fee: Fee::PerEdge, ..rule });
    assert!((value(&each, "leader_revenue") - 6.0).abs() < 1e-5, "{:?}", each.found.certificates);
}

/// The two agents in two hours. In the second the buyer pays the grid 0.7: with a fee up to 0.3 they trade `(0.5 - fee) / 0.004`.
fn two_hours() -> Market {
    let periods = Periods { count: 2, hours: 1.0 };
    let agents = [(0.004, 0.2), (0.002, 1.1)].into_iter().enumerate().map(|(i, (a, b))| {
        let device = Quadratic::between_prices(a, vec![b, b], 0.0, 2.0).expect("a convex cost");
        Arc::new(Portfolio::new(format!("vpp{i}"), vec![device.boxed()], periods).expect("valid")) as _
    });
    let members = (0..2).map(|i| Member::new(format!("vpp{i}"), 1000.0, 1000.0)).collect();
    let tariff = tariff(&[1.0, 0.7], 0.4, 0.5);
    Market::new(Setting::energy(periods, Some(tariff), None, members), agents.collect())
}

#[test]
fn a_fee_for_each_hour_earns_more_than_one_for_all() {
    let one = run(&two_hours(), &StackelbergNetworkFee::default());
    assert!((value(&one, "leader_fee_per_kwh") - 0.3).abs() < 1e-7, "{:?}", one.found.certificates);
    assert!((value(&one, "leader_revenue") - 45.0).abs() < 1e-5);
    let each = run(&two_hours(), &StackelbergNetworkFee { fee: Fee::PerPeriod, ..StackelbergNetworkFee::default() });
    assert!((value(&each, "leader_revenue") - 49.375).abs() < 1e-5, "{:?}", each.found.certificates);
    assert_all(&each.cleared.outcome.strategies[0], &[0.45, 0.25], 1e-6);
    for found in [&one, &each] {
        for name in ["leader_gap", "follower_kkt", "complementarity", "individual_rationality", "equilibrium_gap"] {
            assert_eq!(found.verdict(name), Verdict::Upheld, "{:?}", found.certificate(name));
        }
    }
}

#[test]
fn five_plants_on_the_feeder_pay_by_resistance_and_none_of_them_loses() {
    let rule = StackelbergNetworkFee { distance: Distance::Electrical, ..StackelbergNetworkFee::default() };
    let found = run(&OnFeeder::IEEE_33.market(), &rule);
    assert!(value(&found, "leader_revenue") > 1.0, "{:?}", found.found.certificates);
    for name in ["leader_gap", "follower_kkt", "complementarity", "individual_rationality", "equilibrium_gap"] {
        assert_eq!(found.verdict(name), Verdict::Upheld, "{:?}", found.certificate(name));
    }
}

#[test]
fn distances_that_are_none_are_refused() {
    let wrong = [vec![vec![0.0]], vec![vec![0.0, 1.0], vec![2.0, 0.0]], vec![vec![0.0, -1.0], vec![-1.0, 0.0]]];
    for rows in wrong.map(Distance::Given).into_iter().chain([Distance::Electrical]) {
        let rule = StackelbergNetworkFee { distance: rows, ..StackelbergNetworkFee::default() };
        let refused = try_measure(&two(), &rule as &dyn Mechanism, &*policy("None()")).err();
        assert!(matches!(refused, Some(MechanismError::Parameter { name: "distance", .. })), "{rule:?}: {refused:?}");
    }
}

/// A kWh pays the fee for the distance that it goes; who trades how much stands beside it.
#[test]
fn fees_and_trades_are_told_by_distance() {
    let (market, rule) = (market(&THREE), three_apart());
    let outcome = rule.run(&market, &mut RunContext::new(1, ())).expect("an outcome");
    let curves = rule.curves(&market, &outcome, 1).expect("curves");
    let points = |name: &str| -> Vec<(f64, f64)> {
        curves.iter().filter(|curve| curve.name == name).map(|curve| curve.points[0]).collect()
    };
    let expected = [1.0, 2.0, 1.5].map(|distance| (distance, 0.220127072544 * distance));
    for (found, expected) in points("fee").iter().zip(expected) {
        assert!((found.0 - expected.0).abs() < 1e-12 && (found.1 - expected.1).abs() < 1e-6, "{curves:?}");
    }
    let traded: Vec<f64> = points("traded").iter().map(|p| p.1).collect();
    assert_all(&traded, &[0.0, 73.121110579, 10.509595718], 1e-3);
}
