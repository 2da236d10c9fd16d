//! `coase pages`: the pages of `docs` that report results, written from templates and from the runs of library experiments.
//!
//! Every number, table and claim of such a page is an expression in its template, so that none can outlive the result that it
//! was read from.

mod audited;
mod details;
mod expression;
mod named;
mod template;
mod values;

use crate::args::Pages;
use crate::{Finish, console};
use anyhow::Context;
use std::path::{Path, PathBuf};
use template::Template;

/// Writes the pages, or says which are stale or deny their runs.
pub fn pages(args: &Pages) -> anyhow::Result<Finish> {
    let templates = templates(&args.docs)?;
    let has =
        |name: &String| templates.iter().any(|file| file.file_stem().is_some_and(|stem| stem.to_str() == Some(name)));
    if let Some(unknown) = args.names.iter().find(|name| !has(name)) {
        anyhow::bail!("there is no template `{unknown}.md` in `{}`", args.docs.join("pages").display());
    }
    let mut finish = Finish::Done;
    for file in templates {
        let name = file.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        if !args.names.is_empty() && !args.names.contains(&name) {
            continue;
        }
        let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read `{}`", file.display()))?;
        let template = Template::read(&text).with_context(|| format!("`{}`", file.display()))?;
        let runs = values::run_all(template.runs(), &args.library, &args.out.join(&name))?;
        let filled = template.filled(&runs);
        let page = args.docs.join(format!("{name}.md"));
        let stale = !args.check || !std::fs::read_to_string(&page).is_ok_and(|page| filled.is(&page));
        let absent = runs.absent().join(", ");
        anyhow::ensure!(
            args.check || absent.is_empty(),
            "`{name}` reads reference data ({absent}): set the environment variable COASE_DATA to their folder"
        );
        if !absent.is_empty() {
            console::error(&format!("{}: {absent} not run and not checked: COASE_DATA is not set\n", page.display()));
        }
        for fault in &filled.faults {
            console::error(&format!("{}: {fault}\n", file.display()));
            finish = Finish::SomeFailed;
        }
        if args.check {
            if filled.faults.is_empty() && stale {
                console::error(&format!("{}: stale; `coase pages` writes it anew\n", page.display()));
                finish = Finish::SomeFailed;
            }
        } else if filled.faults.is_empty() {
            write(&page, filled.text().unwrap_or_default().as_bytes())?;
            for figure in template.figures() {
                runs.draw(figure, &args.docs)?;
            }
        }
        let verdict = match (filled.faults.len(), args.check, stale) {
            (0, true, false) => "as its runs find",
            (0, true, true) => "stale",
            (0, false, _) => "written",
            _ => "not written: its runs deny it",
        };
        let (claims, numbers) = (filled.claims, filled.numbers);
        console::print(&format!("{}: {verdict} ({numbers} numbers, {claims} claims)\n", page.display()));
    }
    Ok(finish)
}

fn templates(docs: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let folder = docs.join("pages");
    let entries = std::fs::read_dir(&folder)
        .with_context(|| format!("`{}` holds no templates; run this at the root of a checkout", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.filter_map(|e| e.ok().map(|e| e.path())).collect();
    files.retain(|file| file.extension().is_some_and(|e| e == "md"));
    files.sort();
    anyhow::ensure!(!files.is_empty(), "`{}` holds no templates", folder.display());
    Ok(files)
}

/// The old page stays until the new one is whole.
fn write(page: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let new = page.with_extension("new");
    let written = std::fs::write(&new, bytes).and_then(|()| std::fs::rename(&new, page));
    written.with_context(|| format!("cannot write `{}`", page.display()))
}
