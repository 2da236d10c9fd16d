//! From flows at branch ends to directed flows, sources that produce, and loads that consume.

use super::{CarbonFlowError, FlowGraph, Source};

/// A branch that carries power through, in the direction in which it does.
pub(super) struct Through {
    pub branch: usize,
    /// Sending node.
    pub tail: usize,
    /// Receiving node.
    pub head: usize,
    pub sent_kw: f64,
    pub received_kw: f64,
}

/// Power that enters a branch and leaves it nowhere.
pub(super) struct DeadEnd {
    pub branch: usize,
    pub node: usize,
    pub kw: f64,
}

/// A graph of directed flows in balance.
pub(super) struct Oriented {
    pub throughs: Vec<Through>,
    pub dead_ends: Vec<DeadEnd>,
    /// The sources of the graph in order, those that consume with 0 kW, then negative loads in order of their nodes.
    pub sources: Vec<Source>,
    pub generation_kw: Vec<f64>,
    /// Receiving ends and generation.
    pub throughflow_kw: Vec<f64>,
    /// Loads and consuming sources.
    pub load_kw: Vec<f64>,
    pub threshold_kw: f64,
}

pub(super) fn orient(graph: &FlowGraph) -> Result<Oriented, CarbonFlowError> {
    validate(graph)?;
    let n = graph.nodes();
    let threshold_kw = graph.threshold_kw;
    let mut throughs = Vec::with_capacity(graph.branches.len());
    let mut dead_ends = Vec::new();
    let mut inflow_kw = vec![0.0; n];
    let mut outflow_kw = vec![0.0; n];
    for (branch, flow) in graph.branches.iter().enumerate() {
        let (tail, head, sent_kw, back_kw) = if flow.from_kw >= flow.to_kw {
            (flow.from, flow.to, flow.from_kw, flow.to_kw)
        } else {
            (flow.to, flow.from, flow.to_kw, flow.from_kw)
        };
        if sent_kw > threshold_kw && back_kw < -threshold_kw {
            throughs.push(Through { branch, tail, head, sent_kw, received_kw: -back_kw });
            outflow_kw[tail] += sent_kw;
            inflow_kw[head] -= back_kw;
            continue;
        }
        if back_kw < -balance_tolerance_kw(threshold_kw, 0.0) {
            return Err(CarbonFlowError::GeneratingBranch { branch, generated_kw: -(sent_kw + back_kw) });
        }
        for (node, kw) in [(tail, sent_kw), (head, back_kw)] {
            if kw > threshold_kw {
                dead_ends.push(DeadEnd { branch, node, kw });
                outflow_kw[node] += kw;
            }
        }
    }

    let mut generation_kw = vec![0.0; n];
    let mut absorbed_kw = vec![0.0; n];
    let mut sources = graph.sources.clone();
    for source in &mut sources {
        if source.kw < 0.0 {
            absorbed_kw[source.node] -= source.kw;
            source.kw = 0.0;
        }
        generation_kw[source.node] += source.kw;
    }

    let mut load_kw = absorbed_kw;
    for node in 0..n {
        let entering_kw = inflow_kw[node] + generation_kw[node];
        let tolerance_kw = balance_tolerance_kw(threshold_kw, entering_kw + outflow_kw[node]);
        let left_kw = entering_kw - outflow_kw[node] - load_kw[node];
        let own_kw = match graph.loads_kw[node] {
            Some(own_kw) if (left_kw - own_kw).abs() > tolerance_kw => {
                return Err(CarbonFlowError::Unbalanced { node, excess_kw: left_kw - own_kw });
            }
            Some(own_kw) => own_kw,
            None if left_kw.abs() <= threshold_kw => 0.0,
            None => left_kw,
        };
        if own_kw >= 0.0 {
            load_kw[node] += own_kw;
        } else if let Some(kg_per_kwh) = graph.negative_load_kg_per_kwh {
            sources.push(Source { node, kw: -own_kw, kg_per_kwh });
            generation_kw[node] -= own_kw;
        } else if own_kw < -tolerance_kw {
            return Err(CarbonFlowError::MissingSource { node, missing_kw: -own_kw });
        }
    }
    let throughflow_kw = inflow_kw.iter().zip(&generation_kw).map(|(a, b)| a + b).collect();
    Ok(Oriented { throughs, dead_ends, sources, generation_kw, throughflow_kw, load_kw, threshold_kw })
}

/// What a power flow leaves unbalanced at a node without anything being wrong: its mismatch, and the small flows dropped.
fn balance_tolerance_kw(threshold_kw: f64, flows_kw: f64) -> f64 {
    1e3 * threshold_kw + 1e-6 * flows_kw
}

fn validate(graph: &FlowGraph) -> Result<(), CarbonFlowError> {
    let nodes = graph.nodes();
    if !(graph.threshold_kw >= 0.0 && graph.threshold_kw.is_finite()) {
        return Err(CarbonFlowError::Threshold { threshold_kw: graph.threshold_kw });
    }
    if graph.negative_load_kg_per_kwh.is_some_and(|e| !e.is_finite()) {
        return Err(CarbonFlowError::NegativeLoadIntensity);
    }
    if let Some(node) = graph.loads_kw.iter().position(|load| load.is_some_and(|kw| !kw.is_finite())) {
        return Err(CarbonFlowError::NodeNotFinite { node });
    }
    for (branch, flow) in graph.branches.iter().enumerate() {
        if let Some(&node) = [flow.from, flow.to].iter().find(|&&node| node >= nodes) {
            return Err(CarbonFlowError::BranchEnd { branch, node, nodes });
        }
        if flow.from == flow.to {
            return Err(CarbonFlowError::SelfLoop { branch, node: flow.from });
        }
        if !(flow.from_kw.is_finite() && flow.to_kw.is_finite()) {
            return Err(CarbonFlowError::BranchNotFinite { branch });
        }
    }
    for (source_index, source) in graph.sources.iter().enumerate() {
        if source.node >= nodes {
            return Err(CarbonFlowError::SourceNode { source_index, node: source.node, nodes });
        }
        if !(source.kw.is_finite() && source.kg_per_kwh.is_finite()) {
            return Err(CarbonFlowError::SourceNotFinite { source_index });
        }
    }
    Ok(())
}
