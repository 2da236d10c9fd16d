//! One round of a run: reports, mechanism, delivery by the true participants, the network's answer.

use super::limits::LimitCharges;
use super::{Cleared, Reporting};
use crate::context::{Observer, RunContext, Trace};
use crate::error::MechanismError;
use crate::market::{Market, Plan, Questions};
use crate::mechanism::{Mechanism, Need, NetworkView};
use crate::outcome::Outcome;
use crate::physical;
use crate::policy::{CarbonPolicy, PolicyError, Signal, SignalKind};
use crate::setting::{Product, Setting};
use crate::terms::Terms;
use std::sync::Arc;

/// One run: what does not change from round to round.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    pub mechanism: &'a dyn Mechanism,
    pub market: &'a Market,
    pub policy: &'a dyn CarbonPolicy,
    pub reporting: &'a Reporting,
    pub seed: u64,
    pub observer: &'a Arc<dyn Observer>,
}

/// What a round comes to before the network is asked.
pub(super) struct Answer {
    pub outcome: Outcome,
    pub truth: Market,
    pub plans: Vec<Arc<Plan>>,
    pub trace: Trace,
    pub questions: Questions,
    pub reason: Option<String>,
}

impl Run<'_> {
    pub fn setting(&self) -> &Setting {
        self.market.setting()
    }

    /// One round under given terms: reports, mechanism, delivery, network. Each round has the whole budget of steps.
    pub fn round(&self, terms: &[Terms], signal: Signal) -> Result<Cleared, MechanismError> {
        self.round_in(self.market.under(terms), signal)
    }

    /// The same in a market that is already under the terms of the signal.
    pub fn round_in(&self, truth: Market, signal: Signal) -> Result<Cleared, MechanismError> {
        let Answer { outcome, truth, plans, trace, questions, reason } = self.answer_in(truth)?;
        let physical = physical::of_plans(self.setting(), plans, self.policy.storage_rule())?;
        let behaviour = self.reporting.behaviour(&outcome);
        let mut cleared = Cleared {
            behaviour,
            outcome,
            truth,
            signal,
            limits: LimitCharges::default(),
            root_share_imported: vec![],
            physical,
            realisations: vec![],
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
    pub fn answer(&self, terms: &[Terms]) -> Result<Answer, MechanismError> {
        self.answer_in(self.market.under(terms))
    }

    fn answer_in(&self, truth: Market) -> Result<Answer, MechanismError> {
        if self.mechanism.plugin().needs.contains(&Need::Convexity) && !truth.is_convex() {
            return Err(MechanismError::Unmet { need: "convex local problems (an escalating reward is not convex)" });
        }
        let reports = self.reporting.said(&truth, self.mechanism, self.seed, self.observer)?;
        let said = reports.market(&truth);
        let mut ctx = RunContext::new(self.seed, self.observer.clone());
        let mut outcome = self.mechanism.outcome(&said, &mut ctx)?;
        outcome.evidence.extend(reports.evidence);
        let reason = ctx.broken_off().map(|told| told.to_string());
        let questions = said.questions();
        let plans = physical::delivered(&truth, &outcome)?;
        Ok(Answer { outcome, truth, plans, trace: ctx.finish(), questions, reason })
    }

    pub fn refuse_unmet_needs(&self) -> Result<(), MechanismError> {
        let setting = self.setting();
        for need in self.mechanism.plugin().needs {
            let (met, what) = match need {
                Need::Tariff => (setting.tariff.is_some(), "a grid tariff"),
                Need::Prior => match setting.members.iter().find(|member| member.prior.is_none()) {
                    Some(member) if !self.mechanism.brings_priors() => {
                        (false, crate::intern(&format!("priors of all participants (`{}` has none)", member.id)))
                    }
                    _ => (true, ""),
                },
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
