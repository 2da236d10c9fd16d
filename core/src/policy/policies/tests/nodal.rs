//! Policies along the flows of a network: on one bus by hand, on the 33-bus feeder against each other.

use super::support::*;
use crate::market::{DevicePlan, Plan};
use crate::network::{Bus, BusKind, Network, NodeId, built_in};
use crate::outcome::{Ledger, Party, Reason};
use crate::physical::{Physical, of_plans};
use crate::policy::nodal;
use crate::policy::{CarbonPolicy, PolicyError};
use crate::setting::{Feeder, Setting};
use crate::terms::Charge;
use std::sync::Arc;

/// Members on one bus at the root, without losses.
fn one_bus(passive_kw: f64, members: usize) -> Setting {
    let bus = Bus { id: 1, kind: BusKind::Slack, p_load_kw: passive_kw, ..Bus::default() };
    let network =
        Network { name: "one bus".into(), base_mva: 10.0, buses: vec![bus], branches: vec![], generators: vec![] };
    let mut setting = setting(1, Some(tariff(1, 0.6, 0.4, 0.581)), &vec![0.0; members]);
    setting.feeder = Some(Feeder::new(network, vec![1.0]).unwrap());
    for member in &mut setting.members {
        member.node = Some(NodeId(0));
    }
    setting
}

/// Members on the 33-bus feeder with half its load.
pub(super) fn feeder(buses: &[u64], periods: usize) -> Setting {
    let network = built_in("ieee-33").unwrap().network().unwrap();
    let nodes: Vec<_> = buses.iter().map(|b| network.node(*b)).collect();
    let mut setting = setting(periods, Some(tariff(periods, 0.6, 0.4, 0.581)), &vec![0.0; buses.len()]);
    setting.feeder = Some(Feeder::new(network, vec![0.5; periods]).unwrap());
    for (member, node) in setting.members.iter_mut().zip(nodes) {
        member.node = node;
    }
    setting
}

pub(super) fn state(setting: &Setting, plans: Vec<Arc<Plan>>) -> Physical {
    of_plans(setting, plans, crate::carbon_flow::storage::StorageRule::Conserving).unwrap()
}

/// Bills at the signal that the outcome itself calls for.
fn at_its_own_signal(policy: &dyn CarbonPolicy, setting: &Setting, physical: &Physical) -> (Signal, Ledger) {
    policy.check(setting).unwrap();
    let signal = policy.target(setting, physical, &Signal::None);
    let ledger = bills(policy, setting, physical, &signal);
    (signal, ledger)
}

/// A sells 2 MWh of its turbine (0.6) to B; passive load 4 MWh on the grid (0.581).
#[test]
fn accounts_along_flows_sum_to_what_was_emitted() {
    let setting = one_bus(4000.0, 2);
    let plans = vec![plan(0.0, 0.0, 2000.0, 1200.0, 2000.0), plan(0.0, 0.0, -2000.0, 0.0, 0.0)];
    let physical = state(&setting, plans);
    let policy = policy("NodalFlow(price_per_tonne: 1000, coverage: Feeder)");
    let (_, ledger) = at_its_own_signal(&*policy, &setting, &physical);
    close(ledger.balance(Party::Authority), 3524.0, 1e-6);
    close(paid(&ledger, 0), 0.0, 1e-6);
    close(paid(&ledger, 1), 2000.0 * 3524.0 / 6000.0, 1e-6);
    close(-ledger.balance(Party::Dso), 4000.0 * 3524.0 / 6000.0, 1e-6);
    let answers = policy.responsibility(&setting, &physical, &Signal::None);
    close(answers.covered_kg, 3524.0, 1e-6);
    close(answers.uncovered_kg, 0.0, 1e-6);
    // On grid imports alone B pays nothing and A for what B used: 3549.3 kg.
    let on_imports = 1200.0 + 4000.0 * 3524.0 / 6000.0;
    close(on_imports, 3549.3, 0.05);
}

