//! The books close under every mechanism and every policy: what participants pay is what others receive and what they use up
//! themselves, and the five parts of a gain sum to it.

use coase_core::mechanism::mechanisms;
use coase_core::network::Network;
use coase_core::outcome::Verdict;
use coase_core::policy::policies;
use coase_core::{Market, MechanismError};
use coase_mechanisms as _;
use coase_testkit::agents::{Agent, market, on_network};
use coase_testkit::measured::{Measured, try_measure};
use coase_testkit::policy;
use proptest::prelude::*;

/// Resource value of a kWh from upstream: the feed-in price.
const UPSTREAM: f64 = 0.4;
const CHAIN: &str =
    "Network(name: \"chain\", base_mva: 1, buses: [(id: 1, kind: Slack), (id: 2, p_kw: 20), (id: 3, p_kw: 20, g_kw: 6)],
    branches: [(from: 1, to: 2, r_pu: 0.01, x_pu: 0.01), (from: 2, to: 3, r_pu: 0.02, x_pu: 0.01)])";

/// Where money takes further ways.
const MODIFIED: [&str; 7] = [
    "Tax(recycling: EqualPerHead, coverage: Feeder)",
    "Tax(visible: false, recycling: ToDso)",
    "CapAndTrade(recycling: EqualAmongOthers)",
    "Stepped(interval_kg: 20, recycling: PerLoad, import_base: NetOfExports)",
    "AllowanceTrading(interval_kg: 20, recycling: EqualPerHead)",
    "NodalFlow(coverage: Feeder, recycling: PerLoad)",
    "Integrated(coverage: Feeder, recycling: EqualPerHead)",
];

/// Agents with a fixed quota; on the chain where it is asked for.
fn market_of(agents: &[(f64, f64, f64)], on_chain: bool) -> Market {
    let agent = |(i, (a, b, quota_kg)): (usize, &(f64, f64, f64))| {
        Agent::of(*a, *b).with_quota(*quota_kg).at(2 + (i as u64 % 2))
    };
    let agents: Vec<Agent> = agents.iter().enumerate().map(agent).collect();
    if on_chain {
        let network = Network::from_ron(CHAIN).unwrap_or_else(|e| panic!("{e}"));
        on_network(network, 1.0, &agents)
    } else {
        market(&agents)
    }
}

fn closes(run: &Measured, what: &str) -> Result<(), TestCaseError> {
    let of = |name: &str| run.of_participants(name);
    let turnover: f64 = run.found.ledger.entries().iter().map(|e| e.amount).sum();
    let (total, before, gain) = (of("total_cost"), of("disagreement_cost"), of("gain"));
    let money = 1.0 + turnover + before.iter().map(|x| x.abs()).sum::<f64>();
    let close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * money;
    let parts = run.parts();
    for i in 0..total.len() {
        let sum: f64 = parts.iter().map(|p| p[i]).sum();
        prop_assert!(close(sum, gain[i]), "{what}: the parts sum to {sum}, not to {}", gain[i]);
        prop_assert!(close(before[i] - total[i], gain[i]), "{what}: {} {} {}", before[i], total[i], gain[i]);
    }
    for name in ["total_cost", "operating_cost", "carbon_cost", "resold_kwh"] {
        let sum: f64 = of(name).iter().sum();
        prop_assert!(close(sum, run.metric(name)), "{what}: {name} {sum} {}", run.metric(name));
    }
    // What others hold: margins are what they receive less the worth of the energy that they give for it.
    let exchange: f64 = of("import_kwh").iter().sum::<f64>() - of("export_kwh").iter().sum::<f64>();
    // What enters the feeder and reaches nobody: lost in branches, and consumed by a shunt that follows the voltage.
    let flows = run.cleared.physical.grid.iter().map(|state| &state.flow);
    let losses: f64 = flows.map(|flow| flow.p_kw.iter().sum::<f64>()).sum();
    let others = run.metric("retail_margin")
        + UPSTREAM * exchange
        + run.metric("dso_revenue")
        + UPSTREAM * losses
        + run.metric("operator_surplus")
        + run.metric("carbon_revenue");
    let (paid, own) = (run.metric("total_cost"), run.metric("resource_cost"));
    prop_assert!(close(paid - own, others), "{what}: {paid} are paid, {own} used up, {others} received");
    for name in ["gain_split", "ledger_balance"] {
        let certificate = run.certificate(name);
        prop_assert!(certificate.verdict == Verdict::Upheld, "{what}: {certificate:?}");
    }
    Ok(())
}

proptest! {
    // A case is every mechanism under a third of the policies: some hundreds of runs.
    #![proptest_config(ProptestConfig { cases: 1, ..ProptestConfig::default() })]

    #[test]
    fn every_mechanism_under_every_policy_leaves_closed_books(
        agents in prop::collection::vec((0.002..0.02_f64, 0.1..1.4_f64, 0.0..60.0_f64), 2..4),
        on_chain in any::<bool>(),
        third in 0..3_usize,
    ) {
        let market = market_of(&agents, on_chain);
        let mut answered = 0;
        let plain = policies().into_iter().map(|plugin| (plugin.open.default)());
        let all: Vec<_> = plain.chain(MODIFIED.iter().map(|text| policy(text))).collect();
        for (m, mechanism) in mechanisms().into_iter().enumerate() {
            // A third of the pairs, another one in another case: every mechanism meets policies of every kind.
            for (_, policy) in all.iter().enumerate().filter(|(p, _)| (m + p) % 3 == third) {
                let what = format!("{} under {policy:?}", mechanism.id);
                match try_measure(&market, &*(mechanism.open.default)(), &**policy) {
                    Ok(run) => {
                        closes(&run, &what)?;
                        answered += 1;
                    }
                    Err(MechanismError::Unmet { .. } | MechanismError::Policy(_) | MechanismError::Solve(_)) => {}
                    Err(error) => prop_assert!(false, "{what}: {error}"),
                }
            }
        }
        prop_assert!(answered > mechanisms().len(), "{answered} answers");
    }
}
