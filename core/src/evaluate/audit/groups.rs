//! Groups of two: do two members together gain by reports that are not true, the others being truthful?
//!
//! What counts is the sum, as between members that can pay each other. No mechanism claims to be safe against it, so the answer
//! is a figure.

use super::bench::{Bench, Said};
use super::search::{Best, best_of, is_better, pattern};
use super::space::{Space, at, distortion};
use super::truthful::Regret;
use crate::participant::Distortion;
use rayon::prelude::*;

/// What a pair gains.
pub(super) struct Pair {
    pub gain: f64,
    pub said: Said,
}

/// The best pair that is found, and how many of all pairs were tried; `None` where nobody could be paired.
pub(super) fn search(
    bench: &Bench<'_>,
    spaces: &[Space],
    alone: &[Regret],
    now: &[f64],
    allowance: usize,
) -> (Option<Pair>, usize) {
    const LEAST: usize = 60;
    let owner = bench.truth.ownership();
    let members = alone.iter().enumerate();
    let mut pairs: Vec<(usize, usize)> = members
        .flat_map(|(a, one)| alone[a + 1..].iter().enumerate().map(move |(b, other)| (a, a + 1 + b, one, other)))
        .filter(|(_, _, one, other)| owner[one.seat] != owner[other.seat])
        .map(|(a, b, ..)| (a, b))
        .collect();
    // Where not all can be tried, those first that have most to gain by themselves.
    let apart = |(a, b): &(usize, usize)| alone[*a].joint.value + alone[*b].joint.value;
    pairs.sort_by(|x, y| apart(y).total_cmp(&apart(x)).then(x.cmp(y)));
    pairs.truncate((allowance / LEAST).max(1));
    let each = allowance / pairs.len().max(1);
    let found: Vec<Pair> =
        pairs.par_iter().map(|(a, b)| of_pair(bench, spaces, [&alone[*a], &alone[*b]], now, each)).collect();
    let count = found.len();
    let best = found.into_iter().reduce(|best, found| if is_better(found.gain, best.gain) { found } else { best });
    (best, count)
}

fn of_pair(bench: &Bench<'_>, spaces: &[Space], pair: [&Regret; 2], now: &[f64], allowance: usize) -> Pair {
    let seats = pair.map(|member| member.seat);
    let players = seats.map(|seat| bench.truth.ownership()[seat]);
    let said =
        |point: &[f64]| -> Said { seats.into_iter().zip([distortion(&point[..3]), distortion(&point[3..])]).collect() };
    let before: f64 = players.iter().map(|player| now[*player]).sum();
    let f = |point: &[f64]| Some(bench.worth(&said(point), &players)?.iter().sum::<f64>() - before);
    let joined = |first: Distortion, second: Distortion| [at(first), at(second)].concat();
    let truth = Best { at: joined(Distortion::TRUTH, Distortion::TRUTH), value: 0.0 };
    let bids = seats.map(|seat| spaces[seat].all.as_ref());
    if let [Some(first), Some(second)] = bids {
        // Prices only, where quantities as well would be too many.
        let whole = first.len() * second.len() <= allowance;
        let kept = |report: &&Distortion| whole || report.quantity_factor == 1.0;
        let (first, second): (Vec<_>, Vec<_>) =
            (first.iter().filter(kept).collect(), second.iter().filter(kept).collect());
        if first.len() * second.len() <= allowance {
            let points: Vec<Vec<f64>> = first.iter().flat_map(|a| second.iter().map(|b| joined(**a, **b))).collect();
            let best = truth.or(best_of(&points, &f));
            return Pair { gain: best.value, said: said(&best.at) };
        }
    }
    let mut starts = vec![];
    for first in [Distortion::TRUTH, pair[0].joint.report] {
        starts.extend([Distortion::TRUTH, pair[1].joint.report].map(|second| joined(first, second)));
    }
    let levels = |seat: usize| {
        let (low, high) = spaces[seat].bounds[1];
        let at = [0.1, 0.3, 0.5, 0.7, 0.9].map(|share| low + share * (high - low));
        at.map(|price_shift_per_kwh| Distortion { price_shift_per_kwh, ..Distortion::TRUTH })
    };
    for first in levels(seats[0]) {
        starts.extend(levels(seats[1]).map(|second| joined(first, second)));
    }
    let start = truth.or(best_of(&starts, &f));
    let bounds: Vec<(f64, f64)> = seats.iter().flat_map(|seat| spaces[*seat].bounds).collect();
    let best = pattern(&f, start, &bounds, 0.1, allowance.saturating_sub(starts.len()));
    Pair { gain: best.value, said: said(&best.at) }
}
