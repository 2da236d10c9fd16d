//! A device that nothing in the workspace knows of, registered by this test, is read, runs, is told of and drawn like any
//! other.

#[path = "../../../examples/outside_plugin/src/hydrogen_plant.rs"]
mod hydrogen_plant;

use crate::folder;
use coase_core::participant::devices;
use coase_core::participant::oracle::follow_their_equations;
use coase_testkit::files::{column, file};
use std::process::ExitCode;

fn coase(args: &[&str]) -> bool {
    format!("{:?}", coase::main(["coase"].iter().chain(args))) == format!("{:?}", ExitCode::SUCCESS)
}

fn scenario(device: &str) -> String {
    format!(
        "Scenario(name: \"site\", periods: 2, currency: \"EUR\",
            grid: (buy_price_per_kwh: [0.3, 0.1], sell_price_per_kwh: 0.05, intensity_kg_per_kwh: [0.5, 0.2]),
            participants: [
                (id: \"plant\", devices: [{device}]),
                (id: \"roof\", devices: [Pv(p_max_kw: 6, profile: [0, 1]), Load(p_kw: 1)]),
            ])"
    )
}

const PLANT: &str = "HydrogenPlant(p_max_kw: 20, hydrogen_kg_per_h: 0.25, kwh_per_kg: 50)";

#[test]
fn it_runs_from_a_file_and_meets_its_closed_form() {
    let folder = folder("own_device");
    file(&folder, "site.ron", &scenario(PLANT));
    let experiment = "Experiment(scenarios: [\"site.ron\"], mechanisms: [\"grid-only\", \"nash-bargaining\"])";
    let experiment = file(&folder, "experiment.ron", experiment);
    let out = folder.join("out");
    for asked in [["list", "devices"], ["explain", "hydrogen-plant"], ["check", &experiment]] {
        assert!(coase(&asked), "{asked:?}");
    }
    assert!(coase(&["run", &experiment, "--quiet", "--out", out.to_str().unwrap()]));
    let numbers = |table: &str, name: &str| -> Vec<Option<f64>> {
        column(&out, table, name).iter().map(|cell| cell.parse().ok()).collect()
    };
    // The first run is that without trade.
    let close = |found: Vec<Option<f64>>, right: &[Option<f64>]| {
        assert_eq!(found.len(), 2 * right.len(), "{found:?}");
        for (found, right) in found.iter().zip(right) {
            assert!(
                (found.is_none() && right.is_none()) || (found.unwrap() - right.unwrap()).abs() < 1e-6,
                "{found:?}"
            );
        }
    };
    // 25 kWh in two hours: 20 when energy costs 0.1, the rest at 0.3.
    close(numbers("periods", "hydrogen_plant_kw"), &[Some(-5.0), Some(-20.0), None, None]);
    close(numbers("participants", "total_cost"), &[Some(3.5), Some(0.3 - 5.0 * 0.05)]);
    // 27 kWh are consumed and 26 imported, 21 of them net of what the roof feeds in: its energy is load and no generation.
    close(numbers("runs", "self_sufficiency"), &[Some(1.0 - 21.0 / 27.0)]);
    close(numbers("participants", "emissions_kg"), &[Some(5.0 * 0.5 + 20.0 * 0.2), Some(0.5)]);
    let drawn = std::fs::read_dir(out.join("figures")).unwrap().flatten();
    let paths: Vec<_> = drawn.map(|entry| entry.path()).filter(|p| p.extension().is_some_and(|e| e == "svg")).collect();
    let is_of_plant = |stem: &str| stem.starts_with("dispatch") && stem.contains("plant");
    let of_plant = paths.iter().find(|path| path.file_stem().and_then(|s| s.to_str()).is_some_and(is_of_plant));
    let of_plant = of_plant.unwrap_or_else(|| panic!("{paths:?}"));
    let drawing = std::fs::read_to_string(of_plant).unwrap();
    assert!(drawing.contains("#44AA99"), "in the colour that it asks for");
}

#[test]
fn its_bad_parameters_are_refused_with_their_place() {
    let folder = folder("own_device_refused");
    for wrong in [
        "HydrogenPlant(p_max_kw: 20, hydrogn_kg_per_h: 0.25)",
        "HydrogenPlant(p_max_kw: 20)",
        "HydrogenPlant(p_max_kw: -1, hydrogen_kg_per_h: 0)",
        "HydrogenPlant(p_max_kw: 20, hydrogen_kg_per_h: 3)",
        "HydrogenPlan(p_max_kw: 20, hydrogen_kg_per_h: 0.2)",
    ] {
        assert!(!coase(&["check", &file(&folder, "wrong.ron", &scenario(wrong))]), "{wrong}");
        let fault = coase_scenarios::load(&folder.join("wrong.ron"), &[]).unwrap_err();
        assert_eq!(fault.place.as_ref().map(|place| place.line), Some(4), "{fault}");
        let told = fault.to_string();
        let meant = ["hydrogen_kg_per_h", "p_max_kw", "HydrogenPlant"].iter().any(|word| told.contains(word));
        assert!(meant, "{told}");
    }
}

#[test]
fn it_follows_its_equations_as_every_device() {
    let all = devices();
    assert_eq!(all.last().map(|plugin| plugin.id), Some("hydrogen-plant"), "behind those of Coase");
    for seed in 0..12 {
        assert_eq!(follow_their_equations(&all, seed), Ok(()), "seed {seed}");
    }
}
