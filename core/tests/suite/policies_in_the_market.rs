//! Carbon policies, read as files write them, on the day of five plants: bills and dispatch against the published table,
//! scarcity prices and nodal prices through the engine.

use crate::play::Alone;
use coase_core::engine::Cleared;
use coase_core::outcome::{Party, Reason, Status};
use coase_core::policy::{CarbonPolicy, Signal};
use coase_core::{Ledger, Market};
use coase_testkit::five_vpps::{OnFeeder, market};
use coase_testkit::measured::cleared;
use coase_testkit::policy;

fn on_the_feeder() -> Market {
    OnFeeder::IEEE_33.market()
}

fn clear(market: &Market, policy: &dyn CarbonPolicy) -> Cleared {
    cleared(market, &Alone {}, policy)
}

/// What each pays for carbon, and the whole ledger.
fn bills(cleared: &Cleared, policy: &dyn CarbonPolicy) -> (Vec<f64>, Ledger) {
    let mut ledger = Ledger::default();
    policy.settle(cleared.truth.setting(), &cleared.physical, &cleared.signal, &mut ledger);
    let members = 0..cleared.truth.len();
    (members.map(|i| -ledger.balance(Party::Member(i))).collect(), ledger)
}

fn close(found: f64, expected: f64, tolerance: f64, what: &str) {
    assert!((found - expected).abs() <= tolerance, "{what}: {found}, expected {expected}");
}

/// Totals and emissions of each plant by itself, computed elsewhere by two formulations.
#[test]
fn each_plant_alone_meets_the_published_table_under_four_policies() {
    let table = [
        (
            "None()",
            [967.869371, 5674.685, 3790.778237, 1945.132, -1558.14],
            [2064.141385, 4426.214, 2538.067921, 2360.172],
        ),
        (
            "Tax()",
            [1544.914311, 6882.631748, 4468.679439, 2598.783232, -1558.14],
            [2057.608193, 4237.0087, 2307.875721, 2279.2288],
        ),
        (
            "CapAndTrade(quota: OutputBased(grid_kg_per_kwh: 0.50, turbine_kg_per_kwh: 0.40))",
            [1048.427715, 5758.170008, 3889.854623, 1990.469248, -1558.14],
            [2063.230561, 4412.3132, 2538.067921, 2346.2712],
        ),
        (
            "Stepped(interval_kg: 500)",
            [1198.889719, 6696.414748, 4182.78204, 2562.585579, -1558.14],
            [2055.974895, 4121.4221, 2307.875721, 2176.03165],
        ),
    ];
    let bare = market();
    for (text, totals, emissions) in table {
        let policy = policy(text);
        let cleared = clear(&bare, &*policy);
        let (paid, _) = bills(&cleared, &*policy);
        let answers = policy.responsibility(cleared.truth.setting(), &cleared.physical, &cleared.signal);
        for (i, plan) in cleared.physical.plans.iter().enumerate() {
            close(plan.cost, totals[i], 1e-4, text);
            // Dispatch sees the bill that is sent.
            close(paid[i], plan.carbon_charge, 1e-6, text);
            if let (Some(expected), true) = (emissions.get(i), text != "None()") {
                close(answers.charged_kg[i], *expected, 1e-3, text);
            }
        }
    }
}

/// A fixed quota of 1300 kg is worth 364 to whoever pays 280 per tonne, and changes nothing else.
#[test]
fn a_fixed_quota_moves_money_and_nothing_else() {
    let bare = market();
    let (tax, trade) = (policy("Tax()"), policy("CapAndTrade()"));
    let (taxed, traded) = (clear(&bare, &*tax), clear(&bare, &*trade));
    for (i, member) in bare.setting().members.iter().enumerate() {
        let saved = taxed.physical.plans[i].cost - traded.physical.plans[i].cost;
        close(saved, 0.28 * member.quota_kg, 1e-5, &member.id);
    }
}

/// A cap on all together at 10 % below what they emit free of charge.
#[test]
fn a_total_cap_is_held_at_a_price_the_engine_finds() {
    let bare = market();
    let cap = policy("HardCap(scope: Total, cap_kg: 10400)");
    let cleared = clear(&bare, &*cap);
    assert_eq!(cleared.outcome.status, Status::Converged, "{:?}", cleared.reason);
    let emitted: f64 = cap.responsibility(bare.setting(), &cleared.physical, &cleared.signal).charged_kg.iter().sum();
    assert!(emitted <= 10400.0 + 1e-3, "{emitted}");
    // A tax at that price is the same dispatch: the cap's dual is the price.
    let tax = policy(&format!("Tax(price_per_tonne: {})", 1000.0 * cleared.signal.scalar().expect("a price")));
    let taxed = clear(&bare, &*tax);
    close(
        taxed.physical.plans.iter().map(|p| p.cost).sum(),
        cleared.physical.plans.iter().map(|p| p.cost).sum(),
        1e-4,
        "cost",
    );
    let less = policy(&format!("Tax(price_per_tonne: {})", 999.0 * cleared.signal.scalar().expect("a price")));
    let more_emitted: f64 =
        less.responsibility(bare.setting(), &clear(&bare, &*less).physical, &Signal::None).charged_kg.iter().sum();
    assert!(more_emitted > 10400.0 - 1e-3, "{more_emitted}");
}

