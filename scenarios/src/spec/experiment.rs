//! An experiment as written. Its scenarios, mechanisms, policies and report rules are open sets and are read one by one.

use super::{Scenario, Seeds, Values};
use coase_core::Mechanism;
use coase_core::engine::ReportRule;
use coase_core::policy::CarbonPolicy;
use coase_core::statistics::sensitivity::Sensitivity;
use coase_store::Figures;
use ron::value::RawValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is run: every scenario with every mechanism under every policy, for every swept value and seed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Experiment")]
pub(crate) struct ExperimentForm {
    /// What happens where: files, names of the library, or scenarios in place. Relative names refer to the folder of this file.
    #[expect(dead_code, reason = "read through their places in the text; here so that a misspelt field is found")]
    #[schemars(with = "Vec<ListedScenario>")]
    pub(crate) scenarios: Vec<Box<RawValue>>,
    /// The mechanisms: ids with all defaults, names with parameters, or either with a label.
    #[expect(dead_code, reason = "likewise")]
    #[schemars(with = "Vec<ListedMechanism>")]
    pub(crate) mechanisms: Vec<Box<RawValue>>,
    /// The carbon policies, likewise; not given: only `"none"`.
    #[expect(dead_code, reason = "likewise")]
    #[serde(default)]
    #[schemars(with = "Vec<ListedPolicy>")]
    pub(crate) carbon: Vec<Box<RawValue>>,
    /// The rules by which participants report, likewise; not given: only `"truthful"`.
    #[expect(dead_code, reason = "likewise")]
    #[serde(default)]
    #[schemars(with = "Vec<ListedReportRule>")]
    pub(crate) reporting: Vec<Box<RawValue>>,
    /// Label of the mechanism that others are compared with; not given: `grid-only`.
    #[serde(default)]
    pub(crate) baseline: Option<String>,
    /// Seeds of all random streams and draws, each a run: a list, or `Range(from: 1, to: 28)`.
    #[serde(default = "seeds")]
    pub(crate) seeds: Seeds,
    /// Parameters that take values in turn; several are combined.
    #[serde(default)]
    pub(crate) sweep: Vec<SweepForm>,
    /// Parameters that change together: as a sweep whose values are rows.
    #[serde(default)]
    pub(crate) zip: Vec<ZipForm>,
    /// What the results hinge on: parameters in a box, at whose points everything else is run.
    #[serde(default)]
    pub(crate) sensitivity: Option<Sensitivity>,
    /// Which combinations are run; not given: all. Each entry names some of `scenario`, `mechanism`, `carbon`, `reporting`, `seed` and swept
    /// paths with a value or a list of values; a run that fits one entry is run.
    #[serde(default)]
    #[schemars(with = "Vec<BTreeMap<String, serde_json::Value>>")]
    pub(crate) only: Vec<BTreeMap<String, Box<RawValue>>>,
    /// Which combinations are left out, likewise.
    #[serde(default)]
    #[schemars(with = "Vec<BTreeMap<String, serde_json::Value>>")]
    pub(crate) except: Vec<BTreeMap<String, Box<RawValue>>>,
    /// What of the scenarios is drawn anew by every seed, besides series that are laws of chance.
    #[serde(default)]
    pub(crate) draws: Option<Draws>,
    /// Expensive searches for counter-examples.
    #[serde(default)]
    pub(crate) evidence: Evidence,
    /// How policies are made comparable.
    #[serde(default, rename = "match")]
    pub(crate) matching: Matching,
    /// Runs only so many periods: series are cut, sessions that end later are left out.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub(crate) first_periods: Option<usize>,
    /// How its figures are drawn: in place, or the name of a file with `Figures(..)` that many experiments share. No run depends on it.
    #[serde(default)]
    #[expect(dead_code, reason = "read through its place in the text")]
    #[schemars(with = "Option<Figures>")]
    pub(crate) figures: Option<Box<RawValue>>,
}

/// Values that a parameter takes in turn.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "a sweep")]
#[schemars(rename = "Sweep")]
pub(crate) struct SweepForm {
    /// Path of the parameter: `scenario`, `mechanism`, `carbon`, `reporting` or `experiment`, then fields, ids and positions joined by dots.
    pub(crate) path: String,
    /// The values, written as in a file: a list, `Range(from: 0, to: 100, count: 5)` or `step: 20`, or
    /// `LogRange(from: 1, to: 1000, count: 4)`.
    pub(crate) values: Values,
    /// What tables show instead of the values, one each.
    #[serde(default)]
    pub(crate) labels: Vec<String>,
}

