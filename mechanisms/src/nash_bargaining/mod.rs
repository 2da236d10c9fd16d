//! Nash bargaining over the gain of cooperation: `max prod_i (J0_i - J_i)^w_i`.
//!
//! With unrestricted payments the problem splits exactly: P1 minimises the coalition's cost, `x* = argmin sum_i Phi_i`, and
//! P2 divides the gain `D = sum_i (J0_i - Phi_i(x*))` by weights, `tau_i = J0_i - Phi_i(x*) - (w_i / sum w) D`. With prices
//! inside the tariff band P2 is a concave problem of its own, and solving it after P1 is no longer exact.
//! It is Pareto efficient and individually rational; it is neither truthful nor, in general, in the core.

mod bounded;
mod joint;
mod weights;

pub use weights::Weights;

use crate::cooperation::{Cooperation, Found};
use crate::distributed::Solver;
use crate::tariff_band::bands;
use crate::trade_matrix::TradeMatrix;
use coase_core::mechanism::Mechanism;
use coase_core::outcome::{Claim, Trade};
use coase_core::{Certificate, Market, MechanismError, Outcome, RunContext, Status, number, register};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How P2 pays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PaymentMode {
    /// Unrestricted payments: the gain is split exactly by the weights, prices may leave the tariff band.
    #[default]
    ClosedForm,
    /// After P1, every trade's price lies between the feed-in and the retail price.
    SequentialBounded,
    /// Trades and prices together, every price between the feed-in and the retail price: sellers and buyers of a slot are those
    /// of P1. It costs more than P1 in sum and reaches a higher product of gains than prices found afterwards.
    JointBounded,
}

/// Asymmetric Nash bargaining over the gain of cooperation, `max prod_i (J0_i - J_i)^w_i`.
///
/// P1 minimises the cost of all, `x* = argmin sum_i Phi_i`. P2 divides the gain `D = sum_i (J0_i - Phi_i(x*))`: everybody pays
/// `tau_i = J0_i - Phi_i(x*) - (w_i / sum w) D`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NashBargaining {
    /// Bargaining power.
    pub weights: Weights,
    /// How the split is paid.
    pub payments: PaymentMode,
    /// How P1 is solved.
    pub solver: Solver,
    /// Which pairs the sales of P1 are said to be made of.
    pub trades: TradeMatrix,
}

register!(NashBargaining, "nash-bargaining", Cooperative, "splits the gain of cooperation by bargaining power",
    claims: [IndividuallyRational, BudgetBalanced, Efficient], needs: [Tariff, NoRequirement], information: FullTypes,
    source: "Nash (1950); two-stage form as in the microgrid literature");

impl Mechanism for NashBargaining {
    fn run(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
        let cooperation = match Cooperation::of(market, self.solver.solve(market, ctx)?)? {
            // Money within bounds depends on who can pay whom: there all pairs are needed.
            Found::Gain(found) if self.trades != TradeMatrix::ProRata => found.matched(market, self.trades)?,
            Found::Gain(found) if self.payments != PaymentMode::ClosedForm => found.between_all(),
            Found::Gain(found) => *found,
            Found::Nothing(mut outcome) => {
                let nothing = "nothing to bargain over: no trade lowers the total cost";
                outcome.evidence.push(Certificate::measure("bargaining_gain", 0.0, nothing));
                return Ok(*outcome);
            }
        };
        let weights = self.weights.of(market, &cooperation)?;
        let mut outcome = cooperation.commitment(market);
        let priced = match self.payments {
            PaymentMode::ClosedForm => {
                let gains: Vec<f64> = weights.iter().map(|weight| weight * cooperation.gain()).collect();
                cooperation.paying(&gains)
            }
            PaymentMode::SequentialBounded => {
                outcome
                    .withheld
                    .push((Claim::Efficient, "bounded prices make the two stages inexact as a bargain".into()));
                match bounded::bargain(&cooperation.before, &weights, &cooperation.trades, &bands(market)?) {
                    Ok(priced) => priced,
                    Err(gap) => return Ok(no_prices(market, outcome, gap)),
                }
            }
            PaymentMode::JointBounded => {
                let why = "prices are bounded: trades that cost more in sum are worth more to those who gain less";
                outcome.withheld.push((Claim::Efficient, why.into()));
                if let Some(i) = weights.iter().position(|weight| *weight <= 0.0) {
                    let value = format!("0 for {}", market.setting().members[i].id);
                    let expected = "powers above 0, or nothing bounds what is taken from a member";
                    return Err(MechanismError::Parameter { name: "weights", value, expected });
                }
                match joint::bargain(market, &cooperation, &weights, &bands(market)?, ctx)? {
                    Ok(found) => {
                        outcome.net = found.net;
                        outcome.evidence.push(found.certificate);
                        let witness = "Nash product, weights adding up to 1, against prices found after the trades, in logarithms";
                        outcome.evidence.push(Certificate::measure("joint_bargain_benefit", found.better, witness));
                        if let Some(residual) = found.residual {
                            outcome.status = Status::NotConverged { residual };
                        }
                        found.priced
                    }
                    Err(gap) => return Ok(no_prices(market, outcome, gap)),
                }
            }
        };
        if self.payments != PaymentMode::ClosedForm {
            outcome.evidence.push(resale(market, &priced.trades, &cooperation, &weights));
        }
        outcome.evidence.extend(cooperation.evidence("bargaining_gain", ""));
        outcome.evidence.extend(priced.outside_the_band(market, &cooperation.best.price)?);
        priced.enter(market, &mut outcome);
        Ok(outcome)
    }
}

/// Whether bounds on prices bind anybody: they hold for each trade, and who buys from one and sells to another in a slot moves
/// money past them.
fn resale(market: &Market, trades: &[Trade], cooperation: &Cooperation, weights: &[f64]) -> Certificate {
    let setting = market.setting();
    let both = |i: usize, slot: usize| {
        let of = |side: fn(&Trade) -> usize| trades.iter().any(|t| t.slot == slot && side(t) == i);
        of(|t| t.seller) && of(|t| t.buyer)
    };
    let found: Vec<(usize, usize)> = (0..setting.slots.len())
        .flat_map(|slot| (0..market.len()).filter(move |i| both(*i, slot)).map(move |i| (i, slot)))
        .collect();
    let witness = if let Some(&(i, slot)) = found.first() {
        let (id, period) = (&setting.members[i].id, setting.slots[slot].period);
        format!("{id} buys and sells in period {period}: it moves money past the bounds, which bind nobody")
    } else {
        let strongest = (0..market.len()).max_by(|a, b| weights[*a].total_cmp(&weights[*b])).unwrap_or(0);
        format!(
            "nobody buys and sells in one slot. Were energy resold, bought low from one and sold high to another, the bounds would \
             bind nobody and the division would be that of `ClosedForm`: {} for {}",
            number(weights[strongest] * cooperation.gain()),
            setting.members[strongest].id
        )
    };
    Certificate::measure("resale", found.len() as f64, witness)
}

/// Nobody trades, because somebody would lose by this much at any prices within the band.
fn no_prices(market: &Market, found: Outcome, gap: f64) -> Outcome {
    let mut none = Outcome { evidence: found.evidence, ..Outcome::new(market.setting()) };
    none.status = Status::NoEquilibriumFound { gap };
    let why = "no prices within the tariff band leave everybody better off";
    none.evidence.push(Certificate::measure("bounded_split_shortfall", gap, why));
    none
}
