//! The same comparison within the network's limits: outcome, no trade and optimum, each made to respect them.

use super::accounts::Accounts;
use crate::context::RunContext;
use crate::engine::Cleared;
use crate::error::MechanismError;
use crate::market::{Market, NetworkMode, Plan};
use crate::mechanism::Mechanism;
use crate::outcome::{Ledger, Outcome};
use crate::physical::{self, Physical};
use crate::policy::CarbonPolicy;
use crate::repair;
use crate::terms::Terms;
use std::sync::Arc;

/// What respecting the network costs, and how good the outcome is then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Repaired {
    /// Rise of operating plus carbon cost.
    pub cost: f64,
    /// Gain over no trade, by the greatest possible gain, all within the limits; `None` where there is nothing to gain, and
    /// where no trade or the least cost within the limits is not known.
    pub efficiency: Option<f64>,
}

/// What is compared: the cleared outcome, no trade under the same terms, and the market on the policy's own terms.
pub(super) struct Compared<'a> {
    pub cleared: &'a Cleared,
    pub mechanism: &'a dyn Mechanism,
    pub policy: &'a dyn CarbonPolicy,
    pub seed: u64,
    pub accounts: &'a Accounts,
    pub alone: &'a Accounts,
    pub alone_physical: &'a Physical,
    pub charged: &'a Market,
}

impl Compared<'_> {
    /// `None` without a network, and where the mechanism cannot be made to keep the limits.
    pub fn repaired(
        &self,
        account: &dyn Fn(&Physical, &Ledger, &[Terms]) -> Accounts,
        nothing: f64,
    ) -> Option<Repaired> {
        let setting = self.cleared.truth.setting();
        setting.feeder.as_ref()?;
        let run = |market: &Market| self.mechanism.outcome(market, &mut RunContext::new(self.seed, ()));
        let cleared = self.within(self.accounts, &self.cleared.physical, account, &run)?;
        let cost = cleared - self.accounts.operating_and_carbon();
        let alone =
            || self.within(self.alone, self.alone_physical, account, &|market| Ok(Outcome::new(market.setting())));
        let efficiency = self.least_cost().zip(alone()).and_then(|(best, alone)| {
            let possible = alone - best;
            (possible >= nothing * (1.0 + best.abs())).then(|| (alone - cleared) / possible)
        });
        Some(Repaired { cost, efficiency })
    }

    /// Operating plus carbon cost of an outcome, repaired if it violates a limit.
    fn within(
        &self,
        accounts: &Accounts,
        physical: &Physical,
        account: &dyn Fn(&Physical, &Ledger, &[Terms]) -> Accounts,
        run: &dyn Fn(&Market) -> Result<Outcome, MechanismError>,
    ) -> Option<f64> {
        let truth = &self.cleared.truth;
        if repair::holds(truth.setting(), physical) {
            return Some(accounts.operating_and_carbon());
        }
        let repaired = repair::repair(truth, self.policy.storage_rule(), run).ok().filter(|r| r.residual == 0.0)?;
        Some(account(&repaired.physical, &repaired.outcome.ledger, &repaired.outcome.imposed).operating_and_carbon())
    }

    /// Least cost of all together within the limits; losses cost nothing here, as in every cost of participants.
    fn least_cost(&self) -> Option<f64> {
        let setting = self.charged.setting();
        let best = self.charged.remembered(&self.charged.grand()).ok()?;
        let plans: Vec<Arc<Plan>> = best.plans.iter().flatten().cloned().collect();
        let physical = physical::of_plans(setting, plans, self.policy.storage_rule()).ok()?;
        if repair::holds(setting, &physical) {
            return Some(best.cost);
        }
        let inside = NetworkMode::Inside { loss_price_per_kwh: vec![0.0; setting.periods.count] };
        let within = self.charged.remembered(&self.charged.grand().network(inside)).ok()?;
        let proven = within.gap <= 1e-6 * (1.0 + within.cost.abs());
        proven.then_some(within.cost)
    }
}
