//! Nash bargaining over the gain of cooperation: `max prod_i (J0_i - J_i)^w_i`.
//!
//! With unrestricted payments the problem splits exactly: P1 minimises the coalition's cost, `x* = argmin sum_i Phi_i`, and
//! P2 divides the gain `D = sum_i (J0_i - Phi_i(x*))` by weights, `tau_i = J0_i - Phi_i(x*) - (w_i / sum w) D`. With prices
//! inside the tariff band P2 is a concave problem of its own, and solving it after P1 is no longer exact.
//! It is Pareto efficient and individually rational; it is neither truthful nor, in general, in the core.

mod bounded;
mod payments;
mod weights;

pub use weights::Weights;

use crate::gap::least_cost_gap;
use crate::internal_price::bands;
use coase_core::mechanism::Mechanism;
use coase_core::outcome::{Claim, Side, Signal, Trade, pro_rata};
use coase_core::{Certificate, Market, MechanismError, Outcome, Party, Reason, RunContext, Status, register};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How P2 pays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PaymentMode {
    /// Unrestricted payments: the gain is split exactly by the weights, prices may leave the tariff band.
    #[default]
    ClosedForm,
    /// After P1, every trade's price lies between the feed-in and the retail price.
    SequentialBounded,
}

/// Asymmetric Nash bargaining over the gain of cooperation, `max prod_i (J0_i - J_i)^w_i`.
///
/// P1 minimises the cost of all, `x* = argmin sum_i Phi_i`. P2 divides the gain `D = sum_i (J0_i - Phi_i(x*))`: everybody pays
/// `tau_i = J0_i - Phi_i(x*) - (w_i / sum w) D`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NashBargaining {
    /// Bargaining power.
    pub weights: Weights,
    /// How the split is paid.
    pub payments: PaymentMode,
}

register!(NashBargaining, "nash-bargaining", Cooperative, "splits the gain of cooperation by bargaining power",
    claims: [IndividuallyRational, BudgetBalanced, Efficient], needs: [Tariff, NoRequirement], information: FullTypes,
    source: "Nash (1950); two-stage form as in the microgrid literature");

/// Gains below this share of the disagreement costs are rounding.
const NO_GAIN: f64 = 1e-9;
/// Sales below this are rounding, kWh.
const NO_TRADE_KWH: f64 = 1e-6;

impl Mechanism for NashBargaining {
    fn run(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
        let mut outcome = Outcome::new(market.setting());
        let alone: Vec<f64> = market.each(|l| l.autarky())?.iter().map(|plan| plan.cost).collect();
        let best = market.solve(&market.grand())?;
        ctx.messages(2 * market.len() * market.setting().slots.len());
        let scale: f64 = 1.0 + alone.iter().map(|c| c.abs()).sum::<f64>();
        // Where trade gains nothing and yet belongs to the optimum (the price of carbon makes both sides cost the same) it is
        // made: how much is emitted may depend on it.
        let idle = best.plans.iter().flatten().flat_map(|plan| &plan.trade).all(|kwh| kwh.abs() <= NO_TRADE_KWH);
        if idle && alone.iter().sum::<f64>() - best.cost <= NO_GAIN * scale {
            outcome.evidence.push(Certificate::measure(
                "bargaining_gain",
                0.0,
                "nothing to bargain over: no trade lowers the total cost",
            ));
            return Ok(outcome);
        }
        outcome.net = best.plans.iter().flatten().map(|plan| plan.trade.clone()).collect();
        let together: Vec<f64> = best.plans.iter().flatten().map(|plan| plan.cost).collect();
        let before: Vec<f64> = alone.iter().zip(&together).map(|(a, t)| a - t).collect();
        let trades = pro_rata(&outcome.net);
        let weights = self.weights.of(market.len(), &trades);
        let priced = match self.payments {
            PaymentMode::ClosedForm => payments::unrestricted(&before, &weights, &trades, &best.price),
            PaymentMode::SequentialBounded => {
                outcome
                    .withheld
                    .push((Claim::Efficient, "bounded prices make the two stages inexact as a bargain".into()));
                match bounded::bargain(&before, &weights, &trades, &bands(market)?) {
                    Ok(priced) => priced,
                    Err(gap) => {
                        let mut none = Outcome::new(market.setting());
                        none.status = Status::NoEquilibriumFound { gap };
                        none.evidence.push(Certificate::measure(
                            "bounded_split_shortfall",
                            gap,
                            "no prices within the tariff band leave everybody better off",
                        ));
                        return Ok(none);
                    }
                }
            }
        };
        outcome.evidence.push(Certificate::measure("bargaining_gain", before.iter().sum(), ""));
        outcome.evidence.push(least_cost_gap(&best, "duality gap of the first stage"));
        enter(market, &mut outcome, priced);
        Ok(outcome)
    }
}

/// Trades with their prices, and what members settle with the operator because no chain of trades connects them.
struct Priced {
    trades: Vec<Trade>,
    /// Paid by each member to the operator; adds up to nothing.
    through_operator: Vec<f64>,
}

/// Writes payments pair by pair and publishes average prices.
fn enter(market: &Market, outcome: &mut Outcome, priced: Priced) {
    let slots = &market.setting().slots;
    for trade in &priced.trades {
        let amount = trade.price.unwrap_or(0.0) * trade.quantity;
        let (from, to) = (Party::Member(trade.buyer), Party::Member(trade.seller));
        outcome.ledger.pay_for(from, to, amount, Reason::Trade, Some(slots[trade.slot].product));
    }
    for (i, amount) in priced.through_operator.iter().enumerate() {
        outcome.ledger.pay(Party::Member(i), Party::Operator, *amount, Reason::Trade);
    }
    let average = |counts: &dyn Fn(&Trade) -> bool, slot: usize| {
        let (money, energy) = priced
            .trades
            .iter()
            .filter(|t| t.slot == slot && counts(t))
            .fold((0.0, 0.0), |sum, t| (sum.0 + t.price.unwrap_or(0.0) * t.quantity, sum.1 + t.quantity));
        (energy > 0.0).then(|| money / energy)
    };
    for i in 0..market.len() {
        let sell = (0..slots.len()).map(|k| average(&|t| t.seller == i, k)).collect();
        let buy = (0..slots.len()).map(|k| average(&|t| t.buyer == i, k)).collect();
        outcome.prices.push(Signal { side: Side::Sell, member: Some(i), price: sell });
        outcome.prices.push(Signal { side: Side::Buy, member: Some(i), price: buy });
    }
    outcome.trades = Some(priced.trades);
}
