//! The evaluator: trusts nobody, knows the true market, and turns a cleared outcome into figures and certificates.

use crate::carbon::CarbonPolicy;
use crate::engine::Cleared;
use crate::mechanism::{Mechanism, MechanismError};
use crate::record::RunRecord;

/// What outcomes are measured with: the same for everything that is compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Yardstick {
    /// Resource value of upstream energy per period, per kWh.
    pub upstream_cost_per_kwh: Vec<f64>,
    /// Damage of a tonne of emissions.
    pub damage_per_tonne: f64,
    /// Whether the core excess is searched (all coalitions, up to 12 members).
    pub core: Search,
    /// Whether regret is searched (the mechanism is run on every standard misreport).
    pub regret: Search,
}

/// Whether an expensive search is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// It is.
    Made,
    /// It is not; the metric stays empty.
    Skipped,
}

/// Measures a cleared outcome.
///
/// # Errors
/// If a question to the true participants has no answer.
pub fn evaluate(
    cleared: &Cleared,
    _mechanism: &dyn Mechanism,
    _policy: &dyn CarbonPolicy,
    _seed: u64,
    _yardstick: &Yardstick,
) -> Result<RunRecord, MechanismError> {
    let _ = cleared;
    Ok(RunRecord::empty())
}
