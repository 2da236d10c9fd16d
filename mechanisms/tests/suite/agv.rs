//! Expected externalities on markets: what devices bring to the table, and what the evaluator makes of it.

use coase_core::evaluate::{Search, Yardstick};
use coase_core::mechanism::Mechanism;
use coase_core::outcome::Verdict;
use coase_core::participant::{Participant, Step, Steps};
use coase_core::setting::{Member, Periods, Prior, Role, Setting};
use coase_core::{Market, MechanismError, Party, Report, RunContext};
use coase_mechanisms::{Agv, Calibration, Matching, Participation, PublicQuantity};
use coase_testkit::agents::{Agent, on_a_line_but, three, three_but};
use coase_testkit::measured::{measure, try_clear, try_measure_by, yardstick};
use coase_testkit::{assert_all, policy, tariff};
use proptest::prelude::*;
use std::sync::Arc;

fn uniform() -> Prior {
    Prior::Uniform { low_per_kwh: 0.4, high_per_kwh: 1.0 }
}

fn given() -> Agv {
    Agv { prior: Some(uniform()), ..Agv::default() }
}

/// What meters saw is 50 kWh of the first and -50 of the third: whose prices are those of the grid. For prices between `l` and
/// `l + w` all alike, with `V` and `C` the places of `v` and `c` in between, the price is
/// `l (V + 1 - C - 1/2) + w (1/4 + (V^2 - C^2) / 2)`: here 1.5 x 0.4 + 0.75 x 0.6, more than the grid asks.
#[test]
fn the_three_agents_trade_what_meters_saw() {
    let market = three();
    let run = measure(&market, &given(), &*policy("None()"));
    assert_all(&run.of_participants("sold_kwh"), &[50.0, 0.0, 0.0], 1e-5);
    assert_all(&run.of_participants("payment"), &[-52.5, 0.0, 52.5], 1e-3);
    for name in ["budget_balance", "expected_regret", "transfer_balance", "bayesian_gain"] {
        assert_eq!(run.verdict(name), Verdict::Upheld, "{:?}", run.certificate(name));
    }
    assert_eq!(run.verdict("efficiency"), Verdict::NotApplicable);
    assert!(run.certificate("efficiency").witness.contains("could trade more"), "{:?}", run.certificate("efficiency"));
    // By E[GFT] / 2 = 50 x 0.6 / 12 each expects to lose where its own price is the worst.
    let worst = run.found.certificates.iter().filter(|c| c.name == "worst_interim_utility");
    for found in worst {
        assert_all(&[found.value.expect("measured")], &[-2.5], 1e-9);
    }
}

/// Sellers and buyers of one block each behind a tariff: bids are all that there is.
fn blocks(asks: &[(f64, f64)], bids: &[(f64, f64)]) -> Market {
    let mut members = vec![];
    let mut participants: Vec<Arc<dyn Participant>> = vec![];
    let sides = asks.iter().map(|bid| (bid, 1.0)).chain(bids.iter().map(|bid| (bid, -1.0)));
    for (k, ((price, kwh), sign)) in sides.enumerate() {
        let id = format!("p{k}");
        let step = Step { price_per_kwh: *price, quantity_kwh: sign * kwh };
        participants.push(Arc::new(Steps::new(&id, vec![vec![step]]).expect("finite numbers")));
        let mut member = Member::new(id, if sign < 0.0 { *kwh } else { 0.0 }, if sign > 0.0 { *kwh } else { 0.0 });
        member.prior = Some(uniform());
        members.push(member);
    }
    let setting = Setting::energy(Periods { count: 1, hours: 1.0 }, None, None, members);
    Market::new(setting, participants)
}

fn paid(market: &Market, agv: &Agv) -> Vec<f64> {
    let outcome = (agv as &dyn Mechanism).outcome(market, &mut RunContext::new(1, ())).expect("an outcome");
    (0..market.len()).map(|i| -outcome.ledger.balance(Party::Member(i))).collect()
}

/// Blocks without a grid: best prices trade, and the operator keeps nothing.
#[test]
fn blocks_trade_at_best_prices() {
    let market = blocks(&[(0.5, 3.0), (0.7, 2.0)], &[(0.9, 2.0), (0.6, 2.0)]);
    let outcome =
        (&Agv::default() as &dyn Mechanism).outcome(&market, &mut RunContext::new(1, ())).expect("an outcome");
    let sold: Vec<f64> = outcome.net.iter().map(|net| net[0]).collect();
    assert_all(&sold, &[3.0, 0.0, -2.0, -1.0], 1e-12);
    assert!(outcome.ledger.balance(Party::Operator).abs() < 1e-12);
    assert!(outcome.evidence.iter().all(|c| c.verdict != Verdict::Refuted), "{:?}", outcome.evidence);
}

