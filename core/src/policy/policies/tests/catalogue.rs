//! Bills, dispatch and responsibility under every policy.

use super::support::*;
use crate::outcome::{Party, Verdict};
use crate::policy::PolicyError;
use crate::terms::{Charge, Ladder, Reward};
use proptest::prelude::*;

/// 10 MWh from a turbine at 420 per MWh with 0.6 t/MWh or from green energy at 600; one tonne of quota.
fn toy(text: &str) -> (f64, f64, f64, f64) {
    let policy = policy(text);
    let source = |cost_per_kwh, emission_kg_per_kwh| Source { cost_per_kwh, emission_kg_per_kwh, max_kwh: 1e4 };
    let participant = Tiny { sources: vec![source(0.42, 0.6), source(0.60, 0.0)], load_kwh: vec![1e4] };
    let setting = setting(1, None, &[1000.0]);
    let market = market(&setting, &[participant], &*policy);
    let (plans, physical) = autarky(&market);
    let carbon = paid(&bills(&*policy, &setting, &physical, &policy.start(&setting)), 0);
    close(plans[0].carbon_charge, carbon, 1e-6);
    (plans[0].cost, plans[0].emitting_kwh[0] / 1000.0, plans[0].emission_kg[0] / 1000.0, carbon)
}

#[test]
fn the_toy_of_the_catalogue_has_its_published_figures() {
    for (text, total, turbine, tonnes, carbon) in [
        ("None()", 4200.0, 10.0, 6.0, 0.0),
        ("Tax()", 5880.0, 10.0, 6.0, 1680.0),
        ("CapAndTrade()", 5600.0, 10.0, 6.0, 1400.0),
        ("Stepped()", 5660.0, 5.0, 3.0, 560.0),
        ("Tax(price_per_tonne: 320)", 6000.0, 0.0, 0.0, 0.0),
        ("CapAndTrade(price_per_tonne: 320)", 5680.0, 0.0, 0.0, -320.0),
        ("CapAndTrade(price_per_tonne: 320, sell_price_per_tonne: 0)", 5700.0, 5.0 / 3.0, 1.0, 0.0),
    ] {
        let found = toy(text);
        close(found.0, total, 1e-5);
        close(found.1, turbine, 1e-6);
        close(found.2, tonnes, 1e-6);
        close(found.3, carbon, 1e-5);
    }
}

/// 10 MWh emit 3 t at every base price between 240 and 300: the balance rests at the kink.
#[test]
fn a_kink_holds_emissions_over_a_range_of_base_prices() {
    for base in [241.0, 260.0, 280.0, 299.0] {
        close(toy(&format!("Stepped(base_price_per_tonne: {base})")).2, 3.0, 1e-6);
    }
    assert!(toy("Stepped(base_price_per_tonne: 239)").2 > 3.5);
    assert!(toy("Stepped(base_price_per_tonne: 301)").2 < 2.5);
}

#[test]
fn no_growth_and_a_wide_interval_are_a_flat_price() {
    let flat = toy("CapAndTrade()");
    for text in
        ["Stepped(growth: 0)", "Stepped(growth: 1e-9)", "Stepped(interval_kg: 1e7)", "Stepped(interval_kg: inf)"]
    {
        let found = toy(text);
        close(found.0, flat.0, 1e-3);
        close(found.2, flat.2, 1e-6);
    }
}

#[test]
fn a_cap_on_each_member_binds_without_money() {
    let (total, _, tonnes, carbon) = toy("HardCap(cap_kg: 3000)");
    close(total, 0.42 * 5000.0 + 0.60 * 5000.0, 1e-6);
    close(tonnes, 3.0, 1e-9);
    close(carbon, 0.0, 0.0);
    // Not given: the quota of a tonne.
    close(toy("HardCap()").2, 1.0, 1e-9);
    close(toy("HardCap(quota_decline_per_year: 0.1, year: 2)").2, 0.81, 1e-9);
}

