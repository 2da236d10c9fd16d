//! The reference cases: losses, voltages and branch flows that other programs found to 16 digits.
//!
//! They are not in the repository; `COASE_DATA` names the folder.

use std::path::{Path, PathBuf};

use super::super::*;
use crate::network::Network;

fn data() -> Option<PathBuf> {
    let folder = std::env::var_os("COASE_DATA").map(PathBuf::from).filter(|folder| folder.is_dir());
    if folder.is_none() {
        eprintln!("skipped: COASE_DATA names no folder with the reference cases");
    }
    folder
}

fn read(folder: &Path, case: &str) -> Network {
    let name = case.trim_end_matches("+ties_closed");
    let text = std::fs::read_to_string(folder.join("matpower").join(format!("{name}.m"))).unwrap();
    let mut network = Network::from_matpower(&text).unwrap_or_else(|e| panic!("{case}: {e}"));
    assert_eq!(network.name, name);
    if name != case {
        for branch in &mut network.branches {
            branch.in_service = true;
        }
    }
    network
}

/// Rows of a CSV without its header; fields in quotes hold no figures that these tests read.
fn rows(path: &Path) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

fn figure(field: &str) -> f64 {
    field.parse().unwrap_or_else(|_| panic!("{field} is no number"))
}

#[test]
fn losses_supplies_and_voltages_of_all_reference_cases() {
    let Some(folder) = data() else { return };
    let mut seen = 0;
    for row in rows(&folder.join("reference_powerflow.csv")) {
        let case = row[0].as_str();
        let network = read(&folder, case);
        let power_flow = PowerFlow::new(&network).unwrap();
        let given = Injections::of(&network);
        let distribution = row[1].starts_with("distribution");
        let mut flows = vec![power_flow.solve_by_newton(&given).unwrap_or_else(|e| panic!("{case}: {e}"))];
        if row[5] == "0" {
            let flow = power_flow.solve(&given).unwrap();
            assert_eq!(flow.method, Method::Sweep, "{case}");
            flows.push(flow);
        }
        for flow in flows {
            let (loss, p, q) = (figure(&row[13]), figure(&row[16]) * 1e3, figure(&row[17]) * 1e3);
            let tolerance = if distribution { 1e-6 } else { 1e-6 * loss };
            assert!((flow.loss_kw - loss).abs() < tolerance, "{case}: {} is not {loss} kW", flow.loss_kw);
            // Supply in the reference is that of the generators at slack buses.
            assert!((flow.slack_kw() - p).abs() < tolerance, "{case}: {} is not {p} kW", flow.slack_kw());
            assert!((flow.slack_kvar() - q).abs() < 10.0 * tolerance, "{case}: {} is not {q}", flow.slack_kvar());
            for (bus, expected) in
                network.buses.iter().zip(rows(&folder.join(format!("reference_voltages/{case}.csv"))))
            {
                assert_eq!(bus.id.to_string(), expected[0]);
                let v = flow.voltages[network.node(bus.id).unwrap().0].unwrap();
                let (magnitude, angle) = (figure(&expected[1]), figure(&expected[2]));
                assert!((v.magnitude_pu - magnitude).abs() < 1e-9, "{case} bus {}: {v:?} {magnitude}", bus.id);
                // 1e-9 rad.
                assert!((v.angle_deg - angle).abs() < 1e-7, "{case} bus {}: {v:?} {angle}", bus.id);
            }
        }
        seen += 1;
    }
    assert_eq!(seen, 16);
}

/// Cases that flat voltages do not lead to, or to a solution at .02 pu.
#[test]
fn cases_that_need_a_start_of_their_own() {
    let Some(folder) = data() else { return };
    let folder = folder.join("matpower_start");
    for row in rows(&folder.join("reference.csv")) {
        let text = std::fs::read_to_string(folder.join(format!("{}.m", row[0]))).unwrap();
        let mut network = Network::from_matpower(&text).unwrap();
        let loss_kw = 1e3 * figure(&row[1]);
        let given = Injections::of(&network);
        let power_flow = PowerFlow::new(&network).unwrap();
        let flows = [power_flow.solve_from_file(&given).unwrap(), power_flow.solve(&given).unwrap()];
        // Without the voltages of the file there are still those that go on from no load.
        for bus in &mut network.buses {
            (bus.v_pu, bus.angle_deg) = (1.0, 0.0);
        }
        let slack = network.slacks().next().unwrap();
        let turned = flows[0].voltages[slack.0].unwrap().angle_deg;
        network.buses[slack.0].angle_deg = turned;
        let alone = PowerFlow::new(&network).unwrap().solve(&given).unwrap();
        let expected = rows(&folder.join(format!("{}_voltages.csv", row[0])));
        for flow in flows.iter().chain([&alone]) {
            assert!((flow.loss_kw - loss_kw).abs() < 1e-6 * loss_kw, "{}: {} is not {loss_kw}", row[0], flow.loss_kw);
            assert_eq!(flow.voltages.len(), expected.len());
            for (bus, expected) in network.buses.iter().zip(&expected) {
                assert_eq!(bus.id.to_string(), expected[0]);
                let v = flow.voltages[network.node(bus.id).unwrap().0].unwrap();
                assert!((v.magnitude_pu - figure(&expected[1])).abs() < 1e-6, "{} bus {}", row[0], bus.id);
            }
        }
    }
}

