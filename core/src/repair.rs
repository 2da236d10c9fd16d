//! Making an outcome respect the network: injection limits, tightened where that relieves, by one rule for all mechanisms.
//!
//! For every violated limit with sensitivities `S_k` of the limited quantity to the members' injections, member `i` moves by
//! `violation * S_i / sum_k S_k^2`, the least change that removes the violation to first order, as far as it can move.
//! Limits only ever shrink, so repeated tightening ends; it is not the constrained optimum.

use crate::error::MechanismError;
use crate::market::Market;
use crate::network::{Limit, Missed, Network};
use crate::outcome::Outcome;
use crate::physical::{self, InPeriod, Physical, PhysicalError};
use crate::program::SolveError;
use crate::setting::{Feeder, Setting};
use crate::terms::{Limits, Terms};

/// Rounds after which a repair gives up.
pub const MAX_ROUNDS: usize = 30;
/// A violation below this is the power flow's accuracy: pu of voltage, and share of a rating.
const TOLERANCE: f64 = 1e-7;
/// The first-order step falls short on a curved network: it is lengthened a little.
const STRETCH: f64 = 1.02;

/// An outcome within the network's limits, or the last attempt.
#[derive(Debug)]
pub struct Repaired {
    /// The outcome under the limits; they are part of its imposed terms.
    pub outcome: Outcome,
    /// What physically happens.
    pub physical: Physical,
    /// Rounds taken; 0 if nothing was violated.
    pub rounds: usize,
    /// What is still violated, relative to its limit; 0 if repaired.
    pub residual: f64,
    /// What is still violated in words, worst first: where, when, and by how much of which limit.
    pub missed: Vec<String>,
}

/// Runs a market rule under injection limits that are tightened until the network holds.
///
/// # Errors
/// If the rule fails, or the network has no state for what it decides. Where members cannot keep what the network asks of
/// them, the error begins with the limits of the network that ask for it.
pub fn repair(
    market: &Market,
    storage: crate::carbon_flow::storage::StorageRule,
    mut run: impl FnMut(&Market) -> Result<Outcome, MechanismError>,
) -> Result<Repaired, MechanismError> {
    let setting = market.setting();
    let mut limits: Vec<Limits> = setting.members.iter().map(|_| unlimited(setting)).collect();
    let mut reach: Vec<Vec<Option<(f64, f64)>>> = vec![vec![None; setting.periods.count]; market.len()];
    let mut rounds = 0;
    let mut asked_for = vec![];
    loop {
        let layer: Vec<Terms> =
            limits.iter().map(|l| Terms { limits: (rounds > 0).then(|| l.clone()), ..Terms::default() }).collect();
        let mut outcome = run(&market.imposing(&layer)).map_err(|error| because(error, &asked_for))?;
        if rounds > 0 {
            outcome.imposed = if outcome.imposed.is_empty() {
                layer
            } else {
                outcome.imposed.iter().zip(&layer).map(|(inner, outer)| inner.and(outer)).collect()
            };
        }
        let physical = physical::keep(market, &outcome, storage).map_err(|error| because(error.into(), &asked_for))?;
        let missed = missed(setting, &physical);
        let residual = worst(setting, &physical);
        if residual <= TOLERANCE || rounds >= MAX_ROUNDS {
            return Ok(Repaired {
                outcome,
                physical,
                rounds,
                residual: if residual <= TOLERANCE { 0.0 } else { residual },
                missed,
            });
        }
        let Some(feeder) = &setting.feeder else {
            return Ok(Repaired { outcome, physical, rounds, residual: 0.0, missed });
        };
        if !tighten(market, feeder, &physical, &mut limits, &mut reach)? {
            return Ok(Repaired { outcome, physical, rounds, residual, missed });
        }
        asked_for = missed;
        rounds += 1;
    }
}

/// What cannot be kept, with the limits of the network that it is for.
fn because(error: MechanismError, missed: &[String]) -> MechanismError {
    match error {
        MechanismError::Solve(SolveError::Infeasible { rows }) if !missed.is_empty() => {
            let first =
                missed.iter().take(3).map(|limit| format!("{limit}, which this repair does not relieve")).chain(rows);
            SolveError::Infeasible { rows: first.collect() }.into()
        }
        other => other,
    }
}

