//! Net billing: what a member feeds in counts against what it draws, before the tariff is applied and not after.

use crate::fixed_positions::positions;
use crate::tariff_band::bands;
use coase_core::mechanism::Mechanism;
use coase_core::{Certificate, Market, MechanismError, Outcome, Party, Reason, RunContext, register};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Imports `I` and exports `E` of each member are netted over the horizon: of the smaller of both it neither pays nor is paid.
///
/// Against a tariff period by period it gains `min(I, E) (buy - sell)`, with `buy` the mean price of its imports and `sell` that
/// of its exports. The operator pays it, for the margin is what the retailer would have had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NetBilling {}

register!(NetBilling, "net-billing", Baseline, "imports and exports netted over the horizon before the tariff",
    claims: [IndividuallyRational if "no member's exports are dearer than its imports" => |_, here| no_loss(here.market)],
    needs: [Tariff, NoRequirement], information: Reports, source: "net metering, as in many retail tariffs");

fn no_loss(market: &Market) -> Result<(), String> {
    let gifts = gifts(market).map_err(|error| error.to_string())?;
    match gifts.iter().position(|gift| *gift < 0.0) {
        None => Ok(()),
        Some(i) => Err(format!("{} exports when energy is dear", market.setting().members[i].id)),
    }
}

/// What a member gains by netting energy of these prices, per period: (kWh exported, price of an import, of an export).
fn gift(exchange: &[(f64, f64, f64)]) -> f64 {
    let (mut bought, mut paid, mut sold, mut received) = (0.0, 0.0, 0.0, 0.0);
    for (kwh, buy, sell) in exchange {
        let (import, export) = ((-kwh).max(0.0), kwh.max(0.0));
        bought += import;
        paid += buy * import;
        sold += export;
        received += sell * export;
    }
    if bought <= 0.0 || sold <= 0.0 {
        return 0.0;
    }
    bought.min(sold) * (paid / bought - received / sold)
}

fn gifts(market: &Market) -> Result<Vec<f64>, MechanismError> {
    let bands = bands(market)?;
    let of = |position: &Vec<f64>| {
        let known = position.iter().zip(&bands).filter_map(|(kwh, band)| band.map(|band| (*kwh, band.buy, band.sell)));
        gift(&known.collect::<Vec<_>>())
    };
    Ok(positions(market)?.iter().map(of).collect())
}

impl Mechanism for NetBilling {
    fn run(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
        ctx.messages(market.len() * market.setting().slots.len());
        let mut outcome = Outcome::new(market.setting());
        let gifts = gifts(market)?;
        for (i, gift) in gifts.iter().enumerate() {
            outcome.ledger.pay(Party::Operator, Party::Member(i), *gift, Reason::Other("net billing"));
        }
        let sum: f64 = gifts.iter().sum();
        outcome.evidence.push(Certificate::measure("netting_gift", sum, "what the retailer forgoes"));
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::gift;

    /// Exchanges (3, -4, 2) and (-2, 1, -6) at 1.0 / 0.4: gross bills 2 and 7.6, net ones -0.4 and 7.
    #[test]
    fn the_gift_is_the_difference_of_both_bills() {
        for (kwh, gross, net) in [([3.0, -4.0, 2.0], 2.0, -0.4), ([-2.0, 1.0, -6.0], 7.6, 7.0)] {
            let bill: f64 = kwh.iter().map(|x: &f64| (-x).max(0.0) - 0.4 * x.max(0.0)).sum();
            assert!((bill - gross).abs() < 1e-12);
            let found = gift(&kwh.map(|x| (x, 1.0, 0.4)));
            assert!((found - (gross - net)).abs() < 1e-12, "{found}");
        }
        assert_eq!(gift(&[(2.0, 1.0, 0.4), (1.0, 1.0, 0.4)]), 0.0);
    }
}
