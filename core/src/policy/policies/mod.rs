//! The carbon policies: one file each, registering itself.
//!
//! No policy knows another, a mechanism or a device.

mod allowance_trading;
mod cap_and_trade;
mod hard_cap;
mod integrated;
mod nodal_flow;
mod nodal_marginal;
mod none;
mod stepped;
mod stepped_nodal;
mod tax;
#[cfg(test)]
mod tests;

pub use allowance_trading::{AllowanceTrading, Credits};
pub use cap_and_trade::CapAndTrade;
pub use hard_cap::{CapScope, HardCap};
pub use integrated::{Form, Integrated, RootExport};
pub use nodal_flow::{Direct, ExportCredit, NodalFlow};
pub use nodal_marginal::NodalMarginal;
pub use none::NoPolicy;
pub use stepped::Stepped;
pub use stepped_nodal::SteppedNodal;
pub use tax::Tax;
