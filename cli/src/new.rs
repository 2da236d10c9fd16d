//! `coase new`: commented starting points that run as they are written.

mod names;

use crate::Finish;
use crate::args::{New, NewKind};
use crate::console;
use anyhow::{Context, ensure};
use coase_core::open::camel_case;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

const SCENARIO: &str = include_str!("../templates/scenario.ron");
const EXPERIMENT: &str = include_str!("../templates/experiment.ron");
/// The starting points of plugins are those of the example of a crate outside the workspace.
const MECHANISM: &str = include_str!("../../examples/outside_plugin/src/posted_price.rs");
const AUCTION: &str = include_str!("../../examples/outside_plugin/src/k_double_auction.rs");
const POLICY: &str = include_str!("../../examples/outside_plugin/src/exempted_tax.rs");
const DEVICE: &str = include_str!("../../examples/outside_plugin/src/hydrogen_plant.rs");
const MAIN: &str = include_str!("../../examples/outside_plugin/src/main.rs");
const MANIFEST: &str = include_str!("../../examples/outside_plugin/Cargo.toml");

/// Writes the files of a starting point into the current folder; never over a file that is there.
pub fn new(args: &New) -> anyhow::Result<Finish> {
    let name = args.name.as_str();
    names::check(args.kind, name)?;
    let files = match args.kind {
        NewKind::Scenario => vec![(PathBuf::from(format!("{name}.ron")), SCENARIO.replace("NAME", name))],
        NewKind::Experiment => vec![
            (PathBuf::from(format!("{name}.ron")), EXPERIMENT.replace("NAME", name)),
            (PathBuf::from(format!("{name}_scenario.ron")), SCENARIO.replace("NAME", &format!("{name}_scenario"))),
        ],
        NewKind::Mechanism | NewKind::Auction | NewKind::Policy | NewKind::Device => plugin(begin(args.kind), name),
    };
    let is_crate = !matches!(args.kind, NewKind::Scenario | NewKind::Experiment);
    let crate_folder = is_crate.then(|| Path::new(name));
    for path in files.iter().map(|file| file.0.as_path()).chain(crate_folder) {
        ensure!(path.symlink_metadata().is_err(), "`{}` is there already", path.display());
    }
    write(&files, crate_folder)?;
    let mut report = String::new();
    for (path, _) in &files {
        writeln!(report, "wrote {}", path.display())?;
    }
    if is_crate {
        if !source().join("core/Cargo.toml").is_file() {
            writeln!(
                report,
                "note: change the paths in Cargo.toml: the source of Coase is not at {}",
                source().display()
            )?;
        }
        writeln!(report, "try: cd {name} && cargo run --release -- run experiment.ron")?;
    } else {
        writeln!(report, "try: coase run {name}.ron")?;
    }
    console::print(&report);
    Ok(Finish::Done)
}

/// Writes all files, or none.
fn write(files: &[(PathBuf, String)], folder: Option<&Path>) -> anyhow::Result<()> {
    let mut written = vec![];
    let mut write = || -> anyhow::Result<()> {
        for (path, text) in files {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
            }
            let mut file = fs::File::create_new(path).with_context(|| format!("cannot write `{}`", path.display()))?;
            written.push(path);
            std::io::Write::write_all(&mut file, text.as_bytes())
                .with_context(|| format!("cannot write `{}`", path.display()))?;
        }
        Ok(())
    };
    let result = write();
    if result.is_err() {
        // What could be written of it is of no use; the folder was not there before.
        for path in written {
            let _ = fs::remove_file(path);
        }
        if let Some(folder) = folder {
            let _ = fs::remove_dir_all(folder);
        }
    }
    result
}

/// The part of the example that a crate with one plugin begins with.
struct PluginCrate {
    source: &'static str,
    /// Module, id and type.
    module: &'static str,
    id: &'static str,
    camel: &'static str,
    /// The file with an example of its use, `experiment` or `scenario`, and what it stands in the place of there.
    used_in: &'static str,
    replaced: &'static str,
    parameters: &'static str,
    what: &'static str,
}

const MECHANISM_CRATE: PluginCrate = PluginCrate {
    source: MECHANISM,
    module: "posted_price",
    id: "posted-price",
    camel: "PostedPrice",
    used_in: "experiment",
    replaced: "NashBargaining(weights: Equal),",
    parameters: "(share: 0.5),",
    what: "A mechanism",
};

const AUCTION_CRATE: PluginCrate = PluginCrate {
    source: AUCTION,
    module: "k_double_auction",
    id: "k-double-auction",
    camel: "KDoubleAuction",
    used_in: "experiment",
    replaced: "NashBargaining(weights: Equal),",
    parameters: "(k: 0.5),",
    what: "An auction",
};

