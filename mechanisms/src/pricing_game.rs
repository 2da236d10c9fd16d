//! The pricing game: sellers post prices, knowing how buyers will spread over them, until no seller gains by another price.

use crate::fixed_positions::Surplus;
use crate::internal_price::at_fixed_positions;
use crate::stalls::{Frictions, Played, Stall, all_sellers, positions, prices_of, settled, stalls, strategies};
use coase_core::game::{Axis, Game, Profile, Space, Strategy};
use coase_core::mechanism::Mechanism;
use coase_core::outcome::Kind;
use coase_core::pricing::Method;
use coase_core::{
    Certificate, Claim, Curve, Market, MechanismError, Outcome, Party, PlainGame, RunContext, Status, number, register,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// In every slot seller `j` with surplus `E_j` asks `p_j` within a range and earns `(p_j - c_j) min(y_j, E_j)`, where `c_j` is what the
/// surplus brings elsewhere. A kWh from it costs buyer `i` `p_j + w_ij + k y_j / E_j`, and from the grid its tariff; buyers are where
/// none finds a cheaper choice. Prices are an equilibrium where no seller gains by another price, sought over the whole range: the
/// certificate `nikaido_isoda` is what all gain alone. Where pairs differ there may be none; then prices are those with the least gap,
/// and the run ends without equilibrium.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PricingGame {
    /// Least price of a kWh.
    pub price_min_per_kwh: f64,
    /// Greatest price of a kWh, at least `price_min_per_kwh`.
    pub price_max_per_kwh: f64,
    /// What a kWh costs more, to buyers, where all that a seller has is asked for.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub congestion_per_kwh: f64,
    /// What a kWh over the mean electrical distance between members costs more, to buyers; without a radial network nothing.
    #[schemars(range(min = 0.0))]
    pub distance_per_kwh: f64,
    /// What a kg by which a kWh emits more than the grid's costs more, to buyers.
    #[schemars(range(min = 0.0))]
    pub carbon_per_kg: f64,
    /// How sellers look for prices; where it ends in no equilibrium, the other ways are tried.
    pub method: Method,
}

impl Default for PricingGame {
    fn default() -> Self {
        Self {
            price_min_per_kwh: 0.3,
            price_max_per_kwh: 1.2,
            congestion_per_kwh: 0.25,
            distance_per_kwh: 0.0,
            carbon_per_kg: 0.0,
            method: Method::default(),
        }
    }
}

register!(PricingGame, "pricing-game", Game, "sellers post prices that none gains by changing, and buyers spread over them",
    claims: [Equilibrium, IndividuallyRational if "exports earn no carbon credit and prices lie within the tariff" => |_, here| at_fixed_positions(false, here), BudgetBalanced],
    needs: [Tariff, NoRequirement], information: Reports,
    source: "Chu et al. (2023), congestion and adders our reconstruction; certificate: Nikaido and Isoda (1955)");

impl PricingGame {
    fn stalls(&self, market: &Market) -> Result<Vec<Stall>, MechanismError> {
        let Self { price_min_per_kwh, price_max_per_kwh, congestion_per_kwh, distance_per_kwh, carbon_per_kg, .. } =
            *self;
        let frictions =
            Frictions { price_min_per_kwh, price_max_per_kwh, congestion_per_kwh, distance_per_kwh, carbon_per_kg };
        frictions.check()?;
        let plans = market.each(|local| local.autarky())?;
        stalls(market, &positions(market, &plans, Surplus::Metered)?, frictions)
    }
}

impl Mechanism for PricingGame {
    fn run(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
        let stalls = self.stalls(market)?;
        let mut played = vec![];
        let (mut gap, mut allowed, mut wardrop) = (0.0, 0.0, 0.0);
        let mut without = vec![];
        for stall in &stalls {
            let cancelled = &|| ctx.cancelled();
            let found = stall.game.solve(self.method, &mut |_, _| !cancelled());
            ctx.messages(found.rounds * (stall.sellers.len() + stall.buyers.len()));
            (gap, allowed) = (gap + found.gap.nikaido_isoda, allowed + found.tolerance);
            wardrop += found.demand.rest.gap;
            if !found.found {
                let cycle =
                    found.cycle.map_or(String::new(), |k| format!(", best replies come again every {k} rounds"));
                let (period, gain) = (market.setting().slots[stall.slot].period, number(found.gap.nikaido_isoda));
                without.push(format!("in period {period} sellers still gain {gain}{cycle}"));
            }
            let trades = stall.trades(&found.prices, &stall.game.shares(&found.demand.rest.shares));
            played.push(Played { prices: found.prices, trades });
            if ctx.step("prices", &[("primal_residual", found.gap.nikaido_isoda)]).is_break() {
                break;
            }
        }
        let stalls = &stalls[..played.len()];
        let mut outcome = settled(market, stalls, &played);
        outcome.strategies = strategies(stalls, &played);
        let what = "what buyers would save in all by their cheapest choice";
        outcome.evidence.push(Certificate::measure("wardrop_gap", wardrop, what));
        let what = "what sellers gain in all by another price alone, over the whole range";
        if without.is_empty() {
            let check = Certificate::check("nikaido_isoda", gap, allowed, what);
            outcome.evidence.push(check.about(Kind::FixedPoint));
        } else {
            let witness = format!("{what}: {}", without.join("; "));
            outcome.evidence.push(Certificate::measure("nikaido_isoda", gap, witness.clone()));
            outcome.withheld.push((Claim::Equilibrium, witness));
            outcome.status = Status::NoEquilibriumFound { gap };
        }
        Ok(outcome)
    }

