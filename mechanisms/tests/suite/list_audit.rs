//! What the audit of lists finds, against closed forms and witnesses that it does not know.

use coase_core::evaluate::audit::{Bidder, DEFAULT_LIST_BUDGET, Found, ListAudit, ListAudited};
use coase_core::mechanism::Mechanism;
use coase_core::outcome::Verdict;
use coase_core::setting::Prior;
use coase_mechanisms::{
    Agv, CompetitionPadding, DoubleAuction, Huang, Mcafee, Muda, PaddedSide, Padding, PayAsBid, Vcg,
};
use coase_testkit::assert_all;

fn audited(mechanism: &dyn Mechanism, bidders: &[Bidder], budget: usize) -> ListAudited {
    let auction = mechanism.as_auction().expect("an auction");
    ListAudit { mechanism, auction, bidders, seed: 1, budget, watch: &() }.run().expect("an outcome")
}

fn verdict(found: &ListAudited, name: &str) -> Verdict {
    found.finding(name).unwrap_or_else(|| panic!("no finding {name}")).certificate.verdict
}

fn value(found: &ListAudited, name: &str) -> f64 {
    found.finding(name).and_then(|finding| finding.certificate.value).unwrap_or_else(|| panic!("no value {name}"))
}

fn witness(found: &ListAudited, name: &str) -> String {
    found.finding(name).map(|finding| finding.certificate.witness.clone()).unwrap_or_default()
}

/// Blocks of buyers, then of sellers; each is rated what it has.
fn list(buyers: &[&[(f64, f64)]], sellers: &[&[(f64, f64)]]) -> Vec<Bidder> {
    let bidder = |sells: bool| {
        move |(k, blocks): (usize, &&[(f64, f64)])| Bidder {
            id: format!("{}{k}", if sells { "s" } else { "b" }),
            sells,
            rating_kwh: blocks.iter().map(|block| block.1).sum(),
            blocks: blocks.to_vec(),
        }
    };
    buyers.iter().enumerate().map(bidder(false)).chain(sellers.iter().enumerate().map(bidder(true))).collect()
}

fn units(values: &[f64], costs: &[f64]) -> Vec<Bidder> {
    let [values, costs] = [values, costs].map(|all| all.iter().map(|p| [(*p, 1.0)]).collect::<Vec<_>>());
    let [values, costs]: [Vec<&[(f64, f64)]>; 2] =
        [&values, &costs].map(|all| all.iter().map(<[_; 1]>::as_slice).collect());
    list(&values, &costs)
}

/// Six of a unit each on both sides; all but the last two of each trade, at a price between 5 and 6.
fn unit_market() -> Vec<Bidder> {
    units(&[9.0, 8.0, 7.0, 6.0, 4.0, 3.0], &[2.0, 3.0, 4.0, 5.0, 6.0, 8.0])
}

/// One block each: buyers (1, 3), (0.8, 2), (0.6, 4), (0.45, 2), sellers (0.2, 3), (0.35, 2), (0.5, 3), (0.55, 2), (0.7, 3).
fn block_market() -> Vec<Bidder> {
    list(
        &[&[(1.0, 3.0)], &[(0.8, 2.0)], &[(0.6, 4.0)], &[(0.45, 2.0)]],
        &[&[(0.2, 3.0)], &[(0.35, 2.0)], &[(0.5, 3.0)], &[(0.55, 2.0)], &[(0.7, 3.0)]],
    )
}

fn padding(kwh: f64) -> CompetitionPadding {
    CompetitionPadding { padding_kwh: Padding::Kwh(kwh), quantum_kwh: 1.0, ..CompetitionPadding::default() }
}

fn enough() -> CompetitionPadding {
    CompetitionPadding { padding_kwh: Padding::Auto, quantum_kwh: 1.0, ..CompetitionPadding::default() }
}