/// Phase shifters of a few degrees leave the flat start where it is: from there case2383wp is six steps away.
#[test]
fn a_large_network_with_phase_shifters_is_solved_from_flat_voltages() {
    let Some(folder) = data() else { return };
    let network = read(&folder, "case2383wp");
    let flow = PowerFlow::new(&network).unwrap().solve(&Injections::of(&network)).unwrap();
    assert!(flow.iterations <= 7, "{}", flow.iterations);
}

#[test]
fn branch_flows_of_the_reference_cases() {
    let Some(folder) = data() else { return };
    for entry in std::fs::read_dir(folder.join("reference_branch_flows")).unwrap() {
        let path = entry.unwrap().path();
        let case = path.file_stem().unwrap().to_str().unwrap();
        let network = read(&folder, case);
        let flow = PowerFlow::new(&network).unwrap().solve(&Injections::of(&network)).unwrap();
        let expected = rows(&path);
        assert_eq!(expected.len(), flow.branches.len(), "{case}");
        for ((found, expected), branch) in flow.branches.iter().zip(expected).zip(&network.branches) {
            assert_eq!(network.ends(branch).to_string(), format!("{}-{}", expected[1], expected[2]));
            let found = [found.p_from_kw, found.q_from_kvar, found.p_to_kw, found.q_to_kvar];
            for (found, expected) in found.into_iter().zip(&expected[4..8]) {
                let expected = figure(expected) * 1e3;
                // The reference has its flows from voltages: round-off times the admittance. In the shortest line of
                // case141 it misses the load of the leaf behind by 1.1e-6 kvar.
                let round_off = 2.0 * f64::EPSILON * network.base_kva() / branch.r_pu.hypot(branch.x_pu);
                let tolerance = 1e-6_f64.max(1e-9 * expected.abs()).max(round_off);
                assert!((found - expected).abs() < tolerance, "{case} {}: {found} {expected}", network.ends(branch));
            }
        }
    }
}

#[test]
fn every_case_file_is_read_written_back_and_solved() {
    let Some(folder) = data() else { return };
    let mut seen = 0;
    for sub in ["matpower", "simbench"] {
        for entry in std::fs::read_dir(folder.join(sub)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|e| e != "m") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let network = Network::from_matpower(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            let again = ron::ser::to_string_pretty(&network, ron::ser::PrettyConfig::default().struct_names(true));
            assert_eq!(Network::from_ron(&again.unwrap()).unwrap(), network, "{}", path.display());
            let flow = PowerFlow::new(&network).unwrap().solve(&Injections::of(&network));
            let flow = flow.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            assert!(flow.loss_kw > 0.0, "{}", path.display());
            seen += 1;
        }
    }
    assert!(seen >= 25, "{seen}");
}

#[test]
fn built_in_feeders_are_the_reference_cases() {
    let Some(folder) = data() else { return };
    for (id, case) in [("das-15", "case15da"), ("ieee-33", "case33bw"), ("ieee-69", "case69"), ("khodr-141", "case141")]
    {
        let (ours, theirs) = (super::embedded(id), read(&folder, case));
        assert_eq!(ours.buses.len(), theirs.buses.len());
        for (a, b) in ours.buses.iter().zip(&theirs.buses) {
            assert_eq!((a.id, a.kind, a.base_kv), (b.id, b.kind, b.base_kv));
            assert!((a.p_load_kw - b.p_load_kw).abs() < 1e-9 && (a.q_load_kvar - b.q_load_kvar).abs() < 1e-9);
            assert_eq!((a.v_min_pu, a.v_max_pu), (b.v_min_pu, b.v_max_pu));
        }
        for (a, b) in ours.branches.iter().zip(&theirs.branches) {
            assert_eq!((a.from, a.to, a.in_service), (b.from, b.to, b.in_service));
            assert!((a.r_pu - b.r_pu).abs() < 1e-15 && (a.x_pu - b.x_pu).abs() < 1e-15);
        }
    }
    let (ours, theirs) = (super::embedded("ieee-14"), read(&folder, "case14"));
    for (a, b) in ours.branches.iter().zip(&theirs.branches) {
        assert_eq!((a.from, a.to, a.r_pu, a.x_pu, a.b_pu, a.tap), (b.from, b.to, b.r_pu, b.x_pu, b.b_pu, b.tap));
    }
    for (a, b) in ours.generators.iter().zip(&theirs.generators) {
        assert_eq!((a.node, a.p_max_kw, a.v_pu), (b.node, b.p_max_kw, b.v_pu));
        let at = |g: &crate::network::Generator| g.cost_per_h.as_ref().unwrap().per_h(50_000.0);
        assert!((at(a) - at(b)).abs() < 1e-9);
    }
}
