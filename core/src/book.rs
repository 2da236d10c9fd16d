//! Bids: the steps of a participant's bid curve, and the book of one slot.
//!
//! Knows neither how bids come about nor who clears them.

use crate::setting::Prior;

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
    /// Public priors of the participants.
    pub priors: Vec<Option<Prior>>,
}

impl Book {
    /// Sorts both sides, best price first; ties go to the earlier participant.
    pub fn sort(&mut self) {
        self.buyers.sort_by(|a, b| b.price.total_cmp(&a.price).then(a.who.cmp(&b.who)));
        self.sellers.sort_by(|a, b| a.price.total_cmp(&b.price).then(a.who.cmp(&b.who)));
    }
}
