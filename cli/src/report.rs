//! `coase report`, and the page at the end of a run.

mod again;
mod written;

use crate::args::Report;
use crate::{Finish, cite, console, explain, list, reference};
use coase_core::declaration::Declaration;
use coase_core::mechanism::mechanisms;
use coase_core::network::{BUILT_IN, BuiltIn};
use coase_core::open::camel_case;
use coase_core::policy::policies;
use coase_plots::report::{About, Method, Network, Parameter, Value};
use coase_plots::{Named, Skipped};
use coase_store::Store;
use std::path::{Path, PathBuf};
use written::{Written, written};

/// Writes the page of stored results again.
pub fn report(args: &Report) -> anyhow::Result<Finish> {
    let store = Store::open(&args.folder)?;
    let held = store.hold()?;
    let results = coase_plots::store::Store::read(store.dir())?;
    let (pictures, skipped) = coase_plots::pictures(&results);
    let page = write(&results, store.dir(), &pictures, &skipped)?;
    held.set_made([page.as_path()], |_| false, None)?;
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
    let store = Store::open(folder)?;
    let methods = methods(results, resolved.as_deref().unwrap_or_default());
    let (times, again) = (store.timings(), again::commands(results));
    let networks = networks(&store);
    let bibliography = cite::of_store(&store).unwrap_or_default();
    let about = About {
        resolved: resolved.as_deref(),
        methods: &methods,
        pictures,
        skipped,
        files: &files,
        times: Some(&times),
        again: &again,
        networks: &networks,
        bibliography: &bibliography,
    };
    Ok(coase_plots::write_page(folder, "report.html", &coase_plots::report::report(results, &about))?)
}

/// The built-in networks that the results of a store used, and where their data come from.
fn networks(store: &Store) -> Vec<Network> {
    let used = cite::used_in(store).unwrap_or_default();
    let used = BUILT_IN.iter().filter(|network| used.iter().any(|u| u.id == network.id));
    let network = |network: &BuiltIn| Network {
        id: network.id.to_owned(),
        summary: network.summary.to_owned(),
        source: explain::comment(network.ron),
    };
    used.map(network).collect()
}

/// The mechanisms and policies of some results, as their authors describe them; those of plugins that this program does not
/// have are left out.
fn methods(results: &coase_plots::store::Store, resolved: &str) -> Vec<Method> {
    let (ran_mechanisms, ran_policies) = (written(resolved, "mechanisms"), written(resolved, "carbon"));
    let ran = |id: &str, of: fn(&coase_plots::store::Run) -> &str| results.runs.iter().any(|run| of(run) == id);
    let mut methods: Vec<Method> = vec![];
    for plugin in mechanisms().into_iter().filter(|plugin| ran(plugin.id, |run| &run.mechanism)) {
        let claim = |entry: &list::ClaimEntry| {
            let condition = entry.condition.map_or_else(String::new, |when| format!(" if {when}"));
            entry.claim.replace('_', " ") + &condition
        };
        let claims = list::claims(plugin).iter().map(claim).collect();
        let declared = plugin.open.declaration();
        methods.push(Method {
            claims,
            ..method(plugin.id, "mechanism", plugin.summary, plugin.source, declared, &ran_mechanisms)
        });
    }
    for plugin in policies().into_iter().filter(|plugin| ran(plugin.id, |run| &run.carbon_policy)) {
        let claims = plugin.claims.iter().map(|claim| (*claim).to_owned()).collect();
        let declared = plugin.open.declaration();
        methods.push(Method {
            claims,
            ..method(plugin.id, "carbon policy", plugin.summary, plugin.source, declared, &ran_policies)
        });
    }
    methods
}

fn method(id: &str, kind: &str, summary: &str, source: &str, declared: Declaration, ran: &[Written]) -> Method {
    let form = camel_case(id);
    let own: Vec<&Written> = ran.iter().filter(|written| written.name == form).collect();
    let parameter = |of: &coase_core::declaration::Parameter| {
        let default = reference::default(of).unwrap_or_default();
        Parameter {
            name: of.name.clone(),
            unit: of.unit.clone().unwrap_or_default(),
            meaning: of.meaning.clone(),
            values: values(&own, &of.name, &default),
            default,
        }
    };
    Method {
        id: id.to_owned(),
        kind: kind.to_owned(),
        summary: summary.to_owned(),
        parameters: declared.parameters.iter().map(parameter).collect(),
        meaning: declared.meaning,
        claims: vec![],
        source: source.to_owned(),
        bibtex: cite::entries(source).join("\n\n"),
    }
}

/// The values of a parameter that were run, those of variants with their labels; whether all are the default.
fn values(ran: &[&Written], parameter: &str, default: &str) -> Vec<Value> {
    let number = |text: &str| text.parse::<f64>().ok();
    let mut found: Vec<Value> = vec![];
    for written in ran {
        let Some((_, value)) = written.parameters.iter().find(|(name, _)| name == parameter) else { continue };
        let is_default = value == default || (number(value).is_some() && number(value) == number(default));
        let of = written.label.clone().unwrap_or_default();
        found.push(Value { of, value: value.clone(), is_default });
    }
    // What all variants share is said once.
    if found.windows(2).all(|pair| pair[0].value == pair[1].value) {
        found.truncate(1);
        for value in &mut found {
            value.of.clear();
        }
    }
    found
}
