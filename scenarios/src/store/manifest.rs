//! `manifest.json`: what was run, by which program, when, and what a reader of the tables must know.

use super::run_file::Build;
use super::whole::write_whole;
use super::{Existing, Store, StoreError, StoreOptions, clock, tables};
use crate::experiment::{Choices, Experiment, Run, VERSION, hex};
use coase_core::network::{Bus, Network, NodeId, Topology};
use coase_core::record::Value;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::SystemTime;

/// The part of the manifest that is read again.
#[derive(Debug, Deserialize)]
pub(super) struct Plan {
    /// Which program wrote it.
    program_version: String,
    source_revision: Option<String>,
    #[serde(default)]
    program_hash: Option<String>,
    /// Name of the experiment.
    pub(super) experiment: String,
    /// The file it was in, as seen from the folder of the results.
    #[serde(default)]
    pub(super) file: Option<String>,
    /// Hash of all its runs.
    pub(super) experiment_hash: String,
    /// When it was begun.
    pub(super) start: String,
    /// Paths of swept parameters.
    pub(super) swept: Vec<String>,
    /// Figures and tables for papers that were made from it, as seen from the folder of the results.
    #[serde(default)]
    pub(super) made: Vec<String>,
    /// Every run, in the order of the tables.
    pub(super) runs: Vec<PlannedRun>,
}

impl Plan {
    /// Which program wrote it.
    pub(super) fn build(&self) -> Build {
        let Self { program_version, source_revision, program_hash, .. } = self;
        Build {
            version: program_version.clone(),
            source_revision: source_revision.clone(),
            program_hash: program_hash.clone(),
        }
    }

    /// Whether the list of runs is the one that was written.
    pub(super) fn is_whole(&self) -> bool {
        hex(self.runs.iter().map(|run| run.run_id.as_str())) == self.experiment_hash
            && self.runs.iter().all(|run| run.swept.len() == self.swept.len())
    }
}

/// A run as the manifest knows it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PlannedRun {
    pub(super) run_id: String,
    /// What a reader calls it.
    #[serde(default)]
    pub(super) name: String,
    /// Values of the swept parameters.
    pub(super) swept: Vec<Option<Swept>>,
    pub(super) policy_hash: String,
    /// The run without a policy that this one is compared with.
    pub(super) without_policy: Option<String>,
}

/// A value of a swept parameter.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Swept {
    Number(f64),
    Text(String),
}

#[derive(Serialize)]
struct Manifest<'a> {
    program: &'static str,
    program_version: &'static str,
    source_revision: Option<&'a str>,
    program_hash: Option<&'a str>,
    experiment: &'a str,
    file: Option<String>,
    experiment_hash: String,
    baseline: &'a str,
    seeds: &'a [u64],
    counts: Counts,
    start: String,
    end: Option<String>,
    platform: Platform,
    shard: Option<String>,
    existing_results: &'static str,
    choices: Vec<Choices>,
    notes: Vec<String>,
    scenarios: BTreeMap<&'a str, Facts>,
    swept: Vec<&'a str>,
    made: &'a [String],
    runs: Vec<PlannedRun>,
}

#[derive(Serialize)]
struct Counts {
    scenarios: usize,
    mechanisms: usize,
    carbon_policies: usize,
    seeds: usize,
    runs: usize,
}

#[derive(Serialize)]
struct Platform {
    os: &'static str,
    architecture: &'static str,
    threads: usize,
}

/// What figures need of a scenario and the tables do not hold.
#[derive(Serialize)]
struct Facts {
    currency: String,
    periods: usize,
    period_h: f64,
    v_min_pu: Option<f64>,
    v_max_pu: Option<f64>,
    buy_price_per_kwh: Vec<f64>,
    sell_price_per_kwh: Vec<f64>,
    /// Ids of the buses of the trunk, then of each lateral, outwards.
    feeder: Vec<Vec<u64>>,
    /// The bus of every participant that has one.
    participant_bus: BTreeMap<String, u64>,
}

