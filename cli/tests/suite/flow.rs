//! `coase flow` through the binary.

use crate::support::{coase, file, folder, json, status, stderr, stdout};
use serde_json::Value;

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is not a number"))
}

fn close(found: &Value, expected: f64, tolerance: f64) {
    let found = number(found);
    assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
}

fn bus(answer: &Value, id: u64) -> &Value {
    answer["buses"].as_array().unwrap().iter().find(|b| b["id"] == id).unwrap()
}

#[test]
fn the_33_bus_feeder_has_its_published_losses() {
    // Baran and Wu (1989): 202.67 kW, 135.14 kvar, lowest voltage 0.9131 pu at bus 18.
    let answer = json(&["flow", "ieee-33", "--json"], 0);
    assert_eq!(answer["network"], "ieee-33");
    assert_eq!(answer["converged"], true);
    close(&answer["loss_kw"], 202.677, 1e-3);
    close(&answer["loss_kvar"], 135.141, 1e-3);
    close(&answer["min_voltage_pu"], 0.9131, 1e-4);
    assert_eq!(answer["min_voltage_bus"], 18);
    close(&answer["slack_kw"], 3715.0 + number(&answer["loss_kw"]), 1e-6);
    close(&answer["slack_kvar"], 2300.0 + number(&answer["loss_kvar"]), 1e-6);
    assert!(number(&answer["mismatch_pu"]) < 1e-8);
    assert!(answer["iterations"].as_u64().unwrap() > 0);
    assert_eq!(answer["buses"].as_array().unwrap().len(), 33);
    let branches = answer["branches"].as_array().unwrap();
    assert_eq!(branches.len(), 37);
    assert_eq!(branches.iter().filter(|b| b["in_service"] == false).count(), 5);
    let lost: f64 = branches.iter().map(|b| number(&b["loss_kw"])).sum();
    close(&answer["loss_kw"], lost, 1e-9);
    // Without a carbon file there is no carbon.
    assert_eq!(answer["carbon"]["source_kg_per_h"], Value::Null);
    assert_eq!(bus(&answer, 18)["carbon_intensity_kg_per_kwh"], Value::Null);
    assert_eq!(branches[0]["carbon_flow_kg_per_h"], Value::Null);
}

#[test]
fn keys_of_the_answer_are_as_documented() {
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let sorted = |mut names: Vec<&'static str>| {
        names.sort_unstable();
        names
    };
    let answer = json(&["flow", "ieee-14", "--json"], 0);
    let expected = vec![
        "network",
        "converged",
        "iterations",
        "mismatch_pu",
        "loss_kw",
        "loss_kvar",
        "slack_kw",
        "slack_kvar",
        "min_voltage_pu",
        "min_voltage_bus",
        "buses",
        "branches",
        "carbon",
    ];
    assert_eq!(keys(&answer), sorted(expected));
    assert_eq!(keys(&answer["buses"][0]), sorted(vec!["id", "voltage_pu", "angle_deg", "carbon_intensity_kg_per_kwh"]));
    assert_eq!(
        keys(&answer["branches"][0]),
        sorted(vec!["from", "to", "in_service", "p_from_kw", "q_from_kvar", "loss_kw", "carbon_flow_kg_per_h"])
    );
    assert_eq!(keys(&answer["carbon"]), sorted(vec!["source_kg_per_h", "load_kg_per_h", "loss_kg_per_h"]));
}

#[test]
fn carbon_of_a_feeder_with_generators_agrees_with_an_independent_solver() {
    // Newton flow and linear system solved elsewhere for these injections.
    let text = "(default_kg_per_kwh: 0.581, by_bus: {18: 0.65, 33: 0.45, 25: 0.0},
        generation: {18: (p_kw: 300), 33: (p_kw: 800, q_kvar: 400), 25: (p_kw: 1200)})";
    let carbon = file(&folder("flow_carbon"), "carbon.ron", text);
    let answer = json(&["flow", "ieee-33", "--json", "--carbon", &carbon], 0);
    close(&answer["loss_kw"], 63.35453967, 1e-7);
    close(&answer["slack_kw"], 1478.3545397, 1e-6);
    for (id, expected) in [(2, 0.581), (3, 0.45982259), (14, 0.50646727), (18, 0.65), (24, 0.0), (28, 0.45087077)] {
        close(&bus(&answer, id)["carbon_intensity_kg_per_kwh"], expected, 5e-9);
    }
    close(&answer["carbon"]["source_kg_per_h"], 1413.9239875, 1e-6);
    close(&answer["carbon"]["load_kg_per_h"], 1385.4869574, 1e-6);
    close(&answer["carbon"]["loss_kg_per_h"], 28.4370301, 1e-6);
}