    /// Best replies of the two who have most to sell in a slot, the others asking what was found; and where they meet.
    fn curves(&self, market: &Market, outcome: &Outcome, _: u64) -> Result<Vec<Curve>, MechanismError> {
        let stalls = self.stalls(market)?;
        let prices = prices_of(&stalls, &outcome.strategies);
        Ok(stalls.iter().zip(&prices).flat_map(|(stall, prices)| best_replies(stall, prices)).collect())
    }

    fn plain_games(&self, market: &Market) -> Result<Vec<PlainGame>, MechanismError> {
        Ok(self.stalls(market)?.iter().map(|stall| stall.pricing(self.method)).collect())
    }

    fn game<'a>(&'a self, market: &'a Market) -> Option<Box<dyn Game + 'a>> {
        let stalls = self.stalls(market).ok()?;
        let sellers = all_sellers(&stalls);
        Some(Box::new(OverSlots { market, stalls, sellers }))
    }
}

/// Prices of one seller at which the best price of the other is looked for.
const CURVE_POINTS: usize = 46;

/// `best_response`: the best price of a seller against that of the other; `equilibrium`: both, where neither gains by another.
fn best_replies(stall: &Stall, prices: &[f64]) -> Vec<Curve> {
    let game = &stall.game;
    let mut largest: Vec<usize> = (0..stall.sellers.len()).collect();
    largest.sort_by(|a, b| game.sellers()[*b].quantity.total_cmp(&game.sellers()[*a].quantity));
    let [one, two, ..] = largest[..] else { return vec![] };
    let pair = (one.min(two), one.max(two));
    let line = |name, j: usize, other: usize, points| Curve {
        name,
        member: Some(stall.sellers[j]),
        other: Some(stall.sellers[other]),
        slot: Some(stall.slot),
        points,
    };
    let mut curves = vec![];
    for (j, other) in [pair, (pair.1, pair.0)] {
        let mut follower = game.follower();
        let mut at = prices.to_vec();
        let reply = |asked: f64| {
            at[other] = asked;
            (asked, game.best_response(&mut follower, &at, j).price)
        };
        curves.push(line("best_response", j, other, game.grid(CURVE_POINTS).into_iter().map(reply).collect()));
    }
    let found = game.answer(prices.to_vec(), 0, None);
    if found.found {
        curves.push(line("equilibrium", pair.0, pair.1, vec![(prices[pair.1], prices[pair.0])]));
    }
    curves
}

/// The game over all slots: whoever sells in some slot asks a price in each of them.
struct OverSlots<'a> {
    market: &'a Market,
    stalls: Vec<Stall>,
    sellers: Vec<usize>,
}

impl OverSlots<'_> {
    /// The slots in which a player sells, each with its place there.
    fn of(&self, player: usize) -> impl Iterator<Item = (&Stall, usize)> {
        let member = self.sellers[player];
        self.stalls.iter().filter_map(move |stall| Some((stall, stall.sellers.iter().position(|m| *m == member)?)))
    }

    /// What all ask in a slot.
    fn prices(&self, stall: &Stall, profile: &Profile) -> Vec<f64> {
        let ask = |member: &usize| {
            let player = self.sellers.iter().position(|m| m == member)?;
            let place = self.of(player).position(|(other, _)| other.slot == stall.slot)?;
            profile[player].get(place).copied()
        };
        stall.sellers.iter().map(|member| ask(member).unwrap_or(f64::NAN)).collect()
    }
}

impl Game for OverSlots<'_> {
    fn players(&self) -> Vec<Party> {
        self.sellers.iter().map(|member| Party::Member(*member)).collect()
    }

    fn space(&self, player: usize) -> Space {
        let axis = |(stall, _): (&Stall, usize)| {
            let (min, max) = stall.game.range();
            let period = self.market.setting().slots[stall.slot].period;
            Axis { name: format!("price_per_kwh in period {period}"), min, max }
        };
        Space { axes: self.of(player).map(axis).collect() }
    }

    fn candidates(&self, player: usize, profile: &Profile) -> Vec<Strategy> {
        let best = |(stall, j): (&Stall, usize)| {
            let prices = self.prices(stall, profile);
            stall.game.best_response(&mut stall.game.follower(), &prices, j).price
        };
        vec![self.of(player).map(best).collect()]
    }

    fn payoff(&self, player: usize, profile: &Profile) -> Result<f64, MechanismError> {
        let of = |(stall, j): (&Stall, usize)| stall.game.follower().profit_only(&self.prices(stall, profile), j);
        Ok(self.of(player).map(of).sum())
    }

    fn words(&self, player: usize, strategy: &[f64]) -> String {
        let id = &self.market.setting().members[self.sellers[player]].id;
        format!("{id} asks {}", self.space(player).words(strategy))
    }
}
