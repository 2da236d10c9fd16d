//! The price of a kilowatt-hour at a node, and what it is made of.

/// A nodal price per kWh, dC/dd, in five parts.
///
/// `carbon` is the part for frozen generation: the slack supplies what is asked for and pays for its emissions, those of
/// the losses included. The other split, price of carbon x marginal emissions, comes with the marginal emissions.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Price {
    /// Cost of the slack's next kWh without carbon: the price there.
    pub energy: f64,
    /// Losses on the way at that price, and the reactive power that they ask for.
    pub loss: f64,
    /// Flow limits.
    pub congestion: f64,
    /// Voltage limits.
    pub voltage: f64,
    /// Emissions of the slack's supply.
    pub carbon: f64,
}

impl Price {
    /// The price itself.
    pub fn per_kwh(&self) -> f64 {
        self.energy + self.loss + self.congestion + self.voltage + self.carbon
    }
}
