//! `report.html`: one page that says what an experiment found, on what it rests and how to repeat it.
//!
//! The page is a single file without anything from elsewhere: figures are drawings in it, styles and script are its own. It can
//! be read without the script, which adds sorting, filters and choices. It is made of stored results alone, and of what a caller
//! knows besides ([`About`]): the same store gives the same bytes.
//!
//! Knows neither how a figure was computed nor which mechanisms exist, and writes no file.

mod answer;
mod claims;
mod compare;
mod data;
mod evidence;
mod feeder;
mod figures;
mod gallery;
mod head;
mod html;
mod matrix;
mod methods;
mod operation;
mod panel;
mod parts;
mod provenance;
mod runs;
mod table;

pub use answer::in_a_line as answer_in_a_line;
pub use compare::{Change, Changed, Comparison, Differing, compare, comparison_page};
pub use gallery::{Card, Gallery, Kind, Paper, Shown, gallery_page};
pub use methods::{Method, Parameter, Value};
pub use provenance::Network;

use crate::draw::{Named, Skipped};
use crate::identity::{Entity, Identity};
use crate::store::Store;
use crate::text::{number, unmarked};
use coase_store::Timing;
use evidence::Evidence;
use html::Html;
use panel::{Panel, Unit};
use std::collections::BTreeMap;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = concat!(include_str!("page.js"), include_str!("explore.js"), include_str!("gallery.js"));

/// What a page says that results do not hold.
#[derive(Clone, Debug, Default)]
pub struct About<'a> {
    /// The experiment with every default written out, in RON.
    pub resolved: Option<&'a str>,
    /// The mechanisms and policies that were run.
    pub methods: &'a [Method],
    /// The figures, and what was not drawn.
    pub pictures: &'a [Named],
    pub skipped: &'a [Skipped],
    /// Files in the folder `figures` beside the page, by their names: those are linked to.
    pub files: &'a [String],
    /// The time that runs took, by their ids, where the store knows it. It is part of the store: whoever runs the same again gets
    /// other times on the page, and whoever writes the page again gets the same.
    pub times: Option<&'a BTreeMap<String, Timing>>,
    /// By run in the order of the store: the command that makes it again.
    pub again: &'a [String],
    /// The networks that come with the program and were used.
    pub networks: &'a [Network],
    /// BibTeX of all that the results rest on.
    pub bibliography: &'a str,
}

/// What the sections are written from.
struct Page<'a> {
    store: &'a Store,
    identity: &'a Identity,
    about: &'a About<'a>,
    /// By run.
    evidence: Vec<Evidence>,
}

/// A section: its address, its title, and what writes it. One that has nothing to say says so.
struct Section {
    id: &'static str,
    title: &'static str,
    write: fn(&Page, &[Panel], &mut Html),
}

const SECTIONS: [Section; 13] = [
    Section { id: "answer", title: "Answer", write: answer::write },
    Section { id: "matrix", title: "Mechanisms and policies", write: matrix::write },
    Section { id: "runs", title: "All runs", write: runs::write },
    Section { id: "cost", title: "Cost and emissions", write: figures::cost },
    Section { id: "gains", title: "Gains", write: parts::gains },
    Section { id: "carbon", title: "Carbon", write: parts::carbon },
    Section { id: "operation", title: "Prices and operation", write: figures::operation },
    Section { id: "network", title: "Network", write: parts::network },
    Section { id: "claims", title: "Claims", write: claims::write },
    Section { id: "convergence", title: "Convergence", write: parts::convergence },
    Section { id: "failures", title: "Runs without an answer", write: parts::failures },
    Section { id: "methods", title: "Methods", write: methods::write },
    Section { id: "provenance", title: "Provenance", write: provenance::write },
];

/// The page of some results.
pub fn report(store: &Store, about: &About) -> String {
    let identity = Identity::of(store);
    let page = Page { store, identity: &identity, about, evidence: Evidence::all(store) };
    let panels = Panel::all(&page);
    let mut html = Html::default();
    let title = format!("{}: results", store.data().manifest().experiment);
    begin(&mut html, &title, &SECTIONS.map(|section| (section.id, section.title)));
    head::write(&page, &panels, &mut html);
    for section in &SECTIONS {
        open_section(&mut html, section.id, section.title);
        (section.write)(&page, &panels, &mut html);
        html.close();
    }
    finish(html)
}

