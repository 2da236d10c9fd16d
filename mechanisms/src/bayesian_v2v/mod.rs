//! Energy from vehicle to vehicle between users who know only laws of each other's price.
//!
//! Sellers and buyers meet in pairs, the first of one side with the first of the other, and so on: who meets whom depends on no
//! report. A pair trades the lesser of what the two would. In a double auction a bid `b` and an ask `a` with `b >= a` trade at
//! `k b + (1 - k) a`, and both sides bid as in a Bayesian equilibrium ([`double_auction`]). With a posted price the buyer offers
//! the price that is best for it in expectation, and the seller takes it if it covers its cost and if it responds to the incentive at
//! all ([`response`]). Whether it responds does not depend on its cost; where it does not depend on the price either, it scales
//! both sides' gains and moves no bid.
//!
//! A reconstruction: of the study of vehicle-to-vehicle trade only an abstract was available.

mod double_auction;
mod response;

pub use response::Response;

use coase_core::auction::{Auction, Clearing, Fill, Match, per_slot};
use coase_core::book::{Book, Order};
use coase_core::mechanism::Mechanism;
use coase_core::outcome::Kind;
use coase_core::random::stream;
use coase_core::setting::{Prior, Role};
use coase_core::statistics::bounded::Bounded;
use coase_core::{Certificate, Market, MechanismError, Outcome, RunContext, register};
use double_auction::Equilibrium;
use rand::RngExt;
use response::posted;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Pairs of sellers and buyers who believe laws of each other's price.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BayesianV2v {
    /// How a pair comes to a price.
    pub rule: V2vRule,
    /// What is believed of every buyer's price; if left out, the priors of the scenario's participants.
    pub prior_of_buyers: Option<Prior>,
    /// What is believed of every seller's price; if left out, the priors of the scenario's participants.
    pub prior_of_sellers: Option<Prior>,
}

/// How a pair comes to a price.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum V2vRule {
    /// Both bid; they trade where the bid is not below the ask.
    DoubleAuction {
        /// The weight of the bid in the price; the ask has the rest.
        #[schemars(range(min = 0.0, max = 1.0))]
        #[serde(default = "half")]
        split: f64,
    },
    /// The buyer posts a price, which is the best for it.
    PostedPrice {
        /// The price at which nobody bothers, per kWh: users respond to what is above it.
        #[serde(default)]
        reference_per_kwh: f64,
        /// How they respond.
        #[serde(default = "always")]
        response: Response,
    },
}

fn half() -> f64 {
    0.5
}

fn always() -> Response {
    Response::Always
}

impl Default for V2vRule {
    fn default() -> Self {
        Self::DoubleAuction { split: half() }
    }
}

register!(BayesianV2v, "bayesian-v2v", Game,
    "sellers and buyers meet in pairs and bid by what they believe of each other",
    claims: [IndividuallyRational if "slots are not coupled by devices" => |_, _| Ok(()), BudgetBalanced],
    needs: [Prior, NoRequirement], information: Prior,
    source: "Chatterjee and Samuelson (1983); reconstruction of a study of vehicle-to-vehicle trade");

/// Energy of which there is none, kWh.
const NOTHING_KWH: f64 = 1e-9;

/// What came of the pairs of a slot.
#[derive(Clone, Debug, Default)]
struct Slot {
    clearing: Clearing,
    pairs: usize,
    /// Greatest regret per kWh, and what it may be.
    regret: f64,
    tolerance: f64,
    /// What both sides of all pairs would gain if every pair with something to gain traded, and what they do gain.
    possible: f64,
    gained: f64,
    /// Who did not respond.
    unanswered: usize,
}

/// A pair: buyer and seller, the energy and what a kWh of it is worth to each.
struct Pair {
    buyer: usize,
    seller: usize,
    quantity: f64,
    value: f64,
    cost: f64,
}

