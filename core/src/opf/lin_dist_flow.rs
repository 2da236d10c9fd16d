//! LinDistFlow OPF: the cheapest dispatch of a radial network with losses left out, but voltages kept within limits.
//!
//! ```text
//! sum of p_g at k + P_k - sum P_c - G_k v_k = d_k      : Lambda_k      v_k = v_i - 2 (r P_k + x Q_k) within limits
//! sum of q_g at k + Q_k - sum Q_c + B_k v_k = d^q_k                    P_k^2 + Q_k^2 <= S_k^2
//! ```
//!
//! for the branch to `k` from its parent `i`, children `c` (Baran and Wu 1989). Without shunts the price is
//! `Lambda_n = Lambda_0 + sum_j 2 (mu_low_j - mu_up_j) R_jn + sum over the path of the limit duals`. Limits of apparent power
//! are kept by tangents, added where they are missed until none is.

use crate::network::{Network, NodeId, Topology};
use crate::program::{Certificate, Expr, Instance, Program, Row, Solution, Template, Var};

use super::ac::refuse_reactive_terms;
use super::carbon::{CarbonPricing, OpfCarbon};
use super::error::OpfError;
use super::optimum::Optimum;
use super::prices::Price;
use super::radial::Line;
use super::slack::SlackVoltage;
use super::supply::Supply;

/// Apparent power beyond a limit, relative to it, that keeps it.
const WITHIN: f64 = 1e-9;
/// An angle between tangents halves from round to round.
const MOST_ROUNDS: usize = 40;

/// An optimal dispatch in the LinDistFlow model. Vectors follow the generators, buses and branches of the network.
#[derive(Debug, Clone, PartialEq)]
pub struct LinDistOpf {
    /// Cost per hour, carbon included.
    pub objective_per_h: f64,
    /// Active output of each generator, kW; 0 where it is out of service or not energised.
    pub generation_kw: Vec<f64>,
    /// Its reactive output, kvar.
    pub generation_kvar: Vec<f64>,
    /// Voltage magnitude, pu; `None` at isolated nodes.
    pub voltage_pu: Vec<Option<f64>>,
    /// Active flow from the sending to the receiving end, kW.
    pub branch_kw: Vec<f64>,
    /// Reactive flow, kvar.
    pub branch_kvar: Vec<f64>,
    /// Prices of active power and their parts; `None` at isolated nodes.
    pub prices: Vec<Option<Price>>,
    /// Prices of reactive power, per kvarh.
    pub reactive_price_per_kvarh: Vec<Option<f64>>,
    /// Dual of the upper less that of the lower voltage limit, money per hour and pu of squared voltage.
    pub voltage_dual_per_h: Vec<f64>,
    /// What one more kVA of a branch limit would save, per kVAh; 0 where it does not bind.
    pub congestion_per_kvah: Vec<f64>,
    /// Emissions; `None` where no intensities were given.
    pub carbon: Option<OpfCarbon>,
    /// Proof of optimality: gap in money per hour.
    pub certificate: Certificate,
}

/// Solves the LinDistFlow OPF.
///
/// # Errors
/// See [`OpfError`]; an infeasible network names the buses and branches where something cannot hold.
pub fn lin_dist_opf(
    network: &Network,
    carbon: Option<&CarbonPricing>,
    slack: SlackVoltage,
) -> Result<LinDistOpf, OpfError> {
    network.check()?;
    if let Some(carbon) = carbon {
        carbon.check(network)?;
    }
    let topology = Topology::new(network);
    if !topology.is_radial() {
        return Err(OpfError::Meshed);
    }
    let mut tangents = vec![];
    for _ in 0..MOST_ROUNDS {
        let model = Model::build(network, &topology, carbon, slack, &tangents)?;
        let instance = model.template.instance();
        let solution = instance.solve()?;
        model.supply.check_ends(network, &solution)?;
        let before = tangents.len();
        for (k, (p, q)) in model
            .arm
            .iter()
            .filter_map(|arm| *arm)
            .map(|arm| (arm.branch, (solution.x[arm.p.index()], solution.x[arm.q.index()])))
        {
            let Some(kva) = network.branches[k].rate_kva else { continue };
            if p.hypot(q) > kva * (1.0 + WITHIN) {
                tangents.push(Tangent { branch: k, kva, angle: q.atan2(p) });
            }
        }
        if tangents.len() == before {
            return model.answer(network, &topology, carbon, &tangents, &instance, &solution);
        }
    }
    Err(OpfError::Tangents { rounds: MOST_ROUNDS })
}

