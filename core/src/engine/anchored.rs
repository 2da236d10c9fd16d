//! The fixed point of nodal prices around a mechanism, by an anchor on quantities.
//!
//! Iterating on prices stalls, because answers to symmetric prices are sets: a storage is indifferent. With an anchor
//! `sum_t rho_t/2 (x_t - c_t)^2` on every member's net withdrawal the loop is the proximal gradient method on the
//! participants' and the network's cost; at `c = x` the anchor's gradient vanishes, so the fixed point is the true one.
//! Anderson's method accelerates it. The outcome is settled with a weak anchor, which only chooses among ties, and three
//! certificates say how near it is: in prices, in quantities, in money.

use super::anderson::Anderson;
use super::{Cleared, Run};
use crate::market::Plan;
use crate::mechanism::MechanismError;
use crate::outcome::{Certificate, Status};
use crate::physical::{self, Physical};
use crate::setting::Product;
use crate::terms::{Anchor, Terms, at};
use nalgebra::DVector;
use std::sync::Arc;

/// Rounds of the loop.
const MAX_ROUNDS: usize = 100;
/// Change of price that a step may still mean, per kWh.
const PRICE_STEP: f64 = 1e-7;
/// Change of withdrawal that a step may still mean, kWh in a period.
const LOAD_STEP: f64 = 0.01;
/// Strength of the anchor in settlement.
const WEAK: f64 = 0.03;
/// Rounds without halving the best step after which the anchor is doubled.
const PATIENCE: usize = 20;
/// Tolerance of the settled prices, per kWh.
const PRICE_TOLERANCE: f64 = 1e-4;
/// Tolerance of the money certificate, relative to the costs.
const GAP_TOLERANCE: f64 = 1e-6;

pub(super) fn clear(run: &Run<'_>) -> Result<Cleared, MechanismError> {
    let setting = run.setting();
    let (members, periods) = (setting.members.len(), setting.periods.count);
    let signal = run.policy.start(setting);
    let mut last = run.round(&run.policy.terms(setting, &signal), signal)?;
    let mut centre = withdrawals(&last.physical, run);
    let base = weights(run, &last, &centre)?;
    let mut strength = 1.0;
    let mut anderson = Anderson::default();
    let mut best: (f64, Vec<f64>) = (f64::INFINITY, centre.clone());
    let (mut checkpoint, mut waited) = (f64::INFINITY, 0);
    let mut recent: Vec<Vec<f64>> = vec![];
    let mut stopped = false;
    let mut cycle = false;
    let mut point = centre.clone();
    for _ in 0..MAX_ROUNDS {
        let rho: Vec<f64> = base.iter().map(|w| strength * w).collect();
        let price = price_at(run, &last.physical, &centre)?;
        last = run.round(&anchored(run.policy.terms(setting, &price), &centre, &rho, periods), price)?;
        let answer = withdrawals(&last.physical, run);
        let step: Vec<f64> = answer.iter().zip(&centre).map(|(y, c)| y - c).collect();
        let price_step = step.iter().zip(&rho).map(|(d, r)| (d * r).abs()).fold(0.0, f64::max);
        let load_step = step.iter().fold(0.0_f64, |m, d| m.max(d.abs()));
        point.clone_from(&answer);
        if price_step <= PRICE_STEP && load_step <= LOAD_STEP {
            stopped = true;
            break;
        }
        cycle |= recent.len() >= 2
            && distance(&recent[recent.len() - 2], &answer) < 1e-9
            && distance(&recent[recent.len() - 1], &answer) > LOAD_STEP;
        recent.push(answer.clone());
        let root: Vec<f64> = rho.iter().map(|r| r.sqrt()).collect();
        let weighted_step = DVector::from_iterator(step.len(), step.iter().zip(&root).map(|(d, r)| d * r));
        let norm = weighted_step.norm();
        if norm < best.0 {
            best = (norm, answer.clone());
        }
        if best.0 <= 0.5 * checkpoint {
            (checkpoint, waited) = (best.0, 0);
        } else {
            waited += 1;
        }
        if waited >= PATIENCE {
            strength *= 2.0;
            anderson = Anderson::default();
            centre.clone_from(&best.1);
            (checkpoint, waited) = (best.0, 0);
            continue;
        }
        if norm > 2.0 * anderson.least_step() {
            anderson.restart();
        }
        let here = DVector::from_iterator(centre.len(), centre.iter().zip(&root).map(|(c, r)| c * r));
        let next = anderson.next(here, weighted_step);
        centre = next.iter().zip(&root).map(|(c, r)| c / r).collect();
        if run.observer.cancelled() {
            break;
        }
    }
    let settled_at = if stopped { point } else { best.1 };
    let price = price_at(run, &last.physical, &settled_at)?;
    let weak: Vec<f64> = base.iter().map(|w| WEAK * strength * w).collect();
    let terms = run.policy.terms(setting, &price);
    let mut settled = run.round(&anchored(terms, &settled_at, &weak, periods), price)?;
    certify(run, &mut settled, &settled_at, stopped, cycle)?;
    debug_assert_eq!(settled_at.len(), members * periods);
    Ok(settled)
}

