//! The continuous double auction: orders arrive one after the other and trade with the best that rests on the other side.
//!
//! An incoming order trades at the price of the resting one, better prices first and earlier orders first at equal prices; what
//! is left rests. Who arrives when is drawn: every block arrives once in each of [`rounds`](ContinuousDoubleAuction::rounds), as
//! far as it has not traded. What is quoted for a block is the trader's business:
//!
//! - `LimitTruthful`: its limit, its value or cost.
//! - `ZeroIntelligence`: any price from its limit to the bound beyond which it would lose, drawn evenly (Gode and Sunder, 1993).
//! - `ZeroIntelligencePlus`: a margin on its limit that it learns: it asks for more where others trade at better prices than its
//!   own, and for less where it would have missed a trade (Cliff and Bruten, 1997).
//!
//! Budgets balance trade by trade, and nobody trades beyond its limit. Efficiency is a matter of who comes when.

use super::quanta::{self, Energy, Price, energy, price, times};
use super::stacks::{Account, Block, Stacks};
use super::vcg_blocks::one_price;
use coase_core::auction::{Auction, Clearing, Match, per_slot};
use coase_core::book::Book;
use coase_core::mechanism::Mechanism;
use coase_core::random::Stream;
use coase_core::{Market, MechanismError, Outcome, RunContext, register};
use rand::RngExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Orders that arrive one after the other, by price and time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ContinuousDoubleAuction {
    /// What traders quote.
    pub traders: Traders,
    /// How often each block that has not traded whole is quoted again.
    #[schemars(range(min = 1, max = 1000))]
    pub rounds: u32,
    /// Lowest price that is quoted, per kWh; by default the lowest limit in the book.
    pub price_min_per_kwh: Option<f64>,
    /// Highest price that is quoted, per kWh; by default the highest limit in the book.
    pub price_max_per_kwh: Option<f64>,
}

/// What traders quote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Traders {
    /// Their limit.
    #[default]
    LimitTruthful,
    /// Anything that is no loss.
    ZeroIntelligence,
    /// Their limit and a margin that they learn.
    ZeroIntelligencePlus,
}

impl Default for ContinuousDoubleAuction {
    fn default() -> Self {
        Self { traders: Traders::default(), rounds: 1, price_min_per_kwh: None, price_max_per_kwh: None }
    }
}

register!(ContinuousDoubleAuction, "continuous-double-auction", Auction, "orders arrive by lot and trade with the best that rests",
    claims: [BudgetBalanced, IndividuallyRational if "slots are not coupled by devices" => |_, _| Ok(())],
    needs: [Tariff, NoRequirement], information: Reports,
    source: "Smith (1962); traders: Gode and Sunder (1993), Cliff and Bruten (1997)");