/// A has a turbine of 3 MWh (0.6), a load of 1 and exports 2; the grid gives 4 (0.581); B takes 6: 4.124 t are emitted.
#[test]
fn only_the_conserved_credit_charges_what_was_emitted() {
    let setting = one_bus(0.0, 2);
    let plans = vec![plan(0.0, 2000.0, 2000.0, 1800.0, 3000.0), plan(6000.0, 0.0, -6000.0, 0.0, 0.0)];
    let physical = state(&setting, plans);
    for (credit, charged) in [("Conserved", 4124.0), ("NoCredit", 5324.0), ("Subsidy", 5349.333333333)] {
        let policy = policy(&format!("NodalFlow(price_per_tonne: 1000, export_credit: {credit})"));
        let (_, ledger) = at_its_own_signal(&*policy, &setting, &physical);
        close(ledger.balance(Party::Authority), charged, 1e-5);
        let answers = policy.responsibility(&setting, &physical, &Signal::None);
        close(answers.double_charged_kg, charged - 4124.0, 1e-5);
        close(answers.charged_kg.iter().sum(), charged, 1e-5);
        close(answers.covered_kg, 4124.0, 1e-6);
    }
}

/// Of the same flows: the source pays for its 1.8 t by its ladder, and B for the grid's share of its mix, 2.324 t.
#[test]
fn sources_that_have_paid_enter_the_flow_without_carbon() {
    let setting = one_bus(0.0, 2);
    let plans = vec![plan(0.0, 2000.0, 2000.0, 1800.0, 3000.0), plan(6000.0, 0.0, -6000.0, 0.0, 0.0)];
    let physical = state(&setting, plans);
    let text = "NodalFlow(price_per_tonne: 1000, direct: Stepped(base_price_per_tonne: 1000, interval_kg: 1000))";
    let policy = policy(text);
    let (_, ledger) = at_its_own_signal(&*policy, &setting, &physical);
    close(paid(&ledger, 0), 1000.0 + 1.25 * 800.0, 1e-6);
    close(paid(&ledger, 1), 2324.0, 1e-6);
    let answers = policy.responsibility(&setting, &physical, &Signal::None);
    close(answers.covered_kg, 4124.0, 1e-6);
    close(answers.double_charged_kg, 0.0, 0.0);
}

#[test]
fn a_ladder_along_flows_prices_what_flows_attribute() {
    let setting = one_bus(0.0, 2);
    let plans = vec![plan(0.0, 2000.0, 2000.0, 1800.0, 3000.0), plan(6000.0, 0.0, -6000.0, 0.0, 0.0)];
    let physical = state(&setting, plans);
    let policy = policy("SteppedNodal(base_price_per_tonne: 1000)");
    let (signal, ledger) = at_its_own_signal(&*policy, &setting, &physical);
    close(paid(&ledger, 0), 600.0, 1e-6);
    close(paid(&ledger, 1), 2000.0 + 1.25 * 1524.0, 1e-6);
    // What dispatch sees is what is paid.
    for (terms, (i, plan)) in policy.terms(&setting, &signal).iter().zip(physical.plans.iter().enumerate()) {
        let account = terms.account.as_ref().unwrap();
        close(
            account.charge.value(crate::policy::accounts::balance_kg(&setting, account, plan)),
            paid(&ledger, i),
            1e-6,
        );
    }
}

#[test]
fn carbon_along_flows_is_conserved_on_a_feeder_with_losses() {
    let setting = feeder(&[18, 25, 33], 1);
    let plans = vec![
        plan(0.0, 300.0, 300.0, 195.0, 300.0),
        plan(0.0, 1200.0, 1200.0, 0.0, 0.0),
        plan(0.0, 300.0, -500.0, 90.0, 200.0),
    ];
    let physical = state(&setting, plans);
    let emitted = physical.emissions_kg(&setting, 0);
    for text in [
        "NodalFlow(coverage: Feeder)",
        "NodalFlow(coverage: Feeder, direct: Stepped())",
        "SteppedNodal(coverage: Feeder)",
        "NodalMarginal()",
        "Integrated()",
        "Integrated(form: FlowInLoop, ladder: ())",
    ] {
        let answers = policy(text).responsibility(&setting, &physical, &Signal::None);
        close(answers.covered_kg, emitted, 1e-6);
        close(answers.uncovered_kg, 0.0, 1e-6);
        close(answers.double_charged_kg, 0.0, 1e-6);
    }
    // At one price for all, what the authority collects is the price of all that was emitted.
    for text in ["NodalFlow(price_per_tonne: 1000, coverage: Feeder)", "Integrated(price_per_tonne: 1000)"] {
        let (_, ledger) = at_its_own_signal(&*policy(text), &setting, &physical);
        close(ledger.balance(Party::Authority), emitted, 1e-5);
    }
}

