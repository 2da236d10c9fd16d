//! `Auction(..)`: a list of bids and asks, cleared by any mechanism that needs nothing else. No market and no network.
//!
//! What is bid is taken for what is true: welfare is the value of what is bought less the cost of what is sold, both by the
//! bids. Numbers count to nine places after the point. A side without bidders is no error: nothing trades, and a note says why.

mod audit;
mod offers;

pub use audit::{AuditedList, Heard, HeardBidder, ListAuditOptions, is_auction};
pub use offers::{WrongOffers, read_offers, written_offers};

use super::game::Sheet;
use crate::fault::{Cause, Fault, did_you_mean};
use crate::run::NoThreads;
use crate::text::Text;
use coase_core::auction::{Auction as Rule, Clearing, Fill, position};
use coase_core::book::{Book, LEAST_ENERGY_KWH, MOST_ENERGY_KWH, MOST_PRICE_PER_KWH, Order};
use coase_core::declaration::{Declaration, schema_of};
use coase_core::mechanism::{Mechanism, mechanisms};
use coase_core::open::{Open, camel_case};
use coase_core::setting::Role;
use coase_core::{MechanismError, RunContext, number};
use ron::value::RawValue;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::Path;

/// A list of bids and asks.
///
/// `Auction(buyers: [(id: "b0", blocks: [(price_per_kwh: 1.0, quantity_kwh: 3)])], sellers: [(id: "s0", blocks: [(price_per_kwh:
/// 0.2, quantity_kwh: 3)])])`
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Auction {
    /// Who buys. Ties go to whoever comes first in the file.
    pub buyers: Vec<Bidder>,
    /// Who sells.
    pub sellers: Vec<Bidder>,
    /// Parameters of the mechanism, as `(kappa: 0.5)`; by default its own.
    #[schemars(schema_with = "parameters_of_a_mechanism")]
    params: Option<Box<RawValue>>,
}

/// Those of whatever mechanism clears the list.
fn parameters_of_a_mechanism(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "object", "additionalProperties": {"anyOf": [
        {"type": "number"}, {"type": "string"}, {"type": "boolean"}, {"type": "array"}, {"type": "object"}]}})
}

/// One bidder.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bidder {
    /// Name, of which there is one in the file.
    pub id: String,
    /// Verifiable size, kWh: no less than its blocks together, which it is by default.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub rating_kwh: Option<f64>,
    /// Its blocks, best first: a buyer's prices do not rise, a seller's do not fall.
    pub blocks: Vec<BidBlock>,
}

/// One step of a bid curve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BidBlock {
    /// Value or cost of a kWh, from -1e6 to 1e6.
    #[schemars(range(min = -1e6, max = 1e6))]
    pub price_per_kwh: f64,
    /// How many kWh; those of a side sum to 1e9 at most.
    #[schemars(range(min = 0, max = 1e9))]
    pub quantity_kwh: f64,
}

/// Why bids have no outcome.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuctionError {
    /// The file is not right.
    #[error(transparent)]
    File(#[from] Fault),
    /// Nobody has this name.
    #[error("there is no mechanism `{id}`{}", hint.as_ref().map_or(String::new(), |h| format!("; {h}")))]
    NoMechanism {
        /// What was asked for.
        id: String,
        /// What may have been meant.
        hint: Option<String>,
    },
    /// It needs more than bids.
    #[error("`{id}` needs more than a list of bids; those that need nothing else are {}", auctions.join(", "))]
    NoAuction {
        /// Which.
        id: String,
        /// Which would do.
        auctions: Vec<&'static str>,
    },
    /// Parameters, and no mechanism whose they are.
    #[error("`params` are those of one mechanism: name it")]
    WhoseParams,
    /// Nothing can be searched.
    #[error(transparent)]
    Threads(#[from] NoThreads),
    /// It has no outcome for these bids.
    #[error(transparent)]
    Mechanism(#[from] MechanismError),
}

/// Bids that were read and checked.
#[derive(Clone, Debug)]
pub struct Bids {
    text: Text,
    form: Auction,
    book: Book,
}

/// What was cleared. Money is in the currency of the bids.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AuctionAnswer {
    /// Energy that changes hands, kWh.
    pub traded_kwh: f64,
    /// Value of what is bought less cost of what is sold, by the bids.
    pub welfare: f64,
    /// What buyers pay less what sellers receive.
    pub budget_surplus: f64,
    /// Everybody who bid, in the order of the file.
    pub buyers: Vec<Bought>,
    /// Everybody who asked, in the order of the file.
    pub sellers: Vec<Sold>,
    /// The price of a kWh, where everybody on both sides trades at one.
    pub price_per_kwh: Option<f64>,
    /// Claims of the mechanism that do not hold on these bids.
    pub withheld: Vec<Withheld>,
    /// Whether an iteration has reached its tolerance; true of a rule that has none.
    pub converged: bool,
    /// What a reader should know, as why nothing trades.
    pub notes: Vec<String>,
}

/// What a buyer gets.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bought {
    /// Who.
    pub id: String,
    /// kWh.
    pub quantity_kwh: f64,
    /// What it pays.
    pub payment: f64,
}