/// Balances from -1300 to 2500 kg in tiers of 500: passing allowances on makes everybody better off than its own ladder.
#[test]
fn traded_allowances_leave_nobody_worse_off_than_its_own_ladder() {
    let bare = market();
    let (alone, trading) = (policy("Stepped(interval_kg: 500)"), policy("AllowanceTrading(interval_kg: 500)"));
    let (apart, together) = (clear(&bare, &*alone), clear(&bare, &*trading));
    assert_eq!(together.outcome.status, Status::Converged, "{:?}", together.reason);
    let (paid, _) = bills(&together, &*trading);
    let mut gain = 0.0;
    for i in 0..bare.len() {
        close(paid[i], together.physical.plans[i].carbon_charge, 1e-2, "what dispatch sees is what is paid");
        let own = apart.physical.plans[i].cost - together.physical.plans[i].cost;
        assert!(own > -1e-4, "{own}");
        gain += own;
    }
    assert!(gain > 1.0, "{gain}");
}

/// Loss, voltage and import of the joint optimum of plants and feeder at nodal prices, computed elsewhere.
#[test]
fn integrated_prices_reach_the_joint_optimum() {
    let market = on_the_feeder();
    let policy = policy("Integrated()");
    let cleared = clear(&market, &*policy);
    assert_eq!(cleared.outcome.status, Status::Converged, "{:?} {:?}", cleared.reason, cleared.outcome.evidence);
    let states = &cleared.physical.grid;
    close(states.iter().map(|s| s.flow.loss_kw).sum(), 708.430, 0.05, "loss");
    close(cleared.physical.upstream_import_kwh.iter().sum(), 31_901.17, 0.5, "import");
    // The authority is paid for every tonne.
    let (_, ledger) = bills(&cleared, &*policy);
    let emitted: f64 = (0..24).map(|t| cleared.physical.emissions_kg(market.setting(), t)).sum();
    close(ledger.balance(Party::Authority), 0.28 * emitted, 1e-6 * emitted, "revenue");
}

/// Signals of average and marginal carbon have a fixed point here, and dispatch sees the bill that is sent.
#[test]
fn nodal_charges_settle_what_dispatch_saw() {
    let market = on_the_feeder();
    for text in [
        "NodalFlow()",
        "SteppedNodal(interval_kg: 500)",
        "NodalMarginal()",
        "Integrated(form: Adder)",
        "Integrated(price_per_tonne: 0, ladder: (interval_kg: 500))",
    ] {
        let policy = policy(text);
        let cleared = clear(&market, &*policy);
        assert_eq!(
            cleared.outcome.status,
            Status::Converged,
            "{text}: {:?} {:?}",
            cleared.reason,
            cleared.outcome.evidence
        );
        let (paid, ledger) = bills(&cleared, &*policy);
        for (i, (paid, plan)) in paid.iter().zip(&cleared.physical.plans).enumerate() {
            let refund = ledger.balance_of(Party::Member(i), &[Reason::CarbonRefund]);
            close(paid + refund, plan.adder_cost + plan.carbon_charge, 1e-6, text);
        }
        close(ledger.entries().iter().map(|e| e.amount).sum(), ledger.turnover(), 1e-9, text);
    }
}

/// With one tier for all, charging along the flows is the tax at the sources: the same plants, the same network.
#[test]
fn one_price_along_the_flows_is_the_tax_at_the_sources() {
    let market = on_the_feeder();
    let tax = clear(&market, &*policy("Integrated()"));
    let along = policy("Integrated(form: FlowInLoop, ladder: (growth: 0))");
    let cleared = clear(&market, &*along);
    assert_eq!(cleared.outcome.status, Status::Converged, "{:?} {:?}", cleared.reason, cleared.outcome.evidence);
    let imports = |c: &Cleared| c.physical.upstream_import_kwh.iter().sum::<f64>();
    close(imports(&cleared), imports(&tax), 1.0, "import");
}

/// A ladder along the flows is not convex: what is found is settled, and the certificate says how far it is from a fixed
/// point.
#[test]
fn a_ladder_along_the_flows_ends_with_a_verdict() {
    let market = on_the_feeder();
    let along = policy("Integrated(form: FlowInLoop, ladder: (interval_kg: 500))");
    let cleared = clear(&market, &*along);
    let residual = cleared.residual().expect("a residual");
    match cleared.outcome.status {
        Status::Converged => assert!(residual <= 1e-4),
        _ => assert!(residual > 1e-4 && cleared.reason.is_some()),
    }
    let (paid, _) = bills(&cleared, &*along);
    for (paid, plan) in paid.iter().zip(&cleared.physical.plans) {
        close(*paid, plan.adder_cost + plan.carbon_charge, 1e-6, "what dispatch sees is what is paid");
    }
    let answers = along.responsibility(market.setting(), &cleared.physical, &cleared.signal);
    let emitted: f64 = (0..24).map(|t| cleared.physical.emissions_kg(market.setting(), t)).sum();
    close(answers.covered_kg + answers.uncovered_kg, emitted, 1e-6 * emitted, "carbon");
}
