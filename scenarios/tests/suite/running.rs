//! Running experiments and keeping their results.

use coase_core::record::{Kind, METRICS, RunRecord, Table, Value};
use coase_mechanisms as _;
use coase_scenarios::{
    Existing, Experiment, Loader, Prepared, Progress, Run, RunFileError, RunOptions, RunResult, RunStatus, Store,
    StoreOptions, Summary,
};
use coase_store::Dataset;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const MECHANISMS: &str = r#"mechanisms: ["grid-only", "mid-market-rate", "central-optimum", "nash-bargaining"]"#;

/// Two participants over two periods: one with a turbine and a load, one with a load alone.
const PAIR: &str = r#"Scenario(
    name: "pair", periods: 2, currency: "CNY",
    grid: (buy_price_per_kwh: [1.0, 0.6], sell_price_per_kwh: 0.3, intensity_kg_per_kwh: 0.8),
    participants: [
        (id: "a", devices: [MicroTurbine(p_max_kw: 30, cost_per_kwh: 0.5, emission_kg_per_kwh: 0.45), Load(p_kw: 5)]),
        (id: "b", devices: [Load(p_kw: [10, 20]), Storage(capacity_kwh: 10, p_charge_max_kw: 5, p_discharge_max_kw: 5)]),
    ],
)"#;

fn load(text: &str) -> Experiment {
    Loader::default().load_text("test", text, Path::new(""), &[]).unwrap_or_else(|fault| panic!("{fault}"))
}

fn experiment(scenarios: &str, fields: &str) -> Experiment {
    load(&format!("Experiment(scenarios: [{scenarios}], {fields})"))
}

fn run(experiment: &Experiment) -> Vec<RunResult> {
    experiment.run(&RunOptions::default(), ()).unwrap()
}

fn metric(record: &RunRecord, name: &str) -> f64 {
    let k = METRICS.iter().position(|c| c.name == name).unwrap();
    match record.metrics[k] {
        Value::Number(x) => x,
        Value::Integer(x) => x as f64,
        ref other => panic!("{name} is {other:?}"),
    }
}

