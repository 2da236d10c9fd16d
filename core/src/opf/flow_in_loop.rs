//! DC-OPF with carbon charged where it is consumed, along the flows: prices know how flows move it.
//!
//! ```text
//! min  sum C_g(p_g) + sum_n tau_n w_n d_n     s.t.  the network,  w_n <= cap_n,  w = the carbon emission flow of the dispatch
//! ```
//!
//! This is not convex: intensities times flows are products. With `y` the downstream price of carbon
//! ([`CarbonFlow::downstream_price`](crate::carbon_flow::CarbonFlow::downstream_price)) a kWh of a generator adds
//! `y_n (e_g - w_n)` to the charge, a kWh from `i` to `m` adds `y_m (w_i - w_m)`. The convex problem with these as linear costs
//! is solved around the last dispatch, with a proximal term that grows until the charge falls as foreseen; where the
//! dispatch rests, it satisfies the conditions of Kuhn and Tucker, and the duals of the balances are prices without the
//! consumer's own carbon. With one price for all, charges add up to a tax at the sources, and one step ends there.
//!
//! A reading of integrated electricity-carbon prices (Wang et al. 2026) and of carbon-aware power flow (Chen, Sun, Shi and Li
//! 2024). Losses, and with them their carbon, are left out. Knows no participant and no policy.

use super::error::OpfError;
use super::lines::{Line, lines};
use super::supply::Supply;
use crate::carbon_flow::{CarbonFlow, FlowGraph, LossRule, trace};
use crate::network::{Network, NodeId, Topology};
use crate::program::{Cost, Expr, Program, Row, Var};
use crate::units::per_kg;

const MOST_ROUNDS: usize = 400;
/// Price, per kWh, by which a dispatch at rest may miss its own conditions.
const AT_REST: f64 = 1e-9;

/// What consumption pays for the carbon that flows bring, and what it may bring at most.
#[derive(Debug, Clone, PartialEq)]
pub struct ConsumptionPricing {
    /// Intensity of each generator of the network, kg/kWh.
    pub generator_kg_per_kwh: Vec<f64>,
    /// Price of a tonne consumed at each bus.
    pub price_per_tonne: Vec<f64>,
    /// Greatest intensity at each bus, kg/kWh, where there is one.
    pub cap_kg_per_kwh: Vec<Option<f64>>,
}

/// A dispatch and its prices. Vectors follow the generators, buses and branches of the network.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowInLoopOpf {
    /// Whether the dispatch is at rest: a point of Kuhn and Tucker, which need not be the best one.
    pub converged: bool,
    /// Price, per kWh, that the last round still missed.
    pub residual_per_kwh: f64,
    /// Rounds of linearisation.
    pub rounds: usize,
    /// Branches whose flow still changed its direction in the last round; empty where the dispatch is at rest.
    pub turning: Vec<usize>,
    /// Generation cost and carbon charge, per hour.
    pub objective_per_h: f64,
    /// The charge in it, per hour.
    pub charge_per_h: f64,
    /// Output of each generator, kW.
    pub generation_kw: Vec<f64>,
    /// Flow from the sending to the receiving end, kW.
    pub branch_kw: Vec<f64>,
    /// Intensity by bus, kg/kWh; `None` without throughflow.
    pub intensity_kg_per_kwh: Vec<Option<f64>>,
    /// Price of carbon in what flows into a bus, by where it ends up, per tonne; caps included. `None` without throughflow.
    pub downstream_price_per_tonne: Vec<Option<f64>>,
    /// Dual of each cap as a price of carbon consumed, per tonne; 0 where it does not bind or there is none.
    pub cap_price_per_tonne: Vec<f64>,
    /// Price of the balance, per kWh: what a generator is paid before [`source_charge_per_kwh`](Self::source_charge_per_kwh).
    pub balance_price_per_kwh: Vec<Option<f64>>,
    /// Price to a consumer, per kWh, dJ/dd: the balance, its carbon, and what it does to a cap.
    pub price_per_kwh: Vec<Option<f64>>,
    /// What a kWh of each generator costs those downstream, `y_n (e_g - w_n)`: with it, and not with its own carbon at the
    /// price of its bus, the balance price makes the dispatch its own wish.
    pub source_charge_per_kwh: Vec<f64>,
}