/// At one price between the marginal bids every trader gains half of what they are apart, and nobody else anything.
#[test]
fn every_trader_gains_half_a_unit_of_price_in_the_double_auction() {
    let found = audited(&DoubleAuction::default(), &unit_market(), DEFAULT_LIST_BUDGET);
    let gains: Vec<f64> = found.regrets.iter().map(|regret| regret.joint.value).collect();
    assert_all(&gains, &[0.5, 0.5, 0.5, 0.5, 0.0, 0.0, 0.5, 0.5, 0.5, 0.5, 0.0, 0.0], 1e-9);
    assert!(found.regrets.iter().all(|regret| regret.is_complete && regret.price.value == regret.joint.value));
    let truthful = found.finding("truthful").expect("a finding");
    assert!(truthful.searched.contains("every price from 1 to 10 in steps of 0.5"), "{truthful:?}");
    assert_eq!((truthful.certificate.verdict, truthful.failed), (Verdict::Measured, 0));
    for claim in ["individual_rationality", "budget_balance"] {
        assert_eq!(verdict(&found, claim), Verdict::Upheld, "{:?}", found.finding(claim));
    }
    assert!(value(&found, "efficiency") < 1e-9 && !found.refutes());
}

/// On the same units no rule that claims truthfulness is refuted. The operator loses 4 by Vickrey's payments.
#[test]
fn nobody_gains_alone_where_truth_is_claimed() {
    let market = unit_market();
    let rules: [&dyn Mechanism; 5] = [&Mcafee {}, &Huang::default(), &Muda::default(), &enough(), &Vcg::default()];
    for rule in rules {
        let found = audited(rule, &market, DEFAULT_LIST_BUDGET);
        let id = rule.plugin().id;
        assert_eq!(verdict(&found, "truthful"), Verdict::Upheld, "{id}: {}", witness(&found, "truthful"));
        assert!(!found.refutes(), "{id}: {found:?}");
        // A unit on the other side is of no use to whoever buys it and not there for whoever sells it.
        assert_eq!(value(&found, "role_gain"), 0.0, "{id}: {}", witness(&found, "role_gain"));
    }
    let vickrey = audited(&Vcg::default(), &market, DEFAULT_LIST_BUDGET);
    assert!(value(&vickrey, "no_deficit") >= 4.0 - 1e-9);
    assert_eq!(verdict(&vickrey, "efficiency"), Verdict::Upheld);
}

/// Two together, neither of whom may lose, gain exactly 1 under each of three rules.
#[test]
fn a_pair_gains_one_under_every_rule() {
    let market = unit_market();
    let rules: [&dyn Mechanism; 3] = [&Vcg::default(), &Mcafee {}, &DoubleAuction::default()];
    for rule in rules {
        let found = audited(rule, &market, 200_000);
        let id = rule.plugin().id;
        let gain = value(&found, "pair_gain_of_each");
        assert!((gain - 1.0).abs() < 1e-9, "{id}: {gain} {}", witness(&found, "pair_gain_of_each"));
        assert!(value(&found, "pair_gain") >= gain);
    }
}

/// A buyer of `d` units can push a price between the marginal bids by what it names, or by leaving one unit: the larger of `d / 2`
/// and `d - 1`, where values lie between 0 and 1.
#[test]
fn a_buyer_of_several_units_asks_for_fewer() {
    let lists: [(f64, Vec<Bidder>); 3] = [
        (0.5, units(&[1.0, 1.0], &[0.0, 0.0])),
        (1.0, list(&[&[(1.0, 2.0)], &[(1.0, 1.0)]], &[&[(0.0, 1.0)], &[(0.0, 1.0)], &[(0.0, 1.0)]])),
        (2.0, list(&[&[(1.0, 3.0)], &[(0.0, 1.0)]], &[&[(0.0, 1.0)], &[(0.0, 1.0)], &[(1.0, 1.0)]])),
    ];
    for (expected, list) in lists {
        let found = audited(&DoubleAuction::default(), &list, DEFAULT_LIST_BUDGET);
        let gain = found.regrets[0].joint.value;
        assert!((gain - expected).abs() < 1e-9, "{gain} instead of {expected}: {:?}", found.regrets[0]);
    }
}