/// `P cos + Q sin <= kva`.
#[derive(Clone, Copy)]
struct Tangent {
    branch: usize,
    kva: f64,
    angle: f64,
}

/// The branch from a node to its parent, flows towards the node.
#[derive(Clone, Copy)]
struct Arm {
    branch: usize,
    along: bool,
    p: Var,
    q: Var,
}

struct Model {
    supply: Supply,
    /// Reactive output by generator.
    reactive: Vec<Option<Var>>,
    /// Squared voltage x power base, kVA, by node.
    voltage: Vec<Option<Var>>,
    arm: Vec<Option<Arm>>,
    active_row: Vec<Option<Row>>,
    reactive_row: Vec<Option<Row>>,
    limit_row: Vec<Option<Row>>,
    /// Branch, what a kW adds to the room of the angle, and the row, for each limit of an angle.
    angle_row: Vec<(usize, f64, Row)>,
    rows: Vec<Row>,
    costless: Vec<Var>,
    template: Template,
}

impl Model {
    fn build(
        network: &Network,
        topology: &Topology,
        carbon: Option<&CarbonPricing>,
        slack: SlackVoltage,
        tangents: &[Tangent],
    ) -> Result<Self, OpfError> {
        let base = network.base_kva();
        let buses = network.buses.len();
        let mut supply = Supply::new(network, topology, carbon)?;
        refuse_reactive_terms(network, &supply)?;
        let reach_kvar = reactive_reach(network, topology);
        let mut program = Program::new();
        supply.build(network, &mut program);
        let (mut net_p, mut net_q) = (vec![Expr::default(); buses], vec![Expr::default(); buses]);
        let mut reactive = vec![None; network.generators.len()];
        let mut costless = vec![];
        for offer in &supply.offers {
            let g = &network.generators[offer.generator];
            let finite = |q: f64| if q.is_infinite() { reach_kvar.copysign(q) } else { q };
            let q = program.var(finite(g.q_min_kvar), finite(g.q_max_kvar));
            reactive[offer.generator] = Some(q);
            costless.push(q);
            net_p[offer.node.0].add(1.0, offer.output_kw());
            net_q[offer.node.0].add(1.0, q);
        }
        let (voltage, arm) = variables(network, topology, &mut program, (supply.reach_kw, reach_kvar), slack);
        let of = |node: NodeId| voltage[node.0].expect("invariant: every node of the order has a voltage");
        let (mut rows, mut angle_row) = (vec![], vec![]);
        for node in topology.order() {
            let bus = network.bus(*node);
            net_p[node.0].add(-bus.g_kw / base, of(*node));
            net_q[node.0].add(bus.b_kvar / base, of(*node));
            let (Some(arm), Some(parent)) = (arm[node.0], topology.parent(*node)) else { continue };
            let branch = &network.branches[arm.branch];
            let above = parent.node;
            for (net, flow) in [(&mut net_p, arm.p), (&mut net_q, arm.q)] {
                net[node.0].add(1.0, flow);
                net[above.0].add(-1.0, flow);
            }
            let ratio = branch.tap * branch.tap;
            // Line charging stands behind the tap, which is at the end the branch is written from.
            net_q[branch.from.0].add(0.5 * branch.b_pu / ratio, of(branch.from));
            net_q[branch.to.0].add(0.5 * branch.b_pu, of(branch.to));
            let (up, down) = if arm.along { (1.0 / ratio, 1.0) } else { (1.0, 1.0 / ratio) };
            let mut drop = Expr::default();
            drop.add(down / base, of(*node)).add(-up / base, of(above));
            drop.add(2.0 * branch.r_pu / base, arm.p).add(2.0 * branch.x_pu / base, arm.q);
            let ends = network.ends(branch);
            program.scope(format!("branch {} ({}-{})", arm.branch + 1, ends.from, ends.to));
            rows.push(program.equal(drop, 0.0, "squared voltage, pu", None));
            // Of a flow without losses the angle across the series element is that of the voltages exactly.
            for limit in Line::of(network, arm.branch, above, 1.0)?.angle_limits().into_iter().flatten() {
                let mut inside = Expr::default();
                inside.add(limit.p / base, arm.p).add(limit.q / base, arm.q).add(limit.v / base, of(above));
                let (_, most) = program.range(&inside);
                let slack = program.var(0.0, most.max(0.0));
                costless.push(slack);
                let row = program.equal(inside.plus(-1.0, slack), 0.0, "limit of the angle, pu", None);
                angle_row.push((arm.branch, limit.p / base, row));
                rows.push(row);
            }
        }
        let mut limit_row = vec![];
        for tangent in tangents {
            let flows = arm.iter().flatten().find(|arm| arm.branch == tangent.branch);
            limit_row.push(flows.map(|arm| {
                let ends = network.ends(&network.branches[arm.branch]);
                program.scope(format!("branch {} ({}-{})", arm.branch + 1, ends.from, ends.to));
                let mut along = Expr::default();
                along.add(tangent.angle.cos(), arm.p).add(tangent.angle.sin(), arm.q);
                let (least, most) = program.range(&along);
                let slack = program.var(least, tangent.kva.min(most).max(least));
                costless.push(slack);
                let row = program.equal(along.plus(-1.0, slack), 0.0, "flow limit, kVA", None);
                rows.push(row);
                row
            }));
        }
        let (mut active_row, mut reactive_row) = (vec![None; buses], vec![None; buses]);
        for node in topology.order() {
            let bus = network.bus(*node);
            program.scope(format!("bus {}", bus.id));
            let p = program.equal(std::mem::take(&mut net_p[node.0]), bus.p_load_kw, "active power, kW", None);
            let q = program.equal(std::mem::take(&mut net_q[node.0]), bus.q_load_kvar, "reactive power, kvar", None);
            (active_row[node.0], reactive_row[node.0]) = (Some(p), Some(q));
            rows.extend([p, q]);
        }
        costless.extend(voltage.iter().flatten());
        costless.extend(arm.iter().flatten().flat_map(|arm| [arm.p, arm.q]));
        let template = program.compile();
        Ok(Self {
            supply,
            reactive,
            voltage,
            arm,
            active_row,
            reactive_row,
            limit_row,
            angle_row,
            rows,
            costless,
            template,
        })
    }