/// Theorem: with one price for everybody, charging along the flows is the tax at the sources, in every price and bill.
#[test]
fn flows_in_the_loop_with_one_price_are_the_internalised_tax() {
    let setting = feeder(&[18, 25, 33, 6], 1);
    let plans = vec![
        plan(0.0, 300.0, 300.0, 195.0, 300.0),
        plan(0.0, 800.0, 800.0, 0.0, 0.0),
        plan(500.0, 0.0, -500.0, 90.0, 200.0),
        plan(700.0, 0.0, -700.0, 0.0, 0.0),
    ];
    let physical = state(&setting, plans);
    assert!(physical.upstream_import_kwh[0] > 0.0);
    let tax = policy("Integrated(price_per_tonne: 280)");
    let in_loop = policy("Integrated(price_per_tonne: 280, form: FlowInLoop, ladder: (growth: 0))");
    let (at_sources, tax_bills) = at_its_own_signal(&*tax, &setting, &physical);
    let (along_flows, loop_bills) = at_its_own_signal(&*in_loop, &setting, &physical);
    // What a member pays on the margin: the price of its node, and its ladder on the carbon of a kWh more.
    for i in 0..4 {
        let carbon = physical.export_intensity_kg_per_kwh(i, 0).or(physical.intensity_kg_per_kwh(i, 0)).unwrap();
        let price = |signal: &Signal| signal.nodal().price_per_kwh[i];
        close(price(&along_flows) + 0.28 * carbon, price(&at_sources), 1e-6);
    }
    for i in 0..4 {
        // Peers' prices are at the root without carbon here, with carbon there; nobody trades in these schedules.
        close(paid(&loop_bills, i), paid(&tax_bills, i), 1e-3);
    }
    close(loop_bills.balance(Party::Authority), tax_bills.balance(Party::Authority), 1e-6);
    // `FlowInLoop` without a ladder is the tax by definition.
    let uniform = policy("Integrated(price_per_tonne: 280, form: FlowInLoop)");
    assert_eq!(uniform.target(&setting, &physical, &Signal::None), at_sources);
}

/// What everybody pays for carbon along the flows and for energy upstream, at the ladder of the members and at a price of 280
/// per tonne for all others, who also pay for what is exported.
fn paid_along_flows(setting: &Setting, physical: &Physical, ladder: &Charge, export: &str) -> f64 {
    let members: f64 = nodal::attributed_kg(setting, physical).iter().map(|kg| ladder.value(*kg)).sum();
    let exported_kwh = nodal::root_export_kwh(physical, 0);
    let exported_kg = exported_kwh
        * match export {
            "LikeLoad" => nodal::root_intensity(setting, physical, 0),
            "Credited" => nodal::root_intensity(setting, physical, 0) - 0.581,
            _ => 0.0,
        };
    let others = 0.28 * (nodal::feeder_kg(setting, physical, 0) + exported_kg);
    0.6 * physical.upstream_import_kwh[0] + members + others
}

/// A kWh more costs a member, at the price of its node and on its ladder, what it costs everybody together: whether members
/// sit in different tiers, flows run backwards, or the feeder exports, under every rule for exported carbon.
#[test]
fn prices_along_the_flows_are_differences_of_what_everybody_pays() {
    let setting = feeder(&[18, 25, 33, 6], 1);
    let ladder = "ladder: (base_price_per_tonne: 280, interval_kg: 60, growth: 0.5)";
    for export in ["LikeLoad", "Credited", "Unpriced"] {
        let policy = policy(&format!("Integrated(form: FlowInLoop, root_export: {export}, {ladder})"));
        for sun_kw in [900.0, 4500.0] {
            let at = |member: usize, kw: f64| {
                let withdrawn = [500.0, 400.0, -700.0, -sun_kw];
                // The third injects what its turbine makes, the fourth photovoltaic energy.
                let plans = withdrawn.iter().enumerate().map(|(i, x)| {
                    let x = x + if i == member { kw } else { 0.0 };
                    let turbine = if i == 2 { -x } else { 0.0 };
                    plan(x.max(0.0), (-x).max(0.0), -x, 0.65 * turbine, turbine)
                });
                let mut plans: Vec<Plan> = plans.map(|p| Plan::clone(&p)).collect();
                plans[3].devices =
                    vec![DevicePlan { kind: "pv", power_kw: vec![plans[3].output[0]], ..DevicePlan::default() }];
                state(&setting, plans.into_iter().map(Arc::new).collect())
            };
            let here = at(0, 0.0);
            assert_eq!(here.upstream_import_kwh[0] < 0.0, sun_kw > 1000.0);
            let signal = policy.target(&setting, &here, &Signal::None);
            let accounts: Vec<_> =
                policy.terms(&setting, &signal).into_iter().map(|t| t.account.expect("a ladder")).collect();
            for i in 0..4 {
                let charge = &accounts[i].charge;
                let money = |kw: f64| paid_along_flows(&setting, &at(i, kw), charge, export);
                let difference = (money(0.01) - money(-0.01)) / 0.02;
                let (per_kg, _) = charge.slopes_at(nodal::attributed_kg(&setting, &here)[i]);
                // A turbine's own emissions are on its ladder too.
                let own_kg = if i == 2 { -0.65 } else { 0.0 };
                let price = signal.nodal().price_per_kwh[i] + per_kg * (accounts[i].withdrawal_kg_per_kwh[0] + own_kg);
                close(price, difference, 1e-5);
            }
        }
    }
}

