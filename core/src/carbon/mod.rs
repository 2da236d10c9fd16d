//! Carbon: emission flow through a network, embodied carbon of storage, policies.
//!
//! [`flow`], [`storage`] and [`contract`] take plain numbers and know neither networks nor markets: who only wants the
//! carbon flow of a feeder uses them alone.

pub mod contract;
pub mod flow;
mod policy;
pub mod storage;

pub use policy::{
    CarbonPolicy, PolicyError, PolicyHandle, PolicyPlugin, RegisteredPolicy, Responsibility, SignalKind, policies,
};
