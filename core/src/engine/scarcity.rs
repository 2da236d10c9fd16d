//! A scarcity price: the price of a kg at which what is scarce is in balance, and schedules between both sides where
//! emissions jump there.
//!
//! With `X(p)` the sum of balances under a price and `F` the charge on it ([`Scarcity`]), wanted is `p` in `dF(X(p))`. Between
//! two slopes of `F` the price calls for one sum, the kink; at a slope for any within its piece. So the slopes are tried
//! first, and between two of them `X(p) = kink` is bracketed. Trial prices are, in turn, where the costs of both sides as
//! functions of the price cross (exact where both are corners of one program), the false position, and the middle.
//!
//! `X` jumps where a source replaces another: at that price the best answers form a set, and a program takes a corner of it.
//! Then every question is answered between both sides ([`Market::between`](crate::Market::between)), and the share of one of
//! them is found at which the kilograms add up. Every schedule is optimal at the price, and its gap proves it. Where no
//! mixture is optimal (choices that bind), the side that holds the cap is taken, and `scarcity_gap_kg` says what is left of it.
//!
//! Excess is measured in kg against the kilograms that move, never against the price.

use super::{Cleared, Run};
use crate::context::{Progress, Step};
use crate::error::MechanismError;
use crate::outcome::{Certificate, Claim, Kind, Status, Verdict};
use crate::policy::Scarcity;
use crate::policy::Signal;

/// Excess that is none, relative to the kilograms that move.
const EXCESS: f64 = 1e-8;
/// The same for the share of a mixture.
const MIXED_EXCESS: f64 = 1e-10;
/// Relative width at which the bracket of the price is closed.
const WIDTH: f64 = 1e-7;
/// Trials of prices: every fourth halves the bracket.
const MAX_TRIALS: usize = 160;
/// Trials of the share of a mixture.
const MAX_SHARES: usize = 60;
/// Least and dearest price of a search without end, as multiples of the money per kg that moves without a price.
const LEAST: f64 = 1e-6;
const DEAREST: f64 = 65_536.0;
/// Where the dearest price does not hold a cap that could be held: emissions need not fall with the price, and cheaper ones
/// are tried from here on, each so many times the one before; and one dearer still.
const CHEAPEST: f64 = 1.0 / 64.0;
const DEARER: f64 = 4.0;
const BEYOND: f64 = 1024.0 * DEAREST;

pub(super) fn clear(run: &Run<'_>) -> Result<Cleared, MechanismError> {
    let start = run.policy.start(run.setting()).scalar().unwrap_or(0.0);
    let mut search = Search { run, rounds: vec![], size_kg: 0.0, money_per_kg: 1.0 };
    let first = search.probe(start)?;
    let moved: f64 = first.cleared.physical.plans.iter().map(|p| p.cost.abs()).sum();
    if moved > 0.0 && search.size_kg > 0.0 {
        search.money_per_kg = moved / search.size_kg;
    }
    let found = search.find(first)?;
    let mut cleared = search.settle(found)?;
    cleared.rounds = search.rounds;
    Ok(cleared)
}

/// The mechanism's outcome at a price.
struct Probe {
    price: f64,
    cleared: Cleared,
    scarcity: Scarcity,
    /// Sum of balances, kg.
    balance_kg: f64,
    /// Costs without the charge on balances.
    cost: f64,
}

impl Probe {
    /// The sum of balances that its price calls for, from least to greatest.
    fn demand(&self) -> (f64, f64) {
        self.scarcity.charge.demand(self.price)
    }
}

/// Where a search ended.
enum Found {
    /// In balance at a price.
    At(Box<Probe>),
    /// Between two prices within rounding of each other, with the sum of balances wanted between.
    Between { low: Box<Probe>, high: Box<Probe>, price: f64, wanted_kg: f64 },
    /// Short of one.
    Short(Box<Probe>, String),
}

struct Search<'a> {
    run: &'a Run<'a>,
    rounds: Vec<Step>,
    /// Kilograms that move through the accounts, the most seen.
    size_kg: f64,
    money_per_kg: f64,
}

