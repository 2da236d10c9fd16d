//! The multiple game: the ratio of supply to demand sorts members, sellers lead with prices, buyers follow by an evolutionary dynamics
//! to rest, and sellers move their prices by what came of it.
//!
//! After Chu et al. (2023), whose equations are not public: prices in a range, the sorting, the replicator with its factor and the nested
//! loop are theirs; congestion, distance and carbon among what a kWh costs a buyer, both ways in which prices move, and buyers who
//! need a fixed quantity are a reconstruction.

mod equilibrium;
mod lines;

use self::equilibrium::Gaps;
use crate::evolutionary_buyers::check_dynamics;
use crate::fixed_positions::Surplus;
use crate::internal_price::at_fixed_positions;
use crate::responsive::{self, Seen};
use crate::stalls::{Frictions, Played, Position, Stall, outside, positions, settled, stalls, strategies};
use coase_core::curve::Curve;
use coase_core::market::Plan;
use coase_core::mechanism::Mechanism;
use coase_core::outcome::Kind;
use coase_core::population::Dynamics;
use coase_core::pricing::{Layered, Method, Patience, Update};
use coase_core::{Certificate, Market, MechanismError, Outcome, PlainGame, RunContext, Status, register};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// In every slot members with a ratio of supply to demand above 1 are sellers, and below 1 buyers. Sellers lead with prices `p_j`;
/// buyers, to whom a kWh costs `p_j + w_ij + k y_j / E_j` and the grid's its tariff, follow from where they were to rest; sellers move
/// prices by the slope of their profit or by excess demand, until prices rest. What is left over goes to the grid; a slot with
/// nobody on a side is the grid's alone. The certificate `nikaido_isoda` says what sellers would still gain by other prices of the
/// whole range: where prices follow the slope of profit and it is not small, they rest where nobody gains by a small change, and
/// that is no equilibrium. Sellers of that slot then look over the whole range, by best responses, half-steps towards them and from the
/// prices of least gap on, for prices that none gains by changing; the certificate `begun_anew` counts slots in which they did. Plans that answer to prices
/// (`responsive`) are searched as members would find them, each near its last: `fixed_point_plans` is what they would still save.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MultipleGame {
    /// Least price of a kWh.
    pub price_min_per_kwh: f64,
    /// Greatest price of a kWh, at least `price_min_per_kwh`.
    pub price_max_per_kwh: f64,
    /// What all sellers ask in the first round, per kWh; not given: half-way from what each gets from the grid to what buyers pay it.
    pub start_per_kwh: Option<f64>,
    /// What a kWh costs more, to buyers, where all that a seller has is asked for.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub congestion_per_kwh: f64,
    /// What a kWh over the mean electrical distance between members costs more, to buyers; without a radial network nothing.
    #[schemars(range(min = 0.0))]
    pub distance_per_kwh: f64,
    /// What a kg by which a kWh emits more than the grid's costs more, to buyers.
    #[schemars(range(min = 0.0))]
    pub carbon_per_kg: f64,
    /// How buyers change their minds.
    pub dynamics: Dynamics,
    /// How sellers move their prices.
    pub update: Update,
    /// What counts as a surplus.
    pub positions: Surplus,
    /// Whether members plan anew at the prices between them, until plans and prices rest.
    pub responsive: bool,
    /// Whether the gap of prices is measured over the whole range.
    pub certify: bool,
}

impl Default for MultipleGame {
    fn default() -> Self {
        Self {
            price_min_per_kwh: 0.3,
            price_max_per_kwh: 1.2,
            start_per_kwh: None,
            congestion_per_kwh: 0.25,
            distance_per_kwh: 0.0,
            carbon_per_kg: 0.0,
            dynamics: Dynamics::default(),
            update: Update::default(),
            positions: Surplus::default(),
            responsive: false,
            certify: true,
        }
    }
}

register!(MultipleGame, "multiple-game", Game, "sellers lead with prices, buyers follow by an evolutionary dynamics",
    claims: [IndividuallyRational if "positions are metered and do not respond, exports earn no carbon credit and prices lie within the tariff" => |of, here| {
        of.positions.metered().and_then(|()| at_fixed_positions(of.responsive, here))
    }, BudgetBalanced],
    needs: [Tariff, NoRequirement], information: Reports,
    source: "Chu et al. (2023), reconstructed where its equations are not public");

/// What was played in all slots.
struct Round {
    stalls: Vec<Stall>,
    played: Vec<Played>,
    layers: Vec<Layered>,
    /// Where prices began, by slot.
    starts: Vec<Vec<f64>>,
}

