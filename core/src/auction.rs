//! Books of orders, and the auctions that need nothing else.

/// One step of a bid curve: a quantity and the price at which it changes hands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Order {
    /// Position of the participant.
    pub who: usize,
    /// Price per kWh.
    pub price: f64,
    /// kWh; in a participant's own steps a positive quantity sells and a negative one buys.
    pub quantity: f64,
}
