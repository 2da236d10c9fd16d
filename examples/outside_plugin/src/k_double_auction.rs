//! The k-double auction: every period has a book of bids; whoever bids enough trades, all at one price between the marginal bids.
//!
//! Of the prices at which the traded quantity clears, from `low` to `high`, the one at `low + k (high - low)` is taken. Budgets
//! balance, and nobody loses who bids the truth; who sets the price can gain by a false bid.

use coase_core::auction::{Auction, Clearing, Fill, per_slot};
use coase_core::book::{Book, Order};
use coase_core::mechanism::Mechanism;
use coase_core::schemars::{self, JsonSchema};
use coase_core::{Market, MechanismError, Outcome, RunContext, register};
use serde::{Deserialize, Serialize};

/// One price between the marginal bid and the marginal ask.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct KDoubleAuction {
    /// Where between the least (0) and the greatest clearing price (1).
    #[schemars(range(min = 0.0, max = 1.0))]
    pub k: f64,
}

impl Default for KDoubleAuction {
    fn default() -> Self {
        Self { k: 0.5 }
    }
}

register!(KDoubleAuction, "k-double-auction", Auction, "one price between the marginal bids",
    claims: [BudgetBalanced, IndividuallyRational if "slots are not coupled by devices" => |_, _| Ok(())],
    needs: [Tariff, NoRequirement], information: Reports, source: "an example");

impl Auction for KDoubleAuction {
    fn clear(&self, book: &Book, _: &mut RunContext) -> Result<Clearing, MechanismError> {
        if !(0.0..=1.0).contains(&self.k) {
            let value = self.k.to_string();
            return Err(MechanismError::Parameter { name: "k", value, expected: "between 0 and 1" });
        }
        // Both sides stand best price first. What is worthwhile trades; `b` and `s` end at the first bids with something left.
        let (buyers, sellers) = (&book.buyers, &book.sellers);
        let all = |orders: &[Order]| -> Vec<f64> { orders.iter().map(|order| order.quantity).collect() };
        let (mut asked, mut offered) = (all(buyers), all(sellers));
        let (mut b, mut s) = (0, 0);
        let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
        while b < buyers.len() && s < sellers.len() && buyers[b].price >= sellers[s].price {
            let quantity = asked[b].min(offered[s]);
            asked[b] -= quantity;
            offered[s] -= quantity;
            // The prices that every trade so far agrees to.
            (low, high) = (sellers[s].price, buyers[b].price);
            b += usize::from(asked[b] <= 0.0);
            s += usize::from(offered[s] <= 0.0);
        }
        if low == f64::NEG_INFINITY {
            return Ok(Clearing::default());
        }
        // Nobody who is left over may want to trade at the price.
        low = buyers.get(b).map_or(low, |bid| low.max(bid.price));
        high = sellers.get(s).map_or(high, |ask| high.min(ask.price));
        let price = low + self.k * (high - low);
        let fills = |orders: &[Order], left: &[f64]| -> Vec<Fill> {
            let traded = orders.iter().zip(left).map(|(order, left)| (order.who, order.quantity - left));
            let fill = |(who, quantity)| Fill { who, quantity, money: price * quantity };
            traded.filter(|(_, quantity)| *quantity > 0.0).map(fill).collect()
        };
        Ok(Clearing {
            buys: fills(buyers, &asked),
            sells: fills(sellers, &offered),
            price: Some(price),
            ..Clearing::default()
        })
    }
}

impl Mechanism for KDoubleAuction {
    /// Clears a book for every period: `per_slot` asks the participants for their bids.
    fn run(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
        per_slot(self, market, ctx)
    }

    /// Lets `coase auction` and `coase audit` play it on plain lists of bids.
    fn as_auction(&self) -> Option<&dyn Auction> {
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::{Auction, Book, KDoubleAuction, Order, RunContext};

    #[test]
    fn everybody_trades_half_way_between_the_marginal_bids() {
        let order = |who, price, quantity| Order { who, price, quantity };
        let book = Book {
            buyers: vec![order(0, 0.9, 1.0), order(1, 0.6, 2.0)],
            sellers: vec![order(2, 0.2, 2.0), order(3, 0.4, 1.0)],
            ..Book::default()
        };
        let found = KDoubleAuction { k: 0.5 }.clear(&book, &mut RunContext::new(1, ())).expect("a price");
        assert!((found.price.unwrap_or(0.0) - 0.5).abs() < 1e-12, "{found:?}");
        let sold: f64 = found.sells.iter().map(|fill| fill.quantity).sum();
        assert!((sold - 3.0).abs() < 1e-12, "{found:?}");
    }
}
