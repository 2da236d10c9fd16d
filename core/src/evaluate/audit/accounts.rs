//! Split accounts: does a member gain by standing in the market with two accounts instead of one?
//!
//! Both accounts tell the truth; together they can do exactly what the member could ([`Market::split`]). A figure: no mechanism
//! claims to be safe against it.
//!
//! [`Market::split`]: crate::Market::split

use super::bench::Bench;
use super::search::is_better;
use rayon::prelude::*;

/// What a member gains by a split.
pub(super) struct Split {
    pub seat: usize,
    pub share: f64,
    pub gain: f64,
}

/// Shares of the first account that are tried.
pub(super) const SHARES: [f64; 3] = [0.5, 0.25, 0.1];

/// The best split of these members; `None` where no account can be split, and why.
pub(super) fn search(bench: &Bench<'_>, seats: &[usize], now: &[f64]) -> Result<Option<Split>, String> {
    let tried: Vec<(usize, f64)> = seats.iter().flat_map(|seat| SHARES.map(|share| (*seat, share))).collect();
    let one = |&(seat, share): &(usize, f64)| -> Result<Option<Split>, String> {
        let market = bench.truth.split(seat, &[share, 1.0 - share]).map_err(|error| error.to_string())?;
        let player = bench.truth.ownership()[seat];
        let worth = bench.on(&market).worth(&vec![], &[player]);
        Ok(worth.map(|worth| Split { seat, share, gain: worth[0] - now[player] }))
    };
    let found: Vec<Result<Option<Split>, String>> = tried.par_iter().map(one).collect();
    let refused = found.iter().find_map(|found| found.as_ref().err().cloned());
    let best = found.into_iter().filter_map(|found| found.ok().flatten());
    match (best.reduce(|best, found| if is_better(found.gain, best.gain) { found } else { best }), refused) {
        (None, Some(why)) => Err(why),
        (best, _) => Ok(best),
    }
}
