//! The engine: a mechanism, a market and a carbon policy become a cleared outcome.
//!
//! It refuses what a plugin cannot meet, makes the reports, runs, lets the true participants keep the commitment, and
//! brings the policy's signal to its fixed point. It knows no concrete mechanism or policy.

use crate::carbon::CarbonPolicy;
use crate::context::{Observer, RunContext, Trace};
use crate::market::{Market, Questions};
use crate::mechanism::{Mechanism, MechanismError};
use crate::outcome::Outcome;
use crate::participant::Report;
use crate::physical::Physical;

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
    /// What physically happens.
    pub physical: Physical,
    /// Steps and messages.
    pub trace: Trace,
    /// Questions the mechanism asked.
    pub questions: Questions,
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
    policy.check(market.setting())?;
    let signal = policy.start(market.setting());
    let truth = market.under(&policy.terms(market.setting(), &signal));
    let said = match reporting {
        Reporting::Truthful => truth.metered(),
        Reporting::Given(reports) => {
            reports.iter().enumerate().fold(truth.metered(), |m, (i, report)| m.with_report(i, report))
        }
    };
    let mut ctx = RunContext::new(seed, observer);
    let outcome = mechanism.run(&said, &mut ctx)?;
    let questions = said.questions();
    let physical = crate::physical::keep(&truth, &outcome, policy.storage_rule())?;
    Ok(Cleared { outcome, truth, signal, physical, trace: ctx.finish(), questions })
}
