//! A radial network inside a program, so that whoever is in the program meets its losses, voltages and limits.

use super::feeder::Feeder;
use crate::network::{Network, NodeId};
use crate::opf::OpfError;
use crate::program::{Expr, Program, Row, Solution, Var};

/// What somebody takes out of the network at a node, as expressions of the program's variables.
#[derive(Clone, Debug)]
pub struct Withdrawal {
    /// The node.
    pub node: NodeId,
    /// Active power, kW; negative is a delivery.
    pub active_kw: Expr,
    /// Reactive power, kvar.
    pub reactive_kvar: Expr,
}

/// One period of a radial network: the branch-flow equations with losses, voltage limits, ratings at both ends and limits of
/// angles.
///
/// The import is a variable without a cost: whoever builds the program prices it. A branch carries at most twice what the
/// buses behind it can want or give; that bound is far from any sensible flow and only keeps the program finite.
#[derive(Clone, Debug)]
pub struct NetworkBlock {
    /// Active import over all slacks, kW.
    pub import_kw: Var,
    /// Reactive import over all slacks, kvar.
    pub import_kvar: Var,
    /// Balance of active power by node; `None` where no closed path leads to a slack. Its dual is the worth of a kW more
    /// of load, for the length of the period.
    pub active: Vec<Option<Row>>,
    /// Balance of reactive power by node.
    pub reactive: Vec<Option<Row>>,
    /// Squared voltage by node, pu; `None` at slacks, where it is held, and where there is none.
    pub square_voltage: Vec<Option<Var>>,
    /// Squared voltage of slacks.
    pub(super) held: Vec<Option<f64>>,
    pub(super) feeder: Feeder,
    /// By position: flows of the branch above at its sending end, and powers at its two terminals where it has a rating.
    pub(super) flows: Vec<Option<(Var, Var)>>,
    pub(super) terminals: Vec<Option<[(Var, Var); 2]>>,
    /// By position: rows of the lower and the upper limit of the angle across the branch above.
    pub(super) angles: Vec<[Option<Row>; 2]>,
}

impl NetworkBlock {
    /// Writes the network's equations for a period with the given own loads (kW, kvar by node).
    ///
    /// # Errors
    /// A network that is meshed or contradicts itself, loads for another one, a withdrawal at an isolated node.
    pub fn build(
        program: &mut Program,
        network: &Network,
        period: usize,
        load_kw: &[f64],
        load_kvar: &[f64],
        withdrawals: &[Withdrawal],
    ) -> Result<Self, OpfError> {
        program.block(|program| Self::write(program, network, period, load_kw, load_kvar, withdrawals))
    }

