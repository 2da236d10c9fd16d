//! What the internal-price rules share: positions are those of the disagreement schedule, sellers and buyers are matched
//! pro rata, and the rest goes to the grid.
//!
//! With surplus `S` and deficit `D` of a slot, every rule of this family is *one price on what is matched*, `min(S, D)`:
//! the seller's average `p_sell` and the buyer's average `p_buy` that the literature quotes follow from it, because what
//! is not matched is exchanged at the tariff. That makes each of them balanced by construction.

use crate::fixed_positions::{Surplus, within_limits};
use crate::responsive::{self, Seen};
use crate::stalls::outside;
use crate::tariff_band::{Band, bands};
use coase_core::market::Plan;
use coase_core::mechanism::Here;
use coase_core::outcome::{Pairs, Side, Signal, Trade};
use coase_core::setting::Product;
use coase_core::terms::at;
use coase_core::{Market, MechanismError, Outcome, RunContext};
use std::sync::Arc;

/// Surplus and deficit of one slot, kWh.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Balance {
    /// Sum of surpluses.
    pub surplus: f64,
    /// Sum of deficits.
    pub deficit: f64,
}

impl Balance {
    fn of(positions: &[Vec<f64>], slot: usize) -> Self {
        let sum = |sign: f64| positions.iter().map(|x| (sign * x[slot]).max(0.0)).sum();
        Self { surplus: sum(1.0), deficit: sum(-1.0) }
    }

    /// What can be matched.
    pub fn matched(self) -> f64 {
        self.surplus.min(self.deficit)
    }
}

/// Prices of one slot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Prices {
    /// What a seller gets on average over its whole position.
    pub sell: f64,
    /// What a buyer pays on average over its whole position.
    pub buy: f64,
}

impl Prices {
    /// Averages over whole positions that follow from one price on what is matched.
    pub fn from_matched(price: f64, band: Band, balance: Balance) -> Self {
        let average = |outside: f64, position: f64| {
            if position <= 0.0 {
                outside
            } else {
                (balance.matched() * price + (position - balance.matched()) * outside) / position
            }
        };
        Self { sell: average(band.sell, balance.surplus), buy: average(band.buy, balance.deficit) }
    }
}

/// A rule: the price on what is matched, per slot, from bands and balances of the whole horizon.
pub(crate) type Rule<'r> = dyn Fn(&[Option<Band>], &[Balance]) -> Vec<f64> + 'r;

/// Which positions a rule prices.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Positions {
    /// Whether they answer to the internal prices; otherwise they are those of the disagreement schedule.
    pub responsive: bool,
    /// What counts as a surplus.
    pub surplus: Surplus,
}

/// Whether nobody can lose by trading at an internal price: whatever it trades it would else have exchanged with the grid, at
/// a worse price, and nothing else changes for it.
pub(crate) fn at_fixed_positions(responsive: bool, here: &Here<'_>) -> Result<(), String> {
    if responsive {
        return Err("positions respond to the internal prices".into());
    }
    let (market, setting) = (here.market, here.market.setting());
    for (i, member) in setting.members.iter().enumerate() {
        let Some(account) = &market.terms(i).account else { continue };
        if let Some(t) = (0..setting.periods.count).find(|t| at(&account.export_kg_per_kwh, *t) < 0.0) {
            let kg = -at(&account.export_kg_per_kwh, t);
            return Err(format!("an export of {} earns {kg:.3} kg per kWh in period {t}", member.id));
        }
    }
    let bands = bands(market).map_err(|error| error.to_string())?;
    let slack = |band: &Band| 1e-9 * (band.sell.abs() + band.buy.abs());
    // In every slot the first price that somebody could do better than with the grid.
    let mut outside: Vec<Option<f64>> = vec![None; bands.len()];
    for trade in here.outcome.trades.iter().flatten().filter(|trade| trade.quantity > 0.0) {
        let (Some(band), Some(price)) = (&bands[trade.slot], trade.price) else { continue };
        if price < band.sell - slack(band) || price > band.buy + slack(band) {
            outside[trade.slot].get_or_insert(price);
        }
    }
    let slots = setting.slots.iter().zip(&bands).enumerate();
    for (k, (slot, band)) in slots {
        let Some(band) = band else { continue };
        let (sell, buy, t) = (band.sell, band.buy, slot.period);
        if sell > buy + slack(band) {
            return Err(format!(
                "in period {t} some sell to the grid at {sell:.4}, above the {buy:.4} that others pay it"
            ));
        }
        if let Some(price) = outside[k] {
            return Err(format!("the price in period {t} is {price:.4}, outside the tariff's {sell:.4} to {buy:.4}"));
        }
    }
    Ok(())
}

/// Net positions of plans that may be traded with peers, by member and slot, kWh.
fn net_of(market: &Market, plans: &[Arc<Plan>], surplus: Surplus) -> Vec<Vec<f64>> {
    let slots = 0..market.setting().slots.len();
    let of = |plan: &Arc<Plan>| -> Vec<f64> {
        let with_curtailed = |k: usize| match surplus.of_curtailed_kwh(market, plan, k) {
            0.0 => plan.output[k],
            curtailed => plan.output[k].max(0.0) + curtailed,
        };
        slots.clone().map(with_curtailed).collect()
    };
    let mut net: Vec<Vec<f64>> = plans.iter().map(of).collect();
    within_limits(market, &mut net);
    net
}

