//! How participants report, and what that makes of a run in the tables.

use crate::market::Market;
use crate::outcome::Outcome;
use crate::participant::Report;

/// How reports come about.
#[derive(Clone, Debug, Default)]
pub enum Reporting {
    /// Everybody tells the truth.
    #[default]
    Truthful,
    /// These reports, one per member, from whoever found them.
    Given {
        /// One per member.
        reports: Vec<Report>,
        /// How they were found.
        behaviour: Behaviour,
        /// Whose roles are public.
        roles: Roles,
    },
}

/// On which sides members are known to stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Roles {
    /// Those of the true market: a misreport does not change sides.
    #[default]
    Public,
    /// Those of what is reported, as where a market clears on forecasts: the true ones would give the sign of the truth away,
    /// and leave out whoever forecasts the other sign.
    OfReports,
}

/// How participants behave in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Behaviour {
    /// They report what is true.
    #[default]
    Truthful,
    /// Each answers best to what the others report.
    BestResponse,
    /// They report what a learning rule has led them to.
    Learned,
    /// They play strategies of the mechanism's own game, from which nobody gains by departing alone.
    Equilibrium,
}

impl Behaviour {
    /// The name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Behaviour::Truthful => "truthful",
            Behaviour::BestResponse => "best_response",
            Behaviour::Learned => "learned",
            Behaviour::Equilibrium => "equilibrium",
        }
    }
}

impl Reporting {
    /// The market as it is said to be, with a count of questions of its own.
    pub fn said(&self, truth: &Market) -> Market {
        let Reporting::Given { reports, roles, .. } = self else { return truth.metered() };
        let said = reports.iter().enumerate().fold(truth.metered(), |m, (i, report)| m.with_report(i, report));
        match roles {
            Roles::Public => said,
            Roles::OfReports => said.with_roles_of_reports(),
        }
    }

    /// How participants behaved in an outcome: those who played strategies of the mechanism's own game did not merely report.
    pub fn behaviour(&self, outcome: &Outcome) -> Behaviour {
        match self {
            _ if !outcome.strategies.is_empty() => Behaviour::Equilibrium,
            Reporting::Truthful => Behaviour::Truthful,
            Reporting::Given { behaviour, .. } => *behaviour,
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
        let learned = Reporting::Given { reports: vec![], behaviour: Behaviour::Learned, roles: Roles::Public };
        assert_eq!(Reporting::Truthful.behaviour(&outcome).name(), "truthful");
        assert_eq!(learned.behaviour(&outcome).name(), "learned");
        outcome.strategies = vec![vec![0.3]];
        assert_eq!(learned.behaviour(&outcome).name(), "equilibrium");
    }
}
