//! What everybody pays for its presence: the three agents in closed form, pivots on a line that binds, and what must hold of
//! any such payments.

use coase_core::evaluate::{Search, Yardstick};
use coase_core::market::{NetworkMode, Outsiders};
use coase_core::mechanism::Mechanism;
use coase_core::network::Network;
use coase_core::outcome::{Claim, Verdict};
use coase_core::{Market, Outcome, Party, Report, RunContext};
use coase_mechanisms::{NetworkUse, Pivot, Vcg};
use coase_testkit::agents::{Agent, LINE, THREE, market, on_network, three};
use coase_testkit::measured::{Measured, measure, try_measure_by, yardstick};
use coase_testkit::{assert_all, policy};
use proptest::prelude::*;

const PIVOTS: [Pivot; 3] = [Pivot::Absent, Pivot::PublicBaseline, Pivot::ReportedDisagreement];

fn vcg(pivot: Pivot) -> Vcg {
    Vcg { pivot, ..Vcg::default() }
}

fn run(mechanism: &Vcg, market: &Market) -> Outcome {
    (mechanism as &dyn Mechanism).outcome(market, &mut RunContext::new(1, ())).expect("an outcome")
}

/// What each pays in all: its own costs of keeping the commitment, and the operator.
fn costs(truth: &Market, outcome: &Outcome) -> Vec<f64> {
    let held = truth.imposing(&outcome.imposed);
    let of = |i: usize| {
        held.local(i).deliver(&outcome.net[i]).expect("feasible").cost - outcome.ledger.balance(Party::Member(i))
    };
    (0..truth.len()).map(of).collect()
}

fn searched(mechanism: &Vcg, market: &Market) -> Measured {
    let yardstick = Yardstick { regret: Search::Made, ..yardstick(market, 0.0) };
    try_measure_by(&yardstick, market, mechanism, &*policy("None()")).expect("figures")
}

/// `tau`, gains and the operator's loss of the three agents; all pivots are the same without a network, and misreports gain
/// nothing.
#[test]
fn the_three_agents_pay_their_externalities() {
    for pivot in PIVOTS {
        let market = three();
        let run = searched(&vcg(pivot), &market);
        assert_all(&run.of_participants("payment"), &[-115.647_012_268, -30.540_166_205, 97.675_900_277], 1e-6);
        assert_all(&run.of_participants("gain"), &[45.827_067_669, 4.934_210_526, 62.684_210_526], 1e-6);
        assert_all(&[run.metric("operator_surplus")], &[-48.511_278_195], 1e-6);
        let deficit = run.certificate("vcg_deficit").value.expect("measured");
        assert_all(&[deficit], &[48.511_278_195], 1e-6);
        for name in ["regret", "individual_rationality", "efficiency", "marginal_contribution", "deficit_identity"] {
            assert_eq!(run.verdict(name), Verdict::Upheld, "{pivot:?}: {:?}", run.certificate(name));
        }
        assert!(run.certificate("regret").value.expect("searched") < 1e-6);
        assert_eq!(run.verdict("budget_balance"), Verdict::Measured);
    }
}

/// The grid and a seller at one end of a line of 100, two buyers at the other. The third, whose `b` is 1.10, says 1.30.
fn beyond_the_line() -> Market {
    let network = Network::from_ron(LINE).unwrap_or_else(|error| panic!("{error}"));
    on_network(network, 1.0, &[Agent::of(0.002, 0.2), Agent::of(0.004, 1.0).at(2), Agent::of(0.004, 1.1).at(2)])
}

fn third_says(b: f64) -> Report {
    Report::Distorted { price_factor: 1.0, price_shift: b - 1.1, quantity_factor: 1.0 }
}

#[test]
fn a_pivot_that_depends_on_the_report_pays_for_a_lie() {
    let market = beyond_the_line();
    let lied = market.with_report(2, &third_says(1.30));
    let reported = vcg(Pivot::ReportedDisagreement);
    assert_all(&[costs(&market, &run(&reported, &market))[2]], &[-21.875], 2e-3);
    assert_all(&[costs(&market, &run(&reported, &lied))[2]], &[-39.375], 2e-3);
    let found = searched(&reported, &market);
    let regret = found.certificate("regret");
    assert!(
        regret.verdict == Verdict::NotApplicable && regret.witness.contains("binds, as it does here"),
        "{regret:?}"
    );
    // The standard misreports come near the best one.
    assert!(regret.value.expect("searched") > 17.4, "{regret:?}");
    // Whoever keeps the schedule without trade that it reports does not lose against the tariff.
    assert_eq!(found.verdict("individual_rationality"), Verdict::Upheld);
}