impl Auction for ContinuousDoubleAuction {
    fn clear(&self, book: &Book, ctx: &mut RunContext) -> Result<Clearing, MechanismError> {
        let stacks = Stacks::of(book)?;
        let bounds = self.bounds(&stacks)?;
        if self.rounds == 0 || self.rounds > 1000 {
            let expected = "a number from 1 to 1000";
            return Err(MechanismError::Parameter { name: "rounds", value: self.rounds.to_string(), expected });
        }
        // In the order of participants: what somebody is dealt depends on its own blocks alone.
        let mut blocks: Vec<(bool, Block)> = stacks.demand.iter().map(|b| (true, *b)).collect();
        blocks.extend(stacks.supply.iter().map(|b| (false, *b)));
        blocks.sort_by_key(|(buys, b)| (b.who, !buys));
        let mut streams: Vec<Stream> = vec![];
        let mut first = 0;
        for (k, (buys, block)) in blocks.iter().enumerate() {
            if blocks[first].1.who != block.who {
                first = k;
            }
            let position = k - first;
            let purpose = format!("continuous auction {} {position}", if *buys { "bid" } else { "ask" });
            streams.push(ctx.stream(&purpose, block.who, book.slot));
        }
        let mut quoting: Vec<Quoting> = blocks
            .iter()
            .zip(&mut streams)
            .map(|((buys, block), stream)| Quoting::new(self.traders, *buys, block.price, bounds, stream))
            .collect();
        let mut open = OrderBook::default();
        let mut left: Vec<Energy> = blocks.iter().map(|(_, b)| b.quantity).collect();
        let mut trades = vec![];
        for _ in 0..self.rounds {
            let mut arrivals: Vec<(u64, usize)> =
                streams.iter_mut().enumerate().map(|(k, stream)| (stream.random(), k)).collect();
            arrivals.sort_unstable();
            for (_, k) in arrivals {
                if left[k] == 0 {
                    continue;
                }
                open.withdraw(k);
                let (buys, block) = blocks[k];
                let quote = quoting[k].quote(block.price, &mut streams[k]);
                let found = open.arrive(Order { number: k, who: block.who, buys, price: quote, quantity: left[k] });
                let shout =
                    Shout { price: found.last().map_or(quote, |t| t.price), accepted: !found.is_empty(), bid: buys };
                for trade in &found {
                    left[trade.bid] -= trade.quantity;
                    left[trade.ask] -= trade.quantity;
                }
                let listening = if self.traders == Traders::ZeroIntelligencePlus { &mut quoting[..] } else { &mut [] };
                for (j, other) in listening.iter_mut().enumerate() {
                    other.hear(shout, blocks[j].1.price, left[j] > 0, &mut streams[j]);
                }
                trades.extend(found);
            }
        }
        let (mut buys, mut sells) = (Account::new(stacks.agents), Account::new(stacks.agents));
        let mut matched = vec![];
        for trade in trades {
            let (buyer, seller) = (blocks[trade.bid].1.who, blocks[trade.ask].1.who);
            buys.add(buyer, trade.quantity, times(trade.price, trade.quantity));
            sells.add(seller, trade.quantity, times(trade.price, trade.quantity));
            matched.push(Match { buyer, seller, quantity: energy(trade.quantity), price: price(trade.price) });
        }
        let mut clearing = Clearing { buys: buys.fills(), sells: sells.fills(), matched, ..Clearing::default() };
        clearing.price = one_price(&clearing);
        Ok(clearing)
    }
}

impl Mechanism for ContinuousDoubleAuction {
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

impl ContinuousDoubleAuction {
    /// Between which prices is quoted.
    fn bounds(&self, stacks: &Stacks) -> Result<(Price, Price), MechanismError> {
        let all = || stacks.demand.iter().chain(&stacks.supply).map(|b| b.price);
        let of = |given: Option<f64>, found: Option<Price>| match given {
            Some(given) => quanta::price_of(given),
            None => Ok(found.unwrap_or(0)),
        };
        let low = of(self.price_min_per_kwh, all().min())?;
        let high = of(self.price_max_per_kwh, all().max())?;
        if low > high {
            let expected = "no more than `price_max_per_kwh`";
            return Err(MechanismError::Parameter {
                name: "price_min_per_kwh",
                value: price(low).to_string(),
                expected,
            });
        }
        Ok((low, high))
    }
}

/// An order as it arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Order {
    /// Its number, by which trades name it.
    number: usize,
    who: usize,
    buys: bool,
    price: Price,
    quantity: Energy,
}

/// A bid and an ask that met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Met {
    bid: usize,
    ask: usize,
    quantity: Energy,
    price: Price,
}

/// What rests, best first and earlier first.
#[derive(Debug, Default)]
struct OrderBook {
    bids: Vec<Order>,
    asks: Vec<Order>,
}

impl OrderBook {
    /// An order trades with what rests on the other side, at the prices of that; what is left of it rests.
    fn arrive(&mut self, mut order: Order) -> Vec<Met> {
        let (own, other) = if order.buys { (&mut self.bids, &mut self.asks) } else { (&mut self.asks, &mut self.bids) };
        let mut met = vec![];
        let mut k = 0;
        while order.quantity > 0 && k < other.len() {
            let rests = &mut other[k];
            let crosses = if order.buys { rests.price <= order.price } else { rests.price >= order.price };
            if !crosses {
                break;
            }
            // Nobody trades with itself.
            if rests.who == order.who {
                k += 1;
                continue;
            }
            let quantity = order.quantity.min(rests.quantity);
            let (bid, ask) = if order.buys { (order.number, rests.number) } else { (rests.number, order.number) };
            met.push(Met { bid, ask, quantity, price: rests.price });
            order.quantity -= quantity;
            rests.quantity -= quantity;
            if rests.quantity == 0 {
                other.remove(k);
            }
        }
        if order.quantity > 0 {
            let worse = |o: &Order| if order.buys { o.price >= order.price } else { o.price <= order.price };
            let place = own.partition_point(worse);
            own.insert(place, order);
        }
        met
    }