impl Round {
    /// The layers of one slot end here instead.
    fn replay(&mut self, place: usize, layers: Layered) {
        let stall = &self.stalls[place];
        let trades = stall.trades(&layers.prices, &stall.game.shares(&layers.shares));
        self.played[place] = Played { prices: layers.prices.clone(), trades };
        self.layers[place] = layers;
    }
}

/// What came of it.
struct Solved {
    round: Round,
    /// Whether plans and prices fit, where plans answer to prices: the certificate, and the residual where they do not.
    plans: Option<(Certificate, Option<f64>)>,
    gaps: Option<Gaps>,
}

impl MultipleGame {
    fn check(&self) -> Result<Frictions, MechanismError> {
        let Self { price_min_per_kwh, price_max_per_kwh, congestion_per_kwh, distance_per_kwh, carbon_per_kg, .. } =
            *self;
        let frictions =
            Frictions { price_min_per_kwh, price_max_per_kwh, congestion_per_kwh, distance_per_kwh, carbon_per_kg };
        frictions.check()?;
        check_dynamics(self.dynamics)?;
        let wrong =
            |name, value: f64, expected| Err(MechanismError::Parameter { name, value: value.to_string(), expected });
        match (self.update.step(), self.start_per_kwh) {
            (Some(step), _) if !(step.is_finite() && step > 0.0) => wrong("step", step, "a number above 0"),
            (_, Some(start)) if !start.is_finite() => wrong("start_per_kwh", start, "a finite number"),
            _ => Ok(frictions),
        }
    }

    /// Everybody plays at these positions. `None` where the run is told to stop.
    fn play(
        &self,
        market: &Market,
        positions: &[Vec<Position>],
        frictions: Frictions,
        ctx: &mut RunContext,
    ) -> Result<Round, MechanismError> {
        let stalls = stalls(market, positions, frictions)?;
        let mut round = Round { stalls, played: vec![], layers: vec![], starts: vec![] };
        for stall in &round.stalls {
            let start = self.start_per_kwh.map_or_else(|| stall.game.start(), |p| vec![p; stall.sellers.len()]);
            let layers = self.layers(stall, &start, &mut |_| !ctx.cancelled());
            ctx.messages(layers.outer * stall.sellers.len() + layers.inner * stall.buyers.len());
            let trades = stall.trades(&layers.prices, &stall.game.shares(&layers.shares));
            round.played.push(Played { prices: layers.prices.clone(), trades });
            let moved = layers.moved;
            round.layers.push(layers);
            round.starts.push(start);
            if ctx.step("prices", &[("primal_residual", moved)]).is_break() {
                break;
            }
        }
        round.stalls.truncate(round.played.len());
        Ok(round)
    }

    /// The layers of a slot from prices on.
    fn layers(&self, stall: &Stall, start: &[f64], watch: &mut dyn FnMut(&Layered) -> bool) -> Layered {
        stall.game.layered(start, self.dynamics, self.update, Patience::default(), watch)
    }

    /// Whether prices at rest are to be an equilibrium: excess demand seeks none, nor does noise.
    fn seeks_equilibrium(&self) -> bool {
        matches!(self.update, Update::Gradient { .. }) && self.dynamics.rests_at_equilibrium()
    }

    fn solved(&self, market: &Market, ctx: &mut RunContext) -> Result<Solved, MechanismError> {
        let frictions = self.check()?;
        let play = |plans: &[Arc<Plan>], ctx: &mut RunContext| {
            let positions = positions(market, plans, self.positions)?;
            let round = self.play(market, &positions, frictions, ctx)?;
            Ok((averages(market, &round, &positions)?, round))
        };
        let (mut round, plans) = if self.responsive {
            let rest = responsive::settle(market, ctx, &mut |plans, ctx| play(plans, ctx))?;
            let missed = rest.is_above_tolerance().then_some(rest.residual);
            let certificate = rest.certificate();
            (rest.kept, Some((certificate, missed)))
        } else {
            (play(&market.each(|local| local.autarky())?, ctx)?.1, None)
        };
        let gaps = self.certify.then(|| Gaps::of(self, market, &mut round, ctx));
        Ok(Solved { round, plans, gaps })
    }
}

