//! What every lossless formulation makes of a solved program: where the carbon goes, what it answers to, and what
//! part of a price it is.

use crate::carbon_flow::{FlowGraph, LossRule, trace};
use crate::network::{Network, NodeId, Topology};
use crate::program::{Instance, Row, Solution, Template, Var};

use super::carbon::{CarbonPricing, OpfCarbon};
use super::error::OpfError;
use super::response::dual_response;
use super::supply::Supply;

/// A solved program of a network.
pub(super) struct Optimum<'a> {
    pub network: &'a Network,
    pub topology: &'a Topology,
    pub supply: &'a Supply,
    pub template: &'a Template,
    pub instance: &'a Instance,
    pub solution: &'a Solution,
    /// Variables that cost nothing.
    pub costless: Vec<Var>,
    pub rows: &'a [Row],
    /// Active balance by node.
    pub balance: &'a [Option<Row>],
}

impl Optimum<'_> {
    /// Part of the slack's price that its emissions are, per kWh.
    pub fn carbon_at_root(&self, carbon: Option<&CarbonPricing>, root: NodeId) -> f64 {
        let (Some(carbon), Some(row)) = (carbon, self.balance[root.0]) else { return 0.0 };
        let of_generator = self.supply.marginal_kg_per_kwh(root, self.solution.dual(row), self.solution);
        carbon.price_per_kg() * of_generator.unwrap_or(carbon.node_kg_per_kwh[root.0])
    }

    /// Emissions, their flow, and their margin; `flows` are (from, to, kW).
    pub fn carbon(
        &self,
        carbon: &CarbonPricing,
        flows: impl Iterator<Item = (NodeId, NodeId, f64)>,
    ) -> Result<OpfCarbon, OpfError> {
        let mut graph = FlowGraph::new(self.network.buses.len());
        graph.threshold_kw = 1e-9 * self.network.base_kva();
        for (from, to, kw) in flows {
            graph.lossless_branch(from.0, to.0, kw);
        }
        let mut emissions_kg_per_h = self.supply.fixed_kg_per_h;
        for offer in &self.supply.offers {
            let kw = self.solution.value(offer.output_kw());
            emissions_kg_per_h += offer.kg_per_kwh * kw;
            graph.source(offer.node.0, kw, offer.kg_per_kwh);
        }
        for node in self.topology.order().iter().filter(|n| self.network.bus(**n).p_load_kw < 0.0) {
            graph.source(node.0, -self.network.bus(*node).p_load_kw, carbon.node_kg_per_kwh[node.0]);
        }
        let variables: Vec<(Var, f64, f64)> =
            self.supply.variables().chain(self.costless.iter().map(|v| (*v, 0.0, 0.0))).collect();
        let costs: Vec<(Var, f64)> = variables.iter().map(|(v, q, _)| (*v, *q)).collect();
        let weights: Vec<f64> = variables.iter().map(|(_, _, e)| *e).collect();
        let response = dual_response(self.template, self.instance, self.solution, &costs, &weights, self.rows);
        let marginal = |row: &Option<Row>| Some(response.as_ref()?[(*row)?.index()]);
        Ok(OpfCarbon {
            emissions_kg_per_h,
            intensity_kg_per_kwh: trace(&graph, LossRule::Explicit)?.intensity_kg_per_kwh,
            marginal_kg_per_kwh: self.balance.iter().map(marginal).collect(),
        })
    }
}