/// Mean price of the best part of somebody's orders, which stand best first.
fn mean_price(orders: &[&Order], quantity: f64) -> f64 {
    let (mut left, mut money) = (quantity, 0.0);
    for order in orders {
        let taken = order.quantity.min(left);
        money += order.price * taken;
        left -= taken;
    }
    money / quantity
}

/// Sellers and buyers of a book in the order of the participants, one by one.
fn pairs(book: &Book) -> Vec<Pair> {
    let side = |orders: &'_ [Order]| -> BTreeMap<usize, f64> {
        let mut side = BTreeMap::new();
        for order in orders.iter().filter(|order| order.quantity > NOTHING_KWH) {
            *side.entry(order.who).or_insert(0.0) += order.quantity;
        }
        side
    };
    let (buyers, mut sellers) = (side(&book.buyers), side(&book.sellers));
    // Who may do either, buys.
    sellers.retain(|who, _| !buyers.contains_key(who) || book.roles.get(*who) == Some(&Role::Seller));
    let own = |orders: &'_ [Order], who: usize, quantity: f64| {
        let own: Vec<&Order> = orders.iter().filter(|order| order.who == who).collect();
        mean_price(&own, quantity)
    };
    let met = buyers.into_iter().zip(sellers);
    met.map(|((buyer, wanted), (seller, offered))| {
        let quantity: f64 = wanted.min(offered);
        let (value, cost) = (own(&book.buyers, buyer, quantity), own(&book.sellers, seller, quantity));
        Pair { buyer, seller, quantity, value, cost }
    })
    .collect()
}

impl BayesianV2v {
    fn check(&self) -> Result<(), MechanismError> {
        match self.rule {
            V2vRule::DoubleAuction { split } if !(0.0..=1.0).contains(&split) => Err(MechanismError::Parameter {
                name: "split",
                value: split.to_string(),
                expected: "at least 0 and at most 1",
            }),
            V2vRule::DoubleAuction { .. } => Ok(()),
            V2vRule::PostedPrice { reference_per_kwh, .. } if !reference_per_kwh.is_finite() => {
                let (name, value) = ("reference_per_kwh", reference_per_kwh.to_string());
                Err(MechanismError::Parameter { name, value, expected: "a finite number" })
            }
            V2vRule::PostedPrice { response, .. } => response.check(),
        }
    }

    /// What is believed of a participant.
    fn law(&self, book: &Book, who: usize, buys: bool) -> Result<Bounded, MechanismError> {
        let given = if buys { &self.prior_of_buyers } else { &self.prior_of_sellers };
        let prior = given.as_ref().or_else(|| book.priors.get(who).and_then(Option::as_ref));
        let prior = prior.ok_or(MechanismError::Unmet { need: "a prior of every participant" })?;
        let known = prior.bounded(None).or_else(|_| prior.bounded(Some((0.0, highest(book)))));
        known.map_err(|error| MechanismError::Failed(format!("the prior of participant {who}: {error}")))
    }

    fn play(&self, book: &Book, seed: u64) -> Result<Slot, MechanismError> {
        self.check()?;
        let mut sorted = book.clone();
        sorted.sort();
        let mut slot = Slot::default();
        for pair in pairs(&sorted) {
            let Pair { buyer, seller, quantity, value, cost } = pair;
            let (of_buyer, of_seller) = (self.law(book, buyer, true)?, self.law(book, seller, false)?);
            slot.pairs += 1;
            slot.possible += (value - cost).max(0.0) * quantity;
            let price = match self.rule {
                V2vRule::DoubleAuction { split } => {
                    let played = Equilibrium::of(&of_buyer, &of_seller, split);
                    slot.regret = slot.regret.max(played.regret());
                    slot.tolerance = slot.tolerance.max(played.tolerance());
                    let (bid, ask) = (played.bid(value).min(value), played.ask(cost).max(cost));
                    (bid >= ask).then_some(split * bid + (1.0 - split) * ask)
                }
                V2vRule::PostedPrice { reference_per_kwh: reference, response } => {
                    let price = posted(value, &of_seller, response, reference)?.price;
                    let coin: f64 = stream(seed, "response to a posted price", seller, book.slot).random();
                    let responds = coin < response.probability(price - reference);
                    slot.unanswered += usize::from(!responds && price >= cost);
                    (responds && price >= cost && price <= value).then_some(price)
                }
            };
            let Some(price) = price else { continue };
            slot.gained += (value - cost) * quantity;
            let fill = |who| Fill { who, quantity, money: price * quantity };
            slot.clearing.buys.push(fill(buyer));
            slot.clearing.sells.push(fill(seller));
            slot.clearing.matched.push(Match { buyer, seller, quantity, price });
        }
        Ok(slot)
    }
}