/// Where a flow turns, prices pass from those of one direction to those of the other without a jump.
#[test]
fn prices_have_no_jump_where_flows_turn() {
    let setting = feeder(&[18, 14], 1);
    let policy = policy("Integrated(form: FlowInLoop, ladder: (interval_kg: 20, growth: 2))");
    // Wind at bus 14 that feeds bus 18, and at first more, then less than the whole end of the feeder.
    let at = |wind_kw: f64| {
        let mut plans =
            vec![Plan::clone(&plan(300.0, 0.0, -300.0, 0.0, 0.0)), Plan::clone(&plan(0.0, wind_kw, wind_kw, 0.0, 0.0))];
        plans[1].devices = vec![DevicePlan { power_kw: vec![wind_kw], ..DevicePlan::default() }];
        (plans[0].kg_price, plans[1].kg_price) = (Some(0.84), Some(0.28));
        state(&setting, plans.into_iter().map(Arc::new).collect())
    };
    let price = |wind_kw: f64| policy.target(&setting, &at(wind_kw), &Signal::None).nodal().price_per_kwh[0];
    let prices: Vec<f64> = (0..=400).map(|k| price(350.0 + 0.5 * f64::from(k))).collect();
    let (first, last) = (prices[0], prices[400]);
    assert!((first - last).abs() > 0.05, "{first} {last}");
    let steepest = prices.windows(2).map(|p| (p[1] - p[0]).abs()).fold(0.0, f64::max);
    // From one side of the turn to the other it is 0.2 per kWh, over two hundredths of the 800 kW that members exchange.
    assert!(steepest < 0.01, "{steepest} per kWh and half a kW");
}

/// The price at a node is what one kWh more there costs upstream, carbon included.
#[test]
fn nodal_prices_are_differences_of_upstream_cost() {
    let setting = feeder(&[18, 25, 33], 1);
    let at = |kw: f64| {
        let plans = vec![
            plan(100.0 + kw, 0.0, -100.0 - kw, 0.0, 0.0),
            plan(0.0, 500.0, 500.0, 0.0, 0.0),
            plan(300.0, 0.0, -300.0, 0.0, 0.0),
        ];
        state(&setting, plans)
    };
    let cost = |kw: f64| at(kw).upstream_import_kwh[0] * (0.6 + 0.28 * 0.581);
    let price = policy("Integrated()").target(&setting, &at(0.0), &Signal::None);
    close(price.nodal().price_per_kwh[0], (cost(1.0) - cost(-1.0)) / 2.0, 1e-6);
    let marginal = policy("NodalMarginal()").target(&setting, &at(0.0), &Signal::None);
    close(
        marginal.nodal().price_per_kwh[0],
        price.nodal().price_per_kwh[0] * 0.28 * 0.581 / (0.6 + 0.28 * 0.581),
        1e-9,
    );
    // An adder of the average instead: less, for the average knows no marginal loss.
    let adder = policy("Integrated(form: Adder)").target(&setting, &at(0.0), &Signal::None);
    let w = at(0.0).intensity_kg_per_kwh(0, 0).unwrap();
    close(adder.nodal().price_per_kwh[0], price.nodal().price_per_kwh[0] * 0.6 / (0.6 + 0.28 * 0.581) + 0.28 * w, 1e-9);
}

