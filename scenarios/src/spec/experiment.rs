//! An experiment as written. Its scenarios, mechanisms and policies are open sets and are read one by one.

use ron::value::RawValue;
use serde::{Deserialize, Serialize};

/// What is run.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename = "Experiment")]
pub(crate) struct ExperimentForm {
    #[expect(dead_code, reason = "read through their places in the text; here so that a misspelt field is found")]
    pub(crate) scenarios: Vec<Box<RawValue>>,
    #[expect(dead_code, reason = "likewise")]
    pub(crate) mechanisms: Vec<Box<RawValue>>,
    #[expect(dead_code, reason = "likewise")]
    #[serde(default)]
    pub(crate) carbon: Vec<Box<RawValue>>,
    #[serde(default)]
    pub(crate) baseline: Option<String>,
    #[serde(default = "seeds")]
    pub(crate) seeds: Vec<u64>,
    #[serde(default)]
    pub(crate) sweep: Vec<SweepForm>,
    #[serde(default)]
    pub(crate) evidence: Evidence,
    #[serde(default, rename = "match")]
    pub(crate) matching: Matching,
    #[serde(default)]
    pub(crate) first_periods: Option<usize>,
}

/// Values that a parameter takes in turn.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename = "a sweep")]
pub(crate) struct SweepForm {
    pub(crate) path: String,
    pub(crate) values: Vec<Box<RawValue>>,
}

/// `(label: .., mechanism: ..)` or `(label: .., policy: ..)`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename = "(label: .., ..)")]
pub(crate) struct Labelled {
    pub(crate) label: String,
    #[serde(default)]
    pub(crate) mechanism: Option<Box<RawValue>>,
    #[serde(default)]
    pub(crate) policy: Option<Box<RawValue>>,
}

/// Expensive searches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Evidence {
    /// Whether the core excess is searched.
    pub core: bool,
    /// Whether regret is searched.
    pub regret: bool,
}

/// How policies are made comparable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Matching {
    /// As written.
    #[default]
    BasePrice,
    /// Equal realised marginal price.
    MarginalPrice,
    /// Equal average price of an emitted tonne.
    AveragePrice,
    /// Equal revenue.
    Revenue,
    /// Equal emissions.
    Emissions,
}

fn seeds() -> Vec<u64> {
    vec![1]
}
