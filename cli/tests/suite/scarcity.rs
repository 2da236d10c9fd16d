//! Caps and traded allowances whose price lies where emissions jump, through the binary: closed forms by arithmetic.

use crate::support::{coase, column, folder, status, stderr};
use std::path::{Path, PathBuf};

/// Runs an experiment of `cases`, which must end with a status, and returns its store.
fn run(name: &str, expected: i32) -> (PathBuf, String) {
    let out = folder(&format!("scarcity_{name}")).join("out");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/cases/{name}_exp.ron"));
    let output = coase(&["run", file.to_str().unwrap(), "--quiet", "--out", out.to_str().unwrap()]);
    assert_eq!(status(&output), expected, "{}", stderr(&output));
    (out, stderr(&output))
}

fn numbers(store: &Path, table: &str, name: &str) -> Vec<f64> {
    column(store, table, name).iter().map(|x| x.parse().unwrap_or_else(|_| panic!("{name}: `{x}`"))).collect()
}

fn all_close(found: &[f64], expected: f64, tolerance: f64) {
    assert!(!found.is_empty() && found.iter().all(|x| (x - expected).abs() <= tolerance), "{found:?}, not {expected}");
}

/// Verdicts of a certificate, one per run that has it.
fn verdicts(store: &Path, name: &str) -> Vec<String> {
    let names = column(store, "certificates", "name");
    let verdicts = column(store, "certificates", "verdict");
    names.into_iter().zip(verdicts).filter(|(n, _)| n == name).map(|(_, v)| v).collect()
}

/// Two loads of 100 kWh at 0.5 kg: 100 kg, whatever a kilogram costs.
#[test]
fn a_cap_below_what_must_be_emitted_is_infeasible_and_says_whose_kilograms_they_are() {
    let (store, _) = run("cap_below_reach", 1);
    assert!(column(&store, "runs", "status").iter().all(|s| s == "infeasible"));
    let (policies, reasons) = (column(&store, "runs", "carbon_label"), column(&store, "runs", "reason"));
    for (policy, reason) in policies.iter().zip(&reasons) {
        let named: &[&str] = if policy == "each" {
            &["a: kg under the cap: over by 30"]
        } else {
            &["cap of 50 kg", "100 kg (a 50, b 50)"]
        };
        assert!(named.iter().all(|part| reason.contains(part)), "{policy}: {reason}");
    }
}

/// Grid at 1.0 and 0.5 kg, turbines at 1.1 and 0.1 kg: a kilogram less costs 0.1 / 0.4. Under 90 kg for 200 kWh:
/// `0.5 g + 0.1 (200 - g) = 90` is 175 from the grid and 25 from the turbines, `175 + 27.5 = 202.5`.
#[test]
fn where_emissions_jump_the_cap_is_met_between_both_sides() {
    for (case, market, carbon_cost) in
        [("scarcity_jump", "emission_cap", 0.25 * 90.0), ("allowance_jump", "allowance_market", 0.0)]
    {
        let (store, _) = run(case, 0);
        assert_eq!(column(&store, "runs", "mechanism").len(), 3);
        all_close(&numbers(&store, "runs", "operating_cost"), 202.5, 1e-6);
        all_close(&numbers(&store, "runs", "carbon_cost"), carbon_cost, 1e-6);
        all_close(&numbers(&store, "runs", "emissions_kg"), 90.0, 1e-6);
        all_close(&numbers(&store, "runs", "carbon_marginal_price_per_tonne"), 250.0, 1e-4);
        let by_run = |table: &str, name: &str| {
            let (ids, x) = (column(&store, table, "run_id"), numbers(&store, table, name));
            let sum = |id: &String| ids.iter().zip(&x).filter(|(i, _)| *i == id).map(|(_, x)| x).sum::<f64>();
            column(&store, "runs", "run_id").iter().map(sum).collect::<Vec<f64>>()
        };
        all_close(&by_run("participants", "import_kwh"), 175.0, 1e-6);
        all_close(&by_run("periods", "micro_turbine_kw"), 25.0, 1e-6);
        assert_eq!(verdicts(&store, market), ["upheld"; 3]);
        assert_eq!(verdicts(&store, "fixed_point_gap"), ["upheld"; 3]);
        assert_eq!(verdicts(&store, "efficiency"), ["measured", "upheld", "upheld"]);
    }
}

