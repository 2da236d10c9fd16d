//! Questions about groups of participants: what they would cost together.

use super::block::{Block, Form};
use super::plan::Plan;
use super::{Local, Market};
use crate::network::BusKind;
use crate::network::Network;
use crate::opf::{NetworkBlock, OpfError, Withdrawal};
use crate::program::{Chosen, Cost, Expr, Program, Refusal, Row, Solution, SolveError, Var};
use crate::setting::{Feeder, Product, Setting};
use crate::terms::{Charge, Limits, Terms};
use std::sync::Arc;

/// A question: the least cost of a group of members that trade among themselves.
#[derive(Clone, Debug, PartialEq)]
pub struct Economy {
    pub(super) inside: Vec<bool>,
    pub(super) extra: Vec<f64>,
    pub(super) network: NetworkMode,
    pub(super) outsiders: Outsiders,
    pub(super) apart: bool,
}

/// What the network carries of members outside the group, where it is inside the question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outsiders {
    /// The schedules without trade that follow from what they report. The answer then depends on their reports.
    #[default]
    Reported,
    /// Nothing: they are disconnected.
    Absent,
    /// What is publicly known of them from before anybody reports, [`Member::baseline_kwh`](crate::setting::Member).
    Baseline,
}

/// Whether a group question looks at the network.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum NetworkMode {
    /// A copper plate.
    #[default]
    Ignored,
    /// The power flow of a radial network with its losses, voltage limits and ratings is part of the problem. Whoever stays
    /// outside the group keeps its schedule without trade, or what [`Economy::outsiders`] says.
    Inside {
        /// What a kWh of losses costs, per period.
        loss_price_per_kwh: Vec<f64>,
    },
}

impl Economy {
    /// Only these members; the others stay out.
    pub fn only(mut self, members: &[usize]) -> Self {
        for (i, inside) in self.inside.iter_mut().enumerate() {
            *inside = members.contains(&i);
        }
        self
    }

    /// The same without one member.
    pub fn without(mut self, member: usize) -> Self {
        self.inside[member] = false;
        self
    }

    /// With an extra quantity that the group must deliver per slot.
    pub fn padded(mut self, extra: Vec<f64>) -> Self {
        self.extra = extra;
        self
    }

    /// With or without the network.
    pub fn network(mut self, mode: NetworkMode) -> Self {
        self.network = mode;
        self
    }

    /// Nobody trades with anybody: members share the network and nothing else. At the least sum of their costs the network costs
    /// each what a kWh at its bus costs it, one price of a limit for all: the variational equilibrium of members who minimise
    /// their own cost within limits that they share (Rosen, 1965).
    pub fn apart(mut self) -> Self {
        self.apart = true;
        self
    }

    /// With this on the network of those outside.
    pub fn outsiders(mut self, outsiders: Outsiders) -> Self {
        self.outsiders = outsiders;
        self
    }
}

/// The least-cost answer to an [`Economy`].
#[derive(Clone, Debug)]
pub struct Allocation {
    /// Sum of the members' costs, payments among them aside.
    pub cost: f64,
    /// What each member does; `None` for those outside.
    pub plans: Vec<Option<Arc<Plan>>>,
    /// Marginal cost of delivering one more unit per slot: the price at which nobody would trade differently. With the
    /// network inside, the price at its root; 0 where nobody trades.
    pub price: Vec<f64>,
    /// Price at the connection point of each member per slot; empty where the network is ignored.
    pub nodal_price: Vec<Vec<f64>>,
    /// Cost of the losses; part of `cost`.
    pub loss_cost: f64,
    /// Injection limits that hold each member to its part of a dispatch within the network; empty where it is ignored.
    pub limits: Vec<Terms>,
    /// Proven distance of the cost from the least cost.
    pub gap: f64,
    /// The same where the search among the choices in it ran into its limit of programs; else 0.
    pub choices_gap: f64,
    /// Programs solved to settle the choices: 1 where there was nothing to choose.
    pub programs: usize,
    /// Whether the answer came from a convex problem, so that `price` supports it.
    pub convex: bool,
    /// Whether other trades cost the same and the second criterion, least squares of net sales, could not decide.
    pub arbitrary: bool,
}

/// A question as a program.
struct Posed {
    program: Program,
    members: Vec<usize>,
    blocks: Vec<Block>,
    /// Sales meet purchases, by slot; none where nobody trades.
    rows: Vec<Row>,
    inside: Option<Inside>,
}