/// Writes the manifest; `end` is missing while the experiment runs. `made` are figures and tables that are there.
pub(super) fn write(
    store: &Store,
    experiment: &Experiment,
    options: &StoreOptions,
    made: &[String],
    start: SystemTime,
    end: Option<SystemTime>,
) -> Result<(), StoreError> {
    let threads = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let manifest = Manifest {
        program: "coase",
        program_version: VERSION,
        source_revision: options.source_revision.as_deref(),
        program_hash: options.program_hash.as_deref(),
        experiment: &experiment.name,
        file: options.file.as_deref().map(|file| seen_from(store.dir(), file)),
        experiment_hash: experiment.hash(),
        baseline: &experiment.baseline,
        seeds: &experiment.seeds,
        counts: Counts {
            scenarios: experiment.scenarios.len(),
            mechanisms: experiment.mechanisms.len(),
            carbon_policies: experiment.policies.len(),
            seeds: experiment.seeds.len(),
            runs: experiment.runs.len(),
        },
        start: clock::utc(start),
        end: end.map(clock::utc),
        platform: Platform {
            os: std::env::consts::OS,
            architecture: std::env::consts::ARCH,
            threads: options.run.jobs.unwrap_or_else(threads),
        },
        shard: options.run.shard.map(|shard| format!("{}/{}", shard.index(), shard.count())),
        existing_results: match options.existing {
            Existing::Reuse => "reused",
            Existing::RetryFailed => "reused unless failed",
            Existing::Fresh => "run again",
        },
        choices: experiment.choices(),
        notes: experiment.notes(),
        scenarios: facts(experiment),
        swept: experiment.swept(),
        made,
        runs: experiment.runs.iter().map(|run| planned(run, &experiment.swept())).collect(),
    };
    let path = store.manifest_path();
    let text =
        serde_json::to_vec_pretty(&manifest).map_err(|source| StoreError::NotOurs { path: path.clone(), source })?;
    write_whole(&path, &text)
}

/// Reads what is read again.
pub(super) fn read(store: &Store) -> Result<Plan, StoreError> {
    let path = store.manifest_path();
    let text = std::fs::read(&path).map_err(|source| StoreError::Read { path: path.clone(), source })?;
    serde_json::from_slice(&text).map_err(|source| StoreError::NotOurs { path, source })
}

