//! Which of the solutions is returned: the one that goes on from no load, from whatever start, or none.

use std::f64::consts::TAU;

use nalgebra::{Complex, DMatrix, DVector};
use proptest::prelude::*;

use super::*;

/// Two vector groups with a loop and a held voltage.
const DYN5: &str = include_str!("../../../tests/cases/shift150_a.m");
const YY6: &str = include_str!("../../../tests/cases/shift180_c.m");

/// The network as a dense oracle sees it.
struct Plain {
    y: DMatrix<Complex<f64>>,
    kinds: Vec<BusKind>,
    held_pu: Vec<f64>,
    injection: Vec<Complex<f64>>,
}

impl Plain {
    fn new(n: &Network) -> Self {
        let count = n.buses.len();
        let mut y = DMatrix::from_element(count, count, Complex::new(0.0, 0.0));
        for b in n.branches.iter().filter(|b| b.in_service) {
            let series = Complex::new(1.0, 0.0) / Complex::new(b.r_pu, b.x_pu);
            let half = Complex::new(0.0, b.b_pu / 2.0);
            let a = Complex::from_polar(b.tap, b.shift_deg.to_radians());
            let (f, t) = (b.from.0, b.to.0);
            y[(f, f)] += (series + half) / (b.tap * b.tap);
            y[(f, t)] -= series / a.conj();
            y[(t, f)] -= series / a;
            y[(t, t)] += series + half;
        }
        for (k, bus) in n.buses.iter().enumerate() {
            y[(k, k)] += Complex::new(bus.g_kw, bus.b_kvar) / n.base_kva();
        }
        let given = Injections::of(n);
        let pairs = given.p_kw.iter().zip(&given.q_kvar);
        Self {
            y,
            kinds: n.buses.iter().map(|b| b.kind).collect(),
            held_pu: n.nodes().map(|k| n.voltage_set_point(k)).collect(),
            injection: pairs.map(|(p, q)| Complex::new(*p, *q) / n.base_kva()).collect(),
        }
    }

    /// Newton's method in rectangular coordinates from no current to all of the injections in small steps; nothing where
    /// a step fails.
    fn by_small_steps(&self, steps: usize) -> Option<Vec<Complex<f64>>> {
        let n = self.kinds.len();
        let free: Vec<usize> = (0..n).filter(|k| self.kinds[*k] != BusKind::Slack).collect();
        // Without load and with slacks alone holding a voltage; PV buses take theirs on at the first step.
        let mut v: Vec<Complex<f64>> = vec![Complex::new(1.0, 0.0); n];
        let slack = (0..n).find(|k| self.kinds[*k] == BusKind::Slack)?;
        let inner = DMatrix::from_fn(free.len(), free.len(), |i, j| self.y[(free[i], free[j])]);
        let right = DVector::from_fn(free.len(), |i, _| -self.y[(free[i], slack)] * self.held_pu[slack]);
        let idle = inner.lu().solve(&right)?;
        v[slack] = Complex::new(self.held_pu[slack], 0.0);
        for (i, k) in free.iter().enumerate() {
            v[*k] = idle[i];
            if self.kinds[*k] == BusKind::Pv {
                v[*k] *= self.held_pu[*k] / idle[i].norm();
            }
        }
        for step in 0..=steps {
            let share = step as f64 / steps as f64;
            let mut done = false;
            for _ in 0..20 {
                let (f, j) = self.linearised(&v, share, &free);
                if f.amax() < 1e-12 {
                    done = true;
                    break;
                }
                let x = j.lu().solve(&f)?;
                for (i, k) in free.iter().enumerate() {
                    v[*k] -= Complex::new(x[2 * i], x[2 * i + 1]);
                }
            }
            if !done {
                return None;
            }
        }
        Some(v)
    }

