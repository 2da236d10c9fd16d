//! What participants say, and how they behave who say it.

use crate::market::Market;
use crate::outcome::Certificate;
use crate::participant::Report;
use crate::setting::Role;

/// What participants say.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// One report per member; none: all tell the truth.
    pub reports: Vec<Report>,
    /// Whose roles are public.
    pub roles: Roles,
    /// What can be said of how the reports were found.
    pub evidence: Vec<Certificate>,
}

impl Said {
    /// The market as it is said to be, with a count of questions of its own.
    pub fn market(&self, truth: &Market) -> Market {
        if self.reports.is_empty() {
            return truth.metered();
        }
        let reports = self.reports.iter().enumerate();
        let said = reports.fold(truth.metered(), |market, (i, report)| market.with_report(i, report));
        match &self.roles {
            Roles::Public => said,
            Roles::OfReports => said.with_roles_of_reports(),
            Roles::Stated(roles) => roles.iter().fold(said, |said, (member, role)| said.with_role(*member, *role)),
        }
    }
}

/// On which sides members are known to stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Roles {
    /// Those of the true market: a misreport does not change sides.
    #[default]
    Public,
    /// Those of what is reported, as where a market clears on forecasts: the true ones would give the sign of the truth away,
    /// and leave out whoever forecasts the other sign.
    OfReports,
    /// Those of the true market, but these members stand on another side in every slot: what a market can be told where nobody
    /// checks sides.
    Stated(Vec<(usize, Role)>),
}

/// How participants behave in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Behaviour {
    /// They report what is true.
    #[default]
    Truthful,
    /// Each answers best to what the others report.
    BestResponse,
    /// They report something else than the truth, as written down.
    Distorted,
    /// They report at random.
    Random,
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
            Behaviour::Distorted => "distorted",
            Behaviour::Random => "random",
            Behaviour::Learned => "learned",
            Behaviour::Equilibrium => "equilibrium",
        }
    }
}