/// Solves the DC-OPF with carbon along the flows, from the dispatch that ignores carbon.
///
/// # Errors
/// See [`OpfError`]. Loads and least outputs of generators must not be negative, and caps stand at buses with load.
pub fn flow_in_loop_opf(network: &Network, pricing: &ConsumptionPricing) -> Result<FlowInLoopOpf, OpfError> {
    network.check()?;
    pricing.check(network)?;
    let topology = Topology::new(network);
    let ask = Ask { network, topology: &topology, pricing, lines: lines(network, &topology)? };
    let mut now = ask.solve(None)?.0;
    let load: f64 = network.buses.iter().map(|b| b.p_load_kw).sum();
    let dearest = pricing.price_per_tonne.iter().fold(0.0_f64, |most, p| most.max(per_kg(*p)));
    let least_weight = 1e-6 * (1e-3 + dearest) / load.max(1.0);
    let (mut weight, mut penalty) = (least_weight, 0.0_f64);
    let mut rounds = 0;
    loop {
        rounds += 1;
        let around = Around::new(&ask, now)?;
        let (mut next, mut duals);
        loop {
            (next, duals) = ask.solve(Some((&around, weight)))?;
            penalty = duals.caps.iter().fold(penalty, |most, tau| most.max(2.0 * tau));
            let (charge, excess) = ask.charge(&next)?;
            let slack = 1e-11 * (1.0 + next.cost_per_h.abs() + charge.abs());
            let near = charge + penalty * excess <= around.foreseen(&ask, &next, weight) + slack;
            if near || weight > 1e9 * least_weight {
                break;
            }
            weight *= 4.0;
        }
        let step = around.at.distance(&next);
        let residual = weight * step;
        weight = (0.5 * weight).max(least_weight);
        let at_rest = residual <= AT_REST && step <= 1e-6 * load.max(1.0);
        if at_rest || rounds == MOST_ROUNDS {
            let turning = if at_rest { vec![] } else { around.turning(&next, ask.threshold_kw()) };
            return ask.answer(
                &next,
                &duals,
                Ending { converged: at_rest, residual_per_kwh: residual, rounds, turning },
            );
        }
        now = next;
    }
}

impl ConsumptionPricing {
    /// One price of carbon at every bus, no caps.
    pub fn uniform(network: &Network, generator_kg_per_kwh: Vec<f64>, price_per_tonne: f64) -> Self {
        let buses = network.buses.len();
        Self { generator_kg_per_kwh, price_per_tonne: vec![price_per_tonne; buses], cap_kg_per_kwh: vec![None; buses] }
    }

    fn check(&self, network: &Network) -> Result<(), OpfError> {
        for (of, expected, found) in [
            ("generators", network.generators.len(), self.generator_kg_per_kwh.len()),
            ("buses", network.buses.len(), self.price_per_tonne.len()),
            ("buses", network.buses.len(), self.cap_kg_per_kwh.len()),
        ] {
            if expected != found {
                return Err(OpfError::CarbonCount { of, expected, found });
            }
        }
        let mut numbers = self.generator_kg_per_kwh.iter().chain(&self.price_per_tonne);
        if !numbers.all(|v| v.is_finite()) || self.cap_kg_per_kwh.iter().flatten().any(|c| !c.is_finite()) {
            return Err(OpfError::CarbonNotFinite);
        }
        for (bus, cap) in network.buses.iter().zip(&self.cap_kg_per_kwh) {
            let refused =
                |must_be| Err(OpfError::Field { bus: bus.id, field: "p_load_kw", value: bus.p_load_kw, must_be });
            if bus.p_load_kw < 0.0 {
                return refused("0 or more where carbon follows the flows: make it a generator");
            }
            if cap.is_some() && bus.p_load_kw == 0.0 {
                return refused("positive where the intensity of consumption is capped");
            }
        }
        match network.generators.iter().find(|g| g.in_service && g.p_min_kw < 0.0) {
            Some(g) => {
                let bus = network.bus(g.node).id;
                Err(OpfError::Field { bus, field: "p_min_kw", value: g.p_min_kw, must_be: "0 or more" })
            }
            None => Ok(()),
        }
    }
}