/// Import at a cheap bus, sell to a peer at a dear one that feeds in there: no money without energy.
#[test]
fn different_nodal_prices_are_no_money_pump() {
    let setting = feeder(&[2, 18], 1);
    let idle = || vec![plan(0.0, 0.0, 0.0, 0.0, 0.0), plan(0.0, 0.0, 0.0, 0.0, 0.0)];
    let still = state(&setting, idle());
    let policy = policy("Integrated()");
    let signal = policy.target(&setting, &still, &Signal::None);
    let prices = &signal.nodal().price_per_kwh;
    assert!(prices[1] > prices[0] + 0.01);
    // 100 kWh imported at bus 2, sold to the member at bus 18, and exported there.
    let pump = |import: f64| {
        let mut one = Plan::clone(&plan(import, 0.0, 0.0, 0.0, 0.0));
        let mut two = Plan::clone(&plan(0.0, import, 0.0, 0.0, 0.0));
        one.trade = vec![import];
        two.trade = vec![-import];
        let physical = state(&setting, vec![Arc::new(one), Arc::new(two)]);
        let ledger = bills(&*policy, &setting, &physical, &signal);
        // The tariff is settled elsewhere.
        paid(&ledger, 0) + paid(&ledger, 1) + import * (0.6 - 0.4)
    };
    close(pump(100.0), 0.0, 1e-9);
}

#[test]
fn margins_and_peers_meet_the_prices_of_their_nodes() {
    let setting = feeder(&[2, 18], 1);
    let policy = policy("Integrated(retail_margin_per_kwh: 0.02)");
    let signal = policy.start(&setting);
    let terms = &policy.terms(&setting, &signal)[0];
    let at_root = 0.6 + 0.28 * 0.581;
    close(terms.import_adder[0], at_root + 0.02 - 0.6, 1e-12);
    close(terms.export_adder[0], at_root - 0.02 - 0.4, 1e-12);
    close(terms.trade_adder[0], 0.0, 1e-12);
    close(terms.direct_price_per_kg, 0.28, 1e-12);
}

/// Energy at the root goes to the retailer, what the node's costs beyond it to the network operator, and together they are
/// what dispatch saw.
#[test]
fn nodal_bills_are_what_dispatch_saw() {
    let setting = feeder(&[2, 18], 1);
    let mut plans = [plan(300.0, 0.0, -200.0, 0.0, 0.0), plan(0.0, 50.0, 150.0, 0.0, 0.0)].map(|p| Plan::clone(&p));
    (plans[0].trade, plans[1].trade) = (vec![-100.0], vec![100.0]);
    plans[0].output = vec![-400.0];
    let physical = state(&setting, plans.map(Arc::new).to_vec());
    let policy = policy("Integrated(retail_margin_per_kwh: 0.02)");
    let (signal, ledger) = at_its_own_signal(&*policy, &setting, &physical);
    for (i, (terms, plan)) in policy.terms(&setting, &signal).iter().zip(&physical.plans).enumerate() {
        let seen = terms.import_adder[0] * plan.import_kwh[0]
            - terms.export_adder[0] * plan.export_kwh[0]
            - terms.trade_adder[0] * plan.trade[0];
        close(paid(&ledger, i), seen, 1e-9);
        let network = -ledger.balance_of(Party::Member(i), &[Reason::Nodal]);
        close(
            network,
            -plan.output[0] * (signal.nodal().price_per_kwh[i] - signal.nodal().carbon_per_kwh[i] - 0.6),
            1e-9,
        );
    }
    // The tariff itself is settled elsewhere: beside it the retailer gains its margin, and loses what exports now earn.
    close(ledger.balance(Party::Grid), 0.02 * 350.0 - (0.6 - 0.4) * 50.0, 1e-9);
}

