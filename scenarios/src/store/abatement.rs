//! What a policy abated: the difference to the same run without one, which only the store can see.

use super::Store;
use super::manifest::PlannedRun;
use super::run_file::{self, Build};
use crate::run::RunResult;
use coase_core::record::{METRICS, Value};
use std::collections::BTreeMap;

/// What is compared of a run without a policy.
struct Base {
    emissions_kg: Option<f64>,
    charged_kg_under: BTreeMap<String, f64>,
}

/// Runs without a policy that have been read.
#[derive(Default)]
pub(super) struct Bases {
    known: BTreeMap<String, Option<Base>>,
}

impl Bases {
    /// Fills `accounted_abatement_kg` and `actual_abatement_kg`; they stay empty where there is nothing to compare with, or
    /// nothing of the same build.
    pub(super) fn fill(&mut self, store: &Store, build: &Build, planned: &PlannedRun, result: &mut RunResult) {
        let Some(id) = &planned.without_policy else { return };
        if !self.known.contains_key(id) {
            let stored = run_file::read(&store.run_path(id), id).ok().flatten();
            let base = stored.filter(|stored| stored.build.source() == build.source()).map(|stored| Base {
                emissions_kg: metric(&stored.result, "emissions_kg"),
                charged_kg_under: stored.result.charged_kg_under,
            });
            self.known.insert(id.clone(), base);
        }
        let Some(Some(base)) = self.known.get(id) else { return };
        let charged = base.charged_kg_under.get(&planned.policy_hash).zip(result.charged_kg);
        let emitted = base.emissions_kg.zip(metric(result, "emissions_kg"));
        set(result, "accounted_abatement_kg", charged.map(|(without, with)| without - with));
        set(result, "actual_abatement_kg", emitted.map(|(without, with)| without - with));
    }
}

fn position(name: &str) -> Option<usize> {
    METRICS.iter().position(|column| column.name == name)
}

fn metric(result: &RunResult, name: &str) -> Option<f64> {
    match result.record.metrics.get(position(name)?)? {
        Value::Number(number) => Some(*number),
        Value::Integer(number) => Some(*number as f64),
        Value::Text(_) | Value::Missing => None,
    }
}

fn set(result: &mut RunResult, name: &str, value: Option<f64>) {
    if let Some(cell) = position(name).and_then(|k| result.record.metrics.get_mut(k)) {
        *cell = Value::from(value);
    }
}
