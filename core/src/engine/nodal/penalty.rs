//! Limits of the network in the prices: multipliers, curvatures, and their part of the proximal term.

use crate::engine::limits::{self, LimitCharges, LimitPrices};
use crate::network::Limit;
use crate::outcome::{Certificate, Kind};
use crate::physical::Physical;
use crate::setting::{Feeder, Setting};

/// Violation that is none, pu of squared voltage and share of a rating; priced limits are met this closely.
const TOLERANCE: f64 = 1e-6;
/// The same in settlement, which moves among ties.
const SETTLED_TOLERANCE: f64 = 1e-5;
/// What a price on a limit that does not bind may amount to per h, relative to the costs.
const MONEY_TOLERANCE: f64 = 1e-6;
/// Curvature of a limit in the prices, as a multiple of the anchor's.
const STIFFNESS: f64 = 10.0;
/// Growth of the stiffness where an update has not halved a violation.
const GROWTH: f64 = 4.0;
/// A limit in the prices.
#[derive(Clone, Debug)]
struct Priced {
    limit: Limit,
    multiplier: f64,
    kappa: f64,
    stiffness: f64,
    /// Violation at the last update.
    before: f64,
}

/// The limits in the prices of one pass of the loop, and their part of the anchor.
#[derive(Clone, Debug, Default)]
pub(super) struct Penalty {
    by_period: Vec<Vec<Priced>>,
    /// Money per kWh squared, member-major; empty without limits.
    weight: Vec<f64>,
}

impl Penalty {
    /// What the anchor needs for the limits, per kWh squared, at a place of the member-major series.
    pub fn weight(&self, place: usize) -> f64 {
        self.weight.get(place).copied().unwrap_or(0.0)
    }

    /// Multipliers that an outcome calls for, `[mu + kappa g]+`, and the charges that follow.
    pub fn charges(&self, setting: &Setting, physical: &Physical) -> LimitCharges {
        let Some(feeder) = setting.feeder.as_ref().filter(|_| !self.by_period.is_empty()) else {
            return LimitCharges::default();
        };
        let of_period = |(limits, state): (&Vec<Priced>, &crate::physical::GridState)| {
            let called_for = |p: &Priced| {
                let g = p.limit.excess(&feeder.network, &state.flow).unwrap_or(0.0);
                (p.limit, (p.multiplier + p.kappa * g).max(0.0))
            };
            limits.iter().map(called_for).filter(|(_, multiplier)| *multiplier > 0.0).collect()
        };
        let prices = LimitPrices { by_period: self.by_period.iter().zip(&physical.grid).map(of_period).collect() };
        LimitCharges::at(prices, setting, physical)
    }

    /// The next pass: multipliers as the outcome calls for them, limits that are newly violated, curvatures at this state.
    /// True if that changes anything.
    pub fn update(&mut self, setting: &Setting, feeder: &Feeder, physical: &Physical, anchor: &[f64]) -> bool {
        let mut open = false;
        let network = &feeder.network;
        let all = Limit::all(network);
        self.by_period.resize(setting.periods.count, vec![]);
        for (limits, state) in self.by_period.iter_mut().zip(&physical.grid) {
            let excess = |limit: Limit| limit.excess(network, &state.flow).unwrap_or(0.0);
            for p in limits.iter_mut() {
                let g = excess(p.limit);
                let next = (p.multiplier + p.kappa * g).max(0.0);
                open |= g > TOLERANCE || (next > 0.0 && g < -TOLERANCE);
                if g > TOLERANCE && g > 0.5 * p.before {
                    p.stiffness *= GROWTH;
                }
                (p.multiplier, p.before) = (next, g.max(0.0));
            }
            limits.retain(|p| p.multiplier > 0.0 || excess(p.limit) > TOLERANCE);
            for kind in 0..3 {
                let of_kind = all.iter().copied().filter(|l| kind_of(*l) == kind);
                let most =
                    of_kind.map(|l| (l, excess(l))).fold(None, |most: Option<(Limit, f64)>, (l, g)| match most {
                        Some(m) if m.1 >= g => Some(m),
                        _ => Some((l, g)),
                    });
                if let Some((limit, g)) = most.filter(|m| m.1 > TOLERANCE)
                    && !limits.iter().any(|p| p.limit == limit)
                {
                    open = true;
                    limits.push(Priced { limit, multiplier: 0.0, kappa: 0.0, stiffness: STIFFNESS, before: g });
                }
            }
        }
        self.stiffen(setting, feeder, physical, anchor);
        open
    }

