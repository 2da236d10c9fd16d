//! What was claimed and what was found: by claim and mechanism, the refuted ones first with what shows them.

use super::figures::{CLAIMS, figures};
use super::html::Html;
use super::panel::Panel;
use super::parts::{run_cells, run_columns};
use super::table::{Cell, Column, Table};
use super::{Page, name, paragraph};
use std::collections::BTreeMap;

/// Refuted claims that are told one by one.
const MOST: usize = 100;
/// Worst first.
const VERDICTS: [&str; 4] = ["refuted", "not_searched", "upheld", "not_applicable"];

pub(super) fn write(page: &Page, _: &[Panel], html: &mut Html) {
    // By claim and mechanism, how many runs had which verdict.
    let mut found: BTreeMap<&str, BTreeMap<usize, [usize; 4]>> = BTreeMap::new();
    for (run, evidence) in page.evidence.iter().enumerate() {
        let Some(m) = page.identity.mechanism(&page.store.runs[run].variant) else { continue };
        for row in &evidence.claims {
            let Some(verdict) = VERDICTS.iter().position(|verdict| *verdict == row.verdict) else { continue };
            found.entry(&row.name).or_default().entry(m).or_default()[verdict] += 1;
        }
    }
    if found.is_empty() {
        return paragraph(html, "Nothing was claimed.");
    }
    paragraph(
        html,
        "Upheld: what was searched does not refute it, which proves nothing. Not searched: the experiment's `evidence` did not ask \
         for it. Numbers are runs; the worst verdict of all stands first.",
    );
    refuted(page, html);
    let mut claims: Vec<(&str, &BTreeMap<usize, [usize; 4]>)> = found.iter().map(|(name, by)| (*name, by)).collect();
    let is_refuted = |by: &BTreeMap<usize, [usize; 4]>| by.values().any(|counts| counts[0] > 0);
    claims.sort_by_key(|(_, by)| !is_refuted(by));
    let mechanisms: Vec<usize> = (0..page.identity.mechanisms.len()).collect();
    html.open(
        "div",
        &[("class", "scroll"), ("role", "region"), ("aria-label", "Claims by mechanism"), ("tabindex", "0")],
    );
    html.open("table", &[("class", "verdicts")]).element("caption", &[], "Claims by mechanism, refuted ones first.");
    html.open("thead", &[]).open("tr", &[]).element("th", &[("scope", "col")], "Claim");
    for m in &mechanisms {
        html.element("th", &[("scope", "col")], &name(page.mechanism(*m)));
    }
    html.close().close().open("tbody", &[]);
    for (claim, by) in claims {
        html.open("tr", &[]).element("th", &[("scope", "row")], &claim.replace('_', " "));
        for m in &mechanisms {
            let Some(counts) = by.get(m) else {
                html.element("td", &[("class", "none")], "\u{2013}");
                continue;
            };
            let worst = counts.iter().position(|n| *n > 0).unwrap_or(3);
            let class = VERDICTS[worst].replace('_', "-");
            let told = VERDICTS.iter().zip(counts).filter(|(_, n)| **n > 0);
            let told: Vec<String> = told.map(|(verdict, n)| format!("{} {n}", verdict.replace('_', " "))).collect();
            html.element("td", &[("class", &class)], &told.join(", "));
        }
        html.close();
    }
    html.close().close().close();
    figures(page, &|kind| CLAIMS.contains(&kind), html);
}

fn refuted(page: &Page, html: &mut Html) {
    let all: Vec<_> =
        page.evidence.iter().enumerate().flat_map(|(run, e)| e.refuted().map(move |row| (run, row))).collect();
    if all.is_empty() {
        return paragraph(html, "No claim is refuted.");
    }
    let row = |(run, row): &(usize, &crate::store::CertificateRow)| {
        let mut cells = run_cells(page, *run);
        cells.extend([
            Cell::Words(row.name.replace('_', " ")),
            Cell::Number(row.value),
            Cell::Number(row.tolerance),
            Cell::Words(row.witness.clone()),
        ]);
        cells.extend(page.about.again.get(*run).map(|command| Cell::Code(command.clone())));
        (String::new(), cells)
    };
    let mut columns = run_columns();
    columns.push(Column::filter("Claim"));
    columns.extend([Column::number("Found", ""), Column::number("Allowed", ""), Column::words("Where")]);
    columns.extend((!page.about.again.is_empty()).then(|| Column::words("Shown again by")));
    let many = if all.len() > MOST { format!(": {MOST} of {}", all.len()) } else { String::new() };
    let rows = all.iter().take(MOST).map(row).collect();
    let caption = format!("Refuted{many}. Every row is a row of `certificates.csv`.");
    Table { id: "table-refuted".to_owned(), caption, columns, rows }.write(html);
    paragraph(
        html,
        "Commands are meant for the folder of these results, and write into the folder `again`: its `certificates.csv` has the same \
         rows. A search for further counter-examples: `coase audit resolved.ron --mechanism LABEL`.",
    );
}
