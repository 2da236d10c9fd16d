//! Trade between given pairs, where a unit of money is not worth the same to everybody.
//!
//! Whoever bargains under bounds on prices cannot shift money freely, and minimises `sum_i weight_i cost_i` with weights of its
//! own, what a trade is worth to its pair beside it.

use super::block::{Block, Form};
use super::plan::Plan;
use super::{Local, Market};
use crate::program::{Cost, Expr, Program, SolveError, Var};
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

impl Market {
    /// Least `sum_i weight_i cost_i - sum over links of worth x quantity`. Not remembered: no two rounds ask the same.
    ///
    /// # Errors
    /// If the members cannot operate, or the problem is not solved to tolerance.
    pub fn pairwise(&self, question: &Pairwise) -> Result<Paired, SolveError> {
        self.meter.count_economy();
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
        let traded: Vec<Var> = most.iter().map(|most| program.var(0.0, *most)).collect();
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
        for (&i, block) in takes_part.iter().zip(&blocks) {
            for (k, trade) in block.trade.iter().enumerate() {
                let along = std::mem::take(&mut sold[i][k]).plus(-1.0, *trade);
                program.equal(along, 0.0, "sales along links", Some(setting.slots[k].period));
            }
        }
        let solution = program.compile().instance().solve()?;
        self.meter.note_choices_gap(if solution.settled { 0.0 } else { solution.certificate.gap });
        let quantity: Vec<f64> = traded.iter().map(|v| solution.value(*v).max(0.0)).collect();
        let plan = |i: usize| {
            let mut net = vec![0.0; setting.slots.len()];
            for (link, kwh) in question.links.iter().zip(&quantity) {
                net[link.slot] += kwh * (f64::from(u8::from(link.seller == i)) - f64::from(u8::from(link.buyer == i)));
            }
            Local { market: self, member: i }.delivered(&net)
        };
        let plans = (0..self.len()).map(|i| plan(i).map(Arc::new)).collect::<Result<_, _>>()?;
        let certificate = solution.certificate;
        Ok(Paired { quantity, plans, objective: certificate.objective, gap: certificate.gap })
    }
}