#[test]
fn invisible_charges_do_not_move_dispatch_and_are_paid_all_the_same() {
    let policy = policy("Tax(price_per_tonne: 320, visible: false)");
    let setting = setting(1, None, &[0.0]);
    let source = |cost_per_kwh, emission_kg_per_kwh| Source { cost_per_kwh, emission_kg_per_kwh, max_kwh: 1e4 };
    let participant = Tiny { sources: vec![source(0.42, 0.6), source(0.60, 0.0)], load_kwh: vec![1e4] };
    let (plans, physical) = autarky(&market(&setting, &[participant], &*policy));
    close(plans[0].cost, 4200.0, 1e-6);
    close(paid(&bills(&*policy, &setting, &physical, &Signal::None), 0), 0.32 * 6000.0, 1e-6);
}

/// A exports 2 MWh, B imports 5: charged 2.905 t gross, 1.743 t net of exports; 1.162 t of the former nobody emitted.
#[test]
fn gross_imports_charge_phantom_tonnes_and_net_imports_do_not() {
    let setting = setting(1, Some(tariff(1, 1.0, 0.4, 0.581)), &[0.0, 0.0]);
    let physical =
        physical(&setting, vec![plan(0.0, 2000.0, 2000.0, 0.0, 0.0), plan(5000.0, 0.0, -5000.0, 0.0, 0.0)], &[]);
    for (base, tonnes, phantom) in [("Gross", 2.905, 1.162), ("NetOfExports", 1.743, 0.0)] {
        let tax = policy(&format!("Tax(price_per_tonne: 1000, import_base: {base})"));
        let answers = tax.responsibility(&setting, &physical, &Signal::None);
        close(answers.charged_kg.iter().sum(), 1000.0 * tonnes, 1e-9);
        close(answers.phantom_kg, 1000.0 * phantom, 1e-9);
        close(answers.covered_kg, 1743.0, 1e-9);
        close(answers.uncovered_kg, 0.0, 1e-9);
        // At 1000 per tonne the bill in money is the charge in kg.
        close(bills(&*tax, &setting, &physical, &Signal::None).balance(Party::Authority), 1000.0 * tonnes, 1e-9);
    }
}

#[test]
fn every_tonne_is_covered_or_uncovered() {
    let setting = setting(1, Some(tariff(1, 1.0, 0.4, 0.5)), &[100.0, 50.0]);
    let plans = vec![plan(10.0, 0.0, -16.0, 3.0, 5.0), plan(0.0, 4.0, 10.0, 6.0, 10.0)];
    let physical = physical(&setting, plans, &[20.0]);
    let source_kg = 9.0 + 0.5 * 26.0;
    for text in [
        "None()",
        "Tax()",
        "Tax(price_per_tonne: 0)",
        "CapAndTrade(import_base: NetOfExports)",
        "Stepped(coverage: Feeder)",
        "HardCap()",
        "HardCap(scope: Total)",
        "Tax(coverage: Feeder)",
    ] {
        let policy = policy(text);
        let answers = policy.responsibility(&setting, &physical, &policy.start(&setting));
        let charged: f64 = answers.charged_kg.iter().sum();
        close(answers.covered_kg + answers.uncovered_kg, source_kg, 1e-9);
        if charged != 0.0 && !text.contains("Feeder") {
            close(charged - answers.phantom_kg - answers.double_charged_kg, answers.covered_kg, 1e-9);
        }
    }
    let uncovered = |text: &str| policy(text).responsibility(&setting, &physical, &Signal::None).uncovered_kg;
    close(uncovered("None()"), source_kg, 1e-9);
    close(uncovered("Tax(price_per_tonne: 0)"), source_kg, 1e-9);
    close(uncovered("Tax()"), 0.5 * 20.0, 1e-9);
    close(uncovered("Tax(coverage: Feeder)"), 0.0, 1e-9);
}

