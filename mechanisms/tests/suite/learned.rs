//! Members who learn what to report, on the three agents: against the strategic form of the same reports, listed whole.

use coase_core::engine::{Cleared, ReportRule, Reporting, clear, enter};
use coase_core::evaluate::ReportGame;
use coase_core::learning::NormalForm;
use coase_core::mechanism::Mechanism;
use coase_core::outcome::Verdict;
use coase_core::reporting::{BestResponse, Exp3, FictitiousPlay, Hedge, LogitResponse, RegretMatching, Truthful};
use coase_core::{Certificate, MechanismError};
use coase_mechanisms::{UniformPrice, Vcg};
use coase_testkit::agents::three as market;
use coase_testkit::policy;
use std::sync::Arc;

const FACTORS: [f64; 5] = [0.8, 0.9, 1.0, 1.1, 1.2];

fn try_played(mechanism: &dyn Mechanism, rule: Arc<dyn ReportRule>, seed: u64) -> Result<Cleared, MechanismError> {
    let none = policy("None()");
    clear(mechanism, &enter(&market(), &*none), &*none, &Reporting::Rule(rule), seed, ())
}

fn rules() -> Vec<Arc<dyn ReportRule>> {
    let factors = FACTORS.to_vec();
    vec![
        Arc::new(Hedge { price_factors: factors.clone(), ..Hedge::default() }),
        Arc::new(Exp3 { price_factors: factors.clone(), ..Exp3::default() }),
        Arc::new(RegretMatching { price_factors: factors.clone(), ..RegretMatching::default() }),
        Arc::new(FictitiousPlay { price_factors: factors.clone(), ..FictitiousPlay::default() }),
        Arc::new(LogitResponse { price_factors: factors, ..LogitResponse::default() }),
    ]
}

fn evidence<'c>(cleared: &'c Cleared, name: &str) -> Option<&'c Certificate> {
    cleared.outcome.evidence.iter().find(|c| c.name == name)
}

/// The factors that a witness names, by member.
fn reported(witness: &str) -> Vec<f64> {
    let of = |id: &str| {
        let after = witness.split(&format!("{id} ")).nth(1).expect("it names everybody");
        after.split([',', ';']).next().expect("a number").parse().expect("a number")
    };
    ["vpp1", "vpp2", "vpp3"].map(of).to_vec()
}

#[test]
fn exploitability_is_that_of_the_whole_strategic_form() {
    let (uniform, truth) = (UniformPrice::default(), market());
    let game = ReportGame { price_factors: FACTORS.to_vec(), ..ReportGame::standard(&uniform, &truth, 1) };
    let grids = vec![FACTORS.map(|factor| vec![factor, 0.0, 1.0]).to_vec(); 3];
    let form = NormalForm::of_game(&game, &grids).expect("every profile has an outcome");
    for rule in rules() {
        let id = rule.plugin().id;
        let cleared = try_played(&uniform, rule, 1).expect("an outcome");
        assert_eq!(cleared.behaviour.name(), "learned", "{id}");
        let found = evidence(&cleared, "exploitability").expect("a certificate");
        assert_eq!(found.verdict, Verdict::Measured, "{id}: learned play is not claimed to be an equilibrium");
        let profile: Vec<usize> = reported(&found.witness)
            .iter()
            .map(|x| FACTORS.iter().position(|factor| (factor - x).abs() < 1e-9).expect("on the grid"))
            .collect();
        let place = form.place(&profile);
        let gain = |player: usize| {
            form.alternatives(place, player).fold(f64::NEG_INFINITY, f64::max) - form.payoffs(place)[player]
        };
        let most = (0..3).map(gain).fold(0.0, f64::max);
        let value = found.value.expect("measured");
        assert!((value - most).abs() < 1e-6, "{id}: {value}, and {most} in the table; {}", found.witness);
    }
    // A profile from which nobody gains exists, and best replies to what others did find it.
    let pure = form.pure_equilibria();
    let play = try_played(&uniform, rules().swap_remove(3), 1).expect("an outcome");
    let found = evidence(&play, "exploitability").expect("a certificate");
    if !pure.is_empty() {
        assert!(found.value.expect("measured") < 1e-9, "{found:?}, {pure:?}");
    }
}

/// The truth and best replies in turn are measured on the same grid: of the truth its gain in the table, of rest none.
#[test]
fn the_truth_and_best_replies_are_measured_on_the_grid_too() {
    let (uniform, truth) = (UniformPrice::default(), market());
    let game = ReportGame { price_factors: FACTORS.to_vec(), ..ReportGame::standard(&uniform, &truth, 1) };
    let grids = vec![FACTORS.map(|factor| vec![factor, 0.0, 1.0]).to_vec(); 3];
    let form = NormalForm::of_game(&game, &grids).expect("every profile has an outcome");
    let gain = |place: usize, player: usize| {
        form.alternatives(place, player).fold(f64::NEG_INFINITY, f64::max) - form.payoffs(place)[player]
    };
    let told = Truthful { price_factors: FACTORS.to_vec(), ..Truthful::default() };
    let told = try_played(&uniform, Arc::new(told), 1).expect("an outcome");
    assert_eq!(told.behaviour.name(), "truthful");
    let found = evidence(&told, "exploitability").expect("a certificate");
    let most = (0..3).map(|player| gain(form.place(&[2; 3]), player)).fold(0.0, f64::max);
    assert!(most > 1.0 && (found.value.expect("measured") - most).abs() < 1e-6, "{most} {found:?}");
    let plain = try_played(&uniform, Arc::new(Truthful::default()), 1).expect("an outcome");
    assert!(evidence(&plain, "exploitability").is_none() && plain.outcome.net == told.outcome.net);
    let rule = BestResponse { price_factors: FACTORS.to_vec(), ..BestResponse::default() };
    let rest = try_played(&uniform, Arc::new(rule), 1).expect("an outcome");
    let found = evidence(&rest, "exploitability").expect("a certificate");
    assert_eq!(found.verdict, Verdict::Upheld, "{found:?}");
    let place = |x: &f64| FACTORS.iter().position(|factor| (factor - x).abs() < 1e-9).expect("on the grid");
    let profile: Vec<usize> = reported(&found.witness).iter().map(place).collect();
    assert!(form.pure_equilibria().contains(&profile), "{profile:?}: {:?}", form.pure_equilibria());
}

