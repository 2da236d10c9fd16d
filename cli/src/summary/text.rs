//! The summary in words.

use super::panel::{Group, mean};
use super::{Assumptions, Excess, Run, Summary};
use crate::wrap;
use std::collections::BTreeSet;
use std::fmt::Write;

const GAINS: &str = "\
Gains are those of the participants together, against no trade under the same policy. Resources: saved, upstream energy \
included. Retail margin: lost by the retailer. Carbon: payment avoided. Network: charges avoided. Payments: received on \
balance from the operator and others. The five sum to the gain.";

/// Refuted claims and runs without an answer that are listed one by one.
const MAX_LISTED: usize = 30;

/// How far a run is beyond a kind of limit.
type ExcessOf = fn(&Run) -> Option<&Excess>;

impl Summary {
    /// What is printed at the end of `coase run`: figures are compared with those of the mechanism `baseline`. Where there is
    /// a `width`, no line is longer, but for words that are.
    pub fn text(&self, baseline: &str, width: Option<usize>) -> String {
        let mut text = String::new();
        for scenario in self.scenarios() {
            for group in self.groups().iter().filter(|group| group.scenario == scenario.scenario) {
                group.write(&mut text, baseline, self.assumptions_of(group.scenario), width);
            }
            scenario.write_policies(&mut text, width);
        }
        line(&mut text, "`*` marks the best of a column where they differ.");
        text += &wrap::folded(GAINS, width.map_or(wrap::PROSE, |width| width.min(wrap::PROSE)));
        self.write_assumptions(&mut text);
        if self.seeds_change_nothing() {
            line(&mut text, "The seeds change nothing: no figure of these runs is drawn at random.");
        }
        text += &self.limits();
        text += &self.problems();
        line(&mut text, &self.counts());
        width.map_or(text.clone(), |width| wrap::folded(&text, width))
    }

    /// What costs hang on, in a line for all scenarios of which it is the same.
    fn write_assumptions(&self, text: &mut String) {
        let mut told: Vec<(String, Vec<&str>)> = vec![];
        for assumptions in &self.assumptions {
            let sentence = assumptions.sentence();
            match told.iter_mut().find(|(known, _)| *known == sentence) {
                Some((_, scenarios)) => scenarios.push(&assumptions.scenario),
                None => told.push((sentence, vec![&assumptions.scenario])),
            }
        }
        for (sentence, scenarios) in told {
            line(text, &format!("{}: {sentence}", scenarios.join(", ")));
        }
    }

    /// What must not be overlooked, last and in capitals.
    pub fn problems(&self) -> String {
        let mut problems = String::new();
        let text = &mut problems;
        let unanswered: Vec<&Run> = self.runs.iter().filter(|run| !run.answered()).collect();
        for run in unanswered.iter().take(MAX_LISTED) {
            let status = run.status.replace('_', " ").to_uppercase();
            let reason = if run.reason.is_empty() { "no reason given" } else { &run.reason };
            line(text, &format!("{status}  {}: {reason}", run.named()));
        }
        further(text, unanswered.len(), "runs without an answer", "runs.csv");
        for refuted in self.refuted.iter().take(MAX_LISTED) {
            let named = self.runs.iter().find(|run| run.id == refuted.run).map_or(refuted.run.clone(), Run::named);
            let witness = if refuted.witness.is_empty() { String::new() } else { format!(" ({})", refuted.witness) };
            let (name, value, tolerance) = (&refuted.name, short(&refuted.value), short(&refuted.tolerance));
            line(text, &format!("REFUTED  {named}: {name} is {value}, at most {tolerance} was claimed{witness}"));
        }
        further(text, self.refuted.len(), "refuted claims", "certificates.csv");
        problems
    }

    /// The worst voltage and the worst loading of each scenario that lie beyond limits.
    fn limits(&self) -> String {
        let mut text = String::new();
        let scenarios: BTreeSet<&str> = self.runs.iter().map(|run| run.scenario.as_str()).collect();
        for scenario in scenarios {
            let runs: Vec<&Run> = self.runs.iter().filter(|run| run.scenario == scenario && run.answered()).collect();
            let kinds: [(&str, ExcessOf); 2] = [
                ("VOLTAGE LIMITS", |run| run.voltage.as_ref().filter(|e| e.by > 0.0)),
                ("BRANCH RATINGS", |run| run.rating.as_ref().filter(|e| e.by > 0.0)),
            ];
            for (kind, of) in kinds {
                let beyond: Vec<(&Run, &Excess)> = runs.iter().filter_map(|run| Some((*run, of(run)?))).collect();
                if let Some((run, worst)) = beyond.iter().max_by(|a, b| a.1.by.total_cmp(&b.1.by)) {
                    let (count, of, named, place) = (beyond.len(), runs.len(), run.named(), &worst.place);
                    line(&mut text, &format!("{kind}  violated in {count} of {of} runs; worst {named}: {place}"));
                }
            }
        }
        text
    }

