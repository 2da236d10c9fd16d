//! Runs with curves of a kind, for figures that show how a game came to its answer.

use crate::store::CurveRows;
use crate::study::Study;
use crate::text::literal;
use coase_store::RunStatus;
use std::collections::BTreeMap;

/// A run with curves that a figure draws.
pub(super) struct Explained {
    pub(super) run: usize,
    pub(super) mechanism: usize,
    pub(super) converged: bool,
    pub(super) curves: Vec<CurveRows>,
}

impl Explained {
    /// The curves of a period.
    pub(super) fn of_period(&self, period: Option<usize>) -> impl Iterator<Item = &CurveRows> {
        self.curves.iter().filter(move |curve| curve.period == period)
    }

    /// The periods of its curves with what is traded in each, kWh.
    pub(super) fn traded(&self, study: &Study) -> BTreeMap<Option<usize>, f64> {
        let hours = study.facts.period_h.unwrap_or(1.0);
        let mut traded: BTreeMap<Option<usize>, f64> = self.curves.iter().map(|curve| (curve.period, 0.0)).collect();
        for row in study.store.periods(self.run).iter() {
            if let Some(kwh) = traded.get_mut(&Some(row.period)) {
                *kwh += hours * row.p2p_bought_kw.unwrap_or(0.0).max(0.0);
            }
        }
        traded
    }

    /// The period of its curves in which most is traded, the first among equals.
    pub(super) fn busiest(&self, study: &Study) -> Option<usize> {
        let most = self.traded(study).into_iter().reduce(|most, here| if here.1 > most.1 { here } else { most });
        most.and_then(|(period, _)| period)
    }
}

/// The first run of each mechanism under a policy that has curves of which `wanted` is told the name; runs without equilibrium
/// among them where `open`.
pub(super) fn explained(study: &Study, policy: usize, open: bool, wanted: &dyn Fn(&str) -> bool) -> Vec<Explained> {
    let mut found: Vec<Explained> = vec![];
    for (run, row) in study.store.runs.iter().enumerate() {
        let converged = row.status == RunStatus::Converged;
        let here = study.has(row, &[])
            && row.carbon_label == study.policy(policy).key
            && (converged || (open && row.status == RunStatus::NoEquilibrium));
        let Some(mechanism) = study.identity.mechanism(&row.variant).filter(|_| here) else { continue };
        if found.iter().any(|known| known.mechanism == mechanism) {
            continue;
        }
        let mut curves = study.store.curves(run);
        curves.retain(|curve| wanted(&curve.name));
        if !curves.is_empty() {
            found.push(Explained { run, mechanism, converged, curves });
        }
    }
    found
}

/// The same under the first policy that has any.
pub(super) fn first_explained(
    study: &Study,
    open: bool,
    wanted: &dyn Fn(&str) -> bool,
) -> Option<(usize, Vec<Explained>)> {
    let policies = study.reference_policy().into_iter().chain(study.policies.iter().copied());
    policies.map(|policy| (policy, explained(study, policy, open, wanted))).find(|(_, all)| !all.is_empty())
}

/// The name of a participant; of nobody, that of the grid.
pub(super) fn name_of(study: &Study, id: &str) -> String {
    if id.is_empty() {
        return "grid".to_owned();
    }
    let known = study.participants.iter().map(|i| study.participant(*i)).find(|entity| entity.key == id);
    known.map_or_else(|| literal(id), |entity| entity.name.clone())
}

/// ` in hour 3`, where there are several.
pub(super) fn in_period(study: &Study, period: Option<usize>) -> String {
    match period {
        Some(period) if study.clock.periods > 1 => format!(" in {}", study.clock.named(period)),
        _ => String::new(),
    }
}
