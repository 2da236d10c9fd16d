//! The network: buses, branches, generators; topology; readers.

/// Position of a bus in [`Network`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub usize);

/// A network (placeholder until the model lands).
#[derive(Clone, Debug)]
pub struct Network;
