//! `manifest.json`: what was run, by which program, when, and what a reader of the tables must know.

use crate::error::StoreError;
use crate::figures::Figures;
use crate::folder::Store;
use crate::frame::Head;
use crate::hash_of;
use crate::program::Build;
use crate::swept::Swept;
use crate::whole::write_whole;
use coase_core::record::{Kind, Value};
use coase_core::statistics::sensitivity::Sensitivity;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// The manifest of a store. What an older program did not write is empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Which program wrote it.
    #[serde(default)]
    pub program: String,
    /// Its version.
    pub program_version: String,
    /// Revision of its source.
    pub source_revision: Option<String>,
    /// Hash of the program itself, where it has plugins of which the revision says nothing.
    #[serde(default)]
    pub program_hash: Option<String>,
    /// Name of the experiment.
    pub experiment: String,
    /// The question it answers: how the comment at the top of its file begins; empty where there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub question: String,
    /// The file it was in, as seen from the folder of the results.
    #[serde(default)]
    pub file: Option<String>,
    /// The files that it was read from; what comes with the program is in none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<Input>,
    /// Hash of all its runs.
    pub experiment_hash: String,
    /// Label of the mechanism that others are compared with.
    #[serde(default)]
    pub baseline: String,
    /// Seeds, each a run.
    #[serde(default)]
    pub seeds: Vec<u64>,
    /// Whether seeds are days that follow one another, instead of draws apart.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub seeds_in_order: bool,
    /// What the results hinge on: the box whose points the swept parameters are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitivity: Option<Sensitivity>,
    /// How its figures are drawn, as the experiment has it.
    #[serde(default, skip_serializing_if = "is_unwritten")]
    pub figures: Figures,
    /// How many there are of what is combined.
    #[serde(default)]
    pub counts: Counts,
    /// When it was begun.
    pub start: String,
    /// When it was finished; missing while it runs.
    #[serde(default)]
    pub end: Option<String>,
    /// Where it was run.
    #[serde(default)]
    pub platform: Platform,
    /// The part that was run last.
    #[serde(default)]
    pub shard: Option<String>,
    /// What was done with results that were there.
    #[serde(default)]
    pub existing_results: String,
    /// How social cost is counted, by scenario.
    #[serde(default)]
    pub choices: Vec<Choices>,
    /// What a reader would not expect.
    #[serde(default)]
    pub notes: Vec<String>,
    /// What figures need of a scenario and the tables do not hold.
    #[serde(default)]
    pub scenarios: BTreeMap<String, Facts>,
    /// Paths of swept parameters.
    pub swept: Vec<String>,
    /// The tables that are there and what they were made of; missing where they have to be made anew.
    #[serde(default)]
    pub tables: Option<MadeTables>,
    /// Figures and tables for papers that were made from it, as seen from the folder of the results.
    #[serde(default)]
    pub made: Vec<String>,
    /// What figures and tables for papers were made of, where they need not be made anew.
    #[serde(default)]
    pub drawn: Option<Made>,
    /// Every run, in the order of the tables.
    pub runs: Vec<PlannedRun>,
}

fn is_unwritten(figures: &Figures) -> bool {
    *figures == Figures::default()
}

/// How many there are of what is combined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Scenarios.
    pub scenarios: usize,
    /// Mechanisms with their variants.
    pub mechanisms: usize,
    /// Carbon policies with their variants.
    pub carbon_policies: usize,
    /// Seeds.
    pub seeds: usize,
    /// Runs.
    pub runs: usize,
}

/// Where an experiment was run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Platform {
    /// Operating system.
    pub os: String,
    /// Architecture of the processor.
    pub architecture: String,
    /// Threads that ran it.
    pub threads: usize,
}

/// A file that an experiment was read from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Input {
    /// As seen from the folder of the results.
    pub file: String,
    /// BLAKE3 of its bytes, 64 hex digits; empty where it could not be read again.
    pub blake3: String,
}

/// What a reader must know about how a scenario is measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Choices {
    /// The scenario.
    pub scenario: String,
    /// Where the resource value of upstream energy comes from.
    pub upstream_cost: String,
    /// Damage of a tonne of emissions.
    pub damage_per_tonne: f64,
    /// Label of the policy whose price was taken for it; `None` where the scenario says it, or no policy has a price.
    pub damage_from: Option<String>,
    /// How policies are made comparable.
    #[serde(rename = "match")]
    pub matching: String,
    /// Label of the policy that the others are made comparable with, where they do not run as written.
    pub matched_with: Option<String>,
}

/// What figures need of a scenario and the tables do not hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Name of the currency.
    pub currency: Option<String>,
    /// Number of periods.
    pub periods: Option<usize>,
    /// Length of a period, h.
    pub period_h: Option<f64>,
    /// The tightest lower limit of a voltage.
    pub v_min_pu: Option<f64>,
    /// The tightest upper limit of a voltage.
    pub v_max_pu: Option<f64>,
    /// Retail price by period.
    pub buy_price_per_kwh: Vec<f64>,
    /// Feed-in price by period.
    pub sell_price_per_kwh: Vec<f64>,
    /// Ids of the buses of the trunk, then of each lateral, outwards.
    pub feeder: Vec<Vec<u64>>,
    /// The bus of every participant that has one.
    pub participant_bus: BTreeMap<String, u64>,
    /// The ratings of branches in service that have one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ratings: Vec<BranchRating>,
}

/// What a branch can carry.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BranchRating {
    /// Id of the bus at one end.
    pub from: u64,
    /// Id of the bus at the other end.
    pub to: u64,
    /// Apparent power at either end, kVA.
    pub rating_kva: f64,
}

