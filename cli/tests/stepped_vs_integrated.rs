//! The page on stepped and integrated carbon pricing says what its experiment finds.
//!
//! `BLESS=1 cargo test -p coase --test stepped_vs_integrated` writes its tables anew.

mod support;

use coase as _;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use support::{coase, column, folder, status, stderr};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/stepped_vs_integrated.md");
const EXPERIMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/library/stepped_vs_integrated.ron");

const MECHANISMS: [&str; 3] = ["grid-only", "mid-market-rate", "nash-bargaining"];
const CELLS: [&str; 8] = [
    "retail",
    "retail + tax",
    "retail + ladder",
    "nodal",
    "nodal + tax",
    "nodal + ladder",
    "integrated tax",
    "integrated ladder",
];

/// Differences of cells, by what makes them.
const PARTS: [(&str, &str, &str); 9] = [
    ("the nodal price, without carbon", "nodal", "retail"),
    ("the nodal price, under the tax", "nodal + tax", "retail + tax"),
    ("the nodal price, under the ladder", "nodal + ladder", "retail + ladder"),
    ("the tax, at the retail tariff", "retail + tax", "retail"),
    ("the tax, at the nodal price", "nodal + tax", "nodal"),
    ("carbon in the nodal price", "integrated tax", "nodal"),
    ("steps instead of a tax, at the retail tariff", "retail + ladder", "retail + tax"),
    ("steps instead of a tax, at the nodal price", "nodal + ladder", "nodal + tax"),
    ("steps instead of a tax, with carbon in the nodal price", "integrated ladder", "integrated tax"),
];

/// Stepped against integrated pricing, and the two steps between them.
const DIRECT: [(&str, &str, &str); 4] = [
    ("`integrated tax` instead of `retail + ladder`", "integrated tax", "retail + ladder"),
    ("`integrated ladder` instead of `retail + ladder`", "integrated ladder", "retail + ladder"),
    ("of both, the tariff's part: `nodal + ladder` instead of `retail + ladder`", "nodal + ladder", "retail + ladder"),
    (
        "of the second, carbon's part: `integrated ladder` instead of `nodal + ladder`",
        "integrated ladder",
        "nodal + ladder",
    ),
];

/// Figures of the experiment, by mechanism and cell.
struct Study {
    values: BTreeMap<(String, String, &'static str), f64>,
}

const COLUMNS: [&str; 6] = ["emissions_kg", "total_cost", "carbon_revenue", "carbon_cost", "social_cost", "loss_kwh"];

impl Study {
    fn read(store: &Path) -> Self {
        let (mechanisms, cells) = (column(store, "runs", "mechanism"), column(store, "runs", "carbon_label"));
        let mut values = BTreeMap::new();
        for name in COLUMNS {
            for (k, cell) in column(store, "runs", name).iter().enumerate() {
                values.insert((mechanisms[k].clone(), cells[k].clone(), name), cell.parse().unwrap());
            }
        }
        Self { values }
    }

    fn of(&self, mechanism: &str, cell: &str, column: &'static str) -> f64 {
        self.values[&(mechanism.to_owned(), cell.to_owned(), column)]
    }

    /// A figure of every cell under every mechanism.
    fn cells(&self, column: &'static str) -> String {
        rows("cell", &CELLS.map(|cell| (cell, MECHANISMS.map(|m| whole(self.of(m, cell, column))))))
    }

    /// Differences of a figure between cells.
    fn parts(&self, parts: &[(&'static str, &str, &str)], column: &'static str) -> String {
        let row = |&(what, with, without): &(&'static str, &str, &str)| {
            (what, MECHANISMS.map(|m| signed(self.of(m, with, column) - self.of(m, without, column))))
        };
        rows("what changes", &parts.iter().map(row).collect::<Vec<_>>())
    }
}

fn rows(first: &str, rows: &[(&str, [String; 3])]) -> String {
    let mut table =
        format!("| {first} | {} |\n|---|{}\n", MECHANISMS.map(|m| format!("`{m}`")).join(" | "), "---:|".repeat(3));
    for (name, cells) in rows {
        let _ = writeln!(table, "| {name} | {} |", cells.join(" | "));
    }
    table
}

fn whole(x: f64) -> String {
    let digits = format!("{:.0}", x.abs());
    let grouped = digits.as_bytes().rchunks(3).rev().map(|c| std::str::from_utf8(c).unwrap());
    let sign = if x < -0.5 { "-" } else { "" };
    format!("{sign}{}", grouped.collect::<Vec<_>>().join(","))
}

fn signed(x: f64) -> String {
    if x > 0.5 { format!("+{}", whole(x)) } else { whole(x) }
}

/// The table under a marker is this one; with `BLESS` set, it becomes it.
fn table_is(marker: &str, table: &str) {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let marker = format!("<!-- {marker} -->\n");
    let start = page.find(&marker).unwrap_or_else(|| panic!("no marker {marker}")) + marker.len();
    let end = start + page[start..].find("\n\n").map_or(page.len() - start, |end| end + 1);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(PAGE, format!("{}{table}{}", &page[..start], &page[end..])).unwrap();
        return;
    }
    assert!(&page[start..end] == table, "under {marker} should stand (BLESS=1 writes it):\n{table}");
}

#[test]
fn the_page_says_what_the_experiment_finds() {
    let folder = folder("stepped_vs_integrated");
    let store = folder.join("results");
    let output = coase(&["run", EXPERIMENT, "--quiet", "--out", store.to_str().unwrap()]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    let study = Study::read(&store);
    table_is("emissions", &study.cells("emissions_kg"));
    table_is("emissions by part", &study.parts(&PARTS, "emissions_kg"));
    table_is("stepped against integrated", &study.parts(&DIRECT, "emissions_kg"));
    table_is("cost", &study.cells("total_cost"));
    table_is("cost by part", &study.parts(&PARTS, "total_cost"));
    table_is("revenue", &study.cells("carbon_revenue"));
    table_is("social cost", &study.cells("social_cost"));
}
