//! The fixed point of nodal prices around a mechanism, by an anchor on quantities.
//!
//! Iterating on prices stalls, because answers to symmetric prices are sets: a storage is indifferent. With an anchor
//! `sum_t rho_t/2 (x_t - c_t)^2` on every member's net withdrawal the loop is the proximal gradient method on the
//! participants' and the network's cost; at `c = x` the anchor's gradient vanishes, so the fixed point is the true one.
//! Anderson's method accelerates it; where prices turn out steeper than losses make them, the anchor does too. The outcome
//! is settled with a weak anchor, which only chooses among ties, and three certificates say how near it is: in prices, in
//! quantities, in money. Where it violates limits of the network that the policy prices, the search goes on with them in the
//! prices.

use super::anderson::Anderson;
use super::limits::LimitCharges;
use super::steepness::Steepness;
use super::within_limits::{self, Penalty};
use super::{Cleared, Run};
use crate::context::{Progress, Step};
use crate::market::Plan;
use crate::mechanism::MechanismError;
use crate::outcome::{Certificate, Kind, Status, Verdict};
use crate::physical::{self, Physical};
use crate::setting::Product;
use crate::terms::{Anchor, Terms, at};
use std::sync::Arc;

/// Rounds of the loop.
const MAX_ROUNDS: usize = 100;
/// Change of price that a step may still mean, per kWh.
const PRICE_STEP: f64 = 1e-7;
/// The same where no round comes nearer: a tenth of the tolerance of settled prices.
const STALLED_PRICE_STEP: f64 = 1e-5;
/// The same where that is still too much for the settlement.
const LEAST_PRICE_STEP: f64 = 1e-9;
/// Change of withdrawal that a step may still mean, kWh in a period.
const LOAD_STEP: f64 = 0.01;
/// Strength of the anchor in settlement.
const WEAK: f64 = 0.03;
/// Rounds without halving the best step after which the anchor is doubled.
const PATIENCE: usize = 20;
/// Common resistance of members that the anchor supposes where no member has a line to the root.
const STAND_IN_RESISTANCE_PU: f64 = 0.1;
/// Passes with prices that turn softly.
const MAX_PASSES: usize = 25;
/// Passes in a row without a fixed point after which soft turns are no help.
const MAX_LOST: usize = 2;
/// Change of price from pass to pass that is left to the prices themselves, per kWh.
const PASS_TOLERANCE: f64 = 1e-6;
/// Tolerance of the settled prices, per kWh.
const PRICE_TOLERANCE: f64 = 1e-4;
/// Tolerance of the money certificate, relative to the costs.
const GAP_TOLERANCE: f64 = 1e-6;

pub(super) fn clear(run: &Run<'_>) -> Result<Cleared, MechanismError> {
    let mut found = search(run, &Penalty::default(), None)?;
    if !found.stopped {
        found = softly(run, found)?;
    }
    if found.stopped && run.policy.prices_limits() && within_limits::violated(run.setting(), &found.settled.physical) {
        return within_limits::clear(run, found);
    }
    Ok(found.settled)
}

/// From where a search has not stopped: with prices that turn softly, drawn to those of the pass before, until they no longer
/// move, and from there with the prices themselves. Members then need not agree on who moves within the narrow band of a
/// turn: the price at it is found as a multiplier is. What was found before stays where the policy has no such prices.
fn softly(run: &Run<'_>, mut found: Found) -> Result<Found, MechanismError> {
    let setting = run.setting();
    let mut at = moved(run, &found.plans, &found.at)?;
    let Some(mut soft) = run.policy.softened(setting, &at) else { return Ok(found) };
    let mut lost = 0;
    for _ in 0..MAX_PASSES {
        found = search(&Run { policy: &*soft, ..*run }, &Penalty::default(), Some(found))?;
        lost = if found.stopped { 0 } else { lost + 1 };
        at = moved(run, &found.plans, &found.at)?;
        let Some(next) = soft.softened(setting, &at) else { break };
        let left = distance(&next.target(setting, &at, &[]), &soft.target(setting, &at, &[]));
        soft = next;
        if left <= PASS_TOLERANCE || lost == MAX_LOST || run.observer.cancelled() {
            break;
        }
    }
    search(run, &Penalty::default(), Some(found))
}

