//! What a user wants of a figure, in the terms of a store: places instead of names.
//!
//! Names that results do not have are passed over here: whoever reads the wish tells them.

use crate::identity::Identity;
use crate::store::Store;
use coase_store::{Drawing, Facets, Figures, Swept};
use std::collections::BTreeMap;

/// What the user wants of a figure; nothing where the kind decides. Mechanisms, policies and participants are places in the
/// identity, in the order in which they are shown.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Wanted {
    /// Names of the scenarios that panels show; none: all.
    pub scenarios: Vec<String>,
    pub mechanisms: Vec<usize>,
    pub policies: Vec<usize>,
    pub participants: Vec<usize>,
    /// Values of swept parameters, by their columns.
    pub at: BTreeMap<usize, Swept>,
    pub seed: Option<u64>,
    pub metrics: Vec<String>,
    pub width_mm: Option<f64>,
    pub facets: Option<Facets>,
}

impl Wanted {
    /// What one drawing wants, and where it says nothing, what all figures do.
    pub fn of(drawing: &Drawing, figures: &Figures, store: &Store, identity: &Identity) -> Self {
        let either = |own: &Vec<String>, all: &Vec<String>| if own.is_empty() { all.clone() } else { own.clone() };
        let places = |names: Vec<String>, place: &dyn Fn(&str) -> Option<usize>| -> Vec<usize> {
            // Who has no run here is nobody, so that a list of them alone does not become everybody.
            names.iter().map(|name| place(name).unwrap_or(usize::MAX)).collect()
        };
        let column = |path: &String| store.sweeps.iter().position(|known| known == path);
        Self {
            scenarios: drawing.scenarios.clone(),
            mechanisms: places(either(&drawing.mechanisms, &figures.mechanisms), &|name| identity.mechanism(name)),
            policies: places(either(&drawing.policies, &figures.policies), &|name| identity.policy(name)),
            participants: places(either(&drawing.participants, &figures.participants), &|id| identity.participant(id)),
            at: drawing.at.iter().filter_map(|(path, value)| Some((column(path)?, value.clone()))).collect(),
            seed: drawing.seed,
            metrics: drawing.metrics.clone(),
            width_mm: drawing.width_mm.or(figures.width_mm),
            facets: drawing.facets.clone(),
        }
    }
}
