//! The model, the market and the engine of Coase.
//!
//! A scenario becomes a [`market`]; a [`mechanism`] turns the market as reported into an [`outcome`]; the evaluator, which
//! trusts nobody and knows the true market, turns the outcome into figures.
//!
//! This crate knows no concrete mechanism, no file, no terminal and no figure.

pub mod auction;
pub mod book;
pub mod carbon_flow;
pub mod context;
pub mod declaration;
pub mod engine;
pub mod error;
pub mod evaluate;
pub mod game;
mod linear;
pub mod market;
pub mod mechanism;
pub mod network;
pub mod open;
pub mod opf;
pub mod outcome;
pub mod participant;
pub mod physical;
pub mod policy;
pub mod power_flow;
pub mod program;
pub mod quoted;
pub mod random;
pub mod record;
pub mod repair;
pub mod setting;
pub mod terms;
pub mod units;
mod words;

pub use context::{Observer, RunContext};
pub use error::MechanismError;
pub use inventory;
pub use market::{Allocation, Economy, Local, Market, Plan};
pub use mechanism::Mechanism;
pub use outcome::{Certificate, Claim, Ledger, Outcome, Party, Reason, Status};
pub use participant::{Participant, Report};
pub use schemars;
pub use words::Plain;
