//! Auctions: rules that need nothing but bids and asks. Each clears a list of bids, and every slot of a market by
//! [`per_slot`](coase_core::auction::per_slot).
//!
//! All count in whole numbers ([`quanta`]); [`stacks`] crosses the two sides and knows what a market is worth without any one of
//! its participants.

mod competition_padding;
mod continuous;
mod double_auction;
#[cfg(test)]
mod examples;
mod huang;
mod iterative;
mod mcafee;
mod muda;
mod pay_as_bid;
pub(crate) mod quanta;
mod service_quotation;
pub(crate) mod stacks;
pub(crate) mod vcg_blocks;

pub use competition_padding::{CompetitionPadding, PaddedSide, Padding};
pub use continuous::{ContinuousDoubleAuction, Traders};
pub use double_auction::{DoubleAuction, Rationing};
pub use huang::{Huang, Shares};
pub use iterative::IterativeDoubleAuction;
pub use mcafee::Mcafee;
pub use muda::Muda;
pub use pay_as_bid::PayAsBid;
pub use service_quotation::ServiceQuotation;

use coase_core::auction::position;
use stacks::{Block, Stacks};

/// Who has more than one block on these sides taken together, if anybody has: then a block may set the price of another.
fn several_blocks(stacks: &Stacks, sides: &[&[Block]]) -> Option<String> {
    let mut counts = vec![0_usize; stacks.agents];
    sides.iter().flat_map(|side| *side).for_each(|b| counts[b.who] += 1);
    let who = counts.iter().position(|count| *count > 1)?;
    Some(format!("{} has {} blocks", position(who), counts[who]))
}

#[cfg(test)]
mod tests {
    use super::examples::{book_of, clear};
    use super::{CompetitionPadding, DoubleAuction, Huang, Mcafee, PayAsBid};
    use coase_core::auction::{Auction, Clearing, Fill};
    use coase_core::book::Book;
    use proptest::prelude::*;

    fn rules() -> Vec<Box<dyn Auction>> {
        vec![
            Box::new(DoubleAuction::default()),
            Box::new(Mcafee {}),
            Box::new(Huang::default()),
            Box::new(PayAsBid::default()),
            Box::new(CompetitionPadding::default()),
        ]
    }

    /// Prices and quantities of a side.
    type Side = Vec<(f64, f64)>;

    /// Bids and asks whose prices all differ: nothing is left to priority.
    fn distinct() -> impl Strategy<Value = (Side, Side)> {
        (
            1..5_usize,
            1..5_usize,
            Just((1..=8_u32).collect::<Vec<_>>()).prop_shuffle(),
            prop::collection::vec(1..5_u8, 8),
        )
            .prop_map(|(buyers, sellers, prices, sizes)| {
                let of = |k: usize| (f64::from(prices[k]) / 8.0, f64::from(sizes[k]));
                ((0..buyers).map(of).collect(), (0..sellers).map(|k| of(buyers.min(4) + k)).collect())
            })
    }

    fn sums(found: &Clearing) -> (f64, f64, f64, f64) {
        let sum = |fills: &[Fill], of: fn(&Fill) -> f64| fills.iter().map(of).sum::<f64>();
        (
            sum(&found.buys, |f| f.quantity),
            sum(&found.sells, |f| f.quantity),
            sum(&found.buys, |f| f.money),
            sum(&found.sells, |f| f.money),
        )
    }

    proptest! {
        /// Who stands where in the list changes nothing, nor do units that keep decimals whole; what is bought is sold, and the
        /// operator pays nothing.
        #[test]
        fn names_and_units_do_not_matter((bids, asks) in distinct()) {
            let book = book_of(&bids, &asks);
            let agents = bids.len() + asks.len();
            let turned = |book: &Book| {
                let mut turned = book.clone();
                turned.buyers.iter_mut().chain(&mut turned.sellers).for_each(|o| o.who = agents - 1 - o.who);
                turned.rating_kwh.reverse();
                turned.roles.reverse();
                turned.sort();
                turned
            };
            let mut scaled = book.clone();
            for order in scaled.buyers.iter_mut().chain(&mut scaled.sellers) {
                order.price *= 10.0;
                order.quantity /= 1000.0;
            }
            scaled.rating_kwh.iter_mut().for_each(|kwh| *kwh /= 1000.0);
            for rule in rules() {
                let found = clear(&*rule, &book);
                let (bought, sold, paid, received) = sums(&found);
                prop_assert!((bought - sold).abs() < 1e-9 && paid - received > -1e-9);
                for (other, money, kwh, who) in [
                    (clear(&*rule, &turned(&book)), 1.0, 1.0, true),
                    (clear(&*rule, &scaled), 10.0 / 1000.0, 1e-3, false),
                ] {
                    for (mine, theirs) in [(&found.buys, &other.buys), (&found.sells, &other.sells)] {
                        prop_assert_eq!(mine.len(), theirs.len());
                        for fill in mine {
                            let at = if who { agents - 1 - fill.who } else { fill.who };
                            let same = theirs.iter().find(|f| f.who == at);
                            prop_assert!(same.is_some_and(|f| (f.quantity - kwh * fill.quantity).abs() < 2e-8
                                && (f.money - money * fill.money).abs() < 2e-7), "{fill:?} {same:?}");
                        }
                    }
                }
            }
        }
    }
}