    /// Takes an order out.
    fn withdraw(&mut self, number: usize) {
        self.bids.retain(|o| o.number != number);
        self.asks.retain(|o| o.number != number);
    }
}

/// What everybody hears: at which price somebody quoted or traded.
#[derive(Clone, Copy, Debug)]
struct Shout {
    price: Price,
    accepted: bool,
    bid: bool,
}

/// How a trader quotes a block.
#[derive(Clone, Debug)]
enum Quoting {
    Limit,
    Any { buys: bool, bounds: (Price, Price) },
    Learning(Learner),
}

/// A trader that learns its margin by the rule of Widrow and Hoff with momentum (Cliff and Bruten, 1997). Absolute perturbations
/// are in proportion to the range of prices.
#[derive(Clone, Debug)]
struct Learner {
    buys: bool,
    bounds: (Price, Price),
    quote: f64,
    rate: f64,
    momentum: f64,
    change: f64,
}

impl Quoting {
    fn new(traders: Traders, buys: bool, limit: Price, bounds: (Price, Price), stream: &mut Stream) -> Self {
        match traders {
            Traders::LimitTruthful => Quoting::Limit,
            Traders::ZeroIntelligence => Quoting::Any { buys, bounds },
            Traders::ZeroIntelligencePlus => {
                let margin = 0.05 + 0.3 * stream.random::<f64>();
                let quote = limit as f64 + if buys { -margin } else { margin } * (limit as f64).abs();
                let (rate, momentum) = (0.1 + 0.4 * stream.random::<f64>(), 0.1 * stream.random::<f64>());
                let mut learner = Learner { buys, bounds, quote, rate, momentum, change: 0.0 };
                learner.keep_within(limit);
                Quoting::Learning(learner)
            }
        }
    }

    /// What it quotes.
    fn quote(&self, limit: Price, stream: &mut Stream) -> Price {
        match self {
            Quoting::Limit => limit,
            Quoting::Any { buys: true, bounds } => stream.random_range(bounds.0.min(limit)..=limit),
            Quoting::Any { buys: false, bounds } => stream.random_range(limit..=bounds.1.max(limit)),
            Quoting::Learning(learner) => learner.quote.round() as Price,
        }
    }

    /// What it makes of what it hears; `active` while it has something to trade.
    fn hear(&mut self, shout: Shout, limit: Price, active: bool, stream: &mut Stream) {
        if let Quoting::Learning(learner) = self {
            learner.hear(shout, limit, active, stream);
        }
    }
}

impl Learner {
    fn hear(&mut self, shout: Shout, limit: Price, active: bool, stream: &mut Stream) {
        let heard = shout.price as f64;
        // A trade at a better price than it quotes says that it could ask for more; a price that it would have missed, while it
        // has something to trade, that it should ask for less.
        let would_trade = if self.buys { self.quote >= heard } else { self.quote <= heard };
        let outdone = if self.buys { self.quote <= heard } else { self.quote >= heard };
        let raises_margin = shout.accepted && would_trade;
        let against_it = if shout.accepted { shout.bid != self.buys } else { shout.bid == self.buys };
        let lowers_margin = active && outdone && against_it;
        let upwards = match (raises_margin, lowers_margin) {
            (true, _) => !self.buys,
            (false, true) => self.buys,
            (false, false) => return,
        };
        let range = (self.bounds.1 - self.bounds.0) as f64;
        let (relative, absolute) = (0.05 * stream.random::<f64>(), 0.05 * stream.random::<f64>() * range);
        let sign = if upwards { 1.0 } else { -1.0 };
        let target = heard + sign * (relative * heard.abs() + absolute);
        let step = self.rate * (target - self.quote);
        self.change = self.momentum * self.change + (1.0 - self.momentum) * step;
        self.quote += self.change;
        self.keep_within(limit);
    }

    /// No loss, and no price beyond the bounds.
    fn keep_within(&mut self, limit: Price) {
        let (low, high) = (self.bounds.0 as f64, self.bounds.1 as f64);
        let limit = limit as f64;
        self.quote = if self.buys {
            self.quote.max(low.min(limit)).min(limit)
        } else {
            self.quote.min(high.max(limit)).max(limit)
        };
    }
}

