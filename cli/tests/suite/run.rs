//! `coase run` through the binary.

use crate::support::{coase, column, file, folder, status, stderr, stdout};
use coase as _; // links the plugins
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

const TABLES: [&str; 10] = [
    "runs",
    "participants",
    "periods",
    "trades",
    "nodes",
    "branches",
    "certificates",
    "convergence",
    "ledger",
    "curves",
];

/// The three agents of the library, run alone.
fn three_agents(folder: &Path) -> String {
    let listed = "Experiment(scenarios: [\"three_vpp.ron\"],
        mechanisms: [\"grid-only\", \"mid-market-rate\", \"central-optimum\", \"nash-bargaining\"])";
    file(folder, "three.ron", listed)
}

/// One participant with a load of 20 kW, and what stands in for the rest.
fn alone(devices: &str, import_max_kw: f64) -> String {
    format!(
        "Scenario(name: \"alone\", periods: 2, currency: \"EUR\",
            grid: (buy_price_per_kwh: 0.3, sell_price_per_kwh: 0.1, intensity_kg_per_kwh: 0.4),
            participants: [(id: \"a\", import_max_kw: {import_max_kw}, devices: [Load(p_kw: 20), {devices}])])"
    )
}

fn numbers(store: &Path, table: &str, name: &str) -> Vec<f64> {
    column(store, table, name).iter().map(|x| x.parse().unwrap_or_else(|_| panic!("{name}: `{x}`"))).collect()
}

#[test]
fn three_agents_meet_their_closed_forms_and_the_summary_names_the_best() {
    let folder = folder("run_three");
    let out = folder.join("out");
    let output = coase(&["run", &three_agents(&folder), "--out", out.to_str().unwrap()]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    // C(N) = -5505/76; autarky -5, 0, -2.5.
    let total = numbers(&out, "runs", "total_cost");
    for (found, expected) in [(total[0], -7.5), (total[2], -5505.0 / 76.0), (total[3], -5505.0 / 76.0)] {
        assert!((found - expected).abs() < 1e-6, "{total:?}");
    }
    let gains = numbers(&out, "runs", "welfare_gain");
    assert!((gains[3] - 4935.0 / 76.0).abs() < 1e-6, "{gains:?}");
    // Of the gain, 30 is margin that the retailer loses.
    let margin: f64 = numbers(&out, "participants", "gain_retail_margin")[9..].iter().sum();
    assert!((margin - 30.0).abs() < 1e-6, "{margin}");
    let text = stdout(&output);
    let best = text.lines().find(|l| l.contains("least cost to participants")).unwrap();
    assert!(best.contains("central-optimum, nash-bargaining"), "{text}");
    assert!(text.contains("4 of 4 runs answered"), "{text}");
    assert!(text.contains(out.to_str().unwrap()), "{text}");
}

#[test]
fn a_store_holds_what_is_documented() {
    let folder = folder("run_store");
    let out = folder.join("out");
    let output = coase(&["run", &three_agents(&folder), "--quiet", "--out", out.to_str().unwrap()]);
    assert_eq!((status(&output), stdout(&output)), (0, String::new()), "{}", stderr(&output));
    for table in TABLES {
        for extension in ["csv", "parquet"] {
            assert!(out.join(format!("{table}.{extension}")).is_file(), "{table}.{extension}");
        }
        let header = std::fs::read_to_string(out.join(format!("{table}.csv"))).unwrap();
        assert!(header.starts_with("run_id,"), "{table}: {header}");
    }
    let manifest = std::fs::read_to_string(out.join("manifest.json")).unwrap();
    serde_json::from_str::<serde_json::Value>(&manifest).unwrap();
    for name in ["resolved.ron", "timings.csv"] {
        assert!(out.join(name).is_file(), "{name}");
    }
    assert!(column(&out, "runs", "run_id").iter().all(|id| id.len() == 32));
}

#[test]
fn the_same_experiment_gives_the_same_bytes_whatever_was_there() {
    let folder = folder("run_again");
    let experiment = three_agents(&folder);
    let (one, two) = (folder.join("one"), folder.join("two"));
    let run = |out: &Path, more: &[&str]| {
        let args = [&["run", &experiment, "--quiet", "--out", out.to_str().unwrap()], more].concat();
        let output = coase(&args);
        assert_eq!(status(&output), 0, "{}", stderr(&output));
        TABLES.map(|table| std::fs::read(out.join(format!("{table}.csv"))).unwrap())
    };
    let first = run(&one, &[]);
    assert!(run(&one, &[]) == first, "resumed");
    assert!(run(&one, &["--fresh", "--jobs", "1"]) == first, "fresh");
    assert!(run(&two, &["--jobs", "3"]) == first, "elsewhere");
    for jobs in ["2", "8"] {
        assert!(run(&two, &["--fresh", "--jobs", jobs]) == first, "{jobs} threads");
    }
    // What is archived is the experiment.
    let resolved = one.join("resolved.ron");
    let output = coase(&["run", resolved.to_str().unwrap(), "--quiet", "--out", two.to_str().unwrap()]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    assert_eq!(column(&two, "runs", "run_id"), column(&one, "runs", "run_id"));
}

/// What is finished is looked at and left as it is: tables and figures keep the time at which they were written.
#[test]
fn tables_and_figures_that_are_there_are_not_made_again() {
    let folder = folder("run_current");
    let experiment = three_agents(&folder);
    let out = folder.join("out");
    let run = |more: &[&str]| {
        let output = coase(&[&["run", &experiment, "--quiet", "--out", out.to_str().unwrap()], more].concat());
        assert_eq!((status(&output), stderr(&output)), (0, String::new()));
    };
    let files = ["runs.csv", "nodes.parquet", "figures/benefit.svg", "tables/metrics.tex"].map(|name| out.join(name));
    let state =
        || files.each_ref().map(|f| (std::fs::read(f).unwrap(), std::fs::metadata(f).unwrap().modified().unwrap()));
    run(&[]);
    let first = state();
    run(&[]);
    assert!(state() == first);
    assert_eq!(status(&coase(&["collect", out.to_str().unwrap()])), 0);
    assert!(state() == first);
    // What was changed is made again, and only that kind of thing.
    std::fs::write(&files[0], "changed").unwrap();
    run(&[]);
    let second = state();
    assert!(second[0].0 == first[0].0 && second[2] == first[2]);
    std::fs::remove_file(&files[2]).unwrap();
    run(&[]);
    let third = state();
    assert!(third[2].0 == first[2].0 && third[0] == second[0]);
}

#[test]
fn tables_that_are_not_wanted_are_left_out_and_figures_need_none() {
    let folder = folder("run_tables");
    let experiment = three_agents(&folder);
    let (out, whole) = (folder.join("out"), folder.join("whole"));
    let run = |out: &Path, more: &[&str]| {
        coase(&[&["run", &experiment, "--quiet", "--out", out.to_str().unwrap()], more].concat())
    };
    let there = || TABLES.into_iter().filter(|table| out.join(format!("{table}.csv")).is_file()).collect::<Vec<_>>();
    assert_eq!(status(&run(&whole, &[])), 0);
    assert_eq!(status(&run(&out, &["--tables", "participants,runs"])), 0);
    assert_eq!(there(), ["runs", "participants"]);
    let read = |store: &Path, file: &str| std::fs::read(store.join(file)).unwrap();
    for file in ["runs.csv", "participants.csv", "figures/dispatch-vpp1.svg", "figures/benefit.svg"] {
        if whole.join(file).is_file() {
            assert!(read(&out, file) == read(&whole, file), "{file}");
        }
    }
    // The others come when they are wanted, and go when they are not.
    assert_eq!(status(&coase(&["collect", out.to_str().unwrap()])), 0);
    assert_eq!(there(), TABLES);
    assert!(TABLES.iter().all(|table| read(&out, &format!("{table}.csv")) == read(&whole, &format!("{table}.csv"))));
    assert_eq!(status(&coase(&["collect", out.to_str().unwrap(), "--tables", "nodes"])), 0);
    assert_eq!(there(), ["nodes"]);
    let unknown = run(&out, &["--tables", "runs,participant"]);
    assert_eq!(status(&unknown), 2);
    assert!(
        stderr(&unknown).contains("`participant`") || stderr(&unknown).contains("'participant'"),
        "{}",
        stderr(&unknown)
    );
    assert!(stderr(&unknown).contains("did you mean `participants`?"), "{}", stderr(&unknown));
}

#[test]
fn parts_run_apart_are_collected_into_the_whole() {
    let folder = folder("run_parts");
    let experiment = three_agents(&folder);
    let (whole, parts, shuffled) = (folder.join("whole"), folder.join("parts"), folder.join("shuffled"));
    let run = |out: &Path, more: &[&str]| {
        let output = coase(&[&["run", &experiment, "--quiet", "--out", out.to_str().unwrap()], more].concat());
        assert_eq!(status(&output), 0, "{}", stderr(&output));
    };
    run(&whole, &[]);
    run(&parts, &["--shard", "0/2"]);
    assert_eq!(column(&parts, "runs", "run_id").len(), 2);
    run(&parts, &["--shard", "1/2"]);
    let output = coase(&["collect", parts.to_str().unwrap()]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    assert!(stdout(&output).contains("collected 4 of 4 runs"), "{}", stdout(&output));
    for part in ["2/3", "0/3", "1/3"] {
        run(&shuffled, &["--shard", part, "--jobs", "1"]);
    }
    assert_eq!(status(&coase(&["collect", shuffled.to_str().unwrap()])), 0);
    for table in TABLES {
        let read = |store: &Path| std::fs::read(store.join(format!("{table}.csv"))).unwrap();
        assert!(read(&whole) == read(&parts), "{table}");
        assert!(read(&whole) == read(&shuffled), "{table}, parts in another order");
    }
    assert_eq!(status(&coase(&["collect", folder.to_str().unwrap()])), 2);
    assert_eq!(status(&coase(&["plot", folder.to_str().unwrap()])), 2);
}

#[test]
fn figures_are_drawn_in_the_formats_asked_for() {
    let folder = folder("run_figures");
    let out = folder.join("out");
    let output = coase(&["run", &three_agents(&folder), "--quiet", "--out", out.to_str().unwrap()]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    let figures = out.join("figures");
    for extension in ["svg", "pdf", "png"] {
        assert!(figures.join(format!("cost_and_emissions.{extension}")).is_file(), "{extension}");
    }
    std::fs::remove_dir_all(&figures).unwrap();
    let output = coase(&["plot", out.to_str().unwrap(), "--format", "svg"]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    assert!(figures.join("cost_and_emissions.svg").is_file() && !figures.join("cost_and_emissions.pdf").exists());
}

/// Figures of results that no folder holds are those of a folder.
#[test]
fn figures_can_be_drawn_from_memory() {
    let folder = folder("run_memory");
    let out = folder.join("out");
    let path = three_agents(&folder);
    assert_eq!(status(&coase(&["run", &path, "--quiet", "--out", out.to_str().unwrap()])), 0);
    let experiment = coase_scenarios::load(path.as_ref(), &[]).unwrap();
    let results = experiment.run(&coase_scenarios::RunOptions::default(), ()).unwrap();
    let in_memory = coase_plots::store::Store::of(experiment.tables(&results));
    let stored = coase_plots::store::Store::read(&out).unwrap();
    let (drawn, expected) = (coase_plots::pictures(&in_memory), coase_plots::pictures(&stored));
    assert!(drawn.0.len() > 3 && drawn == expected);
}

#[test]
fn a_comparison_of_carbon_policies_is_drawn_and_every_payment_for_carbon_has_its_payer() {
    let folder = folder("run_comparison");
    let out = folder.join("out");
    let experiment = "Experiment(scenarios: [\"five_vpps.ron\"], mechanisms: [\"grid-only\", \"mid-market-rate\"],
        carbon: [\"none\", Stepped(interval_kg: 500), Integrated()], first_periods: 4,
        sweep: [(path: \"carbon.price_factor\", values: [1, 0.5])])";
    let experiment = file(&folder, "comparison.ron", experiment);
    let output = coase(&["run", &experiment, "--quiet", "--out", out.to_str().unwrap()]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    for kind in ["abatement", "carbon_flow", "carbon_payers", "price_decomposition-grid-only-integrated"] {
        assert!(out.join("figures").join(kind).with_extension("svg").is_file(), "{kind}");
    }
    let store = coase_plots::store::Store::read(&out).unwrap();
    let identity = coase_plots::identity::Identity::of(&store);
    let study = &coase_plots::study::Study::all(&store, &identity)[0];
    let mut received = 0.0;
    for &m in &study.mechanisms {
        for &p in &study.policies {
            let paid: f64 = study.carbon_payments(m, p).values().sum();
            let revenue = study.metric(m, p, "carbon_revenue").unwrap().mean;
            assert!((paid - revenue).abs() < 1e-6, "{paid} {revenue}");
            received += revenue;
        }
    }
    assert!(received > 0.0);
}

#[test]
fn a_load_that_cannot_be_served_is_infeasible_and_the_status_says_so() {
    let folder = folder("run_infeasible");
    let scenario = file(&folder, "alone.ron", &alone("", 5.0));
    let out = folder.join("out");
    let output = coase(&["run", &scenario, "--out", out.to_str().unwrap()]);
    assert_eq!(status(&output), 1, "{}{}", stdout(&output), stderr(&output));
    assert!(column(&out, "runs", "status").iter().all(|s| s == "infeasible"), "{:?}", column(&out, "runs", "status"));
    assert!(column(&out, "runs", "reason").iter().all(|r| !r.is_empty()));
    assert!(stdout(&output).contains("INFEASIBLE"), "{}", stdout(&output));
}

#[test]
fn a_vehicle_that_cannot_be_charged_in_time_is_told_and_never_a_panic() {
    let folder = folder("run_vehicle");
    let fleet = "EvFleet(sessions: [(arrival_h: 0, departure_h: 1, energy_kwh: 10, target_kwh: 45, capacity_kwh: 50, \
                 p_max_kw: 7)])";
    let scenario = file(&folder, "alone.ron", &alone(fleet, 100.0));
    let out = folder.join("out");
    let output = coase(&["run", &scenario, "--out", out.to_str().unwrap()]);
    let said = stdout(&output) + &stderr(&output);
    assert!([1, 2].contains(&status(&output)), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    assert!(said.contains("EvFleet") || said.to_lowercase().contains("infeasible"), "{said}");
}

#[test]
fn a_folder_that_cannot_be_written_is_found_before_anything_runs() {
    let folder = folder("run_unwritable");
    let experiment = three_agents(&folder);
    let taken = file(&folder, "taken", "a file");
    let output = coase(&["run", &experiment, "--out", &taken]);
    assert_eq!(status(&output), 2, "{}", stdout(&output));
    assert!(stderr(&output).contains("taken"), "{}", stderr(&output));
}

#[test]
fn periods_and_parameters_are_set_from_outside() {
    let folder = folder("run_set");
    let scenario = file(&folder, "alone.ron", &alone("Pv(p_max_kw: 10, profile: [0.5, 1])", 100.0));
    let out = folder.join("out");
    let args = ["run", &scenario, "--quiet", "--out", out.to_str().unwrap(), "--set"];
    let output = coase(&[&args[..], &["experiment.first_periods=1"]].concat());
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    // 20 kW of load and 5 kW of sun at 0.3 per kWh.
    assert!((numbers(&out, "runs", "operating_cost")[0] - 4.5).abs() < 1e-9);
    let output =
        coase(&[&args[..], &["experiment.first_periods=1", "--set", "scenario.grid.buy_price_per_kwh=0.4"]].concat());
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    assert!((numbers(&out, "runs", "operating_cost")[0] - 6.0).abs() < 1e-9);
}

#[test]
fn a_reader_of_the_summary_may_go_away() {
    let folder = folder("run_pipe");
    let mut child = Command::new(env!("CARGO_BIN_EXE_coase"))
        .args(["run", &three_agents(&folder), "--out", folder.join("out").to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut complaint = String::new();
    child.stderr.take().unwrap().read_to_string(&mut complaint).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{complaint}");
    assert!(!complaint.contains("panicked"), "{complaint}");
}

#[test]
fn bad_arguments_are_bad_input() {
    let folder = folder("run_arguments");
    let experiment = three_agents(&folder);
    for args in [["--jobs", "0"], ["--shard", "2/2"], ["--shard", "x"], ["--set", "periods=3"]] {
        let output = coase(&[&["run", &experiment, "--out", "never"], &args[..]].concat());
        assert_eq!(status(&output), 2, "{args:?}");
        assert!(!Path::new("never").exists());
    }
}

/// With a tax of 0.1 per kg, 0.5 and 0.2 kg per kWh from the grid: a peer may ask what the grid asks and the tax on it, and where
/// exports are credited, must offer what the grid gives and the credit. Who does not see the tax compares with the tariff alone.
#[test]
fn rows_of_periods_tell_at_which_price_the_grid_is_as_good_as_a_peer() {
    let folder = folder("run_outside_prices");
    let scenario = "Scenario(name: \"two\", periods: 2, currency: \"EUR\",
        grid: (buy_price_per_kwh: [0.3, 0.4], sell_price_per_kwh: 0.1, intensity_kg_per_kwh: [0.5, 0.2]),
        participants: [(id: \"a\", devices: [Load(p_kw: 3)]), (id: \"b\", devices: [Pv(p_max_kw: 5, profile: [1, 0])])])";
    let policies = "(label: \"gross\", policy: Tax(price_per_tonne: 100)),
        (label: \"net\", policy: Tax(price_per_tonne: 100, import_base: NetOfExports)),
        (label: \"hidden\", policy: Tax(price_per_tonne: 100, visible: false))";
    let text = format!("Experiment(scenarios: [{scenario}], mechanisms: [\"grid-only\"], carbon: [{policies}])");
    let experiment = file(&folder, "two.ron", &text);
    let out = folder.join("out");
    let output = coase(&["run", &experiment, "--quiet", "--out", out.to_str().unwrap()]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    let of = |name: &str| column(&out, "periods", name).into_iter().map(|text| text.parse::<f64>().unwrap());
    let found: Vec<(f64, f64)> = of("grid_buy_per_kwh").zip(of("grid_sell_per_kwh")).collect();
    // both participants are charged by the same rule: two rows each, for every policy
    let expected = [
        [(0.35, 0.1), (0.42, 0.1)],   // gross
        [(0.35, 0.15), (0.42, 0.12)], // net
        [(0.3, 0.1), (0.4, 0.1)],     // hidden
    ];
    let expected: Vec<(f64, f64)> =
        expected.into_iter().flat_map(|of_policy| [of_policy, of_policy]).flatten().collect();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found.0 - expected.0).abs() < 1e-9 && (found.1 - expected.1).abs() < 1e-9, "{found:?}, {expected:?}");
    }
}
