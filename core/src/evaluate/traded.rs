//! Who trades how much with peers, and at which prices: read off an outcome once, for all tables and metrics.

use crate::outcome::{Outcome, Pairs, Side, Trade};
use crate::setting::{Product, Setting};
use std::borrow::Cow;

/// The bilateral trades of an outcome, and what they add up to.
pub(super) struct Traded<'a> {
    setting: &'a Setting,
    /// All trades: the mechanism's own, or the canonical ones.
    pub trades: Cow<'a, [Trade]>,
    /// Which pairs they are between.
    pub pairs: Pairs,
    /// Sold to and bought from peers by every member in every slot.
    pub sold: Vec<Vec<f64>>,
    pub bought: Vec<Vec<f64>>,
    /// The same of energy over the horizon, kWh.
    pub sold_kwh: Vec<f64>,
    pub bought_kwh: Vec<f64>,
    quotes: Quotes<'a>,
}

impl<'a> Traded<'a> {
    pub fn new(setting: &'a Setting, outcome: &'a Outcome) -> Self {
        let trades = outcome.trades.as_ref().map_or_else(|| Cow::from(outcome.bilateral()), Cow::from);
        let pairs = outcome.bilateral_pairs();
        let members = setting.members.len();
        let (mut sold, mut sold_kwh) = (vec![vec![0.0; setting.slots.len()]; members], vec![0.0; members]);
        let (mut bought, mut bought_kwh) = (sold.clone(), sold_kwh.clone());
        for t in trades.iter() {
            sold[t.seller][t.slot] += t.quantity;
            bought[t.buyer][t.slot] += t.quantity;
            if setting.slots[t.slot].product == Product::Energy {
                sold_kwh[t.seller] += t.quantity;
                bought_kwh[t.buyer] += t.quantity;
            }
        }
        let quotes = Quotes::new(members, outcome);
        Self { setting, trades, pairs, sold, bought, sold_kwh, bought_kwh, quotes }
    }

    /// Trades of energy, in order.
    pub fn energy(&self) -> impl Iterator<Item = &Trade> {
        self.trades.iter().filter(|t| self.setting.slots[t.slot].product == Product::Energy)
    }

    /// The trades of every slot, in order.
    pub fn by_slot(&self) -> Vec<Vec<&Trade>> {
        let mut found = vec![vec![]; self.setting.slots.len()];
        self.trades.iter().for_each(|t| found[t.slot].push(t));
        found
    }

    /// The price that a member faces in a slot: the first signal that is meant for it.
    pub fn price(&self, member: usize, slot: usize, selling: bool) -> Option<f64> {
        self.quotes.price(member, slot, if selling { Side::Sell } else { Side::Buy })
    }

    /// The price of a trade: its own, or what its seller faces.
    pub fn price_of(&self, trade: &Trade) -> Option<f64> {
        trade.price.or_else(|| self.price(trade.seller, trade.slot, true))
    }
}

/// Price signals by whom they are for, each list in the order of the outcome.
struct Quotes<'a> {
    outcome: &'a Outcome,
    general: Vec<usize>,
    own: Vec<Vec<usize>>,
}

impl<'a> Quotes<'a> {
    fn new(members: usize, outcome: &'a Outcome) -> Self {
        let (mut general, mut own) = (vec![], vec![vec![]; members]);
        for (k, signal) in outcome.prices.iter().enumerate() {
            signal.member.map_or(&mut general, |member| &mut own[member]).push(k);
        }
        Self { outcome, general, own }
    }

    fn price(&self, member: usize, slot: usize, side: Side) -> Option<f64> {
        let first = |list: &[usize]| {
            list.iter().find_map(|&k| {
                let signal = &self.outcome.prices[k];
                let meant = signal.side == side || signal.side == Side::Both;
                let price = if meant { signal.price.get(slot).copied().flatten() } else { None };
                price.map(|price| (k, price))
            })
        };
        let found = [first(&self.general), first(&self.own[member])];
        found.into_iter().flatten().min_by_key(|(k, _)| *k).map(|(_, price)| price)
    }
}
