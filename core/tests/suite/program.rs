//! The solver behind every question, through its public interface.

use coase_core::program::{Cost, Expr, Program, Restriction, Solution, SolveError, Var};
use coase_testkit::plant_day::{Draw, Twist, benchmark, joint, single, tariff};
use proptest::prelude::*;
use std::ops::RangeInclusive;

#[test]
fn the_single_plant_benchmark_costs_what_was_published() {
    // Totals of the 24 h benchmark (two independent formulations, conic solver at 1e-10).
    for (tax, total) in [(0.0, 25096.247587), (280.0, 32474.424637), (320.0, 33513.499305), (490.0, 37887.206520)] {
        let case = benchmark(tax, None);
        let answer = case.template.instance().solve().unwrap();
        assert!((answer.certificate.objective - total).abs() < 1e-5, "{tax}: {}", answer.certificate.objective);
        assert!(answer.certificate.gap < 1e-7 && answer.certificate.feasibility < 1e-8, "{:?}", answer.certificate);
    }
}

#[test]
fn a_ladder_is_the_tax_of_its_active_tier() {
    let case = benchmark(0.0, Some((18.0, 2.0)));
    let total = case.template.instance().solve().unwrap().certificate.objective;
    assert!((total - 28227.206520).abs() < 1e-5, "{total}");
}

#[test]
fn solving_twice_gives_the_same_bits() {
    let (template, _) = single(2, 5, Twist::default());
    let (a, b) = (template.instance().solve().unwrap(), template.instance().solve().unwrap());
    assert_eq!((a.x, a.y), (b.x, b.y));
}

#[test]
fn the_joint_day_is_certified() {
    let answer = joint(1).instance().solve().unwrap();
    let c = answer.certificate;
    assert!(c.gap <= 1e-11 * c.objective.abs() && c.feasibility < 1e-7, "{c:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn degenerate_and_badly_scaled_days_are_certified(
        kind in 0_usize..5, seed in 1_u64..1_000_000, weight in -5.0_f64..-2.0, swing in 0.0_f64..2.0,
    ) {
        for (name, twist) in Twist::all() {
            let twist = Twist { trade_weight: 10_f64.powf(weight), ..twist };
            let (template, vpp) = single(kind, seed, twist);
            let mut instance = template.instance();
            let mut draw = Draw(seed);
            for &trade in &vpp.trade {
                instance.add_linear(trade, (0.5 + swing * draw.between(-1.0, 1.0)) * twist.money / twist.power);
            }
            let answer = instance.solve().map_err(|e| TestCaseError::fail(format!("{name}: {e}")))?;
            let (c, money) = (answer.certificate, 1500.0 * twist.money + answer.certificate.objective.abs());
            prop_assert!(c.gap.abs() <= 1e-9 * money, "{}: {:?}", name, c);
            prop_assert!(c.feasibility <= 1e-5 * twist.power.max(1e-3), "{}: {:?}", name, c);
            let exchange: Vec<Var> = vpp.import.iter().chain(&vpp.export).copied().collect();
            let second = instance.least_squares_among_optima(&answer, &exchange);
            let second = second.map_err(|e| TestCaseError::fail(format!("{name}, second criterion: {e}")))?.solution;
            let sum = |s: &Solution| exchange.iter().map(|&v| s.value(v).powi(2)).sum::<f64>();
            prop_assert!(sum(&second) <= sum(&answer) * (1.0 + 1e-9), "{}", name);
            prop_assert!(second.certificate.gap.abs() <= 2e-9 * money, "{}: {:?}", name, second.certificate);
        }
    }
}

/// A small program with whole-number data and a feasible point, which may sit in a corner: variables' bounds, costs,
/// rows (repeated ones too).
#[derive(Clone, Debug)]
struct Small {
    bounds: Vec<(f64, f64)>,
    costs: Vec<(f64, f64)>,
    rows: Vec<Vec<(usize, f64)>>,
    point: Vec<f64>,
}

fn small(variables: RangeInclusive<usize>, rows: RangeInclusive<usize>) -> impl Strategy<Value = Small> {
    (variables, rows).prop_flat_map(|(n, m)| {
        let variable = (-4_i32..4, 0_i32..6, 0_i32..5, -3_i32..4, 0_i32..3);
        let row = proptest::collection::vec((0..n, -2_i32..3), 1..4);
        (proptest::collection::vec(variable, n), proptest::collection::vec(row, m)).prop_map(|(variables, rows)| {
            Small {
                bounds: variables.iter().map(|v| (f64::from(v.0), f64::from(v.0 + v.1))).collect(),
                costs: variables.iter().map(|v| (f64::from(v.3), 0.5 * f64::from(v.4))).collect(),
                rows: rows.iter().map(|r| r.iter().map(|&(j, a)| (j, f64::from(a))).collect()).collect(),
                // Corners, quarter points and middles of the box.
                point: variables.iter().map(|v| f64::from(v.0) + f64::from(v.1 * v.2) / 4.0).collect(),
            }
        })
    })
}

