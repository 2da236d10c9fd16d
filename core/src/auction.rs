//! Auctions that need nothing but a book of bids. [`per_slot`] lets any of them run on a market.

use crate::book::{Book, Order};
use crate::context::RunContext;
use crate::error::MechanismError;
use crate::market::Market;
use crate::outcome::{Certificate, Claim, Outcome, Party, Reason, Side, Signal, Status, Trade};
use crate::setting::Setting;
use crate::terms::Charge;

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

/// A pair that an auction matched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Match {
    /// Position of the buyer.
    pub buyer: usize,
    /// Position of the seller.
    pub seller: usize,
    /// kWh.
    pub quantity: f64,
    /// Price per kWh.
    pub price: f64,
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
    /// Who was matched with whom, where the rule matches pairs; otherwise empty.
    pub matched: Vec<Match>,
    /// By how much an iteration misses its tolerance, if it does.
    pub missed: Option<f64>,
    /// Declared claims that do not hold on this book, and why.
    pub withheld: Vec<(Claim, String)>,
}

/// An auction rule: needs a book and nothing else.
pub trait Auction: Sync {
    /// Clears one book.
    ///
    /// # Errors
    /// A parameter without meaning.
    fn clear(&self, book: &Book, ctx: &mut RunContext) -> Result<Clearing, MechanismError>;
}

/// Runs an auction in every slot on bid curves derived from the participants, other slots frozen at autarky.
///
/// Bids know one price of a kilogram each. Under a ladder over the horizon a slot does not know its tier: bids are made at the
/// marginal price at the expected balance of the horizon, first that without trade, then that of what was cleared, until the price
/// is one of the tier that it leads to. The certificate `bid_carbon_price` is the greatest distance that remains, per kg; the round
/// with the least counts.
///
/// What is delivered in all slots together may cost more than was bid for it slot by slot: a store that is emptied in one period
/// is not full in the next. The certificate `slot_coupling` is the greatest excess of a participant; where there is one, bids were
/// not true costs, and claims about truthfulness and losses are withheld. `bid_step_error` is by how much the steps of a bid
/// curve overstate a cost at most; bids that are off by anything are no truthful ones.
///
/// # Errors
/// Those of the auction, and questions to participants without an answer.
pub fn per_slot(auction: &dyn Auction, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
    let mut prices = market.each(|local| {
        let account = market.terms(local.id()).account.as_ref().filter(|a| a.charge.slopes.len() > 1);
        Ok(if account.is_some() { local.autarky()?.kg_price } else { None })
    })?;
    if prices.iter().all(Option::is_none) {
        return Ok(one_round(auction, market, market, ctx)?.0);
    }
    let mut best: Option<(f64, Outcome)> = None;
    for round in 0..ROUNDS {
        let (mut outcome, balances) = one_round(auction, market, &at_kg_prices(market, &prices), ctx)?;
        let (mut residual, mut witness) = (0.0_f64, String::new());
        for (i, price) in prices.iter_mut().enumerate() {
            let (Some(price), Some(kg), Some(account)) = (price.as_mut(), balances[i], &market.terms(i).account) else {
                continue;
            };
            let (low, high) = account.charge.slopes_at(kg);
            let asked = price.clamp(low, high);
            if (asked - *price).abs() > residual {
                residual = (asked - *price).abs();
                let id = &market.setting().members[i].id;
                witness = format!("{id} bids a kg at {price:.6} and ends where it costs {asked:.6}");
            }
            // Smaller steps once it goes back and forth.
            *price += (asked - *price) / (1.0 + 0.5 * f64::from(round));
        }
        let consistent = residual <= KG_PRICE_TOLERANCE;
        outcome.evidence.push(Certificate::measure("bid_carbon_price", residual, witness));
        if best.as_ref().is_none_or(|(least, _)| residual < *least) {
            best = Some((residual, outcome));
        }
        if consistent || ctx.broken_off().is_some() {
            break;
        }
    }
    best.map(|(_, outcome)| outcome).ok_or_else(|| MechanismError::Failed("no round of bids was held".into()))
}

/// Rounds of bids in which prices of a kilogram are sought.
const ROUNDS: u32 = 8;
/// Prices of a kilogram that differ by less are the same.
const KG_PRICE_TOLERANCE: f64 = 1e-9;

/// The market in which a kilogram has one price for everybody who is given one.
fn at_kg_prices(market: &Market, prices: &[Option<f64>]) -> Market {
    let terms = |(i, price): (usize, &Option<f64>)| {
        let mut terms = market.terms(i).clone();
        if let (Some(price), Some(account)) = (price, &mut terms.account) {
            account.charge = Charge::linear(*price);
        }
        terms
    };
    market.under(&prices.iter().enumerate().map(terms).collect::<Vec<_>>())
}

