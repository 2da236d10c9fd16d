//! `coase new`: commented starting points that run as they are written.

use crate::Finish;
use crate::args::{New, NewKind};
use crate::console;
use anyhow::{Context, ensure};
use coase_core::open::camel_case;
use std::fmt::Write;
use std::path::{Path, PathBuf};

const SCENARIO: &str = include_str!("../templates/scenario.ron");
const EXPERIMENT: &str = include_str!("../templates/experiment.ron");
/// The starting point of a mechanism is the example of a crate outside the workspace.
const MECHANISM: &str = include_str!("../../examples/outside_plugin/src/posted_price.rs");
const MECHANISM_MAIN: &str = include_str!("../../examples/outside_plugin/src/main.rs");
const MECHANISM_MANIFEST: &str = include_str!("../../examples/outside_plugin/Cargo.toml");

/// Writes the files of a starting point into the current folder; never over a file that is there.
pub fn new(args: &New) -> anyhow::Result<Finish> {
    let name = args.name.as_str();
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    ensure!(
        name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(fits),
        "`{name}` cannot be a name: a letter first, then letters, digits, `-` and `_`"
    );
    let files = match args.kind {
        NewKind::Scenario => vec![(PathBuf::from(format!("{name}.ron")), SCENARIO.replace("NAME", name))],
        NewKind::Experiment => vec![
            (PathBuf::from(format!("{name}.ron")), EXPERIMENT.replace("NAME", name)),
            (PathBuf::from(format!("{name}_scenario.ron")), SCENARIO.replace("NAME", &format!("{name}_scenario"))),
        ],
        NewKind::Mechanism => mechanism(name)?,
    };
    for (path, _) in &files {
        ensure!(!path.exists(), "`{}` is there already", path.display());
    }
    let mut report = String::new();
    for (path, text) in &files {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
        }
        std::fs::write(path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
        writeln!(report, "wrote {}", path.display())?;
    }
    match args.kind {
        NewKind::Mechanism => {
            writeln!(report, "try: cd {name} && cargo run --release -- run experiment.ron")?;
        }
        _ => writeln!(report, "try: coase run {name}.ron")?,
    }
    console::print(&report);
    Ok(Finish::Done)
}

/// A crate with one mechanism and a program, and an experiment that runs it.
fn mechanism(name: &str) -> anyhow::Result<Vec<(PathBuf, String)>> {
    ensure!(
        name.split('-').all(|word| {
            word.starts_with(|c: char| c.is_ascii_lowercase())
                && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        }),
        "`{name}` cannot be the id of a mechanism: words of small letters and digits, joined by `-`"
    );
    let module = name.replace('-', "_");
    let renamed = |text: &str| {
        text.replace("posted_price", &module).replace("posted-price", name).replace("PostedPrice", &camel_case(name))
    };
    // Where this program was built from: the new crate depends on it by path.
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    let manifest = MECHANISM_MANIFEST
        .replace("outside-plugin", name)
        .replace("path = \"../../", &format!("path = \"{}/", home.display()));
    let experiment = EXPERIMENT
        .replace("NAME", "experiment")
        .replace("NashBargaining(weights: Equal),", &format!("{}(share: 0.5),", camel_case(name)));
    let folder = Path::new(name);
    Ok(vec![
        (folder.join("Cargo.toml"), manifest),
        (folder.join("src/main.rs"), renamed(MECHANISM_MAIN)),
        (folder.join(format!("src/{module}.rs")), renamed(MECHANISM)),
        (folder.join("experiment.ron"), experiment),
        (folder.join("experiment_scenario.ron"), SCENARIO.replace("NAME", "experiment_scenario")),
    ])
}
