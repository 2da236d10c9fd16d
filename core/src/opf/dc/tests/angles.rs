//! Limits of the angle across a branch, against quadratic programs written down plainly and left to a conic solver.

use clarabel::algebra::CscMatrix;
use clarabel::solver::{DefaultSettingsBuilder, DefaultSolver, IPSolver, NonnegativeConeT, SolverStatus, ZeroConeT};
use proptest::prelude::*;

use super::*;

/// What the other solver says.
#[derive(Debug)]
enum Plain {
    /// Cost per hour, and the price of each bus per kWh.
    Solved(f64, Vec<f64>),
    Infeasible,
    /// It ended without an answer.
    Unanswered,
}

/// The cheapest dispatch in MW and rad, and the price of each bus per kWh; nothing where there is none.
fn plain(n: &Network) -> Plain {
    let (buses, units) = (n.buses.len(), n.generators.len());
    let mut rows: Vec<(Vec<(usize, f64)>, f64)> = vec![];
    let mut balance: Vec<(Vec<(usize, f64)>, f64)> =
        n.buses.iter().map(|b| (vec![], (b.p_load_kw + b.g_kw) / 1e3)).collect();
    for (k, g) in n.generators.iter().enumerate() {
        balance[g.node.0].0.push((buses + k, 1.0));
    }
    let mut limits: Vec<(Vec<(usize, f64)>, f64)> = vec![];
    for b in &n.branches {
        let (f, t, y) = (b.from.0, b.to.0, n.base_mva / (b.x_pu * b.tap));
        let shift = b.shift_deg.to_radians();
        for (node, sign) in [(f, -1.0), (t, 1.0)] {
            balance[node].0.extend([(f, sign * y), (t, -sign * y)]);
            balance[node].1 += sign * y * shift;
        }
        let across = |sign: f64| vec![(f, sign), (t, -sign)];
        if b.angle_max_deg.is_finite() {
            limits.push((across(1.0), b.angle_max_deg.to_radians()));
        }
        if b.angle_min_deg.is_finite() {
            limits.push((across(-1.0), -b.angle_min_deg.to_radians()));
        }
        if let Some(rate) = b.rate_kva {
            for sign in [1.0, -1.0] {
                limits.push((vec![(f, sign * y), (t, -sign * y)], rate / 1e3 + sign * y * shift));
            }
        }
    }
    for (k, g) in n.generators.iter().enumerate() {
        limits.push((vec![(buses + k, 1.0)], g.p_max_kw / 1e3));
        limits.push((vec![(buses + k, -1.0)], -g.p_min_kw / 1e3));
    }
    rows.append(&mut balance);
    for slack in n.slacks() {
        rows.push((vec![(slack.0, 1.0)], n.bus(slack).angle_deg.to_radians()));
    }
    let equalities = rows.len();
    rows.append(&mut limits);
    let (mut i, mut j, mut a) = (vec![], vec![], vec![]);
    for (row, (terms, _)) in rows.iter().enumerate() {
        for (column, value) in terms {
            i.push(row);
            j.push(*column);
            a.push(*value);
        }
    }
    let columns = buses + units;
    let matrix = CscMatrix::new_from_triplets(rows.len(), columns, i, j, a);
    let coefficient = |g: &Generator, power: usize| match &g.cost_per_h {
        Some(Cost::Polynomial(c)) => c.get(power).copied().unwrap_or(0.0) * 1e3_f64.powi(power as i32),
        other => panic!("{other:?}"),
    };
    let at: Vec<usize> = (buses..columns).collect();
    let squares = n.generators.iter().map(|g| 2.0 * coefficient(g, 2)).collect();
    let p = CscMatrix::new_from_triplets(columns, columns, at.clone(), at, squares);
    let mut q = vec![0.0; buses];
    q.extend(n.generators.iter().map(|g| coefficient(g, 1)));
    let b: Vec<f64> = rows.iter().map(|r| r.1).collect();
    let cones = [ZeroConeT(equalities), NonnegativeConeT(rows.len() - equalities)];
    let settings = DefaultSettingsBuilder::default()
        .verbose(false)
        .tol_gap_abs(1e-9)
        .tol_gap_rel(1e-10)
        .tol_feas(1e-10)
        .build()
        .unwrap();
    let mut solver = DefaultSolver::new(&p, &q, &matrix, &b, &cones, settings).unwrap();
    solver.solve();
    match solver.solution.status {
        SolverStatus::Solved | SolverStatus::AlmostSolved => {}
        SolverStatus::PrimalInfeasible | SolverStatus::AlmostPrimalInfeasible => return Plain::Infeasible,
        _ => return Plain::Unanswered,
    }
    let constant: f64 = n.generators.iter().map(|g| coefficient(g, 0)).sum();
    Plain::Solved(solver.solution.obj_val + constant, solver.solution.z[..buses].iter().map(|z| -z / 1e3).collect())
}

