//! The stepped price on the carbon that flows attribute: `F(R - Q)` with `R = direct + sum_t w_n [x]+ - w^x [x]-`.

use super::Stepped;
use crate::opf::Price;
use crate::outcome::{Certificate, Ledger, Party, Reason};
use crate::physical::Physical;
use crate::policy::accounts::{self, Quota};
use crate::policy::node_prices::{self, NodePrices, buy};
use crate::policy::{
    Announced, Coverage, MarginalPrice, Modified, Modifiers, NodalRule, NodalSignal, PolicyError, Responsibility, Rule,
    Signal, nodal,
};
use crate::register_policy;
use crate::setting::Setting;
use crate::terms::{Account, GrowthRule, Reward};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A ladder on carbon along the flows: `F(R - Q)` with `R = direct + sum_t w_n [x]+ - w^x [x]-` and `F` as of `stepped`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SteppedNodal {
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
    /// Free allowances. In proportion to energy: per kWh withdrawn, though not more than is charged for it unless negative
    /// prices are allowed, and per kWh from emitting devices.
    pub quota: Quota,
    /// Of which price a tier adds that share.
    pub growth_rule: GrowthRule,
}

impl Default for SteppedNodal {
    fn default() -> Self {
        let Stepped { base_price_per_tonne, interval_kg, growth, tiers, reward, quota, growth_rule } =
            Stepped::default();
        Self { base_price_per_tonne, interval_kg, growth, tiers, reward, quota, growth_rule }
    }
}

impl SteppedNodal {
    fn ladder(&self) -> Stepped {
        let &Self { base_price_per_tonne, interval_kg, growth, tiers, reward, quota, growth_rule } = self;
        Stepped { base_price_per_tonne, interval_kg, growth, tiers, reward, quota, growth_rule }
    }
}

impl Rule for SteppedNodal {
    fn check(&self, setting: &Setting, modifiers: &Modifiers) -> Result<(), PolicyError> {
        nodal::check(setting)?;
        self.ladder().check(setting, modifiers)
    }

    fn carbon_prices(&mut self) -> Vec<(String, &mut f64)> {
        vec![("base_price_per_tonne".into(), &mut self.base_price_per_tonne)]
    }

    fn announced(&self) -> Announced<'_> {
        Announced::Nodal(self)
    }

    fn accounts(&self, setting: &Setting, modifiers: &Modifiers, signal: &Signal) -> Vec<Account> {
        let signal = signal.nodal();
        let mut accounts = self.ladder().accounts(setting, modifiers, &Signal::None);
        let per_kwh = self.quota.per_imported_kwh(modifiers);
        let least = if modifiers.allow_negative_carbon_price { f64::NEG_INFINITY } else { 0.0 };
        for (i, account) in accounts.iter_mut().enumerate() {
            account.import_kg_per_kwh.clear();
            account.export_kg_per_kwh.clear();
            account.withdrawal_kg_per_kwh = nodal::of_member(setting, &signal.withdrawal_kg_per_kwh, i)
                .iter()
                .map(|w| (w - per_kwh).max(least))
                .collect();
            account.injection_kg_per_kwh =
                nodal::of_member(setting, &signal.injection_kg_per_kwh, i).iter().map(|w| -w).collect();
        }
        accounts
    }

    fn settle(
        &self,
        setting: &Setting,
        modifiers: &Modifiers,
        physical: &Physical,
        signal: &Signal,
        ledger: &mut Ledger,
    ) {
        let accounts = self.accounts(setting, modifiers, signal);
        for (i, (account, plan)) in accounts.iter().zip(&physical.plans).enumerate() {
            let owed = account.charge.value(accounts::balance_kg(setting, account, plan));
            ledger.pay(Party::Member(i), Party::Authority, owed, Reason::Carbon);
        }
        if modifiers.coverage == Coverage::Feeder {
            let kg = feeder_kg(setting, physical);
            ledger.pay(Party::Dso, Party::Authority, self.ladder().charge().value(kg), Reason::Carbon);
        }
    }

    fn responsibility(
        &self,
        setting: &Setting,
        modifiers: &Modifiers,
        physical: &Physical,
        signal: &Signal,
    ) -> Responsibility {
        let mut answers = if self.base_price_per_tonne == 0.0 {
            accounts::nobody(setting, physical)
        } else {
            nodal::responsibility(setting, modifiers, physical, nodal::attributed_kg(setting, physical))
        };
        let accounts = self.accounts(setting, modifiers, signal);
        answers.marginal_prices = accounts::marginal_prices(setting, &accounts, physical, &answers.charged_kg);
        if modifiers.coverage == Coverage::Feeder {
            let kg = feeder_kg(setting, physical);
            answers.marginal_prices.push(MarginalPrice::at(&self.ladder().charge(), kg, kg));
        }
        answers
    }

    fn claim(
        &self,
        setting: &Setting,
        modifiers: &Modifiers,
        _: usize,
        physical: &Physical,
        signal: &Signal,
    ) -> Option<Certificate> {
        Some(self.responsibility(setting, modifiers, physical, signal).charged_once())
    }
}

impl NodalRule for SteppedNodal {
    /// Intensity of every member and period at its connection point, and of its exports.
    fn start(&self, setting: &Setting, _: &Modifiers) -> NodalSignal {
        let withdrawal_kg_per_kwh = nodal::series(setting, |_, t| setting.intensity(t));
        let injection_kg_per_kwh = vec![0.0; withdrawal_kg_per_kwh.len()];
        NodalSignal { withdrawal_kg_per_kwh, injection_kg_per_kwh, ..NodalSignal::default() }
    }

    fn target(&self, setting: &Setting, _: &Modifiers, physical: &Physical, _: &NodalSignal) -> NodalSignal {
        NodalSignal {
            withdrawal_kg_per_kwh: nodal::intensities(setting, physical),
            injection_kg_per_kwh: nodal::export_intensities(setting, physical),
            ..NodalSignal::default()
        }
    }

    /// The retail price of energy, and what the network operator's ladder asks for the next kilogram of passive load. Members
    /// have ladders of their own: where they alone are covered, a node has no price.
    fn node_prices(
        &self,
        setting: &Setting,
        modifiers: &Modifiers,
        physical: &Physical,
        _: &NodalSignal,
    ) -> Option<NodePrices> {
        if modifiers.coverage != Coverage::Feeder {
            return None;
        }
        let (_, next) = self.ladder().charge().slopes_at(feeder_kg(setting, physical));
        node_prices::at_all_nodes(setting, physical, |at| {
            let carbon = next * node_prices::intensity(setting, physical, at);
            Some(Price { energy: buy(setting, at.period), carbon, ..Price::default() })
        })
    }
}

/// Carbon of passive load and losses over the horizon, kg.
fn feeder_kg(setting: &Setting, physical: &Physical) -> f64 {
    (0..setting.periods.count).map(|t| nodal::feeder_kg(setting, physical, t)).sum()
}

register_policy!(Modified<SteppedNodal>, "stepped-nodal", "a stepped price on the carbon that flows attribute",
    claims: ["every tonne is charged once"], source: "ladder as in Chu et al. (2023), flows as in Kang et al. (2015)");
