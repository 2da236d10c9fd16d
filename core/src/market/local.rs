//! One participant's side of the market: every question that a mechanism may ask it.

use super::block::{Block, Form, Shortfall};
use super::plan::Plan;
use super::session::LocalSession;
use super::{Market, Seat};
use crate::book::Order;
use crate::program::{Chosen, Instance, Program, Solution, SolveError, Template};
use crate::setting::{Product, Role, Setting};
use crate::terms::at;
use std::sync::Arc;

/// A participant's problem, compiled once per seat: every question is an instance of it.
#[derive(Debug)]
pub(super) struct LocalProblem {
    block: Block,
    pub template: Template,
    shortfall: Option<Shortfall>,
}

impl LocalProblem {
    pub fn new(setting: &Setting, member: usize, seat: &Seat, form: Form<'_>) -> Self {
        let mut program = Program::new();
        program.limit_programs(setting.choice_programs);
        let present = (&*seat.participant, &*seat.reach);
        let block = Block::build(&mut program, setting, member, present, &seat.terms, form);
        Self { block, template: program.compile(), shortfall: form.shortfall }
    }

    /// Adds `sum_k rho_k/2 (x_k - centre_k)^2` over net sales to the cost.
    pub fn draw(&self, instance: &mut Instance, centre: &[f64], rho: &[f64]) {
        for (k, v) in self.block.trade.iter().enumerate() {
            instance.add_square(*v, 0.5 * rho[k], centre[k]);
        }
    }

    /// The same over net injections.
    pub fn draw_injection(&self, instance: &mut Instance, centre: &[f64], weight: &[f64]) {
        for (k, v) in self.block.injection.iter().enumerate() {
            if let Some(v) = v {
                instance.add_square(*v, 0.5 * weight[k], centre[k]);
            }
        }
    }

    /// Net injections per slot at a solution, kWh; zero where a slot is not energy.
    pub fn injection(&self, solution: &Solution) -> Vec<f64> {
        self.block.injection.iter().map(|v| v.map_or(0.0, |v| solution.value(v))).collect()
    }

    /// Net sales per slot at a solution.
    pub fn trade(&self, solution: &Solution) -> Vec<f64> {
        self.block.sales(solution)
    }
}

/// What is changed in a participant's problem to ask something of it.
type Question<'q> = dyn Fn(&LocalProblem, &mut Instance) + 'q;

/// Which of several least-cost schedules is an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Criterion {
    /// Whichever is found.
    Any,
    /// The one with the least sum of squared grid exchange.
    LeastExchange,
}

/// A handle on one participant of a market.
#[derive(Clone, Copy, Debug)]
pub struct Local<'m> {
    pub(super) market: &'m Market,
    pub(super) member: usize,
}

impl<'m> Local<'m> {
    /// Its position.
    pub fn id(&self) -> usize {
        self.member
    }

    /// Least cost without trading with anybody but the grid.
    ///
    /// # Errors
    /// If the participant cannot operate by itself.
    pub fn autarky(&self) -> Result<Arc<Plan>, SolveError> {
        self.asked();
        let answer = self.remembered_autarky()?;
        self.market.meter.note_choices_gap(answer.choices_gap);
        Ok(answer)
    }

    /// The answer without counting a question: roles and evaluators.
    pub(crate) fn remembered_autarky(&self) -> Result<Arc<Plan>, SolveError> {
        let nothing = vec![0.0; self.market.setting.slots.len()];
        self.seat().autarky.get_or_init(|| self.least_cost(&nothing).map(Arc::new)).clone()
    }

    /// Least cost when peers buy and sell any quantity at these prices per slot.
    ///
    /// # Errors
    /// If the participant cannot operate at all.
    pub fn respond(&self, price: &[f64]) -> Result<Plan, SolveError> {
        self.asked();
        self.ask(|problem, instance| {
            for (v, p) in problem.block.trade.iter().zip(price) {
                instance.add_linear(*v, -p);
            }
        })
    }

    /// Proximal response: least `cost(x) + sum_k rho_k/2 (x_k - centre_k)^2` over net sales `x`.
    ///
    /// # Errors
    /// If the participant cannot operate at all.
    pub fn prox(&self, centre: &[f64], rho: &[f64]) -> Result<Plan, SolveError> {
        self.asked();
        self.ask(|problem, instance| problem.draw(instance, centre, rho))
    }

