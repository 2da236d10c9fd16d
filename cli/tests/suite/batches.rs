//! The roads of `docs/batches.md`, taken from the page as they stand there. Those that need a program that is not installed here
//! say that they are skipped.
#![cfg(unix)]

use crate::support::{coase, file, folder, status, stderr};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The block of the page in a language that contains a word.
fn block(language: &str, word: &str) -> String {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/batches.md")).unwrap();
    let fence = format!("```{language}\n");
    let blocks = page.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned());
    let mut found: Vec<String> = blocks.filter(|block| block.contains(word)).collect();
    assert_eq!(found.len(), 1, "one block of {language} with {word}");
    found.remove(0)
}

/// A folder with a study of six runs, and what an undisturbed run finds.
struct Place {
    at: PathBuf,
    whole: PathBuf,
}

impl Place {
    fn new(name: &str) -> Self {
        let at = folder(name);
        let path = file(
            &at,
            "my_study.ron",
            "Experiment(scenarios: [\"three_vpp.ron\"], mechanisms: [\"grid-only\", \"mid-market-rate\"], carbon: [\"none\"],
                sweep: [(path: \"scenario.grid.sell_price_per_kwh\", values: [0.3, 0.35, 0.4])])",
        );
        let whole = at.join("whole");
        let output = coase(&["run", &path, "--quiet", "--out", whole.to_str().unwrap()]);
        assert_eq!(status(&output), 0, "{}", stderr(&output));
        Self { at, whole }
    }

    /// A command in the folder that finds `coase`.
    fn command(&self, program: &str) -> Command {
        let own = Path::new(env!("CARGO_BIN_EXE_coase")).parent().unwrap().to_owned();
        let mut command = Command::new(program);
        command.current_dir(&self.at).env("PATH", format!("{}:{}", own.display(), std::env::var("PATH").unwrap()));
        command.env("HOME", &self.at);
        command
    }

    fn ended_well(&self, output: &Output) {
        let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), stderr(output));
        assert_eq!(status(output), 0, "{told}");
        for table in ["runs", "participants", "periods", "trades", "certificates", "convergence", "ledger", "curves"] {
            for ending in ["csv", "parquet"] {
                let read = |store: &Path| fs::read(store.join(format!("{table}.{ending}"))).unwrap();
                assert!(
                    read(&self.at.join("results/my_study")) == read(&self.whole),
                    "{table}.{ending} differs: {told}"
                );
            }
        }
        assert!(self.at.join("results/my_study/figures/captions.md").is_file());
    }
}

fn is_there(program: &str, args: &[&str]) -> bool {
    let is_there = Command::new(program).args(args).output().is_ok_and(|output| output.status.success());
    if !is_there {
        println!("skipped: `{program} {}` does not work here", args.join(" "));
    }
    is_there
}

#[test]
fn several_processes() {
    let place = Place::new("batches_processes");
    place.ended_well(&place.command("sh").args(["-ec", &block("sh", "xargs")]).output().unwrap());
}

#[test]
fn snakemake() {
    if !is_there("snakemake", &["--version"]) {
        return;
    }
    let place = Place::new("batches_snakemake");
    fs::write(place.at.join("Snakefile"), block("snakemake", "rule part")).unwrap();
    let config = ["--cores", "2", "--config", "study=my_study.ron", "out=results/my_study", "shards=3"];
    place.ended_well(&place.command("snakemake").args(config).output().unwrap());
}

#[test]
fn dask() {
    if !is_there("python3", &["-c", "import dask.distributed"]) {
        return;
    }
    let place = Place::new("batches_dask");
    fs::write(place.at.join("parts.py"), block("python", "dask")).unwrap();
    let args = ["parts.py", "my_study.ron", "results/my_study", "3"];
    place.ended_well(&place.command("python3").args(args).output().unwrap());
}