/// What a seller gives.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sold {
    /// Who.
    pub id: String,
    /// kWh.
    pub quantity_kwh: f64,
    /// What it receives.
    pub receipt: f64,
}

/// A claim that does not hold here.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Withheld {
    /// Which.
    pub claim: &'static str,
    /// Why.
    pub why: String,
}

/// The head word, in the words of an error.
const HEAD: &str = "`Auction(..)`";

/// Reads the bids of a file.
///
/// # Errors
/// What is wrong, with its place.
pub fn read_auction(path: &Path) -> Result<Bids, Fault> {
    read(Text::read(path)?)
}

/// Reads bids from a text that lies in no file.
///
/// # Errors
/// What is wrong, with its place.
pub fn read_auction_text(name: &str, text: &str) -> Result<Bids, Fault> {
    read(Text::new(name, "", text))
}

/// The parts of the form, each with its fields.
pub(crate) fn declarations() -> [(&'static str, Declaration); 3] {
    [
        ("Auction", Declaration::of::<Auction>()),
        ("Bidder", Declaration::of::<Bidder>()),
        ("BidBlock", Declaration::of::<BidBlock>()),
    ]
}

/// The JSON schema of an auction file: the fields of `Auction(..)`.
pub fn auction_schema() -> Value {
    schema_of::<Auction>()
}

fn read(text: Text) -> Result<Bids, Fault> {
    let found = text.head();
    if found != "Auction" {
        return Err(text.wrong_head(found, HEAD).with_hint(did_you_mean(found, ["Auction"])));
    }
    let form: Auction = text.parse()?;
    let mut book = Book::default();
    let mut ids: Vec<&str> = vec![];
    for (side, bidders, role) in [("buyers", &form.buyers, Role::Buyer), ("sellers", &form.sellers, Role::Seller)] {
        let mut total = 0.0;
        for (k, bidder) in bidders.iter().enumerate() {
            let at = format!("{side}.{k}");
            if bidder.id.trim().is_empty() {
                let why = "a bidder has a name";
                let cause = Cause::Name { kind: "a bidder", name: bidder.id.clone(), why };
                return Err(text.fault(&format!("{at}.id"), cause));
            }
            let who = ids.len();
            ids.push(&bidder.id);
            let orders = if role == Role::Buyer { &mut book.buyers } else { &mut book.sellers };
            let size = checked(&text, &at, bidder, role, who, orders)?;
            total += size;
            if total > MOST_ENERGY_KWH {
                let (field, found) = (format!("the sum of all {side}"), format!("{} kWh", number(total)));
                let cause = Cause::Field { field, found, expected: "at most 1e9 kWh".into() };
                return Err(text.fault(&at, cause).with_hint("quantities are in kWh".to_owned()));
            }
            book.rating_kwh.push(bidder.rating_kwh.unwrap_or(size));
            book.roles.push(role);
            book.priors.push(None);
        }
    }
    let mut sorted: Vec<(&str, usize)> = ids.iter().enumerate().map(|(k, id)| (*id, k)).collect();
    sorted.sort_unstable();
    if let Some(twice) = sorted.windows(2).find(|w| w[0].0 == w[1].0) {
        let k = twice[1].1;
        let buyers = form.buyers.len();
        let at = if k < buyers { format!("buyers.{k}.id") } else { format!("sellers.{}.id", k - buyers) };
        let cause = Cause::Twice { kind: "bidder", name: twice[1].0.to_owned() };
        let hint = "a bidder has all its blocks in one place and stands on one side".to_owned();
        return Err(text.fault(&at, cause).with_hint(hint));
    }
    book.sort();
    Ok(Bids { text, form, book })
}

/// Checks the blocks of a bidder, adds its orders and returns their sum, kWh.
fn checked(
    text: &Text,
    at: &str,
    bidder: &Bidder,
    role: Role,
    who: usize,
    orders: &mut Vec<Order>,
) -> Result<f64, Fault> {
    let id = &bidder.id;
    let wrong = |place: String, field: String, found: f64, expected: &str| {
        text.fault(&place, Cause::Field { field, found: number(found), expected: expected.to_owned() })
    };
    let mut size = 0.0;
    for (j, block) in bidder.blocks.iter().enumerate() {
        let place = |field: &str| format!("{at}.blocks.{j}.{field}");
        let of = |field: &str| format!("{field} of block {j} of `{id}`");
        let BidBlock { price_per_kwh: price, quantity_kwh: quantity } = *block;
        // What is not a number is in no range.
        if !(-MOST_PRICE_PER_KWH..=MOST_PRICE_PER_KWH).contains(&price) {
            return Err(wrong(place("price_per_kwh"), of("price_per_kwh"), price, "a number from -1e6 to 1e6"));
        }
        if !(0.0..=MOST_ENERGY_KWH).contains(&quantity) {
            return Err(wrong(place("quantity_kwh"), of("quantity_kwh"), quantity, "a number from 0 to 1e9"));
        }
        if quantity > 0.0 && quantity < LEAST_ENERGY_KWH {
            let expected = "0 or at least 1e-9: energy is counted in billionths of a kWh";
            return Err(wrong(place("quantity_kwh"), of("quantity_kwh"), quantity, expected));
        }
        if let Some(before) = j.checked_sub(1).map(|j| bidder.blocks[j].price_per_kwh) {
            let (falls, expected) = match role {
                Role::Buyer => (price <= before, "no more than the block before"),
                _ => (price >= before, "no less than the block before"),
            };
            if !falls {
                let expected = format!("{expected}, {}", number(before));
                return Err(wrong(place("price_per_kwh"), of("price_per_kwh"), price, &expected)
                    .with_hint("blocks are named best first".to_owned()));
            }
        }
        size += quantity;
        orders.push(Order { who, price, quantity });
    }
    if let Some(rating) = bidder.rating_kwh {
        if !(0.0..=MOST_ENERGY_KWH).contains(&rating) {
            return Err(wrong(
                format!("{at}.rating_kwh"),
                format!("rating_kwh of `{id}`"),
                rating,
                "a number from 0 to 1e9",
            ));
        }
        if size > rating * (1.0 + 1e-12) {
            let expected = format!("no less than its blocks together, {}", number(size));
            return Err(wrong(format!("{at}.rating_kwh"), format!("rating_kwh of `{id}`"), rating, &expected));
        }
    }
    Ok(size)
}

/// Mechanisms that need nothing but bids, by id.
fn auctions() -> Vec<&'static str> {
    let is_auction =
        |id: &&str| <dyn Mechanism>::set().get(id).is_some_and(|entry| (entry.default)().as_auction().is_some());
    // A wrapper is what it wraps.
    let own = mechanisms().into_iter().filter(|plugin| plugin.family == coase_core::mechanism::Family::Auction);
    own.map(|plugin| plugin.id).filter(is_auction).collect()
}