    fn answer(
        &self,
        network: &Network,
        topology: &Topology,
        carbon: Option<&CarbonPricing>,
        tangents: &[Tangent],
        instance: &Instance,
        solution: &Solution,
    ) -> Result<LinDistOpf, OpfError> {
        let base = network.base_kva();
        let reduced = instance.reduced_costs(&solution.x, &solution.y);
        let optimum = Optimum {
            network,
            topology,
            supply: &self.supply,
            template: &self.template,
            instance,
            solution,
            costless: self.costless.clone(),
            rows: &self.rows,
            balance: &self.active_row,
        };
        let branches = network.branches.len();
        let (mut branch_kw, mut branch_kvar) = (vec![0.0; branches], vec![0.0; branches]);
        for arm in self.arm.iter().flatten() {
            let sign = if arm.along { 1.0 } else { -1.0 };
            branch_kw[arm.branch] = sign * solution.x[arm.p.index()];
            branch_kvar[arm.branch] = sign * solution.x[arm.q.index()];
        }
        let mut congestion_per_kvah = vec![0.0; branches];
        // What the limits of each branch add to the price behind it.
        let mut rent = vec![0.0; branches];
        for (tangent, row) in tangents.iter().zip(&self.limit_row) {
            let Some(row) = row else { continue };
            let dual = 0.0 - solution.dual(*row);
            congestion_per_kvah[tangent.branch] += dual;
            rent[tangent.branch] += dual * tangent.angle.cos();
        }
        for (branch, per_kw, row) in &self.angle_row {
            rent[*branch] -= solution.dual(*row) * per_kw;
        }
        let mut congestion = vec![0.0; network.buses.len()];
        let mut prices = vec![None; network.buses.len()];
        let price = |node: NodeId| self.active_row[node.0].map_or(0.0, |row| solution.dual(row));
        for node in topology.order() {
            if let Some(parent) = topology.parent(*node) {
                congestion[node.0] = congestion[parent.node.0] + rent[parent.branch];
            }
            let root = topology.root(*node).expect("invariant: the order holds energised nodes only");
            let carbon = optimum.carbon_at_root(carbon, root);
            prices[node.0] = Some(Price {
                energy: price(root) - carbon,
                congestion: congestion[node.0],
                voltage: price(*node) - price(root) - congestion[node.0],
                carbon,
                ..Price::default()
            });
        }
        let square = |v: &Option<Var>| v.map(|v| solution.x[v.index()] / base);
        let flows = self.arm.iter().flatten().map(|arm| {
            let branch = &network.branches[arm.branch];
            (branch.from, branch.to, branch_kw[arm.branch])
        });
        let carbon = carbon.map(|c| optimum.carbon(c, flows)).transpose()?;
        Ok(LinDistOpf {
            objective_per_h: solution.certificate.objective,
            generation_kw: self.supply.generation_kw(network, solution),
            generation_kvar: self.reactive.iter().map(|q| q.map_or(0.0, |q| solution.x[q.index()])).collect(),
            voltage_pu: self.voltage.iter().map(|v| square(v).map(|v| v.max(0.0).sqrt())).collect(),
            branch_kw,
            branch_kvar,
            prices,
            reactive_price_per_kvarh: self.reactive_row.iter().map(|row| row.map(|row| solution.dual(row))).collect(),
            voltage_dual_per_h: self
                .voltage
                .iter()
                .map(|v| v.map_or(0.0, |v| voltage_dual(instance, solution, &reduced, v) * base))
                .collect(),
            congestion_per_kvah,
            carbon,
            certificate: solution.certificate,
        })
    }
}

