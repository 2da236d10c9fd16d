//! Tatonnement: an auctioneer cries a price, everybody says what it would trade, and the price follows what is missing.

use crate::fixed_positions::traded;
use crate::tariff_band::bands;
use coase_core::mechanism::Mechanism;
use coase_core::outcome::{Claim, Trade, pro_rata};
use coase_core::{Certificate, Market, MechanismError, Outcome, RunContext, Status, register};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Rounds that are tried.
const ROUNDS: usize = 500;
/// Energy that is still offered in excess at rest, as a share of what is offered.
const REST: f64 = 1e-6;

/// One price in each slot, `p <- p - s (sum of what is offered at p)`, from the middle of the tariff, until nothing is offered
/// in excess. It comes to rest iff `s < 2 / sum_i (1 / a_i)` where marginal costs rise by `a_i` per kWh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Tatonnement {
    /// How far the price goes for a kWh in excess; if left out, half of what would be right were the response to the price a
    /// straight line between the ends of the tariff.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub step_per_kwh2: Option<f64>,
    /// The first price; if left out, the middle of the tariff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_per_kwh: Option<f64>,
}

// Whether it comes to rest is known with the outcome, which withholds the claim where it does not.
register!(Tatonnement, "tatonnement", Baseline, "one price follows what is offered in excess",
    claims: [BudgetBalanced, Efficient if "it comes to rest" => |_, _| Ok(())],
    needs: [Tariff, NoRequirement], information: Prices, source: "Walras (1874); Uzawa (1960)");

impl Mechanism for Tatonnement {
    fn run(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
        if let Some(step) = self.step_per_kwh2.filter(|step| !(*step > 0.0 && step.is_finite())) {
            let (name, expected) = ("step_per_kwh2", "more than 0");
            return Err(MechanismError::Parameter { name, value: step.to_string(), expected });
        }
        // At the ends of the tariff the grid makes the answer arbitrary.
        let ends: Vec<(f64, f64)> = bands(market)?
            .iter()
            .map(|band| {
                let (low, high) = band.map_or((0.0, 0.0), |band| (band.sell, band.buy));
                let inside = 1e-6 * (high - low).max(0.0);
                (low + inside, (high - inside).max(low + inside))
            })
            .collect();
        let clamp =
            |prices: Vec<f64>| -> Vec<f64> { prices.iter().zip(&ends).map(|(p, end)| p.clamp(end.0, end.1)).collect() };
        let slots = ends.len();
        let offers = |prices: &[f64]| -> Result<Vec<Vec<f64>>, MechanismError> {
            Ok(market.each(|local| local.respond(prices))?.into_iter().map(|plan| plan.trade).collect())
        };
        let excess = |net: &[Vec<f64>]| -> Vec<f64> { (0..slots).map(|k| net.iter().map(|x| x[k]).sum()).collect() };
        let steps: Vec<f64> = if let Some(step) = self.step_per_kwh2 {
            vec![step; slots]
        } else {
            let (low, high): (Vec<f64>, Vec<f64>) = ends.iter().copied().unzip();
            let (scarce, plenty) = (excess(&offers(&low)?), excess(&offers(&high)?));
            let rise = |k: usize| (plenty[k] - scarce[k]) / (high[k] - low[k]);
            (0..slots).map(|k| if high[k] > low[k] && rise(k) > 0.0 { 0.5 / rise(k) } else { 0.0 }).collect()
        };
        let first = ends.iter().map(|end| self.start_per_kwh.unwrap_or(0.5 * (end.0 + end.1))).collect();
        let mut prices = clamp(first);
        let mut missed = f64::INFINITY;
        let mut net = offers(&prices)?;
        for round in 0..ROUNDS {
            ctx.messages(2 * market.len() * slots);
            let rest = excess(&net);
            // What the tariff holds the price back from is exchanged with the grid.
            let held =
                |k: usize| (rest[k] > 0.0 && prices[k] <= ends[k].0) || (rest[k] < 0.0 && prices[k] >= ends[k].1);
            let offered = 1.0 + net.iter().flatten().map(|x| x.abs()).fold(0.0, f64::max);
            missed = (0..slots).filter(|k| !held(*k)).map(|k| rest[k].abs()).fold(0.0, f64::max) / offered;
            let stop =
                ctx.step("price", &[("primal_residual", missed), ("price", prices.first().copied().unwrap_or(0.0))]);
            if missed <= REST || round + 1 == ROUNDS || stop.is_break() {
                break;
            }
            prices = clamp((0..slots).map(|k| prices[k] - steps[k] * rest[k]).collect());
            net = offers(&prices)?;
        }
        // Whoever is on the longer side trades a share of what it offers.
        let priced = |trade: Trade| Trade { price: Some(prices[trade.slot]), ..trade };
        let mut outcome = traded(market, pro_rata(&net).into_iter().map(priced).collect());
        outcome.evidence.push(Certificate::measure(
            "excess_share",
            missed,
            "in excess at the last price, as a share of what is offered",
        ));
        if missed > REST {
            outcome.status = Status::NotConverged { residual: missed };
            outcome.withheld.push((Claim::Efficient, "the price did not come to rest".into()));
        }
        Ok(outcome)
    }
}
