//! What the audit finds on the three-participant instance, against closed forms that it does not know.

use coase_core::evaluate::audit::{Audit, Audited, Bidder, DEFAULT_BUDGET, Found, Within, market_of_bids};
use coase_core::evaluate::{Search, Yardstick, utility};
use coase_core::mechanism::Mechanism;
use coase_core::network::Network;
use coase_core::outcome::{Claim, Verdict};
use coase_core::participant::{Device, Load, Participant, Portfolio, Pv};
use coase_core::policy::CarbonPolicy;
use coase_core::record::Table;
use coase_core::setting::{Member, Periods, Setting};
use coase_core::{Market, Report, RunContext};
use coase_mechanisms::{
    BillSharing, CompetitionPadding, DoubleAuction, GridOnly, Mcafee, NashBargaining, Padding, Pivot,
    SupplyDemandRatio, UniformPrice, Vcg,
};
use coase_testkit::agents::{Agent, LINE, on_network, three as market};
use coase_testkit::measured::{try_measure_by, yardstick};
use coase_testkit::{assert_all, policy, tariff};
use std::sync::Arc;

fn audited(mechanism: &dyn Mechanism, market: &Market, budget: usize) -> Audited {
    audited_within(mechanism, market, budget, Within::default())
}

fn audited_within(mechanism: &dyn Mechanism, market: &Market, budget: usize, within: Within) -> Audited {
    let none: Box<dyn CarbonPolicy> = policy("None()");
    let yardstick = yardstick(market, 0.0);
    Audit { mechanism, market, policy: &*none, yardstick: &yardstick, seed: 1, budget, within, watch: &() }
        .run()
        .expect("an outcome")
}

fn verdict(found: &Audited, name: &str) -> Verdict {
    found.finding(name).unwrap_or_else(|| panic!("no finding {name}")).certificate.verdict
}

fn value(found: &Audited, name: &str) -> f64 {
    found.finding(name).and_then(|finding| finding.certificate.value).unwrap_or_else(|| panic!("no value {name}"))
}

/// What each gains by misreporting the level of its price only, and at which level.
fn levels(found: &Audited, level: [f64; 3]) -> (Vec<f64>, Vec<f64>) {
    let gains = found.regrets.iter().map(|r| r.level.value).collect();
    let at = found.regrets.iter().zip(level).map(|(r, b)| b + r.level.report.price_shift_per_kwh).collect();
    (gains, at)
}

const LEVEL: [f64; 3] = [0.20, 0.55, 1.10];

/// Best misreports of `b` under equal bargaining: each gains a third of a gain that it inflates.
#[test]
fn the_regrets_of_bargaining_are_found() {
    let found = audited(&NashBargaining::default(), &market(), DEFAULT_BUDGET);
    let (gains, at) = levels(&found, LEVEL);
    assert_all(&gains, &[10.220_551_378, 1.315_789_474, 15.834_307_992], 1e-6);
    assert_all(&at, &[0.497_142_850, 0.65, 0.802_222_222], 2e-3);
    // Of which the joint search is at least as good, and no claim is refuted: bargaining claims no truthfulness.
    assert!(found.regrets.iter().all(|r| r.joint.value >= r.level.value));
    assert_eq!(verdict(&found, "truthful"), Verdict::Measured);
    assert!(!found.refutes());
    let said = found.finding("truthful").expect("a finding");
    assert!(said.certificate.witness.contains("vpp3 reports") && said.certificate.witness.contains("gains"));
    // Some group would do better by itself; splitting an account gains 4935/456 whatever the shares.
    assert!(value(&found, "core") > 0.1);
    assert!((value(&found, "split_gain") - 4935.0 / 456.0).abs() < 1e-5);
    assert!(matches!(&found.finding("split_gain").expect("a finding").found, Found::Split { .. }));
    assert!(value(&found, "pair_gain") > 0.0);
}

/// At the price of the common optimum a member faces the residual curve of the others.
#[test]
fn the_regrets_of_the_uniform_price_are_found() {
    let found = audited(&UniformPrice::default(), &market(), DEFAULT_BUDGET);
    let (gains, at) = levels(&found, LEVEL);
    assert_all(&gains, &[2.786_571_692_4, 0.180_657_593_6, 11.910_826_673_5], 1e-6);
    assert_all(&at, &[0.354_761_894_2, 0.593_478_260_9, 0.843_295_019_2], 2e-3);
    // The own report only picks a point of that curve: nothing more is to be had by other reports.
    for regret in &found.regrets {
        assert!((regret.joint.value - regret.level.value).abs() < 1e-4, "{regret:?}");
    }
    for claim in ["individual_rationality", "budget_balance", "efficiency", "core", "ledger_balance"] {
        let finding = found.finding(claim).expect("a finding");
        assert_eq!((finding.certificate.verdict, finding.failed), (Verdict::Upheld, 0), "{finding:?}");
        assert_eq!(finding.tried, 31, "ten reports of each, and the market as it is");
    }
}

