//! The nucleolus: the division whose loudest objection is quietest, then the next, and so on.
//!
//! A group `S` objects to a division by its excess `v(S) - sum over S of G_i`, with `v(S)` the gain of its members if they
//! trade among themselves. The nucleolus makes the largest excess least, among the divisions that do so the second largest,
//! and so on to the last. It is in the core where there is one, and otherwise in what comes nearest to it.

use crate::cooperation::{Cooperation, Found, nothing_to_divide};
use coase_core::market::NetworkMode;
use coase_core::mechanism::Mechanism;
use coase_core::outcome::Claim;
use coase_core::{Certificate, Market, MechanismError, Outcome, RunContext, number, register};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// All groups are asked; more members have too many.
const MOST_MEMBERS: usize = 12;

/// Division of the gain of cooperation by the nucleolus: lexicographically least excesses `v(S) - sum over S of G_i`.
///
/// All groups of up to 12 members are asked; the division is found by a sequence of linear programs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Nucleolus {}

// Whether there is a core is known with the outcome, which withholds the claim where there is none.
register!(Nucleolus, "nucleolus", Cooperative, "makes the loudest objection of any group quietest, then the next",
    claims: [IndividuallyRational, BudgetBalanced, Efficient, Core if "there is a division that no group can better" => |_, _| Ok(())],
    needs: [Tariff, NoRequirement], information: FullTypes, source: "Schmeidler (1969); linear programs: Maschler, Peleg and Shapley (1979)");

impl Mechanism for Nucleolus {
    fn run(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
        if market.len() > MOST_MEMBERS {
            let why = format!("{} members: all groups are asked, of up to {MOST_MEMBERS} members", market.len());
            return Err(MechanismError::Failed(why));
        }
        let cooperation = match Cooperation::centrally(market, ctx)? {
            Found::Gain(cooperation) => cooperation,
            Found::Nothing(outcome) => return Ok(nothing_to_divide(*outcome)),
        };
        let game = market.coalitions(&NetworkMode::Ignored)?;
        let found = game.nucleolus()?;
        let epsilon = game.excess(&found.division).value;
        let missing = (cooperation.gain() - found.division.iter().sum::<f64>()) / market.len() as f64;
        let gains: Vec<f64> = found.division.iter().map(|gain| gain + missing).collect();
        let mut outcome = cooperation.divided(market, &gains)?;
        if market.len() > 1 && !game.is_none(epsilon) {
            let why = format!("under every division some group gains {} or more by itself", number(epsilon));
            outcome.withheld.push((Claim::Core, why));
        }
        let allowed = 1e-9 * game.scale();
        let witness = format!("largest duality gap of {} levels", found.levels.len());
        outcome.evidence.push(Certificate::check("nucleolus_gap", found.gap, allowed, witness));
        Ok(outcome)
    }
}
