//! What must hold on every network.

use super::{CarbonFlow, FlowGraph, LossRule, trace};
use nalgebra::{DMatrix, DVector};
use proptest::prelude::*;

/// A balanced network: any branches with any losses, sources and loads where the balance wants them, and more.
#[derive(Debug, Clone)]
struct Case {
    graph: FlowGraph,
}

/// Trees: each node hangs on an earlier one. Meshed: further branches anywhere, so that flows may run in circles.
fn cases(extra: usize) -> impl Strategy<Value = Case> {
    (2..14_usize).prop_flat_map(move |n| {
        let branch =
            (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0.5..100.0f64, 0.0..0.2f64, any::<bool>());
        let tree = prop::collection::vec(branch.clone(), n - 1);
        let chords = prop::collection::vec(branch, 0..=extra);
        let node = (0.0..50.0f64, prop::bool::weighted(0.3), -0.2..1.0f64, 0.0..1.0f64);
        (Just(n), tree, chords, prop::collection::vec(node, n)).prop_map(|(n, tree, chords, nodes)| {
            let mut graph = FlowGraph::new(n);
            let mut add = |a: usize, b: usize, sent_kw: f64, loss: f64, reversed: bool| {
                let received_kw = sent_kw * (1.0 - loss);
                if reversed {
                    graph.branch(b, a, -received_kw, sent_kw)
                } else {
                    graph.branch(a, b, sent_kw, -received_kw)
                };
            };
            for (k, (parent, _, sent_kw, loss, up)) in tree.into_iter().enumerate() {
                let (child, parent) = (k + 1, parent.index(k + 1));
                if up { add(child, parent, sent_kw, loss, true) } else { add(parent, child, sent_kw, loss, false) }
            }
            for (a, b, sent_kw, loss, reversed) in chords {
                let (a, b) = (a.index(n), b.index(n));
                if a != b {
                    add(a, b, sent_kw, loss, reversed);
                }
            }
            let mut leaving_kw = vec![0.0; n];
            for branch in &graph.branches {
                leaving_kw[branch.from] += branch.from_kw;
                leaving_kw[branch.to] += branch.to_kw;
            }
            for (node, (extra_kw, is_source, e, e_more)) in nodes.into_iter().enumerate() {
                let needed_kw: f64 = leaving_kw[node];
                if needed_kw > 0.0 {
                    graph.source(node, needed_kw, e);
                }
                if is_source {
                    graph.source(node, extra_kw, e_more);
                }
            }
            Case { graph }
        })
    })
}

fn all_cases() -> impl Strategy<Value = Case> {
    prop_oneof![cases(0), cases(12)]
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * (1.0 + a.abs().max(b.abs()))
}

