//! Two ways to play, as this crate has no mechanisms of its own: everybody by itself, and all together at least cost.

use coase_core::mechanism::Mechanism;
use coase_core::schemars::{self, JsonSchema};
use coase_core::{Market, MechanismError, Outcome, RunContext, register};
use serde::{Deserialize, Serialize};

/// Everybody by itself.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alone {}
register!(Alone, "alone-in-test", Baseline, "nobody trades", claims: [], needs: [], information: Prices);
impl Mechanism for Alone {
    fn run(&self, market: &Market, _: &mut RunContext) -> Result<Outcome, MechanismError> {
        Ok(Outcome::new(market.setting()))
    }
}

/// The grand coalition at least cost, the network ignored. It claims nothing.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Together {}
register!(Together, "together-in-test", Baseline, "least cost of all", claims: [], needs: [], information: FullTypes);
impl Mechanism for Together {
    fn run(&self, market: &Market, _: &mut RunContext) -> Result<Outcome, MechanismError> {
        let mut outcome = Outcome::new(market.setting());
        outcome.net = market.solve(&market.grand())?.plans.iter().flatten().map(|p| p.trade.clone()).collect();
        Ok(outcome)
    }
}

/// The same with the claim to be efficient, which certificates of nodal prices look at.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Efficient {}
register!(Efficient, "efficient-in-test", Baseline, "least cost of all", claims: [Efficient], needs: [], information: FullTypes);
impl Mechanism for Efficient {
    fn run(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
        Together {}.run(market, ctx)
    }
}
