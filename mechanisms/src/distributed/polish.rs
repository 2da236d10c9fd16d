//! From an agreement to an answer: trades stand, every member schedules for them at least cost, and what that costs is held
//! against two bounds.
//!
//! The first is proven from prices alone: at any prices `y`, `sum_i min (f_i(x) - y x)` is at most the least cost, because
//! net sales of all together are nothing. The second is the least cost itself, found by one program of all members; the solver
//! does not need it, whoever reads the answer does.

use super::Solved;
use super::pairs::{Agreement, Pairs};
use coase_core::market::Plan;
use coase_core::outcome::Status;
use coase_core::{Allocation, Certificate, Market, MechanismError};
use std::sync::Arc;

/// What the pairs agreed upon, and how that ended.
pub(super) struct Agreed {
    pub pairs: Pairs,
    pub agreement: Agreement,
    pub iterations: usize,
    /// Greatest relative residual at the end.
    pub residual: f64,
    pub converged: bool,
}

/// A gap that is none, relative to the money that members pay for resources and to the grid.
const NO_GAP: f64 = 1e-6;

pub(super) fn polish(market: &Market, agreed: &Agreed) -> Result<Solved, MechanismError> {
    let Agreed { pairs, agreement, .. } = agreed;
    let net = pairs.net(&agreement.sale);
    let plans: Vec<Plan> = market.each(|member| member.deliver(&net[member.id()]))?;
    let cost: f64 = plans.iter().map(|plan| plan.cost).sum();
    let price = pairs.mean(&agreement.price);
    let bound: f64 = market
        .each(|member| {
            let plan = member.respond(&price)?;
            let earned: f64 = price.iter().zip(&plan.trade).map(|(p, x)| p * x).sum();
            Ok(plan.cost - earned - plan.gap)
        })?
        .iter()
        .sum();
    let least = market.solve(&market.grand())?;
    let money: f64 = plans.iter().map(|plan| plan.resource_cost.abs() + plan.tariff_cost.abs()).sum();
    let mut evidence = vec![
        Certificate::measure("solver_iterations", agreed.iterations as f64, "rounds of questions to all members"),
        Certificate::measure("solver_residual", agreed.residual, "greatest residual relative to quantities and prices"),
        Certificate::measure("price_spread", pairs.spread_of(&agreement.price), "between pairs in one slot"),
    ];
    let witness = format!("the members pay {cost:.9}, the program of all finds {:.9}", least.cost);
    evidence.push(Certificate::check("central_gap", cost - least.cost, NO_GAP * money + least.gap, witness));
    let choices_gap = plans.iter().map(|plan| plan.choices_gap).fold(0.0, f64::max);
    let allocation = Allocation {
        cost,
        programs: plans.iter().map(|plan| plan.programs).max().unwrap_or(1),
        convex: market.is_convex(),
        arbitrary: plans.iter().any(|plan| plan.arbitrary),
        plans: plans.into_iter().map(|plan| Some(Arc::new(plan))).collect(),
        price,
        nodal_price: vec![],
        loss_cost: 0.0,
        limits: vec![],
        gap: cost - bound,
        choices_gap,
    };
    let status = if agreed.converged { Status::Converged } else { Status::NotConverged { residual: agreed.residual } };
    Ok(Solved { allocation: Arc::new(allocation), evidence, status })
}
