//! Tracing: intensities, carbon flows, shares of the sources, and prices of carbon downstream.

use super::{
    CarbonFlowError, FlowGraph, Source,
    orient::{Oriented, orient},
    system::System,
};
use serde::{Deserialize, Serialize};

/// Who bears the carbon of network losses. On lossless flows both rules coincide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum LossRule {
    /// Losses are an account of their own:
    /// `sum e P = sum w d + sum over branches w_sending (P_sent - P_received)`, and `min e <= w <= max e`.
    #[default]
    Explicit,
    /// Branches deliver the carbon of what was sent, so that `sum e P = sum w d`; `w` grows along feeders and may exceed
    /// every `e`. Losses on the way to no load are borne where that way branches off.
    LoadsPay,
}

/// The carbon emission flow of one instant. Vectors follow the nodes, branches and sources of the graph.
#[derive(Debug, Clone)]
pub struct CarbonFlow {
    /// Nodal intensity `w_n` (kg/kWh). `None`: no throughflow, or a circulation that no source feeds; under
    /// [`LossRule::LoadsPay`] also a node from which no load is reached. It is never 0 for want of a value.
    pub intensity_kg_per_kwh: Vec<Option<f64>>,
    /// Power through each node (kW), counted at receiving ends.
    pub throughflow_kw: Vec<f64>,
    /// Consumption of each node (kW), consuming sources included.
    pub load_kw: Vec<f64>,
    /// Carbon of that consumption, `w_n d_n` (kg/h).
    pub load_kg_per_h: Vec<f64>,
    /// The sources traced: those of the graph in its order (consuming ones with 0 kW), then negative loads by node.
    pub sources: Vec<Source>,
    /// Carbon each of them brings, `e P` (kg/h).
    pub source_kg_per_h: Vec<f64>,
    /// Carbon drawn by each consuming source (kg/h), a part of `load_kg_per_h`: what a slack exports leaves with it.
    pub drawn_kg_per_h: Vec<f64>,
    /// Carbon flow at both ends of each branch.
    pub branches: Vec<BranchCarbon>,
    /// Groups of nodes in which power runs in circles without coming from any source; they have no intensity.
    pub circulations: Vec<Vec<usize>>,
    /// Source carbon that no load can be charged with under [`LossRule::LoadsPay`] (kg/h): generation lost on the way
    /// to no load. Under [`LossRule::Explicit`] it is in the branches.
    pub stranded_kg_per_h: f64,
    system: System,
    generation_kw: Vec<f64>,
    lost_kw: Vec<f64>,
    rule: LossRule,
}

/// Carbon flow of a branch (kg/h), signed as its power.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct BranchCarbon {
    /// Carbon leaving `from` into the branch.
    pub from_kg_per_h: f64,
    /// Carbon leaving `to` into the branch.
    pub to_kg_per_h: f64,
    /// What stays in the branch: the sum of both.
    pub loss_kg_per_h: f64,
}

/// Traces the carbon of all sources through the graph: one pass in flow order, and an elimination where flows run in
/// circles.
///
/// # Errors
/// Numbers that are not finite, indices out of range, branches that generate, nodes out of balance.
/// A circulation without a source is an answer, not an error.
pub fn trace(graph: &FlowGraph, rule: LossRule) -> Result<CarbonFlow, CarbonFlowError> {
    let oriented = orient(graph)?;
    let system = System::new(&oriented, rule);
    let source_kg_per_h: Vec<f64> = oriented.sources.iter().map(|s| s.kw * s.kg_per_kwh).collect();
    let mut w = vec![0.0; graph.nodes()];
    let mut stranded_kg_per_h = 0.0;
    for (source, kg_per_h) in oriented.sources.iter().zip(&source_kg_per_h) {
        if system.live[source.node] {
            w[source.node] += kg_per_h;
        } else {
            stranded_kg_per_h += kg_per_h;
        }
    }
    system.solve(&mut w);
    let intensity_kg_per_kwh: Vec<Option<f64>> =
        w.iter().zip(&system.live).map(|(&w, live)| live.then_some(w)).collect();
    let weight = |node: usize| intensity_kg_per_kwh[node].unwrap_or(0.0);

    let branches = branch_carbon(graph, &oriented, &system, rule, weight);
    let load_kg_per_h = oriented.load_kw.iter().enumerate().map(|(node, kw)| weight(node) * kw).collect();
    let drawn_kg_per_h = graph.sources.iter().map(|s| weight(s.node) * (-s.kw).max(0.0)).collect();
    let mut lost_kw = vec![0.0; graph.nodes()];
    for through in &oriented.throughs {
        lost_kw[through.tail] += through.sent_kw - through.received_kw;
    }
    for end in &oriented.dead_ends {
        lost_kw[end.node] += end.kw;
    }
    Ok(CarbonFlow {
        intensity_kg_per_kwh,
        throughflow_kw: oriented.throughflow_kw,
        load_kw: oriented.load_kw,
        load_kg_per_h,
        sources: oriented.sources,
        source_kg_per_h,
        drawn_kg_per_h,
        branches,
        circulations: system.circulations.clone(),
        stranded_kg_per_h,
        system,
        generation_kw: oriented.generation_kw,
        lost_kw,
        rule,
    })
}

