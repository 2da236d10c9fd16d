//! Questions about groups of participants: what they would cost together.

use super::block::Block;
use super::plan::Plan;
use super::{Local, Market};
use crate::program::{Expr, Program, Row, SolveError, Var};
use std::sync::Arc;

/// A question: the least cost of a group of members that trade among themselves.
#[derive(Clone, Debug, PartialEq)]
pub struct Economy {
    pub(super) inside: Vec<bool>,
    pub(super) extra: Vec<f64>,
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
}

/// The least-cost answer to an [`Economy`].
#[derive(Clone, Debug)]
pub struct Allocation {
    /// Sum of the members' costs, payments among them aside.
    pub cost: f64,
    /// What each member does; `None` for those outside.
    pub plans: Vec<Option<Arc<Plan>>>,
    /// Marginal cost of delivering one more unit per slot: the price at which nobody would trade differently.
    pub price: Vec<f64>,
    /// Proven distance of the cost from the least cost.
    pub gap: f64,
    /// Whether the answer came from a convex problem, so that `price` supports it.
    pub convex: bool,
}

pub(super) fn solve(market: &Market, question: &Economy) -> Result<Allocation, SolveError> {
    let setting = &*market.setting;
    let members: Vec<usize> = (0..market.len()).filter(|&i| question.inside[i]).collect();
    let mut program = Program::new();
    let blocks: Vec<Block> = members
        .iter()
        .map(|&i| {
            let seat = &market.seats[i];
            Block::build(&mut program, setting, i, &*seat.participant, &seat.terms, None)
        })
        .collect();
    program.scope("market");
    let rows: Vec<Row> = (0..setting.slots.len())
        .map(|k| {
            let mut sum = Expr::default();
            for block in &blocks {
                sum.add(1.0, block.trade[k]);
            }
            let need = setting.requirement[k] + question.extra.get(k).copied().unwrap_or(0.0);
            program.equal(sum, need, "sales meet purchases", Some(setting.slots[k].period))
        })
        .collect();
    let instance = program.compile().instance();
    let first = instance.solve()?;
    // Nobody resells grid energy: among least-cost answers the one with the least sum of squared net sales; then, at these
    // sales, every member's own criterion.
    let trades: Vec<Var> = blocks.iter().flat_map(|b| b.trade.iter().copied()).collect();
    let chosen = instance.least_squares_among_optima(&first, &trades)?;
    let mut plans = vec![None; market.len()];
    for (block, &i) in blocks.iter().zip(&members) {
        let trade: Vec<f64> = block.trade.iter().map(|v| chosen.x[v.index()]).collect();
        plans[i] = Some(Arc::new(Local { market, member: i }.delivered(&trade)?));
    }
    let cost = plans.iter().flatten().map(|p| p.cost).sum();
    let price = rows.iter().map(|row| first.dual(*row)).collect();
    Ok(Allocation { cost, plans, price, gap: first.certificate.gap, convex: first.nodes == 1 })
}
