//! Random halves: each half of the bidders trades at the price of the other.
//!
//! Coins divide the participants into two halves. Each half's competitive price follows from its bids alone, and the *other*
//! half trades at it: the shorter side is served whole, the longer one after the other in an order that is drawn, each as much as
//! it wants at that price. Nobody's bid moves its own price or place, so nobody gains by a misreport whatever the coins, with any
//! number of falling (rising) blocks; money passes from buyers to sellers alone; what is lost vanishes as the market grows, slowly
//! (Segal-Halevi, Hassidim and Aumann, 2018).
//!
//! The price of a half is the middle of its clearing interval; a half that cannot say one (it lacks a side) lends none, and the
//! other does not trade.

use super::quanta::{Energy, Price};
use super::stacks::{Account, Block, Stacks};
use super::vcg_blocks::one_price;
use coase_core::auction::{Auction, Clearing, per_slot};
use coase_core::book::Book;
use coase_core::mechanism::Mechanism;
use coase_core::{Market, MechanismError, Outcome, RunContext, register};
use rand::RngExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Two halves by lot, each trading at the price of the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Muda {}

register!(Muda, "muda", Auction, "two halves by lot, each trading at the price of the other",
    claims: [
        Truthful if "slots are not coupled by devices" => |_, _| Ok(()),
        IndividuallyRational if "slots are not coupled by devices" => |_, _| Ok(()),
        BudgetBalanced,
    ],
    needs: [Tariff, NoRequirement], information: Reports, source: "Segal-Halevi, Hassidim and Aumann (2018)");

impl Auction for Muda {
    fn clear(&self, book: &Book, ctx: &mut RunContext) -> Result<Clearing, MechanismError> {
        let stacks = Stacks::of(book)?;
        let coin = |who| ctx.stream("muda half", who, book.slot).random::<bool>();
        let lot = |who| ctx.stream("muda order", who, book.slot).random::<u64>();
        let left: Vec<bool> = (0..stacks.agents).map(coin).collect();
        let mut order: Vec<usize> = (0..stacks.agents).collect();
        order.sort_by_cached_key(|who| lot(*who));
        Ok(halves(&stacks, &left, &order))
    }
}

impl Mechanism for Muda {
    fn draws(&self) -> bool {
        true
    }

    fn run(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
        per_slot(self, market, ctx)
    }

    fn as_auction(&self) -> Option<&dyn Auction> {
        Some(self)
    }
}

/// The trade with given halves and a given order of service.
fn halves(stacks: &Stacks, left: &[bool], order: &[usize]) -> Clearing {
    let half = |wanted: bool| {
        let of = |blocks: &[Block]| blocks.iter().filter(|b| left[b.who] == wanted).copied().collect();
        Stacks { demand: of(&stacks.demand), supply: of(&stacks.supply), agents: stacks.agents }
    };
    let (one, other) = (half(true), half(false));
    let (mut buys, mut sells) = (Account::new(stacks.agents), Account::new(stacks.agents));
    for (mine, price) in [(&one, price_of(&other)), (&other, price_of(&one))] {
        let Some(price) = price else { continue };
        let demand = wanted(&mine.demand, stacks.agents, |value| value >= price);
        let supply = wanted(&mine.supply, stacks.agents, |cost| cost <= price);
        let traded = demand.iter().sum::<Energy>().min(supply.iter().sum());
        for (account, wanted) in [(&mut buys, demand), (&mut sells, supply)] {
            let mut remaining = traded;
            for who in order {
                let quantity = wanted[*who].min(remaining);
                remaining -= quantity;
                account.add(*who, quantity, super::quanta::times(price, quantity));
            }
        }
    }
    let mut clearing = Clearing { buys: buys.fills(), sells: sells.fills(), ..Clearing::default() };
    clearing.price = one_price(&clearing);
    clearing
}

/// The middle of the clearing interval of a half, rounded down to a quantum.
fn price_of(half: &Stacks) -> Option<Price> {
    let at = half.crossing(0)?;
    let (lo, hi) = half.price_interval(&at);
    // An interval that one side alone bounds is no price: with trade both bounds are there.
    Some(i64::midpoint(lo?, hi?))
}

