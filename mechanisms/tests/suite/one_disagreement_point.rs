//! A bargain splits what the evaluator measures: both have one disagreement point, no trade under the run's own final terms,
//! whatever signal the policy has.

use crate::village::{Village, village};
use coase_core::evaluate::evaluate;
use coase_core::mechanism::Mechanism;
use coase_core::network::built_in;
use coase_core::policy::{CarbonPolicy, SignalKind, policies};
use coase_core::setting::Feeder;
use coase_core::{Market, Outcome};
use coase_mechanisms::{NashBargaining, Weights};
use coase_testkit::measured::{try_clear, yardstick};
use coase_testkit::policy;
use proptest::prelude::*;

/// Every policy with a signal, and forms that have one.
fn with_signals() -> Vec<Box<dyn CarbonPolicy>> {
    let forms = [
        "HardCap(scope: Total, cap_kg: 60)",
        "HardCap(scope: Total)",
        "AllowanceTrading(interval_kg: 10, growth: 0.5)",
        "AllowanceTrading(interval_kg: 10, reward: Nothing)",
        "AllowanceTrading(interval_kg: 10, credits: Bundled)",
        "AllowanceTrading(interval_kg: 10, credits: Bundled, renewable_kg_per_kwh: 0.2)",
        "SteppedNodal(interval_kg: 10)",
        "NodalFlow(direct: Stepped(interval_kg: 10))",
    ];
    let defaults = policies().into_iter().map(|plugin| (plugin.open.default)());
    let all = defaults.chain(forms.map(policy));
    all.filter(|policy| policy.signal_kind() != SignalKind::None).collect()
}

/// On a feeder where the policy needs one.
fn market(village: &Village, quota_kg: f64, policy: &dyn CarbonPolicy) -> Market {
    village.with(|setting| {
        for member in &mut setting.members {
            member.quota_kg = quota_kg;
        }
        if policy.signal_kind() == SignalKind::Nodal {
            let network = built_in("ieee-33").expect("built in").network().expect("valid");
            for (member, bus) in setting.members.iter_mut().zip([18, 25, 33, 14]) {
                member.node = network.node(bus);
            }
            setting.feeder = Some(Feeder::new(network, vec![0.05; setting.periods.count]).expect("a feeder"));
        }
    })
}

/// Bargaining power by the formulas of the weights.
fn shares(weights: &Weights, outcome: &Outcome, members: usize) -> Vec<f64> {
    let (mut sold, mut bought) = (vec![0.0; members], vec![0.0; members]);
    for trade in outcome.bilateral() {
        sold[trade.seller] += trade.quantity;
        bought[trade.buyer] += trade.quantity;
    }
    let top = |x: &[f64]| x.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let (most_sold, most_bought) = (top(&sold), top(&bought));
    let power = |i: usize| match weights {
        Weights::Equal => 1.0,
        _ => (sold[i] / most_sold).exp() - (-bought[i] / most_bought).exp(),
    };
    let all: Vec<f64> = (0..members).map(power).collect();
    let sum: f64 = all.iter().sum();
    all.iter().map(|p| if sum > 0.0 { p / sum } else { 1.0 / members as f64 }).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn gains_as_measured_are_split_by_the_weights_under_every_signal(village in village(), quota_kg in 0.0..40.0f64) {
        let mut traded = 0;
        for policy in with_signals() {
            let market = market(&village, quota_kg, &*policy);
            for weights in [Weights::Equal, Weights::Exponential] {
                let mechanism = NashBargaining { weights: weights.clone(), ..NashBargaining::default() };
                let cleared = try_clear(&market, &mechanism as &dyn Mechanism, &*policy);
                // A cap may be out of reach, and a search for nodal prices without an answer.
                let Ok(cleared) = cleared else { continue };
                let evaluation = evaluate(&cleared, &mechanism, &*policy, 1, &yardstick(&market, 280.0)).expect("figures");
                let total: f64 = evaluation.gains.iter().sum();
                let money: f64 = cleared.physical.plans.iter().map(|p| p.cost.abs()).sum();
                traded += usize::from(total > 1e-3);
                for (gain, share) in evaluation.gains.iter().zip(shares(&weights, &cleared.outcome, market.len())) {
                    prop_assert!(
                        (gain - share * total).abs() <= 1e-6 * (1.0 + money),
                        "{}: {:?} of {total} is not split by {weights:?}", policy.plugin().id, evaluation.gains
                    );
                }
            }
        }
        prop_assume!(traded > 0);
    }
}
