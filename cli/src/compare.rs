//! `coase compare`: two result folders side by side.

use crate::Finish;
use crate::args::Compare;
use crate::console;
use coase_plots::report::{Change, Comparison, Differing, compare as compared, comparison_page};
use coase_plots::store::Store;
use serde_json::{Value, json};
use std::fmt::Write;

/// Runs that are told one by one.
const TOLD: usize = 20;
/// Figures of a run that are told one by one.
const FIGURES: usize = 4;

/// Compares, prints what differs, and writes the page where it is asked for.
pub fn compare(args: &Compare) -> anyhow::Result<Finish> {
    let (a, b) = (Store::read(&args.a)?, Store::read(&args.b)?);
    let found = compared(&a, &b);
    let (name_a, name_b) = (args.a.display().to_string(), args.b.display().to_string());
    let page = args.html.clone().unwrap_or_else(|| args.b.join("comparison.html"));
    if args.html.is_some() || !args.json {
        let folder = page.parent().unwrap_or_else(|| std::path::Path::new(""));
        let name = page.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        coase_plots::write_page(folder, &name, &comparison_page(&found, &name_a, &name_b))?;
    }
    if args.json {
        console::print_json(&as_json(&found, &name_a, &name_b))?;
    } else {
        console::print(&format!("{}the page is {}\n", text(&found, &name_a, &name_b), page.display()));
    }
    Ok(Finish::Done)
}

fn text(found: &Comparison, a: &str, b: &str) -> String {
    let mut text = format!("A is {a}, B is {b}\n");
    let mut line = |words: String| writeln!(text, "{words}").expect("writing to a string");
    for Change { what, a, b } in &found.about {
        line(format!("{what}: `{a}` in A, `{b}` in B"));
    }
    for differing in found.differing.iter().take(TOLD) {
        line(format!("DIFFERS  {}", differing.run.words()));
        if differing.status[0] != differing.status[1] {
            line(format!("  {} in A, {} in B", differing.status[0], differing.status[1]));
        }
        for change in &differing.verdicts {
            line(format!("  certificate {}: {} in A, {} in B", change.what, or_none(&change.a), or_none(&change.b)));
        }
        for figure in differing.figures.iter().take(FIGURES) {
            let value = |of: Option<f64>| of.map_or("none".to_owned(), |v| format!("{v}"));
            let change = match (figure.a, figure.b) {
                (Some(a), Some(b)) if a > 0.0 => format!(" ({:+.3} %)", 100.0 * (b / a - 1.0)),
                _ => String::new(),
            };
            line(format!("  {}: {} in A, {} in B{change}", figure.metric, value(figure.a), value(figure.b)));
        }
        if differing.figures.len() > FIGURES {
            line(format!("  and {} more figures", differing.figures.len() - FIGURES));
        }
    }
    if found.differing.len() > TOLD {
        line(format!("and {} more runs differ", found.differing.len() - TOLD));
    }
    for (name, runs) in [("A", &found.only_a), ("B", &found.only_b)] {
        for run in runs.iter().take(TOLD) {
            line(format!("ONLY IN {name}  {run}"));
        }
        if runs.len() > TOLD {
            line(format!("and {} more only in {name}", runs.len() - TOLD));
        }
    }
    let (differ, equal) = (found.differing.len(), found.equal);
    line(format!(
        "{differ} runs differ, {equal} are equal, {} only in A, {} only in B",
        found.only_a.len(),
        found.only_b.len()
    ));
    text
}

fn or_none(verdict: &str) -> &str {
    if verdict.is_empty() { "none" } else { verdict }
}

fn as_json(found: &Comparison, a: &str, b: &str) -> Value {
    let change = |change: &Change| json!({"name": change.what, "a": change.a, "b": change.b});
    let differing = |run: &Differing| {
        let figures = run.figures.iter().map(|f| json!({"metric": f.metric, "unit": f.unit, "a": f.a, "b": f.b}));
        let swept = run.run.swept.iter().map(|(path, value)| (path.clone(), Value::from(value.as_str())));
        json!({
            "scenario": run.run.scenario, "mechanism": run.run.mechanism, "carbon_policy": run.run.policy,
            "swept": swept.collect::<serde_json::Map<_, _>>(), "seed": run.run.seed,
            "status": {"a": run.status[0], "b": run.status[1]},
            "figures": figures.collect::<Vec<_>>(),
            "verdicts": run.verdicts.iter().map(change).collect::<Vec<_>>(),
        })
    };
    json!({
        "a": a, "b": b,
        "about": found.about.iter().map(change).collect::<Vec<_>>(),
        "differing": found.differing.iter().map(differing).collect::<Vec<_>>(),
        "equal": found.equal,
        "only_a": found.only_a,
        "only_b": found.only_b,
    })
}