/// What everybody wants to trade at prices that suit.
fn wanted(blocks: &[Block], agents: usize, suits: impl Fn(Price) -> bool) -> Vec<Energy> {
    let mut wanted = vec![0; agents];
    blocks.iter().filter(|b| suits(b.price)).for_each(|b| wanted[b.who] += b.quantity);
    wanted
}

#[cfg(test)]
mod tests {
    use super::{Muda, halves, price_of};
    use crate::auctions::examples::{BL, book, book_of, clear, utility, with_price};
    use crate::auctions::stacks::Stacks;
    use coase_core::RunContext;
    use coase_core::auction::Auction;
    use proptest::prelude::*;

    #[test]
    fn given_halves_trade_at_each_others_price() {
        let stacks = Stacks::of(&book(&BL)).unwrap();
        let left = [true, false, true, false, true, false, false, true, false];
        let found = halves(&stacks, &left, &(0..9).collect::<Vec<_>>());
        let fills = |fills: &[coase_core::auction::Fill]| {
            fills.iter().map(|f| (f.who, f.quantity, f.money)).collect::<Vec<_>>()
        };
        assert_eq!(fills(&found.buys), [(0, 3.0, 1.425), (1, 2.0, 1.2)]);
        assert_eq!(fills(&found.sells), [(4, 3.0, 1.425), (5, 2.0, 1.2)]);
        assert_eq!(found.price, None);
    }

    #[test]
    fn the_price_of_a_half_needs_both_sides() {
        let of = |bids, asks| price_of(&Stacks::of(&book_of(bids, asks)).unwrap());
        assert_eq!(of(&[(2.0, 1.0)], &[]), None);
        assert_eq!(of(&[], &[]), None);
        assert_eq!(of(&[(2.0, 1.0)], &[(1.0, 1.0)]), Some(1_500_000_000));
    }

    #[test]
    fn the_seed_decides_the_halves() {
        let cleared = |seed| Muda {}.clear(&book(&BL), &mut RunContext::new(seed, ())).unwrap();
        assert_eq!(cleared(3), cleared(3));
        assert!((0..20).any(|seed| cleared(seed) != cleared(3)));
    }

    proptest! {
        /// Fixed coins: no price and no quantity gains, with two blocks each; what buyers pay is what sellers receive.
        #[test]
        fn no_misreport_gains_whatever_the_coins(
            bids in prop::collection::vec((0..10_u8, 1..4_u8), 1..6),
            asks in prop::collection::vec((0..10_u8, 1..4_u8), 1..6),
            said in 0..21_u8,
            more in 0..3_u8,
        ) {
            let of = |blocks: &[(u8, u8)]| -> Vec<(f64, f64)> { blocks.iter().map(|(p, q)| (f64::from(*p), f64::from(*q))).collect() };
            let (bids, asks) = (of(&bids), of(&asks));
            let mut truth = book_of(&bids, &asks);
            // A second block that is worth half as much, or costs twice as much.
            let second: Vec<_> = truth.buyers.iter().map(|o| coase_core::book::Order { price: o.price / 2.0, ..*o }).collect();
            truth.buyers.extend(second);
            let second: Vec<_> = truth.sellers.iter().map(|o| coase_core::book::Order { price: o.price * 2.0, ..*o }).collect();
            truth.sellers.extend(second);
            truth.sort();
            let honest = clear(&Muda {}, &truth);
            let paid: f64 = honest.buys.iter().map(|f| f.money).sum();
            let received: f64 = honest.sells.iter().map(|f| f.money).sum();
            prop_assert!((paid - received).abs() < 1e-9);
            for who in 0..bids.len() + asks.len() {
                let before = utility(&truth, &honest, who);
                prop_assert!(before >= -1e-9);
                let mut lie = with_price(&truth, who, f64::from(said) / 2.0);
                lie.buyers.iter_mut().filter(|o| o.who == who).for_each(|o| o.quantity += f64::from(more));
                let after = utility(&truth, &clear(&Muda {}, &lie), who);
                prop_assert!(after <= before + 1e-9, "{} gains {}", who, after - before);
            }
        }
    }
}
