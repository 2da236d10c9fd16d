//! What the figures of an experiment are drawn as, and what they can be about before anything has run.

use crate::experiment::Experiment;
use crate::figures::WrittenFigures;
use coase_core::record::{Kind, METRICS};
use coase_store::{Names, as_played, in_a_table};
use std::collections::BTreeSet;

impl Experiment {
    /// How its figures are drawn.
    pub fn figures(&self) -> &WrittenFigures {
        &self.figures
    }

    /// What its figures can be about.
    pub fn names_for_figures(&self) -> Names {
        let mut names = Names {
            seeds: self.seeds.clone(),
            metrics: METRICS.iter().filter(|c| c.kind != Kind::Text).map(|c| c.name.to_owned()).collect(),
            swept: self.swept().into_iter().map(|path| (path.to_owned(), vec![])).collect(),
            ..Names::default()
        };
        let mut known: BTreeSet<(usize, String)> = BTreeSet::new();
        let mut add = |which: usize, list: &mut Vec<String>, name: String| {
            if known.insert((which, name.clone())) {
                list.push(name);
            }
        };
        for run in &self.runs {
            add(0, &mut names.scenarios, run.scenario.clone());
            add(1, &mut names.mechanisms, as_played(&run.variant, &run.reporting));
            add(2, &mut names.policies, run.carbon_label.clone());
            for participant in &run.instance.form.participants {
                add(3, &mut names.participants, participant.id.clone());
            }
            for (k, ((_, values), value)) in names.swept.iter_mut().zip(&run.swept).enumerate() {
                add(4 + k, values, in_a_table(value));
            }
        }
        names.swept.iter_mut().for_each(|(_, values)| values.retain(|value| !value.is_empty()));
        names
    }
}
