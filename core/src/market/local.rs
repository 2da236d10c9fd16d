//! One participant's side of the market: every question that a mechanism may ask it.

use super::bids::{Answer, Response, Step};
use super::block::{self, Block, Form, Shortfall};
use super::plan::Plan;
use super::session::LocalSession;
use super::{Market, Seat};
use crate::book::{BidCurve, Order};
use crate::participant::Device;
use crate::program::{Chosen, Instance, Program, Solution, SolveError, Template};
use crate::setting::{Product, Role, Setting, Slot};
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

    /// Supply steps in one slot, other slots frozen at autarky: sells where the quantity is positive. Nobody bids beyond what
    /// the grid offers it instead.
    ///
    /// # Errors
    /// If the participant cannot operate at all.
    pub fn orders(&self, slot: usize) -> Result<BidCurve, SolveError> {
        self.asked();
        self.remembered_orders(slot)
    }

    /// The answer without counting a question: what is publicly known.
    pub(super) fn remembered_orders(&self, slot: usize) -> Result<BidCurve, SolveError> {
        match self.seat().participant.orders(slot) {
            Some(orders) => {
                let band = self.band(slot)?.filter(|_| self.market.setting.tariff.is_some());
                let capped = |o: Order| match band {
                    Some((sell, _)) if o.quantity > 0.0 => o.price.max(sell),
                    Some((_, buy)) => o.price.min(buy),
                    None => o.price,
                };
                let order = |o: Order| Order { who: self.member, price: capped(o), ..o };
                Ok(BidCurve { orders: orders.into_iter().map(order).collect(), step_error: 0.0 })
            }
            None => self.seat().orders[slot].get_or_init(|| self.traced_orders(slot)).clone(),
        }
    }

    /// Its own bids in a slot where it is known by bids; `None` where they would have to be sampled.
    pub(crate) fn bids(&self, slot: usize) -> Option<Vec<Order>> {
        self.seat().participant.orders(slot)
    }

    /// The devices that it presents itself with: who tries what it could say of them.
    pub(crate) fn parts(&self) -> &'m [Arc<dyn Device>] {
        self.seat().participant.parts()
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

    /// Steps from the response to prices strictly inside the participant's own band: at its ends the tariff makes the answer
    /// arbitrary, beyond them it would trade with the grid through its peers.
    fn traced_orders(&self, slot: usize) -> Result<BidCurve, SolveError> {
        let Some((sell, buy)) = self.band(slot)?.filter(|(sell, buy)| buy > sell) else {
            return Ok(BidCurve::default());
        };
        let margin = 1e-6 * (buy - sell);
        let response = Response::trace((sell + margin, buy - margin), |price| {
            let plan = self.ask(|problem, instance| {
                for (other, v) in problem.block.trade.iter().enumerate() {
                    if other == slot {
                        instance.add_linear(*v, -price);
                    } else {
                        instance.fix(*v, 0.0);
                    }
                }
            })?;
            Ok::<_, SolveError>(Answer { price, quantity: plan.trade[slot], cost: plan.cost, gap: plan.gap })
        })?;
        let mut curve = BidCurve::default();
        // Who is idle by itself may sell or buy: a storage does either.
        let role = self.role(slot);
        for (sells, end) in [(true, sell), (false, buy)] {
            if role == if sells { Role::Buyer } else { Role::Seller } {
                continue;
            }
            let (steps, error) = response.steps(sells, end);
            let order = |step: &Step| Order { who: self.member, price: step.price, quantity: step.quantity };
            curve.orders.extend(steps.iter().map(order));
            curve.step_error = curve.step_error.max(error);
        }
        Ok(curve)
    }

    fn role(&self, slot: usize) -> Role {
        self.market.setting.members[self.member].roles.get(slot).copied().unwrap_or(Role::Idle)
    }

    /// Between which prices trade with peers is better than with the grid: what it receives and what it pays there, with its
    /// terms and a kg at the price of its account; where that has several, at the price without trade. `None` where it trades
    /// only with peers.
    fn band(&self, slot: usize) -> Result<Option<(f64, f64)>, SolveError> {
        let setting = &self.market.setting;
        let Slot { product, period } = setting.slots[slot];
        if setting.tariff.is_none() || product != Product::Energy {
            return Ok(Some((0.0, 1.0)));
        }
        let terms = &self.seat().terms;
        let kg_price = match &terms.account {
            None => 0.0,
            Some(account) if account.charge.slopes.len() == 1 => account.charge.slopes[0],
            Some(_) => self.remembered_autarky()?.kg_price.unwrap_or(0.0),
        };
        let (receives, pays) = block::outside(setting, terms, period, kg_price);
        let adder = at(&terms.trade_adder, slot);
        Ok(Some((receives - adder, pays - adder)))
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
