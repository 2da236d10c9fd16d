//! How a mechanism stands by what it claims: whether it claims it here, and what a check of it then says.

use crate::engine::{Behaviour, Cleared};
use crate::mechanism::{Condition, Here, Mechanism};
use crate::outcome::{Certificate, Claim, Kind, Verdict};
use crate::policy::CarbonPolicy;

/// Whether what is charged was seen when it was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charges {
    Seen,
    Hidden,
}

impl Charges {
    /// Whether participants decide under the terms that the policy charges them by.
    pub fn of(policy: &dyn CarbonPolicy, cleared: &Cleared) -> Self {
        let setting = cleared.truth.setting();
        let hidden = policy.charged_terms(setting, &cleared.signal) != policy.terms(setting, &cleared.signal);
        if hidden { Charges::Hidden } else { Charges::Seen }
    }
}

/// What a mechanism claims of an outcome.
pub(super) struct Claims<'a> {
    pub mechanism: &'a dyn Mechanism,
    pub policy: &'a dyn CarbonPolicy,
    pub cleared: &'a Cleared,
    pub charges: Charges,
}

/// How a mechanism stands by a claim on this outcome.
pub(super) enum Standing {
    /// It claims nothing.
    Unclaimed,
    /// It claims it here.
    Claimed,
    /// It does not claim it here, and why.
    Excepted(String),
    /// It claims it on a condition that nobody can evaluate, in its words.
    Conditional(&'static str),
}

impl Claims<'_> {
    pub fn standing(&self, claim: Claim) -> Standing {
        let declared = self.mechanism.plugin().claims;
        let Some((_, words)) = declared.iter().find(|(declared, _)| *declared == claim) else {
            return Standing::Unclaimed;
        };
        let outcome = &self.cleared.outcome;
        if let Some((_, why)) = outcome.withheld.iter().find(|(withheld, _)| *withheld == claim) {
            return Standing::Excepted(why.clone());
        }
        let about_money_only = matches!(claim, Claim::BudgetBalanced | Claim::NoDeficit);
        // What an outcome is to the true members is claimed of what they truly are.
        let is_untrue = matches!(
            self.cleared.behaviour,
            Behaviour::Distorted | Behaviour::Random | Behaviour::BestResponse | Behaviour::Learned
        );
        let about_outcomes = matches!(claim, Claim::IndividuallyRational | Claim::Efficient | Claim::Core);
        if is_untrue && about_outcomes {
            return Standing::Excepted("what is reported is not the truth, of which it is claimed".into());
        }
        // Whoever does not see a charge cannot answer for what it does to costs.
        if self.charges == Charges::Hidden && !about_money_only {
            return Standing::Excepted("what is charged for carbon is not seen when it is decided".into());
        }
        let here = Here { market: &self.cleared.truth, policy: self.policy, outcome };
        match self.mechanism.condition(claim, &here) {
            Condition::Holds => Standing::Claimed,
            Condition::Fails(why) => Standing::Excepted(format!("claimed only if {words}: {why}")),
            Condition::Unknown => Standing::Conditional(words),
        }
    }

    /// A check counts as such where the mechanism claims the property; otherwise it is a figure.
    pub fn judged(&self, claim: Claim, check: Certificate) -> Certificate {
        let (Some(value), Some(tolerance)) = (check.value, check.tolerance) else { return check.about(Kind::Claim) };
        let held = if value <= tolerance { Verdict::Upheld } else { Verdict::Refuted };
        let figure =
            |verdict, witness| Certificate { tolerance: None, verdict, kind: Kind::Claim, witness, ..check.clone() };
        match self.standing(claim) {
            Standing::Unclaimed => figure(Verdict::Measured, check.witness.clone()).about(Kind::Figure),
            Standing::Claimed => Certificate { verdict: held, kind: Kind::Claim, ..check },
            Standing::Excepted(why) => figure(Verdict::NotApplicable, why),
            Standing::Conditional(_) if held == Verdict::Upheld => {
                Certificate { verdict: held, kind: Kind::Claim, ..check }
            }
            Standing::Conditional(words) => {
                let witness = if check.witness.is_empty() { String::new() } else { format!("; {}", check.witness) };
                figure(Verdict::Measured, format!("claimed only if {words}, which cannot be evaluated{witness}"))
            }
        }
    }
}
