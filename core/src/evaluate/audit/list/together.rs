//! Groups of two and split accounts on a list: no rule claims to be safe against either, so both are figures.

use super::alone::BidRegret;
use super::said::{Account, Bench, Offer};
use super::space::Offers;
use crate::evaluate::audit::search::is_better;
use crate::evaluate::audit::space::Grid;
use rayon::prelude::*;

/// What two bidders say together.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub gain: f64,
    pub said: Vec<(usize, Offer)>,
}

/// The best of the pairs that were tried.
pub(super) struct Pairs {
    /// By the sum of what both gain, as between bidders that can pay each other.
    pub of_sum: Pair,
    /// By the same, where neither may lose.
    pub of_each: Pair,
    /// How many were tried.
    pub count: usize,
    /// How many prices of each.
    pub places: usize,
}

/// The best pair by other prices of their true quantities; `None` where there are no two.
pub(super) fn pairs(
    bench: &Bench<'_>,
    grid: &Grid,
    alone: &[BidRegret],
    now: &[f64],
    allowance: usize,
) -> Option<Pairs> {
    const LEAST_PLACES: usize = 5;
    let members = alone.iter().enumerate();
    let mut pairs: Vec<(&BidRegret, &BidRegret)> =
        members.flat_map(|(k, a)| alone[k + 1..].iter().map(move |b| (a, b))).collect();
    // Where not all can be tried, those first that have most to gain by themselves.
    let apart = |pair: &(&BidRegret, &BidRegret)| pair.0.joint.value + pair.1.joint.value;
    pairs.sort_by(|x, y| apart(y).total_cmp(&apart(x)).then((x.0.who, x.1.who).cmp(&(y.0.who, y.1.who))));
    pairs.truncate((allowance / (LEAST_PLACES * LEAST_PLACES)).max(1));
    let places = ((allowance / pairs.len().max(1)) as f64).sqrt() as usize;
    let of_pair = |(a, b): &(&BidRegret, &BidRegret)| {
        let who = [a.who, b.who];
        let [first, second] = [a, b].map(|one| {
            let mut all = Offers::new(&bench.bidders[one.who], grid).shifted(places);
            all.push(one.joint.offer.clone());
            all
        });
        let said: Vec<(&Offer, &Offer)> =
            first.iter().flat_map(|one| second.iter().map(move |other| (one, other))).collect();
        let tried = |(one, other): (&Offer, &Offer)| {
            let gets = bench.worth(&bench.accounts(&[(who[0], one), (who[1], other)]))?;
            Some(who.map(|k| gets[k] - now[k]))
        };
        let gains: Vec<Option<[f64; 2]>> = said.par_iter().map(|both| tried(*both)).collect();
        let truth = Pair { gain: 0.0, said: who.map(|k| (k, Offer::truth(&bench.bidders[k]))).to_vec() };
        let best = |counts: fn(&[f64; 2]) -> bool| {
            let known = said.iter().zip(&gains).filter_map(|(both, gains)| Some((both, gains.filter(counts)?)));
            known.fold(truth.clone(), |best, ((one, other), gains)| {
                let gain = gains[0] + gains[1];
                if is_better(gain, best.gain) {
                    Pair { gain, said: vec![(who[0], (*one).clone()), (who[1], (*other).clone())] }
                } else {
                    best
                }
            })
        };
        (best(|_| true), best(|gains| gains.iter().all(|gain| *gain >= -1e-9)))
    };
    let found: Vec<(Pair, Pair)> = pairs.par_iter().map(of_pair).collect();
    let better = |best: Pair, found: Pair| if is_better(found.gain, best.gain) { found } else { best };
    let count = found.len();
    let (of_sum, of_each) =
        found.into_iter().reduce(|best, found| (better(best.0, found.0), better(best.1, found.1)))?;
    Some(Pairs { of_sum, of_each, count, places: places.min(grid.prices().len()) })
}

/// What a bidder gains by a split.
pub(super) struct Split {
    pub who: usize,
    /// What the first account has of it.
    pub first_kwh: f64,
    pub gain: f64,
}

/// Shares of the first account where energy is not counted in quanta.
const SHARES: [f64; 3] = [0.5, 0.25, 0.1];

/// The best split of these bidders into two accounts that tell the truth, the first with its best kWh; `None` where nobody has more
/// than one quantum.
pub(super) fn splits(bench: &Bench<'_>, grid: &Grid, alone: &[BidRegret], now: &[f64]) -> Option<Split> {
    let ways = |regret: &BidRegret| -> Vec<(usize, f64)> {
        let size = bench.bidders[regret.who].size_kwh();
        let parts: Vec<f64> = match grid.quantum_kwh() {
            Some(quantum) => {
                let count = (size / quantum).round() as usize;
                (1..count).take(16).map(|k| k as f64 * quantum).collect()
            }
            None => SHARES.map(|share| share * size).to_vec(),
        };
        parts.into_iter().map(|first| (regret.who, first)).collect()
    };
    let all: Vec<(usize, f64)> = alone.iter().flat_map(ways).collect();
    let tried = |&(who, first_kwh): &(usize, f64)| {
        let gets = bench.worth(&split(bench, who, first_kwh))?;
        Some(Split { who, first_kwh, gain: gets[who] - now[who] })
    };
    let found: Vec<Option<Split>> = all.par_iter().map(tried).collect();
    found.into_iter().flatten().reduce(|best, found| if is_better(found.gain, best.gain) { found } else { best })
}

/// The accounts of a list on which one bidder has two: the second behind all others, so that nobody else's luck shifts.
fn split(bench: &Bench<'_>, who: usize, first_kwh: f64) -> Vec<Account> {
    let mut accounts = bench.accounts(&[]);
    let whole = accounts[who].clone();
    let share = first_kwh / whole.offer.size_kwh();
    let (mut left, mut parts) = (first_kwh, [vec![], vec![]]);
    for &(price, kwh) in &whole.offer.blocks {
        let part = kwh.min(left);
        left -= part;
        for (side, kwh) in parts.iter_mut().zip([part, kwh - part]) {
            if kwh > 1e-12 {
                side.push((price, kwh));
            }
        }
    }
    let [first, second] = parts.map(|blocks| Offer { sells: whole.offer.sells, blocks });
    accounts[who] = Account { offer: first, rating_kwh: whole.rating_kwh * share, ..whole };
    accounts.push(Account { owner: who, offer: second, rating_kwh: whole.rating_kwh * (1.0 - share) });
    accounts
}
