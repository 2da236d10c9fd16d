//! What a store says when it is not well.

use crate::fixture::{Shape, write_store};
use coase_plots::store::{Store, StoreError};
use std::path::{Path, PathBuf};

fn small(name: &str) -> PathBuf {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&dir);
    write_store(&dir, &Shape { periods: 2, buses: 2, ..Shape::side_by_side() });
    dir
}

fn edit(dir: &Path, table: &str, change: impl Fn(String) -> String) {
    let file = dir.join(table);
    let text = std::fs::read_to_string(&file).unwrap();
    let changed = change(text.clone());
    assert_ne!(changed, text, "the edit must bite");
    std::fs::write(file, changed).unwrap();
}

#[test]
fn rows_are_typed() {
    let store = Store::read(&small("typed")).unwrap();
    assert_eq!(store.runs.len(), 24);
    assert_eq!(store.periods.len(), 24 * 5 * 2);
    assert_eq!(store.nodes.len(), 24 * 2 * 2);
    assert_eq!(store.devices.iter().map(|d| d.0.as_str()).collect::<Vec<_>>()[..3], ["pv", "wind", "micro_turbine"]);
    assert_eq!(store.metric(0, "efficiency"), Some(0.0));
    assert_eq!(store.metric(0, "no_such_column"), None);
    assert_eq!(store.facts("five").currency.as_deref(), Some("CNY"));
}

#[test]
fn not_a_number_is_refused_with_its_place() {
    let dir = small("nan");
    edit(&dir, "nodes.csv", |t| t.replacen(",1,", ",NaN,", 1));
    match Store::read(&dir) {
        Err(StoreError::BadValue { file, line: 2, column, found, .. }) => {
            assert!(file.ends_with("nodes.csv"));
            assert_eq!((column.as_str(), found.as_str()), ("bus", "NaN"));
        }
        other => panic!("{other:?}"),
    }
    let dir = small("nan_flow");
    edit(&dir, "branches.csv", |t| t.replacen(",0,0,", ",0,0,NaN", 1));
    assert!(matches!(Store::read(&dir), Err(StoreError::BadValue { file, .. }) if file.ends_with("branches.csv")));
    let dir = small("infinite");
    edit(&dir, "runs.csv", |t| t.replacen(",10820,", ",inf,", 1));
    let message = Store::read(&dir).unwrap_err().to_string();
    assert!(message.ends_with("runs.csv:2: column `total_cost`: `inf` is not a finite number"), "{message}");
}

#[test]
fn missing_tables_columns_and_runs_are_named() {
    let dir = small("missing_table");
    std::fs::remove_file(dir.join("trades.csv")).unwrap();
    assert!(matches!(Store::read(&dir), Err(StoreError::Unreadable { file, .. }) if file.ends_with("trades.csv")));

    // older stores have none
    let dir = small("no_branches");
    std::fs::remove_file(dir.join("branches.csv")).unwrap();
    assert_eq!(Store::read(&dir).unwrap().branches, vec![]);

    let dir = small("missing_column");
    edit(&dir, "runs.csv", |t| t.replacen("carbon_label", "label", 1));
    assert!(matches!(Store::read(&dir), Err(StoreError::MissingColumn { column, .. }) if column == "carbon_label"));

    let dir = small("unknown_run");
    edit(&dir, "ledger.csv", |t| t + "feed,a,b,1,p2p,energy\n");
    assert!(matches!(Store::read(&dir), Err(StoreError::UnknownRun { run_id, .. }) if run_id == "feed"));

    let dir = small("bad_status");
    edit(&dir, "runs.csv", |t| t.replacen("converged", "perhaps", 1));
    assert!(matches!(Store::read(&dir), Err(StoreError::BadValue { column, .. }) if column == "status"));

    let dir = small("bad_manifest");
    std::fs::write(dir.join("manifest.json"), "{").unwrap();
    assert!(matches!(Store::read(&dir), Err(StoreError::Manifest { .. })));

    let dir = small("ragged");
    edit(&dir, "nodes.csv", |t| t + "1,2\n");
    assert!(matches!(Store::read(&dir), Err(StoreError::Malformed { .. })));
}

#[test]
fn every_column_that_is_read_is_in_the_schema() {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("schema");
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    for table in coase_core::record::Table::ALL {
        let names = table.columns().into_iter().map(|c| c.name);
        let header: Vec<&str> = std::iter::once("run_id").chain(names).collect();
        std::fs::write(dir.join(table.name()).with_extension("csv"), header.join(",") + "\n").unwrap();
    }
    let store = Store::read(&dir).unwrap();
    assert_eq!(store.runs, vec![]);
    let kinds: Vec<&str> = store.devices.iter().map(|d| d.0.as_str()).collect();
    let declared: Vec<&str> = coase_core::participant::devices().iter().map(|plugin| plugin.kind).collect();
    assert_eq!(kinds, declared);
}
