//! Figures in the page: which kind belongs to which section, and each with its caption and its files.

use super::html::Html;
use super::panel::Panel;
use super::{Page, paragraph};
use crate::draw::Named;
use crate::export::{Format, drawing};
use crate::text::unmarked;

/// Bytes of drawings in a page; what does not fit is linked to.
const MOST_BYTES: usize = 4_000_000;

/// Kinds of the section on cost and emissions.
const COST: [&str; 7] =
    ["cost_and_emissions", "change", "cost_emissions_plane", "budget_and_efficiency", "sweep", "ranks", "sensitivity"];
pub(super) const GAINS: [&str; 6] = ["benefit", "distribution", "gain_split", "core", "interim_utility", "regret"];
pub(super) const CARBON: [&str; 2] = ["carbon_payers", "abatement"];
const OPERATION: [&str; 6] = ["profiles", "dispatch", "state_of_charge", "duration", "trades", "supply_and_demand"];
pub(super) const NETWORK: [&str; 5] =
    ["voltage", "branch_loading", "carbon_intensity", "carbon_flow", "price_decomposition"];
pub(super) const CLAIMS: [&str; 1] = ["claims"];
pub(super) const CONVERGENCE: [&str; 1] = ["convergence"];

pub(super) fn cost(page: &Page, _: &[Panel], html: &mut Html) {
    if figures(page, &|kind| COST.contains(&kind), html) == 0 {
        paragraph(html, "No figure: there is nothing to compare.");
    }
}

/// Of kinds that no other section has, too.
pub(super) fn operation(page: &Page, panels: &[Panel], html: &mut Html) {
    let elsewhere: [&[&str]; 6] = [&COST, &GAINS, &CARBON, &NETWORK, &CONVERGENCE, &CLAIMS];
    let is_here = |kind: &str| !elsewhere.iter().any(|kinds| kinds.contains(&kind));
    let mut count = drawn(page, &|kind| OPERATION.contains(&kind), html);
    count += drawn(page, &|kind| is_here(kind) && !OPERATION.contains(&kind), html);
    not_drawn(page, &is_here, html);
    super::operation::write(page, panels, html);
    if count == 0 {
        paragraph(html, "No figure: there are no profiles over time.");
    }
}

/// Writes the figures of some kinds and what is not drawn of them; how many there are.
pub(super) fn figures(page: &Page, of: &dyn Fn(&str) -> bool, html: &mut Html) -> usize {
    let count = drawn(page, of, html);
    not_drawn(page, of, html);
    count
}

/// Writes the figures of some kinds, those of one kind as a choice; how many there are.
fn drawn(page: &Page, of: &dyn Fn(&str) -> bool, html: &mut Html) -> usize {
    let mut kinds: Vec<&str> = vec![];
    for named in page.about.pictures.iter().filter(|named| of(named.kind)) {
        if !kinds.contains(&named.kind) {
            kinds.push(named.kind);
        }
    }
    let mut count = 0;
    for kind in kinds {
        let drawn: Vec<&Named> = page.about.pictures.iter().filter(|named| named.kind == kind).collect();
        let choice: &[(&str, &str)] = &[("class", "choice"), ("data-choice", "Picture")];
        html.open("div", if drawn.len() > 1 { choice } else { &[] });
        for named in &drawn {
            figure(page, named, html);
        }
        html.close();
        count += drawn.len();
    }
    count
}

/// Says which kinds were not drawn, and why.
fn not_drawn(page: &Page, of: &dyn Fn(&str) -> bool, html: &mut Html) {
    let skipped: Vec<_> = page.about.skipped.iter().filter(|skipped| of(&skipped.figure)).collect();
    if !skipped.is_empty() {
        html.open("details", &[]).element("summary", &[], "Not drawn").open("ul", &[]);
        for skipped in skipped {
            let words = format!("{} of {}: {}", skipped.figure, skipped.scenario, skipped.reason);
            html.element("li", &[], &words);
        }
        html.close().close();
    }
}

fn figure(page: &Page, named: &Named, html: &mut Html) {
    let (title, caption) = (unmarked(&named.picture.title), unmarked(&named.picture.caption));
    let id = format!("figure-{}", named.stem);
    html.open("figure", &[("id", &id), ("class", "option"), ("data-option", &title), ("data-stem", &named.stem)]);
    let canvas = &named.picture.canvas;
    let svg = drawing(canvas, &title);
    if html.len() + svg.len() > MOST_BYTES {
        paragraph(html, "This figure is not in the page, which would become too large: its files are in `figures`.");
    } else {
        // Wide figures scroll where the page is narrow: shrunk, nobody could read them.
        let class = if canvas.width > 300.0 { "scroll wide" } else { "scroll" };
        html.open("div", &[("class", class), ("role", "region"), ("aria-label", &title), ("tabindex", "0")])
            .raw(&svg)
            .close();
    }
    html.open("figcaption", &[]).element("b", &[], &format!("{title}.")).say(" ").say(caption.trim()).say(" ");
    html.open("span", &[("class", "files")]);
    let formats = Format::ALL.map(Format::extension).into_iter().chain(["csv", "tex"]);
    for extension in formats {
        let file = format!("{}.{extension}", named.stem);
        if page.about.files.contains(&file) {
            let words = extension.to_uppercase();
            html.element("a", &[("href", &format!("figures/{}", in_address(&file)))], &words).say(" ");
        }
    }
    html.element(
        "a",
        &[("class", "here"), ("href", &format!("#{}", in_address(&id))), ("aria-label", "Link to this figure")],
        "#",
    );
    html.close().close().close();
}

/// A file name in an address: what is not plain is written by its bytes.
fn in_address(name: &str) -> String {
    use std::fmt::Write as _;
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    name.bytes().fold(String::new(), |mut out, b| {
        let _ = if is_plain(b) { write!(out, "{}", char::from(b)) } else { write!(out, "%{b:02X}") };
        out
    })
}
