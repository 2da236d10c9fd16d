//! Figures of games: how members play, how buyers spread, how sellers answer each other, what a network's operator asks.

use crate::figures::{matches_golden, store, with_curves};
use crate::fixture::{Shape, rewrite};
use coase_plots::lint::lint;
use coase_plots::store::Store;
use coase_plots::{Named, Skipped, pictures};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn small() -> Shape {
    let mechanisms = vec![("grid-only", "grid-only"), ("evolutionary-buyers", "evolutionary-buyers")];
    let policies = vec![("none", "none")];
    Shape { mechanisms, policies, participants: 5, periods: 1, buses: 0, ..Shape::side_by_side() }
}

fn drawn(dir: &Path) -> (Vec<Named>, Vec<Skipped>) {
    pictures(&Store::read(dir).unwrap())
}

/// A store with curves: the figure must have no flaw, be as it was, and be absent where the curves are.
fn drawn_from_curves(name: &str, rows: &[String]) -> Named {
    let dir = store(&format!("curves_of_{name}"), &small());
    let (_, skipped) = drawn(&dir);
    assert!(skipped.iter().any(|s| s.figure == name && s.reason.contains("curves")), "{name} without curves");
    with_curves(&dir, &rows.iter().map(String::as_str).collect::<Vec<_>>());
    let (all, _) = drawn(&dir);
    let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    matches_golden(&all, name, &golden);
    let found = all.into_iter().find(|d| d.stem == name).unwrap();
    assert_eq!(lint(&found.picture.canvas), vec![], "{name}");
    found
}

fn line(name: &str, of: &str, other: &str, points: &[(f64, f64)]) -> Vec<String> {
    points.iter().enumerate().map(|(k, (x, y))| format!("{name},{of},{other},0,{k},{x},{y}")).collect()
}

#[test]
fn the_plane_of_three_options_has_flow_ways_and_points_of_rest() {
    let mut rows = vec![];
    for (seller, corner) in [("vpp1", (1.0, 0.0)), ("vpp4", (0.0, 1.0)), ("", (0.0, 0.0))] {
        rows.extend(line("simplex_corner", seller, "vpp2", &[corner]));
    }
    let rest = (0.5, 0.3);
    for i in 0..6 {
        for j in 0..6 - i {
            let (x, y) = ((f64::from(i) + 0.33) / 6.0, (f64::from(j) + 0.33) / 6.0);
            let away = (rest.0 - x).hypot(rest.1 - y);
            let (ux, uy) = (0.04 * (rest.0 - x) / away, 0.04 * (rest.1 - y) / away);
            rows.extend(line("simplex_flow", "", "vpp2", &[(x, y), (x + ux, y + uy)]));
        }
    }
    for (x, y) in [(0.9, 0.05), (0.05, 0.9), (0.05, 0.05)] {
        let at = |t: f64| (x + t * (rest.0 - x), y + t * (rest.1 - y) * t);
        let way: Vec<(f64, f64)> = (0..=10).map(|k| at(f64::from(k) / 10.0)).collect();
        rows.extend(line("simplex_trajectory", "", "vpp2", &way));
    }
    rows.extend(line("simplex_stable", "", "vpp2", &[rest]));
    rows.extend(line("simplex_saddle", "", "vpp2", &[(0.6, 0.4)]));
    rows.extend(line("simplex_unstable", "", "vpp2", &[(1.0, 0.0)]));
    let found = drawn_from_curves("simplex", &rows);
    assert!(found.picture.caption.contains("points of rest"), "{}", found.picture.caption);
}

#[test]
fn shares_over_time_end_where_nothing_moves() {
    let mut rows = vec![];
    for (seller, end) in [("vpp1", 0.4), ("vpp3", 0.1), ("vpp4", 0.3), ("vpp5", 0.2), ("", 0.0)] {
        let at = |k: i32| (f64::from(k), end + (0.2 - end) * (-f64::from(k) / 20.0).exp());
        rows.extend(line("share", seller, "", &(0..400).step_by(5).map(at).collect::<Vec<_>>()));
    }
    drawn_from_curves("shares_over_time", &rows);
}

