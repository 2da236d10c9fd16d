//! Reading files: defaults, the resolved form, and every kind of bad input with its place.

use coase_core::participant::{EvFleet, Hvac, HvacControl, MicroTurbine, Quadratic, Storage};
use coase_mechanisms as _;
use coase_scenarios::{Cause, Experiment, Fault, Loader, Override, library_file, spec};
use std::path::{Path, PathBuf};

/// A scenario in which each kind of device appears once, and most defaults are left to the program.
const PLANT: &str = r#"Scenario(
    name: "plant", periods: 2, currency: "CNY",
    network: (source: "das-15"),
    grid: (buy_price_per_kwh: [1.0, 0.8], sell_price_per_kwh: 0.4, intensity_kg_per_kwh: 0.581),
    participants: [
        (id: "vpp1", bus: 3, devices: [
            Pv(p_max_kw: 100, profile: [0.5, 1]),
            Load(p_kw: 40),
            Interruptible(share: 0.1, compensation_per_kwh: 0.8),
            Shiftable(share: 0.1),
            MicroTurbine(p_max_kw: 30, emission_kg_per_kwh: 0.45),
            Storage(capacity_kwh: 80, p_charge_max_kw: 20, p_discharge_max_kw: 25),
            EvFleet(sessions: [(arrival_h: 0, departure_h: 2, energy_kwh: 10, target_kwh: 12, capacity_kwh: 50, p_max_kw: 7)]),
            Hvac(resistance_c_per_kw: 2, capacity_kwh_per_c: 5, cop: 3.5, p_max_kw: 15, outdoor_c: 30, min_c: 20,
                max_c: 28, target_c: 24, discomfort_per_c2: 0.5),
        ]),
    ],
)"#;

fn load(text: &str) -> Result<Experiment, Fault> {
    load_with(text, &[])
}

fn load_with(text: &str, set: &[&str]) -> Result<Experiment, Fault> {
    let set: Vec<Override> = set.iter().map(|s| s.parse().unwrap()).collect();
    Loader::default().load_text("test.ron", text, Path::new(""), &set)
}

/// The plant with one piece of text replaced.
fn plant(from: &str, to: &str) -> String {
    assert!(PLANT.contains(from), "{from}");
    PLANT.replacen(from, to, 1)
}

/// Line, column and text at fault of a bad file.
fn place(fault: &Fault) -> (usize, usize, String) {
    let place = fault.place.as_ref().expect("a place");
    let at_fault = place.text.chars().skip(place.column - 1).take(place.width).collect();
    (place.line, place.column, at_fault)
}

/// The place where `needle` stands in `text`, counted independently of the loader.
fn place_of(text: &str, needle: &str) -> (usize, usize) {
    let (line, content) = text.lines().enumerate().find(|(_, l)| l.contains(needle)).expect("the needle");
    (line + 1, content.find(needle).unwrap() + 1)
}

/// Checks that replacing `from` by `to` is refused at `needle`, with these words.
fn refused(from: &str, to: &str, needle: &str, words: &[&str]) -> Fault {
    let text = plant(from, to);
    let fault = load(&text).expect_err(to);
    let (line, column, _) = place(&fault);
    assert_eq!((line, column), place_of(&text, needle), "{fault}");
    for word in words {
        assert!(fault.to_string().contains(word), "`{word}` is not in: {fault}");
    }
    fault
}

#[test]
fn the_damage_of_a_tonne_is_written_or_the_first_price_that_is_not_negative() {
    let choice = |scenario: &str, carbon: &str| {
        let text = format!("Experiment(scenarios: [{scenario}], mechanisms: [\"grid-only\"], carbon: [{carbon}])");
        let choices = load(&text).unwrap().choices();
        (choices[0].damage_per_tonne, choices[0].damage_from.clone())
    };
    assert_eq!(choice(PLANT, "\"none\", Tax(price_per_tonne: 60)"), (60.0, Some("tax".to_owned())));
    assert_eq!(choice(PLANT, "Tax(price_per_tonne: -5)"), (0.0, None));
    let labelled =
        "(label: \"low\", policy: Tax(price_per_tonne: -5)), (label: \"high\", policy: Tax(price_per_tonne: 80))";
    assert_eq!(choice(PLANT, labelled), (80.0, Some("high".to_owned())));
    let told = PLANT.replacen("periods:", "damage_per_tonne: 12, periods:", 1);
    assert_ne!(told, PLANT);
    assert_eq!(choice(&told, "Tax(price_per_tonne: 60)"), (12.0, None));
    assert_eq!(choice(PLANT, "\"none\""), (0.0, None));
}

