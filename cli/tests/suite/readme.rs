//! The README says what is there, and the code in it is the code.
//!
//! `BLESS=1 cargo test -p coase --test readme` writes the tables anew.

use coase as _;
use coase_core::declaration::{Declaration, Parameter};
use coase_core::mechanism::{Plugin, mechanisms};
use coase_core::participant::{DevicePlugin, devices};
use coase_core::policy::{Modifiers, PolicyPlugin, policies};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");

fn readme() -> String {
    std::fs::read_to_string(PATH).unwrap()
}

fn or_dash(words: &str) -> &str {
    if words.is_empty() { "-" } else { words }
}

fn mechanism_rows() -> String {
    let row = |plugin: &'static Plugin| {
        let claim = |(claim, condition): &(coase_core::Claim, &str)| {
            let name = claim.name().replace('_', " ");
            if condition.is_empty() { name } else { format!("{name} (if {condition})") }
        };
        let claims = plugin.claims.iter().map(claim).collect::<Vec<_>>().join("; ");
        let family = format!("{:?}", plugin.family).to_lowercase();
        let (id, summary) = (plugin.id, plugin.summary);
        let own = parameters(&plugin.open.declaration().parameters, &[]);
        format!("| `{id}` | {family} | {summary} | {own} | {} | {} |\n", or_dash(&claims), or_dash(plugin.source))
    };
    mechanisms().into_iter().map(row).collect()
}

fn policy_rows() -> String {
    let row = |plugin: &'static PolicyPlugin| {
        let claims = plugin.claims.join("; ");
        let (id, summary) = (plugin.id, plugin.summary);
        let shared: Vec<String> = Modifiers::declaration().parameters.into_iter().map(|p| p.name).collect();
        let own = parameters(&plugin.open.declaration().parameters, &shared);
        format!("| `{id}` | {summary} | {own} | {} | {} |\n", or_dash(&claims), or_dash(plugin.source))
    };
    policies().into_iter().map(row).collect()
}

fn device_rows() -> String {
    let row = |plugin: &'static DevicePlugin| {
        format!("| `{}` | {} | {} | {} |\n", plugin.id, plugin.summary, plugin.role.name(), plugin.carbon.name())
    };
    devices().into_iter().map(row).collect()
}

/// Names of parameters.
fn parameters(all: &[Parameter], left_out: &[String]) -> String {
    let own = all.iter().filter(|p| !left_out.contains(&p.name)).map(|p| format!("`{}`", p.name));
    or_dash(&own.collect::<Vec<_>>().join(", ")).to_owned()
}

/// Parameters that may be left out, with their meanings.
fn optional_rows(of: &Declaration) -> String {
    let cell = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let row = |p: &Parameter| {
        let words: Vec<String> = p.variants.iter().map(|v| format!("`{}` ({})", v.name, cell(&v.meaning))).collect();
        let takes = if words.is_empty() { p.allowed() } else { words.join(" ") };
        let default = p.default.as_ref().filter(|d| !d.is_null()).map_or_else(|| "-".to_owned(), ToString::to_string);
        format!("| `{}` | {} | {takes} | {} |\n", p.name, cell(&p.meaning), default.replace('"', ""))
    };
    of.parameters.iter().filter(|p| !p.required).map(row).collect()
}

fn csv_rows() -> String {
    optional_rows(&coase_scenarios::forms().into_iter().find(|(name, _)| *name == "Csv").unwrap().1)
}

fn library_rows() -> String {
    let row = |file: &coase_scenarios::LibraryFile| format!("| `{}` | {} |\n", file.id, file.summary);
    coase_scenarios::LIBRARY.iter().map(row).collect()
}

/// The rows under a heading are those of the registry; with `BLESS` set, they become it.
fn table_is(heading: &str, rows: &str) {
    let readme = readme();
    let section = readme.find(&format!("\n### {heading}\n")).unwrap_or_else(|| panic!("no section {heading}"));
    let start = section + readme[section..].find("|---").unwrap();
    let start = start + readme[start..].find('\n').unwrap() + 1;
    let end = start + readme[start..].find("\n\n").unwrap() + 1;
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(PATH, format!("{}{rows}{}", &readme[..start], &readme[end..])).unwrap();
        return;
    }
    assert!(&readme[start..end] == rows, "the table under {heading} should be (BLESS=1 writes it):\n{rows}");
}

#[test]
fn the_tables_are_the_registry() {
    table_is("Mechanisms", &mechanism_rows());
    table_is("Carbon policies", &policy_rows());
    table_is("Modifiers of every carbon policy", &optional_rows(&Modifiers::declaration()));
    table_is("Scenario library", &library_rows());
    table_is("Devices", &device_rows());
    table_is("Columns of CSV files", &csv_rows());
}

#[test]
fn the_example_is_the_file() {
    for file in [
        include_str!("../../../examples/outside_plugin/src/posted_price.rs"),
        include_str!("../../../examples/outside_plugin/src/exempted_tax.rs"),
        include_str!("../../../examples/outside_plugin/src/main.rs"),
    ] {
        assert!(readme().contains(&format!("```rust\n{}\n```", file.trim_end())));
    }
}

#[test]
fn every_built_in_network_is_named() {
    for network in coase_core::network::BUILT_IN {
        assert!(readme().contains(&format!("`{}`", network.id)), "{}", network.id);
    }
}