struct Ask<'a> {
    network: &'a Network,
    topology: &'a Topology,
    pricing: &'a ConsumptionPricing,
    lines: Vec<Line>,
}

struct Dispatch {
    generation_kw: Vec<f64>,
    branch_kw: Vec<f64>,
    cost_per_h: f64,
}

struct Duals {
    /// Per kWh, by node.
    balance: Vec<Option<f64>>,
    /// Of caps, per kg, by node.
    caps: Vec<f64>,
}

/// How the rounds ended.
struct Ending {
    converged: bool,
    residual_per_kwh: f64,
    rounds: usize,
    turning: Vec<usize>,
}

/// A dispatch and how its charge moves with it.
struct Around {
    at: Dispatch,
    charge_per_h: f64,
    carbon: CarbonFlow,
    slopes: Slopes,
    caps: Vec<(NodeId, Slopes)>,
}

/// Derivatives of a charge along the flows, per kWh.
struct Slopes {
    /// By generator.
    generation: Vec<f64>,
    /// By branch, of flow along its direction and of flow against it.
    branch: Vec<(f64, f64)>,
}

impl Ask<'_> {
    fn threshold_kw(&self) -> f64 {
        1e-9 * self.network.base_kva()
    }

    fn trace(&self, at: &Dispatch) -> Result<CarbonFlow, OpfError> {
        let carried = |line: &Line| at.branch_kw[line.branch];
        let branches = self.lines.iter().map(|line| (line.from, line.to, carried(line), -carried(line)));
        let generators = self.network.generators.iter().enumerate();
        let sources =
            generators.map(|(k, g)| (g.node, at.generation_kw[k].max(0.0), self.pricing.generator_kg_per_kwh[k]));
        let graph = FlowGraph::of(self.network, branches, sources);
        Ok(trace(&graph, LossRule::Explicit)?)
    }

    /// Charge per hour, and kilograms per hour above caps.
    fn charge(&self, at: &Dispatch) -> Result<(f64, f64), OpfError> {
        let carbon = self.trace(at)?;
        let (mut charge, mut excess) = (0.0, 0.0);
        for (n, kg) in carbon.load_kg_per_h.iter().enumerate() {
            charge += per_kg(self.pricing.price_per_tonne[n]) * kg;
            if let Some(cap) = self.pricing.cap_kg_per_kwh[n] {
                excess += (kg - cap * carbon.load_kw[n]).max(0.0);
            }
        }
        Ok((charge, excess))
    }

    /// The convex problem: without carbon, or around a dispatch with a weight of the proximal term.
    fn solve(&self, around: Option<(&Around, f64)>) -> Result<(Dispatch, Duals), OpfError> {
        let network = self.network;
        let mut supply = Supply::new(network, self.topology, None)?;
        let mut program = Program::new();
        supply.build(network, &mut program);
        let reach = supply.reach_kw + self.lines.iter().map(|line| line.shifted.abs()).sum::<f64>();
        let mut proximal = Cost::default();
        let mut outputs = vec![None; network.generators.len()];
        for offer in &supply.offers {
            let output = program.alias(offer.output_kw(), "output, kW", None);
            outputs[offer.generator] = Some(output);
            if let Some((around, weight)) = around {
                let was = around.at.generation_kw[offer.generator];
                proximal.add(around.slopes.generation[offer.generator] - weight * was, output);
                proximal.add_square(0.5 * weight, output);
            }
        }
        let spread = angle_spread(network, self.topology, &self.lines, reach);
        // An angle of 1 is what drives the flow of a typical line.
        let mut stiffnesses: Vec<f64> = self.lines.iter().map(|line| line.stiffness.abs()).collect();
        stiffnesses.sort_unstable_by(f64::total_cmp);
        let scale = stiffnesses.get(stiffnesses.len() / 2).copied().unwrap_or(1.0);
        let mut angle = vec![None; network.buses.len()];
        for node in self.topology.order() {
            let root = self.topology.root(*node).map_or(0.0, |r| network.bus(r).angle_deg.to_radians());
            let room = 30.0 * spread[node.0];
            angle[node.0] = Some(program.var((root - room) * scale, (root + room) * scale));
        }
        let mut net: Vec<Expr> = vec![Expr::default(); network.buses.len()];
        for offer in &supply.offers {
            net[offer.node.0].add(1.0, outputs[offer.generator].expect("set above"));
        }
        let mut flows: Vec<(Var, Option<Var>)> = vec![];
        for line in &self.lines {
            let ends = network.ends(&network.branches[line.branch]);
            program.scope(format!("branch {} ({}-{})", line.branch + 1, ends.from, ends.to));
            let (least, most) = line.bounds(reach);
            let flow = program.var(least, most);
            let driven = |n: NodeId| Expr::from(angle[n.0].expect("ends of live branches are energised"));
            let slope = line.stiffness / scale;
            let along = driven(line.from).times(slope).plus(-slope, driven(line.to));
            program.equal(along.plus(-1.0, flow), line.shifted, "flow, kW", None);
            net[line.from.0].add(-1.0, flow);
            net[line.to.0].add(1.0, flow);
            let mut back = None;
            if let Some((around, _)) = around {
                let (along, against) = around.slopes.branch[line.branch];
                if along + against > 0.0 {
                    // A kink where the flow turns: what flows back costs differently.
                    let turned = program.var(0.0, (-least).max(0.0));
                    program.at_most(Expr::from(flow).times(-1.0).plus(-1.0, turned), 0.0, "flow back, kW", None);
                    proximal.add(along, flow).add(along + against, turned);
                    back = Some(turned);
                } else {
                    let forth = around.at.branch_kw[line.branch] >= 0.0;
                    proximal.add(if forth { along } else { -against }, flow);
                }
            }
            flows.push((flow, back));
        }
        let mut balance = vec![None; network.buses.len()];
        for node in self.topology.order() {
            let bus = network.bus(*node);
            program.scope(format!("bus {}", bus.id));
            let needed = bus.p_load_kw + bus.g_kw;
            balance[node.0] = Some(program.equal(std::mem::take(&mut net[node.0]), needed, "active power, kW", None));
        }
        let mut caps: Vec<(NodeId, Row)> = vec![];
        if let Some((around, _)) = around {
            for (node, slopes) in &around.caps {
                let mut carbon = Expr::constant(around.carbon.load_kg_per_h[node.0]);
                let moved = |now: Var, was: f64| Expr::from(now).plus(-was, Expr::constant(1.0));
                for offer in &supply.offers {
                    let k = offer.generator;
                    let output = outputs[k].expect("set above");
                    carbon.add(slopes.generation[k], moved(output, around.at.generation_kw[k]));
                }
                for (line, (flow, _)) in self.lines.iter().zip(&flows) {
                    let was = around.at.branch_kw[line.branch];
                    let (along, against) = slopes.branch[line.branch];
                    carbon.add(if was >= 0.0 { along } else { -against }, moved(*flow, was));
                }
                program.scope(format!("bus {}", network.bus(*node).id));
                let cap = self.pricing.cap_kg_per_kwh[node.0].expect("only capped buses are here");
                let most = cap * around.carbon.load_kw[node.0];
                caps.push((*node, program.at_most(carbon, most, "carbon consumed, kg/h", None)));
            }
        }
        program.add_cost(&proximal);
        let solution = program.compile().instance().solve()?;
        supply.check_ends(network, &solution)?;
        let generation_kw = supply.generation_kw(network, &solution);
        let mut branch_kw = vec![0.0; network.branches.len()];
        for (line, (flow, _)) in self.lines.iter().zip(&flows) {
            branch_kw[line.branch] = solution.value(*flow);
        }
        let cost_per_h = network.generators.iter().zip(&generation_kw);
        let cost_per_h = cost_per_h
            .filter(|(g, _)| g.in_service && self.topology.is_energised(g.node))
            .map(|(g, kw)| g.cost_per_h.as_ref().map_or(0.0, |c| c.per_h(*kw)))
            .sum();
        let mut tau = vec![0.0; network.buses.len()];
        for (node, row) in caps {
            // The cap relaxed by a kilogram saves this much.
            tau[node.0] = (-solution.dual(row)).max(0.0);
        }
        let duals = Duals { balance: balance.iter().map(|row| row.map(|r| solution.dual(r))).collect(), caps: tau };
        Ok((Dispatch { generation_kw, branch_kw, cost_per_h }, duals))
    }

    fn answer(&self, at: &Dispatch, duals: &Duals, ending: Ending) -> Result<FlowInLoopOpf, OpfError> {
        let Ending { converged, residual_per_kwh, rounds, turning } = ending;
        let carbon = self.trace(at)?;
        let (charge_per_h, _) = self.charge(at)?;
        let price: Vec<f64> =
            self.pricing.price_per_tonne.iter().zip(&duals.caps).map(|(tau, cap)| per_kg(*tau) + cap).collect();
        let downstream = carbon.downstream_price(&price, 0.0)?;
        let w = |n: usize| carbon.intensity_kg_per_kwh[n];
        let to_consumer = |n: usize| {
            let own = per_kg(self.pricing.price_per_tonne[n]) * w(n).unwrap_or(0.0);
            let beyond = self.pricing.cap_kg_per_kwh[n].map_or(0.0, |cap| duals.caps[n] * (w(n).unwrap_or(cap) - cap));
            Some(duals.balance[n]? + own + beyond)
        };
        let (y, intensity) = self.filled(&downstream, &carbon);
        let charge = |(k, g): (usize, &crate::network::Generator)| {
            y[g.node.0] * (self.pricing.generator_kg_per_kwh[k] - intensity[g.node.0])
        };
        let nodes = 0..self.network.buses.len();
        Ok(FlowInLoopOpf {
            converged,
            residual_per_kwh,
            rounds,
            turning,
            objective_per_h: at.cost_per_h + charge_per_h,
            charge_per_h,
            generation_kw: at.generation_kw.clone(),
            branch_kw: at.branch_kw.clone(),
            downstream_price_per_tonne: downstream.iter().map(|y| y.map(|y| 1000.0 * y)).collect(),
            cap_price_per_tonne: duals.caps.iter().map(|tau| 1000.0 * tau).collect(),
            balance_price_per_kwh: duals.balance.clone(),
            price_per_kwh: nodes.map(to_consumer).collect(),
            source_charge_per_kwh: self.network.generators.iter().enumerate().map(charge).collect(),
            intensity_kg_per_kwh: carbon.intensity_kg_per_kwh,
        })
    }

    /// Downstream prices and intensities, an idle node taking those of a neighbour: what it would send would end up there.
    fn filled(&self, downstream: &[Option<f64>], carbon: &CarbonFlow) -> (Vec<f64>, Vec<f64>) {
        let mut known: Vec<Option<(f64, f64)>> =
            downstream.iter().zip(&carbon.intensity_kg_per_kwh).map(|(y, w)| Some(((*y)?, (*w)?))).collect();
        for _ in 0..self.network.buses.len() {
            let mut more = false;
            for line in &self.lines {
                for (a, b) in [(line.from.0, line.to.0), (line.to.0, line.from.0)] {
                    if known[a].is_none() && known[b].is_some() {
                        known[a] = known[b];
                        more = true;
                    }
                }
            }
            if !more {
                break;
            }
        }
        known.into_iter().map(Option::unwrap_or_default).unzip()
    }

    fn slopes(&self, carbon: &CarbonFlow, price_per_kg: &[f64]) -> Result<Slopes, OpfError> {
        let (y, w) = self.filled(&carbon.downstream_price(price_per_kg, 0.0)?, carbon);
        let generators = self.network.generators.iter().zip(&self.pricing.generator_kg_per_kwh);
        let mut branch = vec![(0.0, 0.0); self.network.branches.len()];
        for line in &self.lines {
            let (i, m) = (line.from.0, line.to.0);
            branch[line.branch] = (y[m] * (w[i] - w[m]), y[i] * (w[m] - w[i]));
        }
        Ok(Slopes { generation: generators.map(|(g, e)| y[g.node.0] * (e - w[g.node.0])).collect(), branch })
    }
}

