//! The call auction that pays as bid: the greatest worthwhile trade, every matched pair at its own price.
//!
//! Bids and asks are matched in the order of the stacks, best with best; a pair of value `v` and cost `c` trades at `kappa v + (1 -
//! kappa) c`. With `kappa` 1 buyers pay what they bid, with 0 sellers receive what they ask. The budget balances pair by pair and
//! nobody loses by its bid; whoever knows the others bids other than the truth (after the discriminatory call auction of Parsons,
//! Rodriguez-Aguilar and Klein, 2011).

use super::double_auction::share;
use super::quanta::{Energy, Price, energy, price, times};
use super::stacks::{Account, Stacks};
use super::vcg_blocks::one_price;
use coase_core::auction::{Auction, Clearing, Match, per_slot};
use coase_core::book::Book;
use coase_core::mechanism::Mechanism;
use coase_core::{Market, MechanismError, Outcome, RunContext, register};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// All worthwhile trade, each pair between its own bid and ask.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PayAsBid {
    /// Where between the ask (0) and the bid (1) of a pair its price lies.
    #[schemars(range(min = 0, max = 1))]
    pub kappa: f64,
}

impl Default for PayAsBid {
    fn default() -> Self {
        Self { kappa: 0.5 }
    }
}

register!(PayAsBid, "pay-as-bid", Auction, "all worthwhile trade, every pair at its own price",
    claims: [BudgetBalanced, IndividuallyRational if "slots are not coupled by devices" => |_, _| Ok(())],
    needs: [Tariff, NoRequirement], information: Reports, source: "after Parsons, Rodriguez-Aguilar and Klein (2011)");

impl Auction for PayAsBid {
    fn clear(&self, book: &Book, _: &mut RunContext) -> Result<Clearing, MechanismError> {
        let kappa = share("kappa", self.kappa)?;
        let stacks = Stacks::of(book)?;
        let Some(at) = stacks.crossing(0) else { return Ok(Clearing::default()) };
        let bids = Stacks::best(&stacks.demand, at.bought);
        let mut asks = Stacks::best(&stacks.supply, at.sold).into_iter();
        let mut ask = asks.next();
        let (mut buys, mut sells) = (Account::new(stacks.agents), Account::new(stacks.agents));
        let mut matched = vec![];
        for (bid, mut wanted) in bids {
            while let Some((block, left)) = ask.as_mut().filter(|_| wanted > 0) {
                let quantity: Energy = wanted.min(*left);
                let at: Price = block.price + (kappa * (bid.price - block.price) as f64).round() as i64;
                buys.add(bid.who, quantity, times(at, quantity));
                sells.add(block.who, quantity, times(at, quantity));
                matched.push(Match { buyer: bid.who, seller: block.who, quantity: energy(quantity), price: price(at) });
                wanted -= quantity;
                *left -= quantity;
                if *left == 0 {
                    ask = asks.next();
                }
            }
        }
        let mut clearing = Clearing { buys: buys.fills(), sells: sells.fills(), matched, ..Clearing::default() };
        clearing.price = one_price(&clearing);
        Ok(clearing)
    }
}

impl Mechanism for PayAsBid {
    fn run(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
        per_slot(self, market, ctx)
    }

    fn as_auction(&self) -> Option<&dyn Auction> {
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::PayAsBid;
    use crate::auctions::examples::{BL, UA, book, clear};
    use coase_core::auction::Fill;

    fn money(fills: &[Fill]) -> Vec<f64> {
        fills.iter().map(|f| f.money).collect()
    }

    #[test]
    fn every_pair_trades_between_its_bid_and_its_ask() {
        let paid = |kappa: f64| {
            let found = clear(&PayAsBid { kappa }, &book(&UA));
            (money(&found.buys), money(&found.sells))
        };
        assert_eq!(paid(1.0), (vec![9.0, 8.0, 7.0, 6.0], vec![9.0, 8.0, 7.0, 6.0]));
        assert_eq!(paid(0.0), (vec![2.0, 3.0, 4.0, 5.0], vec![2.0, 3.0, 4.0, 5.0]));
        assert_eq!(paid(0.5), (vec![5.5; 4], vec![5.5; 4]));
        // b0 buys 3 of s0; b1 2 of s1; b2 3 of s2 and 1 of s3.
        let found = clear(&PayAsBid { kappa: 1.0 }, &book(&BL));
        assert_eq!(
            found.matched.iter().map(|m| (m.buyer, m.seller, m.quantity)).collect::<Vec<_>>(),
            [(0, 4, 3.0), (1, 5, 2.0), (2, 6, 3.0), (2, 7, 1.0)]
        );
        let (pay, receive) = (money(&found.buys), money(&found.sells));
        assert!(pay.iter().zip([3.0, 1.6, 2.4]).all(|(a, b)| (a - b).abs() < 1e-12));
        assert!(receive.iter().zip([3.0, 1.6, 1.8, 0.6]).all(|(a, b)| (a - b).abs() < 1e-12));
    }
}
