//! What trade costs the network, and nothing else, is charged to those who trade. Losses are recomputed here by power flows
//! of the schedules with and without trade.

use coase_core::network::{Network, built_in};
use coase_core::outcome::Verdict;
use coase_core::power_flow::{Injections, PowerFlow};
use coase_core::{Market, Party};
use coase_mechanisms::{GridOnly, SecurityConstrained, Settlement};
use coase_testkit::agents::{Agent, on_network};
use coase_testkit::measured::{Measured, measure};
use coase_testkit::policy;
use proptest::prelude::*;

/// Price of a kWh from the grid.
const BUY: f64 = 1.0;

/// Agents `(bus, a, b)`.
fn market(network: Network, passive: f64, agents: &[(u64, f64, f64)]) -> Market {
    let agents: Vec<Agent> = agents.iter().map(|(bus, a, b)| Agent::of(*a, *b).at(*bus)).collect();
    on_network(network, passive, &agents)
}

/// Branch losses by the power flow of the members' outputs, kWh.
fn loss(market: &Market, outputs: &[f64]) -> f64 {
    let setting = market.setting();
    let feeder = setting.feeder.as_ref().expect("a feeder");
    let mut injections = Injections::loads_of(&feeder.network);
    for kw in injections.p_kw.iter_mut().chain(&mut injections.q_kvar) {
        *kw *= feeder.passive_load_factor[0];
    }
    for (member, kwh) in setting.members.iter().zip(outputs) {
        injections.add(member.node.expect("connected"), *kwh, 0.0);
    }
    PowerFlow::new(&feeder.network).expect("a network").solve(&injections).expect("a state").loss_kw
}

/// The run, and the losses that trade adds, kWh.
fn run(market: &Market, mechanism: &SecurityConstrained) -> (Measured, f64) {
    let run = measure(market, mechanism, &*policy("None()"));
    let with: Vec<f64> = run.cleared.physical.plans.iter().map(|p| p.output[0]).collect();
    let without: Vec<f64> = (0..market.len()).map(|i| market.local(i).autarky().expect("feasible").output[0]).collect();
    (run, loss(market, &with) - loss(market, &without))
}

/// Everything that must hold of the books; returns gain, DSO's receipts from participants, and payments.
fn books(run: &Measured) -> (f64, f64, f64) {
    let parts = run.parts();
    let gain = run.of_participants("gain");
    for (i, gain) in gain.iter().enumerate() {
        let sum: f64 = parts.iter().map(|p| p[i]).sum();
        assert!((sum - gain).abs() < 1e-9 * (1.0 + gain.abs()), "{sum} {gain}");
    }
    for name in ["gain_split", "ledger_balance", "budget_balance"] {
        let certificate = run.certificate(name);
        assert_eq!(certificate.verdict, Verdict::Upheld, "{certificate:?}");
    }
    (gain.iter().sum(), -parts[3].iter().sum::<f64>(), -parts[4].iter().sum::<f64>())
}

/// The feeder of 33 buses loses 202.7 kW under its own load. Two members trade about 50 kWh on it: they pay for the
/// difference that they make, a few kWh, and both gain.
#[test]
fn the_losses_of_the_passive_load_are_not_the_traders() {
    let network = built_in("ieee-33").expect("built in").network().expect("valid");
    let market = market(network, 1.0, &[(18, 0.008, 0.20), (33, 0.008, 1.10)]);
    let passive = loss(&market, &[0.0, 0.0]);
    assert!((passive - 202.677).abs() < 1e-2, "{passive}");
    for settlement in [Settlement::Bargaining, Settlement::DsoBargains] {
        let (run, more) = run(&market, &SecurityConstrained { settlement, loss_price_per_kwh: None });
        let (gain, to_dso, payment) = books(&run);
        assert!(more.abs() < 10.0, "{more}");
        let share = if settlement == Settlement::DsoBargains { gain / 2.0 } else { 0.0 };
        assert!((to_dso - BUY * more - share).abs() < 1e-6, "{to_dso} for {more} kWh");
        assert!(payment.abs() < 1e-9, "{payment}");
        assert!(run.found.gains.iter().all(|g| *g > 1.0), "{:?}", run.found.gains);
        assert!((run.found.gains[0] - run.found.gains[1]).abs() < 1e-6, "{:?}", run.found.gains);
        assert!((run.cleared.outcome.ledger.balance(Party::Dso) - to_dso).abs() < 1e-9);
    }
}