    fn linearised(&self, v: &[Complex<f64>], share: f64, free: &[usize]) -> (DVector<f64>, DMatrix<f64>) {
        let m = 2 * free.len();
        let (mut f, mut jacobian) = (DVector::zeros(m), DMatrix::zeros(m, m));
        for (i, &k) in free.iter().enumerate() {
            let current: Complex<f64> = (0..v.len()).map(|j| self.y[(k, j)] * v[j]).sum();
            let s = v[k] * current.conj() - self.injection[k] * share;
            let held = self.kinds[k] == BusKind::Pv;
            f[2 * i] = s.re;
            f[2 * i + 1] = if held { v[k].norm_sqr() - self.held_pu[k].powi(2) } else { s.im };
            for (c, &j) in free.iter().enumerate() {
                for (part, unit) in [Complex::new(1.0, 0.0), Complex::new(0.0, 1.0)].into_iter().enumerate() {
                    let mut ds = v[k] * (self.y[(k, j)] * unit).conj();
                    if j == k {
                        ds += unit * current.conj();
                    }
                    let dv = if j == k { 2.0 * (v[k].conj() * unit).re } else { 0.0 };
                    jacobian[(2 * i, 2 * c + part)] = ds.re;
                    jacobian[(2 * i + 1, 2 * c + part)] = if held { dv } else { ds.im };
                }
            }
        }
        (f, jacobian)
    }
}

fn read(text: &str) -> Network {
    Network::from_matpower(text).unwrap()
}

fn far(flow: &Flow, expected: &[Complex<f64>]) -> f64 {
    let found = flow.voltages.iter().map(|v| v.unwrap());
    let found = found.map(|v| Complex::from_polar(v.magnitude_pu, v.angle_deg.to_radians()));
    found.zip(expected).map(|(a, b)| (a - b).norm()).fold(0.0, f64::max)
}

#[test]
fn vector_groups_turn_the_angles_and_change_nothing_else() {
    for (text, shift) in [(DYN5, 150.0), (YY6, 180.0)] {
        let filed = read(text);
        let mut unturned = filed.clone();
        let mut flat = filed.clone();
        for branch in &mut unturned.branches {
            branch.shift_deg = 0.0;
        }
        for bus in unturned.buses.iter_mut().chain(&mut flat.buses) {
            bus.angle_deg = 0.0;
        }
        let expected = Plain::new(&unturned).by_small_steps(10).unwrap();
        let plain = solved(&unturned);
        close(plain.loss_kw, 1.008_113, 1e-6);
        assert!(far(&plain, &expected) < 1e-11);
        let turned: Vec<_> = expected
            .iter()
            .enumerate()
            .map(|(k, v)| if k == 0 { *v } else { *v * Complex::from_polar(1.0, -f64::to_radians(shift)) })
            .collect();
        // The file's angles, none at all, and those of another half turn.
        let mut odd = flat.clone();
        for bus in &mut odd.buses[1..] {
            bus.angle_deg = 70.0;
        }
        for n in [&filed, &flat, &odd] {
            let power_flow = PowerFlow::new(n).unwrap();
            let given = Injections::of(n);
            for flow in [power_flow.solve(&given), power_flow.solve_from_file(&given)] {
                let flow = flow.unwrap();
                close(flow.loss_kw, plain.loss_kw, 1e-9);
                assert!(far(&flow, &turned) < 1e-10);
            }
        }
    }
}

#[test]
fn the_flat_start_turns_with_vector_groups_and_in_a_mesh_with_nothing_else() {
    let mut n = network(
        1.0,
        vec![bus(1, 0.0, 0.0), bus(2, 0.0, 0.0), bus(3, 0.0, 0.0)],
        vec![line(0, 1, 0.0, 0.1), line(2, 1, 0.0, 0.1)],
    );
    (n.branches[0].shift_deg, n.branches[1].shift_deg) = (150.0, -6.0);
    let flat = |n: &Network| {
        let kinds: Vec<BusKind> = n.buses.iter().map(|b| b.kind).collect();
        start::Start::flat(n, &Topology::new(n), &kinds).angle.iter().map(|a| a.to_degrees()).collect::<Vec<_>>()
    };
    for (found, expected) in flat(&n).iter().zip([0.0, -150.0, -156.0]) {
        close(*found, expected, 1e-9);
    }
    n.branches.push(Branch { shift_deg: 150.0, ..line(0, 2, 0.0, 0.1) });
    n.branches.push(line(1, 2, 0.0, 0.1));
    for (found, expected) in flat(&n).iter().zip([0.0, -150.0, -150.0]) {
        close(*found, expected, 1e-9);
    }
}