impl Search<'_> {
    fn probe(&mut self, price: f64) -> Result<Probe, MechanismError> {
        let (run, signal) = (self.run, Signal::Scalar(price));
        let cleared = run.round(&run.policy.terms(run.setting(), &signal), signal)?;
        self.measured(price, cleared)
    }

    fn measured(&mut self, price: f64, cleared: Cleared) -> Result<Probe, MechanismError> {
        let setting = self.run.setting();
        let scarcity = self.run.policy.scarcity(setting, &cleared.physical);
        let Some(scarcity) = scarcity else {
            return Err(MechanismError::Unmet { need: "a policy that says what its price makes scarce" });
        };
        let balance_kg = scarcity.balance_kg(setting, &cleared.physical);
        let plans = &cleared.physical.plans;
        let cost = plans.iter().map(|p| p.cost - p.carbon_charge).sum();
        self.size_kg = self.size_kg.max(scarcity.size_kg(setting, &cleared.physical));
        let excess_kg = scarcity.excess_kg(price, balance_kg);
        let (stage, step) = ("price", self.rounds.len());
        let values = vec![("primal_residual", excess_kg.abs()), ("objective", plans.iter().map(|p| p.cost).sum())];
        self.rounds.push(Step { stage, step, values });
        self.run.observer.step(&Progress { stage, step, residual: excess_kg.abs() });
        Ok(Probe { price, cleared, scarcity, balance_kg, cost })
    }

    fn tolerance_kg(&self) -> f64 {
        EXCESS * self.size_kg
    }

    /// Whether more is wanted at this price than there is.
    fn is_short(&self, probe: &Probe) -> bool {
        probe.balance_kg > probe.demand().1 + self.tolerance_kg()
    }

    /// The price in balance, or both sides of it, from the outcome at the first slope of the charge.
    fn find(&mut self, first: Probe) -> Result<Found, MechanismError> {
        let mut slopes = first.scarcity.charge.slopes.clone();
        slopes.dedup();
        let capped = first.scarcity.charge.cap_kg.is_some();
        if !self.is_short(&first) {
            return self.at_slope(first);
        }
        // The first slope that is dear enough; beyond the last only a cap calls for less.
        let (mut low, mut high) = (first, None);
        let (mut below, mut above) = (0, slopes.len());
        while above - below > 1 {
            let middle = usize::midpoint(below, above);
            let probe = self.probe(slopes[middle])?;
            if self.is_short(&probe) {
                (low, below) = (probe, middle);
            } else {
                (high, above) = (Some(probe), middle);
            }
            if self.run.observer.cancelled() {
                return Ok(Found::Short(Box::new(low), "cancelled".into()));
            }
        }
        let high = match high {
            Some(high) if high.balance_kg >= high.demand().0 - self.tolerance_kg() => return self.at_slope(high),
            Some(high) => high,
            None if capped => match self.dear_enough(low)? {
                Ok((below, high)) => {
                    low = below;
                    high
                }
                Err(short) => return Ok(short),
            },
            None => {
                return Ok(Found::Short(Box::new(low), "the charge has no end, and its last price is too low".into()));
            }
        };
        self.close(low, high)
    }

    /// At a slope any sum within its piece is in balance. Where emissions jump at this very price the least of them is taken.
    fn at_slope(&mut self, at: Probe) -> Result<Found, MechanismError> {
        let (least, _) = at.demand();
        if at.price <= 0.0 || at.balance_kg <= least + self.tolerance_kg() {
            return Ok(Found::At(Box::new(at)));
        }
        let above = self.probe(at.price * (1.0 + WIDTH))?;
        if at.balance_kg - above.balance_kg <= self.tolerance_kg() {
            return Ok(Found::At(Box::new(at)));
        }
        let (price, wanted_kg) = (at.price, above.balance_kg.max(least));
        Ok(Found::Between { low: Box::new(at), high: Box::new(above), price, wanted_kg })
    }

    /// A price at which a cap holds, and one below at which it does not; an error if nothing can hold it.
    fn dear_enough(&mut self, low: Probe) -> Result<Result<(Probe, Probe), Found>, MechanismError> {
        let (run, unit, start) = (self.run, self.money_per_kg, low.price);
        let cap_kg = low.demand().1;
        let together =
            run.market.under(&run.policy.terms(run.setting(), &Signal::Scalar(start))).least_balances_kg().ok();
        // What passive load and losses emit depends on what is done: known only where it is not covered.
        let least_kg = together.filter(|_| low.scarcity.operator_kg == 0.0).map(|kg| kg.iter().sum::<f64>());
        let hopeless = least_kg.is_some_and(|least| least > cap_kg + self.tolerance_kg());
        let steps = std::iter::successors(Some(CHEAPEST), |times| Some(times * DEARER));
        let cheaper = steps.take_while(|times| *times < DEAREST).chain([BEYOND]);
        // In order of their prices, the dearest aside.
        let (mut tried, mut dearest) = (vec![low], None);
        for times in std::iter::once(DEAREST).chain(cheaper) {
            // A price without an answer is too dear for the solver: what was reached before counts.
            let Ok(probe) = self.probe(start + times * unit) else { break };
            if run.observer.cancelled() {
                return Ok(Err(Found::Short(Box::new(probe), "cancelled".into())));
            }
            match (self.is_short(&probe), tried.pop()) {
                (false, Some(below)) => return Ok(Ok((below, probe))),
                (_, below) => tried.extend(below),
            }
            if times == DEAREST {
                dearest = Some(probe);
            } else {
                tried.push(probe);
            }
            if hopeless {
                break;
            }
        }
        let by_balance = |a: &Probe, b: &Probe| a.balance_kg.total_cmp(&b.balance_kg);
        let Some(reached) = tried.into_iter().chain(dearest).min_by(by_balance) else {
            return Err(MechanismError::Unmet { need: "a price" });
        };
        Err(self.below_reach(cap_kg, &reached, least_kg))
    }

    /// What is known where no price holds a cap: the least emissions seen, and what all together could reach.
    fn below_reach(&self, cap_kg: f64, reached: &Probe, least_kg: Option<f64>) -> MechanismError {
        let setting = self.run.setting();
        let quota_kg = reached.scarcity.quota_kg();
        let members = setting.members.iter().map(|m| m.id.clone());
        let charged_kg = reached.scarcity.charged_kg(setting, &reached.cleared.physical);
        let mut who: Vec<(String, f64)> = members.zip(charged_kg).filter(|w| w.1.abs() > self.tolerance_kg()).collect();
        if reached.scarcity.operator_kg != 0.0 {
            who.push(("passive load and losses".into(), reached.scarcity.operator_kg));
        }
        let attainable_kg = reached.balance_kg + quota_kg;
        let all_together_kg = least_kg.map(|least| least + quota_kg);
        let all_together_kg = all_together_kg.filter(|least| *least < attainable_kg - self.tolerance_kg());
        MechanismError::CapBelowReach { cap_kg: cap_kg + quota_kg, attainable_kg, who, all_together_kg }
    }

    /// Narrows a bracket down to a price in balance, or to both sides of a jump.
    fn close(&mut self, mut low: Probe, mut high: Probe) -> Result<Found, MechanismError> {
        // Between two slopes every price calls for the same sum.
        let wanted_kg = low.demand().1;
        let (first, last) = (low.price, high.price);
        let floor = LEAST * self.money_per_kg;
        let width = |low: &Probe, high: &Probe| WIDTH * (0.5 * (low.price + high.price)).abs().max(floor);
        for turn in 0..MAX_TRIALS {
            if high.price - low.price <= width(&low, &high) {
                break;
            }
            if self.run.observer.cancelled() {
                return Ok(Found::Short(Box::new(high), "cancelled".into()));
            }
            let price = next(turn, &low, &high, wanted_kg, width(&low, &high), floor);
            let probe = self.probe(price)?;
            if (probe.balance_kg - wanted_kg).abs() <= self.tolerance_kg() {
                return Ok(Found::At(Box::new(probe)));
            }
            if probe.balance_kg > wanted_kg {
                low = probe;
            } else {
                high = probe;
            }
        }
        if high.price - low.price > width(&low, &high) {
            let why = format!("the price was found between {} and {} per kg only", low.price, high.price);
            return Ok(Found::Short(Box::new(high), why));
        }
        let crossing = crossing(&low, &high);
        let (mut price, mut wanted_kg) = (crossing.clamp(low.price, high.price), wanted_kg);
        if low.price == first && first > 0.0 {
            // The jump is at the slope itself, whose whole piece is in balance: the least emissions of it.
            (price, wanted_kg) = (first, high.balance_kg.max(low.demand().0));
        } else if low.price == first || high.price == last {
            price = if low.price == first { first } else { last };
        }
        Ok(Found::Between { low: Box::new(low), high: Box::new(high), price, wanted_kg })
    }

    fn settle(&mut self, found: Found) -> Result<Cleared, MechanismError> {
        match found {
            Found::At(probe) => Ok(certified(*probe, 0.0, "in balance at this price")),
            Found::Short(probe, why) => {
                let excess_kg = probe.scarcity.excess_kg(probe.price, probe.balance_kg).abs();
                let mut cleared = certified(*probe, f64::INFINITY, &why);
                cleared.outcome.status = Status::NotConverged { residual: excess_kg };
                cleared.reason = Some(why);
                Ok(cleared)
            }
            Found::Between { low, high, price, wanted_kg } => {
                let width = high.price - low.price;
                let jump = format!(
                    "at this price emissions jump from {:.3} to {:.3} kg in the accounts",
                    low.balance_kg, high.balance_kg
                );
                if let Some((mixed, share)) = self.mixture(&low, &high, price, wanted_kg)? {
                    let what =
                        format!("{jump}; every answer is {share:.6} of that below it and the rest of that above");
                    return Ok(certified(mixed, width, &what));
                }
                let left_kg = wanted_kg - high.balance_kg;
                let mut cleared = certified(*high, width, &jump);
                let what = format!("{jump}, and no schedule between is optimal: the side that holds it is taken");
                cleared.outcome.evidence.push(Certificate::measure("scarcity_gap_kg", left_kg, what.clone()));
                cleared.outcome.withheld.push((Claim::Efficient, what));
                Ok(cleared)
            }
        }
    }

    /// The outcome with every answer between both sides, and the share of the lower one at which the sum of balances is the
    /// one wanted; nothing where such schedules are not optimal at the price.
    fn mixture(
        &mut self,
        low: &Probe,
        high: &Probe,
        price: f64,
        wanted_kg: f64,
    ) -> Result<Option<(Probe, f64)>, MechanismError> {
        let run = self.run;
        let terms = run.policy.terms(run.setting(), &Signal::Scalar(price));
        let place = ((high.price - price) / (high.price - low.price)).clamp(0.0, 1.0);
        let tolerance_kg = MIXED_EXCESS * self.size_kg;
        let (mut below, mut above) = ((1.0, low.balance_kg - wanted_kg), (0.0, high.balance_kg - wanted_kg));
        let mut best: Option<(Probe, f64)> = None;
        for trial in 0..MAX_SHARES {
            // False position; the middle in between, so that the bracket shrinks whatever the curve.
            let share = if above.1.abs() <= tolerance_kg {
                above.0
            } else if trial % 3 == 2 {
                0.5 * (below.0 + above.0)
            } else {
                above.0 + (below.0 - above.0) * above.1 / (above.1 - below.1)
            };
            let market = run.market.between(&terms, &low.cleared.truth, &high.cleared.truth, share, place);
            let cleared = run.round_in(market, Signal::Scalar(price))?;
            let probe = self.measured(price, cleared)?;
            let left_kg = probe.balance_kg - wanted_kg;
            if left_kg > 0.0 {
                below = (share, left_kg);
            } else {
                above = (share, left_kg);
            }
            if best.as_ref().is_none_or(|b| left_kg.abs() < (b.0.balance_kg - wanted_kg).abs()) {
                best = Some((probe, share));
            }
            if left_kg.abs() <= tolerance_kg || (below.0 - above.0).abs() <= f64::EPSILON || run.observer.cancelled() {
                break;
            }
        }
        Ok(best.filter(|(probe, _)| {
            (probe.balance_kg - wanted_kg).abs() <= self.tolerance_kg()
                && optimality(&probe.cleared).verdict == Verdict::Upheld
        }))
    }
}