/// What a rule makes of positions.
struct Quoted {
    net: Vec<Vec<f64>>,
    matched: Vec<f64>,
    prices: Vec<Option<Prices>>,
}

/// Runs an internal-price rule.
pub(crate) fn run(
    market: &Market,
    ctx: &mut RunContext,
    rule: &Rule<'_>,
    positions: Positions,
) -> Result<Outcome, MechanismError> {
    let bands = bands(market)?;
    let slots = bands.len();
    ctx.messages(market.len() * slots);
    let quote = |plans: &[Arc<Plan>]| {
        let net = net_of(market, plans, positions.surplus);
        let balances: Vec<Balance> = (0..slots).map(|k| Balance::of(&net, k)).collect();
        let matched = rule(&bands, &balances);
        let prices =
            (0..slots).map(|k| bands[k].map(|band| Prices::from_matched(matched[k], band, balances[k]))).collect();
        Quoted { net, matched, prices }
    };
    let mut outcome = Outcome::new(market.setting());
    let quoted = if positions.responsive {
        let rest = responsive::settle(market, ctx, &mut |plans, _| {
            let quoted = quote(plans);
            Ok((seen(market, &bands, &quoted.prices)?, quoted))
        })?;
        outcome.evidence.push(rest.certificate());
        if rest.is_above_tolerance() {
            outcome.status = coase_core::Status::NotConverged { residual: rest.residual };
        }
        rest.kept
    } else {
        quote(&market.each(|l| l.autarky())?)
    };
    settle(market, &mut outcome, &quoted.net, &quoted.matched, &quoted.prices);
    Ok(outcome)
}

/// What every member pays and gets where the pool's prices take the place of the tariff.
fn seen(market: &Market, bands: &[Option<Band>], prices: &[Option<Prices>]) -> Result<Seen, MechanismError> {
    let of = |member: usize| -> Result<Vec<(f64, f64)>, MechanismError> {
        let at = |(k, (band, price)): (usize, (&Option<Band>, &Option<Prices>))| match (band, price) {
            (Some(band), Some(price)) => {
                let (buy, sell) = outside(market, member, k)?;
                Ok((buy + price.buy - band.buy, sell + price.sell - band.sell))
            }
            _ => Ok((0.0, 0.0)),
        };
        bands.iter().zip(prices).enumerate().map(at).collect()
    };
    (0..market.len()).map(of).collect()
}

/// Commits the matched part of the positions at the matched price, paid between the pairs.
fn settle(market: &Market, outcome: &mut Outcome, net: &[Vec<f64>], matched: &[f64], prices: &[Option<Prices>]) {
    let slots = &market.setting().slots;
    outcome.pairs = Pairs::of(net);
    let mut trades: Vec<Trade> = outcome.pairs.trades(net);
    trades.retain(|trade| slots[trade.slot].product == Product::Energy);
    for trade in &mut trades {
        trade.price = Some(matched[trade.slot]);
        outcome.net[trade.seller][trade.slot] += trade.quantity;
        outcome.net[trade.buyer][trade.slot] -= trade.quantity;
    }
    outcome.ledger.pay_trades(&trades, outcome.pairs, slots);
    outcome.trades = Some(trades);
    let signal = |side, pick: fn(&Prices) -> f64| Signal {
        side,
        member: None,
        price: prices.iter().map(|p| p.as_ref().map(pick)).collect(),
    };
    outcome.prices.push(signal(Side::Sell, |p| p.sell));
    outcome.prices.push(signal(Side::Buy, |p| p.buy));
}

#[cfg(test)]
pub(crate) mod oracle {
    use super::{Balance, Band, Prices};

    pub const BAND: Band = Band { sell: 0.4, buy: 1.0 };

    /// The two position profiles of the oracle table: a short and a long community.
    pub const SHORT: [f64; 5] = [6.0, 4.0, -3.0, -5.0, -8.0];
    pub const LONG: [f64; 5] = [9.0, 5.0, -3.0, -4.0, -2.0];

    /// Quoted prices and the smallest gain over the tariff when `price` is paid on what is matched.
    pub fn quoted(positions: &[f64], price: impl Fn(Balance) -> f64) -> (Prices, f64) {
        let net: Vec<Vec<f64>> = positions.iter().map(|x| vec![*x]).collect();
        let balance = Balance::of(&net, 0);
        let prices = Prices::from_matched(price(balance), BAND, balance);
        let gain = |x: &f64| if *x > 0.0 { (prices.sell - BAND.sell) * x } else { (BAND.buy - prices.buy) * -x };
        (prices, positions.iter().map(gain).fold(f64::INFINITY, f64::min))
    }

    pub fn assert_close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found} instead of {expected}");
    }
}
