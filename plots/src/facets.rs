//! What the panels of a figure show where the user says so: the study cut to one policy, mechanism, scenario or swept value each.

use crate::study::{Study, Wanted};
use crate::text::literal;
use coase_store::{Facets, Swept};

impl Study<'_> {
    /// The same, with the studies that the panels of the figure show.
    #[must_use]
    pub fn faceted(mut self) -> Self {
        let again = |scenario: &str, wanted: Wanted| Study::of(self.store, self.identity, scenario, wanted);
        let own = || self.wanted.clone();
        self.facets = match &self.wanted.facets {
            None | Some(Facets::Metrics) => vec![],
            Some(Facets::Policies) => {
                let of = |p: &usize| {
                    let name = self.policy(*p).name.clone();
                    (name, again(&self.scenario, Wanted { policies: vec![*p], ..own() }))
                };
                self.policies.iter().map(of).collect()
            }
            Some(Facets::Mechanisms) => {
                let of = |m: &usize| {
                    let name = self.mechanism(*m).name.clone();
                    (name, again(&self.scenario, Wanted { mechanisms: vec![*m], ..own() }))
                };
                self.mechanisms.iter().map(of).collect()
            }
            Some(Facets::Scenarios) => {
                let is_wanted = |scenario: &&str| {
                    self.wanted.scenarios.is_empty() || self.wanted.scenarios.iter().any(|wanted| wanted == scenario)
                };
                let all = Study::scenarios(self.store).into_iter().filter(is_wanted);
                all.map(|scenario| (literal(scenario), again(scenario, own()))).collect()
            }
            Some(Facets::Swept(path)) => {
                let column = self.store.sweeps.iter().position(|known| known == path);
                let values = column.map_or_else(Vec::new, |column| self.values_of(column));
                let field = path.rsplit('.').next().unwrap_or(path);
                let of = |value: String| {
                    let swept = value.parse().map_or_else(|_| Swept::Text(value.clone()), Swept::Number);
                    let at = own().at.into_iter().chain(column.map(|column| (column, swept))).collect();
                    (literal(&format!("{field} = {value}")), again(&self.scenario, Wanted { at, ..own() }))
                };
                values.into_iter().map(of).collect()
            }
        };
        self
    }

    /// Swept columns that differ from panel to panel.
    pub(crate) fn columns_of_facets(&self) -> impl Iterator<Item = usize> + '_ {
        let is_faceted = |path: &String| matches!(&self.wanted.facets, Some(Facets::Swept(wanted)) if wanted == path);
        self.store.sweeps.iter().enumerate().filter(move |(_, path)| is_faceted(path)).map(|(column, _)| column)
    }

    /// Values of a swept parameter in the scenario, in order.
    pub(crate) fn values_of(&self, column: usize) -> Vec<String> {
        let mut values: Vec<String> = vec![];
        for run in self.store.runs.iter().filter(|run| run.scenario == self.scenario) {
            if !run.sweep[column].is_empty() && !values.contains(&run.sweep[column]) {
                values.push(run.sweep[column].clone());
            }
        }
        values
    }

    /// The scenarios that a figure shows, as its caption names them.
    pub(crate) fn scenarios_in_words(&self) -> String {
        if self.wanted.facets == Some(Facets::Scenarios) && self.facets.len() > 1 {
            let names: Vec<String> = self.facets.iter().map(|(name, _)| name.clone()).collect();
            return format!("Scenarios {}", crate::words::listed(&names));
        }
        format!("Scenario {}", literal(&self.scenario))
    }
}