/// The table of participants has what each gains by itself: between the best of the reports that are tried, on the residual
/// curve in closed form, and the best of all reports.
#[test]
fn the_regret_of_each_participant_stands_in_the_table() {
    let market = market();
    let searched = Yardstick { regret: Search::Made, ..yardstick(&market, 0.0) };
    let run = try_measure_by(&searched, &market, &UniformPrice::default(), &*policy("None()")).expect("figures");
    let found = run.of_participants("regret");
    let slope = [0.004, 0.005, 0.002];
    let flatness: f64 = slope.iter().map(|a| 1.0 / a).sum();
    let payoff = |i: usize, shift: f64| {
        let price = (LEVEL.iter().zip(slope).map(|(b, a)| b / a).sum::<f64>() + shift / slope[i]) / flatness;
        let sale = (price - LEVEL[i] - shift) / slope[i];
        price * sale - slope[i] / 2.0 * sale * sale - LEVEL[i] * sale
    };
    for (i, best) in [2.786_571_692_4, 0.180_657_593_6, 11.910_826_673_5].into_iter().enumerate() {
        let tried = (-10..=10).map(|k| payoff(i, f64::from(k) / 20.0) - payoff(i, 0.0)).fold(0.0, f64::max);
        assert!(tried > 0.1 && found[i] >= tried - 1e-5 && found[i] <= best + 1e-5, "{i}: {tried} {} {best}", found[i]);
    }
    let greatest = found.iter().copied().fold(0.0, f64::max);
    assert!((greatest - run.certificate("regret").value.expect("searched")).abs() < 1e-12);
    // Without the search there is no figure, and zero would be one.
    let plain = try_measure_by(&yardstick(&market, 0.0), &market, &UniformPrice::default(), &*policy("None()"));
    assert!(plain.expect("figures").column(Table::Participants, "regret").iter().all(Option::is_none));
}

#[test]
fn bill_sharing_leaves_somebody_worse_off_and_without_trade_there_is_nothing_to_find() {
    let found = audited(&BillSharing::default(), &market(), 600);
    assert!(value(&found, "individual_rationality") > 1.0);
    assert_eq!(verdict(&found, "individual_rationality"), Verdict::Measured);
    let nothing = audited(&GridOnly::default(), &market(), 600);
    assert_eq!((value(&nothing, "truthful"), value(&nothing, "pair_gain")), (0.0, 0.0));
    assert!(!nothing.refutes());
}

#[test]
fn an_audit_does_not_depend_on_the_number_of_threads() {
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| audited(&NashBargaining::default(), &market(), 900))
    };
    assert_eq!(with(1), with(3));
}

/// Nobody gains by a misreport, and the operator pays 48.5 for it or more; two together gain at its expense.
#[test]
fn the_payments_of_vickrey_clarke_and_groves_leave_nothing_to_gain_alone() {
    let found = audited(&Vcg::default(), &market(), 1_500);
    for claim in ["truthful", "individual_rationality", "efficiency"] {
        assert_eq!(verdict(&found, claim), Verdict::Upheld, "{:?}", found.finding(claim));
    }
    assert!(value(&found, "budget_balance") > 48.5 && !found.refutes());
    assert!(value(&found, "pair_gain") > 1.0, "{:?}", found.finding("pair_gain"));
}

