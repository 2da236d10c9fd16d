//! What is tried of a bidder: every price and quantity on a small list of whole numbers, lines through the truth on others.

use super::said::Offer;
use crate::evaluate::audit::bids::Bidder;
use crate::evaluate::audit::space::Grid;

/// Most multiples of the quantum that are tried as quantities.
const MOST_QUANTA: usize = 16;
/// Shares of a quantity that is not counted in quanta.
const SHARES: [f64; 4] = [0.25, 0.5, 0.75, 1.0];
/// Most places of a line.
const MOST_PLACES: usize = 41;
/// Most blocks whose prices are searched one by one.
const MOST_BLOCKS: usize = 4;

/// Offers on one side of a bidder that is known.
pub(super) struct Offers<'a> {
    pub bidder: &'a Bidder,
    pub prices: &'a [f64],
    pub quantum_kwh: Option<f64>,
}

impl<'a> Offers<'a> {
    pub fn new(bidder: &'a Bidder, grid: &'a Grid) -> Self {
        Self { bidder, prices: grid.prices(), quantum_kwh: grid.quantum_kwh() }
    }

    /// Quantities above one and up to another, in whole quanta where there are few of them.
    fn totals(&self, above: f64, up_to: f64) -> Vec<f64> {
        let counted = self.quantum_kwh.map(|quantum| {
            let (first, last) =
                ((above / quantum + 1e-9).floor() as usize + 1, (up_to / quantum + 1e-9).floor() as usize);
            (first..=last).map(|k| k as f64 * quantum).collect::<Vec<_>>()
        });
        match counted {
            Some(all) if all.len() <= MOST_QUANTA => all,
            _ if up_to > above => SHARES.map(|share| above + share * (up_to - above)).to_vec(),
            _ => vec![],
        }
    }

    /// The quantities of its blocks, best first, where it offers so much in all: the last is cut, or is larger than it is.
    fn cut(&self, total: f64) -> Vec<(f64, f64)> {
        let mut left = total;
        let mut blocks: Vec<(f64, f64)> = vec![];
        for &(price, kwh) in &self.bidder.blocks {
            let part = kwh.min(left);
            if part > 1e-12 {
                blocks.push((price, part));
            }
            left -= part;
        }
        if let (Some(last), true) = (blocks.last_mut(), left > 1e-12) {
            last.1 += left;
        }
        blocks
    }

    fn offer(&self, blocks: Vec<(f64, f64)>) -> Offer {
        Offer { sells: self.bidder.sells, blocks }
    }

    /// Its blocks at other prices, in the order in which a side is named.
    pub fn at(&self, blocks: &[(f64, f64)], price: impl Fn(usize, f64) -> f64) -> Offer {
        let mut prices: Vec<f64> = blocks.iter().enumerate().map(|(k, block)| price(k, block.0)).collect();
        prices.sort_by(f64::total_cmp);
        if !self.bidder.sells {
            prices.reverse();
        }
        self.offer(prices.into_iter().zip(blocks).map(|(price, block)| (price, block.1)).collect())
    }

    /// Every offer of no more than it has, where there are no more of them than this.
    pub fn all(&self, most: usize) -> Option<Vec<Offer>> {
        let size = self.bidder.size_kwh();
        let ways = self.totals(0.0, size).into_iter().map(|total| self.cut(total)).collect::<Vec<_>>();
        let count = |blocks: &Vec<(f64, f64)>| sorted_choices(self.prices.len(), blocks.len());
        if ways.iter().map(count).fold(0_usize, usize::saturating_add) > most {
            return None;
        }
        let mut all = vec![self.offer(vec![])];
        for blocks in &ways {
            each_sorted(self.prices, blocks.len(), &mut vec![], &mut |prices| {
                all.push(self.at(blocks, |k, _| prices[k]));
            });
        }
        Some(all)
    }

    /// At most so many of the prices, evenly chosen.
    pub fn places(&self, most: usize) -> Vec<f64> {
        let (count, most) = (self.prices.len(), most.max(2));
        if count <= most {
            return self.prices.to_vec();
        }
        (0..most).map(|k| self.prices[k * (count - 1) / (most - 1)]).collect()
    }

