//! Five plants and the limits of their feeder in one program: proven, kept by a power flow, no cheaper than without limits,
//! and the yardstick of what a network-blind outcome is worth within them.

use crate::play::Together;
use coase_core::carbon_flow::storage::StorageRule;
use coase_core::engine;
use coase_core::market::NetworkMode;
use coase_core::policy::policies::{NoPolicy, Stepped, Tax};
use coase_core::policy::{CarbonPolicy, Modified};
use coase_core::program::SolveError;
use coase_core::{Market, physical, repair};
use coase_testkit::five_vpps::OnFeeder;
use coase_testkit::measured::measure;

const LOOSE: OnFeeder = OnFeeder::IEEE_33.within(0.90, 1.05);
const BINDING: [OnFeeder; 3] = [
    OnFeeder::IEEE_33.within(0.95, 1.05),
    OnFeeder::IEEE_33.within(0.955, 1.05),
    OnFeeder::IEEE_33.within(0.90, 1.05).rated(26, 600.0),
];

fn market(limits: OnFeeder, policy: &dyn CarbonPolicy) -> Market {
    engine::enter(&limits.market(), policy)
}

fn policies() -> [(&'static str, Box<dyn CarbonPolicy>); 3] {
    let stepped = Stepped { interval_kg: 500.0, ..Stepped::default() };
    [
        ("none", Box::new(Modified::from(NoPolicy::default()))),
        ("tax", Box::new(Modified::from(Tax::default()))),
        ("stepped", Box::new(Modified::from(stepped))),
    ]
}

fn inside(loss_price_per_kwh: Vec<f64>) -> NetworkMode {
    NetworkMode::Inside { loss_price_per_kwh }
}

#[test]
fn the_joint_optimum_is_proven_kept_and_no_cheaper_than_without_limits() {
    for limits in BINDING {
        for (name, policy) in policies() {
            let market = market(limits, &*policy);
            let free = market.solve(&market.grand()).expect("an optimum");
            let buy = market.setting().tariff.as_ref().expect("a tariff").buy_per_kwh.clone();
            let mut costs = vec![];
            for loss_price in [vec![0.0; 24], buy] {
                let who = format!("{limits:?} {name} {}", loss_price[0]);
                let found = market.solve(&market.grand().network(inside(loss_price))).expect(&who);
                assert!(
                    found.gap.abs() <= 1e-8 * found.cost && found.convex && !found.arbitrary,
                    "{who}: {}",
                    found.gap
                );
                let plans: Vec<_> = found.plans.iter().flatten().cloned().collect();
                let arbitrary: Vec<bool> = plans.iter().map(|plan| plan.arbitrary).collect();
                assert!(!arbitrary.contains(&true), "{who}: {arbitrary:?}");
                let physical = physical::of_plans(market.setting(), plans, StorageRule::Conserving).expect(&who);
                assert!(
                    repair::holds(market.setting(), &physical),
                    "{who}: {:?}",
                    repair::missed(market.setting(), &physical)
                );
                let loss_kwh: f64 = (0..24).map(|t| physical.loss_kwh(market.setting(), t)).sum();
                costs.push((found.cost, found.cost - found.loss_cost, loss_kwh));
            }
            // What losses cost nothing for is dearer than without limits, which bind; paying for losses saves some of them.
            let [(unpriced, _, most_kwh), (_, of_plans, least_kwh)] = costs[..] else { unreachable!() };
            assert!(unpriced > free.cost * 1.000_01, "{limits:?} {name}: {unpriced} {}", free.cost);
            assert!(
                of_plans >= unpriced * (1.0 - 1e-8) && least_kwh <= most_kwh + 1e-3,
                "{limits:?} {name}: {costs:?}"
            );
        }
    }
}

#[test]
fn limits_that_do_not_bind_cost_nothing() {
    for (name, policy) in policies() {
        let market = market(LOOSE, &*policy);
        let free = market.solve(&market.grand()).expect("an optimum");
        let found = market.solve(&market.grand().network(inside(vec![0.0; 24]))).expect("an optimum");
        assert!((found.cost - free.cost).abs() <= 1e-7 * free.cost, "{name}: {} {}", found.cost, free.cost);
    }
}

/// A tighter limit never costs less; beyond what the plants can do it is infeasible, and named.
#[test]
fn cost_rises_with_the_limit_until_it_cannot_be_kept() {
    let [(_, policy), ..] = policies();
    let cost = |v_min_pu: f64, rating: Option<(u64, f64)>| {
        let limits = OnFeeder { rating, ..OnFeeder::IEEE_33.within(v_min_pu, 1.05) };
        let market = market(limits, &*policy);
        market.solve(&market.grand().network(inside(vec![0.0; 24]))).map(|found| found.cost)
    };
    let rising = [0.90, 0.93, 0.94, 0.95, 0.955, 0.96, 0.965].map(|v| cost(v, None).expect("feasible"));
    assert!(rising.windows(2).all(|w| w[1] >= w[0] * (1.0 - 1e-8)) && rising[6] > 1.2 * rising[0], "{rising:?}");
    for (v_min_pu, rating, named) in [
        (0.97, None, "below its limit of 0.97 pu"),
        (0.90, Some((26, 400.0)), "branch 6-26, limit 400 kVA: rating, period 18"),
        (0.90, Some((2, 2000.0)), "branch 1-2, limit 2000 kVA: rating, period 18"),
    ] {
        match cost(v_min_pu, rating) {
            Err(SolveError::Infeasible { rows }) => assert!(rows.iter().any(|row| row.contains(named)), "{rows:?}"),
            other => panic!("{v_min_pu} {rating:?}: {other:?}"),
        }
    }
}

#[test]
fn a_blind_outcome_is_compared_within_the_limits() {
    for limits in BINDING {
        for (name, policy) in policies() {
            let who = format!("{limits:?} {name}");
            let run = measure(&limits.market(), &Together {}, &*policy);
            let found = (run.metric_if_any("efficiency_repaired"), run.metric_if_any("repair_cost"));
            // There the rule of repair asks a storage for more than its day can give, and says so: no outcome to compare.
            let beyond_the_rule = limits.v_pu == Some((0.955, 1.05)) && name == "none";
            match found {
                (None, None) if beyond_the_rule => {}
                (Some(efficiency), Some(cost)) => {
                    assert!(efficiency > 0.9 && efficiency < 1.0 && cost > 0.0, "{who}: {found:?}");
                }
                _ => panic!("{who}: {found:?}"),
            }
        }
    }
}
