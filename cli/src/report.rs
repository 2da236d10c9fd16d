//! `coase report`, and the page at the end of a run.

use crate::args::Report;
use crate::{Finish, console, list, reference};
use coase_core::declaration::Declaration;
use coase_core::mechanism::mechanisms;
use coase_core::policy::policies;
use coase_plots::report::{About, Method, Parameter};
use coase_plots::{Named, Skipped};
use coase_store::Store;
use std::path::{Path, PathBuf};

/// Writes the page of stored results again.
pub fn report(args: &Report) -> anyhow::Result<Finish> {
    let store = Store::open(&args.folder)?;
    let held = store.hold()?;
    let results = coase_plots::store::Store::read(store.dir())?;
    let (pictures, skipped) = coase_plots::pictures(&results);
    let page = write(&results, store.dir(), &pictures, &skipped)?;
    held.set_made([page.as_path()], false, None)?;
    console::print(&format!("{}\n", page.display()));
    Ok(Finish::Done)
}

/// Writes the page beside the results, from figures that were drawn already.
pub fn write(
    results: &coase_plots::store::Store,
    folder: &Path,
    pictures: &[Named],
    skipped: &[Skipped],
) -> anyhow::Result<PathBuf> {
    let resolved = std::fs::read_to_string(folder.join("resolved.ron")).ok();
    let files = coase_plots::figure_files(folder);
    let methods = methods(results);
    let about = About { resolved: resolved.as_deref(), methods: &methods, pictures, skipped, files: &files };
    Ok(coase_plots::write_page(folder, "report.html", &coase_plots::report::report(results, &about))?)
}

/// The mechanisms and policies of some results, as their authors describe them; those of plugins that this program does not
/// have are left out.
fn methods(results: &coase_plots::store::Store) -> Vec<Method> {
    let ran = |id: &str, of: fn(&coase_plots::store::Run) -> &str| results.runs.iter().any(|run| of(run) == id);
    let mut methods: Vec<Method> = vec![];
    for plugin in mechanisms().into_iter().filter(|plugin| ran(plugin.id, |run| &run.mechanism)) {
        let claim = |entry: &list::ClaimEntry| {
            let condition = entry.condition.map_or_else(String::new, |when| format!(" if {when}"));
            entry.claim.replace('_', " ") + &condition
        };
        let claims = list::claims(plugin).iter().map(claim).collect();
        methods.push(method(plugin.id, "mechanism", plugin.summary, plugin.source, claims, plugin.open.declaration()));
    }
    for plugin in policies().into_iter().filter(|plugin| ran(plugin.id, |run| &run.carbon_policy)) {
        let claims = plugin.claims.iter().map(|claim| (*claim).to_owned()).collect();
        methods.push(method(
            plugin.id,
            "carbon policy",
            plugin.summary,
            plugin.source,
            claims,
            plugin.open.declaration(),
        ));
    }
    methods
}

fn method(id: &str, kind: &str, summary: &str, source: &str, claims: Vec<String>, declared: Declaration) -> Method {
    let parameter = |of: &coase_core::declaration::Parameter| Parameter {
        name: of.name.clone(),
        unit: of.unit.clone().unwrap_or_default(),
        meaning: of.meaning.clone(),
        default: reference::default(of).unwrap_or_default(),
    };
    Method {
        id: id.to_owned(),
        kind: kind.to_owned(),
        summary: summary.to_owned(),
        parameters: declared.parameters.iter().map(parameter).collect(),
        meaning: declared.meaning,
        claims,
        source: source.to_owned(),
    }
}
