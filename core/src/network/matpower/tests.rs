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
    let early = "mpc.bus(:, [PD, QD]) = mpc.bus(:, [PD, QD]) / 1e3;";
    assert_eq!(matpower_error(&[HEAD, BUS, early]), (8, MatpowerError::Undefined { name: "PD" }));
}

#[test]
fn bad_tables_are_refused_with_their_line() {
    let bus =
        |row: &str| matpower_error(&[HEAD, "mpc.bus = [\n3 3 0 0 0 0 1 1 0 12 1 1 1;\n", row, "];\n", GEN, BRANCH]);
    assert_eq!(bus("7 1 0 0 0 0 1 1 0 12 1 1").1, MatpowerError::Ragged { field: "bus", expected: 13, found: 12 });
    assert_eq!(bus("7.5 1 0 0 0 0 1 1 0 12 1 1 1"), (6, MatpowerError::BusNumber { field: "bus", row: 2, value: 7.5 }));
    assert_eq!(bus("7 5 0 0 0 0 1 1 0 12 1 1 1"), (6, MatpowerError::BusType { bus: 7, value: 5.0 }));
    assert_eq!(bus("8 1 0 0 0 0 1 1 0 12 1 1 1"), (9, MatpowerError::UnknownBus { element: "branch", row: 1, id: 7 }));
    assert!(matches!(bus("7 1 x 0 0 0 1 1 0 12 1 1 1"), (6, MatpowerError::Syntax { .. })));
    assert_eq!(matpower_error(&[HEAD, BUS, BUS]), (8, MatpowerError::Twice { field: "bus".into() }));
    assert_eq!(matpower_error(&[HEAD, BUS]).1, MatpowerError::Missing { field: "branch" });
    assert_eq!(matpower_error(&["mpc.version = '1';"]).1, MatpowerError::Version { found: "1".into() });
    assert_eq!(
        matpower_error(&["mpc.branch = [1 2 3 4];"]).1,
        MatpowerError::Columns { field: "branch", at_least: 11, found: 4 }
    );
    let cost = |rows: &str| matpower_error(&[HEAD, BUS, GEN, BRANCH, "mpc.gencost = [", rows, "];"]);
    for (row, expected) in [
        ("3 0 0 2 1 1", "the model is 3"),
        ("2 0 0 9 1 1", "the count is 9, and 2 cells follow it"),
        ("2 0 0 -1 1 1", "the count is -1, and 2 cells follow it"),
        ("1 0 0 9223372036854775807 1 1", "the count is 9.223372036854776e18, and 2 cells follow it"),
        ("1 0 0 2 1 1", "2 points are announced, and 2 cells follow"),
        ("2 0 0 NaN 1 1", "the count is NaN, and 2 cells follow it"),
    ] {
        let (line, error) = cost(row);
        assert_eq!((line, error), (12, MatpowerError::Cost { number: 1, bus: 3, found: expected.into() }));
    }
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
fn results_and_remarks_are_read_past() {
    let plain = read(&[HEAD, BUS, GEN, BRANCH]).unwrap();
    for remark in [
        "mpc.success = 1;\nmpc.et = 0.0312;\nmpc.f = 5296.69;\nmpc.iterations = 4;\nmpc.freq = 50;",
        "mpc.success = true;",
        "mpc.order.state = 'e';\nmpc.order.ext.bus = [1 2 3];\nmpc.var.val.Va = [1; 2; 3];",
        "mpc.bus_geo = [\n 8.5 47.4;\n 8.6 47.5;\n];",
        "mpc.lat = [47.4, 47.5];",
        "mpc.bus_name = {\n'Zürich; 50%';\n'b]'\n}';",
        "mpc.bus_name = ['ab'; 'cd'];",
        "mpc.bus_name{1} = 'a';\nmpc.genfuel(1) = {'coal'};",
        "mpc.areas = [1 7];\nmpc.userdata.x = [1 2; 3 4; 5 6];",
        "mpc.gen_co2_t_per_mwh = [0.8];\nmpc.branch_length_km = [1.5; 2.5];",
        "mpc.comment = \"made by hand\";",
        "mpc.dcline = [];",
        "mpc.dcline = zeros(0, 17);",
        "mpc.dcline = [7 3 0 10 9 0 0 1 1 1 20 -10 10 -10 10 0 0];\nmpc.dclinecost = [2 0 0 2 1 0];",
        "mpc.reserves = [];\nmpc.A = zeros(0, 5);\nmpc.storage = [ ];",
        "end",
        "endfunction",
        "return;\nend",
    ] {
        let found = read(&[HEAD, BUS, GEN, BRANCH, remark]).unwrap_or_else(|error| panic!("{remark}: {error}"));
        assert_eq!(found, plain, "{remark}");
    }
}

#[test]
fn what_constrains_the_problem_is_refused_by_name() {
    let refused = |text: &str| matpower_error(&[HEAD, BUS, GEN, BRANCH, "\n", text]);
    for (text, name) in [
        ("mpc.reserves.zones = [1 1];", "reserves.zones"),
        ("mpc.if.lims = [1 -15 25];", "if.lims"),
        ("mpc.softlims.RATE_A.hl_mod = 'none';", "softlims.RATE_A.hl_mod"),
        ("mpc.A = [1 0 0 0];", "A"),
        ("mpc.storage = [7 0 0 1 2];", "storage"),
        ("mpc.bus3p = [1 3 1; 2 1 1];", "bus3p"),
        ("mpc.userfcn = {1};", "userfcn"),
    ] {
        let (line, error) = refused(text);
        assert_eq!(line, 13, "{text}");
        assert!(matches!(&error, MatpowerError::Field { field, .. } if field == name), "{text}: {error}");
    }
    let (line, error) = refused("mpc.dcline = [\n3 7 0 1 1;\n3 7 1 10 9];");
    assert_eq!((line, error), (15, MatpowerError::DcLine { number: 2, from: 3.0, to: 7.0 }));
    assert!(matches!(refused("mpc.dcline = [3 7 NaN];").1, MatpowerError::DcLine { .. }));
    let (_, error) = refused("mpc.limits = [1 2; 3 4; 5 6; 7 8];");
    assert_eq!(error, MatpowerError::UnknownTable { field: "limits".into(), rows: 4, columns: 2 });
    assert!(matches!(refused("mpc.bus.extra = 3;").1, MatpowerError::Statement { .. }));
    assert!(matches!(refused("end\nmpc.baseMVA = 3;"), (14, MatpowerError::AfterEnd { .. })));
    assert!(matches!(refused("function y = f(x)"), (13, MatpowerError::AfterEnd { .. })));
}

#[test]
fn functions_return_a_struct_of_any_name() {
    let body = [&HEAD["function mpc = two\n".len()..], BUS, GEN, BRANCH].concat();
    for (head, output) in [
        ("function [mpc] = two", "mpc"),
        ("function[ s ]=two()", "s"),
        ("function case_data ...\n  = two(varargin)", "case_data"),
        ("function\tmpc=two\nmpc = struct();", "mpc"),
    ] {
        let text = format!("{head}\n{}", body.replace("mpc.", &format!("{output}.")));
        let n = Network::from_matpower(&text).unwrap_or_else(|error| panic!("{head}: {error}"));
        assert_eq!((n.name.as_str(), n.buses.len()), ("two", 2), "{head}");
    }
    // The conversions go by the name of the struct too.
    let text = format!(
        "function s = two\n{}{INDEX}s.bus(:, [PD, QD]) = s.bus(:, [PD, QD]) / 1e3;",
        body.replace("mpc.", "s.")
    );
    assert!((Network::from_matpower(&text).unwrap().buses[0].p_load_kw - 100.0).abs() < 1e-12);
    let one = "function [baseMVA, bus, gen, branch, areas, gencost] = case9";
    assert!(matches!(matpower_error(&[one]).1, MatpowerError::Version { .. }));
}

#[test]
fn a_status_is_on_or_off() {
    let branch = BRANCH.replace("0 0 0 0 0 1 -360", "0 0 0 0 0 NaN -360");
    let (line, error) = matpower_error(&[HEAD, BUS, GEN, &branch]);
    assert_eq!(line, 10);
    assert!(error.to_string().contains("branch 1 (3-7): status is NaN"), "{error}");
    let generator = GEN.replace("1.02 100 1", "1.02 100 NaN");
    let (line, error) = matpower_error(&[HEAD, BUS, &generator, BRANCH]);
    assert_eq!(line, 8);
    assert!(error.to_string().contains("generator 1 at bus 3: status is NaN"), "{error}");
}

#[test]
fn an_absurd_base_is_refused_in_its_line() {
    for base in ["1e300", "1e-300", "0", "-100", "NaN", "Inf", "1e7"] {
        let head = HEAD.replace("10;", &format!("{base};"));
        let error = read(&[&head, BUS, GEN, BRANCH]).unwrap_err();
        assert!(
            matches!(error, ReadError::InvalidAt { line: 3, source: NetworkError::PowerBase { .. } }),
            "{base}: {error}"
        );
    }
}

#[test]
fn limits_of_angles_are_kept_where_there_are_any() {
    let limits = |pair: &str| {
        let n = read(&[HEAD, BUS, GEN, &BRANCH.replacen("-360 360", pair, 1)]).unwrap();
        (n.branches[0].angle_min_deg, n.branches[0].angle_max_deg)
    };
    let none = (f64::NEG_INFINITY, f64::INFINITY);
    assert_eq!(limits("-360 360"), none);
    assert_eq!(limits("0 0"), none);
    assert_eq!(limits("-30 30"), (-30.0, 30.0));
    assert_eq!(limits("0 30"), (0.0, 30.0));
    assert_eq!(limits("-400 5"), (f64::NEG_INFINITY, 5.0));
}

#[test]
fn reactive_costs_and_capability_curves_are_kept_where_they_matter() {
    let costs =
        |rows: &str| read(&[HEAD, BUS, GEN, BRANCH, "mpc.gencost = [", rows, "];"]).unwrap().generators.remove(0);
    assert_eq!(costs("2 0 0 2 1 0; 2 0 0 2 0 0").q_cost_per_h, None);
    assert_eq!(costs("2 0 0 2 1 0; 2 0 0 2 5 0").q_cost_per_h, Some(Cost::Polynomial(vec![0.0, 0.005])));
    let with = |curve: &str| {
        let generator = format!("mpc.gen = [3 1 2 9 -9 1.02 100 1 10 0 {curve}];\n");
        read(&[HEAD, BUS, &generator, BRANCH]).map(|mut n| n.generators.remove(0).pq_curve)
    };
    assert_eq!(with("0 0 0 0 0 0 0").unwrap(), None);
    assert_eq!(with("0 10 -9 9 -9 9 0").unwrap(), None, "it forbids nothing");
    let curve = with("0 10 -9 9 -2 3 0").unwrap().unwrap();
    assert_eq!((curve.p_kw, curve.q_max_kvar), ((0.0, 10_000.0), (9_000.0, 3_000.0)));
    assert!(with("10 0 -9 9 -2 3 0").is_err(), "the points are in the wrong order");
}

#[test]
fn limits_without_end_may_be_written_as_large_numbers() {
    let n =
        read(&[HEAD, BUS, "mpc.gen = [3 1 2 1e20 -1e20 1.02 100 1 1e15 0];\n", &BRANCH.replace("0 5 0", "0 1e30 0")]);
    let n = n.unwrap();
    assert_eq!((n.generators[0].q_min_kvar, n.generators[0].p_max_kw), (f64::NEG_INFINITY, f64::INFINITY));
    assert_eq!(n.branches[1].rate_kva, None);
}

#[test]
fn every_error_has_a_line() {
    let no_slack = BUS.replace("3\t3", "3\t1");
    assert_eq!(
        read(&[HEAD, &no_slack, GEN, BRANCH]).unwrap_err(),
        ReadError::InvalidAt { line: 4, source: NetworkError::NoSlack }
    );
    let none = read(&[HEAD, "mpc.bus = [];\nmpc.branch = [];"]).unwrap_err();
    assert_eq!(none, ReadError::InvalidAt { line: 4, source: NetworkError::NoBus });
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

/// A file as a solver leaves it, with everything that the reader knows.
const WHOLE: &str = "function [mpc] = whole\n%WHOLE  a case\n#{\nremarks\n#}\nmpc.version = '2';\nmpc.baseMVA = 100;\n\
    mpc.bus = [\n\t1\t3\t0\t0\t0\t0\t1\t1\t0\t110\t1\t1.1\t0.9;\n\t2\t2\t60\t10\t0\t0\t1\t1.01\t-2.5\t110\t1\t1.1\t0.9; % ü\n\
    \t30\t1\t90\t20\t0\t5\t1\t0.98\t-4\t110\t1\t1.1\t0.9;\n];\n\
    mpc.gen = [\n 1 80 0 100 -100 1 100 1 250 0 0 0 0 0 0 0;\n 2 7.0D+01 0 Inf -Inf 1.01 100 1 100 0 0 9 -9 9 -1 1;\n];\n\
    mpc.branch = [\n 1 2 0.01 .1 0 150 0 0 0 0 1 -360 360;\n 1 30 0.02 0.1 0 0 0 0 0.98 30 1 -20 20;\n 2 30 (1 + 2) / 1e2 0.1 ...\n 0 0 0 0 0 0 0 0 0;\n];\n\
    mpc.gencost = [\n 2 0 0 3 0.02 18 0 0;\n 1 0 0 2 0 0 100 3500;\n];\n\
    mpc.dcline = [1 2 0 10 9 0 0 1 1 1 20 -10 10 -10 10 0 0];\nmpc.bus_name = {'a;b' 'c''%' \"d\"}';\n\
    mpc.bus_geo = [1 2; 3 4; 5 6];\nmpc.success = 1; mpc.et = 0.01;\n\
    [PQ, PV, REF, NONE, BUS_I, BUS_TYPE, PD, QD, GS, BS, BUS_AREA, VM, ...\n    VA, BASE_KV] = idx_bus;\n\
    mpc.bus(:, [PD, QD]) = mpc.bus(:, [PD, QD]) / 1e3;\nend\n";

#[test]
fn the_whole_file_is_read() {
    let n = Network::from_matpower(WHOLE).unwrap();
    assert_eq!((n.name.as_str(), n.buses.len(), n.branches.len(), n.generators.len()), ("whole", 3, 3, 2));
    assert!((n.branches[2].r_pu - 0.03).abs() < 1e-15 && !n.branches[2].in_service);
    assert!(n.generators[1].pq_curve.is_some());
}

/// What may happen to a file.
#[derive(Debug, Clone)]
enum Damage {
    Cut {
        at: usize,
    },
    Replace {
        at: usize,
        length: usize,
        with: String,
    },
    Repeat {
        at: usize,
        length: usize,
        to: usize,
    },
    /// Another word for a number.
    Number {
        which: usize,
        with: &'static str,
    },
}

impl Damage {
    fn of(&self, text: &mut String) {
        let floor = |text: &str, k: usize| {
            let mut k = k % (text.len() + 1);
            while !text.is_char_boundary(k) {
                k -= 1;
            }
            k
        };
        match self {
            Self::Cut { at } => text.truncate(floor(text, *at)),
            Self::Replace { at, length, with } => {
                let start = floor(text, *at);
                let end = floor(text, (start + length).min(text.len())).max(start);
                text.replace_range(start..end, with);
            }
            Self::Repeat { at, length, to } => {
                let start = floor(text, *at);
                let end = floor(text, (start + length).min(text.len())).max(start);
                let part = text[start..end].to_owned();
                text.insert_str(floor(text, *to), &part);
            }
            Self::Number { which, with } => {
                let starts: Vec<usize> = text
                    .char_indices()
                    .filter(|(k, c)| {
                        c.is_ascii_digit() && !text[..*k].ends_with(|c: char| c.is_alphanumeric() || c == '.')
                    })
                    .map(|(k, _)| k)
                    .collect();
                if let Some(start) = starts.get(which % starts.len().max(1)) {
                    let length = text[*start..].find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(0);
                    text.replace_range(*start..start + length, with);
                }
            }
        }
    }
}

fn damage() -> impl Strategy<Value = Damage> {
    let words = prop_oneof![
        "\\PC{0,6}",
        "[\\[\\](){};,%#'\"=.+*/^ \\n\\r\0-]{1,6}",
        Just("...".to_owned()),
        Just("%{\n".to_owned()),
        Just("(".repeat(20_000)),
        Just("[".repeat(2_000)),
        Just("-".repeat(20_000)),
        Just("\u{feff}".to_owned()),
    ];
    let numbers = prop::sample::select(vec![
        "0",
        "-0",
        "-1",
        "1e308",
        "-1e308",
        "1e999",
        "1e-308",
        "NaN",
        "Inf",
        "-Inf",
        "1.5D+300",
        "9223372036854775808",
        "18446744073709551616",
        "0.5",
        "1e15",
        "1e16",
        "",
    ]);
    let place = 0_usize..4000;
    prop_oneof![
        1 => place.clone().prop_map(|at| Damage::Cut { at }),
        3 => (place.clone(), 0_usize..40, words).prop_map(|(at, length, with)| Damage::Replace { at, length, with }),
        1 => (place.clone(), 0_usize..300, place).prop_map(|(at, length, to)| Damage::Repeat { at, length, to }),
        6 => (0_usize..400, numbers).prop_map(|(which, with)| Damage::Number { which, with }),
    ]
}

fn numbers_of(n: &Network) -> Vec<f64> {
    let mut all = vec![n.base_mva];
    for b in &n.buses {
        all.extend([
            b.p_load_kw,
            b.q_load_kvar,
            b.g_kw,
            b.b_kvar,
            b.v_pu,
            b.angle_deg,
            b.v_min_pu,
            b.base_kv.unwrap_or(1.0),
        ]);
    }
    for b in &n.branches {
        all.extend([b.r_pu, b.x_pu, b.b_pu, b.tap, b.shift_deg, b.rate_kva.unwrap_or(1.0)]);
    }
    for g in &n.generators {
        all.extend([g.p_kw, g.q_kvar, g.v_pu.unwrap_or(1.0)]);
        all.extend(g.cost_per_h.iter().map(|cost| cost.per_h(1.0)));
    }
    all
}

/// A slope that is no number is refused where it stands.
#[test]
fn points_of_a_cost_that_nearly_coincide_are_refused() {
    let error = read(&[HEAD, BUS, GEN, BRANCH, "mpc.gencost = [1 0 0 2 0 0 1e-308 3500 0 0];"]).unwrap_err();
    assert!(error.to_string().contains("no number"), "{error}");
}

use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn a_damaged_file_is_a_network_of_finite_numbers_or_an_error_with_a_line(
        damage in prop::collection::vec(damage(), 1..4),
    ) {
        let mut text = WHOLE.to_owned();
        for damage in &damage {
            damage.of(&mut text);
        }
        match Network::from_matpower(&text) {
            Ok(network) => prop_assert!(numbers_of(&network).iter().all(|x| x.is_finite()), "{network:?}"),
            Err(ReadError::Matpower { line, source }) => {
                prop_assert!(line >= 1 && line <= text.matches(['\n', '\r']).count() + 1, "{line}: {source}");
                prop_assert!(source.to_string().chars().count() < 500, "{source}");
            }
            Err(ReadError::InvalidAt { line, .. }) => prop_assert!(line >= 1),
            Err(other) => prop_assert!(false, "no line: {other}"),
        }
    }

    #[test]
    fn no_table_makes_the_reader_panic(cells in "[-+*/^().,;e0-9 \n\u{b}a-z]{0,30}") {
        let _ = Network::from_matpower(&format!("mpc.bus = [{cells}];"));
    }
}
