//! Report rules on the three-participant instance, against closed forms.

use coase_core::engine::{Cleared, ReportRule, Reporting, clear, enter};
use coase_core::evaluate::evaluate;
use coase_core::mechanism::Mechanism;
use coase_core::outcome::Verdict;
use coase_core::participant::Distortion;
use coase_core::reporting::{BestResponse, Distorted, Misreport, ZeroIntelligence};
use coase_core::{MechanismError, Party, Status};
use coase_mechanisms::{BillSharing, NashBargaining, UniformPrice};
use coase_testkit::agents::three as market;
use coase_testkit::measured::yardstick;
use coase_testkit::{assert_all, policy};
use std::collections::BTreeMap;
use std::sync::Arc;

fn try_played(
    mechanism: &dyn Mechanism,
    rule: impl ReportRule + 'static,
    seed: u64,
) -> Result<Cleared, MechanismError> {
    let none = policy("None()");
    let entered = enter(&market(), &*none);
    clear(mechanism, &entered, &*none, &Reporting::Rule(Arc::new(rule)), seed, ())
}

fn played(mechanism: &dyn Mechanism, rule: impl ReportRule + 'static) -> Cleared {
    try_played(mechanism, rule, 1).expect("an outcome")
}

/// True gains over no trade.
fn gains(cleared: &Cleared) -> Vec<f64> {
    let of = |i: usize| {
        let alone = cleared.truth.local(i).autarky().expect("feasible").cost;
        alone - cleared.physical.plans[i].cost + cleared.outcome.ledger.balance(Party::Member(i))
    };
    (0..3).map(of).collect()
}

/// Everybody faces the residual curve of the others: the competitive equilibrium of slopes `a_i / (1 - w_i)`.
#[test]
fn best_responses_to_the_uniform_price_come_to_rest_where_the_closed_form_is() {
    let cleared = played(&UniformPrice::default(), BestResponse::default());
    assert_eq!(cleared.behaviour.name(), "best_response");
    assert_all(&gains(&cleared), &[20.009_042_831, 1.234_089_192, 31.916_794_487], 1e-2);
    let net: Vec<f64> = cleared.outcome.net.iter().map(|net| net[0]).collect();
    assert_all(&net, &[17_850.0 / 209.0, 3_750.0 / 209.0, -21_600.0 / 209.0], 0.05);
    let found = cleared.outcome.evidence.iter().find(|c| c.name == "exploitability").expect("a certificate");
    assert_eq!(found.verdict, Verdict::Upheld, "{found:?}");
    assert!(found.witness.starts_with("at rest after"), "{found:?}");
    // The efficiency of play: 619221/756371 of the gain of all.
    let efficiency = gains(&cleared).iter().sum::<f64>() / (4_935.0 / 76.0);
    assert!((efficiency - 619_221.0 / 756_371.0).abs() < 5e-4, "{efficiency}");
}

/// Under equal bargaining slopes are `a_i (1 + (1 - 1/n) / (1 - w_i))`: more is lost than under the uniform price.
#[test]
fn best_responses_to_equal_bargaining_lose_three_tenths_of_the_gain() {
    let cleared = played(&NashBargaining::default(), BestResponse::default());
    assert_all(&gains(&cleared), &[16.1519, 6.5570, 22.0705], 1e-2);
    let efficiency = gains(&cleared).iter().sum::<f64>() / (4_935.0 / 76.0);
    assert!((efficiency - 0.689_612_495).abs() < 5e-4, "{efficiency}");
    assert_eq!(cleared.outcome.status, Status::Converged);
}

/// What is claimed of the truth is a figure where the truth is not told; what money does is claimed whatever is said.
#[test]
fn claims_about_outcomes_are_not_held_against_play() {
    let uniform = UniformPrice::default();
    let market = market();
    let cleared = played(&uniform, BestResponse::default());
    let found = evaluate(&cleared, &uniform, &*policy("None()"), 1, &yardstick(&market, 0.0)).expect("figures");
    let verdict = |name: &str| found.certificates.iter().find(|c| c.name == name).expect("a certificate").verdict;
    assert_eq!((verdict("efficiency"), verdict("budget_balance")), (Verdict::NotApplicable, Verdict::Upheld));
}

/// A round is not enough to come to rest, and the run says so.
#[test]
fn play_that_does_not_come_to_rest_is_flagged() {
    let rule = BestResponse { rounds_max: 1, misreport: Misreport::Level, ..BestResponse::default() };
    let cleared = played(&UniformPrice::default(), rule);
    let found = cleared.outcome.evidence.iter().find(|c| c.name == "exploitability").expect("a certificate");
    assert_eq!(found.verdict, Verdict::Refuted);
    assert!(found.witness.contains("not at rest after 1 rounds") && found.witness.contains("still gains"), "{found:?}");
    assert!(matches!(cleared.outcome.status, Status::NotConverged { .. }));
}

/// The best misreport of vpp3 gains what the closed form says, measured by its true cost.
#[test]
fn a_written_misreport_gains_what_the_search_says() {
    let report = |price_shift_per_kwh| Distortion { price_shift_per_kwh, ..Distortion::TRUTH };
    let of = BTreeMap::from([("vpp3".to_owned(), report(0.802_222_222 - 1.10))]);
    let bargain = NashBargaining::default();
    let truth = gains(&played(&bargain, Distorted::default()));
    let cleared = played(&bargain, Distorted { of, ..Distorted::default() });
    assert!((gains(&cleared)[2] - truth[2] - 15.834_307_992).abs() < 1e-5);
    assert_eq!(cleared.behaviour.name(), "distorted");
    let of = BTreeMap::from([("vpp9".to_owned(), report(0.1))]);
    let wrong = try_played(&bargain, Distorted { of, ..Distorted::default() }, 1).expect_err("nobody");
    assert!(wrong.to_string().contains("vpp9") && wrong.to_string().contains("vpp1"), "{wrong}");
}

/// Constrained traders never lose by their own report, and another seed is another draw.
#[test]
fn traders_without_intelligence_draw_by_seed_and_do_not_lose() {
    let uniform = UniformPrice::default();
    let one = gains(&try_played(&uniform, ZeroIntelligence::default(), 1).expect("an outcome"));
    assert_eq!(one, gains(&try_played(&uniform, ZeroIntelligence::default(), 1).expect("an outcome")));
    assert_ne!(one, gains(&try_played(&uniform, ZeroIntelligence::default(), 2).expect("an outcome")));
    assert!(one.iter().all(|gain| *gain >= -1e-6), "{one:?}");
    let none = ZeroIntelligence { reach_per_kwh: Some(0.0) };
    let truth = gains(&played(&BillSharing::default(), Distorted::default()));
    assert_all(&gains(&played(&BillSharing::default(), none)), &truth, 1e-12);
    assert!(try_played(&uniform, ZeroIntelligence { reach_per_kwh: Some(-1.0) }, 1).is_err());
}
