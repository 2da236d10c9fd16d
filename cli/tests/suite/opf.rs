//! `coase opf` through the binary.

use crate::support::{coase, file, folder, json, status, stderr, stdout};
use serde_json::Value;

/// The PJM five-bus system of Li and Bo (2010); one machine at bus 1, as in a carbon file one bus has one intensity.
const FIVE: &str = "Network(name: \"five\", base_mva: 100,
    buses: [(id: 1), (id: 2, p_kw: 300000), (id: 3, p_kw: 300000), (id: 4, kind: Slack, p_kw: 400000), (id: 5)],
    branches: [
        (from: 1, to: 2, r_pu: 0, x_pu: 0.0281, rate_kva: 400000), (from: 1, to: 4, r_pu: 0, x_pu: 0.0304),
        (from: 1, to: 5, r_pu: 0, x_pu: 0.0064), (from: 2, to: 3, r_pu: 0, x_pu: 0.0108),
        (from: 3, to: 4, r_pu: 0, x_pu: 0.0297), (from: 4, to: 5, r_pu: 0, x_pu: 0.0297, rate_kva: 240000),
    ],
    generators: [
        (bus: 1, p_max_kw: 210000, cost_per_h: Piecewise([(0, 0), (40000, 560), (210000, 3110)])),
        (bus: 3, p_max_kw: 520000, cost_per_h: Polynomial([0, 0.03])),
        (bus: 4, p_max_kw: 200000, cost_per_h: Polynomial([0, 0.04])),
        (bus: 5, p_max_kw: 600000, cost_per_h: Polynomial([0, 0.01])),
    ])";
const CARBON: &str = "(default_kg_per_kwh: 0.581, by_bus: {1: 0.55, 3: 0.35, 4: 0.70, 5: 0.95})";

/// Root at 500 per MWh, a generator at 550 where the voltage is low.
const CHAIN: &str = "Network(name: \"chain\", base_mva: 1,
    buses: [(id: 1, kind: Slack), (id: 2, p_kw: 500, q_kvar: 200, v_min_pu: 0.97),
        (id: 3, p_kw: 600, q_kvar: 300, v_min_pu: 0.97)],
    branches: [(from: 1, to: 2, r_pu: 0.02, x_pu: 0.04), (from: 2, to: 3, r_pu: 0.03, x_pu: 0.03)],
    generators: [(bus: 1, cost_per_h: Polynomial([0, 0.5])),
        (bus: 3, p_max_kw: 1000, q_min_kvar: 0, q_max_kvar: 0, cost_per_h: Polynomial([0, 0.55]))])";

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is not a number"))
}

#[track_caller]
fn close(found: &Value, expected: f64, tolerance: f64) {
    let found = number(found);
    assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
}

fn parts_add_up(answer: &Value) {
    for bus in answer["buses"].as_array().unwrap() {
        let sum: f64 =
            ["energy", "loss", "congestion", "voltage", "carbon"].map(|part| number(&bus[part])).iter().sum();
        close(&bus["price_per_kwh"], sum, 1e-12);
    }
}

#[test]
fn a_meshed_network_is_solved_by_dc_with_its_published_prices() {
    let folder = folder("opf_five");
    let network = file(&folder, "five.ron", FIVE);
    let answer = json(&["opf", &network, "--json"], 0);
    assert_eq!(answer["formulation"], "dc");
    assert_eq!(answer["status"], "optimal");
    assert_eq!(answer["converged"], true);
    close(&answer["objective_per_h"], 17_479.896_925_38, 1e-6);
    close(&answer["bound_per_h"], 17_479.896_925_38, 1e-6);
    assert!(number(&answer["gap"]) < 1e-6);
    let prices = [16.977_358_82, 26.384_459_52, 30.0, 39.942_736_32, 10.0];
    for (bus, expected) in answer["buses"].as_array().unwrap().iter().zip(prices) {
        close(&bus["price_per_kwh"], expected / 1e3, 1e-9);
        assert_eq!(bus["marginal_emission_kg_per_kwh"], Value::Null);
    }
    for (generator, kw) in
        answer["generators"].as_array().unwrap().iter().zip([210e3, 323_494.846_27, 0.0, 466_505.153_73])
    {
        close(&generator["p_kw"], kw, 1e-4);
    }
    parts_add_up(&answer);
}

