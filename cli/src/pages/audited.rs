//! The matrix of mechanisms and claims of a page, searched when the page is written.

use coase_core::evaluate::audit::{Audited, Finding, Found};
use coase_core::outcome::Verdict;
use coase_core::participant::Distortion;
use coase_scenarios::{AuditOptions, AuditedRun, load};
use std::fmt::Write;
use std::path::Path;

/// Columns of the matrix: findings by their names, and what a reader calls them.
const COLUMNS: [(&str, &str); 10] = [
    ("truthful", "truthful"),
    ("bayesian_truthful", "in expectation"),
    ("individual_rationality", "rational"),
    ("budget_balance", "budget"),
    ("no_deficit", "no deficit"),
    ("efficiency", "efficient"),
    ("core", "core"),
    ("equilibrium", "equilibrium"),
    ("pair_gain", "pairs"),
    ("split_gain", "split accounts"),
];

/// `FILE BUDGET`: a table for every scenario of an experiment, each followed by its witnesses.
///
/// # Errors
/// An experiment that cannot be read, in words.
pub fn block(words: &str) -> Result<String, String> {
    let (file, budget) = words.trim().split_once(' ').ok_or("`audit` is told by a file and a budget")?;
    let budget: usize = budget.trim().parse().map_err(|_| format!("`{budget}` is no number of runs"))?;
    let experiment = load(Path::new(file), &[]).map_err(|fault| fault.to_string())?;
    let options = AuditOptions { jobs: None, variant: None, budget, as_if: vec![] };
    let found = experiment.audit(&options, &()).map_err(|error| error.to_string())?;
    let mut scenarios: Vec<&str> = vec![];
    for audited in &found {
        if !scenarios.contains(&audited.run.scenario.as_str()) {
            scenarios.push(&audited.run.scenario);
        }
    }
    let of = |scenario: &str| -> Vec<&AuditedRun> {
        found.iter().filter(|audited| audited.run.scenario == scenario).collect()
    };
    Ok(scenarios
        .into_iter()
        .map(|scenario| section(scenario, &of(scenario), file, budget))
        .collect::<Vec<_>>()
        .join("\n\n"))
}

fn section(scenario: &str, all: &[&AuditedRun], file: &str, budget: usize) -> String {
    let has = |name: &str| all.iter().any(|one| one.found.as_ref().is_ok_and(|found| found.finding(name).is_some()));
    let columns: Vec<(&str, &str)> = COLUMNS.into_iter().filter(|(name, _)| has(name)).collect();
    let mut text = format!("### `{scenario}`\n\n| mechanism |");
    for (_, title) in &columns {
        let _ = write!(text, " {title} |");
    }
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(columns.len()));
    text.push('\n');
    for one in all {
        let _ = write!(text, "| `{}` |", one.run.variant);
        for (name, _) in &columns {
            let cell = one.found.as_ref().map_or_else(|_| "no outcome".to_owned(), |found| cell(found, name));
            let _ = write!(text, " {cell} |");
        }
        text.push('\n');
    }
    text.push('\n');
    for one in all {
        let variant = &one.run.variant;
        let found = match &one.found {
            Ok(found) => found,
            Err(why) => {
                let _ = writeln!(text, "- `{variant}` has no outcome: {why}");
                continue;
            }
        };
        let told = |name: &&str| found.finding(name).and_then(witness);
        let told: Vec<String> =
            COLUMNS.iter().filter_map(|(name, title)| Some(format!("{title}: {}", told(name)?))).collect();
        if told.is_empty() {
            continue;
        }
        let only = format!("experiment.only=[{{\"scenario\": {scenario:?}, \"mechanism\": {variant:?}}}]");
        let _ =
            writeln!(text, "- `{variant}`: {}. `coase audit {file} --budget {budget} --set '{only}'`", told.join("; "));
    }
    let tried: Vec<&Audited> = all.iter().filter_map(|one| one.found.as_ref().ok()).collect();
    let sum = |of: fn(&Finding) -> usize| tried.iter().flat_map(|found| &found.findings).map(of).sum::<usize>();
    let searched =
        tried.iter().filter_map(|found| found.finding("truthful")).map(|f| f.searched.as_str()).next().unwrap_or("");
    // Runs of the markets that reports describe serve all claims about outcomes: they are counted for each.
    let _ = write!(
        text,
        "\nSearched: {searched}. Of the runs that the findings rest on {} had no outcome.",
        sum(|f| f.failed)
    );
    text
}

/// A verdict with its value; a figure without a claim in brackets.
fn cell(found: &Audited, name: &str) -> String {
    let Some(finding) = found.finding(name) else { return String::new() };
    let value = finding.certificate.value.map_or(String::new(), plain);
    match finding.certificate.verdict {
        Verdict::Upheld => "upheld".to_owned(),
        Verdict::Refuted => format!("**refuted**: {value}"),
        Verdict::Measured => format!("({value})"),
        Verdict::NotApplicable => "conditional".to_owned(),
        Verdict::NotSearched => "not searched".to_owned(),
    }
}

/// Two decimals, without a sign where nothing is left of the number.
fn plain(value: f64) -> String {
    let rounded = (value * 100.0).round() / 100.0;
    format!("{:.2}", if rounded == 0.0 { 0.0 } else { rounded })
}

/// What shows that a property fails, or why it is not claimed here; to two decimals, so that the last digits of a search are not
/// taken for more than they are.
fn witness(finding: &Finding) -> Option<String> {
    let certificate = &finding.certificate;
    let value = certificate.value.filter(|value| *value >= 0.005);
    let short = |what: &Distortion| {
        let two = |x: f64| (x * 100.0).round() / 100.0;
        Distortion {
            price_factor: two(what.price_factor),
            price_shift_per_kwh: two(what.price_shift_per_kwh),
            quantity_factor: two(what.quantity_factor),
        }
    };
    let told = |reports: &[(String, Distortion)]| {
        reports.iter().map(|(id, what)| format!("{id} {}", short(what).words())).collect::<Vec<_>>().join(" and ")
    };
    match (&finding.found, certificate.verdict) {
        (_, Verdict::NotApplicable | Verdict::NotSearched) if finding.claim.is_some() => {
            Some(certificate.witness.clone())
        }
        (Found::Reports(reports), _) if !reports.is_empty() => {
            let gain = if reports.len() > 1 { "together they gain" } else { "gains" };
            Some(format!("{}: {gain} {}", told(reports), plain(value?)))
        }
        (Found::AsIf(reports), Verdict::Refuted | Verdict::Measured) => {
            let place = if reports.is_empty() { "as it is".to_owned() } else { format!("if {}", told(reports)) };
            Some(format!("{} {place}", plain(value?)))
        }
        (Found::Split { member, share }, _) => Some(format!(
            "{member} with accounts of {} and {} gains {}",
            plain(*share),
            plain(1.0 - share),
            plain(value?)
        )),
        _ => None,
    }
}
