//! Expected externalities against closed forms, and against figures computed elsewhere.

use super::design::Design;
use super::trader::Trader;
use super::{Agv, Calibration, Matching, Participation};
use coase_core::RunContext;
use coase_core::auction::{Auction, Clearing};
use coase_core::book::{Book, Order};
use coase_core::setting::Prior;
use coase_core::statistics::bounded::Bounded;
use coase_core::statistics::kernel::Bandwidth;
use proptest::prelude::*;

const BIDS: [f64; 10] = [0.62, 0.71, 0.55, 0.80, 0.67, 0.74, 0.59, 0.69, 0.77, 0.64];
const ASKS: [f64; 10] = [0.38, 0.45, 0.52, 0.41, 0.49, 0.35, 0.57, 0.44, 0.40, 0.47];

fn near(found: f64, expected: f64, within: f64) {
    assert!((found - expected).abs() <= within, "{found} instead of {expected}");
}

fn kernel(history: &[f64]) -> Prior {
    Prior::Kernel { history_per_kwh: history.to_vec().into(), bandwidth: Bandwidth::Silverman }
}

fn uniform(low: f64, high: f64) -> Prior {
    Prior::Uniform { low_per_kwh: low, high_per_kwh: high }
}

/// Bids of one block each, (price, quantity): buyers first.
fn book(buyers: &[(f64, f64)], sellers: &[(f64, f64)]) -> Book {
    let order = |who: usize, (price, quantity): (f64, f64)| Order { who, price, quantity };
    let mut book = Book {
        buyers: buyers.iter().enumerate().map(|(i, bid)| order(i, *bid)).collect(),
        sellers: sellers.iter().enumerate().map(|(j, ask)| order(buyers.len() + j, *ask)).collect(),
        rating_kwh: buyers.iter().chain(sellers).map(|bid| bid.1).collect(),
        ..Book::default()
    };
    book.sort();
    book
}

fn clear(agv: &Agv, book: &Book) -> Clearing {
    agv.clear(book, &mut RunContext::new(1, ())).expect("a clearing")
}

/// What each receives, buyers first.
fn received(clearing: &Clearing) -> Vec<f64> {
    clearing.buys.iter().map(|fill| -fill.money).chain(clearing.sells.iter().map(|fill| fill.money)).collect()
}

fn pair(bids: &Prior, asks: &Prior, band: (f64, f64), quantity: f64, calibration: Calibration) -> Design {
    let law = |prior: &Prior| prior.bounded(Some(band)).expect("a law");
    let buyer = Trader { who: 0, sells: false, quantity, law: law(bids) };
    let seller = Trader { who: 1, sells: true, quantity, law: law(asks) };
    Design::new(vec![buyer, seller], &[], calibration)
}

/// Uniform prices: `xi_b(v) = -v^2/2`, `xi_s(c) = (1 - c^2)/2`; calibrated the price is `1/4 + (v^2 - c^2)/2`.
#[test]
fn two_uniform_traders_have_their_closed_form() {
    let prior = Some(uniform(0.0, 1.0));
    let plain = Agv { prior: prior.clone(), calibration: Calibration::Uncalibrated, ..Agv::default() };
    let good = clear(&plain, &book(&[(0.9, 1.0)], &[(0.2, 1.0)]));
    near(received(&good)[0], -0.885, 1e-14);
    let bad = clear(&plain, &book(&[(0.3, 1.0)], &[(0.7, 1.0)]));
    near(received(&bad)[0], -0.3, 1e-14);
    assert!(bad.buys[0].quantity == 0.0 && bad.price.is_none());
    let fair = clear(&Agv { prior, ..Agv::default() }, &book(&[(0.9, 1.0)], &[(0.2, 1.0)]));
    near(fair.price.expect("both face it"), 0.635, 1e-13);

    let design = pair(&uniform(0.0, 1.0), &uniform(0.0, 1.0), (0.0, 1.0), 1.0, Calibration::Uncalibrated);
    near(design.externality(0, 0.9), -0.405, 1e-15);
    near(design.externality(1, 0.2), 0.48, 1e-15);
    near(design.expected_welfare(), 1.0 / 6.0, 1e-14);
    for v in [0.0, 0.3, 0.8, 1.0] {
        near(design.utility(0, v), v * v / 2.0 - 1.0 / 3.0, 1e-14);
        near(design.utility(1, v), (1.0 - v) * (1.0 - v) / 2.0 + 1.0 / 6.0, 1e-14);
    }
    // Whatever the lump sums, the worst utilities sum to minus the expected deficit of Vickrey, Clarke and Groves.
    for calibration in [Calibration::Uncalibrated, Calibration::EqualSurplus, Calibration::EqualWorstOff] {
        let design = pair(&uniform(0.0, 1.0), &uniform(0.0, 1.0), (0.0, 1.0), 1.0, calibration);
        near(design.worst_utility(0) + design.worst_utility(1), -1.0 / 6.0, 1e-14);
    }
    let equal = pair(&uniform(0.0, 1.0), &uniform(0.0, 1.0), (0.0, 1.0), 1.0, Calibration::EqualWorstOff);
    near(equal.worst_utility(0), -1.0 / 12.0, 1e-14);
}