#[test]
fn a_carbon_price_moves_dispatch_prices_and_both_signals() {
    let folder = folder("opf_carbon");
    let (network, carbon) = (file(&folder, "five.ron", FIVE), file(&folder, "carbon.ron", CARBON));
    let at = |price: &str| json(&["opf", &network, "--carbon", &carbon, "--carbon-price", price, "--json"], 0);
    let (free, dear) = (at("20"), at("50"));
    // Coal gives way to gas, and with it the congestion.
    for bus in dear["buses"].as_array().unwrap() {
        close(&bus["price_per_kwh"], 0.0575, 1e-9);
        close(&bus["marginal_emission_kg_per_kwh"], 0.95, 1e-9);
        close(&bus["carbon_response"], 0.05 * 0.95, 1e-9);
        close(&bus["carbon"], 0.05 * 0.70, 1e-12);
    }
    // 210 MW at 0.55, 520 at 0.35, 270 at 0.95.
    close(&dear["emissions_kg_per_h"], 554_000.0, 1e-3);
    let marginal = [0.740_679_24, 0.458_466_21, 0.35, 0.051_717_91, 0.95];
    let prices = [31.790_943_53, 35.553_783_81, 37.0, 40.977_094_53, 29.0];
    for (k, bus) in free["buses"].as_array().unwrap().iter().enumerate() {
        close(&bus["marginal_emission_kg_per_kwh"], marginal[k], 1e-8);
        close(&bus["price_per_kwh"], prices[k] / 1e3, 1e-9);
    }
    parts_add_up(&free);
    parts_add_up(&dear);
    // Averages account for everything.
    let load = [0.0, 300e3, 300e3, 400e3, 0.0];
    let buses = free["buses"].as_array().unwrap();
    let charged: f64 = buses.iter().zip(load).map(|(b, d)| d * number(&b["carbon_intensity_kg_per_kwh"])).sum();
    close(&free["emissions_kg_per_h"], charged, 1e-5);
}

#[test]
fn a_linear_feeder_pays_for_its_voltage() {
    let folder = folder("opf_chain");
    let network = file(&folder, "chain.ron", CHAIN);
    let answer = json(&["opf", &network, "--formulation", "lindistflow", "--json"], 0);
    close(&answer["objective_per_h"], 589.45, 1e-7);
    close(&answer["buses"][1]["voltage_pu"], 0.973_426_936_1, 1e-9);
    for (k, expected) in [(0, 0.5), (1, 0.52), (2, 0.55)] {
        close(&answer["buses"][k]["price_per_kwh"], expected, 1e-9);
        close(&answer["buses"][k]["voltage"], expected - 0.5, 1e-9);
    }
    parts_add_up(&answer);
}

#[test]
fn keys_of_the_answer_are_as_documented() {
    let folder = folder("opf_keys");
    let network = file(&folder, "five.ron", FIVE);
    let answer = json(&["opf", &network, "--json"], 0);
    for key in ["objective_per_h", "converged", "status", "gap", "bound_per_h", "max_cone_gap", "generators", "buses"] {
        assert!(answer.get(key).is_some(), "{key}");
    }
    for key in ["bus", "p_kw", "q_kvar"] {
        assert!(answer["generators"][0].get(key).is_some(), "{key}");
    }
    for key in [
        "id",
        "voltage_pu",
        "price_per_kwh",
        "energy",
        "loss",
        "congestion",
        "voltage",
        "carbon",
        "carbon_response",
        "carbon_intensity_kg_per_kwh",
        "marginal_emission_kg_per_kwh",
    ] {
        assert!(answer["buses"][0].get(key).is_some(), "{key}");
    }
}

#[test]
fn what_cannot_be_served_is_named_and_ends_with_1() {
    let folder = folder("opf_infeasible");
    let network = file(&folder, "five.ron", &FIVE.replace("p_max_kw: 600000", "p_max_kw: 10000"));
    let output = coase(&["opf", &network, "--json"]);
    assert_eq!(status(&output), 1);
    assert!(stderr(&output).contains("active power, kW"), "{}", stderr(&output));
    let answer: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!((&answer["converged"], &answer["status"]), (&Value::Bool(false), &Value::from("infeasible")));
    assert_eq!(answer["objective_per_h"], Value::Null);
    assert_eq!(answer["buses"][3]["price_per_kwh"], Value::Null);
}

