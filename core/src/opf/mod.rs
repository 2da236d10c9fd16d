//! Optimal power flow: the cheapest dispatch that the network can carry, and what one more kilowatt costs where.
//!
//! `dc` is for meshed networks without losses, `lin_dist_flow` for radial ones without losses; both are a
//! [`Program`](crate::program::Program). `flow_in_loop` is the former with carbon charged along its flows. `radial` keeps the AC equations of radial networks; inside it stand two things
//! that know no solver, the adjoint (prices at a given flow) and the certificate (a proof that a flow is within a gap of
//! the best). `ac` asks it about a network as its file has it.
//!
//! Per unit is used inside only; results are in kW, per kWh and per hour. This module knows networks, costs and
//! intensities. It knows no participant, no market, no carbon policy beyond a price per tonne, and no file.

mod ac;
mod carbon;
mod dc;
mod error;
mod flow_in_loop;
mod lin_dist_flow;
mod lines;
mod loops;
mod optimum;
mod piecewise;
mod prices;
mod radial;
mod response;
mod slack;
mod supply;

pub use ac::{AcOpf, ac_opf, relaxed_opf};
pub use carbon::{CarbonPricing, OpfCarbon};
pub use dc::{DcOpf, dc_opf, dc_program};
pub use error::OpfError;
pub use flow_in_loop::{ConsumptionPricing, FlowInLoopOpf, flow_in_loop_opf};
pub use lin_dist_flow::{LinDistOpf, lin_dist_opf};
pub use prices::Price;
pub use radial::{
    BusResult, Control, Dispatch, Hour, Import, LimitDuals, NetworkBlock, OptimalityCertificate, RadialOpf, Status,
    Violation, Withdrawal, certify, certify_with_slack,
};
pub use slack::SlackVoltage;