/// The part of a mechanism that clears lists.
fn auction_of(rule: &dyn Mechanism) -> Result<&dyn Rule, AuctionError> {
    rule.as_auction().ok_or_else(|| AuctionError::NoAuction { id: rule.plugin().id.to_owned(), auctions: auctions() })
}

impl Bids {
    /// Clears the bids by a mechanism with the file's parameters.
    ///
    /// # Errors
    /// No such mechanism, one that needs more than bids, wrong parameters, or no outcome.
    pub fn clear(&self, mechanism: &str, seed: u64) -> Result<AuctionAnswer, AuctionError> {
        let rule = self.mechanism(mechanism)?;
        let auction = auction_of(&*rule)?;
        let clearing = auction.clear(&self.book, &mut RunContext::new(seed, ()))?;
        Ok(self.answer(&clearing))
    }

    /// A mechanism by its id, with the file's parameters, or with its own where it is written with them.
    fn mechanism(&self, id: &str) -> Result<Box<dyn Mechanism>, AuctionError> {
        if id.contains('(') {
            return Ok(Text::new("--mechanism", "", id).parse()?);
        }
        let Some(entry) = <dyn Mechanism>::set().get(id) else {
            return Err(AuctionError::NoMechanism { id: id.to_owned(), hint: did_you_mean(id, auctions()) });
        };
        if self.form.params.is_none() {
            return Ok((entry.default)());
        }
        let Some(span) = self.text.outline().and_then(|tree| tree.field("params").map(|node| node.span.clone())) else {
            return Ok((entry.default)());
        };
        let params = self.text.part(&span);
        Ok(params.replaced(&format!("{}{}", camel_case(id), params.as_str())).parse()?)
    }

