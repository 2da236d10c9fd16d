//! The engine: a mechanism, a market and a carbon policy become a cleared outcome.
//!
//! One path: [`clear`] refuses what cannot be met and chooses by the policy's signal how rounds follow each other; a round
//! (`run.rs`) makes the reports, runs the mechanism and lets the true participants keep the commitment; what comes of it is a
//! [`Cleared`] with its certificates, which alone decide its [`Ending`]. It knows no concrete mechanism or policy.

mod cleared;
mod ending;
mod limits;
mod nodal;
mod realisation;
mod report_rule;
mod reporting;
mod run;
mod said;
mod scarcity;
mod shares;

pub use cleared::Cleared;
pub use ending::Ending;
pub use limits::{LimitCharges, LimitParts, LimitPrices};
pub use realisation::Realisation;
pub use report_rule::{
    RegisteredReportRule, ReportRule, ReportRuleHandle, ReportRulePlugin, add_report_rule, report_rules,
};
pub use reporting::Reporting;
pub use said::{Behaviour, Roles, Said};

use run::Run;

use crate::context::Observer;
use crate::error::MechanismError;
use crate::market::Market;
use crate::mechanism::Mechanism;
use crate::policy::{CarbonPolicy, SignalKind};
use std::sync::Arc;

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
    observer: impl Observer + 'static,
) -> Result<Cleared, MechanismError> {
    let observer: Arc<dyn Observer> = Arc::new(observer);
    let run = Run { mechanism, market, policy, reporting, seed, observer: &observer };
    policy.check(market.setting())?;
    run.refuse_unmet_needs()?;
    let cleared: Result<Cleared, MechanismError> = match policy.signal_kind() {
        SignalKind::None => {
            let signal = policy.start(market.setting());
            run.round(&policy.terms(market.setting(), &signal), signal)
        }
        SignalKind::Scarcity => scarcity::clear(&run),
        SignalKind::Shares => shares::clear(&run),
        SignalKind::Nodal => nodal::clear(&run),
    };
    cleared.map(Cleared::held_to_its_evidence)
}
