//! What a user must know of results that are there, or are not.

use coase_scenarios::Prepared;
use coase_store::{Left, RunFileError};
use std::fmt::Write;

/// Runs that are named one by one.
const NAMED: usize = 20;

/// Before the first run: what the folder held, and what of it is not used.
pub fn prepared(prepared: &Prepared) -> String {
    let mut text = String::new();
    let folder = prepared.store().dir().display();
    if let Some(before) = prepared.before().filter(|before| before.build.is_none()) {
        let (name, runs, start) = (&before.experiment, before.runs, &before.start);
        let from = before
            .file
            .as_ref()
            .map_or_else(String::new, |file| format!(", from {}", prepared.store().dir().join(file).display()));
        let noun = if runs == 1 { "run" } else { "runs" };
        let _ = writeln!(
            text,
            "note: {folder} held another experiment, `{name}` ({runs} {noun}, begun {start}{from}): its tables and figures are \
             removed; its files in `runs` stay, and running it again makes its tables from them"
        );
    }
    let is_build = |left: &&Left| matches!(left.why, Some(RunFileError::Build { .. }));
    let builds: Vec<&Left> = prepared.unused().iter().filter(is_build).collect();
    if let Some(Left { why: Some(RunFileError::Build { found, expected }), .. }) = builds.first() {
        let (count, stored) = (builds.len(), prepared.found() + prepared.unused().len());
        let _ = writeln!(
            text,
            "note: {count} of {stored} stored runs were made by another build ({found}; this is {expected}) and are made again"
        );
    }
    let others: Vec<&Left> = prepared.unused().iter().filter(|left| !is_build(left)).collect();
    list(&mut text, &others, |left, why| {
        format!("note: {}: {why}; its run is made again: {}", left.path.display(), left.run)
    });
    text
}

/// Runs that are not among the results.
pub fn missing(all: &[&Left]) -> String {
    let mut text = String::new();
    let (gone, refused): (Vec<&Left>, Vec<&Left>) = all.iter().partition(|left| left.why.is_none());
    list(&mut text, &refused, |left, why| format!("NOT USED  {}: {why}: {}", left.path.display(), left.run));
    list(&mut text, &gone, |left, _| format!("MISSING  {}", left.run));
    if !all.is_empty() {
        text += "running the experiment again makes what is missing\n";
    }
    text
}

fn list(text: &mut String, all: &[&Left], line: impl Fn(&Left, &str) -> String) {
    for left in all.iter().take(NAMED) {
        let why = left.why.as_ref().map_or_else(String::new, ToString::to_string);
        let _ = writeln!(text, "{}", line(left, &why));
    }
    if all.len() > NAMED {
        let _ = writeln!(text, "... and {} more", all.len() - NAMED);
    }
}
