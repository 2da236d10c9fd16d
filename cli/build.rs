//! Notes the revision of the source, for the manifests of results.

use std::process::Command;

fn main() {
    let git = |args: &[&str]| {
        let output = Command::new("git").args(args).output().ok().filter(|o| o.status.success())?;
        String::from_utf8(output.stdout).ok().map(|text| text.trim().to_owned())
    };
    println!("cargo:rerun-if-changed=build.rs");
    // It grows with every commit and checkout; a source without it is one that is not under version control.
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo:rerun-if-changed={log}");
    }
    if let Some(revision) = git(&["rev-parse", "HEAD"]) {
        println!("cargo:rustc-env=COASE_SOURCE_REVISION={revision}");
    }
}