fn angle_limited() -> Network {
    Network::from_matpower(include_str!("../../../../tests/cases/angle_limit_a.m")).unwrap()
}

#[test]
fn a_limit_of_two_degrees_has_its_price() {
    let answer = dc_opf(&angle_limited(), None).unwrap();
    close(answer.objective_per_h, 4_014.601_837, 1e-6);
    for (kw, expected) in answer.generation_kw.iter().zip([82_359.9, 67_640.1]) {
        close(*kw, expected, 0.05);
    }
    for (price, per_mwh) in answer.prices.iter().zip([20.0, 27.5, 35.0]) {
        let price = price.unwrap();
        close(1e3 * price.per_kwh(), per_mwh, 1e-7);
        close(1e3 * price.congestion, per_mwh - 20.0, 1e-7);
    }
    close(answer.angle_deg[0].unwrap() - answer.angle_deg[2].unwrap(), 2.0, 1e-8);
    // The value of a kilowatt more across the limit is a difference of costs.
    let cost_at = |degrees: f64| {
        let mut n = angle_limited();
        n.branches[1].angle_max_deg = degrees;
        dc_opf(&n, None).unwrap().objective_per_h
    };
    let kw = n_kw_per_degree();
    close(answer.congestion_per_kwh[1], (cost_at(1.99) - cost_at(2.01)) / (0.02 * kw), 1e-6);
}

/// 1 / x on the base of the file.
fn n_kw_per_degree() -> f64 {
    100e3 / 0.1 * 1.0_f64.to_radians()
}

#[test]
fn limits_that_cannot_hold_are_named() {
    let mut n = angle_limited();
    n.generators[1].p_max_kw = 30e3;
    let Err(OpfError::Infeasible { what }) = dc_opf(&n, None) else { panic!("feasible") };
    assert!(what.iter().any(|w| w.contains("branch 2 (1-3)") || w.contains("bus 3")), "{what:?}");
    assert!(what.iter().all(|w| w.contains(" by ")), "{what:?}");
    let mut n = angle_limited();
    n.branches[1].angle_min_deg = 1.5;
    n.branches[1].rate_kva = Some(10e3);
    let Err(OpfError::Infeasible { what }) = dc_opf(&n, None) else { panic!("feasible") };
    assert!(what[0].contains("branch 2 (1-3)") && what[0].contains("kW more than its rating"), "{what:?}");
}

