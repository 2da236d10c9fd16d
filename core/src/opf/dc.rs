//! DC-OPF: the cheapest dispatch of a network, meshed or not, without losses and voltages.
//!
//! ```text
//! min sum C_g(p_g) + tau e_g p_g   s.t.  sum of p_g at n - flows out of n = d_n + G_n          : Lambda_n
//!                                        f = (theta_i - theta_j - phi) / (x tap),  |f| <= rate
//!                                        angle_min <= theta_i - theta_j <= angle_max
//! ```
//!
//! Slacks keep their angle; they supply only through their generators. A limit of the angle across a branch is one of its
//! flow, which follows the angle. (Stott, Jardim and Alsaç 2009.)
//!
//! The program is written without angles: they exist exactly if their differences `x tap f + phi` add up to nothing around
//! every loop. That is one row for each branch beyond a tree, instead of one for each branch and a variable for each angle
//! (Hörsch, Ronellenfitsch, Witthaut and Brown 2018). Angles follow from the flows along the tree.

use crate::network::{Network, NodeId, Topology};
use crate::program::{Certificate, Expr, Instance, Program, Row, Solution, Template, Var};

use super::carbon::{CarbonPricing, OpfCarbon};
use super::error::OpfError;
use super::lines::{Line, lines};
use super::loops::loops;
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
    // Flows stay within what is fed in and driven by phase shifters, unless a capacitor drives power round in circles.
    let mut widen = 1.0;
    loop {
        let model = Model::build(network, &topology, &lines, carbon, widen)?;
        let instance = model.template.instance();
        let solution = instance.solve()?;
        if widen < 1e5 && model.flow_at_made_up_end(&lines, &solution) {
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

struct Model {
    supply: Supply,
    /// Flow of each line.
    flow: Vec<Var>,
    balance: Vec<Option<Row>>,
    rows: Vec<Row>,
    template: Template,
    /// What no flow exceeds, kW, where nothing else limits it.
    reach_kw: f64,
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
        let reach_kw = widen * (supply.reach_kw + lines.iter().map(|line| line.shifted.abs()).sum::<f64>());
        let mut program = Program::new();
        supply.build(network, &mut program);
        let name = |line: &Line| {
            let ends = network.ends(&network.branches[line.branch]);
            format!("branch {} ({}-{})", line.branch + 1, ends.from, ends.to)
        };
        let mut flow = Vec::with_capacity(lines.len());
        let mut net: Vec<Expr> = vec![Expr::default(); network.buses.len()];
        for offer in &supply.offers {
            net[offer.node.0].add(1.0, offer.output_kw());
        }
        for line in lines {
            let (low, high) = line.bounds(reach_kw);
            program.scope(name(line));
            let var = program.var(low, high);
            net[line.from.0].add(-1.0, var);
            net[line.to.0].add(1.0, var);
            flow.push(var);
        }
        let mut rows = vec![];
        // Differences of angles count as the kW that they drive through a typical line.
        let mut stiffnesses: Vec<f64> = lines.iter().map(|line| line.stiffness.abs()).collect();
        stiffnesses.sort_unstable_by(f64::total_cmp);
        let scale = stiffnesses.get(stiffnesses.len() / 2).copied().unwrap_or(1.0);
        for around in loops(network, topology, lines) {
            let mut differences = Expr::default();
            for &(k, sign) in &around.lines {
                let (line, kw_per_kw) = (&lines[k], sign * scale / lines[k].stiffness);
                differences.add(kw_per_kw, flow[k]).constant += kw_per_kw * line.shifted;
            }
            program.scope(format!("loop of {}", name(&lines[around.lines[0].0])));
            rows.push(program.equal(differences, scale * around.given_rad, "angles that add up, kW", None));
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
        Ok(Self { supply, flow, balance, rows, template: program.compile(), reach_kw })
    }

    /// Whether a flow rests on an end that stands for infinity.
    fn flow_at_made_up_end(&self, lines: &[Line], solution: &Solution) -> bool {
        lines.iter().zip(&self.flow).any(|(line, var)| {
            let ((lower, upper), x) = (line.bounds(self.reach_kw), solution.x[var.index()]);
            let near = 1e-6 * (upper - lower);
            (lower > line.limits.0 && x - lower <= near) || (upper < line.limits.1 && upper - x <= near)
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
        let mut angle = vec![None; network.buses.len()];
        for slack in network.slacks() {
            angle[slack.0] = Some(network.bus(slack).angle_deg.to_radians());
        }
        let mut line_of = vec![None; network.branches.len()];
        for (line, var) in lines.iter().zip(&self.flow) {
            let (x, (lower, upper)) = (solution.x[var.index()], instance.bounds(*var));
            branch_kw[line.branch] = x;
            if (x - lower).min(upper - x) <= 1e-9 * (upper - lower) {
                congestion_per_kwh[line.branch] = 0.0 - reduced[var.index()];
            }
            line_of[line.branch] = Some(line);
        }
        for node in topology.order() {
            let Some(parent) = topology.parent(*node) else { continue };
            let line = line_of[parent.branch].expect("invariant: branches of the tree are closed");
            let across = (branch_kw[parent.branch] + line.shifted) / line.stiffness;
            let sign = if line.to == *node { -1.0 } else { 1.0 };
            angle[node.0] = angle[parent.node.0].map(|at: f64| at + sign * across);
        }
        let generation_kw = self.supply.generation_kw(network, solution);
        let optimum = Optimum {
            network,
            topology,
            supply: &self.supply,
            template: &self.template,
            instance,
            solution,
            costless: self.flow.clone(),
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
            angle_deg: angle.iter().map(|a| a.map(f64::to_degrees)).collect(),
            branch_kw,
            congestion_per_kwh,
            prices,
            carbon,
            certificate: solution.certificate,
        })
    }
}

#[cfg(test)]
mod tests;
