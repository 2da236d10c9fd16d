//! Bilateral trade with preferences: a kWh of one is not a kWh of another, because of where it comes from or whose it is.
//!
//! A pair's adder `k_ij` is what a kWh between the two must save beyond its costs to be worth trading: distance, distrust, a
//! colour of energy. Trades minimise `sum_i Phi_i + sum_ij k_ij e_ij`. Nobody may pass on what it buys, or everybody would trade
//! by way of a common friend and no adder would hold: in each slot a member is a seller or a buyer, as in the least cost of all
//! together without preferences.

use crate::fixed_positions::traded;
use coase_core::market::{Link, Pairwise};
use coase_core::mechanism::Mechanism;
use coase_core::outcome::Trade;
use coase_core::{Certificate, Market, MechanismError, Outcome, RunContext, register};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Least cost and preferences of all, trading in pairs. A pair pays the seller's marginal cost, which is the buyer's less the
/// adder.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BilateralPreferences {
    /// What a kWh between two members must save beyond its costs: `[("vpp1", "vpp2", 0.02)]`, in whichever order; other pairs 0.
    pub adders_per_kwh: Vec<(String, String, f64)>,
    /// Whether members may pass on what they buy, which lets them evade adders.
    pub relaying: bool,
}

register!(BilateralPreferences, "bilateral-preferences", Baseline, "trade in pairs that prefer some partners to others",
    claims: [BudgetBalanced], needs: [Tariff, NoRequirement], information: FullTypes,
    source: "Sorin, Bobo and Pinson (2019)");

impl BilateralPreferences {
    /// The adder of every pair.
    fn adders(&self, market: &Market) -> Result<Vec<Vec<f64>>, MechanismError> {
        let members = &market.setting().members;
        let wrong =
            |value: String, expected| Err(MechanismError::Parameter { name: "adders_per_kwh", value, expected });
        let mut adders = vec![vec![0.0; members.len()]; members.len()];
        for (a, b, adder) in &self.adders_per_kwh {
            let place = |id: &str| members.iter().position(|member| member.id == id);
            let (Some(i), Some(j)) = (place(a), place(b)) else {
                return wrong(format!("of \"{a}\" and \"{b}\""), "the ids of two participants");
            };
            if i == j || !(*adder >= 0.0 && adder.is_finite()) {
                return wrong(format!("{adder} of \"{a}\" and \"{b}\""), "at least 0, of two different participants");
            }
            (adders[i][j], adders[j][i]) = (*adder, *adder);
        }
        Ok(adders)
    }
}

impl Mechanism for BilateralPreferences {
    fn run(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
        let adders = self.adders(market)?;
        let n = market.len();
        let best = market.solve(&market.grand())?;
        let sale = |i: usize, slot: usize| best.plans[i].as_ref().map_or(0.0, |plan| plan.trade[slot]);
        let mut links = vec![];
        for slot in 0..market.setting().slots.len() {
            for seller in 0..n {
                for buyer in (0..n).filter(|buyer| *buyer != seller) {
                    if self.relaying || (sale(seller, slot) > 1e-6 && sale(buyer, slot) < -1e-6) {
                        links.push(Link { seller, buyer, slot, worth_per_kwh: -adders[seller][buyer] });
                    }
                }
            }
        }
        ctx.messages(2 * links.len());
        let found = market.pairwise(&Pairwise { weights: vec![1.0; n], links: links.clone() })?;
        let trades =
            links.iter().zip(&found.quantity).filter(|(_, quantity)| **quantity > 1e-6).map(|(link, quantity)| Trade {
                seller: link.seller,
                buyer: link.buyer,
                slot: link.slot,
                quantity: *quantity,
                price: found.plans[link.seller].marginal_cost.get(link.slot).copied(),
            });
        let mut outcome = traded(market, trades.collect());
        let felt: f64 = links.iter().zip(&found.quantity).map(|(link, quantity)| -link.worth_per_kwh * quantity).sum();
        outcome.evidence.push(Certificate::measure("preference_cost", felt, "what the adders of the trades come to"));
        outcome.evidence.push(Certificate::measure("preferred_cost", found.objective, "costs of all and adders"));
        Ok(outcome)
    }
}