/// Meshed networks with limits of angles on both sides, ratings, shifts, taps and a negative reactance now and then.
fn meshed() -> impl Strategy<Value = Network> {
    let parts = prop::collection::vec(((0.0..80e3_f64, 0_u8..255), (0.03..0.3_f64, 0_u8..8)), 2..8);
    let ties = prop::collection::vec((0_u8..255, 0_u8..255, 0.03..0.3_f64), 1..5);
    let limits = prop::collection::vec((0.3..8.0_f64, -8.0..0.3_f64, 0_u8..6, -3.0..3.0_f64), 16);
    let units = prop::collection::vec((0_u8..255, 10.0..60.0_f64, 0.0..0.2_f64, 50e3..300e3_f64), 2..5);
    let second_slack = prop::option::of((0_u8..255, -2.0..2.0_f64));
    (parts, ties, limits, units, second_slack).prop_map(|(parts, ties, limits, units, second_slack)| {
        let mut buses = vec![bus(1, 0.0)];
        let mut branches = vec![];
        for (k, ((load, parent), (x, odd))) in parts.into_iter().enumerate() {
            buses.push(bus(k as u64 + 2, load));
            let mut branch = line(parent as usize % (k + 1), k + 1, x, None);
            branch.tap = if odd == 0 { 0.95 } else { 1.0 };
            branches.push(branch);
        }
        for (a, b, x) in ties {
            let (a, b) = (a as usize % buses.len(), b as usize % buses.len());
            if a != b {
                branches.push(line(a, b, x, None));
            }
        }
        for (branch, (most, least, which, shift)) in branches.iter_mut().zip(limits) {
            match which {
                0 => branch.angle_max_deg = most,
                1 => branch.angle_min_deg = least.min(0.0),
                2 => (branch.angle_min_deg, branch.angle_max_deg) = (least.min(most), most),
                3 => (branch.rate_kva, branch.angle_max_deg) = (Some(60e3), most),
                4 => branch.shift_deg = shift,
                _ => {}
            }
        }
        let count = buses.len();
        let mut generators: Vec<Generator> = units
            .into_iter()
            .map(|(at, per_mwh, square, most)| {
                let cost = Cost::Polynomial(vec![3.0, per_mwh / 1e3, square / 1e6]);
                Generator { cost_per_h: Some(cost), ..unit(at as usize % count, most, 0.0) }
            })
            .collect();
        generators.push(unit(0, 500e3, 0.045));
        if let Some((at, degrees)) = second_slack {
            let bus = &mut buses[1 + at as usize % (count - 1)];
            (bus.kind, bus.angle_deg) = (BusKind::Slack, degrees);
        }
        network(buses, 0, branches, generators)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn dispatch_and_prices_are_those_of_a_plain_program(n in meshed()) {
        let expected = plain(&n);
        // Nothing can be said where the other solver has no answer.
        prop_assume!(!matches!(expected, Plain::Unanswered));
        match (dc_opf(&n, None), expected) {
            (Ok(answer), Plain::Solved(cost, prices)) => {
                prop_assert!((answer.objective_per_h - cost).abs() < 1e-6 * cost.abs().max(1.0));
                // Prices where they are unique: the cost moves alike either way.
                for (k, expected) in prices.iter().enumerate() {
                    let cost_with = |kw: f64| {
                        let mut moved = n.clone();
                        moved.buses[k].p_load_kw += kw;
                        match plain(&moved) {
                            Plain::Solved(cost, _) => Some(cost),
                            Plain::Infeasible | Plain::Unanswered => None,
                        }
                    };
                    let (Some(up), Some(down)) = (cost_with(5.0), cost_with(-5.0)) else { continue };
                    let (up, down) = ((up - cost) / 5.0, (cost - down) / 5.0);
                    let found = answer.prices[k].unwrap().per_kwh();
                    prop_assert!(found > down - 2e-5 && found < up + 2e-5, "bus {k}: {down} {found} {up} {expected}");
                }
                for (b, kw) in n.branches.iter().zip(&answer.branch_kw) {
                    let across = answer.angle_deg[b.from.0].unwrap() - answer.angle_deg[b.to.0].unwrap();
                    prop_assert!(across < b.angle_max_deg + 1e-7 && across > b.angle_min_deg - 1e-7, "{across} {kw}");
                }
            }
            (Err(OpfError::Infeasible { what }), Plain::Infeasible) => prop_assert!(!what.is_empty()),
            (found, expected) => prop_assert!(false, "{found:?} {expected:?}"),
        }
    }
}

#[test]
fn a_unit_whose_cost_is_a_rounded_line_is_dispatched_by_it() {
    let n = Network::from_matpower(include_str!("../../../../tests/cases/pwl_rounded_a.m")).unwrap();
    let answer = dc_opf(&n, None).unwrap();
    close(answer.objective_per_h, 5_931.426_585, 1e-6);
    close(answer.generation_kw[1], 76e3, 1e-5);
}

#[test]
fn units_below_the_load_are_named_with_what_is_missing() {
    let n = Network::from_matpower(include_str!("../../../../tests/cases/load_above_units_a.m")).unwrap();
    let Err(OpfError::Infeasible { what }) = dc_opf(&n, None) else { panic!("feasible") };
    assert!(what[0].contains("1000"), "{what:?}");
}