const POLICY_CRATE: PluginCrate = PluginCrate {
    source: POLICY,
    module: "exempted_tax",
    id: "exempted-tax",
    camel: "ExemptedTax",
    used_in: "experiment",
    replaced: "(label: \"tax-120\", policy: Tax(price_per_tonne: 120)),",
    parameters: "(price_per_tonne: 60, exempt_kg: 100),",
    what: "A carbon policy",
};

const DEVICE_CRATE: PluginCrate = PluginCrate {
    source: DEVICE,
    module: "hydrogen_plant",
    id: "hydrogen-plant",
    camel: "HydrogenPlant",
    used_in: "scenario",
    replaced: "Shiftable(share: 0.1, cost_per_kwh: 0.01),",
    parameters: "(p_max_kw: 60, hydrogen_kg_per_h: 0.4),",
    what: "A device",
};

/// What a crate with a plugin of a kind begins with.
fn begin(kind: NewKind) -> &'static PluginCrate {
    match kind {
        NewKind::Auction => &AUCTION_CRATE,
        NewKind::Policy => &POLICY_CRATE,
        NewKind::Device => &DEVICE_CRATE,
        NewKind::Mechanism | NewKind::Scenario | NewKind::Experiment => &MECHANISM_CRATE,
    }
}

/// A crate with one plugin and a program, and an experiment that runs it.
fn plugin(begin: &PluginCrate, name: &str) -> Vec<(PathBuf, String)> {
    let (module, camel) = (name.replace('-', "_"), camel_case(name));
    // One pass: what was put in is not replaced again.
    let renamed = |text: &str| {
        let marks = [(begin.module, "\u{1}"), (begin.id, "\u{2}"), (begin.camel, "\u{3}")];
        let marked = marks.iter().fold(text.to_owned(), |text, (from, mark)| text.replace(from, mark));
        marked.replace('\u{1}', &module).replace('\u{2}', name).replace('\u{3}', &camel)
    };
    let home = source().display().to_string().replace('\\', "/");
    let manifest = MANIFEST
        .replace(
            "Mechanisms, a carbon policy and a device in a crate of their own",
            &format!("{} in a crate of its own", begin.what),
        )
        .replace("outside-plugin", name)
        .replace("path = \"../../", &format!("path = \"{home}/"));
    let is_other = |line: &str| line.starts_with("mod ") && line != format!("mod {};", begin.module);
    let main: String = MAIN.lines().filter(|line| !is_other(line)).flat_map(|line| [line, "\n"]).collect();
    let main = main.replace("the plugins of this crate", "the plugin of this crate");
    let used = |file: &str, text: String| {
        if begin.used_in == file { text.replace(begin.replaced, &format!("{camel}{}", begin.parameters)) } else { text }
    };
    let experiment = used("experiment", EXPERIMENT.replace("NAME", "experiment"));
    let scenario = used("scenario", SCENARIO.replace("NAME", "experiment_scenario"));
    let folder = Path::new(name);
    let mut files = vec![
        (folder.join("Cargo.toml"), manifest),
        (folder.join("src/main.rs"), renamed(&main)),
        (folder.join(format!("src/{module}.rs")), renamed(begin.source)),
        (folder.join("experiment.ron"), experiment),
        (folder.join("experiment_scenario.ron"), scenario),
    ];
    // With the versions of Coase's own dependencies and its folder of built files, only Coase itself is compiled again.
    if let Ok(versions) = fs::read_to_string(source().join("Cargo.lock")) {
        files.push((folder.join("Cargo.lock"), versions));
    }
    if source().join("target").is_dir() {
        files.push((folder.join(".cargo/config.toml"), SHARED_TARGET.replace("HOME", &home)));
    }
    files
}

/// Where a new crate is built.
const SHARED_TARGET: &str = "\
# Built where Coase was built: what both need is compiled once. Take this file away to build in a folder `target` here.
[build]
target-dir = \"HOME/target\"
";

/// Where this program was built from: a new crate depends on it by path.
fn source() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// Names that the code of a starting point uses: of types, and of crates and modules.
fn used_names(kind: NewKind) -> impl Iterator<Item = &'static str> {
    let begin = begin(kind);
    let words = |text: &'static str| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let types = words(begin.source).filter(|word| word.starts_with(|c: char| c.is_ascii_uppercase()));
    types.filter(|word| *word != begin.camel).chain(["coase", "coase_core", "schemars", "serde", "std", "main", "lib"])
}
