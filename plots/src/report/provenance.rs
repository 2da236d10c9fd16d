//! From what, by what and when results were made, how to repeat them and how to cite them.

use super::html::Html;
use super::panel::Panel;
use super::table::{Cell, Column, Table, copied, facts};
use super::{Page, paragraph};
use crate::words::listed;
use std::path::Path;

/// Bytes of the written-out experiment in a page; a longer one is linked to.
const MOST_RESOLVED: usize = 300_000;

/// A network that comes with the program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    pub id: String,
    pub summary: String,
    /// Where its data come from.
    pub source: String,
}

pub(super) fn write(page: &Page, panels: &[Panel], html: &mut Html) {
    let manifest = page.store.data().manifest();
    let program = if manifest.program.is_empty() { "coase" } else { &manifest.program };
    let version = &manifest.program_version;
    let revision = manifest.source_revision.clone().unwrap_or_default();
    let platform = &manifest.platform;
    let threads = if platform.threads == 1 { "1 thread".to_owned() } else { format!("{} threads", platform.threads) };
    let place = if platform.os.is_empty() {
        String::new()
    } else {
        format!("{}, {}, {threads}", platform.os, platform.architecture)
    };
    let counts = &manifest.counts;
    let asked = if counts.runs == 0 {
        format!("{} runs", manifest.runs.len())
    } else {
        let of = [
            (counts.scenarios, "scenario"),
            (counts.mechanisms, "mechanism"),
            (counts.carbon_policies, "carbon policy"),
            (counts.seeds, "seed"),
        ];
        let plural = |n: usize, noun: &str| match (n, noun.strip_suffix('y')) {
            (1, _) => format!("1 {noun}"),
            (n, Some(stem)) => format!("{n} {stem}ies"),
            (n, None) => format!("{n} {noun}s"),
        };
        let of: Vec<String> = of.into_iter().map(|(n, noun)| plural(n, noun)).collect();
        format!("{} runs of {}", counts.runs, listed(&of))
    };
    let end = manifest.end.clone().unwrap_or_else(|| "not finished".to_owned());
    facts(
        html,
        &[
            ("Asked for", asked),
            ("Begun", manifest.start.clone()),
            ("Finished", end),
            ("On", place),
            ("Stored results", manifest.existing_results.clone()),
            ("Experiment file", manifest.file.as_ref().map_or_else(String::new, |file| format!("`{file}`"))),
            ("Experiment hash", format!("`{}`", manifest.experiment_hash)),
        ],
    );
    for panel in panels {
        let facts = page.store.facts(panel.scenario);
        let (Some(periods), Some(length)) = (facts.periods, facts.period_h) else { continue };
        let network = match facts.feeder.iter().map(Vec::len).sum::<usize>() {
            0 => String::new(),
            buses => format!(", a feeder of {buses} buses"),
        };
        paragraph(html, &format!("{}: {periods} periods of {length} h{network}.", panel.scenario));
    }
    inputs(page, html);
    for Network { id, summary, source } in page.about.networks {
        html.open("p", &[]).say("Network ").element("code", &[], id).say(&format!(": {summary}. "));
        html.say_with_code(&source.replace("\n\n", " ")).close();
    }
    let file =
        manifest.file.as_deref().and_then(|file| Path::new(file).file_name()).map(|n| n.to_string_lossy().into_owned());
    paragraph(html, "To run it again, from the experiment with every default and series written out:");
    copied(html, "command", "coase run resolved.ron --out again");
    if let Some(file) = file {
        paragraph(html, &format!("It was run from `{file}`."));
    }
    paragraph(html, "How to cite these results:");
    let revision = if revision.is_empty() { String::new() } else { format!(", revision {revision}") };
    let year = manifest.start.get(..4).filter(|year| year.bytes().all(|b| b.is_ascii_digit())).unwrap_or("");
    let note = format!("Experiment {}, hash {}", manifest.experiment, manifest.experiment_hash);
    let works = if page.about.bibliography.is_empty() {
        String::new()
    } else {
        format!("\n\n{}", page.about.bibliography.trim())
    };
    copied(
        html,
        "BibTeX",
        &format!(
            "@misc{{coase_results,\n  title = {{Results of {program} {version}{revision}}},\n  note = {{{note}}},\n  year = {{{year}}}\n}}{works}"
        ),
    );
    match page.about.resolved {
        Some(resolved) if resolved.len() <= MOST_RESOLVED => {
            html.open("details", &[("id", "resolved")]).element(
                "summary",
                &[],
                "The experiment as run, every default written out",
            );
            copied(html, "experiment", resolved);
            html.close();
        }
        Some(_) => {
            html.open("p", &[]).say("The experiment as run, with every series, is in ");
            html.element("a", &[("href", "resolved.ron")], "resolved.ron").say(".").close();
        }
        None => {}
    }
    html.open("p", &[]).say("What was run, with every run's hash, is in ");
    html.element("a", &[("href", "manifest.json")], "manifest.json").say(".").close();
}

/// The files that the experiment was read from.
fn inputs(page: &Page, html: &mut Html) {
    let inputs = &page.store.data().manifest().inputs;
    if inputs.is_empty() {
        return;
    }
    let hash = |hash: &String| if hash.is_empty() { "gone when it was hashed".to_owned() } else { hash.clone() };
    let row = |input: &coase_store::Input| {
        (String::new(), vec![Cell::Code(input.file.clone()), Cell::Code(hash(&input.blake3))])
    };
    Table {
        id: "table-inputs".to_owned(),
        caption: "Files that the experiment was read from, as seen from the folder of the results. What comes with the program \
                  is known by its revision."
            .to_owned(),
        columns: vec![Column::words("File"), Column::words("BLAKE3 (`b3sum`)")],
        rows: inputs.iter().map(row).collect(),
    }
    .write(html);
}
