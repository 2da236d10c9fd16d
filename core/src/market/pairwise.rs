//! Trade between given pairs, where a unit of money is not worth the same to everybody.
//!
//! Whoever bargains under bounds on prices cannot shift money freely, and minimises `sum_i weight_i cost_i` with weights of its
//! own, what a trade is worth to its pair beside it.

use super::block::{Block, Form};
use super::plan::Plan;
use super::{Local, Market};
use crate::program::{Cost, Expr, Instance, Program, Row, Session, Solution, SolveError, Template, Var, Written};
use rayon::prelude::*;
use std::sync::Arc;

/// A way from a seller to a buyer in one slot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    /// Who sells.
    pub seller: usize,
    /// Who buys.
    pub buyer: usize,
    /// What and when.
    pub slot: usize,
    /// What a unit traded is worth beside the costs of the two, in weighted money.
    pub worth_per_kwh: f64,
}

/// A question: the least weighted cost of members that trade along links only.
#[derive(Clone, Debug, PartialEq)]
pub struct Pairwise {
    /// Weight of each member's cost; who has none does what it does without trade.
    pub weights: Vec<f64>,
    /// Where may be traded.
    pub links: Vec<Link>,
}

/// The answer to a [`Pairwise`].
#[derive(Clone, Debug)]
pub struct Paired {
    /// What is traded along each link, not negative: kWh for energy.
    pub quantity: Vec<f64>,
    /// What each member then does.
    pub plans: Vec<Arc<Plan>>,
    /// `sum_i weight_i cost_i - sum of worth x quantity`, over those with a weight.
    pub objective: f64,
    /// Proven distance of the objective from its least.
    pub gap: f64,
}

/// A [`Pairwise`] posed once, to be asked with many worths of its links: prices that somebody tries out on its members.
#[derive(Debug)]
pub struct PairwiseSession<'m> {
    market: &'m Market,
    links: Vec<Link>,
    template: Template,
    traded: Vec<Var>,
    /// Sales along links, by member and slot; of whom takes no part, none.
    rows: Vec<Vec<Row>>,
}

/// Answers one after the other, each found from the last one.
#[derive(Debug)]
pub struct PairwiseSteps<'s, 'm> {
    of: &'s PairwiseSession<'m>,
    session: Session<'s>,
}

/// What is traded along links at given worths.
#[derive(Clone, Debug, PartialEq)]
pub struct Along {
    /// What is traded along each link, not negative: kWh for energy.
    pub quantity: Vec<f64>,
    /// What a kWh is worth where each member stands, by member and slot: one at which nobody would trade otherwise. Of whom
    /// takes no part, none.
    pub price: Vec<Vec<f64>>,
    /// `sum_i weight_i cost_i - sum of worth x quantity`, over those with a weight.
    pub objective: f64,
    /// Proven distance of the objective from its least.
    pub gap: f64,
    /// Whether nothing had to be chosen, so that the prices support the trades.
    pub convex: bool,
}

/// What a third party has against a quantity along a link: `linear x quantity + square / 2 x quantity^2`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Dislike {
    /// Money per kWh; negative where it likes the trade.
    pub linear_per_kwh: f64,
    /// Money per kWh squared, not negative.
    pub square_per_kwh2: f64,
}

/// What a square counts beside what a third party dislikes, where it is to decide what that leaves open.
const TIE: f64 = 1e-6;
/// Answers that share a solver's memory: so many, whatever the number of threads.
const IN_A_ROW: usize = 16;

impl Market {
    /// Least `sum_i weight_i cost_i - sum over links of worth x quantity`. Not remembered: no two rounds ask the same.
    ///
    /// # Errors
    /// If the members cannot operate, or the problem is not solved to tolerance.
    pub fn pairwise(&self, question: &Pairwise) -> Result<Paired, SolveError> {
        self.meter.count_economy();
        let session = self.pairwise_session(question);
        let solution = session.template.instance().solve()?;
        self.meter.note_choices_gap(if solution.settled { 0.0 } else { solution.certificate.gap });
        let quantity = session.quantity(&solution);
        let plans = session.plans(&quantity)?;
        let certificate = solution.certificate;
        Ok(Paired { quantity, plans, objective: certificate.objective, gap: certificate.gap })
    }

