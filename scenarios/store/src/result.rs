//! What becomes of a run: how it ended, and its rows in the tables.

use coase_core::record::{METRICS, RunRecord, Value};
use std::collections::BTreeMap;
use std::time::Duration;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunStatus {
    /// With the answer that the mechanism defines.
    Converged,
    /// With a point that misses the tolerance.
    NotConverged,
    /// With the answer that there is no equilibrium.
    NoEquilibrium,
    /// Nobody can do what is asked.
    Infeasible,
    /// With an error: a refused scenario, a fault of a plugin.
    Failed,
}

impl RunStatus {
    /// All of them.
    pub const ALL: [RunStatus; 5] =
        [Self::Converged, Self::NotConverged, Self::NoEquilibrium, Self::Infeasible, Self::Failed];

    /// The name in tables.
    pub fn name(self) -> &'static str {
        match self {
            RunStatus::Converged => "converged",
            RunStatus::NotConverged => "not_converged",
            RunStatus::NoEquilibrium => "no_equilibrium",
            RunStatus::Infeasible => "infeasible",
            RunStatus::Failed => "failed",
        }
    }

    /// The status of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Whether the run found an answer: non-existence is one.
    pub fn is_answer(self) -> bool {
        matches!(self, RunStatus::Converged | RunStatus::NoEquilibrium)
    }
}

/// What was run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// Name of the scenario.
    pub scenario: String,
    /// Id of the mechanism.
    pub mechanism: String,
    /// Label of the mechanism's variant.
    pub variant: String,
    /// Id of the carbon policy.
    pub carbon_policy: String,
    /// Label of the policy.
    pub carbon_label: String,
    /// Label of the rule by which participants report.
    pub reporting: String,
    /// Seed of all random streams.
    pub seed: u64,
}

/// What a mechanism's variant is called where participants do not merely tell the truth: what shows variants tells them apart
/// by how it is played.
pub fn as_played(variant: &str, reporting: &str) -> String {
    match reporting {
        "" | "truthful" => variant.to_owned(),
        rule => format!("{variant} ({rule})"),
    }
}

/// What became of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunResult {
    /// Which run.
    pub run_id: String,
    /// What it ran.
    pub keys: Keys,
    /// How it ended.
    pub status: RunStatus,
    /// Why it is not converged; empty where it is.
    pub reason: String,
    /// Distance from convergence, where there is one.
    pub residual: Option<f64>,
    /// How participants report.
    pub behaviour: String,
    /// What participants reveal.
    pub information: String,
    /// Kilograms charged before quotas, in sum.
    pub charged_kg: Option<f64>,
    /// The same on this outcome under other policies, by the hash of the policy: filled where this run has none.
    pub charged_kg_under: BTreeMap<String, f64>,
    /// Its rows; of a result that comes from a file, the metrics only.
    pub record: RunRecord,
    /// Where the time went; not part of the result, and `None` where the result was there already.
    pub timing: Option<Timing>,
}

impl RunResult {
    /// A metric, where the run has it.
    pub fn metric(&self, name: &str) -> Option<f64> {
        let at = METRICS.iter().position(|column| column.name == name)?;
        match self.record.metrics.get(at)? {
            Value::Number(number) => Some(*number),
            Value::Integer(number) => Some(*number as f64),
            Value::Text(_) | Value::Missing => None,
        }
    }

    /// The same without rows of tables other than `runs`.
    pub fn without_rows(self) -> Self {
        let metrics = self.record.metrics;
        Self { record: RunRecord { metrics, ..RunRecord::default() }, ..self }
    }
}

/// Wall time of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// Building the market and entering the policy; counted for the first run that shares it.
    pub build: Duration,
    /// The mechanism, with the policy's fixed point around it.
    pub mechanism: Duration,
    /// Measuring the outcome.
    pub evaluation: Duration,
}