    /// All prices shifted so that the best block has one of these prices.
    pub fn shifted(&self, most: usize) -> Vec<Offer> {
        let blocks = &self.bidder.blocks;
        let Some(best) = blocks.first().map(|block| block.0) else { return vec![] };
        self.places(most).into_iter().map(|place| self.at(blocks, |_, price| price + place - best)).collect()
    }

    /// Where the search begins of a bidder with too many offers to try them all: shifts, one price for all, every block by
    /// itself, and less at the true prices.
    pub fn lines(&self) -> Vec<Offer> {
        let blocks = &self.bidder.blocks;
        let places = self.places(MOST_PLACES);
        let mut all = vec![self.offer(vec![])];
        all.extend(self.shifted(MOST_PLACES));
        if blocks.len() > 1 {
            all.extend(places.iter().map(|place| self.at(blocks, |_, _| *place)));
        }
        if (2..=MOST_BLOCKS).contains(&blocks.len()) {
            for block in 0..blocks.len() {
                let one = |place: &f64| self.at(blocks, |k, price| if k == block { *place } else { price });
                all.extend(places.iter().map(one));
            }
        }
        let size = self.bidder.size_kwh();
        all.extend(SHARES[..3].iter().map(|share| self.offer(self.cut(share * size))));
        all
    }

    /// More than it has, up to the larger of its rating and twice what it has.
    pub fn overstated(&self, most: usize) -> Vec<Offer> {
        let size = self.bidder.size_kwh();
        let totals = self.totals(size, self.bidder.rating_kwh.max(2.0 * size));
        let places = self.places((most / totals.len().max(1)).clamp(3, MOST_PLACES));
        let mut all = vec![];
        for total in totals {
            let blocks = self.cut(total);
            let Some(best) = blocks.first().map(|block| block.0) else { continue };
            all.push(self.offer(blocks.clone()));
            all.extend(places.iter().map(|place| self.at(&blocks, |_, price| price + place - best)));
        }
        all
    }

    /// One block on the other side.
    pub fn other_side(&self, most: usize) -> Vec<Offer> {
        let size = self.bidder.size_kwh();
        let totals = self.totals(0.0, size);
        let totals = if totals.len() > 4 { SHARES.map(|share| share * size).to_vec() } else { totals };
        let places = self.places((most / totals.len().max(1)).clamp(3, MOST_PLACES));
        let sells = !self.bidder.sells;
        let offer = |total: f64, place: f64| Offer { sells, blocks: vec![(place, total)] };
        totals.into_iter().flat_map(|total| places.iter().map(move |place| offer(total, *place))).collect()
    }

    /// Numbers that stand for an offer in a search around it: prices of few blocks, or factor and shift of many; then the share
    /// of its quantity.
    pub fn point(&self, offer: &Offer) -> Vec<f64> {
        let truth = &self.bidder.blocks;
        let share = offer.size_kwh() / self.bidder.size_kwh();
        let price = |k: usize| offer.blocks.get(k).or(offer.blocks.last()).map_or(truth[k].0, |block| block.0);
        if truth.len() <= MOST_BLOCKS {
            return (0..truth.len()).map(price).chain([share]).collect();
        }
        // Of a shifted curve this is the shift, of one price for all the factor nothing.
        let is_flat = offer.blocks.iter().all(|block| block.0 == offer.blocks[0].0);
        let factor = if is_flat { 0.0 } else { 1.0 };
        vec![factor, price(0) - factor * truth[0].0, share]
    }

    /// The offer that a point stands for.
    pub fn of_point(&self, at: &[f64]) -> Offer {
        let share = at[at.len() - 1];
        let blocks = self.cut(share.min(1.0) * self.bidder.size_kwh());
        if self.bidder.blocks.len() <= MOST_BLOCKS {
            self.at(&blocks, |k, _| at[k])
        } else {
            self.at(&blocks, |_, price| at[0] * price + at[1])
        }
    }