/// Where a search ended.
pub(super) struct Found {
    /// The outcome, with its certificates.
    pub settled: Cleared,
    /// Withdrawals that it is settled at, kWh, member-major.
    pub at: Vec<f64>,
    /// Schedules of the last round.
    pub plans: Vec<Arc<Plan>>,
    /// Weights of the anchor without limits, and what they were multiplied with.
    pub base: Vec<f64>,
    strength: f64,
    /// Whether it is a fixed point.
    pub stopped: bool,
}

/// The round that moved least.
struct Best {
    /// Weighted length of its step.
    norm: f64,
    /// Its greatest change of price, per kWh; infinite where it moved energy.
    step: f64,
    at: Vec<f64>,
    plans: Vec<Arc<Plan>>,
}

/// The anchored loop with limits in the prices, from another one's end or from the flat tariff. Its rounds follow those of
/// the other.
pub(super) fn search(run: &Run<'_>, penalty: &Penalty, mut from: Option<Found>) -> Result<Found, MechanismError> {
    let mut rounds = from.as_mut().map_or(vec![], |found| std::mem::take(&mut found.settled.rounds));
    let mut found = rounds_of(run, penalty, from, &mut rounds)?;
    found.settled.rounds = rounds;
    Ok(found)
}

fn rounds_of(
    run: &Run<'_>,
    penalty: &Penalty,
    from: Option<Found>,
    rounds: &mut Vec<Step>,
) -> Result<Found, MechanismError> {
    let setting = run.setting();
    let periods = setting.periods.count;
    let (mut last, mut centre, base, mut strength) = if let Some(found) = from {
        (found.settled, found.at, found.base, found.strength)
    } else {
        let signal = run.policy.start(setting);
        let last = run.round(&run.policy.terms(setting, &signal), signal)?;
        let centre = withdrawals(&last.physical, run);
        let base = weights(run, &last, &centre)?;
        (last, centre, base, 1.0)
    };
    let mut steepness = Steepness::new(periods);
    let mut anderson = Anderson::default();
    let mut best =
        Best { norm: f64::INFINITY, step: f64::INFINITY, at: centre.clone(), plans: last.physical.plans.clone() };
    let (mut checkpoint, mut waited) = (f64::INFINITY, 0);
    let mut recent: Vec<Vec<f64>> = vec![];
    let (mut tolerance, mut settled) = (PRICE_STEP, None);
    let weak = |strength: f64, steepness: &Steepness| {
        let weak = |(k, w): (usize, &f64)| WEAK * strength * w + WEAK * penalty.weight(k);
        steepness.on(&base.iter().enumerate().map(weak).collect::<Vec<f64>>())
    };
    let mut end = End::Rounds { step: vec![] };
    let mut cycle = false;
    for _ in 0..MAX_ROUNDS {
        let plain: Vec<f64> = base.iter().enumerate().map(|(k, w)| strength * w + penalty.weight(k)).collect();
        let (price, limits) = prices_at(run, penalty, &last.physical.plans, &centre)?;
        let terms = limits.onto(setting, run.policy.terms(setting, &price));
        steepness.observe(&centre, marginal_prices(&terms, &last.physical.plans, periods), &plain);
        let rho = steepness.on(&plain);
        last = run.round(&anchored(terms, &centre, &rho, periods), price)?;
        let answer = withdrawals(&last.physical, run);
        let step: Vec<f64> = answer.iter().zip(&centre).map(|(y, c)| y - c).collect();
        // What is left of the marginal cost at the centre, per kWh: independent of the anchor wherever answers are free.
        let residual: Vec<f64> = step.iter().zip(&rho).map(|(d, r)| d * r).collect();
        let price_step = residual.iter().fold(0.0_f64, |m, f| m.max(f.abs()));
        let load_step = step.iter().fold(0.0_f64, |m, d| m.max(d.abs()));
        record(run, rounds, load_step, price_step, last.physical.plans.iter().map(|p| p.cost).sum());
        let norm = residual.iter().zip(&base).map(|(f, w)| f * f / w).sum::<f64>().sqrt();
        if norm < best.norm {
            let step = if load_step <= LOAD_STEP { price_step } else { f64::INFINITY };
            best = Best { norm, step, at: answer.clone(), plans: last.physical.plans.clone() };
        }
        if price_step <= tolerance && load_step <= LOAD_STEP {
            // The weak anchor of the settlement lets what is left of a step grow: the loop goes on until that is little too.
            let (cleared, upheld) =
                settle(run, penalty, &answer, &last.physical.plans, &weak(strength, &steepness), &End::Stopped)?;
            let at = answer.clone();
            if upheld || tolerance <= LEAST_PRICE_STEP {
                return Ok(Found { settled: cleared, at, plans: last.physical.plans, base, strength, stopped: true });
            }
            settled = Some((cleared, at, last.physical.plans.clone()));
            tolerance *= 0.1;
        }
        cycle |= recent.len() >= 2
            && distance(&recent[recent.len() - 2], &answer) < 1e-9
            && distance(&recent[recent.len() - 1], &answer) > LOAD_STEP;
        recent.push(answer);
        end = if cycle { End::Cycle { step } } else { End::Rounds { step } };
        if run.observer.cancelled() {
            break;
        }
        if best.norm <= 0.5 * checkpoint {
            (checkpoint, waited) = (best.norm, 0);
        } else {
            waited += 1;
        }
        if waited >= PATIENCE {
            strength *= 2.0;
            anderson = Anderson::default();
            centre.clone_from(&best.at);
            (checkpoint, waited) = (best.norm, 0);
        } else {
            centre = anderson.next(&centre, &residual, &rho);
        }
    }
    if let Some((settled, at, plans)) = settled {
        return Ok(Found { settled, at, plans, base, strength, stopped: true });
    }
    let weak = weak(strength, &steepness);
    // Local answers are exact to a solver's tolerance: a step may hang above what it should mean and yet mean nothing.
    if best.step <= STALLED_PRICE_STEP {
        let (settled, upheld) = settle(run, penalty, &best.at, &best.plans, &weak, &End::Stopped)?;
        if upheld {
            return Ok(Found { settled, at: best.at, plans: best.plans, base, strength, stopped: true });
        }
    }
    let settled = settle(run, penalty, &best.at, &best.plans, &weak, &end)?.0;
    Ok(Found { settled, at: best.at, plans: best.plans, base, strength, stopped: false })
}

