//! AC and DC power flow, and how the AC flow answers to small changes.
//!
//! [`PowerFlow`] prepares a network once and solves it for many injections: by backward-forward sweep on radial
//! networks, by Newton's method elsewhere and wherever the sweep gives up. The equations have several solutions: what is
//! returned is the operating state, the one that goes on from the network without load, or an error that says that there
//! is none. Per unit lives in here only; what goes in and comes out is kW, kvar and volts per unit.
//!
//! It must not know participants, prices, carbon or time.
//!
//! ```
//! use coase_core::network::built_in;
//! use coase_core::power_flow::{Injections, PowerFlow};
//!
//! let network = built_in("ieee-33").expect("embedded").network()?;
//! let flow = PowerFlow::new(&network)?.solve(&Injections::of(&network))?;
//! assert!((flow.loss_kw - 202.677).abs() < 1e-3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod admittance;
mod complex;
mod continuation;
mod dc;
mod error;
mod flow;
mod injections;
mod lin_dist;
mod newton;
mod sensitivity;
mod solver;
mod start;
mod sweep;

pub use dc::{DcFlow, Ptdf, dc_flow};
pub use error::PowerFlowError;
pub use flow::{BranchFlow, Flow, Method, SlackFlow, Voltage};
pub use injections::Injections;
pub use lin_dist::{LinDistFlow, lin_dist_flow};
pub use sensitivity::{Response, Sensitivities, Weights};
pub use solver::PowerFlow;

#[cfg(test)]
mod tests;