#[test]
fn a_pivot_that_nobody_moves_leaves_truth_best() {
    for pivot in [Pivot::Absent, Pivot::PublicBaseline] {
        let market = beyond_the_line();
        let truth = costs(&market, &run(&vcg(pivot), &market))[2];
        for b in [0.7, 0.9, 1.0, 1.05, 1.15, 1.2, 1.3, 1.6] {
            let lied = costs(&market, &run(&vcg(pivot), &market.with_report(2, &third_says(b))))[2];
            assert!(lied >= truth - 1e-4, "{pivot:?}: saying {b} costs {lied}, the truth {truth}");
        }
        let found = searched(&vcg(pivot), &market);
        assert_eq!(found.verdict("regret"), Verdict::Upheld, "{pivot:?}: {:?}", found.certificate("regret"));
        assert_eq!(found.verdict("deficit_identity"), Verdict::Upheld);
    }
}

/// The baseline is what meters saw: what a member reports later does not move it, nor does it move the others' least cost.
#[test]
fn the_public_baseline_stays_whatever_is_reported() {
    let market = beyond_the_line();
    let lied = market.with_report(2, &third_says(1.30));
    assert_eq!(market.setting().members, lied.setting().members);
    assert!(market.setting().members[2].baseline_kwh[0] < -1.0);
    // What the others would cost without it: the pivot, to the last bit.
    let pivot = |said: &Market, outsiders: Outsiders| {
        let inside = NetworkMode::Inside { loss_price_per_kwh: vec![1.0] };
        said.solve(&said.grand().without(2).network(inside).outsiders(outsiders)).expect("feasible").cost
    };
    for fixed in [Outsiders::Baseline, Outsiders::Absent] {
        assert!(pivot(&market, fixed).to_bits() == pivot(&lied, fixed).to_bits(), "{fixed:?}");
    }
    assert!((pivot(&market, Outsiders::Reported) - pivot(&lied, Outsiders::Reported)).abs() > 1.0);
    assert_all(&[pivot(&market, Outsiders::Baseline)], &[pivot(&market, Outsiders::Reported)], 1e-6);
}

#[test]
fn nobody_else_and_nobody_who_trades_means_nothing_to_pay() {
    let one = market(&THREE[..1]);
    let outcome = run(&Vcg::default(), &one);
    assert!(outcome.ledger.balance(Party::Operator).abs() < 1e-9, "{:?}", outcome.ledger);
    // Two sellers: at the feed-in price nobody gains by the other.
    let sellers = market(&[Agent::of(0.004, 0.2), Agent::of(0.004, 0.25)]);
    let outcome = run(&Vcg::default(), &sellers);
    assert!(outcome.ledger.turnover() < 1e-6, "{:?}", outcome.ledger);
}

#[test]
fn the_network_may_be_left_out() {
    let blind = Vcg { network: NetworkUse::Ignored, ..Vcg::default() };
    let market = coase_testkit::agents::on_a_line();
    let run = measure(&market, &blind, &*policy("None()"));
    assert_all(&run.of_participants("gain"), &[45.827_067_669, 4.934_210_526, 62.684_210_526], 1e-4);
    assert!(!run.cleared.outcome.withheld.iter().any(|(claim, _)| *claim == Claim::Truthful));
    assert_eq!(run.verdict("efficiency"), Verdict::Upheld);
}

#[test]
fn a_price_of_losses_without_meaning_is_refused() {
    let wrong = Vcg { loss_price_per_kwh: Some(-1.0), ..Vcg::default() };
    let error = (&wrong as &dyn Mechanism).outcome(&three(), &mut RunContext::new(1, ())).expect_err("refused");
    assert!(error.to_string().contains("loss_price_per_kwh"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// The operator never earns, everybody gains what it brings, and names do not matter.
    #[test]
    fn the_operator_loses_what_members_bring_beyond_what_all_gain(
        agents in prop::collection::vec((0.002..0.02_f64, 0.1..1.4_f64), 2..5),
    ) {
        let agents: Vec<Agent> = agents.into_iter().map(|(a, b)| Agent::of(a, b)).collect();
        let truth = market(&agents);
        let outcome = run(&Vcg::default(), &truth);
        let scale = 1.0 + outcome.ledger.turnover();
        prop_assert!(outcome.ledger.balance(Party::Operator) <= 1e-7 * scale);
        for certificate in &outcome.evidence {
            prop_assert!(certificate.verdict != Verdict::Refuted, "{certificate:?}");
        }
        let turned: Vec<Agent> = agents.iter().rev().copied().collect();
        let other = run(&Vcg::default(), &market(&turned));
        for i in 0..agents.len() {
            let (one, same) = (Party::Member(i), Party::Member(agents.len() - 1 - i));
            let (paid, again) = (outcome.ledger.balance(one), other.ledger.balance(same));
            prop_assert!((paid - again).abs() <= 1e-6 * scale, "{paid} {again}");
        }
    }
}
