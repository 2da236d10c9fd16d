//! Everybody tells the truth.

use crate::context::RunContext;
use crate::engine::{ReportRule, Roles, Said};
use crate::error::MechanismError;
use crate::market::Market;
use crate::mechanism::Mechanism;
use crate::register_report_rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Everybody reports its true cost and quantities.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Truthful {}

register_report_rule!(Truthful, "truthful", "everybody tells the truth", behaviour: Truthful,
    source: "the premise of every direct mechanism: Gibbard (1973)");

impl ReportRule for Truthful {
    fn said(&self, _: &Market, _: &dyn Mechanism, _: &mut RunContext) -> Result<Said, MechanismError> {
        Ok(Said { reports: vec![], roles: Roles::Public, evidence: vec![] })
    }
}
