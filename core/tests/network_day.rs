//! Networks inside programs over several hours, through the public interface.

#[path = "support/day.rs"]
mod day;

use coase_core::opf::{RadialOpf, Status};
use day::{day, hour};

#[test]
fn hours_without_coupling_cost_what_they_cost_one_by_one() {
    for id in ["ieee-33", "khodr-141"] {
        let hours = if id == "ieee-33" { 24 } else { 3 };
        let (template, blocks, _) = day(id, hours, 0.0);
        let joint = template.instance().solve().unwrap();
        let mut sum = 0.0;
        for t in 0..hours {
            let (network, hour) = hour(id, t);
            let d = RadialOpf::new(&network).unwrap().solve(&hour).unwrap();
            assert!(matches!(d.status, Status::Certified { .. }), "{id} {t}: {:?} {:?}", d.status, d.certificate);
            sum += d.objective_per_h;
            for node in network.nodes() {
                let (one, all) = (d.price_per_kwh(node).unwrap(), blocks[t].price(&joint, node).unwrap());
                assert!((one - all).abs() < 2e-6, "{id} {t} {node:?}: {one} {all}");
            }
        }
        assert!((joint.certificate.objective - sum).abs() < 1e-6 * sum, "{id}: {} {sum}", joint.certificate.objective);
        assert!(joint.certificate.gap <= 1e-6 * sum, "{id}: {:?}", joint.certificate);
    }
}

#[test]
fn a_storage_moves_power_between_the_hours_of_a_feeder() {
    let (template, blocks, flows) = day("ieee-33", 24, 1000.0);
    let with = template.instance().solve().unwrap();
    let without = day("ieee-33", 24, 0.0).0.instance().solve().unwrap();
    let gain = without.certificate.objective - with.certificate.objective;
    // One full cycle of 800 kWh between the cheapest and the dearest price, losses and wear paid, sets the size: with power
    // limits and network losses it earns at least half of it, with two evening and noon peaks at most two and a half.
    let cycle = 800.0 * (1.02 * 0.95 - 0.385 / 0.95) - 800.0 * 0.005 * 2.0;
    assert!(gain > 0.5 * cycle && gain < 2.5 * cycle, "{gain} {cycle}");
    assert!(with.certificate.gap < 1e-6 * with.certificate.objective, "{:?}", with.certificate);
    // An hour's price is the worth of energy at the storage's bus: charging and discharging hours straddle the losses.
    let (network, one) = hour("ieee-33", 0);
    let node = one.controls[0].node;
    let price = |t: usize| blocks[t].price(&with, node).unwrap();
    let inside = |v: f64| v > 1e-3 && v < 250.0 - 1e-3;
    let charging: Vec<usize> = (0..24).filter(|&t| inside(with.value(flows[t].0))).collect();
    let discharging: Vec<usize> = (0..24).filter(|&t| inside(with.value(flows[t].1))).collect();
    for (&c, &d) in charging.iter().zip(&discharging) {
        assert!(price(d) > price(c), "{} {}", price(c), price(d));
    }
    for t in 0..24 {
        assert!(with.value(flows[t].0).min(with.value(flows[t].1)) < 1e-4);
        let v = blocks[t].voltage_pu(&with, network.node(18).unwrap()).unwrap();
        assert!(v > 0.95 - 1e-8 && v < 1.05 + 1e-8, "{v}");
    }
}
