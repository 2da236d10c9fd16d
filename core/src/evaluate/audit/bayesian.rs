//! Truthfulness in expectation: does somebody gain on average over the priors of the others by a report that is not true?
//!
//! Types of the others are drawn from their public priors, which are laws of their price level. The report is
//! chosen on one half of the draws and measured on the other, so that the luck of the choice is not taken for a gain; all
//! reports meet the same draws.

use super::bench::{Bench, Said};
use super::search::{best_of, golden};
use super::space::Space;
use crate::market::Market;
use crate::participant::Distortion;
use crate::random;
use crate::setting::Prior;
use rayon::prelude::*;

/// Draws of each half.
pub(super) const DRAWS: usize = 32;

/// What a member gains in expectation by its best report.
pub(super) struct Expected {
    pub seat: usize,
    pub report: Distortion,
    /// Mean over fresh draws.
    pub gain: f64,
    /// Its standard error.
    pub error: f64,
}

/// The member that gains most, measured in standard errors where there is doubt; an error in words where a prior is missing.
pub(super) fn search(bench: &Bench<'_>, spaces: &[Space], allowance: usize) -> Result<Option<Expected>, String> {
    let members = &bench.truth.setting().members;
    let priors: Option<Vec<Prior>> = members.iter().map(|member| member.prior.clone()).collect();
    let Some(priors) = priors else {
        let without = members.iter().find(|member| member.prior.is_none()).map_or("", |member| &member.id);
        return Err(format!("{without} has no prior over which the others could expect anything"));
    };
    let runs_each = 21 + 20;
    let count = (allowance / (runs_each * DRAWS)).clamp(1, spaces.len().max(1)).min(spaces.len());
    let seats = (0..count).map(|k| k * spaces.len() / count.max(1)).collect::<Vec<_>>();
    let found: Vec<Option<Expected>> =
        seats.par_iter().map(|seat| of_seat(bench, &priors, *seat, &spaces[*seat])).collect();
    Ok(found.into_iter().flatten().reduce(|best, found| if found.gain > best.gain { found } else { best }))
}

/// A draw of the others' types, and what a member gets there by the truth.
struct Draw {
    market: Market,
    truthful: f64,
}

/// How far a draw of its prior is from the price level of a member.
fn shift(bench: &Bench<'_>, member: usize, prior: &Prior, draw: usize) -> f64 {
    let level = bench.truth.setting().members[member].price_level_per_kwh.unwrap_or(0.0);
    prior.draw(&mut random::stream(bench.seed, "types of an audit", member, draw)) - level
}

/// The market in which everybody but one is a draw of its prior.
fn drawn(bench: &Bench<'_>, priors: &[Prior], seat: usize, draw: usize) -> Market {
    let others = priors.iter().enumerate().filter(|(member, _)| *member != seat);
    let shifted = |market: Market, (member, prior): (usize, &Prior)| {
        let price_shift_per_kwh = shift(bench, member, prior, draw);
        market.with_report(member, &Distortion { price_shift_per_kwh, ..Distortion::TRUTH }.report())
    };
    others.fold(bench.truth.clone(), shifted)
}

/// What types may be apart by, over all members: as far as reports are tried, either way; `None` where nothing is uncertain.
fn reach(bench: &Bench<'_>, priors: &[Prior]) -> Option<(f64, f64)> {
    let all = priors
        .iter()
        .enumerate()
        .flat_map(|(member, prior)| (0..2 * DRAWS).map(move |draw| shift(bench, member, prior, draw)));
    let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (x.min(l), x.max(h)));
    (high > low).then_some((low - high, high - low))
}

fn of_seat(bench: &Bench<'_>, priors: &[Prior], seat: usize, space: &Space) -> Option<Expected> {
    let player = bench.truth.ownership()[seat];
    let worth = |market: &Market, said: Said| Some(bench.on(market).worth(&said, &[player])?[0]);
    let draw = |k: usize| {
        let market = drawn(bench, priors, seat, k);
        Some(Draw { truthful: worth(&market, vec![])?, market })
    };
    let draws: Vec<Draw> = (0..2 * DRAWS).into_par_iter().map(draw).collect::<Option<_>>()?;
    let gains = |draws: &[Draw], at: &[f64]| -> Option<Vec<f64>> {
        let report = Distortion { price_shift_per_kwh: at[0], ..Distortion::TRUTH };
        draws.par_iter().map(|draw| Some(worth(&draw.market, vec![(seat, report)])? - draw.truthful)).collect()
    };
    let mean = |gains: &[f64]| gains.iter().sum::<f64>() / gains.len() as f64;
    let chosen_on = |at: &[f64]| gains(&draws[..DRAWS], at).map(|found| mean(&found));
    let (low, high) = reach(bench, priors).unwrap_or(space.bounds[1]);
    let line: Vec<Vec<f64>> = (0..21).map(|k| vec![low + (high - low) * f64::from(k) / 20.0]).collect();
    let best = best_of(&line, &chosen_on)?;
    let width = (high - low) / 20.0;
    let refined = golden(&chosen_on, &best.at, 0, (best.at[0] - width, best.at[0] + width), 20);
    let best = best.or(refined);
    let fresh = gains(&draws[DRAWS..], &best.at)?;
    let gain = mean(&fresh);
    let variance = fresh.iter().map(|x| (x - gain).powi(2)).sum::<f64>() / (fresh.len() as f64 - 1.0);
    let report = Distortion { price_shift_per_kwh: best.at[0], ..Distortion::TRUTH };
    Some(Expected { seat, report, gain, error: (variance / fresh.len() as f64).sqrt() })
}
