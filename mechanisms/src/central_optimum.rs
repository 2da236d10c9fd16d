//! The least-cost coordination of everybody: the reference for efficiency.

use crate::gap::least_cost_gap;
use coase_core::mechanism::Mechanism;
use coase_core::outcome::{Side, Signal};
use coase_core::{Market, MechanismError, Outcome, RunContext, register};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `min sum_i Phi_i` over all trades, the network ignored. No payments between participants: everybody bears its own
/// `Phi_i(x*)`, so nobody's consent is claimed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CentralOptimum {}

register!(CentralOptimum, "central-optimum", Baseline, "least total cost, without payments between participants",
    claims: [Efficient, BudgetBalanced], needs: [Tariff], information: FullTypes,
    source: "the planner's benchmark");

impl Mechanism for CentralOptimum {
    fn run(&self, market: &Market, _: &mut RunContext) -> Result<Outcome, MechanismError> {
        let best = market.solve(&market.grand())?;
        let mut outcome = Outcome::new(market.setting());
        outcome.net = best.plans.iter().flatten().map(|plan| plan.trade.clone()).collect();
        outcome.evidence.push(least_cost_gap(&best, "optimality gap of the least total cost"));
        if best.convex {
            let price = best.price.iter().map(|p| Some(*p)).collect();
            outcome.prices.push(Signal { side: Side::Both, member: None, price });
        }
        Ok(outcome)
    }
}