/// A shift by 0 is the truth, and reports of shifts are told by their shifts.
#[test]
fn members_may_learn_by_how_much_to_shift_their_price() {
    let shifts = vec![-0.1, 0.0, 0.1];
    let rule = FictitiousPlay { price_shifts_per_kwh: shifts.clone(), ..FictitiousPlay::default() };
    let learned = try_played(&UniformPrice::default(), Arc::new(rule), 1).expect("an outcome");
    let found = evidence(&learned, "exploitability").expect("a certificate");
    assert!(found.witness.starts_with("price shifts") && found.value.expect("measured") < 1e-6, "{found:?}");
    let said = reported(&found.witness);
    assert!(said.iter().all(|shift| shifts.contains(shift)) && said.iter().any(|shift| *shift != 0.0), "{found:?}");
    let vcg = BestResponse { price_shifts_per_kwh: shifts, ..BestResponse::default() };
    let truth = try_played(&Vcg::default(), Arc::new(vcg), 1).expect("an outcome");
    assert_eq!(reported(&evidence(&truth, "exploitability").expect("a certificate").witness), [0.0; 3]);
}

#[test]
fn whoever_learns_from_all_reports_keeps_its_bound_of_regret() {
    for rule in rules() {
        let id = rule.plugin().id;
        let cleared = try_played(&UniformPrice::default(), rule, 1).expect("an outcome");
        match (id, evidence(&cleared, "learning_regret")) {
            ("exp3", found) => assert!(found.is_none(), "it never learns what else it could have had"),
            (_, found) => assert_ne!(found.expect("a certificate").verdict, Verdict::Refuted, "{id}"),
        }
    }
}

/// Where nothing is better than the truth, play that answers best comes to the truth.
#[test]
fn under_a_truthful_rule_best_replies_come_to_the_truth() {
    let rule = FictitiousPlay { price_factors: FACTORS.to_vec(), ..FictitiousPlay::default() };
    let cleared = try_played(&Vcg::default(), Arc::new(rule), 1).expect("an outcome");
    let found = evidence(&cleared, "exploitability").expect("a certificate");
    assert_eq!(reported(&found.witness), [1.0; 3], "{found:?}");
    assert!(found.value.expect("measured") < 1e-6);
}

#[test]
fn what_is_learned_depends_on_the_seed_and_not_on_threads() {
    let net = |seed: u64, threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        let rule = Exp3 { rounds: 20, ..Exp3::default() };
        let cleared = pool.install(|| try_played(&UniformPrice::default(), Arc::new(rule), seed).expect("an outcome"));
        (cleared.outcome.net.clone(), evidence(&cleared, "exploitability").expect("a certificate").witness.clone())
    };
    assert_eq!(net(1, 1), net(1, 4));
    assert!((2..6).any(|seed| net(seed, 1) != net(1, 1)), "five seeds, one answer");
}

#[test]
fn parameters_that_make_no_sense_are_refused() {
    let wrong: [(Arc<dyn ReportRule>, &str); 9] = [
        (Arc::new(Hedge { price_shifts_per_kwh: vec![f64::NAN], ..Hedge::default() }), "price_shifts_per_kwh"),
        (Arc::new(Truthful { price_factors: vec![1.0, 1.0], ..Truthful::default() }), "price_factors"),
        (Arc::new(BestResponse { price_factors: vec![-1.0], ..BestResponse::default() }), "price_factors"),
        (Arc::new(Hedge { rounds: 0, ..Hedge::default() }), "rounds"),
        (Arc::new(Hedge { rate: Some(0.0), ..Hedge::default() }), "rate"),
        (Arc::new(Exp3 { exploration: Some(1.5), ..Exp3::default() }), "exploration"),
        (Arc::new(LogitResponse { noise_per_stake: -1.0, ..LogitResponse::default() }), "noise_per_stake"),
        (Arc::new(FictitiousPlay { price_factors: vec![], ..FictitiousPlay::default() }), "price_factors"),
        (Arc::new(RegretMatching { price_factors: vec![1.0, 1.0], ..RegretMatching::default() }), "price_factors"),
    ];
    for (rule, name) in wrong {
        let error = try_played(&UniformPrice::default(), rule, 1).expect_err(name);
        assert!(error.to_string().contains(name), "{error}");
    }
}