#[test]
fn the_network_operator_pays_for_passive_load_where_the_feeder_is_covered() {
    let setting = setting(1, Some(tariff(1, 1.0, 0.4, 0.5)), &[0.0]);
    let physical = physical(&setting, vec![plan(10.0, 0.0, -10.0, 0.0, 0.0)], &[6.0]);
    let operator = |text: &str| -bills(&*policy(text), &setting, &physical, &Signal::None).balance(Party::Dso);
    close(operator("Tax(price_per_tonne: 1000)"), 0.0, 0.0);
    close(operator("Tax(price_per_tonne: 1000, coverage: Feeder)"), 3.0, 1e-12);
    // The ladder on 3 kg in tiers of 2: 2 + 1.25.
    close(operator("Stepped(base_price_per_tonne: 1000, interval_kg: 2, coverage: Feeder)"), 3.25, 1e-12);
    let quota = "CapAndTrade(price_per_tonne: 1000, coverage: Feeder, quota: OutputBased())";
    close(operator(quota), 0.6, 1e-12);
}

#[test]
fn recycled_revenue_reaches_whom_the_policy_says() {
    let setting = setting(1, Some(tariff(1, 1.0, 0.4, 0.5)), &[0.0, 0.0, 0.0]);
    let plans = vec![plan(10.0, 0.0, -10.0, 0.0, 0.0), plan(4.0, 0.0, -4.0, 0.0, 0.0), plan(0.0, 0.0, 0.0, 0.0, 0.0)];
    let physical = physical(&setting, plans, &[]);
    let bill = |recycling: &str| {
        let tax = policy(&format!("Tax(price_per_tonne: 1000, recycling: {recycling})"));
        let ledger = bills(&*tax, &setting, &physical, &Signal::None);
        let members: Vec<f64> = (0..3).map(|i| paid(&ledger, i)).collect();
        (members, ledger.balance(Party::Authority), ledger.balance(Party::Dso))
    };
    assert_eq!(bill("Kept"), (vec![5.0, 2.0, 0.0], 7.0, 0.0));
    assert_eq!(bill("ToDso"), (vec![5.0, 2.0, 0.0], 0.0, 7.0));
    assert_eq!(bill("EqualAmongOthers"), (vec![4.0, -0.5, -3.5], 0.0, 0.0));
    let (paid, kept, to_dso) = bill("EqualPerHead");
    for (paid, tax) in paid.iter().zip([5.0, 2.0, 0.0]) {
        close(*paid, tax - 7.0 / 3.0, 1e-12);
    }
    assert!(kept.abs() < 1e-12 && to_dso == 0.0);
    // These schedules have no devices that consume: the dividend is equal.
    assert_eq!(bill("PerLoad"), bill("EqualPerHead"));
}

#[test]
fn quotas_that_make_emitting_pay_are_refused_unless_meant() {
    let setting = setting(1, Some(tariff(1, 1.0, 0.4, 0.581)), &[0.0]);
    let check = |text: &str| policy(text).check(&setting);
    let error = check("CapAndTrade(quota: OutputBased(grid_kg_per_kwh: 0.728))").unwrap_err();
    assert!(matches!(error, PolicyError::NegativePrice { quota_kg_per_kwh: 0.728, emission_kg_per_kwh: 0.581, .. }));
    assert!(matches!(
        check("Stepped(quota: OutputBased(grid_kg_per_kwh: 0.6))"),
        Err(PolicyError::NegativePrice { .. })
    ));
    let meant = "CapAndTrade(quota: OutputBased(grid_kg_per_kwh: 0.728), allow_negative_carbon_price: true)";
    check(meant).unwrap();
    check("CapAndTrade(quota: OutputBased())").unwrap();
}

