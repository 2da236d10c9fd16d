//! The certificate as anybody may ask for it: of our answers, of a conic solver's, and of points made by hand.

use super::super::certificate::ScaledDuals;
use super::super::formulation::{Limits, formulate};
use super::super::proof::LimitDuals as Duals;
use super::super::solved::in_per_unit;
use super::*;
use crate::opf::OpfError;
use crate::program::flows::relaxed_point;

/// What a conic solver proposes for an hour: controls, duals, and the value of its relaxation.
fn conic(network: &Network, hour: &Hour) -> (Vec<(f64, f64)>, Duals, f64) {
    let (feeder, scaled) = in_per_unit(network, hour, crate::opf::SlackVoltage::Held).unwrap();
    let (program, layout) = formulate(&feeder, &scaled, Limits::Hard);
    let point = relaxed_point(&program).unwrap();
    let controls = layout.control_p.iter().zip(&layout.control_q);
    let base = feeder.base_kva;
    let duals = ScaledDuals::of(&feeder, &scaled, &layout, &point);
    (
        controls.map(|(&p, &q)| (point.x[p] * base, point.x[q] * base)).collect(),
        Duals::of(network, &feeder, &scaled, &duals),
        program.objective(&point.x) * scaled.price * base,
    )
}

/// The congested feeder of 15 buses, as in the published prices.
pub(super) fn feeder_15() -> (Network, Hour) {
    let mut network = embedded("ap-15");
    for bus in &mut network.buses {
        (bus.v_min_pu, bus.v_max_pu) = (0.9, 1.1);
    }
    let mut hour = Hour::of(&network, 0.05).unwrap();
    let mut control = Control::active(network.node(12).unwrap(), 400.0, 0.01);
    control.q_max_kvar = 400.0;
    hour.controls = vec![control];
    hour.import = Import { p_min_kw: 0.0, q_min_kvar: 0.0, p_max_kw: 10e3, q_max_kvar: 10e3, ..Import::at(0.05) };
    (network, hour)
}

/// The same with a limit of apparent power on the generator that binds.
fn congested_15() -> (Network, Hour) {
    let (network, mut hour) = feeder_15();
    hour.controls[0].s_max_kva = Some(250.0);
    (network, hour)
}

#[test]
fn an_answer_is_proven_again_from_what_it_says() {
    for (network, hour) in [feeder_33(true, 0.9), feeder_33(true, 0.95), congested_15(), two_buses(1.05, 500.0, 0.0)] {
        let d = RadialOpf::new(&network).unwrap().solve(&hour).unwrap();
        let (first, duals) = (d.certificate.unwrap(), d.duals.unwrap());
        let again = certify(&network, &hour, &d.controls, &duals).unwrap();
        close(again.objective_per_h, d.objective_per_h, 1e-8);
        close(again.gap_per_h, first.gap_per_h, 1e-8 * (1.0 + first.gap_per_h));
        close(again.least_current_price, first.least_current_price, 1e-9);
        assert!(again.violation < 1e-7, "{again:?}");
    }
}

#[test]
fn the_answer_of_a_conic_solver_is_proven_where_its_relaxation_is_exact() {
    for (network, hour) in [feeder_33(true, 0.9), feeder_33(true, 0.95), congested_15(), two_buses(1.10, 500.0, 0.0)] {
        let (controls, duals, _) = conic(&network, &hour);
        let c = certify(&network, &hour, &controls, &duals).unwrap();
        let d = RadialOpf::new(&network).unwrap().solve(&hour).unwrap();
        close(c.objective_per_h, d.objective_per_h, 1e-4);
        assert!(c.gap_per_h > -1e-6 && c.gap_per_h < 1e-3, "{c:?}");
        assert!(c.violation < 1e-6, "{c:?}");
    }
}

