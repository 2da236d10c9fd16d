//! Random matching: sellers and buyers meet by chance and trade at the middle of the tariff. What trading at all is worth,
//! with no skill in it.

use crate::fixed_positions::{tradable, traded};
use crate::internal_price::at_fixed_positions;
use crate::tariff_band::bands;
use coase_core::mechanism::Mechanism;
use coase_core::outcome::Trade;
use coase_core::statistics::luck::permutation;
use coase_core::{Market, MechanismError, Outcome, RunContext, register};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// In every slot sellers and buyers, each side in a random order, meet one after the other; a pair trades the smaller of what
/// both have left, `min(surplus, deficit)`, at `(sell + buy) / 2`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RandomMatching {}

register!(RandomMatching, "random-matching", Baseline, "random pairs trade at the middle of the tariff",
    claims: [IndividuallyRational if "exports earn no carbon credit and prices lie within the tariff" => |_, here| at_fixed_positions(false, here), BudgetBalanced],
    needs: [Tariff, NoRequirement], information: Reports, source: "random encounter, as in Gode and Sunder (1993) without bids");

impl Mechanism for RandomMatching {
    fn run(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
        let net = tradable(market)?;
        let bands = bands(market)?;
        ctx.messages(market.len() * bands.len());
        let mut trades = vec![];
        for (slot, band) in bands.iter().enumerate() {
            let Some(band) = band else { continue };
            let price = Some(0.5 * (band.sell + band.buy));
            let side = |sign: f64, purpose: &str| -> Vec<(usize, f64)> {
                let all: Vec<(usize, f64)> =
                    net.iter().enumerate().map(|(i, x)| (i, sign * x[slot])).filter(|(_, kwh)| *kwh > 1e-6).collect();
                permutation(all.len(), &mut ctx.stream(purpose, 0, slot)).into_iter().map(|k| all[k]).collect()
            };
            let (mut sellers, mut buyers) = (side(1.0, "order of sellers"), side(-1.0, "order of buyers"));
            while let (Some((seller, has)), Some((buyer, wants))) = (sellers.last_mut(), buyers.last_mut()) {
                let quantity = has.min(*wants);
                trades.push(Trade { seller: *seller, buyer: *buyer, slot, quantity, price });
                (*has, *wants) = (*has - quantity, *wants - quantity);
                let (sold, served) = (*has <= 1e-9, *wants <= 1e-9);
                if sold {
                    sellers.pop();
                }
                if served {
                    buyers.pop();
                }
            }
        }
        Ok(traded(market, trades))
    }

    fn draws(&self) -> bool {
        true
    }
}
