//! Claims about outcomes of an auction on lists: budget, individual rationality, efficiency. Every offer that is tried describes a list of its
//! own, on which it is the truth.

use super::ListAudit;
use super::said::{Bench, Offer};
use super::space::Offers;
use crate::auction::{Clearing, Fill};
use crate::evaluate::audit::bids::Bidder;
use crate::evaluate::audit::search::is_better;
use crate::evaluate::audit::space::Grid;
use crate::evaluate::audit::truthful::chosen;
use crate::outcome::Claim;
use crate::words::number;
use rayon::prelude::*;

/// How an outcome misses a claim: by how much, and who or what shows it.
#[derive(Clone, Debug)]
pub(super) struct Miss {
    pub value: f64,
    pub witness: String,
}

/// The claims about outcomes, in the order of tables.
pub(super) const CLAIMS: [Claim; 4] =
    [Claim::IndividuallyRational, Claim::BudgetBalanced, Claim::NoDeficit, Claim::Efficient];

/// A list, and by how much the outcome on it misses each of [`CLAIMS`].
pub(super) struct Judged {
    /// Who is somebody else there.
    pub said: Vec<(usize, Offer)>,
    pub bidders: Vec<Bidder>,
    pub clearing: Clearing,
    pub misses: [Miss; 4],
}

impl ListAudit<'_> {
    /// What comes of a list on which everybody says what is true.
    pub(super) fn judge(&self, bench: &Bench<'_>, said: Vec<(usize, Offer)>) -> Result<Judged, String> {
        let mut bidders = self.bidders.to_vec();
        for (who, offer) in &said {
            bidders[*who].blocks.clone_from(&offer.blocks);
            bidders[*who].rating_kwh = bidders[*who].rating_kwh.max(offer.size_kwh());
        }
        let there = Bench { bidders: &bidders, counts: bench.counts.clone(), ..*bench };
        let accounts = there.accounts(&[]);
        let clearing = there.cleared(&accounts)?;
        let gets = there.gets(&accounts, &clearing);
        if gets.iter().any(|x| !x.is_finite()) {
            return Err("the outcome holds what is no number".into());
        }
        let paid = |fills: &[Fill]| fills.iter().map(|fill| fill.money).sum::<f64>();
        let surplus = paid(&clearing.buys) - paid(&clearing.sells);
        let (who, least) =
            gets.iter().enumerate().fold((0, 0.0_f64), |low, (k, x)| if *x < low.1 { (k, *x) } else { low });
        let loser = if least < 0.0 { format!("{} loses {}", bidders[who].id, number(-least)) } else { String::new() };
        let kept = match surplus {
            x if x > 0.0 => format!("the operator keeps {}", number(x)),
            x if x < 0.0 => format!("the operator loses {}", number(-x)),
            _ => String::new(),
        };
        // Money that is paid is no loss: what all get and what the operator keeps is what trade is worth.
        let lost = best_welfare(&bidders) - (gets.iter().sum::<f64>() + surplus);
        let worse =
            if lost > 0.0 { format!("trade is worth {} less than it could be", number(lost)) } else { String::new() };
        let misses = [(-least, loser), (surplus.abs(), kept.clone()), (-surplus, kept), (lost, worse)];
        let misses = misses.map(|(value, witness)| Miss { value: value.max(0.0), witness });
        Ok(Judged { said, bidders, clearing, misses })
    }

    /// The lists that offers of one bidder describe.
    pub(super) fn described(&self, bench: &Bench<'_>, grid: &Grid, allowance: usize) -> Vec<Judged> {
        const LEAST: usize = 30;
        let who = chosen(self.bidders.len(), allowance, LEAST);
        let each = allowance / who.len().max(1);
        let of_bidder = |who: usize| {
            let offers = Offers::new(&self.bidders[who], grid);
            let mut all = offers.all(each / 2).unwrap_or_else(|| offers.lines());
            let is_rated = |offer: &Offer| offer.size_kwh() <= self.bidders[who].rating_kwh * (1.0 + 1e-12);
            all.extend(offers.overstated(each / 2).into_iter().filter(is_rated));
            all.truncate(each.max(1));
            all.into_iter().map(move |offer| vec![(who, offer)]).collect::<Vec<_>>()
        };
        let all: Vec<Vec<(usize, Offer)>> = who.into_iter().flat_map(of_bidder).collect();
        let one = |said: Vec<(usize, Offer)>| bench.counts.count(self.watch, self.judge(bench, said).ok());
        let found: Vec<Option<Judged>> = all.into_par_iter().map(one).collect();
        found.into_iter().flatten().collect()
    }
}

/// The list with the greatest miss of a claim; of equals the first.
pub(super) fn worst(all: &[Judged], claim: usize) -> Option<&Judged> {
    all.iter().reduce(
        |worst, next| {
            if is_better(next.misses[claim].value, worst.misses[claim].value) { next } else { worst }
        },
    )
}

/// What all trade that is worthwhile is worth: best bids and asks, as long as a bid is above an ask.
fn best_welfare(bidders: &[Bidder]) -> f64 {
    let side = |sells: bool| {
        let mut all: Vec<(f64, f64)> =
            bidders.iter().filter(|b| b.sells == sells).flat_map(|b| b.blocks.iter().copied()).collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        all
    };
    let (mut bids, mut asks) = (side(false), side(true));
    bids.reverse();
    let (mut b, mut s, mut welfare) = (0, 0, 0.0);
    while let (Some(bid), Some(ask)) = (bids.get(b).copied(), asks.get(s).copied()) {
        if bid.0 < ask.0 {
            break;
        }
        let part = bid.1.min(ask.1);
        welfare += part * (bid.0 - ask.0);
        (bids[b].1, asks[s].1) = (bid.1 - part, ask.1 - part);
        b += usize::from(bids[b].1 <= 1e-12);
        s += usize::from(asks[s].1 <= 1e-12);
    }
    welfare
}

#[cfg(test)]
mod tests {
    use super::best_welfare;
    use crate::evaluate::audit::bids::Bidder;

    /// Buyers (1, 3), (0.8, 2), (0.6, 4), (0.45, 2) and sellers (0.2, 3), (0.35, 2), (0.5, 3), (0.55, 2), (0.7, 3): nine units, 3.65.
    #[test]
    fn all_worthwhile_trade_is_counted() {
        let bidder =
            |sells| move |block: (f64, f64)| Bidder { id: "b".into(), sells, rating_kwh: block.1, blocks: vec![block] };
        let buyers = [(1.0, 3.0), (0.8, 2.0), (0.6, 4.0), (0.45, 2.0)].map(bidder(false));
        let sellers = [(0.2, 3.0), (0.35, 2.0), (0.5, 3.0), (0.55, 2.0), (0.7, 3.0)].map(bidder(true));
        let all: Vec<Bidder> = buyers.into_iter().chain(sellers).collect();
        assert!((best_welfare(&all) - 3.65).abs() < 1e-12);
    }
}