    /// How many runs ended how.
    fn counts(&self) -> String {
        let answered = self.runs.iter().filter(|run| run.answered()).count();
        let statuses = ["converged", "no_equilibrium", "not_converged", "infeasible", "failed"];
        let of = |status: &&str| self.runs.iter().filter(|run| run.status == **status).count();
        let told = statuses.iter().map(|s| (s.replace('_', " "), of(s))).filter(|(_, n)| *n > 0);
        let told: Vec<String> = told.map(|(status, n)| format!("{n} {status}")).collect();
        let refuted = match self.refuted.len() {
            0 => "no claim refuted".to_owned(),
            1 => "1 claim refuted".to_owned(),
            n => format!("{n} claims refuted"),
        };
        format!("{answered} of {} runs answered ({}); {refuted}", self.runs.len(), told.join(", "))
    }
}

impl Assumptions {
    /// What social cost hangs on.
    fn sentence(&self) -> String {
        let currency = if self.currency.is_empty() { "" } else { &format!(" {}", self.currency) };
        let damage = match (self.damage_per_tonne, &self.damage_from) {
            (Some(damage), Some(policy)) => format!(
                "damage of {damage}{currency} per tonne, borrowed from the price of `{policy}` (the scenario's `damage_per_tonne` sets it)"
            ),
            (Some(damage), None) => format!("damage of {damage}{currency} per tonne"),
            (None, _) => "damage not told".to_owned(),
        };
        let upstream = match self.upstream_cost.as_str() {
            "" | "as written" => "as the scenario says".to_owned(),
            other => format!("at {other}"),
        };
        let money = if self.currency.is_empty() { String::new() } else { format!("Money is in {}. ", self.currency) };
        format!("{money}Social cost holds a {damage}, and upstream energy valued {upstream}.")
    }
}

impl Run {
    fn named(&self) -> String {
        let swept = if self.swept.is_empty() { String::new() } else { format!(" with {}", self.swept.join(", ")) };
        format!("{} under {} in {}{swept}", self.mechanism, self.policy, self.scenario)
    }
}

impl Group<'_> {
    fn write(&self, text: &mut String, baseline: &str, assumptions: Option<&Assumptions>, width: Option<usize>) {
        let panel = self.panel();
        line(text, &format!("{} under {}", self.scenario, self.policy));
        if panel.compared.is_empty() {
            line(text, "  no answer: see below");
            line(text, "");
            return;
        }
        panel.write_points(text);
        if let Some((measure, reference)) = assumptions.and_then(|a| a.matching.as_ref()) {
            self.write_matched(text, measure, reference);
        }
        panel.write_figures(text, width);
        panel.write_best(text, baseline);
        panel.write_gains(text, width);
        panel.write_relayed(text);
        line(text, "");
    }

    /// The prices at which policies are comparable.
    fn write_matched(&self, text: &mut String, measure: &str, reference: &str) {
        let of = |mechanism: &str| -> Vec<&Run> {
            self.runs.iter().filter(|run| run.mechanism == mechanism && run.answered()).copied().collect()
        };
        let price = |run: &Run| run.matched.and_then(|_| run.number("carbon_price_per_tonne"));
        let prices: Vec<(&str, f64)> =
            self.mechanisms().into_iter().filter_map(|m| Some((m, mean(&of(m), price)?))).collect();
        if prices.is_empty() {
            return;
        }
        line(text, &format!("  {measure} as under {reference}, at a price per tonne of"));
        for (mechanism, price) in prices {
            let runs = of(mechanism);
            let missed: Vec<_> = runs.iter().filter_map(|run| run.matched).filter(|m| !m.is_met).collect();
            let furthest = missed.iter().filter_map(|m| m.distance).reduce(f64::max);
            let missed = match (missed.len(), furthest) {
                (0, _) => String::new(),
                (count, Some(d)) => format!("  missed by {:.2} %{}", 100.0 * d, of_runs(count, runs.len())),
                (count, None) => {
                    format!("  as written: nothing converged on the way{}", of_runs(count, runs.len()))
                }
            };
            line(text, &format!("  {:>42}  {mechanism}{missed}", number(price)));
        }
    }
}

