//! Bill sharing: the community's bill is split in proportion to what everybody takes; what is generated and used inside
//! costs nothing.

use crate::fixed_positions::Surplus;
use crate::internal_price::{Balance, Positions, run};
use crate::tariff_band::Band;
use coase_core::mechanism::Mechanism;
use coase_core::{Market, MechanismError, Outcome, RunContext, register};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Over which time the bill is shared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Billing {
    /// Every slot by itself: `p_buy = buy (D - S)+ / D`, `p_sell = sell (S - D)+ / S`.
    #[default]
    Slot,
    /// The whole horizon: everybody's import bill is scaled by (community's import bill) / (sum of individual ones), and
    /// likewise for exports.
    Horizon,
}

/// The community's bill is split in proportion to what everybody takes; what is generated and used inside costs nothing.
///
/// With surplus `S` and deficit `D` of a slot, `p_buy = buy (D - S)+ / D` and `p_sell = sell (S - D)+ / S`. Sellers are paid
/// only for what the community exports, so it is not individually rational for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BillSharing {
    /// Billing period.
    pub billing: Billing,
    /// Whether positions answer to the internal prices; otherwise they are those without trade.
    pub responsive: bool,
    /// What counts as a surplus.
    pub positions: Surplus,
}

register!(BillSharing, "bill-sharing", Baseline, "the community's bill in proportion to consumption",
    claims: [BudgetBalanced], needs: [Tariff, NoRequirement], information: Reports, source: "Long et al. (2017)");

impl Mechanism for BillSharing {
    fn run(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
        let positions = Positions { responsive: self.responsive, surplus: self.positions };
        let mut outcome = run(market, ctx, &|bands, _| vec![0.0; bands.len()], positions)?;
        if self.billing == Billing::Horizon {
            horizon::share(market, &mut outcome)?;
        }
        Ok(outcome)
    }
}

mod horizon {
    //! The shares over the whole horizon: what everybody pays beyond its own exchange with the grid.

    use super::{Balance, Band};
    use crate::fixed_positions::tradable;
    use crate::tariff_band::bands;
    use coase_core::outcome::{Side, Signal};
    use coase_core::{Market, MechanismError, Outcome, Party, Reason};

    pub fn share(market: &Market, outcome: &mut Outcome) -> Result<(), MechanismError> {
        let bands: Vec<Option<Band>> = bands(market)?;
        let positions = tradable(market)?;
        let slots: Vec<(usize, Band, Balance)> =
            bands.iter().enumerate().filter_map(|(k, b)| b.map(|b| (k, b, balance(&positions, k)))).collect();
        let ratio = |community: f64, individual: f64| if individual > 0.0 { community / individual } else { 0.0 };
        let import = ratio(
            slots.iter().map(|(_, b, x)| b.buy * (x.deficit - x.surplus).max(0.0)).sum(),
            slots.iter().map(|(_, b, x)| b.buy * x.deficit).sum(),
        );
        let export = ratio(
            slots.iter().map(|(_, b, x)| b.sell * (x.surplus - x.deficit).max(0.0)).sum(),
            slots.iter().map(|(_, b, x)| b.sell * x.surplus).sum(),
        );
        for (i, position) in positions.iter().enumerate() {
            // The share of the bill, less what the member pays or gets for its own exchange with the grid.
            let owed: f64 = slots
                .iter()
                .map(|(k, band, _)| {
                    let rest = position[*k] - outcome.net[i][*k];
                    if position[*k] < 0.0 {
                        band.buy * (import * -position[*k] + rest)
                    } else {
                        band.sell * (rest - export * position[*k])
                    }
                })
                .sum();
            outcome.ledger.pay(Party::Member(i), Party::Operator, owed, Reason::Trade);
        }
        let signal = |side, pick: &dyn Fn(&Band) -> f64| Signal {
            side,
            member: None,
            price: bands.iter().map(|b| b.as_ref().map(pick)).collect(),
        };
        outcome.prices = vec![signal(Side::Sell, &|b| export * b.sell), signal(Side::Buy, &|b| import * b.buy)];
        Ok(())
    }

    fn balance(positions: &[Vec<f64>], slot: usize) -> Balance {
        let sum = |sign: f64| positions.iter().map(|x| (sign * x[slot]).max(0.0)).sum();
        Balance { surplus: sum(1.0), deficit: sum(-1.0) }
    }
}

#[cfg(test)]
mod tests {
    use crate::internal_price::oracle::{LONG, SHORT, assert_close, quoted};

    #[test]
    fn sellers_of_a_short_community_lose_against_the_feed_in_price() {
        let (short, gain) = quoted(&SHORT, |_| 0.0);
        assert_close(short.sell, 0.0);
        assert_close(short.buy, 0.375);
        assert_close(gain, -2.4);
        let (long, gain) = quoted(&LONG, |_| 0.0);
        assert_close(long.sell, 0.142_857_142_857_142_85);
        assert_close(long.buy, 0.0);
        assert_close(gain, -2.314_285_714_285_714);
    }
}
