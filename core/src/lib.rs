//! The model, the market and the engine of Coase.
//!
//! A scenario becomes a [`market`]; a [`mechanism`] turns the market as reported into an [`outcome`]; the evaluator, which
//! trusts nobody and knows the true market, turns the outcome into figures.
//!
//! ```
//! use coase_core::participant::{Step, Steps};
//! use coase_core::setting::{Member, Periods, Setting};
//! use coase_core::{Market, Participant};
//! use std::sync::Arc;
//!
//! // One sells up to 10 kWh at 0.30 or more, the other buys up to 6 kWh at 0.50 or less.
//! let bids = |id: &str, price_per_kwh, quantity_kwh| -> Arc<dyn Participant> {
//!     Arc::new(Steps::new(id, vec![vec![Step { price_per_kwh, quantity_kwh }]]).expect("finite numbers"))
//! };
//! let members = vec![Member::new("seller", 0.0, 10.0), Member::new("buyer", 10.0, 0.0)];
//! let setting = Setting::energy(Periods { count: 1, hours: 1.0 }, None, None, members);
//! let market = Market::new(setting, vec![bids("seller", 0.30, 10.0), bids("buyer", 0.50, -6.0)]);
//!
//! let best = market.solve(&market.grand())?;
//! assert!((best.cost + 6.0 * (0.50 - 0.30)).abs() < 1e-6, "the gain of trade, as a cost");
//! assert!((best.price[0] - 0.30).abs() < 1e-6, "the seller has energy to spare");
//! # Ok::<(), coase_core::program::SolveError>(())
//! ```
//!
//! Modules stand in layers, which `ARCHITECTURE.md` describes and a test keeps. This crate knows no concrete mechanism, no
//! file, no terminal and no figure.

pub mod auction;
pub mod book;
pub mod carbon_flow;
pub mod coalition;
pub mod context;
pub mod cournot;
pub mod curve;
pub mod declaration;
pub mod engine;
pub mod error;
pub mod evaluate;
pub mod game;
pub mod learning;
mod linear;
#[doc(hidden)]
pub mod macro_support;
pub mod market;
pub mod mechanism;
pub mod network;
pub mod open;
pub mod opf;
pub mod outcome;
pub mod participant;
pub mod physical;
pub mod plain_game;
pub mod policy;
pub mod population;
pub mod power_flow;
pub mod pricing;
pub mod program;
pub mod quoted;
pub mod random;
pub mod record;
pub mod repair;
pub mod reporting;
pub mod series;
pub mod setting;
pub mod statistics;
mod table;
pub mod terms;
pub mod units;
pub mod variational;
pub mod words;

pub use context::{Observer, RunContext};
pub use curve::Curve;
pub use error::MechanismError;
pub use market::{Allocation, Economy, Local, Market, Plan};
pub use mechanism::Mechanism;
pub use outcome::{Certificate, Claim, Ledger, Outcome, Party, Reason, Status};
pub use participant::{Participant, Report};
pub use plain_game::PlainGame;
pub use schemars;
pub use words::{Plain, intern, number};
