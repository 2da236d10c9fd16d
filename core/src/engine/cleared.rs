//! A cleared outcome: what was decided, what physically happens, and how near its schedules are to their least cost.

use super::limits::LimitCharges;
use super::realisation::Realisation;
use super::said::Behaviour;
use crate::context::{Step, Trace};
use crate::market::{Market, Questions};
use crate::outcome::{Certificate, Outcome};
use crate::physical::Physical;
use crate::policy::Signal;

/// An outcome with all that is needed to evaluate it.
#[derive(Clone, Debug)]
pub struct Cleared {
    /// What the mechanism decided.
    pub outcome: Outcome,
    /// How participants behaved.
    pub behaviour: Behaviour,
    /// The true market under the final terms.
    pub truth: Market,
    /// The policy's final signal.
    pub signal: Signal,
    /// What limits of the network cost, where the policy prices them.
    pub limits: LimitCharges,
    /// Share per period of the root's jump that is in the price: 1 while energy comes in from upstream, 0 while it is fed
    /// back, anything between while the exchange rests. Empty where the policy's price does not jump there, `None` in
    /// periods without a jump.
    pub root_share_imported: Vec<Option<f64>>,
    /// What physically happens.
    pub physical: Physical,
    /// Ways in which what is uncertain turns out, with their weights; empty where nothing is, and `truth` and `physical` are all.
    pub realisations: Vec<Realisation>,
    /// Steps and messages of the mechanism in the last round.
    pub trace: Trace,
    /// Rounds of the search for the fixed point of nodal prices, in order; without the settlement that follows them.
    pub rounds: Vec<Step>,
    /// Questions the mechanism asked in the last round.
    pub questions: Questions,
    /// Why the outcome is not converged, where the engine knows.
    pub reason: Option<String>,
}

/// Proven distance of schedules from their least cost, relative to costs, beyond which a run is not converged.
const GAP_TOLERANCE: f64 = 1e-6;
/// Precision of a solver, relative to the money that is within reach at the tariff.
const PRECISION: f64 = 1e-10;
/// What sums of costs lose by rounding, relative to the costs.
const ROUNDING: f64 = 1e-12;

impl Cleared {
    /// Certificate `choices_gap`, where a search among choices ran into its limit of programs: what the answers that the
    /// mechanism had, or the schedules, may be away from the best.
    pub(super) fn certify_choices(&mut self) {
        let left_open: f64 = self.physical.plans.iter().map(|p| p.choices_gap.max(0.0)).sum();
        let gap = self.questions.choices_gap.max(left_open);
        if gap > 0.0 {
            let most = self.truth.setting().choice_programs;
            let witness = format!(
                "money; choices (such as charging or discharging, drawing or feeding in) were not settled within {most} programs: the best answer found stands"
            );
            self.outcome.evidence.push(Certificate::check("choices_gap", gap, self.schedules_gap().1, witness));
        }
    }

    /// Proven distance of all schedules from their least cost, and what it may be.
    pub(super) fn schedules_gap(&self) -> (f64, f64) {
        let plans = &self.physical.plans;
        let gap: f64 = plans.iter().map(|p| p.gap.max(0.0)).sum();
        let money: f64 = plans.iter().map(|p| p.resource_cost.abs() + p.tariff_cost.abs()).sum();
        let rounding: f64 = plans.iter().map(|p| p.cost.abs()).sum::<f64>().max(1.0);
        // Where nothing is bought and nothing burnt, a solver still has its precision on what could be.
        let within_reach = PRECISION * self.truth.setting().reach_money();
        (gap, GAP_TOLERANCE * money + within_reach + ROUNDING * rounding)
    }

    /// Certificate `schedule_gap`: a schedule whose optimality is not proven is no answer. The money that it is measured by is
    /// that of resources and tariff, which no price that is searched for can swell.
    pub(super) fn certify_schedules(&mut self) {
        let plans = &self.physical.plans;
        let (gap, tolerance) = self.schedules_gap();
        if gap <= tolerance {
            return;
        }
        let worst = plans.iter().zip(&self.truth.setting().members).max_by(|a, b| a.0.gap.total_cmp(&b.0.gap));
        let witness = worst.map_or(String::new(), |(plan, member)| {
            let id = &member.id;
            format!(
                "the schedule of {id} is proven within {:.3e} of its least cost only: choices such as the sign of an exchange were not settled",
                plan.gap
            )
        });
        self.outcome.evidence.push(Certificate::check("schedule_gap", gap, tolerance, witness));
    }

    /// The iterations that a run is reported with: the mechanism's own in the settled round; of a mechanism that has none,
    /// the rounds of the fixed point around it. Never both in one list: they measure different things.
    pub fn iterations(&self) -> &[Step] {
        if self.trace.steps.is_empty() { &self.rounds } else { &self.trace.steps }
    }

    /// The residual that the status names; of a converged run that of its fixed point.
    pub fn residual(&self) -> Option<f64> {
        self.ending(&self.outcome.evidence).residual
    }
}
