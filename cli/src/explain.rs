//! `coase explain`.

use crate::Finish;
use crate::args::Explain;
use crate::console;
use crate::list::{self, ClaimEntry};
use crate::nearest::hint;
use anyhow::{Context, bail};
use coase_core::mechanism::{Need, NetworkView, Plugin, mechanisms};
use coase_core::policy::{PolicyPlugin, policies};
use serde::Serialize;
use std::fmt::Write;

/// Prints what a plugin says of itself.
pub fn explain(args: &Explain) -> anyhow::Result<Finish> {
    let sheet = if let Some(plugin) = mechanisms().into_iter().find(|p| p.id == args.id) {
        Sheet::mechanism(plugin)?
    } else if let Some(plugin) = policies().into_iter().find(|p| p.id == args.id) {
        Sheet::policy(plugin)?
    } else {
        let ids = mechanisms().into_iter().map(|p| p.id).chain(policies().into_iter().map(|p| p.id));
        bail!("`{}` is neither a mechanism nor a carbon policy{}", args.id, hint(&args.id, ids))
    };
    if args.json {
        console::print_json(&sheet)?;
    } else {
        console::print(&sheet.text());
    }
    Ok(Finish::Done)
}

/// All about a plugin.
#[derive(Serialize)]
struct Sheet {
    id: &'static str,
    kind: &'static str,
    family: Option<&'static str>,
    summary: &'static str,
    parameters: Vec<Parameter>,
    claims: Vec<ClaimEntry>,
    needs: Vec<&'static str>,
    information: Option<&'static str>,
    clears_network: Option<bool>,
    source: &'static str,
    /// As it stands in a file, with every default.
    ron: String,
}

#[derive(Serialize)]
struct Parameter {
    name: String,
    /// In RON; null where the parameter is not written unless it is wanted.
    default: Option<String>,
}

impl Sheet {
    fn mechanism(plugin: &'static Plugin) -> anyhow::Result<Self> {
        let written = Written::new(&*(plugin.open.default)(), (plugin.open.fields)())?;
        Ok(Self {
            id: plugin.id,
            kind: "mechanism",
            family: Some(list::family(plugin.family)),
            summary: plugin.summary,
            parameters: written.parameters,
            claims: list::claims(plugin),
            needs: plugin.needs.iter().map(|n| need(*n)).collect(),
            information: Some(plugin.information.name()),
            clears_network: Some(plugin.network == NetworkView::Inside),
            source: plugin.source,
            ron: written.ron,
        })
    }

    fn policy(plugin: &'static PolicyPlugin) -> anyhow::Result<Self> {
        let written = Written::new(&*(plugin.open.default)(), (plugin.open.fields)())?;
        Ok(Self {
            id: plugin.id,
            kind: "carbon policy",
            family: None,
            summary: plugin.summary,
            parameters: written.parameters,
            claims: plugin.claims.iter().map(|claim| ClaimEntry { claim, condition: None }).collect(),
            needs: vec![],
            information: None,
            clears_network: None,
            source: plugin.source,
            // `None` is RON's empty option.
            ron: if plugin.id == "none" { "\"none\"".to_owned() } else { written.ron },
        })
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |words: String| writeln!(text, "{words}").expect("writing to a string");
        let family = self.family.map_or(String::new(), |f| format!(", {f}"));
        line(format!("{} ({}{family})", self.id, self.kind));
        line(format!("  {}", self.summary));
        line(String::new());
        let quoted = format!("\"{}\"", self.id);
        let written = if self.ron == quoted { String::new() } else { format!(" or {}", self.ron) };
        line(format!("In a file: {quoted}{written}"));
        if !self.parameters.is_empty() {
            line(String::new());
            line("Parameters and their defaults".to_owned());
            let width = self.parameters.iter().map(|p| p.name.len()).max().unwrap_or(0);
            for parameter in &self.parameters {
                let default = parameter.default.as_deref().unwrap_or("(left out)");
                line(format!("  {:width$}  {default}", parameter.name));
            }
        }
        if !self.claims.is_empty() {
            line(String::new());
            line("Claims".to_owned());
            for claim in &self.claims {
                let condition = claim.condition.map_or(String::new(), |c| format!(" if {c}"));
                line(format!("  {}{condition}", claim.claim));
            }
        }
        if !self.needs.is_empty() {
            line(String::new());
            line(format!("Needs: {}", self.needs.join(", ")));
        }
        if let Some(information) = self.information {
            line(format!("Participants reveal: {}", information.replace('_', " ")));
        }
        if let Some(inside) = self.clears_network {
            line(format!("Network: {}", if inside { "cleared by the mechanism" } else { "not looked at" }));
        }
        if !self.source.is_empty() {
            line(format!("Source: {}", self.source));
        }
        text
    }
}

/// A plugin's defaults, as RON writes them.
struct Written {
    ron: String,
    parameters: Vec<Parameter>,
}

impl Written {
    fn new<T: Serialize + ?Sized>(default: &T, fields: &[&'static str]) -> anyhow::Result<Self> {
        let options = ron::Options::default().with_default_extension(
            ron::extensions::Extensions::IMPLICIT_SOME
                | ron::extensions::Extensions::UNWRAP_NEWTYPES
                | ron::extensions::Extensions::UNWRAP_VARIANT_NEWTYPES,
        );
        // One field per line, what is inside a field on that line.
        let one_per_line = ron::ser::PrettyConfig::new().depth_limit(1).indentor("").separate_tuple_members(false);
        let text = options.to_string_pretty(default, one_per_line).context("the defaults cannot be written")?;
        let body: Vec<&str> = text.lines().collect();
        let inner = body.get(1..body.len().saturating_sub(1)).unwrap_or_default();
        let written: Vec<(&str, &str)> =
            inner.iter().filter_map(|l| l.trim().trim_end_matches(',').split_once(": ")).collect();
        let parameter = |name: &&'static str| Parameter {
            name: (*name).to_owned(),
            default: written.iter().find(|(field, _)| field == name).map(|(_, value)| (*value).to_owned()),
        };
        let flat = written.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join(", ");
        let head = text.split('(').next().unwrap_or_default().trim();
        Ok(Self { ron: format!("{head}({flat})"), parameters: fields.iter().map(parameter).collect() })
    }
}

fn need(need: Need) -> &'static str {
    match need {
        Need::Tariff => "a tariff",
        Need::Prior => "priors of all participants",
        Need::Reserve => "a reserve product",
        Need::Network => "a network",
        Need::RadialNetwork => "a radial network",
        Need::Convexity => "convex participants",
        Need::NoRequirement => "no requirement of the operator",
    }
}