#[test]
fn one_intensity_everywhere_is_found_everywhere() {
    let carbon = file(&folder("flow_uniform"), "carbon.ron", "(default_kg_per_kwh: 0.5)");
    for network in ["ieee-33", "ieee-14", "khodr-141"] {
        let answer = json(&["flow", network, "--json", "--carbon", &carbon], 0);
        let carries = |id: &Value| {
            let touching = |b: &&Value| b["from"] == *id || b["to"] == *id;
            answer["branches"].as_array().unwrap().iter().filter(touching).any(|b| number(&b["p_from_kw"]).abs() > 0.01)
        };
        for bus in answer["buses"].as_array().unwrap() {
            if !carries(&bus["id"]) {
                assert_eq!(bus["carbon_intensity_kg_per_kwh"], Value::Null);
                continue;
            }
            close(&bus["carbon_intensity_kg_per_kwh"], 0.5, 1e-9);
        }
        let lost = 0.5 * number(&answer["loss_kw"]);
        close(&answer["carbon"]["loss_kg_per_h"], lost, 1e-6 * lost);
        let [source, load, loss] =
            ["source_kg_per_h", "load_kg_per_h", "loss_kg_per_h"].map(|key| number(&answer["carbon"][key]));
        assert!((source - load - loss).abs() < 1e-9 * source, "{network}");
    }
}

#[test]
fn a_dc_flow_loses_nothing() {
    let answer = json(&["flow", "ieee-14", "--json", "--dc"], 0);
    assert_eq!(number(&answer["loss_kw"]), 0.0);
    // 259 MW of load, 40 MW from the machine at bus 2.
    close(&answer["slack_kw"], 219_000.0, 1e-6);
}

#[test]
fn an_isolated_bus_has_no_voltage_and_no_intensity() {
    let folder = folder("flow_isolated");
    let network = file(
        &folder,
        "net.ron",
        "Network(name: \"three\", base_mva: 1, base_kv: 10,
            buses: [(id: 10, kind: Slack), (id: 20, p_kw: 400, q_kvar: 100), (id: 30, p_kw: 50)],
            branches: [(from: 10, to: 20, r_ohm: 1.2, x_ohm: 0.8), (from: 20, to: 30, r_ohm: 1, x_ohm: 1, in_service: false)])",
    );
    let carbon = file(&folder, "carbon.ron", "(default_kg_per_kwh: 0.5, by_bus: {10: 0.7})");
    let answer = json(&["flow", &network, "--json", "--carbon", &carbon], 0);
    assert_eq!(bus(&answer, 30)["voltage_pu"], Value::Null);
    assert_eq!(bus(&answer, 30)["carbon_intensity_kg_per_kwh"], Value::Null);
    close(&bus(&answer, 20)["carbon_intensity_kg_per_kwh"], 0.7, 1e-12);
}

/// A two-bus case in MATPOWER's form, with a statement of its own at the end of `mpc.bus` numbers.
fn two_bus_case(last: &str) -> String {
    format!(
        "function mpc = two\nmpc.version = '2';\nmpc.baseMVA = 100;\nmpc.bus = [\n\t1 3 0 0 0 0 1 1 0 10 1 1.1 0.9;\n\t2 1 50 \
         0 0 0 1 1 0 10 1 1.1 0.9;\n];\nmpc.gen = [1 0 0 100 -100 1 100 1 100 0];\nmpc.branch = [\n\t1 2 0.02 0 0 0 0 0 0 \
         0 1 -360 360;\n];\n{last}"
    )
}

#[test]
fn a_matpower_case_is_read() {
    let folder = folder("flow_matpower");
    let case = file(&folder, "two.m", &two_bus_case(""));
    let answer = json(&["flow", &case, "--json"], 0);
    // r = 0.02, p = 0.5: v = (1 + sqrt(1 - 4 r p)) / 2, loss r (p / v)^2.
    let v = f64::midpoint(1.0, (1.0f64 - 4.0 * 0.02 * 0.5).sqrt());
    close(&bus(&answer, 2)["voltage_pu"], v, 1e-10);
    close(&answer["loss_kw"], 1e5 * 0.02 * (0.5 / v).powi(2), 1e-5);

    let odd = file(&folder, "odd.m", &two_bus_case("mpc.bus(2, 3) = 7;\n"));
    let output = coase(&["flow", &odd]);
    assert_eq!(status(&output), 2);
    assert!(stderr(&output).contains("odd.m:12:1"), "{}", stderr(&output));
}

#[test]
fn a_load_that_cannot_be_served_is_an_answer_without_voltages() {
    let network = file(
        &folder("flow_overload"),
        "net.ron",
        "Network(name: \"two\", base_mva: 1, base_kv: 10,
            buses: [(id: 1, kind: Slack), (id: 2, p_kw: 90000)], branches: [(from: 1, to: 2, r_ohm: 1.2, x_ohm: 0.8)])",
    );
    let answer = json(&["flow", &network, "--json"], 1);
    assert_eq!(answer["converged"], false);
    assert_eq!(bus(&answer, 2)["voltage_pu"], Value::Null);
    assert_eq!(answer["loss_kw"], Value::Null);
    let complaint = stderr(&coase(&["flow", &network]));
    assert!(complaint.contains("bus 2"), "{complaint}");
}