#[test]
fn defaults_are_those_of_the_documentation() {
    let experiment = load(PLANT).unwrap();
    let run = &experiment.runs[0];
    let form = &run.instance.form;
    assert_eq!((form.period_h, form.damage_per_tonne), (1.0, Some(0.0)));
    let network = form.network.as_ref().unwrap();
    assert_eq!((network.load_scale, network.v_min_pu, network.v_max_pu), (1.0, None, None));
    assert_eq!(network.load_shape, spec::Series::List(vec![1.0, 1.0]));
    assert_eq!(form.grid.upstream_cost_per_kwh, Some(spec::Series::List(vec![0.4, 0.4])));
    assert_eq!(form.grid.upstream_carbon_in_tariff, 0.0);
    let vpp = &form.participants[0];
    assert_eq!((vpp.quota_kg, vpp.power_factor), (0.0, 1.0));
    // Imports: load 40, shiftable 4, charging 20, one vehicle 7, cooling 15. Exports: 100 + 30 + 25.
    assert_eq!((vpp.import_max_kw, vpp.export_max_kw), (Some(86.0), Some(155.0)));
    let turbine = vpp.devices[4].downcast_ref::<MicroTurbine>().expect("a turbine");
    assert_eq!((turbine.p_min_kw, turbine.cost_per_kwh, turbine.cost_per_kwh2), (0.0, 0.0, 0.0));
    assert_eq!((turbine.cost_per_h, turbine.ramp_kw_per_h), (0.0, None));
    let storage = vpp.devices[5].downcast_ref::<Storage>().expect("a storage");
    assert_eq!((storage.efficiency_charge, storage.efficiency_discharge, storage.retention_per_h), (0.95, 0.95, 1.0));
    assert_eq!((storage.soc_min, storage.soc_max, storage.soc_start), (0.1, 0.9, 0.5));
    assert_eq!((storage.soc_end, storage.cost_per_kwh), (Some(0.5), 0.0));
    let fleet = vpp.devices[6].downcast_ref::<EvFleet>().expect("a fleet");
    assert_eq!((fleet.v2g, fleet.sessions[0].count, fleet.sessions[0].efficiency), (false, 1, 0.95));
    let hvac = vpp.devices[7].downcast_ref::<Hvac>().expect("cooling");
    assert_eq!((hvac.start_c, hvac.control), (Some(24.0), HvacControl::Flexible));
    assert_eq!((experiment.baseline.as_str(), experiment.seeds.as_slice()), ("grid-only", [1].as_slice()));
}

/// Every field that the documentation names, at once.
const EVERYTHING: &str = r#"Experiment(
    scenarios: [Scenario(
        name: "example", periods: 2, period_h: 12.0, currency: "CNY",
        network: Some((source: "ieee-33", load_scale: 0.5, load_shape: [1, 0.5], v_min_pu: 0.90, v_max_pu: 1.05,
            branch_limit_kva: {"5-6": 800})),
        grid: (buy_price_per_kwh: 1.0, sell_price_per_kwh: 0.4, intensity_kg_per_kwh: 0.581, upstream_cost_per_kwh: None,
               upstream_carbon_in_tariff: 0.0),
        damage_per_tonne: None,
        participants: [(id: "vpp1", bus: 18, quota_kg: 500, power_factor: 1.0, import_max_kw: 2000, export_max_kw: 2000, devices: [
            Pv(p_max_kw: 1500, profile: [0, 1], cost_per_kwh: 0.01), Wind(p_max_kw: 900, profile: 0.3, cost_per_kwh: 0.01),
            Load(p_kw: [100, 200]), Interruptible(share: 0.1, compensation_per_kwh: 0.8), Shiftable(share: 0.1, cost_per_kwh: 0.02),
            MicroTurbine(p_min_kw: 0, p_max_kw: 300, cost_per_kwh: 0.42, cost_per_kwh2: 2e-4, cost_per_h: 0, ramp_kw_per_h: 150, emission_kg_per_kwh: 0.45),
            Storage(capacity_kwh: 800, p_charge_max_kw: 200, p_discharge_max_kw: 200, efficiency_charge: 0.95, efficiency_discharge: 0.95,
                    retention_per_h: 1.0, soc_min: 0.1, soc_max: 0.9, soc_start: 0.5, soc_end: None, cost_per_kwh: 0.02),
            EvFleet(v2g: false, sessions: [(count: 20, arrival_h: 18, departure_h: 24, energy_kwh: 10, target_kwh: 25, capacity_kwh: 50, p_max_kw: 7, efficiency: 0.95)]),
            Hvac(resistance_c_per_kw: 0.02, capacity_kwh_per_c: 50, cop: 3.5, p_max_kw: 150, outdoor_c: [25, 27], start_c: 24, min_c: 22, max_c: 26, target_c: 24,
                 discomfort_per_c2: 0.5, control: Flexible),
            Quadratic(a_per_kwh2: 0.004, b_per_kwh: 0.20),
        ])],
    )],
    mechanisms: ["grid-only", NashBargaining(weights: Exponential)],
    carbon: ["none", "stepped", (label: "flat-320", policy: Tax(price_per_tonne: 320))],
    baseline: "grid-only", seeds: [1], sweep: [(path: "carbon.base_price_per_tonne", values: [200, 280])],
    evidence: (core: false, regret: false),
    match: BasePrice,
    first_periods: None,
)"#;