    /// The same question, to be asked again with other worths.
    pub fn pairwise_session(&self, question: &Pairwise) -> PairwiseSession<'_> {
        let setting = &*self.setting;
        let mut program = Program::new();
        program.limit_programs(setting.choice_programs);
        let takes_part: Vec<usize> = (0..self.len()).filter(|&i| question.weights[i] > 0.0).collect();
        let blocks: Vec<Block> = takes_part
            .iter()
            .map(|&i| {
                let seat = &self.seats[i];
                let present = (&*seat.participant, &*seat.reach);
                program.weighing(question.weights[i], |program| {
                    Block::build(program, setting, i, present, &seat.terms, Form::default())
                })
            })
            .collect();
        program.scope("trade between pairs");
        let reach = |i: usize, slot: usize| -> f64 {
            let block = takes_part.iter().position(|member| *member == i);
            block.map_or(0.0, |b| {
                let (low, high) = program.bounds(blocks[b].trade[slot]);
                low.abs().max(high.abs())
            })
        };
        let most: Vec<f64> =
            question.links.iter().map(|l| reach(l.seller, l.slot).min(reach(l.buyer, l.slot))).collect();
        // The bound of a link never limits what members can: the price of a limit is theirs.
        let traded: Vec<Var> = most.iter().map(|most| program.var(0.0, 1.25 * most + 1.0)).collect();
        let mut worth = Cost::default();
        for (link, quantity) in question.links.iter().zip(&traded) {
            worth.add(-link.worth_per_kwh, *quantity);
        }
        program.add_cost(&worth);
        let mut sold: Vec<Vec<Expr>> = vec![vec![Expr::default(); setting.slots.len()]; self.len()];
        for (link, quantity) in question.links.iter().zip(&traded) {
            sold[link.seller][link.slot].add(1.0, *quantity);
            sold[link.buyer][link.slot].add(-1.0, *quantity);
        }
        let mut rows = vec![vec![]; self.len()];
        for (&i, block) in takes_part.iter().zip(&blocks) {
            for (k, trade) in block.trade.iter().enumerate() {
                let along = std::mem::take(&mut sold[i][k]).plus(-1.0, *trade);
                rows[i].push(program.equal(along, 0.0, "sales along links", Some(setting.slots[k].period)));
            }
        }
        PairwiseSession { market: self, links: question.links.clone(), template: program.compile(), traded, rows }
    }
}

impl<'m> PairwiseSession<'m> {
    /// The answer where a unit along each link is worth so much, in the order of the links.
    ///
    /// # Errors
    /// If the members cannot operate, or the problem is not solved to tolerance.
    pub fn answer(&self, worth_per_kwh: &[f64]) -> Result<Along, SolveError> {
        self.market.meter.count_economy();
        Ok(self.along(&self.instance(worth_per_kwh).solve()?))
    }

    /// Answers to many, in parallel; in order. Where several trades are best, which of them is answered may depend on what
    /// stands before it in the list, and on nothing else.
    ///
    /// # Errors
    /// The first error in order.
    pub fn answers(&self, worths: &[Vec<f64>]) -> Result<Vec<Along>, SolveError> {
        let in_a_row = |worths: &[Vec<f64>]| -> Vec<Result<Along, SolveError>> {
            let mut steps = self.steps();
            worths.iter().map(|worth| steps.answer(worth)).collect()
        };
        let all: Vec<Vec<Result<Along, SolveError>>> = worths.par_chunks(IN_A_ROW).map(in_a_row).collect();
        all.into_iter().flatten().collect()
    }

