//! The audit on bids whose every report can be tried: one unit is bought from three sellers, at the lowest ask or at the second
//! lowest.

use coase_core::evaluate::audit::{Audit, Audited, Found, Within};
use coase_core::evaluate::{Search, Yardstick};
use coase_core::mechanism::Mechanism;
use coase_core::outcome::Verdict;
use coase_core::participant::{Distortion, Participant, Step, Steps};
use coase_core::policy::CarbonPolicy;
use coase_core::schemars::{self, JsonSchema};
use coase_core::setting::{Member, Periods, Prior, Setting, Tariff};
use coase_core::{Market, MechanismError, Outcome, Party, Reason, RunContext, register};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The lowest ask is taken; ties go to the earlier seller.
fn bought(market: &Market, price: impl Fn(&[(usize, f64)]) -> f64) -> Result<Outcome, MechanismError> {
    let mut asks = vec![];
    for seller in 0..market.len() {
        asks.extend(market.local(seller).orders(0)?.orders.first().map(|order| (seller, order.price)));
    }
    asks.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut outcome = Outcome::new(market.setting());
    let winner = asks[0].0;
    outcome.net[winner][0] = 1.0;
    outcome.ledger.pay(Party::Operator, Party::Member(winner), price(&asks), Reason::Trade);
    Ok(outcome)
}

/// Pays what is asked. That it claims truthfulness is a lie.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FirstPrice {}
register!(FirstPrice, "first-price-in-test", Auction, "pays what is asked", claims: [Truthful, IndividuallyRational],
    needs: [], information: Reports);
impl Mechanism for FirstPrice {
    fn run(&self, market: &Market, _: &mut RunContext) -> Result<Outcome, MechanismError> {
        bought(market, |asks| asks[0].1)
    }
}

/// Pays what the second asks, and has no outcome where the first asks for more than 4.2: a failed cell.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SecondPrice {}
register!(SecondPrice, "second-price-in-test", Auction, "pays what the second asks",
    claims: [Truthful, IndividuallyRational, NoDeficit], needs: [], information: Reports);
impl Mechanism for SecondPrice {
    fn run(&self, market: &Market, _: &mut RunContext) -> Result<Outcome, MechanismError> {
        let outcome = bought(market, |asks| asks[1].1)?;
        let first = market.local(0).orders(0)?.orders[0].price;
        if first > 4.2 { Err(MechanismError::Failed("the first asks too much".into())) } else { Ok(outcome) }
    }
}

/// Pays what is asked, and says that nobody gains by that in expectation, which is a lie.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FirstPriceBelieved {}
register!(FirstPriceBelieved, "first-price-believed-in-test", Auction, "pays what is asked", claims: [BayesianTruthful],
    needs: [], information: Prior);
impl Mechanism for FirstPriceBelieved {
    fn run(&self, market: &Market, _: &mut RunContext) -> Result<Outcome, MechanismError> {
        bought(market, |asks| asks[0].1)
    }
}

/// Pays what the second asks: nobody gains whatever is believed, and so not in expectation.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SecondPriceBelieved {}
register!(SecondPriceBelieved, "second-price-believed-in-test", Auction, "pays what the second asks",
    claims: [BayesianTruthful], needs: [], information: Prior);
impl Mechanism for SecondPriceBelieved {
    fn run(&self, market: &Market, _: &mut RunContext) -> Result<Outcome, MechanismError> {
        bought(market, |asks| asks[1].1)
    }
}

fn audited(mechanism: &dyn Mechanism, budget: usize) -> Audited {
    audited_of(mechanism, [2.0, 4.0, 5.0].to_vec(), || None, budget)
}