#[test]
fn every_documented_field_is_read() {
    let experiment = load(EVERYTHING).unwrap();
    // For each mechanism: none once, the ladder at two prices, the tax once.
    assert_eq!(experiment.runs.len(), 2 * (1 + 2 + 1));
    let run = &experiment.runs[1];
    assert_eq!((run.carbon_label.as_str(), &run.swept[0]), ("stepped", &coase_core::record::Value::Number(200.0)));
    // The damage is the price of the first priced policy as written, whatever is swept.
    assert!(experiment.runs.iter().all(|r| r.yardstick.damage_per_tonne == 280.0));
    let feeder = run.instance.setting.feeder.as_ref().unwrap();
    assert_eq!(feeder.passive_load_factor, [0.5, 0.25]);
    assert!(feeder.network.buses.iter().all(|b| (b.v_min_pu, b.v_max_pu) == (0.90, 1.05)));
    let limited: Vec<_> = feeder.network.branches.iter().filter_map(|b| b.rate_kva).collect();
    assert_eq!(limited, [800.0]);
}

#[test]
fn a_scenario_alone_is_run_with_four_mechanisms_and_no_policy() {
    let experiment = load(library_file("three_vpp").unwrap().text).unwrap();
    assert_eq!(experiment.variants(), ["grid-only", "mid-market-rate", "central-optimum", "nash-bargaining"]);
    assert!(experiment.runs.iter().all(|run| run.carbon_label == "none" && run.seed == 1));
    assert_eq!(experiment.runs.len(), 4);
}

#[test]
fn quadratic_agents_are_bounded_by_their_exports_at_no_price_and_at_twice_the_dearest() {
    let experiment = load(library_file("three_vpp").unwrap().text).unwrap();
    let setting = &experiment.runs[0].instance.setting;
    let limits: Vec<(f64, f64)> = setting.members.iter().map(|m| (m.import_max_kw, m.export_max_kw)).collect();
    // (0 - b) / a and (2 - b) / a.
    let expected = [(0.2 / 0.004, 1.8 / 0.004), (0.55 / 0.005, 1.45 / 0.005), (1.1 / 0.002, 0.9 / 0.002)];
    for ((import, export), (i, e)) in limits.into_iter().zip(expected) {
        assert!((import - i).abs() < 1e-9 && (export - e).abs() < 1e-9, "{import} {export}");
    }
}

