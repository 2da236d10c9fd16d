//! What a policy abated: the difference to the same run without one, which only the store can see.

use crate::manifest::PlannedRun;
use crate::result::RunResult;
use coase_core::record::{METRICS, Value};
use std::collections::BTreeMap;

/// What is compared of a run without a policy.
struct Base {
    emissions_kg: Option<f64>,
    charged_kg_under: BTreeMap<String, f64>,
}

/// Runs without a policy that have been looked up.
#[derive(Default)]
pub(crate) struct Bases {
    known: BTreeMap<String, Option<Base>>,
}

impl Bases {
    /// Fills `accounted_abatement_kg` and `actual_abatement_kg`; they stay empty where there is nothing to compare with.
    /// `find` gives the result of a run by its id.
    pub(crate) fn fill(
        &mut self,
        planned: &PlannedRun,
        result: &mut RunResult,
        find: impl FnOnce(&str) -> Option<RunResult>,
    ) {
        let Some(id) = &planned.without_policy else { return };
        if !self.known.contains_key(id) {
            let base = find(id).map(|result| Base {
                emissions_kg: result.metric("emissions_kg"),
                charged_kg_under: result.charged_kg_under,
            });
            self.known.insert(id.clone(), base);
        }
        let Some(Some(base)) = self.known.get(id) else { return };
        let charged = base.charged_kg_under.get(&planned.policy_hash).zip(result.charged_kg);
        let emitted = base.emissions_kg.zip(result.metric("emissions_kg"));
        set(result, "accounted_abatement_kg", charged.map(|(without, with)| without - with));
        set(result, "actual_abatement_kg", emitted.map(|(without, with)| without - with));
    }
}

fn set(result: &mut RunResult, name: &str, value: Option<f64>) {
    let position = METRICS.iter().position(|column| column.name == name);
    if let Some(cell) = position.and_then(|k| result.record.metrics.get_mut(k)) {
        *cell = Value::from(value);
    }
}
