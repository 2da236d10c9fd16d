//! The flows to be traced, as plain data.

use crate::network::{Network, NodeId};

/// Default of [`FlowGraph::threshold_kw`]: 1e-9 of a base of 1 MVA.
pub const DEFAULT_THRESHOLD_KW: f64 = 1e-6;

/// Active power flows of one instant, with their sources: what [`trace`](super::trace) needs and nothing else.
///
/// Nodes are numbered from 0. Every kW entering a node must leave it or be consumed there.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowGraph {
    /// Consumption of every node (kW), without consuming sources; `None`: what enters and does not leave. The length
    /// is the number of nodes. A given load is checked against the balance.
    pub loads_kw: Vec<Option<f64>>,
    /// Flows at both ends of every branch; parallel branches are welcome.
    pub branches: Vec<BranchFlow>,
    /// Everything that brings carbon in; any number per node.
    pub sources: Vec<Source>,
    /// Intensity (kg/kWh) of negative loads, which become sources; without it they are an error.
    pub negative_load_kg_per_kwh: Option<f64>,
    /// A smaller flow or throughflow (kW) is nothing. 1e-9 of the base power is a good choice.
    pub threshold_kw: f64,
}

/// Flow at both ends of a branch. The numbers, not the order of the ends, say which way power flows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BranchFlow {
    /// One end.
    pub from: usize,
    /// The other end.
    pub to: usize,
    /// Power leaving `from` into the branch (kW); negative if it arrives there.
    pub from_kw: f64,
    /// Power leaving `to` into the branch (kW); negative if it arrives there. The loss is `from_kw + to_kw`.
    pub to_kw: f64,
}

/// A generator, an import, a discharging storage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Source {
    /// Where it stands.
    pub node: usize,
    /// Power into the node (kW). If negative, the source consumes, as a slack that exports, and counts as a load.
    pub kw: f64,
    /// Intensity `e` of what it brings (kg/kWh); may be negative (captured biogenic carbon).
    pub kg_per_kwh: f64,
}

/// A participant with its own generation, as a node behind its connection point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// The internal node: its sources stand here, and the intensity here is that of what it consumes and exports,
    /// `w^x = (sum of e P + w_n m) / total internal inflow` with `m` its import at the intensity `w_n` of the
    /// connection point.
    pub node: usize,
    /// The lossless branch from the connection point to the internal node.
    pub branch: usize,
    /// The connection point.
    pub connection: usize,
}

impl FlowGraph {
    /// Nodes without flows; every load is what the balance leaves.
    pub fn new(nodes: usize) -> Self {
        Self {
            loads_kw: vec![None; nodes],
            branches: Vec::new(),
            sources: Vec::new(),
            negative_load_kg_per_kwh: None,
            threshold_kw: DEFAULT_THRESHOLD_KW,
        }
    }

    /// The flows of a network: `(from, to, kW leaving from, kW leaving to)` for every branch that carries any, and
    /// `(node, kW, kg/kWh)` for every source. What is smaller than 1e-9 of the base power is nothing.
    pub fn of(
        network: &Network,
        branches: impl IntoIterator<Item = (NodeId, NodeId, f64, f64)>,
        sources: impl IntoIterator<Item = (NodeId, f64, f64)>,
    ) -> Self {
        let mut graph = Self { threshold_kw: 1e-9 * network.base_kva(), ..Self::new(network.buses.len()) };
        for (from, to, from_kw, to_kw) in branches {
            graph.branch(from.0, to.0, from_kw, to_kw);
        }
        for (node, kw, kg_per_kwh) in sources {
            graph.source(node.0, kw, kg_per_kwh);
        }
        graph
    }

    /// Adds a branch with the power (kW) leaving each end into it; returns its index.
    pub fn branch(&mut self, from: usize, to: usize, from_kw: f64, to_kw: f64) -> usize {
        self.branches.push(BranchFlow { from, to, from_kw, to_kw });
        self.branches.len() - 1
    }

    /// Adds a branch without losses; returns its index.
    pub fn lossless_branch(&mut self, from: usize, to: usize, kw: f64) -> usize {
        self.branch(from, to, kw, -kw)
    }

    /// Adds a source; returns its index.
    pub fn source(&mut self, node: usize, kw: f64, kg_per_kwh: f64) -> usize {
        self.sources.push(Source { node, kw, kg_per_kwh });
        self.sources.len() - 1
    }

    /// Adds the internal node of a participant that draws `withdrawal_kw` (negative: exports) at `connection`.
    ///
    /// What is joined here no longer belongs to the connection point: leave the participant's sources and load out
    /// there, and give its sources to [`Member::node`]. Its load (storage that charges included) is what is left there.
    pub fn join_member(&mut self, connection: usize, withdrawal_kw: f64) -> Member {
        let node = self.nodes();
        self.loads_kw.push(None);
        let branch = self.lossless_branch(connection, node, withdrawal_kw);
        Member { node, branch, connection }
    }

    /// Number of nodes.
    pub fn nodes(&self) -> usize {
        self.loads_kw.len()
    }
}
