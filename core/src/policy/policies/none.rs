//! No carbon policy: what all others are compared with.

use crate::policy::{Modified, Modifiers, PolicyError, Rule, Signal};
use crate::register_policy;
use crate::setting::Setting;
use crate::terms::Account;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Nobody pays for carbon.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NoPolicy {}

impl Rule for NoPolicy {
    fn check(&self, _: &Setting, _: &Modifiers) -> Result<(), PolicyError> {
        Ok(())
    }

    fn carbon_prices(&mut self) -> Vec<(String, &mut f64)> {
        vec![]
    }

    fn accounts(&self, _: &Setting, _: &Modifiers, _: &Signal) -> Vec<Account> {
        vec![]
    }
}

register_policy!(Modified<NoPolicy>, "none", "nobody pays for carbon", claims: [], source: "the reference of every comparison");
