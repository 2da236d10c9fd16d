//! Trades and prices together, with every price inside the tariff band: `max sum_i w_i ln(G_i)` over both.
//!
//! With money `m_e` on each link `e` from a seller to a buyer, between its trade at the feed-in and at the retail price, the
//! gains `G_i = J0_i - Phi_i(x) + sum m in - sum m out` are concave in trades and money together. At the best of them a unit of
//! money is worth `h_i = w_i / G_i` to each, and the trades are those of least `sum_i h_i Phi_i`, where what a link can move
//! from the poorer to the richer counts beside it: `(h_s - h_b)+ times the retail price - (h_b - h_s)+ times the feed-in price`
//! for a kWh. That question gives a direction of ascent at any point (Frank and Wolfe, 1956) and, by concavity, a bound on what
//! is left to gain; the money of every point is the best one for its trades.

use super::bounded;
use crate::canonical_payments::Priced;
use crate::cooperation::Cooperation;
use crate::tariff_band::Band;
use coase_core::market::{Link, Pairwise};
use coase_core::outcome::Trade;
use coase_core::{Certificate, Market, MechanismError, RunContext};
use std::ops::ControlFlow;

const MOST_ROUNDS: usize = 400;
const MOST_SETTLING: usize = 60;
/// What may be left to gain in `sum w ln G`, weights adding up to 1: a relative part of the Nash product.
const LEFT: f64 = 1e-12;
/// Rounds stop where the bound falls no further: what is left is rounding of the programs.
const ROUNDING: f64 = 1e-9;
/// Gains below this share of the gain of all are none: what a unit of money is worth has no end there.
const NOTHING: f64 = 1e-9;
/// Quantities below this are rounding, kWh.
const NO_TRADE_KWH: f64 = 1e-9;

/// A point of the bargain.
pub(super) struct Joint {
    /// Net sale of each member per slot.
    pub net: Vec<Vec<f64>>,
    /// Trades with their prices.
    pub priced: Priced,
    /// What is left to gain.
    pub certificate: Certificate,
    /// `sum w ln G` here, less the same for the trades of least cost.
    pub better: f64,
    /// Whether nothing is left to gain.
    pub residual: Option<f64>,
}

/// Trades, with the best money for them and what everybody then gains.
struct Point {
    trades: Vec<Trade>,
    priced: Priced,
    gains: Vec<f64>,
    value: f64,
}

/// What a bargain is about.
struct Bargain<'a> {
    market: &'a Market,
    cooperation: &'a Cooperation,
    weights: &'a [f64],
    bands: &'a [Option<Band>],
    /// Whether each member has a link.
    trades: Vec<bool>,
}

/// The joint bargain, or by how much the worst-off must lose at any prices for the trades of least cost.
pub(super) fn bargain(
    market: &Market,
    cooperation: &Cooperation,
    weights: &[f64],
    bands: &[Option<Band>],
    ctx: &mut RunContext,
) -> Result<Result<Joint, f64>, MechanismError> {
    let mut trades = vec![false; market.len()];
    for trade in &cooperation.trades {
        (trades[trade.seller], trades[trade.buyer]) = (true, true);
    }
    let of = Bargain { market, cooperation, weights, bands, trades };
    let mut here = match of.at(cooperation.trades.clone())? {
        Ok(point) => point,
        Err(loss) => return Ok(Err(loss)),
    };
    let start = here.value;
    let (mut left, mut least) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..MOST_ROUNDS {
        let Some(worth) = of.worth_of_money(&here.gains) else { break };
        let question = of.question(&here.trades, &worth);
        let answer = market.pairwise(&question)?;
        // sum_i h_i G_i there, for the best money at these worths, less the same here.
        let there: f64 =
            (0..market.len()).filter(|&i| of.trades[i]).map(|i| worth[i] * cooperation.alone[i].cost).sum::<f64>()
                - (answer.objective - answer.gap);
        let now: f64 = (0..market.len()).filter(|&i| of.trades[i]).map(|i| worth[i] * here.gains[i]).sum();
        left = (there - now).max(0.0);
        if ctx.step("joint bargain", &[("left to gain", left)]) == ControlFlow::Break(()) {
            break;
        }
        if left <= LEFT || (left <= ROUNDING && left > 0.5 * least) {
            break;
        }
        least = least.min(left);
        let Some(next) = of.towards(&here, &answer.quantity)? else { break };
        here = next;
    }
    if left <= ROUNDING {
        here = of.settled(here)?;
    }
    let net = of.net(&here.trades);
    let tolerance = ROUNDING;
    let (certificate, residual) = if left.is_finite() {
        let witness = "relative part of the Nash product, by concavity";
        (Certificate::check("joint_bargain_gap", left, tolerance, witness), (left > tolerance).then_some(left))
    } else {
        let why = "somebody gains nothing at any prices within the band, so that the product of gains is 0: the trades are those of least cost";
        (Certificate::not_applicable("joint_bargain_gap", why), None)
    };
    let better = here.value - start;
    let trades = here.priced.trades.into_iter().filter(|t| t.quantity > NO_TRADE_KWH).collect();
    let priced = Priced::between_all(trades, vec![0.0; market.len()], bands.len());
    Ok(Ok(Joint { net, priced, certificate, better, residual }))
}