/// The highest price that anybody bids or asks.
fn highest(book: &Book) -> f64 {
    book.buyers.iter().chain(&book.sellers).map(|order| order.price).fold(1.0, f64::max)
}

/// A rule that remembers what came of each slot.
struct Remembering<'r> {
    rule: &'r BayesianV2v,
    slots: Mutex<BTreeMap<usize, Slot>>,
}

impl Auction for Remembering<'_> {
    fn clear(&self, book: &Book, ctx: &mut RunContext) -> Result<Clearing, MechanismError> {
        let slot = self.rule.play(book, ctx.seed())?;
        let clearing = slot.clearing.clone();
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).insert(book.slot, slot);
        Ok(clearing)
    }
}

impl Auction for BayesianV2v {
    fn clear(&self, book: &Book, ctx: &mut RunContext) -> Result<Clearing, MechanismError> {
        Ok(self.play(book, ctx.seed())?.clearing)
    }
}

impl Mechanism for BayesianV2v {
    fn run(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
        self.check()?;
        let remembering = Remembering { rule: self, slots: Mutex::default() };
        let mut outcome = per_slot(&remembering, market, ctx)?;
        let slots: Vec<Slot> =
            remembering.slots.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect();
        let sum = |of: fn(&Slot) -> f64| slots.iter().map(of).sum::<f64>();
        if let V2vRule::DoubleAuction { .. } = self.rule {
            let most = |of: fn(&Slot) -> f64| slots.iter().map(of).fold(0.0, f64::max);
            let (regret, tolerance) = (most(|s| s.regret), most(|s| s.tolerance).max(1e-9));
            let witness = "per kWh: what any type gains in expectation by another bid; found from truthful bids";
            outcome
                .evidence
                .push(Certificate::check("interim_regret", regret, tolerance, witness).about(Kind::FixedPoint));
        }
        let unanswered = slots.iter().map(|s| s.unanswered).sum::<usize>();
        let pairs = slots.iter().map(|s| s.pairs).sum::<usize>();
        outcome.evidence.push(Certificate::measure("v2v_pairs", pairs as f64, "pairs that met"));
        if let V2vRule::PostedPrice { .. } = self.rule {
            let words = "offers above cost to which nobody responded";
            outcome.evidence.push(Certificate::measure("v2v_unanswered", unanswered as f64, words));
        }
        let (possible, gained) = (sum(|s| s.possible), sum(|s| s.gained));
        if possible > 0.0 {
            let words = "what pairs gain over what they could, by their bids";
            outcome.evidence.push(Certificate::measure("v2v_gain_share", gained / possible, words));
        }
        outcome.strategies.clone_from(&outcome.net);
        Ok(outcome)
    }

    fn draws(&self) -> bool {
        matches!(self.rule, V2vRule::PostedPrice { .. })
    }

    fn brings_priors(&self) -> bool {
        self.prior_of_buyers.is_some() && self.prior_of_sellers.is_some()
    }

    fn as_auction(&self) -> Option<&dyn Auction> {
        Some(self)
    }
}