impl CarbonFlow {
    /// Carbon brought by all sources (kg/h).
    pub fn total_source_kg_per_h(&self) -> f64 {
        self.source_kg_per_h.iter().sum()
    }

    /// Carbon of all consumption, exports by consuming sources included (kg/h).
    pub fn total_load_kg_per_h(&self) -> f64 {
        self.load_kg_per_h.iter().sum()
    }

    /// Carbon that no load bears (kg/h): losses under [`LossRule::Explicit`], and what is stranded.
    pub fn total_loss_kg_per_h(&self) -> f64 {
        self.branches.iter().map(|b| b.loss_kg_per_h).sum::<f64>() + self.stranded_kg_per_h
    }

    /// Average intensity of the power of all sources (kg/kWh); `None` if nothing produces.
    pub fn system_average_kg_per_kwh(&self) -> Option<f64> {
        let generation_kw: f64 = self.generation_kw.iter().sum();
        (generation_kw > 0.0).then(|| self.total_source_kg_per_h() / generation_kw)
    }

    /// Share of each source in the power of each node: row `n`, column as in [`CarbonFlow::sources`].
    ///
    /// Under [`LossRule::Explicit`] rows sum to 1 and `w_n = sum of share e`. Under [`LossRule::LoadsPay`] a row is kW
    /// generated per kW consumed and sums to more than 1 by the losses borne. A node without intensity has `None`.
    pub fn shares(&self) -> Vec<Option<Vec<f64>>> {
        let nodes = self.throughflow_kw.len();
        let mut rows: Vec<Option<Vec<f64>>> =
            self.system.live.iter().map(|live| live.then(|| vec![0.0; self.sources.len()])).collect();
        let mut column = vec![0.0; nodes];
        for (k, source) in self.sources.iter().enumerate() {
            column.fill(0.0);
            if self.system.live[source.node] {
                column[source.node] = source.kw;
                self.system.solve(&mut column);
            }
            for (row, share) in rows.iter_mut().zip(&column) {
                if let Some(row) = row {
                    row[k] = *share;
                }
            }
        }
        rows
    }

    /// Downstream carbon price `y_n`: what one unit of carbon more entering node `n` is charged on its way, if loads
    /// pay `node_price` (one per node) and losses `loss_price` (ignored where loads pay for losses).
    ///
    /// It solves the transposed system, `P_N(n) y_n = price_n d_n + sum over n -> m of y_m P_received + loss_price
    /// (losses leaving n)`, so that `sum price w d + loss_price (loss carbon) = sum over sources of y e P`. Any unit of
    /// price; the answer has the same. Nodes without intensity have `None`.
    ///
    /// # Errors
    /// A vector of the wrong length; a price that is not finite.
    pub fn downstream_price(&self, node_price: &[f64], loss_price: f64) -> Result<Vec<Option<f64>>, CarbonFlowError> {
        let nodes = self.throughflow_kw.len();
        if node_price.len() != nodes {
            return Err(CarbonFlowError::Length { expected: nodes, found: node_price.len() });
        }
        let loss_price = match self.rule {
            LossRule::Explicit => loss_price,
            LossRule::LoadsPay => 0.0,
        };
        let mut y: Vec<f64> =
            (0..nodes)
                .map(|n| {
                    if self.system.live[n] {
                        node_price[n] * self.load_kw[n] + loss_price * self.lost_kw[n]
                    } else {
                        0.0
                    }
                })
                .collect();
        if let Some(node) = y.iter().position(|y| !y.is_finite()) {
            return Err(CarbonFlowError::NodeNotFinite { node });
        }
        self.system.solve_transposed(&mut y);
        Ok(y.into_iter().zip(&self.system.live).map(|(y, live)| live.then_some(y)).collect())
    }
}

fn branch_carbon(
    graph: &FlowGraph,
    oriented: &Oriented,
    system: &System,
    rule: LossRule,
    weight: impl Fn(usize) -> f64,
) -> Vec<BranchCarbon> {
    let mut branches = vec![BranchCarbon::default(); graph.branches.len()];
    for through in &oriented.throughs {
        let (sent, received) = match rule {
            LossRule::Explicit => (through.sent_kw, through.received_kw),
            LossRule::LoadsPay if system.live[through.head] => (through.sent_kw, through.sent_kw),
            LossRule::LoadsPay => (0.0, 0.0),
        };
        let w = weight(through.tail);
        let carbon = &mut branches[through.branch];
        if graph.branches[through.branch].from == through.tail {
            (carbon.from_kg_per_h, carbon.to_kg_per_h) = (w * sent, -w * received);
        } else {
            (carbon.from_kg_per_h, carbon.to_kg_per_h) = (-w * received, w * sent);
        }
        carbon.loss_kg_per_h = w * (sent - received);
    }
    if rule == LossRule::Explicit {
        for end in &oriented.dead_ends {
            let kg_per_h = weight(end.node) * end.kw;
            let carbon = &mut branches[end.branch];
            if graph.branches[end.branch].from == end.node {
                carbon.from_kg_per_h = kg_per_h;
            } else {
                carbon.to_kg_per_h = kg_per_h;
            }
            carbon.loss_kg_per_h += kg_per_h;
        }
    }
    branches
}