/// Parameters that change together.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "a zip")]
#[schemars(rename = "Zip")]
pub(crate) struct ZipForm {
    /// Paths of the parameters, as those of sweeps.
    pub(crate) paths: Vec<String>,
    /// Rows of values, each with one for every path, written as in a file.
    #[schemars(with = "Vec<Vec<serde_json::Value>>")]
    pub(crate) rows: Vec<Vec<Box<RawValue>>>,
    /// What tables show in the column of the first path, one for each row.
    #[serde(default)]
    pub(crate) labels: Vec<String>,
}

/// Days of a long series: a series that is longer than the horizon, such as a year of a CSV file, is read from another row on
/// for every seed, all series from the same. What is exactly as long as the horizon stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) enum Draws {
    /// Seed 1 takes the periods from `first` on, and every further seed those `every` periods later.
    Days {
        /// Period of the long series at which seed 1 begins.
        #[serde(default)]
        first: usize,
        /// Periods from one seed to the next.
        #[schemars(range(min = 1))]
        every: usize,
    },
    /// Every seed takes another of the first `of` days, in an order by chance: no day comes twice.
    DrawnDays {
        /// Period of the long series at which the first day begins.
        #[serde(default)]
        first: usize,
        /// Number of days to draw from.
        #[schemars(range(min = 1))]
        of: usize,
        /// Periods from one day to the next.
        #[schemars(range(min = 1))]
        every: usize,
    },
}

/// `(label: .., mechanism: ..)`, `(label: .., policy: ..)` or `(label: .., reporting: ..)`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename = "(label: .., ..)")]
pub(crate) struct Labelled {
    pub(crate) label: String,
    #[serde(default)]
    pub(crate) mechanism: Option<Box<RawValue>>,
    #[serde(default)]
    pub(crate) policy: Option<Box<RawValue>>,
    #[serde(default)]
    pub(crate) reporting: Option<Box<RawValue>>,
}

/// Expensive searches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Evidence {
    /// Whether the core excess is searched.
    pub core: bool,
    /// Whether regret is searched.
    pub regret: bool,
    /// Whether the curves that explain outcomes are computed, for the table `curves` and the figures that draw it.
    // Left out where it is not asked for: runs keep the identity that they had before there were curves.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub curves: bool,
}

/// How policies are made comparable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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

fn seeds() -> Seeds {
    Seeds(Values("[1]".to_owned()))
}

/// What stands in a list of scenarios, for the schema: each is read by itself.
#[derive(JsonSchema)]
#[schemars(untagged, rename = "ScenarioEntry", extend("x-form" = "scenario"))]
#[expect(dead_code, reason = "only its schema is wanted; so for those below")]
enum ListedScenario {
    /// A file, or a name of the library.
    Name(String),
    /// In place.
    Here(InPlace),
}

#[derive(JsonSchema)]
#[expect(dead_code)]
enum InPlace {
    Scenario(Box<Scenario>),
}

#[derive(JsonSchema)]
#[schemars(untagged, deny_unknown_fields, rename = "MechanismEntry", extend("x-form" = "mechanism"))]
#[expect(dead_code)]
enum ListedMechanism {
    Plain(Box<dyn Mechanism>),
    /// With a name of its own in tables.
    Labelled {
        label: String,
        mechanism: Box<dyn Mechanism>,
    },
}

#[derive(JsonSchema)]
#[schemars(untagged, deny_unknown_fields, rename = "PolicyEntry", extend("x-form" = "policy"))]
#[expect(dead_code)]
enum ListedPolicy {
    Plain(Box<dyn CarbonPolicy>),
    /// With a name of its own in tables.
    Labelled {
        label: String,
        policy: Box<dyn CarbonPolicy>,
    },
}

#[derive(JsonSchema)]
#[schemars(untagged, deny_unknown_fields, rename = "ReportRuleEntry", extend("x-form" = "report rule"))]
#[expect(dead_code)]
enum ListedReportRule {
    Plain(Box<dyn ReportRule>),
    /// With a name of its own in tables.
    Labelled {
        label: String,
        reporting: Box<dyn ReportRule>,
    },
}
