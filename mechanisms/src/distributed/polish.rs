//! From an agreement to an answer: trades stand, every member schedules for them at least cost, and what that costs is held
//! against two bounds.
//!
//! The first is proven from prices alone: at any prices `y`, `sum_i min (f_i(x) - y x)` is at most the least cost, because
//! net sales of all together are nothing. The second is the least cost itself, found by one program of all members; the solver
//! does not need it, whoever reads the answer does.

use super::Solved;
use coase_core::market::{NetworkMode, Plan};
use coase_core::outcome::Status;
use coase_core::program::SolveError;
use coase_core::terms::{Limits, Terms};
use coase_core::{Allocation, Certificate, Market, MechanismError};
use std::sync::Arc;

/// What the members agreed upon, and how that ended.
pub(super) struct Agreed {
    /// Net sales by member and slot; nothing over all members.
    pub net: Vec<Vec<f64>>,
    /// Net sales as the members answered last: each can deliver its own, and the agreement to a tolerance.
    pub answered: Vec<Vec<f64>>,
    /// Mean price by slot, and the greatest difference between prices of one slot.
    pub price: Vec<f64>,
    pub price_spread: f64,
    /// Where the network takes part.
    pub injection: Option<Injected>,
    pub iterations: usize,
    /// Residual at which the solver would stop.
    pub tolerance: f64,
    /// Greatest relative residual at the end.
    pub residual: f64,
    pub converged: bool,
    /// What may help a solver that did not come to its end.
    pub advice: Option<&'static str>,
    /// What proved it, where something did.
    pub proven: Option<Proven>,
}

/// Schedules of what was agreed upon, and what all must pay at least at its prices.
pub(super) struct Proven {
    plans: Vec<Plan>,
    bound: f64,
}

/// Injections by member and slot: the members' own copies, and the operator's.
pub(super) struct Injected {
    pub own: Vec<Vec<f64>>,
    pub carried: Vec<Vec<f64>>,
}

/// A gap that is none, relative to the money that members pay for resources and to the grid.
const NO_GAP: f64 = 1e-6;
/// What errors of prices leave open at most, in the tolerance times that money: members answer them with more than they trade.
const PRICE_ERRORS: f64 = 10.0;
/// Prices beside those agreed upon, relative to them.
const BESIDE: [f64; 4] = [2e-7, -2e-7, 1e-6, -1e-6];
/// Iterations between two proofs, as a multiple of those before.
const TRY_AGAIN: f64 = 1.5;
/// Rounding of a sum of costs.
const ROUNDING: f64 = 1e-12;

pub(super) fn polish(market: &Market, agreed: Agreed) -> Result<Solved, MechanismError> {
    let limits = agreed.injection.as_ref().map_or(vec![], |of| limits(market, &of.own, &of.carried));
    let held = if limits.is_empty() { market.clone() } else { market.imposing(&limits) };
    let (plans, proven) = match agreed.proven {
        Some(Proven { plans, bound }) => (plans, Some(bound)),
        None => (delivered(&held, &agreed.net, &agreed.answered)?, None),
    };
    let cost: f64 = plans.iter().map(|plan| plan.cost).sum();
    let price = agreed.price.clone();
    let question = if limits.is_empty() {
        market.grand()
    } else {
        let loss_price_per_kwh = vec![0.0; market.setting().periods.count];
        market.grand().network(NetworkMode::Inside { loss_price_per_kwh })
    };
    let least = market.solve(&question)?;
    let money = money(&plans);
    let rounding = ROUNDING * (1.0 + plans.iter().map(|plan| plan.cost.abs()).sum::<f64>());
    let witness = format!("the members pay {cost:.9}, the program of all finds {:.9}", least.cost);
    let mut residual = "greatest residual relative to quantities and prices".to_owned();
    if let Some(advice) = agreed.advice.filter(|_| !agreed.converged) {
        residual = format!("{residual}; {advice}");
    }
    let mut evidence = vec![
        Certificate::measure("solver_iterations", agreed.iterations as f64, "rounds of questions to all members"),
        Certificate::measure("solver_residual", agreed.residual, residual),
        Certificate::measure("price_spread", agreed.price_spread, "between members in one slot"),
        Certificate::check("central_gap", cost - least.cost, NO_GAP * money + least.gap + rounding, witness),
    ];
    if limits.is_empty() {
        let allowed = NO_GAP.max(PRICE_ERRORS * agreed.tolerance) * money + rounding;
        evidence.push(match proven.map_or_else(|| bound(market, &price), Ok) {
            Ok(bound) => {
                Certificate::check("duality_gap", cost - bound, allowed, "against what the prices alone prove")
            }
            Err(error) => Certificate::not_applicable("duality_gap", format!("no bound from the prices: {error}")),
        });
    }
    let allocation = Allocation {
        cost,
        programs: plans.iter().map(|plan| plan.programs).max().unwrap_or(1),
        convex: market.is_convex(),
        arbitrary: plans.iter().any(|plan| plan.arbitrary),
        choices_gap: plans.iter().map(|plan| plan.choices_gap).fold(0.0, f64::max),
        plans: plans.into_iter().map(|plan| Some(Arc::new(plan))).collect(),
        price,
        nodal_price: vec![],
        loss_cost: 0.0,
        limits,
        // The bound of the program of all is the sharper one: prices are agreed upon to a tolerance.
        gap: cost - least.cost + least.gap,
    };
    // Residuals may be small where there is money left to gain.
    let residual =
        if agreed.residual > agreed.tolerance { agreed.residual } else { (cost - least.cost) / money.max(rounding) };
    let status = if agreed.converged { Status::Converged } else { Status::NotConverged { residual } };
    Ok(Solved { allocation: Arc::new(allocation), evidence, status })
}