    fn answer(&self, clearing: &Clearing) -> AuctionAnswer {
        let buyers = self.form.buyers.len();
        let of = |fills: &[Fill]| {
            let mut all = vec![(0.0, 0.0); buyers + self.form.sellers.len()];
            for fill in fills {
                all[fill.who].0 += fill.quantity;
                all[fill.who].1 += fill.money;
            }
            all
        };
        let (buys, sells) = (of(&clearing.buys), of(&clearing.sells));
        let bought = |(k, bidder): (usize, &Bidder)| {
            let (quantity_kwh, payment) = buys[k];
            Bought { id: bidder.id.clone(), quantity_kwh, payment }
        };
        let sold = |(k, bidder): (usize, &Bidder)| {
            let (quantity_kwh, receipt) = sells[buyers + k];
            Sold { id: bidder.id.clone(), quantity_kwh, receipt }
        };
        let bought: Vec<Bought> = self.form.buyers.iter().enumerate().map(bought).collect();
        let sold: Vec<Sold> = self.form.sellers.iter().enumerate().map(sold).collect();
        let value: f64 = self.form.buyers.iter().zip(&bought).map(|(b, got)| worth(b, got.quantity_kwh)).sum();
        let cost: f64 = self.form.sellers.iter().zip(&sold).map(|(s, gave)| worth(s, gave.quantity_kwh)).sum();
        let traded_kwh: f64 = bought.iter().map(|b| b.quantity_kwh).sum();
        let paid: f64 = bought.iter().map(|b| b.payment).sum();
        let received: f64 = sold.iter().map(|s| s.receipt).sum();
        let named = |why: &str| {
            let mut text = why.to_owned();
            for (who, bidder) in self.form.buyers.iter().chain(&self.form.sellers).enumerate() {
                text = text.replace(&position(who), &format!("`{}`", bidder.id));
            }
            text
        };
        let withheld = clearing.withheld.iter().map(|(claim, why)| Withheld { claim: claim.name(), why: named(why) });
        AuctionAnswer {
            traded_kwh,
            welfare: value - cost,
            budget_surplus: paid - received,
            price_per_kwh: clearing.price.filter(|_| traded_kwh > 0.0),
            withheld: withheld.collect(),
            converged: clearing.missed.is_none(),
            notes: self.notes(traded_kwh),
            buyers: bought,
            sellers: sold,
        }
    }

    /// Why nothing trades.
    fn notes(&self, traded_kwh: f64) -> Vec<String> {
        if traded_kwh > 0.0 {
            return vec![];
        }
        let bids = |orders: &[Order]| orders.iter().any(|o| o.quantity > 0.0);
        let note = match (bids(&self.book.buyers), bids(&self.book.sellers)) {
            (false, false) => "nothing trades: nobody bids and nobody asks",
            (false, true) => "nothing trades: nobody bids, the side of the buyers is empty",
            (true, false) => "nothing trades: nobody asks, the side of the sellers is empty",
            (true, true) => match (self.book.buyers.first(), self.book.sellers.first()) {
                (Some(bid), Some(ask)) if bid.price < ask.price => "nothing trades: every ask is above every bid",
                _ => "nothing trades: the rule gives up what there was to trade",
            },
        };
        vec![note.to_owned()]
    }
}

/// What the best units of a bidder's blocks are worth or cost.
fn worth(bidder: &Bidder, quantity_kwh: f64) -> f64 {
    let mut left = quantity_kwh;
    let mut worth = 0.0;
    for block in &bidder.blocks {
        let part = block.quantity_kwh.min(left);
        worth += part * block.price_per_kwh;
        left -= part;
    }
    worth
}

impl AuctionAnswer {
    /// For people: who trades what, and below it the sums.
    pub fn sheets(&self) -> Vec<Sheet> {
        let cell = |x: f64| format!("{x:.6}");
        let head = |money: &str| ["", "kWh", money].map(str::to_owned).to_vec();
        let buyers = self.buyers.iter().map(|b| vec![b.id.clone(), cell(b.quantity_kwh), cell(b.payment)]).collect();
        let sellers = self.sellers.iter().map(|s| vec![s.id.clone(), cell(s.quantity_kwh), cell(s.receipt)]).collect();
        let mut notes = vec![
            String::new(),
            format!("traded {} kWh, welfare {}", number(self.traded_kwh), number(self.welfare)),
            format!("left with the operator: {}", number(self.budget_surplus)),
        ];
        notes.extend(self.price_per_kwh.map(|price| format!("one price for all: {} per kWh", number(price))));
        notes.extend(
            self.withheld.iter().map(|w| format!("not claimed here: {} ({})", w.claim.replace('_', " "), w.why)),
        );
        notes.extend(self.notes.iter().cloned());
        if !self.converged {
            notes.push("the iteration has not reached its tolerance".to_owned());
        }
        let table = |head, rows, notes| Sheet { head, rows, notes };
        vec![table(head("pays"), buyers, vec![]), table(head("receives"), sellers, notes)]
    }
}