#[test]
fn the_resolved_form_is_read_back_with_the_same_runs() {
    let text = r#"Experiment(
        scenarios: ["three_vpp", PLANT],
        mechanisms: ["grid-only", (label: "exp", mechanism: NashBargaining(weights: Exponential))],
        carbon: ["none"], seeds: [3, 4], first_periods: 1,
        sweep: [SWEEP],
        evidence: (core: true),
    )"#
    .replace("PLANT", PLANT)
    .replace("Load(p_kw: 40)", "Load(p_kw: Drawn(law: Normal(relative_deviation: 0.1), times: [40, 30], shared: 0.5))");
    for sweep in [
        "",
        r#"(path: "scenario.grid.buy_price_per_kwh", values: [1.0, 1.2, [1.0]])"#,
        r#"(path: "scenario.participants.vpp1.devices.0.p_max_kw", values: [50, 200])"#,
        r#"(path: "experiment.first_periods", values: [1, 2]), (path: "mechanism.weights", values: [Equal, Exponential])"#,
    ] {
        let experiment = match load(&text.replace("SWEEP", sweep)) {
            // three_vpp has one period and no generator: such values are refused.
            Err(fault) if sweep.contains("[1.0]") || sweep.contains("p_max_kw") => {
                let alone = text.replace("\"three_vpp\", ", "").replace(", [1.0]", "");
                load(&alone.replace("SWEEP", &sweep.replace(", [1.0]", ""))).unwrap_or_else(|_| panic!("{fault}"))
            }
            other => other.unwrap(),
        };
        let resolved = experiment.resolved().unwrap();
        let again = load(&resolved).unwrap_or_else(|fault| panic!("{fault}\n{resolved}"));
        let ids = |e: &Experiment| e.runs.iter().map(|r| r.run_id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(&experiment), ids(&again), "{sweep}");
        assert_eq!(experiment.hash(), again.hash());
        assert_eq!(again.resolved().unwrap(), resolved);
        let mut unique = ids(&experiment);
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), experiment.runs.len());
    }
}

#[test]
fn the_resolved_form_of_every_plugin_is_read_back() {
    let ids = |ids: Vec<&str>| ids.into_iter().map(|id| format!("{id:?}")).collect::<Vec<_>>().join(", ");
    let mechanisms = ids(coase_core::mechanism::mechanisms().iter().map(|p| p.id).collect());
    let policies = ids(coase_core::policy::policies().iter().map(|p| p.id).collect());
    let text = experiment(&format!("mechanisms: [{mechanisms}], carbon: [{policies}]"));
    let loaded = load(&text).unwrap();
    let resolved = loaded.resolved().unwrap();
    let again = load(&resolved).unwrap_or_else(|fault| panic!("{fault}\n{resolved}"));
    assert_eq!(loaded.hash(), again.hash());
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]

    /// Whatever is cut out of a file or put into it, the answer is an experiment or a fault with a place in the text.
    #[test]
    fn damaged_files_are_refused_in_their_place(at in 0..PLANT.len(), cut in 0..40_usize, put in "[(){}\\[\\],:\"a-z0-9 .é]{0,6}") {
        let end = (at + cut).min(PLANT.len());
        let text = format!("{}{put}{}", &PLANT[..at], &PLANT[end..]);
        for set in [vec![], vec!["scenario.participants.vpp1.devices.0.p_max_kw=7"]] {
            if let Err(fault) = load_with(&text, &set)
                && let Some(place) = &fault.place
            {
                let lines = text.lines().count().max(1);
                proptest::prop_assert!(place.line <= lines + 1, "{}", fault);
                proptest::prop_assert!(place.column <= place.text.chars().count() + 2, "{}", fault);
            }
        }
    }
}

#[test]
fn brackets_without_end_are_refused() {
    for text in ["Scenario(".repeat(100_000), format!("Scenario(name: {}", "[".repeat(100_000))] {
        assert!(load_with(&text, &["scenario.name=\"x\""]).is_err());
    }
}

#[test]
fn an_unknown_field_is_refused_where_it_stands_with_what_may_be_meant() {
    let fault = refused("p_max_kw: 100", "p_max_kv: 100", "p_max_kv", &["p_max_kv", "did you mean `p_max_kw`?"]);
    assert_eq!(place(&fault).2, "p_max_kv");
    refused("periods: 2", "period: 2", "period: 2", &["did you mean `periods`?"]);
    refused("(source:", "(sourc:", "sourc:", &["did you mean `source`?"]);
    refused("Pv(", "PV(", "PV(", &["did you mean `Pv`?"]);
}

#[test]
fn malformed_ron_is_refused_where_it_breaks() {
    refused("currency: \"CNY\",", "currency: \"CNY\"", "network:", &[]);
    refused("profile: [0.5, 1]", "profile: [0.5, 1}", "}),", &[]);
}

#[test]
fn the_head_word_is_required() {
    let fault = load(&plant("Scenario(", "(")).unwrap_err();
    assert!(matches!(&*fault.cause, Cause::Head { found, .. } if found == "("), "{fault}");
    let fault = load(&plant("Scenario(", "// a comment\nScenari(")).unwrap_err();
    assert_eq!(place(&fault).0, 2);
    assert!(load("").is_err());
}

