//! Which names a starting point may have: on every system, in Rust, and beside what there is.

use super::used_names;
use crate::args::NewKind;
use anyhow::ensure;
use coase_core::engine::report_rules;
use coase_core::mechanism::mechanisms;
use coase_core::open::{camel_case, is_id};
use coase_core::participant::devices;
use coase_core::policy::policies;
use coase_scenarios::LIBRARY;

/// Words of Rust, which no module can be called.
const KEYWORDS: [&str; 52] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod",
    "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true",
    "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield", "union",
];
/// Names that Cargo or the compiler keeps for itself.
const CARGO: [&str; 8] = ["test", "core", "alloc", "proc_macro", "deps", "build", "examples", "incremental"];
/// Names that the language, or the format of files, gives a meaning to.
const PRELUDE: [&str; 14] = [
    "Self", "Some", "None", "Ok", "Err", "Option", "Result", "Vec", "String", "Box", "Default", "Clone", "Copy",
    "Debug",
];
/// Names that Windows keeps for devices, whatever their ending.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// Refuses a name with the reason.
pub(super) fn check(kind: NewKind, name: &str) -> anyhow::Result<()> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    ensure!(
        name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(fits),
        "`{name}` cannot be a name: a letter first, then letters, digits, `-` and `_`"
    );
    ensure!(name.len() <= 64, "`{name}` cannot be a name: at most 64 letters");
    let lower = name.to_ascii_lowercase();
    let is_port =
        |port: &str| lower.strip_prefix(port).is_some_and(|n| n.len() == 1 && n != "0" && n.parse::<u8>().is_ok());
    ensure!(
        !DEVICES.contains(&lower.as_str()) && !is_port("com") && !is_port("lpt"),
        "`{name}` cannot be a name: Windows keeps it for a device"
    );
    match kind {
        NewKind::Scenario | NewKind::Experiment => {
            ensure!(
                !LIBRARY.iter().any(|file| file.id == name),
                "`{name}` is in the library (`coase list scenarios`): take another name"
            );
        }
        NewKind::Mechanism | NewKind::Auction | NewKind::Policy | NewKind::Device => check_plugin(kind, name)?,
    }
    Ok(())
}

fn check_plugin(kind: NewKind, name: &str) -> anyhow::Result<()> {
    let what = match kind {
        NewKind::Policy => "carbon policy",
        NewKind::Device => "device",
        _ => "mechanism",
    };
    ensure!(
        is_id(name),
        "`{name}` cannot be the id of a {what}: words of small letters and digits that begin with a letter, joined by `-`"
    );
    ensure!(
        !mechanisms().iter().any(|plugin| plugin.id == name),
        "there is a mechanism `{name}` already: take another name"
    );
    ensure!(
        !policies().iter().any(|plugin| plugin.id == name),
        "there is a carbon policy `{name}` already: take another name"
    );
    ensure!(
        !report_rules().iter().any(|plugin| plugin.id == name),
        "there is a report rule `{name}` already: take another name"
    );
    ensure!(!devices().iter().any(|plugin| plugin.id == name), "there is a device `{name}` already: take another name");
    let (module, camel) = (name.replace('-', "_"), camel_case(name));
    ensure!(!KEYWORDS.contains(&module.as_str()), "`{name}` cannot be the name of a plugin: it is a word of Rust");
    ensure!(!CARGO.contains(&module.as_str()), "`{name}` cannot be the name of a plugin: Cargo keeps it for itself");
    ensure!(
        !PRELUDE.contains(&camel.as_str()) && !used_names(kind).any(|used| used == module || used == camel),
        "`{name}` cannot be the name of a plugin: its code uses that name for something else"
    );
    Ok(())
}