/// Kernel priors of ten bids and ten asks between 0.30 and 1.00, 10 kWh; computed elsewhere, in Python.
#[test]
fn two_traders_with_histories_pay_what_was_computed_elsewhere() {
    let agv = Agv {
        prior_of_buyers: Some(kernel(&BIDS)),
        prior_of_sellers: Some(kernel(&ASKS)),
        band_per_kwh: Some((0.3, 1.0)),
        ..Agv::default()
    };
    let plain = Agv { calibration: Calibration::Uncalibrated, ..agv.clone() };
    let at = |agv: &Agv, v: f64, c: f64| clear(agv, &book(&[(v, 10.0)], &[(c, 10.0)]));
    let uncalibrated = at(&plain, 0.70, 0.45);
    near(uncalibrated.price.expect("they trade"), 1.126_836_770_283, 1e-11);
    near(10.0 * 0.70 - uncalibrated.buys[0].money, -4.268, 1e-3);
    near(at(&agv, 0.70, 0.45).price.expect("they trade"), 0.575_601_528_261, 1e-10);
    near(at(&agv, 0.60, 0.55).price.expect("they trade"), 0.522_901_310_255, 1e-10);
    let none = at(&agv, 0.50, 0.52);
    assert_eq!(none.buys[0].quantity, 0.0);
    near(none.buys[0].money, 0.427_204_000_198 * 10.0, 1e-8);

    let design = pair(&kernel(&BIDS), &kernel(&ASKS), (0.3, 1.0), 10.0, Calibration::EqualSurplus);
    for (i, price, expected) in [
        (0, 0.70, -4.494_801_204_866),
        (1, 0.45, 6.773_566_497_965),
        (0, 0.60, -4.365_317_183_155),
        (1, 0.55, 6.376_048_339_613),
        (0, 0.50, -3.169_517_136_037),
        (1, 0.52, 6.614_875_286_168),
    ] {
        near(design.externality(i, price), expected, 1e-11);
    }
    near(design.expected_welfare() / 10.0, 0.229_366_860_445, 1e-11);
    for i in [0, 1] {
        near(design.worst_utility(i) / 10.0, -0.114_683_430_223, 1e-11);
        let prices: Vec<f64> = (0..=140).map(|k| 0.3 + f64::from(k) * 0.005).collect();
        assert!(design.misreport(&design, i, &prices, true).0 < 1e-13);
    }
}

/// What a wrong prior is worth to a liar: the histories are believed, and all prices are alike. Computed elsewhere, per kWh.
#[test]
fn a_wrong_prior_pays_for_a_lie() {
    let believed = pair(&kernel(&BIDS), &kernel(&ASKS), (0.3, 1.0), 10.0, Calibration::EqualSurplus);
    let really = pair(&uniform(0.3, 1.0), &uniform(0.3, 1.0), (0.3, 1.0), 10.0, Calibration::EqualSurplus);
    let prices: Vec<f64> = (0..=140).map(|k| 0.3 + f64::from(k) * 0.005).collect();
    let gains = [0, 1].map(|i| believed.misreport(&really, i, &prices, true).0 / 10.0);
    near(gains[0].max(gains[1]), 0.331_719, 1e-6);
}

/// Two buyers of types {.3, .6, .9} and two sellers of types {.2, .5, .8} at 1/4, 1/2, 1/4: all in fractions.
fn four() -> (Agv, Vec<Trader>) {
    let bids = Prior::Points { prices_per_kwh: vec![0.3, 0.6, 0.9], weights: vec![] };
    let asks = Prior::Points { prices_per_kwh: vec![0.2, 0.5, 0.8], weights: vec![1.0, 2.0, 1.0] };
    let trader = |who: usize| {
        let prior = if who < 2 { &bids } else { &asks };
        Trader { who, sells: who >= 2, quantity: 1.0, law: prior.bounded(None).expect("a law") }
    };
    let traders = (0..4).map(trader).collect();
    let agv = Agv {
        prior_of_buyers: Some(bids),
        prior_of_sellers: Some(asks),
        calibration: Calibration::Uncalibrated,
        ..Agv::default()
    };
    (agv, traders)
}

