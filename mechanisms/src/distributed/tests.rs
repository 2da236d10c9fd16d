//! The three agents without limits of exchange, `a = (0.004, 0.005, 0.002)`, `b = (0.20, 0.55, 1.10)`, tariff 0.4 / 1.0: iterates and numbers of iterations
//! as an independent program in closed form found them.

use super::acceleration::Acceleration;
use super::admm::{Admm, iterate};
use super::couplings::Couplings;
use super::dual_ascent::{Ascent, Metric};
use super::graph::Graph;
use super::members::Members;
use super::pairs::Pairs;
use super::partners::Partners;
use super::polish::Agreed;
use super::scaling::{Groups, Scaling};
use coase_core::{Market, RunContext};
use coase_testkit::agents::three_unlimited as three;
use coase_testkit::assert_all;

const ONE: Scaling = Scaling::Adaptive { freeze_after: 200, groups: Groups::One };
const PAIR: Scaling = Scaling::Adaptive { freeze_after: 200, groups: Groups::Pair };

fn solver(rho: f64, scaling: Scaling, acceleration: Acceleration) -> Admm {
    let partners = Partners::All;
    Admm { rho, tolerance: 1e-8, max_iterations: 2000, scaling, acceleration, network: false, partners }
}

fn admm(market: &Market, rho: f64, scaling: Scaling, acceleration: Acceleration) -> Agreed {
    solver(rho, scaling, acceleration).solve(market, &mut RunContext::new(1, ())).expect("feasible")
}

/// With potentials and pair by pair.
#[test]
fn the_first_iterates_are_those_of_the_closed_form() {
    let market = three();
    let graph = Graph::all(3, 1);
    let list = graph.list();
    for list in [None, Some(&list[..])] {
        let mut members = Members::of(&market);
        let mut at = Couplings::new(&graph, list, false, 0.005);
        let mut iterated = || {
            let done = iterate(&at, &mut members, None).expect("feasible");
            at.at = done.next;
            // Pairs 12, 13, 23.
            let price = |i: usize, j: usize| 0.5 * (at.at.price[i] + at.at.price[j]);
            (done.answers.net, done.residuals, at.sales(), [price(0, 1), price(0, 2), price(1, 2)])
        };
        let (net, residuals, sale, price) = iterated();
        // Sums of the copies (-80, -80), (-80, -122.2), (-80, -122.2) of the three.
        assert_all(&net, &[-160.0, -160.0, -244.444_444_444], 1e-6);
        assert_all(&sale, &[0.0, 21.111_111_111, 21.111_111_111], 1e-6);
        assert_all(&price, &[0.4, 0.505_555_556, 0.505_555_556], 1e-8);
        assert_all(&[residuals.primal, residuals.dual], &[231.719_285_258, 0.211_111_111], 1e-6);
        let (net, _, sale, price) = iterated();
        assert_all(&net, &[42.222_222_222, -5.925_925_926, -155.555_555_556], 1e-6);
        assert_all(&sale, &[12.037_037_037, 60.0, 47.962_962_963], 1e-6);
        assert_all(&price, &[0.460_185_185, 0.594_444_444, 0.654_629_630], 1e-8);
        let (_, _, sale, price) = iterated();
        assert_all(&sale, &[22.293_447_293, 85.647_356_759, 63.353_909_465], 1e-6);
        assert_all(&price, &[0.563_532_764, 0.640_487_496, 0.691_769_547], 1e-8);
        for _ in 3..60 {
            iterated();
        }
        let (_, _, sale, price) = iterated();
        assert_all(&sale, &[32.456_140, 104.385_965, 71.929_825], 1e-4);
        assert_all(&price, &[71.0 / 95.0; 3], 1e-8);
    }
}

#[test]
fn every_variant_takes_as_many_iterations_as_it_should() {
    let market = three();
    let start = [1e-4, 1e-3, 5e-3, 5e-2, 2e-1];
    let variants = [
        (Scaling::Fixed, Acceleration::Off, [1153, 124, 32, 209, 812]),
        (Scaling::ResidualBalancing, Acceleration::Off, [193, 214, 163, 211, 215]),
        (ONE, Acceleration::Off, [37, 34, 41, 58, 59]),
        (PAIR, Acceleration::Off, [33, 31, 31, 37, 40]),
        (Scaling::Fixed, Acceleration::GeometricSeries, [58, 42, 27, 37, 82]),
        (ONE, Acceleration::GeometricSeries, [30, 27, 27, 27, 28]),
    ];
    for (scaling, acceleration, expected) in variants {
        for (rho, expected) in start.into_iter().zip(expected) {
            let found = admm(&market, rho, scaling, acceleration);
            let off = (found.iterations as f64 - f64::from(expected)).abs() / f64::from(expected);
            assert!(found.converged && off <= 0.1, "{scaling:?} {acceleration:?} {rho}: {}", found.iterations);
        }
    }
}

fn ascend(market: &Market, friction: [f64; 3], metric: Metric) -> (usize, f64, Vec<f64>, Vec<f64>) {
    let (pairs, mut members) = (Pairs::of(&Graph::all(3, 1)), Members::of(market));
    let mut ascent = Ascent::new(friction.to_vec(), metric, vec![0.7; 3]);
    for iteration in 1..2000 {
        let held = ascent.ask(&pairs, &mut members, &[0.0; 3]).expect("feasible");
        if held.miss <= 1e-8 * (3.0_f64.sqrt() + held.copies.squares().sqrt()) {
            let sale = held.copies.agreed();
            let rubbed: f64 = sale.iter().zip(friction).map(|(e, q)| q * e * e).sum();
            return (iteration, held.cost + rubbed, sale, ascent.price);
        }
        ascent.ascend(&held.copies);
    }
    panic!("no end");
}

#[test]
fn dual_ascent_with_friction_finds_what_friction_leaves() {
    let market = three();
    let (pairs, mut members) = (Pairs::of(&Graph::all(3, 1)), Members::of(&market));
    let mut ascent = Ascent::new(vec![0.001; 3], Metric::Diagonal, vec![0.7; 3]);
    let held = ascent.ask(&pairs, &mut members, &[0.0; 3]).expect("feasible");
    ascent.ascend(&held.copies);
    // Without momentum yet the prices are where the gradient leads.
    assert_all(&ascent.price, &[0.665_404_040, 0.712_222_222, 0.733_181_818], 1e-8);
    let (iterations, cost, sale, price) = ascend(&market, [0.001; 3], Metric::Diagonal);
    assert_all(&sale, &[27.160_493_827, 84.567_901_235, 57.407_407_407], 1e-5);
    assert_all(&price, &[0.674_074_074, 0.731_481_481, 0.758_641_975], 1e-7);
    assert!((cost + 58.595_679_012).abs() < 1e-5 && (39..=47).contains(&iterations), "{cost} {iterations}");
}

#[test]
fn a_metric_of_its_own_for_every_pair_halves_the_iterations() {
    let (market, friction) = (three(), [0.0005, 0.001, 0.02]);
    let (scalar, cost, sale, _) = ascend(&market, friction, Metric::Scalar);
    let (diagonal, ..) = ascend(&market, friction, Metric::Diagonal);
    assert!((86..=106).contains(&scalar) && (45..=55).contains(&diagonal), "{scalar} {diagonal}");
    assert!((cost + 51.994_047_619).abs() < 1e-5, "{cost}");
    assert_all(&sale, &[-8.035_714_286, 115.029_761_905, 5.952_380_952], 1e-4);
}
