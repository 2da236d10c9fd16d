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

/// A roof of two arrays gains by leaving one out: the command runs the rule that does so.
#[test]
fn a_device_that_is_left_out_gains_as_much_when_it_is_run() {
    let folder = folder("audit-device");
    let scenario = r#"Scenario(name: "roof", periods: 1, currency: "CNY",
        grid: (buy_price_per_kwh: 1.0, sell_price_per_kwh: 0.4, intensity_kg_per_kwh: 0.5),
        participants: [
            (id: "roof", devices: [Pv(p_max_kw: 5, profile: [1.0]), Pv(p_max_kw: 5, profile: [1.0])]),
            (id: "house", devices: [Load(p_kw: [10])]),
        ])"#;
    let path = file(&folder, "roof.ron", scenario);
    let audit = json(&["audit", &path, "--mechanism", "supply-demand-ratio", "--budget", "1500", "--json"], 0);
    let device = finding(&audit, "device_gain");
    let value = device["value"].as_f64().expect("a gain");
    assert!((value - 6.0 / 7.0).abs() < 1e-5, "{device}");
    let out = folder.join("out");
    let ran = shell(device["command"].as_str().expect("a command"), &format!("--quiet --out {}", out.display()));
    assert_eq!(status(&ran), 0, "{}", stderr(&ran));
    let more = gain(&out, "misreport", "roof") - gain(&out, "truthful", "roof");
    assert!((more - value).abs() < 1e-6, "{more} instead of {value}");
}

const UNITS: &str = r#"Auction(
    buyers: [
        (id: "b0", rating_kwh: 10, blocks: [(price_per_kwh: 100, quantity_kwh: 1)]),
        (id: "b1", blocks: [(price_per_kwh: 9, quantity_kwh: 1)]),
    ],
    sellers: [
        (id: "s0", blocks: [(price_per_kwh: 2, quantity_kwh: 1)]), (id: "s1", blocks: [(price_per_kwh: 4, quantity_kwh: 1)]),
        (id: "s2", blocks: [(price_per_kwh: 5, quantity_kwh: 1)]), (id: "s3", blocks: [(price_per_kwh: 12, quantity_kwh: 1)]),
    ])"#;

/// What is found on a list is what `coase auction` shows of the offer, and a list that an offer describes has the deficit that was
/// found there.
#[test]
fn what_is_found_on_a_list_is_found_again_by_its_command() {
    let path = file(&folder("audit-list"), "units.ron", UNITS);
    let audit = json(&["audit", &path, "--mechanism", "double-auction", "--json"], 0);
    let truthful = finding(&audit, "truthful");
    let (value, witness) = (truthful["value"].as_f64().expect("a gain"), truthful["witness"].as_str().expect("words"));
    assert!(value > 0.1, "{truthful}");
    let again = shell(truthful["command"].as_str().expect("a command"), "--json");
    assert_eq!(status(&again), 0, "{}", stderr(&again));
    let again: Value = serde_json::from_slice(&again.stdout).expect("JSON");
    let who = witness.split(' ').next().expect("a name");
    let row = again["bidders"].as_array().expect("bidders").iter().find(|row| row["id"] == who).expect("a row");
    let more = row["gets"].as_f64().expect("a number") - row["gets_by_truth"].as_f64().expect("a number");
    assert!((more - value).abs() < 1e-9, "{more} instead of {value}");

    let rule = "CompetitionPadding(padding_kwh: 1, quantum_kwh: 1)";
    let audit = json(&["audit", &path, "--mechanism", rule, "--json"], 0);
    let budget = finding(&audit, "budget_balance");
    let command = budget["command"].as_str().expect("a command");
    assert!(command.contains("--as-if"), "{budget}");
    let again = shell(command, "--json");
    let again: Value = serde_json::from_slice(&again.stdout).expect("JSON");
    let found = finding(&again, "budget_balance")["value"].as_f64().expect("money");
    assert!(found >= budget["value"].as_f64().expect("money") - 1e-9, "{found} {budget}");
}

#[test]
fn every_auction_is_audited_on_a_list_and_what_is_wrong_is_said() {
    let folder = folder("audit-lists");
    let path = file(&folder, "units.ron", UNITS);
    let output = coase(&["audit", &path, "--budget", "2000"]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    let text = stdout(&output);
    for id in ["mcafee", "vcg", "muda", "competition-padding", "continuous-double-auction", "iterative-double-auction"]
    {
        assert!(text.contains(&format!("{id} on the list")), "{id} is not in {text}");
    }
    assert!(
        text.contains("nothing to audit") && text.contains("prior"),
        "of what is believed a list says nothing: {text}"
    );
    let refused = |args: &[&str], words: &str| {
        let output = coase(args);
        assert_eq!(status(&output), 2, "{}", stdout(&output));
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
    };
    refused(&["audit", &path, "--mechanism", "nash-bargaining"], "needs more than a list");
    refused(&["audit", &path, "--mechanism", "mcafe"], "mcafee");
    refused(&["audit", &path, "--set", "mechanism.kappa=1"], "--set");
    refused(&["audit", &path, "--as-if", "{\"b9\": (blocks: [])}"], "there is no bidder `b9`");
    refused(&["audit", "three_vpp", "--within", "(quantity_factor: (2, 3))"], "around the truth");
    refused(&["audit", "three_vpp", "--seed", "2"], "experiment.seeds");
    let falling = "{\"s0\": (blocks: [(price_per_kwh: 3, quantity_kwh: 1), (price_per_kwh: 2, quantity_kwh: 1)])}";
    refused(&["auction", &path, "--mechanism", "mcafee", "--reports", falling], "no better price");
    let params = UNITS.replace("    ])", "    ], params: (kappa: 0.3))");
    let path = file(&folder, "params.ron", &params);
    refused(&["audit", &path], "name it");
    assert_eq!(status(&coase(&["audit", &path, "--mechanism", "double-auction", "--budget", "500"])), 0);
}
