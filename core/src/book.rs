//! Bids: the steps of a participant's bid curve, and the book of one slot.
//!
//! Knows neither how bids come about nor who clears them.

use crate::setting::{Prior, Role};

/// Greatest price per kWh that an auction counts exactly, of either sign.
pub const MOST_PRICE_PER_KWH: f64 = 1e6;
/// Greatest energy of one side of a book that an auction counts exactly, kWh.
pub const MOST_ENERGY_KWH: f64 = 1e9;
/// The unit in which auctions count energy, kWh; prices are counted in the same fraction of the currency per kWh.
pub const LEAST_ENERGY_KWH: f64 = 1e-9;

/// One step of a bid curve: a quantity and the price at which it changes hands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Order {
    /// Position of the participant.
    pub who: usize,
    /// Price per kWh.
    pub price: f64,
    /// kWh; in a participant's own steps a positive quantity sells and a negative one buys; in a book it is positive.
    pub quantity: f64,
}

/// What one participant bids in a slot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BidCurve {
    /// Its steps, best first on each side.
    pub orders: Vec<Order>,
    /// By how much they overstate its cost, or understate its value, at most: steps of a sloped curve do.
    pub step_error: f64,
}

/// The bids of one slot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Book {
    /// The slot that they are for.
    pub slot: usize,
    /// Bids, best (highest) price first.
    pub buyers: Vec<Order>,
    /// Asks, best (lowest) price first.
    pub sellers: Vec<Order>,
    /// Verifiable size of each participant, kWh in the slot.
    pub rating_kwh: Vec<f64>,
    /// Public side of each participant, whether or not it bids; empty where nothing but the bids says who stands where.
    pub roles: Vec<Role>,
    /// Public priors of the participants.
    pub priors: Vec<Option<Prior>>,
    /// By how much the steps of a participant's bids overstate its cost, or understate its value, at most.
    pub step_error: f64,
}

impl Book {
    /// Sorts both sides, best price first; ties go to the earlier participant.
    pub fn sort(&mut self) {
        self.buyers.sort_by(|a, b| b.price.total_cmp(&a.price).then(a.who.cmp(&b.who)));
        self.sellers.sort_by(|a, b| a.price.total_cmp(&b.price).then(a.who.cmp(&b.who)));
    }
}