#[test]
fn bad_questions_end_with_2() {
    let folder = folder("opf_bad");
    let network = file(&folder, "five.ron", FIVE);
    for (args, says) in [
        (vec!["opf", &network, "--formulation", "lindistflow"], "meshed"),
        (vec!["opf", &network, "--carbon-price", "20"], "--carbon"),
        (vec!["opf", "ieee-34"], "ieee-34"),
    ] {
        let output = coase(&args);
        assert_eq!(status(&output), 2, "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(says), "{args:?}: {}", stderr(&output));
    }
}

#[test]
fn a_network_without_costs_counts_kilowatt_hours_and_says_so() {
    let output = coase(&["opf", "ieee-33", "--formulation", "dc"]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    assert!(stderr(&output).contains("counts 1"), "{}", stderr(&output));
    // The loads of the feeder.
    assert!(stdout(&output).contains("3715.000000 per h"), "{}", stdout(&output));
}

#[test]
fn a_congested_feeder_is_certified_with_its_published_prices() {
    // Papavasiliou (2018): root at 50 per MWh, a generator at 10 behind a full branch.
    let answer = json(&["opf", "ap-15", "--json"], 0);
    assert_eq!((&answer["formulation"], &answer["status"]), (&Value::from("ac"), &Value::from("certified")));
    close(&answer["objective_per_h"], 71.126_713_64, 1e-5);
    close(&answer["max_cone_gap"], 0.0, 1e-12);
    let bus = &answer["buses"][11];
    close(&bus["price_per_kwh"], 0.01, 1e-8);
    close(&bus["loss"], -3.306_236e-3, 1e-8);
    close(&bus["congestion"], -36.693_764e-3, 1e-8);
    close(&answer["generators"][1]["p_kw"], 269.002_13, 1e-2);
    parts_add_up(&answer);
    let relaxed = json(&["opf", "ap-15", "--formulation", "relaxed", "--json"], 0);
    assert_eq!(relaxed["status"], "relaxed");
    close(&relaxed["objective_per_h"], 71.126_713_64, 1e-5);
}

/// A feeder whose upper voltage limit binds under free power: the relaxation burns it in currents that do not flow.
#[test]
fn a_relaxation_that_is_no_power_flow_is_a_bound_and_no_dispatch() {
    let folder = folder("opf_inexact");
    let text = "Network(name: \"two\", base_mva: 1,
        buses: [(id: 1, kind: Slack), (id: 2, p_kw: 200, q_kvar: 100, v_max_pu: 1.05)],
        branches: [(from: 1, to: 2, r_pu: 0.03, x_pu: 0.06)],
        generators: [
            (bus: 1, p_min_kw: -10000, p_max_kw: 10000, q_min_kvar: -10000, q_max_kvar: 10000, cost_per_h: Polynomial([0, 0.5])),
            (bus: 2, p_max_kw: 3000, q_min_kvar: 0, q_max_kvar: 0, cost_per_h: Polynomial([0, 0]))])";
    let network = file(&folder, "two.ron", text);
    let output = coase(&["opf", &network, "--formulation", "relaxed", "--json"]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    assert!(stderr(&output).contains("no power flow"), "{}", stderr(&output));
    let relaxed: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(relaxed["status"], "inexact");
    close(&relaxed["bound_per_h"], -1_221.666_666_67, 1e-5);
    close(&relaxed["max_cone_gap"], 5.257_5, 1e-6);
    close(&relaxed["buses"][1]["price_per_kwh"], 0.3, 1e-7);
    assert_eq!((&relaxed["generators"][1]["p_kw"], &relaxed["buses"][1]["voltage_pu"]), (&Value::Null, &Value::Null));
    // The power flow that is best as far as we know, and how far from the bound.
    let local = json(&["opf", &network, "--json"], 0);
    assert_eq!(local["status"], "local");
    close(&local["objective_per_h"], -1_058.137_96, 1e-4);
    close(&local["bound_per_h"], -1_221.666_666_67, 1e-4);
    close(&local["generators"][1]["p_kw"], 2_454.904, 1e-2);
}

#[test]
fn voltages_that_cannot_be_kept_are_named() {
    let folder = folder("opf_low");
    let text = CHAIN.replace("p_max_kw: 1000", "p_max_kw: 0");
    let network = file(&folder, "chain.ron", &text);
    let output = coase(&["opf", &network, "--json"]);
    assert_eq!(status(&output), 1, "{}", stderr(&output));
    let said = stderr(&output);
    assert!(said.contains("bus 3: voltage 0.9") && said.contains("below its limit of 0.97 pu"), "{said}");
    let answer: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!((&answer["status"], &answer["converged"]), (&Value::from("violated"), &Value::Bool(false)));
}

#[test]
fn carbon_of_an_ac_dispatch_is_accounted_for_with_its_losses() {
    let folder = folder("opf_ac_carbon");
    let network = file(&folder, "chain.ron", CHAIN);
    let carbon =
        file(&folder, "carbon.ron", "(default_kg_per_kwh: 0.581, by_bus: {3: 0.3}, generation: {2: (p_kw: 100)})");
    let answer = json(&["opf", &network, "--carbon", &carbon, "--carbon-price", "100", "--json"], 0);
    let kw = |k: usize| number(&answer["generators"][k]["p_kw"]);
    close(&answer["generators"][2]["p_kw"], 100.0, 1e-9);
    close(&answer["emissions_kg_per_h"], 0.581 * (kw(0) + 100.0) + 0.3 * kw(1), 1e-6);
    close(&answer["objective_per_h"], 0.5 * kw(0) + 0.55 * kw(1) + 0.1 * number(&answer["emissions_kg_per_h"]), 1e-6);
    close(&answer["buses"][0]["carbon"], 0.0581, 1e-9);
    // Power comes in from both ends.
    for bus in answer["buses"].as_array().unwrap() {
        let w = number(&bus["carbon_intensity_kg_per_kwh"]);
        assert!((0.3 - 1e-9..=0.581 + 1e-9).contains(&w), "{w}");
    }
    parts_add_up(&answer);
}

const SLACK: &str = include_str!("../../../core/tests/cases/slack_voltage_a.m");
const ANGLE: &str = include_str!("../../../core/tests/cases/angle_limit_a.m");
const ROUNDED: &str = include_str!("../../../core/tests/cases/pwl_rounded_a.m");
const SHORT: &str = include_str!("../../../core/tests/cases/load_above_units_a.m");

#[test]
fn a_slack_chooses_its_voltage_within_limits_unless_it_is_held() {
    let folder = folder("opf_slack");
    let network = file(&folder, "slack.m", SLACK);
    let free = json(&["opf", &network, "--json"], 0);
    close(&free["objective_per_h"], 250.923_548, 1e-5);
    close(&free["buses"][0]["voltage_pu"], 1.06, 1e-7);
    for (k, per_mwh) in [50.0, 51.345_59, 51.630_02].into_iter().enumerate() {
        close(&free["buses"][k]["price_per_kwh"], per_mwh / 1e3, 1e-8);
    }
    parts_add_up(&free);
    assert_eq!((&free["slack_voltage"], &free["status"]), (&Value::from("chosen"), &Value::from("certified")));
    let held = json(&["opf", &network, "--hold-slack", "--json"], 0);
    close(&held["objective_per_h"], 251.253_0, 1e-4);
    close(&held["buses"][0]["voltage_pu"], 1.0, 1e-12);
    assert_eq!(held["slack_voltage"], "held");
    assert!(stdout(&coase(&["opf", &network, "--hold-slack"])).contains("held at their set point"));
    // A slack of a RON network without limits of its own is where it is held.
    let chain = file(&folder, "chain.ron", CHAIN);
    let answer = json(&["opf", &chain, "--json"], 0);
    close(&answer["buses"][0]["voltage_pu"], 1.0, 1e-12);
}

#[test]
fn a_limit_of_an_angle_is_kept_and_priced() {
    let network = file(&folder("opf_angle"), "angle.m", ANGLE);
    let answer = json(&["opf", &network, "--json"], 0);
    close(&answer["objective_per_h"], 4_014.601_837, 1e-6);
    for (k, per_mwh) in [20.0, 27.5, 35.0].into_iter().enumerate() {
        close(&answer["buses"][k]["price_per_kwh"], per_mwh / 1e3, 1e-9);
    }
    parts_add_up(&answer);
}

#[test]
fn costs_that_are_convex_up_to_their_rounding_are_taken() {
    let network = file(&folder("opf_rounded"), "rounded.m", ROUNDED);
    close(&json(&["opf", &network, "--json"], 0)["objective_per_h"], 5_931.426_585, 1e-6);
}

#[test]
fn units_below_the_load_are_named_in_every_formulation() {
    let network = file(&folder("opf_short"), "short.m", SHORT);
    for formulation in ["ac", "relaxed", "dc", "lindistflow"] {
        let output = coase(&["opf", &network, "--formulation", formulation, "--json"]);
        assert_eq!(status(&output), 1, "{formulation}");
        let said = stderr(&output);
        assert!(said.contains("active power, kW: short by") && said.contains("bus "), "{formulation}: {said}");
        let answer: Value = serde_json::from_str(&stdout(&output)).unwrap();
        assert_eq!(answer["status"], "infeasible", "{formulation}");
    }
}

#[test]
fn voltages_that_no_relaxation_keeps_are_named() {
    let network = file(&folder("opf_relaxed_low"), "chain.ron", &CHAIN.replace("p_max_kw: 1000", "p_max_kw: 0"));
    let output = coase(&["opf", &network, "--formulation", "relaxed", "--json"]);
    assert_eq!(status(&output), 1);
    let said = stderr(&output);
    assert!(said.contains("infeasible") && said.contains("below its limit of 0.97 pu"), "{said}");
}
