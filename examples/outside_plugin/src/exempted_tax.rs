//! A carbon tax with an exemption: the first kilograms of everybody are free, every kilogram beyond has one price, and what is
//! left of the exemption earns nothing.

use coase_core::policy::accounts::{self, Quota};
use coase_core::policy::{Modified, Modifiers, PolicyError, Rule, Signal};
use coase_core::register_policy;
use coase_core::schemars::{self, JsonSchema};
use coase_core::setting::Setting;
use coase_core::terms::{Account, Charge};
use coase_core::units::per_kg;
use serde::{Deserialize, Serialize};

/// Over the horizon a member pays `price [E - exempt]+` on its imports and direct emissions `E`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExemptedTax {
    /// Price of a tonne beyond the exemption.
    #[schemars(range(min = 0.0))]
    pub price_per_tonne: f64,
    /// What every member may emit for nothing, kg over the horizon; it shrinks with `quota_decline_per_year`.
    #[schemars(range(min = 0.0))]
    pub exempt_kg: f64,
}

impl Default for ExemptedTax {
    fn default() -> Self {
        Self { price_per_tonne: 100.0, exempt_kg: 10.0 }
    }
}

impl Rule for ExemptedTax {
    /// Refuses numbers without meaning, and to charge imports whose price contains carbon already.
    fn check(&self, setting: &Setting, _: &Modifiers) -> Result<(), PolicyError> {
        accounts::at_least("price_per_tonne", self.price_per_tonne, 0.0, "at least 0")?;
        accounts::at_least("exempt_kg", self.exempt_kg, 0.0, "at least 0")?;
        if self.price_per_tonne > 0.0 { accounts::charged_once(setting) } else { Ok(()) }
    }

    /// What `price_factor` multiplies.
    fn carbon_prices(&mut self) -> Vec<(String, &mut f64)> {
        vec![("price_per_tonne".into(), &mut self.price_per_tonne)]
    }

    /// The account of every member. Bills, refunds, responsibility and marginal prices follow from it.
    fn accounts(&self, setting: &Setting, modifiers: &Modifiers, _signal: &Signal) -> Vec<Account> {
        let charge = Charge::two_sided(per_kg(self.price_per_tonne), 0.0);
        let exempt_kg = self.exempt_kg * modifiers.quota_factor();
        let account = |_| accounts::account(setting, modifiers, Quota::NONE, exempt_kg, charge.clone());
        (0..setting.members.len()).map(account).collect()
    }
}

register_policy!(Modified<ExemptedTax>, "exempted-tax", "one price for every tonne beyond an exemption",
    claims: ["whoever stays within the exemption pays nothing"], source: "an example");
