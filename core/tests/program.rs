//! The solver behind every question, through its public interface.

#[path = "support/vpp.rs"]
mod vpp;

use vpp::{Twist, benchmark, joint, single};

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