/// The head of a page, its contents, and the beginning of what it says.
fn begin(html: &mut Html, title: &str, contents: &[(&str, &str)]) {
    html.raw("<!DOCTYPE html>\n").open("html", &[("lang", "en")]).open("head", &[]);
    html.open("meta", &[("charset", "utf-8")]);
    html.open("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")]);
    let policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; font-src data:; img-src 'self' file: data:";
    html.open("meta", &[("http-equiv", "Content-Security-Policy"), ("content", policy)]);
    html.element("title", &[], title);
    html.open("style", &[]).raw(STYLE).close().close();
    html.open("body", &[]).element("a", &[("class", "skip"), ("href", "#content")], "To the content");
    html.open("div", &[("class", "page")]);
    html.open("nav", &[("aria-label", "Contents")]).open("ul", &[]);
    for (id, title) in contents {
        html.open("li", &[]).element("a", &[("href", &format!("#{id}"))], title).close();
    }
    html.close().close();
    html.open("main", &[("id", "content")]);
}

fn finish(mut html: Html) -> String {
    html.close().close();
    html.open("script", &[]).raw(SCRIPT).close();
    html.finished()
}

fn open_section(html: &mut Html, id: &str, title: &str) {
    html.open("section", &[("id", id), ("aria-labelledby", &format!("{id}-title"))]);
    html.open("h2", &[("id", &format!("{id}-title"))]).say(title).say(" ");
    html.element("a", &[("class", "here"), ("href", &format!("#{id}")), ("aria-label", "Link to this section")], "#");
    html.close();
}

/// A paragraph.
fn paragraph(html: &mut Html, words: &str) {
    html.open("p", &[]).say_with_code(words).close();
}

impl Page<'_> {
    fn mechanism(&self, place: usize) -> &Entity {
        &self.identity.mechanisms[place]
    }

    fn policy(&self, place: usize) -> &Entity {
        &self.identity.policies[place]
    }

    /// The name of the currency of a scenario.
    fn currency(&self, scenario: &str) -> String {
        self.store.facts(scenario).currency.unwrap_or_else(|| "currency units".to_owned())
    }

    fn unit(&self, scenario: &str, unit: Unit) -> String {
        match unit {
            Unit::Money => self.currency(scenario),
            Unit::Kilograms => "kg".to_owned(),
            Unit::OfNominal => "p.u.".to_owned(),
            Unit::None => String::new(),
        }
    }

    /// Whether seeds change any figure.
    fn seeds_matter(&self) -> bool {
        let near = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * (1.0 + a.abs().max(b.abs())),
            (a, b) => a.is_none() && b.is_none(),
        };
        let mut first: BTreeMap<(&str, &str, &str, &[String]), usize> = BTreeMap::new();
        !self.store.runs.iter().enumerate().all(|(place, run)| {
            let key = (run.scenario.as_str(), run.variant.as_str(), run.carbon_label.as_str(), run.sweep.as_slice());
            let known = &self.store.runs[*first.entry(key).or_insert(place)];
            known.status == run.status && known.metrics.iter().zip(&run.metrics).all(|(a, b)| near(*a, *b))
        })
    }

    /// The mechanism that others are compared with, by its place.
    fn baseline(&self) -> Option<usize> {
        let told = self.identity.mechanism(&self.store.data().manifest().baseline);
        told.or_else(|| self.identity.mechanisms.iter().position(|m| m.id == "grid-only"))
    }
}

/// A name without markup.
fn name(entity: &Entity) -> String {
    unmarked(&entity.name)
}

/// A number with its unit.
fn with_unit(value: f64, decimals: usize, unit: &str) -> String {
    let written = number(value, decimals);
    if unit.is_empty() { written } else { format!("{written}\u{a0}{unit}") }
}

/// The change from one figure to another in per cent; none from nothing, or from a debt, which has no share.
fn per_cent(from: f64, to: f64) -> Option<String> {
    let share = 100.0 * (to / from - 1.0);
    let sign = if share > 0.0 { "+" } else { "" };
    (from > 1e-12 && to >= 0.0 && share.is_finite()).then(|| format!("{sign}{}\u{a0}%", number(share, 1)))
}

/// Names in a sentence, the first ones of many.
fn some(names: &[String], most: usize) -> String {
    if names.len() <= most {
        return crate::words::listed(names);
    }
    let rest = names.len() - most;
    format!("{} and {rest} {}", names[..most].join(", "), if rest == 1 { "other" } else { "others" })
}