#[test]
fn the_answer_of_a_conic_solver_is_not_taken_for_a_power_flow_where_it_is_none() {
    // It burns 2.6 pu in a current that does not flow; what does flow lifts bus 2 far over its limit.
    let (network, hour) = two_buses(1.05, 500.0, 0.0);
    let (controls, duals, value) = conic(&network, &hour);
    close(value, -1221.66666667, 1e-3);
    close(controls[0].0, 3000.0, 1e-2);
    let c = certify(&network, &hour, &controls, &duals).unwrap();
    assert!(c.violation > 0.02 && c.objective_per_h < value, "{c:?}");
    // The optimum, with the same duals, is not proven either; but no feasible dispatch is below the bound.
    let at_optimum = certify(&network, &hour, &[(2454.904, 0.0)], &duals).unwrap();
    assert!(at_optimum.gap_per_h > 1.0, "{at_optimum:?}");
    assert!(at_optimum.objective_per_h - at_optimum.gap_per_h <= -1_058.137_96, "{at_optimum:?}");
}

/// Bus 1 at 1 pu, r = 0.02, x = 0.04, 0.8 + 0.4j at bus 2: everything is a root of a square.
#[test]
fn two_buses_made_by_hand() {
    let (mut network, mut hour) = two_buses(1.2, 500.0, 400.0);
    (network.branches[0].r_pu, network.branches[0].x_pu) = (0.02, 0.04);
    (hour.load_kw[1], hour.load_kvar[1]) = (800.0, 400.0);
    let none = Duals::none(&network, &hour);
    // Nothing generated at 0.4, where a kWh is worth 0.5 times 1.0350481371.
    let idle = certify(&network, &hour, &[(0.0, 0.0)], &none).unwrap();
    close(idle.objective_per_h, 500.0 * 0.817_125_350_173, 1e-7);
    assert!(idle.violation <= 0.0 && idle.least_current_price > 0.0, "{idle:?}");
    // Each of 3000 kWh seems to gain the difference to that price: the proof of how far it is is a bound.
    close(idle.gap_per_h, 3000.0 * (0.5 * 1.035_048_137_1 - 0.4), 1e-4);
    close(idle.controls_per_h, idle.gap_per_h, 1e-9);
    assert_eq!((idle.limits_per_h, idle.currents_per_h), (0.0, 0.0));
    // At 0.6 nothing is the best.
    hour.controls[0].cost_per_kwh = 0.6;
    let best = certify(&network, &hour, &[(0.0, 0.0)], &none).unwrap();
    close(best.gap_per_h, 0.0, 1e-12);
    // A dual of a limit that does not bind proves less, by itself times the slack; a negative one counts for nothing.
    let mut duals = none.clone();
    duals.voltage_lower[1] = 1.0;
    let v = 0.934_287_464_983_f64;
    let loose = certify(&network, &hour, &[(0.0, 0.0)], &duals).unwrap();
    close(loose.limits_per_h, v - 0.81, 1e-9);
    duals.voltage_lower[1] = -1.0;
    assert_eq!(certify(&network, &hour, &[(0.0, 0.0)], &duals).unwrap(), best);
    // What is asked outside its range is moved into it, and that is said.
    let outside = certify(&network, &hour, &[(-50.0, 0.0)], &none).unwrap();
    close(outside.objective_per_h, best.objective_per_h, 1e-9);
    assert!(outside.violation > 0.01, "{outside:?}");
}

#[test]
fn what_does_not_fit_is_refused() {
    let (network, mut hour) = two_buses(1.1, 500.0, 0.0);
    let none = Duals::none(&network, &hour);
    let count = |e: OpfError| matches!(e, OpfError::ProofCount { .. });
    assert!(count(certify(&network, &hour, &[], &none).unwrap_err()));
    let short = Duals { voltage_lower: vec![], ..none.clone() };
    assert!(count(certify(&network, &hour, &[(0.0, 0.0)], &short).unwrap_err()));
    // Not a number proves nothing.
    let unknown = Duals { voltage_upper: vec![f64::NAN; 2], ..none.clone() };
    let c = certify(&network, &hour, &[(0.0, 0.0)], &unknown).unwrap();
    assert!(c.gap_per_h.is_finite() && c.gap_per_h > 0.0, "a dual that is no number counts for nothing: {c:?}");
    hour.load_kw[1] = 1e6;
    assert_eq!(certify(&network, &hour, &[(0.0, 0.0)], &none).unwrap_err(), OpfError::NoPowerFlow);
}
