//! `coase bundle` and `coase verify`: results that travel with a paper, and their check on another machine.
//!
//! A bundle is a compressed archive of what was run, of the tables that came out, and of a hash of every file. The check runs the
//! experiment again with the program at hand and compares the tables byte for byte.

mod archive;
mod compared;

use crate::args::{Bundle, Run, Tables, Verify};
use crate::cite;
use crate::console;
use crate::{Finish, run};
use anyhow::{Context, bail};
use coase_core::record::Table;
use coase_store::Store;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// The list of hashes, in the form of `sha256sum`.
const HASHES: &str = "SHA256SUMS";

/// Packs results.
pub fn bundle(args: &Bundle) -> anyhow::Result<Finish> {
    let store = Store::open(&args.folder)?;
    let held = store.hold()?;
    let manifest = store.manifest()?;
    let name = store.dir().canonicalize().ok().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    let name = name.unwrap_or_else(|| manifest.experiment.clone());
    let mut files = results(store.dir())?;
    files.push(("references.bib".into(), cite::of_store(&store)?.into_bytes()));
    files.push(("README.txt".into(), how(&manifest).into_bytes()));
    files.sort();
    let hashes =
        files.iter().fold(String::new(), |all, (path, bytes)| all + &archive::hash(bytes) + "  " + path + "\n");
    files.push((HASHES.into(), hashes.into_bytes()));
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("{name}.tar.gz")));
    archive::pack(&out, &name, &files)?;
    drop(held);
    let at = out.display();
    console::print(&format!("{} files in {at}; coase verify {at} runs them again\n", files.len()));
    Ok(Finish::Done)
}

/// The files of a store that are the same wherever it is made: what was run, and what came out.
fn results(folder: &Path) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let mut names: Vec<String> = vec!["manifest.json".into(), "resolved.ron".into()];
    for table in Table::ALL {
        names.push(format!("{}.csv", table.name()));
    }
    let mut files = vec![];
    for name in names {
        let path = folder.join(&name);
        let bytes = std::fs::read(&path).with_context(|| {
            format!(
                "{}: cannot be read; a bundle needs a finished experiment with all tables (`coase collect {}`)",
                path.display(),
                folder.display()
            )
        })?;
        files.push((name, bytes));
    }
    for (below, ends) in [("tables", &["csv", "tex", "md"][..]), ("figures", &["pdf", "md"][..])] {
        let Ok(entries) = std::fs::read_dir(folder.join(below)) else { continue };
        for entry in entries {
            let path = entry?.path();
            let end = path.extension().and_then(|end| end.to_str()).unwrap_or_default();
            if let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|_| ends.contains(&end)) {
                files.push((format!("{below}/{name}"), std::fs::read(&path)?));
            }
        }
    }
    Ok(files)
}

/// What whoever unpacks it must know.
fn how(manifest: &coase_store::Manifest) -> String {
    let mut text =
        format!("Results of the experiment \"{}\", made by Coase {}", manifest.experiment, manifest.program_version);
    if let Some(revision) = &manifest.source_revision {
        let _ = write!(text, " (source revision {revision})");
    }
    text + ".\n\nresolved.ron    the experiment, every default written out: coase run resolved.ron\n\
            manifest.json   versions, seeds, hashes, and choices that a reader must know\n\
            *.csv           the tables; columns: coase list columns\n\
            tables, figures what a paper prints\n\
            references.bib  what the results rest on\n\
            SHA256SUMS      sha256sum -c SHA256SUMS\n\n\
            coase verify FILE.tar.gz runs the experiment again and compares the tables byte for byte.\n"
}

/// Runs a bundle again.
pub fn verify(args: &Verify) -> anyhow::Result<Finish> {
    let unpacked = archive::unpack(&args.file)?;
    let scratch = Scratch::new(args.out.as_deref())?;
    let find = |name: &str| unpacked.iter().find(|(path, _)| path == name).map(|(_, bytes)| bytes.as_slice());
    let Some(hashes) = find(HASHES).and_then(|bytes| std::str::from_utf8(bytes).ok()) else {
        bail!("{}: no bundle: it has no file {HASHES}; `coase bundle DIR` packs one", args.file.display());
    };
    let damaged = archive::damaged(hashes, &unpacked);
    let resolved = find("resolved.ron").with_context(|| format!("{}: it has no resolved.ron", args.file.display()))?;
    let file = scratch.folder.join("resolved.ron");
    std::fs::write(&file, resolved).with_context(|| format!("{}: cannot be written", file.display()))?;
    let again = scratch.folder.join("again");
    let ran = run::run(&Run {
        file,
        out: Some(again.clone()),
        jobs: args.jobs,
        fresh: true,
        retry_failed: false,
        is_dry: false,
        quiet: true,
        shard: None,
        set: vec![],
        tables: Tables::default(),
    })?;
    if matches!(ran, Finish::Interrupted(_)) {
        return Ok(ran);
    }
    let mut text = String::new();
    let mut is_same = damaged.is_empty();
    for file in &damaged {
        let _ = writeln!(text, "{file}: not the file that was packed");
    }
    for table in Table::ALL {
        let name = format!("{}.csv", table.name());
        let packed = find(&name).with_context(|| format!("{}: it has no {name}", args.file.display()))?;
        let made = std::fs::read(again.join(&name)).with_context(|| format!("{name} was not made again"))?;
        let found = compared::tables(packed, &made);
        is_same &= found.is_none();
        let _ = writeln!(text, "{name}: {}", found.unwrap_or_else(|| "the same, byte for byte".to_owned()));
    }
    console::print(&text);
    if !is_same {
        let manifest: Option<coase_store::Manifest> =
            find("manifest.json").and_then(|bytes| serde_json::from_slice(bytes).ok());
        let packed = manifest.and_then(|manifest| manifest.source_revision).unwrap_or_else(|| "unknown".to_owned());
        let own = run::of_this_build()?.source_revision.unwrap_or_else(|| "unknown".to_owned());
        if packed != own {
            console::print(&format!("it was made by source revision {packed}, this program is of {own}\n"));
        }
    }
    Ok(if is_same { Finish::Done } else { Finish::SomeFailed })
}

/// A folder to work in, removed in the end where nobody named it.
struct Scratch {
    folder: PathBuf,
    is_own: bool,
}

impl Scratch {
    fn new(named: Option<&Path>) -> anyhow::Result<Self> {
        let own = || std::env::temp_dir().join(format!("coase-verify-{}", std::process::id()));
        let folder = named.map_or_else(own, Path::to_owned);
        std::fs::create_dir_all(&folder).with_context(|| format!("{}: cannot be made", folder.display()))?;
        Ok(Self { folder, is_own: named.is_none() })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.is_own {
            // What is left in a folder for passing files harms nobody.
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}
