//! A cap on emissions: one for every member, or one for all together whose scarcity price the engine finds.
//!
//! Under a cap on all together, `sum_i E_i <= C`, every kg costs one price `p >= 0`, with `p (C - sum_i E_i) = 0`. Where a
//! source replaces another at that price, emissions jump across the cap; then every answer lies between both sides, so that
//! schedules are optimal at the price and the kilograms meet the cap. The certificate `emission_cap` says by how much it is
//! exceeded, `fixed_point_gap` how far schedules are from optimal at the price, and `scarcity_gap_kg`, where no mixture is
//! optimal, what the side that holds the cap leaves unused. A cap that no price holds makes the run infeasible.

use crate::outcome::Certificate;
use crate::physical::Physical;
use crate::policy::accounts::{self, Quota};
use crate::policy::{
    Announced, Coverage, Modified, Modifiers, POLICY_CLAIM, PolicyError, Responsibility, Rule, Scarcity, ScarcityRule,
    Signal, feeder_account, priced_by_accounts,
};
use crate::register_policy;
use crate::setting::Setting;
use crate::terms::{Account, Charge};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who is capped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum CapScope {
    /// Every member by itself: a constraint, no money.
    #[default]
    Each,
    /// All together: every kg costs the price at which the cap holds.
    Total,
}

/// Emissions may not exceed a cap: `E_i <= C` of every member, or `sum_i E_i <= C` of all together at one price `p >= 0` of a kg
/// with `p (C - sum_i E_i) = 0`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HardCap {
    /// Greatest emissions over the horizon, kg, of each or of all. Not given: the participants' quotas; under
    /// [`CapScope::Total`] these are then allowances in their hands, while allowances of a given cap are all bought.
    #[schemars(range(min = 0.0))]
    pub cap_kg: Option<f64>,
    /// Who is capped.
    pub scope: CapScope,
}

impl HardCap {
    /// The cap on all together, kg.
    fn total_kg(&self, setting: &Setting, modifiers: &Modifiers) -> f64 {
        match self.cap_kg {
            Some(cap) => cap * modifiers.quota_factor(),
            None => (0..setting.members.len()).map(|i| Quota::Fixed.fixed_kg(setting, modifiers, i)).sum(),
        }
    }
}

impl Rule for HardCap {
    fn check(&self, setting: &Setting, modifiers: &Modifiers) -> Result<(), PolicyError> {
        if let Some(cap) = self.cap_kg {
            accounts::at_least("cap_kg", cap, 0.0, "at least 0")?;
        }
        if !modifiers.visible {
            return Err(PolicyError::Combination { what: "a cap that nobody sees (`visible: false`)" });
        }
        match self.scope {
            CapScope::Total => accounts::charged_once(setting),
            CapScope::Each if modifiers.coverage == Coverage::Feeder => {
                Err(PolicyError::Combination { what: "a cap on each member with `coverage: Feeder`" })
            }
            CapScope::Each => Ok(()),
        }
    }

    /// The price of a cap is found, not given.
    fn carbon_prices(&mut self) -> Vec<(String, &mut f64)> {
        vec![]
    }

    fn announced(&self) -> Announced<'_> {
        match self.scope {
            CapScope::Each => Announced::Nothing,
            CapScope::Total => Announced::Scarcity(self),
        }
    }

    fn accounts(&self, setting: &Setting, modifiers: &Modifiers, signal: &Signal) -> Vec<Account> {
        let member = |i| {
            let own_kg = match self.cap_kg {
                Some(cap) => cap * modifiers.quota_factor(),
                None => Quota::Fixed.fixed_kg(setting, modifiers, i),
            };
            let (quota_kg, charge) = match (self.scope, self.cap_kg) {
                (CapScope::Each, _) => (0.0, Charge::cap(own_kg)),
                (CapScope::Total, Some(_)) => (0.0, Charge::linear(signal.scalar().unwrap_or(0.0))),
                (CapScope::Total, None) => (own_kg, Charge::linear(signal.scalar().unwrap_or(0.0))),
            };
            accounts::account(setting, modifiers, Quota::NONE, quota_kg, charge)
        };
        (0..setting.members.len()).map(member).collect()
    }

    fn responsibility(
        &self,
        setting: &Setting,
        modifiers: &Modifiers,
        physical: &Physical,
        signal: &Signal,
    ) -> Responsibility {
        let answers = accounts::responsibility(setting, modifiers, physical);
        let accounts = self.accounts(setting, modifiers, signal);
        priced_by_accounts(setting, modifiers, physical, accounts, answers)
    }

    fn claim(
        &self,
        setting: &Setting,
        modifiers: &Modifiers,
        _: usize,
        physical: &Physical,
        signal: &Signal,
    ) -> Option<Certificate> {
        let kept = self.evidence(setting, modifiers, physical, signal).into_iter().find(|c| c.tolerance.is_some())?;
        Some(Certificate { name: POLICY_CLAIM, ..kept })
    }
}

impl ScarcityRule for HardCap {
    fn start_price_per_kg(&self) -> f64 {
        0.0
    }

    /// Nothing is charged up to the cap, and nothing beyond it may be.
    fn scarcity(&self, setting: &Setting, modifiers: &Modifiers, physical: &Physical) -> Scarcity {
        let accounts = self.accounts(setting, modifiers, &Signal::Scalar(0.0));
        let operator_kg = feeder_account(accounts.clone())
            .map_or(0.0, |a| accounts::feeder_balance_kg(setting, modifiers, &a, physical));
        let allowed_kg: f64 = accounts.iter().map(|a| a.quota_kg).sum();
        let charge = Charge::cap(self.total_kg(setting, modifiers) - allowed_kg);
        Scarcity { accounts, operator_kg, charge }
    }
}

register_policy!(Modified<HardCap>, "hard-cap", "emissions may not exceed a cap",
    claims: ["emissions do not exceed the cap",
        "under a total cap, a mechanism that minimises cost reaches the least cost under the cap"],
    source: "Weitzman (1974)");
