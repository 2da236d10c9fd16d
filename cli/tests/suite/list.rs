//! `coase list`, `coase explain`, usage and help through the binary.

use crate::support::{coase, json, status, stderr, stdout};
use serde_json::Value;
use std::io::Read;
use std::process::{Command, Stdio};

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|entry| entry["id"].as_str().unwrap()).collect()
}

#[test]
fn every_baseline_is_listed() {
    let mechanisms = json(&["list", "mechanisms", "--json"], 0);
    let mechanisms = ids(&mechanisms);
    let baselines =
        ["bill-sharing", "central-optimum", "grid-only", "mid-market-rate", "nash-bargaining", "supply-demand-ratio"];
    for id in baselines {
        assert!(mechanisms.contains(&id), "{id}");
    }
    assert!(mechanisms.is_sorted());
}

#[test]
fn networks_are_listed() {
    let networks = json(&["list", "networks", "--json"], 0);
    assert_eq!(ids(&networks), ["ieee-14", "das-15", "ap-15", "ieee-33", "ieee-69", "khodr-141"]);
}

#[test]
fn columns_are_listed_by_table() {
    let columns = json(&["list", "columns", "--json"], 0);
    let tables: Vec<_> = columns.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        tables,
        [
            "branches",
            "certificates",
            "convergence",
            "curves",
            "ledger",
            "nodes",
            "participants",
            "periods",
            "runs",
            "trades"
        ]
    );
    let trades = ["period", "product", "seller", "buyer", "quantity_kwh", "price_per_kwh"];
    assert_eq!(ids(&columns["trades"]), trades);
    let metrics = json(&["list", "metrics", "--json"], 0);
    let runs = ids(&columns["runs"]);
    assert!(runs.ends_with(&ids(&metrics)));
}

#[test]
fn everything_listed_is_explained() {
    for kind in ["mechanisms", "carbon", "devices"] {
        for id in ids(&json(&["list", kind, "--json"], 0)) {
            let sheet = json(&["explain", id, "--json"], 0);
            assert_eq!(sheet["id"], id);
            for key in ["summary", "parameters", "claims", "source", "ron"] {
                assert!(sheet.get(key).is_some(), "{id}: {key}");
            }
            let output = coase(&["explain", id]);
            assert_eq!(status(&output), 0, "{id}");
            assert!(stdout(&output).contains(sheet["summary"].as_str().unwrap()), "{id}");
        }
    }
}

#[test]
fn defaults_are_explained_as_they_are_written() {
    let sheet = json(&["explain", "nash-bargaining", "--json"], 0);
    assert!(sheet["ron"].as_str().unwrap().starts_with("NashBargaining("), "{}", sheet["ron"]);
    assert_eq!(sheet["parameters"][0]["name"], "weights");
    assert_eq!(sheet["parameters"][0]["default"], "Equal");
}

