//! Limits on trade with peers, apart from those on the exchange with the grid: kept by every rule, and judged by the evaluator.

use coase_core::engine::Cleared;
use coase_core::evaluate::evaluate;
use coase_core::mechanism::{Mechanism, Need, mechanisms};
use coase_core::outcome::Verdict;
use coase_core::setting::{Prior, Setting};
use coase_core::{Market, MechanismError};
use coase_mechanisms::{GridOnly, MidMarketRate, NashBargaining, UniformPrice};
use coase_testkit::agents::{three, three_but};
use coase_testkit::measured::{cleared, measure, try_measure, yardstick};
use coase_testkit::policy;

fn limited(kw: f64) -> Market {
    three_but(|setting: &mut Setting| {
        for member in &mut setting.members {
            member.peer_max_kw = kw;
            member.prior = Some(Prior::Uniform { low_per_kwh: 0.4, high_per_kwh: 1.0 });
        }
    })
}

#[test]
fn no_rule_trades_more_than_its_members_may() {
    let mut ran = 0;
    for plugin in mechanisms() {
        if plugin.needs.iter().any(|need| matches!(need, Need::Network | Need::RadialNetwork | Need::Reserve)) {
            continue;
        }
        let rule = (plugin.open.default)();
        let found = try_measure(&limited(20.0), &*rule, &*policy("None()"));
        let found = found.unwrap_or_else(|error| panic!("{}: {error}", plugin.id));
        assert_eq!(
            found.verdict("peer_limits"),
            Verdict::Upheld,
            "{}: {:?}",
            plugin.id,
            found.certificate("peer_limits")
        );
        let most = found.cleared.outcome.net.iter().flatten().fold(0.0_f64, |most, kwh| most.max(kwh.abs()));
        assert!(most <= 20.0 + 1e-4, "{}: {most} kWh", plugin.id);
        ran += 1;
    }
    assert!(ran > 30, "{ran}");
}

/// An outcome for members without limits, held against limits that they do not have.
#[test]
fn trade_beyond_the_limit_is_refuted_and_no_answer() {
    let (rule, none) = (NashBargaining::default(), policy("None()"));
    let mut run = cleared(&three(), &rule, &*none);
    let most = run.outcome.net.iter().flatten().fold(0.0_f64, |most, kwh| most.max(kwh.abs()));
    let of = yardstick(&three(), 0.0);
    let judged = |run: &Cleared| evaluate(run, &rule, &*none, 1, &of).expect("figures").certificates;
    assert!(judged(&run).iter().all(|certificate| certificate.name != "peer_limits"), "nobody has a limit");
    run.truth = limited(5.0);
    let found = judged(&run);
    let certificate = found.iter().find(|certificate| certificate.name == "peer_limits").unwrap();
    assert_eq!(certificate.verdict, Verdict::Refuted);
    assert!((certificate.value.unwrap() - (most - 5.0)).abs() < 1e-9, "{certificate:?} of {most}");
    assert!(certificate.witness.contains("peer_max_kw"), "{certificate:?}");
}

/// Of the three, without a limit, the first sells and the others buy; what they may not trade they exchange with the grid, whose limits
/// are their own.
#[test]
fn the_limit_leaves_the_exchange_with_the_grid_alone() {
    let none = policy("None()");
    let cost = |market: &Market, rule: &dyn Mechanism| measure(market, rule, &*none).metric("total_cost");
    let (free, alone) = (cost(&three(), &UniformPrice::default()), cost(&three(), &GridOnly::default()));
    assert!((cost(&limited(0.0), &NashBargaining::default()) - alone).abs() < 1e-6, "without peers everybody is alone");
    assert!((cost(&limited(1e6), &NashBargaining::default()) - free).abs() < 1e-5, "a limit that does not bind");
    let costs: Vec<f64> = [5.0, 20.0, 40.0].map(|kw| cost(&limited(kw), &NashBargaining::default())).to_vec();
    assert!(
        alone > costs[0] + 0.1 && costs[0] > costs[1] + 0.1 && costs[1] > costs[2] && costs[2] >= free - 1e-6,
        "{costs:?}"
    );
    let answers = MidMarketRate { responsive: true, ..MidMarketRate::default() };
    let refused = try_measure(&limited(20.0), &answers, &*none).err();
    assert!(matches!(&refused, Some(MechanismError::Unmet { need }) if need.contains("peer_max_kw")), "{refused:?}");
}
