//! Carbon policies: the trait, its registry, what every policy can be modified by, and the ten policies of this crate.
//!
//! A policy gives every member its terms and says who pays for which kilograms of a physical outcome. It knows no
//! mechanism, no device and no file.

pub mod accounts;
mod carbon_policy;
mod error;
mod flat;
mod modified;
mod modifiers;
pub mod nodal;
mod node_prices;
pub mod policies;
mod recycling;
mod responsibility;
mod rule;
mod scarcity;
mod signal;

pub use accounts::Quota;
pub use carbon_policy::{CarbonPolicy, PolicyHandle, PolicyPlugin, RegisteredPolicy, SignalKind, add_policy, policies};
pub use error::PolicyError;
pub use modified::{Modified, RegisteredRule};
pub use modifiers::{Coverage, ImportBase, Modifiers, Recycling};
pub use node_prices::NodePrices;
pub use responsibility::{MarginalPrice, POLICY_CLAIM, Responsibility};
pub use rule::{Announced, NodalRule, Rule, ScarcityRule, SharesRule, feeder_account, nested, priced_by_accounts};
pub use scarcity::Scarcity;
pub use signal::{NodalSignal, Shares, Signal};