/// Changes the list of figures and tables in a manifest that is there, and nothing else of it.
pub(super) fn set_made(store: &Store, made: &[String]) -> Result<(), StoreError> {
    let path = store.manifest_path();
    let text = std::fs::read(&path).map_err(|source| StoreError::Read { path: path.clone(), source })?;
    let not_ours = |source| StoreError::NotOurs { path: path.clone(), source };
    let Fields(mut fields) = serde_json::from_slice(&text).map_err(not_ours)?;
    let list = serde_json::value::to_raw_value(made).map_err(not_ours)?;
    match fields.iter_mut().find(|field| field.0 == "made") {
        Some(field) => field.1 = list,
        None => fields.push(("made".to_owned(), list)),
    }
    let lines: Vec<String> = fields.iter().map(|(name, value)| format!("  {name:?}: {value}")).collect();
    write_whole(&path, format!("{{\n{}\n}}", lines.join(",\n")).as_bytes())
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

/// A file as seen from a folder, so that both may be moved together; as it is where there is no way from one to the other.
fn seen_from(folder: &Path, file: &Path) -> String {
    let parts = |path: &Path| path.iter().map(|part| part.to_string_lossy().into_owned()).collect::<Vec<_>>();
    let (Ok(folder), Ok(whole)) = (folder.canonicalize(), file.canonicalize()) else {
        return file.to_string_lossy().into_owned();
    };
    let (from, to) = (parts(&folder), parts(&whole));
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    if shared == 0 {
        return whole.to_string_lossy().into_owned();
    }
    let up = std::iter::repeat_n("..", from.len() - shared);
    up.chain(to[shared..].iter().map(String::as_str)).collect::<Vec<_>>().join("/")
}

fn planned(run: &Run, paths: &[&str]) -> PlannedRun {
    let swept = |value: &Value| match value {
        Value::Number(number) => Some(Swept::Number(*number)),
        Value::Integer(number) => Some(Swept::Number(*number as f64)),
        Value::Text(text) => Some(Swept::Text(text.clone())),
        Value::Missing => None,
    };
    PlannedRun {
        run_id: run.run_id.clone(),
        name: called(run, paths),
        swept: run.swept.iter().map(swept).collect(),
        policy_hash: run.policy_hash.clone(),
        without_policy: run.without_policy.clone(),
    }
}

/// `nash-bargaining under tax in village with carbon.price_factor = 2, seed 1`.
pub(super) fn called(run: &Run, paths: &[&str]) -> String {
    let value = |(path, value): (&&str, &Value)| match value {
        Value::Missing => None,
        known => Some(format!("{path} = {}", tables::text(known))),
    };
    let swept: Vec<String> = paths.iter().zip(&run.swept).filter_map(value).collect();
    let with = if swept.is_empty() { String::new() } else { format!(" with {}", swept.join(", ")) };
    format!("{} under {} in {}{with}, seed {}", run.variant, run.carbon_label, run.scenario, run.seed)
}

/// Facts of every scenario as its first run has them.
fn facts(experiment: &Experiment) -> BTreeMap<&str, Facts> {
    let mut facts = BTreeMap::new();
    for run in &experiment.runs {
        facts.entry(run.scenario.as_str()).or_insert_with(|| facts_of(run));
    }
    facts
}

fn facts_of(run: &Run) -> Facts {
    let form = &run.instance.form;
    let network = run.instance.setting.feeder.as_ref().map(|f| &*f.network);
    let limit = |pick: fn(&Bus) -> f64, tightest: fn(f64, f64) -> f64| {
        network.and_then(|n| n.buses.iter().map(pick).reduce(tightest))
    };
    Facts {
        currency: form.currency.clone(),
        periods: form.periods,
        period_h: form.period_h,
        v_min_pu: limit(|b| b.v_min_pu, f64::max),
        v_max_pu: limit(|b| b.v_max_pu, f64::min),
        buy_price_per_kwh: form.grid.buy_price_per_kwh.values().to_vec(),
        sell_price_per_kwh: form.grid.sell_price_per_kwh.values().to_vec(),
        feeder: network.map_or_else(Vec::new, strands),
        participant_bus: network.map_or_else(BTreeMap::new, |n| {
            let members = run.instance.setting.members.iter();
            members.filter_map(|m| Some((m.id.clone(), n.bus(m.node?).id))).collect()
        }),
    }
}

/// The trunk and the laterals of a radial feeder: from every bus the way goes on to the child with the longest way ahead.
fn strands(network: &Network) -> Vec<Vec<u64>> {
    let topology = Topology::new(network);
    let mut children: Vec<Vec<NodeId>> = vec![vec![]; network.buses.len()];
    let mut ahead = vec![0_usize; network.buses.len()];
    for node in topology.order().iter().rev() {
        if let Some(parent) = topology.parent(*node) {
            children[parent.node.0].push(*node);
            ahead[parent.node.0] = ahead[parent.node.0].max(ahead[node.0] + 1);
        }
    }
    for nodes in &mut children {
        nodes.sort_by_key(|n| (std::cmp::Reverse(ahead[n.0]), n.0));
    }
    let mut starts: Vec<NodeId> = network.slacks().collect();
    let mut strands = vec![];
    let mut next = 0;
    while next < starts.len() {
        let mut here = starts[next];
        let mut strand = vec![network.bus(here).id];
        while let Some((first, laterals)) = children[here.0].split_first() {
            starts.extend(laterals);
            strand.push(network.bus(*first).id);
            here = *first;
        }
        strands.push(strand);
        next += 1;
    }
    strands
}

#[cfg(test)]
mod tests {
    use super::strands;

    #[test]
    fn the_33_bus_feeder_has_a_trunk_and_three_laterals() {
        let network = coase_core::network::built_in("ieee-33").unwrap().network().unwrap();
        let expected: [Vec<u64>; 4] =
            [(1..=18).collect(), (19..=22).collect(), (23..=25).collect(), (26..=33).collect()];
        assert_eq!(strands(&network), expected);
    }
}
