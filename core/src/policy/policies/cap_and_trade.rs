//! Allowances bought and sold at given prices: `pi_b [E - Q]+ - pi_s [E - Q]-`.
//!
//! At a given price nothing is capped: with a fixed quota this is a tax less a lump sum, with an output-based quota a tax on
//! emissions above the benchmark.

use crate::outcome::Certificate;
use crate::physical::Physical;
use crate::policy::accounts::{self, Quota};
use crate::policy::{Modified, Modifiers, POLICY_CLAIM, PolicyError, Rule, Signal};
use crate::register_policy;
use crate::setting::Setting;
use crate::terms::{Account, Charge};
use crate::units::per_kg;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Missing allowances are bought at one price, surplus ones sold at another that is not higher:
/// `pi_b [E - Q]+ - pi_s [E - Q]-` with emissions `E` and free allowances `Q`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CapAndTrade {
    /// Price of a missing allowance, per tonne.
    #[schemars(range(min = 0.0))]
    pub price_per_tonne: f64,
    /// Price of a surplus allowance, per tonne; the same if not given, 0 if surplus cannot be sold.
    #[schemars(range(min = 0.0))]
    pub sell_price_per_tonne: Option<f64>,
    /// Free allowances.
    pub quota: Quota,
}

impl Default for CapAndTrade {
    fn default() -> Self {
        Self { price_per_tonne: 280.0, sell_price_per_tonne: None, quota: Quota::Fixed }
    }
}

impl CapAndTrade {
    fn sell_price_per_tonne(&self) -> f64 {
        self.sell_price_per_tonne.unwrap_or(self.price_per_tonne)
    }
}

impl Rule for CapAndTrade {
    fn check(&self, setting: &Setting, modifiers: &Modifiers) -> Result<(), PolicyError> {
        let sell = self.sell_price_per_tonne();
        accounts::at_least("price_per_tonne", self.price_per_tonne, 0.0, "at least 0")?;
        accounts::at_least("sell_price_per_tonne", sell, 0.0, "at least 0")?;
        if sell > self.price_per_tonne {
            return Err(PolicyError::Parameter {
                name: "sell_price_per_tonne",
                value: sell,
                expected: "at most `price_per_tonne`",
            });
        }
        self.quota.check(setting, modifiers)?;
        if self.price_per_tonne > 0.0 { accounts::charged_once(setting) } else { Ok(()) }
    }

    fn carbon_prices(&mut self) -> Vec<(String, &mut f64)> {
        let sell = self.sell_price_per_tonne.as_mut().map(|price| ("sell_price_per_tonne".into(), price));
        [("price_per_tonne".into(), &mut self.price_per_tonne)].into_iter().chain(sell).collect()
    }

    fn accounts(&self, setting: &Setting, modifiers: &Modifiers, _: &Signal) -> Vec<Account> {
        let charge = Charge::two_sided(per_kg(self.price_per_tonne), per_kg(self.sell_price_per_tonne()));
        let member = |i| {
            let fixed_kg = self.quota.fixed_kg(setting, modifiers, i);
            accounts::account(setting, modifiers, self.quota, fixed_kg, charge.clone())
        };
        (0..setting.members.len()).map(member).collect()
    }

    fn claim(&self, _: &Setting, _: &Modifiers, _: usize, _: &Physical, _: &Signal) -> Option<Certificate> {
        let one_price = self.sell_price_per_tonne.is_none_or(|price| price == self.price_per_tonne);
        match self.quota {
            Quota::Fixed if one_price => None,
            Quota::Fixed => {
                Some(Certificate::not_applicable(POLICY_CLAIM, "surplus allowances have a price of their own"))
            }
            Quota::OutputBased { .. } => Some(Certificate::not_applicable(POLICY_CLAIM, "the quota grows with output")),
        }
    }
}

register_policy!(Modified<CapAndTrade>, "cap-and-trade", "allowances are bought and sold at given prices",
    claims: ["with a fixed quota, dispatch is that of a tax"], source: "Dales (1968)");