/// A folder that goes away.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("coase-store-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }

    fn store(&self) -> Store {
        Store::create(&self.0).unwrap()
    }

    /// Every file directly inside, whose content must not depend on when and how the runs were made.
    fn tables(&self) -> BTreeMap<String, Vec<u8>> {
        let is_table = |name: &str| match name.rsplit_once('.') {
            Some((stem, "csv")) => !stem.starts_with("timings"),
            _ => name == "resolved.ron",
        };
        let entries = fs::read_dir(&self.0).unwrap().map(|e| e.unwrap());
        let names = entries.map(|e| (e.file_name().to_string_lossy().into_owned(), e.path()));
        names.filter(|(name, _)| is_table(name)).map(|(name, path)| (name, fs::read(path).unwrap())).collect()
    }

    fn rows(&self, table: &str) -> Vec<BTreeMap<String, String>> {
        let mut reader = csv::Reader::from_path(self.0.join(format!("{table}.csv"))).unwrap();
        reader.deserialize().map(|row| row.unwrap()).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[derive(Default)]
struct Count {
    begun: AtomicUsize,
    started: AtomicUsize,
    finished: AtomicUsize,
}

impl Progress for Count {
    fn begun(&self, runs: usize) {
        self.begun.store(runs, Ordering::Relaxed);
    }

    fn started(&self, _: &Run) {
        self.started.fetch_add(1, Ordering::Relaxed);
    }

    fn finished(&self, _: &Run, _: &RunResult) {
        self.finished.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn three_agents_cost_what_they_cost_by_hand() {
    let results = run(&experiment("\"three_vpp\"", MECHANISMS));
    assert!(results.iter().all(|r| r.status == RunStatus::Converged), "{:?}", results.iter().map(|r| &r.reason));
    // Alone -5 + 0 - 2.5; together -5505/76.
    assert!((metric(&results[0].record, "operating_cost") + 7.5).abs() < 1e-6);
    assert!((metric(&results[2].record, "operating_cost") + 5505.0 / 76.0).abs() < 1e-6);
    assert!((metric(&results[2].record, "welfare_gain") - 4935.0 / 76.0).abs() < 1e-6);
}

/// Energy at the price of a bus is settled by the policy, and is no payment for carbon.
#[test]
fn electricity_at_nodal_prices_is_not_paid_for_carbon() {
    let fields = "mechanisms: [\"grid-only\", \"mid-market-rate\"], first_periods: 12, \
        carbon: [(label: \"nodal\", policy: Integrated(price_per_tonne: 0))]";
    let results = run(&experiment("\"five_vpps\"", fields));
    for result in &results {
        assert_eq!(result.status, RunStatus::Converged, "{}", result.reason);
        assert!(metric(&result.record, "carbon_cost").abs() < 1e-6, "{}", metric(&result.record, "carbon_cost"));
    }
    // What peers pay each other at nodal prices does not pass the retailer by, for nobody gains.
    let margin = |k: usize| metric(&results[k].record, "retail_margin");
    assert!((margin(0) - margin(1)).abs() < 1e-3, "{} {}", margin(0), margin(1));
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let drawn = PAIR.replace("Load(p_kw: 5)", "Load(p_kw: Drawn(law: Normal(relative_deviation: 0.1), times: 5))");
    assert_ne!(drawn, PAIR);
    let experiment = experiment(
        &format!("\"three_vpp\", {drawn}"),
        &format!("{MECHANISMS}, carbon: [\"none\", \"tax\", \"stepped\"], seeds: [1, 2]"),
    );
    let with = |jobs| {
        let options = RunOptions { jobs: Some(jobs), ..RunOptions::default() };
        let results = experiment.run(&options, ()).unwrap();
        results.into_iter().map(|r| RunResult { timing: None, ..r }).collect::<Vec<_>>()
    };
    let one = with(1);
    assert_eq!(one.len(), experiment.runs.len());
    assert!(one.iter().zip(&experiment.runs).all(|(result, run)| result.run_id == run.run_id));
    assert_eq!(one, with(4));
}

#[test]
fn the_resolved_form_gives_the_same_results() {
    let fields = format!("{MECHANISMS}, carbon: [\"none\", Tax(price_per_tonne: 300)], first_periods: 1");
    let experiment = experiment(&format!("\"three_vpp\", {PAIR}"), &fields);
    let again = load(&experiment.resolved().unwrap());
    let plain = |e: &Experiment| run(e).into_iter().map(|r| RunResult { timing: None, ..r }).collect::<Vec<_>>();
    assert_eq!(plain(&experiment), plain(&again));
}

#[test]
fn two_identical_experiments_leave_identical_tables() {
    let fields = format!(
        "{MECHANISMS}, carbon: [\"none\", \"tax\"], sweep: [(path: \"carbon.price_per_tonne\", values: [100, 300])]"
    );
    let experiment = experiment(&format!("\"three_vpp\", {PAIR}"), &fields);
    let (first, second) = (Folder::new("first"), Folder::new("second"));
    experiment.run_into(&first.store(), &StoreOptions::default(), ()).unwrap();
    let options = RunOptions { jobs: Some(3), ..RunOptions::default() };
    experiment.run_into(&second.store(), &StoreOptions { run: options, ..StoreOptions::default() }, ()).unwrap();
    assert_eq!(first.tables().len(), 11);
    assert!(first.tables() == second.tables());
    let rows = first.rows("runs");
    assert_eq!(rows.len(), 2 * 4 * 3);
    let prices: Vec<&str> = rows.iter().map(|r| r["carbon.price_per_tonne"].as_str()).collect();
    assert_eq!(prices[..3], ["", "100", "300"]);
    assert_eq!((rows[0]["carbon_policy"].as_str(), rows[1]["carbon_policy"].as_str()), ("none", "tax"));
    assert_eq!(fs::read_dir(first.0.join("runs")).unwrap().count(), rows.len());
    for table in
        ["participants", "periods", "trades", "nodes", "branches", "certificates", "convergence", "ledger", "curves"]
    {
        let text = fs::read_to_string(first.0.join(format!("{table}.csv"))).unwrap();
        assert!(text.starts_with("run_id,"), "{table}");
        assert!(!text.contains("NaN") && !text.contains(",-0,"), "{table}");
    }
}

#[test]
fn what_is_there_is_not_run_again_unless_it_is_asked_for() {
    let experiment = experiment("\"three_vpp\"", &format!("{MECHANISMS}, carbon: [\"none\", \"tax\"]"));
    let folder = Folder::new("resume");
    let started = |existing| {
        let count = Arc::new(Count::default());
        let options = StoreOptions { existing, ..StoreOptions::default() };
        experiment.run_into(&folder.store(), &options, count.clone()).unwrap();
        assert_eq!(count.begun.load(Ordering::Relaxed), 8);
        assert_eq!(count.finished.load(Ordering::Relaxed), 8);
        (count.started.load(Ordering::Relaxed), folder.tables())
    };
    let (all, tables) = started(Existing::Reuse);
    assert_eq!(all, 8);
    assert_eq!(started(Existing::Reuse), (0, tables.clone()));
    assert_eq!(started(Existing::RetryFailed), (0, tables.clone()));
    assert_eq!(started(Existing::Fresh), (8, tables.clone()));
    // A file that was cut short is run again, and only that one.
    let file = folder.0.join("runs").join(format!("{}.run", experiment.runs[3].run_id));
    fs::write(&file, &fs::read(&file).unwrap()[..100]).unwrap();
    assert_eq!(started(Existing::Reuse), (1, tables));
}

/// Every file says for itself that it is what was written, for its run and by this build; what cannot say so is run again.
#[test]
fn a_run_file_that_does_not_prove_itself_is_named_and_run_again() {
    let experiment = Arc::new(experiment("\"three_vpp\"", "mechanisms: [\"grid-only\", \"mid-market-rate\"]"));
    let folder = Folder::new("proof");
    let options = StoreOptions { source_revision: Some("abc".into()), ..StoreOptions::default() };
    experiment.run_into(&folder.store(), &options, ()).unwrap();
    let tables = folder.tables();
    let path = |k: usize| folder.0.join("runs").join(format!("{}.run", experiment.runs[k].run_id));
    let unused = |options: &StoreOptions| {
        let prepared = Prepared::new(&folder.store(), experiment.clone(), options.clone()).unwrap();
        assert_eq!(prepared.found() + prepared.unused().len(), 2);
        prepared.unused().iter().map(|left| (left.path.clone(), left.why.clone().unwrap())).collect::<Vec<_>>()
    };
    assert!(unused(&options).is_empty());
    // One changed bit anywhere.
    let whole = fs::read(path(0)).unwrap();
    for k in (0..whole.len()).step_by(11).chain([whole.len() - 1]) {
        let mut changed = whole.clone();
        changed[k] ^= 1 << (k % 8);
        fs::write(path(0), changed).unwrap();
        let found = unused(&options);
        assert!(found.len() == 1 && found[0].0 == path(0), "byte {k}: {found:?}");
    }
    // Cut short, empty, and the file of another run.
    for cut in [0, 1, 50, whole.len() / 2, whole.len() - 1] {
        fs::write(path(0), &whole[..cut]).unwrap();
        assert_eq!(unused(&options), [(path(0), RunFileError::Form)], "{cut} bytes");
    }
    fs::copy(path(1), path(0)).unwrap();
    let foreign = RunFileError::Foreign { found: experiment.runs[1].run_id.clone() };
    assert_eq!(unused(&options), [(path(0), foreign.clone())]);
    // Collecting leaves it out and says so.
    let summary = folder.store().collect().unwrap();
    assert_eq!((summary.finished(), summary.missing.len()), (1, 1));
    assert_eq!(
        (summary.missing[0].run.as_str(), &summary.missing[0].why),
        ("grid-only under none in three_vpp, seed 1", &Some(foreign))
    );
    assert_eq!(folder.rows("runs").len(), 1);
    fs::remove_file(path(0)).unwrap();
    assert_eq!(folder.store().collect().unwrap().missing[0].why, None);
    experiment.run_into(&folder.store(), &options, ()).unwrap();
    assert!(folder.tables() == tables);
    // Another revision of the source, or another program of the same.
    let revision = StoreOptions { source_revision: Some("abd".into()), ..StoreOptions::default() };
    let program = StoreOptions { program_hash: Some("0".into()), ..options.clone() };
    for other in [&revision, &program, &StoreOptions::default()] {
        let found = unused(other);
        assert!(
            found.len() == 2 && found.iter().all(|(_, why)| matches!(why, RunFileError::Build { .. })),
            "{found:?}"
        );
    }
    let count = Arc::new(Count::default());
    experiment.run_into(&folder.store(), &revision, count.clone()).unwrap();
    assert_eq!(count.started.load(Ordering::Relaxed), 2);
    assert!(folder.tables() == tables && unused(&revision).is_empty());
}

/// A part that was run by another build than the last is not mixed into its tables.
#[test]
fn parts_of_two_builds_are_not_collected_into_one_table() {
    let experiment = experiment("\"three_vpp\"", "mechanisms: [\"grid-only\", \"mid-market-rate\"]");
    let folder = Folder::new("builds");
    for (shard, revision) in [("0/2", "abc"), ("1/2", "abd")] {
        let run = RunOptions { shard: Some(shard.parse().unwrap()), ..RunOptions::default() };
        let options = StoreOptions { run, source_revision: Some(revision.into()), ..StoreOptions::default() };
        experiment.run_into(&folder.store(), &options, ()).unwrap();
    }
    let summary = folder.store().collect().unwrap();
    assert_eq!((summary.finished(), summary.missing.len()), (1, 1));
    assert!(matches!(summary.missing[0].why, Some(RunFileError::Build { .. })));
}

/// What another experiment left is taken away but for its runs; nothing that the program did not make is touched.
#[test]
fn another_experiment_in_the_folder_is_told_and_its_tables_are_removed() {
    let one = experiment("\"three_vpp\"", "mechanisms: [\"grid-only\"]");
    let two = Arc::new(experiment(PAIR, "mechanisms: [\"grid-only\"]"));
    let folder = Folder::new("another");
    one.run_into(&folder.store(), &StoreOptions::default(), ()).unwrap();
    let made = ["figures/benefit.svg", "figures/own.svg", "figures/note.txt", "tables/metrics.tex", "own.csv"];
    for name in made {
        let file = folder.0.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, name).unwrap();
    }
    // A list that was tampered with leads to nothing outside.
    let listed =
        [made[0], made[3], "figures/../own.csv", "own.csv", "runs", "figures/note.txt"].map(|n| folder.0.join(n));
    folder.store().hold().unwrap().set_made(listed.iter().map(PathBuf::as_path), |_| false, None).unwrap();
    let prepared = Prepared::new(&folder.store(), two.clone(), StoreOptions::default()).unwrap();
    let before = prepared.before().unwrap().clone();
    assert_eq!(
        (before.experiment.as_str(), before.runs, before.build, before.is_another_file),
        ("test", 1, None, false)
    );
    // Nothing is gone before something is run.
    drop(prepared);
    assert!(made.iter().all(|name| folder.0.join(name).is_file()));
    two.run_into(&folder.store(), &StoreOptions::default(), ()).unwrap();
    let there = made.map(|name| folder.0.join(name).is_file());
    assert_eq!(there, [false, true, true, false, true]);
    assert_eq!(folder.rows("runs")[0]["scenario"], "pair");
    // The first is made again without a run.
    let count = Arc::new(Count::default());
    one.run_into(&folder.store(), &StoreOptions::default(), count.clone()).unwrap();
    assert_eq!((count.started.load(Ordering::Relaxed), count.finished.load(Ordering::Relaxed)), (0, 1));
}

#[test]
fn shards_together_are_the_whole() {
    let experiment = experiment("\"three_vpp\"", &format!("{MECHANISMS}, carbon: [\"none\", \"tax\"]"));
    let (whole, parts) = (Folder::new("whole"), Folder::new("parts"));
    experiment.run_into(&whole.store(), &StoreOptions::default(), ()).unwrap();
    let mut runs = 0;
    for shard in ["0/3", "2/3", "1/3"] {
        let run = RunOptions { shard: Some(shard.parse().unwrap()), ..RunOptions::default() };
        let options = StoreOptions { run, ..StoreOptions::default() };
        runs += experiment.run_into(&parts.store(), &options, ()).unwrap().results.len();
    }
    assert_eq!(runs, 8);
    let summary: Summary = Store::open(&parts.0).unwrap().collect().unwrap();
    assert_eq!((summary.planned, summary.finished(), summary.count(RunStatus::Converged)), (8, 8, 8));
    assert!(whole.tables() == parts.tables());
    assert!("3/3".parse::<coase_scenarios::Shard>().is_err() && "1".parse::<coase_scenarios::Shard>().is_err());
}

#[test]
fn a_run_that_fails_is_a_row_and_the_rest_goes_on() {
    let taxed = PAIR.replace("intensity_kg_per_kwh: 0.8", "intensity_kg_per_kwh: 0.8, upstream_carbon_in_tariff: 50");
    let starved = PAIR.replace("\"pair\"", "\"starved\"").replace("(id: \"b\",", "(id: \"b\", import_max_kw: 2,");
    let experiment =
        experiment(&format!("{taxed}, {starved}"), "mechanisms: [\"grid-only\"], carbon: [\"none\", \"tax\"]");
    let folder = Folder::new("failed");
    experiment.run_into(&folder.store(), &StoreOptions::default(), ()).unwrap();
    let rows = folder.rows("runs");
    let status: Vec<&str> = rows.iter().map(|r| r["status"].as_str()).collect();
    assert_eq!(status, ["converged", "failed", "infeasible", "infeasible"]);
    assert!(rows[1]["reason"].contains("already contains 50"), "{}", rows[1]["reason"]);
    assert!(!rows[2]["reason"].is_empty() && rows[2]["total_cost"].is_empty());
    let summary = folder.store().collect().unwrap();
    assert_eq!((summary.count(RunStatus::Failed), summary.count(RunStatus::Infeasible)), (1, 2));
}

#[test]
fn abatement_is_the_difference_to_the_run_without_a_policy() {
    let dear = PAIR.replace("cost_per_kwh: 0.5", "cost_per_kwh: 0.9");
    let policies =
        "carbon: [\"none\", Tax(price_per_tonne: 100), (label: \"high\", policy: Tax(price_per_tonne: 1000))]";
    let experiment = experiment(&dear, &format!("mechanisms: [\"grid-only\"], {policies}"));
    let folder = Folder::new("abatement");
    experiment.run_into(&folder.store(), &StoreOptions::default(), ()).unwrap();
    let rows = folder.rows("runs");
    assert!(rows[0]["accounted_abatement_kg"].is_empty() && rows[0]["actual_abatement_kg"].is_empty());
    // By hand: in the second hour `a` imports 5 kWh (4 kg) for 0.60 rather than burn fuel for 0.90 (2.25 kg). With 100 a
    // tonne it is 0.68 against 0.945, with 1000 a tonne 1.40 against 1.35. Nobody exports, and the battery of `b` does not
    // earn its losses in either hour but fills and empties alike, at one intensity.
    for (row, expected) in rows[1..].iter().zip([0.0, 4.0 - 2.25]) {
        for column in ["accounted_abatement_kg", "actual_abatement_kg"] {
            let found: f64 = row[column].parse().unwrap();
            assert!((found - expected).abs() < 1e-6, "{column} {found} {}", row["carbon_label"]);
        }
    }
}

/// One sweep over prices with different names; the run without a policy has no such parameter and is there once.
#[test]
fn swept_runs_are_compared_with_the_one_without_a_policy() {
    let dear = PAIR.replace("cost_per_kwh: 0.5", "cost_per_kwh: 0.9");
    let fields = "mechanisms: [\"grid-only\", \"central-optimum\"], seeds: [2], \
        carbon: [\"none\", Tax(price_per_tonne: 100), Stepped(base_price_per_tonne: 200, growth: 0)], \
        sweep: [(path: \"carbon.price_factor\", values: [0, 1, 10])]";
    let folder = Folder::new("swept");
    experiment(&dear, fields).run_into(&folder.store(), &StoreOptions::default(), ()).unwrap();
    let rows = folder.rows("runs");
    assert_eq!(rows.len(), 2 * (1 + 2 * 3));
    let number = |row: &BTreeMap<String, String>, column: &str| row[column].parse::<f64>().unwrap();
    for row in &rows {
        let Some(written) = [("tax", 100.0), ("stepped", 200.0)].iter().find(|(id, _)| *id == row["carbon_policy"])
        else {
            assert!(row["carbon.price_factor"].is_empty() && row["carbon_price_per_tonne"].is_empty());
            continue;
        };
        let factor = number(row, "carbon.price_factor");
        assert_eq!(number(row, "carbon_price_per_tonne"), factor * written.1);
        let base = rows.iter().find(|base| {
            base["carbon_policy"] == "none" && ["mechanism", "seed"].iter().all(|key| base[*key] == row[*key])
        });
        let abated = number(base.unwrap(), "emissions_kg") - number(row, "emissions_kg");
        assert!((number(row, "actual_abatement_kg") - abated).abs() < 1e-9);
        // Nobody is charged at a price of zero; else accounts and emissions agree here, as nobody exports alone.
        let accounted = number(row, "accounted_abatement_kg");
        assert!(factor > 0.0 || accounted == 0.0);
        assert!(factor == 0.0 || row["mechanism"] != "grid-only" || (accounted - abated).abs() < 1e-6);
        if row["mechanism"] == "grid-only" {
            let expected = if factor == 10.0 { 4.0 - 2.25 } else { 0.0 };
            assert!((abated - expected).abs() < 1e-6, "{abated} at {factor} of {}", row["carbon_policy"]);
        }
    }
}

#[test]
fn a_store_that_cannot_be_written_is_refused_before_anything_runs() {
    let folder = Folder::new("unwritable");
    fs::create_dir_all(&folder.0).unwrap();
    fs::write(folder.0.join("runs"), "a file where a folder should be").unwrap();
    assert!(Store::create(&folder.0).unwrap_err().to_string().contains("runs"));
    assert!(Store::open(&folder.0).unwrap_err().to_string().contains("manifest.json"));
}

#[test]
fn the_manifest_says_what_a_reader_must_know() {
    let experiment =
        experiment(PAIR, "mechanisms: [\"grid-only\"], carbon: [\"none\", Tax(price_per_tonne: 310, price_factor: 2)]");
    let folder = Folder::new("manifest");
    let options = StoreOptions { source_revision: Some("abc".into()), ..StoreOptions::default() };
    experiment.run_into(&folder.store(), &options, ()).unwrap();
    let text = fs::read_to_string(folder.0.join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(manifest["experiment_hash"], experiment.hash().as_str());
    assert_eq!(manifest["source_revision"], "abc");
    assert_eq!(manifest["choices"][0]["damage_per_tonne"], 310.0);
    assert_eq!(manifest["choices"][0]["damage_from"], "tax");
    assert_eq!(manifest["choices"][0]["upstream_cost"], "the sell price");
    assert_eq!(manifest["choices"][0]["match"], "BasePrice");
    assert_eq!(manifest["scenarios"]["pair"]["buy_price_per_kwh"][1], 0.6);
    assert!(manifest["start"].as_str() <= manifest["end"].as_str());
    let timings = fs::read_to_string(folder.0.join("timings.csv")).unwrap();
    assert_eq!(timings.lines().count(), 1 + 2);
}

/// Tables need no folder: those in memory, written, are those of a store, abatement and sweep included.
#[test]
fn tables_in_memory_are_the_tables_of_a_store() {
    let fields = format!(
        "{MECHANISMS}, carbon: [\"none\", \"tax\"], sweep: [(path: \"carbon.price_per_tonne\", values: [100, 300])]"
    );
    let experiment = experiment(&format!("\"three_vpp\", {PAIR}"), &fields);
    let (folder, written) = (Folder::new("in_folder"), Folder::new("in_memory"));
    experiment.run_into(&folder.store(), &StoreOptions::default(), ()).unwrap();
    let tables = experiment.tables(&run(&experiment));
    tables.write(&written.0).unwrap();
    let mut expected = folder.tables();
    expected.remove("resolved.ron");
    assert!(written.tables() == expected);
    // Read back from either, run by run and whole.
    let stored = Dataset::open(&folder.0).unwrap();
    let in_memory = Dataset::Memory(tables);
    assert_eq!(stored.runs(), in_memory.runs());
    for table in Table::ALL {
        assert_eq!(stored.table(table).unwrap(), in_memory.table(table).unwrap(), "{}", table.name());
        if table != Table::Runs {
            assert_eq!(stored.rows(table, 7).unwrap(), in_memory.rows(table, 7).unwrap(), "{}", table.name());
        }
    }
    let participants = in_memory.table(Table::Participants).unwrap();
    let row = participants.row(1);
    assert_eq!((row.word("run_id"), row.word("participant")), (experiment.runs[0].run_id.as_str(), "vpp2"));
    assert!(row.number("total_cost").is_some() && row.number("no such column").is_none());
}

/// The store keeps every column as what the schema says it is.
#[test]
fn cells_are_of_the_kind_of_their_column() {
    let fields =
        format!("{MECHANISMS}, first_periods: 3, carbon: [\"none\", Stepped(interval_kg: 50), \"integrated\"]");
    for result in run(&experiment("\"five_vpps\", \"three_vpp\"", &fields)) {
        let metrics = [result.record.metrics.clone()];
        for table in Table::ALL {
            let (columns, rows) = match table {
                Table::Runs => (METRICS.iter().collect(), &metrics[..]),
                other => (other.columns(), result.record.rows(other)),
            };
            for row in rows {
                assert_eq!(row.len(), columns.len(), "{}", table.name());
                for (cell, column) in row.iter().zip(&columns) {
                    let fits = match cell {
                        Value::Missing => true,
                        Value::Text(_) => column.kind == Kind::Text,
                        Value::Number(_) => column.kind == Kind::Number,
                        Value::Integer(_) => column.kind == Kind::Integer,
                    };
                    assert!(fits, "{}.{}: {cell:?}", table.name(), column.name);
                }
            }
        }
    }
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_tables_hold_what_the_csv_tables_hold() {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;
    let experiment =
        experiment(&format!("\"three_vpp\", {PAIR}"), &format!("{MECHANISMS}, carbon: [\"none\", \"tax\"]"));
    let folder = Folder::new("parquet");
    experiment.run_into(&folder.store(), &StoreOptions::default(), ()).unwrap();
    for table in Table::ALL {
        let path = folder.0.join(format!("{}.parquet", table.name()));
        let reader = SerializedFileReader::new(fs::File::open(path).unwrap()).unwrap();
        let mut csv = csv::Reader::from_path(folder.0.join(format!("{}.csv", table.name()))).unwrap();
        let header = csv.headers().unwrap().clone();
        let names: Vec<String> =
            reader.metadata().file_metadata().schema_descr().columns().iter().map(|c| c.name().to_owned()).collect();
        assert_eq!(names, header.iter().collect::<Vec<_>>(), "{}", table.name());
        let mut rows = 0_i64;
        for (typed, text) in reader.get_row_iter(None).unwrap().zip(csv.records()) {
            rows += 1;
            for ((_, field), cell) in typed.unwrap().get_column_iter().zip(&text.unwrap()) {
                match field {
                    Field::Null => assert_eq!(cell, ""),
                    Field::Str(value) => assert_eq!(value, cell),
                    Field::Double(value) => assert_eq!(cell.parse::<f64>().unwrap(), *value),
                    Field::Long(value) => assert_eq!(cell.parse::<i64>().unwrap(), *value),
                    other => panic!("{other:?}"),
                }
            }
        }
        assert_eq!(rows, reader.metadata().file_metadata().num_rows());
    }
}