impl Around {
    fn new(ask: &Ask<'_>, at: Dispatch) -> Result<Self, OpfError> {
        let carbon = ask.trace(&at)?;
        let price: Vec<f64> = ask.pricing.price_per_tonne.iter().map(|p| per_kg(*p)).collect();
        let slopes = ask.slopes(&carbon, &price)?;
        let mut caps = vec![];
        for node in ask.network.nodes().filter(|n| ask.pricing.cap_kg_per_kwh[n.0].is_some()) {
            let mut alone = vec![0.0; price.len()];
            alone[node.0] = 1.0;
            caps.push((node, ask.slopes(&carbon, &alone)?));
        }
        let (charge_per_h, _) = ask.charge(&at)?;
        Ok(Self { at, charge_per_h, carbon, slopes, caps })
    }

    /// The charge at another dispatch as the convex problem sees it, proximal term included.
    fn foreseen(&self, ask: &Ask<'_>, next: &Dispatch, weight: f64) -> f64 {
        let generation = next.generation_kw.iter().zip(&self.at.generation_kw).zip(&self.slopes.generation);
        let moved = generation.map(|((a, b), slope)| (slope + 0.5 * weight * (a - b)) * (a - b));
        let mut sum = self.charge_per_h + moved.sum::<f64>();
        for line in &ask.lines {
            let (along, against) = self.slopes.branch[line.branch];
            let (was, is) = (self.at.branch_kw[line.branch], next.branch_kw[line.branch]);
            let of = |kw: f64| {
                if along + against > 0.0 {
                    along * kw.max(0.0) + against * (-kw).max(0.0)
                } else if was >= 0.0 {
                    along * kw
                } else {
                    -against * kw
                }
            };
            sum += of(is) - of(was);
        }
        sum
    }

    /// Branches whose flow turns on the way to another dispatch.
    fn turning(&self, next: &Dispatch, threshold_kw: f64) -> Vec<usize> {
        let flows = next.branch_kw.iter().zip(&self.at.branch_kw).enumerate();
        let turns = flows.filter(|(_, (a, b))| a.signum() != b.signum() && a.abs().min(b.abs()) > threshold_kw);
        turns.map(|(k, _)| k).collect()
    }
}

impl Dispatch {
    /// Largest difference of an output, kW.
    fn distance(&self, other: &Self) -> f64 {
        self.generation_kw.iter().zip(&other.generation_kw).fold(0.0, |most, (a, b)| (a - b).abs().max(most))
    }
}

/// How far each angle can be from that of its slack, rad: along the shortest way, if no line carries more than its
/// limit, or than everything that can be generated.
fn angle_spread(network: &Network, topology: &Topology, lines: &[Line], reach_kw: f64) -> Vec<f64> {
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
