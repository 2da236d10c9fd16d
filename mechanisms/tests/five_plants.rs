//! Five virtual power plants on the 33-bus feeder: the whole way from mechanism to figures.

#[path = "../../core/tests/common/mod.rs"]
mod common;

use coase_core::engine::{self, Reporting};
use coase_core::evaluate::{Evaluation, Search, Yardstick, evaluate};
use coase_core::mechanism::Mechanism;
use coase_core::network::built_in;
use coase_core::outcome::Verdict;
use coase_core::participant::Participant;
use coase_core::policy::CarbonPolicy;
use coase_core::record::{METRICS, Value};
use coase_core::setting::{Feeder, Setting};
use coase_core::{Market, open::Open};
use coase_mechanisms as _;
use common::five_vpps::{five_vpps, setting};
use common::shapes::RTS_WINTER;
use std::sync::Arc;

pub fn market() -> Market {
    let bare = setting();
    let mut network = built_in("ieee-33").expect("built in").network().expect("valid");
    for bus in &mut network.buses {
        (bus.v_min_pu, bus.v_max_pu) = (0.90, 1.05);
    }
    let vpps = five_vpps();
    let mut members = bare.members.clone();
    for (member, vpp) in members.iter_mut().zip(&vpps) {
        member.node = network.node(u64::from(vpp.bus));
    }
    let feeder = Feeder::new(network, RTS_WINTER.iter().map(|x| 0.5 * x).collect()).expect("a feeder");
    let setting = Setting { feeder: Some(feeder), members, ..bare };
    Market::new(setting, vpps.into_iter().map(|v| Arc::new(v.portfolio) as Arc<dyn Participant>).collect())
}

fn policies() -> Vec<Box<dyn CarbonPolicy>> {
    [
        r#"{"None": {}}"#,
        r#"{"Tax": {"price_per_tonne": 280}}"#,
        r#"{"CapAndTrade": {"price_per_tonne": 280, "quota": {"OutputBased": {"grid_kg_per_kwh": 0.5, "turbine_kg_per_kwh": 0.4}}}}"#,
        r#"{"Stepped": {"base_price_per_tonne": 280, "interval_kg": 500, "growth": 0.25}}"#,
    ]
    .iter()
    .map(|text| serde_json::from_str(text).expect("a policy"))
    .collect()
}

fn run(market: &Market, id: &str, policy: &dyn CarbonPolicy) -> Evaluation {
    let entry = <dyn Mechanism>::set().get(id).expect("registered");
    let mechanism = (entry.default)();
    let yardstick = Yardstick {
        upstream_cost_per_kwh: market.setting().tariff.as_ref().expect("a tariff").sell_per_kwh.clone(),
        damage_per_tonne: 280.0,
        core: Search::Skipped,
        regret: Search::Skipped,
    };
    let entered = engine::enter(market, policy);
    let cleared = engine::clear(&*mechanism, &entered, policy, &Reporting::Truthful, 1, &()).expect("an outcome");
    evaluate(&cleared, &*mechanism, policy, 1, &yardstick).expect("figures")
}

fn metric(evaluation: &Evaluation, name: &str) -> f64 {
    let k = METRICS.iter().position(|c| c.name == name).expect("a metric");
    match evaluation.record.metrics[k] {
        Value::Number(x) => x,
        Value::Integer(x) => x as f64,
        _ => f64::NAN,
    }
}

#[test]
fn without_trade_the_feeder_loses_and_emits_what_two_formulations_found() {
    let market = market();
    let policies = policies();
    let found: Vec<Evaluation> = policies.iter().map(|p| run(&market, "grid-only", &**p)).collect();
    // kWh of losses; kg under none, tax, cap-and-trade, stepped.
    assert!((metric(&found[0], "loss_kwh") - 964.06).abs() < 5e-3, "{}", metric(&found[0], "loss_kwh"));
    let totals: [f64; 4] = [
        967.869371 + 5674.685 + 3790.778237 + 1945.132 - 1558.14,
        1544.914311 + 6882.631748 + 4468.679439 + 2598.783232 - 1558.14,
        1048.427715 + 5758.170008 + 3889.854623 + 1990.469248 - 1558.14,
        1198.889719 + 6696.414748 + 4182.78204 + 2562.585579 - 1558.14,
    ];
    for (k, charged) in [11_389.0, 10_882.0, 11_360.0, 10_661.0].into_iter().enumerate() {
        let own: f64 = found[k]
            .record
            .participants
            .iter()
            .map(|row| match row[11] {
                Value::Number(x) => x,
                _ => f64::NAN,
            })
            .sum();
        assert!((own - charged).abs() < 1.0, "policy {k}: {own} kg");
        assert!((metric(&found[k], "total_cost") - totals[k]).abs() < 5e-4, "policy {k}");
    }
}

#[test]
fn cooperation_saves_two_fifths_and_stepped_emits_more_than_the_tax() {
    let market = market();
    let policies = policies();
    let emitted = |e: &Evaluation| {
        e.record
            .participants
            .iter()
            .map(|row| match row[11] {
                Value::Number(x) => x,
                _ => f64::NAN,
            })
            .sum::<f64>()
    };
    let mut together = vec![];
    for policy in &policies {
        let (alone, best) = (run(&market, "grid-only", &**policy), run(&market, "nash-bargaining", &**policy));
        let saved = 1.0 - metric(&best, "total_cost") / metric(&alone, "total_cost");
        assert!((0.395..=0.475).contains(&saved), "{policy:?}: {saved}");
        assert!((metric(&best, "efficiency") - 1.0).abs() < 1e-6);
        together.push(best);
    }
    let (tax, stepped) = (emitted(&together[1]), emitted(&together[3]));
    assert!((tax - 5907.0).abs() < 1.0, "{tax}");
    assert!((stepped - 5991.0).abs() < 1.0, "{stepped}");
}

#[test]
fn no_certificate_of_any_mechanism_under_any_policy_is_refuted() {
    let market = market();
    // What nobody sees cannot be minimised: claims about costs do not reach that far.
    let hidden = serde_json::from_str(r#"{"Tax": {"visible": false}}"#).expect("a policy");
    for policy in policies().into_iter().chain([hidden]) {
        for id in [
            "grid-only",
            "mid-market-rate",
            "supply-demand-ratio",
            "bill-sharing",
            "central-optimum",
            "nash-bargaining",
            "network-repair",
        ] {
            let found = run(&market, id, &*policy);
            for c in &found.certificates {
                assert_ne!(c.verdict, Verdict::Refuted, "{id} under {policy:?}: {c:?}");
            }
        }
    }
}