/// A turbine of 0.4 kg with a quota of 0.45 would be paid for every kWh; one that emits nothing has no quota at all.
#[test]
fn quotas_beyond_what_a_turbine_emits_are_refused_unless_meant() {
    let mut setting = setting(1, Some(tariff(1, 1.0, 0.4, 0.581)), &[0.0, 0.0]);
    let quota = "quota: OutputBased(turbine_kg_per_kwh: 0.45)";
    for text in [format!("CapAndTrade({quota})"), format!("Stepped({quota})"), format!("AllowanceTrading({quota})")] {
        setting.members[1].least_emission_kg_per_kwh = None;
        policy(&text).check(&setting).unwrap();
        setting.members[1].least_emission_kg_per_kwh = Some(0.45);
        policy(&text).check(&setting).unwrap();
        setting.members[1].least_emission_kg_per_kwh = Some(0.4);
        let error = policy(&text).check(&setting).unwrap_err();
        let expected = PolicyError::NegativePrice {
            what: "a member's own generation",
            quota_kg_per_kwh: 0.45,
            emission_kg_per_kwh: 0.4,
        };
        assert_eq!(error, expected);
        policy(&text.replace(quota, &format!("{quota}, allow_negative_carbon_price: true"))).check(&setting).unwrap();
    }
}

/// Bought at 0.355 and sold at 0.35, a quota of 0.728 on energy of 0.581 kg would earn 0.036 per kWh without doing anything.
#[test]
fn a_negative_carbon_price_does_not_buy_and_sell_at_once() {
    let setting = setting(1, Some(tariff(1, 0.355, 0.35, 0.581)), &[0.0]);
    let meant = policy("CapAndTrade(quota: OutputBased(grid_kg_per_kwh: 0.728), allow_negative_carbon_price: true)");
    let idle = Tiny { sources: vec![], load_kwh: vec![1.0] };
    let plan = market(&setting, &[idle], &*meant).local(0).autarky().unwrap();
    close(plan.import_kwh[0], 1.0, 1e-6);
    close(plan.export_kwh[0], 0.0, 1e-6);
    close(plan.cost, 0.355 - 0.28 * 0.147, 1e-6);
}

#[test]
fn parameters_without_meaning_and_carbon_already_paid_are_refused() {
    let mut setting = setting(1, Some(tariff(1, 1.0, 0.4, 0.581)), &[0.0]);
    let refused = |text: &str, name: &str| match policy(text).check(&setting) {
        Err(PolicyError::Parameter { name: found, .. }) => assert_eq!(found, name),
        other => panic!("{text}: {other:?}"),
    };
    refused("Tax(price_per_tonne: -1)", "price_per_tonne");
    refused("Tax(price_per_tonne: NaN)", "price_per_tonne");
    refused("CapAndTrade(price_per_tonne: 200, sell_price_per_tonne: 300)", "sell_price_per_tonne");
    refused("Stepped(interval_kg: 0)", "interval_kg");
    refused("Stepped(growth: -0.1)", "growth");
    refused("Stepped(tiers: 0)", "tiers");
    refused("Stepped(reward: Declining(-0.1))", "reward");
    refused("HardCap(cap_kg: -5)", "cap_kg");
    refused("None(quota_decline_per_year: 1)", "quota_decline_per_year");
    refused("Tax(year: -1)", "year");
    for text in ["HardCap(visible: false)", "HardCap(coverage: Feeder)"] {
        assert!(matches!(policy(text).check(&setting), Err(PolicyError::Combination { .. })));
    }
    setting.tariff.as_mut().unwrap().upstream_carbon_per_tonne = 60.0;
    for text in ["Tax()", "CapAndTrade()", "Stepped()", "HardCap(scope: Total)"] {
        let error = policy(text).check(&setting).unwrap_err();
        assert_eq!(error, PolicyError::AlreadyInTariff { upstream_carbon_per_tonne: 60.0 });
    }
    for text in ["None()", "Tax(price_per_tonne: 0)", "HardCap()"] {
        policy(text).check(&setting).unwrap();
    }
}

