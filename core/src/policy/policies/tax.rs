//! A carbon tax on imports and direct emissions: `tau E`.

use crate::policy::accounts::{self, Quota};
use crate::policy::{Modified, Modifiers, PolicyError, Rule, Signal};
use crate::register_policy;
use crate::setting::Setting;
use crate::terms::{Account, Charge};
use crate::units::per_kg;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One price for every tonne emitted or imported, `tau E`; quotas do not count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Tax {
    /// Price of a tonne.
    #[schemars(range(min = 0.0))]
    pub price_per_tonne: f64,
}

impl Default for Tax {
    fn default() -> Self {
        Self { price_per_tonne: 280.0 }
    }
}

impl Rule for Tax {
    fn check(&self, setting: &Setting, _: &Modifiers) -> Result<(), PolicyError> {
        accounts::at_least("price_per_tonne", self.price_per_tonne, 0.0, "at least 0")?;
        if self.price_per_tonne > 0.0 { accounts::charged_once(setting) } else { Ok(()) }
    }

    fn carbon_prices(&mut self) -> Vec<(String, &mut f64)> {
        vec![("price_per_tonne".into(), &mut self.price_per_tonne)]
    }

    fn accounts(&self, setting: &Setting, modifiers: &Modifiers, _: &Signal) -> Vec<Account> {
        let charge = Charge::linear(per_kg(self.price_per_tonne));
        let member = || accounts::account(setting, modifiers, Quota::NONE, 0.0, charge.clone());
        setting.members.iter().map(|_| member()).collect()
    }
}

register_policy!(Modified<Tax>, "tax", "one price for every tonne emitted or imported",
    claims: ["emissions never grow with the price"], source: "Pigou (1920)");
