//! Prices of a network inside a program, in their parts.
//!
//! The adjoint of the power flow is linear in its sources, so that each source alone (the price at the root, the duals of
//! voltages, of ratings) gives the part of every price that it causes. The duals come from the program's solution.

use super::adjoint::Sources;
use super::block::NetworkBlock;
use super::feeder::FlowState;
use crate::opf::Price;
use crate::program::{Solution, Var};

impl NetworkBlock {
    /// Prices per kWh by node and what they are made of: one adjoint per source. Their sum is [`price`](Self::price) over
    /// the period's `hours`, to the accuracy of the solution; `None` where no closed path leads to a slack.
    ///
    /// `reduced_costs` are those of the whole program at `solution`
    /// ([`Instance::reduced_costs`](crate::program::Instance::reduced_costs)), the same for all its periods, and
    /// `carbon_per_kwh` the part of the price at the root that pays for emissions.
    pub fn prices(
        &self,
        solution: &Solution,
        reduced_costs: &[f64],
        hours: f64,
        carbon_per_kwh: f64,
    ) -> Vec<Option<Price>> {
        let feeder = &self.feeder;
        let (n, base) = (feeder.len(), feeder.base_kva);
        let state = self.state(solution);
        let none = Sources::root(n, 0.0, 0.0);
        let (mut voltage, mut ratings) = (none.clone(), none);
        for k in feeder.roots..n {
            if let Some(v) = self.square_voltage[feeder.node[k].0] {
                voltage.voltage[k] = -reduced_costs[v.index()];
            }
            for (dual, row) in ratings.angle[k].iter_mut().zip(&self.angles[k]) {
                *dual = row.map_or(0.0, |row| -solution.dual(row));
            }
            if let Some([sending, receiving]) = self.terminals[k] {
                // At the rim the multiplier of the disc takes up the reduced costs of its two variables.
                let dual = |(p, q): (Var, Var)| {
                    let (x, y) = (solution.x[p.index()], solution.x[q.index()]);
                    let across = reduced_costs[p.index()] * x + reduced_costs[q.index()] * y;
                    if across < 0.0 { -across / (2.0 * (x * x + y * y)) * base * base } else { 0.0 }
                };
                (ratings.sending[k], ratings.receiving[k]) = (dual(sending), dual(receiving));
            }
        }
        // Money per pu of power for the whole period, as the duals are.
        let unit = base * hours;
        let root = feeder.node.first().map(|node| node.0);
        let dual = |rows: &[Option<_>]| root.and_then(|r| rows[r]).map_or(0.0, |row| solution.dual(row) * base);
        let (active, reactive, carbon) = (dual(&self.active), dual(&self.reactive), carbon_per_kwh * unit);
        let part = |sources: &Sources| feeder.prices(&state, sources).active;
        let of_energy = part(&Sources::root(n, active - carbon, reactive));
        let of_carbon = part(&Sources::root(n, carbon, 0.0));
        let (of_voltage, of_ratings) = (part(&voltage), part(&ratings));
        let mut prices = vec![None; self.active.len()];
        for k in 0..n {
            prices[feeder.node[k].0] = Some(Price {
                energy: (active - carbon) / unit,
                loss: (of_energy[k] - (active - carbon)) / unit,
                congestion: of_ratings[k] / unit,
                voltage: of_voltage[k] / unit,
                carbon: of_carbon[k] / unit,
            });
        }
        prices
    }

    /// Flows and voltages of a solution, in per unit.
    fn state(&self, solution: &Solution) -> FlowState {
        let feeder = &self.feeder;
        let (n, base) = (feeder.len(), feeder.base_kva);
        let mut state = FlowState { p: vec![0.0; n], q: vec![0.0; n], l: vec![0.0; n], ..FlowState::default() };
        state.v = feeder
            .node
            .iter()
            .map(|node| self.square_voltage[node.0].map_or(self.held[node.0].unwrap_or(1.0), |v| solution.x[v.index()]))
            .collect();
        for (k, flow) in self.flows.iter().enumerate() {
            let Some((p, q)) = flow else { continue };
            let line = &feeder.branch[k];
            (state.p[k], state.q[k]) = (solution.x[p.index()] / base, solution.x[q.index()] / base);
            state.l[k] = (state.p[k].powi(2) + state.q[k].powi(2)) / (line.up * state.v[line.parent]);
        }
        state
    }
}
