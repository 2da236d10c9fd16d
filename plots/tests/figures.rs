//! The figures of a result store: that they come out, clean and the same every time.

mod common;

use coase_plots::lint::lint;
use coase_plots::store::Store;
use coase_plots::{Format, draw, pictures};
use common::{Shape, write_store};
use std::path::PathBuf;

fn store(name: &str, shape: &Shape) -> PathBuf {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&dir);
    write_store(&dir, shape);
    dir
}

#[test]
fn side_by_side_is_drawn_in_all_formats() {
    let dir = store("side_by_side", &Shape::side_by_side());
    let report = draw(&dir, &Format::ALL, &|_, _| {}).unwrap();
    assert!(report.skipped.is_empty(), "{:?}", report.skipped);
    assert!(report.drawn.len() >= 3 * 10);
    assert!(report.drawn.iter().all(|f| f.exists()));
}

#[test]
fn side_by_side_has_no_flaws() {
    let dir = store("flawless", &Shape::side_by_side());
    for named in pictures(&Store::read(&dir).unwrap()).0 {
        assert_eq!(lint(&named.picture.canvas), vec![], "{}", named.stem);
    }
}
