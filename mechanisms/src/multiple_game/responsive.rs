//! Members who plan anew at the prices between them, until plans and prices rest.

use super::{MultipleGame, Round, Surplus, averages};
use crate::stalls::{Frictions, outside, positions};
use coase_core::outcome::Kind;
use coase_core::setting::Product;
use coase_core::terms::Terms;
use coase_core::{Certificate, Market, MechanismError, RunContext};

/// Relaxation, tolerance as a share of the dearest price of the tariff, and limit of the iteration.
const RELAXATION: f64 = 0.5;
const TOLERANCE: f64 = 1e-6;
const MOST_ROUNDS: usize = 60;

/// How far the plans are from those that their own prices call for.
pub(super) struct Residual {
    /// The most that a price moved in the last round, per kWh.
    pub value: f64,
    tolerance: f64,
    rounds: usize,
    /// Who sees that price, and when.
    who: String,
}

impl Residual {
    pub fn is_above_tolerance(&self) -> bool {
        self.value > self.tolerance
    }

    pub fn certificate(&self) -> Certificate {
        let after = if self.is_above_tolerance() { "still move after" } else { "rest after" };
        let witness = format!("plans at the prices between members {after} {} rounds: {}", self.rounds, self.who);
        Certificate::check("fixed_point_price", self.value, self.tolerance, witness).about(Kind::FixedPoint)
    }
}

/// Plays until plans and prices rest; the last round, and how far it is from rest. Between the rounds average prices go half the way,
/// for a plan answers to a price by leaps.
pub(super) fn settle(
    rule: &MultipleGame,
    market: &Market,
    first: Round,
    frictions: Frictions,
    ctx: &mut RunContext,
) -> Result<(Round, Option<Residual>), MechanismError> {
    let setting = market.setting();
    let offered = rule.positions == Surplus::Offered;
    let plans = market.each(|local| local.autarky())?;
    let mut seen = averages(market, &first, &positions(market, &plans, offered)?)?;
    let tariff = setting.tariff.as_ref().ok_or(MechanismError::Unmet { need: "a grid tariff" })?;
    let dearest = tariff.buy_per_kwh.iter().fold(0.0_f64, |most, p| most.max(p.abs()));
    let tolerance = TOLERANCE * dearest;
    let mut round = first;
    let mut residual = Residual { value: f64::INFINITY, tolerance, rounds: 0, who: String::new() };
    while residual.rounds < MOST_ROUNDS && residual.is_above_tolerance() && ctx.broken_off().is_none() {
        let pool = market.imposing(&layers(market, &seen)?);
        let plans = pool.each(|local| local.autarky())?;
        ctx.messages(2 * market.len() * setting.slots.len());
        let here = positions(market, &plans, offered)?;
        round = rule.play(market, &here, frictions, ctx)?;
        let next = averages(market, &round, &here)?;
        residual.rounds += 1;
        residual.value = 0.0;
        for (i, (was, is)) in seen.iter_mut().zip(&next).enumerate() {
            for (k, (was, is)) in was.iter_mut().zip(is).enumerate() {
                let moved = (was.0 - is.0).abs().max((was.1 - is.1).abs());
                if moved >= residual.value {
                    residual.value = moved;
                    residual.who = format!("{} in period {}", setting.members[i].id, setting.slots[k].period);
                }
                *was = (was.0 + RELAXATION * (is.0 - was.0), was.1 + RELAXATION * (is.1 - was.1));
            }
        }
        if ctx.step("plans", &[("primal_residual", residual.value)]).is_break() {
            break;
        }
    }
    Ok((round, Some(residual)))
}

/// Terms under which members see these prices, to buy and to sell, in place of the tariff.
fn layers(market: &Market, seen: &[Vec<(f64, f64)>]) -> Result<Vec<Terms>, MechanismError> {
    let setting = market.setting();
    let of = |(i, prices): (usize, &Vec<(f64, f64)>)| {
        let mut layer = Terms { import_adder: vec![0.0; setting.periods.count], ..Terms::default() };
        layer.export_adder.clone_from(&layer.import_adder);
        for (k, slot) in setting.slots.iter().enumerate().filter(|(_, slot)| slot.product == Product::Energy) {
            let (buy, sell) = outside(market, i, k)?;
            layer.import_adder[slot.period] = prices[k].0 - buy;
            layer.export_adder[slot.period] = prices[k].1 - sell;
        }
        Ok(layer)
    };
    seen.iter().enumerate().map(of).collect()
}