#[cfg(test)]
mod tests {
    use super::{ContinuousDoubleAuction, Met, Order, OrderBook, Traders};
    use crate::auctions::examples::{BL, UA, book, utility};
    use coase_core::RunContext;
    use coase_core::auction::{Auction, Clearing};

    /// Seven orders in time; prices in hundredths.
    #[test]
    fn orders_trade_by_price_and_time() {
        let mut open = OrderBook::default();
        let orders = [
            (true, 70, 3),
            (false, 80, 2),
            (false, 65, 2),
            (true, 85, 4),
            (false, 75, 5),
            (true, 78, 2),
            (false, 60, 4),
        ];
        let mut met = vec![];
        for (k, (buys, price, quantity)) in orders.into_iter().enumerate() {
            met.extend(open.arrive(Order { number: k, who: k, buys, price, quantity }));
        }
        let (b1, s1, s2, b2, s3, b3, s4) = (0, 1, 2, 3, 4, 5, 6);
        let trade = |bid, ask, price, quantity| Met { bid, ask, quantity, price };
        assert_eq!(
            met,
            [
                trade(b1, s2, 70, 2),
                trade(b2, s1, 80, 2),
                trade(b2, s3, 85, 2),
                trade(b3, s3, 75, 2),
                trade(b1, s4, 70, 1)
            ]
        );
        let rests: Vec<_> = open.asks.iter().map(|o| (o.number, o.price, o.quantity)).collect();
        assert_eq!((rests, open.bids.len()), (vec![(s4, 60, 3), (s3, 75, 1)], 0));
    }

    fn cleared(traders: Traders, rounds: u32, seed: u64, truth: &coase_core::book::Book) -> Clearing {
        let rule = ContinuousDoubleAuction { traders, rounds, ..ContinuousDoubleAuction::default() };
        rule.clear(truth, &mut RunContext::new(seed, ())).unwrap()
    }

    #[test]
    fn nobody_trades_at_a_loss_and_money_stays_among_traders() {
        let truth = book(&BL);
        for traders in [Traders::LimitTruthful, Traders::ZeroIntelligence, Traders::ZeroIntelligencePlus] {
            for seed in 0..50 {
                let found = cleared(traders, 5, seed, &truth);
                let sum = |fills: &[coase_core::auction::Fill]| fills.iter().map(|f| f.money).sum::<f64>();
                assert!((sum(&found.buys) - sum(&found.sells)).abs() < 1e-12);
                for who in 0..9 {
                    assert!(utility(&truth, &found, who) >= -1e-12, "{traders:?} {seed}: {who}");
                }
                assert_eq!(found, cleared(traders, 5, seed, &truth));
            }
        }
    }

    /// Share of the greatest worth that is reached, on average over seeds.
    fn efficiency(traders: Traders, rounds: u32) -> f64 {
        let truth = book(&UA);
        let seeds = 200;
        let worth = |seed| {
            let found = cleared(traders, rounds, seed, &truth);
            (0..12).map(|who| utility(&truth, &found, who)).sum::<f64>()
        };
        (0..seeds).map(worth).sum::<f64>() / (16.0 * f64::from(seeds as u32))
    }

    /// Markets do much of the work: traders without intelligence reach most of what there is to gain.
    #[test]
    fn traders_without_intelligence_reach_most_of_the_gain() {
        let zero = efficiency(Traders::ZeroIntelligence, 30);
        let plus = efficiency(Traders::ZeroIntelligencePlus, 30);
        assert!((0.85..=1.0 + 1e-9).contains(&zero), "{zero}");
        assert!((0.85..=1.0 + 1e-9).contains(&plus), "{plus}");
    }

    #[test]
    fn parameters_without_meaning_are_refused() {
        let truth = book(&UA);
        for wrong in [
            ContinuousDoubleAuction { rounds: 0, ..ContinuousDoubleAuction::default() },
            ContinuousDoubleAuction {
                price_min_per_kwh: Some(2.0),
                price_max_per_kwh: Some(1.0),
                ..ContinuousDoubleAuction::default()
            },
            ContinuousDoubleAuction { price_min_per_kwh: Some(f64::NAN), ..ContinuousDoubleAuction::default() },
        ] {
            assert!(wrong.clear(&truth, &mut RunContext::new(1, ())).is_err(), "{wrong:?}");
        }
    }
}