/// What the export of carbon costs decides the price at an exporting root: 500 with a load's price, 662.68 credited with
/// upstream carbon of 0.581, 626 not charged at a mix of 0.45 (per MWh, at 280 per tonne).
#[test]
fn the_price_at_an_exporting_root_follows_the_rule_for_exported_carbon() {
    let mut setting = one_bus(0.0, 1);
    setting.tariff = Some(tariff(1, 0.5, 0.4, 0.581));
    let physical = state(&setting, vec![plan(0.0, 40.0, 40.0, 27.0, 60.0)]);
    assert!(physical.upstream_import_kwh[0] < 0.0);
    for (rule, price) in [("LikeLoad", 0.5), ("Credited", 0.66268), ("Unpriced", 0.626)] {
        let policy = policy(&format!("Integrated(root_export: {rule})"));
        let (signal, ledger) = at_its_own_signal(&*policy, &setting, &physical);
        close(signal.nodal().price_per_kwh[0], price, 1e-9);
        let charged_kg = ledger.balance(Party::Authority) / 0.28;
        let expected = match rule {
            "LikeLoad" => 27.0,
            "Credited" => 27.0 - 0.581 * 40.0,
            _ => 27.0 - 0.45 * 40.0,
        };
        close(charged_kg, expected, 1e-9);
    }
}

#[test]
fn a_marginal_surplus_goes_back_to_those_who_did_not_pay_it() {
    let setting = feeder(&[18, 33], 1);
    let mut quiet = setting.clone();
    quiet.feeder.as_mut().unwrap().passive_load_factor = vec![0.0];
    let plans = vec![plan(900.0, 0.0, -900.0, 0.0, 0.0), plan(300.0, 0.0, -300.0, 0.0, 0.0)];
    let physical = state(&quiet, plans);
    let policy = policy("NodalMarginal(price_per_tonne: 1000)");
    let (_, ledger) = at_its_own_signal(&*policy, &quiet, &physical);
    close(ledger.balance(Party::Authority), physical.emissions_kg(&quiet, 0), 1e-6);
    // Marginal losses are twice the average ones: there is a surplus, and the operator keeps nothing of it.
    close(ledger.balance(Party::Dso), 0.0, 1e-9);
    let refund = |i| ledger.balance_of(Party::Member(i), &[Reason::CarbonRefund]);
    assert!(refund(0) > 0.0 && refund(1) > 2.0 * refund(0));
}

#[test]
fn nodal_policies_need_a_network_and_charge_once() {
    let bare = setting(1, Some(tariff(1, 1.0, 0.4, 0.5)), &[0.0]);
    for text in ["NodalFlow()", "NodalMarginal()", "SteppedNodal()", "Integrated()"] {
        assert!(matches!(policy(text).check(&bare), Err(PolicyError::Unmet { .. })), "{text}");
    }
    let setting = feeder(&[18], 1);
    let refused = |text: &str| assert!(matches!(policy(text).check(&setting), Err(PolicyError::Combination { .. })));
    refused("Integrated(ladder: ())");
    refused("Integrated(visible: false)");
    refused("NodalMarginal(visible: false)");
    for text in ["Integrated(price_per_tonne: 0, ladder: ())", "Integrated(form: FlowInLoop, ladder: ())"] {
        policy(text).check(&setting).unwrap();
    }
}

/// A ladder beside nodal prices without carbon is the ladder on imports of the retail tariff.
#[test]
fn a_ladder_on_imports_is_the_same_at_nodal_prices() {
    let setting = feeder(&[18, 33], 1);
    let plans = vec![plan(900.0, 0.0, -900.0, 0.0, 0.0), plan(300.0, 0.0, -400.0, 50.0, 100.0)];
    let physical = state(&setting, plans);
    for coverage in ["VppsOnly", "Feeder"] {
        let nodal = format!("Integrated(price_per_tonne: 0, ladder: (interval_kg: 100), coverage: {coverage})");
        let (nodal, retail) = (policy(&nodal), policy(&format!("Stepped(interval_kg: 100, coverage: {coverage})")));
        let (_, at_nodes) = at_its_own_signal(&*nodal, &setting, &physical);
        let ladder = bills(&*retail, &setting, &physical, &Signal::None);
        for party in [Party::Member(0), Party::Member(1), Party::Dso, Party::Authority] {
            let carbon = |ledger: &Ledger| -ledger.balance_of(party, &[Reason::Carbon]);
            close(carbon(&at_nodes), carbon(&ladder), 1e-9);
        }
        assert_eq!(
            nodal.responsibility(&setting, &physical, &Signal::None),
            retail.responsibility(&setting, &physical, &Signal::None)
        );
    }
}
