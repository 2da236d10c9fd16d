//! Posted price: the operator posts one price per period inside the tariff; everybody says what it would trade at that
//! price, and the long side is rationed in proportion.

use coase_core::mechanism::{Here, Mechanism};
use coase_core::outcome::{Side, Signal, pro_rata};
use coase_core::schemars::{self, JsonSchema};
use coase_core::{Market, MechanismError, Outcome, Party, Reason, RunContext, register};
use serde::{Deserialize, Serialize};

/// The price is `sell + share (buy - sell)` of the grid's tariff.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PostedPrice {
    /// Where between the grid's selling (0) and buying price (1).
    #[schemars(range(min = 0.0, max = 1.0))]
    pub share: f64,
}

impl Default for PostedPrice {
    fn default() -> Self {
        Self { share: 0.5 }
    }
}

register!(PostedPrice, "posted-price", Baseline, "one price inside the tariff, the long side rationed",
    claims: [BudgetBalanced, IndividuallyRational if "there is one period" => one_period], needs: [Tariff, NoRequirement],
    information: Prices, source: "an example");

fn one_period(_: &PostedPrice, here: &Here<'_>) -> Result<(), String> {
    let periods = here.market.setting().periods.count;
    if periods == 1 { Ok(()) } else { Err(format!("there are {periods}")) }
}

impl Mechanism for PostedPrice {
    fn run(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
        if !(0.0..=1.0).contains(&self.share) {
            let value = self.share.to_string();
            return Err(MechanismError::Parameter { name: "share", value, expected: "between 0 and 1" });
        }
        let setting = market.setting();
        let tariff = setting.tariff.as_ref().ok_or(MechanismError::Unmet { need: "a tariff" })?;
        let posted = |period: usize| {
            let (sell, buy) = (tariff.sell_per_kwh[period], tariff.buy_per_kwh[period]);
            sell + self.share * (buy - sell)
        };
        let price: Vec<f64> = setting.slots.iter().map(|slot| posted(slot.period)).collect();

        let wishes: Vec<Vec<f64>> =
            market.each(|participant| participant.respond(&price))?.into_iter().map(|plan| plan.trade).collect();
        ctx.messages(2 * market.len() * price.len());

        let mut outcome = Outcome::new(market.setting());
        let mut trades = pro_rata(&wishes);
        for trade in &mut trades {
            trade.price = Some(price[trade.slot]);
            outcome.net[trade.seller][trade.slot] += trade.quantity;
            outcome.net[trade.buyer][trade.slot] -= trade.quantity;
            let (from, to) = (Party::Member(trade.buyer), Party::Member(trade.seller));
            outcome.ledger.pay(from, to, price[trade.slot] * trade.quantity, Reason::Trade);
        }
        outcome.trades = Some(trades);
        outcome.prices.push(Signal { side: Side::Both, member: None, price: price.into_iter().map(Some).collect() });
        Ok(outcome)
    }
}
