//! Limits of the network in the prices of a network-blind mechanism: five plants on the 33-bus feeder, each by itself at its
//! node's price, against the joint optimum of plants and feeder in one program.

use crate::play::Alone;
use coase_core::engine::{self, Cleared, Reporting};
use coase_core::market::NetworkMode;
use coase_core::network::Limit;
use coase_core::outcome::{Status, Verdict};
use coase_core::policy::Modified;
use coase_core::policy::policies::Integrated;
use coase_core::program::SolveError;
use coase_core::setting::Setting;
use coase_core::{Allocation, MechanismError};
use coase_testkit::five_vpps::OnFeeder;
use std::sync::Arc;

/// The 33-bus feeder within voltages, the branch to bus 26 rated.
fn feeder(v_min_pu: f64, v_max_pu: f64, kva: f64) -> OnFeeder {
    OnFeeder::IEEE_33.within(v_min_pu, v_max_pu).rated(26, kva)
}

fn clear(limits: OnFeeder) -> Result<Cleared, MechanismError> {
    let policy: Modified<Integrated> = Integrated::default().into();
    let entered = engine::enter(&limits.market(), &policy);
    engine::clear(&Alone {}, &entered, &policy, &Reporting::Truthful, 1, ())
}

/// Plants and feeder in one program, at the root's prices.
fn joint(limits: OnFeeder) -> Arc<Allocation> {
    let policy: Modified<Integrated> = Integrated::default().into();
    let entered = engine::enter(&limits.market(), &policy);
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
fn is_the_joint_optimum(limits: OnFeeder, binds: fn(Limit) -> bool) {
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
    is_the_joint_optimum(feeder(0.955, 1.05, 900.0), low);
}

#[test]
fn a_greatest_voltage_is_priced_as_in_the_joint_optimum() {
    let high = |limit| matches!(limit, Limit::VoltageMax(_));
    is_the_joint_optimum(feeder(0.93, 1.0, 900.0), high);
}

#[test]
fn a_rating_is_priced_as_in_the_joint_optimum_whichever_way_power_flows() {
    let rating = |limit| matches!(limit, Limit::RatingFrom(_) | Limit::RatingTo(_));
    is_the_joint_optimum(feeder(0.90, 1.05, 520.0), rating);
}

#[test]
fn limits_that_nobody_can_hold_are_named() {
    let error = clear(feeder(0.97, 1.05, 900.0)).expect_err("an evening too heavy");
    let MechanismError::Solve(SolveError::Infeasible { rows }) = &error else { panic!("{error}") };
    assert!(
        rows[0].starts_with("bus 18, period 17: voltage") && rows[0].ends_with("below its limit of 0.97 pu"),
        "{rows:?}"
    );
}

/// Where no limit binds none is priced, and the figures of the bare feeder stay.
#[test]
fn limits_that_do_not_bind_change_nothing() {
    let found = clear(feeder(0.90, 1.05, 900.0)).expect("an outcome");
    assert!(found.limits.prices.is_empty() && found.limits.per_kwh.is_empty());
    assert!(found.outcome.evidence.iter().all(|c| !c.name.starts_with("limit_")));
    let loss: f64 = found.physical.grid.iter().map(|s| s.flow.loss_kw).sum();
    let import: f64 = found.physical.upstream_import_kwh.iter().sum();
    assert!((loss - 708.430).abs() < 0.05 && (import - 31_901.17).abs() < 0.5, "{loss} {import}");
}