/// Voltages and branch flows, with bounds that hold whatever is dispatched.
fn variables(
    network: &Network,
    topology: &Topology,
    program: &mut Program,
    (reach_kw, reach_kvar): (f64, f64),
    slack: SlackVoltage,
) -> (Vec<Option<Var>>, Vec<Option<Arm>>) {
    let base = network.base_kva();
    let buses = network.buses.len();
    let (mut voltage, mut arm) = (vec![None; buses], vec![None; buses]);
    // Stands for no upper voltage limit.
    let swing = |k: usize| {
        let branch = &network.branches[k];
        2.0 * (branch.r_pu.abs() * reach_kw + branch.x_pu.abs() * reach_kvar) / base
    };
    let highest = network.slacks().map(|s| slack.range_pu(network, s).1.powi(2)).fold(1.0, f64::max);
    let most = 2.0 * highest + (0..network.branches.len()).map(swing).sum::<f64>();
    for node in topology.order() {
        let bus = network.bus(*node);
        program.scope(format!("bus {}", bus.id));
        let Some(parent) = topology.parent(*node) else {
            let (low, high) = slack.range_pu(network, *node);
            voltage[node.0] = Some(program.var(low * low * base, high * high * base));
            continue;
        };
        let upper = if bus.v_max_pu.is_finite() { bus.v_max_pu.powi(2) } else { most.max(bus.v_min_pu.powi(2)) };
        voltage[node.0] = Some(program.var(bus.v_min_pu.powi(2) * base, upper * base));
        let along = network.branches[parent.branch].to == *node;
        let (p, q) = (program.var(-reach_kw, reach_kw), program.var(-reach_kvar, reach_kvar));
        arm[node.0] = Some(Arm { branch: parent.branch, along, p, q });
    }
    (voltage, arm)
}

/// A reactive power that nothing in the network exceeds, kvar.
fn reactive_reach(network: &Network, topology: &Topology) -> f64 {
    let base = network.base_kva();
    let limits =
        |min: f64, max: f64| [min, max].into_iter().filter(|q| q.is_finite()).fold(0.0_f64, |m, q| m.max(q.abs()));
    let of_buses: f64 =
        topology.order().iter().map(|n| network.bus(*n)).map(|b| b.q_load_kvar.abs() + 4.0 * b.b_kvar.abs()).sum();
    let of_lines: f64 = network.branches.iter().map(|b| 4.0 * b.b_pu.abs() * base).sum();
    let of_generators: f64 = network.generators.iter().map(|g| limits(g.q_min_kvar, g.q_max_kvar)).sum();
    (1.5 * (of_buses + of_lines + of_generators)).max(1.0)
}

/// Dual of the upper less that of the lower bound; 0 inside and where the variable is fixed.
fn voltage_dual(instance: &Instance, solution: &Solution, reduced: &[f64], v: Var) -> f64 {
    let (lower, upper) = instance.bounds(v);
    let x = solution.x[v.index()];
    let at_bound = (x - lower).min(upper - x) <= 1e-9 * (upper - lower);
    if upper > lower && at_bound { 0.0 - reduced[v.index()] } else { 0.0 }
}

#[cfg(test)]
mod tests;
