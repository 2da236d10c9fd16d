//! One price in each slot at which nobody would trade differently: the shadow price of the least cost of all together.
//!
//! Members pay `tau_i = -sum_t pi_t x_it` with `pi` the marginal cost of one more unit in the common optimum. Where costs are
//! convex and the network is no part of the market, this is a competitive equilibrium: everybody gains at least as much as
//! without trade, and no group can do better by itself (Debreu and Scarf, 1963). It is not truthful: a report may move the price.

use crate::canonical_payments::Priced;
use crate::cooperation::{Cooperation, Found, nothing_to_divide};
use crate::distributed::Solver;
use coase_core::mechanism::{Here, Mechanism};
use coase_core::outcome::{Claim, Trade};
use coase_core::{Market, MechanismError, Outcome, RunContext, register};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// All trade at the shadow price of the least cost of all together, one price in each slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct UniformPrice {
    /// How the common optimum and its prices are found.
    pub solver: Solver,
}

register!(UniformPrice, "uniform-price", Baseline, "all trade at the marginal cost of the common optimum",
    claims: [
        IndividuallyRational if "costs are convex" => |_, here| is_convex(here),
        BudgetBalanced,
        Efficient,
        Core if "costs are convex" => |_, here| is_convex(here),
    ],
    needs: [Tariff, NoRequirement], information: FullTypes, source: "Walras (1874); core: Debreu and Scarf (1963)");

/// Choices of devices are known with the outcome, which withholds the claims where they decide.
fn is_convex(here: &Here<'_>) -> Result<(), String> {
    if here.market.is_convex() { Ok(()) } else { Err("a charge on carbon is not".into()) }
}

impl Mechanism for UniformPrice {
    fn run(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
        let cooperation = match Cooperation::of(market, self.solver.solve(market, ctx)?)? {
            Found::Gain(cooperation) => cooperation,
            Found::Nothing(outcome) => return Ok(nothing_to_divide(*outcome)),
        };
        let mut outcome = cooperation.commitment(market);
        outcome.evidence.extend(cooperation.evidence("cooperation_gain", "divided by the price"));
        let best = &cooperation.best;
        if !best.convex {
            for claim in [Claim::IndividuallyRational, Claim::Core] {
                let why =
                    "choices, such as charging or discharging, decide: the price supports none but the choices made";
                outcome.withheld.push((claim, why.into()));
            }
        }
        let priced = |t: &Trade| Trade { price: Some(best.price[t.slot]), ..*t };
        let trades = cooperation.trades.iter().map(priced).collect();
        let settled = Priced::between_all(trades, vec![0.0; market.len()], best.price.len());
        Priced { pairs: cooperation.pairs, ..settled }.enter(market, &mut outcome);
        Ok(outcome)
    }
}
