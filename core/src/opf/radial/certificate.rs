//! Proof of global optimality of a dispatch, whoever computed it. Knows no solver.
//!
//! Given controls and non-negative duals of the limits, the flow and its adjoint make the Lagrangian stationary in every
//! flow and voltage. With eta the prices of the squared currents, and the Bregman distance of `phi = |S|^2 / v`,
//! `D(x, x^) = |S - v S^/v^|^2 / v`, every AC-feasible x satisfies
//!
//! ```text
//! f(x^) - f(x) <= sum over controls of [c(u^) - L u^ - min (c - L .)] + sum over limits of dual x slack + sum_k [-eta_k]+ D_k
//! ```
//!
//! If no eta is negative the answer is globally optimal and the convex relaxation is exact.

use super::adjoint::{Prices, Sources};
use super::feeder::{Feeder, FlowState};
use super::formulation::{Layout, Scaled};
use crate::program::flows::FlowPoint;

/// How far a dispatch can be from the global optimum, proven.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OptimalityCertificate {
    /// Cost of the dispatch, money per hour.
    pub objective_per_h: f64,
    /// No AC-feasible dispatch costs less by more than this, money per hour.
    pub gap_per_h: f64,
    /// What controls add to the gap.
    pub controls_per_h: f64,
    /// What limits add to it.
    pub limits_per_h: f64,
    /// What squared currents with a negative price add to it.
    pub currents_per_h: f64,
    /// Least price of a squared current, relative to the highest price; negative where losing power would pay.
    pub least_current_price: f64,
    /// Largest violation of a limit, pu of the base (squared voltage, apparent power) or rad.
    pub violation: f64,
}

/// Duals of limits in per unit, from whatever solver; the certificate holds for any non-negative ones.
#[derive(Clone, Debug)]
pub(super) struct ScaledDuals {
    pub sources: Sources,
    /// Upper and lower voltage limits apart.
    pub voltage: Vec<(f64, f64)>,
    /// Of the squared apparent power of each control.
    pub controls: Vec<f64>,
}

/// A dispatch with its flow, prices and proof.
#[derive(Clone, Debug)]
pub(super) struct Certified {
    pub controls: Vec<(f64, f64)>,
    pub flow: FlowState,
    pub prices: Prices,
    pub duals: ScaledDuals,
    /// Cost in units of price x base.
    pub cost: f64,
    /// The gap and its three parts in the same units.
    pub gap: f64,
    pub parts: [f64; 3],
    pub least_current_price: f64,
    pub violation: f64,
}

impl ScaledDuals {
    /// No limit binds.
    pub fn none(n: usize, hour: &Scaled) -> Self {
        let controls = vec![0.0; hour.units.len()];
        Self { sources: Sources::root(n, hour.root_price, 0.0), voltage: vec![(0.0, 0.0); n], controls }
    }

    /// The duals of a solver's point.
    pub fn of(feeder: &Feeder, hour: &Scaled, at: &Layout, point: &FlowPoint) -> Self {
        let n = feeder.len();
        let disc = |k: Option<usize>| k.map_or(0.0, |k| point.disc[k].max(0.0));
        let voltage: Vec<(f64, f64)> = (0..n)
            .map(|k| {
                if k < feeder.roots {
                    return (0.0, 0.0);
                }
                (point.at_upper[at.limited_v[k]].max(0.0), point.at_lower[at.limited_v[k]].max(0.0))
            })
            .collect();
        let price =
            |rows: &[Option<usize>], otherwise: f64| rows.first().copied().flatten().map_or(otherwise, |r| point.y[r]);
        let sources = Sources {
            root: (price(&at.active, hour.root_price), price(&at.reactive, 0.0)),
            voltage: voltage.iter().map(|(up, low)| up - low).collect(),
            sending: at.sending.iter().map(|&k| disc(k)).collect(),
            receiving: at.receiving.iter().map(|&k| disc(k)).collect(),
            angle: at.angle.iter().map(|sides| sides.map(|s| s.map_or(0.0, |j| point.at_lower[j].max(0.0)))).collect(),
        };
        Self { sources, voltage, controls: at.control_disc.iter().map(|&k| disc(k)).collect() }
    }
}