/// Poses a question, with this network and price of losses inside, if any.
fn pose(market: &Market, question: &Economy, network: Option<(&Feeder, &[f64])>) -> Result<Posed, SolveError> {
    let setting = &*market.setting;
    let members: Vec<usize> = (0..market.len()).filter(|&i| question.inside[i]).collect();
    let mut program = Program::new();
    program.limit_programs(setting.choice_programs);
    let blocks: Vec<Block> = members
        .iter()
        .map(|&i| {
            let seat = &market.seats[i];
            let present = (&*seat.participant, &*seat.reach);
            Block::build(&mut program, setting, i, present, &seat.terms, Form::default())
        })
        .collect();
    program.scope("market");
    let meet = |program: &mut Program, k: usize| {
        let mut sum = Expr::default();
        for block in &blocks {
            sum.add(1.0, block.trade[k]);
        }
        let need = setting.requirement[k] + question.extra.get(k).copied().unwrap_or(0.0);
        program.equal(sum, need, "sales meet purchases", Some(setting.slots[k].period))
    };
    let mut rows = vec![];
    if question.apart {
        for (block, k) in blocks.iter().flat_map(|block| (0..setting.slots.len()).map(move |k| (block, k))) {
            program.equal(Expr::from(block.trade[k]), 0.0, "nobody trades", Some(setting.slots[k].period));
        }
    } else {
        rows.extend((0..setting.slots.len()).map(|k| meet(&mut program, k)));
    }
    let inside = match network {
        None => None,
        Some((feeder, loss_price)) => {
            let staying = staying(market, &members, question.outsiders)?;
            Some(Inside::build(&mut program, market, feeder, (&members, &blocks), &staying, loss_price)?)
        }
    };
    Ok(Posed { program, members, blocks, rows, inside })
}

pub(super) fn least_balances_kg(market: &Market) -> Result<Vec<f64>, SolveError> {
    let Posed { program, blocks, .. } = pose(market, &market.grand(), None)?;
    let mut instance = program.compile().instance();
    instance.forget_costs();
    let balances: Vec<Expr> = blocks.iter().map(Block::account_balance).collect();
    for (v, kg) in balances.iter().flat_map(|b| &b.terms) {
        instance.add_linear(*v, *kg);
    }
    let first = instance.solve()?;
    // Who emits what is unique only if nobody emits for others without need.
    let trades: Vec<Var> = blocks.iter().flat_map(|b| b.trade.iter().copied()).collect();
    let chosen = instance.least_squares_among_optima(&first, &trades)?.solution;
    Ok(balances.iter().map(|b| chosen.value(b)).collect())
}

pub(super) fn least_cost_of_pool(market: &Market, charge: &Charge, other_kg: f64) -> Result<(f64, f64), SolveError> {
    let Posed { mut program, blocks, .. } = pose(market, &market.grand(), None)?;
    let mut sum = Expr::constant(other_kg);
    for block in &blocks {
        sum.add(1.0, block.account_balance());
    }
    let (cost, _) = charge.contribute(&mut program, &sum);
    program.add_cost(&cost);
    let certificate = program.compile().instance().solve()?.certificate;
    Ok((certificate.objective, certificate.gap))
}

pub(super) fn solve(market: &Market, question: &Economy) -> Result<Allocation, SolveError> {
    let setting = &*market.setting;
    let network = match &question.network {
        NetworkMode::Ignored => None,
        NetworkMode::Inside { loss_price_per_kwh } => {
            let feeder = setting.feeder.as_ref().ok_or(SolveError::Unmet { need: "a network" })?;
            Some((feeder, &loss_price_per_kwh[..]))
        }
    };
    let Posed { program, members, blocks, rows, inside } = pose(market, question, network)?;
    let instance = program.compile().instance();
    let first = instance.solve()?;
    // Nobody resells grid energy: among least-cost answers the one with the least sum of squared net sales; then, at these
    // sales, every member's own criterion.
    let trades: Vec<Var> = blocks.iter().flat_map(|b| b.trade.iter().copied()).collect();
    let Chosen { solution: chosen, settled } = instance.least_squares_among_optima(&first, &trades)?;
    let price: Vec<f64> = (0..setting.slots.len()).map(|k| rows.get(k).map_or(0.0, |row| first.dual(*row))).collect();
    let limits = if inside.is_some() { hold(market, &members, &blocks, &chosen) } else { vec![] };
    let held = market.imposing(&limits);
    let mut plans = vec![None; market.len()];
    for (block, &i) in blocks.iter().zip(&members) {
        let trade: Vec<f64> = block.trade.iter().map(|v| chosen.x[v.index()]).collect();
        plans[i] = Some(Arc::new(Local { market: &held, member: i }.delivered(&trade)?));
    }
    let loss_cost = inside.as_ref().map_or(0.0, |n| chosen.value(&n.loss_cost));
    Ok(Allocation {
        cost: plans.iter().flatten().map(|p| p.cost).sum::<f64>() + loss_cost,
        nodal_price: inside.as_ref().map_or(vec![], |n| n.prices(setting, &first, &price)),
        loss_cost,
        limits,
        plans,
        price,
        gap: first.certificate.gap,
        choices_gap: if first.settled { 0.0 } else { first.certificate.gap },
        programs: first.nodes,
        convex: first.nodes == 1,
        arbitrary: !settled,
    })
}

