//! The engine: a mechanism, a market and a carbon policy become a cleared outcome.
//!
//! It refuses what a plugin cannot meet, makes the reports, runs, lets the true participants keep the commitment, and
//! brings the policy's signal to its fixed point. It knows no concrete mechanism or policy.

mod anchored;
mod anderson;
mod ending;
mod limits;
mod root_turn;
mod scarcity;
mod shares;
mod steepness;
mod within_limits;

pub use ending::Ending;
pub use limits::{Limit, LimitCharges, LimitParts, LimitPrices};

use crate::context::{Observer, RunContext, Step, Trace};
use crate::error::MechanismError;
use crate::market::{Market, Plan, Questions};
use crate::mechanism::{Mechanism, Need, NetworkView};
use crate::outcome::{Certificate, Outcome};
use crate::participant::Report;
use crate::physical::{self, Physical};
use crate::policy::{CarbonPolicy, PolicyError, SignalKind};
use crate::setting::{Product, Setting};
use crate::terms::Terms;
use std::sync::Arc;

/// How reports come about.
#[derive(Clone, Debug, Default)]
pub enum Reporting {
    /// Everybody tells the truth.
    #[default]
    Truthful,
    /// These reports, one per member.
    Given(Vec<Report>),
}

/// An outcome with all that is needed to evaluate it.
#[derive(Clone, Debug)]
pub struct Cleared {
    /// What the mechanism decided.
    pub outcome: Outcome,
    /// The true market under the final terms.
    pub truth: Market,
    /// The policy's final signal.
    pub signal: Vec<f64>,
    /// What limits of the network cost, where the policy prices them.
    pub limits: LimitCharges,
    /// Share per period of the root's jump that is in the price: 1 while energy comes in from upstream, 0 while it is fed
    /// back, anything between while the exchange rests. Empty where the policy's price does not jump there, `None` in
    /// periods without a jump.
    pub root_share_imported: Vec<Option<f64>>,
    /// What physically happens.
    pub physical: Physical,
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
    fn certify_choices(&mut self) {
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
    fn schedules_gap(&self) -> (f64, f64) {
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
    fn certify_schedules(&mut self) {
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

/// The market under a policy's opening terms: shared by all mechanisms and seeds, so that they share its answers.
pub fn enter(market: &Market, policy: &dyn CarbonPolicy) -> Market {
    let setting = market.setting();
    market.under(&policy.terms(setting, &policy.start(setting)))
}

/// Runs a mechanism on a market that has been [`enter`]ed under the policy.
///
/// # Errors
/// An unmet need, a refused scenario, or a question without an answer.
pub fn clear(
    mechanism: &dyn Mechanism,
    market: &Market,
    policy: &dyn CarbonPolicy,
    reporting: &Reporting,
    seed: u64,
    observer: &dyn Observer,
) -> Result<Cleared, MechanismError> {
    let run = Run { mechanism, market, policy, reporting, seed, observer };
    policy.check(market.setting())?;
    run.refuse_unmet_needs()?;
    let cleared: Result<Cleared, MechanismError> = match policy.signal_kind() {
        SignalKind::None => {
            let signal = policy.start(market.setting());
            run.round(&policy.terms(market.setting(), &signal), signal)
        }
        SignalKind::Scarcity => scarcity::clear(&run),
        SignalKind::Shares => shares::clear(&run),
        SignalKind::Nodal => anchored::clear(&run),
    };
    cleared.map(Cleared::held_to_its_evidence)
}

/// One run: what does not change from round to round.
#[derive(Clone, Copy)]
struct Run<'a> {
    mechanism: &'a dyn Mechanism,
    market: &'a Market,
    policy: &'a dyn CarbonPolicy,
    reporting: &'a Reporting,
    seed: u64,
    observer: &'a dyn Observer,
}

/// What a round comes to before the network is asked.
struct Answer {
    outcome: Outcome,
    truth: Market,
    plans: Vec<Arc<Plan>>,
    trace: Trace,
    questions: Questions,
    reason: Option<String>,
}

impl Run<'_> {
    fn setting(&self) -> &Setting {
        self.market.setting()
    }

    /// One round under given terms: reports, mechanism, delivery, network. Each round has the whole budget of steps.
    fn round(&self, terms: &[Terms], signal: Vec<f64>) -> Result<Cleared, MechanismError> {
        self.round_in(self.market.under(terms), signal)
    }

    /// The same in a market that is already under the terms of the signal.
    fn round_in(&self, truth: Market, signal: Vec<f64>) -> Result<Cleared, MechanismError> {
        let Answer { outcome, truth, plans, trace, questions, reason } = self.answer_in(truth)?;
        let physical = physical::of_plans(self.setting(), plans, self.policy.storage_rule())?;
        let mut cleared = Cleared {
            outcome,
            truth,
            signal,
            limits: LimitCharges::default(),
            root_share_imported: vec![],
            physical,
            trace,
            rounds: vec![],
            questions,
            reason,
        };
        cleared.certify_choices();
        cleared.certify_schedules();
        Ok(cleared)
    }

    /// What the mechanism makes of given terms and the true participants do to keep it, before the network is asked.
    fn answer(&self, terms: &[Terms]) -> Result<Answer, MechanismError> {
        self.answer_in(self.market.under(terms))
    }

    fn answer_in(&self, truth: Market) -> Result<Answer, MechanismError> {
        if self.mechanism.plugin().needs.contains(&Need::Convexity) && !truth.is_convex() {
            return Err(MechanismError::Unmet { need: "convex local problems (an escalating reward is not convex)" });
        }
        let said = match self.reporting {
            Reporting::Truthful => truth.metered(),
            Reporting::Given(reports) => {
                reports.iter().enumerate().fold(truth.metered(), |m, (i, report)| m.with_report(i, report))
            }
        };
        let mut ctx = RunContext::new(self.seed, self.observer);
        let outcome = self.mechanism.outcome(&said, &mut ctx)?;
        let reason = ctx.broken_off().map(|told| told.to_string());
        let questions = said.questions();
        let plans = physical::delivered(&truth, &outcome)?;
        Ok(Answer { outcome, truth, plans, trace: ctx.finish(), questions, reason })
    }

    fn refuse_unmet_needs(&self) -> Result<(), MechanismError> {
        let setting = self.setting();
        for need in self.mechanism.plugin().needs {
            let (met, what) = match need {
                Need::Tariff => (setting.tariff.is_some(), "a grid tariff"),
                Need::Prior => (setting.members.iter().all(|m| m.prior.is_some()), "priors of all participants"),
                Need::Reserve => (setting.slots.iter().any(|s| s.product == Product::ReserveUp), "a reserve product"),
                Need::Network => (setting.feeder.is_some(), "a network"),
                Need::RadialNetwork => match &setting.feeder {
                    Some(feeder) => (feeder.power_flow.topology().is_radial(), "a radial network (this one is meshed)"),
                    None => (false, "a network"),
                },
                // Depends on the terms: asked in every round.
                Need::Convexity => (true, ""),
                Need::NoRequirement => {
                    (setting.requirement.iter().all(|r| *r == 0.0), "a market without an operator's requirement")
                }
            };
            if !met {
                return Err(MechanismError::Unmet { need: what });
            }
        }
        let inside = self.mechanism.plugin().network == NetworkView::Inside;
        if inside && self.policy.signal_kind() == SignalKind::Nodal {
            let need = "a mechanism that leaves the network to the policy's nodal prices (this one clears it itself, and would be charged twice)";
            return Err(PolicyError::Unmet { need }.into());
        }
        Ok(())
    }
}