    /// Between which numbers the search stays.
    pub fn bounds(&self) -> Vec<(f64, f64)> {
        let (low, high) = (self.prices[0], self.prices[self.prices.len() - 1]);
        if self.bidder.blocks.len() <= MOST_BLOCKS {
            let of_prices = std::iter::repeat_n((low, high), self.bidder.blocks.len());
            return of_prices.chain([(0.05, 1.0)]).collect();
        }
        vec![(0.0, 1.5), (low - high, high.max(high - low)), (0.05, 1.0)]
    }
}

/// In how many ways so many sorted prices can be chosen out of some.
fn sorted_choices(prices: usize, blocks: usize) -> usize {
    let mut count = 1_usize;
    for k in 0..blocks {
        count = count.saturating_mul(prices + k) / (k + 1);
    }
    count
}

/// Calls for every choice of so many prices, no later one below an earlier one.
fn each_sorted(prices: &[f64], blocks: usize, chosen: &mut Vec<f64>, call: &mut dyn FnMut(&[f64])) {
    if chosen.len() == blocks {
        call(chosen);
        return;
    }
    for (k, price) in prices.iter().enumerate() {
        chosen.push(*price);
        each_sorted(&prices[k..], blocks, chosen, call);
        chosen.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::{Offers, sorted_choices};
    use crate::evaluate::audit::bids::Bidder;

    fn seller(blocks: &[(f64, f64)]) -> Bidder {
        Bidder { id: "s".into(), sells: true, rating_kwh: 4.0, blocks: blocks.to_vec() }
    }

    #[test]
    fn every_offer_of_two_blocks_is_a_sorted_pair_of_prices_or_one_price_or_none() {
        let (prices, seller) = ([1.0, 2.0, 3.0], seller(&[(1.0, 1.0), (2.0, 1.0)]));
        let offers = Offers { bidder: &seller, prices: &prices, quantum_kwh: Some(1.0) };
        let all = offers.all(100).expect("few");
        // Six pairs, three prices of one unit, and to stay away.
        assert_eq!((all.len(), sorted_choices(3, 2)), (10, 6));
        assert!(all.iter().all(|offer| offer.blocks.windows(2).all(|pair| pair[0].0 <= pair[1].0)));
        assert!(offers.all(8).is_none());
    }

    #[test]
    fn more_than_there_is_goes_up_to_the_rating_and_less_keeps_the_best() {
        let (prices, seller) = ([1.0, 2.0, 3.0], seller(&[(1.0, 1.0), (2.0, 1.0)]));
        let offers = Offers { bidder: &seller, prices: &prices, quantum_kwh: Some(1.0) };
        let sizes: Vec<f64> = offers.overstated(100).iter().map(super::Offer::size_kwh).collect();
        assert!(sizes.iter().all(|kwh| *kwh == 3.0 || *kwh == 4.0) && sizes.len() == 2 * 4, "{sizes:?}");
        assert_eq!(offers.cut(1.0), [(1.0, 1.0)]);
        assert_eq!(offers.cut(4.0), [(1.0, 1.0), (2.0, 3.0)]);
    }

    #[test]
    fn a_point_is_the_offer_that_it_was_made_of() {
        let prices = [0.0, 9.0];
        let few = seller(&[(1.0, 1.0), (2.0, 1.0)]);
        let many = seller(&(0..8).map(|k| (f64::from(k), 0.5)).collect::<Vec<_>>());
        for seller in [few, many] {
            let offers = Offers { bidder: &seller, prices: &prices, quantum_kwh: None };
            for offer in offers.lines().into_iter().filter(|offer| !offer.blocks.is_empty()) {
                let again = offers.of_point(&offers.point(&offer));
                let near = |(a, b): (&(f64, f64), &(f64, f64))| (a.0 - b.0).abs() < 1e-12 && (a.1 - b.1).abs() < 1e-12;
                assert!(again.blocks.iter().zip(&offer.blocks).all(near), "{offer:?} {again:?}");
            }
        }
    }
}