/// What is not listed is told.
fn further(text: &mut String, count: usize, what: &str, file: &str) {
    if count > MAX_LISTED {
        line(text, &format!("and {} further {what}: see `{file}`", count - MAX_LISTED));
    }
}

/// Of several runs, how many.
fn of_runs(count: usize, runs: usize) -> String {
    if runs > 1 { format!(" at most, in {count} of {runs} runs") } else { String::new() }
}

/// Decimals with which figures up to a size can be compared.
pub(super) fn decimals(largest: f64) -> usize {
    match largest {
        size if size >= 1000.0 => 1,
        size if size >= 1.0 => 2,
        _ => 4,
    }
}

pub(super) fn fixed(x: f64, decimals: usize) -> String {
    let text = format!("{x:.decimals$}");
    if text.trim_matches(['-', '0', '.']).is_empty() { "0".to_owned() } else { text }
}

pub(super) fn line(text: &mut String, words: &str) {
    writeln!(text, "{}", words.trim_end()).expect("writing to a string");
}

/// Enough digits to compare, and no more.
pub(super) fn number(x: f64) -> String {
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
    use crate::summary::{Assumptions, Summary};
    use coase_core::record::{Kind, Table, Value};
    use coase_store::{Frame, Head};
    use std::rc::Rc;

    /// A table as its text has it.
    fn frame(text: &str) -> Frame {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let column = |name: &str| Table::ALL.into_iter().flat_map(Table::columns).find(|column| column.name == name);
        let head = |name: &str| match column(name) {
            Some(column) => Head::of(column),
            None if name == "run_id" => Head::run_id(),
            None => Head::swept(name, Kind::Text),
        };
        let heads: Vec<Head> = reader.headers().unwrap().iter().map(head).collect();
        let mut frame = Frame::new(heads.iter().cloned());
        let cell = |(head, cell): (&Head, &str)| match (head.kind, cell) {
            (_, "") => Value::Missing,
            (Kind::Text, text) => Value::from(text),
            (_, number) => Value::from(number.parse::<f64>().unwrap()),
        };
        for record in reader.records() {
            frame.push(&heads.iter().zip(&record.unwrap()).map(cell).collect::<Vec<_>>());
        }
        frame
    }

    fn store(runs: &str, participants: &str, certificates: &str) -> Summary {
        let [runs, participants, certificates] = [runs, participants, certificates].map(frame);
        let (runs, mut summary) = (Rc::new(runs), Summary::default());
        for (k, row) in runs.rows().enumerate() {
            let of_run = |frame: &Frame| {
                (0..frame.len()).filter(|r| frame.row(*r).word("run_id") == row.word("run_id")).collect::<Vec<_>>()
            };
            let rows = |frame| of_run(frame).into_iter().map(|r| Frame::row(frame, r));
            summary.add(&runs, k, rows(&participants), rows(&certificates));
        }
        summary
    }

    fn text(summary: &Summary) -> String {
        summary.text("grid-only", None)
    }

    const RUNS: &str = "run_id,scenario,variant,carbon_label,status,reason,social_cost,emissions_kg,jain_index\n";
    const PARTICIPANTS: &str =
        "run_id,participant,gain,gain_resource,gain_retail_margin,gain_carbon,gain_network,payment\n";
    const CERTIFICATES: &str = "run_id,name,value,tolerance,verdict,witness\n";

    /// The cells of the first row of a mechanism.
    fn cells<'a>(text: &'a str, mechanism: &str) -> Vec<&'a str> {
        let row = text.lines().find(|l| l.split_whitespace().next() == Some(mechanism) && l.starts_with("  "));
        row.unwrap_or_else(|| panic!("no row of {mechanism}: {text}")).split_whitespace().collect()
    }

    #[test]
    fn the_best_are_marked_and_named_with_their_distance_from_the_baseline() {
        let runs = format!(
            "{RUNS}a,s,grid-only,none,converged,,200,50,\nb,s,one,none,converged,,150,50,0.5\nc,s,two,none,converged,,150,50,1\n"
        );
        let text = text(&store(&runs, PARTICIPANTS, CERTIFICATES));
        assert_eq!(cells(&text, "grid-only"), ["grid-only", "200.00", "50.00", "-", "0", "0"], "{text}");
        assert_eq!(cells(&text, "one"), ["one", "*150.00", "50.00", "0.50", "0", "0"], "{text}");
        assert_eq!(cells(&text, "two"), ["two", "*150.00", "50.00", "*1.00", "0", "0"], "{text}");
        assert!(text.contains("least social cost: one, two with 150.00 (grid-only: 200.00, -25.0 %)"), "{text}");
        assert!(text.ends_with("3 of 3 runs answered (3 converged); no claim refuted\n"), "{text}");
    }

    const SWEPT: &str = "run_id,scenario,variant,carbon_label,seed,scenario.load,status,reason,social_cost\n";

    #[test]
    fn means_are_over_the_points_that_all_compared_mechanisms_answered() {
        // At load 3, where costs are highest, `one` has no answer: the mean over its own answers would make it the best.
        let runs = format!(
            "{SWEPT}a,s,grid-only,none,1,1,converged,,10\nb,s,grid-only,none,1,2,converged,,20\nc,s,grid-only,none,1,3,converged,,90\n\
             d,s,one,none,1,1,converged,,11\ne,s,one,none,1,2,converged,,22\nf,s,one,none,1,3,infeasible,no room,\n"
        );
        let text = text(&store(&runs, PARTICIPANTS, CERTIFICATES));
        assert_eq!(cells(&text, "grid-only")[1], "*15.00", "{text}");
        assert_eq!(cells(&text, "one")[1], "16.50", "{text}");
        assert!(text.contains("means over 2 of 3 swept points, those that all compared answered"), "{text}");
        assert!(text.contains("INFEASIBLE  one under none in s with scenario.load = 3: no room"), "{text}");
        assert!(text.ends_with("5 of 6 runs answered (5 converged, 1 infeasible); no claim refuted\n"), "{text}");
    }

    #[test]
    fn a_mechanism_without_the_swept_field_stands_at_every_value() {
        let runs = format!(
            "{SWEPT}a,s,grid-only,none,1,,converged,,10\nb,s,one,none,1,0.5,converged,,8\nc,s,one,none,1,2,converged,,6\n"
        );
        let text = text(&store(&runs, PARTICIPANTS, CERTIFICATES));
        assert_eq!((cells(&text, "grid-only")[1], cells(&text, "one")[1]), ("10.00", "*7.00"), "{text}");
        assert!(text.contains("means over all 2 swept points"), "{text}");
    }

    #[test]
    fn a_mechanism_without_an_answer_is_set_aside_by_name() {
        let runs = format!(
            "{SWEPT}a,s,one,none,1,1,converged,,10\nb,s,one,none,1,2,converged,,30\nc,s,two,none,1,1,failed,why,\nd,s,two,none,1,2,failed,why,\n"
        );
        let text = text(&store(&runs, PARTICIPANTS, CERTIFICATES));
        assert!(text.contains("without an answer there: two"), "{text}");
        assert_eq!(cells(&text, "one")[1], "20.00", "{text}");
    }

    #[test]
    fn seeds_that_change_nothing_are_said_to_change_nothing() {
        let with = |second: &str| {
            let runs = format!("{SWEPT}a,s,one,none,1,,converged,,10\nb,s,one,none,2,,converged,,{second}\n");
            text(&store(&runs, PARTICIPANTS, CERTIFICATES))
        };
        assert!(with("10").contains("The seeds change nothing"));
        let drawn = with("12");
        assert!(!drawn.contains("change nothing"), "{drawn}");
        assert!(drawn.contains("means over all 2 seeds"), "{drawn}");
    }

    #[test]
    fn what_social_cost_hangs_on_is_told() {
        let runs = format!("{RUNS}a,s,one,none,converged,,1,1,1\n");
        let assumptions = Assumptions {
            scenario: "s".into(),
            currency: "CNY".into(),
            upstream_cost: "the sell price".into(),
            damage_per_tonne: Some(280.0),
            damage_from: Some("tax".into()),
            matching: None,
        };
        let text = text(&Summary { assumptions: vec![assumptions], ..store(&runs, PARTICIPANTS, CERTIFICATES) });
        for words in
            ["Money is in CNY", "damage of 280 CNY per tonne, borrowed from the price of `tax`", "at the sell price"]
        {
            assert!(text.contains(words), "{words}: {text}");
        }
    }

    #[test]
    fn limits_that_are_missed_are_told_with_the_worst_place() {
        let runs = format!("{RUNS}a,s,one,none,converged,,1,1,1\nb,s,two,none,converged,,1,1,1\n");
        let certificates = format!(
            "{CERTIFICATES}a,voltage_excess_pu,0.04,,measured,0.86 pu at bus 18 in period 19\na,rating_excess_kva,0,,measured,\n\
             b,voltage_excess_pu,0,,measured,\nb,rating_excess_kva,0,,measured,\n"
        );
        let text = text(&store(&runs, PARTICIPANTS, &certificates));
        assert!(cells(&text, "one").contains(&"voltage") && cells(&text, "two").contains(&"held"), "{text}");
        let told = "VOLTAGE LIMITS  violated in 1 of 2 runs; worst one under none in s: 0.86 pu at bus 18 in period 19";
        assert!(text.contains(told) && !text.contains("BRANCH RATINGS"), "{text}");
    }

    #[test]
    fn matched_prices_are_shown_and_what_was_missed() {
        let runs = "run_id,scenario,variant,carbon_label,status,reason,social_cost,carbon_price_per_tonne\n\
            a,s,one,tax,converged,,1,280\nb,s,one,stepped,converged,,1,93.5\nc,s,two,stepped,converged,,1,300\n";
        let certificates = format!("{CERTIFICATES}b,match,2e-5,1e-4,upheld,\nc,match,0.125,,measured,not attainable\n");
        let matching = Some(("Revenue".into(), "tax".into()));
        let assumptions = Assumptions { scenario: "s".into(), matching, ..Assumptions::default() };
        let text = text(&Summary { assumptions: vec![assumptions], ..store(runs, PARTICIPANTS, &certificates) });
        let (before, after) = text.split_once("s under stepped").unwrap();
        assert!(!before.contains("Revenue") && after.contains("Revenue as under tax"), "{text}");
        assert!(after.lines().any(|l| l.trim() == "93.50  one"), "{text}");
        assert!(after.lines().any(|l| l.trim() == "300.00  two  missed by 12.50 %"), "{text}");
    }

    #[test]
    fn gains_are_sums_over_participants() {
        let runs = format!("{RUNS}a,s,one,none,converged,,1,1,1\n");
        let participants = format!("{PARTICIPANTS}a,p1,64,34,30,0,-6,-6\na,p2,0.9,0.9,,,-2.5,-2.5\n");
        let text = text(&store(&runs, &participants, CERTIFICATES));
        let rows: Vec<Vec<&str>> = text
            .lines()
            .map(|l| l.split_whitespace().collect())
            .filter(|c: &Vec<&str>| c.first() == Some(&"one"))
            .collect();
        assert_eq!(rows[1], ["one", "64.90", "34.90", "30.00", "0", "-8.50", "8.50"]);
    }

    #[test]
    fn relayed_energy_is_told_where_somebody_gains() {
        let runs = "run_id,scenario,variant,carbon_label,status,reason,total_cost,resold_kwh\n\
            a,s,one,none,converged,,100,8493.2\nb,s,two,none,converged,,100,8493.2\nc,s,three,none,converged,,100,0\n";
        let participants = format!("{PARTICIPANTS}a,p1,64,64,0,0,0,0\nb,p1,0,0,0,0,0,0\nc,p1,64,64,0,0,0,0\n");
        let text = text(&store(runs, &participants, CERTIFICATES));
        let told: Vec<&str> = text.lines().filter(|l| l.trim_start().starts_with("relayed under")).collect();
        assert_eq!(told.len(), 1, "{text}");
        assert!(told[0].contains("one: 8493.2 kWh"), "{text}");
    }

    #[test]
    fn a_problem_names_the_swept_value_and_no_more_digits_than_are_read() {
        let runs = "run_id,scenario,variant,carbon_label,carbon.price_factor,status,reason\n\
                    a,s,one,tax,,converged,\nb,s,one,tax,0.5,not_converged,cycle\n";
        let certificates = format!("{CERTIFICATES}b,fixed_point_price,0.06599661332544256,1e-4,refuted,\n");
        let text = text(&store(runs, PARTICIPANTS, &certificates));
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
        let text = text(&store(&runs, PARTICIPANTS, &certificates));
        assert!(text.contains("FAILED  one under none in s: needs a network"), "{text}");
        let refuted = "REFUTED  two under none in s: budget_balance is 3, at most 1e-6 was claimed (period 4)";
        assert!(text.contains(refuted), "{text}");
        assert!(!text.contains("core_excess"), "{text}");
        assert_eq!(cells(&text, "three")[1], "*8.00", "{text}");
        assert!(text.contains("without an answer: one"), "{text}");
        assert!(text.ends_with("2 of 3 runs answered (2 converged, 1 failed); 1 claim refuted\n"), "{text}");
    }
}
