//! `coase audit` through the binary: what it finds, and that the commands that it gives show what it found.

use crate::support::{coase, column, file, folder, json, status, stderr, stdout};
use coase as _; // links the plugins
use serde_json::Value;
use std::path::Path;
use std::process::Command;

fn finding<'a>(audit: &'a Value, name: &str) -> &'a Value {
    let all = audit["audits"][0]["findings"].as_array().expect("findings");
    all.iter().find(|found| found["claim"] == name).unwrap_or_else(|| panic!("no {name}: {audit}"))
}

/// Runs a command that the audit gave, as a shell does, with arguments behind it.
fn shell(command: &str, end: &str) -> std::process::Output {
    let rest = command.strip_prefix("coase ").unwrap_or_else(|| panic!("{command}"));
    let line = format!("{} {rest} {end}", env!("CARGO_BIN_EXE_coase"));
    Command::new("sh").args(["-c", &line]).output().expect("a shell")
}

fn gain(store: &Path, reporting: &str, participant: &str) -> f64 {
    let of = |table, name| column(store, table, name);
    let run = of("runs", "reporting").iter().position(|r| r == reporting).expect("a run");
    let id = of("runs", "run_id")[run].clone();
    let row = of("participants", "run_id")
        .iter()
        .zip(of("participants", "participant"))
        .position(|(run, who)| *run == id && who == participant);
    of("participants", "gain")[row.expect("a row")].parse().expect("a number")
}

#[test]
fn a_misreport_that_is_found_gains_as_much_when_it_is_run() {
    let audit = json(&["audit", "three_vpp", "--mechanism", "nash-bargaining", "--budget", "1500", "--json"], 0);
    let truthful = finding(&audit, "truthful");
    assert_eq!((truthful["verdict"].as_str(), truthful["declared"].as_bool()), (Some("measured"), Some(false)));
    let (value, witness) = (truthful["value"].as_f64().expect("a gain"), truthful["witness"].as_str().expect("words"));
    assert!(value >= 15.834, "{value}");
    let who = witness.split(' ').next().expect("a name");
    let out = folder("audit-run").join("out");
    let ran = shell(truthful["command"].as_str().expect("a command"), &format!("--quiet --out {}", out.display()));
    assert_eq!(status(&ran), 0, "{}", stderr(&ran));
    let more = gain(&out, "misreport", who) - gain(&out, "truthful", who);
    assert!((more - value).abs() < 1e-6 * value, "{more} instead of {value}");
}

/// Of a market that a report describes the same certificate is found again with `--as-if`.
#[test]
fn what_is_found_in_a_described_market_is_found_there_again() {
    let audit = json(&["audit", "three_vpp", "--mechanism", "bill-sharing", "--budget", "900", "--json"], 0);
    let loss = finding(&audit, "individual_rationality");
    let value = loss["value"].as_f64().expect("a loss");
    assert!(value > 1.0, "{loss}");
    let again = shell(loss["command"].as_str().expect("a command"), "--json");
    assert_eq!(status(&again), 0, "{}", stderr(&again));
    let again: Value = serde_json::from_slice(&again.stdout).expect("JSON");
    let found = finding(&again, "individual_rationality")["value"].as_f64().expect("a loss");
    assert!(found >= value * (1.0 - 1e-6), "{found} instead of {value}");
}

#[test]
fn an_audit_is_a_table_and_does_not_depend_on_the_threads() {
    let text = |jobs| {
        let args = ["audit", "three_vpp", "--mechanism", "uniform-price", "--budget", "600", "--jobs", jobs];
        let output = coase(&args);
        assert_eq!(status(&output), 0, "{}", stderr(&output));
        stdout(&output)
    };
    let one = text("1");
    assert_eq!(one, text("3"));
    for part in
        ["uniform-price under none in three_vpp", "truthful (not claimed)", "upheld", "coase run three_vpp --set"]
    {
        assert!(one.contains(part), "`{part}` is not in {one}");
    }
}

#[test]
fn what_cannot_be_audited_is_bad_input_or_said() {
    let refused = |args: &[&str], words: &str| {
        let output = coase(&[&["audit"], args].concat());
        assert_eq!(status(&output), 2, "{}", stdout(&output));
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
    };
    refused(&["three_vpp", "--mechanism", "uniform-prize"], "uniform-price");
    refused(&["three_vpp", "--as-if", "{\"vpp1\": (price: 2)}"], "--as-if");
    refused(&["three_vpp", "--as-if", "{\"vpp1\": (quantity_factor: -1)}"], "above 0");
    refused(&["no_such_file.ron"], "no_such_file");
    // A mechanism that needs what the scenario does not have.
    let unmet = coase(&["audit", "three_vpp", "--mechanism", "security-constrained"]);
    assert_eq!(status(&unmet), 1);
    assert!(stdout(&unmet).contains("nothing to audit: needs a network"), "{}", stdout(&unmet));
}

/// A file of one's own with two policies: the command selects one run of it.
#[test]
fn the_command_selects_the_run_it_is_about() {
    let folder = folder("audit-select");
    let study = r#"Experiment(scenarios: ["three_vpp"], mechanisms: ["grid-only", "mid-market-rate"], carbon: ["none", "tax"])"#;
    let path = file(&folder, "study.ron", study);
    let audit = json(&["audit", &path, "--mechanism", "mid-market-rate", "--budget", "300", "--json"], 0);
    let audits = audit["audits"].as_array().expect("audits");
    assert_eq!(audits.len(), 2);
    let commands: Vec<&str> = audits
        .iter()
        .flat_map(|a| a["findings"].as_array().expect("findings"))
        .filter_map(|f| f["command"].as_str())
        .collect();
    let run = commands.iter().find(|c| c.contains("\"tax\"") && c.starts_with("coase run")).expect("a command");
    let out = folder.join("out");
    let ran = shell(run, &format!("--quiet --out {}", out.display()));
    assert_eq!(status(&ran), 0, "{}", stderr(&ran));
    assert_eq!(column(&out, "runs", "reporting"), ["truthful", "misreport"]);
    assert_eq!(column(&out, "runs", "carbon_label"), ["tax", "tax"]);
}