/// Between two whose prices lie in `[l, l + w]`, all alike, each expects `q w (z^2 / 2 - 1/12)` at the share `z` of its price on the
/// way from the worst to the best, and its marginal contribution is `q w z^2 / 2`: parallel lines, by the equivalence of revenues.
#[test]
fn expected_gains_run_parallel_to_marginal_contributions() {
    let market = blocks(&[(0.5, 2.0)], &[(0.9, 2.0)]);
    let agv = Agv { quantity: PublicQuantity::Rated, ..Agv::default() };
    let outcome = (&agv as &dyn Mechanism).outcome(&market, &mut RunContext::new(1, ())).expect("an outcome");
    let curves = agv.curves(&market, &outcome, 1).expect("curves");
    assert_eq!(curves.len(), 4);
    for curve in &curves {
        assert_eq!(curve.points.len(), 33);
        let sells = curve.member == Some(0);
        for (price, found) in &curve.points {
            let z = if sells { (1.0 - price) / 0.6 } else { (price - 0.4) / 0.6 };
            let lump = if curve.name == "interim_utility" { 1.0 / 12.0 } else { 0.0 };
            let expected = 2.0 * 0.6 * (0.5 * z * z - lump);
            assert!((found - expected).abs() < 1e-6, "{} at {price}: {found} {expected}", curve.name);
        }
    }
}

/// Of a plant that runs for peers only, meters without trade see nothing: its public quantity is what it is rated at.
#[test]
fn a_rating_can_be_the_public_quantity() {
    let prior = || Some(Prior::Uniform { low_per_kwh: 0.0, high_per_kwh: 2.0 });
    let idle = |setting: &mut Setting| {
        for (member, (supply, demand)) in setting.members.iter_mut().zip([(20.0, 0.0), (0.0, 0.0), (0.0, 30.0)]) {
            (member.prior, member.baseline_kwh, member.roles) = (prior(), vec![0.0], vec![Role::Idle]);
            (member.rating.supply_kw, member.rating.demand_kw) = (supply, demand);
        }
    };
    let market = three_but(idle);
    let traded = |quantity| {
        let agv = Agv { quantity, ..Agv::default() };
        let outcome = (&agv as &dyn Mechanism).outcome(&market, &mut RunContext::new(1, ())).expect("an outcome");
        outcome.net.iter().map(|net| net[0]).collect::<Vec<f64>>()
    };
    assert_all(&traded(PublicQuantity::Metered), &[0.0, 0.0, 0.0], 0.0);
    assert_all(&traded(PublicQuantity::Rated), &[20.0, 0.0, -20.0], 1e-9);
}

/// A report moves the payment of whoever makes it only in so far as it moves what others expect, and nobody's side or size.
#[test]
fn sizes_and_sides_stay_whatever_is_reported() {
    let market = blocks(&[(0.5, 3.0)], &[(0.9, 2.0)]);
    let lie = |price_shift, quantity_factor| {
        market.with_report(0, &Report::Distorted { price_factor: 1.0, price_shift, quantity_factor })
    };
    let pairs = Agv { matching: Matching::Order, ..Agv::default() };
    let truth = paid(&market, &pairs);
    // Half of its block is on offer: the rest is as dear as the grid, and the mean price is what counts.
    let half = paid(&lie(0.0, 0.5), &pairs);
    // 2 kWh are traded: three quarters of them at 0.5, and a quarter at 1.0.
    let dearer = paid(&lie(0.125, 1.0), &pairs);
    assert!(half[0] != truth[0]);
    assert_all(&half, &dearer, 1e-9);
}

fn refused(market: &Market, agv: &Agv) -> MechanismError {
    let Err(error) = try_clear(market, agv, &*policy("None()")) else { panic!("it runs") };
    error
}

#[test]
fn a_missing_prior_is_named() {
    let error = refused(&three(), &Agv::default());
    assert!(matches!(error, MechanismError::Unmet { .. }) && error.to_string().contains("`vpp1` has none"), "{error}");
    let one_sided = Agv { prior_of_sellers: Some(uniform()), ..Agv::default() };
    let error = refused(&three(), &one_sided);
    assert!(error.to_string().contains("vpp1"), "{error}");
}