#[test]
fn bad_networks_and_carbon_files_are_bad_input() {
    let folder = folder("flow_bad");
    let bad = file(&folder, "bad.ron", "Network(base_mva: 1, buses: [(id: 1, kind: Slack)], branchs: [])");
    let headless = file(&folder, "headless.ron", "(base_mva: 1)");
    let typo = file(&folder, "typo.ron", "(default_kg_per_kwh: 0.5,\n by_bsu: {6: 0.4})");
    let nowhere = file(&folder, "nowhere.ron", "(default_kg_per_kwh: 0.5, by_bus: {99: 0.4})");
    let nan = file(&folder, "nan.ron", "(default_kg_per_kwh: NaN)");
    let missing = folder.join("missing.ron");
    let cases: [(&[&str], &str); 8] = [
        (&["flow", "ieee33"], "did you mean `ieee-33`?"),
        (&["flow", missing.to_str().unwrap()], "cannot read"),
        (&["flow", &bad], "branchs"),
        (&["flow", &headless], "Network("),
        (&["flow", "ieee-33", "--carbon", &typo], "typo.ron:2:2"),
        (&["flow", "ieee-33", "--carbon", &nowhere], "bus 99"),
        (&["flow", "ieee-33", "--carbon", &nan], "NaN"),
        (&["flow", "ieee-33", "--carbon", missing.to_str().unwrap()], "cannot read"),
    ];
    for (args, expected) in cases {
        let output = coase(args);
        assert_eq!(status(&output), 2, "{args:?}");
        assert_eq!(stdout(&output), "", "{args:?}");
        assert!(stderr(&output).contains(expected), "{args:?}: {}", stderr(&output));
    }
}

const DYN5: &str = include_str!("../../../core/tests/cases/shift150_a.m");
const YY6: &str = include_str!("../../../core/tests/cases/shift180_c.m");

#[test]
fn transformers_that_turn_the_angles_leave_losses_and_magnitudes_alone() {
    let folder = folder("flow_shift");
    let turned = |text: &str, by: &str| text.replace(by, "0 1 -360 360");
    let plain = file(&folder, "plain.m", &turned(DYN5, "150 1 -360 360"));
    let plain = json(&["flow", &plain, "--json"], 0);
    close(&plain["loss_kw"], 1.008_113, 1e-6);
    for (name, text, degrees) in [("dyn5", DYN5, 150.0), ("yy6", YY6, 180.0)] {
        // As filed, and without the angles that the file knows.
        let flat = text.replace(&format!(" 1 1 -{degrees} 0.4"), " 1 1 0 0.4");
        assert_ne!(flat, text);
        for text in [text, &flat] {
            let path = file(&folder, &format!("{name}.m"), text);
            let answer = json(&["flow", &path, "--json"], 0);
            close(&answer["loss_kw"], plain["loss_kw"].as_f64().unwrap(), 1e-9);
            for id in 2..=4 {
                let expected = &bus(&plain, id);
                close(&bus(&answer, id)["voltage_pu"], expected["voltage_pu"].as_f64().unwrap(), 1e-10);
                let moved = bus(&answer, id)["angle_deg"].as_f64().unwrap() + degrees;
                let angle = expected["angle_deg"].as_f64().unwrap();
                assert!(((moved - angle + 180.0).rem_euclid(360.0) - 180.0).abs() < 1e-8, "{moved} {angle}");
            }
        }
    }
}

#[test]
fn a_scenario_behind_such_transformers_loses_what_it_loses_without_their_shift() {
    let folder = folder("flow_scenario");
    let scenario = include_str!("../../../core/tests/cases/low_voltage_scenario_a.ron");
    let loss = |name: &str, network: &str| {
        let folder = folder.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        file(&folder, "shift180_c.m", network);
        let path = file(&folder, "scenario.ron", scenario);
        let out = folder.join("out");
        let output = coase(&["run", &path, "--quiet", "--out", out.to_str().unwrap()]);
        assert_eq!(status(&output), 0, "{}", stderr(&output));
        crate::support::column(&out, "runs", "loss_kwh")[0].parse::<f64>().unwrap()
    };
    let (turned, plain) = (loss("turned", YY6), loss("plain", &YY6.replace("180 1 -360 360", "0 1 -360 360")));
    // Two hours of 1 kW.
    assert!((turned - plain).abs() < 1e-9 && (1.9..2.2).contains(&plain), "{turned} {plain}");
}

#[test]
fn a_load_beyond_what_the_lines_carry_names_the_bus_and_the_share() {
    let folder = folder("flow_nose");
    // r = 0.02, x = 0.04: 6.944 times 0.8 + 0.4j is the most.
    let text = "Network(name: \"two\", base_mva: 1, buses: [(id: 1, kind: Slack), (id: 7, p_kw: 6400, q_kvar: 3200)],
        branches: [(from: 1, to: 7, r_pu: 0.02, x_pu: 0.04)])";
    let output = coase(&["flow", &file(&folder, "two.ron", text), "--json"]);
    assert_eq!(status(&output), 1);
    assert!(stderr(&output).contains("86.81 %") && stderr(&output).contains("bus 7"), "{}", stderr(&output));
}