/// Certifies controls (moved into their ranges) with duals of limits; nothing where there is no power flow.
pub(super) fn certify(
    feeder: &Feeder,
    hour: &Scaled,
    controls: &[(f64, f64)],
    duals: ScaledDuals,
    guess: &FlowState,
) -> Option<Certified> {
    let n = feeder.len();
    let (mut p, mut q) = (hour.p.clone(), hour.q.clone());
    let mut chosen = vec![];
    let mut violation = 0.0_f64;
    for (unit, &(up, uq)) in hour.units.iter().zip(controls) {
        let mut u = (up.clamp(unit.p.0, unit.p.1), uq.clamp(unit.q.0, unit.q.1));
        if let Some(s) = unit.s {
            let size = u.0.hypot(u.1);
            // Rounding of a solver only; what is further out shows as a violation.
            if size > s {
                u = (u.0 * s / size, u.1 * s / size);
            }
        }
        violation = violation.max((u.0 - up).abs()).max((u.1 - uq).abs());
        p[unit.at] -= u.0;
        q[unit.at] -= u.1;
        chosen.push(u);
    }
    let flow = feeder.flow(&p, &q, guess)?;
    let prices = feeder.prices(&flow, &duals.sources);
    let mut limits = 0.0;
    for k in feeder.roots..n {
        let (up, low) = duals.voltage[k];
        let (above, below) = (feeder.v_max[k] - flow.v[k], flow.v[k] - feeder.v_min[k]);
        violation = violation.max(-above).max(-below);
        // A limit that is not there has no dual.
        limits += if up > 0.0 { up * above } else { 0.0 } + if low > 0.0 { low * below } else { 0.0 };
        if let Some(s) = feeder.branch[k].limit {
            let ends = feeder.terminals(&flow, k);
            for ((p, q), w) in ends.into_iter().zip([duals.sources.sending[k], duals.sources.receiving[k]]) {
                limits += w * (s * s - p * p - q * q);
                violation = violation.max(p.hypot(q) - s);
            }
        }
        let (line, angle) = (&feeder.branch[k], feeder.angle(&flow, k));
        violation = violation.max(line.angle.0 - angle).max(angle - line.angle.1);
        for (dual, limit) in duals.sources.angle[k].iter().zip(line.angle_limits()) {
            limits += limit.map_or(0.0, |l| dual * l.slack(flow.p[k], flow.q[k], flow.v[line.parent]));
        }
    }
    for k in (0..feeder.roots).filter(|k| feeder.choice[*k].is_none()) {
        violation = violation.max(flow.v[k] - feeder.v_max[k]).max(feeder.v_min[k] - flow.v[k]);
    }
    let (mut gains, mut cost) = (0.0, hour.root_price * flow.import.0);
    for ((unit, &(up, uq)), &w) in hour.units.iter().zip(&chosen).zip(&duals.controls) {
        let (active, reactive) = (prices.active[unit.at], prices.reactive[unit.at]);
        cost += (0.5 * unit.square * up + unit.slope) * up;
        gains += above_least(unit.square + 2.0 * w, unit.slope - active, unit.p, up);
        gains += above_least(2.0 * w, -reactive, unit.q, uq);
        if let Some(s) = unit.s {
            limits += w * (s * s - up * up - uq * uq);
        }
    }
    // A voltage that may be chosen is a control without a cost of its own.
    for (k, choice) in feeder.choice.iter().enumerate() {
        gains += choice.map_or(0.0, |range| above_least(0.0, prices.root_voltage[k], range, flow.v[k]));
    }
    let root = duals.sources.root;
    for (limited, range, slope, import) in [
        (hour.import_rows().0, hour.import_p, hour.root_price - root.0, flow.import.0),
        (hour.import_rows().1, hour.import_q, -root.1, flow.import.1),
    ] {
        if limited {
            // Nobody imports a thousand times the base.
            let range = (range.0.max(-1e3), range.1.min(1e3));
            violation = violation.max(range.0 - import).max(import - range.1);
            gains += above_least(0.0, slope, range, import);
        }
    }
    let least = prices.current.iter().skip(feeder.roots).fold(f64::INFINITY, |least, &eta| least.min(eta));
    let currents = if least < 0.0 { negative_currents(feeder, hour, &flow, &prices, cost) } else { 0.0 };
    let gap = gains + limits + currents;
    Some(Certified {
        controls: chosen,
        flow,
        prices,
        duals,
        cost,
        gap: if gap.is_nan() { f64::INFINITY } else { gap },
        parts: [gains, limits, currents],
        least_current_price: if n > feeder.roots { least } else { 0.0 },
        violation,
    })
}

