//! Backward-forward sweep on a forest.
//!
//! Backward, leaf to root: the current that each branch must deliver, J_j = (s_j/V_j)* + y_j V_j + Σ J_children.
//! Forward, root to leaf: the voltage that is left. Branches are chain matrices, so taps, phase shifts and charging
//! need no special case. Convergence is linear; a few sweeps to full precision on healthy feeders.

use crate::network::{Network, Topology};

use super::admittance::{Chain, shunts};
use super::complex::Complex;

/// A relative change of voltage that is round-off.
const TOLERANCE: f64 = 1e-14;
/// Newton's method is quicker by then.
const MAX_SWEEPS: usize = 80;

/// A radial network laid out in sweep order, parents before children.
#[derive(Debug, Clone)]
pub(super) struct Sweep {
    /// Node of each place.
    node: Vec<usize>,
    /// Place of the parent; a root is its own.
    parent: Vec<usize>,
    /// Branch to the parent, and whether it is written parent to child. `None` at roots.
    branch: Vec<Option<(usize, bool)>>,
    chain: Vec<Chain>,
    shunt: Vec<Complex>,
    start: Vec<Complex>,
    roots: usize,
}

/// Voltages and branch currents after some sweeps, by place.
pub(super) struct State {
    pub voltage: Vec<Complex>,
    /// Current into the branch towards this place at the parent's end.
    near: Vec<Complex>,
    /// Current out of it at this place.
    far: Vec<Complex>,
}

impl Sweep {
    /// Lays out a radial network; voltages by node are those of the roots spread over their trees.
    pub(super) fn new(network: &Network, topology: &Topology, start: &[Complex]) -> Self {
        let order = topology.order();
        let mut place = vec![usize::MAX; network.buses.len()];
        for (k, node) in order.iter().enumerate() {
            place[node.0] = k;
        }
        let none = Chain { a: Complex::ONE, b: Complex::ZERO, c: Complex::ZERO, d: Complex::ONE };
        let shunt = shunts(network);
        let mut sweep = Self {
            node: order.iter().map(|node| node.0).collect(),
            parent: Vec::with_capacity(order.len()),
            branch: Vec::with_capacity(order.len()),
            chain: Vec::with_capacity(order.len()),
            shunt: order.iter().map(|node| shunt[node.0]).collect(),
            start: order.iter().map(|node| start[node.0]).collect(),
            roots: network.slacks().count(),
        };
        for (k, node) in order.iter().enumerate() {
            match topology.parent(*node) {
                None => {
                    sweep.parent.push(k);
                    sweep.branch.push(None);
                    sweep.chain.push(none);
                }
                Some(parent) => {
                    let branch = &network.branches[parent.branch];
                    let along = branch.to == *node;
                    sweep.parent.push(place[parent.node.0]);
                    sweep.branch.push(Some((parent.branch, along)));
                    sweep.chain.push(if along { Chain::along(branch) } else { Chain::against(branch) });
                }
            }
        }
        sweep
    }

    pub(super) fn begin(&self) -> State {
        let n = self.node.len();
        State { voltage: self.start.clone(), near: vec![Complex::ZERO; n], far: vec![Complex::ZERO; n] }
    }

    /// One sweep; returns the greatest change of a voltage and the greatest power mismatch it leaves, pu.
    pub(super) fn step(&self, state: &mut State, injection: &[Complex]) -> (f64, f64) {
        let State { voltage, near, far } = state;
        for k in 0..self.node.len() {
            far[k] = self.shunt[k] * voltage[k] - (injection[self.node[k]] / voltage[k]).conj();
        }
        for k in (self.roots..self.node.len()).rev() {
            let chain = &self.chain[k];
            near[k] = chain.c * voltage[k] + chain.d * far[k];
            far[self.parent[k]] += near[k];
        }
        let (mut change, mut mismatch) = (0.0_f64, 0.0_f64);
        for k in self.roots..self.node.len() {
            let chain = &self.chain[k];
            let new = (voltage[self.parent[k]] - chain.b * far[k]) / chain.a;
            let relative = ((new - voltage[k]).square_norm() / new.square_norm()).sqrt();
            // max would hide NaN.
            change = if relative > change || relative.is_nan() { relative } else { change };
            mismatch = mismatch.max(injection[self.node[k]].norm() * relative);
            voltage[k] = new;
        }
        (change, mismatch)
    }

    /// Sweeps until nothing moves; the number of sweeps and the mismatch. `None` if that does not happen soon.
    pub(super) fn solve(&self, injection: &[Complex]) -> Option<(State, usize, f64)> {
        let mut state = self.begin();
        let mut before = f64::INFINITY;
        for sweep in 1..=MAX_SWEEPS {
            let (change, mismatch) = self.step(&mut state, injection);
            // The floor of round-off lies a little above the tolerance on long feeders.
            if change <= TOLERANCE || (change < 1e-12 && change >= before) {
                return Some((state, sweep, mismatch));
            }
            if change.is_nan() || change > 1e3 {
                return None;
            }
            before = change;
        }
        None
    }

    /// The voltages by node; isolated nodes stay 0.
    pub(super) fn voltages(&self, state: &State, nodes: usize) -> Vec<Complex> {
        let mut by_node = vec![Complex::ZERO; nodes];
        for (k, node) in self.node.iter().enumerate() {
            by_node[*node] = state.voltage[k];
        }
        by_node
    }

    /// Each closed branch with the power into it at its sending and receiving end, pu.
    pub(super) fn branch_powers<'a>(
        &'a self,
        state: &'a State,
    ) -> impl Iterator<Item = (usize, Complex, Complex)> + 'a {
        (self.roots..self.node.len()).filter_map(move |k| {
            let (branch, along) = self.branch[k]?;
            // The near current was taken at the voltage before the last step; take it again at the last.
            let chain = &self.chain[k];
            let near_current = chain.c * state.voltage[k] + chain.d * state.far[k];
            let near = state.voltage[self.parent[k]] * near_current.conj();
            let far = -(state.voltage[k] * state.far[k].conj());
            Some(if along { (branch, near, far) } else { (branch, far, near) })
        })
    }

    /// Sum of |J|²·r over the branches with the currents of the last backward sweep, pu; for tests of the sweep.
    #[cfg(test)]
    pub(super) fn series_loss(&self, state: &State, network: &Network) -> f64 {
        (self.roots..self.node.len())
            .map(|k| state.far[k].square_norm() * network.branches[self.branch[k].unwrap().0].r_pu)
            .sum()
    }
}
