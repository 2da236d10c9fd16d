//! What carbon costs that leaves at the root decides how much is exported: one generator, one load, one bus.

use crate::play::Alone;
use coase_core::engine::Cleared;
use coase_core::network::{Bus, BusKind, Network, NodeId};
use coase_core::outcome::{Party, Status};
use coase_core::participant::{Device, Load, MicroTurbine, Participant, Portfolio};
use coase_core::policy::CarbonPolicy;
use coase_core::setting::{Feeder, Member, Setting};
use coase_core::{Ledger, Market};
use coase_testkit::measured::cleared;
use coase_testkit::{HOUR, policy, tariff};
use std::sync::Arc;

/// Upstream 0.5 per kWh at 0.581 kg, a generator of 0.38 + 0.002 g per kWh at 0.45 kg, a load of 20 kW, carbon at 280 per
/// tonne.
fn exporting(policy: &dyn CarbonPolicy) -> Cleared {
    let bus = Bus { id: 1, kind: BusKind::Slack, ..Bus::default() };
    let network =
        Network { name: "one bus".into(), base_mva: 1.0, buses: vec![bus], branches: vec![], generators: vec![] };
    let feeder = Feeder::new(network, vec![1.0]).expect("a feeder");
    let tariff = tariff(&[0.5], 0.4, 0.581);
    let member = Member { node: Some(NodeId(0)), ..Member::new("a", 500.0, 500.0) };
    let devices = vec![
        Load { p_kw: vec![20.0].into() }.boxed(),
        MicroTurbine {
            p_min_kw: 0.0,
            p_max_kw: 100.0,
            cost_per_kwh: 0.38,
            cost_per_kwh2: 1e-3,
            cost_per_h: 0.0,
            ramp_kw_per_h: None,
            emission_kg_per_kwh: 0.45,
            reserve_cost_per_kw: None,
        }
        .boxed(),
    ];
    let plant = Arc::new(Portfolio::new("a", devices, HOUR).expect("a plant")) as Arc<dyn Participant>;
    let market = Market::new(Setting::energy(HOUR, Some(tariff), Some(feeder), vec![member]), vec![plant]);
    cleared(&market, &Alone {}, policy)
}

/// A price for carbon that leaves supports an output where something is exported. At the price of a load none is: on either
/// side of self-supply the price asks for the other side. The optimum is at rest between the two, at a price between theirs:
/// the marginal cost of output there, `0.38 + 0.002 * 20 + 0.126`, is `0.5 + 0.16268 theta`.
#[test]
fn what_is_exported_follows_the_rule_for_carbon_that_leaves() {
    for (rule, output_kw) in [("Credited", 78.34), ("Unpriced", 60.0), ("LikeLoad", 20.0)] {
        let found = exporting(&*policy(&format!("Integrated(root_export: {rule})")));
        let output = found.physical.plans[0].emitting_kwh[0];
        assert_eq!(found.outcome.status, Status::Converged, "{rule}: {:?} {:?}", found.reason, found.outcome.evidence);
        assert!((output - output_kw).abs() < 1e-4, "{rule}: {output} against {output_kw}");
        assert!(!found.rounds.is_empty() && found.iterations() == found.rounds, "its rounds are its iterations");
        if rule == "LikeLoad" {
            let share = found.root_share_imported[0].expect("a jump");
            assert!((share - 0.046 / 0.162_68).abs() < 1e-5, "{share}");
            assert!((found.signal.nodal().price_per_kwh[0] - 0.546).abs() < 1e-6, "{:?}", found.signal);
        }
    }
}

/// While the exchange with upstream rests members' prices are between those of import and export, but what somebody
/// answers for is not: sources their own, the network operator all that comes in.
#[test]
fn at_rest_between_import_and_export_every_kilogram_is_answered_for_once() {
    let policy = policy("Integrated(root_export: LikeLoad)");
    let found = exporting(&*policy);
    let setting = found.truth.setting();
    let emitted: f64 = found.physical.emissions_kg(setting, 0);
    let answers = policy.responsibility(setting, &found.physical, &found.signal);
    assert!((answers.covered_kg - emitted).abs() < 1e-9 && answers.uncovered_kg.abs() < 1e-9, "{answers:?}");
    let mut ledger = Ledger::default();
    policy.settle(setting, &found.physical, &found.signal, &mut ledger);
    let to_authority: f64 = ledger.entries().iter().filter(|e| e.to == Party::Authority).map(|e| e.amount).sum();
    let own_kg = 0.45 * found.physical.plans[0].emitting_kwh[0];
    let imported_kg = 0.581 * found.physical.upstream_import_kwh[0].max(0.0);
    assert!((to_authority - 0.28 * (own_kg + imported_kg)).abs() < 1e-9, "{to_authority}");
}
