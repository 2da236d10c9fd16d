//! What efficiency is measured against: the least cost of all together, and within what is scarce where something is.
//!
//! At a scarcity price an outcome that leaves allowances unused can cost as little as one that uses them: the price makes both
//! best answers. So the price is no yardstick for the outcome that it was found for. There the benchmark carries the scarcity
//! itself: `min sum_i J_i + F(X)`, with `J_i` the operating costs, `X` the sum of balances and `F` what it costs all together
//! (nothing up to a cap; the pooled ladder), and the outcome is measured by `sum_i J_i + F(X)` too. No trade has the run's own
//! final terms, `sum_i J_i + p X - F*(p)`, which is the same wherever `p` is in balance with `X`.

use super::accounts::MemberAccount;
use super::repaired::Compared;
use crate::policy::Scarcity;
use crate::terms::{Account, Charge, Terms};

/// Costs of an outcome and of no trade, and the least cost of all together, the network ignored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Benchmark {
    pub outcome: f64,
    pub alone: f64,
    pub least: f64,
    /// Proven gap of the least cost.
    pub gap: f64,
}

impl Benchmark {
    /// Gain over no trade, by the greatest possible gain; `None` where there is nothing to gain.
    pub fn efficiency(&self, nothing: f64) -> Option<f64> {
        let possible = self.alone - self.least;
        (possible >= nothing * (1.0 + self.least.abs())).then(|| (self.alone - self.outcome) / possible)
    }
}

impl Compared<'_> {
    /// The comparison that carries what is scarce; `None` where the least cost is not known. What the network operator
    /// answers for stays as it is in the outcome.
    pub fn within_what_is_scarce(&self, scarcity: &Scarcity) -> Option<Benchmark> {
        let setting = self.cleared.truth.setting();
        let price = self.cleared.signal.scalar()?;
        let free = |a: &Account| Account { charge: Charge::linear(0.0), ..a.clone() };
        let terms = self.policy.terms(setting, &self.cleared.signal).into_iter().zip(&scarcity.accounts);
        let pooled: Vec<Terms> = terms.map(|(terms, a)| Terms { account: Some(free(a)), ..terms }).collect();
        let market = self.cleared.truth.under(&pooled);
        let (least, gap) = market.least_cost_of_pool(&scarcity.charge, scarcity.operator_kg).ok()?;
        let operating = |accounts: &super::Accounts| accounts.sum(MemberAccount::operating_cost);
        let alone_kg = scarcity.balance_kg(setting, self.alone_physical);
        let balance_kg = scarcity.balance_kg(setting, &self.cleared.physical);
        Some(Benchmark {
            outcome: operating(self.accounts) + scarcity.charge.value(balance_kg),
            alone: operating(self.alone) + price * alone_kg - scarcity.charge.conjugate(price),
            least,
            gap,
        })
    }
}