/// The schedules of what was agreed upon. Who cannot deliver its part to the last digit delivers what it answered, and the others
/// share the difference, each alike.
fn delivered(market: &Market, agreed: &[Vec<f64>], answered: &[Vec<f64>]) -> Result<Vec<Plan>, SolveError> {
    let mut net = agreed.to_vec();
    let mut as_answered = vec![false; net.len()];
    loop {
        let plans: Vec<Result<Plan, SolveError>> = market.each(|member| Ok(member.deliver(&net[member.id()])))?;
        let unable = |i: &usize| plans[*i].is_err() && !as_answered[*i];
        let unable: Vec<usize> = (0..plans.len()).filter(unable).collect();
        let others = as_answered.iter().filter(|fixed| !**fixed).count() - unable.len();
        if unable.is_empty() || others == 0 {
            let named =
                |(i, plan): (usize, Result<Plan, SolveError>)| plan.map_err(|e| e.of(&market.setting().members[i].id));
            return plans.into_iter().enumerate().map(named).collect();
        }
        let mut missing = vec![0.0; market.setting().slots.len()];
        for i in unable {
            as_answered[i] = true;
            for (t, missing) in missing.iter_mut().enumerate() {
                *missing += net[i][t] - answered[i][t];
                net[i][t] = answered[i][t];
            }
        }
        for (net, _) in net.iter_mut().zip(&as_answered).filter(|(_, fixed)| !**fixed) {
            for (net, missing) in net.iter_mut().zip(&missing) {
                *net += missing / others as f64;
            }
        }
    }
}

/// What the members pay for resources and to the grid, whoever earns counted as who pays.
fn money(plans: &[Plan]) -> f64 {
    plans.iter().map(|plan| plan.resource_cost.abs() + plan.tariff_cost.abs()).sum()
}

/// Proofs that what was agreed upon costs the least there is, which are asked for now and then.
pub(super) struct Proof {
    /// What may be left to gain, as a share of what the members pay.
    pub share: f64,
    /// The iteration from which the next one is due.
    due: f64,
}

impl Proof {
    /// For a solver that stops at such residuals.
    pub fn to(tolerance: f64) -> Self {
        Self { share: tolerance.max(NO_GAP), due: 0.0 }
    }

    /// What proves it, if prices do. A proof that fails is due again after so many times as many iterations.
    pub fn of(
        &mut self,
        iterations: usize,
        market: &Market,
        (net, answered): (&[Vec<f64>], &[Vec<f64>]),
        price: &[f64],
    ) -> Option<Proven> {
        if (iterations as f64) < self.due {
            return None;
        }
        self.due = TRY_AGAIN * iterations as f64;
        let plans = delivered(market, net, answered).ok()?;
        let cost: f64 = plans.iter().map(|plan| plan.cost).sum();
        let bound = bound(market, price).ok().filter(|bound| cost - bound <= self.share * money(&plans))?;
        Some(Proven { plans, bound })
    }
}

/// What all together must pay at least, proven by prices. Any prices prove a bound: where those agreed upon are so near to the
/// tariff's that an answer to them is not certified, prices beside them do.
fn bound(market: &Market, price: &[f64]) -> Result<f64, SolveError> {
    let at = |shift: f64| -> Result<f64, SolveError> {
        let price: Vec<f64> = price.iter().map(|p| p * (1.0 + shift)).collect();
        let least = market.each(|member| {
            let plan = member.respond(&price)?;
            let earned: f64 = price.iter().zip(&plan.trade).map(|(p, x)| p * x).sum();
            Ok(plan.cost - earned - plan.gap)
        })?;
        Ok(least.iter().sum())
    };
    BESIDE.into_iter().fold(at(0.0), |found, shift| found.or_else(|_| at(shift)))
}

/// Limits that hold members to their injections: between what a member can do and what the operator lets through.
fn limits(market: &Market, own: &[Vec<f64>], carried: &[Vec<f64>]) -> Vec<Terms> {
    let setting = market.setting();
    let hours = setting.periods.hours;
    let of_member = |(own, carried): (&Vec<f64>, &Vec<f64>)| {
        let pair = |t: usize| setting.energy_slot(t).map_or((0.0, 0.0), |k| (own[k] / hours, carried[k] / hours));
        let pairs: Vec<(f64, f64)> = (0..setting.periods.count).map(pair).collect();
        let limits = Limits {
            injection_min_kw: pairs.iter().map(|(a, b)| a.min(*b)).collect(),
            injection_max_kw: pairs.iter().map(|(a, b)| a.max(*b)).collect(),
        };
        Terms { limits: Some(limits), ..Terms::default() }
    };
    own.iter().zip(carried).map(of_member).collect()
}
