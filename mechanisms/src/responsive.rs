//! Positions that answer to the prices between members: plans that are each the best at the prices that come of all of them.
//!
//! A plan at given prices leaps where two plans cost the same, so that best answers run around the point that is sought. Here
//! everybody plans near what it planned last,
//!
//! ```text
//! x <- argmin  cost at prices P(x before) + sum_t w_t / 2 (x_t - x_t before)^2
//! ```
//!
//! over net output `x` (a forward-backward step), which rests exactly where every plan is a best one at the prices of all. What
//! members would still save by their best plan at these prices, in all, is the residual. Knows no rule that makes prices.

use crate::fixed_positions::tradable;
use crate::stalls::outside;
use coase_core::market::Plan;
use coase_core::outcome::Kind;
use coase_core::setting::Product;
use coase_core::terms::{Anchor, Terms, at};
use coase_core::{Certificate, Market, MechanismError, RunContext};
use std::sync::Arc;

/// What may be left of what members would save, as a share of the money that they exchange with grid and peers.
const TOLERANCE: f64 = 1e-6;
/// Rounds, at most.
const MOST_ROUNDS: usize = 400;
/// The residual is measured every so many rounds: where it has grown, steps are made shorter by this factor, and where it falls by
/// less than this share longer, within these shares of the first.
const MEASURED_EVERY: usize = 5;
const FACTOR: f64 = 1.5;
const SLOW: f64 = 0.1;
const SHORTEST: f64 = 1e-3;
const LONGEST: f64 = 10.0;

/// Prices that members see in place of the tariff, by member and slot: what they pay for a kWh, and what they get.
pub(crate) type Seen = Vec<Vec<(f64, f64)>>;

/// What a rule makes of plans: the prices that they lead to, and whatever else it wants to keep of them.
pub(crate) type Quote<'q, T> = dyn FnMut(&[Arc<Plan>], &mut RunContext) -> Result<(Seen, T), MechanismError> + 'q;

/// Where plans and prices rest, or came nearest to it.
pub(crate) struct Rest<T> {
    /// What the rule made of the plans with the least residual.
    pub kept: T,
    /// What members would save in all by their best plans at the prices, money.
    pub residual: f64,
    tolerance: f64,
    rounds: usize,
    /// Who would save most.
    who: String,
}

impl<T> Rest<T> {
    /// Whether plans and prices do not fit.
    pub fn is_above_tolerance(&self) -> bool {
        self.residual > self.tolerance
    }

    /// The residual as a certificate.
    pub fn certificate(&self) -> Certificate {
        let Self { residual, tolerance, rounds, who, .. } = self;
        let witness = if self.is_above_tolerance() {
            format!(
                "after {rounds} rounds members would still save so much by their best plans at the prices between them; {who} most"
            )
        } else {
            format!("what members would save by their best plans at the prices between them, after {rounds} rounds")
        };
        Certificate::check("fixed_point_plans", *residual, *tolerance, witness).about(Kind::FixedPoint)
    }
}

/// Terms under which members see these prices, and are held near what they planned.
fn layers(market: &Market, seen: &Seen, near: Option<(&[Arc<Plan>], &[f64])>) -> Result<Vec<Terms>, MechanismError> {
    let setting = market.setting();
    let of = |(i, prices): (usize, &Vec<(f64, f64)>)| {
        let zeros = vec![0.0; setting.periods.count];
        let mut layer = Terms { import_adder: zeros.clone(), export_adder: zeros.clone(), ..Terms::default() };
        let mut anchor = Anchor { centre_kwh: zeros.clone(), weight: zeros };
        for (k, slot) in setting.slots.iter().enumerate().filter(|(_, slot)| slot.product == Product::Energy) {
            let t = slot.period;
            let (buy, sell) = outside(market, i, k)?;
            layer.import_adder[t] = prices[k].0 - buy;
            layer.export_adder[t] = prices[k].1 - sell;
            if let Some((plans, weight)) = near {
                let withdrawn = -plans[i].output[k];
                // The search of a policy for its own prices may hold the member as well.
                let (other, centre) =
                    market.terms(i).anchor.as_ref().map_or((0.0, 0.0), |a| (a.weight[t], a.centre_kwh[t]));
                anchor.weight[t] = weight[k] + other;
                anchor.centre_kwh[t] = (weight[k] * withdrawn + other * centre) / (weight[k] + other);
            }
        }
        layer.anchor = near.map(|_| anchor);
        Ok(layer)
    };
    seen.iter().enumerate().map(of).collect()
}

