//! The summary in words.

use super::{CRITERIA, Gains, Group, Run, Summary};
use std::fmt::Write;

const GAINS: &str = "\
Gains are those of the participants together, against no trade under the same policy. Resources: saved, upstream energy
included. Retail margin: lost by the retailer. Carbon: payment avoided. Network: charges avoided.
";

impl Summary {
    /// What is printed at the end of `coase run`: figures are compared with those of the mechanism `baseline`.
    pub fn text(&self, baseline: &str) -> String {
        let mut text = String::new();
        for group in self.groups() {
            group.write(&mut text, baseline, self.matching.as_ref());
        }
        line(&mut text, GAINS);
        text += &self.problems();
        let answered = self.runs.iter().filter(|run| run.answered()).count();
        line(&mut text, &format!("{answered} of {} runs answered", self.runs.len()));
        text
    }

    /// What must not be overlooked, last and in capitals.
    pub fn problems(&self) -> String {
        let mut problems = String::new();
        let text = &mut problems;
        for run in self.runs.iter().filter(|run| !run.answered()) {
            let status = run.status.replace('_', " ").to_uppercase();
            let reason = if run.reason.is_empty() { "no reason given" } else { &run.reason };
            line(text, &format!("{status}  {}: {reason}", run.named()));
        }
        for refuted in &self.refuted {
            let named = self.runs.iter().find(|run| run.id == refuted.run).map_or(refuted.run.clone(), Run::named);
            let witness = if refuted.witness.is_empty() { String::new() } else { format!(" ({})", refuted.witness) };
            let (name, value, tolerance) = (&refuted.name, short(&refuted.value), short(&refuted.tolerance));
            line(text, &format!("REFUTED  {named}: {name} is {value}, at most {tolerance} was claimed{witness}"));
        }
        problems
    }
}

impl Run {
    fn named(&self) -> String {
        let swept = if self.swept.is_empty() { String::new() } else { format!(" with {}", self.swept.join(", ")) };
        format!("{} under {} in {}{swept}", self.mechanism, self.policy, self.scenario)
    }
}

impl Group<'_> {
    fn write(&self, text: &mut String, baseline: &str, matching: Option<&(String, String)>) {
        line(text, &format!("{} under {}", self.scenario, self.policy));
        if let Some((measure, reference)) = matching {
            self.write_matched(text, measure, reference);
        }
        let mut same = vec![];
        for criterion in CRITERIA {
            let means = self.means(|run| run.numbers.get(criterion.column).copied());
            let Some((winners, value)) = self.best(criterion) else {
                if means.len() > 1 {
                    same.push(criterion.title);
                }
                continue;
            };
            let base = means.iter().find(|(mechanism, _)| *mechanism == baseline && !winners.contains(mechanism));
            let against = base.map_or(String::new(), |(_, base)| {
                // A percentage of a debt means nothing.
                let share = if *base > 0.0 && value >= 0.0 { 100.0 * (value / base - 1.0) } else { f64::NAN };
                let share = if share.is_nan() { String::new() } else { format!(", {share:+.1} %") };
                format!("  ({baseline}: {}{share})", number(*base))
            });
            line(text, &format!("  {:<28}{:>14}  {}{against}", criterion.title, number(value), winners.join(", ")));
        }
        if !same.is_empty() {
            line(text, &format!("  the same for all: {}", same.join(", ")));
        }
        self.write_gains(text);
        line(text, "");
    }

    /// The prices at which policies are comparable.
    fn write_matched(&self, text: &mut String, measure: &str, reference: &str) {
        let prices = self.means(|run| run.matched.and_then(|_| run.numbers.get("carbon_price_per_tonne").copied()));
        if prices.is_empty() {
            return;
        }
        line(text, &format!("  {measure} as under {reference}, at a price per tonne of"));
        for (mechanism, price) in prices {
            let runs = || self.runs.iter().filter(|run| run.mechanism == mechanism && run.answered());
            let missed: Vec<_> = runs().filter_map(|run| run.matched).filter(|m| !m.is_met).collect();
            let furthest = missed.iter().filter_map(|m| m.distance).reduce(f64::max);
            let missed = match (missed.len(), furthest) {
                (0, _) => String::new(),
                (count, Some(d)) => format!("  missed by {:.2} %{}", 100.0 * d, of(count, runs().count())),
                (count, None) => format!("  as written: nothing converged on the way{}", of(count, runs().count())),
            };
            line(text, &format!("  {:>42}  {mechanism}{missed}", number(price)));
        }
    }

    /// Where the gains come from: only the first column is gained by society as a whole.
    fn write_gains(&self, text: &mut String) {
        let parts: [fn(&Gains) -> f64; 5] =
            [|g| g.total, |g| g.resource, |g| g.retail_margin, |g| g.carbon, |g| g.network];
        let columns = parts.map(|part| self.means(|run| Some(part(&run.gains))));
        // Solver rounding is no gain.
        let scale = columns.iter().flatten().map(|(_, x)| x.abs()).fold(0.0, f64::max);
        if scale < 1e-6 {
            return;
        }
        let width = columns[0].iter().map(|(mechanism, _)| mechanism.len()).max().unwrap_or(0).max(9);
        let heads = ["gain", "resources", "retail margin", "carbon", "network"];
        let head = heads.map(|head| format!("{head:>15}")).concat();
        line(text, &format!("  {:width$}{head}", "gains"));
        for (row, (mechanism, _)) in columns[0].iter().enumerate() {
            let clean = |x: f64| if x.abs() < 1e-9 * scale { 0.0 } else { x };
            let cells = columns.each_ref().map(|column| format!("{:>15}", number(clean(column[row].1)))).concat();
            line(text, &format!("  {mechanism:width$}{cells}"));
        }
    }
}

