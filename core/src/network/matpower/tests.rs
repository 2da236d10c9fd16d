use super::*;
use crate::network::{BusKind, Cost, NetworkError, NodeId};

const HEAD: &str = "function mpc = two\nmpc.version = '2';\nmpc.baseMVA = 10;\n";
const BUS: &str = "mpc.bus = [ %% kW\n\t7 1 100 60 0 0 1 1 0 12 1 1.1 0.9;  % ü\n 3\t3 0 0 2 -1 1 1 4 12 1 1 1\n];\n";
const GEN: &str = "mpc.gen = [3 1 2 Inf -Inf 1.02 100 1 10 0];\n";
const BRANCH: &str = "mpc.branch = [\n3 7 0.72 1.44 0.01 0 0 0 0 0 1 -360 360;\n3 7 1 1 0 5 0 0 0.97 30 0 -360 360];\n";
const INDEX: &str = "[PQ, PV, REF, NONE, BUS_I, BUS_TYPE, PD, QD, GS, BS, BUS_AREA, VM, ...\n    VA, BASE_KV] = idx_bus;\n[F_BUS, T_BUS, BR_R, BR_X] = idx_brch;\n";

fn read(parts: &[&str]) -> Result<Network, ReadError> {
    Network::from_matpower(&parts.concat())
}

fn matpower_error(parts: &[&str]) -> (usize, MatpowerError) {
    match read(parts) {
        Err(ReadError::Matpower { line, source }) => (line, source),
        other => panic!("{other:?}"),
    }
}

#[test]
fn tables_become_a_network() {
    let n = read(&[HEAD, BUS, GEN, BRANCH, "mpc.gencost = [2 0 0 3 0.5 20 7];\nmpc.bus_name = {\n'a;b';\n'c'\n};"])
        .unwrap();
    assert_eq!(n.name, "two");
    assert_eq!(n.base_mva, 10.0);
    assert_eq!(n.node(7), Some(NodeId(0)));
    assert_eq!(n.bus(NodeId(1)).kind, BusKind::Slack);
    assert_eq!((n.buses[0].p_load_kw, n.buses[0].q_load_kvar), (100_000.0, 60_000.0));
    assert_eq!((n.buses[1].g_kw, n.buses[1].b_kvar, n.buses[1].angle_deg), (2000.0, -1000.0, 4.0));
    assert_eq!((n.branches[0].tap, n.branches[0].rate_kva, n.branches[0].in_service), (1.0, None, true));
    assert_eq!((n.branches[1].tap, n.branches[1].rate_kva, n.branches[1].in_service), (0.97, Some(5000.0), false));
    assert_eq!(n.voltage_set_point(NodeId(1)), 1.02);
    assert_eq!(n.generators[0].q_max_kvar, f64::INFINITY);
    // 0.5 P² + 20 P + 7 at 2 MW.
    assert!((n.generators[0].cost_per_h.as_ref().unwrap().per_h(2000.0) - 49.0).abs() < 1e-12);
}

#[test]
fn the_three_conversions_are_applied_in_their_order() {
    let ohms = "Vbase = mpc.bus(1, BASE_KV) * 1e3;      %% in Volts\nSbase = mpc.baseMVA * 1e6;\nmpc.branch(:, [BR_R BR_X]) = mpc.branch(:, [BR_R BR_X]) / (Vbase^2 / Sbase);\n";
    let kilo = "mpc.bus(:, [PD, QD]) = mpc.bus(:, [PD, QD]) / 1e3;\n";
    let kva = "pf = 0.8;\nmpc.bus(:, QD) = mpc.bus(:, PD) * sin(acos(pf));\nmpc.bus(:, PD) = mpc.bus(:, PD) * pf;";
    let n = read(&[HEAD, BUS, GEN, BRANCH, INDEX, ohms, kilo, kva]).unwrap();
    // 12 kV and 10 MVA: 14.4 ohm. 100 kVA at 0.8: 80 kW and 60 kvar.
    assert!((n.branches[0].r_pu - 0.05).abs() < 1e-15 && (n.branches[0].x_pu - 0.1).abs() < 1e-15);
    assert!((n.buses[0].p_load_kw - 80.0).abs() < 1e-12 && (n.buses[0].q_load_kvar - 60.0).abs() < 1e-12);
}

#[test]
fn any_other_statement_is_refused_with_its_line() {
    for statement in [
        "mpc.bus(:, PD) = mpc.bus(:, PD) * 2;",
        "mpc.branch(:, [BR_R BR_X]) = mpc.branch(:, [BR_R BR_X]) * 2;",
        "mpc.bus(:, [PD, QD]) = mpc.bus(:, [PD, QD]) / 1e4;",
        "[QD, PD] = idx_bus;",
        "mpc = scale_load(2, mpc);",
        "disp('hello')",
    ] {
        let (line, error) = matpower_error(&[HEAD, BUS, GEN, BRANCH, INDEX, "\n", statement]);
        assert_eq!(line, 16, "{statement}");
        assert!(matches!(error, MatpowerError::Statement { .. }), "{error}");
    }
    let (line, error) = matpower_error(&[HEAD, BUS, GEN, BRANCH, "mpc.dcline = [1 2 3];"]);
    assert_eq!((line, error), (12, MatpowerError::Field { field: "dcline".into() }));
    let early = "mpc.bus(:, [PD, QD]) = mpc.bus(:, [PD, QD]) / 1e3;";
    assert_eq!(matpower_error(&[HEAD, BUS, early]), (8, MatpowerError::Undefined { name: "PD" }));
}