/// Three participants of quadratic cost as curves of many blocks, at the price of the common optimum: what each gains by the level of
/// its report, up to the width of a block.
#[test]
fn the_regrets_of_three_curves_are_found() {
    let curve = |level: f64, slope: f64, to_kwh: f64, sign: f64| -> Vec<(f64, f64)> {
        let count = 200;
        let kwh = to_kwh / f64::from(count);
        (0..count).map(|k| (level + sign * slope * kwh * (f64::from(k) + 0.5), kwh)).collect()
    };
    let (first, second) = (curve(0.2, 0.004, 200.0, 1.0), curve(0.55, 0.005, 90.0, 1.0));
    let third = curve(1.1, 0.002, 300.0, -1.0);
    let market = list(&[&third], &[&first, &second]);
    let found = audited(&DoubleAuction::default(), &market, 4_000);
    let gains: Vec<f64> = [1, 2, 0].map(|k| found.regrets[k].joint.value).to_vec();
    // Blocks of up to 1.5 kWh and 0.006 in price: whoever sets the price gains up to that on all that it trades.
    for (gain, known) in gains.iter().zip([2.786_571_692_4, 0.180_657_593_6, 11.910_826_673_5]) {
        assert!(known - 0.01 < *gain && *gain < known + 0.2, "{gain} and {known}");
    }
    assert!(found.regrets.iter().all(|regret| !regret.is_complete));
}

/// One buyer at 100 and 24 sellers of a unit at 1 to 24. With a padding of one unit a buyer of `d` units leaves `10 - 55` to the
/// operator where it wants ten; it wants one here and is rated ten, so that the deficit is found where it is somebody else.
#[test]
fn the_deficit_of_too_small_a_padding_is_found() {
    let costs: Vec<f64> = (1..=24).map(f64::from).collect();
    let mut market = units(&[100.0], &costs);
    market[0].rating_kwh = 10.0;
    let found = audited(&padding(1.0), &market, 20_000);
    let deficit = found.finding("budget_balance").expect("a finding");
    assert!((value(&found, "budget_balance") - 45.0).abs() < 1e-9, "{deficit:?}");
    let Found::AsIfBids(reports) = &deficit.found else { panic!("{deficit:?}") };
    assert_eq!((reports[0].0.as_str(), reports[0].1.blocks[0].1), ("b0", 10.0));
    assert!(deficit.certificate.witness.starts_with("the operator loses 45 if b0 bids"), "{deficit:?}");
    // The condition of the claim does not hold, and the rule says so.
    assert_eq!(verdict(&found, "no_deficit"), Verdict::NotApplicable);
    // At its true size the list itself shows it.
    market[0].blocks[0].1 = 10.0;
    let found = audited(&padding(1.0), &market, 5_000);
    assert!((value(&found, "no_deficit") - 45.0).abs() < 1e-9, "{:?}", found.finding("no_deficit"));
    let found = audited(&enough(), &market, 20_000);
    assert_eq!(verdict(&found, "no_deficit"), Verdict::Upheld, "{:?}", found.finding("no_deficit"));
}

/// A seller whose second unit is dear makes it look cheap: the padded market trades more, and it is paid 6 for a unit that costs 4.
#[test]
fn a_convex_seller_gains_two_in_the_padded_auction() {
    let market = list(
        &[&[(8.0, 1.0)], &[(6.5, 1.0)]],
        &[&[(4.0, 1.0), (10.0, 1.0)], &[(3.0, 1.0)], &[(6.0, 1.0)], &[(8.0, 1.0)]],
    );
    let found = audited(&padding(2.0), &market, DEFAULT_LIST_BUDGET);
    let seller = &found.regrets[2];
    assert!(seller.is_complete && (seller.joint.value - 2.0).abs() < 1e-9, "{seller:?}");
    assert_eq!(seller.joint.offer.blocks.len(), 2);
    assert_eq!(verdict(&found, "truthful"), Verdict::NotApplicable);
    assert!(
        witness(&found, "truthful").contains("on the second side s0 has 2 blocks"),
        "{}",
        witness(&found, "truthful")
    );
    // The mirror has sellers of any convex cost first.
    let mirror = CompetitionPadding { side: PaddedSide::PhantomSeller, ..enough() };
    let found = audited(&mirror, &market, DEFAULT_LIST_BUDGET);
    assert_eq!(verdict(&found, "truthful"), Verdict::Upheld, "{}", witness(&found, "truthful"));
}

