//! Mechanisms, carbon policies, report rules and devices: what they say of themselves.

use super::words;
use crate::list::{self, ClaimEntry};
use crate::reference;
use anyhow::Context;
use coase_core::declaration::{Declaration, Parameter};
use coase_core::engine::{ReportRulePlugin, report_rules};
use coase_core::mechanism::{Need, NetworkView, Plugin, mechanisms};
use coase_core::open::Entry;
use coase_core::participant::{DevicePlugin, devices};
use coase_core::policy::{PolicyPlugin, policies};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Ids of the mechanisms.
pub fn mechanism_ids() -> Vec<String> {
    mechanisms().iter().map(|plugin| plugin.id.to_owned()).collect()
}

/// A mechanism.
pub fn mechanism(id: &str) -> Option<anyhow::Result<super::Sheet>> {
    mechanisms().into_iter().find(|plugin| plugin.id == id).map(|plugin| Sheet::mechanism(plugin)?.finished())
}

/// Ids of the carbon policies.
pub fn policy_ids() -> Vec<String> {
    policies().iter().map(|plugin| plugin.id.to_owned()).collect()
}

/// A carbon policy.
pub fn policy(id: &str) -> Option<anyhow::Result<super::Sheet>> {
    policies().into_iter().find(|plugin| plugin.id == id).map(|plugin| Sheet::policy(plugin)?.finished())
}

/// Ids of the report rules.
pub fn rule_ids() -> Vec<String> {
    report_rules().iter().map(|plugin| plugin.id.to_owned()).collect()
}

/// A report rule.
pub fn rule(id: &str) -> Option<anyhow::Result<super::Sheet>> {
    report_rules().into_iter().find(|plugin| plugin.id == id).map(|plugin| Sheet::rule(plugin)?.finished())
}

/// Ids of the devices.
pub fn device_ids() -> Vec<String> {
    devices().iter().map(|plugin| plugin.id.to_owned()).collect()
}

/// A device.
pub fn device(id: &str) -> Option<anyhow::Result<super::Sheet>> {
    devices().into_iter().find(|plugin| plugin.id == id).map(|plugin| Sheet::device(plugin)?.finished())
}

/// All about a plugin.
#[derive(Serialize)]
struct Sheet {
    id: &'static str,
    kind: &'static str,
    family: Option<&'static str>,
    summary: &'static str,
    /// What it is, with its equations.
    meaning: String,
    parameters: Vec<Written>,
    claims: Vec<ClaimEntry>,
    needs: Vec<&'static str>,
    information: Option<&'static str>,
    clears_network: Option<bool>,
    /// Where the carbon of a device is accounted for.
    carbon: Option<&'static str>,
    /// Columns of a device in the table `periods`, with their meaning.
    columns: Vec<[String; 2]>,
    source: &'static str,
    /// As it stands in a file, with every default; of a device, an example.
    ron: String,
}

/// A parameter, and its default as it stands in a file.
#[derive(Serialize)]
struct Written {
    name: String,
    /// In RON; null where the parameter is not written unless it is wanted.
    default: Option<String>,
    /// What can be written, in words.
    allowed: String,
    /// As it is declared; `default` is JSON here.
    declaration: Parameter,
}

impl Sheet {
    fn mechanism(plugin: &'static Plugin) -> anyhow::Result<Self> {
        let declared = Declared::new(&plugin.open)?;
        Ok(Self {
            id: plugin.id,
            kind: "mechanism",
            family: Some(list::family(plugin.family)),
            summary: plugin.summary,
            meaning: declared.meaning,
            parameters: declared.parameters,
            claims: list::claims(plugin),
            needs: plugin.needs.iter().map(|n| need(*n)).collect(),
            information: Some(plugin.information.name()),
            clears_network: Some(plugin.network == NetworkView::Inside),
            carbon: None,
            columns: vec![],
            source: plugin.source,
            ron: declared.ron,
        })
    }

    fn policy(plugin: &'static PolicyPlugin) -> anyhow::Result<Self> {
        let declared = Declared::new(&plugin.open)?;
        Ok(Self {
            id: plugin.id,
            kind: "carbon policy",
            family: None,
            summary: plugin.summary,
            meaning: declared.meaning,
            parameters: declared.parameters,
            claims: plugin.claims.iter().map(|claim| ClaimEntry { claim, condition: None }).collect(),
            needs: vec![],
            information: None,
            clears_network: None,
            carbon: None,
            columns: vec![],
            source: plugin.source,
            // `None` is RON's empty option.
            ron: if plugin.id == "none" { "\"none\"".to_owned() } else { declared.ron },
        })
    }

