//! A policy in two halves: the [`Rule`], which is its own, and the [`Modifiers`], which all policies share.
//!
//! Most rules only say which account of kilograms every member has; the terms, the bills and who answers for what follow from
//! the accounts. Knows no concrete rule.

use super::accounts;
use super::carbon_policy::{CarbonPolicy, PolicyPlugin, RegisteredPolicy, SignalKind};
use super::error::PolicyError;
use super::modifiers::{Coverage, Modifiers};
use super::node_prices::NodePrices;
use super::recycling;
use super::responsibility::{MarginalPrice, Responsibility};
use super::scarcity::{self, Scarcity};
use crate::carbon_flow::storage::StorageRule;
use crate::outcome::{Certificate, Ledger, Party, Reason};
use crate::physical::Physical;
use crate::setting::Setting;
use crate::terms::{Account, Charge, Terms};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use std::borrow::Cow;
use std::fmt::Debug;
use std::sync::Arc;

/// A rule under modifiers; in files the fields of both stand side by side.
///
/// The rule is kept twice: as it is written, for files and messages, and at the prices that are charged, which answers every
/// question. The prices are multiplied once, when the two are put together.
#[derive(Clone, Debug, PartialEq)]
pub struct Modified<R> {
    written: R,
    in_force: R,
    modifiers: Modifiers,
}

impl<R: Rule> Modified<R> {
    /// A rule as it is written, under these modifiers.
    pub fn new(written: R, modifiers: Modifiers) -> Self {
        let mut in_force = written.clone();
        // A price is not touched by a factor that changes nothing.
        if modifiers.price_factor != 1.0 {
            for (_, price) in in_force.carbon_prices() {
                *price *= modifiers.price_factor;
            }
        }
        Self { written, in_force, modifiers }
    }
}

impl<R> Modified<R> {
    /// The policy's own parameters as they are written.
    pub fn written(&self) -> &R {
        &self.written
    }

    /// The parameters of every policy.
    pub fn modifiers(&self) -> &Modifiers {
        &self.modifiers
    }
}

impl<R: Rule> From<R> for Modified<R> {
    fn from(rule: R) -> Self {
        Self::new(rule, Modifiers::default())
    }
}

impl<R: Rule + Default> Default for Modified<R> {
    fn default() -> Self {
        R::default().into()
    }
}

/// The fields of the rule and of the modifiers, side by side.
impl<R: JsonSchema> JsonSchema for Modified<R> {
    fn schema_name() -> Cow<'static, str> {
        R::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        format!("Modified<{}>", R::schema_id()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut rule = R::json_schema(generator);
        let mut modifiers = Modifiers::json_schema(generator);
        let shared = modifiers.ensure_object().remove("properties");
        let fields = rule.ensure_object().entry("properties").or_insert_with(|| serde_json::json!({}));
        if let (Some(fields), Some(serde_json::Value::Object(shared))) = (fields.as_object_mut(), shared) {
            fields.extend(shared);
        }
        rule
    }
}

/// What distinguishes one carbon policy from another.
pub trait Rule: Serialize + Clone + Debug + Send + Sync {
    /// Refuses parameters without meaning and scenarios the rule would misprice.
    ///
    /// # Errors
    /// See [`PolicyError`].
    fn check(&self, setting: &Setting, modifiers: &Modifiers) -> Result<(), PolicyError>;

    /// The carbon price as written, per tonne, where there is one.
    fn price_per_tonne(&self) -> Option<f64>;

    /// Every parameter that is a price of carbon, by its path in files (`ladder.base_price_per_tonne`): what
    /// [`Modifiers::price_factor`] multiplies. A parameter that is not given is left out. With all of them at zero the rule
    /// charges nobody for carbon.
    fn carbon_prices(&mut self) -> Vec<(String, &mut f64)>;

    /// What the engine does with the signal.
    fn signal_kind(&self) -> SignalKind {
        SignalKind::None
    }

    /// Where the signal starts; empty where there is none.
    fn start(&self, _setting: &Setting, _modifiers: &Modifiers) -> Vec<f64> {
        vec![]
    }

    /// The account of every member; empty where the rule keeps none.
    fn accounts(&self, setting: &Setting, modifiers: &Modifiers, signal: &[f64]) -> Vec<Account>;

    /// The network operator's account for passive load and losses under [`Coverage::Feeder`](super::Coverage::Feeder): that
    /// of a member without a fixed quota.
    fn feeder_account(&self, setting: &Setting, modifiers: &Modifiers, signal: &[f64]) -> Option<Account> {
        let member = self.accounts(setting, modifiers, signal).into_iter().next()?;
        Some(Account { quota_kg: 0.0, ..member })
    }

