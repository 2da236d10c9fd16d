//! The layers of the house, read from its sources: a module uses what lies below it, and files of one room do not use each
//! other in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Modules of this crate from the ground up; those of one line do not use each other.
const LAYERS: &[&[&str]] = &[
    &["units", "random", "words"],
    &["declaration", "statistics"],
    &["open", "series"],
    &["quoted", "macro_support"],
    &["linear", "network"],
    &["program", "power_flow", "carbon_flow"],
    &["opf", "setting", "coalition", "population", "cournot", "variational"],
    &["terms", "book"],
    &["participant", "outcome"],
    &["market", "context"],
    &["physical"],
    &["policy"],
    &["error"],
    &["auction", "curve", "game"],
    &["learning"],
    &["pricing"],
    &["plain_game"],
    &["mechanism"],
    &["engine", "repair"],
    &["table"],
    &["evaluate"],
    &["record", "reporting"],
];

/// A module, by its path from the root of its crate.
type Module = Vec<String>;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The modules of a crate with the modules of the same crate that each names, tests left out.
fn imports(source: &Path) -> BTreeMap<Module, BTreeSet<Module>> {
    let mut texts = BTreeMap::new();
    read(source, &mut vec![], &mut texts);
    let others = |module: &Module, text: &str| -> BTreeSet<Module> {
        let paths = named(module, text).into_iter().filter_map(|path| nearest(&texts, path));
        paths.filter(|other| other != module).collect()
    };
    texts.iter().map(|(module, text)| (module.clone(), others(module, text))).collect()
}

fn read(folder: &Path, at: &mut Module, texts: &mut BTreeMap<Module, String>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if ["tests", "testing", "examples", "properties", "main"].contains(&stem.as_str()) {
            continue;
        }
        if path.is_dir() {
            at.push(stem);
            read(&path, at, texts);
            at.pop();
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            let code: String = text.lines().map(|line| line.split("//").next().unwrap().to_owned() + "\n").collect();
            let inner = (stem != "mod" && stem != "lib").then_some(stem);
            texts.insert(at.iter().cloned().chain(inner).collect(), code);
        }
    }
}

/// Every path that a text takes from the root of the crate or from a module above.
fn named(module: &Module, text: &str) -> Vec<Module> {
    let mut found = vec![];
    for (start, _) in text.match_indices("crate::").chain(text.match_indices("super::")) {
        let before = &text[..start];
        if before.ends_with("super::") || before.ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let mut rest = &text[start..];
        let mut base = module.clone();
        if let Some(after) = rest.strip_prefix("crate::") {
            (base, rest) = (vec![], after);
        }
        while let Some(after) = rest.strip_prefix("super::") {
            base.pop();
            rest = after;
        }
        for path in listed(rest) {
            found.push(base.iter().cloned().chain(path).collect());
        }
    }
    found
}