/// The grid and a seller at one end of a line that binds, two buyers at the other. A pivot that follows the report of the third
/// pays it 17.5 for saying 1.30 instead of 1.10. Saying 1.60, it would take 150 over a line of 100 without trade: the second would
/// have to feed in 50, at a cost of 55 less 20, to keep the line, and is spared it by the trade. The third is paid for that too:
/// -106.25 + 56.25 - 25 = -75 instead of -21.875. That is the end of what is searched.
#[test]
fn a_pivot_that_follows_the_report_is_found_out() {
    let network = Network::from_ron(LINE).unwrap_or_else(|error| panic!("{error}"));
    let agents = [Agent::of(0.002, 0.2), Agent::of(0.004, 1.0).at(2), Agent::of(0.004, 1.1).at(2)];
    let market = on_network(network, 1.0, &agents);
    let reported = Vcg { pivot: Pivot::ReportedDisagreement, ..Vcg::default() };
    let gets = |shift: f64| {
        let report = Report::Distorted { price_factor: 1.0, price_shift: shift, quantity_factor: 1.0 };
        let said = if shift == 0.0 { market.clone() } else { market.with_report(2, &report) };
        let outcome = (&reported as &dyn Mechanism).outcome(&said, &mut RunContext::new(1, ())).expect("an outcome");
        utility(&market, 2, &outcome).expect("deliverable")
    };
    assert!((gets(0.2) - gets(0.0) - 17.5).abs() < 5e-3);
    // Among levels up to 1.30 the search ends there, at 17.5.
    let one = Some((1.0, 1.0));
    let levels = Within { price_factor: one, price_shift_per_kwh: Some((-0.2, 0.2)), quantity_factor: one };
    let narrow = audited_within(&reported, &market, 600, levels);
    let third = &narrow.regrets[2];
    assert!((third.joint.value - 17.5).abs() < 5e-3 && third.joint == third.level, "{third:?}");
    assert!((third.level.report.price_shift_per_kwh - 0.2).abs() < 1e-9, "{third:?}");
    assert!(narrow.finding("truthful").expect("a finding").searched.contains("narrower bounds"));
    // Among levels up to 1.60 it is the other gain that counts.
    let found = audited(&reported, &market, 300);
    let third = &found.regrets[2].level;
    assert!((third.value - 53.125).abs() < 5e-3, "{third:?}");
    assert!((third.report.price_shift_per_kwh - 0.5).abs() < 1e-9, "{third:?}");
    let truthful = found.finding("truthful").expect("a finding");
    assert_eq!(truthful.certificate.verdict, Verdict::NotApplicable);
    assert!(truthful.certificate.witness.contains("binds"), "{truthful:?}");
}

/// A market of bids: price and quantity of buyers, then of sellers; each is rated what it bids.
fn of_bids(buyers: &[&[(f64, f64)]], sellers: &[&[(f64, f64)]]) -> Market {
    let bidder = |sells: bool, k: usize, blocks: &[(f64, f64)]| Bidder {
        id: format!("{}{k}", if sells { "s" } else { "b" }),
        sells,
        rating_kwh: blocks.iter().map(|block| block.1).sum(),
        blocks: blocks.to_vec(),
    };
    let buying = buyers.iter().enumerate().map(|(k, blocks)| bidder(false, k, blocks));
    let all: Vec<Bidder> =
        buying.chain(sellers.iter().enumerate().map(|(k, blocks)| bidder(true, k, blocks))).collect();
    market_of_bids(&all).expect("numbers")
}

