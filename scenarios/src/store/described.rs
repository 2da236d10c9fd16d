//! What the manifest of a store says of an experiment.

use super::{Existing, StoreOptions};
use crate::experiment::{Experiment, Run};
use crate::spec::Draws;
use coase_core::network::{Bus, Network, NodeId, Topology};
use coase_core::record::Value;
use coase_store::{
    BranchRating, Counts, Facts, Input, Manifest, PlannedRun, Platform, Swept, VERSION, as_played, hash_of_bytes,
    in_a_table,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

impl Experiment {
    /// What a manifest says of it, without the time, the file and the part that was run.
    pub fn manifest(&self, options: &StoreOptions) -> Manifest {
        let threads = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let swept = self.swept();
        Manifest {
            program: "coase".to_owned(),
            program_version: VERSION.to_owned(),
            source_revision: options.source_revision.clone(),
            program_hash: options.program_hash.clone(),
            experiment: self.name.clone(),
            experiment_hash: self.hash(),
            baseline: self.baseline.clone(),
            seeds: self.seeds.clone(),
            seeds_in_order: matches!(self.draws, Some(Draws::Days { .. })),
            sensitivity: self.sensitivity.clone(),
            figures: self.figures().figures().clone(),
            counts: Counts {
                scenarios: self.scenarios.len(),
                mechanisms: self.mechanisms.len(),
                carbon_policies: self.policies.len(),
                seeds: self.seeds.len(),
                runs: self.runs.len(),
            },
            platform: Platform {
                os: std::env::consts::OS.to_owned(),
                architecture: std::env::consts::ARCH.to_owned(),
                threads: options.run.jobs.unwrap_or_else(threads),
            },
            shard: options.run.shard.map(|shard| format!("{}/{}", shard.index(), shard.count())),
            existing_results: match options.existing {
                Existing::Reuse => "reused",
                Existing::RetryFailed => "reused unless failed",
                Existing::Fresh => "run again",
            }
            .to_owned(),
            choices: self.choices(),
            notes: self.notes(),
            scenarios: facts(self),
            runs: self.runs.iter().map(|run| planned(run, &swept)).collect(),
            swept: swept.into_iter().map(str::to_owned).collect(),
            ..Manifest::default()
        }
    }
}

/// A file as seen from a folder, so that both may be moved together; as it is where there is no way from one to the other.
pub(super) fn seen_from(folder: &Path, file: &Path) -> String {
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

/// Files as seen from a folder, with what they hold now; one that is gone has no hash.
pub(super) fn inputs(folder: &Path, files: &[PathBuf]) -> Vec<Input> {
    let input = |file: &PathBuf| Input {
        file: seen_from(folder, file),
        blake3: std::fs::read(file).map_or_else(|_| String::new(), |bytes| hash_of_bytes(&bytes)),
    };
    files.iter().map(input).collect()
}

/// The question that a file answers: the first paragraph of the comment at its top. A page of results begins with it; where the
/// file cannot be read again there is none.
pub(super) fn question_of(file: &Path) -> String {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let lines =
        text.lines().map(|line| line.trim_start_matches('\u{feff}').trim_start().strip_prefix("//").map(str::trim));
    let paragraph = lines.map_while(|line| line.filter(|words| !words.is_empty()));
    paragraph.collect::<Vec<_>>().join(" ")
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
        known => Some(format!("{path} = {}", in_a_table(known))),
    };
    let swept: Vec<String> = paths.iter().zip(&run.swept).filter_map(value).collect();
    let with = if swept.is_empty() { String::new() } else { format!(" with {}", swept.join(", ")) };
    let played = as_played(&run.variant, &run.reporting);
    format!("{played} under {} in {}{with}, seed {}", run.carbon_label, run.scenario, run.seed)
}

/// Facts of every scenario as its first run has them.
fn facts(experiment: &Experiment) -> BTreeMap<String, Facts> {
    let mut facts = BTreeMap::new();
    for run in &experiment.runs {
        facts.entry(run.scenario.clone()).or_insert_with(|| facts_of(run));
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
        currency: Some(form.currency.clone()),
        periods: Some(form.periods),
        period_h: Some(form.period_h),
        v_min_pu: limit(|b| b.v_min_pu, f64::max),
        v_max_pu: limit(|b| b.v_max_pu, f64::min),
        buy_price_per_kwh: form.grid.buy_price_per_kwh.values().to_vec(),
        sell_price_per_kwh: form.grid.sell_price_per_kwh.values().to_vec(),
        feeder: network.map_or_else(Vec::new, strands),
        participant_bus: network.map_or_else(BTreeMap::new, |n| {
            let members = run.instance.setting.members.iter();
            members.filter_map(|m| Some((m.id.clone(), n.bus(m.node?).id))).collect()
        }),
        ratings: network.map_or_else(Vec::new, ratings),
    }
}

/// The ratings of branches in service that have one.
fn ratings(network: &Network) -> Vec<BranchRating> {
    let rated = network.branches.iter().filter(|branch| branch.in_service).filter_map(|branch| {
        let (from, to) = (network.bus(branch.from).id, network.bus(branch.to).id);
        branch.rate_kva.map(|rating_kva| BranchRating { from, to, rating_kva })
    });
    rated.collect()
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
