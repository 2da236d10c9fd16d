//! Supply-demand ratio pricing: the scarcer surplus is, the nearer its price comes to the retail price.

use crate::fixed_positions::Surplus;
use crate::internal_price::{Balance, Positions, at_fixed_positions, run};
use crate::tariff_band::Band;
use coase_core::mechanism::Mechanism;
use coase_core::{Market, MechanismError, Outcome, RunContext, register};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// With `r = S / D` and `L = sell + compensation`: for `r <= 1` the price is `L buy / ((buy - L) r + L)`, and buyers pay
/// `p r + buy (1 - r)` on average; for `r > 1` what is matched costs `L`, and sellers get `sell + compensation / r`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SupplyDemandRatio {
    /// What sellers get above the feed-in price even in a surplus, per kWh; at most the width of the tariff.
    #[schemars(range(min = 0.0))]
    pub compensation_per_kwh: f64,
    /// Whether positions answer to the internal prices; otherwise they are those without trade.
    pub responsive: bool,
    /// What counts as a surplus.
    pub positions: Surplus,
}

register!(SupplyDemandRatio, "supply-demand-ratio", Baseline, "prices follow the ratio of surplus to deficit",
    claims: [IndividuallyRational if "positions are metered and do not respond, exports earn no carbon credit and prices lie within the tariff" => |of, here| of.positions.metered().and_then(|()| at_fixed_positions(of.responsive, here)), BudgetBalanced],
    needs: [Tariff, NoRequirement], information: Reports, source: "Liu et al. (2017); compensation: Zhou et al. (2018)");

impl Mechanism for SupplyDemandRatio {
    fn run(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
        if !(self.compensation_per_kwh >= 0.0 && self.compensation_per_kwh.is_finite()) {
            return Err(MechanismError::Parameter {
                name: "compensation_per_kwh",
                value: self.compensation_per_kwh.to_string(),
                expected: "a finite number, not negative",
            });
        }
        let positions = Positions { responsive: self.responsive, surplus: self.positions };
        let price = |(band, balance): (&Option<Band>, &Balance)| {
            band.map_or(0.0, |b| matched_price(b, *balance, self.compensation_per_kwh))
        };
        run(market, ctx, &|bands, balances| bands.iter().zip(balances).map(price).collect(), positions)
    }
}

/// Price of matched energy.
fn matched_price(band: Band, balance: Balance, compensation: f64) -> f64 {
    let low = (band.sell + compensation).min(band.buy);
    if balance.deficit <= 0.0 || balance.surplus > balance.deficit {
        return low;
    }
    let ratio = balance.surplus / balance.deficit;
    let denominator = (band.buy - low) * ratio + low;
    // A feed-in price of zero makes the rule 0/0 at r = 0, where nothing is matched anyway.
    if denominator.abs() < 1e-12 { band.buy } else { low * band.buy / denominator }
}

#[cfg(test)]
mod tests {
    use super::matched_price;
    use crate::internal_price::oracle::{BAND, LONG, SHORT, assert_close, quoted};

    #[test]
    fn quoted_prices_are_those_of_the_rule() {
        let plain = |b| matched_price(BAND, b, 0.0);
        let (short, gain) = quoted(&SHORT, plain);
        assert_close(short.sell, 0.516_129_032_258_064_5);
        assert_close(short.buy, 0.697_580_645_161_290_3);
        assert_close(gain, 0.464_516_129_032_258_1);
        let (long, gain) = quoted(&LONG, plain);
        assert_close(long.sell, 0.4);
        assert_close(long.buy, 0.4);
        assert_close(gain, 0.0);
    }

    #[test]
    fn compensation_lifts_sellers_above_the_feed_in_price() {
        let lifted = |b| matched_price(BAND, b, 0.05);
        let (short, gain) = quoted(&SHORT, lifted);
        assert_close(short.sell, 0.566_929_133_858_267_7);
        assert_close(short.buy, 0.729_330_708_661_417_3);
        assert_close(gain, 0.667_716_535_433_070_9);
        let (long, gain) = quoted(&LONG, lifted);
        assert_close(long.sell, 0.432_142_857_142_857_1);
        assert_close(long.buy, 0.45);
        assert_close(gain, 0.160_714_285_714_285_7);
    }

    #[test]
    fn price_is_continuous_where_surplus_meets_deficit() {
        let at = |s: f64| matched_price(BAND, crate::internal_price::Balance { surplus: s, deficit: 10.0 }, 0.05);
        assert!((at(10.0 - 1e-9) - at(10.0 + 1e-9)).abs() < 1e-8);
    }
}
