//! A thousand random feeders, each against a conic solver that knows nothing of how it was answered.

use super::super::formulation::{Limits, formulate};
use super::super::solved::in_per_unit;
use super::properties::tree;
use super::*;
use crate::program::flows::relaxed_point;
use clarabel::solver::SolverStatus;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

/// How many of each ending.
#[derive(Debug, Default)]
struct Tally {
    certified: usize,
    local: usize,
    infeasible: usize,
}

#[test]
fn a_thousand_feeders_are_certified_bounded_or_infeasible_with_their_limits_named() {
    let mut runner = TestRunner::deterministic();
    let mut tally = Tally::default();
    for number in 0..1000 {
        let (network, hour) = tree().new_tree(&mut runner).unwrap().current().ask();
        let opf = RadialOpf::new(&network).unwrap();
        let d = opf.solve(&hour).unwrap();
        let scale = 1.0 + d.objective_per_h.abs() + 600.0;
        let (feeder, scaled) = in_per_unit(&network, &hour, crate::opf::SlackVoltage::Held).unwrap();
        let (program, _) = formulate(&feeder, &scaled, Limits::Hard);
        let relaxed = relaxed_point(&program);
        let value = relaxed.as_ref().ok().map(|point| program.objective(&point.x) * scaled.price * feeder.base_kva);
        match &d.status {
            Status::Certified { gap_per_h } => {
                tally.certified += 1;
                assert!(*gap_per_h <= 1e-6 * scale, "{number}: {d:?}");
            }
            Status::Local { gap_per_h, bound_per_h } => {
                tally.local += 1;
                assert!((d.objective_per_h - gap_per_h - bound_per_h).abs() < 1e-6, "{number}: {:?}", d.status);
            }
            Status::Violated(missed) => {
                assert!(!missed.is_empty(), "{number}");
                // Where we say that limits cannot hold, no relaxation of them can.
                let status = relaxed.as_ref().err();
                let infeasible = [SolverStatus::PrimalInfeasible, SolverStatus::AlmostPrimalInfeasible];
                assert!(status.is_some_and(|s| infeasible.contains(s)), "{number}: {missed:?} {status:?}");
                tally.infeasible += 1;
            }
            other => panic!("{number}: {other:?}"),
        }
        if !d.is_feasible() {
            continue;
        }
        // What is called feasible is a power flow within its limits.
        let mut injections = Injections::loads_of(&network);
        for (c, u) in hour.controls.iter().zip(&d.controls) {
            injections.add(c.node, u.0, u.1);
        }
        let flow = PowerFlow::new(&network).unwrap().solve(&injections).unwrap();
        for (bus, v) in network.buses.iter().zip(&flow.voltages).skip(1) {
            let v = v.unwrap().magnitude_pu;
            assert!(v > bus.v_min_pu - 1e-6 && v < bus.v_max_pu + 1e-6, "{number}: {v}");
        }
        for (branch, f) in network.branches.iter().zip(&flow.branches) {
            assert!(f.apparent_kva() <= branch.rate_kva.unwrap_or(f64::INFINITY) + 1e-3, "{number}");
        }
        // The conic solver's value is below it, and that of our relaxation.
        let value = value.unwrap_or_else(|| panic!("{number}: {:?}", relaxed.as_ref().err()));
        assert!(value <= d.objective_per_h + 1e-6 * scale, "{number}: {value} {}", d.objective_per_h);
        let own = opf.relaxed(&hour).unwrap();
        assert!((own.objective_per_h - value).abs() <= 1e-6 * scale, "{number}: {} {value}", own.objective_per_h);
    }
    assert_eq!(tally.certified + tally.local + tally.infeasible, 1000);
    assert!(tally.certified > 600 && tally.local > 100 && tally.infeasible > 50, "{tally:?}");
}
