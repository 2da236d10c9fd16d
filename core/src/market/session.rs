//! A participant asked again and again in one run: the session keeps what belongs to its steps, the last answer and the
//! solver's memory of it.
//!
//! An iterative mechanism keeps one session per participant ([`Market::sessions`](super::Market::sessions)) and steps them in
//! parallel ([`Market::each_with`](super::Market::each_with)). Inside a loop only net trades and costs matter; whole schedules
//! are asked for once, at the end, and from nothing ([`Local::deliver`]): which of several best schedules a session finds may
//! depend on its path.

use super::plan::Plan;
use super::{Local, LocalProblem};
use crate::program::{Instance, Routes, Session, Solution, SolveError};

/// One participant's steps in one run; never shared. The same steps give the same bits.
#[derive(Debug)]
pub struct LocalSession<'m> {
    local: Local<'m>,
    solver: Option<Solver<'m>>,
    last: Option<Step>,
}

/// The participant's problem, and what its solver remembers.
#[derive(Debug)]
struct Solver<'m> {
    problem: &'m LocalProblem,
    session: Session<'m>,
    instance: Instance,
}

/// The answer to the last step.
#[derive(Debug)]
struct Step {
    trade: Vec<f64>,
    injection: Vec<f64>,
    cost: f64,
    gap: f64,
    found: Found,
}

#[derive(Debug)]
enum Found {
    Solution(Box<Solution>),
    /// An answer between two markets, which is never found by steps.
    Plan(Box<Plan>),
}

impl<'m> LocalSession<'m> {
    pub(super) fn new(local: Local<'m>) -> Self {
        Self { local, solver: None, last: None }
    }

    /// Whose it is, by position.
    pub fn id(&self) -> usize {
        self.local.id()
    }

    /// Net sales per slot, kWh, of the least `cost(x) + sum_k rho_k/2 (x_k - centre_k)^2`; `rho` in money per kWh squared. As
    /// good as the answer of [`Local::prox`], whatever was asked before; the first one is the same.
    ///
    /// # Errors
    /// If the participant cannot operate at all.
    pub fn prox(&mut self, centre: &[f64], rho: &[f64]) -> Result<&[f64], SolveError> {
        if self.local.market.mixture.is_some() {
            let plan = self.local.prox(centre, rho)?;
            let (trade, cost, gap) = (plan.trade.clone(), plan.cost, plan.gap);
            let step = Step { trade, injection: vec![], cost, gap, found: Found::Plan(Box::new(plan)) };
            return Ok(&self.last.insert(step).trade);
        }
        self.step(self.local.problem(), (centre, rho), None)
    }

    /// The same with `sum_k weight_k/2 (g_k - at_k)^2` over net injections `g` into the network, kWh per energy slot, which
    /// [`injection`](Self::injection) then tells.
    ///
    /// # Errors
    /// If the participant cannot operate at all, or the market answers between two others.
    pub fn prox_injecting(
        &mut self,
        trade: (&[f64], &[f64]),
        injection: (&[f64], &[f64]),
    ) -> Result<&[f64], SolveError> {
        if self.local.market.mixture.is_some() {
            return Err(SolveError::Unmet { need: "a market that does not answer between two others" });
        }
        self.step(self.local.injecting(), trade, Some(injection))
    }

    fn step(
        &mut self,
        problem: &'m LocalProblem,
        (centre, rho): (&[f64], &[f64]),
        injection: Option<(&[f64], &[f64])>,
    ) -> Result<&[f64], SolveError> {
        self.local.asked();
        // Whoever asks about injections, and then no more, begins anew.
        let mut solver = match self.solver.take().filter(|solver| std::ptr::eq(solver.problem, problem)) {
            Some(solver) => solver,
            None => Solver { problem, session: Session::new(&problem.template), instance: problem.template.instance() },
        };
        problem.draw(solver.instance.restore_costs(), centre, rho);
        if let Some((at, weight)) = injection {
            problem.draw_injection(&mut solver.instance, at, weight);
        }
        let found = solver.session.solve(&solver.instance);
        self.solver = Some(solver);
        let solution = found?;
        let gap = solution.certificate.gap;
        self.local.market.meter.note_choices_gap(if solution.settled { 0.0 } else { gap });
        let pulled = |x: &[f64], centre: &[f64], weight: &[f64]| -> f64 {
            x.iter().zip(centre).zip(weight).map(|((x, c), r)| 0.5 * r * (x - c) * (x - c)).sum()
        };
        let (trade, injected) = (problem.trade(&solution), problem.injection(&solution));
        let of_injection = injection.map_or(0.0, |(at, weight)| pulled(&injected, at, weight));
        let cost = solution.certificate.objective - pulled(&trade, centre, rho) - of_injection;
        let found = Found::Solution(Box::new(solution));
        Ok(&self.last.insert(Step { trade, injection: injected, cost, gap, found }).trade)
    }

    /// Net injections of the last step by slot, kWh, where it asked about them.
    pub fn injection(&self) -> &[f64] {
        self.last.as_ref().map_or(&[], |step| &step.injection)
    }

    /// What the last step costs the participant, the pull to the centre aside; zero before the first.
    pub fn cost(&self) -> f64 {
        self.last.as_ref().map_or(0.0, |step| step.cost)
    }

    /// Proven distance of the last step's `cost + pull` from the least; zero before the first. Where all `rho` are at least
    /// `r`, net sales are within `sqrt(2 gap / r)` of the best ones.
    pub fn gap(&self) -> f64 {
        self.last.as_ref().map_or(0.0, |step| step.gap)
    }

    /// The schedule of the last step; `None` before the first.
    pub fn plan(&self) -> Option<Plan> {
        let plan = |step: &Step| match &step.found {
            Found::Solution(solution) => {
                let problem = self.solver.as_ref().map_or_else(|| self.local.problem(), |solver| solver.problem);
                self.local.planned(problem, solution)
            }
            Found::Plan(plan) => (**plan).clone(),
        };
        self.last.as_ref().map(plan)
    }

    /// The program of the last step, its pull included; `None` before the first.
    pub fn program(&self) -> Option<&Instance> {
        self.solver.as_ref().map(|solver| &solver.instance)
    }

    /// By which ways the steps were solved.
    pub fn routes(&self) -> Routes {
        self.solver.as_ref().map_or_else(Routes::default, |solver| solver.session.routes())
    }
}
