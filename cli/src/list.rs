//! `coase list`.

use crate::Finish;
use crate::args::{List, ListKind};
use crate::console;
use coase_core::engine::report_rules;
use coase_core::mechanism::{Family, Plugin, mechanisms};
use coase_core::network::BUILT_IN;
use coase_core::participant::devices;
use coase_core::policy::policies;
use coase_core::record::{Column, Kind, METRICS, Table};
use coase_plots::figures;
use coase_scenarios::LIBRARY;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// Prints what there is.
pub fn list(args: &List) -> anyhow::Result<Finish> {
    match (args.kind, args.json) {
        (Some(kind), true) => console::print_json(&kind.json())?,
        (Some(kind), false) => console::print(&kind.lines()),
        (None, true) => {
            console::print_json(&KINDS.iter().map(|k| (k.title().to_owned(), k.json())).collect::<Map<_, _>>())?;
        }
        (None, false) => {
            let short = [
                ListKind::Mechanisms,
                ListKind::Carbon,
                ListKind::Reporting,
                ListKind::Devices,
                ListKind::Scenarios,
                ListKind::Networks,
            ];
            let sections = short.map(|k| format!("{}\n{}", k.title(), k.lines())).join("\n");
            let more = "metrics, columns, figures: `coase list metrics`, `coase list columns`, `coase list figures`";
            console::print(&format!("{sections}\n{more}\n"));
        }
    }
    Ok(Finish::Done)
}

const KINDS: [ListKind; 9] = [
    ListKind::Mechanisms,
    ListKind::Carbon,
    ListKind::Reporting,
    ListKind::Devices,
    ListKind::Scenarios,
    ListKind::Networks,
    ListKind::Metrics,
    ListKind::Columns,
    ListKind::Figures,
];

/// The name of a family, as in lists.
pub fn family(family: Family) -> &'static str {
    match family {
        Family::Baseline => "baseline",
        Family::Cooperative => "cooperative",
        Family::Game => "game",
        Family::Auction => "auction",
        Family::Product => "product",
        Family::Wrapper => "wrapper",
    }
}

/// Claims of a mechanism with their conditions.
#[derive(Serialize)]
pub struct ClaimEntry {
    /// Its name in result tables.
    pub claim: &'static str,
    /// When it is claimed; always if absent.
    pub condition: Option<&'static str>,
}

/// What a mechanism claims.
pub fn claims(plugin: &Plugin) -> Vec<ClaimEntry> {
    let entry = |(claim, when): &(coase_core::Claim, &'static str)| ClaimEntry {
        claim: claim.name(),
        condition: (!when.is_empty()).then_some(*when),
    };
    plugin.claims.iter().map(entry).collect()
}

