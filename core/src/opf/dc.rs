//! DC-OPF: the cheapest dispatch of a network, meshed or not, without losses and voltages.
//!
//! ```text
//! min sum C_g(p_g) + tau e_g p_g   s.t.  sum of p_g at n - flows out of n = d_n + G_n          : Lambda_n
//!                                        f = (theta_i - theta_j - phi) / (x tap),  |f| <= rate
//!                                        angle_min <= theta_i - theta_j <= angle_max
//! ```
//!
//! Slacks keep their angle; they supply only through their generators. A limit of the angle across a branch is one of its
//! flow, which follows the angle. Branches without a limit that can bind have no
//! variable of their own. (Stott, Jardim and Alsaç 2009.)

use crate::network::{Network, NodeId, Topology};
use crate::program::{Certificate, Expr, Instance, Program, Row, Solution, Template, Var};

use super::carbon::{CarbonPricing, OpfCarbon};
use super::error::OpfError;
use super::optimum::Optimum;
use super::prices::Price;
use super::supply::Supply;

/// An optimal DC dispatch. Vectors follow the generators, buses and branches of the network.
#[derive(Debug, Clone, PartialEq)]
pub struct DcOpf {
    /// Cost per hour, carbon included.
    pub objective_per_h: f64,
    /// Output of each generator, kW; 0 where it is out of service or not energised.
    pub generation_kw: Vec<f64>,
    /// Voltage angle, degrees; `None` at isolated nodes.
    pub angle_deg: Vec<Option<f64>>,
    /// Flow from the sending to the receiving end, kW.
    pub branch_kw: Vec<f64>,
    /// What one more kW of the limit would save per hour, times the direction of the flow (from sending to receiving
    /// end positive); 0 where the limit does not bind. A limit of the angle counts as the kW that it allows.
    pub congestion_per_kwh: Vec<f64>,
    /// Prices and their parts; `None` at isolated nodes.
    pub prices: Vec<Option<Price>>,
    /// Emissions; `None` where no intensities were given.
    pub carbon: Option<OpfCarbon>,
    /// Proof of optimality: gap in money per hour, rows missed in kW.
    pub certificate: Certificate,
}

/// Solves the DC-OPF.
///
/// # Errors
/// See [`OpfError`]; an infeasible network names the buses and branches where something cannot hold.
pub fn dc_opf(network: &Network, carbon: Option<&CarbonPricing>) -> Result<DcOpf, OpfError> {
    network.check()?;
    if let Some(carbon) = carbon {
        carbon.check(network)?;
    }
    let topology = Topology::new(network);
    let lines = lines(network, &topology)?;
    // The bounds of the angles are safe unless a phase shifter or a capacitor drives power round in circles.
    let mut widen = 1.0;
    loop {
        let model = Model::build(network, &topology, &lines, carbon, widen)?;
        let instance = model.template.instance();
        let solution = instance.solve()?;
        if widen < 1e5 && model.angle_at_bound(&instance, &solution) {
            widen *= 30.0;
            continue;
        }
        model.supply.check_ends(network, &solution)?;
        return model.answer(network, &topology, &lines, carbon, &instance, &solution);
    }
}

/// The program of [`dc_opf`], compiled: for the second opinion of another solver.
///
/// # Errors
/// As [`dc_opf`], but for what only a solution shows.
pub fn dc_program(network: &Network, carbon: Option<&CarbonPricing>) -> Result<Template, OpfError> {
    network.check()?;
    if let Some(carbon) = carbon {
        carbon.check(network)?;
    }
    let topology = Topology::new(network);
    Ok(Model::build(network, &topology, &lines(network, &topology)?, carbon, 1.0)?.template)
}

/// A closed branch.
pub(super) struct Line {
    pub branch: usize,
    pub from: NodeId,
    pub to: NodeId,
    /// kW per radian.
    pub stiffness: f64,
    /// kW that the phase shift takes from the flow.
    pub shifted: f64,
    /// Least and greatest flow that the rating and the limits of the angle leave, kW.
    limits: (f64, f64),
}

impl Line {
    /// The limits with ends that stand for infinity, for a network in which nothing exceeds `reach_kw`.
    pub fn bounds(&self, reach_kw: f64) -> (f64, f64) {
        let (low, high) = self.limits;
        (low.max((-reach_kw).min(high - reach_kw)), high.min(reach_kw.max(low + reach_kw)))
    }

    fn is_limited(&self, reach_kw: f64) -> bool {
        self.limits.0 > -reach_kw || self.limits.1 < reach_kw
    }
}

