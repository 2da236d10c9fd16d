//! An intensity for every node, as a price signal needs it.

use super::{CarbonFlow, FlowGraph};

/// What stands in for the intensity of a node that has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fallback {
    /// The average of all sources.
    SystemAverage,
    /// The intensity of the node that would feed it: the next one on the way to `root` over the branches of the graph,
    /// idle ones included; the average of all sources where there is none.
    Upstream {
        /// Where balancing power comes from, usually the slack.
        root: usize,
    },
}

impl CarbonFlow {
    /// Nodal intensities (kg/kWh) with a stand-in where there is none; `None` if nothing produces.
    ///
    /// `graph` is the one that was traced. Carbon accounts must not use stand-ins: nothing flows there.
    pub fn signal_kg_per_kwh(&self, graph: &FlowGraph, fallback: Fallback) -> Option<Vec<f64>> {
        let average = self.system_average_kg_per_kwh()?;
        let mut signal: Vec<f64> = self.intensity_kg_per_kwh.iter().map(|w| w.unwrap_or(average)).collect();
        if let Fallback::Upstream { root } = fallback {
            for (node, parent) in from_root(graph, root) {
                if self.intensity_kg_per_kwh[node].is_none() {
                    signal[node] = signal[parent];
                }
            }
        }
        Some(signal)
    }
}

/// Nodes with the neighbour through which they are first reached, breadth first.
fn from_root(graph: &FlowGraph, root: usize) -> Vec<(usize, usize)> {
    let mut neighbours = vec![Vec::new(); graph.nodes()];
    for branch in &graph.branches {
        neighbours[branch.from].push(branch.to);
        neighbours[branch.to].push(branch.from);
    }
    let mut seen = vec![false; graph.nodes()];
    let mut reached = Vec::with_capacity(graph.nodes());
    if root >= graph.nodes() {
        return reached;
    }
    seen[root] = true;
    let mut next = vec![root];
    while !next.is_empty() {
        let ring = std::mem::take(&mut next);
        for parent in ring {
            for &node in &neighbours[parent] {
                if !seen[node] {
                    seen[node] = true;
                    reached.push((node, parent));
                    next.push(node);
                }
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::super::{FlowGraph, LossRule, trace};
    use super::Fallback;

    #[test]
    fn an_idle_node_takes_the_intensity_of_the_node_that_would_feed_it() {
        let mut graph = FlowGraph::new(6);
        graph.source(0, 10.0, 0.9);
        graph.source(1, 30.0, 0.1);
        graph.lossless_branch(0, 1, 10.0);
        graph.lossless_branch(1, 2, 0.0);
        graph.lossless_branch(3, 2, 0.0);
        // Node 4 supplies itself, node 5 is isolated.
        graph.lossless_branch(3, 4, 0.0);
        graph.source(4, 5.0, 0.2);
        let flow = trace(&graph, LossRule::Explicit).unwrap();
        let average = (9.0 + 3.0 + 1.0) / 45.0;
        let upstream = flow.signal_kg_per_kwh(&graph, Fallback::Upstream { root: 0 }).unwrap();
        for (node, expected) in [0.9, 0.3, 0.3, 0.3, 0.2, average].into_iter().enumerate() {
            assert!((upstream[node] - expected).abs() < 1e-12, "{node}");
        }
        let averages = flow.signal_kg_per_kwh(&graph, Fallback::SystemAverage).unwrap();
        assert!((averages[2] - average).abs() < 1e-12);
        assert_eq!(flow.intensity_kg_per_kwh[2], None);
    }

    #[test]
    fn without_generation_there_is_no_signal() {
        let graph = FlowGraph::new(2);
        let flow = trace(&graph, LossRule::Explicit).unwrap();
        assert_eq!(flow.signal_kg_per_kwh(&graph, Fallback::SystemAverage), None);
    }
}
