//! A cap on emissions: one for every member, or one for all together whose scarcity price the engine finds.

use crate::carbon::accounts::{self, Quota};
use crate::carbon::{Coverage, Modified, Modifiers, PolicyError, Responsibility, Rule, SignalKind};
use crate::physical::Physical;
use crate::register_policy;
use crate::setting::Setting;
use crate::terms::{Account, Charge};
use serde::{Deserialize, Serialize};

/// By how much an excess of the size of the cap raises the price in one step of the search, per kg: the order of magnitude
/// of carbon prices. Only the sign of a step decides where the search ends.
const STEP_PER_KG: f64 = 0.28;

/// Who is capped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum CapScope {
    /// Every member by itself: a constraint, no money.
    #[default]
    Each,
    /// All together: every kg costs the price at which the cap holds.
    Total,
}

/// Emissions may not exceed a cap.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HardCap {
    /// Greatest emissions over the horizon, kg, of each or of all. Not given: the participants' quotas; under
    /// [`CapScope::Total`] these are then allowances in their hands, while allowances of a given cap are all bought.
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

    fn price_per_tonne(&self) -> Option<f64> {
        None
    }

    /// The price of a cap is found, not given.
    fn carbon_prices(&mut self) -> Vec<(String, &mut f64)> {
        vec![]
    }

    fn signal_kind(&self) -> SignalKind {
        match self.scope {
            CapScope::Each => SignalKind::None,
            CapScope::Total => SignalKind::Scarcity,
        }
    }

    /// The scarcity price per kg, where there is one.
    fn start(&self, _: &Setting, _: &Modifiers) -> Vec<f64> {
        match self.scope {
            CapScope::Each => vec![],
            CapScope::Total => vec![0.0],
        }
    }

    fn accounts(&self, setting: &Setting, modifiers: &Modifiers, signal: &[f64]) -> Vec<Account> {
        let member = |i| {
            let own_kg = match self.cap_kg {
                Some(cap) => cap * modifiers.quota_factor(),
                None => Quota::Fixed.fixed_kg(setting, modifiers, i),
            };
            let (quota_kg, charge) = match (self.scope, self.cap_kg) {
                (CapScope::Each, _) => (0.0, Charge::cap(own_kg)),
                (CapScope::Total, Some(_)) => (0.0, Charge::linear(signal[0])),
                (CapScope::Total, None) => (own_kg, Charge::linear(signal[0])),
            };
            accounts::account(setting, modifiers, Quota::NONE, quota_kg, charge)
        };
        (0..setting.members.len()).map(member).collect()
    }

    /// `[price + step (E - cap)]+`: zero excess, or no price and a cap that does not bind, is a fixed point, and the sign of
    /// the step says where it lies.
    fn target(&self, setting: &Setting, modifiers: &Modifiers, physical: &Physical, signal: &[f64]) -> Vec<f64> {
        let &[price] = signal else { return signal.to_vec() };
        let cap_kg = self.total_kg(setting, modifiers);
        let answers = accounts::responsibility(setting, modifiers, physical);
        let mut emitted_kg: f64 = answers.charged_kg.iter().sum();
        if modifiers.coverage == Coverage::Feeder {
            emitted_kg += (0..setting.periods.count)
                .map(|t| setting.intensity(t) * accounts::feeder_kwh(physical, t))
                .sum::<f64>();
        }
        vec![(price + STEP_PER_KG * (emitted_kg - cap_kg) / cap_kg.max(1.0)).max(0.0)]
    }

    fn responsibility(
        &self,
        setting: &Setting,
        modifiers: &Modifiers,
        physical: &Physical,
        _: &[f64],
    ) -> Responsibility {
        accounts::responsibility(setting, modifiers, physical)
    }
}

register_policy!(Modified<HardCap>, "hard-cap", "emissions may not exceed a cap",
    claims: ["emissions do not exceed the cap"], source: "Weitzman (1974)");
