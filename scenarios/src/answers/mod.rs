//! Questions to a network alone: what flows in it, and what it is best operated with, carbon included; games on plain numbers;
//! and auctions of plain bids.
//!
//! The answers have the units and names of the command line, which prints them as JSON or for people: whoever asks in another
//! way gets the same. Knows networks and their solvers, and no scenario and no terminal.

mod auction;
mod carbon_file;
mod flow;
mod game;
mod opf;

pub use auction::{
    Auction, AuctionAnswer, AuctionError, AuditedList, BidBlock, Bidder, Bids, Bought, Heard, HeardBidder,
    ListAuditOptions, Sold, Withheld, WrongOffers, auction_schema, is_auction, read_auction, read_auction_text,
    read_offers, written_offers,
};
pub use carbon_file::{Carbon, CarbonFile, Generation};
pub use flow::{CarbonAnswer, FlowAnswer, FlowBranch, FlowBus, FlowQuestion};
pub use game::{
    Coalitions, CoalitionsAnswer, Cournot, CournotAnswer, CournotSeller, CournotStep, Game, GameAnswer, GameError,
    NormalForm, NormalFormAnswer, NormalFormPlayer, Population, PopulationAnswer, PopulationBuyer, PopulationSeller,
    Pricing, PricingAnswer, PricingBuyer, PricingSeller, Sheet, game_schema, plays_games, read_game, read_game_text,
};
pub use opf::{OpfAnswer, OpfBus, OpfFormulation, OpfGenerator, OpfQuestion};

pub(crate) use auction::declarations as auction_declarations;
pub(crate) use game::declarations as game_declarations;
pub(crate) use game::written as written_game;

use crate::fault::{Fault, did_you_mean};
use crate::resolve::read_network;
use coase_core::carbon_flow::CarbonFlowError;
use coase_core::network::{BUILT_IN, Network, ReadError, built_in};
use coase_core::opf::OpfError;
use coase_core::power_flow::PowerFlowError;
use std::path::Path;

/// Why a question to a network has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// A file is not right.
    #[error(transparent)]
    File(#[from] Fault),
    /// Nobody has this name.
    #[error("`{name}` is neither a built-in network nor a .m or .ron file{}", hint.as_ref().map_or(String::new(), |h| format!("; {h}")))]
    NoNetwork {
        /// The name.
        name: String,
        /// What may have been meant.
        hint: Option<String>,
    },
    /// A network that comes with the program cannot be read.
    #[error("built-in network `{id}`: {source}")]
    BuiltIn {
        /// Which.
        id: &'static str,
        /// Why not.
        source: ReadError,
    },
    /// A price of carbon that is none.
    #[error("a carbon price of {0} per tonne: it is a finite number that is not negative")]
    CarbonPrice(f64),
    /// The power flow is refused.
    #[error(transparent)]
    PowerFlow(#[from] PowerFlowError),
    /// The carbon cannot be traced.
    #[error("carbon flow: {0}")]
    CarbonFlow(#[from] CarbonFlowError),
    /// The optimal power flow is refused.
    #[error(transparent)]
    Opf(#[from] OpfError),
}

/// A network by the id of a built-in one, or read from a `.m` or `.ron` file.
///
/// # Errors
/// [`AnswerError::NoNetwork`], or what is wrong with the file.
pub fn named_network(name: &str) -> Result<Network, AnswerError> {
    if let Some(built_in) = built_in(name) {
        return built_in.network().map_err(|source| AnswerError::BuiltIn { id: built_in.id, source });
    }
    let path = Path::new(name);
    if !matches!(path.extension().and_then(|e| e.to_str()), Some("m" | "ron")) {
        let hint = did_you_mean(name, BUILT_IN.iter().map(|network| network.id));
        return Err(AnswerError::NoNetwork { name: name.to_owned(), hint });
    }
    let mut network = read_network(path)?;
    if network.name.is_empty() {
        network.name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    }
    Ok(network)
}
