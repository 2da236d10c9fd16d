//! A carbon policy that nothing in the workspace knows of, registered by this test, has everything that others have.

#[path = "../../../examples/outside_plugin/src/exempted_tax.rs"]
mod exempted_tax;

use crate::folder;
use coase_testkit::files::{column, file};
use std::path::Path;
use std::process::ExitCode;

fn coase(args: &[&str]) -> bool {
    let code: ExitCode = coase::main(["coase"].iter().chain(args));
    format!("{code:?}") == format!("{:?}", ExitCode::SUCCESS)
}

/// One hour: three that buy 10, 20 and 40 kWh, of 4, 8 and 16 kg, and one that sells sunshine.
const STREET: &str = "Scenario(name: \"street\", periods: 1, currency: \"EUR\",
    grid: (buy_price_per_kwh: 0.3, sell_price_per_kwh: 0.1, intensity_kg_per_kwh: 0.4),
    participants: [
        (id: \"a\", devices: [Load(p_kw: 10)]), (id: \"b\", devices: [Load(p_kw: 20)]),
        (id: \"c\", devices: [Load(p_kw: 40)]), (id: \"sun\", devices: [Pv(p_max_kw: 25, profile: 1)]),
    ])";

fn experiment(policies: &str, more: &str) -> String {
    format!("Experiment(scenarios: [{STREET}], mechanisms: [\"grid-only\"], carbon: [{policies}]{more})")
}

/// Runs the street under policies; the tables are in the folder `out`.
fn run(folder: &Path, policies: &str, more: &str) -> std::path::PathBuf {
    let (path, out) = (file(folder, "experiment.ron", &experiment(policies, more)), folder.join("out"));
    assert!(coase(&["run", &path, "--quiet", "--out", out.to_str().unwrap()]), "{policies}");
    out
}

fn numbers(out: &Path, table: &str, name: &str) -> Vec<f64> {
    let known = column(out, table, name).into_iter().filter(|cell| !cell.is_empty());
    known.map(|x| x.parse().unwrap_or_else(|_| panic!("{name}: `{x}`"))).collect()
}

#[test]
fn it_charges_what_its_formula_says_and_nothing_within_the_exemption() {
    let folder = folder("own_policy");
    assert!(coase(&["explain", "exempted-tax"]));
    let policies = "\"none\", Tax(price_per_tonne: 300), ExemptedTax(price_per_tonne: 300, exempt_kg: 5)";
    let out = run(&folder, policies, "");
    let cost = numbers(&out, "participants", "carbon_cost");
    // 0.3 a kg, of all 4, 8 and 16 kg and of what is beyond 5.
    let expected = [[0.0, 0.0, 0.0, 0.0], [1.2, 2.4, 4.8, 0.0], [0.0, 0.9, 3.3, 0.0]].concat();
    assert!(cost.iter().zip(&expected).all(|(found, right)| (found - right).abs() < 1e-9), "{cost:?}");
    let verdicts = column(&out, "certificates", "verdict");
    assert!(verdicts.iter().all(|verdict| verdict != "refuted"), "{verdicts:?}");
}

#[test]
fn it_has_the_parameters_of_every_policy() {
    let folder = folder("own_modifiers");
    let with = |label: &str, more: &str| {
        format!("(label: \"{label}\", policy: ExemptedTax(price_per_tonne: 300, exempt_kg: 5, {more}))")
    };
    let policies = [
        with("plain", "storage_carbon: Conserving, allow_negative_carbon_price: true"),
        with("twice", "price_factor: 2"),
        with("declined", "quota_decline_per_year: 0.5, year: 1"),
        with("to_dso", "recycling: ToDso"),
        with("hidden", "visible: false"),
        with("net", "import_base: NetOfExports"),
        with("feeder", "coverage: Feeder"),
    ];
    let out = run(&folder, &policies.join(", "), "");
    // 3 and 11 kg beyond 5; with half of the exemption 1.5, 5.5 and 13.5. Nobody imports and exports, and there is no feeder.
    let (cost, right) = (numbers(&out, "runs", "carbon_cost"), [4.2, 8.4, 6.15, 4.2, 4.2, 4.2, 4.2]);
    assert!(cost.iter().zip(right).all(|(found, right)| (found - right).abs() < 1e-9), "{cost:?}");
    let revenue = numbers(&out, "runs", "carbon_revenue");
    assert!((revenue[0] - 4.2).abs() < 1e-9 && revenue[3].abs() < 1e-9, "{revenue:?}");
    assert_eq!(numbers(&out, "runs", "carbon_price_per_tonne")[..2], [300.0, 600.0]);
}

#[test]
fn it_is_made_comparable_and_refused_like_any_other() {
    let folder = folder("own_matched");
    let policies = "\"none\", Tax(price_per_tonne: 300), ExemptedTax(exempt_kg: 5)";
    let out = run(&folder, policies, ", match: Revenue");
    // 28 kg at 0.3; beyond the exemption there are 14, which pay as much at 600 a tonne.
    let paid = numbers(&out, "runs", "carbon_cost");
    assert!((paid[1] - 8.4).abs() < 1e-9 && (paid[2] / 8.4 - 1.0).abs() < 1e-4, "{paid:?}");
    let price = numbers(&out, "runs", "carbon_price_per_tonne");
    assert!((price.last().unwrap() / 600.0 - 1.0).abs() < 1e-4, "{price:?}");
    for wrong in ["ExemptedTax(exempt_kg: -1)", "ExemptedTax(exmpt_kg: 1)", "ExemptedTax(visible: 1)"] {
        let path = file(&folder, "wrong.ron", &experiment(wrong, ""));
        let run = coase(&["run", &path, "--quiet", "--out", folder.join("wrong").to_str().unwrap()]);
        assert!(!run, "{wrong}");
    }
}
