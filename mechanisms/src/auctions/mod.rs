//! Auctions: rules that need nothing but bids and asks. Each clears a list of bids, and every slot of a market by
//! [`per_slot`](coase_core::auction::per_slot).
//!
//! All count in whole numbers ([`quanta`]); [`stacks`] crosses the two sides and knows what a market is worth without any one of
//! its participants.

mod competition_padding;
mod double_auction;
#[cfg(test)]
mod examples;
mod huang;
mod mcafee;
mod muda;
mod pay_as_bid;
pub(crate) mod quanta;
pub(crate) mod stacks;
pub(crate) mod vcg_blocks;

pub use competition_padding::{CompetitionPadding, PaddedSide, Padding};
pub use double_auction::{DoubleAuction, Rationing};
pub use huang::{Huang, Shares};
pub use mcafee::Mcafee;
pub use muda::Muda;
pub use pay_as_bid::PayAsBid;

use coase_core::auction::position;
use stacks::{Block, Stacks};

/// Who has more than one block on these sides taken together, if anybody has: then a block may set the price of another.
fn several_blocks(stacks: &Stacks, sides: &[&[Block]]) -> Option<String> {
    let mut counts = vec![0_usize; stacks.agents];
    sides.iter().flat_map(|side| *side).for_each(|b| counts[b.who] += 1);
    let who = counts.iter().position(|count| *count > 1)?;
    Some(format!("{} has {} blocks", position(who), counts[who]))
}