/// No trade is measured by the limits that it misses: the feeder's own load leaves 21 buses of 33 below 0.95 pu (published
/// voltages), none below 0.9.
#[test]
fn limits_that_no_trade_misses_are_counted() {
    let missed = |v_min_pu: f64| {
        let mut network = built_in("ieee-33").expect("built in").network().expect("valid");
        for bus in &mut network.buses {
            (bus.v_min_pu, bus.v_max_pu) = (v_min_pu, 1.1);
        }
        let market = market(network, 1.0, &[(2, 0.008, 0.6)]);
        let run = measure(&market, &GridOnly::default(), &*policy("None()"));
        let found = run.certificate("disagreement_feasibility");
        (found.value.expect("a count"), found.witness.clone())
    };
    let (count, witness) = missed(0.95);
    assert_eq!(count, 21.0, "{witness}");
    assert!(witness.contains("bus 18"), "{witness}");
    assert_eq!(missed(0.9), (0.0, String::new()));
}

/// A seller at the end of a loaded feeder relieves it: the DSO pays for the losses that are saved.
#[test]
fn trade_that_relieves_the_network_is_paid_for() {
    let network = built_in("ieee-33").expect("built in").network().expect("valid");
    let market = market(network, 1.0, &[(18, 0.008, 0.41), (2, 0.008, 0.99)]);
    let (run, more) = run(&market, &SecurityConstrained::default());
    let (gain, to_dso, _) = books(&run);
    assert!(more < -1.0 && gain > 0.0, "{more} {gain}");
    assert!((to_dso - BUY * more).abs() < 1e-6, "{to_dso} for {more} kWh");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Without limits no trade is a point of the first stage, so that nobody can lose by the best one.
    #[test]
    fn the_gain_is_never_negative_without_limits(
        lines in prop::collection::vec(0.01..0.05_f64, 4),
        passive in 0.0..400.0_f64,
        price in 0.2..3.0_f64,
        agents in prop::collection::vec((1..=5_u64, 0.003..0.02_f64, 0.1..1.4_f64), 2..5),
        dso in any::<bool>(),
    ) {
        let branches: Vec<String> =
            lines.iter().enumerate().map(|(k, r)| format!("(from: {}, to: {}, r_pu: {r}, x_pu: {r})", k + 1, k + 2)).collect();
        let buses: Vec<String> = (2..=5).map(|id| format!("(id: {id}, v_min_pu: 0.5, v_max_pu: 1.5, p_kw: {passive})")).collect();
        let text = format!(
            "Network(name: \"chain\", base_mva: 1, buses: [(id: 1, kind: Slack), {}], branches: [{}])",
            buses.join(", "), branches.join(", "),
        );
        let network = Network::from_ron(&text).unwrap_or_else(|e| panic!("{e}"));
        let market = market(network, 0.25, &agents);
        let settlement = if dso { Settlement::DsoBargains } else { Settlement::Bargaining };
        let (run, more) = run(&market, &SecurityConstrained { settlement, loss_price_per_kwh: Some(price) });
        let (gain, to_dso, _) = books(&run);
        prop_assert!(gain > -1e-5, "{gain}");
        prop_assert!(run.found.gains.iter().all(|g| (g - run.found.gains[0]).abs() < 1e-6), "{:?}", run.found.gains);
        let share = if dso { run.found.gains[0] } else { 0.0 };
        prop_assert!((to_dso - price * more - share).abs() < 1e-6, "{to_dso} for {more} kWh");
        prop_assert!(run.cleared.outcome.withheld.is_empty() || gain < 0.0);
    }
}