#[test]
fn four_traders_of_few_types_have_their_fractions() {
    let (agv, traders) = four();
    let design = Design::new(traders.clone(), &[], Calibration::Uncalibrated);
    let table = [
        [101.0 / 480.0, -11.0 / 96.0, -127.0 / 480.0],
        [119.0 / 480.0, -19.0 / 480.0, -127.0 / 480.0],
        [101.0 / 120.0, 31.0 / 40.0, 167.0 / 360.0],
        [101.0 / 120.0, 239.0 / 360.0, 3.0 / 8.0],
    ];
    let types = |i: usize| if i < 2 { [0.3, 0.6, 0.9] } else { [0.2, 0.5, 0.8] };
    for (i, row) in table.iter().enumerate() {
        for (price, expected) in types(i).iter().zip(row) {
            near(design.externality(i, *price), *expected, 1e-14);
        }
    }
    let clearing = clear(&agv, &book(&[(0.9, 1.0), (0.6, 1.0)], &[(0.2, 1.0), (0.5, 1.0)]));
    let expected = [-1627.0 / 2160.0, -979.0 / 2160.0, 1559.0 / 2160.0, 349.0 / 720.0];
    for (found, expected) in received(&clearing).iter().zip(expected) {
        near(*found, expected, 1e-14);
    }
    near(received(&clearing).iter().sum(), 0.0, 1e-15);
    let gains = (0..4).map(|i| design.misreport(&design, i, &types(i), false).0);
    near(gains.fold(f64::NEG_INFINITY, f64::max), -3.0 / 160.0, 1e-14);
    // Not so once the others' prices are known.
    let mut most = 0.0_f64;
    for profile in 0..81_usize {
        let truth: Vec<f64> = (0..4).map(|i| types(i)[profile / 3_usize.pow(i as u32) % 3]).collect();
        let worth = |said: &[f64], i: usize| {
            traders[i].worth(truth[i]) * design.allocation(said)[i] + design.transfers(said)[i]
        };
        for i in 0..4 {
            for report in types(i) {
                let mut said = truth.clone();
                said[i] = report;
                most = most.max(worth(&said, i) - worth(&truth, i));
            }
        }
    }
    near(most, 41.0 / 80.0, 1e-14);
}

/// Over its own rows a matrix of types leaves nothing to gain, and the expected utilities of fresh rows are near.
#[test]
fn a_matrix_of_types_is_exact_over_its_rows_and_near_the_law() {
    let law = |low, high| Bounded::Uniform { low, high };
    let trader = |who: usize| Trader {
        who,
        sells: who >= 2,
        quantity: [3.0, 1.0, 2.0, 2.0][who],
        law: if who < 2 { law(0.4, 1.0) } else { law(0.2, 0.8) },
    };
    let traders: Vec<Trader> = (0..4).map(trader).collect();
    let design = |samples: usize, seed: u64| {
        let uniforms = Agv { samples, ..Agv::default() }.uniforms(4, 0, seed);
        Design::new(traders.clone(), &uniforms, Calibration::EqualSurplus)
    };
    let (own, fresh) = (design(300, 1), design(4000, 2));
    for i in 0..4 {
        let prices: Vec<f64> = (0..=12).map(|k| if i < 2 { 0.4 } else { 0.2 } + f64::from(k) * 0.05).collect();
        assert!(own.misreport(&own, i, &prices, false).0 <= 1e-14);
        let off = own.misreport(&fresh, i, &prices, false).0;
        assert!(off < 0.1, "{off}");
        near(own.worst_utility(i), fresh.worst_utility(i), 0.1);
    }
    near(own.expected_welfare(), fresh.expected_welfare(), 0.05);
}

/// With nobody forced to stay, two uniform traders end at a posted price of 1/2: nothing else is balanced, truthful and
/// voluntary where all that meet trade (Myerson and Satterthwaite, 1983; Hagerty and Rogerson, 1987).
#[test]
fn who_may_stay_away_ends_at_a_posted_price() {
    let agv = Agv { prior: Some(uniform(0.0, 1.0)), participation: Participation::OptOutIterated, ..Agv::default() };
    let trade = clear(&agv, &book(&[(0.7, 1.0)], &[(0.3, 1.0)]));
    near(trade.price.expect("they trade"), 0.5, 0.01);
    let another = clear(&agv, &book(&[(0.95, 1.0)], &[(0.1, 1.0)]));
    near(another.price.expect("they trade"), 0.5, 0.01);
    // 0.4 would trade with 0.3, and stays away.
    let away = clear(&agv, &book(&[(0.4, 1.0)], &[(0.3, 1.0)]));
    assert!(away.buys.is_empty() && away.sells.is_empty());
    assert!(!away.withheld.is_empty());
}