/// Closed form of the lower solution behind r + jx: the other root of v² + Bv + AC = 0.
fn lower_root(r: f64, x: f64, p: f64, q: f64) -> f64 {
    let (a, b, c) = (r * r + x * x, 2.0 * (r * p + x * q) - 1.0, p * p + q * q);
    (0.5 * (-b - (b * b - 4.0 * a * c).sqrt())).sqrt()
}

#[test]
fn a_file_that_holds_the_low_voltage_solution_is_not_believed() {
    // Behind a held voltage, so that it is Newton's method that begins there.
    let mut n = network(
        1.0,
        vec![bus(1, 0.0, 0.0), bus(2, 4000.0, 2000.0), bus(3, 0.0, 0.0)],
        vec![line(0, 1, 0.02, 0.04), line(0, 2, 0.01, 0.1)],
    );
    n.buses[2].kind = BusKind::Pv;
    n.generators = vec![Generator { node: NodeId(2), p_kw: 300.0, v_pu: Some(1.0), ..Generator::default() }];
    let low = lower_root(0.02, 0.04, 4.0, 2.0);
    n.buses[1].v_pu = low;
    // θ_2 = −arg of the drop: sin θ = −(xp − rq)/v, and nearly all of it is loss.
    n.buses[1].angle_deg = -((0.04 * 4.0 - 0.02 * 2.0) / low).asin().to_degrees();
    let power_flow = PowerFlow::new(&n).unwrap();
    let given = Injections::of(&n);
    let (flat, filed) = (power_flow.solve(&given).unwrap(), power_flow.solve_from_file(&given).unwrap());
    close(filed.voltages[1].unwrap().magnitude_pu, flat.voltages[1].unwrap().magnitude_pu, 1e-10);
    assert!(flat.voltages[1].unwrap().magnitude_pu > low + 0.2, "{low}");
}

#[test]
fn the_share_that_can_be_carried_is_that_of_the_nose() {
    let nose = 6.944_444_444_4;
    for over in [1.01, 1.25, 4.0] {
        let n = two_buses(nose * over);
        let error = PowerFlow::new(&n).unwrap().solve(&Injections::of(&n)).unwrap_err();
        let PowerFlowError::BeyondCapability { bus: 2, share } = error else { panic!("{error}") };
        close(share, 1.0 / over, 1e-5);
        assert!(error.to_string().contains("bus 2") && error.to_string().contains('%'), "{error}");
    }
}

/// A ring of held voltages can carry more with power circulating in it than without: such a solution is no answer.
#[test]
fn power_that_circulates_is_no_operating_state() {
    let count = 5;
    let mut buses: Vec<Bus> = (1..=count).map(|id| bus(id, 0.0, 0.0)).collect();
    for bus in &mut buses[1..] {
        bus.kind = BusKind::Pv;
    }
    let ring: Vec<Branch> = (0..5).map(|k| line(k, (k + 1) % 5, 0.0, 1.0)).collect();
    let mut n = network(1.0, buses, ring);
    n.generators = (1..5).map(|k| Generator { node: NodeId(k), v_pu: Some(1.0), ..Generator::default() }).collect();
    // P = sin δ + sin(δ/4) between neighbours, at most 1.39 pu; turned once, sin δ − sin((360° − δ)/4), to -1.7 pu.
    n.generators[0].p_kw = -1600.0;
    let delta = {
        let power = |d: f64| d.sin() + ((d - TAU) / 4.0).sin() + 1.6;
        let (mut low, mut high) = (-1.5, 0.0);
        for _ in 0..80 {
            let middle = f64::midpoint(low, high);
            if power(middle) < 0.0 { low = middle } else { high = middle }
        }
        low
    };
    for k in 1..5 {
        n.buses[k].angle_deg = (delta - (delta - TAU) / 4.0 * (k as f64 - 1.0)).to_degrees();
    }
    let power_flow = PowerFlow::new(&n).unwrap();
    for error in [power_flow.solve_from_file(&Injections::of(&n)), power_flow.solve(&Injections::of(&n))] {
        let error = error.unwrap_err();
        let share = match error {
            PowerFlowError::NoOperatingState { share: Some(share), .. }
            | PowerFlowError::BeyondCapability { share, .. } => share,
            other => panic!("{other}"),
        };
        let most = (0..9000).map(|k| f64::from(k) * 2e-4).map(|d| d.sin() + (d / 4.0).sin()).fold(0.0, f64::max);
        close(share, most / 1.6, 1e-5);
    }
    let error = power_flow.solve_from_file(&Injections::of(&n)).unwrap_err();
    assert!(error.to_string().contains("no operating state"), "{error}");
    // Within reach the same start leads to the state that goes on from no load.
    n.generators[0].p_kw = -900.0;
    let expected = Plain::new(&n).by_small_steps(10).unwrap();
    assert!(far(&PowerFlow::new(&n).unwrap().solve_from_file(&Injections::of(&n)).unwrap(), &expected) < 1e-9);
}

