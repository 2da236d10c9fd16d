//! What a policy abated: the difference to the same run without one, which only the store can see.

use super::manifest::PlannedRun;
use super::{Store, StoreError, run_file};
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
    /// Fills `accounted_abatement_kg` and `actual_abatement_kg`; they stay empty where there is nothing to compare with.
    pub(super) fn fill(
        &mut self,
        store: &Store,
        planned: &PlannedRun,
        result: &mut RunResult,
    ) -> Result<(), StoreError> {
        let Some(id) = &planned.without_policy else { return Ok(()) };
        if !self.known.contains_key(id) {
            let base = run_file::read(&store.run_path(id))?.map(|base| Base {
                emissions_kg: metric(&base, "emissions_kg"),
                charged_kg_under: base.charged_kg_under,
            });
            self.known.insert(id.clone(), base);
        }
        let Some(Some(base)) = self.known.get(id) else { return Ok(()) };
        let charged = base.charged_kg_under.get(&planned.policy_hash).zip(result.charged_kg);
        let emitted = base.emissions_kg.zip(metric(result, "emissions_kg"));
        set(result, "accounted_abatement_kg", charged.map(|(without, with)| without - with));
        set(result, "actual_abatement_kg", emitted.map(|(without, with)| without - with));
        Ok(())
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