impl Small {
    fn program(&self) -> (Program, Vec<Var>) {
        let mut program = Program::new();
        program.scope("small");
        let variables: Vec<Var> = self.bounds.iter().map(|&(l, u)| program.var(l, u)).collect();
        for (&v, &(slope, square)) in variables.iter().zip(&self.costs) {
            let mut cost = Cost::default();
            cost.add(slope, v).add_square(square, v);
            program.add_cost(&cost);
        }
        for (t, row) in self.rows.iter().enumerate() {
            let e = row.iter().fold(Expr::default(), |e, &(j, a)| e.plus(a, variables[j]));
            let rhs = e.value(&self.point);
            program.equal(e, rhs, "row", Some(t));
        }
        (program, variables)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn small_feasible_programs_are_solved(case in small(1..=7, 0..=6)) {
        let (program, _) = case.program();
        let answer = program.compile().instance().solve().map_err(|e| TestCaseError::fail(e.to_string()))?;
        let c = answer.certificate;
        prop_assert!(c.feasibility <= 1e-8 && c.gap.abs() <= 1e-8, "{:?}", c);
    }

    #[test]
    fn contradicted_rows_are_named(case in small(1..=7, 1..=5), shift in 1_i32..4, at in 0_usize..5) {
        // The same expression with two right-hand sides.
        let (mut program, variables) = case.program();
        let row = &case.rows[at % case.rows.len()];
        let e = row.iter().fold(Expr::default(), |e, &(j, a)| e.plus(a, variables[j]));
        let rhs = e.value(&case.point) + f64::from(shift);
        program.equal(e, rhs, "contradiction", None);
        match program.compile().instance().solve() {
            Err(SolveError::Infeasible { rows }) => prop_assert!(!rows.is_empty() && rows.len() <= 3),
            other => prop_assert!(false, "{:?}", other),
        }
    }
}

#[test]
fn an_infeasible_program_says_what_is_short() {
    // Six hours at 7 kW cannot charge 54.4 kWh; energy is passed on from hour to hour.
    let mut program = Program::new();
    program.scope("vpp3, ev fleet");
    let mut charged = Expr::default();
    for t in 0..6 {
        let p = program.var(0.0, 7.0);
        let next = program.var(if t == 5 { 54.4 } else { 0.0 }, 60.0);
        program.equal(charged.plus(1.0, p).plus(-1.0, next), 0.0, "charged energy", Some(t));
        charged = Expr::from(next);
    }
    program.scope("vpp3, pv");
    let used = program.var(0.0, 5.0);
    program.at_most(Expr::from(used), 3.0, "available power", Some(0));
    let error = program.compile().instance().solve().unwrap_err();
    assert_eq!(error.to_string(), "infeasible: vpp3, ev fleet: charged energy, period 5: short by 12.4");
}

#[test]
fn a_single_impossible_row_is_named() {
    let mut program = Program::new();
    program.scope("vpp1");
    let x = program.var(0.0, 2.0);
    program.within(Expr::from(x), 5.0, f64::INFINITY, "least import", Some(3));
    let error = program.compile().instance().solve().unwrap_err();
    assert_eq!(error.to_string(), "infeasible: vpp1: least import, period 3: short by 3.00");
}

#[test]
fn broken_bounds_are_an_error_that_names_the_owner() {
    let mut program = Program::new();
    program.scope("vpp2");
    let x = program.var(0.0, 1.0);
    let mut instance = program.compile().instance();
    instance.bound(x, 3.0, 2.0);
    assert_eq!(instance.solve().unwrap_err(), SolveError::Bounds { scope: "vpp2".into(), lower: 3.0, upper: 2.0 });
}

#[test]
fn programs_without_rows_or_variables_are_solved() {
    assert_eq!(Program::new().compile().instance().solve().unwrap().certificate.objective, 0.0);
    // No row: min (x - 3)^2 + 2 y, no free variable but x.
    let mut program = Program::new();
    let (x, y) = (program.var(-10.0, 10.0), program.var(4.0, 4.0));
    let mut instance = program.compile().instance();
    instance.add_square(x, 1.0, 3.0).add_linear(y, 2.0);
    let answer = instance.solve().unwrap();
    assert!((answer.value(x) - 3.0).abs() < 1e-9 && (answer.certificate.objective - 8.0).abs() < 1e-9);
    // No free variable at all: 0 = 0 holds, 1 = 0 does not.
    let mut program = Program::new();
    let z = program.var(1.0, 1.0);
    program.equal(Expr::from(z), 1.0, "one", None);
    let template = program.compile();
    assert!(template.instance().solve().is_ok());
    let mut moved = template.instance();
    moved.fix(z, 2.0);
    assert!(matches!(moved.solve(), Err(SolveError::Infeasible { .. })));
}

#[test]
fn duals_are_derivatives_of_the_cost_by_the_right_hand_side() {
    let (template, vpp) = single(1, 3, Twist::default());
    let base = template.instance().solve().unwrap();
    for t in [4, 9, 18] {
        let cost = |by: f64| {
            let mut shifted = template.instance();
            let rhs = template.instance();
            shifted.set_rhs(vpp.balance[t], rhs.rhs(vpp.balance[t]) + by);
            shifted.solve().unwrap().certificate.objective
        };
        // Convex: the dual is between the one-sided derivatives.
        let (up, down) = ((cost(0.01) - cost(0.0)) / 0.01, (cost(0.0) - cost(-0.01)) / 0.01);
        let dual = base.dual(vpp.balance[t]);
        assert!(dual <= up + 1e-5 && dual >= down - 1e-5, "{t}: {down} {dual} {up}");
    }
}

/// A storage with 95 % efficiency each way against prices, nothing else; levels in [0.1, 0.9], half full at both ends.
fn storage(prices: &[f64], power: f64, exclusive: bool) -> (Program, Vec<(Var, Var)>) {
    let mut program = Program::new();
    program.scope("storage");
    let mut level = Expr::constant(0.5);
    let mut flows = vec![];
    for (t, &price) in prices.iter().enumerate() {
        let (charge, discharge) = (program.var(0.0, power), program.var(0.0, power));
        let (low, high) = if t + 1 == prices.len() { (0.5, 0.5) } else { (0.1, 0.9) };
        let next = program.var(low, high);
        let flow = level.plus(0.95, charge).plus(-1.0 / 0.95, discharge).plus(-1.0, next);
        program.equal(flow, 0.0, "stored energy", Some(t));
        let mut cost = Cost::default();
        cost.add(price, charge).add(-price, discharge);
        program.add_cost(&cost);
        if exclusive {
            program.exclusive(charge, discharge);
        }
        flows.push((charge, discharge));
        level = Expr::from(next);
    }
    (program, flows)
}

fn profit(prices: &[f64], power: f64, exclusive: bool) -> (f64, usize) {
    let answer = storage(prices, power, exclusive).0.compile().instance().solve().unwrap();
    (-answer.certificate.objective, answer.nodes)
}

#[test]
fn a_storage_earns_its_published_arbitrage() {
    let mut prices: Vec<f64> = (0..24).map(tariff).collect();
    let (free, nodes) = profit(&prices, 0.5, true);
    assert!((free - 0.5912421053).abs() < 1e-9 && nodes == 1, "{free} {nodes}");
    // Negative prices make it pay to charge and discharge at once, which a storage cannot do.
    prices[12..15].fill(-0.1);
    let (relaxed, _) = profit(&prices, 0.5, false);
    assert!((relaxed - 1.4090859418).abs() < 1e-9, "{relaxed}");
    let (real, nodes) = profit(&prices, 0.5, true);
    assert!((real - 1.4042109418).abs() < 1e-9 && nodes > 1, "{real} {nodes}");
}

#[test]
fn one_step_at_a_negative_price_earns_nothing() {
    let (relaxed, _) = profit(&[-0.1], 1.0, false);
    assert!((relaxed - 0.00975).abs() < 1e-9, "{relaxed}");
    let (real, nodes) = profit(&[-0.1], 1.0, true);
    assert!(real.abs() < 1e-9 && nodes > 1, "{real} {nodes}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Branch and bound against the best of all combinations of alternatives, each solved as a program of its own.
    #[test]
    fn choices_are_settled_as_by_enumeration(
        case in small(4..=8, 1..=3), pairs in proptest::collection::vec((0_usize..8, 0_usize..8, -1_i32..2), 1..5),
    ) {
        let (mut program, variables) = case.program();
        let n = variables.len();
        // Either the first is at its lower bound, or the second at its upper one, or the first at a given value.
        let choices: Vec<Vec<Vec<Restriction>>> = pairs
            .iter()
            .map(|&(a, b, value)| {
                let (a, b, value) = (variables[a % n], variables[b % n], f64::from(value));
                let at = |variable: Var, value: f64| vec![Restriction { variable, lower: value, upper: value }];
                vec![at(a, program.bounds(a).0), at(b, program.bounds(b).1), at(a, value)]
            })
            .collect();
        let relaxed = program.clone().compile();
        for choice in &choices {
            program.either(choice.clone());
        }
        let mut best = f64::INFINITY;
        for mut combination in 0..3_usize.pow(choices.len() as u32) {
            let mut instance = relaxed.instance();
            let mut possible = true;
            for choice in &choices {
                for r in &choice[combination % 3] {
                    let (lower, upper) = instance.bounds(r.variable);
                    possible &= lower.max(r.lower) <= upper.min(r.upper);
                    instance.bound(r.variable, lower.max(r.lower), upper.min(r.upper));
                }
                combination /= 3;
            }
            if possible && let Ok(answer) = instance.solve() {
                best = best.min(answer.certificate.objective);
            }
        }
        match program.compile().instance().solve() {
            Ok(answer) => {
                prop_assert!((answer.certificate.objective - best).abs() <= 1e-7, "{:?} {}", answer, best);
                prop_assert!(answer.certificate.gap.abs() <= 1e-7, "{:?}", answer.certificate);
            }
            Err(SolveError::Infeasible { .. }) => prop_assert!(best == f64::INFINITY, "{}", best),
            Err(error) => prop_assert!(false, "{}", error),
        }
    }
}

#[test]
fn a_tie_is_settled_without_a_search() {
    // Free losses: charging and discharging at once costs nothing at a price of zero.
    let (_, nodes) = profit(&[0.0, 0.0, 0.0, 1.0, 0.0, 0.0], 0.5, true);
    assert!(nodes <= 2, "{nodes}");
}

/// A plant with two identical storages, a free shift of load and a flat tariff in parts of the day:
/// its least cost has many schedules. `reversed` writes the same devices in the opposite order.
fn tied_day(levels: &[usize], load: &[f64], reversed: bool) -> (Program, Vec<Var>, Cost) {
    let hours = levels.len();
    let mut program = Program::new();
    program.scope("tied");
    let mut net: Vec<Expr> = load.iter().map(|&l| Expr::constant(l)).collect();
    let mut total = Cost::default();
    let mut devices: Vec<usize> = (0..4).collect();
    if reversed {
        devices.reverse();
    }
    for device in devices {
        match device {
            0 | 1 => {
                let mut level = Expr::constant(2.0);
                for t in 0..hours {
                    let (charge, discharge) = (program.var(0.0, 1.5), program.var(0.0, 1.5));
                    let (low, high) = if t + 1 == hours { (2.0, 2.0) } else { (0.4, 3.6) };
                    let next = program.var(low, high);
                    let flow = level.plus(0.95, charge).plus(-1.0 / 0.95, discharge).plus(-1.0, next);
                    program.equal(flow, 0.0, "stored energy", Some(t));
                    net[t].add(1.0, charge).add(-1.0, discharge);
                    level = Expr::from(next);
                }
            }
            2 => {
                let mut sum = Expr::default();
                for (t, net) in net.iter_mut().enumerate() {
                    let moved = program.var(-0.2 * load[t], 0.2 * load[t]);
                    net.add(1.0, moved);
                    sum.add(1.0, moved);
                }
                program.equal(sum, 0.0, "shifted energy", None);
            }
            _ => {
                for net in &mut net {
                    let generation = program.var(0.0, 1.0);
                    total.add(0.6, generation).add_square(0.1, generation);
                    net.add(-1.0, generation);
                }
            }
        }
    }
    let mut exchange = vec![];
    for (t, net) in net.into_iter().enumerate() {
        let (import, export) = (program.var(0.0, 20.0), program.var(0.0, 20.0));
        program.equal(net.plus(-1.0, import).plus(1.0, export), 0.0, "balance", Some(t));
        total.add([0.385, 0.754, 1.02][levels[t]], import).add(-0.35, export);
        exchange.push(program.alias(Expr::from(import).plus(-1.0, export), "net exchange", Some(t)));
    }
    (program, exchange, total)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_second_criterion_makes_the_exchange_unique(
        levels in proptest::collection::vec(0_usize..3, 8), load in proptest::collection::vec(1.0_f64..6.0, 8),
    ) {
        let mut schedules = vec![];
        let mut cost = f64::NAN;
        for reversed in [false, true] {
            let (mut program, exchange, total) = tied_day(&levels, &load, reversed);
            program.add_cost(&total);
            let instance = program.compile().instance();
            let first = instance.solve().unwrap();
            let chosen = instance.least_squares_among_optima(&first, &exchange).unwrap();
            prop_assert!(chosen.settled);
            let second = chosen.solution;
            cost = first.certificate.objective;
            prop_assert!((second.certificate.objective - cost).abs() <= 1e-9 * cost, "{} {:?}", cost, second.certificate);
            prop_assert!(second.certificate.gap.abs() <= 1e-9 * cost && second.certificate.feasibility <= 1e-9);
            schedules.push(exchange.iter().map(|&v| second.value(v)).collect::<Vec<f64>>());
        }
        for (a, b) in schedules[0].iter().zip(&schedules[1]) {
            prop_assert!((a - b).abs() < 1e-6, "{:?}", schedules);
        }
        // No schedule of the same cost has a smaller sum: the cost becomes a row, what has curvature stays where it is.
        let (mut program, exchange, mut total) = tied_day(&levels, &load, false);
        let mut priced = program.clone();
        priced.add_cost(&total);
        let plain = priced.compile().instance().solve().unwrap();
        let curved = std::mem::take(&mut total.squares);
        for &(v, w) in &curved {
            total.affine.constant += w * plain.value(v) * plain.value(v);
        }
        program.at_most(total.affine, cost + 1e-7, "cost", None);
        let mut instance = program.compile().instance();
        for &(v, _) in &curved {
            instance.fix(v, plain.value(v));
        }
        for &v in &exchange {
            instance.add_square(v, 1.0, 0.0);
        }
        let bound = instance.solve().unwrap().certificate.objective;
        let reached: f64 = schedules[0].iter().map(|e| e * e).sum();
        prop_assert!(reached >= bound - 1e-6 && reached <= bound + 1e-3, "{} {}", reached, bound);
    }
}

#[test]
fn the_second_criterion_respects_choices() {
    // Two negative hours alike: which one charges more is a tie, charging and discharging at once is not allowed.
    let (program, flows) = storage(&[0.5, -0.1, -0.1, 0.5, 1.0], 0.5, true);
    let instance = program.compile().instance();
    let first = instance.solve().unwrap();
    let all: Vec<Var> = flows.iter().flat_map(|&(c, d)| [c, d]).collect();
    let chosen = instance.least_squares_among_optima(&first, &all).unwrap();
    assert!(chosen.settled);
    let second = chosen.solution;
    assert!(first.nodes > 1, "{}", first.nodes);
    assert!((first.certificate.objective - second.certificate.objective).abs() < 1e-9);
    let sum = |s: &Solution| all.iter().map(|&v| s.value(v).powi(2)).sum::<f64>();
    assert!(sum(&second) <= sum(&first) + 1e-12, "{} {}", sum(&first), sum(&second));
    for &(charge, discharge) in &flows {
        assert!(second.value(charge).min(second.value(discharge)) < 1e-9, "{:?}", second.x);
    }
}

#[test]
fn a_second_criterion_that_cannot_be_settled_says_so_and_keeps_the_first_answer() {
    // Two quantities that cost the same; the duals handed in are those of another problem, so that no point is on the face.
    let mut program = Program::new();
    let (a, b) = (program.var(0.0, 10.0), program.var(0.0, 10.0));
    program.equal(Expr::from(a).plus(1.0, b), 8.0, "load", None);
    let mut cost = Cost::default();
    cost.add(1.0, a).add(1.0, b);
    program.add_cost(&cost);
    let instance = program.compile().instance();
    let first = instance.solve().unwrap();
    let chosen = instance.least_squares_among_optima(&first, &[a, b]).unwrap();
    assert!(chosen.settled && (chosen.solution.value(a) - 4.0).abs() < 1e-6, "{chosen:?}");
    let mut torn = first.clone();
    torn.certificate.gap = 0.0;
    torn.y[0] = f64::NAN;
    let chosen = instance.least_squares_among_optima(&torn, &[a, b]).unwrap();
    assert!(!chosen.settled);
    assert_eq!(chosen.solution.x, first.x);
}