    /// `kappa = stiffness sum_i rho_i / (sum_i |s_i|)^2`, with `s` the limit's derivatives by the members' withdrawals, and
    /// `kappa |s_i| sum_k |s_k|` for the anchor of member `i`.
    fn stiffen(&mut self, setting: &Setting, feeder: &Feeder, physical: &Physical, anchor: &[f64]) {
        let (periods, hours) = (setting.periods.count, setting.periods.hours);
        self.weight = vec![0.0; anchor.len()];
        for (t, (limits, state)) in self.by_period.iter_mut().zip(&physical.grid).enumerate() {
            if limits.is_empty() {
                continue;
            }
            let Ok(mut sensitivities) = feeder.power_flow.sensitivities(&state.flow) else { continue };
            let rho: f64 = (0..setting.members.len()).map(|i| anchor[i * periods + t]).sum();
            for p in limits {
                let s = limits::by_member(setting, feeder, &state.flow, p.limit, &mut sensitivities);
                let size = s.iter().map(|x| x.abs()).sum::<f64>().max(least_slope(feeder, p.limit));
                if size <= 0.0 {
                    continue;
                }
                p.kappa = p.stiffness * hours * rho / (size * size);
                for (i, slope) in s.iter().enumerate() {
                    self.weight[i * periods + t] += p.kappa * slope.abs() * size / hours;
                }
            }
        }
    }
}

/// Low voltages, high voltages, ratings.
fn kind_of(limit: Limit) -> usize {
    match limit {
        Limit::VoltageMin(_) => 0,
        Limit::VoltageMax(_) => 1,
        Limit::RatingFrom(_) | Limit::RatingTo(_) => 2,
    }
}

/// A rating has no slope where only reactive power flows: it counts with a tenth of what it has elsewhere.
fn least_slope(feeder: &Feeder, limit: Limit) -> f64 {
    match limit {
        Limit::VoltageMin(_) | Limit::VoltageMax(_) => 0.0,
        Limit::RatingFrom(k) | Limit::RatingTo(k) => 0.1 / feeder.network.branches[k].rate_kva.unwrap_or(f64::INFINITY),
    }
}

/// Whether priced limits hold, and whether those with a price bind; nothing where none has one.
pub(super) fn evidence(setting: &Setting, charges: &LimitCharges, physical: &Physical, scale: f64) -> Vec<Certificate> {
    let Some(feeder) = setting.feeder.as_ref().filter(|_| !charges.prices.is_empty()) else { return vec![] };
    let worst = limits::worst(setting, physical);
    let (slack, at) = charges.prices.slackness(setting, physical);
    let named = |(limit, period): (Limit, usize)| limit.named(&feeder.network, period);
    vec![
        Certificate::check(
            "limit_violation",
            worst.map_or(0.0, |w| w.2),
            SETTLED_TOLERANCE,
            worst.map_or(String::new(), |(limit, t, g)| {
                limit.missed_by_excess(&feeder.network, g).words(&feeder.network, Some(t))
            }),
        )
        .about(Kind::Feasibility),
        Certificate::check("limit_slackness", slack, MONEY_TOLERANCE * scale.max(1.0), at.map_or(String::new(), named))
            .about(Kind::FixedPoint),
    ]
}

/// Whether an outcome violates a limit by more than is none.
pub(super) fn violated(setting: &Setting, physical: &Physical) -> bool {
    limits::worst(setting, physical).is_some_and(|w| w.2 > TOLERANCE)
}
