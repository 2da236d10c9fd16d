//! What rules share that only divide up what everybody would exchange with the grid anyway.

use crate::canonical_payments::Priced;
use coase_core::market::Plan;
use coase_core::outcome::Trade;
use coase_core::setting::Product;
use coase_core::{Market, MechanismError, Outcome};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What counts as a seller's surplus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Surplus {
    /// What it feeds in without trade.
    #[default]
    Metered,
    /// That and what it curtails.
    Offered,
}

impl Surplus {
    /// # Errors
    /// Curtailed energy is offered, which costs its seller what its device does.
    pub(crate) fn metered(self) -> Result<(), String> {
        if self == Surplus::Metered { Ok(()) } else { Err("curtailed surplus is offered".into()) }
    }

    /// What of a member's curtailed energy counts as surplus in a slot, kWh: nothing where it draws from the network.
    pub(crate) fn of_curtailed_kwh(self, market: &Market, plan: &Plan, slot: usize) -> f64 {
        let setting = market.setting();
        if self == Surplus::Metered || plan.output[slot] <= -NO_POSITION_KWH {
            return 0.0;
        }
        let period = setting.slots[slot].period;
        let renewable = plan.devices.iter().filter(|device| !device.available_kw.is_empty());
        let unused_kw = renewable.map(|d| (d.available_kw[period] - d.power_kw[period]).max(0.0)).sum::<f64>();
        let curtailed = setting.periods.hours * unused_kw;
        if curtailed > NO_POSITION_KWH { curtailed } else { 0.0 }
    }
}

/// A smaller position is a solver's rounding, kWh.
pub(crate) const NO_POSITION_KWH: f64 = 1e-6;

/// Net output without trade of each member per slot, kWh; nothing where a slot is not energy.
pub(crate) fn positions(market: &Market) -> Result<Vec<Vec<f64>>, MechanismError> {
    let slots = &market.setting().slots;
    let energy =
        |(kwh, slot): (&f64, &coase_core::setting::Slot)| if slot.product == Product::Energy { *kwh } else { 0.0 };
    let alone = market.each(|local| local.autarky())?;
    Ok(alone.iter().map(|plan| plan.output.iter().zip(slots).map(energy).collect()).collect())
}

/// The same as far as members may trade it with their peers: the rest is exchanged with the grid.
pub(crate) fn tradable(market: &Market) -> Result<Vec<Vec<f64>>, MechanismError> {
    let mut all = positions(market)?;
    within_limits(market, &mut all);
    Ok(all)
}

/// Cuts positions of energy to what members may trade with their peers.
pub(crate) fn within_limits(market: &Market, positions: &mut [Vec<f64>]) {
    let setting = market.setting();
    for (i, of_member) in positions.iter_mut().enumerate() {
        for (kwh, _) in of_member.iter_mut().zip(&setting.slots).filter(|(_, slot)| slot.product == Product::Energy) {
            *kwh = setting.within_peer_limit(i, *kwh);
        }
    }
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
