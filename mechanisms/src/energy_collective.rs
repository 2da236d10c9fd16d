//! An energy collective: a manager runs the community at least cost and shares what there is so that nobody is left with more
//! unmet need than must be.

use crate::fixed_positions::{share, traded};
use crate::gap::least_cost_gap;
use crate::tariff_band::bands;
use coase_core::mechanism::Mechanism;
use coase_core::outcome::Trade;
use coase_core::setting::Product;
use coase_core::{Market, MechanismError, Outcome, RunContext, register};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Least cost of all together; of all schedules that cost the same, the one that makes the largest rest that a member buys from
/// the grid as small as can be, then the next, and likewise what it sells there: water is filled in from the top.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EnergyCollective {
    /// What a shared kWh costs: so far from what the grid pays (0) to what it asks (1).
    #[schemars(range(min = 0.0, max = 1.0))]
    pub price_share: f64,
}

impl Default for EnergyCollective {
    fn default() -> Self {
        Self { price_share: 0.5 }
    }
}

register!(EnergyCollective, "energy-collective", Baseline, "a manager shares at least cost, the largest unmet need first",
    claims: [BudgetBalanced], needs: [Tariff, NoRequirement], information: FullTypes, source: "Moret and Pinson (2019)");

/// What each gets of a supply so that the largest unmet need is least, then the next: `max(0, need - level)`.
fn filled(needs: &[f64], supply: f64) -> Vec<f64> {
    let mut sorted = needs.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let (mut level, mut sum) = (0.0, 0.0);
    for (k, need) in sorted.iter().enumerate() {
        sum += need;
        level = (sum - supply) / (k + 1) as f64;
        if sorted.get(k + 1).is_none_or(|next| level >= *next) {
            break;
        }
    }
    needs.iter().map(|need| (need - level.max(0.0)).max(0.0)).collect()
}

impl Mechanism for EnergyCollective {
    fn run(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
        let at = share("price_share", self.price_share)?;
        let best = market.solve(&market.grand())?;
        let bands = bands(market)?;
        ctx.messages(2 * market.len() * bands.len());
        let mut trades = vec![];
        for (slot, (band, of)) in bands.iter().zip(&market.setting().slots).enumerate() {
            let (Some(band), Product::Energy) = (band, of.product) else { continue };
            let side = |sign: f64| -> Vec<f64> {
                best.plans
                    .iter()
                    .enumerate()
                    .map(|(i, plan)| {
                        let has = plan.as_ref().map_or(0.0, |plan| plan.output[slot]);
                        (sign * market.setting().within_peer_limit(i, has)).max(0.0)
                    })
                    .collect()
            };
            let (surplus, needs) = (side(1.0), side(-1.0));
            let shared = surplus.iter().sum::<f64>().min(needs.iter().sum());
            if shared <= 1e-6 {
                continue;
            }
            let price = Some(band.sell + at * (band.buy - band.sell));
            let (given, got) = (filled(&surplus, shared), filled(&needs, shared));
            for (seller, gives) in given.iter().enumerate().filter(|(_, kwh)| **kwh > 1e-9) {
                for (buyer, gets) in got.iter().enumerate().filter(|(_, kwh)| **kwh > 1e-9) {
                    trades.push(Trade { seller, buyer, slot, quantity: gives * gets / shared, price });
                }
            }
        }
        let mut outcome = traded(market, trades);
        outcome.evidence.push(least_cost_gap(&best, "duality gap of the manager's optimum"));
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::filled;
    use proptest::prelude::*;

    #[test]
    fn the_largest_unmet_need_is_least() {
        let near = |found: Vec<f64>, expected: &[f64]| {
            assert!(
                found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12),
                "{found:?} instead of {expected:?}"
            );
        };
        near(filled(&[5.0, 3.0, 2.0], 4.0), &[3.0, 1.0, 0.0]);
        near(filled(&[5.0, 3.0, 2.0], 1.0), &[1.0, 0.0, 0.0]);
        near(filled(&[5.0, 3.0, 2.0], 10.0), &[5.0, 3.0, 2.0]);
        near(filled(&[2.0, 5.0, 0.0], 7.0), &[2.0, 5.0, 0.0]);
    }

    proptest! {
        /// All is given, nobody more than it needs, and whoever gets something is left with as much as anybody.
        #[test]
        fn water_is_filled_in_from_the_top(needs in prop::collection::vec(0.0..9.0_f64, 1..7), part in 0.0..1.0_f64) {
            let supply = part * needs.iter().sum::<f64>();
            let got = filled(&needs, supply);
            prop_assert!((got.iter().sum::<f64>() - supply).abs() < 1e-9);
            let rest: Vec<f64> = needs.iter().zip(&got).map(|(need, got)| need - got).collect();
            let most = rest.iter().copied().fold(0.0, f64::max);
            for (got, rest) in got.iter().zip(&rest) {
                prop_assert!(*rest >= -1e-12 && (*got < 1e-9 || (rest - most).abs() < 1e-9));
            }
        }
    }
}