/// Voltages by period and bus, pu, where the members miss limits of voltage as little as they can; ratings are kept.
///
/// # Errors
/// If there is no such answer.
pub(super) fn nearest_voltages(market: &Market, question: &Economy) -> Result<Vec<Vec<Option<f64>>>, SolveError> {
    /// What missing a limit by 1 pu of squared voltage costs, in the price of a kWh.
    const MISS_KWH: f64 = 1e6;
    let setting = &*market.setting;
    let feeder = setting.feeder.as_ref().ok_or(SolveError::Unmet { need: "a network" })?;
    let NetworkMode::Inside { loss_price_per_kwh } = &question.network else {
        return Err(SolveError::Unmet { need: "the network inside" });
    };
    let mut wide = Network::clone(&feeder.network);
    for bus in &mut wide.buses {
        (bus.v_min_pu, bus.v_max_pu) = (bus.v_min_pu.min(0.1), bus.v_max_pu.max(2.0));
    }
    let unlimited = Feeder { network: Arc::new(wide), ..feeder.clone() };
    let Posed { mut program, inside, .. } = pose(market, question, Some((&unlimited, loss_price_per_kwh)))?;
    let prices = setting.tariff.iter().flat_map(|tariff| &tariff.buy_per_kwh).chain(loss_price_per_kwh);
    let dearest = prices.fold(0.0_f64, |most, price| most.max(price.abs()));
    let price = MISS_KWH * if dearest > 0.0 { dearest } else { 1.0 };
    let blocks = inside.map_or(vec![], |inside| inside.blocks);
    let mut cost = Cost::default();
    for (t, block) in blocks.iter().enumerate() {
        for (bus, v) in feeder.network.buses.iter().zip(&block.square_voltage) {
            let Some(v) = v else { continue };
            program.scope(format!("bus {}", bus.id));
            let (low, high) = (program.var(0.0, 4.0), program.var(0.0, 4.0));
            let limited = Expr::from(*v).plus(1.0, low).plus(-1.0, high);
            program.within(limited, bus.v_min_pu.powi(2), bus.v_max_pu.powi(2), "limits of voltage", Some(t));
            cost.add(price, low).add(price, high);
        }
    }
    program.add_cost(&cost);
    let solution = program.compile().instance().solve()?;
    let voltages = |block: &NetworkBlock| feeder.network.nodes().map(|n| block.voltage_pu(&solution, n)).collect();
    Ok(blocks.iter().map(voltages).collect())
}

/// A network that the formulation does not fit.
pub(super) fn refused(why: OpfError) -> SolveError {
    match why {
        OpfError::Meshed => SolveError::Unmet { need: "a radial network (this one is meshed)" },
        other => SolveError::Refused(Refusal::new(other)),
    }
}

/// What those outside a group put into the network, kWh per slot.
fn staying(market: &Market, members: &[usize], outsiders: Outsiders) -> Result<Vec<(usize, Vec<f64>)>, SolveError> {
    let left_out = (0..market.len()).filter(|i| !members.contains(i));
    match outsiders {
        Outsiders::Absent => Ok(vec![]),
        Outsiders::Reported => {
            left_out.map(|i| Ok((i, Local { market, member: i }.remembered_autarky()?.output.clone()))).collect()
        }
        Outsiders::Baseline => {
            let of = |i: usize| {
                let known = market.setting.members[i].baseline_kwh.clone();
                if known.len() == market.setting.slots.len() {
                    Ok((i, known))
                } else {
                    Err(SolveError::Unmet { need: "a public baseline of every participant" })
                }
            };
            left_out.map(of).collect()
        }
    }
}

