//! No trade: everybody exchanges with the grid alone. The disagreement point of everything else.

use coase_core::mechanism::Mechanism;
use coase_core::{Market, MechanismError, Outcome, RunContext, register};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Nobody trades with anybody but the grid: `n` independent problems `min Phi_i`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GridOnly {}

register!(GridOnly, "grid-only", Baseline, "nobody trades with anybody but the grid",
    claims: [IndividuallyRational, BudgetBalanced], needs: [], information: Prices,
    source: "the disagreement point of Nash (1950)");

impl Mechanism for GridOnly {
    fn run(&self, market: &Market, _: &mut RunContext) -> Result<Outcome, MechanismError> {
        Ok(Outcome::new(market.setting()))
    }
}