    /// Steps that share a solver's memory.
    pub fn steps(&self) -> PairwiseSteps<'_, 'm> {
        PairwiseSteps { of: self, session: Session::new(&self.template) }
    }

    /// Of all best trades those that a third party likes best: least `sum of linear x quantity + square / 2 x quantity^2`. What
    /// that leaves open has the least sum of squares. The answer at the same worths otherwise.
    ///
    /// # Errors
    /// If the members cannot operate, or the problem is not solved to tolerance.
    pub fn liked(&self, worth_per_kwh: &[f64], dislike: &[Dislike]) -> Result<Along, SolveError> {
        self.market.meter.count_economy();
        let instance = self.instance(worth_per_kwh);
        let first = instance.solve()?;
        let most = self.traded.iter().map(|v| instance.bounds(*v).1).fold(1.0_f64, f64::max);
        let strongest = dislike.iter().map(|d| d.linear_per_kwh.abs() / most + d.square_per_kwh2).fold(0.0, f64::max);
        let tie = if strongest > 0.0 { TIE * strongest } else { 1.0 };
        let criterion = |face: &mut Instance| {
            for (v, dislike) in self.traded.iter().zip(dislike) {
                face.add_linear(*v, dislike.linear_per_kwh).add_square(*v, 0.5 * dislike.square_per_kwh2 + tie, 0.0);
            }
        };
        let chosen = instance.least_among_optima(&first, &criterion)?.solution;
        Ok(self.along(&chosen))
    }

    /// What each member does when so much is traded along each link.
    ///
    /// # Errors
    /// If a member cannot operate at all.
    pub fn plans(&self, quantity: &[f64]) -> Result<Vec<Arc<Plan>>, SolveError> {
        let plan = |i: usize| {
            let mut net = vec![0.0; self.market.setting.slots.len()];
            for (link, kwh) in self.links.iter().zip(quantity) {
                net[link.slot] += kwh * (f64::from(u8::from(link.seller == i)) - f64::from(u8::from(link.buyer == i)));
            }
            Local { market: self.market, member: i }.delivered(&net)
        };
        (0..self.market.len()).map(|i| plan(i).map(Arc::new)).collect()
    }

    /// The links, in order.
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// The convex part of the problem in plain numbers, with the worths of the question, and which of its variables are the
    /// quantities along links.
    pub fn written(&self) -> (Written, Vec<usize>) {
        (self.template.instance().written(), self.traded.iter().map(|v| v.index()).collect())
    }

    fn instance(&self, worth_per_kwh: &[f64]) -> Instance {
        let mut instance = self.template.instance();
        for ((v, worth), link) in self.traded.iter().zip(worth_per_kwh).zip(&self.links) {
            instance.add_linear(*v, link.worth_per_kwh - worth);
        }
        instance
    }

    fn quantity(&self, solution: &Solution) -> Vec<f64> {
        self.traded.iter().map(|v| solution.value(*v).max(0.0)).collect()
    }

    fn along(&self, solution: &Solution) -> Along {
        let certificate = solution.certificate;
        self.market.meter.note_choices_gap(if solution.settled { 0.0 } else { certificate.gap });
        Along {
            quantity: self.quantity(solution),
            price: self.rows.iter().map(|rows| rows.iter().map(|row| -solution.dual(*row)).collect()).collect(),
            objective: certificate.objective,
            gap: certificate.gap,
            convex: solution.nodes == 1,
        }
    }
}

impl PairwiseSteps<'_, '_> {
    /// The answer where a unit along each link is worth so much; where several trades are best, which of them it is may depend on
    /// what was asked before.
    ///
    /// # Errors
    /// If the members cannot operate, or the problem is not solved to tolerance.
    pub fn answer(&mut self, worth_per_kwh: &[f64]) -> Result<Along, SolveError> {
        self.of.market.meter.count_economy();
        let solution = self.session.solve(&self.of.instance(worth_per_kwh))?;
        Ok(self.of.along(&solution))
    }
}