/// The price at which both sides cost the same: what a kg that one of them emits less costs it more.
fn crossing(low: &Probe, high: &Probe) -> f64 {
    (high.cost - low.cost) / (low.balance_kg - high.balance_kg)
}

/// The next trial, strictly inside the bracket.
fn next(turn: usize, low: &Probe, high: &Probe, wanted_kg: f64, width: f64, floor: f64) -> f64 {
    let span = high.price - low.price;
    let middle = if high.price > 8.0 * low.price.max(floor) && low.price >= 0.0 {
        (low.price.max(floor) * high.price).sqrt()
    } else {
        0.5 * (low.price + high.price)
    };
    let beside = 0.4 * width;
    let trial = match turn % 4 {
        0 => crossing(low, high) + beside,
        1 => crossing(low, high) - beside,
        2 => low.price + span * (low.balance_kg - wanted_kg) / (low.balance_kg - high.balance_kg),
        _ => middle,
    };
    let margin = 0.01 * width;
    if trial > low.price + margin && trial < high.price - margin { trial } else { middle }
}

/// The outcome with what is known of its price.
fn certified(probe: Probe, width: f64, what: &str) -> Cleared {
    let Probe { price, mut cleared, .. } = probe;
    let gap = optimality(&cleared);
    let evidence = &mut cleared.outcome.evidence;
    let what = format!("width of the bracket around {price} per kg; {what}");
    evidence.push(Certificate::measure("fixed_point_price", width, what).about(Kind::FixedPoint));
    evidence.push(gap);
    cleared
}

/// How far the schedules are from the least cost at their price with the trades they have, by their duality gaps.
fn optimality(cleared: &Cleared) -> Certificate {
    let (gap, tolerance) = cleared.schedules_gap();
    let what = "what participants could still save at this price with the trades they have";
    Certificate::check("fixed_point_gap", gap, tolerance, what).about(Kind::FixedPoint)
}