/// A seller of one unit that claims two makes the padded market trade more: nothing of it is wrong but that nobody checked.
#[test]
fn claimed_capacity_gains_two_where_nobody_checks_it() {
    let market = units(&[8.0, 7.0], &[5.0, 2.0, 7.0]);
    let found = audited(&padding(2.0), &market, DEFAULT_LIST_BUDGET);
    let seller = &found.regrets[2];
    assert!((seller.overstated.value - 2.0).abs() < 1e-9, "{seller:?}");
    assert_eq!(seller.overstated.offer.blocks.iter().map(|block| block.1).sum::<f64>(), 2.0);
    assert!((value(&found, "overstated_gain") - 2.0).abs() < 1e-9);
    assert_eq!(verdict(&found, "truthful"), Verdict::Upheld, "{}", witness(&found, "truthful"));
}

/// Two units are bought from two sellers of three, cut by as much: one each. Whoever claims five is cut to two and sells the other's
/// unit as well, at 0.5 for what costs it 0.2.
#[test]
fn whoever_is_rationed_gains_by_claiming_more() {
    let market = list(&[&[(1.0, 2.0)], &[(0.6, 7.0)]], &[&[(0.2, 3.0)], &[(0.3, 3.0)], &[(0.5, 4.0)]]);
    let found = audited(&Huang::default(), &market, DEFAULT_LIST_BUDGET);
    let seller = &found.regrets[2];
    assert!((seller.overstated.value - 0.3).abs() < 1e-9, "{seller:?}");
    assert_eq!(seller.overstated.offer.blocks[0].1, 5.0);
    assert!(found.regrets.iter().all(|regret| regret.price.value < 1e-9), "{:?}", found.regrets);
}

/// Blocks of several sizes: McAfee's rule does not claim truth of them, and says why; and who is paid what it asks asks for more.
#[test]
fn on_blocks_claims_are_withheld_or_found_wanting() {
    let market = block_market();
    let reduced = audited(&Mcafee {}, &market, DEFAULT_LIST_BUDGET);
    assert_eq!(verdict(&reduced, "truthful"), Verdict::NotApplicable);
    assert!(witness(&reduced, "truthful").contains("several sizes"));
    let huang = audited(&Huang::default(), &market, DEFAULT_LIST_BUDGET);
    assert!(huang.regrets.iter().all(|regret| regret.price.value < 1e-9), "{:?}", huang.regrets);
    let each = audited(&PayAsBid::default(), &market, DEFAULT_LIST_BUDGET);
    assert!(value(&each, "truthful") > 0.1 && !each.refutes());
    for rule in [&Muda::default() as &dyn Mechanism, &enough(), &Vcg::default()] {
        let found = audited(rule, &market, DEFAULT_LIST_BUDGET);
        let id = rule.plugin().id;
        assert_eq!(verdict(&found, "truthful"), Verdict::Upheld, "{id}: {}", witness(&found, "truthful"));
        assert!(!found.refutes(), "{id}: {found:?}");
    }
}

/// Expected externalities: truth is claimed in expectation only, a list says nothing of what is believed, and after the fact somebody gains.
#[test]
fn expected_externalities_claim_no_truth_after_the_fact() {
    let agv = Agv { prior: Some(Prior::Uniform { low_per_kwh: 0.0, high_per_kwh: 1.0 }), ..Agv::default() };
    let found = audited(&agv, &units(&[0.9], &[0.2]), 5_000);
    assert_eq!(verdict(&found, "truthful"), Verdict::Measured);
    assert!(value(&found, "truthful") > 0.01);
    assert_eq!(verdict(&found, "bayesian_truthful"), Verdict::NotSearched);
    for claim in ["budget_balance", "efficiency"] {
        assert_eq!(verdict(&found, claim), Verdict::Upheld, "{:?}", found.finding(claim));
    }
}

#[test]
fn the_audit_of_a_list_does_not_depend_on_the_number_of_threads() {
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| audited(&Muda::default(), &block_market(), 4_000))
    };
    assert_eq!(with(1), with(3));
}
