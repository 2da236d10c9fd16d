//! Everybody tells the truth.

use super::grid::{Grid, Table};
use crate::context::RunContext;
use crate::engine::{ReportRule, Roles, Said};
use crate::error::MechanismError;
use crate::evaluate::audit::bench::Bench;
use crate::market::Market;
use crate::mechanism::Mechanism;
use crate::participant::Distortion;
use crate::register_report_rule;
use crate::setting::Setting;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Everybody reports its true cost and quantities.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Truthful {
    /// Factors on its cost that a member could report instead: the most that anybody would gain by one of them while the others tell
    /// the truth is the certificate `exploitability`. Nothing is looked for where there are none, which is the default.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub price_factors: Vec<f64>,
    /// The same with shifts of the price of every kWh.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub price_shifts_per_kwh: Vec<f64>,
}

impl Truthful {
    fn grid(&self) -> Grid<'_> {
        Grid { factors: &self.price_factors, shifts: &self.price_shifts_per_kwh }
    }
}

register_report_rule!(Truthful, "truthful", "everybody tells the truth", behaviour: Truthful,
    source: "the premise of every direct mechanism: Gibbard (1973)");

impl ReportRule for Truthful {
    fn said(&self, truth: &Market, mechanism: &dyn Mechanism, ctx: &mut RunContext) -> Result<Said, MechanismError> {
        let mut evidence = vec![];
        if !self.grid().is_empty() {
            self.grid().check().map_err(MechanismError::Failed)?;
            // The truth is one of them.
            let others = self.grid().reports().into_iter().filter(|report| *report != Distortion::TRUTH);
            let reports = [Distortion::TRUTH].into_iter().chain(others).collect();
            let bench = Bench::new(mechanism, truth, ctx.seed(), &());
            bench.truthful()?;
            let mut table = Table::over(self.grid(), reports, bench)?;
            evidence.push(table.exploitability(&vec![0; truth.players()], "of the truth"));
        }
        Ok(Said { reports: vec![], roles: Roles::Public, evidence })
    }

    fn check(&self, _: &Setting) -> Result<(), String> {
        if self.grid().is_empty() { Ok(()) } else { self.grid().check() }
    }
}