    /// A session of its own, for a mechanism that asks step after step.
    pub fn session(self) -> LocalSession<'m> {
        LocalSession::new(self)
    }

    /// Least cost of delivering these net sales. What cannot be delivered is bought at the shortfall price, ten times the
    /// highest retail price, and reported.
    ///
    /// # Errors
    /// If the participant cannot operate at all.
    pub fn deliver(&self, trade: &[f64]) -> Result<Plan, SolveError> {
        self.asked();
        let answer = self.delivered(trade)?;
        self.market.meter.note_choices_gap(answer.choices_gap);
        Ok(answer)
    }

    /// The answer without counting a question: economies and evaluators.
    pub(crate) fn delivered(&self, trade: &[f64]) -> Result<Plan, SolveError> {
        // Solver noise on a trade that is none must not defeat the memory of autarky.
        if trade.iter().all(|x| x.abs() < 1e-9) {
            return self.remembered_autarky().map(|plan| (*plan).clone());
        }
        match self.least_cost(trade) {
            // Sales that exceed what is possible by hardly more than rounding can be neither kept nor refuted.
            Err(SolveError::Infeasible { .. } | SolveError::NotCertified { .. }) => self.with_shortfall(trade),
            answer => answer,
        }
    }

    /// Supply steps in one slot, other slots frozen at autarky: sells where the quantity is positive.
    ///
    /// # Errors
    /// If the participant cannot operate at all.
    pub fn orders(&self, slot: usize) -> Result<Vec<Order>, SolveError> {
        self.asked();
        match self.seat().participant.orders(slot) {
            Some(orders) => Ok(orders.into_iter().map(|o| Order { who: self.member, ..o }).collect()),
            None => self.seat().orders[slot].get_or_init(|| self.sampled_orders(slot)).clone(),
        }
    }

    /// Its own bids in a slot where it is known by bids; `None` where they would have to be sampled.
    pub(crate) fn bids(&self, slot: usize) -> Option<Vec<Order>> {
        self.seat().participant.orders(slot)
    }

    fn seat(&self) -> &'m Seat {
        &self.market.seats[self.member]
    }

    /// Counts questions, never solver calls: who pays for a remembered answer depends on scheduling.
    pub(super) fn asked(&self) {
        self.market.meter.count_local();
    }

    pub(super) fn problem(&self) -> &'m LocalProblem {
        let seat = self.seat();
        seat.problem.get_or_init(|| LocalProblem::new(&self.market.setting, self.member, seat, Form::default()))
    }

    pub(super) fn injecting(&self) -> &'m LocalProblem {
        let seat = self.seat();
        let form = Form { injects: true, ..Form::default() };
        seat.injecting.get_or_init(|| LocalProblem::new(&self.market.setting, self.member, seat, form))
    }

    fn ask(&self, question: impl Fn(&LocalProblem, &mut Instance)) -> Result<Plan, SolveError> {
        let plan = self.schedule(Form::default(), &question, Criterion::Any)?;
        self.market.meter.note_choices_gap(plan.choices_gap);
        Ok(plan)
    }

    /// Least cost at fixed trades, and among least-cost schedules the one with the least sum of squared grid exchange.
    fn least_cost(&self, trade: &[f64]) -> Result<Plan, SolveError> {
        // Given trades tie the exchange to the net withdrawal: what is a choice for either may be none for both.
        let form = Form { trade: Some(trade), ..Form::default() };
        self.schedule(form, &fixed(trade), Criterion::LeastExchange)
    }

    fn with_shortfall(&self, trade: &[f64]) -> Result<Plan, SolveError> {
        let highest = self.market.setting.tariff.iter().flat_map(|t| &t.buy_per_kwh).copied().fold(0.0_f64, f64::max);
        let price_per_kwh = if highest > 0.0 { 10.0 * highest } else { 10.0 };
        let committed_kwh = trade.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
        let shortfall = Some(Shortfall { price_per_kwh, committed_kwh });
        self.schedule(Form { shortfall, ..Form::default() }, &fixed(trade), Criterion::LeastExchange)
    }

    /// The answer to a question as a schedule under the terms in force.
    fn schedule(&self, form: Form<'_>, question: &Question<'_>, criterion: Criterion) -> Result<Plan, SolveError> {
        self.posed(form, |problem| {
            let (solution, settled) = self.solution(problem, form, question, criterion)?;
            Ok(Plan { arbitrary: !settled, ..self.planned(problem, &solution) })
        })
    }

    /// What the participant does and pays at a solution of its problem.
    pub(super) fn planned(&self, problem: &LocalProblem, solution: &Solution) -> Plan {
        let price_per_kwh = problem.shortfall.map_or(0.0, |s| s.price_per_kwh);
        problem.block.plan(&self.market.setting, &self.seat().terms, price_per_kwh, solution)
    }

    /// The participant's problem, made for this once where energy that is missing has a price, or where what is given makes
    /// another problem of it.
    fn posed<T>(&self, form: Form<'_>, of: impl FnOnce(&LocalProblem) -> T) -> T {
        if form.shortfall.is_none() && (form.trade.is_none() || !self.problem().block.chooses) {
            return of(self.problem());
        }
        of(&LocalProblem::new(&self.market.setting, self.member, self.seat(), form))
    }

    /// The answer, and whether the criterion decided it.
    fn solution(
        &self,
        problem: &LocalProblem,
        form: Form<'_>,
        question: &Question<'_>,
        criterion: Criterion,
    ) -> Result<(Solution, bool), SolveError> {
        let mut instance = problem.template.instance();
        question(problem, &mut instance);
        if let Some(mixture) = &self.market.mixture {
            return mixture.answer(&instance, |side| {
                let side = side.local(self.member);
                side.posed(form, |problem| side.solution(problem, form, question, criterion))
            });
        }
        let first = instance.solve()?;
        if criterion == Criterion::Any {
            return Ok((first, true));
        }
        let Chosen { solution, settled } = instance.least_squares_among_optima(&first, &problem.block.exchange)?;
        Ok((solution, settled))
    }

    /// Samples the response to prices strictly inside the participant's own band: at its ends the tariff makes the answer
    /// arbitrary, beyond them it would trade with the grid through its peers.
    fn sampled_orders(&self, slot: usize) -> Result<Vec<Order>, SolveError> {
        let setting = &self.market.setting;
        let (period, terms) = (setting.slots[slot].period, &self.seat().terms);
        let trade_adder = at(&terms.trade_adder, slot);
        let (buy, sell) = match (&setting.tariff, setting.slots[slot].product) {
            (Some(t), Product::Energy) => (
                t.buy_per_kwh[period] + at(&terms.import_adder, period) - trade_adder,
                t.sell_per_kwh[period] + at(&terms.export_adder, period) - trade_adder,
            ),
            _ => (1.0, 0.0),
        };
        let role = setting.members[self.member].roles.get(slot).copied().unwrap_or(Role::Idle);
        // Who is idle by itself may sell or buy: a storage does either.
        let sides: &[bool] = match role {
            Role::Seller => &[true],
            Role::Buyer => &[false],
            Role::Idle => &[true, false],
        };
        let margin = 1e-6 * (buy - sell).abs();
        let mut orders = vec![];
        for &sells in sides {
            self.sample_side(slot, sells, (sell, buy, margin), &mut orders)?;
        }
        Ok(orders)
    }

    /// Samples one side: from the price at which it trades least to that at which it trades most.
    fn sample_side(
        &self,
        slot: usize,
        sells: bool,
        (sell, buy, margin): (f64, f64, f64),
        orders: &mut Vec<Order>,
    ) -> Result<(), SolveError> {
        const STEPS: usize = 16;
        let mut last = 0.0_f64;
        for k in 0..=STEPS {
            let share = k as f64 / STEPS as f64;
            let price = if sells { sell + (buy - sell) * share } else { buy - (buy - sell) * share };
            let price = price.clamp(sell + margin, (buy - margin).max(sell + margin));
            let answer = self.ask(|problem, instance| {
                for (other, v) in problem.block.trade.iter().enumerate() {
                    if other == slot {
                        instance.add_linear(*v, -price);
                    } else {
                        instance.fix(*v, 0.0);
                    }
                }
            })?;
            let quantity = if sells { answer.trade[slot].max(last) } else { answer.trade[slot].min(last) };
            if (quantity - last).abs() > 1e-7 {
                orders.push(Order { who: self.member, price, quantity: quantity - last });
            }
            last = quantity;
        }
        Ok(())
    }
}

/// The question what a participant does at these net sales.
fn fixed(trade: &[f64]) -> impl Fn(&LocalProblem, &mut Instance) + '_ {
    move |problem, instance| {
        for (v, x) in problem.block.trade.iter().zip(trade) {
            instance.fix(*v, *x);
        }
    }
}
