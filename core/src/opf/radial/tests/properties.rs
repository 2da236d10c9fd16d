//! What holds for every feeder, every dispatch and every choice of duals.

use super::super::adjoint::Sources;
use super::super::certificate::{ScaledDuals, certify};
use super::super::feeder::{Feeder, FlowState};
use super::super::formulation::Scaled;
use super::*;
use crate::opf::SlackVoltage;
use proptest::prelude::*;

/// A random tree of 2 to 9 buses around 1 MW, every bus with load, some with generation.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    parents: Vec<usize>,
    /// r, x, load, reactive share.
    branches: Vec<(f64, f64, f64, f64)>,
    /// Bus, size relative to load, cost relative to the import price.
    generators: Vec<(usize, f64, f64)>,
    rating: Option<f64>,
    price: f64,
}

pub(super) fn tree() -> impl Strategy<Value = Tree> {
    (2_usize..9).prop_flat_map(|n| {
        let parents = proptest::collection::vec(0_usize..100, n);
        let branches = proptest::collection::vec((0.0_f64..0.05, 0.001_f64..0.05, 0.2_f64..1.0, 0.0_f64..0.6), n);
        let generators = proptest::collection::vec((0_usize..100, 0.1_f64..2.0, 0.0_f64..1.6), 0..4);
        (
            parents,
            branches,
            generators,
            proptest::option::weighted(0.3, 0.4_f64..1.5),
            prop_oneof![4 => Just(0.6), 1 => Just(-0.1)],
        )
            .prop_map(|(parents, branches, generators, rating, price)| Tree {
                parents: parents.iter().enumerate().map(|(k, p)| p % (k + 1)).collect(),
                branches,
                generators,
                rating,
                price,
            })
    })
}

