//! What figures take from `manifest.json`: all of it optional, so that a store without it can still be drawn.

use super::StoreError;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// The part of the manifest that figures use.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Manifest {
    pub experiment_hash: String,
    pub scenarios: BTreeMap<String, ScenarioFacts>,
    choices: Vec<Choice>,
}

/// How social cost is counted in a scenario.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default)]
struct Choice {
    scenario: String,
    upstream_cost: Option<String>,
    damage_per_tonne: Option<f64>,
    damage_from: Option<String>,
}

/// What the tables do not say about a scenario.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ScenarioFacts {
    pub currency: Option<String>,
    /// Length of a period, h.
    pub period_h: Option<f64>,
    pub v_min_pu: Option<f64>,
    pub v_max_pu: Option<f64>,
    /// Retail price by period.
    pub buy_price_per_kwh: Vec<f64>,
    /// Feed-in price by period.
    pub sell_price_per_kwh: Vec<f64>,
    /// The buses of the trunk and of each lateral from its branching point outwards.
    pub feeder: Vec<Vec<u64>>,
    /// The bus of every participant that has one.
    pub participant_bus: BTreeMap<String, u64>,
    /// Damage of a tonne of emissions in social cost; from the choices of the manifest, like what follows.
    #[serde(skip)]
    pub damage_per_tonne: Option<f64>,
    /// The policy whose price was taken for it, where the scenario gives none.
    #[serde(skip)]
    pub damage_from: Option<String>,
    /// Where the resource value of upstream energy comes from.
    #[serde(skip)]
    pub upstream_cost: Option<String>,
}

impl Manifest {
    /// Reads the manifest of a store; one that is missing says nothing.
    pub(super) fn read(dir: &Path) -> Result<Manifest, StoreError> {
        let file = dir.join("manifest.json");
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Manifest::default()),
            Err(source) => return Err(StoreError::Unreadable { file, source }),
        };
        let mut manifest: Manifest =
            serde_json::from_str(&text).map_err(|source| StoreError::Manifest { file, source })?;
        for choice in &manifest.choices {
            let facts = manifest.scenarios.entry(choice.scenario.clone()).or_default();
            facts.damage_per_tonne = choice.damage_per_tonne;
            facts.damage_from.clone_from(&choice.damage_from);
            facts.upstream_cost.clone_from(&choice.upstream_cost);
        }
        Ok(manifest)
    }
}