    /// Terms of every member at a signal.
    fn terms(&self, setting: &Setting, modifiers: &Modifiers, signal: &[f64]) -> Vec<Terms> {
        let mut accounts = self.accounts(setting, modifiers, signal).into_iter();
        let account = || Terms { account: accounts.next(), ..Terms::default() };
        std::iter::repeat_with(account).take(setting.members.len()).collect()
    }

    /// The signal that an outcome calls for.
    fn target(&self, _setting: &Setting, _modifiers: &Modifiers, _physical: &Physical, signal: &[f64]) -> Vec<f64> {
        signal.to_vec()
    }

    /// What is scarce at an outcome, where the signal is a scarcity price.
    fn scarcity(&self, _setting: &Setting, _modifiers: &Modifiers, _physical: &Physical) -> Option<Scarcity> {
        None
    }

    /// Whether an outcome keeps what the rule says of it: caps on accounts, and the balance of what is scarce.
    fn evidence(
        &self,
        setting: &Setting,
        modifiers: &Modifiers,
        physical: &Physical,
        signal: &[f64],
    ) -> Vec<Certificate> {
        if let (Some(scarcity), &[price]) = (self.scarcity(setting, modifiers, physical), signal) {
            return scarcity.evidence(setting, physical, price);
        }
        scarcity::own_caps(setting, &self.accounts(setting, modifiers, signal), physical).into_iter().collect()
    }

    /// What comes of one of the claims of its plugin, by position; `None` where one run cannot tell.
    fn claim(
        &self,
        _setting: &Setting,
        _modifiers: &Modifiers,
        _claim: usize,
        _physical: &Physical,
        _signal: &[f64],
    ) -> Option<Certificate> {
        None
    }

    /// Whether the network's limits have prices too.
    fn prices_limits(&self) -> bool {
        false
    }

    /// By how much the price at the root rises when import begins, per kWh and period.
    fn root_jump_per_kwh(&self, _setting: &Setting, _modifiers: &Modifiers, _physical: &Physical) -> Option<Vec<f64>> {
        None
    }

    /// Whether prices turn steeply with flows inside the network.
    fn turns_steeply(&self, _setting: &Setting, _modifiers: &Modifiers) -> bool {
        false
    }

    /// What one more kWh withdrawn at every bus costs a load there, in its parts.
    fn node_prices(
        &self,
        _setting: &Setting,
        _modifiers: &Modifiers,
        _physical: &Physical,
        _signal: &[f64],
    ) -> Option<NodePrices> {
        None
    }

    /// Enters what everybody pays to the authority, with the reason [`Reason::Carbon`].
    fn settle(
        &self,
        setting: &Setting,
        modifiers: &Modifiers,
        physical: &Physical,
        signal: &[f64],
        ledger: &mut Ledger,
    ) {
        let accounts = self.accounts(setting, modifiers, signal);
        for (member, (account, plan)) in accounts.iter().zip(&physical.plans).enumerate() {
            let charge = account.charge.value(accounts::balance_kg(setting, account, plan));
            ledger.pay(Party::Member(member), Party::Authority, charge, Reason::Carbon);
        }
        if let Some(account) = self.feeder_account(setting, modifiers, signal) {
            let charge = account.charge.value(accounts::feeder_balance_kg(setting, modifiers, &account, physical));
            ledger.pay(Party::Dso, Party::Authority, charge, Reason::Carbon);
        }
    }

    /// Who is charged for which kilograms.
    fn responsibility(
        &self,
        setting: &Setting,
        modifiers: &Modifiers,
        physical: &Physical,
        signal: &[f64],
    ) -> Responsibility {
        let binds = |charge: &Charge| charge.cap_kg.is_some() || charge.slopes.iter().any(|s| *s != 0.0);
        if self.accounts(setting, modifiers, signal).iter().any(|a| binds(&a.charge)) {
            accounts::responsibility(setting, modifiers, physical)
        } else {
            accounts::nobody(setting, physical)
        }
    }

    /// What the next kilogram costs everybody who pays, by the accounts; rules that charge otherwise say so themselves.
    fn marginal_prices(
        &self,
        setting: &Setting,
        modifiers: &Modifiers,
        physical: &Physical,
        signal: &[f64],
    ) -> Vec<MarginalPrice> {
        let charged_kg = self.responsibility(setting, modifiers, physical, signal).charged_kg;
        let accounts = self.accounts(setting, modifiers, signal);
        let mut all = accounts::marginal_prices(setting, &accounts, physical, &charged_kg);
        if let (Coverage::Feeder, Some(account)) = (modifiers.coverage, self.feeder_account(setting, modifiers, signal))
        {
            let balance_kg = accounts::feeder_balance_kg(setting, modifiers, &account, physical);
            all.push(MarginalPrice::at(&account.charge, balance_kg, accounts::feeder_kg(setting, physical)));
        }
        all
    }
}