#[test]
fn best_replies_are_drawn_with_their_crossing_and_without_one_where_they_cycle() {
    let reply = |own: f64, slope: f64| -> Vec<(f64, f64)> {
        (0..=20).map(|k| 0.3 + 0.03 * f64::from(k)).map(|p| (p, own + slope * p)).collect()
    };
    let mut rows = line("best_response", "vpp1", "vpp4", &reply(0.4, 0.2));
    let jumps: Vec<(f64, f64)> =
        reply(0.35, 0.3).into_iter().map(|(p, own)| (p, if p > 0.7 { own - 0.15 } else { own })).collect();
    rows.extend(line("best_response", "vpp4", "vpp1", &jumps));
    let open = rows.clone();
    rows.extend(line("equilibrium", "vpp1", "vpp4", &[(0.5, 0.5)]));
    let found = drawn_from_curves("best_response", &rows);
    assert!(found.picture.caption.contains("The mark is the equilibrium"), "{}", found.picture.caption);
    let dir = store("curves_of_a_cycle", &small());
    with_curves(&dir, &open.iter().map(String::as_str).collect::<Vec<_>>());
    rewrite(&dir, "runs", |t| {
        t.replace("evolutionary-buyers,none,none,1,converged", "evolutionary-buyers,none,none,1,no_equilibrium")
    });
    let (all, _) = drawn(&dir);
    let found = all.iter().find(|d| d.stem == "best_response").unwrap();
    assert!(found.picture.caption.contains("No prices were found"), "{}", found.picture.caption);
    assert_eq!(lint(&found.picture.canvas), vec![]);
}

#[test]
fn fees_stand_over_distance_and_idle_pairs_apart() {
    let mut rows = vec![];
    for (k, (one, two)) in
        [("vpp1", "vpp2"), ("vpp1", "vpp3"), ("vpp2", "vpp3"), ("vpp4", "vpp5")].into_iter().enumerate()
    {
        let far = 0.4 + 0.4 * k as f64;
        rows.extend(line("fee", one, two, &[(far, 0.2 * far)]));
        rows.push(format!("traded,{one},{two},,0,{far},{}", if k == 2 { 0.0 } else { 10.0 }));
    }
    drawn_from_curves("fee_and_distance", &rows);
}

/// Every run is played a second time by best responses, which cost more.
#[test]
fn kinds_of_play_stand_side_by_side() {
    let shape = Shape { participants: 2, ..small() };
    let dir = store("kinds_of_play", &shape);
    let (_, skipped) = drawn(&dir);
    assert!(skipped.iter().any(|s| s.figure == "play" && s.reason.contains("one way only")));
    rewrite(&dir, "runs", |t| {
        let mut out = t.to_owned();
        for line in t.lines().skip(1).filter(|line| !line.contains(",grid-only,")) {
            let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
            cells[0].replace_range(..1, "b");
            cells[10] = "best_response".to_owned();
            cells[15] = (cells[15].parse::<f64>().unwrap() * 1.1).to_string();
            writeln!(out, "{}", cells.join(",")).unwrap();
        }
        out
    });
    let ids = |t: &str| -> Vec<String> { t.lines().skip(1).map(|l| l.split(',').next().unwrap().to_owned()).collect() };
    let runs = std::fs::read_to_string(dir.join("as_text/runs.csv")).unwrap();
    rewrite(&dir, "certificates", |t| {
        let mut out = t.to_owned();
        for (k, id) in ids(&runs).iter().enumerate() {
            writeln!(out, "{id},exploitability,{},,measured,", 40 - 10 * k).unwrap();
        }
        out
    });
    let (all, _) = drawn(&dir);
    let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    matches_golden(&all, "play", &golden);
    let found = all.iter().find(|d| d.stem == "play").unwrap();
    assert_eq!(lint(&found.picture.canvas), vec![]);
}