impl ListKind {
    fn title(self) -> &'static str {
        match self {
            ListKind::Mechanisms => "mechanisms",
            ListKind::Carbon => "carbon",
            ListKind::Reporting => "reporting",
            ListKind::Devices => "devices",
            ListKind::Scenarios => "scenarios",
            ListKind::Networks => "networks",
            ListKind::Metrics => "metrics",
            ListKind::Columns => "columns",
            ListKind::Figures => "figures",
        }
    }

    fn json(self) -> Value {
        match self {
            ListKind::Mechanisms => mechanisms()
                .iter()
                .map(|p| {
                    json!({"id": p.id, "family": family(p.family), "summary": p.summary, "claims": claims(p),
                        "information": p.information.name(), "parameters": (p.open.fields)(), "source": p.source})
                })
                .collect(),
            ListKind::Carbon => policies()
                .iter()
                .map(|p| {
                    json!({"id": p.id, "summary": p.summary, "claims": p.claims, "parameters": (p.open.fields)(),
                        "source": p.source})
                })
                .collect(),
            ListKind::Reporting => report_rules()
                .iter()
                .map(|p| {
                    json!({"id": p.id, "summary": p.summary, "behaviour": p.behaviour.name(),
                        "parameters": (p.open.fields)(), "source": p.source})
                })
                .collect(),
            ListKind::Devices => devices()
                .iter()
                .map(|p| {
                    json!({"id": p.id, "summary": p.summary, "role": p.role.name(), "carbon": p.carbon.name(),
                        "parameters": (p.open.fields)(), "source": p.source})
                })
                .collect(),
            ListKind::Scenarios => LIBRARY.iter().map(|f| json!({"id": f.id, "summary": f.summary})).collect(),
            ListKind::Networks => BUILT_IN.iter().map(|n| json!({"id": n.id, "summary": n.summary})).collect(),
            ListKind::Metrics => METRICS.iter().map(column_json).collect(),
            ListKind::Figures => figures::KINDS
                .iter()
                .map(|k| json!({"id": k.name, "summary": k.shows, "metrics": k.metrics, "facets": k.facets}))
                .collect(),
            ListKind::Columns => {
                let columns = |table: Table| -> Value { table.columns().into_iter().map(column_json).collect() };
                Table::ALL.iter().map(|t| (t.name().to_owned(), columns(*t))).collect::<Map<_, _>>().into()
            }
        }
    }

    fn lines(self) -> String {
        match self {
            ListKind::Mechanisms => two_columns(mechanisms().iter().map(|p| (p.id, p.summary.to_owned()))),
            ListKind::Carbon => two_columns(policies().iter().map(|p| (p.id, p.summary.to_owned()))),
            ListKind::Reporting => two_columns(report_rules().iter().map(|p| (p.id, p.summary.to_owned()))),
            ListKind::Devices => two_columns(devices().iter().map(|p| (p.id, p.summary.to_owned()))),
            ListKind::Scenarios => two_columns(LIBRARY.iter().map(|f| (f.id, f.summary.to_owned()))),
            ListKind::Networks => two_columns(BUILT_IN.iter().map(|n| (n.id, n.summary.to_owned()))),
            ListKind::Metrics => two_columns(METRICS.iter().map(|c| (c.name, described(c)))),
            ListKind::Figures => two_columns(figures::KINDS.iter().map(|k| (k.name, shown(k)))),
            ListKind::Columns => {
                let section = |table: &Table| {
                    let columns = table.columns();
                    format!("{}\n{}", table.name(), two_columns(columns.iter().map(|c| (c.name, described(c)))))
                };
                Table::ALL.iter().map(section).collect::<Vec<_>>().join("\n")
            }
        }
    }
}

/// A column, and what it means.
pub fn column_json(column: &Column) -> Value {
    let kind = match column.kind {
        Kind::Text => "text",
        Kind::Number => "number",
        Kind::Integer => "integer",
    };
    json!({"id": column.name, "kind": kind, "unit": column.unit, "meaning": column.meaning, "equation": column.equation})
}

fn described(column: &Column) -> String {
    if column.unit.is_empty() { column.meaning.to_owned() } else { format!("{} [{}]", column.meaning, column.unit) }
}

/// A kind of figure: what it shows, and what the user may choose of it.
fn shown(kind: &figures::Kind) -> String {
    let metrics = (kind.metrics > 0).then(|| format!("up to {} metrics", kind.metrics));
    let chosen: Vec<String> = metrics.into_iter().chain(kind.facets.then(|| "facets".to_owned())).collect();
    let when = if kind.on_demand { "; drawn where it is asked for" } else { "" };
    if chosen.is_empty() {
        return format!("{}{when}", kind.shows);
    }
    format!("{} (to choose: {}){when}", kind.shows, chosen.join(", "))
}

/// Lines of an id and what it is.
fn two_columns<'a>(rows: impl Iterator<Item = (&'a str, String)>) -> String {
    let rows: Vec<_> = rows.collect();
    let width = rows.iter().map(|r| r.0.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (id, summary) in rows {
        writeln!(text, "  {id:width$}  {summary}").expect("writing to a string");
    }
    text
}