#[test]
fn who_meets_whom_does_not_depend_on_prices() {
    let quantities = |prices: [f64; 4], matching: Matching| {
        let agv = Agv { prior: Some(uniform(0.0, 1.0)), matching, ..Agv::default() };
        let [a, b, c, d] = prices;
        let clearing = clear(&agv, &book(&[(a, 1.0), (b, 4.0)], &[(c, 3.0), (d, 2.0)]));
        let all = clearing.buys.iter().chain(&clearing.sells);
        let mut traded: Vec<(usize, f64)> = all.map(|fill| (fill.who, fill.quantity)).collect();
        traded.sort_by_key(|fill| fill.0);
        traded.iter().map(|fill| fill.1).collect::<Vec<f64>>()
    };
    // In the order of the file 1 meets 3 and 4 meets 2; by size 4 meets 3 and 1 meets 2.
    assert_eq!(quantities([0.9, 0.8, 0.1, 0.2], Matching::Order), [1.0, 2.0, 1.0, 2.0]);
    assert_eq!(quantities([0.9, 0.8, 0.1, 0.2], Matching::Quantity), [1.0, 3.0, 3.0, 1.0]);
    assert_eq!(quantities([0.9, 0.8, 0.1, 0.2], Matching::Together), [1.0, 4.0, 3.0, 2.0]);
    // A price out of reach only ends its own trade.
    assert_eq!(quantities([0.05, 0.8, 0.1, 0.2], Matching::Quantity), [0.0, 3.0, 3.0, 0.0]);
}

#[test]
fn what_is_not_known_is_refused_by_name() {
    let told = |agv: &Agv, book: &Book| agv.clear(book, &mut RunContext::new(1, ())).expect_err("refused").to_string();
    let two = book(&[(0.7, 1.0)], &[(0.4, 1.0)]);
    assert!(told(&Agv::default(), &two).contains("bidder 1 of the list has no prior"));
    let of = |bids: &[f64]| Agv {
        prior_of_buyers: Some(kernel(bids)),
        prior_of_sellers: Some(uniform(0.3, 1.0)),
        band_per_kwh: Some((0.3, 1.0)),
        ..Agv::default()
    };
    let short = told(&of(&[0.5]), &two);
    assert!(short.contains("bidder 1") && short.contains("history of 1"), "{short}");
    let outside = told(&of(&[0.5, 1.5]), &two);
    assert!(outside.contains("bidder 1") && outside.contains("value 1 of the history is 1.5"), "{outside}");
    let unbounded = told(&Agv { band_per_kwh: None, ..of(&[0.5, 0.6]) }, &two);
    assert!(unbounded.contains("between which prices"), "{unbounded}");
    assert!(told(&Agv { matching: Matching::Distance, ..of(&[0.5, 0.6]) }, &two).contains("matching"));
    assert!(told(&Agv { samples: 1, ..of(&[0.5, 0.6]) }, &two).contains("samples"));
    assert!(told(&Agv { band_per_kwh: Some((1.0, 0.3)), ..of(&[0.5, 0.6]) }, &two).contains("band_per_kwh"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Money that is paid is received, whatever is believed, and bids in another order mean the same to everybody.
    #[test]
    fn what_is_paid_is_received_and_names_do_not_matter(
        bids in prop::collection::vec((0.3..1.0_f64, 0.5..5.0_f64), 1..4),
        asks in prop::collection::vec((0.3..1.0_f64, 0.5..5.0_f64), 1..4),
        believed in 0.4..0.9_f64,
    ) {
        let few = Prior::Points { prices_per_kwh: vec![0.3, believed, 1.0], weights: vec![1.0, 2.0, 1.0] };
        for calibration in [Calibration::Uncalibrated, Calibration::EqualSurplus, Calibration::EqualWorstOff] {
            let agv = Agv { prior: Some(few.clone()), calibration, ..Agv::default() };
            let clearing = clear(&agv, &book(&bids, &asks));
            let money = received(&clearing);
            let moved: f64 = money.iter().map(|x| x.abs()).sum();
            prop_assert!(money.iter().sum::<f64>().abs() <= 1e-12 * (1.0 + moved));
            let turned = |side: &[(f64, f64)]| -> Vec<(f64, f64)> { side.iter().rev().copied().collect() };
            let mut other = received(&clear(&agv, &book(&turned(&bids), &turned(&asks))));
            other[..bids.len()].reverse();
            other[bids.len()..].reverse();
            // Ties among the types that are believed in go to the earlier trader: names are nothing where there are none.
            let one_each = bids.len() == 1 && asks.len() == 1;
            let apart = money.iter().zip(&other).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            prop_assert!(apart <= 1e-12 * (1.0 + moved) || !one_each, "{money:?} {other:?}");
        }
    }
}