impl Tree {
    pub(super) fn ask(&self) -> (Network, Hour) {
        let n = self.parents.len();
        let share = 1000.0 / n as f64;
        let mut buses = vec![Bus { id: 1, kind: BusKind::Slack, ..Bus::default() }];
        let mut branches = vec![];
        for (k, (&parent, &(r_pu, x_pu, load, q))) in self.parents.iter().zip(&self.branches).enumerate() {
            let (p_load_kw, q_load_kvar) = (share * load, share * load * q);
            buses.push(Bus {
                id: k as u64 + 2,
                p_load_kw,
                q_load_kvar,
                v_min_pu: 0.93,
                v_max_pu: 1.05,
                ..Bus::default()
            });
            branches.push(Branch {
                from: NodeId(parent),
                to: NodeId(k + 1),
                r_pu: 2.0 * r_pu,
                x_pu: 2.0 * x_pu,
                b_pu: 0.0,
                tap: 1.0,
                shift_deg: 0.0,
                rate_kva: self.rating.map(|s| s * 1000.0),
                in_service: true,
                ..Branch::default()
            });
        }
        let network = Network { name: String::new(), base_mva: 1.0, buses, branches, generators: vec![] };
        let mut hour = Hour::of(&network, self.price).unwrap();
        for &(bus, size, cost) in &self.generators {
            let mut c = Control::active(NodeId(bus % n + 1), size * 1000.0, 0.6 * cost);
            (c.q_min_kvar, c.q_max_kvar) = (-300.0 * size, 300.0 * size);
            c.cost_per_kwh2 = if bus % 2 == 0 { 1e-4 } else { 0.0 };
            hour.controls.push(c);
        }
        (network, hour)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// phi is convex and what it exceeds its tangent by is the Bregman distance of the certificate.
    #[test]
    fn the_tangent_of_a_squared_current_is_below_it_by_the_distance(
        p in -2.0_f64..2.0, q in -2.0_f64..2.0, v in 0.3_f64..2.0, p0 in -2.0_f64..2.0, q0 in -2.0_f64..2.0, v0 in 0.3_f64..2.0,
    ) {
        let phi = |p: f64, q: f64, v: f64| (p * p + q * q) / v;
        let l0 = phi(p0, q0, v0);
        let tangent = l0 + 2.0 * (p0 * (p - p0) + q0 * (q - q0)) / v0 - l0 / v0 * (v - v0);
        let distance = ((p - v * p0 / v0).powi(2) + (q - v * q0 / v0).powi(2)) / v;
        prop_assert!((phi(p, q, v) - tangent - distance).abs() < 1e-10 * (1.0 + distance));
    }

    /// Every answer keeps its limits and is proven or bounded, or says what is wrong. At a negative price, where losses earn
    /// money, the problem is far from convex: there, and only there, a search may end without an answer and say so.
    #[test]
    fn no_feeder_is_answered_in_silence(tree in tree()) {
        let (network, hour) = tree.ask();
        let opf = RadialOpf::new(&network).unwrap();
        let d = opf.solve(&hour).unwrap();
        match &d.status {
            Status::Certified { gap_per_h } => {
                prop_assert!(*gap_per_h <= 1e-5 * (1.0 + d.objective_per_h.abs() + 600.0), "{:?}", d.certificate);
            }
            Status::Local { gap_per_h, bound_per_h } => {
                prop_assert!(bound_per_h.is_finite() && (d.objective_per_h - gap_per_h - bound_per_h).abs() < 1e-6, "{:?}", d.status);
            }
            Status::Violated(missed) => prop_assert!(!missed.is_empty()),
            Status::NotConverged if tree.price < 0.0 => prop_assert!(!d.is_feasible()),
            other => prop_assert!(false, "{:?}", other),
        }
        if d.is_feasible() {
            let mut injections = Injections::loads_of(&network);
            for (c, u) in hour.controls.iter().zip(&d.controls) {
                injections.add(c.node, u.0, u.1);
            }
            let flow = PowerFlow::new(&network).unwrap().solve(&injections).unwrap();
            prop_assert!((flow.slack_kw() - d.import_kw).abs() < 1e-6);
            for (bus, v) in network.buses.iter().zip(&flow.voltages).skip(1) {
                let v = v.unwrap().magnitude_pu;
                prop_assert!(v > bus.v_min_pu - 1e-6 && v < bus.v_max_pu + 1e-6, "{}", v);
            }
            for (branch, f) in network.branches.iter().zip(&flow.branches) {
                prop_assert!(f.apparent_kva() <= branch.rate_kva.unwrap_or(f64::INFINITY) + 1e-3);
            }
            // The relaxation is a bound.
            let relaxed = opf.relaxed(&hour).unwrap();
            if relaxed.objective_per_h.is_finite() {
                prop_assert!(relaxed.objective_per_h <= d.objective_per_h + 1e-5, "{} {}", relaxed.objective_per_h, d.objective_per_h);
            }
        }
    }

    /// The same question asked twice: as an hour, and as a program around a block.
    #[test]
    fn a_block_in_a_program_answers_as_the_hour_does(tree in tree()) {
        let (network, hour) = tree.ask();
        let d = RadialOpf::new(&network).unwrap().solve(&hour).unwrap();
        let mut program = Program::new();
        let mut cost = Cost::default();
        let mut withdrawals = vec![];
        for c in &hour.controls {
            let (p, q) = (program.var(c.p_min_kw, c.p_max_kw), program.var(c.q_min_kvar, c.q_max_kvar));
            cost.add(c.cost_per_kwh, p).add_square(c.cost_per_kwh2, p);
            let less = |v: Var| Expr::from(v).times(-1.0);
            withdrawals.push(Withdrawal { node: c.node, active_kw: less(p), reactive_kvar: less(q) });
        }
        let block = NetworkBlock::build(&mut program, &network, 0, &hour.load_kw, &hour.load_kvar, &withdrawals).unwrap();
        cost.add(hour.import.price_per_kwh, block.import_kw);
        program.add_cost(&cost);
        let answer = program.compile().instance().solve();
        match (&d.status, answer) {
            (Status::Certified { .. }, Ok(answer)) => {
                let scale = 1.0 + d.objective_per_h.abs() + 600.0;
                prop_assert!((answer.certificate.objective - d.objective_per_h).abs() < 2e-6 * scale, "{:?} {}", answer.certificate, d.objective_per_h);
            }
            // Where losing power pays, an answer may not be found; that is said.
            (_, Err(SolveError::NotCertified { .. })) if tree.price < 0.0 => {}
            (Status::Certified { .. } | Status::Local { .. }, Err(error)) => prop_assert!(false, "{} {:?}", error, d.status),
            (Status::Violated(_), Ok(answer)) => prop_assert!(false, "{:?} {:?}", d.status, answer.certificate),
            _ => {}
        }
    }

    /// The theorem itself, away from any solver: whatever the controls and whatever the duals, no feasible dispatch is
    /// cheaper by more than the gap.
    #[test]
    fn no_feasible_dispatch_beats_a_certificate(
        tree in tree(), shares in proptest::collection::vec(0.0_f64..1.0, 12), duals in proptest::collection::vec(0.0_f64..0.3, 40),
    ) {
        let (mut network, hour) = tree.ask();
        // Half of the feeders choose the voltage of their slack, and limit the angles across their branches.
        let choosing = shares[0] < 0.5;
        if choosing {
            for branch in &mut network.branches {
                (branch.angle_min_deg, branch.angle_max_deg) = (-2.5, 1.5);
            }
        }
        let slack = if choosing { SlackVoltage::WithinLimits } else { SlackVoltage::Held };
        let feeder = Feeder::with_slack(&network, 1000.0, slack).unwrap();
        let scaled = Scaled::new(&feeder, &hour);
        let n = feeder.len();
        let guess = |k: usize| {
            let v = vec![0.81 + 0.4 * shares[k % shares.len()]; n];
            FlowState { v, ..FlowState::default() }
        };
        let draw = |from: usize| -> Vec<(f64, f64)> {
            let at = |(low, high): (f64, f64), k: usize| low + (high - low) * shares[k % shares.len()];
            scaled.units.iter().enumerate().map(|(k, u)| (at(u.p, from + 2 * k), at(u.q, from + 2 * k + 1))).collect()
        };
        let dual = |k: usize| if duals[k % duals.len()] < 0.15 { 0.0 } else { duals[k % duals.len()] };
        let voltage: Vec<(f64, f64)> = (0..n).map(|k| if k == 0 { (0.0, 0.0) } else { (dual(k), dual(k + 11)) }).collect();
        let limited = |k: usize| if k > 0 && tree.rating.is_some() { dual(k + 23) } else { 0.0 };
        let proof = ScaledDuals {
            sources: Sources {
                root: (scaled.root_price, 0.0),
                voltage: voltage.iter().map(|(up, low)| up - low).collect(),
                sending: (0..n).map(limited).collect(),
                receiving: (0..n).map(|k| limited(k + 5 * usize::from(k > 0))).collect(),
                angle: (0..n).map(|k| if k > 0 { [dual(k + 3), dual(k + 17)] } else { [0.0; 2] }).collect(),
            },
            voltage,
            controls: vec![0.0; scaled.units.len()],
        };
        let Some(certified) = certify(&feeder, &scaled, &draw(0), proof.clone(), &guess(1)) else { return Ok(()) };
        // The certificate is about dispatches that keep the limits; its own point need not.
        for k in [3, 5, 8, 11] {
            if let Some(feasible) = certify(&feeder, &scaled, &draw(k), proof.clone(), &guess(k))
                && feasible.violation <= 0.0
            {
                prop_assert!(certified.cost - feasible.cost <= certified.gap + 1e-9, "{} {} {}", certified.cost, feasible.cost, certified.gap);
            }
        }
    }
}