/// Meshed networks with vector groups, a phase shifter, held voltages and loads up to the heaviest.
fn shifted() -> impl Strategy<Value = Network> {
    let parts = prop::collection::vec(
        ((0.0..1.0_f64, 0.0..0.6_f64, 0_u8..255, 0_u8..12), (0.005..0.05_f64, 0.02..0.2_f64, 0_u8..5)),
        3..9,
    );
    let ties = prop::collection::vec((0_u8..255, 0_u8..255, 0.02..0.3_f64), 1..4);
    (parts, ties, 0.1..1.2_f64, -8.0..8.0_f64).prop_map(|(parts, ties, heavy, quadrature)| {
        let mut buses = vec![bus(1, 0.0, 0.0)];
        let (mut branches, mut generators, mut group) = (vec![], vec![], vec![0_i32]);
        for (k, ((p, q, parent, clock), (r, x, held))) in parts.into_iter().enumerate() {
            let mut new = bus(k as u64 + 2, 1000.0 * heavy * p, 1000.0 * heavy * q);
            if held == 0 {
                new.kind = BusKind::Pv;
                let p_kw = 700.0 * heavy;
                generators.push(Generator { node: NodeId(k + 1), p_kw, v_pu: Some(1.02), ..Generator::default() });
            }
            buses.push(new);
            group.push(i32::from(clock));
            branches.push(line(parent as usize % (k + 1), k + 1, r, x));
        }
        for (a, b, x) in ties {
            let (a, b) = (a as usize % buses.len(), b as usize % buses.len());
            if a != b {
                branches.push(line(a, b, x / 4.0, x));
            }
        }
        for branch in &mut branches {
            branch.shift_deg = 30.0 * f64::from(group[branch.to.0] - group[branch.from.0]);
        }
        branches.last_mut().expect("a line for every bus").shift_deg += quadrature;
        Network { generators, ..network(1.0, buses, branches) }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_solution_is_the_one_that_small_steps_of_the_load_lead_to(n in shifted()) {
        let power_flow = PowerFlow::new(&n).unwrap();
        let given = Injections::of(&n);
        let expected = Plain::new(&n).by_small_steps(60);
        for flow in [power_flow.solve(&given), power_flow.solve_from_file(&given)] {
            match (&flow, &expected) {
                (Ok(flow), Some(expected)) => prop_assert!(far(flow, expected) < 1e-7, "{}", far(flow, expected)),
                (Err(error), Some(_)) => prop_assert!(false, "{error}"),
                // A step across the nose may fail although the end can be had: then the two are a step apart.
                (Ok(_), None) => prop_assert!(Plain::new(&n).by_small_steps(2000).is_some()),
                (Err(PowerFlowError::BeyondCapability { .. } | PowerFlowError::NoOperatingState { .. }), None) => {}
                (Err(error), None) => prop_assert!(false, "{error}"),
            }
        }
    }
}
