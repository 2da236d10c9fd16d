//! The stepped carbon price: a ladder on emissions beyond the quota.

use crate::outcome::Certificate;
use crate::physical::Physical;
use crate::policy::accounts::{self, Quota};
use crate::policy::{Modified, Modifiers, POLICY_CLAIM, PolicyError, Rule, Signal};
use crate::register_policy;
use crate::setting::Setting;
use crate::terms::{Account, Charge, GrowthRule, Ladder, Reward};
use crate::units::per_kg;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A ladder has no more tiers: every one is a piece of every account's cost.
const MOST_TIERS: usize = 1000;

/// The price of a tonne grows with every interval beyond the quota: a member pays `F(E - Q)` with
/// `F(x) = max_k base (1 + k growth) x - base interval growth k (k + 1) / 2` for `x >= 0`; where growth is compounded, the price
/// in tier `k` is `base (1 + growth)^k`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Stepped {
    /// Price of a tonne in the first tier.
    #[schemars(range(min = 0.0))]
    pub base_price_per_tonne: f64,
    /// Width of a tier, kg over the horizon.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub interval_kg: f64,
    /// What every tier adds, as a share of the base price, or of the price of the tier before.
    #[schemars(range(min = 0.0))]
    pub growth: f64,
    /// Number of tiers; the last has no end.
    #[schemars(range(min = 1, max = 1000))]
    pub tiers: usize,
    /// What a surplus of allowances earns.
    pub reward: Reward,
    /// Free allowances.
    pub quota: Quota,
    /// Of which price a tier adds that share.
    pub growth_rule: GrowthRule,
}

impl Default for Stepped {
    fn default() -> Self {
        Self {
            base_price_per_tonne: 280.0,
            interval_kg: 2000.0,
            growth: 0.25,
            tiers: 5,
            reward: Reward::Flat,
            quota: Quota::Fixed,
            growth_rule: GrowthRule::Added,
        }
    }
}

impl Stepped {
    /// The ladder as a charge on kilograms.
    pub fn charge(&self) -> Charge {
        let Self { interval_kg, growth, tiers, reward, growth_rule, .. } = *self;
        let base_price_per_kg = per_kg(self.base_price_per_tonne);
        Ladder { base_price_per_kg, interval_kg, growth, tiers, reward }.growing(growth_rule)
    }

    /// Refuses parameters without meaning.
    ///
    /// # Errors
    /// See [`PolicyError`].
    pub(super) fn check_parameters(&self) -> Result<(), PolicyError> {
        accounts::at_least("base_price_per_tonne", self.base_price_per_tonne, 0.0, "at least 0")?;
        accounts::at_least("growth", self.growth, 0.0, "at least 0")?;
        if !(1..=MOST_TIERS).contains(&self.tiers) {
            let value = self.tiers as f64;
            return Err(PolicyError::Parameter { name: "tiers", value, expected: "at least 1 and at most 1000" });
        }
        if self.interval_kg.is_nan() || self.interval_kg <= 0.0 {
            return Err(PolicyError::Parameter {
                name: "interval_kg",
                value: self.interval_kg,
                expected: "more than 0",
            });
        }
        match self.reward {
            Reward::Flat | Reward::Nothing => Ok(()),
            Reward::Declining(rate) | Reward::Escalating(rate) | Reward::EscalatingAtOnce(rate) => {
                accounts::at_least("reward", rate, 0.0, "a rate of at least 0")
            }
        }
    }
}

impl Rule for Stepped {
    fn check(&self, setting: &Setting, modifiers: &Modifiers) -> Result<(), PolicyError> {
        self.check_parameters()?;
        self.quota.check(setting, modifiers)?;
        if self.base_price_per_tonne > 0.0 { accounts::charged_once(setting) } else { Ok(()) }
    }

    fn carbon_prices(&mut self) -> Vec<(String, &mut f64)> {
        vec![("base_price_per_tonne".into(), &mut self.base_price_per_tonne)]
    }

    fn accounts(&self, setting: &Setting, modifiers: &Modifiers, _: &Signal) -> Vec<Account> {
        let charge = self.charge();
        let member = |i| {
            let fixed_kg = self.quota.fixed_kg(setting, modifiers, i);
            accounts::account(setting, modifiers, self.quota, fixed_kg, charge.clone())
        };
        (0..setting.members.len()).map(member).collect()
    }

    fn claim(&self, _: &Setting, _: &Modifiers, claim: usize, _: &Physical, _: &Signal) -> Option<Certificate> {
        match (claim, self.reward) {
            (0, Reward::Escalating(_)) => Some(Certificate::not_applicable(POLICY_CLAIM, "the reward escalates")),
            (0, _) => {
                let concave = f64::from(u8::from(!self.charge().is_convex()));
                Some(Certificate::check(POLICY_CLAIM, concave, 0.0, "1 where the ladder is not convex"))
            }
            _ => None,
        }
    }
}

register_policy!(Modified<Stepped>, "stepped", "the price of a tonne grows with emissions beyond the quota",
    claims: ["convex unless the reward escalates", "splitting an account pays"],
    source: "Chu et al. (2023); ladder as used in the literature on integrated energy systems");
