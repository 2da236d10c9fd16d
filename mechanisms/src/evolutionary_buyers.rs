//! Evolutionary buyers: sellers' prices stand, and buyers come to their choice of sellers step by step.

use crate::fixed_positions::Surplus;
use crate::internal_price::at_fixed_positions;
use crate::shares_in_motion::{over_time, plane};
use crate::stalls::{Frictions, Played, Stall, outside, positions, settled, stalls};
use coase_core::mechanism::Mechanism;
use coase_core::outcome::Kind;
use coase_core::population::{Dynamics, Play};
use coase_core::{Certificate, Curve, Market, MechanismError, Outcome, PlainGame, RunContext, Status, register};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// In every slot a kWh from seller `j` costs buyer `i` `p_j + w_ij + k y_j / E_j`: the price, what distance and carbon add, and
/// congestion, which grows with what all ask of the seller. From equal shares on, buyers move towards what is cheaper, the grid among
/// it, until they rest. The certificate `wardrop_gap` says what all would still save by their cheapest choice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EvolutionaryBuyers {
    /// How buyers change their minds.
    pub dynamics: Dynamics,
    /// What sellers ask: a share of the way from what the grid pays them to what it takes from them.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub price_share: f64,
    /// What single sellers ask instead, per kWh, by their ids.
    pub prices_per_kwh: BTreeMap<String, f64>,
    /// What a kWh costs more, to buyers, where all that a seller has is asked for.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub congestion_per_kwh: f64,
    /// What a kWh over the mean electrical distance between members costs more, to buyers; without a radial network nothing.
    #[schemars(range(min = 0.0))]
    pub distance_per_kwh: f64,
    /// What a kg by which a kWh emits more than the grid's costs more, to buyers.
    #[schemars(range(min = 0.0))]
    pub carbon_per_kg: f64,
}

impl Default for EvolutionaryBuyers {
    fn default() -> Self {
        Self {
            dynamics: Dynamics::default(),
            price_share: 0.5,
            prices_per_kwh: BTreeMap::new(),
            congestion_per_kwh: 0.25,
            distance_per_kwh: 0.0,
            carbon_per_kg: 0.0,
        }
    }
}

register!(EvolutionaryBuyers, "evolutionary-buyers", Game, "buyers move to the sellers that cost them least, step by step",
    claims: [IndividuallyRational if "exports earn no carbon credit and prices lie within the tariff" => |_, here| at_fixed_positions(false, here), BudgetBalanced],
    needs: [Tariff, NoRequirement], information: Reports,
    source: "Chu et al. (2023), congestion and adders our reconstruction; population games: Sandholm (2010)");

/// Speed at which buyers rest, steps until they are given up, and gap of an equilibrium per kWh.
const REST: f64 = 1e-10;
const MOST_STEPS: usize = 200_000;
const GAP: f64 = 1e-8;

/// Checks a dynamics.
pub(crate) fn check_dynamics(dynamics: Dynamics) -> Result<(), MechanismError> {
    match dynamics.fault() {
        None => Ok(()),
        Some((name, value)) => {
            Err(MechanismError::Parameter { name, value: value.to_string(), expected: "a number above 0" })
        }
    }
}

impl EvolutionaryBuyers {
    /// What the sellers of a slot ask.
    fn prices(&self, market: &Market, stall: &Stall) -> Result<Vec<f64>, MechanismError> {
        let ask = |member: &usize| {
            let (buy, sell) = outside(market, *member, stall.slot)?;
            let id = &market.setting().members[*member].id;
            Ok(self.prices_per_kwh.get(id).copied().unwrap_or(sell + self.price_share * (buy - sell)))
        };
        stall.sellers.iter().map(ask).collect()
    }

