//! `coase new`: what it writes is right as it stands.

use crate::support::{coase, folder, status, stderr};
use std::process::Command;

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
fn a_new_auction_is_the_example_and_is_built_beside_coase() {
    let folder = folder("new_auction");
    let output = new(&folder, "auction", "village-auction");
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    let read = |file: &str| std::fs::read_to_string(folder.join("village-auction").join(file)).unwrap();
    assert!(read("src/village_auction.rs").contains("register!(VillageAuction, \"village-auction\", Auction,"));
    assert!(read("src/main.rs").contains("mod village_auction;") && read("src/main.rs").matches("mod ").count() == 1);
    assert!(read("experiment.ron").contains("VillageAuction(k: 0.5)"));
    assert!(read("Cargo.toml").starts_with("# An auction in a crate of its own"));
    // The versions of Coase's own dependencies, and its folder of built files.
    let own = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock")).unwrap();
    assert_eq!(read("Cargo.lock"), own);
    let config = folder.join("village-auction/.cargo/config.toml");
    assert!(!config.exists() || std::fs::read_to_string(config).unwrap().contains("/target\""));
}

#[test]
fn a_new_policy_is_the_example_under_its_own_name() {
    let folder = folder("new_policy");
    // A name with that of the example in it is not renamed twice.
    for (name, module, camel) in
        [("village-tax", "village_tax", "VillageTax"), ("my-exempted-tax", "my_exempted_tax", "MyExemptedTax")]
    {
        let output = new(&folder, "policy", name);
        assert_eq!(status(&output), 0, "{}", stderr(&output));
        let read = |file: &str| std::fs::read_to_string(folder.join(name).join(file)).unwrap();
        let source = read(&format!("src/{module}.rs"));
        assert!(source.contains(&format!("register_policy!(Modified<{camel}>, \"{name}\"")), "{source}");
        assert!(source.contains(&format!("impl Rule for {camel} {{")), "{source}");
        let main = read("src/main.rs");
        assert!(main.contains(&format!("mod {module};")) && !main.contains("posted_price"), "{main}");
        let manifest = read("Cargo.toml");
        assert!(manifest.contains(&format!("name = \"{name}\"")) && !manifest.contains("../"), "{manifest}");
        assert!(read("experiment.ron").contains(&format!("{camel}(price_per_tonne: 60, exempt_kg: 100)")));
    }
}

#[test]
fn a_new_device_is_the_example_under_its_own_name() {
    let folder = folder("new_device");
    let output = new(&folder, "device", "big-boiler");
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    let read = |file: &str| std::fs::read_to_string(folder.join("big-boiler").join(file)).unwrap();
    let source = read("src/big_boiler.rs");
    assert!(source.contains("register_device!(BigBoiler, \"big-boiler\""), "{source}");
    assert!(source.contains("impl Device for BigBoiler {"), "{source}");
    let main = read("src/main.rs");
    assert!(
        main.contains("mod big_boiler;") && !main.contains("posted_price") && !main.contains("exempted_tax"),
        "{main}"
    );
    assert!(read("Cargo.toml").contains("A device in a crate of its own"));
    assert!(read("experiment_scenario.ron").contains("BigBoiler(p_max_kw: 60"));
    assert!(read("experiment.ron").contains("NashBargaining(weights: Equal)"));
}

#[test]
fn taken_and_reserved_names_are_refused_with_the_reason() {
    let folder = folder("new_reserved");
    std::fs::create_dir(folder.join("fair-price")).unwrap();
    std::fs::write(folder.join("fee"), "").unwrap();
    for (kind, name, reason) in [
        ("mechanism", "match", "word of Rust"),
        ("policy", "self", "word of Rust"),
        ("mechanism", "gen", "word of Rust"),
        ("mechanism", "nash-bargaining", "a mechanism `nash-bargaining` already"),
        ("policy", "nash-bargaining", "a mechanism `nash-bargaining` already"),
        ("mechanism", "tax", "a carbon policy `tax` already"),
        ("policy", "none", "a carbon policy `none` already"),
        ("policy", "some", "something else"),
        ("mechanism", "market", "something else"),
        ("mechanism", "vec", "something else"),
        ("policy", "modified", "something else"),
        ("mechanism", "main", "something else"),
        ("mechanism", "coase-core", "something else"),
        ("mechanism", "serde", "something else"),
        ("mechanism", "test", "Cargo"),
        ("policy", "build", "Cargo"),
        ("mechanism", "con", "Windows"),
        ("device", "storage", "a device `storage` already"),
        ("mechanism", "pv", "a device `pv` already"),
        ("device", "part", "something else"),
        ("scenario", "LPT1", "Windows"),
        ("scenario", "three_vpp", "in the library"),
        ("mechanism", "a-1", "joined by `-`"),
        ("policy", "Village", "joined by `-`"),
        ("mechanism", "fair-price", "there already"),
        ("policy", "fee", "there already"),
    ] {
        let output = new(&folder, kind, name);
        assert_eq!(status(&output), 2, "{kind} {name}");
        assert!(stderr(&output).contains(reason), "{kind} {name}: {}", stderr(&output));
    }
    assert_eq!(status(&new(&folder, "scenario", &"s".repeat(300))), 2);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2, "nothing was written");
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