/// Of several runs, how many.
fn of(count: usize, runs: usize) -> String {
    if runs > 1 { format!(" at most, in {count} of {runs} runs") } else { String::new() }
}

fn line(text: &mut String, words: &str) {
    writeln!(text, "{}", words.trim_end()).expect("writing to a string");
}

/// Enough digits to compare, and no more.
fn number(x: f64) -> String {
    let decimals = match x.abs() {
        size if size >= 1000.0 => 1,
        size if size < 1e-9 => return "0".to_owned(),
        size if size >= 1.0 => 2,
        _ => 4,
    };
    format!("{:.decimals$}", x + 0.0)
}

/// A number as in the table, to three digits where it has many.
fn short(written: &str) -> String {
    match written.parse::<f64>() {
        Ok(x) if written.len() > 8 && (1e-4..1e6).contains(&x.abs()) => {
            let decimals = (2 - x.abs().log10().floor() as i32).max(0) as usize;
            format!("{x:.decimals$}")
        }
        Ok(x) if written.len() > 8 => format!("{x:.2e}"),
        _ => written.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::summary::Summary;
    use std::path::{Path, PathBuf};

    fn store(name: &str, runs: &str, participants: &str, certificates: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("coase-summary-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for (table, text) in [("runs", runs), ("participants", participants), ("certificates", certificates)] {
            std::fs::write(folder.join(format!("{table}.csv")), text).unwrap();
        }
        folder
    }

    fn text(folder: &Path) -> String {
        let text = Summary::read(folder).unwrap().text("grid-only");
        std::fs::remove_dir_all(folder).unwrap();
        text
    }

    const RUNS: &str = "run_id,scenario,variant,carbon_label,status,reason,social_cost,emissions_kg,jain_index\n";
    const PARTICIPANTS: &str = "run_id,participant,gain,gain_resource,gain_retail_margin,gain_carbon,gain_network\n";
    const CERTIFICATES: &str = "run_id,name,value,tolerance,verdict,witness\n";

    #[test]
    fn the_best_are_named_with_their_distance_from_the_baseline() {
        let runs = format!(
            "{RUNS}a,s,grid-only,none,converged,,200,50,\nb,s,one,none,converged,,150,50,0.5\nc,s,two,none,converged,,150,50,1\n"
        );
        let text = text(&store("best", &runs, PARTICIPANTS, CERTIFICATES));
        assert!(text.contains("150.00  one, two  (grid-only: 200.00, -25.0 %)"), "{text}");
        assert!(text.contains("the same for all: least emissions"), "{text}");
        assert!(text.lines().any(|l| l.contains("Jain") && l.ends_with("two")), "{text}");
        assert!(text.ends_with("3 of 3 runs answered\n"), "{text}");
    }

    #[test]
    fn matched_prices_are_shown_and_what_was_missed() {
        let runs = "run_id,scenario,variant,carbon_label,status,reason,social_cost,carbon_price_per_tonne\n\
            a,s,one,tax,converged,,1,280\nb,s,one,stepped,converged,,1,93.5\nc,s,two,stepped,converged,,1,300\n";
        let certificates = format!("{CERTIFICATES}b,match,2e-5,1e-4,upheld,\nc,match,0.125,,measured,not attainable\n");
        let folder = store("matched", runs, PARTICIPANTS, &certificates);
        let manifest = r#"{"choices": [{"match": "Revenue", "matched_with": "tax"}]}"#;
        std::fs::write(folder.join("manifest.json"), manifest).unwrap();
        let text = text(&folder);
        let (before, after) = text.split_once("s under stepped").unwrap();
        assert!(!before.contains("Revenue") && after.contains("Revenue as under tax"), "{text}");
        assert!(after.lines().any(|l| l.trim() == "93.50  one"), "{text}");
        assert!(after.lines().any(|l| l.trim() == "300.00  two  missed by 12.50 %"), "{text}");
    }

    #[test]
    fn gains_are_sums_over_participants() {
        let runs = format!("{RUNS}a,s,one,none,converged,,1,1,1\n");
        let participants = format!("{PARTICIPANTS}a,p1,64,34,30,0,0\na,p2,0.9,0.9,,,\n");
        let text = text(&store("gains", &runs, &participants, CERTIFICATES));
        let row = text.lines().find(|l| l.trim_start().starts_with("one")).unwrap();
        let cells: Vec<_> = row.split_whitespace().collect();
        assert_eq!(cells, ["one", "64.90", "34.90", "30.00", "0", "0"]);
    }

    #[test]
    fn a_problem_names_the_swept_value_and_no_more_digits_than_are_read() {
        let runs = "run_id,scenario,variant,carbon_label,carbon.price_factor,status,reason\n\
                    a,s,one,tax,,converged,\nb,s,one,tax,0.5,not_converged,cycle\n";
        let certificates = format!("{CERTIFICATES}b,fixed_point_price,0.06599661332544256,1e-4,refuted,\n");
        let text = text(&store("swept", runs, PARTICIPANTS, &certificates));
        assert!(text.contains("NOT CONVERGED  one under tax in s with carbon.price_factor = 0.5: cycle"), "{text}");
        assert!(text.contains("fixed_point_price is 0.0660, at most 1e-4 was claimed"), "{text}");
    }

    #[test]
    fn a_failed_run_counts_for_nothing_and_is_shouted_with_its_reason() {
        let runs = format!(
            "{RUNS}a,s,one,none,failed,needs a network,1,1,1\nb,s,two,none,converged,,9,9,1\nc,s,three,none,converged,,8,9,1\n"
        );
        let certificates =
            format!("{CERTIFICATES}b,budget_balance,3,1e-6,refuted,period 4\nb,core_excess,3,,measured,\n");
        let folder = store("failed", &runs, PARTICIPANTS, &certificates);
        let text = text(&folder);
        assert!(text.contains("FAILED  one under none in s: needs a network"), "{text}");
        let refuted = "REFUTED  two under none in s: budget_balance is 3, at most 1e-6 was claimed (period 4)";
        assert!(text.contains(refuted), "{text}");
        assert!(!text.contains("core_excess"), "{text}");
        assert!(text.lines().any(|l| l.contains("social cost") && l.contains("three")), "{text}");
        assert!(text.ends_with("2 of 3 runs answered\n"), "{text}");
    }
}
