//! Mid-market rate: what can be matched inside the community changes hands at the middle of the tariff.

use crate::fixed_positions::Surplus;
use crate::internal_price::{Positions, at_fixed_positions, run};
use coase_core::mechanism::Mechanism;
use coase_core::{Market, MechanismError, Outcome, RunContext, register};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// With `mid = (sell + buy) / 2`: a short community sells at `mid` and buys at `(S mid + (D - S) buy) / D`; a long one buys
/// at `mid` and sells at `(D mid + (S - D) sell) / S`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MidMarketRate {
    /// Whether positions answer to the internal prices; otherwise they are those without trade.
    pub responsive: bool,
    /// What counts as a surplus.
    pub positions: Surplus,
}

register!(MidMarketRate, "mid-market-rate", Baseline, "matched energy at the middle of the tariff",
    claims: [IndividuallyRational if "positions are metered and do not respond, exports earn no carbon credit and prices lie within the tariff" => |of, here| of.positions.metered().and_then(|()| at_fixed_positions(of.responsive, here)), BudgetBalanced],
    needs: [Tariff, NoRequirement], information: Reports, source: "Long et al. (2017)");

impl Mechanism for MidMarketRate {
    fn run(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
        let positions = Positions { responsive: self.responsive, surplus: self.positions };
        run(
            market,
            ctx,
            &|bands, _| bands.iter().map(|b| b.map_or(0.0, |b| 0.5 * (b.sell + b.buy))).collect(),
            positions,
        )
    }
}

#[cfg(test)]
mod tests {
    use crate::internal_price::oracle::{LONG, SHORT, assert_close, quoted};

    #[test]
    fn quoted_prices_are_those_of_the_rule() {
        let (short, gain) = quoted(&SHORT, |_| 0.7);
        assert_close(short.sell, 0.7);
        assert_close(short.buy, 0.8125);
        assert_close(gain, 0.5625);
        let (long, gain) = quoted(&LONG, |_| 0.7);
        assert_close(long.sell, 0.592_857_142_857_142_9);
        assert_close(long.buy, 0.7);
        assert_close(gain, 0.6);
    }
}