/// Six buyers and six sellers of a unit: at one price between the marginal bids every trader gains half of what they are apart
/// by bidding beyond it, and nobody gains under trade reduction or where all pay their externality.
#[test]
fn half_a_unit_of_price_is_to_be_gained_in_the_double_auction_and_nothing_in_mcafees() {
    let unit = |prices: [f64; 6]| prices.map(|price| vec![(price, 1.0)]);
    let (buyers, sellers) = (unit([9.0, 8.0, 7.0, 6.0, 4.0, 3.0]), unit([2.0, 3.0, 4.0, 5.0, 6.0, 8.0]));
    let [buyers, sellers] = [&buyers, &sellers].map(|side| side.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let market = of_bids(&buyers, &sellers);
    let double = audited(&DoubleAuction::default(), &market, 600);
    let gains: Vec<f64> = double.regrets.iter().map(|regret| regret.joint.value).collect();
    let expected = [0.5, 0.5, 0.5, 0.5, 0.0, 0.0, 0.5, 0.5, 0.5, 0.5, 0.0, 0.0];
    assert_all(&gains, &expected, 1e-6);
    let truthful = double.finding("truthful").expect("a finding");
    assert!(truthful.searched.contains("every price from 1 to 10 in steps of 0.5"), "{truthful:?}");
    assert!(!double.refutes());
    let reduced = audited(&Mcafee::default(), &market, 600);
    for claim in ["truthful", "individual_rationality", "no_deficit"] {
        assert_eq!(verdict(&reduced, claim), Verdict::Upheld, "{:?}", reduced.finding(claim));
    }
}

/// Too small a padding runs a deficit of 45: one buyer of 10, of 100 each, and 24 sellers of a unit at 1 to 24.
#[test]
fn a_padding_of_the_largest_seller_runs_a_deficit() {
    let sellers: Vec<Vec<(f64, f64)>> = (1..=24).map(|cost| vec![(f64::from(cost), 1.0)]).collect();
    let sellers: Vec<&[(f64, f64)]> = sellers.iter().map(Vec::as_slice).collect();
    let market = of_bids(&[&[(100.0, 10.0)]], &sellers);
    let small =
        CompetitionPadding { padding_kwh: Padding::Kwh(1.0), quantum_kwh: 1.0, ..CompetitionPadding::default() };
    let found = audited(&small, &market, 200);
    let deficit = found.finding("budget_balance").expect("a finding");
    assert!(deficit.certificate.value.expect("a loss") >= 45.0 - 1e-6, "{deficit:?}");
    // The condition of the claim does not hold, and the evaluator says so.
    assert_eq!(verdict(&found, "no_deficit"), Verdict::NotApplicable);
    assert!((value(&found, "no_deficit") - 45.0).abs() < 1e-6, "{:?}", found.finding("no_deficit"));
    let enough = CompetitionPadding { padding_kwh: Padding::Auto, ..small };
    assert_eq!(verdict(&audited(&enough, &market, 200), "no_deficit"), Verdict::Upheld);
}

/// A seller of two steps, 4 and 10, makes the second look cheap and gains 2; one of a unit that claims two gains 2.
#[test]
fn rising_costs_and_claimed_capacity_manipulate_a_padding_that_looks_safe() {
    let padded =
        CompetitionPadding { padding_kwh: Padding::Kwh(2.0), quantum_kwh: 1.0, ..CompetitionPadding::default() };
    let rising: [&[(f64, f64)]; 4] = [&[(4.0, 1.0), (10.0, 1.0)], &[(3.0, 1.0)], &[(6.0, 1.0)], &[(8.0, 1.0)]];
    let market = of_bids(&[&[(8.0, 1.0)], &[(6.5, 1.0)]], &rising);
    let found = audited(&padded, &market, 6_000);
    let seller = &found.regrets[2];
    assert!((seller.joint.value - 2.0).abs() < 1e-6, "{seller:?}");
    assert_eq!(verdict(&found, "truthful"), Verdict::NotApplicable, "{:?}", found.finding("truthful"));
    let unit: [&[(f64, f64)]; 3] = [&[(5.0, 1.0)], &[(2.0, 1.0)], &[(7.0, 1.0)]];
    let mut bidders = vec![];
    for (k, price) in [8.0, 7.0].into_iter().enumerate() {
        bidders.push(Bidder { id: format!("b{k}"), sells: false, rating_kwh: 1.0, blocks: vec![(price, 1.0)] });
    }
    for (k, blocks) in unit.iter().enumerate() {
        // Twice what it has cannot be told from the truth of the first.
        let rating_kwh = if k == 0 { 2.0 } else { 1.0 };
        bidders.push(Bidder { id: format!("s{k}"), sells: true, rating_kwh, blocks: blocks.to_vec() });
    }
    let found = audited(&padded, &market_of_bids(&bidders).expect("numbers"), 2_000);
    let seller = &found.regrets[2];
    assert!((seller.joint.value - 2.0).abs() < 1e-6, "{seller:?}");
    assert_eq!(seller.joint.report.quantity_factor, 2.0, "{seller:?}");
}

/// A roof of two arrays of 5 kWh and a house that wants ten. At equal supply and demand the ratio pays the grid's 0.4: 4. Without one
/// array it pays `0.4 / 0.7` for five, and the grid takes the other five: 34/7.
#[test]
fn a_device_that_is_left_out_raises_the_price_of_the_rest() {
    let periods = Periods { count: 1, hours: 1.0 };
    let array = || Pv { p_max_kw: 5.0, profile: vec![1.0].into(), cost_per_kwh: 0.0 }.boxed();
    let plants = [("roof", vec![array(), array()]), ("house", vec![Load { p_kw: vec![10.0].into() }.boxed()])];
    let (mut members, mut participants) = (vec![], vec![]);
    for (id, devices) in plants {
        let portfolio = Portfolio::new(id, devices, periods).expect("valid");
        members.push(Member { rating: portfolio.rating(), ..Member::new(id, 20.0, 20.0) });
        participants.push(Arc::new(portfolio) as Arc<dyn Participant>);
    }
    let market = Market::new(Setting::energy(periods, Some(tariff(&[1.0], 0.4, 0.5)), None, members), participants);
    let found = audited(&SupplyDemandRatio::default(), &market, 3_000);
    assert!((value(&found, "device_gain") - 6.0 / 7.0).abs() < 1e-6, "{:?}", found.finding("device_gain"));
    let device = found.finding("device_gain").expect("a finding");
    assert_eq!((device.claim, device.certificate.verdict), (Some(Claim::Truthful), Verdict::Measured));
    let Found::Rule { rule, words } = &device.found else { panic!("{device:?}") };
    assert_eq!(words, "roof leaves out its pv");
    assert!(rule.starts_with("MisstatedDevice(") && rule.contains("roof"), "{rule}");
    // Nobody's side matters to the ratio.
    assert_eq!(value(&found, "role_gain"), 0.0);
    // By its payments nobody gains whatever is said of a device, and to say that one is larger is to have to buy what it lacks.
    let vickrey = audited(&Vcg::default(), &market, 3_000);
    assert_eq!(verdict(&vickrey, "device_gain"), Verdict::Upheld, "{:?}", vickrey.finding("device_gain"));
    assert!(value(&vickrey, "overstated_gain") < 1e-4, "{:?}", vickrey.finding("overstated_gain"));
}