/// Clears every slot on the bids of a market; delivers in the true one. Balances of carbon accounts are returned beside it.
fn one_round(
    auction: &dyn Auction,
    market: &Market,
    bids: &Market,
    ctx: &mut RunContext,
) -> Result<(Outcome, Vec<Option<f64>>), MechanismError> {
    let setting = market.setting();
    let mut outcome = Outcome::new(setting);
    let mut price = vec![None; setting.slots.len()];
    let mut bid_cost = vec![0.0; market.len()];
    let (mut step_error, mut missed) = (0.0_f64, None::<f64>);
    let mut trades = vec![];
    for (k, slot) in setting.slots.iter().enumerate() {
        let book = bids.book(k)?;
        ctx.messages(2 * (book.buyers.len() + book.sellers.len()));
        let clearing = auction.clear(&book, ctx)?;
        add_as_bid(&book.sellers, &clearing.sells, 1.0, &mut bid_cost);
        add_as_bid(&book.buyers, &clearing.buys, -1.0, &mut bid_cost);
        step_error = step_error.max(book.step_error);
        for fill in &clearing.buys {
            outcome.net[fill.who][k] -= fill.quantity;
            let (from, to) = (Party::Member(fill.who), Party::Operator);
            outcome.ledger.pay_for(from, to, fill.money, Reason::Trade, Some(slot.product));
        }
        for fill in &clearing.sells {
            outcome.net[fill.who][k] += fill.quantity;
            let (from, to) = (Party::Operator, Party::Member(fill.who));
            outcome.ledger.pay_for(from, to, fill.money, Reason::Trade, Some(slot.product));
        }
        let pair =
            |m: &Match| Trade { seller: m.seller, buyer: m.buyer, slot: k, quantity: m.quantity, price: Some(m.price) };
        trades.extend(clearing.matched.iter().filter(|m| m.seller != m.buyer).map(pair));
        price[k] = clearing.price;
        missed = clearing.missed.map(|x| missed.map_or(x, |y| y.max(x))).or(missed);
        for (claim, why) in clearing.withheld {
            withhold(&mut outcome, claim, || named(setting, slot.period, &why));
        }
        let traded = clearing.buys.iter().map(|f| f.quantity).sum();
        if ctx.step("slot", &[("traded_kwh", traded)]).is_break() {
            break;
        }
    }
    if !trades.is_empty() {
        outcome.trades = Some(trades);
    }
    outcome.prices.push(Signal { side: Side::Both, member: None, price });
    if let Some(residual) = missed {
        outcome.status = Status::NotConverged { residual };
    }
    if step_error > 0.0 {
        withhold(&mut outcome, Claim::Truthful, || {
            format!("bids are steps of sloped curves, off by up to {step_error:.3e}")
        });
    }
    outcome.evidence.push(Certificate::measure("bid_step_error", step_error, ""));
    let balances = note_coupling(market, &bid_cost, &mut outcome)?;
    Ok((outcome, balances))
}

fn withhold(outcome: &mut Outcome, claim: Claim, why: impl FnOnce() -> String) {
    if !outcome.withheld.iter().any(|w| w.0 == claim) {
        outcome.withheld.push((claim, why()));
    }
}

/// Adds what fills cost participants by their own bids, or with `-1` are worth: best blocks first.
fn add_as_bid(orders: &[Order], fills: &[Fill], sign: f64, cost: &mut [f64]) {
    let mut left = vec![0.0; cost.len()];
    for fill in fills {
        left[fill.who] += fill.quantity;
    }
    for order in orders {
        let part = order.quantity.min(left[order.who]);
        cost[order.who] += sign * part * order.price;
        left[order.who] -= part;
    }
}

/// By how much delivering everything costs more than was bid for it, and which claims that unsettles. Returns the balances.
fn note_coupling(market: &Market, bid_cost: &[f64], outcome: &mut Outcome) -> Result<Vec<Option<f64>>, MechanismError> {
    let delivered = market.each(|local| {
        let i = local.id();
        let plan = local.deliver(&outcome.net[i])?;
        Ok((plan.cost - local.autarky()?.cost - bid_cost[i], plan.balance_kg))
    })?;
    let worst = delivered
        .iter()
        .enumerate()
        .fold((0, 0.0_f64), |worst, (i, (x, _))| if *x > worst.1 { (i, *x) } else { worst });
    let (who, most) = worst;
    let id = market.setting().members.get(who).map_or("", |m| m.id.as_str());
    let scale = bid_cost.iter().fold(1.0_f64, |most, x| most.max(x.abs()));
    let coupled = most > COUPLING_TOLERANCE * scale;
    let witness = if coupled { format!("{id} delivers for {most:.6} more than it bid") } else { String::new() };
    if coupled {
        for claim in [Claim::Truthful, Claim::IndividuallyRational] {
            withhold(outcome, claim, || format!("slots are coupled: {witness}"));
        }
    }
    outcome.evidence.push(Certificate::measure("slot_coupling", most, witness));
    Ok(delivered.into_iter().map(|(_, balance)| balance).collect())
}

/// Relative to what is bid, delivering costs no more than the solvers' tolerance beyond it where no slot depends on another.
const COUPLING_TOLERANCE: f64 = 1e-6;

/// A reason with the names of participants in place of their positions.
fn named(setting: &Setting, period: usize, why: &str) -> String {
    let mut text = why.to_owned();
    for (who, member) in setting.members.iter().enumerate() {
        text = text.replace(&position(who), &member.id);
    }
    format!("in period {period} {text}")
}

/// How a rule that knows no names speaks of a participant: whoever knows them puts them in.
pub fn position(who: usize) -> String {
    format!("participant #{who}#")
}
