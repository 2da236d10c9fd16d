//! Notes what source the program is built from: results of another are not taken for its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Everything that a result depends on, seen from the root of the source.
const SOURCES: [&str; 14] = [
    "Cargo.lock",
    "Cargo.toml",
    "cli/Cargo.toml",
    "cli/src",
    "core/Cargo.toml",
    "core/networks",
    "core/src",
    "mechanisms/Cargo.toml",
    "mechanisms/src",
    "plots/src",
    "scenarios/Cargo.toml",
    "scenarios/src",
    "scenarios/store/Cargo.toml",
    "scenarios/store/src",
];

fn main() {
    let root = Path::new("..");
    println!("cargo:rerun-if-changed=build.rs");
    // It grows with every commit and checkout; a source without it is one that is not under version control.
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo:rerun-if-changed={log}");
    }
    for path in SOURCES.iter().map(|path| root.join(path)).filter(|path| path.exists()) {
        println!("cargo:rerun-if-changed={}", path.display());
    }
    let changed = [&["--no-optional-locks", "-C", "..", "status", "--porcelain", "--"], SOURCES.as_slice()].concat();
    // Within somebody else's repository the source is not under version control.
    let head = git(&["ls-files", "--error-unmatch", "../Cargo.toml"]).and_then(|_| git(&["rev-parse", "HEAD"]));
    let revision = match (head, git(&changed)) {
        (Some(revision), Some(changed)) if changed.is_empty() => revision,
        (Some(revision), _) => format!("{revision}-changed-{}", hash_of_sources(root)),
        (None, _) => format!("unversioned-{}", hash_of_sources(root)),
    };
    println!("cargo:rustc-env=COASE_SOURCE_REVISION={revision}");
}

fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok().map(|text| text.trim().to_owned())
}

/// A hash of names and contents (Fowler, Noll and Vo's 1a, 64 bits).
fn hash_of_sources(root: &Path) -> String {
    let mut files = vec![];
    for path in SOURCES {
        collect(&root.join(path), &mut files);
    }
    files.sort();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |bytes: &[u8]| {
        for byte in bytes {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for file in files {
        add(file.to_string_lossy().replace('\\', "/").as_bytes());
        add(&[0]);
        add(&fs::read(&file).unwrap_or_default());
    }
    format!("{hash:016x}")
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    match fs::read_dir(path) {
        Ok(entries) => entries.flatten().for_each(|entry| collect(&entry.path(), files)),
        Err(_) if path.is_file() => files.push(path.to_owned()),
        Err(_) => {}
    }
}