fn audited_of(mechanism: &dyn Mechanism, costs: Vec<f64>, prior: fn() -> Option<Prior>, budget: usize) -> Audited {
    let seller = |price_per_kwh: f64| -> Arc<dyn Participant> {
        Arc::new(Steps::new("seller", vec![vec![Step { price_per_kwh, quantity_kwh: 1.0 }]]).expect("finite numbers"))
    };
    let member = |i| Member { prior: prior(), ..Member::new(format!("s{i}"), 0.0, 1.0) };
    let members = (0..costs.len()).map(member).collect();
    // Energy of the grid is too dear to matter: only the operator buys.
    let tariff = Tariff {
        buy_per_kwh: vec![20.0],
        sell_per_kwh: vec![0.0],
        intensity_kg_per_kwh: vec![0.0],
        upstream_carbon_per_tonne: 0.0,
    };
    let mut setting = Setting::energy(Periods { count: 1, hours: 1.0 }, Some(tariff), None, members);
    setting.requirement = vec![1.0];
    let market = Market::new(setting, costs.into_iter().map(seller).collect());
    let yardstick = Yardstick {
        upstream_cost_per_kwh: vec![0.0],
        damage_per_tonne: 0.0,
        core: Search::Skipped,
        regret: Search::Skipped,
        curves: Search::Skipped,
    };
    let none: Box<dyn CarbonPolicy> = coase_testkit::policy("None()");
    Audit {
        mechanism,
        market: &market,
        policy: &*none,
        yardstick: &yardstick,
        seed: 1,
        budget,
        within: Within::default(),
        watch: &(),
    }
    .run()
    .expect("an outcome")
}

#[test]
fn a_claim_that_is_a_lie_is_refuted_with_the_report_that_shows_it() {
    let found = audited(&FirstPrice {}, 600);
    let truthful = found.finding("truthful").expect("a finding");
    assert_eq!(truthful.certificate.verdict, Verdict::Refuted);
    assert!(found.refutes());
    // Asking 4 the first still wins against the second, for ties go to the earlier: it gains 2.
    assert!((truthful.certificate.value.expect("a gain") - 2.0).abs() < 1e-6, "{truthful:?}");
    let report = Distortion { price_shift_per_kwh: 2.0, ..Distortion::TRUTH };
    assert_eq!(truthful.found, Found::Reports(vec![("s0".into(), report)]));
    assert_eq!(truthful.certificate.witness, "s0 reports 2 per kWh more than its cost: gains 2");
    assert!(truthful.searched.contains("every price from 1 to 6 in steps of 0.5"), "{truthful:?}");
}

#[test]
fn every_report_is_tried_and_those_without_an_outcome_are_counted() {
    let found = audited(&SecondPrice {}, 600);
    let truthful = found.finding("truthful").expect("a finding");
    assert_eq!((truthful.certificate.verdict, truthful.certificate.value), (Verdict::Upheld, Some(0.0)));
    // Eleven prices of each of three, and the truth; of the first, those of 4.5 to 6 have no outcome.
    assert_eq!((truthful.tried, truthful.failed), (34, 4));
    // The operator buys and nobody pays it: that it never loses is not true.
    let deficit = found.finding("no_deficit").expect("a finding");
    assert_eq!(deficit.certificate.verdict, Verdict::Refuted);
    // Two together: the second asks 6 where the third asks 5, so that the first is paid 5 instead of 4.
    let pair = found.finding("pair_gain").expect("a finding");
    assert!((pair.certificate.value.expect("a gain") - 1.0).abs() < 1e-6, "{pair:?}");
}

/// Against one other of cost U[0, 1] that tells the truth, asking `b` at a cost of nothing wins `1 - b` times: 1/2 is best and brings
/// 1/4, where the truth brings nothing.
#[test]
fn what_is_gained_in_expectation_is_found_within_its_error() {
    let prior = || Some(Prior::Uniform { low_per_kwh: 0.0, high_per_kwh: 1.0 });
    let of = |mechanism: &dyn Mechanism| audited_of(mechanism, vec![0.0, 0.0], prior, 6_000);
    let lie = of(&FirstPriceBelieved {});
    let found = lie.finding("bayesian_truthful").expect("a finding");
    assert_eq!(found.certificate.verdict, Verdict::Refuted, "{found:?}");
    let (value, tolerance) = (found.certificate.value.expect("a gain"), found.certificate.tolerance.expect("an error"));
    assert!((value - 0.25).abs() < tolerance, "{found:?}");
    assert!(found.searched.contains("32 draws"), "{found:?}");
    let safe = of(&SecondPriceBelieved {});
    let found = safe.finding("bayesian_truthful").expect("a finding");
    assert_eq!(found.certificate.verdict, Verdict::Upheld, "{found:?}");
    let nobody_knows = audited_of(&SecondPriceBelieved {}, vec![0.0, 0.0], || None, 600);
    let found = nobody_knows.finding("bayesian_truthful").expect("a finding");
    assert_eq!(found.certificate.verdict, Verdict::NotSearched);
    assert!(found.certificate.witness.contains("s0 has no prior"), "{found:?}");
}
