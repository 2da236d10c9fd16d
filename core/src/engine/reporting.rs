//! How participants report, and what that makes of a run in the tables.

use super::report_rule::ReportRule;
use super::said::{Behaviour, Said};
use crate::context::{Observer, RunContext};
use crate::error::MechanismError;
use crate::market::Market;
use crate::mechanism::Mechanism;
use crate::outcome::Outcome;
use std::sync::Arc;

/// How reports come about.
#[derive(Clone, Debug, Default)]
pub enum Reporting {
    /// Everybody tells the truth.
    #[default]
    Truthful,
    /// These reports, from whoever found them.
    Given {
        /// What is said.
        said: Said,
        /// How it was found.
        behaviour: Behaviour,
    },
    /// By a rule, anew in every round.
    Rule(Arc<dyn ReportRule>),
}

impl Reporting {
    /// What is said of a market under the terms of a round.
    ///
    /// # Errors
    /// Those of a rule that has to run the mechanism.
    pub(super) fn said(
        &self,
        truth: &Market,
        mechanism: &dyn Mechanism,
        seed: u64,
        observer: &Arc<dyn Observer>,
    ) -> Result<Said, MechanismError> {
        match self {
            Reporting::Truthful => Ok(Said::default()),
            Reporting::Given { said, .. } => Ok(said.clone()),
            Reporting::Rule(rule) => rule.said(truth, mechanism, &mut RunContext::new(seed, observer.clone())),
        }
    }

    /// How participants behaved in an outcome: those who played strategies of the mechanism's own game did not merely report.
    pub fn behaviour(&self, outcome: &Outcome) -> Behaviour {
        match self {
            _ if !outcome.strategies.is_empty() => Behaviour::Equilibrium,
            Reporting::Truthful => Behaviour::Truthful,
            Reporting::Given { behaviour, .. } => *behaviour,
            Reporting::Rule(rule) => rule.plugin().behaviour,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::{Periods, Setting};

    #[test]
    fn strategies_played_are_no_reports() {
        let setting = Setting::energy(Periods { count: 1, hours: 1.0 }, None, None, vec![]);
        let mut outcome = Outcome::new(&setting);
        let learned = Reporting::Given { said: Said::default(), behaviour: Behaviour::Learned };
        assert_eq!(Reporting::Truthful.behaviour(&outcome).name(), "truthful");
        assert_eq!(learned.behaviour(&outcome).name(), "learned");
        outcome.strategies = vec![vec![0.3]];
        assert_eq!(learned.behaviour(&outcome).name(), "equilibrium");
    }
}