impl Bargain<'_> {
    /// The point of these trades, or by how much somebody must lose.
    fn at(&self, trades: Vec<Trade>) -> Result<Result<Point, f64>, MechanismError> {
        let net = self.net(&trades);
        let kept = self.market.each(|local| local.deliver(&net[local.id()]))?;
        let before: Vec<f64> =
            self.cooperation.alone.iter().zip(&kept).map(|(alone, kept)| alone.cost - kept.cost).collect();
        let priced = match bounded::bargain(&before, self.weights, &trades, self.bands) {
            Ok(priced) => priced,
            Err(loss) => return Ok(Err(loss)),
        };
        let mut gains = before;
        for t in &priced.trades {
            let money = t.price.unwrap_or(0.0) * t.quantity;
            gains[t.seller] += money;
            gains[t.buyer] -= money;
        }
        let counted = gains.iter().zip(self.weights).zip(&self.trades).filter(|(_, trades)| **trades);
        let value =
            counted.map(|((gain, weight), _)| if *weight > 0.0 { weight * gain.max(0.0).ln() } else { 0.0 }).sum();
        Ok(Ok(Point { trades, priced, gains, value }))
    }

    /// `w_i / G_i`; `None` where somebody that counts gains nothing.
    fn worth_of_money(&self, gains: &[f64]) -> Option<Vec<f64>> {
        let nothing = NOTHING * self.cooperation.gain();
        let of = |i: usize| match (self.trades[i], gains[i] > nothing) {
            (false, _) => Some(0.0),
            (true, true) => Some(self.weights[i] / gains[i]),
            (true, false) => None,
        };
        (0..gains.len()).map(of).collect()
    }

    fn question(&self, trades: &[Trade], worth: &[f64]) -> Pairwise {
        let link = |t: &Trade| {
            let band = self.bands[t.slot].unwrap_or(Band { sell: 0.0, buy: 0.0 });
            let richer = worth[t.seller] - worth[t.buyer];
            let worth_per_kwh = richer.max(0.0) * band.buy - (-richer).max(0.0) * band.sell;
            Link { seller: t.seller, buyer: t.buyer, slot: t.slot, worth_per_kwh }
        };
        Pairwise { weights: worth.to_vec(), links: trades.iter().map(link).collect() }
    }

    /// The best of some points on the way to other quantities; `None` where none is better.
    fn towards(&self, here: &Point, quantity: &[f64]) -> Result<Option<Point>, MechanismError> {
        let mut step = 1.0;
        let mut best: Option<Point> = None;
        for _ in 0..30 {
            let between =
                |(t, there): (&Trade, &f64)| Trade { quantity: t.quantity + step * (there - t.quantity), ..*t };
            let point = self.at(here.trades.iter().zip(quantity).map(between).collect())?;
            match (point, &best) {
                (Ok(point), None) if point.value > here.value => best = Some(point),
                (Ok(point), Some(known)) if point.value > known.value => best = Some(point),
                // Past the best: the value is concave along the way.
                (_, Some(_)) => break,
                (_, None) => {}
            }
            step *= 0.5;
        }
        Ok(best)
    }

    /// The same, where the value is too flat to tell points apart: at the best of them the question answers with the trades
    /// that it was asked at, and every round comes nearer to that.
    fn settled(&self, mut here: Point) -> Result<Point, MechanismError> {
        let mut moved = f64::INFINITY;
        for _ in 0..MOST_SETTLING {
            let Some(worth) = self.worth_of_money(&here.gains) else { break };
            let answer = self.market.pairwise(&self.question(&here.trades, &worth))?;
            let apart = here.trades.iter().zip(&answer.quantity).map(|(t, kwh)| (t.quantity - kwh).abs());
            let apart = apart.fold(0.0, f64::max);
            if apart > 0.9 * moved || apart <= NO_TRADE_KWH {
                break;
            }
            moved = apart;
            let there = here.trades.iter().zip(&answer.quantity).map(|(t, kwh)| Trade { quantity: *kwh, ..*t });
            match self.at(there.collect())? {
                Ok(next) if next.value >= here.value - ROUNDING => here = next,
                _ => break,
            }
        }
        Ok(here)
    }

    fn net(&self, trades: &[Trade]) -> Vec<Vec<f64>> {
        let mut net = vec![vec![0.0; self.market.setting().slots.len()]; self.market.len()];
        for t in trades {
            net[t.seller][t.slot] += t.quantity;
            net[t.buyer][t.slot] -= t.quantity;
        }
        net
    }
}
