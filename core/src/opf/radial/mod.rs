//! The AC optimal power flow of radial networks.
//!
//! The branch-flow equations of Baran and Wu (1989) are solved as they are, by one interior point that forms no cone; a
//! solver-free certificate then proves the answer globally optimal, or a convex relaxation bounds how far it may be from
//! it. Prices come from the adjoint of the power flow, which is linear in its sources, so that their parts add up exactly.
//!
//! Per unit lives in here only, on a base of the hour's own load. It must not know participants or carbon policies: a
//! price on carbon comes in as money per kWh, an intensity as kg per kWh.

mod adjoint;
mod ask;
mod block;
mod block_prices;
mod certificate;
mod feeder;
mod formulation;
mod proof;
mod report;
mod response;
mod result;
mod solve;
mod solved;

pub use ask::{Control, Hour, Import};
pub use block::{NetworkBlock, Withdrawal};
pub use certificate::OptimalityCertificate;
pub(super) use feeder::Line;
pub use proof::{LimitDuals, certify, certify_with_slack};
pub use result::{BusResult, Dispatch, Status, Violation};
pub use solve::RadialOpf;

#[cfg(test)]
mod tests;