/// Quota of two years' decline: the bill of a tax less a lump sum.
#[test]
fn a_fixed_quota_is_a_lump_sum_and_shrinks_with_the_years() {
    let setting = setting(1, Some(tariff(1, 1.0, 0.4, 0.5)), &[18.0]);
    let physical = physical(&setting, vec![plan(100.0, 0.0, -100.0, 0.0, 0.0)], &[]);
    let bill = |text: &str| paid(&bills(&*policy(text), &setting, &physical, &Signal::None), 0);
    close(bill("Tax()") - bill("CapAndTrade()"), 0.28 * 18.0, 1e-12);
    close(bill("Tax()") - bill("CapAndTrade(quota_decline_per_year: 0.5, year: 2)"), 0.28 * 4.5, 1e-12);
}

/// Half of 0.4 kg a kWh is left: 100 kWh of 0.5 kg are charged for 30 kg instead of 10.
#[test]
fn an_allowance_per_kwh_shrinks_with_the_years_too() {
    let setting = setting(1, Some(tariff(1, 1.0, 0.4, 0.5)), &[0.0]);
    let physical = physical(&setting, vec![plan(100.0, 0.0, -100.0, 0.0, 0.0)], &[]);
    let bill = |years: &str| {
        let text = format!("CapAndTrade(quota: OutputBased(grid_kg_per_kwh: 0.4, turbine_kg_per_kwh: 0.4){years})");
        paid(&bills(&*policy(&text), &setting, &physical, &Signal::None), 0)
    };
    close(bill(""), 0.28 * 10.0, 1e-12);
    close(bill(", quota_decline_per_year: 0.5, year: 1"), 0.28 * 30.0, 1e-12);
}

/// 6 t beyond the quota: 2 t each at 280, 350 and 437.50, instead of 420 where growth is added.
#[test]
fn growth_of_the_ladder_is_added_or_compounded() {
    let setting = setting(1, Some(tariff(1, 1.0, 0.4, 0.5)), &[0.0]);
    let physical = physical(&setting, vec![plan(12_000.0, 0.0, -12_000.0, 0.0, 0.0)], &[]);
    let bill = |text: &str| paid(&bills(&*policy(text), &setting, &physical, &Signal::None), 0);
    close(bill("Stepped()"), 2100.0, 1e-9);
    close(bill("Stepped(growth_rule: Compounded)"), 2135.0, 1e-9);
}

