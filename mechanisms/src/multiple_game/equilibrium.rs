//! Whether prices at rest are an equilibrium, and where one is to be found where they are not.

use super::{MultipleGame, Round};
use crate::stalls::Stall;
use coase_core::population::Play;
use coase_core::pricing::{Layered, Method};
use coase_core::{Certificate, Market, RunContext, Status, number};

/// What prices at rest are known to.
const PRECISION_PER_KWH: f64 = 1e-6;
/// Buyers rest where shares move less than this per unit of time, within so many steps.
const INNER_TOLERANCE: f64 = 1e-8;
const MOST_STEPS: usize = 100_000;

/// The gap of prices over the whole range in all slots, and what is known of those where it is not small.
#[derive(Default)]
pub(super) struct Gaps {
    gap: f64,
    /// Slots whose prices are no equilibrium, in words.
    missed: Vec<String>,
    /// Slots in which sellers looked over the whole range, in words.
    anew: Vec<String>,
    /// Whether in one of them no equilibrium is found in another way either.
    without: bool,
}

/// What sellers gain in all by another price alone, and whether that is more than prices at rest to a millionth explain: at a kink
/// profits are as far from their best as prices.
fn gap(stall: &Stall, layers: &Layered) -> (f64, bool) {
    let gap = stall.game.nikaido_isoda(&layers.prices).nikaido_isoda;
    let has: f64 = stall.game.sellers().iter().map(|seller| seller.quantity).sum();
    (gap, gap > stall.game.gap_tolerance(&layers.prices, &layers.totals) + PRECISION_PER_KWH * has)
}

/// What is found where prices rest at no equilibrium.
enum Elsewhere {
    /// Prices that nobody gains by changing, and buyers at rest at them.
    Rest(Layered),
    /// Such prices, at which buyers do not come to rest.
    Restless,
    /// No such prices.
    Nothing,
}

/// Sellers who look over the whole range, from where they rest on: best responses in turn, then half-steps towards them, then all
/// that the game of prices by itself tries, down to the prices of least gap. Buyers follow to rest at what is found, from where they
/// were.
fn anew(rule: &MultipleGame, stall: &Stall, from: &Layered, ctx: &RunContext) -> Elsewhere {
    let game = &stall.game;
    let go_on = &mut |_: &[f64], _: f64| !ctx.cancelled();
    let tolerance = 1e-12 * (game.range().1 - game.range().0).max(f64::MIN_POSITIVE);
    let mut rounds = from.outer;
    let mut found = None;
    for method in [Method::GaussSeidel, Method::Relaxation] {
        let sought = game.seek(method, &from.prices, None, tolerance, go_on);
        rounds += sought.rounds;
        let answer = game.answer(sought.prices, rounds, None);
        if answer.found {
            found = Some(answer);
            break;
        }
    }
    let Some(answer) = found.or_else(|| Some(game.solve(Method::default(), go_on)).filter(|answer| answer.found))
    else {
        return Elsewhere::Nothing;
    };
    let buyers = game.buyers_at(&answer.prices);
    let rest = Play::new(&buyers, rule.dynamics, &from.shares).rest(INNER_TOLERANCE, MOST_STEPS);
    let layers = Layered {
        totals: buyers.totals(&rest.shares)[..stall.sellers.len()].to_vec(),
        shares: rest.shares,
        outer: rounds.max(from.outer + 1),
        inner: from.inner + rest.steps,
        moved: 0.0,
        wardrop_gap: rest.gap,
        at_rest: rest.converged,
        prices: answer.prices,
    };
    if layers.at_rest && !gap(stall, &layers).1 { Elsewhere::Rest(layers) } else { Elsewhere::Restless }
}

impl Gaps {
    /// Prices that rest where nobody gains by a small change are held against all prices. Where they fail and an equilibrium is
    /// sought, sellers look over the whole range; what they find must be one itself, with buyers at rest.
    pub fn of(rule: &MultipleGame, market: &Market, round: &mut Round, ctx: &RunContext) -> Self {
        let mut found = Self::default();
        for place in 0..round.stalls.len() {
            let stall = &round.stalls[place];
            let (first, is_missed) = gap(stall, &round.layers[place]);
            if !is_missed || !rule.seeks_equilibrium() {
                found.gap += first;
                continue;
            }
            let period = market.setting().slots[stall.slot].period;
            match anew(rule, stall, &round.layers[place], ctx) {
                Elsewhere::Rest(layers) if !rule.responsive => {
                    found.gap += gap(stall, &layers).0;
                    found.anew.push(format!("period {period} after a rest with a gap of {}", number(first)));
                    round.replay(place, layers);
                }
                other => {
                    found.gap += first;
                    found.without |= matches!(other, Elsewhere::Nothing);
                    let others = match other {
                        Elsewhere::Nothing => "none is found elsewhere",
                        Elsewhere::Rest(_) | Elsewhere::Restless => "prices elsewhere are an equilibrium",
                    };
                    found.missed.push(format!("{} in period {period}, {others}", number(first)));
                }
            }
        }
        found
    }

    pub fn certificates(&self) -> Vec<Certificate> {
        let what = "what sellers gain in all by another price alone, over the whole range";
        let missed = &self.missed;
        let witness = if missed.is_empty() { what.to_owned() } else { format!("{what}: {}", missed.join("; ")) };
        let mut all = vec![Certificate::measure("nikaido_isoda", self.gap, witness)];
        if !self.anew.is_empty() {
            let witness = format!(
                "sellers looked over the whole range for prices that none gains by changing, and found them: {}",
                self.anew.join("; ")
            );
            all.push(Certificate::measure("begun_anew", self.anew.len() as f64, witness));
        }
        all
    }

    /// How the run ends where prices that were to be an equilibrium are none.
    pub fn status(&self) -> Option<Status> {
        let gap = self.gap;
        match (self.missed.is_empty(), self.without) {
            (true, _) => None,
            (false, true) => Some(Status::NoEquilibriumFound { gap }),
            (false, false) => Some(Status::NotConverged { residual: gap }),
        }
    }
}