/// Apart 350 kWh are imported or 250 exported, together 100 imported: of 250 of money 150 is saved, and 125 kg at 0.4.
#[test]
fn a_bargain_under_traded_allowances_splits_what_the_evaluator_measures() {
    let (store, _) = run("allowance_bargain", 0);
    let gains = numbers(&store, "participants", "gain");
    all_close(&gains[..3], 200.0 / 3.0, 1e-6);
    // The ladder alone: 260 of gain.
    all_close(&gains[3..], 260.0 / 3.0, 1e-6);
    all_close(&numbers(&store, "runs", "welfare_gain")[..1], 200.0, 1e-6);
}

const WIND_AND_LOADS: &str = r#"Scenario(name: "wind", periods: 1, period_h: 1, currency: "EUR",
    grid: (buy_price_per_kwh: 1.0, sell_price_per_kwh: 0.4, intensity_kg_per_kwh: 0.5),
    participants: [
        (id: "wind", devices: [Wind(p_max_kw: 100, profile: 1.0)]),
        (id: "a", devices: [Load(p_kw: 80)]),
        (id: "b", quota_kg: 10, devices: [Load(p_kw: 60)]),
    ])"#;

/// Wind sells 100 kWh to loads of 80 and 60 that import the rest. At 200 per tonne the loads answer for all they consume at
/// 0.5 kg, 40 kg and 30 kg less a quota of 10; wind, which was issued nothing, owes nothing. If it earns 0.3 kg per kWh,
/// 30 kg travel with what it sells, in proportion.
#[test]
fn bundled_allowances_travel_only_from_whoever_holds_them() {
    let folder = folder("scarcity_bundled");
    crate::support::file(&folder, "wind.ron", WIND_AND_LOADS);
    let listed = r#"Experiment(scenarios: ["wind.ron"],
        mechanisms: ["grid-only", "mid-market-rate", "central-optimum", "nash-bargaining"], carbon: [
            (label: "none earned", policy: AllowanceTrading(base_price_per_tonne: 200, growth: 0, credits: Bundled)),
            (label: "earned", policy: AllowanceTrading(base_price_per_tonne: 200, growth: 0, credits: Bundled,
                renewable_kg_per_kwh: 0.3))])"#;
    let out = folder.join("out");
    let file = crate::support::file(&folder, "bundled.ron", listed);
    let output = coase(&["run", &file, "--quiet", "--out", out.to_str().unwrap()]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    assert_eq!(verdicts(&out, "retirement"), ["upheld"; 8]);
    assert!(verdicts(&out, "individual_rationality").iter().all(|v| v != "refuted"));
    let (labels, mechanisms) = (column(&out, "runs", "carbon_label"), column(&out, "runs", "mechanism"));
    let ids = column(&out, "runs", "run_id");
    let paid = numbers(&out, "participants", "carbon_cost");
    let whose = column(&out, "participants", "run_id");
    for ((label, mechanism), id) in labels.iter().zip(&mechanisms).zip(&ids) {
        let found: Vec<f64> = whose.iter().zip(&paid).filter(|(i, _)| *i == id).map(|(_, x)| *x).collect();
        let sold = mechanism != "grid-only";
        let (wind, covered) = match (label.as_str(), sold) {
            ("earned", true) => (0.0, 30.0),
            // Without trade it keeps what it earned, and a surplus is worth its price.
            ("earned", false) => (-30.0, 0.0),
            _ => (0.0, 0.0),
        };
        let expected_kg = [wind, 40.0 - covered * 80.0 / 140.0, 20.0 - covered * 60.0 / 140.0];
        if mechanism == "mid-market-rate" || !sold {
            for (found, kg) in found.iter().zip(expected_kg) {
                assert!((found - 0.2 * kg).abs() < 1e-6, "{label}, {mechanism}: {found}, {kg} kg");
            }
        }
        // Who buys how much of the optimum is a choice; what all pay is not.
        let (all, kg) = (found.iter().sum::<f64>(), expected_kg.iter().sum::<f64>());
        assert!((all - 0.2 * kg).abs() < 1e-6, "{label}, {mechanism}: {all}, {kg} kg");
        assert!((found[0] - 0.2 * wind).abs() < 1e-6, "{label}, {mechanism}: wind pays {}", found[0]);
    }
    // 70 kg are charged and 20 emitted, with trade (what is bought) and without (what goes through the grid and back).
    for phantom in numbers(&out, "runs", "phantom_kg") {
        assert!((phantom - 50.0).abs() < 1e-6, "{phantom}");
    }
}
