//! Carbon flow: a small and a large feeder, and a grid in which nearly everything runs in circles.

use std::hint::black_box;

use coase_core::carbon_flow::{FlowGraph, LossRule, trace};
use criterion::{Criterion, criterion_group, criterion_main};

/// A lossy tree with a load and, at every tenth node, a generator.
fn feeder(nodes: usize) -> FlowGraph {
    let mut graph = FlowGraph::new(nodes);
    let parent = |node: usize| node - 1 - (node * 7 % 5).min(node - 1);
    let mut demand_kw: Vec<f64> = (0..nodes).map(|node| 10.0 + (node * 13 % 17) as f64).collect();
    for node in (10..nodes).step_by(10) {
        demand_kw[node] -= 60.0;
        graph.source(node, 60.0, 0.1 * (node % 7) as f64);
    }
    for node in (1..nodes).rev() {
        // Whichever end sends loses 1 % on the way.
        let received_kw = demand_kw[node];
        let from_kw = if received_kw > 0.0 { 1.01 * received_kw } else { 0.99 * received_kw };
        graph.branch(parent(node), node, from_kw, -received_kw);
        demand_kw[parent(node)] += from_kw;
    }
    graph.source(0, demand_kw[0], 0.581);
    graph
}

/// A square grid whose rows and columns alternate in direction: one strongly connected component.
fn circles(side: usize) -> FlowGraph {
    let mut graph = FlowGraph::new(side * side);
    let mut leaving_kw = vec![0.0; side * side];
    let mut add = |graph: &mut FlowGraph, a: usize, b: usize, forward: usize| {
        let (tail, head) = if forward == 0 { (a, b) } else { (b, a) };
        let sent_kw = 50.0 + ((a * 31 + b * 17) % 97) as f64;
        graph.branch(tail, head, sent_kw, -0.99 * sent_kw);
        leaving_kw[tail] += sent_kw;
        leaving_kw[head] -= 0.99 * sent_kw;
    };
    for row in 0..side {
        for column in 0..side {
            let node = row * side + column;
            if column + 1 < side {
                add(&mut graph, node, node + 1, row % 2);
            }
            if row + 1 < side {
                add(&mut graph, node, node + side, column % 2);
            }
        }
    }
    for (node, kw) in leaving_kw.into_iter().enumerate() {
        if kw > 0.0 {
            graph.source(node, kw, 0.1 * (node % 10) as f64);
        }
    }
    graph
}

fn carbon_flow(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("carbon_flow");
    for (name, graph) in [("feeder_33", feeder(33)), ("feeder_10000", feeder(10_000)), ("circles_2500", circles(50))] {
        group.bench_function(name, |b| b.iter(|| trace(black_box(&graph), LossRule::Explicit).expect("balanced")));
    }
    let graph = feeder(33);
    let flow = trace(&graph, LossRule::Explicit).expect("balanced");
    let prices = vec![280.0; graph.nodes()];
    group.bench_function("feeder_33_downstream_price", |b| {
        b.iter(|| flow.downstream_price(black_box(&prices), 280.0).expect("finite"));
    });
    group.finish();
}

criterion_group!(benches, carbon_flow);
criterion_main!(benches);