/// One round more in the trace, and for whoever watches.
fn record(run: &Run<'_>, rounds: &mut Vec<Step>, load_kwh: f64, price_per_kwh: f64, cost: f64) {
    let (stage, step) = ("policy", rounds.len());
    let values = vec![("primal_residual", load_kwh), ("dual_residual", price_per_kwh), ("objective", cost)];
    rounds.push(Step { stage, step, values });
    run.observer.step(&Progress { stage, step, residual: load_kwh });
}

/// The mechanism's outcome at the prices of these withdrawals, held there by a weak anchor, and whether its certificates are
/// upheld.
fn settle(
    run: &Run<'_>,
    penalty: &Penalty,
    at: &[f64],
    plans: &[Arc<Plan>],
    weak: &[f64],
    end: &End,
) -> Result<(Cleared, bool), MechanismError> {
    let setting = run.setting();
    let (price, limits) = prices_at(run, penalty, plans, at)?;
    let terms = limits.onto(setting, run.policy.terms(setting, &price));
    let mut settled = run.round(&anchored(terms, at, weak, setting.periods.count), price)?;
    settled.limits = limits;
    let upheld = certify(run, &mut settled, at, end)?;
    Ok((settled, upheld))
}

/// How the loop ended; where it did not stop, with its last step, member-major.
enum End {
    Stopped,
    Cycle { step: Vec<f64> },
    Rounds { step: Vec<f64> },
}

