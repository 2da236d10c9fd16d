//! Limits of the network in the prices of a network-blind mechanism: five plants on the 33-bus feeder, each by itself at its
//! node's price, against the joint optimum of plants and feeder in one program.

mod common;

use coase_core::engine::{self, Cleared, Reporting};
use coase_core::market::NetworkMode;
use coase_core::mechanism::Mechanism;
use coase_core::network::{Limit, built_in};
use coase_core::outcome::{Status, Verdict};
use coase_core::participant::Participant;
use coase_core::policy::Modified;
use coase_core::policy::policies::Integrated;
use coase_core::program::SolveError;
use coase_core::schemars::{self, JsonSchema};
use coase_core::setting::{Feeder, Setting};
use coase_core::{Allocation, Market, MechanismError, Outcome, RunContext, register};
use common::five_vpps::{five_vpps, setting};
use common::shapes::RTS_WINTER;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Everybody by itself.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Alone {}
register!(Alone, "alone-in-test", Baseline, "nobody trades", claims: [], needs: [], information: Prices);
impl Mechanism for Alone {
    fn run(&self, market: &Market, _: &mut RunContext<'_>) -> Result<Outcome, MechanismError> {
        Ok(Outcome::new(market.setting()))
    }
}

/// What the feeder can carry.
#[derive(Clone, Copy)]
struct Feeds {
    v_min_pu: f64,
    v_max_pu: f64,
    /// Rating of the branch to a bus.
    rating: (u64, f64),
}

fn market(limits: Feeds) -> Market {
    let bare = setting();
    let mut network = built_in("ieee-33").expect("built in").network().expect("valid");
    for bus in &mut network.buses {
        (bus.v_min_pu, bus.v_max_pu) = (limits.v_min_pu, limits.v_max_pu);
    }
    let lateral = network.branches.iter().position(|b| network.bus(b.to).id == limits.rating.0).expect("a lateral");
    network.branches[lateral].rate_kva = Some(limits.rating.1);
    let vpps = five_vpps();
    let mut members = bare.members.clone();
    for (member, vpp) in members.iter_mut().zip(&vpps) {
        member.node = network.node(u64::from(vpp.bus));
    }
    let feeder = Feeder::new(network, RTS_WINTER.iter().map(|x| 0.5 * x).collect()).expect("a feeder");
    let setting = Setting { feeder: Some(feeder), members, ..bare };
    Market::new(setting, vpps.into_iter().map(|v| Arc::new(v.portfolio) as Arc<dyn Participant>).collect())
}

fn clear(limits: Feeds) -> Result<Cleared, MechanismError> {
    let policy: Modified<Integrated> = Integrated::default().into();
    let entered = engine::enter(&market(limits), &policy);
    engine::clear(&Alone {}, &entered, &policy, &Reporting::Truthful, 1, &())
}

/// Plants and feeder in one program, at the root's prices.
fn joint(limits: Feeds) -> Arc<Allocation> {
    let policy: Modified<Integrated> = Integrated::default().into();
    let entered = engine::enter(&market(limits), &policy);
    let root: Vec<f64> = (0..24).map(|t| root_price(entered.setting(), t)).collect();
    let inside = NetworkMode::Inside { loss_price_per_kwh: root };
    entered.solve(&entered.grand().network(inside)).expect("an optimum")
}

fn root_price(setting: &Setting, t: usize) -> f64 {
    let tariff = setting.tariff.as_ref().expect("a tariff");
    tariff.buy_per_kwh[t] + 0.28 * tariff.intensity_kg_per_kwh[t]
}

/// Cost of plants and feeder together: resources, carbon, and energy from upstream beyond passive load.
fn joint_cost(found: &Cleared) -> f64 {
    let setting = found.truth.setting();
    let feeder = setting.feeder.as_ref().expect("a feeder");
    let passive: f64 = feeder.network.buses.iter().map(|b| b.p_load_kw).sum();
    let own: f64 =
        found.physical.plans.iter().map(|p| p.resource_cost + 0.28 * p.emission_kg.iter().sum::<f64>()).sum();
    let upstream = (0..24).map(|t| {
        root_price(setting, t) * (found.physical.upstream_import_kwh[t] - passive * feeder.passive_load_factor[t])
    });
    own + upstream.sum::<f64>()
}

