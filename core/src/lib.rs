//! The model, the market and the engine of Coase.
//!
//! A scenario becomes a [`market`]; a [`mechanism`] turns the market as reported into an outcome; the evaluator, which
//! trusts nobody and knows the true market, turns the outcome into figures.
//!
//! This crate knows no concrete mechanism, no file, no terminal and no figure.

pub mod auction;
pub mod carbon;
mod linear;
pub mod network;
pub mod participant;
pub mod power_flow;
pub mod program;
pub mod random;
pub mod setting;
pub mod terms;
pub mod units;