/// `h/2 u^2 + c u` at `u`, less its least value over the range.
fn above_least(h: f64, c: f64, (low, high): (f64, f64), u: f64) -> f64 {
    let best = if h > 0.0 {
        (-c / h).clamp(low, high)
    } else if c >= 0.0 {
        low
    } else {
        high
    };
    if h == 0.0 && c == 0.0 { 0.0 } else { (u - best) * (0.5 * h * (u + best) + c) }
}

/// `sum [-eta]+ D_k` with a bound on D over every dispatch that costs no more than this one.
///
/// `D <= (|S| + v |S^| / v^)^2 / v`. Where importing costs something, cost bounds the import and so the losses, of every
/// branch too; what a branch carries is at most what its subtree can want or give, and what is lost in it.
fn negative_currents(feeder: &Feeder, hour: &Scaled, flow: &FlowState, prices: &Prices, cost: f64) -> f64 {
    let n = feeder.len();
    let (mut p, mut q): (Vec<f64>, Vec<f64>) =
        (hour.p.iter().map(|v| v.abs()).collect(), hour.q.iter().map(|v| v.abs()).collect());
    let (mut cheapest, mut most_generation) = (0.0, 0.0);
    for unit in &hour.units {
        p[unit.at] += unit.p.0.abs().max(unit.p.1.abs());
        q[unit.at] += unit.q.0.abs().max(unit.q.1.abs());
        let best = if unit.square > 0.0 {
            (-unit.slope / unit.square).clamp(unit.p.0, unit.p.1)
        } else if unit.slope >= 0.0 {
            unit.p.0
        } else {
            unit.p.1
        };
        cheapest += (0.5 * unit.square * best + unit.slope) * best;
        most_generation += unit.p.1;
    }
    let loads: f64 = hour.p.iter().sum();
    let lost = if hour.root_price > 0.0 {
        ((cost - cheapest) / hour.root_price + most_generation - loads).max(0.0)
    } else {
        f64::INFINITY
    };
    let mut sum = 0.0;
    for k in (feeder.roots..n).rev() {
        let line = &feeder.branch[k];
        let (v, v_up) = (feeder.v_min[k], feeder.v_min[line.parent]);
        p[k] += feeder.g[k].abs() * feeder.v_max[k];
        q[k] += feeder.b[k].abs() * feeder.v_max[k];
        if let Some(s) = line.limit {
            // Of the terminals; charging lies between them and the series element.
            p[k] = p[k].min(s);
            q[k] = q[k].min(s + line.charging_down * feeder.v_max[k]);
        }
        let l = ((p[k] * p[k] + q[k] * q[k]) / (line.down * v)).min(if line.r > 0.0 {
            lost / line.r
        } else {
            f64::INFINITY
        });
        let (sent_p, sent_q) = (p[k] + line.r * l, q[k] + line.x.abs() * l);
        p[line.parent] += sent_p;
        q[line.parent] += sent_q;
        if prices.current[k] < 0.0 {
            let (low, high) = if line.parent < feeder.roots {
                let held = feeder.v_root[line.parent];
                feeder.choice[line.parent].unwrap_or((held, held))
            } else {
                (v_up, feeder.v_max[line.parent])
            };
            let (low, high, now) = (line.up * low, line.up * high, line.up * flow.v[line.parent]);
            let reach = sent_p.hypot(sent_q) + high * flow.p[k].hypot(flow.q[k]) / now;
            sum += -prices.current[k] * reach * reach / low;
        }
    }
    sum
}