#[test]
fn bad_tables_are_refused_with_their_line() {
    let bus =
        |row: &str| matpower_error(&[HEAD, "mpc.bus = [\n3 3 0 0 0 0 1 1 0 12 1 1 1;\n", row, "];\n", GEN, BRANCH]);
    assert_eq!(bus("7 1 0 0 0 0 1 1 0 12 1 1").1, MatpowerError::Ragged { field: "bus", expected: 13, found: 12 });
    assert_eq!(bus("7.5 1 0 0 0 0 1 1 0 12 1 1 1"), (6, MatpowerError::BusNumber { value: 7.5 }));
    assert_eq!(bus("7 5 0 0 0 0 1 1 0 12 1 1 1"), (6, MatpowerError::BusType { value: 5.0 }));
    assert_eq!(bus("8 1 0 0 0 0 1 1 0 12 1 1 1"), (9, MatpowerError::UnknownBus { id: 7 }));
    assert!(matches!(bus("7 1 x 0 0 0 1 1 0 12 1 1 1"), (6, MatpowerError::Syntax { .. })));
    assert_eq!(matpower_error(&[HEAD, BUS, BUS]), (8, MatpowerError::Twice { field: "bus".into() }));
    assert_eq!(matpower_error(&[HEAD, BUS]).1, MatpowerError::Missing { field: "branch" });
    assert_eq!(matpower_error(&["mpc.version = '1';"]).1, MatpowerError::Version { found: "1".into() });
    assert_eq!(
        matpower_error(&["mpc.branch = [1 2 3 4];"]).1,
        MatpowerError::Columns { field: "branch", at_least: 11, found: 4 }
    );
    let cost = |rows: &str| matpower_error(&[HEAD, BUS, GEN, BRANCH, "mpc.gencost = [", rows, "];"]);
    assert_eq!(cost("3 0 0 2 1 1").1, MatpowerError::Cost);
    assert_eq!(cost("2 0 0 9 1 1").1, MatpowerError::Cost);
    assert_eq!(cost("2 0 0 1 1; 2 0 0 1 1; 2 0 0 1 1"), (12, MatpowerError::CostRows { generators: 1, found: 3 }));
}

#[test]
fn contradictions_are_refused_with_their_line() {
    let loops = BRANCH.replace("3 7 1 1", "7 7 1 1");
    let error = read(&[HEAD, BUS, GEN, &loops]).unwrap_err();
    assert_eq!(error, ReadError::InvalidAt { line: 11, source: NetworkError::Loop { number: 2, id: 7 } });
    let twice = BUS.replace(" 3\t3", " 7\t3");
    let error = read(&[HEAD, &twice, GEN, BRANCH]).unwrap_err();
    assert_eq!(error, ReadError::InvalidAt { line: 6, source: NetworkError::DuplicateBus { id: 7 } });
    let negative = BRANCH.replace("0 5 0 0 0.97", "0 -5 0 0 0.97");
    let error = read(&[HEAD, BUS, GEN, &negative]).unwrap_err();
    assert!(matches!(error, ReadError::InvalidAt { line: 11, source: NetworkError::Branch { number: 2, .. } }));
}

#[test]
fn an_isolated_bus_takes_its_branches_and_generators_out() {
    let off = BUS.replace("\t7 1", "\t7 4");
    let n = read(&[HEAD, &off, "mpc.gen = [7 1 2 9 -9 1 100 1 10 0];", BRANCH]).unwrap();
    assert!(!n.branches[0].in_service && !n.generators[0].in_service);
}

#[test]
fn piecewise_costs_are_read_by_points() {
    let n = read(&[HEAD, BUS, GEN, BRANCH, "mpc.gencost = [1 0 0 2 0 5 10 205 0 0];"]).unwrap();
    assert_eq!(n.generators[0].cost_per_h, Some(Cost::Piecewise(vec![(0.0, 5.0), (10_000.0, 205.0)])));
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(noise in ".{0,12}", at in 0_usize..700, cut in 0_usize..40) {
        let mut text = [HEAD, BUS, GEN, BRANCH, INDEX, "mpc.gencost = [2 0 0 3 0.5 20 7];\npf = 0.8;"].concat();
        let floor = |mut k: usize| {
            k = k.min(text.len());
            while !text.is_char_boundary(k) {
                k -= 1;
            }
            k
        };
        let (start, end) = (floor(at), floor(at + cut));
        text.replace_range(start..end, &noise);
        let _ = Network::from_matpower(&text);
    }

    #[test]
    fn no_table_makes_the_reader_panic(cells in "[-+*/^().,;e0-9 \n\u{b}a-z]{0,30}") {
        let _ = Network::from_matpower(&format!("mpc.bus = [{cells}];"));
    }
}
