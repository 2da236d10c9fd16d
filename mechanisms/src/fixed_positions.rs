//! What rules share that only divide up what everybody would exchange with the grid anyway.

use crate::canonical_payments::Priced;
use coase_core::outcome::Trade;
use coase_core::setting::Product;
use coase_core::{Market, MechanismError, Outcome};

/// Net output without trade of each member per slot, kWh; nothing where a slot is not energy.
pub(crate) fn positions(market: &Market) -> Result<Vec<Vec<f64>>, MechanismError> {
    let slots = &market.setting().slots;
    let energy =
        |(kwh, slot): (&f64, &coase_core::setting::Slot)| if slot.product == Product::Energy { *kwh } else { 0.0 };
    let alone = market.each(|local| local.autarky())?;
    Ok(alone.iter().map(|plan| plan.output.iter().zip(slots).map(energy).collect()).collect())
}

/// The outcome of trades that carry their prices, paid between the pairs.
pub(crate) fn traded(market: &Market, trades: Vec<Trade>) -> Outcome {
    let setting = market.setting();
    let mut outcome = Outcome::new(setting);
    for trade in &trades {
        outcome.net[trade.seller][trade.slot] += trade.quantity;
        outcome.net[trade.buyer][trade.slot] -= trade.quantity;
    }
    Priced::between_all(trades, vec![0.0; market.len()], setting.slots.len()).enter(market, &mut outcome);
    outcome
}

/// A share of the way from what the grid pays to what it asks, which must lie between both.
///
/// # Errors
/// A share that lies elsewhere.
pub(crate) fn share(name: &'static str, share: f64) -> Result<f64, MechanismError> {
    if (0.0..=1.0).contains(&share) {
        return Ok(share);
    }
    Err(MechanismError::Parameter { name, value: share.to_string(), expected: "at least 0 and at most 1" })
}
