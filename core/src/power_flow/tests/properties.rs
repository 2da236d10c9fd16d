//! What must not depend on how a network is written down.

use proptest::prelude::*;

use super::super::*;
use super::{bus, line, network};
use crate::network::{Network, NodeId};

/// A random feeder, possibly with loops, light enough to be solvable.
fn feeder() -> impl Strategy<Value = Network> {
    let bus_data = (0.0..60.0, -20.0..30.0, any::<u16>());
    let line_data = (0.001..0.02, 0.001..0.03, 0.0..0.02, prop_oneof![Just(1.0), 0.95..1.05]);
    (
        prop::collection::vec((bus_data, line_data), 1..12),
        prop::collection::vec((any::<u16>(), any::<u16>(), 0.005..0.02), 0..3),
    )
        .prop_map(|(grown, ties)| {
            let mut buses = vec![bus(1, 0.0, 0.0)];
            let mut branches = Vec::new();
            for (k, ((p, q, parent), (r, x, b, tap))) in grown.into_iter().enumerate() {
                buses.push(bus(k as u64 + 2, p, q));
                let mut branch = line(parent as usize % (k + 1), k + 1, r, x);
                (branch.b_pu, branch.tap) = (b, tap);
                branches.push(branch);
            }
            for (a, b, z) in ties {
                let (a, b) = (a as usize % buses.len(), b as usize % buses.len());
                if a != b {
                    branches.push(line(a, b, z, z));
                }
            }
            network(1.0, buses, branches)
        })
}

fn solved(network: &Network) -> Flow {
    PowerFlow::new(network).unwrap().solve(&Injections::of(network)).unwrap()
}

fn magnitude(flow: &Flow, node: usize) -> f64 {
    flow.voltages[node].unwrap().magnitude_pu
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_order_of_buses_and_branches_does_not_matter(
        n in feeder(), by in any::<u64>()
    ) {
        let count = n.buses.len();
        // An affine map modulo a prime larger than the count, ranked: a permutation.
        let key = |k: usize| (k as u64 * (by % 89 + 1) + by) % 97;
        let mut bus_order: Vec<usize> = (0..count).collect();
        bus_order.sort_by_key(|k| key(*k));
        let mut branch_order: Vec<usize> = (0..n.branches.len()).collect();
        branch_order.sort_by_key(|k| key(k + 5));
        let mut place = vec![0; count];
        for (new, old) in bus_order.iter().enumerate() {
            place[*old] = new;
        }
        let mut shuffled = n.clone();
        shuffled.buses = bus_order.iter().map(|k| n.buses[*k].clone()).collect();
        shuffled.branches = branch_order.iter().map(|k| n.branches[*k].clone()).collect();
        for branch in &mut shuffled.branches {
            branch.from = NodeId(place[branch.from.0]);
            branch.to = NodeId(place[branch.to.0]);
        }
        let (a, b) = (solved(&n), solved(&shuffled));
        prop_assert!((a.loss_kw - b.loss_kw).abs() < 1e-7);
        for (new, old) in bus_order.iter().enumerate() {
            prop_assert!((magnitude(&a, *old) - magnitude(&b, new)).abs() < 1e-10);
        }
        for (new, old) in branch_order.iter().enumerate() {
            prop_assert!((a.branches[*old].p_from_kw - b.branches[new].p_from_kw).abs() < 1e-6);
        }
    }

    #[test]
    fn a_line_may_be_written_either_way(n in feeder()) {
        let mut turned = n.clone();
        for branch in turned.branches.iter_mut().filter(|b| b.tap == 1.0) {
            std::mem::swap(&mut branch.from, &mut branch.to);
        }
        let (a, b) = (solved(&n), solved(&turned));
        prop_assert!((a.loss_kw - b.loss_kw).abs() < 1e-7);
        for ((x, y), branch) in a.branches.iter().zip(&b.branches).zip(&n.branches) {
            let y = if branch.tap == 1.0 { y.p_to_kw } else { y.p_from_kw };
            prop_assert!((x.p_from_kw - y).abs() < 1e-6);
        }
    }

    #[test]
    fn the_power_base_does_not_matter(n in feeder(), base_mva in 0.1..50.0) {
        let mut rebased = n.clone();
        rebased.base_mva = base_mva;
        for branch in &mut rebased.branches {
            branch.r_pu *= base_mva;
            branch.x_pu *= base_mva;
            branch.b_pu /= base_mva;
        }
        let (a, b) = (solved(&n), solved(&rebased));
        prop_assert!((a.loss_kw - b.loss_kw).abs() < 1e-6);
        for k in 0..n.buses.len() {
            prop_assert!((magnitude(&a, k) - magnitude(&b, k)).abs() < 1e-9);
        }
    }

    #[test]
    fn sweep_and_newton_agree_and_power_balances(n in feeder()) {
        let power_flow = PowerFlow::new(&n).unwrap();
        let given = Injections::of(&n);
        let (a, b) = (power_flow.solve(&given).unwrap(), power_flow.solve_by_newton(&given).unwrap());
        for k in 0..n.buses.len() {
            prop_assert!((magnitude(&a, k) - magnitude(&b, k)).abs() < 1e-10);
        }
        for flow in [a, b] {
            let out: f64 = flow.branches.iter().map(BranchFlow::loss_kw).sum();
            prop_assert!((flow.slack_kw() + given.p_kw.iter().sum::<f64>() - out).abs() < 1e-6);
            for (k, p) in flow.p_kw.iter().enumerate() {
                let leaving: f64 = n.branches.iter().zip(&flow.branches).map(|(branch, f)| {
                    if branch.from.0 == k { f.p_from_kw } else if branch.to.0 == k { f.p_to_kw } else { 0.0 }
                }).sum();
                prop_assert!((p - leaving).abs() < 1e-6);
            }
        }
    }
}
