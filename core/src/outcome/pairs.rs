//! Who is written beside whom: the canonical trades of net sales.
//!
//! Net sales `x` say how much everybody sells and buys in a slot, and not to whom. By the rule of this module every seller
//! serves every buyer in proportion, `e_ij = x_i+ x_j- / max(sum x+, sum x-)`. These are as many trades as there are sellers
//! times buyers. Where all slots together have more than [`MOST_PAIRS`] of them, [few](Pairs::Few) are written that stand for
//! all: sellers and buyers in member order, the first seller to the first buyer until one of them is done (the north-west
//! corner). What everybody sells and buys in a slot is the same, with at most one trade less than the slot has traders.
//! Whatever depends on the mix that a buyer is served with is measured by the rule, not by the few.

use super::{Ledger, Party, Reason, Trade};
use crate::setting::{Product, Slot};
use std::collections::BTreeMap;

/// So many trades are written pair by pair, over all slots; of more pairs few are written.
pub const MOST_PAIRS: usize = 1 << 18;

/// A slot in which less changes hands than this, kWh, has no trades: it is a solver's rounding.
const NO_TRADE_KWH: f64 = 1e-6;
/// Nor is a pair written that trades less than this, kWh.
const NO_PAIR_KWH: f64 = 1e-9;

/// Which pairs the trades of an outcome are between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pairs {
    /// All that trade: whom the mechanism matched, or every seller with every buyer.
    #[default]
    All,
    /// Few that stand for every seller with every buyer.
    Few,
}

impl Pairs {
    /// How the canonical trades of these net sales are written.
    pub fn of(net: &[Vec<f64>]) -> Self {
        let count = |slot: usize, sign: f64| net.iter().filter(|x| sign * x[slot] > 0.0).count();
        let pairs = (0..slots(net)).map(|slot| count(slot, 1.0) * count(slot, -1.0));
        if pairs.sum::<usize>() > MOST_PAIRS { Pairs::Few } else { Pairs::All }
    }

    /// The canonical trades of net sales, written like this.
    pub fn trades(self, net: &[Vec<f64>]) -> Vec<Trade> {
        match self {
            Pairs::All => pro_rata(net),
            Pairs::Few => in_member_order(net),
        }
    }
}

/// The trade matrix of net sales: in each slot every seller serves every buyer in proportion.
pub fn pro_rata(net: &[Vec<f64>]) -> Vec<Trade> {
    let mut trades = vec![];
    for slot in 0..slots(net) {
        let Some(Sides { total, .. }) = Sides::of(net, slot) else { continue };
        for (seller, x) in net.iter().enumerate().filter(|(_, x)| x[slot] > 0.0) {
            for (buyer, y) in net.iter().enumerate().filter(|(_, y)| y[slot] < 0.0) {
                let quantity = x[slot] * -y[slot] / total;
                if quantity > NO_PAIR_KWH {
                    trades.push(Trade { seller, buyer, slot, quantity, price: None });
                }
            }
        }
    }
    trades
}

/// Trades with the same sums: in each slot sellers to buyers in member order, at most one less than there are traders.
pub fn in_member_order(net: &[Vec<f64>]) -> Vec<Trade> {
    let mut trades = vec![];
    for slot in 0..slots(net) {
        let Some(Sides { sold, bought, total }) = Sides::of(net, slot) else { continue };
        // The longer side trades a share of what it has.
        let (of_sellers, of_buyers) = (bought / total, sold / total);
        let mut buyers = net.iter().enumerate().filter(|(_, y)| y[slot] < 0.0).map(|(j, y)| (j, -y[slot] * of_buyers));
        let mut open = buyers.next();
        for (seller, x) in net.iter().enumerate().filter(|(_, x)| x[slot] > 0.0) {
            let mut left = x[slot] * of_sellers;
            while let Some((buyer, wanted)) = open.as_mut() {
                let quantity = left.min(*wanted);
                if quantity > NO_PAIR_KWH {
                    trades.push(Trade { seller, buyer: *buyer, slot, quantity, price: None });
                }
                left -= quantity;
                *wanted -= quantity;
                if *wanted <= 0.0 {
                    open = buyers.next();
                }
                if left <= 0.0 {
                    break;
                }
            }
        }
    }
    trades
}

fn slots(net: &[Vec<f64>]) -> usize {
    net.first().map_or(0, Vec::len)
}

/// What is sold and bought in a slot, kWh, and the greater of both.
struct Sides {
    sold: f64,
    bought: f64,
    total: f64,
}

impl Sides {
    /// `None` where nothing changes hands.
    fn of(net: &[Vec<f64>], slot: usize) -> Option<Self> {
        let sold: f64 = net.iter().map(|x| x[slot].max(0.0)).sum();
        let bought: f64 = net.iter().map(|x| (-x[slot]).max(0.0)).sum();
        let total = sold.max(bought);
        (total > NO_TRADE_KWH).then_some(Self { sold, bought, total })
    }
}

