//! The experiment written back in one file: what is archived beside the results.
//!
//! Knows how RON is laid out for a reader; what the defaults are is known where they are filled in.

use crate::build;
use crate::experiment::Experiment;
use crate::overrides::{ParameterPath, Root};
use crate::repeat;
use crate::spec::{Evidence, Scenario};
use crate::sweep::Sweep;
use crate::text::options;
use coase_store::Figures;
use ron::ser::PrettyConfig;
use std::fmt::Write as _;

impl Experiment {
    /// The experiment in one file, with every default written out and every series inline; the loader reads it back and
    /// finds the same runs.
    ///
    /// # Errors
    /// If a plugin cannot write its own parameters.
    pub fn resolved(&self) -> Result<String, ron::Error> {
        let mut out =
            String::from("// Every default written out, every series inline; running it gives the same results.\n");
        out.push_str("Experiment(\n    scenarios: [\n");
        let derived = self.draws.is_none() && self.sweeps.iter().all(|s| !s.has(Root::Scenario));
        let pretty = PrettyConfig::new().depth_limit(4).indentor("    ").compact_arrays(false);
        for (k, entry) in self.scenarios.iter().enumerate() {
            let mut form = entry.form.clone();
            // What a swept parameter may change stays open; everything else is written out.
            if derived
                && !entry.is_drawn()
                && let Some(whole) = self.derived(k)
            {
                form = whole;
            }
            if self.varies_what_is_repeated(k) || repeat::is_drawn(&entry.text) {
                out.push_str(
                    "        // Its participants are swept or drawn: it stands as written, and its files are read.\n",
                );
                let _ = writeln!(out, "        {},", entry.text.as_str().trim_end());
                continue;
            }
            let body = options().to_string_pretty(&form, pretty.clone())?;
            let _ = writeln!(out, "        Scenario{},", series_on_a_line(&body).replace('\n', "\n        "));
        }
        out.push_str("    ],\n    mechanisms: [\n");
        for mechanism in &self.mechanisms {
            let _ = writeln!(out, "        {},", mechanism.written()?);
        }
        out.push_str("    ],\n    carbon: [\n");
        for policy in &self.policies {
            let _ = writeln!(out, "        {},", policy.written()?);
        }
        out.push_str("    ],\n    reporting: [\n");
        for rule in &self.rules {
            let _ = writeln!(out, "        {},", rule.written()?);
        }
        let _ = writeln!(out, "    ],\n    baseline: {:?},\n    seeds: {:?},", self.baseline, self.seeds);
        let entries = |belongs: fn(&Sweep) -> bool| {
            self.sweeps.iter().filter(|sweep| belongs(sweep)).map(|sweep| sweep.written() + ", ").collect::<String>()
        };
        let zips = entries(Sweep::is_zip);
        if !zips.is_empty() {
            let _ = writeln!(out, "    zip: [{zips}],");
        }
        if !self.filters.is_empty() {
            out.push_str(&self.filters.written());
        }
        if let Some(draws) = &self.draws {
            let _ = writeln!(out, "    draws: {},", options().to_string(draws)?);
        }
        if let Some(study) = &self.sensitivity {
            let _ = writeln!(out, "    sensitivity: {},", options().to_string(study)?);
        }
        let _ = write!(out, "    sweep: [{}", entries(Sweep::is_sweep));
        let Evidence { core, regret, curves } = self.plan.evidence;
        let first = self.plan.first_periods.map_or_else(|| "None".to_owned(), |n| format!("Some({n})"));
        let _ = writeln!(out, "],\n    evidence: (core: {core}, regret: {regret}, curves: {curves}),");
        let _ = writeln!(out, "    match: {:?},\n    first_periods: {first},", self.plan.matching);
        let figures = self.figures.figures();
        if *figures != Figures::default() {
            let _ = writeln!(out, "    figures: {},", options().to_string(figures)?);
        }
        out.push_str(")\n");
        Ok(out)
    }

    /// Whether a sweep changes a `Repeat(..)` of a scenario, which is written out in its form.
    fn varies_what_is_repeated(&self, scenario: usize) -> bool {
        let text = &self.scenarios[scenario].text;
        let Ok(written_out) = repeat::written_out(text) else { return false };
        let is_lost = |path: &ParameterPath, value: &str| {
            let parts = path.parts();
            path.root == Root::Scenario && text.put(&parts, value).is_ok() && written_out.put(&parts, value).is_err()
        };
        self.sweeps.iter().any(|sweep| sweep.paths.iter().zip(&sweep.rows[0]).any(|(path, value)| is_lost(path, value)))
    }

    /// The whole-horizon form of a scenario with everything derived.
    fn derived(&self, scenario: usize) -> Option<Scenario> {
        let entry = &self.scenarios[scenario];
        build::instance(entry.form.clone(), None, None, &entry.text).ok().map(|i| i.form)
    }
}

/// Lists of plain numbers, each on one line.
fn series_on_a_line(ron: &str) -> String {
    let mut out = String::with_capacity(ron.len());
    let mut lines = ron.lines().peekable();
    while let Some(line) = lines.next() {
        out.push_str(line);
        if line.ends_with('[') {
            let is_number = |next: &&str| next.trim().trim_end_matches(',').parse::<f64>().is_ok();
            while let Some(number) = lines.next_if(is_number) {
                let is_last = lines.peek().is_none_or(|next| !is_number(next));
                out.push_str(if is_last { number.trim().trim_end_matches(',') } else { number.trim() });
                out.push_str(if is_last { "" } else { " " });
            }
            if let Some(end) = lines.next_if(|next| next.trim().starts_with(']') && !out.ends_with('[')) {
                out.push_str(end.trim());
            }
        }
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out
}

#[cfg(test)]
mod tests {
    use super::series_on_a_line;

    #[test]
    fn lists_of_numbers_take_one_line_and_other_lists_stay() {
        let long =
            "(\n    a: [\n        1.0,\n        -2e-3,\n    ],\n    b: [\n        (c: 1),\n    ],\n    d: [],\n)";
        let short = "(\n    a: [1.0, -2e-3],\n    b: [\n        (c: 1),\n    ],\n    d: [],\n)";
        assert_eq!(series_on_a_line(long), short);
    }
}
