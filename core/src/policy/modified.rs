//! A policy in two halves: the [`Rule`], which is its own, and the [`Modifiers`], which all policies share. Knows no concrete
//! rule.

use super::carbon_policy::{CarbonPolicy, PolicyPlugin, RegisteredPolicy, SignalKind};
use super::error::PolicyError;
use super::modifiers::Modifiers;
use super::node_prices::NodePrices;
use super::recycling;
use super::responsibility::Responsibility;
use super::rule::{self, Announced, NodalRule, Rule};
use super::scarcity::Scarcity;
use super::signal::Signal;
use crate::carbon_flow::storage::StorageRule;
use crate::outcome::{Certificate, Ledger};
use crate::physical::Physical;
use crate::setting::Setting;
use crate::terms::Terms;
use schemars::{JsonSchema, Schema, SchemaGenerator};
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

impl<R: Rule> Modified<R> {
    fn nodal(&self) -> Option<&dyn NodalRule> {
        match self.in_force.announced() {
            Announced::Nodal(rule) => Some(rule),
            _ => None,
        }
    }
}

/// The price that a rule is quoted by, per tonne.
fn quoted<R: Rule>(rule: &R) -> Option<f64> {
    rule.clone().carbon_prices().first().map(|(_, price)| **price)
}

/// Every question is answered by the rule in force, with the modifiers.
impl<R: RegisteredRule + 'static> CarbonPolicy for Modified<R> {
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
        quoted(&self.in_force)
    }

    fn written_price_per_tonne(&self) -> Option<f64> {
        quoted(&self.written)
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
        match self.in_force.announced() {
            Announced::Nothing => SignalKind::None,
            Announced::Scarcity(_) => SignalKind::Scarcity,
            Announced::Shares(_) => SignalKind::Shares,
            Announced::Nodal(_) => SignalKind::Nodal,
        }
    }

    fn start(&self, setting: &Setting) -> Signal {
        match self.in_force.announced() {
            Announced::Nothing => Signal::None,
            Announced::Scarcity(rule) => Signal::Scalar(rule.start_price_per_kg()),
            Announced::Shares(rule) => Signal::ByMember(rule.start(setting, &self.modifiers)),
            Announced::Nodal(rule) => Signal::ByNode(rule.start(setting, &self.modifiers)),
        }
    }

    fn target(&self, setting: &Setting, physical: &Physical, signal: &Signal) -> Signal {
        match self.in_force.announced() {
            Announced::Nothing | Announced::Scarcity(_) => signal.clone(),
            Announced::Shares(rule) => Signal::ByMember(rule.target(setting, &self.modifiers, physical)),
            Announced::Nodal(rule) => Signal::ByNode(rule.target(setting, &self.modifiers, physical, signal.nodal())),
        }
    }

    fn scarcity(&self, setting: &Setting, physical: &Physical) -> Option<Scarcity> {
        match self.in_force.announced() {
            Announced::Scarcity(rule) => Some(rule.scarcity(setting, &self.modifiers, physical)),
            _ => None,
        }
    }

    fn terms(&self, setting: &Setting, signal: &Signal) -> Vec<Terms> {
        if self.modifiers.visible {
            self.charged_terms(setting, signal)
        } else {
            vec![Terms::default(); setting.members.len()]
        }
    }

    fn charged_terms(&self, setting: &Setting, signal: &Signal) -> Vec<Terms> {
        rule::terms(&self.in_force, setting, &self.modifiers, signal)
    }

    fn prices_limits(&self) -> bool {
        self.nodal().is_some_and(NodalRule::prices_limits)
    }

    fn root_jump_per_kwh(&self, setting: &Setting, physical: &Physical) -> Option<Vec<f64>> {
        self.nodal()?.root_jump_per_kwh(setting, physical)
    }

    fn turns_steeply(&self, _: &Setting) -> bool {
        self.nodal().is_some_and(NodalRule::turns_steeply)
    }

    fn node_prices(&self, setting: &Setting, physical: &Physical, signal: &Signal) -> Option<NodePrices> {
        self.nodal()?.node_prices(setting, &self.modifiers, physical, signal.nodal())
    }

    fn settle(&self, setting: &Setting, physical: &Physical, signal: &Signal, ledger: &mut Ledger) {
        let mut bills = Ledger::default();
        self.in_force.settle(setting, &self.modifiers, physical, signal, &mut bills);
        recycling::refund(setting, physical, self.modifiers.recycling, &mut bills);
        ledger.append(&bills);
    }

    fn responsibility(&self, setting: &Setting, physical: &Physical, signal: &Signal) -> Responsibility {
        self.in_force.responsibility(setting, &self.modifiers, physical, signal)
    }

    fn evidence(&self, setting: &Setting, physical: &Physical, signal: &Signal) -> Vec<Certificate> {
        self.in_force.evidence(setting, &self.modifiers, physical, signal)
    }

    fn claim(&self, setting: &Setting, claim: usize, physical: &Physical, signal: &Signal) -> Option<Certificate> {
        self.in_force.claim(setting, &self.modifiers, claim, physical, signal)
    }
}