/// The paths of `a::b::C` or `{a::B, c::{D, E}}`, each down to its first brace.
fn listed(text: &str) -> Vec<Module> {
    let path = |text: &str| -> Module {
        let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(text.len());
        text[..end].split("::").filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let Some(group) = text.strip_prefix('{') else { return vec![path(text)] };
    let (mut found, mut depth, mut from) = (vec![], 1, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 || (depth == 1 && c == ',') {
            found.push(path(group[from..at].trim_start()));
            from = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    found
}

/// The module that a path ends in: an item belongs to the module that it is named in.
fn nearest<T>(all: &BTreeMap<Module, T>, mut path: Module) -> Option<Module> {
    while !path.is_empty() && !all.contains_key(&path) {
        path.pop();
    }
    (!path.is_empty()).then_some(path)
}

/// The height of a module's room, where it has one.
fn height(module: &Module) -> Option<usize> {
    let room = module.first()?;
    Some(LAYERS.iter().position(|layer| layer.contains(&room.as_str())).unwrap_or_else(|| {
        panic!("module `{room}` has no place in the layers: enter it in `LAYERS`, above all that it uses")
    }))
}

#[test]
fn no_module_of_core_uses_one_above_or_beside_it() {
    let mut up = vec![];
    for (module, others) in imports(&workspace().join("core/src")) {
        for other in others.iter().filter(|other| module.first() != other.first()) {
            if let (Some(here), Some(there)) = (height(&module), height(other))
                && there >= here
            {
                up.push(format!("{} uses {}", module.join("::"), other.join("::")));
            }
        }
    }
    assert!(up.is_empty(), "{}", up.join("\n"));
}

#[test]
fn files_of_one_room_do_not_use_each_other_in_a_circle() {
    let mut loops = vec![];
    for package in ["core", "core/testkit", "mechanisms", "scenarios", "scenarios/store", "plots", "cli"] {
        let all = imports(&workspace().join(package).join("src"));
        let rooms: BTreeSet<Module> = all.keys().filter(|m| !m.is_empty()).map(|m| m[..m.len() - 1].to_vec()).collect();
        for room in rooms {
            let mut beside: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
            let within = |m: &Module| m.len() > room.len() && m.starts_with(&room);
            for (module, others) in all.iter().filter(|(m, _)| within(m)) {
                let here = module[room.len()].as_str();
                let others = others.iter().filter(|m| within(m)).map(|m| m[room.len()].as_str());
                beside.entry(here).or_default().extend(others.filter(|there| *there != here));
            }
            loops.extend(circle(&beside).map(|files| format!("{package}: {}::{{{files}}}", room.join("::"))));
        }
    }
    assert!(loops.is_empty(), "{}", loops.join("\n"));
}

/// Files that are left when those that use none of the others are taken away, again and again.
fn circle(beside: &BTreeMap<&str, BTreeSet<&str>>) -> Option<String> {
    let mut left = beside.clone();
    loop {
        let names: BTreeSet<&str> = left.keys().copied().collect();
        let count = left.len();
        left.retain(|_, others| others.iter().any(|other| names.contains(other)));
        if left.is_empty() {
            return None;
        }
        if left.len() == count {
            return Some(left.into_keys().collect::<Vec<_>>().join(", "));
        }
    }
}

/// The dependencies of a package, or those of its tests.
fn manifest(package: &str, table: &str) -> String {
    let manifest = fs::read_to_string(workspace().join(package).join("Cargo.toml")).unwrap();
    let after = manifest.split_once(&format!("\n[{table}]\n")).map(|(_, after)| after.to_owned());
    after.unwrap_or_default().split("\n[").next().unwrap().to_owned()
}

#[test]
fn mechanisms_scenarios_and_plots_do_not_know_each_other() {
    let packages = ["coase-mechanisms", "coase-scenarios", "coase-plots", "coase "];
    for (folder, own) in [("mechanisms", 0), ("scenarios", 1), ("plots", 2), ("core", 3)] {
        let dependencies = manifest(folder, "dependencies");
        assert!(!dependencies.is_empty(), "a table of dependencies");
        for (k, package) in packages.iter().enumerate().filter(|(k, _)| *k != own) {
            let known = dependencies
                .lines()
                .any(|line| line.starts_with(package.trim_end()) && (k < 3 || line.starts_with("coase ")));
            assert!(!known, "{folder} depends on {package}");
        }
    }
}

#[test]
fn what_tests_share_is_part_of_no_program() {
    let all = ["core", "core/testkit", "mechanisms", "scenarios", "scenarios/store", "plots", "cli", "benches"];
    for package in all {
        assert!(!manifest(package, "dependencies").contains("coase-testkit"), "{package}");
        assert!(manifest("core", "dev-dependencies").contains("coase-testkit"));
    }
    let known = manifest("core/testkit", "dependencies");
    let others = known.lines().filter(|line| line.starts_with("coase") && !line.starts_with("coase-core"));
    assert_eq!(others.count(), 0, "{known}");
}

#[test]
fn the_reader_of_imports_sees_what_there_is() {
    let here = vec!["a".to_owned(), "b".to_owned()];
    let text = "use crate::x::{self, y::Z};\nuse super::c::D;\nuse super::super::e;\npub(in crate::a) fn f() { crate::g::h() }";
    let found: Vec<String> = named(&here, text).iter().map(|path| path.join("::")).collect();
    assert_eq!(found, ["x", "a", "g::h", "a::c::D", "e"]);
    let ring =
        BTreeMap::from([("a", BTreeSet::from(["b"])), ("b", BTreeSet::from(["a", "c"])), ("c", BTreeSet::new())]);
    assert_eq!(circle(&ring).as_deref(), Some("a, b"));
}
