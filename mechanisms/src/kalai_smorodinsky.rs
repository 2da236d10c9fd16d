//! The solution of Kalai and Smorodinsky: gains in proportion to what each could hope for.
//!
//! `G_i = D U_i / sum U` with a utopia `U_i`. Payments are free, so that everybody could hope for the whole gain: with
//! `U_i = D` the solution is the equal split. A variant takes what the others lose without a member,
//! `U_i = v(N) - v(N without i)`; it is called marginal-proportional and is not the solution proper.

use crate::cooperation::{Cooperation, Found, nothing_to_divide};
use coase_core::mechanism::Mechanism;
use coase_core::{Certificate, Economy, Market, MechanismError, Outcome, RunContext, register};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a member could hope for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Utopia {
    /// The whole gain, `U_i = v(N)`: the equal split.
    #[default]
    Surplus,
    /// What the others lose without it, `U_i = v(N) - v(N without i)`: marginal-proportional.
    Marginal,
}

/// Division of the gain of cooperation in proportion to what each could hope for, `G_i = D U_i / sum U`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct KalaiSmorodinsky {
    /// What a member could hope for.
    pub utopia: Utopia,
}

register!(KalaiSmorodinsky, "kalai-smorodinsky", Cooperative, "divides the gain in proportion to what each could hope for",
    claims: [IndividuallyRational, BudgetBalanced, Efficient], needs: [Tariff, NoRequirement], information: FullTypes,
    source: "Kalai and Smorodinsky (1975)");

/// Marginal gains that add up to less than this share of the gain of all are rounding.
const NOTHING: f64 = 1e-9;

impl Mechanism for KalaiSmorodinsky {
    fn run(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
        let cooperation = match Cooperation::centrally(market, ctx)? {
            Found::Gain(cooperation) => cooperation,
            Found::Nothing(outcome) => return Ok(nothing_to_divide(*outcome)),
        };
        let n = market.len();
        let gain = cooperation.gain();
        let equal = vec![gain / n as f64; n];
        let Utopia::Marginal = self.utopia else { return cooperation.divided(market, &equal) };
        let marginals = marginals(market, &cooperation)?;
        let sum: f64 = marginals.iter().sum();
        if sum <= NOTHING * gain.abs() {
            let mut outcome = cooperation.divided(market, &equal)?;
            let why = "nobody's absence costs the others anything: the gain is split equally";
            outcome.evidence.push(Certificate::measure("marginal_gains", sum, why));
            return Ok(outcome);
        }
        let gains: Vec<f64> = marginals.iter().map(|marginal| gain * (marginal / sum)).collect();
        let mut outcome = cooperation.divided(market, &gains)?;
        outcome.evidence.push(Certificate::measure("marginal_gains", sum, "what the others lose without each, in sum"));
        Ok(outcome)
    }
}

/// `v(N) - v(N without i)`; below nothing is rounding, because whoever joins can always stay idle.
fn marginals(market: &Market, cooperation: &Cooperation) -> Result<Vec<f64>, MechanismError> {
    let n = market.len();
    let alone = |left_out: usize| -> f64 {
        let others = cooperation.alone.iter().enumerate().filter(|(i, _)| *i != left_out);
        others.map(|(_, plan)| plan.cost).sum()
    };
    if n == 1 {
        return Ok(vec![cooperation.gain()]);
    }
    let questions: Vec<Economy> = (0..n).map(|i| market.grand().without(i)).collect();
    let without = market.solve_all(&questions)?;
    let marginal = |(i, best): (usize, &std::sync::Arc<coase_core::Allocation>)| {
        (cooperation.gain() - (alone(i) - best.cost)).max(0.0)
    };
    Ok(without.iter().enumerate().map(marginal).collect())
}