impl End {
    /// Why there is no fixed point, if there is none.
    fn reason(&self, run: &Run<'_>) -> String {
        match self {
            End::Stopped => "fixed point of the anchored mechanism only: its settlement moves".into(),
            End::Cycle { step } => format!("cycle; {}", greatest(run, step)),
            End::Rounds { step } => format!(
                "no fixed point of the nodal prices was found; the best round is settled; {}",
                greatest(run, step)
            ),
        }
    }
}

/// Where the last step was greatest, in words.
fn greatest(run: &Run<'_>, step: &[f64]) -> String {
    let periods = run.setting().periods.count;
    let (k, kwh) = step.iter().enumerate().fold((0, 0.0_f64), |m, (k, d)| if d.abs() > m.1 { (k, d.abs()) } else { m });
    let who = run.setting().members.get(k / periods).map_or("nobody", |m| &m.id);
    format!("in the last round {who} still moved by {kwh:.3} kWh in period {}", k % periods)
}

/// What a kWh more costs each member at the margin, member-major: price, adders, and its account at what the last kg on it
/// is worth.
fn marginal_prices(terms: &[Terms], plans: &[Arc<Plan>], periods: usize) -> Vec<f64> {
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

/// Net physical withdrawal of every member and period, kWh, member-major.
fn withdrawals(physical: &Physical, run: &Run<'_>) -> Vec<f64> {
    let setting = run.setting();
    let of = |plan: &Arc<Plan>| {
        (0..setting.periods.count).map(|t| setting.energy_slot(t).map_or(0.0, |k| -plan.output[k])).collect::<Vec<_>>()
    };
    physical.plans.iter().flat_map(of).collect()
}

/// The policy's prices if everybody withdrew these quantities, its devices as in the last answer.
fn price_at(run: &Run<'_>, last: &[Arc<Plan>], withdrawal: &[f64]) -> Result<Vec<f64>, MechanismError> {
    let physical = moved(run, last, withdrawal)?;
    Ok(run.policy.target(run.setting(), &physical, &[]))
}

/// The same with what limits charge at these quantities.
fn prices_at(
    run: &Run<'_>,
    penalty: &Penalty,
    last: &[Arc<Plan>],
    withdrawal: &[f64],
) -> Result<(Vec<f64>, LimitCharges), MechanismError> {
    let physical = moved(run, last, withdrawal)?;
    let signal = run.policy.target(run.setting(), &physical, &[]);
    Ok((signal, penalty.charges(run.setting(), &physical)))
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
    let price = price_at(run, &last.physical.plans, withdrawal)?;
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
            let moved = price_at(run, &last.physical.plans, &other)?;
            for (w, (a, b)) in weights.iter_mut().zip(moved.iter().zip(&price)) {
                *w += (a - b).abs() / (DIFFERENCE_KW * hours);
            }
        }
    }
    // A member at the root, or without a node, moves no price: the least positive weight keeps its answer unique.
    let least = weights.iter().copied().filter(|w| *w > 0.0).fold(f64::INFINITY, f64::min);
    let floor = |price: f64| {
        let alone = 2.0 * STAND_IN_RESISTANCE_PU * n as f64 * price.abs() / network.base_kva() / hours;
        if least.is_finite() { least } else { alone.max(1e-9) }
    };
    Ok(weights.into_iter().zip(&price).map(|(w, price)| w.max(floor(*price))).collect())
}

