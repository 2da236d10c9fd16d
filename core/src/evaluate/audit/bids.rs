//! A market that is nothing but a list of bids: what an audit of an auction needs.

use crate::market::Market;
use crate::participant::{Participant, Step, Steps, StepsError};
use crate::setting::{Member, Periods, Rating, Role, Setting, Tariff};
use std::sync::Arc;

/// Somebody known by bids alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Bidder {
    /// Its name.
    pub id: String,
    /// Whether it sells; else it buys.
    pub sells: bool,
    /// Verifiable size, kWh: no report claims more.
    pub rating_kwh: f64,
    /// Price per kWh and kWh of each block.
    pub blocks: Vec<(f64, f64)>,
}

/// The market of these bidders, one hour long. Its tariff is beyond every bid by as much as the bids are apart: nobody would
/// rather trade with the grid, and no report that is tried comes to be cut off by it.
///
/// # Errors
/// Prices or quantities that are not numbers.
pub fn market_of_bids(bidders: &[Bidder]) -> Result<Market, StepsError> {
    let prices = || bidders.iter().flat_map(|bidder| bidder.blocks.iter().map(|block| block.0));
    let (low, high) = prices().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), p| (l.min(p), h.max(p)));
    let (low, high) = if low <= high { (low, high) } else { (0.0, 0.0) };
    let beyond = (high - low).max(1.0);
    let tariff = Tariff {
        buy_per_kwh: vec![high + beyond],
        sell_per_kwh: vec![low - beyond],
        intensity_kg_per_kwh: vec![0.0],
        upstream_carbon_per_tonne: 0.0,
    };
    market(bidders, Some(tariff))
}

/// The market of these bidders, who can trade with nobody but each other.
pub(super) fn market_without_grid(bidders: &[Bidder]) -> Result<Market, StepsError> {
    market(bidders, None)
}

fn market(bidders: &[Bidder], tariff: Option<Tariff>) -> Result<Market, StepsError> {
    let participant = |bidder: &Bidder| -> Result<Arc<dyn Participant>, StepsError> {
        let sign = if bidder.sells { 1.0 } else { -1.0 };
        let step = |&(price_per_kwh, kwh): &(f64, f64)| Step { price_per_kwh, quantity_kwh: sign * kwh };
        Ok(Arc::new(Steps::new(&bidder.id, vec![bidder.blocks.iter().map(step).collect()])?))
    };
    let participants = bidders.iter().map(participant).collect::<Result<_, _>>()?;
    let member = |bidder: &Bidder| {
        let kw = bidder.rating_kwh;
        let (supply_kw, demand_kw) = if bidder.sells { (kw, 0.0) } else { (0.0, kw) };
        Member {
            rating: Rating { supply_kw, demand_kw },
            roles: vec![if bidder.sells { Role::Seller } else { Role::Buyer }],
            ..Member::new(&bidder.id, kw, kw)
        }
    };
    let members = bidders.iter().map(member).collect();
    let setting = Setting::energy(Periods { count: 1, hours: 1.0 }, tariff, None, members);
    Ok(Market::new(setting, participants))
}
