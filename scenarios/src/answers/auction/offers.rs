//! What bidders say instead of what a file says of them, as it is written: `{"s0": (blocks: [(price_per_kwh: 4, quantity_kwh: 1)])}`.

use super::{BidBlock, Bids};
use crate::text::options;
use coase_core::book::{MOST_ENERGY_KWH, MOST_PRICE_PER_KWH};
use coase_core::evaluate::audit::Offer;
use coase_core::number;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Offers that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct WrongOffers(String);

/// What one bidder says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    /// Its side, where it is not that of the file.
    #[serde(default)]
    side: Option<Side>,
    /// Its blocks, best first.
    blocks: Vec<BidBlock>,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
enum Side {
    Buyer,
    Seller,
}

/// Reads what bidders of a list say instead of what is true.
///
/// # Errors
/// What cannot be read or said, in words.
pub fn read_offers(bids: &Bids, text: &str) -> Result<Vec<(String, Offer)>, WrongOffers> {
    let expected =
        r#"expected offers by bidder, such as `{"b0": (side: Seller, blocks: [(price_per_kwh: 3, quantity_kwh: 1)])}`"#;
    let read: Result<BTreeMap<String, Said>, _> = options().from_str(text);
    let said = read.map_err(|error| WrongOffers(format!("{}: {expected}", error.code)))?;
    let offer = |(id, said): (String, Said)| {
        let Some(bidder) = bids.bidders().into_iter().find(|bidder| bidder.id == id) else {
            let there = bids.bidders().into_iter().map(|bidder| bidder.id).collect::<Vec<_>>().join(", ");
            return Err(WrongOffers(format!("there is no bidder `{id}`; there are {there}")));
        };
        let sells = said.side.map_or(bidder.sells, |side| side == Side::Seller);
        let mut before = None;
        for BidBlock { price_per_kwh: price, quantity_kwh: kwh } in &said.blocks {
            let wrong = |what: &str, value: f64, expected: &str| {
                WrongOffers(format!("{id}: {what} is {}, expected {expected}", number(value)))
            };
            if !(-MOST_PRICE_PER_KWH..=MOST_PRICE_PER_KWH).contains(price) {
                return Err(wrong("price_per_kwh", *price, "a number from -1e6 to 1e6"));
            }
            if !(*kwh > 0.0 && *kwh <= MOST_ENERGY_KWH) {
                return Err(wrong("quantity_kwh", *kwh, "a number above 0 and up to 1e9"));
            }
            if before.is_some_and(|before| if sells { *price < before } else { *price > before }) {
                return Err(wrong("price_per_kwh", *price, "no better price than that of the block before"));
            }
            before = Some(*price);
        }
        let blocks = said.blocks.iter().map(|block| (block.price_per_kwh, block.quantity_kwh)).collect();
        Ok((id, Offer { sells, blocks }))
    };
    said.into_iter().map(offer).collect()
}

/// Offers as they are written.
pub fn written_offers(bids: &Bids, offers: &[(String, Offer)]) -> String {
    let block = |(price, kwh): &(f64, f64)| format!("(price_per_kwh: {price}, quantity_kwh: {kwh})");
    let bidders = bids.bidders();
    let one = |(id, offer): &(String, Offer)| {
        let is_own = bidders.iter().any(|bidder| bidder.id == *id && bidder.sells == offer.sells);
        let side = match (is_own, offer.sells) {
            (true, _) => "",
            (false, true) => "side: Seller, ",
            (false, false) => "side: Buyer, ",
        };
        format!("{id:?}: ({side}blocks: [{}])", offer.blocks.iter().map(block).collect::<Vec<_>>().join(", "))
    };
    format!("{{{}}}", offers.iter().map(one).collect::<Vec<_>>().join(", "))
}
