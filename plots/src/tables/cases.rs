//! The runs of an experiment by what they are compared by: series over seeds of one mechanism, policy and point of the sweeps.

use crate::identity::{Entity, Identity};
use crate::store::Store;
use crate::text::unmarked;
use coase_core::statistics::against::Order;
use coase_store::RunStatus;
use std::collections::BTreeMap;

/// All series of a store whose seeds draw something.
pub(super) struct Cases<'a> {
    pub store: &'a Store,
    pub identity: &'a Identity,
    /// In order of appearance.
    pub scenarios: Vec<&'a str>,
    /// In order of appearance.
    pub series: Vec<OverSeeds<'a>>,
}

/// The runs of one scenario, mechanism, policy and point of the sweeps, by seed.
pub(super) struct OverSeeds<'a> {
    pub scenario: &'a str,
    /// Place in the identity.
    pub mechanism: usize,
    /// Place in the identity.
    pub policy: usize,
    /// As written, one for each swept parameter; empty where it has no such field.
    pub point: &'a [String],
    /// Places in the store of the runs with an answer; `None` for those without.
    pub runs: BTreeMap<u64, Option<usize>>,
}

/// What a mechanism or policy is called.
pub(super) struct Name {
    /// As in the tables of results.
    pub key: String,
    /// As people write it.
    pub written: String,
}

impl Name {
    pub fn of(entity: &Entity) -> Name {
        Name { key: entity.key.clone(), written: unmarked(&entity.name) }
    }
}

impl<'a> Cases<'a> {
    /// Nothing of scenarios with a single seed, or whose seeds change nothing: there is nothing to replicate.
    pub fn of(store: &'a Store, identity: &'a Identity) -> Cases<'a> {
        let (mut scenarios, mut series): (Vec<&str>, Vec<OverSeeds>) = (Vec::new(), Vec::new());
        let mut places: BTreeMap<(&str, usize, usize, &[String]), usize> = BTreeMap::new();
        for (run, row) in store.runs.iter().enumerate() {
            let (Some(m), Some(p)) = (identity.mechanism(&row.variant), identity.policy(&row.carbon_label)) else {
                continue;
            };
            let scenario = row.scenario.as_str();
            if !scenarios.contains(&scenario) {
                scenarios.push(scenario);
            }
            let point = row.sweep.as_slice();
            let place = *places.entry((scenario, m, p, point)).or_insert_with(|| {
                series.push(OverSeeds { scenario, mechanism: m, policy: p, point, runs: BTreeMap::new() });
                series.len() - 1
            });
            series[place].runs.insert(row.seed, (row.status == RunStatus::Converged).then_some(run));
        }
        let mut cases = Cases { store, identity, scenarios, series };
        let drawn: Vec<&str> = cases.scenarios.iter().copied().filter(|s| cases.is_drawn(s)).collect();
        cases.series.retain(|series| drawn.contains(&series.scenario) && series.runs.len() > 1);
        cases
    }

    /// Whether any two seeds of a series differ in any metric.
    fn is_drawn(&self, scenario: &str) -> bool {
        let near = |pair: (&Option<f64>, &Option<f64>)| match pair {
            (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * (1.0 + a.abs().max(b.abs())),
            (a, b) => a.is_none() && b.is_none(),
        };
        let alike = |a: usize, b: usize| self.store.runs[a].metrics.iter().zip(&self.store.runs[b].metrics).all(near);
        let of_scenario = self.series.iter().filter(|series| series.scenario == scenario);
        of_scenario
            .map(|series| series.runs.values().flatten().copied().collect::<Vec<usize>>())
            .any(|runs| runs.iter().skip(1).any(|run| !alike(runs[0], *run)))
    }

    /// The values of a metric over seeds; `None` for a run without an answer.
    pub fn values(&self, series: &OverSeeds, metric: &str) -> BTreeMap<u64, Option<f64>> {
        series.runs.iter().map(|(seed, run)| (*seed, run.and_then(|run| self.store.metric(run, metric)))).collect()
    }

    /// How seeds hang together.
    pub fn order(&self) -> Order {
        if self.store.data().manifest().seeds_in_order { Order::Days(None) } else { Order::Independent }
    }

    pub fn mechanism(&self, m: usize) -> Name {
        Name::of(&self.identity.mechanisms[m])
    }

    pub fn policy(&self, p: usize) -> Name {
        Name::of(&self.identity.policies[p])
    }

    /// "path = value", for every swept parameter that has one.
    pub fn point_in_words(&self, point: &[String]) -> String {
        point_in_words(self.store, point)
    }

    /// The currency of a scenario.
    pub fn currency(&self, scenario: &str) -> String {
        self.store.facts(scenario).currency.unwrap_or_else(|| "currency units".to_owned())
    }
}

/// "path = value", for every swept parameter that has one.
pub(super) fn point_in_words(store: &Store, point: &[String]) -> String {
    let told = store.sweeps.iter().zip(point).filter(|(_, value)| !value.is_empty());
    told.map(|(path, value)| format!("{path} = {value}")).collect::<Vec<_>>().join("; ")
}

/// The point that both belong to: what has no such parameter belongs to every value of it. `None` where they disagree.
pub(super) fn shared_point(a: &[String], b: &[String]) -> Option<Vec<String>> {
    let shared = |(a, b): (&String, &String)| match (a.as_str(), b.as_str()) {
        ("", b) => Some(b.to_owned()),
        (a, b) => (b.is_empty() || a == b).then(|| a.to_owned()),
    };
    a.iter().zip(b).map(shared).collect()
}
