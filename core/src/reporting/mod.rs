//! The report rules of this crate: behaviour as an axis of experiments.
//!
//! A rule stands above the evaluator, for a best response is judged by what it truly brings. The trait and the registry are
//! those of the engine ([`crate::engine::ReportRule`]).

mod best_response;
mod distorted;
mod exp3;
mod fictitious_play;
mod grid;
mod hedge;
mod learned;
mod logit_response;
mod misstated_device;
mod misstated_side;
mod regret_matching;
mod truthful;
mod zero_intelligence;

pub use best_response::{BestResponse, Misreport};
pub use distorted::Distorted;
pub use exp3::Exp3;
pub use fictitious_play::FictitiousPlay;
pub use hedge::Hedge;
pub use logit_response::LogitResponse;
pub use misstated_device::{DeviceSaid, MisstatedDevice};
pub use misstated_side::{MisstatedSide, Side, SideSaid};
pub use regret_matching::RegretMatching;
pub use truthful::Truthful;
pub use zero_intelligence::ZeroIntelligence;