    fn write(
        program: &mut Program,
        network: &Network,
        period: usize,
        load_kw: &[f64],
        load_kvar: &[f64],
        withdrawals: &[Withdrawal],
    ) -> Result<Self, OpfError> {
        let nodes = network.buses.len();
        for found in [load_kw.len(), load_kvar.len()] {
            if found != nodes {
                return Err(OpfError::LoadCount { expected: nodes, found });
            }
        }
        let feeder = Feeder::new(network, network.base_kva())?;
        let base = feeder.base_kva;
        let n = feeder.len();
        let (mut active, mut reactive) = (vec![Expr::default(); n], vec![Expr::default(); n]);
        let (mut reach_p, mut reach_q) = (vec![0.0; n], vec![0.0; n]);
        for k in 0..n {
            let node = feeder.node[k].0;
            let v = if feeder.v_max[k].is_finite() { feeder.v_max[k] } else { 4.0 };
            reach_p[k] = load_kw[node].abs() + feeder.g[k].abs() * base * v;
            reach_q[k] = load_kvar[node].abs() + feeder.b[k].abs() * base * v;
        }
        for w in withdrawals {
            let Some(k) = feeder.position.get(w.node.0).copied().flatten() else {
                return Err(OpfError::Isolated { bus: network.buses.get(w.node.0).map_or(0, |b| b.id) });
            };
            for (balance, reach, taken) in
                [(&mut active, &mut reach_p, &w.active_kw), (&mut reactive, &mut reach_q, &w.reactive_kvar)]
            {
                let (low, high) = program.range(taken);
                reach[k] += low.abs().max(high.abs());
                balance[k].add(-1.0, taken);
            }
        }
        for k in (feeder.roots..n).rev() {
            let parent = feeder.branch[k].parent;
            reach_p[parent] += reach_p[k];
            reach_q[parent] += reach_q[k];
        }
        let flow = |program: &mut Program, k: usize| {
            // Losses make reactive flow where there is none, and the other way round: both get the whole.
            let most = 2.0 * (reach_p[k] + reach_q[k]) + 1e-3 * base;
            program.var(-most, most)
        };
        program.scope("network");
        let most: f64 = (0..feeder.roots).map(|k| 2.0 * (reach_p[k] + reach_q[k]) + 1e-3 * base).sum();
        let mut block = Self {
            import_kw: program.var(-most, most),
            import_kvar: program.var(-most, most),
            active: vec![None; nodes],
            reactive: vec![None; nodes],
            square_voltage: vec![None; nodes],
            held: vec![None; nodes],
            flows: vec![None; n],
            terminals: vec![None; n],
            angles: vec![[None; 2]; n],
            feeder,
        };
        let feeder = &block.feeder;
        let mut voltage = vec![None; n];
        let mut imports = (Expr::default(), Expr::default());
        for k in 0..n {
            program.scope(format!("bus {}", network.bus(feeder.node[k]).id));
            if k < feeder.roots {
                block.held[feeder.node[k].0] = Some(feeder.v_root[k]);
                let (p, q) = (flow(program, k), flow(program, k));
                active[k].add(1.0, p).add(-feeder.g[k] * base * feeder.v_root[k], Expr::constant(1.0));
                reactive[k].add(1.0, q).add(feeder.b[k] * base * feeder.v_root[k], Expr::constant(1.0));
                imports.0.add(1.0, p);
                imports.1.add(1.0, q);
                continue;
            }
            let (p, q) = (flow(program, k), flow(program, k));
            let high = if feeder.v_max[k].is_finite() { feeder.v_max[k] } else { 4.0 };
            let v = program.var(feeder.v_min[k].max(0.01), high);
            let parent = feeder.branch[k].parent;
            active[k].add(1.0, p).add(-feeder.g[k] * base, v);
            active[parent].add(-1.0, p);
            reactive[k].add(1.0, q).add(feeder.b[k] * base, v);
            reactive[parent].add(-1.0, q);
            block.flows[k] = Some((p, q));
            voltage[k] = Some(v);
            block.square_voltage[feeder.node[k].0] = Some(v);
        }
        program.scope("network");
        program.equal(imports.0.plus(-1.0, block.import_kw), 0.0, "active import", Some(period));
        program.equal(imports.1.plus(-1.0, block.import_kvar), 0.0, "reactive import", Some(period));
        let mut rows = vec![];
        for k in 0..n {
            let node = feeder.node[k];
            program.scope(format!("bus {}", network.bus(node).id));
            let (p, q) = (std::mem::take(&mut active[k]), std::mem::take(&mut reactive[k]));
            let p = program.equal(p, load_kw[node.0], "active power balance", Some(period));
            let q = program.equal(q, load_kvar[node.0], "reactive power balance", Some(period));
            block.active[node.0] = Some(p);
            block.reactive[node.0] = Some(q);
            rows.push((p, q));
        }
        for k in feeder.roots..n {
            let line = &feeder.branch[k];
            let ends = network.ends(&network.branches[line.index]);
            let bus = network.bus(feeder.node[k]);
            // Where the voltage that this row makes cannot be had, the limit that says so is what a reader looks for.
            let behind = format!("branch {}-{}", ends.from, ends.to);
            program.scope(format!("bus {} behind {behind}, limits {} to {} pu", bus.id, bus.v_min_pu, bus.v_max_pu));
            let ((p, q), v) = (block.flows[k].expect("set above"), voltage[k].expect("set above"));
            let above = voltage[line.parent];
            let mut drop = Expr::from(v).times(line.down).plus(2.0 * line.r / base, p).plus(2.0 * line.x / base, q);
            match above {
                Some(above) => drop.add(-line.up, above),
                None => drop.add(-line.up * feeder.v_root[line.parent], Expr::constant(1.0)),
            };
            let drop = program.equal(drop, 0.0, "squared voltage", Some(period));
            let mut effect =
                vec![(rows[k].0, -line.r / base), (rows[k].1, -line.x / base), (drop, -line.z2() / (base * base))];
            for (side, limit) in line.angle_limits().into_iter().enumerate() {
                let Some(limit) = limit else { continue };
                program.scope(format!("{behind}, limits of its angle"));
                let mut inside = Expr::from(p).times(limit.p / base).plus(limit.q / base, q);
                match above {
                    Some(above) => inside.add(limit.v, above),
                    None => inside.add(limit.v * feeder.v_root[line.parent], Expr::constant(1.0)),
                };
                let row = program.at_most(inside.times(-1.0), 0.0, "angle, pu", Some(period));
                block.angles[k][side] = Some(row);
            }
            if let Some(limit) = line.limit.map(|s| s * base) {
                program.scope(format!("{behind}, limit {limit} kVA"));
                let charged =
                    |v: Option<Var>, held: f64, by: f64| v.map_or(Expr::constant(held), Expr::from).times(by * base);
                let up = charged(above, feeder.v_root.get(line.parent).copied().unwrap_or(1.0), -line.charging_up);
                let down = charged(Some(v), 1.0, line.charging_down);
                let ends = [(up, (0.0, 0.0)), (down, (line.r / base, line.x / base))];
                let ends = ends.map(|(charge, losses)| {
                    // The box stays clear of the disc: where both are active they depend on each other.
                    let (a, b) = (program.var(-2.0 * limit, 2.0 * limit), program.var(-2.0 * limit, 2.0 * limit));
                    for (at, flow, charge, loss) in [(a, p, Expr::default(), losses.0), (b, q, charge, losses.1)] {
                        let at_end = Expr::from(flow).plus(1.0, charge).plus(-1.0, at);
                        let row = program.equal(at_end, 0.0, "rating", Some(period));
                        if loss != 0.0 {
                            effect.push((row, -loss));
                        }
                    }
                    program.within_disc(a, b, limit);
                    (a, b)
                });
                block.terminals[k] = Some(ends);
            }
            let divisor = above
                .map_or((None, line.up * feeder.v_root.get(line.parent).copied().unwrap_or(1.0)), |above| {
                    (Some(above), line.up)
                });
            program.squared_current(p, q, divisor, &effect);
        }
        Ok(block)
    }

    /// Voltage magnitude at a node, pu; `None` where no closed path leads to a slack.
    pub fn voltage_pu(&self, solution: &Solution, node: NodeId) -> Option<f64> {
        self.square_voltage[node.0].map(|v| solution.value(v)).or(self.held[node.0]).map(f64::sqrt)
    }

    /// Worth of one kW more of load at a node for the whole period; divide by its hours for a price per kWh.
    pub fn price(&self, solution: &Solution, node: NodeId) -> Option<f64> {
        self.active[node.0].map(|row| solution.dual(row))
    }
}
