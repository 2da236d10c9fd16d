//! Nash bargaining over the gain of cooperation: `max prod_i (J0_i - J_i)^w_i`.
//!
//! With unrestricted payments the problem splits exactly: P1 minimises the coalition's cost, `x* = argmin sum_i Phi_i`, and
//! P2 divides the gain `D = sum_i (J0_i - Phi_i(x*))` by weights, `tau_i = J0_i - Phi_i(x*) - (w_i / sum w) D`. With prices
//! inside the tariff band P2 is a concave problem of its own, and solving it after P1 is no longer exact.
//! It is Pareto efficient and individually rational; it is neither truthful nor, in general, in the core.

mod bounded;
mod weights;

pub use weights::Weights;

use crate::canonical_payments;
use crate::distributed::Solver;
use crate::gap::least_cost_gap;
use crate::internal_price::bands;
use coase_core::mechanism::Mechanism;
use coase_core::outcome::{Claim, Pairs};
use coase_core::{Certificate, Market, MechanismError, Outcome, RunContext, Status, register};
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NashBargaining {
    /// Bargaining power.
    pub weights: Weights,
    /// How the split is paid.
    pub payments: PaymentMode,
    /// How P1 is solved.
    pub solver: Solver,
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
        let first = self.solver.solve(market, ctx)?;
        let best = first.allocation;
        (outcome.evidence, outcome.status) = (first.evidence, first.status);
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
        // Money within bounds depends on who can pay whom: there all pairs are needed.
        let pairs = match self.payments {
            PaymentMode::ClosedForm => Pairs::of(&outcome.net),
            PaymentMode::SequentialBounded => Pairs::All,
        };
        let trades = pairs.trades(&outcome.net);
        let weights = self.weights.of(market.len(), &trades);
        let priced = match self.payments {
            PaymentMode::ClosedForm => {
                let gain: f64 = before.iter().sum();
                let receives: Vec<f64> = before.iter().zip(&weights).map(|(b, w)| w * gain - b).collect();
                canonical_payments::paying(&receives, &trades, pairs, &best.price)
            }
            PaymentMode::SequentialBounded => {
                outcome
                    .withheld
                    .push((Claim::Efficient, "bounded prices make the two stages inexact as a bargain".into()));
                match bounded::bargain(&before, &weights, &trades, &bands(market)?) {
                    Ok(priced) => priced,
                    Err(gap) => {
                        let mut none = Outcome { evidence: outcome.evidence, ..Outcome::new(market.setting()) };
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
        priced.enter(market, &mut outcome);
        Ok(outcome)
    }
}
