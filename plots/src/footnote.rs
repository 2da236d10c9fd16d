//! What a caption says about the runs behind a figure: scenario, seeds, the point of the sweeps, what is not shown and why.

use crate::study::Study;
use crate::text::literal;
use coase_store::RunStatus;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// What the numbers of a figure are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Basis {
    /// Means over seeds, with their intervals.
    Means,
    /// Means over seeds, without intervals.
    PlainMeans,
    /// One run, the first seed's.
    OneRun,
    /// Means over seeds with bands from the 5 % to the 95 % quantile of the seeds.
    Bands,
    /// Every run counts for itself.
    AllRuns,
    /// Means along these swept parameters, by column: they are on an axis and have no fixed value.
    Along(Vec<usize>),
}

impl Study<'_> {
    /// The end of a caption.
    pub fn footnote(&self, basis: &Basis) -> String {
        self.footnote_showing(basis, &[])
    }

    /// The same of a figure that also shows some runs without an answer; places in the store.
    pub fn footnote_showing(&self, basis: &Basis, shown: &[usize]) -> String {
        format!(
            " {}.{}{}{}",
            self.scenarios_in_words(),
            self.seeds_in_words(basis),
            self.point_in_words(basis),
            self.missing_in_words(shown)
        )
    }

    fn seeds_in_words(&self, basis: &Basis) -> String {
        if let Some(seed) = self.wanted.seed {
            return format!(" Seed {seed} alone.");
        }
        let n = self.seeds();
        if n < 2 {
            return String::new();
        }
        if !self.seeds_matter() {
            return format!(" All {n} seeds give the same figures.");
        }
        match basis {
            Basis::Means | Basis::Along(_) => {
                format!(" Means over {n} seeds; intervals are 95 % bootstrap intervals.")
            }
            Basis::PlainMeans => format!(" Means over {n} seeds."),
            Basis::Bands => {
                format!(" Means over {n} seeds; bands reach from the 5 % to the 95 % quantile of the seeds.")
            }
            Basis::AllRuns => format!(" Over {n} seeds."),
            Basis::OneRun => format!(" One seed of {n}, the first, is drawn."),
        }
    }

    fn point_in_words(&self, basis: &Basis) -> String {
        let free = |column: usize| matches!(basis, Basis::Along(columns) if columns.contains(&column));
        let mut told = Vec::new();
        for (column, name) in self.store.sweeps.iter().enumerate() {
            let value = &self.point[column];
            if free(column) || value.is_empty() {
                continue;
            }
            let values = self.values_of(column).len();
            let which = if self.wanted.at.contains_key(&column) { "one" } else { "the first" };
            let of = if values > 1 { format!(", {which} of {values} values") } else { String::new() };
            told.push(literal(&format!("{name} = {value}{of}")));
        }
        if told.is_empty() { String::new() } else { format!(" At {}.", told.join("; ")) }
    }

    /// Runs that are in no figure, by how they ended, and who has no run in any.
    fn missing_in_words(&self, shown: &[usize]) -> String {
        let mut out = String::new();
        // Where panels show other runs, theirs are missing.
        let of_panels = self.facets.iter().flat_map(|(_, facet)| &facet.left_out);
        let all: BTreeSet<usize> =
            if self.facets.is_empty() { self.left_out.iter().copied().collect() } else { of_panels.copied().collect() };
        let left_out: Vec<usize> = all.into_iter().filter(|run| !shown.contains(run)).collect();
        let count = |status: RunStatus| left_out.iter().filter(|r| self.store.runs[**r].status == status).count();
        let kinds = [
            (RunStatus::NotConverged, "did not converge"),
            (RunStatus::NoEquilibrium, "without equilibrium"),
            (RunStatus::Infeasible, "infeasible"),
            (RunStatus::Failed, "failed"),
        ];
        let told: Vec<String> = kinds
            .into_iter()
            .map(|(status, word)| (count(status), word))
            .filter(|(n, _)| *n > 0)
            .map(|(n, word)| format!("{n} {word}"))
            .collect();
        if !told.is_empty() {
            let runs = if left_out.len() == 1 { "run" } else { "runs" };
            let _ = write!(out, " {} {runs} not shown: {}.", left_out.len(), told.join(", "));
        }
        let runs = || left_out.iter().map(|r| &self.store.runs[*r]);
        let is_shown = |has: &dyn Fn(&Study) -> bool| {
            if self.facets.is_empty() { has(self) } else { self.facets.iter().any(|(_, facet)| has(facet)) }
        };
        let mut absent: Vec<String> = Vec::new();
        for run in runs() {
            let policy =
                self.identity.policy(&run.carbon_label).filter(|p| !is_shown(&|study| study.policies.contains(p)));
            let mechanism =
                self.identity.mechanism(&run.variant).filter(|m| !is_shown(&|study| study.mechanisms.contains(m)));
            let names = policy.map(|p| self.policy(p).name.clone()).into_iter();
            for name in names.chain(mechanism.map(|m| self.mechanism(m).name.clone())) {
                if !absent.contains(&name) {
                    absent.push(name);
                }
            }
        }
        if !absent.is_empty() {
            let _ = write!(out, " No run of {} is among those shown.", crate::words::listed(&absent));
        }
        out
    }

    /// What social cost hangs on, for where it is printed.
    pub fn social_cost_in_words(&self) -> String {
        let Some(choices) = self.store.choices(&self.scenario) else { return String::new() };
        let damage = choices.damage_per_tonne;
        let borrowed = choices.damage_from.as_ref().map_or(String::new(), |policy| {
            format!(" (borrowed from the price of {}, for the scenario gives none)", literal(policy))
        });
        let upstream = match choices.upstream_cost.as_str() {
            "" | "as written" => "as the scenario gives it".to_owned(),
            other => format!("at {}", literal(other)),
        };
        format!(
            " Social cost counts damage at {damage} {} per tonne{borrowed} and upstream energy {upstream}.",
            self.currency()
        )
    }
}
