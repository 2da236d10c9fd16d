//! Auctions that need nothing but a book of bids. [`per_slot`] lets any of them run on a market.

use crate::book::Book;
use crate::context::RunContext;
use crate::error::MechanismError;
use crate::market::Market;
use crate::outcome::{Claim, Outcome, Party, Reason, Side, Signal};

/// What one participant trades in a slot, and for how much.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fill {
    /// Position of the participant.
    pub who: usize,
    /// kWh.
    pub quantity: f64,
    /// Payment of a buyer, receipt of a seller.
    pub money: f64,
}

/// The result of an auction.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Clearing {
    /// Purchases.
    pub buys: Vec<Fill>,
    /// Sales.
    pub sells: Vec<Fill>,
    /// The price, where both sides face one.
    pub price: Option<f64>,
    /// Declared claims that do not hold on this book, and why.
    pub withheld: Vec<(Claim, String)>,
}

/// An auction rule: needs a book and nothing else.
pub trait Auction {
    /// Clears one book.
    ///
    /// # Errors
    /// A parameter without meaning.
    fn clear(&self, book: &Book, ctx: &mut RunContext) -> Result<Clearing, MechanismError>;
}

/// Runs an auction in every slot on bid curves derived from the participants, other slots frozen at autarky.
///
/// # Errors
/// Those of the auction, and questions to participants without an answer.
pub fn per_slot(auction: &dyn Auction, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
    let mut outcome = Outcome::new(market.setting());
    let mut price = vec![None; market.setting().slots.len()];
    for (k, slot) in market.setting().slots.iter().enumerate() {
        let book = market.book(k)?;
        ctx.messages(2 * (book.buyers.len() + book.sellers.len()));
        let clearing = auction.clear(&book, ctx)?;
        for fill in &clearing.buys {
            outcome.net[fill.who][k] -= fill.quantity;
            outcome.ledger.pay_for(
                Party::Member(fill.who),
                Party::Operator,
                fill.money,
                Reason::Trade,
                Some(slot.product),
            );
        }
        for fill in &clearing.sells {
            outcome.net[fill.who][k] += fill.quantity;
            outcome.ledger.pay_for(
                Party::Operator,
                Party::Member(fill.who),
                fill.money,
                Reason::Trade,
                Some(slot.product),
            );
        }
        price[k] = clearing.price;
        for (claim, why) in clearing.withheld {
            if !outcome.withheld.iter().any(|w| w.0 == claim) {
                outcome.withheld.push((claim, why));
            }
        }
        let traded = clearing.buys.iter().map(|f| f.quantity).sum();
        if ctx.step("slot", &[("traded_kwh", traded)]).is_break() {
            break;
        }
    }
    outcome.prices.push(Signal { side: Side::Both, member: None, price });
    Ok(outcome)
}