/// One cap on two members, each with a turbine to replace: the price at which the cap holds replaces the cheaper one.
#[test]
fn a_total_cap_is_in_balance_where_it_holds_or_the_price_is_zero() {
    let setting = setting(1, None, &[200.0, 100.0]);
    let physical =
        |kg: f64| physical(&setting, vec![plan(0.0, 0.0, 0.0, kg, kg), plan(0.0, 0.0, 0.0, 50.0, 50.0)], &[]);
    let cap = policy("HardCap(scope: Total)");
    let excess = |kg: f64, price: f64| {
        let scarcity = cap.scarcity(&setting, &physical(kg)).unwrap();
        scarcity.excess_kg(price, scarcity.balance_kg(&setting, &physical(kg)))
    };
    close(excess(251.0, 0.1), 1.0, 1e-12);
    close(excess(249.0, 0.1), -1.0, 1e-12);
    close(excess(250.0, 0.1), 0.0, 1e-12);
    close(excess(100.0, 0.0), 0.0, 0.0);
    close(excess(251.0, 0.0), 1.0, 1e-12);
    let held = |kg: f64| cap.evidence(&setting, &physical(kg), &Signal::Scalar(0.1)).remove(0);
    assert_eq!((held(250.0).name, held(250.0).verdict), ("emission_cap", Verdict::Upheld));
    assert_eq!((held(251.0).value, held(251.0).verdict), (Some(1.0), Verdict::Refuted));
    // Allowances in their hands: the money of a binding cap stays among the members.
    let ledger = bills(&*cap, &setting, &physical(250.0), &Signal::Scalar(0.5));
    close(paid(&ledger, 0), 0.5 * 50.0, 1e-12);
    close(paid(&ledger, 1), -0.5 * 50.0, 1e-12);
    let bought = policy("HardCap(scope: Total, cap_kg: 300)");
    close(bills(&*bought, &setting, &physical(250.0), &Signal::Scalar(0.5)).balance(Party::Authority), 150.0, 1e-12);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// An escalating reward is not convex: the program's choice among its tiers against all corners of a one-dimensional
    /// problem.
    #[test]
    fn escalating_rewards_are_solved_to_the_best_corner(
        (fuel, green) in (0.1..0.6f64, 0.2..0.9f64),
        quota_kg in 0.0..60.0f64,
        (base, interval, growth, rate) in (0.05..0.6f64, 3.0..20.0f64, 0.0..0.5f64, 0.05..0.6f64),
        at_once in any::<bool>(),
    ) {
        let (word, reward) = if at_once {
            ("EscalatingAtOnce", Reward::EscalatingAtOnce(rate))
        } else {
            ("Escalating", Reward::Escalating(rate))
        };
        let text = format!(
            "Stepped(base_price_per_tonne: {}, interval_kg: {interval}, growth: {growth}, reward: {word}({rate}))",
            1000.0 * base,
        );
        let policy = policy(&text);
        let setting = setting(1, None, &[quota_kg]);
        let source = |cost_per_kwh, emission_kg_per_kwh| Source { cost_per_kwh, emission_kg_per_kwh, max_kwh: 100.0 };
        let participant = Tiny { sources: vec![source(fuel, 0.6), source(green, 0.0)], load_kwh: vec![100.0] };
        let found = market(&setting, &[participant], &*policy).local(0).autarky().unwrap();

        let ladder = Ladder { base_price_per_kg: base, interval_kg: interval, growth, tiers: 5, reward };
        let charge = Charge::from(ladder);
        let cost = |g: f64| fuel * g + green * (100.0 - g) + charge.value(0.6 * g - quota_kg);
        let corners = charge.breakpoints.iter().map(|b| (b + quota_kg) / 0.6).filter(|g| (0.0..=100.0).contains(g));
        let best = corners.chain([0.0, 100.0]).map(cost).fold(f64::INFINITY, f64::min);
        prop_assert!((found.cost - best).abs() < 1e-5, "{} {}", found.cost, best);
    }

    /// Emissions of whoever minimises cost never grow with a convex charge's price.
    #[test]
    fn emissions_never_grow_with_the_price(
        sources in prop::collection::vec((0.1..1.0f64, 0.0..1.0f64, 20.0..80.0f64), 1..4),
        quota_kg in 0.0..50.0f64,
        prices in (0.0..600.0f64, 0.0..600.0f64),
    ) {
        let mut all: Vec<Source> = sources
            .iter()
            .map(|&(cost_per_kwh, emission_kg_per_kwh, max_kwh)| Source { cost_per_kwh, emission_kg_per_kwh, max_kwh })
            .collect();
        all.push(Source { cost_per_kwh: 1.2, emission_kg_per_kwh: 0.0, max_kwh: 200.0 });
        let participant = Tiny { sources: all, load_kwh: vec![100.0, 60.0] };
        let setting = setting(2, None, &[quota_kg]);
        let (low, high) = (prices.0.min(prices.1), prices.0.max(prices.1));
        for form in ["Tax(price_per_tonne: P)", "CapAndTrade(price_per_tonne: P)", "Stepped(base_price_per_tonne: P, interval_kg: 10)"] {
            let emitted = |price: f64| -> f64 {
                let policy = policy(&form.replace('P', &price.to_string()));
                let plan = market(&setting, std::slice::from_ref(&participant), &*policy).local(0).autarky().unwrap();
                plan.emission_kg.iter().sum()
            };
            prop_assert!(emitted(high) <= emitted(low) + 1e-5);
        }
    }
}