/// Implemented by [`register_policy!`](crate::register_policy) for the rule of a policy, so that a crate can register a rule of
/// its own under the modifiers of all.
pub trait RegisteredRule: Rule {
    /// What the policy says of itself.
    fn plugin() -> &'static PolicyPlugin;
}

impl<R: RegisteredRule> RegisteredPolicy for Modified<R> {
    fn plugin(&self) -> &'static PolicyPlugin {
        R::plugin()
    }
}

/// The prices of a rule that is a parameter of another.
pub fn nested<'p>(
    parameter: &'p str,
    prices: Vec<(String, &'p mut f64)>,
) -> impl Iterator<Item = (String, &'p mut f64)> {
    prices.into_iter().map(move |(name, price)| (format!("{parameter}.{name}"), price))
}

/// Questions that the rule in force answers, with the modifiers: no other way leads from a policy to its rule.
macro_rules! answered_by_the_rule_in_force {
    ($(fn $name:ident($($argument:ident: $of:ty),*) -> $answer:ty;)*) => {
        $(fn $name(&self, setting: &Setting $(, $argument: $of)*) -> $answer {
            self.in_force.$name(setting, &self.modifiers $(, $argument)*)
        })*
    };
}

impl<R: RegisteredRule + 'static> CarbonPolicy for Modified<R> {
    answered_by_the_rule_in_force! {
        fn start() -> Vec<f64>;
        fn target(physical: &Physical, signal: &[f64]) -> Vec<f64>;
        fn root_jump_per_kwh(physical: &Physical) -> Option<Vec<f64>>;
        fn turns_steeply() -> bool;
        fn node_prices(physical: &Physical, signal: &[f64]) -> Option<NodePrices>;
        fn responsibility(physical: &Physical, signal: &[f64]) -> Responsibility;
        fn marginal_prices(physical: &Physical, signal: &[f64]) -> Vec<MarginalPrice>;
        fn scarcity(physical: &Physical) -> Option<Scarcity>;
        fn evidence(physical: &Physical, signal: &[f64]) -> Vec<Certificate>;
        fn claim(claim: usize, physical: &Physical, signal: &[f64]) -> Option<Certificate>;
    }

    fn check(&self, setting: &Setting) -> Result<(), PolicyError> {
        self.modifiers.check()?;
        match self.written.check(setting, &self.modifiers) {
            // Prices multiplied by zero charge nothing twice, and what is multiplied may be too large.
            Ok(()) | Err(PolicyError::AlreadyInTariff { .. }) => self.in_force.check(setting, &self.modifiers),
            // Other errors name parameters as they are written.
            refused => refused,
        }
    }

    fn price_per_tonne(&self) -> Option<f64> {
        self.in_force.price_per_tonne()
    }

    fn written_price_per_tonne(&self) -> Option<f64> {
        self.written.price_per_tonne()
    }

    fn carbon_prices(&self) -> Vec<(String, f64)> {
        self.written.clone().carbon_prices().into_iter().map(|(name, price)| (name, *price)).collect()
    }

    fn price_factor(&self) -> f64 {
        self.modifiers.price_factor
    }

    fn with_price_factor(&self, factor: f64) -> Arc<dyn CarbonPolicy> {
        Arc::new(Self::new(self.written.clone(), Modifiers { price_factor: factor, ..self.modifiers }))
    }

    fn storage_rule(&self) -> StorageRule {
        self.modifiers.storage_carbon
    }

    fn signal_kind(&self) -> SignalKind {
        self.in_force.signal_kind()
    }

    fn terms(&self, setting: &Setting, signal: &[f64]) -> Vec<Terms> {
        if self.modifiers.visible {
            self.charged_terms(setting, signal)
        } else {
            vec![Terms::default(); setting.members.len()]
        }
    }

    fn charged_terms(&self, setting: &Setting, signal: &[f64]) -> Vec<Terms> {
        self.in_force.terms(setting, &self.modifiers, signal)
    }

    fn prices_limits(&self) -> bool {
        self.in_force.prices_limits()
    }

    fn settle(&self, setting: &Setting, physical: &Physical, signal: &[f64], ledger: &mut Ledger) {
        let mut bills = Ledger::default();
        self.in_force.settle(setting, &self.modifiers, physical, signal, &mut bills);
        recycling::refund(setting, physical, self.modifiers.recycling, &mut bills);
        ledger.append(&bills);
    }
}