    fn rule(plugin: &'static ReportRulePlugin) -> anyhow::Result<Self> {
        let declared = Declared::new(&plugin.open)?;
        Ok(Self {
            id: plugin.id,
            kind: "report rule",
            family: Some(plugin.behaviour.name()),
            summary: plugin.summary,
            meaning: declared.meaning,
            parameters: declared.parameters,
            claims: vec![],
            needs: vec![],
            information: None,
            clears_network: None,
            carbon: None,
            columns: vec![],
            source: plugin.source,
            ron: declared.ron,
        })
    }

    fn device(plugin: &'static DevicePlugin) -> anyhow::Result<Self> {
        let mut declared = Declared::new(&plugin.open)?;
        // What the example has is no default.
        for parameter in &mut declared.parameters {
            parameter.default = reference::default(&parameter.declaration);
        }
        let power = [format!("{}_kw", plugin.kind), plugin.power.to_owned()];
        let stored = plugin.stored.map(|(name, meaning)| [name.to_owned(), meaning.to_owned()]);
        Ok(Self {
            id: plugin.id,
            kind: "device",
            family: Some(plugin.role.name()),
            summary: plugin.summary,
            meaning: declared.meaning,
            parameters: declared.parameters,
            claims: vec![],
            needs: vec![],
            information: None,
            clears_network: None,
            carbon: Some(plugin.carbon.name()),
            columns: std::iter::once(power).chain(stored).collect(),
            source: plugin.source,
            ron: declared.ron,
        })
    }

    fn finished(&self) -> anyhow::Result<super::Sheet> {
        Ok(super::Sheet { json: serde_json::to_value(self)?, text: self.text() })
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |words: String| writeln!(text, "{words}").expect("writing to a string");
        let family = self.family.map_or(String::new(), |f| format!(", {f}"));
        line(format!("{} ({}{family})", self.id, self.kind));
        line(format!("  {}", self.summary));
        line(String::new());
        let quoted = format!("\"{}\"", self.id);
        if self.carbon.is_some() {
            line(format!("In a file, for instance: {}", self.ron));
        } else {
            let written = if self.ron == quoted { String::new() } else { format!(" or {}", self.ron) };
            line(format!("In a file: {quoted}{written}"));
        }
        if !self.meaning.is_empty() {
            line(String::new());
            line(words::wrapped(&self.meaning, "").trim_end().to_owned());
        }
        if !self.parameters.is_empty() {
            line(String::new());
            line("Parameters = their defaults [units]".to_owned());
            let declared: Vec<Parameter> = self.parameters.iter().map(|p| p.declaration.clone()).collect();
            let default = |of: &Parameter| self.parameters.iter().find(|p| p.name == of.name)?.default.clone();
            line(words::parameters(&declared, &default, "  ").trim_end().to_owned());
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
        if let Some(carbon) = self.carbon {
            line(String::new());
            line(format!("Carbon: {carbon}"));
            line("Columns of `periods`".to_owned());
            let width = self.columns.iter().map(|c| c[0].len()).max().unwrap_or(0);
            self.columns.iter().for_each(|[name, meaning]| line(format!("  {name:width$}  {meaning}")));
        }
        if !self.source.is_empty() {
            line(format!("Source: {}", self.source));
        }
        text
    }
}

/// What an entry of the registry declares, with its defaults as RON writes them.
struct Declared {
    ron: String,
    meaning: String,
    parameters: Vec<Written>,
}

impl Declared {
    fn new<T: Serialize + ?Sized>(entry: &Entry<T>) -> anyhow::Result<Self> {
        let options = ron::Options::default().with_default_extension(
            ron::extensions::Extensions::IMPLICIT_SOME
                | ron::extensions::Extensions::UNWRAP_NEWTYPES
                | ron::extensions::Extensions::UNWRAP_VARIANT_NEWTYPES,
        );
        // One field per line, what is inside a field on that line.
        let one_per_line = ron::ser::PrettyConfig::new().depth_limit(1).indentor("").separate_tuple_members(false);
        let default = (entry.default)();
        let text = options.to_string_pretty(&*default, one_per_line).context("the defaults cannot be written")?;
        let body: Vec<&str> = text.lines().collect();
        let inner = body.get(1..body.len().saturating_sub(1)).unwrap_or_default();
        let written: Vec<(&str, &str)> =
            inner.iter().filter_map(|l| l.trim().trim_end_matches(',').split_once(": ")).collect();
        let by_name: BTreeMap<&str, &str> = written.iter().copied().collect();
        let Declaration { meaning, parameters } = entry.declaration();
        let parameter = |declaration: Parameter| Written {
            default: by_name.get(declaration.name.as_str()).map(|value| (*value).to_owned()),
            name: declaration.name.clone(),
            allowed: declaration.allowed(),
            declaration,
        };
        let flat = written.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join(", ");
        let head = text.split('(').next().unwrap_or_default().trim();
        let parameters = parameters.into_iter().map(parameter).collect();
        Ok(Self { ron: format!("{head}({flat})"), meaning, parameters })
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
