//! A misreport that is written down: of everybody, or of single members.

use crate::context::RunContext;
use crate::engine::{ReportRule, Roles, Said};
use crate::error::MechanismError;
use crate::market::Market;
use crate::mechanism::Mechanism;
use crate::participant::Distortion;
use crate::register_report_rule;
use crate::setting::Setting;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Members report `f'(x) = s (k f(x/s) + d x/s)` instead of their cost `f(x)`: `k` times the price, `d` per kWh more, `s` times
/// the quantity. Sides stay public: who sells by its truth is a seller.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Distorted {
    /// `k`: factor on the cost of every member that `of` does not name.
    #[schemars(range(min = 0.0))]
    pub price_factor: f64,
    /// `d`: added to their marginal cost, money per kWh.
    pub price_shift_per_kwh: f64,
    /// `s`: factor on their quantities.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub quantity_factor: f64,
    /// What single members report, by their ids: the same three, each the truth where it is left out.
    pub of: BTreeMap<String, Distortion>,
}

impl Default for Distorted {
    fn default() -> Self {
        let Distortion { price_factor, price_shift_per_kwh, quantity_factor } = Distortion::TRUTH;
        Self { price_factor, price_shift_per_kwh, quantity_factor, of: BTreeMap::new() }
    }
}

register_report_rule!(Distorted, "distorted", "reports another price or quantity than the true one", behaviour: Distorted,
    source: "the standard deviations of a direct mechanism");

impl Distorted {
    /// What a member reports.
    fn of_member(&self, id: &str) -> Distortion {
        let &Self { price_factor, price_shift_per_kwh, quantity_factor, .. } = self;
        let general = Distortion { price_factor, price_shift_per_kwh, quantity_factor };
        self.of.get(id).copied().unwrap_or(general)
    }
}

impl ReportRule for Distorted {
    fn said(&self, truth: &Market, _: &dyn Mechanism, _: &mut RunContext) -> Result<Said, MechanismError> {
        let members = &truth.setting().members;
        self.check(truth.setting()).map_err(MechanismError::Failed)?;
        let reports = members.iter().map(|member| self.of_member(&member.id).report()).collect();
        Ok(Said { reports, roles: Roles::Public, evidence: vec![] })
    }

    fn check(&self, setting: &Setting) -> Result<(), String> {
        if let Some(id) = self.of.keys().find(|id| setting.members.iter().all(|member| member.id != **id)) {
            let there = setting.members.iter().map(|member| member.id.as_str()).collect::<Vec<_>>().join(", ");
            return Err(format!("`of` names `{id}`, and the participants are {there}"));
        }
        for member in &setting.members {
            self.of_member(&member.id).check().map_err(|error| format!("{}: {error}", member.id))?;
        }
        Ok(())
    }
}
