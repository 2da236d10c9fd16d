//! So many participants that few pairs are written for all: nothing but the pairs may differ from writing all of them.

use coase_core::Market;
use coase_core::evaluate::{Evaluation, evaluate};
use coase_core::mechanism::Mechanism;
use coase_core::outcome::{MOST_PAIRS, Pairs, Trade};
use coase_core::policy::CarbonPolicy;
use coase_core::record::{METRICS, Table, Value};
use coase_mechanisms::{MidMarketRate, NashBargaining, Weights};
use coase_testkit::agents::{self, Agent};
use coase_testkit::measured::{Measured, measure, number, yardstick};
use coase_testkit::policy;

/// So many sell and as many buy; three do neither without trade.
const SIDE: usize = 520;

/// Sellers with marginal costs from 0.1 and buyers up to 1.2 that all differ.
fn market() -> Market {
    let agent = |i: usize| {
        let share = (0.618_034 * i as f64).fract();
        let b = [0.1 + 0.25 * share, 1.05 + 0.15 * share, 0.6][i / SIDE];
        Agent::of(0.01 + 0.01 * share, b)
    };
    agents::market(&(0..2 * SIDE + 3).map(agent).collect::<Vec<_>>())
}

/// The same run with every pair written, priced by `price` as the mechanism's own pairs are.
fn with_all_pairs(
    run: &Measured,
    market: &Market,
    mechanism: &dyn Mechanism,
    price: impl Fn(&Trade) -> f64,
) -> Evaluation {
    let mut cleared = run.cleared.clone();
    let outcome = &mut cleared.outcome;
    let mut trades = Pairs::All.trades(&outcome.net);
    for trade in &mut trades {
        trade.price = Some(price(trade));
    }
    outcome.ledger = coase_core::Ledger::default();
    outcome.ledger.pay_trades(&trades, Pairs::All, &market.setting().slots);
    (outcome.trades, outcome.pairs) = (Some(trades), Pairs::All);
    evaluate(&cleared, mechanism, &*no_policy(), 1, &yardstick(market, 0.0)).expect("figures")
}

fn no_policy() -> Box<dyn CarbonPolicy> {
    policy("None()")
}

/// Every number of every row of a table is the same but for rounding.
fn assert_same(table: Table, few: &[Vec<Value>], all: &[Vec<Value>]) {
    assert_eq!(few.len(), all.len());
    let names: Vec<&str> = table.columns().iter().map(|c| c.name).collect();
    for (k, (few, all)) in few.iter().zip(all).enumerate() {
        for ((a, b), name) in few.iter().zip(all).zip(&names) {
            match (number(a), number(b)) {
                (Some(a), Some(b)) => assert!((a - b).abs() <= 1e-6 * (1.0 + a.abs()), "{name} of row {k}: {a} {b}"),
                _ => assert_eq!(a, b, "{name} of row {k}"),
            }
        }
    }
}

/// All tables but those of pairs, and all metrics but the one that weighs pairs, are those of all pairs.
fn assert_nothing_jumps(run: &Measured, all: &Evaluation) {
    for table in [Table::Participants, Table::Periods] {
        assert_same(table, run.found.record.rows(table), all.record.rows(table));
    }
    for ((metric, few), all) in METRICS.iter().zip(&run.found.record.metrics).zip(&all.record.metrics) {
        let (few, all) = (number(few), number(all));
        let near = few.zip(all).is_none_or(|(a, b)| (a - b).abs() <= 1e-6 * (1.0 + a.abs()));
        assert!(metric.name == "lerner_index" || (near && few.is_some() == all.is_some()), "{}", metric.name);
    }
    for (a, b) in run.found.certificates.iter().zip(&all.certificates) {
        assert_eq!((a.name, a.verdict), (b.name, b.verdict));
    }
}

#[test]
fn a_matched_price_is_paid_and_measured_alike_whoever_is_written_beside_whom() {
    let (market, mechanism) = (market(), MidMarketRate::default());
    let run = measure(&market, &mechanism, &*no_policy());
    let outcome = &run.cleared.outcome;
    assert_eq!(outcome.pairs, Pairs::Few);
    const { assert!(SIDE * SIDE > MOST_PAIRS) };
    let trades = outcome.trades.as_ref().expect("priced");
    assert!(!trades.is_empty() && trades.len() < 2 * SIDE + 3, "{}", trades.len());
    assert!(outcome.ledger.entries().len() <= trades.len());
    assert_nothing_jumps(&run, &with_all_pairs(&run, &market, &mechanism, |_| 0.7));
}

/// The bargain's split by contribution, at the prices of all pairs.
#[test]
fn a_bargain_splits_and_prices_alike_whoever_is_written_beside_whom() {
    let market = market();
    let mechanism = NashBargaining { weights: Weights::Exponential, ..NashBargaining::default() };
    let run = measure(&market, &mechanism, &*no_policy());
    let outcome = &run.cleared.outcome;
    assert_eq!(outcome.pairs, Pairs::Few);
    // A pair's price is the price of its seller's mean beyond the mean of buyers: any buyer's distance from that mean is the
    // difference of what both pay on average.
    let mean = |member: usize, slot: usize, buys: usize| outcome.prices[2 * member + buys].price[slot];
    let all = Pairs::All.trades(&outcome.net);
    let sold = |t: &Trade| t.quantity * mean(t.seller, t.slot, 0).expect("sells");
    let of_all = all.iter().map(sold).sum::<f64>() / all.iter().map(|t| t.quantity).sum::<f64>();
    let price = |t: &Trade| {
        let (sells, buys) = (mean(t.seller, t.slot, 0), mean(t.buyer, t.slot, 1));
        sells.expect("sells") + buys.expect("buys") - of_all
    };
    for t in outcome.trades.as_ref().expect("priced") {
        let (a, b) = (t.price.expect("priced"), price(t));
        assert!((a - b).abs() < 1e-6, "{a} {b}");
    }
    assert_nothing_jumps(&run, &with_all_pairs(&run, &market, &mechanism, price));
}
