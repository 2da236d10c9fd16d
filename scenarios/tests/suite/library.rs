//! The scenarios and experiments that come with the program run, and have the properties their comments promise.

use coase_core::Market;
use coase_core::setting::Role;
use coase_mechanisms as _;
use coase_scenarios::{
    Experiment, LIBRARY, Loader, Override, RunOptions, RunStatus, Store, StoreOptions, library_file,
};
use std::path::{Path, PathBuf};

fn load(id: &str, data: Option<PathBuf>, set: &[&str]) -> Experiment {
    let set: Vec<Override> = set.iter().map(|s| s.parse().unwrap()).collect();
    let text = library_file(id).unwrap().text;
    Loader { data }.load_text(id, text, Path::new(""), &set).unwrap_or_else(|fault| panic!("{fault}"))
}

fn data() -> Option<PathBuf> {
    std::env::var_os("COASE_DATA").map(PathBuf::from).filter(|d| d.is_dir())
}

/// The participants that have something to sell under the bare tariff, by period.
fn sellers(experiment: &Experiment) -> Vec<Vec<String>> {
    let instance = &experiment.runs[0].instance;
    let market = Market::new(instance.setting.clone(), instance.participants.clone());
    let members = &market.setting().members;
    let sells = |t: usize| members.iter().filter(move |m| m.roles[t] == Role::Seller).map(|m| m.id.clone());
    (0..instance.setting.periods.count).map(|t| sells(t).collect()).collect()
}

#[test]
fn every_file_runs() {
    for file in LIBRARY {
        let data = data();
        if file.text.contains("$COASE_DATA/") && data.is_none() {
            eprintln!("{} is skipped: COASE_DATA is not set", file.id);
            continue;
        }
        let periods = if file.id == "household_community" { 4 } else { 6 };
        let experiment = load(file.id, data, &[&format!("experiment.first_periods={periods}")]);
        let results = experiment.run(&RunOptions::default(), ()).unwrap();
        for (run, result) in experiment.runs.iter().zip(&results) {
            let name = format!("{} {} {}", file.id, run.variant, run.carbon_label);
            assert_eq!(result.status, RunStatus::Converged, "{name}: {}", result.reason);
        }
    }
}

#[test]
fn files_name_each_other_beside_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("library");
    let from_disk = Loader::default().load(&folder.join("side_by_side.ron"), &[]).unwrap();
    let embedded = load("side_by_side", None, &[]);
    assert_eq!(from_disk.hash(), embedded.hash());
    assert_eq!(from_disk.runs.len(), 6 * 4);
}

/// Found by two independent formulations outside this project, 1e-7 yuan apart: total cost and charged base without trade.
const ALONE: [(&str, [(f64, f64); 5]); 4] = [
    (
        "none",
        [
            (967.869371, 2064.141385),
            (5674.685000, 4426.214000),
            (3790.778237, 2538.067921),
            (1945.132000, 2360.172000),
            (-1558.140000, 0.0),
        ],
    ),
    (
        "tax",
        [
            (1544.914311, 2057.608193),
            (6882.631748, 4237.008700),
            (4468.679439, 2307.875721),
            (2598.783232, 2279.228800),
            (-1558.140000, 0.0),
        ],
    ),
    (
        "cap-and-trade",
        [
            (1048.427715, 2063.230561),
            (5758.170008, 4412.313200),
            (3889.854623, 2538.067921),
            (1990.469248, 2346.271200),
            (-1558.140000, 0.0),
        ],
    ),
    (
        "stepped",
        [
            (1198.889719, 2055.974895),
            (6696.414748, 4121.422100),
            (4182.782040, 2307.875721),
            (2562.585579, 2176.031650),
            (-1558.140000, 0.0),
        ],
    ),
];

#[test]
fn five_plants_alone_cost_and_emit_what_two_other_programs_found() {
    let folder = std::env::temp_dir().join(format!("coase-library-{}", std::process::id()));
    let experiment = load("side_by_side", None, &["experiment.mechanisms=[\"grid-only\"]"]);
    experiment.run_into(&Store::create(&folder).unwrap(), &StoreOptions::default(), ()).unwrap();
    let mut reader = csv::Reader::from_path(folder.join("participants.csv")).unwrap();
    let rows: Vec<std::collections::BTreeMap<String, String>> = reader.deserialize().map(|r| r.unwrap()).collect();
    let _ = std::fs::remove_dir_all(&folder);
    for (run, (policy, expected)) in experiment.runs.iter().zip(ALONE) {
        assert_eq!(run.carbon_label, policy);
        let rows = rows.iter().filter(|r| r["run_id"] == run.run_id);
        for (row, (cost, kg)) in rows.zip(expected) {
            let number = |column: &str| row[column].parse::<f64>().unwrap();
            let who = format!("{policy} {}", row["participant"]);
            assert!((number("total_cost") - cost).abs() < 1e-4, "{who}: {} not {cost}", row["total_cost"]);
            assert!((number("emissions_kg") - kg).abs() < 1e-4, "{who}: {} kg not {kg}", row["emissions_kg"]);
        }
    }
}

#[test]
fn the_five_plants_take_turns_at_selling() {
    let mut turns = sellers(&load("five_vpps", None, &[]));
    turns.dedup();
    let expected: [&[&str]; 7] = [
        &["vpp5"],
        &["vpp1", "vpp5"],
        &["vpp1", "vpp4", "vpp5"],
        &["vpp1", "vpp4"],
        &["vpp1", "vpp4", "vpp5"],
        &["vpp1", "vpp5"],
        &["vpp5"],
    ];
    assert_eq!(turns, expected);
}

#[test]
fn the_reconstruction_of_chu_has_the_sellers_that_the_paper_names() {
    let sellers = sellers(&load("chu_2023_like", None, &[]));
    for (hour, expected) in [(2, vec!["vpp5"]), (10, vec!["vpp1", "vpp4"]), (12, vec!["vpp1", "vpp3"]), (18, vec![])] {
        assert_eq!(sellers[hour], expected, "hour {hour}");
    }
}
