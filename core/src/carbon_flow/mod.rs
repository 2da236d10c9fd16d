//! Carbon emission flow: where the carbon of the sources ends up, by proportional sharing.
//!
//! At every node the outflows carry the mix of the inflows (Bialek 1996; Kirschen, Allan and Strbac 1997; as carbon
//! emission flow Kang, Zhou and others 2012). With `P_N` the throughflow of a node, counted on the inflow side,
//!
//! ```text
//! P_N(n) w_n = sum over branches i -> n of P_in w_i + sum over sources g at n of P_g e_g
//! ```
//!
//! and `w_n` (kg/kWh) is a convex combination of the intensities `e_g`. Only active power carries carbon.
//!
//! [`storage`] follows the carbon in stored energy, [`contract`] that of energy sold by contract.
//!
//! This module knows no power flow, no market and no policy: flows, sources and, if wanted, loads are plain data
//! ([`FlowGraph::of`] takes them from a network).
//!
//! ```
//! use coase_core::carbon_flow::{FlowGraph, LossRule, trace};
//!
//! // Two kilowatts lost between a grid connection and a node with a clean generator.
//! let mut graph = FlowGraph::new(2);
//! graph.branch(0, 1, 62.0, -60.0);
//! graph.source(0, 62.0, 0.581);
//! graph.source(1, 40.0, 0.0);
//!
//! let flow = trace(&graph, LossRule::Explicit)?;
//! let w = flow.intensity_kg_per_kwh[1].expect("node 1 has throughflow");
//! assert!((w - 0.581 * 60.0 / 100.0).abs() < 1e-12);
//! assert!((flow.total_load_kg_per_h() + flow.total_loss_kg_per_h() - 0.581 * 62.0).abs() < 1e-12);
//!
//! // If the loads pay for the losses, they bear all of it.
//! let flow = trace(&graph, LossRule::LoadsPay)?;
//! assert!((flow.load_kg_per_h[1] - 0.581 * 62.0).abs() < 1e-12);
//! # Ok::<(), coase_core::carbon_flow::CarbonFlowError>(())
//! ```

pub mod contract;
mod elimination;
mod error;
#[cfg(test)]
mod examples;
mod graph;
mod orient;
#[cfg(test)]
mod properties;
mod signal;
pub mod storage;
mod system;
mod trace;

pub use error::CarbonFlowError;
pub use graph::{BranchFlow, DEFAULT_THRESHOLD_KW, FlowGraph, Member, Source};
pub use signal::Fallback;
pub use trace::{BranchCarbon, CarbonFlow, LossRule, trace};