/// The network of a group question, period by period.
struct Inside {
    blocks: Vec<NetworkBlock>,
    loss_price: Vec<f64>,
    loss_cost: Expr,
}

impl Inside {
    fn build(
        program: &mut Program,
        market: &Market,
        feeder: &Feeder,
        (members, blocks): (&[usize], &[Block]),
        staying: &[(usize, Vec<f64>)],
        loss_price: &[f64],
    ) -> Result<Self, SolveError> {
        let setting = &*market.setting;
        let hours = setting.periods.hours;
        // The formulation holds the voltage of slacks and of no other bus, the power flow also that of generators.
        let network = &feeder.network;
        if network.generators.iter().any(|g| g.in_service && network.bus(g.node).kind == BusKind::Pv) {
            return Err(SolveError::Unmet { need: "a network in which no generator holds the voltage of its bus" });
        }
        let mut inside = Self { blocks: vec![], loss_price: loss_price.to_vec(), loss_cost: Expr::default() };
        for t in 0..setting.periods.count {
            let others = feeder.without_members(t);
            let mut load_kw: Vec<f64> = others.p_kw.iter().map(|kw| -kw).collect();
            let mut load_kvar: Vec<f64> = others.q_kvar.iter().map(|kvar| -kvar).collect();
            let slot = setting.energy_slot(t);
            for (i, output) in staying {
                let member = &setting.members[*i];
                if let (Some(node), Some(k)) = (member.node, slot) {
                    load_kw[node.0] -= output[k] / hours;
                    load_kvar[node.0] -= member.reactive_per_kw() * output[k] / hours;
                }
            }
            let mut withdrawals = vec![];
            for (block, &i) in blocks.iter().zip(members) {
                let member = &setting.members[i];
                if let (Some(node), Some(k)) = (member.node, slot) {
                    let taken = block.output(k).clone().times(-1.0 / hours);
                    let reactive_kvar = taken.clone().times(member.reactive_per_kw());
                    withdrawals.push(Withdrawal { node, active_kw: taken, reactive_kvar });
                }
            }
            let block = NetworkBlock::build(program, &feeder.network, t, &load_kw, &load_kvar, &withdrawals)
                .map_err(refused)?;
            let worth = loss_price[t] * hours;
            inside.loss_cost.add(worth, block.import_kw).add(-worth, Expr::constant(load_kw.iter().sum()));
            for w in &withdrawals {
                inside.loss_cost.add(-worth, &w.active_kw);
            }
            inside.blocks.push(block);
        }
        let mut cost = Cost::default();
        cost.add(1.0, &inside.loss_cost);
        program.add_cost(&cost);
        Ok(inside)
    }

    /// Price at each member's connection point: at the root, and what a kWh more there costs the network beyond it.
    fn prices(&self, setting: &Setting, solution: &Solution, root: &[f64]) -> Vec<Vec<f64>> {
        let at = |member: &crate::setting::Member, k: usize| {
            let slot = setting.slots[k];
            let node = member.node.filter(|_| slot.product == Product::Energy);
            let of_load = node.and_then(|node| self.blocks[slot.period].price(solution, node));
            root[k] + of_load.map_or(0.0, |y| y / setting.periods.hours - self.loss_price[slot.period])
        };
        setting.members.iter().map(|m| (0..setting.slots.len()).map(|k| at(m, k)).collect()).collect()
    }
}

/// Injection limits that leave each member what it does at a solution and nothing else: by itself it does not see the network.
/// They leave no room at all: within a little room, of schedules that cost the same, the costs of rounding would choose one.
fn hold(market: &Market, members: &[usize], blocks: &[Block], solution: &Solution) -> Vec<Terms> {
    let setting = &*market.setting;
    let mut layer = vec![Terms::default(); market.len()];
    for (block, &i) in blocks.iter().zip(members) {
        let injection =
            |t: usize| setting.energy_slot(t).map_or(0.0, |k| solution.value(block.output(k)) / setting.periods.hours);
        let injections: Vec<f64> = (0..setting.periods.count).map(injection).collect();
        layer[i].limits = Some(Limits { injection_min_kw: injections.clone(), injection_max_kw: injections });
    }
    layer
}