/// A run as the manifest knows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlannedRun {
    /// 32 hex digits.
    pub run_id: String,
    /// What a reader calls it.
    #[serde(default)]
    pub name: String,
    /// Values of the swept parameters.
    pub swept: Vec<Option<Swept>>,
    /// Hash of the policy with its parameters.
    pub policy_hash: String,
    /// The run without a policy that this one is compared with.
    pub without_policy: Option<String>,
}

/// Files that need not be made anew as long as they, and what they were made of, are as they were.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// Hash of all they were made of.
    of: String,
    /// Length and time of the last change of every file.
    files: BTreeMap<String, Stamp>,
}

/// The tables that are there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeTables {
    #[serde(flatten)]
    pub(crate) made: Made,
    /// Those that were wanted.
    pub(crate) wanted: Vec<String>,
}

/// Length in bytes, and nanoseconds of the last change.
type Stamp = (u64, u64);

fn stamp(path: &Path) -> Option<Stamp> {
    let found = std::fs::metadata(path).ok()?;
    let since = found.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some((found.len(), u64::try_from(since.as_nanos()).ok()?))
}

impl Made {
    /// Files of a folder as they are now.
    pub(crate) fn now(dir: &Path, of: String, files: impl IntoIterator<Item = String>) -> Self {
        let stamped = files.into_iter().filter_map(|file| Some((file.clone(), stamp(&dir.join(&file))?)));
        Self { files: stamped.collect(), of }
    }

    /// Whether all files are as they were when they were made of this.
    pub(crate) fn is_current(&self, dir: &Path, of: &str) -> bool {
        self.of == of && self.files.iter().all(|(file, then)| stamp(&dir.join(file)) == Some(*then))
    }
}

impl Manifest {
    /// Which program wrote it.
    pub fn build(&self) -> Build {
        let Self { program_version, source_revision, program_hash, .. } = self;
        Build {
            version: program_version.clone(),
            source_revision: source_revision.clone(),
            program_hash: program_hash.clone(),
        }
    }

    /// With what another manifest of the same experiment and build knows of tables and figures that are there.
    pub fn keeping(self, there: Manifest) -> Self {
        Self { tables: there.tables, made: there.made, drawn: there.drawn, ..self }
    }

    /// Whether the list of runs is the one that was written.
    pub fn is_whole(&self) -> bool {
        hash_of(self.runs.iter().map(|run| run.run_id.as_str())) == self.experiment_hash
            && self.runs.iter().all(|run| run.swept.len() == self.swept.len())
    }

    /// Columns of `runs` that hold swept values.
    pub(crate) fn swept_heads(&self) -> Vec<Head> {
        let kind = |k: usize| {
            let is_number = |run: &PlannedRun| !matches!(run.swept.get(k), Some(Some(Swept::Text(_))));
            if self.runs.iter().all(is_number) { Kind::Number } else { Kind::Text }
        };
        self.swept.iter().enumerate().map(|(k, path)| Head::swept(path, kind(k))).collect()
    }
}

impl PlannedRun {
    /// Its swept values as cells.
    pub(crate) fn swept_values(&self) -> Vec<Value> {
        let value = |value: &Option<Swept>| match value {
            Some(Swept::Number(number)) => Value::from(*number),
            Some(Swept::Text(text)) => text.as_str().into(),
            None => Value::Missing,
        };
        self.swept.iter().map(value).collect()
    }
}

impl Store {
    /// Reads the manifest.
    ///
    /// # Errors
    /// If it is not there or no manifest.
    pub fn manifest(&self) -> Result<Manifest, StoreError> {
        let path = self.manifest_path();
        let text = std::fs::read(&path).map_err(|source| StoreError::Read { path: path.clone(), source })?;
        serde_json::from_slice(&text).map_err(|source| StoreError::NotOurs { path, source })
    }

    /// Writes the manifest.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn set_manifest(&self, manifest: &Manifest) -> Result<(), StoreError> {
        let path = self.manifest_path();
        let text = serde_json::to_vec_pretty(manifest);
        let text = text.map_err(|source| StoreError::NotOurs { path: path.clone(), source })?;
        write_whole(&path, &text)
    }

    /// Writes the resolved experiment, unless it is there.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn set_resolved(&self, text: &str) -> Result<(), StoreError> {
        let path = self.dir().join("resolved.ron");
        let is_there = std::fs::read(&path).is_ok_and(|there| there == text.as_bytes());
        if is_there { Ok(()) } else { write_whole(&path, text.as_bytes()) }
    }

    /// Changes some fields of the manifest that is there, and nothing else of it.
    pub(crate) fn set_fields(&self, changed: &[(&str, Box<RawValue>)]) -> Result<(), StoreError> {
        let path = self.manifest_path();
        let text = std::fs::read(&path).map_err(|source| StoreError::Read { path: path.clone(), source })?;
        let Fields(mut fields) =
            serde_json::from_slice(&text).map_err(|source| StoreError::NotOurs { path: path.clone(), source })?;
        for (name, value) in changed {
            match fields.iter_mut().find(|field| field.0 == *name) {
                Some(field) => field.1.clone_from(value),
                None => fields.push(((*name).to_owned(), value.clone())),
            }
        }
        let lines: Vec<String> = fields.iter().map(|(name, value)| format!("  {name:?}: {value}")).collect();
        write_whole(&path, format!("{{\n{}\n}}", lines.join(",\n")).as_bytes())
    }

    /// A value as it stands in the manifest.
    pub(crate) fn field(&self, value: &impl Serialize) -> Result<Box<RawValue>, StoreError> {
        serde_json::value::to_raw_value(value)
            .map_err(|source| StoreError::NotOurs { path: self.manifest_path(), source })
    }
}

/// The fields of a JSON object in their order, each as it is written.
struct Fields(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Fields, M::Error> {
                let mut fields = vec![];
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Each)
    }
}
