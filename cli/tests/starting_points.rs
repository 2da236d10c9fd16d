//! `coase new`: what it writes is right as it stands.

mod support;

use std::process::Command;
use support::{coase, folder, status, stderr};

fn new(folder: &std::path::Path, kind: &str, name: &str) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_coase")).args(["new", kind, name]).current_dir(folder).output().unwrap()
}

#[test]
fn new_scenarios_and_experiments_pass_the_check() {
    let folder = folder("new_files");
    for (kind, name) in [("scenario", "my_village"), ("experiment", "my-study")] {
        let output = new(&folder, kind, name);
        assert_eq!(status(&output), 0, "{}", stderr(&output));
        let path = folder.join(format!("{name}.ron"));
        let output = coase(&["check", path.to_str().unwrap()]);
        assert_eq!(status(&output), 0, "{name}: {}", stderr(&output));
    }
}

#[test]
fn a_new_mechanism_is_the_example_under_its_own_name() {
    let folder = folder("new_mechanism");
    let output = new(&folder, "mechanism", "fair-price");
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    let crate_folder = folder.join("fair-price");
    let source = std::fs::read_to_string(crate_folder.join("src/fair_price.rs")).unwrap();
    assert!(source.contains("register!(FairPrice, \"fair-price\""));
    assert!(std::fs::read_to_string(crate_folder.join("src/main.rs")).unwrap().contains("mod fair_price;"));
    let manifest = std::fs::read_to_string(crate_folder.join("Cargo.toml")).unwrap();
    assert!(manifest.contains("name = \"fair-price\"") && !manifest.contains("../"), "{manifest}");
    assert!(std::fs::read_to_string(crate_folder.join("experiment.ron")).unwrap().contains("FairPrice(share: 0.5)"));
}

#[test]
fn nothing_is_overwritten_and_names_are_names() {
    let folder = folder("new_refused");
    assert_eq!(status(&new(&folder, "scenario", "one")), 0);
    let again = new(&folder, "scenario", "one");
    assert_eq!(status(&again), 2);
    assert!(stderr(&again).contains("there already"));
    for (kind, name) in [("scenario", "../one"), ("scenario", "1st"), ("mechanism", "Bad"), ("mechanism", "a--b")] {
        assert_eq!(status(&new(&folder, kind, name)), 2, "{kind} {name}");
    }
}
