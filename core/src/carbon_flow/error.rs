//! What can be wrong with the flows that somebody wants traced.

use thiserror::Error;

/// A flow graph that cannot be traced. Indices are those of the graph's own lists.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum CarbonFlowError {
    /// A branch ends at a node that does not exist.
    #[error("branch {branch} ends at node {node}, but there are {nodes} nodes")]
    BranchEnd {
        /// Index of the branch.
        branch: usize,
        /// The node it names.
        node: usize,
        /// Number of nodes of the graph.
        nodes: usize,
    },
    /// A branch joins a node to itself.
    #[error("branch {branch} joins node {node} to itself")]
    SelfLoop {
        /// Index of the branch.
        branch: usize,
        /// The node.
        node: usize,
    },
    /// A source stands at a node that does not exist.
    #[error("source {source_index} stands at node {node}, but there are {nodes} nodes")]
    SourceNode {
        /// Index of the source.
        source_index: usize,
        /// The node it names.
        node: usize,
        /// Number of nodes of the graph.
        nodes: usize,
    },
    /// A vector over nodes has the wrong length.
    #[error("expected one number for each of {expected} nodes, found {found}")]
    Length {
        /// Number of nodes.
        expected: usize,
        /// Length found.
        found: usize,
    },
    /// A flow of a branch is not a finite number.
    #[error("a flow of branch {branch} is not a finite number")]
    BranchNotFinite {
        /// Index of the branch.
        branch: usize,
    },
    /// Power or intensity of a source is not a finite number.
    #[error("power or intensity of source {source_index} is not a finite number")]
    SourceNotFinite {
        /// Index of the source.
        source_index: usize,
    },
    /// A number given for a node is not finite.
    #[error("the number given for node {node} is not finite")]
    NodeNotFinite {
        /// The node.
        node: usize,
    },
    /// The threshold is negative or not a finite number.
    #[error("the threshold of {threshold_kw} kW is not a finite, non-negative number")]
    Threshold {
        /// The threshold.
        threshold_kw: f64,
    },
    /// The intensity of negative loads is not a finite number.
    #[error("the intensity of negative loads is not a finite number")]
    NegativeLoadIntensity,
    /// A branch delivers power at both ends: a source without an intensity.
    #[error("branch {branch} receives nothing and delivers {generated_kw} kW")]
    GeneratingBranch {
        /// Index of the branch.
        branch: usize,
        /// What it delivers in sum.
        generated_kw: f64,
    },
    /// More power leaves a node than enters it, and negative loads have no intensity: a source is missing.
    #[error("{missing_kw} kW more leave node {node} than enter it: a source is missing there")]
    MissingSource {
        /// The node.
        node: usize,
        /// What is missing.
        missing_kw: f64,
    },
    /// The given load of a node is not what is left of its inflow.
    #[error("node {node} is out of balance by {excess_kw} kW")]
    Unbalanced {
        /// The node.
        node: usize,
        /// Inflow and generation minus outflow and load.
        excess_kw: f64,
    },
}
