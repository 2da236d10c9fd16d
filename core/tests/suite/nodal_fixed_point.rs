//! The engine's fixed point of nodal prices around a mechanism: five plants on the 33-bus feeder, each price the marginal
//! cost of supplying its bus from upstream, carbon included. Expected figures come from an independent implementation.

use crate::play::{Alone, Together};
use coase_core::engine::Cleared;
use coase_core::mechanism::Mechanism;
use coase_core::outcome::Status;
use coase_core::physical::Physical;
use coase_core::policy::{CarbonPolicy, MarginalPrice, NodalSignal, PolicyError, Responsibility, Signal, SignalKind};
use coase_core::schemars::{self, JsonSchema};
use coase_core::setting::Setting;
use coase_core::terms::Terms;
use coase_core::{Ledger, register_policy};
use coase_testkit::five_vpps::{OnFeeder, five_vpps};
use coase_testkit::measured::cleared;
use coase_testkit::policy;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const PRICE_PER_KG: f64 = 0.28;

/// Marginal cost of upstream supply with its carbon, at every member's bus.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Marginal {}
register_policy!(Marginal, "marginal-in-test", "upstream cost and carbon at the margin", claims: [], source: "test");

fn root_price(setting: &Setting, t: usize) -> f64 {
    let tariff = setting.tariff.as_ref().expect("a tariff");
    tariff.buy_per_kwh[t] + PRICE_PER_KG * tariff.intensity_kg_per_kwh[t]
}

impl CarbonPolicy for Marginal {
    fn check(&self, _: &Setting) -> Result<(), PolicyError> {
        Ok(())
    }
    fn price_per_tonne(&self) -> Option<f64> {
        Some(1000.0 * PRICE_PER_KG)
    }
    fn signal_kind(&self) -> SignalKind {
        SignalKind::Nodal
    }
    fn start(&self, setting: &Setting) -> Signal {
        let of_member = || (0..setting.periods.count).map(|t| root_price(setting, t));
        let price_per_kwh = setting.members.iter().flat_map(|_| of_member()).collect();
        Signal::ByNode(NodalSignal { price_per_kwh, ..NodalSignal::default() })
    }
    fn terms(&self, setting: &Setting, signal: &Signal) -> Vec<Terms> {
        let tariff = setting.tariff.as_ref().expect("a tariff");
        let minus = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x - y).collect::<Vec<_>>();
        let root: Vec<f64> = (0..setting.periods.count).map(|t| root_price(setting, t)).collect();
        let terms = |price: &[f64]| Terms {
            import_adder: minus(price, &tariff.buy_per_kwh),
            export_adder: minus(price, &tariff.sell_per_kwh),
            trade_adder: minus(price, &root),
            direct_price_per_kg: PRICE_PER_KG,
            ..Terms::default()
        };
        signal.nodal().price_per_kwh.chunks(setting.periods.count).map(terms).collect()
    }
    fn target(&self, setting: &Setting, physical: &Physical, _: &Signal) -> Signal {
        let feeder = setting.feeder.as_ref().expect("a feeder");
        let mut price = vec![vec![]; setting.members.len()];
        for (t, state) in physical.grid.iter().enumerate() {
            let response = feeder.power_flow.sensitivities(&state.flow).expect("solved").slack_kw();
            for (member, price) in setting.members.iter().zip(&mut price) {
                price.push(root_price(setting, t) * response.p[member.node.expect("connected").0]);
            }
        }
        Signal::ByNode(NodalSignal { price_per_kwh: price.concat(), ..NodalSignal::default() })
    }
    fn settle(&self, _: &Setting, _: &Physical, _: &Signal, _: &mut Ledger) {}
    fn responsibility(&self, _: &Setting, _: &Physical, _: &Signal) -> Responsibility {
        Responsibility::default()
    }
    fn with_price_factor(&self, _: f64) -> Arc<dyn CarbonPolicy> {
        unreachable!("its price is a constant")
    }
    fn marginal_prices(&self, _: &Setting, _: &Physical, _: &Signal) -> Vec<MarginalPrice> {
        vec![MarginalPrice { charged_kg: 1.0, price_per_kg: PRICE_PER_KG }]
    }
}

const FEEDER: OnFeeder = OnFeeder::IEEE_33;

fn clear(mechanism: &dyn Mechanism) -> Cleared {
    cleared(&FEEDER.market(), mechanism, &Marginal {})
}