/// Cost to a millionth, prices at every member's bus and hour to 2e-5 per kWh, multipliers to a thousandth.
fn is_the_joint_optimum(limits: Feeds, binds: fn(Limit) -> bool) {
    let (found, joint) = (clear(limits).expect("an outcome"), joint(limits));
    assert_eq!(found.outcome.status, Status::Converged, "{:?} {:?}", found.reason, found.outcome.evidence);
    for name in ["fixed_point_price", "fixed_point_gap", "limit_violation", "limit_slackness"] {
        let certificate = found.outcome.evidence.iter().find(|c| c.name == name).expect(name);
        assert_eq!(certificate.verdict, Verdict::Upheld, "{certificate:?}");
    }
    let cost = joint_cost(&found);
    assert!((cost - joint.cost).abs() < 2e-6 * joint.cost, "{cost} {}", joint.cost);
    let setting = found.truth.setting();
    let feeder = setting.feeder.as_ref().expect("a feeder");
    assert!(!found.limits.prices.is_empty());
    for (t, priced) in found.limits.prices.by_period.iter().enumerate() {
        assert!(priced.iter().all(|(limit, multiplier)| binds(*limit) && *multiplier > 0.0), "{t} {priced:?}");
        let flow = &found.physical.grid[t].flow;
        let losses = feeder.power_flow.sensitivities(flow).expect("solved").slack_kw();
        for (i, member) in setting.members.iter().enumerate() {
            let k = i * 24 + t;
            let charged = found.signal.nodal().price_per_kwh[k] + found.limits.per_kwh[k];
            assert!((charged - joint.nodal_price[i][t]).abs() < 2e-5, "{i} {t}: {charged} {}", joint.nodal_price[i][t]);
            // One limit binds: beyond losses the joint price is its multiplier times the member's part in it.
            if let ([_], false) = (&priced[..], found.limits.per_kwh[k].abs() < 1e-3) {
                let beyond =
                    joint.nodal_price[i][t] - root_price(setting, t) * losses.p[member.node.expect("connected").0];
                assert!((found.limits.per_kwh[k] / beyond - 1.0).abs() < 1e-3, "{i} {t}");
            }
        }
    }
}

#[test]
fn a_least_voltage_is_priced_as_in_the_joint_optimum() {
    let low = |limit| matches!(limit, Limit::VoltageMin(_));
    is_the_joint_optimum(Feeds { v_min_pu: 0.955, v_max_pu: 1.05, rating: (26, 900.0) }, low);
}

#[test]
fn a_greatest_voltage_is_priced_as_in_the_joint_optimum() {
    let high = |limit| matches!(limit, Limit::VoltageMax(_));
    is_the_joint_optimum(Feeds { v_min_pu: 0.93, v_max_pu: 1.0, rating: (26, 900.0) }, high);
}

#[test]
fn a_rating_is_priced_as_in_the_joint_optimum_whichever_way_power_flows() {
    let rating = |limit| matches!(limit, Limit::RatingFrom(_) | Limit::RatingTo(_));
    is_the_joint_optimum(Feeds { v_min_pu: 0.90, v_max_pu: 1.05, rating: (26, 520.0) }, rating);
}

#[test]
fn limits_that_nobody_can_hold_are_named() {
    let error = clear(Feeds { v_min_pu: 0.97, v_max_pu: 1.05, rating: (26, 900.0) }).expect_err("an evening too heavy");
    let MechanismError::Solve(SolveError::Infeasible { rows }) = &error else { panic!("{error}") };
    assert!(
        rows[0].starts_with("bus 18, period 17: voltage") && rows[0].ends_with("below its limit of 0.97 pu"),
        "{rows:?}"
    );
}

/// Where no limit binds none is priced, and the figures of the bare feeder stay.
#[test]
fn limits_that_do_not_bind_change_nothing() {
    let found = clear(Feeds { v_min_pu: 0.90, v_max_pu: 1.05, rating: (26, 900.0) }).expect("an outcome");
    assert!(found.limits.prices.is_empty() && found.limits.per_kwh.is_empty());
    assert!(found.outcome.evidence.iter().all(|c| !c.name.starts_with("limit_")));
    let loss: f64 = found.physical.grid.iter().map(|s| s.flow.loss_kw).sum();
    let import: f64 = found.physical.upstream_import_kwh.iter().sum();
    assert!((loss - 708.430).abs() < 0.05 && (import - 31_901.17).abs() < 0.5, "{loss} {import}");
}