pub(super) fn lines(network: &Network, topology: &Topology) -> Result<Vec<Line>, OpfError> {
    let closed = network.branches.iter().enumerate().filter(|(_, b)| b.in_service && topology.is_energised(b.from));
    closed
        .map(|(k, branch)| {
            if branch.x_pu == 0.0 {
                return Err(OpfError::ZeroReactance { number: k + 1 });
            }
            let stiffness = network.base_kva() / (branch.x_pu * branch.tap);
            let shifted = stiffness * branch.shift_deg.to_radians();
            let rate = branch.rate_kva.unwrap_or(f64::INFINITY);
            // The flow is the angle in other units; a negative reactance turns it.
            let at = |degrees: f64| stiffness * degrees.to_radians() - shifted;
            let (a, b) = (at(branch.angle_min_deg), at(branch.angle_max_deg));
            let (low, high) = (a.min(b).max(-rate), a.max(b).min(rate));
            if low > high {
                let ends = network.ends(branch);
                let what = format!(
                    "branch {} ({ends}): the limits of its angle ask for {:.3} kW more than its rating of {rate} kW",
                    k + 1,
                    low - high
                );
                return Err(OpfError::Infeasible { what: vec![what] });
            }
            Ok(Line { branch: k, from: branch.from, to: branch.to, stiffness, shifted, limits: (low, high) })
        })
        .collect()
}

struct Model {
    supply: Supply,
    /// Angle by node, in kW at the typical line.
    angle: Vec<Option<Var>>,
    /// kW per radian of a typical line.
    scale: f64,
    /// Flow of each line, as a variable where it is limited.
    flow: Vec<Result<Var, Expr>>,
    balance: Vec<Option<Row>>,
    rows: Vec<Row>,
    template: Template,
}

impl Model {
    fn build(
        network: &Network,
        topology: &Topology,
        lines: &[Line],
        carbon: Option<&CarbonPricing>,
        widen: f64,
    ) -> Result<Self, OpfError> {
        let mut supply = Supply::new(network, topology, carbon)?;
        // What a branch can carry, circulation by phase shifters included.
        let reach = supply.reach_kw + lines.iter().map(|line| line.shifted.abs()).sum::<f64>();
        let mut program = Program::new();
        supply.build(network, &mut program);
        let mut stiffnesses: Vec<f64> = lines.iter().map(|line| line.stiffness.abs()).collect();
        stiffnesses.sort_unstable_by(f64::total_cmp);
        let scale = stiffnesses.get(stiffnesses.len() / 2).copied().unwrap_or(1.0);
        let spread = angle_spread(network, topology, lines, reach);
        let mut angle = vec![None; network.buses.len()];
        for node in topology.order() {
            let root = topology.root(*node).map_or(0.0, |root| network.bus(root).angle_deg.to_radians()) * scale;
            let room = spread[node.0] * scale * widen;
            angle[node.0] = Some(program.var(root - room, root + room));
        }
        let of = |node: NodeId| angle[node.0].expect("invariant: ends of live branches are energised");
        let mut flow = Vec::with_capacity(lines.len());
        let mut rows = vec![];
        for line in lines {
            let slope = line.stiffness / scale;
            let mut driven = Expr::constant(-line.shifted);
            driven.add(slope, of(line.from)).add(-slope, of(line.to));
            if !line.is_limited(reach) {
                flow.push(Err(driven));
                continue;
            }
            let (low, high) = line.bounds(reach);
            let ends = network.ends(&network.branches[line.branch]);
            program.scope(format!("branch {} ({}-{})", line.branch + 1, ends.from, ends.to));
            let var = program.var(low, high);
            let branch = &network.branches[line.branch];
            let of_angle = branch.angle_min_deg.is_finite() || branch.angle_max_deg.is_finite();
            let limit = if of_angle { "limit of flow or angle, kW" } else { "flow limit, kW" };
            rows.push(program.equal(driven.plus(-1.0, var), 0.0, limit, None));
            flow.push(Ok(var));
        }
        let mut net: Vec<Expr> = vec![Expr::default(); network.buses.len()];
        for offer in &supply.offers {
            net[offer.node.0].add(1.0, offer.output_kw());
        }
        for (line, flow) in lines.iter().zip(&flow) {
            let e = flow_expression(flow);
            net[line.from.0].add(-1.0, e.clone());
            net[line.to.0].add(1.0, e);
        }
        let mut balance = vec![None; network.buses.len()];
        for node in topology.order() {
            let bus = network.bus(*node);
            program.scope(format!("bus {}", bus.id));
            let row =
                program.equal(std::mem::take(&mut net[node.0]), bus.p_load_kw + bus.g_kw, "active power, kW", None);
            balance[node.0] = Some(row);
            rows.push(row);
        }
        Ok(Self { supply, angle, scale, flow, balance, rows, template: program.compile() })
    }

