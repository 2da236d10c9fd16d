//! What was run, in words, and how to repeat it.

use super::html::Html;
use super::panel::Panel;
use super::table::{copied, facts};
use super::{Page, paragraph};
use crate::words::listed;
use std::path::Path;

/// Bytes of the written-out experiment in a page; a longer one is linked to.
const MOST_RESOLVED: usize = 300_000;

/// A mechanism or policy as its author describes it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Method {
    pub id: String,
    /// "mechanism", "carbon policy".
    pub kind: String,
    /// What it does, in a line.
    pub summary: String,
    /// Paragraphs with equations, code between backticks.
    pub meaning: String,
    /// Claims with their conditions.
    pub claims: Vec<String>,
    pub parameters: Vec<Parameter>,
    pub source: String,
}

/// A parameter of a method.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameter {
    pub name: String,
    pub unit: String,
    pub meaning: String,
    pub default: String,
}

pub(super) fn write(page: &Page, _: &[Panel], html: &mut Html) {
    if page.about.methods.is_empty() {
        return paragraph(html, "What the mechanisms and policies are is told by `coase explain ID`.");
    }
    paragraph(html, "Parameters with their defaults; the values that were run are in the experiment as run, below.");
    for method in page.about.methods {
        html.open("details", &[("id", &format!("method-{}", method.id)), ("class", "method")]);
        html.open("summary", &[])
            .element("code", &[], &method.id)
            .say(&format!(" ({}): {}", method.kind, method.summary));
        html.close();
        html.paragraphs(&method.meaning);
        if !method.parameters.is_empty() {
            parameters(method, html);
        }
        if !method.claims.is_empty() {
            paragraph(html, &format!("Claims: {}.", method.claims.join("; ")));
        }
        if !method.source.is_empty() {
            paragraph(html, &format!("Source: {}.", method.source));
        }
        html.close();
    }
}

fn parameters(method: &Method, html: &mut Html) {
    let caption = format!("Parameters of {}.", method.id);
    html.open("div", &[("class", "scroll"), ("role", "region"), ("aria-label", &caption), ("tabindex", "0")]);
    html.open("table", &[("class", "plain")]).element("caption", &[], &caption).open("thead", &[]).open("tr", &[]);
    for head in ["Parameter", "Unit", "Default", "Meaning"] {
        html.element("th", &[("scope", "col")], head);
    }
    html.close().close().open("tbody", &[]);
    for parameter in &method.parameters {
        html.open("tr", &[]).open("th", &[("scope", "row")]).element("code", &[], &parameter.name).close();
        html.element("td", &[], &parameter.unit).open("td", &[]).element("code", &[], &parameter.default).close();
        html.open("td", &[]).say_with_code(&parameter.meaning).close().close();
    }
    html.close().close().close();
}

pub(super) fn provenance(page: &Page, panels: &[Panel], html: &mut Html) {
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
    copied(
        html,
        "BibTeX",
        &format!(
            "@misc{{coase_results,\n  title = {{Results of {program} {version}{revision}}},\n  note = {{{note}}},\n  year = {{{year}}}\n}}"
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