/// Net physical withdrawal of every member and period, kWh, member-major.
fn withdrawals(physical: &Physical, run: &Run<'_>) -> Vec<f64> {
    let setting = run.setting();
    let of = |plan: &Arc<Plan>| {
        (0..setting.periods.count).map(|t| setting.energy_slot(t).map_or(0.0, |k| -plan.output[k])).collect::<Vec<_>>()
    };
    physical.plans.iter().flat_map(of).collect()
}

/// The policy's prices if everybody withdrew these quantities, its devices as in the last answer.
fn price_at(run: &Run<'_>, last: &Physical, withdrawal: &[f64]) -> Result<Vec<f64>, MechanismError> {
    let physical = moved(run, last, withdrawal)?;
    Ok(run.policy.target(run.setting(), &physical, &[]))
}

fn moved(run: &Run<'_>, last: &Physical, withdrawal: &[f64]) -> Result<Physical, MechanismError> {
    let setting = run.setting();
    let plans = last.plans.iter().zip(withdrawal.chunks(setting.periods.count)).map(|(plan, x)| {
        let mut plan = (**plan).clone();
        for (k, slot) in setting.slots.iter().enumerate().filter(|(_, s)| s.product == Product::Energy) {
            plan.output[k] = -x[slot.period];
        }
        Arc::new(plan)
    });
    physical::of_plans(setting, plans.collect(), run.policy.storage_rule())
}

/// How fast each member's price rises with the withdrawals of all, per kWh squared: `sum_j 2 R_ij c_t / S_B` on radial
/// networks, with `c_t` the price at the root; by one difference per member on meshed ones.
fn weights(run: &Run<'_>, last: &Cleared, withdrawal: &[f64]) -> Result<Vec<f64>, MechanismError> {
    const DIFFERENCE_KW: f64 = 20.0;
    let setting = run.setting();
    let (n, periods, hours) = (setting.members.len(), setting.periods.count, setting.periods.hours);
    let Some(feeder) = &setting.feeder else { return Err(MechanismError::Unmet { need: "a network" }) };
    let network = &feeder.network;
    let topology = crate::network::Topology::new(network);
    let price = price_at(run, &last.physical, withdrawal)?;
    let mut weights = vec![0.0; n * periods];
    if topology.is_radial() {
        for (i, a) in setting.members.iter().enumerate() {
            let common = |b: Option<crate::network::NodeId>| match (a.node, b) {
                (Some(a), Some(b)) => topology.common_resistance_pu(network, a, b).unwrap_or(0.0),
                _ => 0.0,
            };
            let resistance: f64 = setting.members.iter().map(|b| common(b.node)).sum();
            for t in 0..periods {
                weights[i * periods + t] = 2.0 * resistance * price[i * periods + t].abs() / network.base_kva() / hours;
            }
        }
    } else {
        for j in 0..n {
            let mut other = withdrawal.to_vec();
            for x in &mut other[j * periods..(j + 1) * periods] {
                *x += DIFFERENCE_KW * hours;
            }
            let moved = price_at(run, &last.physical, &other)?;
            for (w, (a, b)) in weights.iter_mut().zip(moved.iter().zip(&price)) {
                *w += (a - b).abs() / (DIFFERENCE_KW * hours);
            }
        }
    }
    // A member at the root, or without a node, moves no price: the least positive weight keeps its answer unique.
    let least = weights.iter().copied().filter(|w| *w > 0.0).fold(f64::INFINITY, f64::min);
    let floor = if least.is_finite() { least } else { 1e-9 };
    Ok(weights.into_iter().map(|w| w.max(floor)).collect())
}