    fn angle_at_bound(&self, instance: &Instance, solution: &Solution) -> bool {
        self.angle.iter().flatten().any(|v| {
            let (lower, upper) = instance.bounds(*v);
            let x = solution.x[v.index()];
            upper > lower && (x - lower).min(upper - x) <= 1e-6 * (upper - lower)
        })
    }

    fn answer(
        &self,
        network: &Network,
        topology: &Topology,
        lines: &[Line],
        carbon: Option<&CarbonPricing>,
        instance: &Instance,
        solution: &Solution,
    ) -> Result<DcOpf, OpfError> {
        let reduced = instance.reduced_costs(&solution.x, &solution.y);
        let mut branch_kw = vec![0.0; network.branches.len()];
        let mut congestion_per_kwh = vec![0.0; network.branches.len()];
        for (line, flow) in lines.iter().zip(&self.flow) {
            branch_kw[line.branch] = solution.value(flow_expression(flow));
            if let Ok(var) = flow {
                let (lower, upper) = instance.bounds(*var);
                let (x, range) = (solution.x[var.index()], upper - lower);
                if (x - lower).min(upper - x) <= 1e-9 * range {
                    congestion_per_kwh[line.branch] = 0.0 - reduced[var.index()];
                }
            }
        }
        let generation_kw = self.supply.generation_kw(network, solution);
        let others = self.angle.iter().flatten().chain(self.flow.iter().filter_map(|f| f.as_ref().ok()));
        let optimum = Optimum {
            network,
            topology,
            supply: &self.supply,
            template: &self.template,
            instance,
            solution,
            costless: others.copied().collect(),
            rows: &self.rows,
            balance: &self.balance,
        };
        let price = |node: NodeId| self.balance[node.0].map(|row| solution.dual(row));
        let prices = network
            .nodes()
            .map(|node| {
                let root = topology.root(node)?;
                let (here, there) = (price(node)?, price(root)?);
                let carbon = optimum.carbon_at_root(carbon, root);
                Some(Price { energy: there - carbon, congestion: here - there, carbon, ..Price::default() })
            })
            .collect();
        let flows = lines.iter().map(|line| (line.from, line.to, branch_kw[line.branch]));
        let carbon = carbon.map(|c| optimum.carbon(c, flows)).transpose()?;
        Ok(DcOpf {
            objective_per_h: solution.certificate.objective,
            generation_kw,
            angle_deg: self
                .angle
                .iter()
                .map(|v| v.map(|v| (solution.x[v.index()] / self.scale).to_degrees()))
                .collect(),
            branch_kw,
            congestion_per_kwh,
            prices,
            carbon,
            certificate: solution.certificate,
        })
    }
}

fn flow_expression(flow: &Result<Var, Expr>) -> Expr {
    match flow {
        Ok(var) => Expr::from(*var),
        Err(driven) => driven.clone(),
    }
}

/// How far each angle can be from that of its slack, rad: along the shortest way, if no line carries more than its
/// limit, or than everything that can be generated.
pub(super) fn angle_spread(network: &Network, topology: &Topology, lines: &[Line], reach_kw: f64) -> Vec<f64> {
    let mut spread = vec![f64::INFINITY; network.buses.len()];
    for slack in network.slacks() {
        spread[slack.0] = 0.0;
    }
    // Shortest paths by rounds; the tree order makes the first round nearly right.
    let mut moved = true;
    let mut rounds = 0;
    let span: Vec<f64> = lines
        .iter()
        .map(|line| {
            let (low, high) = line.bounds(reach_kw);
            (low.abs().max(high.abs()) + line.shifted.abs()) / line.stiffness.abs()
        })
        .collect();
    while moved && rounds <= topology.order().len() {
        moved = false;
        rounds += 1;
        for (line, span) in lines.iter().zip(&span) {
            for (a, b) in [(line.from.0, line.to.0), (line.to.0, line.from.0)] {
                if spread[a] + span < spread[b] {
                    spread[b] = spread[a] + span;
                    moved = true;
                }
            }
        }
    }
    // Slacks stand at angles of their own: what is between two trees is theirs to bridge.
    let degrees: Vec<f64> = network.slacks().map(|slack| network.bus(slack).angle_deg).collect();
    let apart = degrees.iter().fold(0.0_f64, |m, a| degrees.iter().fold(m, |m, b| m.max((a - b).abs())));
    spread.iter().map(|s| if *s > 0.0 { 1.01 * s + apart.to_radians() } else { 0.0 }).collect()
}

#[cfg(test)]
mod tests;
