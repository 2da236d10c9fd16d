//! One bidder on a list: what it gains by saying something else, the others being truthful.

use super::said::{Bench, Offer};
use super::space::Offers;
use crate::evaluate::audit::search::{Best, is_better, pattern};
use crate::evaluate::audit::space::Grid;
use crate::evaluate::audit::truthful::chosen;
use rayon::prelude::*;

/// What one bidder gains by an offer.
#[derive(Clone, Debug, PartialEq)]
pub struct BidGain {
    /// Money above what the truth brings; 0 where nothing found is better.
    pub value: f64,
    /// The offer.
    pub offer: Offer,
}

/// What one bidder gains by offers of several kinds, all others being truthful.
#[derive(Clone, Debug, PartialEq)]
pub struct BidRegret {
    /// Its position.
    pub who: usize,
    /// By other prices of its true quantities.
    pub price: BidGain,
    /// By less at its true prices.
    pub quantity: BidGain,
    /// By both: at least the best of the others.
    pub joint: BidGain,
    /// By more than it has, if nobody checked.
    pub overstated: BidGain,
    /// On the other side, if nobody checked.
    pub other_side: BidGain,
    /// Whether every offer was tried that there is on the grid, of no more than it has.
    pub is_complete: bool,
}

/// An offer and what it gains; `None` where there is no outcome.
type Tried = (Offer, Option<f64>);

/// What is found of some bidders, with about so many runs together.
pub(super) fn search(bench: &Bench<'_>, grid: &Grid, now: &[f64], allowance: usize) -> Vec<BidRegret> {
    const LINES: usize = 150;
    let who = chosen(bench.bidders.len(), allowance, LINES);
    let each = allowance / who.len().max(1);
    who.into_par_iter().map(|who| of_bidder(bench, grid, who, now, each)).collect()
}

fn of_bidder(bench: &Bench<'_>, grid: &Grid, who: usize, now: &[f64], allowance: usize) -> BidRegret {
    let bidder = &bench.bidders[who];
    let offers = Offers::new(bidder, grid);
    let tried = |all: Vec<Offer>| -> Vec<Tried> {
        all.into_par_iter().map(|offer| (offer.clone(), bench.gain(who, &offer, now))).collect()
    };
    let truth = || BidGain { value: 0.0, offer: Offer::truth(bidder) };
    // What nobody claims to be safe against takes a quarter each.
    let (others, own) = (allowance / 4, allowance / 2);
    let every = offers.all(own);
    let is_complete = every.is_some();
    let known = tried(every.unwrap_or_else(|| offers.lines()));
    let same = |offer: &Offer, of: fn(&(f64, f64)) -> f64| {
        offer.blocks.iter().zip(&bidder.blocks).all(|(a, b)| of(a) == of(b))
    };
    let is_price = |offer: &Offer| offer.blocks.len() == bidder.blocks.len() && same(offer, |block| block.1);
    let is_quantity = |offer: &Offer| same(offer, |block| block.0);
    let mut joint = best(truth(), &known, |_| true);
    if !is_complete && !bidder.blocks.is_empty() {
        let f = |at: &[f64]| bench.gain(who, &offers.of_point(at), now);
        let start = Best { at: offers.point(&joint.offer), value: joint.value };
        let found = pattern(&f, start, &offers.bounds(), 0.02, own.saturating_sub(known.len()));
        if is_better(found.value, joint.value) {
            joint = BidGain { value: found.value, offer: offers.of_point(&found.at) };
        }
    }
    BidRegret {
        who,
        price: best(truth(), &known, is_price),
        quantity: best(truth(), &known, is_quantity),
        joint,
        overstated: best(truth(), &tried(offers.overstated(others)), |_| true),
        other_side: best(truth(), &tried(offers.other_side(others)), |_| true),
        is_complete,
    }
}

/// The best of those that count; of equals the first.
fn best(truth: BidGain, tried: &[Tried], counts: impl Fn(&Offer) -> bool) -> BidGain {
    let known = tried.iter().filter_map(|(offer, gain)| Some((offer, (*gain)?)));
    known.filter(|(offer, _)| counts(offer)).fold(truth, |best, (offer, value)| {
        if is_better(value, best.value) { BidGain { value, offer: offer.clone() } } else { best }
    })
}
