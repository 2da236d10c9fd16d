//! Where a search stands: quantities, shares of the root's jump, schedules; and what stays the same on its way.

use crate::engine::{Cleared, Run};
use crate::error::MechanismError;
use crate::market::Plan;
use crate::physical::{self, Physical};
use crate::policy::Signal;
use crate::setting::Product;
use crate::terms::{Anchor, Terms, at};
use std::sync::Arc;

/// Quantities that everybody withdraws, shares of the root's jump, and the schedules they come from.
#[derive(Clone)]
pub(super) struct Point {
    /// Withdrawals, kWh, member-major.
    pub at: Vec<f64>,
    /// Share per period of the root's jump in the price; empty where there is none.
    pub share: Vec<f64>,
    /// Schedules of the last round.
    pub plans: Vec<Arc<Plan>>,
}

/// What stays the same from attempt to attempt.
#[derive(Clone)]
pub(super) struct Basis {
    /// The policy's first signal: the shape of all.
    pub start: Signal,
    /// Weights of the anchor that losses need, money per kWh squared, member-major.
    pub weight: Vec<f64>,
    /// Exchange of all members in a period, as a multiple.
    pub band_kwh: f64,
    /// The greatest price of a kWh.
    pub dearest: f64,
    /// Whether prices are marginal costs of the flow, so that the share of the root's jump is all that can turn.
    pub marginal: bool,
}

/// Where a search ended.
pub(super) struct Found {
    /// The outcome, with its certificates.
    pub settled: Cleared,
    /// Where it is settled.
    pub point: Point,
    pub basis: Basis,
    /// Whether it is a fixed point: its certificates hold.
    pub converged: bool,
}

/// Net physical withdrawal of every member and period, kWh, member-major.
pub(super) fn withdrawals(run: &Run<'_>, plans: &[Arc<Plan>]) -> Vec<f64> {
    let setting = run.setting();
    let of = |plan: &Arc<Plan>| {
        (0..setting.periods.count).map(|t| setting.energy_slot(t).map_or(0.0, |k| -plan.output[k])).collect::<Vec<_>>()
    };
    plans.iter().flat_map(of).collect()
}

pub(super) fn with_proximal_term(terms: Vec<Terms>, centre: &[f64], rho: &[f64], periods: usize) -> Vec<Terms> {
    let chunks = centre.chunks(periods).zip(rho.chunks(periods));
    let anchor = |(c, r): (&[f64], &[f64])| Anchor { centre_kwh: c.to_vec(), weight: r.to_vec() };
    terms.into_iter().zip(chunks).map(|(t, chunk)| Terms { anchor: Some(anchor(chunk)), ..t }).collect()
}

/// What a kWh more costs each member at the margin beyond the tariff, member-major: price, adders, and its account at what
/// the last kg on it is worth.
pub(super) fn marginal_prices(run: &Run<'_>, terms: &[Terms], plans: &[Arc<Plan>]) -> Vec<f64> {
    let periods = run.setting().periods.count;
    let of = |(terms, plan): (&Terms, &Arc<Plan>)| {
        let per_kg = plan.kg_price.unwrap_or(0.0);
        (0..periods)
            .map(|t| {
                let kg = terms
                    .account
                    .as_ref()
                    .map_or(0.0, |a| at(&a.import_kg_per_kwh, t) + at(&a.withdrawal_kg_per_kwh, t));
                at(&terms.import_adder, t) + at(&terms.withdrawal_adder, t) + per_kg * kg
            })
            .collect::<Vec<_>>()
    };
    terms.iter().zip(plans).flat_map(of).collect()
}

/// Greatest absolute value; what is not a number is greater than any.
pub(super) fn greatest(of: &[f64]) -> f64 {
    of.iter().fold(0.0, |m: f64, x| if x.is_nan() { f64::INFINITY } else { m.max(x.abs()) })
}

/// Greatest difference; what is not a number is greater than any.
pub(super) fn distance(a: &[f64], b: &[f64]) -> f64 {
    greatest(&a.iter().zip(b).map(|(x, y)| x - y).collect::<Vec<f64>>())
}

/// The greatest price of a kWh that anybody sees in the terms that a policy starts with.
pub(super) fn dearest_per_kwh(run: &Run<'_>, terms: &[Terms], plans: &[Arc<Plan>]) -> f64 {
    let setting = run.setting();
    let periods = setting.periods.count;
    let buy = |k: usize| setting.tariff.as_ref().map_or(0.0, |x| x.buy_per_kwh[k % periods]);
    let all = marginal_prices(run, terms, plans);
    let dearest = all.iter().enumerate().map(|(k, p)| (buy(k) + p).abs().max(buy(k).abs())).fold(0.0, f64::max);
    if dearest > 0.0 { dearest } else { 1.0 }
}

/// What would be physically there if everybody withdrew these quantities, its devices as in the last answer.
pub(super) fn moved(run: &Run<'_>, last: &[Arc<Plan>], withdrawal: &[f64]) -> Result<Physical, MechanismError> {
    let setting = run.setting();
    let plans = last.iter().zip(withdrawal.chunks(setting.periods.count)).map(|(plan, x)| {
        let mut plan = (**plan).clone();
        for (k, slot) in setting.slots.iter().enumerate().filter(|(_, s)| s.product == Product::Energy) {
            plan.output[k] = -x[slot.period];
        }
        Arc::new(plan)
    });
    Ok(physical::of_plans(setting, plans.collect(), run.policy.storage_rule())?)
}