impl Mechanism for MultipleGame {
    fn run(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
        let Solved { round, plans, gaps } = self.solved(market, ctx)?;
        let mut outcome = settled(market, &round.stalls, &round.played);
        outcome.strategies = strategies(&round.stalls, &round.played);
        let wardrop: f64 = round.layers.iter().map(|layers| layers.wardrop_gap).sum();
        let bought: f64 = round.stalls.iter().flat_map(|stall| &stall.needs).sum();
        let what = "what buyers would save in all by their cheapest choice";
        outcome.evidence.push(if self.dynamics.rests_at_equilibrium() {
            Certificate::check("wardrop_gap", wardrop, 1e-8 * bought, what).about(Kind::FixedPoint)
        } else {
            Certificate::measure("wardrop_gap", wardrop, what)
        });
        let restless =
            round.layers.iter().filter(|layers| !layers.at_rest).map(|layers| layers.moved).fold(0.0, f64::max);
        if restless > 0.0 {
            outcome.status = Status::NotConverged { residual: restless };
        }
        if let Some((certificate, missed)) = plans {
            outcome.evidence.push(certificate);
            if let Some(residual) = missed {
                outcome.status = Status::NotConverged { residual };
            }
        }
        if let Some(gaps) = gaps {
            outcome.evidence.extend(gaps.certificates());
            if let (Status::Converged, Some(missed)) = (&outcome.status, gaps.status()) {
                outcome.status = missed;
            }
        }
        Ok(outcome)
    }

    /// `price_update`: what each seller of a slot asks, by round; `choice_probability`: the share of a buyer's need that it takes
    /// from a seller, or from the grid (nobody), by round; `price_of_period`: what each seller asks in the end, by period.
    fn curves(&self, market: &Market, _: &Outcome, seed: u64) -> Result<Vec<Curve>, MechanismError> {
        Ok(lines::of(self, market, &self.solved(market, &mut RunContext::new(seed, ()))?.round))
    }

    /// The games that sellers play at the positions without trade: where prices follow the slope of profit and rest in an
    /// equilibrium, it is one of these. Of excess demand, noise and plans that respond there are none.
    fn plain_games(&self, market: &Market) -> Result<Vec<PlainGame>, MechanismError> {
        if !self.seeks_equilibrium() || self.responsive {
            return Ok(vec![]);
        }
        let frictions = self.check()?;
        let plans: Vec<Arc<Plan>> = market.each(|local| local.autarky())?;
        let stalls = stalls(market, &positions(market, &plans, self.positions)?, frictions)?;
        Ok(stalls.iter().map(|stall| stall.pricing(Method::default())).collect())
    }
}

/// What a member pays or gets on average for a kWh at the trades of a slot: the rest is exchanged with the grid.
fn averages(market: &Market, round: &Round, positions: &[Vec<Position>]) -> Result<Seen, MechanismError> {
    let slots = market.setting().slots.len();
    let mut prices = vec![vec![(0.0, 0.0); slots]; market.len()];
    for (i, of_member) in prices.iter_mut().enumerate() {
        for (k, (buy, sell)) in of_member.iter_mut().enumerate() {
            (*buy, *sell) = outside(market, i, k)?;
        }
    }
    for (stall, played) in round.stalls.iter().zip(&round.played) {
        let k = stall.slot;
        let tariffs: Vec<(f64, f64)> = prices.iter().map(|p| p[k]).collect();
        let kwh = |i: usize| positions[i][k].kwh;
        let paid = |i: usize, sells: bool| -> (f64, f64) {
            let of = played.trades.iter().filter(|t| if sells { t.seller == i } else { t.buyer == i });
            of.fold((0.0, 0.0), |(q, money), t| (q + t.quantity, money + t.quantity * t.price.unwrap_or(0.0)))
        };
        let average = |i: usize, sells: bool, outside: f64| {
            let (quantity, money) = paid(i, sells);
            let all = kwh(i).abs().max(quantity);
            (money + (all - quantity) * outside) / all
        };
        let pool = |of: &[usize], sells: bool| {
            let all: f64 = of.iter().map(|i| kwh(*i).abs()).sum();
            let worth = |i: &usize| {
                let (buy, sell) = tariffs[*i];
                kwh(*i).abs() * average(*i, sells, if sells { sell } else { buy })
            };
            of.iter().map(worth).sum::<f64>() / all
        };
        let (sell, buy) = (pool(&stall.sellers, true), pool(&stall.buyers, false));
        for (i, of_member) in prices.iter_mut().enumerate() {
            let (outer_buy, outer_sell) = tariffs[i];
            let own_buy = if stall.buyers.contains(&i) { average(i, false, outer_buy) } else { buy };
            let own_sell = if stall.sellers.contains(&i) { average(i, true, outer_sell) } else { sell };
            // Nobody is to gain by buying and selling at once.
            of_member[k] = (own_buy, own_sell.min(own_buy));
        }
    }
    Ok(prices)
}