fn anchored(terms: Vec<Terms>, centre: &[f64], rho: &[f64], periods: usize) -> Vec<Terms> {
    let chunks = centre.chunks(periods).zip(rho.chunks(periods));
    let anchor = |(c, r): (&[f64], &[f64])| Anchor { centre_kwh: c.to_vec(), weight: r.to_vec() };
    terms.into_iter().zip(chunks).map(|(t, chunk)| Terms { anchor: Some(anchor(chunk)), ..t }).collect()
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max)
}

/// Certificates of the settled outcome, whether they are upheld, and its status.
fn certify(run: &Run<'_>, settled: &mut Cleared, at_loads: &[f64], end: &End) -> Result<bool, MechanismError> {
    let setting = run.setting();
    let found = withdrawals(&settled.physical, run);
    let calls_for = run.policy.target(setting, &settled.physical, &settled.signal);
    let limits = LimitCharges::at(settled.limits.prices.clone(), setting, &settled.physical);
    let price_distance = distance(&calls_for, &settled.signal).max(distance(&limits.per_kwh, &settled.limits.per_kwh));
    let terms = limits.onto(setting, run.policy.terms(setting, &calls_for));
    let cost = |plans: &[Arc<Plan>]| plans.iter().zip(&terms).map(|(p, t)| cost_under(run, t, p)).sum::<f64>();
    let here = cost(&settled.physical.plans);
    let scale: f64 = settled.physical.plans.iter().zip(&terms).map(|(p, t)| cost_under(run, t, p).abs()).sum();
    let unanchored = run.market.under(&terms).imposing(&settled.outcome.imposed);
    let least = unanchored.each(|l| l.delivered(&settled.outcome.net[l.id()]).map(Arc::new))?;
    let answer = run.round(&terms, calls_for)?;
    let price_check = Certificate::check(
        "fixed_point_price",
        price_distance,
        PRICE_TOLERANCE,
        "per kWh, prices called for against prices charged",
    )
    .about(Kind::FixedPoint);
    let gap_check = Certificate::check(
        "fixed_point_gap",
        here - cost(&least),
        GAP_TOLERANCE * scale.max(1.0),
        "what participants could still save at these prices with the trades they have",
    )
    .about(Kind::FixedPoint);
    let upheld = [&price_check, &gap_check].iter().all(|c| c.verdict == Verdict::Upheld);
    let evidence = &mut settled.outcome.evidence;
    evidence.push(price_check);
    evidence.push(Certificate::measure(
        "fixed_point_load",
        distance(&found, at_loads),
        "kWh in a period, settled against anchored",
    ));
    evidence.push(gap_check);
    // No bound for a mechanism that does not seek the least cost: of equal positions it takes one, and the settled one may
    // cost less or more.
    evidence.push(Certificate::measure(
        "fixed_point_answer",
        here - cost(&answer.physical.plans),
        "cost above that of the mechanism's own answer to these prices, which breaks ties in its own way",
    ));
    let on_limits = within_limits::evidence(setting, &settled.limits, &settled.physical, scale);
    let held = on_limits.iter().all(|c| c.verdict == Verdict::Upheld);
    evidence.extend(on_limits);
    let stopped = matches!(end, End::Stopped);
    if settled.outcome.status == Status::Converged && !(stopped && held && price_distance <= PRICE_TOLERANCE) {
        settled.outcome.status = Status::NotConverged { residual: price_distance };
        settled.reason = Some(end.reason(run));
    }
    Ok(upheld)
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
            balance += at(&a.sold_kg_per_kwh, t) * sale.max(0.0) + at(&a.bought_kg_per_kwh, t) * (-sale).max(0.0);
            balance += plan.emission_kg[t] - a.turbine_quota_kg_per_kwh * plan.emitting_kwh[t];
            balance -= a.renewable_quota_kg_per_kwh * plan.renewable_kwh(setting.periods.hours, t);
        }
    }
    cost + terms.account.as_ref().map_or(0.0, |a| a.charge.value(balance))
}
