//! An aggregator between members and the grid: it buys from them above what the grid pays, sells to them below what the grid
//! asks, and keeps the margin.

use crate::fixed_positions::{share, tradable};
use crate::internal_price::at_fixed_positions;
use crate::tariff_band::bands;
use coase_core::mechanism::Mechanism;
use coase_core::outcome::{Pairs, Side, Signal};
use coase_core::{Market, MechanismError, Outcome, Party, Reason, RunContext, register};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What members can exchange among themselves, `min(surplus, deficit)` in proportion to what each has, is bought at
/// `p_b = sell + bid_share (buy - sell)` and sold at `p_s = p_b + margin_share (buy - p_b)`; the aggregator keeps `p_s - p_b`
/// per kWh.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Aggregator {
    /// Where between the grid's prices it buys: 0 at what the grid pays.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub bid_share: f64,
    /// How far from there to what the grid asks it sells: 0 without a margin, 1 at what the grid asks.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub margin_share: f64,
}

impl Default for Aggregator {
    fn default() -> Self {
        Self { bid_share: 0.25, margin_share: 0.5 }
    }
}

register!(Aggregator, "aggregator", Baseline, "an intermediary buys low, sells high and keeps the margin",
    claims: [IndividuallyRational if "exports earn no carbon credit and prices lie within the tariff" => |_, here| at_fixed_positions(false, here), NoDeficit],
    needs: [Tariff, NoRequirement], information: Reports, source: "the retail aggregator of reviews of local markets");

impl Mechanism for Aggregator {
    fn run(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
        let bid = share("bid_share", self.bid_share)?;
        let ask = bid + share("margin_share", self.margin_share)? * (1.0 - bid);
        let net = tradable(market)?;
        let bands = bands(market)?;
        ctx.messages(market.len() * bands.len());
        let setting = market.setting();
        let mut outcome = Outcome::new(setting);
        let at = |share: f64| -> Vec<Option<f64>> {
            bands.iter().map(|band| band.map(|band| band.sell + share * (band.buy - band.sell))).collect()
        };
        let (bids, asks) = (at(bid), at(ask));
        for trade in Pairs::All.trades(&net) {
            let (Some(bid), Some(ask)) = (bids[trade.slot], asks[trade.slot]) else { continue };
            outcome.net[trade.seller][trade.slot] += trade.quantity;
            outcome.net[trade.buyer][trade.slot] -= trade.quantity;
            let product = Some(setting.slots[trade.slot].product);
            let (seller, buyer) = (Party::Member(trade.seller), Party::Member(trade.buyer));
            outcome.ledger.pay_for(Party::Operator, seller, bid * trade.quantity, Reason::Trade, product);
            outcome.ledger.pay_for(buyer, Party::Operator, ask * trade.quantity, Reason::Trade, product);
        }
        outcome.prices.push(Signal { side: Side::Sell, member: None, price: bids });
        outcome.prices.push(Signal { side: Side::Buy, member: None, price: asks });
        Ok(outcome)
    }
}