#[test]
fn pairs_meet_by_distance_only_where_there_is_a_network() {
    let near = Agv { matching: Matching::Distance, ..given() };
    let error = refused(&three(), &near);
    assert!(error.to_string().contains("radial network"), "{error}");
    let on_a_line = on_a_line_but(|_| {});
    let run = measure(&on_a_line, &near, &*policy("None()"));
    assert_all(&run.of_participants("payment"), &[-52.5, 0.0, 52.5], 1e-3);
}

/// Everybody expects the same at its worst price, and truth that is believed wrongly pays.
#[test]
fn lump_sums_and_wrong_priors_are_measured() {
    let agv = Agv {
        calibration: Calibration::EqualWorstOff,
        truth_of_buyers: Some(Prior::Uniform { low_per_kwh: 0.8, high_per_kwh: 1.0 }),
        ..given()
    };
    let run = measure(&three(), &agv, &*policy("None()"));
    let worst: Vec<f64> =
        run.found.certificates.iter().filter(|c| c.name == "worst_interim_utility").filter_map(|c| c.value).collect();
    assert!(worst.len() == 2 && (worst[0] - worst[1]).abs() < 1e-9, "{worst:?}");
    let gain = run.certificate("misspecification_gain");
    // A seller of cost c <= 0.8 sells in any case: it reports no more than what the buyer's law is believed to begin with.
    assert!(gain.value.expect("measured") > 1.0 && gain.witness.contains("vpp1"), "{gain:?}");
    assert!(run.certificate("bayesian_gain").value.expect("checked") < 1e-9);
}

/// Whoever may stay away does; what then is traded is no longer all that is worth it, and says so.
#[test]
fn who_may_stay_away_is_counted() {
    let agv = Agv { participation: Participation::OptOutIterated, ..given() };
    let run = measure(&three(), &agv, &*policy("None()"));
    let away = run.certificate("opt_out_share").value.expect("measured");
    assert!((away - 0.5).abs() < 0.02, "{away}");
    assert_eq!(run.verdict("efficiency"), Verdict::NotApplicable);
    assert_eq!(run.cleared.outcome.status, coase_core::Status::Converged);
}

/// Knowing the others' prices somebody gains by a lie: it is not truthful in dominant strategies, and does not claim it.
#[test]
fn it_is_not_truthful_once_prices_are_known() {
    let market = three_but(|setting| setting.members.iter_mut().for_each(|member| member.prior = Some(uniform())));
    let searched = Yardstick { regret: Search::Made, ..yardstick(&market, 0.0) };
    let run = try_measure_by(&searched, &market, &Agv::default(), &*policy("None()")).expect("figures");
    let regret = run.certificate("regret");
    assert!(regret.verdict == Verdict::Measured && regret.value.expect("searched") > 1.0, "{regret:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    /// Whoever they are, what members pay is received, period by period.
    #[test]
    fn every_market_is_balanced(agents in prop::collection::vec((0.002..0.02_f64, 0.1..1.4_f64), 2..5)) {
        let agents: Vec<Agent> = agents.into_iter().map(|(a, b)| Agent::of(a, b)).collect();
        let market = coase_testkit::agents::market(&agents);
        for matching in [Matching::Together, Matching::Quantity] {
            let agv = Agv { matching, samples: 60, ..given() };
            let paid = paid(&market, &agv);
            let moved: f64 = paid.iter().map(|x| x.abs()).sum();
            prop_assert!(paid.iter().sum::<f64>().abs() <= 1e-12 * (1.0 + moved), "{paid:?}");
        }
    }
}

#[test]
fn the_tariff_bounds_what_is_believed() {
    // Of a tariff of 0.4 / 1.0 a law from 0 to 2 leaves what lies in between.
    let wide = Agv { prior: Some(Prior::Uniform { low_per_kwh: 0.0, high_per_kwh: 2.0 }), ..Agv::default() };
    assert_all(&paid(&three(), &wide), &paid(&three(), &given()), 1e-9);
    let flat = three_but(|setting| setting.tariff = Some(tariff(&[0.4], 0.4, 0.5)));
    assert!(paid(&flat, &given()).iter().all(|x| *x == 0.0));
}