#[test]
fn a_parameter_is_explained_with_meaning_unit_range_and_words() {
    let sheet = json(&["explain", "stepped", "--json"], 0);
    let parameter = |name: &str| {
        let all = sheet["parameters"].as_array().unwrap();
        all.iter().find(|p| p["name"] == name).unwrap_or_else(|| panic!("{name}"))
    };
    let price = parameter("base_price_per_tonne");
    assert_eq!(price["declaration"]["meaning"], "Price of a tonne in the first tier.");
    assert_eq!(price["declaration"]["unit"], "money/t");
    assert_eq!(price["declaration"]["default"], 280.0);
    assert_eq!(price["allowed"], "a number, at least 0");
    assert_eq!(parameter("interval_kg")["allowed"], "a number, above 0");
    // Modifiers are parameters of every policy.
    assert_eq!(parameter("quota_decline_per_year")["allowed"], "a number, at least 0 and below 1");
    assert_eq!(parameter("quota_decline_per_year")["declaration"]["unit"], "1/a");
    let text = stdout(&coase(&["explain", "stepped"]));
    for words in [
        "F(E - Q)",
        "interval_kg = 2000.0 [kg]\n      Width of a tier",
        "reward = Flat",
        "Escalating(a number): The base price",
        "grid_kg_per_kwh = 0.4 [kg/kWh]",
        "EqualAmongOthers: What a member pays",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn networks_files_and_columns_are_explained_too() {
    for kind in ["networks", "scenarios", "metrics"] {
        for id in ids(&json(&["list", kind, "--json"], 0)) {
            let sheet = json(&["explain", id, "--json"], 0);
            assert_eq!(sheet["id"], id);
            assert!(stdout(&coase(&["explain", id])).starts_with(&format!("{id} (")), "{id}");
        }
    }
    let feeder = stdout(&coase(&["explain", "ieee-33"]));
    for words in ["radial, 33 buses, 37 branches of which 32 are in service, load 3715.0 kW", "Baran"] {
        assert!(feeder.contains(words), "{feeder}");
    }
    // A name that several tables have.
    let columns = &json(&["explain", "operating_cost", "--json"], 0)["columns"];
    assert_eq!((&columns[0]["table"], &columns[1]["table"]), (&"runs".into(), &"participants".into()));
    assert_eq!(columns[0]["unit"], "money");
    // A metric says what it is equal to.
    let equation = "resource_cost + upstream_resource_cost + carbon_damage";
    assert_eq!(json(&["explain", "social_cost", "--json"], 0)["columns"][0]["equation"], equation);
    let text = stdout(&coase(&["explain", "social_cost"]));
    assert!(text.ends_with(&format!("      = {equation}\n")), "{text}");
}

#[test]
fn devices_are_explained_with_their_equations_and_columns() {
    let sheet = json(&["explain", "storage", "--json"], 0);
    let parameter = |name: &str| {
        let all = sheet["parameters"].as_array().unwrap();
        all.iter().find(|p| p["name"] == name).unwrap_or_else(|| panic!("{name}: {all:?}")).clone()
    };
    assert_eq!(
        (&parameter("capacity_kwh")["declaration"]["required"], &parameter("capacity_kwh")["default"]),
        (&true.into(), &Value::Null)
    );
    assert_eq!(parameter("soc_min")["default"], "0.1");
    assert_eq!(parameter("soc_min")["allowed"], "a number, 0 to 1");
    assert_eq!(parameter("capacity_kwh")["declaration"]["unit"], "kWh");
    assert_eq!(sheet["columns"][1][0], "soc_kwh");
    let text = stdout(&coase(&["explain", "storage"]));
    for words in ["S_{t+1} =", "storage_kw", "carries the carbon", "capacity_kwh (required) [kWh]"] {
        assert!(text.contains(words), "`{words}` is not in\n{text}");
    }
}

#[test]
fn forms_and_fields_are_explained_too() {
    let quota = json(&["explain", "participant.quota_kg", "--json"], 0);
    assert_eq!((&quota["kind"], &quota["fields"][0]["declaration"]["unit"]), (&"field".into(), &"kg".into()));
    // Several have it, and what they say alike is said once.
    let price = stdout(&coase(&["explain", "price_per_tonne"]));
    assert!(price.contains("of NodalFlow, NodalMarginal, Tax\n"), "{price}");
    let form = stdout(&coase(&["explain", "scenario"]));
    assert!(form.contains("choice_programs = 2000\n") && form.contains("periods (required)\n"), "{form}");
    assert_eq!(status(&coase(&["explain", "participant.quota_gk"])), 2);
}

#[test]
fn schemas_say_meanings_units_and_ranges() {
    let all = json(&["schema"], 0);
    for form in ["scenario", "experiment", "network"] {
        let schema = json(&["schema", form], 0);
        assert_eq!(schema, all[form]);
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert_eq!(schema["additionalProperties"], false, "{form}");
    }
    let quota = &all["scenario"]["$defs"]["Participant"]["properties"]["quota_kg"];
    assert_eq!((&quota["unit"], &quota["default"]), (&"kg".into(), &0.0.into()));
    assert!(quota["description"].as_str().unwrap().starts_with("Free emission allowance"));
    assert_eq!(all["scenario"]["properties"]["periods"]["minimum"], 1);
    let weights = &all["experiment"]["$defs"]["Weights"]["oneOf"][1];
    assert_eq!(weights["const"], "Exponential");
    assert_eq!(all["network"]["$defs"]["Branch"]["properties"]["r_ohm"]["unit"], "ohm");
    assert_eq!(status(&coase(&["schema", "games"])), 2);
}

#[test]
fn an_unknown_id_gets_a_suggestion() {
    let output = coase(&["explain", "nash-barganing"]);
    assert_eq!(status(&output), 2);
    assert!(stderr(&output).contains("did you mean `nash-bargaining`?"));
    assert_eq!(stdout(&output), "");
}

#[test]
fn usage_errors_are_bad_input_and_help_is_not() {
    let bad: [&[&str]; 5] = [&[], &["lst"], &["list", "mechanism"], &["flow"], &["flow", "ieee-33", "--jsn"]];
    for args in bad {
        let output = coase(args);
        assert_eq!(status(&output), 2, "{args:?}");
        assert_eq!(stdout(&output), "", "{args:?}");
        assert_ne!(stderr(&output), "", "{args:?}");
    }
    for args in [&["--help"][..], &["list", "--help"], &["explain", "--help"], &["flow", "--help"]] {
        let output = coase(args);
        assert_eq!(status(&output), 0, "{args:?}");
        assert!(stdout(&output).contains("Examples:"), "{args:?}");
    }
    assert!(stdout(&coase(&["--version"])).starts_with(&format!("coase {} (", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_coase"))
        .args(["flow", "khodr-141", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut complaint = String::new();
    child.stderr.take().unwrap().read_to_string(&mut complaint).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(complaint, "");
}
