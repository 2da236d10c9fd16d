//! Prices as a response to prosumers, and the point where nobody would rather do something else.

use super::*;

/// The feeder of `feeder_33`, the generator at 33 in the hands of a prosumer who gives 400 kvar.
fn without_33(v_min_pu: f64) -> (RadialOpf, Hour, NodeId) {
    let (network, mut hour) = feeder_33(true, v_min_pu);
    hour.controls.remove(1);
    (RadialOpf::new(&network).unwrap(), hour, network.node(33).unwrap())
}

#[test]
fn the_price_falls_with_what_is_injected() {
    let (opf, hour, at) = without_33(0.9);
    let mut last = f64::INFINITY;
    for (mw, expected) in [
        (0.0, 669.560_459_34),
        (0.1, 662.708_576_61),
        (0.2, 656.065_525_86),
        (0.294_020_192_1, 650.0),
        (0.4, 643.361_224_04),
        (0.6, 631.366_202_58),
    ] {
        let d = opf.response(&hour, &[(at, 1e3 * mw, 400.0)]).unwrap();
        assert!(matches!(d.status, Status::Certified { .. }), "{:?}", d.status);
        let price = 1e3 * d.price_per_kwh(at).unwrap();
        close(price, expected, 1e-5);
        assert!(price < last);
        last = price;
    }
    assert_eq!(opf.response(&hour, &[(NodeId(33), 1.0, 0.0)]).unwrap_err(), crate::opf::OpfError::Isolated { bus: 0 });
}

/// Prosumers with convex costs and emissions at 33, 14 and 22, price-takers; the operator keeps the generators at 18 and 25
/// and, at the higher limit, the voltage. The fixed point is the joint optimum with carbon at 280 per tonne.
#[test]
fn where_everybody_answers_its_own_price_all_together_are_at_the_optimum() {
    let per_kg = 0.28;
    // Bus, linear and square cost, emission, most.
    let prosumers = [(33, 0.45, 1.5e-4, 0.45, 2000.0), (14, 0.55, 2e-4, 0.30, 400.0), (22, 0.70, 1e-4, 0.0, 500.0)];
    for v_min_pu in [0.9, 0.95] {
        let (network, mut hour) = feeder_33(true, v_min_pu);
        hour.controls.remove(1);
        hour.import = Import { carbon_per_kwh: 0.581 * per_kg, emission_kg_per_kwh: 0.581, ..Import::at(0.6) };
        let opf = RadialOpf::new(&network).unwrap();
        let node = |id: u64| network.node(id).unwrap();

        let mut joint = hour.clone();
        for &(id, linear, square, kg, most) in &prosumers {
            let mut c = Control::active(node(id), most, linear + per_kg * kg);
            (c.cost_per_kwh2, c.emission_kg_per_kwh) = (square, kg);
            joint.controls.push(c);
        }
        let together = opf.solve(&joint).unwrap();
        assert!(matches!(together.status, Status::Certified { .. }), "{:?}", together.status);

        // Everybody's best answer to the price, a part of the way at a time.
        let mut p = [0.0; 3];
        let mut moved = f64::INFINITY;
        let mut answer = None;
        for _ in 0..400 {
            let injections: Vec<_> = prosumers.iter().zip(p).map(|(u, kw)| (node(u.0), kw, 0.0)).collect();
            let d = opf.response(&hour, &injections).unwrap();
            moved = 0.0;
            for (u, kw) in prosumers.iter().zip(&mut p) {
                let price = d.price_per_kwh(node(u.0)).unwrap();
                let best = ((price - u.1 - per_kg * u.3) / (2.0 * u.2)).clamp(0.0, u.4);
                moved = f64::max(moved, (best - *kw).abs());
                *kw += 0.4 * (best - *kw);
            }
            answer = Some(d);
            if moved < 1e-7 {
                break;
            }
        }
        assert!(moved < 1e-7, "{moved}");
        let apart = answer.unwrap();
        for (k, kw) in p.iter().enumerate() {
            close(*kw, together.controls[2 + k].0, 1e-4);
        }
        let own: f64 = prosumers.iter().zip(p).map(|(u, kw)| (u.1 + per_kg * u.3 + u.2 * kw) * kw).sum();
        close(apart.objective_per_h + own, together.objective_per_h, 1e-6);
        for bus in 0..33 {
            let price = |d: &Dispatch| 1e3 * d.price_per_kwh(NodeId(bus)).unwrap();
            close(price(&apart), price(&together), 1e-4);
        }
        // Something is at stake: at least two produce, inside their ranges.
        assert!(p.iter().zip(&prosumers).filter(|(kw, u)| **kw > 1.0 && **kw < u.4 - 1.0).count() >= 2, "{p:?}");
    }
}
