//! What figures are drawn from.

use crate::fixture::{Shape, write_store};
use coase_plots::store::Store;
use coase_store::StoreError;
use std::path::PathBuf;

fn small(name: &str) -> PathBuf {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&dir);
    write_store(&dir, &Shape { periods: 2, buses: 2, ..Shape::side_by_side() });
    dir
}

#[test]
fn rows_are_typed() {
    let store = Store::read(&small("typed")).unwrap();
    assert_eq!(store.runs.len(), 24);
    assert_eq!(store.participants.len(), 24 * 5);
    let periods = store.periods(7);
    assert_eq!(periods.len(), 5 * 2);
    assert_eq!((periods[3].participant.as_str(), periods[3].period), ("vpp4", 0));
    assert_eq!(
        store.nodes(7).iter().map(|node| (node.period, node.bus)).collect::<Vec<_>>(),
        [(0, 1), (0, 2), (1, 1), (1, 2)]
    );
    assert_eq!(store.devices.iter().map(|d| d.0.as_str()).collect::<Vec<_>>()[..3], ["pv", "wind", "micro_turbine"]);
    let kinds: Vec<&str> = store.devices.iter().map(|d| d.0.as_str()).collect();
    let declared: Vec<&str> = coase_core::participant::devices().iter().map(|plugin| plugin.kind).collect();
    assert_eq!(kinds, declared);
    assert_eq!(store.metric(0, "efficiency"), Some(0.0));
    assert_eq!(store.metric(0, "no_such_column"), None);
    assert_eq!(store.facts("five").currency.as_deref(), Some("CNY"));
}

#[test]
fn a_folder_that_is_no_store_is_named() {
    let dir = small("no_manifest");
    std::fs::remove_file(dir.join("manifest.json")).unwrap();
    assert!(matches!(Store::read(&dir), Err(StoreError::NoManifest { path }) if path == dir));
    let dir = small("bad_manifest");
    std::fs::write(dir.join("manifest.json"), "{").unwrap();
    assert!(matches!(Store::read(&dir), Err(StoreError::NotOurs { .. })));
}

/// A run file that does not prove itself has no row; one that goes while figures are drawn is an error, not a gap.
#[test]
fn a_run_file_that_is_damaged_is_not_drawn() {
    let dir = small("damaged");
    let store = Store::read(&dir).unwrap();
    let path = coase_store::Store::open(&dir).unwrap().run_path(&store.runs[3].id);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(Store::read(&dir).unwrap().runs.len(), 23);
    let told = coase_plots::draw(&store, &dir, &[], &|_, _| {}).unwrap_err().to_string();
    assert!(told.contains(path.to_str().unwrap()), "{told}");
}
