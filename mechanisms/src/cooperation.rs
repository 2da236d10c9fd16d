//! What the rules that divide the gain of cooperation share.
//!
//! All of them find the least cost of all together, `x* = argmin sum_i Phi_i` (P1), and differ in how they divide the gain
//! `D = sum_i (J0_i - Phi_i(x*))` over no trade. A member that is to gain `G_i` receives `G_i - (J0_i - Phi_i(x*))`.

use crate::canonical_payments::{Priced, paying};
use crate::distributed::{Solved, Solver};
use crate::gap::least_cost_gap;
use crate::trade_matrix::TradeMatrix;
use coase_core::coalition::Coalition;
use coase_core::market::Plan;
use coase_core::outcome::{Claim, Pairs, Trade};
use coase_core::setting::Setting;
use coase_core::{Allocation, Certificate, Market, MechanismError, Outcome, RunContext, Status};
use std::sync::Arc;

/// Gains below this share of the disagreement costs are rounding.
const NO_GAIN: f64 = 1e-9;
/// Sales below this are rounding, kWh.
const NO_TRADE_KWH: f64 = 1e-6;

/// All together at least cost, and what everybody had before.
pub(crate) struct Cooperation {
    /// What everybody does without trade.
    pub alone: Vec<Arc<Plan>>,
    /// The least cost of all together.
    pub best: Arc<Allocation>,
    /// `J0_i - Phi_i(x*)`: what each has gained before anybody pays.
    pub before: Vec<f64>,
    /// Who sells to whom: in each slot sellers to buyers pro rata, or by another rule.
    pub trades: Vec<Trade>,
    /// Whether these are all pairs, or few that stand for all.
    pub pairs: Pairs,
    /// What the solver proves and reports.
    evidence: Vec<Certificate>,
    /// Whether it came to its end.
    status: Status,
}

/// What cooperation comes to.
pub(crate) enum Found {
    /// A gain to be divided.
    Gain(Box<Cooperation>),
    /// No trade lowers the total cost: nobody trades.
    Nothing(Box<Outcome>),
}

impl Cooperation {
    /// What comes of the least cost of all together, found by one program of all members.
    pub fn centrally(market: &Market, ctx: &mut RunContext) -> Result<Found, MechanismError> {
        Self::of(market, Solver::Central.solve(market, ctx)?)
    }

    /// What comes of the least cost of all together, as a solver found it.
    pub fn of(market: &Market, solved: Solved) -> Result<Found, MechanismError> {
        let Solved { allocation: best, evidence, status } = solved;
        let alone = market.each(|l| l.autarky())?;
        let cost = || alone.iter().map(|plan| plan.cost);
        let scale: f64 = 1.0 + cost().map(f64::abs).sum::<f64>();
        // Where trade gains nothing and yet belongs to the optimum (the price of carbon makes both sides cost the same) it is
        // made: how much is emitted may depend on it.
        let idle = best.plans.iter().flatten().flat_map(|plan| &plan.trade).all(|kwh| kwh.abs() <= NO_TRADE_KWH);
        if idle && cost().sum::<f64>() - best.cost <= NO_GAIN * scale {
            return Ok(Found::Nothing(Box::new(Outcome { evidence, status, ..Outcome::new(market.setting()) })));
        }
        let before = cost().zip(best.plans.iter().flatten()).map(|(before, with)| before - with.cost).collect();
        let net: Vec<Vec<f64>> = best.plans.iter().flatten().map(|plan| plan.trade.clone()).collect();
        let pairs = Pairs::of(&net);
        Ok(Found::Gain(Box::new(Self { trades: pairs.trades(&net), pairs, alone, before, best, evidence, status })))
    }

    /// The same with every seller beside every buyer, however many pairs these are.
    pub fn between_all(self) -> Self {
        let net: Vec<Vec<f64>> = self.best.plans.iter().flatten().map(|plan| plan.trade.clone()).collect();
        Self { trades: Pairs::All.trades(&net), pairs: Pairs::All, ..self }
    }

    /// The same with pairs by another rule.
    pub fn matched(self, market: &Market, rule: TradeMatrix) -> Result<Self, MechanismError> {
        let net: Vec<Vec<f64>> = self.best.plans.iter().flatten().map(|plan| plan.trade.clone()).collect();
        Ok(Self { trades: rule.of(market, &net)?, pairs: Pairs::All, ..self })
    }

    /// What there is to divide.
    pub fn gain(&self) -> f64 {
        self.before.iter().sum()
    }

    /// The commitment of all, without payments.
    pub fn commitment(&self, market: &Market) -> Outcome {
        let mut outcome = Outcome::new(market.setting());
        (outcome.evidence, outcome.status) = (self.evidence.clone(), self.status.clone());
        outcome.net = self.best.plans.iter().flatten().map(|plan| plan.trade.clone()).collect();
        if !self.best.limits.is_empty() {
            outcome.imposed.clone_from(&self.best.limits);
            outcome.withheld.push((Claim::Efficient, "the network's limits are kept, at whatever cost".into()));
        }
        outcome
    }

    /// How much there is to divide, under this name, and how near the cost is proven to be to the least.
    pub fn evidence(&self, gain: &'static str, witness: &'static str) -> [Certificate; 2] {
        let gap = least_cost_gap(&self.best, "duality gap of the first stage");
        [Certificate::measure(gain, self.gain(), witness), gap]
    }

    /// Canonical payments after which members gain this; it adds up to the gain of all.
    pub fn paying(&self, gains: &[f64]) -> Priced {
        let receives: Vec<f64> = gains.iter().zip(&self.before).map(|(gain, before)| gain - before).collect();
        paying(&receives, &self.trades, self.pairs, &self.best.price)
    }

    /// The outcome in which members gain this.
    pub fn divided(&self, market: &Market, gains: &[f64]) -> Result<Outcome, MechanismError> {
        let mut outcome = self.commitment(market);
        outcome.evidence.extend(self.evidence("cooperation_gain", "divided among the members"));
        let priced = self.paying(gains);
        outcome.evidence.extend(priced.outside_the_band(market, &self.best.price)?);
        priced.enter(market, &mut outcome);
        Ok(outcome)
    }
}

/// Nobody trades, because nothing would be gained.
pub(crate) fn nothing_to_divide(mut outcome: Outcome) -> Outcome {
    let none = Certificate::measure("cooperation_gain", 0.0, "nothing to divide: no trade lowers the total cost");
    outcome.evidence.push(none);
    outcome
}

/// A group by the names of its members.
pub(crate) fn named(setting: &Setting, group: Coalition) -> String {
    let names: Vec<&str> = group.members().map(|i| setting.members[i].id.as_str()).collect();
    format!("{{{}}}", names.join(", "))
}
