//! What enters the network at its nodes.

use crate::network::{BusKind, Network, NodeId};

use super::error::PowerFlowError;

/// Net injection (generation less load) at every node.
///
/// At a slack node this is everything *but* the slack itself, whose supply is a result; at a PV node the reactive part
/// is a result and what stands here is not used. Shunts are part of the network.
#[derive(Debug, Clone, PartialEq)]
pub struct Injections {
    /// Active, kW, by node.
    pub p_kw: Vec<f64>,
    /// Reactive, kvar, by node.
    pub q_kvar: Vec<f64>,
}

impl Injections {
    /// The network as the file has it: scheduled generators in service less loads, without the generators at slack
    /// nodes, which are the slack.
    pub fn of(network: &Network) -> Self {
        let mut injections = Self::loads_of(network);
        for g in network.generators.iter().filter(|g| g.in_service && network.bus(g.node).kind != BusKind::Slack) {
            injections.add(g.node, g.p_kw, g.q_kvar);
        }
        injections
    }

    /// The network's own loads without any generator.
    pub fn loads_of(network: &Network) -> Self {
        Self {
            p_kw: network.buses.iter().map(|bus| 0.0 - bus.p_load_kw).collect(),
            q_kvar: network.buses.iter().map(|bus| 0.0 - bus.q_load_kvar).collect(),
        }
    }

    /// Nothing anywhere.
    pub fn none(network: &Network) -> Self {
        Self { p_kw: vec![0.0; network.buses.len()], q_kvar: vec![0.0; network.buses.len()] }
    }

    /// Adds an injection at a node; a load is negative.
    ///
    /// # Panics
    /// If the node is not of the network these injections are for.
    pub fn add(&mut self, node: NodeId, p_kw: f64, q_kvar: f64) {
        self.p_kw[node.0] += p_kw;
        self.q_kvar[node.0] += q_kvar;
    }

    /// Whether there is one finite pair for every bus.
    pub(super) fn check(&self, network: &Network) -> Result<(), PowerFlowError> {
        let expected = network.buses.len();
        for found in [self.p_kw.len(), self.q_kvar.len()] {
            if found != expected {
                return Err(PowerFlowError::InjectionCount { expected, found });
            }
        }
        let bad = self.p_kw.iter().zip(&self.q_kvar).position(|(p, q)| !(p.is_finite() && q.is_finite()));
        match bad {
            Some(at) => Err(PowerFlowError::InjectionNotFinite { bus: network.buses[at].id }),
            None => Ok(()),
        }
    }
}