#[test]
fn members_alone_with_nodal_prices_reach_the_joint_optimum_of_plants_and_feeder() {
    let found = clear(&Alone {});
    assert_eq!(found.outcome.status, Status::Converged, "{:?} {:?}", found.reason, found.outcome.evidence);
    let value = |name: &str| found.outcome.evidence.iter().find(|c| c.name == name).and_then(|c| c.value).expect(name);
    assert!(value("fixed_point_price") < 1e-4);
    let states = &found.physical.grid;
    let loss: f64 = states.iter().map(|s| s.flow.loss_kw).sum();
    let lowest = states.iter().filter_map(|s| s.flow.min_voltage()).map(|v| v.1).fold(1.0, f64::min);
    let import: f64 = found.physical.upstream_import_kwh.iter().sum();
    assert!((loss - 708.430).abs() < 0.05, "loss {loss}");
    assert!((lowest - 0.946_508).abs() < 2e-6, "voltage {lowest}");
    assert!((import - 31_901.17).abs() < 0.5, "import {import}");
}

#[test]
fn with_nodal_prices_and_no_margin_there_is_nothing_left_to_gain_together() {
    let alone = clear(&Alone {});
    let together = clear(&Together {});
    assert_eq!(together.outcome.status, Status::Converged, "{:?} {:?}", together.reason, together.outcome.evidence);
    let cost = |c: &Cleared| c.physical.plans.iter().map(|p| p.cost).sum::<f64>();
    assert!((cost(&alone) - cost(&together)).abs() < 1e-5 * cost(&alone).abs(), "{} {}", cost(&alone), cost(&together));
}

fn under(mechanism: &dyn Mechanism, text: &str) -> Cleared {
    cleared(&FEEDER.market(), mechanism, &*policy(text))
}

/// With a ladder for every member the cost of carbon along the flows has kinks: members stay at ends of tiers, and branches
/// at rest between two directions.
#[test]
fn ladders_along_the_flows_have_a_fixed_point() {
    for interval_kg in [500, 2000] {
        let policy = format!("Integrated(form: FlowInLoop, ladder: (interval_kg: {interval_kg}, growth: 0.25))");
        for mechanism in [&Alone {} as &dyn Mechanism, &Together {}] {
            let found = under(mechanism, &policy);
            assert_eq!(found.outcome.status, Status::Converged, "{:?} {:?}", found.reason, found.outcome.evidence);
            for c in &found.outcome.evidence {
                assert!(c.tolerance.is_none_or(|most| c.value.is_some_and(|v| v <= most)), "{c:?}");
            }
        }
    }
}

/// Theorem: with one price for everybody, charging along the flows is the tax at the sources, in what everybody does and,
/// but for the worth of free allowances, in what everybody pays.
#[test]
fn a_ladder_of_one_price_along_the_flows_is_the_internalised_tax() {
    let along_flows = under(&Alone {}, "Integrated(form: FlowInLoop, ladder: (growth: 0))");
    let at_sources = under(&Alone {}, "Integrated(form: FlowInLoop)");
    for found in [&along_flows, &at_sources] {
        assert_eq!(found.outcome.status, Status::Converged, "{:?} {:?}", found.reason, found.outcome.evidence);
    }
    let import = |c: &Cleared| c.physical.upstream_import_kwh.iter().sum::<f64>();
    assert!(
        (import(&along_flows) - import(&at_sources)).abs() < 0.5,
        "{} {}",
        import(&along_flows),
        import(&at_sources)
    );
    for (member, (a, b)) in five_vpps().iter().zip(along_flows.physical.plans.iter().zip(&at_sources.physical.plans)) {
        let charged = a.cost + PRICE_PER_KG * member.quota_kg;
        assert!((charged - b.cost).abs() < 0.05, "{}: {charged} {}", member.id, b.cost);
    }
}

/// At noon the five plants would feed back what the feeder does not take. At the price of a load for carbon that leaves, they
/// stay at rest with the upstream grid, at a price between that of import and that of export.
#[test]
fn plants_that_could_feed_back_rest_between_import_and_export() {
    let market = OnFeeder { id: "ieee-69", passive: 0.3, ..OnFeeder::IEEE_33 }.market();
    let found = cleared(&market, &Alone {}, &*policy("Integrated()"));
    assert_eq!(found.outcome.status, Status::Converged, "{:?} {:?}", found.reason, found.outcome.evidence);
    for c in &found.outcome.evidence {
        assert!(c.tolerance.is_none_or(|most| c.value.is_some_and(|v| v <= most)), "{c:?}");
    }
    let import = &found.physical.upstream_import_kwh;
    let rests = |kwh: f64| kwh.abs() <= 1e-3;
    assert!(import.iter().any(|kwh| rests(*kwh)), "somewhere the exchange rests: {import:?}");
    assert!(import.iter().all(|kwh| *kwh >= -1e-3), "nothing is fed back: {import:?}");
    for (kwh, share) in import.iter().zip(&found.root_share_imported) {
        let share = share.expect("a jump");
        assert!(rests(*kwh) || share == 1.0, "{kwh} {share}");
    }
}
