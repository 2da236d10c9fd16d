//! The least cost of all members together, found without anybody who knows everybody: every member answers questions about its
//! own trades, and prices and trades are agreed upon pair by pair.
//!
//! What is asked is P1 of every cooperative mechanism, `min sum_i f_i(x_i)` over net sales `x_i = sum_j e_ij` with
//! `e_ij + e_ji = 0`. Member `i` holds its own copy `e_ij` of what it sells to `j`; a pair agrees on `z_ij = -z_ji` at a price
//! `p_ij = p_ji`. The solvers differ in how agreement is reached: [`admm`] pulls the copies towards it and moves prices by what
//! is left, [`dual_ascent`] moves prices alone. At the end trades are fixed at the agreement, every member schedules for them
//! once more ([`polish`]), and certificates say how far the answer is from the least cost.

mod acceleration;
mod admm;
mod couplings;
mod dual_ascent;
mod graph;
mod members;
mod pairs;
mod partners;
mod polish;
mod scaling;
#[cfg(test)]
mod tests;

pub use acceleration::Acceleration;
pub use dual_ascent::Metric;
pub use partners::Partners;
pub use scaling::{Groups, Scaling};

use admm::Admm;
use coase_core::outcome::Status;
use coase_core::{Allocation, Certificate, Market, MechanismError, RunContext};
use dual_ascent::DualAscent;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How the least cost of all members together is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Solver {
    /// By one program of all members.
    #[default]
    Central,
    /// By the alternating direction method of multipliers on pairs: every member answers `min f_i(x_i) + sum_j rho/2 (e_ij - z_ij
    /// - p_ij / rho)^2`, pairs agree on `z_ij = (e_ij - e_ji) / 2`, and prices follow, `p_ij <- p_ij - rho (e_ij - z_ij)`.
    Admm {
        /// Penalty at the start, money per kWh squared.
        #[serde(default = "rho")]
        #[schemars(extend("exclusiveMinimum" = 0.0, "unit" = "money/kWh^2"))]
        rho: f64,
        /// Residuals at which it stops, relative to quantities and prices (and absolute per quantity, kWh and money per kWh).
        #[serde(default = "tolerance")]
        #[schemars(extend("exclusiveMinimum" = 0.0))]
        tolerance: f64,
        /// Iterations at most.
        #[serde(default = "max_iterations")]
        #[schemars(range(min = 1))]
        max_iterations: usize,
        /// How the penalty follows the residuals.
        #[serde(default)]
        scaling: Scaling,
        /// What is made of the path so far.
        #[serde(default)]
        acceleration: Acceleration,
        /// Whether the network's operator takes part.
        #[serde(default)]
        network: NetworkPart,
        /// With whom a member trades.
        #[serde(default)]
        partners: Partners,
    },
    /// By fast dual ascent: members answer prices `p_ij` with a friction that makes the answer unique, and prices follow what
    /// pairs disagree by, with momentum. The friction pulls towards no trade first and then towards the last answer, until
    /// trades move no more, so that it costs nothing in the end.
    FastDualAscent {
        /// Friction on every trade, `q/2 e^2`, money per kWh squared.
        #[serde(default = "rho")]
        #[schemars(extend("exclusiveMinimum" = 0.0))]
        friction_per_kwh2: f64,
        /// Step of the prices.
        #[serde(default)]
        metric: Metric,
        /// Residuals at which it stops, relative to quantities and prices (and absolute per quantity, kWh and money per kWh).
        #[serde(default = "tolerance")]
        #[schemars(extend("exclusiveMinimum" = 0.0))]
        tolerance: f64,
        /// Iterations at most.
        #[serde(default = "max_iterations")]
        #[schemars(range(min = 1))]
        max_iterations: usize,
        /// With whom a member trades.
        #[serde(default)]
        partners: Partners,
    },
}

/// What part the network has in a distributed solution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum NetworkPart {
    /// None.
    #[default]
    Ignored,
    /// Its operator holds a copy of every injection and keeps these within the limits of the network; losses cost nothing.
    Block,
}

fn rho() -> f64 {
    1e-3
}

fn tolerance() -> f64 {
    1e-6
}

fn max_iterations() -> usize {
    2000
}

/// The least cost as a solver found it.
pub(crate) struct Solved {
    /// Who sells how much at which price, and what it costs.
    pub allocation: Arc<Allocation>,
    /// What the solver proves and reports.
    pub evidence: Vec<Certificate>,
    /// Whether it came to its end.
    pub status: Status,
}

impl Solver {
    /// The least cost of all members together.
    ///
    /// # Errors
    /// A parameter without meaning, or a member that cannot operate.
    pub(crate) fn solve(&self, market: &Market, ctx: &mut RunContext) -> Result<Solved, MechanismError> {
        self.check()?;
        let alone = market.len() < 2;
        let agreed = match *self {
            Solver::Admm { rho, tolerance, max_iterations, scaling, acceleration, network, partners } if !alone => {
                let network = network == NetworkPart::Block;
                Admm { rho, tolerance, max_iterations, scaling, acceleration, network, partners }.solve(market, ctx)?
            }
            Solver::FastDualAscent { friction_per_kwh2, metric, tolerance, max_iterations, partners } if !alone => {
                DualAscent { friction_per_kwh2, metric, tolerance, max_iterations, partners }.solve(market, ctx)?
            }
            _ => {
                let allocation = market.solve(&market.grand())?;
                ctx.messages(2 * market.len() * market.setting().slots.len());
                return Ok(Solved { allocation, evidence: vec![], status: Status::Converged });
            }
        };
        polish::polish(market, agreed)
    }

    fn check(&self) -> Result<(), MechanismError> {
        let positive = |name, value: f64| {
            let expected = "a finite number above 0";
            let bad = || MechanismError::Parameter { name, value: value.to_string(), expected };
            if value > 0.0 && value.is_finite() { Ok(()) } else { Err(bad()) }
        };
        let some = |name, count: usize| {
            let bad = || MechanismError::Parameter { name, value: count.to_string(), expected: "at least 1" };
            if count > 0 { Ok(()) } else { Err(bad()) }
        };
        if let Solver::Admm { partners, .. } | Solver::FastDualAscent { partners, .. } = *self
            && let Partners::Nearest(count) = partners
        {
            some("partners", count)?;
        }
        match *self {
            Solver::Central => Ok(()),
            Solver::Admm { rho, tolerance, max_iterations, scaling, .. } => {
                positive("rho", rho)?;
                positive("tolerance", tolerance)?;
                some("max_iterations", max_iterations)?;
                match scaling {
                    Scaling::Adaptive { freeze_after, .. } => some("freeze_after", freeze_after),
                    Scaling::Fixed | Scaling::ResidualBalancing => Ok(()),
                }
            }
            Solver::FastDualAscent { friction_per_kwh2, tolerance, max_iterations, .. } => {
                positive("friction_per_kwh2", friction_per_kwh2)?;
                positive("tolerance", tolerance)?;
                some("max_iterations", max_iterations)
            }
        }
    }
}