fn anchored(terms: Vec<Terms>, centre: &[f64], rho: &[f64], periods: usize) -> Vec<Terms> {
    let chunks = centre.chunks(periods).zip(rho.chunks(periods));
    let anchor = |(c, r): (&[f64], &[f64])| Anchor { centre_kwh: c.to_vec(), weight: r.to_vec() };
    terms.into_iter().zip(chunks).map(|(t, chunk)| Terms { anchor: Some(anchor(chunk)), ..t }).collect()
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max)
}

/// Certificates of the settled outcome, and its status.
fn certify(
    run: &Run<'_>,
    settled: &mut Cleared,
    at_loads: &[f64],
    stopped: bool,
    cycle: bool,
) -> Result<(), MechanismError> {
    let setting = run.setting();
    let found = withdrawals(&settled.physical, run);
    let calls_for = run.policy.target(setting, &settled.physical, &settled.signal);
    let price_distance = distance(&calls_for, &settled.signal);
    let terms = run.policy.terms(setting, &calls_for);
    let free = run.round(&terms, calls_for)?;
    let cost = |plans: &[Arc<Plan>]| plans.iter().zip(&terms).map(|(p, t)| cost_under(run, t, p)).sum::<f64>();
    let (here, there) = (cost(&settled.physical.plans), cost(&free.physical.plans));
    let scale: f64 = settled.physical.plans.iter().zip(&terms).map(|(p, t)| cost_under(run, t, p).abs()).sum();
    let evidence = &mut settled.outcome.evidence;
    evidence.push(Certificate::check(
        "fixed_point_price",
        price_distance,
        PRICE_TOLERANCE,
        "per kWh, prices called for against prices charged",
    ));
    evidence.push(Certificate::measure(
        "fixed_point_load",
        distance(&found, at_loads),
        "kWh in a period, settled against anchored",
    ));
    evidence.push(Certificate::check(
        "fixed_point_gap",
        here - there,
        GAP_TOLERANCE * scale.max(1.0),
        "what participants could still save at these prices",
    ));
    if settled.outcome.status == Status::Converged && !(stopped && price_distance <= PRICE_TOLERANCE) {
        settled.outcome.status = Status::NotConverged { residual: price_distance };
        settled.reason = Some(
            if stopped {
                "fixed point of the anchored mechanism only: its settlement moves"
            } else if cycle {
                "cycle"
            } else {
                "no fixed point of the nodal prices was found; the best round is settled"
            }
            .into(),
        );
    }
    Ok(())
}

/// What a schedule costs under other terms: resources, tariff, adders and the charge on its account.
fn cost_under(run: &Run<'_>, terms: &Terms, plan: &Plan) -> f64 {
    let setting = run.setting();
    let mut cost = plan.resource_cost + plan.tariff_cost + plan.shortfall_cost;
    let mut balance = terms.account.as_ref().map_or(0.0, |a| -a.quota_kg);
    for t in 0..setting.periods.count {
        let output = setting.energy_slot(t).map_or(0.0, |k| plan.output[k]);
        let sale = setting.energy_slot(t).map_or(0.0, |k| plan.trade[k]);
        let (drawn, fed) = ((-output).max(0.0), output.max(0.0));
        let (import, export) = (plan.import_kwh[t], plan.export_kwh[t]);
        cost += at(&terms.import_adder, t) * import
            - at(&terms.export_adder, t) * export
            - at(&terms.trade_adder, t) * sale;
        cost += at(&terms.withdrawal_adder, t) * drawn + at(&terms.injection_adder, t) * fed;
        cost += terms.direct_price_per_kg * plan.emission_kg[t];
        if let Some(a) = &terms.account {
            balance += at(&a.import_kg_per_kwh, t) * import + at(&a.export_kg_per_kwh, t) * export;
            balance += at(&a.withdrawal_kg_per_kwh, t) * drawn + at(&a.injection_kg_per_kwh, t) * fed;
            balance += plan.emission_kg[t] - a.turbine_quota_kg_per_kwh * plan.emitting_kwh[t];
        }
    }
    cost + terms.account.as_ref().map_or(0.0, |a| a.charge.value(balance))
}