/// What a plan costs under prices, money: planned under others, it is charged anew for its exchange.
fn cost_at(market: &Market, member: usize, plan: &Plan, seen: &Seen) -> f64 {
    let setting = market.setting();
    let mut cost = plan.resource_cost + plan.carbon_charge + plan.shortfall_cost;
    for (k, slot) in setting.slots.iter().enumerate().filter(|(_, slot)| slot.product == Product::Energy) {
        let (import, export) = (plan.import_kwh[slot.period], plan.export_kwh[slot.period]);
        let terms = market.terms(member);
        let of_trade = at(&terms.trade_adder, k);
        cost += (seen[member][k].0 + of_trade) * import - (seen[member][k].1 + of_trade) * export;
        cost += of_withdrawal(terms, slot.period, plan.output[k]);
    }
    let direct: f64 = plan.emission_kg.iter().sum();
    cost + market.terms(member).direct_price_per_kg * direct
}

/// Adders on what a member draws and feeds in, money.
fn of_withdrawal(terms: &Terms, period: usize, output: f64) -> f64 {
    at(&terms.withdrawal_adder, period) * (-output).max(0.0) + at(&terms.injection_adder, period) * output.max(0.0)
}

/// Plans until plans and prices rest, from plans without trade on.
pub(crate) fn settle<T>(
    market: &Market,
    ctx: &mut RunContext,
    quote: &mut Quote<'_, T>,
) -> Result<Rest<T>, MechanismError> {
    if market.setting().members.iter().any(|member| member.peer_max_kw.is_finite()) {
        let need = "participants without `peer_max_kw`, for positions that answer to prices between peers";
        return Err(MechanismError::Unmet { need });
    }
    let slots = market.setting().slots.len();
    let mut plans = market.each(|local| local.autarky())?;
    let (mut seen, first) = quote(&plans, ctx)?;
    let mut kept = Some(first);
    let first_weight = weights(market)?;
    let (mut pace, mut before) = (1.0, f64::INFINITY);
    let tolerance = TOLERANCE * stake(market)?;
    let mut best: Option<Rest<T>> = None;
    for rounds in 0.. {
        if rounds % MEASURED_EVERY == 0 {
            let (residual, who) = saved(market, &plans, &seen)?;
            let least = best.as_ref().map_or(f64::INFINITY, |best| best.residual);
            if residual > before {
                pace = (pace / FACTOR).max(SHORTEST);
            } else if residual > (1.0 - SLOW) * before {
                pace = (pace * FACTOR).min(LONGEST);
            }
            before = residual;
            if let (true, Some(kept)) = (residual < least, kept.take()) {
                best = Some(Rest { kept, residual, tolerance, rounds, who });
            }
            let told = ctx.step("plans", &[("primal_residual", residual)]).is_break();
            let Some(mut rest) = best.take() else { break };
            if told || rounds >= MOST_ROUNDS || !rest.is_above_tolerance() {
                rest.rounds = rounds;
                return Ok(rest);
            }
            best = Some(rest);
        }
        let weight: Vec<f64> = first_weight.iter().map(|w| w / pace).collect();
        let pool = market.imposing(&layers(market, &seen, Some((&plans, &weight)))?);
        plans = pool.each(|local| local.autarky())?;
        ctx.messages(2 * market.len() * slots);
        let (next, made) = quote(&plans, ctx)?;
        (seen, kept) = (next, Some(made));
    }
    Err(MechanismError::Failed("what plans cost at the prices between members is no number".to_owned()))
}

/// What members would save in all by their best plans at these prices, money, and who would save most.
fn saved(market: &Market, plans: &[Arc<Plan>], seen: &Seen) -> Result<(f64, String), MechanismError> {
    let best = market.imposing(&layers(market, seen, None)?).each(|local| local.autarky())?;
    let (mut sum, mut most, mut who) = (0.0, f64::NEG_INFINITY, String::new());
    for (i, (plan, best)) in plans.iter().zip(&best).enumerate() {
        let saves = (cost_at(market, i, plan, seen) - cost_at(market, i, best, seen)).max(0.0);
        sum += saves;
        if saves > most {
            (most, who) = (saves, market.setting().members[i].id.clone());
        }
    }
    Ok((sum, who))
}

/// Money that members exchange with the grid without trade, at the dearer of what it asks and pays.
fn stake(market: &Market) -> Result<f64, MechanismError> {
    let mut stake = 0.0;
    for (i, of_member) in tradable(market)?.iter().enumerate() {
        for (k, kwh) in of_member.iter().enumerate().filter(|(_, kwh)| **kwh != 0.0) {
            let (buy, sell) = outside(market, i, k)?;
            stake += kwh.abs() * buy.abs().max(sell.abs());
        }
    }
    Ok(stake)
}

/// How strongly plans are held where they were, per slot: so that a price that moves by the whole width of the tariff moves
/// everybody's plan by no more than what is traded without an answer.
fn weights(market: &Market) -> Result<Vec<f64>, MechanismError> {
    let positions = tradable(market)?;
    let setting = market.setting();
    let mut all = vec![];
    for k in 0..setting.slots.len() {
        let pool: f64 = positions.iter().map(|of_member| of_member[k].abs()).sum();
        let (buy, sell) = outside(market, 0, k)?;
        let width = (buy - sell).abs().max(1e-3 * buy.abs()).max(1e-6);
        all.push(width / pool.max(1.0));
    }
    Ok(all)
}