/// Every limit that a physical outcome misses, in words, worst first: where, when, and by how much of which limit.
pub fn missed(setting: &Setting, physical: &Physical) -> Vec<String> {
    let Some(feeder) = &setting.feeder else { return vec![] };
    let network = &feeder.network;
    let mut found: Vec<(f64, String)> = vec![];
    for (t, state) in physical.grid.iter().enumerate() {
        let missed = Limit::nearest(network, &state.flow).filter(|near| share(network, near) > TOLERANCE);
        found.extend(missed.map(|missed| (share(network, &missed), missed.words(network, Some(t)))));
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found.into_iter().map(|(_, words)| words).collect()
}

/// How far something is beyond its limit: voltages in pu, flows as a share of the rating.
fn share(network: &Network, near: &Missed) -> f64 {
    if near.limit.is_of_voltage() { near.by } else { near.by / near.limit.bound(network).max(1e-9) }
}

/// Whether a physical outcome respects every voltage limit and rating.
pub fn holds(setting: &Setting, physical: &Physical) -> bool {
    worst(setting, physical) <= TOLERANCE
}

fn unlimited(setting: &Setting) -> Limits {
    Limits {
        injection_min_kw: vec![f64::NEG_INFINITY; setting.periods.count],
        injection_max_kw: vec![f64::INFINITY; setting.periods.count],
    }
}

/// Greatest violation of a voltage limit (pu) or of a rating (share of it).
fn worst(setting: &Setting, physical: &Physical) -> f64 {
    let Some(feeder) = &setting.feeder else { return 0.0 };
    let network = &feeder.network;
    let beyond = |state: &physical::GridState| {
        Limit::nearest(network, &state.flow).map(|near| share(network, &near)).fold(0.0, f64::max)
    };
    physical.grid.iter().map(beyond).fold(0.0, f64::max)
}

/// Shrinks limits where that relieves; false if nobody who could relieve can still move.
fn tighten(
    market: &Market,
    feeder: &Feeder,
    physical: &Physical,
    limits: &mut [Limits],
    reach: &mut [Vec<Option<(f64, f64)>>],
) -> Result<bool, MechanismError> {
    let setting = market.setting();
    let mut moved = false;
    for t in 0..setting.periods.count {
        let demands = relief(setting, feeder, physical, t)?;
        // The same period may violate several limits: every member follows the strongest demand in each direction.
        let mut change = vec![(0.0_f64, 0.0_f64); market.len()];
        for (sensitivity, excess) in demands {
            let size: f64 = sensitivity.iter().map(|s| s * s).sum();
            if size <= 0.0 {
                continue;
            }
            for (i, s) in sensitivity.iter().enumerate() {
                let step = -STRETCH * excess * s / size;
                change[i] = (change[i].0.min(step), change[i].1.max(step));
            }
        }
        for (i, (down, up)) in change.into_iter().enumerate() {
            let now = injection_kw(setting, physical, i, t);
            // Opposite demands on one member cannot both be met: neither is.
            let target = if down < 0.0 && up <= 0.0 {
                now + down
            } else if up > 0.0 && down >= 0.0 {
                now + up
            } else {
                continue;
            };
            let range = match reach[i][t] {
                Some(range) => range,
                None => *reach[i][t].insert(injection_range(market, i, t)?),
            };
            let target = target.clamp(range.0, range.1);
            if target < now - 1e-9 && target < limits[i].injection_max_kw[t] {
                limits[i].injection_max_kw[t] = target.max(limits[i].injection_min_kw[t]);
                moved = true;
            } else if target > now + 1e-9 && target > limits[i].injection_min_kw[t] {
                limits[i].injection_min_kw[t] = target.min(limits[i].injection_max_kw[t]);
                moved = true;
            }
        }
    }
    Ok(moved)
}

/// Every violated limit of a period: how the limited quantity rises with each member's injection (per kW), and by how much
/// it is too high.
fn relief(
    setting: &Setting,
    feeder: &Feeder,
    physical: &Physical,
    period: usize,
) -> Result<Vec<(Vec<f64>, f64)>, MechanismError> {
    let network = &feeder.network;
    let flow = &physical.grid[period].flow;
    let mut demands = vec![];
    let mut sensitivities = None;
    let topology = feeder.power_flow.topology();
    for near in Limit::nearest(network, flow).filter(|near| share(network, near) > TOLERANCE) {
        let demand: Vec<f64> = match near.limit {
            Limit::VoltageMin(node) | Limit::VoltageMax(node) => {
                if sensitivities.is_none() {
                    let found = feeder.power_flow.sensitivities(flow).map_err(InPeriod::at(period));
                    sensitivities = Some(found.map_err(PhysicalError::from)?);
                }
                let Some(s) = sensitivities.as_mut() else { continue };
                // Responses are to loads; an injection is the opposite.
                let response = s.voltage_pu(node);
                let sign = if matches!(near.limit, Limit::VoltageMax(_)) { -1.0 } else { 1.0 };
                let of = |m: &crate::setting::Member| m.node.map_or(0.0, |n| sign * response.p[n.0]);
                setting.members.iter().map(of).collect()
            }
            Limit::RatingFrom(k) | Limit::RatingTo(k) => {
                let (branch, f) = (&network.branches[k], &flow.branches[k]);
                // On a tree the branch carries the members below it: an injection there lowers the flow towards them.
                let towards_child = topology.parent(branch.to).is_some_and(|p| p.branch == k);
                let active = if towards_child { f.p_from_kw } else { f.p_to_kw };
                let slope = -active / f.apparent_kva().max(1e-9);
                let below = |m: &crate::setting::Member| {
                    let on_path = m.node.and_then(|n| topology.path_to_root(n)).is_some_and(|path| path.contains(&k));
                    if on_path { slope } else { 0.0 }
                };
                setting.members.iter().map(below).collect()
            }
        };
        demands.push((demand, near.by));
    }
    Ok(demands)
}

fn injection_kw(setting: &Setting, physical: &Physical, member: usize, period: usize) -> f64 {
    setting.energy_slot(period).map_or(0.0, |k| physical.plans[member].output[k]) / setting.periods.hours
}

/// Least and greatest net injection of a member in a period, kW: its answers to a price on its net injection that no cost
/// outweighs.
fn injection_range(market: &Market, member: usize, period: usize) -> Result<(f64, f64), MechanismError> {
    let setting = market.setting();
    let dearest = setting.tariff.iter().flat_map(|t| &t.buy_per_kwh).copied().fold(1.0, f64::max);
    let answer = |price: f64| -> Result<f64, MechanismError> {
        let mut terms = vec![Terms::default(); market.len()];
        let mut adder = vec![0.0; setting.periods.count];
        adder[period] = price;
        terms[member].withdrawal_adder.clone_from(&adder);
        adder[period] = -price;
        terms[member].injection_adder = adder;
        let plan = market.imposing(&terms).local(member).remembered_autarky()?;
        Ok(setting.energy_slot(period).map_or(0.0, |k| plan.output[k]) / setting.periods.hours)
    };
    let (low, high) = (answer(-1000.0 * dearest)?, answer(1000.0 * dearest)?);
    Ok((low.min(high), low.max(high)))
}
