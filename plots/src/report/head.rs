//! The head of the page: what was asked, how it ended, and what a reader must know before any figure.

use super::html::Html;
use super::panel::Panel;
use super::table::facts;
use super::{Page, paragraph};
use crate::text::unmarked;
use coase_store::RunStatus;

pub(super) fn write(page: &Page, panels: &[Panel], html: &mut Html) {
    let manifest = page.store.data().manifest();
    html.open("header", &[]).element("h1", &[], &manifest.experiment);
    if !manifest.question.is_empty() {
        html.open("p", &[("class", "question")]).say_with_code(&manifest.question).close();
    }
    statuses(page, html);
    let names: Vec<&str> = panels.iter().map(|panel| panel.scenario).collect();
    let (revision, hash) = (manifest.source_revision.clone().unwrap_or_default(), &manifest.experiment_hash);
    facts(
        html,
        &[
            (if names.len() == 1 { "Scenario" } else { "Scenarios" }, names.join(", ")),
            ("Run", manifest.start.clone()),
            ("Program", format!("{} {}", manifest.program, manifest.program_version).trim().to_owned()),
            ("Revision", if revision.is_empty() { revision } else { format!("`{revision}`") }),
            ("Experiment", if hash.is_empty() { String::new() } else { format!("`{hash}`") }),
        ],
    );
    must_know(page, html);
    html.close();
}

/// How many runs ended how.
fn statuses(page: &Page, html: &mut Html) {
    let count = |is: &dyn Fn(RunStatus) -> bool| page.store.runs.iter().filter(|run| is(run.status)).count();
    let answered = count(&RunStatus::is_answer);
    html.open("p", &[("class", "badges")]);
    html.element("span", &[("class", "badge good")], &format!("{answered} answered"));
    let others = [
        (RunStatus::NotConverged, "not converged"),
        (RunStatus::Infeasible, "infeasible"),
        (RunStatus::Failed, "failed"),
    ];
    for (status, words) in others {
        let n = count(&|s| s == status);
        let class = if n == 0 { "badge" } else { "badge bad" };
        html.say(" ").element("span", &[("class", class)], &format!("{n} {words}"));
    }
    let planned = page.store.data().manifest().runs.len();
    if planned > page.store.runs.len() {
        let missing = format!("{} of {planned} missing", planned - page.store.runs.len());
        html.say(" ").element("span", &[("class", "badge bad")], &missing);
    }
    let refuted: usize = page.evidence.iter().map(|e| e.refuted().count()).sum();
    let (class, noun) =
        (if refuted == 0 { "badge" } else { "badge bad" }, if refuted == 1 { "claim" } else { "claims" });
    html.say(" ").element("a", &[("class", class), ("href", "#claims")], &format!("{refuted} {noun} refuted"));
    html.close();
}

/// On what the figures depend.
fn must_know(page: &Page, html: &mut Html) {
    let manifest = page.store.data().manifest();
    html.open("div", &[("class", "note")]).element("h2", &[], "What a reader must know");
    for choices in &manifest.choices {
        let currency = page.currency(&choices.scenario);
        let from = choices.damage_from.as_ref().map_or_else(String::new, |policy| {
            format!(", borrowed from the price of `{policy}`: the scenario's `damage_per_tonne` sets it")
        });
        let upstream = match choices.upstream_cost.as_str() {
            "" | "as written" => "as the scenario gives it".to_owned(),
            other => format!("at {other}"),
        };
        let matched = choices.matched_with.as_ref().map_or_else(String::new, |reference| {
            format!(" Policies are made comparable by {}, with `{reference}` as it is written.", choices.matching)
        });
        paragraph(
            html,
            &format!(
                "{}: money is in {currency}. Social cost counts damage of {} {currency} per tonne{from}, and upstream energy \
                 {upstream}.{matched}",
                choices.scenario, choices.damage_per_tonne
            ),
        );
    }
    for note in &manifest.notes {
        paragraph(html, note);
    }
    if manifest.seeds.len() > 1 {
        let words = if page.seeds_matter() {
            format!("{} seeds were run; figures are means over them.", manifest.seeds.len())
        } else {
            format!("{} seeds were run and give the same figures: nothing is drawn at random.", manifest.seeds.len())
        };
        paragraph(html, &words);
    }
    let by: Vec<String> = page.store.sweeps.iter().map(|path| format!("`{}`", unmarked(path))).collect();
    if !by.is_empty() {
        paragraph(html, &format!("Swept: {}.", by.join(", ")));
    }
    html.close();
}
