//! The carbon policies: one file each, registering itself.
//!
//! No policy knows another, a mechanism or a device.

mod allowance_trading;
mod cap_and_trade;
mod hard_cap;
mod none;
mod stepped;
mod tax;
#[cfg(test)]
mod tests;

pub use allowance_trading::{AllowanceTrading, Credits};
pub use cap_and_trade::CapAndTrade;
pub use hard_cap::{CapScope, HardCap};
pub use none::NoPolicy;
pub use stepped::Stepped;
pub use tax::Tax;
