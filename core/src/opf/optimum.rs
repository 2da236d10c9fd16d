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
        let load_kw = |n: &NodeId| self.network.bus(*n).p_load_kw;
        let offers = &self.supply.offers;
        let offers = offers.iter().map(|offer| (offer.node, self.solution.value(offer.output_kw()), offer.kg_per_kwh));
        let unmetered = self.topology.order().iter().filter(|n| load_kw(n) < 0.0);
        let unmetered = unmetered.map(|n| (*n, -load_kw(n), carbon.node_kg_per_kwh[n.0]));
        let emissions_kg_per_h =
            offers.clone().fold(self.supply.fixed_kg_per_h, |sum, (_, kw, kg_per_kwh)| sum + kg_per_kwh * kw);
        let branches = flows.map(|(from, to, kw)| (from, to, kw, -kw));
        let graph = FlowGraph::of(self.network, branches, offers.chain(unmetered));
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
