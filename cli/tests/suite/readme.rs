//! README and book say what is there, and the code in them is the code.
//!
//! `BLESS=1 cargo test --test suite readme -- --test-threads=1` writes the tables anew.

use crate::support::{coase, folder, status, stderr};
use coase as _;
use coase_core::declaration::{Declaration, Parameter};
use coase_core::mechanism::{Plugin, mechanisms};
use coase_core::participant::{DevicePlugin, devices};
use coase_core::policy::{Modifiers, PolicyPlugin, policies};
use std::path::{Path, PathBuf};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const REFERENCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/reference.md");
const SCENARIOS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/scenarios.md");

fn page(name: &str) -> String {
    std::fs::read_to_string(Path::new(ROOT).join(name)).unwrap()
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
fn table_is(path: &str, heading: &str, rows: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    let section = text.find(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no section {heading}"));
    let start = section + text[section..].find("|---").unwrap();
    let start = start + text[start..].find('\n').unwrap() + 1;
    let end = start + text[start..].find("\n\n").unwrap() + 1;
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, format!("{}{rows}{}", &text[..start], &text[end..])).unwrap();
        return;
    }
    assert!(&text[start..end] == rows, "the table under {heading} should be (BLESS=1 writes it):\n{rows}");
}

#[test]
fn the_tables_are_the_registry() {
    table_is(REFERENCE, "Mechanisms", &mechanism_rows());
    table_is(REFERENCE, "Carbon policies", &policy_rows());
    table_is(REFERENCE, "Modifiers of every carbon policy", &optional_rows(&Modifiers::declaration()));
    table_is(REFERENCE, "Scenario library", &library_rows());
    table_is(REFERENCE, "Devices", &device_rows());
    table_is(SCENARIOS, "Columns of CSV files", &csv_rows());
}

#[test]
fn the_example_is_the_file() {
    for file in [
        include_str!("../../../examples/outside_plugin/src/posted_price.rs"),
        include_str!("../../../examples/outside_plugin/src/k_double_auction.rs"),
        include_str!("../../../examples/outside_plugin/src/exempted_tax.rs"),
        include_str!("../../../examples/outside_plugin/src/main.rs"),
    ] {
        assert!(page("docs/extending.md").contains(&format!("```rust\n{}\n```", file.trim_end())));
    }
}

#[test]
fn every_built_in_network_is_named() {
    for network in coase_core::network::BUILT_IN {
        assert!(page("docs/reference.md").contains(&format!("`{}`", network.id)), "{}", network.id);
    }
}

/// Every whole scenario and experiment of the book is one: written out, with the table that it reads, it passes the check.
#[test]
fn scenarios_and_experiments_of_the_book_pass_the_check() {
    let folder = folder("book");
    let rows: Vec<String> = (0..24).map(|hour| (f64::from(hour) / 24.0).to_string()).collect();
    std::fs::write(folder.join("sun.csv"), format!("pv\n{}\n", rows.join("\n"))).unwrap();
    let book = page("docs/scenarios.md");
    let mut checked = 0;
    for snippet in book.split("```ron\n").skip(1).filter_map(|rest| rest.split_once("```")).map(|(snippet, _)| snippet)
    {
        let is_scenario = snippet.starts_with("Scenario(");
        assert!(is_scenario || snippet.starts_with("Experiment("), "a snippet that is no whole file:\n{snippet}");
        // Experiments of the book name the scenario before them.
        let path = folder.join(if is_scenario { "my_village.ron" } else { "study.ron" });
        std::fs::write(&path, snippet).unwrap();
        let output = coase(&["check", path.to_str().unwrap()]);
        assert_eq!(status(&output), 0, "{}\n{snippet}", stderr(&output));
        checked += 1;
    }
    assert!(checked >= 3, "{checked}");
}

/// Links within the repository lead somewhere.
#[test]
fn no_link_is_broken() {
    let mut pages: Vec<PathBuf> =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(PathBuf::from).to_vec();
    for entry in std::fs::read_dir(Path::new(ROOT).join("docs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "md") {
            pages.push(Path::new("docs").join(path.file_name().unwrap()));
        }
    }
    for name in pages {
        let text = std::fs::read_to_string(Path::new(ROOT).join(&name)).unwrap();
        let folder = Path::new(ROOT).join(name.parent().unwrap());
        for target in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target) {
            let target = target.split('#').next().unwrap();
            let is_local = !target.is_empty() && !target.contains("://") && !target.contains(char::is_whitespace);
            assert!(!is_local || folder.join(target).exists(), "{}: {target}", name.display());
        }
    }
}

/// The README names every page of results, and nothing that is none.
#[test]
fn the_readme_names_every_page_of_results() {
    let readme = page("README.md");
    for entry in std::fs::read_dir(Path::new(ROOT).join("docs/pages")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(readme.contains(&format!("(docs/{name})")), "{name}");
    }
}

/// Papers name the program by version and source revision.
#[test]
fn the_version_tells_the_source_revision() {
    let output = coase(&["--version"]);
    let said = crate::support::stdout(&output);
    let version = env!("CARGO_PKG_VERSION");
    assert!(said.starts_with(&format!("coase {version} (source revision ")), "{said}");
    assert!(page("CITATION.cff").contains(&format!("version: {version}\n")));
}