#[test]
fn numbers_out_of_range_are_refused_at_their_field() {
    refused("p_max_kw: 100", "p_max_kw: -100", "-100", &["pv", "-100"]);
    refused("capacity_kwh: 80", "capacity_kwh: -1", "-1,", &["capacity_kwh"]);
    refused("bus: 3", "bus: 3, power_factor: 0", "0, devices", &["power_factor"]);
    refused("share: 0.1)", "share: 1.1)", "1.1", &["share"]);
    refused("sell_price_per_kwh: 0.4", "sell_price_per_kwh: 0.9", "0.9", &["in period 1"]);
    refused("periods: 2", "periods: 0", "0, currency", &["periods"]);
    refused("periods: 2", "periods: 2, period_h: 0", "0, currency", &["period_h"]);
    refused("capacity_kwh: 80", "capacity_kwh: 80, soc_start: 0.05", "0.05", &["soc"]);
}

#[test]
fn series_have_one_number_per_period() {
    refused("[1.0, 0.8]", "[1.0, 0.8, 0.7]", "[1.0, 0.8, 0.7]", &["3 values", "2 periods"]);
    refused("[0.5, 1]", "[0.5, NaN]", "NaN", &["profile", "period 1"]);
    refused("Load(p_kw: 40)", "Load(p_kw: inf)", "inf", &["p_kw"]);
    refused("profile: [0.5, 1]", "profile: \"0.5\"", "\"0.5\"", &["a number, a list of numbers, Csv"]);
}

#[test]
fn buses_are_in_the_network_and_connected() {
    refused("bus: 3", "bus: 16", "16", &["no bus `16`", "15 buses"]);
    refused("bus: 3, ", "", "(id: \"vpp1\"", &["bus is missing"]);
    let island = "(source: Network(base_mva: 1, buses: [(id: 1, kind: Slack), (id: 2), (id: 3)],
        branches: [(from: 1, to: 2, r_pu: 0.1, x_pu: 0.1), (from: 2, to: 3, r_pu: 0.1, x_pu: 0.1, in_service: false)]))";
    refused("(source: \"das-15\")", island, "3, devices", &["bus 3 is not connected"]);
}

#[test]
fn networks_are_known() {
    refused("das-15", "das15", "\"das15\"", &["did you mean `das-15`?"]);
    refused("das-15", "nowhere.m", "\"nowhere.m\"", &["cannot read nowhere.m"]);
    let with = |limit: &str| format!("(source: \"das-15\", branch_limit_kva: {{{limit}}})");
    refused("(source: \"das-15\")", &with("\"2-7\": 5"), "5}", &["no branch `2-7`"]);
    assert!(load(&plant("(source: \"das-15\")", &with("\"3-2\": 500"))).is_ok());
}

#[test]
fn sessions_lie_within_the_horizon() {
    refused("departure_h: 2", "departure_h: 3", "3, energy", &["session 0", "departure_h"]);
}

#[test]
fn participants_have_ids_of_their_own() {
    refused("\"vpp1\"", "\"1vpp\"", "\"1vpp\"", &["begin with a letter"]);
    refused("\"vpp1\"", "\"grid\"", "\"grid\"", &["ledger"]);
    let twice = library_file("three_vpp").unwrap().text.replace("vpp2", "vpp1");
    let fault = load(&twice).unwrap_err();
    assert!(matches!(&*fault.cause, Cause::Twice { name, .. } if name == "vpp1"), "{fault}");
}

#[test]
fn a_missing_file_is_named() {
    let fault = Loader::default().load(Path::new("nowhere.ron"), &[]).unwrap_err();
    assert!(matches!(&*fault.cause, Cause::Unreadable { path, .. } if path == "nowhere.ron"), "{fault}");
    let text = "Experiment(\n scenarios: [\"three_vp.ron\"], mechanisms: [\"grid-only\"])";
    let fault = load(text).unwrap_err();
    assert_eq!((place(&fault).0, place(&fault).1), (2, 14));
    assert_eq!(fault.hint.as_deref(), Some("did you mean `three_vpp`?"));
}

fn experiment(fields: &str) -> String {
    format!("Experiment(\n    scenarios: [\"three_vpp\"],\n    {fields},\n)")
}