impl Ledger {
    /// Enters what buyers pay sellers for trades that carry a price: trade by trade, or, of few that stand for all, once for
    /// each pair and product over the whole horizon, by seller and buyer.
    pub fn pay_trades(&mut self, trades: &[Trade], pairs: Pairs, slots: &[Slot]) {
        let priced = trades.iter().map(|trade| (trade, trade.price.unwrap_or(0.0) * trade.quantity));
        let mut enter = |seller: usize, buyer: usize, product: Product, amount: f64| {
            self.pay_for(Party::Member(buyer), Party::Member(seller), amount, Reason::Trade, Some(product));
        };
        match pairs {
            Pairs::All => priced.for_each(|(t, amount)| enter(t.seller, t.buyer, slots[t.slot].product, amount)),
            Pairs::Few => {
                let mut sums: BTreeMap<(usize, usize, Product), f64> = BTreeMap::new();
                for (t, amount) in priced {
                    *sums.entry((t.seller, t.buyer, slots[t.slot].product)).or_default() += amount;
                }
                for ((seller, buyer, product), amount) in sums {
                    enter(seller, buyer, product, amount);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_PAIRS, NO_PAIR_KWH, Pairs, in_member_order, pro_rata};
    use crate::outcome::{Ledger, Party, Trade};
    use crate::setting::{Product, Slot};
    use proptest::prelude::*;

    /// Net sale of every member in every slot that trades add up to.
    fn sums(members: usize, slots: usize, trades: &[Trade]) -> Vec<Vec<f64>> {
        let mut net = vec![vec![0.0; slots]; members];
        for t in trades {
            net[t.seller][t.slot] += t.quantity;
            net[t.buyer][t.slot] -= t.quantity;
        }
        net
    }

    fn traders(net: &[Vec<f64>], slot: usize) -> usize {
        net.iter().filter(|x| x[slot] != 0.0).count()
    }

    #[test]
    fn pro_rata_trades_add_up_to_the_net_sales() {
        let net = vec![vec![6.0], vec![4.0], vec![-3.0], vec![-7.0]];
        for (found, x) in sums(4, 1, &pro_rata(&net)).iter().zip(&net) {
            assert!((found[0] - x[0]).abs() < 1e-12);
        }
    }

    /// Sellers 0 (6 kWh) and 1 (4), buyers 2 (3) and 3 (7): the first seller serves the first buyer, then the second.
    #[test]
    fn few_trades_go_along_both_sides_in_member_order() {
        let found = in_member_order(&[vec![6.0], vec![4.0], vec![-3.0], vec![-7.0]]);
        let said: Vec<_> = found.iter().map(|t| (t.seller, t.buyer, t.quantity)).collect();
        assert_eq!(said, [(0, 2, 3.0), (0, 3, 3.0), (1, 3, 4.0)]);
    }

    proptest! {
        /// Few trades have the sums of all pairs, member by member and in total, and are fewer than the traders of their slot;
        /// no pair is written twice.
        #[test]
        fn few_trades_have_the_sums_of_all_pairs(
            net in (2_usize..30, 1_usize..4).prop_flat_map(|(members, slots)| {
                let sale = prop_oneof![Just(0.0), Just(1.0), Just(-1.0), -5.0_f64..5.0];
                proptest::collection::vec(proptest::collection::vec(sale, slots), members)
            }),
        ) {
            let (members, slots) = (net.len(), net[0].len());
            let (all, few) = (pro_rata(&net), in_member_order(&net));
            let near = |a: f64, b: f64| (a - b).abs() <= 1e-12 + NO_PAIR_KWH * members as f64;
            for (a, b) in sums(members, slots, &all).iter().flatten().zip(sums(members, slots, &few).iter().flatten()) {
                prop_assert!(near(*a, *b), "{} {}", a, b);
            }
            for slot in 0..slots {
                let here = |trades: &[Trade]| trades.iter().filter(|t| t.slot == slot).copied().collect::<Vec<_>>();
                let total = |trades: &[Trade]| here(trades).iter().map(|t| t.quantity).sum::<f64>();
                prop_assert!(near(total(&all), total(&few)));
                let written = here(&few);
                prop_assert!(written.len() <= traders(&net, slot).saturating_sub(1));
                let mut pairs: Vec<_> = written.iter().map(|t| (t.seller, t.buyer)).collect();
                pairs.dedup();
                prop_assert_eq!(pairs.len(), written.len());
                prop_assert!(pairs.is_sorted());
            }
        }

        /// Everybody ends with the same money, whether entries are by trade or by pair over the horizon.
        #[test]
        fn entries_by_pair_leave_everybody_with_the_same(
            drawn in proptest::collection::vec((0_usize..5, 0_usize..5, 0_usize..3, 0.0_f64..4.0, -1.0_f64..1.0), 0..60),
        ) {
            let slots: Vec<Slot> = (0..3).map(|period| Slot { product: Product::Energy, period }).collect();
            let trade = |(seller, buyer, slot, quantity, price)| Trade { seller, buyer, slot, quantity, price: Some(price) };
            let trades: Vec<Trade> = drawn.into_iter().filter(|t| t.0 != t.1).map(trade).collect();
            let entered = |pairs: Pairs| {
                let mut ledger = Ledger::default();
                ledger.pay_trades(&trades, pairs, &slots);
                ledger
            };
            let (all, few) = (entered(Pairs::All), entered(Pairs::Few));
            for i in 0..5 {
                let found = [&all, &few].map(|ledger| ledger.balance(Party::Member(i)));
                prop_assert!((found[0] - found[1]).abs() < 1e-12);
            }
            let pairs: Vec<_> = few.entries().iter().map(|e| (e.from.min(e.to), e.from.max(e.to))).collect();
            prop_assert!(pairs.iter().all(|p| pairs.iter().filter(|other| *other == p).count() <= 2));
        }
    }

    /// All pairs are written as long as they are not more than the bound, over all slots together.
    #[test]
    fn few_begin_above_the_documented_number_of_pairs() {
        let half = 256;
        let net = |slots: usize| -> Vec<Vec<f64>> {
            (0..2 * half).map(|i| vec![if i < half { 1.0 } else { -1.0 }; slots]).collect()
        };
        assert_eq!(half * half * 4, MOST_PAIRS);
        assert_eq!(Pairs::of(&net(4)), Pairs::All);
        assert_eq!(Pairs::of(&net(5)), Pairs::Few);
        assert_eq!(Pairs::of(&[]), Pairs::All);
        assert_eq!(Pairs::Few.trades(&net(1)).len(), half);
    }
}
