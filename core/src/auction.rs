//! Books of orders, and the auctions that need nothing else. [`per_slot`] lets any of them run on a market.

use crate::context::RunContext;
use crate::market::Market;
use crate::mechanism::MechanismError;
use crate::outcome::{Claim, Outcome, Party, Reason, Side, Signal};
use crate::setting::Prior;

/// One step of a bid curve: a quantity and the price at which it changes hands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Order {
    /// Position of the participant.
    pub who: usize,
    /// Price per kWh.
    pub price: f64,
    /// kWh; in a participant's own steps a positive quantity sells and a negative one buys; in a book it is positive.
    pub quantity: f64,
}

/// The bids of one slot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Book {
    /// Bids, best (highest) price first.
    pub buyers: Vec<Order>,
    /// Asks, best (lowest) price first.
    pub sellers: Vec<Order>,
    /// Verifiable size of each participant, kWh in the slot.
    pub rating_kwh: Vec<f64>,
    /// Public priors of the participants.
    pub priors: Vec<Option<Prior>>,
}

impl Book {
    /// Sorts both sides, best price first; ties go to the earlier participant.
    pub fn sort(&mut self) {
        self.buyers.sort_by(|a, b| b.price.total_cmp(&a.price).then(a.who.cmp(&b.who)));
        self.sellers.sort_by(|a, b| a.price.total_cmp(&b.price).then(a.who.cmp(&b.who)));
    }
}

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
    fn clear(&self, book: &Book, ctx: &mut RunContext<'_>) -> Result<Clearing, MechanismError>;
}

/// Runs an auction in every slot on bid curves derived from the participants, other slots frozen at autarky.
///
/// # Errors
/// Those of the auction, and questions to participants without an answer.
pub fn per_slot(auction: &dyn Auction, market: &Market, ctx: &mut RunContext<'_>) -> Result<Outcome, MechanismError> {
    let mut outcome = Outcome::new(market);
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