#[test]
fn mechanisms_are_listed_by_id_by_name_or_with_a_label() {
    let text = experiment(
        r#"mechanisms: ["grid-only", NashBargaining(weights: Exponential), (label: "n", mechanism: "nash-bargaining")]"#,
    );
    let loaded = load(&text).unwrap();
    assert_eq!(loaded.variants(), ["grid-only", "nash-bargaining", "n"]);
    for (list, needle, words) in [
        (r#"["nash-bargainin"]"#, "\"nash-bargainin\"", vec!["did you mean `nash-bargaining`?"]),
        (r#"["grid-only", NashBargainin()]"#, "NashBargainin(", vec!["did you mean `NashBargaining`?"]),
        (r#"["grid-only", NashBargaining(weigths: Exponential)]"#, "weigths", vec!["did you mean `weights`?"]),
        (r#"[(label: "x", mechanism: NashBargaining(weights: Exponentia))]"#, "Exponentia", vec!["`Exponential`"]),
        (r#"["grid-only", GridOnly]"#, "GridOnly", vec!["write `GridOnly()`"]),
        (r#"["grid-only", GridOnly()]"#, "GridOnly", vec!["twice", "give each a label"]),
        (r#"[(labl: "x", mechanism: GridOnly())]"#, "(labl", vec![]),
        (r#"[(label: "x", policy: GridOnly())]"#, "GridOnly", vec!["policy"]),
        ("[]", "[]", vec!["the list of mechanisms is empty"]),
    ] {
        let text = experiment(&format!("mechanisms: {list}"));
        let fault = load(&text).expect_err(list);
        let found = place(&fault);
        assert_eq!((found.0, found.1), place_of(&text, needle), "{fault}");
        for word in words {
            assert!(fault.to_string().contains(word), "`{word}` is not in: {fault}");
        }
    }
}

#[test]
fn an_experiment_refuses_what_it_cannot_do() {
    for (fields, needle) in [
        ("mechanisms: [\"grid-only\"], match: Revenue", "Revenue"),
        ("mechanisms: [\"grid-only\"], baseline: \"vcg\"", "\"vcg\""),
        ("mechanisms: [\"grid-only\"], seeds: [1, 2, 1]", "1],"),
        ("mechanisms: [\"grid-only\"], seeds: []", "[]"),
        ("mechanisms: [\"grid-only\"], first_periods: 0", "0,"),
        ("mechanisms: [\"grid-only\"], sweep: [(path: \"scenari.x\", values: [1])]", "\"scenari.x\""),
        ("mechanisms: [\"grid-only\"], sweep: [(path: \"experiment.seeds\", values: [1])]", "\"experiment.seeds\""),
        (
            "mechanisms: [\"nash-bargaining\"], sweep: [(path: \"mechanism.weigts\", values: [1])]",
            "\"mechanism.weigts\"",
        ),
    ] {
        let text = experiment(fields);
        let fault = load(&text).expect_err(fields);
        let found = place(&fault);
        assert_eq!(found.0, 3, "{fault}");
        assert!(found.2.starts_with(needle.trim_end_matches(['.', ',', ']'])) || needle == "[]", "{fault}: {found:?}");
    }
}

#[test]
fn a_sweep_is_crossed_with_what_has_the_parameter_and_runs_once_with_the_rest() {
    let text = experiment(
        r#"mechanisms: ["grid-only", "nash-bargaining"], seeds: [2],
        sweep: [(path: "mechanism.weights", values: [Equal, Exponential]), (path: "scenario.grid.buy_price_per_kwh", values: [1.0, 1.5])]"#,
    );
    let loaded = load(&text).unwrap();
    assert_eq!(loaded.swept(), ["mechanism.weights", "scenario.grid.buy_price_per_kwh"]);
    let rows: Vec<String> = loaded.runs.iter().map(|r| format!("{} {:?} {}", r.variant, r.swept, r.seed)).collect();
    assert_eq!(rows.len(), 2 + 2 * 2);
    assert_eq!(rows[0], "grid-only [Missing, Number(1.0)] 2");
    assert_eq!(rows[1], "grid-only [Missing, Number(1.5)] 2");
    assert_eq!(rows[2], "nash-bargaining [Text(\"Equal\"), Number(1.0)] 2");
    assert_eq!(rows[5], "nash-bargaining [Text(\"Exponential\"), Number(1.5)] 2");
    let buy = |k: usize| loaded.runs[k].instance.setting.tariff.as_ref().unwrap().buy_per_kwh[0];
    assert_eq!((buy(0), buy(1)), (1.0, 1.5));
}

#[test]
fn a_swept_value_that_cannot_be_is_refused_at_the_sweep() {
    let path = "scenario.participants.vpp1.devices.0.a_per_kwh2";
    let text = experiment(&format!(r#"mechanisms: ["grid-only"], sweep: [(path: "{path}", values: [0.1, -1])]"#));
    let fault = load(&text).unwrap_err();
    assert_eq!(place(&fault).0, 3);
    assert!(fault.to_string().contains("a_per_kwh2"), "{fault}");
}

#[test]
fn set_overrides_any_parameter() {
    let three = library_file("three_vpp").unwrap().text;
    let loaded = load_with(three, &["scenario.participants.vpp2.devices.0.b_per_kwh=0.6", "scenario.name=\"other\""]);
    let run = loaded.unwrap().runs[0].clone();
    assert_eq!(run.scenario, "other");
    let agent = run.instance.form.participants[1].devices[0].downcast_ref::<Quadratic>().expect("an agent");
    assert_eq!(agent.b_per_kwh, spec::Series::List(vec![0.6]));
    let loaded = load_with(PLANT, &["experiment.first_periods=1", "experiment.mechanisms=[\"grid-only\"]"]);
    // Every vehicle leaves after the first period: the session is dropped.
    assert_eq!(loaded.unwrap().runs[0].instance.setting.periods.count, 1);
    let plain = load(three).unwrap();
    let weighted = load_with(three, &["mechanism.weights=Exponential"]).unwrap();
    let same: Vec<bool> = plain.runs.iter().zip(&weighted.runs).map(|(a, b)| a.run_id == b.run_id).collect();
    assert_eq!(same, [true, true, true, false]);
}

#[test]
fn set_refuses_paths_that_nobody_has_and_values_that_are_not_ron() {
    let three = library_file("three_vpp").unwrap().text;
    let message = |set: &str| match set.parse::<Override>() {
        Err(fault) => fault.to_string(),
        Ok(set) => Loader::default().load_text("t", three, Path::new(""), &[set]).expect_err("a fault").to_string(),
    };
    assert!(message("mechanism.nothing=1").contains("mechanism.nothing"));
    assert!(message("mechanism.weight=1").contains("did you mean `weights`?"));
    assert!(message("scenario.participants.vpp9.bus=1").contains("vpp9"));
    assert!(message("scenario.perids=1").contains("did you mean `periods`?"));
    assert!(message("weights=1").contains("a path begins with"));
    assert!(message("scenario.periods").contains("PATH=VALUE"));
    assert!(message("scenario.name=a b").contains("--set"));
}

#[test]
fn first_periods_cuts_series_and_drops_sessions_that_end_later() {
    let text = format!("Experiment(scenarios: [{PLANT}], mechanisms: [\"grid-only\"], first_periods: 1)");
    let form = load(&text).unwrap().runs[0].instance.form.clone();
    assert_eq!((form.periods, &form.grid.buy_price_per_kwh), (1, &spec::Series::List(vec![1.0])));
    let fleet = form.participants[0].devices[6].downcast_ref::<EvFleet>().expect("a fleet");
    assert_eq!(fleet.sessions, []);
    // Limits are those of the whole horizon.
    assert_eq!(form.participants[0].import_max_kw, Some(86.0));
}

mod csv {
    use super::{Cause, Fault, Loader, Path, PathBuf, place};
    use coase_core::participant::Load;
    use coase_scenarios::CsvError;
    use std::fs;
    use std::io::Write;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("coase-csv-{}-{name}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn write(&self, name: &str, text: &str) {
            fs::write(self.0.join(name), text).unwrap();
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn load(folder: &Path, csv: &str, data: Option<&Path>) -> Result<Vec<f64>, Fault> {
        let text = format!(
            "Scenario(name: \"s\", periods: 3, currency: \"EUR\",\n grid: (buy_price_per_kwh: 1, sell_price_per_kwh: 0, \
             intensity_kg_per_kwh: 0),\n participants: [(id: \"a\", devices: [Load(p_kw: Csv({csv}))])])"
        );
        let loader = Loader { data: data.map(Path::to_owned) };
        let experiment = loader.load_text("s.ron", &text, folder, &[])?;
        let device = &experiment.runs[0].instance.form.participants[0].devices[0];
        Ok(device.downcast_ref::<Load>().expect("a load").p_kw.values().to_vec())
    }

    #[test]
    fn columns_are_read_scaled_and_unpacked() {
        let folder = Folder::new("read");
        let text = "period, p1,p2\n1,0.5, 7\n2,1.5,8\n3,2.5,9\n";
        folder.write("x.csv", text);
        let mut zipped = flate2::write::GzEncoder::new(vec![], flate2::Compression::default());
        zipped.write_all(text.as_bytes()).unwrap();
        fs::write(folder.0.join("x.csv.gz"), zipped.finish().unwrap()).unwrap();
        let read = |csv: &str| load(&folder.0, csv, None).unwrap();
        assert_eq!(read(r#"file: "x.csv", column: "p1""#), [0.5, 1.5, 2.5]);
        assert_eq!(read(r#"file: "x.csv.gz", column: "p2", scale: 2"#), [14.0, 16.0, 18.0]);
        let data = load(Path::new("elsewhere"), r#"file: "$COASE_DATA/x.csv", column: "p1""#, Some(&folder.0));
        assert_eq!(data.unwrap(), [0.5, 1.5, 2.5]);
    }

    #[test]
    fn what_is_wrong_with_a_column_is_named_with_file_line_and_column() {
        let folder = Folder::new("bad");
        folder.write("x.csv", "period,p1,p2\n1,0.5,a\n2,,\n3,2.5,9\n");
        folder.write("short.csv", "p1\n1\n2\n");
        folder.write("long.csv", "p1\n1\n2\n3\n4\n");
        folder.write("ragged.csv", "p1,p2\n1,2\n3\n");
        let fault = |csv: &str| load(&folder.0, csv, None).unwrap_err();
        let bad = fault(r#"file: "x.csv", column: "p2""#);
        let Cause::Csv(CsvError::Cell { line, column, cell, .. }) = &*bad.cause else { panic!("{bad}") };
        assert_eq!((*line, column.as_str(), cell.as_str()), (2, "p2", "a"));
        assert_eq!((place(&bad).0, place(&bad).2.as_str()), (3, "\"x.csv\""));
        assert!(bad.to_string().contains("x.csv, line 2, column `p2`"));
        let empty = fault(r#"file: "x.csv", column: "p1""#);
        assert!(matches!(&*empty.cause, Cause::Csv(CsvError::Cell { line: 3, .. })), "{empty}");
        let column = fault(r#"file: "x.csv", column: "p3""#);
        assert!(column.hint.as_deref().is_some_and(|h| h.contains("`p1`") || h.contains("`p2`")), "{column}");
        let short = fault(r#"file: "short.csv", column: "p1""#);
        assert!(matches!(*short.cause, Cause::Length { found: 2, expected: 3, .. }), "{short}");
        let long = fault(r#"file: "long.csv", column: "p1""#);
        assert!(long.hint.as_deref().is_some_and(|h| h.contains("start: 0")), "{long}");
        assert_eq!(load(&folder.0, r#"file: "long.csv", column: "p1", start: 1"#, None).unwrap(), [2.0, 3.0, 4.0]);
        let beyond = fault(r#"file: "long.csv", column: "p1", start: 2"#);
        assert!(
            matches!(&*beyond.cause, Cause::Csv(CsvError::Short { found: 4, start: 2, expected: 3, .. })),
            "{beyond}"
        );
        let ragged = fault(r#"file: "ragged.csv", column: "p1""#);
        assert!(matches!(&*ragged.cause, Cause::Csv(CsvError::Malformed { line: 3, .. })), "{ragged}");
        let missing = fault(r#"file: "nowhere.csv", column: "p1""#);
        assert!(matches!(&*missing.cause, Cause::Csv(CsvError::Unreadable { .. })), "{missing}");
    }

    #[test]
    fn data_that_is_looked_for_without_a_folder_is_refused() {
        let fault = load(Path::new(""), r#"file: "$COASE_DATA/x.csv", column: "p1""#, None).unwrap_err();
        assert!(matches!(&*fault.cause, Cause::NoData { file } if file == "$COASE_DATA/x.csv"), "{fault}");
        assert!(fault.to_string().contains("set the environment variable COASE_DATA"), "{fault}");
    }
}
