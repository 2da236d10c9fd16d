//! Carbon flow on solved alternating-current flows of published systems (set `COASE_DATA`).

use std::{collections::BTreeMap, fs, path::Path};

use coase_core::carbon_flow::{FlowGraph, LossRule, trace};
use nalgebra::{DMatrix, DVector};

const CASES: [&str; 12] = [
    "case9",
    "case14",
    "case15da",
    "case15nbr",
    "case16ci",
    "case18",
    "case33bw",
    "case57",
    "case69",
    "case118",
    "case141",
    "case_ACTIVSg200",
];

/// Nodes with a net injection are sources, of intensities that differ; everything else is load.
fn graph_of(file: &Path) -> FlowGraph {
    let text = fs::read_to_string(file).expect("a readable reference file");
    let rows: Vec<Vec<f64>> = text
        .lines()
        .skip(1)
        .map(|line| line.split(',').map(|cell| cell.trim().parse().expect("a number")).collect())
        .collect();
    let buses: BTreeMap<u64, usize> = rows.iter().flat_map(|r| [(r[1] as u64, 0), (r[2] as u64, 0)]).collect();
    let buses: BTreeMap<u64, usize> = buses.into_keys().enumerate().map(|(node, bus)| (bus, node)).collect();
    let mut graph = FlowGraph::new(buses.len());
    let mut leaving_kw = vec![0.0; buses.len()];
    for row in rows.iter().filter(|row| row[3] == 1.0) {
        let (from, to) = (buses[&(row[1] as u64)], buses[&(row[2] as u64)]);
        graph.branch(from, to, 1000.0 * row[4], 1000.0 * row[6]);
        leaving_kw[from] += 1000.0 * row[4];
        leaving_kw[to] += 1000.0 * row[6];
    }
    for (node, kw) in leaving_kw.into_iter().enumerate() {
        if kw > 0.1 {
            graph.source(node, kw, 0.9 * ((node * 7 + 3) % 10) as f64 / 10.0);
        }
    }
    graph.threshold_kw = 1e-4;
    graph
}

#[test]
fn identities_and_a_dense_solve_hold_on_solved_systems() {
    let Ok(data) = std::env::var("COASE_DATA") else {
        eprintln!("skipped: COASE_DATA is not set");
        return;
    };
    for case in CASES {
        let graph = graph_of(&Path::new(&data).join("reference_branch_flows").join(format!("{case}.csv")));
        let n = graph.nodes();
        let flow = trace(&graph, LossRule::Explicit).unwrap_or_else(|error| panic!("{case}: {error}"));
        let emitted = flow.total_source_kg_per_h();
        let accounted = flow.total_load_kg_per_h() + flow.total_loss_kg_per_h();
        assert!((accounted - emitted).abs() < 1e-8 * emitted, "{case}: {accounted} {emitted}");
        let loads_pay = trace(&graph, LossRule::LoadsPay).expect("the same graph");
        assert!((loads_pay.total_load_kg_per_h() - emitted).abs() < 1e-8 * emitted, "{case}");

        let mut a = DMatrix::<f64>::zeros(n, n);
        let mut rhs = DVector::<f64>::zeros(n);
        for source in &graph.sources {
            a[(source.node, source.node)] += source.kw;
            rhs[source.node] += source.kw * source.kg_per_kwh;
        }
        for b in &graph.branches {
            let (tail, head, kw) = if b.to_kw < 0.0 { (b.from, b.to, -b.to_kw) } else { (b.to, b.from, -b.from_kw) };
            if kw > graph.threshold_kw {
                a[(head, head)] += kw;
                a[(head, tail)] -= kw;
            }
        }
        let idle: Vec<usize> = (0..n).filter(|&node| a[(node, node)] <= graph.threshold_kw).collect();
        for &node in &idle {
            a[(node, node)] = 1.0;
        }
        let dense = a.lu().solve(&rhs).unwrap_or_else(|| panic!("{case}: singular"));
        for node in 0..n {
            match flow.intensity_kg_per_kwh[node] {
                Some(w) => assert!((w - dense[node]).abs() < 1e-9, "{case}, node {node}: {w} {}", dense[node]),
                None => assert!(idle.contains(&node), "{case}, node {node}"),
            }
        }
    }
}