    fn frictions(&self, market: &Market) -> Result<Frictions, MechanismError> {
        let members = &market.setting().members;
        if let Some(id) = self.prices_per_kwh.keys().find(|id| members.iter().all(|member| member.id != **id)) {
            let (value, expected) = (format!("of \"{id}\""), "ids of participants");
            return Err(MechanismError::Parameter { name: "prices_per_kwh", value, expected });
        }
        if let Some(price) = self.prices_per_kwh.values().find(|price| !price.is_finite()) {
            let (value, expected) = (price.to_string(), "finite numbers");
            return Err(MechanismError::Parameter { name: "prices_per_kwh", value, expected });
        }
        crate::fixed_positions::share("price_share", self.price_share)?;
        let Self { congestion_per_kwh, distance_per_kwh, carbon_per_kg, .. } = *self;
        // Nobody looks for prices here: any is allowed.
        let (price_min_per_kwh, price_max_per_kwh) = (f64::MIN, f64::MAX);
        Ok(Frictions { price_min_per_kwh, price_max_per_kwh, congestion_per_kwh, distance_per_kwh, carbon_per_kg })
    }
}

impl EvolutionaryBuyers {
    /// The slots in which somebody sells and somebody buys, and what sellers ask there.
    fn stalls(&self, market: &Market) -> Result<Vec<(Stall, Vec<f64>)>, MechanismError> {
        let frictions = self.frictions(market)?;
        frictions.check()?;
        check_dynamics(self.dynamics)?;
        let plans = market.each(|local| local.autarky())?;
        let stalls = stalls(market, &positions(market, &plans, Surplus::Metered)?, frictions)?;
        let with_prices = |stall: Stall| self.prices(market, &stall).map(|prices| (stall, prices));
        stalls.into_iter().map(with_prices).collect()
    }
}

impl Mechanism for EvolutionaryBuyers {
    fn run(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
        let (stalls, prices): (Vec<Stall>, Vec<Vec<f64>>) = self.stalls(market)?.into_iter().unzip();
        let mut played = vec![];
        let (mut gap, mut allowed, mut restless) = (0.0, 0.0, 0.0_f64);
        for (stall, prices) in stalls.iter().zip(prices) {
            let buyers = stall.game.buyers_at(&prices);
            let rest = Play::new(&buyers, self.dynamics, &buyers.uniform()).rest(REST, MOST_STEPS);
            ctx.messages(rest.steps * (stall.sellers.len() + stall.buyers.len()));
            (gap, allowed) = (gap + rest.gap, allowed + GAP * buyers.total_mass());
            if !rest.converged {
                restless = restless.max(rest.speed).max(rest.gap / buyers.total_mass());
            }
            let trades = stall.trades(&prices, &stall.game.shares(&rest.shares));
            played.push(Played { prices, trades });
            if ctx.step("buyers", &[("primal_residual", rest.speed), ("objective", rest.gap)]).is_break() {
                break;
            }
        }
        let mut outcome = settled(market, &stalls[..played.len()], &played);
        let what = "what buyers would save in all by their cheapest choice";
        outcome.evidence.push(if self.dynamics.rests_at_equilibrium() {
            Certificate::check("wardrop_gap", gap, allowed, what).about(Kind::FixedPoint)
        } else {
            Certificate::measure("wardrop_gap", gap, what)
        });
        if restless > 0.0 {
            outcome.status = Status::NotConverged { residual: restless };
        }
        Ok(outcome)
    }

    /// Shares over time, and in slots with three options the plane of their shares.
    fn curves(&self, market: &Market, _: &Outcome, _: u64) -> Result<Vec<Curve>, MechanismError> {
        let mut curves = vec![];
        for (stall, prices) in &self.stalls(market)? {
            curves.extend(over_time(stall, prices, self.dynamics));
            curves.extend(plane(stall, prices, self.dynamics)?);
        }
        Ok(curves)
    }

    fn plain_games(&self, market: &Market) -> Result<Vec<PlainGame>, MechanismError> {
        let stalls = self.stalls(market)?;
        Ok(stalls.iter().map(|(stall, prices)| stall.population(prices, self.dynamics)).collect())
    }
}
