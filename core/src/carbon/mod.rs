//! Carbon: emission flow through a network, embodied carbon of storage, policies.
//!
//! [`flow`], [`storage`] and [`contract`] take plain numbers and know neither networks nor markets: who only wants the
//! carbon flow of a feeder uses them alone.

pub mod accounts;
pub mod contract;
mod flat;
pub mod flow;
mod modified;
mod modifiers;
pub mod nodal;
mod node_prices;
pub mod policies;
mod policy;
mod recycling;
mod scarcity;
pub mod storage;

pub use accounts::Quota;
pub use modified::{CARBON, CARBON_REFUND, Modified, NODAL, RegisteredRule, Rule, nested};
pub use modifiers::{Coverage, ImportBase, Modifiers, Recycling};
pub use node_prices::NodePrices;
pub use policy::{
    CarbonPolicy, MarginalPrice, POLICY_CLAIM, PolicyError, PolicyHandle, PolicyPlugin, RegisteredPolicy,
    Responsibility, SignalKind, policies,
};
pub use scarcity::Scarcity;
