//! The matrix of mechanisms and claims of a page, searched when the page is written.

use coase_core::evaluate::audit::{Audited, Finding, Found, Within};
use coase_core::mechanism::{Family, Need, Plugin, mechanisms};
use coase_core::outcome::Verdict;
use coase_core::participant::Distortion;
use coase_core::setting::Product;
use coase_scenarios::{AuditOptions, AuditedRun, Experiment, Override, load};
use std::fmt::Write;
use std::path::Path;

/// Columns of the matrix: findings by their names, and what a reader calls them.
const COLUMNS: [(&str, &str); 13] = [
    ("truthful", "truthful"),
    ("device_gain", "devices"),
    ("bayesian_truthful", "in expectation"),
    ("individual_rationality", "rational"),
    ("budget_balance", "budget"),
    ("no_deficit", "no deficit"),
    ("efficiency", "efficient"),
    ("core", "core"),
    ("equilibrium", "equilibrium"),
    ("pair_gain", "pairs"),
    ("split_gain", "split accounts"),
    ("overstated_gain", "overstated"),
    ("role_gain", "sides"),
];

/// `FILE BUDGET`: a table for every scenario of an experiment, each followed by its witnesses. Every registered mechanism that can
/// run there is searched, in the experiment or not.
///
/// # Errors
/// An experiment that cannot be read, in words.
pub fn block(words: &str) -> Result<String, String> {
    let (file, budget) = words.trim().split_once(' ').ok_or("`audit` is told by a file and a budget")?;
    let budget: usize = budget.trim().parse().map_err(|_| format!("`{budget}` is no number of runs"))?;
    let experiment = everything(file)?;
    let options = AuditOptions { jobs: None, variant: None, budget, as_if: vec![], within: Within::default() };
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

/// The experiment with every mechanism that has what it needs there: on scenarios with priors those that need priors, on others
/// those that need none.
fn everything(file: &str) -> Result<Experiment, String> {
    let read = |set: &[Override]| load(Path::new(file), set).map_err(|fault| fault.to_string());
    let written = read(&[])?;
    let mut only = vec![];
    let mut wanted: Vec<&'static Plugin> = mechanisms();
    wanted.retain(|plugin| plugin.family != Family::Wrapper);
    wanted.sort_by_key(|plugin| (rank(plugin.family), plugin.id));
    let mut seen: Vec<&str> = vec![];
    for run in &written.runs {
        if seen.contains(&run.scenario.as_str()) {
            continue;
        }
        seen.push(&run.scenario);
        let setting = &run.instance.setting;
        let has_priors = setting.members.iter().all(|member| member.prior.is_some());
        let has = |need: &Need| match need {
            Need::Network | Need::RadialNetwork => setting.feeder.is_some(),
            Need::Reserve => setting.slots.iter().any(|slot| slot.product == Product::ReserveUp),
            Need::Prior => has_priors,
            Need::Tariff | Need::Convexity | Need::NoRequirement => true,
        };
        let suits =
            |plugin: &&&Plugin| plugin.needs.iter().all(has) && plugin.needs.contains(&Need::Prior) == has_priors;
        let entry = |plugin: &&Plugin| format!("{{\"scenario\": {:?}, \"mechanism\": {:?}}}", run.scenario, plugin.id);
        only.extend(wanted.iter().filter(suits).map(entry));
    }
    let ids = wanted.iter().map(|plugin| format!("{:?}", plugin.id)).collect::<Vec<_>>().join(", ");
    let set = |text: String| text.parse::<Override>().map_err(|error| error.to_string());
    read(&[set(format!("experiment.mechanisms=[{ids}]"))?, set(format!("experiment.only=[{}]", only.join(", ")))?])
}

/// Place of a family in the table.
fn rank(family: Family) -> usize {
    let order =
        [Family::Baseline, Family::Cooperative, Family::Game, Family::Auction, Family::Product, Family::Wrapper];
    order.iter().position(|other| *other == family).unwrap_or(order.len())
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
        let only = format!("experiment.only=[{{\"scenario\": {scenario:?}}}]");
        let _ = writeln!(
            text,
            "- `{variant}`: {}. `coase audit {file} --mechanism {variant} --budget {budget} --set '{only}'`",
            told.join("; ")
        );
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
        (Found::Rule { words, .. }, _) => Some(format!("{words}: gains {}", plain(value?))),
        (Found::Split { member, share }, _) => Some(format!(
            "{member} with accounts of {} and {} gains {}",
            plain(*share),
            plain(1.0 - share),
            plain(value?)
        )),
        _ => None,
    }
}