fn same(a: &CarbonFlow, b: &CarbonFlow, node_of: impl Fn(usize) -> usize) -> bool {
    (0..a.intensity_kg_per_kwh.len()).all(|n| match (a.intensity_kg_per_kwh[n], b.intensity_kg_per_kwh[node_of(n)]) {
        (Some(a), Some(b)) => near(a, b),
        (None, None) => true,
        _ => false,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn all_carbon_is_consumed_or_lost(case in all_cases()) {
        let flow = trace(&case.graph, LossRule::Explicit).unwrap();
        prop_assert!(near(flow.total_load_kg_per_h() + flow.total_loss_kg_per_h(), flow.total_source_kg_per_h()));
        let flow = trace(&case.graph, LossRule::LoadsPay).unwrap();
        prop_assert!(near(flow.total_load_kg_per_h() + flow.stranded_kg_per_h, flow.total_source_kg_per_h()));
        prop_assert!(near(flow.total_loss_kg_per_h(), flow.stranded_kg_per_h));
    }

    #[test]
    fn carbon_is_in_balance_at_every_node(case in all_cases()) {
        for rule in [LossRule::Explicit, LossRule::LoadsPay] {
            let flow = trace(&case.graph, rule).unwrap();
            let mut kg: Vec<f64> = flow.load_kg_per_h.iter().map(|kg| -kg).collect();
            for (branch, carbon) in case.graph.branches.iter().zip(&flow.branches) {
                kg[branch.from] -= carbon.from_kg_per_h;
                kg[branch.to] -= carbon.to_kg_per_h;
            }
            for (source, carbon) in flow.sources.iter().zip(&flow.source_kg_per_h) {
                if flow.intensity_kg_per_kwh[source.node].is_some() {
                    kg[source.node] += carbon;
                }
            }
            for kg in kg {
                prop_assert!(kg.abs() < 1e-8, "{kg}");
            }
        }
    }

    #[test]
    fn intensities_lie_between_those_of_the_sources(case in all_cases()) {
        let flow = trace(&case.graph, LossRule::Explicit).unwrap();
        let producing = || case.graph.sources.iter().filter(|s| s.kw > 0.0).map(|s| s.kg_per_kwh);
        let (low, high) = (producing().fold(f64::INFINITY, f64::min), producing().fold(f64::NEG_INFINITY, f64::max));
        for w in flow.intensity_kg_per_kwh.iter().flatten() {
            prop_assert!(*w >= low - 1e-12 && *w <= high + 1e-12, "{low} {w} {high}");
        }
    }

    #[test]
    fn shares_sum_to_one_and_mix_the_sources(case in all_cases()) {
        let flow = trace(&case.graph, LossRule::Explicit).unwrap();
        for (row, w) in flow.shares().iter().zip(&flow.intensity_kg_per_kwh) {
            prop_assert_eq!(row.is_some(), w.is_some());
            if let (Some(row), Some(w)) = (row, w) {
                prop_assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-12);
                prop_assert!(row.iter().all(|share| *share >= 0.0));
                prop_assert!(near(row.iter().zip(&flow.sources).map(|(share, s)| share * s.kg_per_kwh).sum(), *w));
            }
        }
        let flow = trace(&case.graph, LossRule::LoadsPay).unwrap();
        for (row, w) in flow.shares().iter().zip(&flow.intensity_kg_per_kwh) {
            if let (Some(row), Some(w)) = (row, w) {
                prop_assert!(near(row.iter().zip(&flow.sources).map(|(share, s)| share * s.kg_per_kwh).sum(), *w));
            }
        }
    }

    #[test]
    fn a_dense_solve_of_the_textbook_system_agrees(case in all_cases()) {
        let graph = &case.graph;
        let n = graph.nodes();
        let mut a = DMatrix::<f64>::zeros(n, n);
        let mut rhs = DVector::<f64>::zeros(n);
        for source in &graph.sources {
            a[(source.node, source.node)] += source.kw;
            rhs[source.node] += source.kw * source.kg_per_kwh;
        }
        for b in &graph.branches {
            let (tail, head, received_kw) =
                if b.from_kw > 0.0 { (b.from, b.to, -b.to_kw) } else { (b.to, b.from, -b.from_kw) };
            a[(head, head)] += received_kw;
            a[(head, tail)] -= received_kw;
        }
        let flow = trace(graph, LossRule::Explicit).unwrap();
        prop_assume!(flow.intensity_kg_per_kwh.iter().all(Option::is_some));
        let w = a.lu().solve(&rhs).unwrap();
        for (found, expected) in flow.intensity_kg_per_kwh.iter().zip(w.iter()) {
            prop_assert!((found.unwrap() - expected).abs() < 1e-8);
        }
    }

    #[test]
    fn downstream_prices_are_dual_to_intensities(case in all_cases(), seed in prop::collection::vec(0.0..300.0f64, 14)) {
        let n = case.graph.nodes();
        for rule in [LossRule::Explicit, LossRule::LoadsPay] {
            let flow = trace(&case.graph, rule).unwrap();
            let y = flow.downstream_price(&seed[..n], 120.0).unwrap();
            let lost = if rule == LossRule::Explicit { 120.0 * flow.total_loss_kg_per_h() } else { 0.0 };
            let charged: f64 = flow.load_kg_per_h.iter().zip(&seed).map(|(kg, price)| kg * price).sum::<f64>() + lost;
            let at_source: f64 =
                flow.sources.iter().zip(&flow.source_kg_per_h).map(|(s, kg)| y[s.node].unwrap_or(0.0) * kg).sum();
            prop_assert!(near(charged, at_source), "{charged} {at_source}");
        }
    }

    #[test]
    fn a_uniform_price_is_the_downstream_price_everywhere(case in all_cases()) {
        for rule in [LossRule::Explicit, LossRule::LoadsPay] {
            let flow = trace(&case.graph, rule).unwrap();
            for y in flow.downstream_price(&vec![280.0; case.graph.nodes()], 280.0).unwrap().into_iter().flatten() {
                prop_assert!(near(y, 280.0), "{y}");
            }
        }
    }

    #[test]
    fn numbering_and_direction_of_branches_do_not_matter(case in all_cases(), shift in 1..13_usize) {
        let n = case.graph.nodes();
        let node_of = |node: usize| (node + shift) % n;
        let mut other = FlowGraph::new(n);
        for b in case.graph.branches.iter().rev() {
            other.branch(node_of(b.to), node_of(b.from), b.to_kw, b.from_kw);
        }
        for s in case.graph.sources.iter().rev() {
            other.source(node_of(s.node), s.kw, s.kg_per_kwh);
        }
        for rule in [LossRule::Explicit, LossRule::LoadsPay] {
            let (a, b) = (trace(&case.graph, rule).unwrap(), trace(&other, rule).unwrap());
            prop_assert!(same(&a, &b, node_of));
            for (k, carbon) in a.branches.iter().enumerate() {
                let mirrored = b.branches[a.branches.len() - 1 - k];
                prop_assert!(near(carbon.from_kg_per_h, mirrored.to_kg_per_h));
                prop_assert!(near(carbon.loss_kg_per_h, mirrored.loss_kg_per_h));
            }
        }
    }

    #[test]
    fn without_losses_both_rules_agree(case in all_cases()) {
        let mut graph = FlowGraph::new(case.graph.nodes());
        let mut leaving_kw = vec![0.0; graph.nodes()];
        for b in &case.graph.branches {
            graph.lossless_branch(b.from, b.to, b.from_kw);
            leaving_kw[b.from] += b.from_kw;
            leaving_kw[b.to] -= b.from_kw;
        }
        for (node, kw) in leaving_kw.into_iter().enumerate() {
            if kw > 0.0 {
                graph.source(node, kw, 0.1 * node as f64);
            }
        }
        let explicit = trace(&graph, LossRule::Explicit).unwrap();
        let loads_pay = trace(&graph, LossRule::LoadsPay).unwrap();
        prop_assert!(same(&explicit, &loads_pay, |node| node));
    }
}
