//! What distinguishes one carbon policy from another: at most eight methods, of which three have to be written. Everything
//! else that is asked of a policy follows from them.
//!
//! Most rules only say which account of kilograms every member has; the terms, the bills and who answers for what follow from
//! the accounts. A rule whose terms depend on the outcome says so by what it [announces](Rule::announced). Knows no concrete
//! rule.

use super::accounts;
use super::error::PolicyError;
use super::modifiers::{Coverage, Modifiers};
use super::node_prices::NodePrices;
use super::responsibility::{MarginalPrice, Responsibility};
use super::scarcity::{self, Scarcity};
use super::signal::{NodalSignal, Shares, Signal};
use crate::outcome::{Certificate, Ledger, Party, Reason};
use crate::physical::Physical;
use crate::setting::Setting;
use crate::terms::{Account, Charge, Terms};
use serde::Serialize;
use std::fmt::Debug;

/// What distinguishes one carbon policy from another.
pub trait Rule: Serialize + Clone + Debug + Send + Sync {
    /// Refuses parameters without meaning and scenarios the rule would misprice.
    ///
    /// # Errors
    /// See [`PolicyError`].
    fn check(&self, setting: &Setting, modifiers: &Modifiers) -> Result<(), PolicyError>;

    /// Every parameter that is a price of carbon, per tonne, by its path in files (`ladder.base_price_per_tonne`): what
    /// [`Modifiers::price_factor`] multiplies. A parameter that is not given is left out. The first is the price that the
    /// policy is quoted by. With all of them at zero the rule charges nobody for carbon.
    fn carbon_prices(&mut self) -> Vec<(String, &mut f64)>;

    /// The account of every member; empty where the rule keeps none.
    fn accounts(&self, setting: &Setting, modifiers: &Modifiers, signal: &Signal) -> Vec<Account>;

    /// What it announces beside the accounts: nothing, or a signal that outcomes determine.
    fn announced(&self) -> Announced<'_> {
        Announced::Nothing
    }

    /// Enters what everybody pays to the authority, with the reason [`Reason::Carbon`].
    fn settle(
        &self,
        setting: &Setting,
        modifiers: &Modifiers,
        physical: &Physical,
        signal: &Signal,
        ledger: &mut Ledger,
    ) {
        let accounts = self.accounts(setting, modifiers, signal);
        for (member, (account, plan)) in accounts.iter().zip(&physical.plans).enumerate() {
            let charge = account.charge.value(accounts::balance_kg(setting, account, plan));
            ledger.pay(Party::Member(member), Party::Authority, charge, Reason::Carbon);
        }
        if let Some(account) = feeder_account(accounts) {
            let charge = account.charge.value(accounts::feeder_balance_kg(setting, modifiers, &account, physical));
            ledger.pay(Party::Dso, Party::Authority, charge, Reason::Carbon);
        }
    }

    /// Who is charged for which kilograms, and what the next one costs.
    fn responsibility(
        &self,
        setting: &Setting,
        modifiers: &Modifiers,
        physical: &Physical,
        signal: &Signal,
    ) -> Responsibility {
        let accounts = self.accounts(setting, modifiers, signal);
        let binds = |charge: &Charge| charge.cap_kg.is_some() || charge.slopes.iter().any(|s| *s != 0.0);
        let answers = if accounts.iter().any(|a| binds(&a.charge)) {
            accounts::responsibility(setting, modifiers, physical)
        } else {
            accounts::nobody(setting, physical)
        };
        priced_by_accounts(setting, modifiers, physical, accounts, answers)
    }

    /// Whether an outcome keeps what the rule says of it: caps on accounts, and the balance of what is scarce.
    fn evidence(
        &self,
        setting: &Setting,
        modifiers: &Modifiers,
        physical: &Physical,
        signal: &Signal,
    ) -> Vec<Certificate> {
        if let (Announced::Scarcity(rule), Some(price)) = (self.announced(), signal.scalar()) {
            return rule.scarcity(setting, modifiers, physical).evidence(setting, physical, price);
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
        _signal: &Signal,
    ) -> Option<Certificate> {
        None
    }
}

/// What a rule announces beside its accounts.
#[derive(Clone, Copy)]
pub enum Announced<'a> {
    /// Nothing: its terms do not depend on the outcome.
    Nothing,
    /// One price of a kg, at which what is scarce is in balance.
    Scarcity(&'a dyn ScarcityRule),
    /// Shares of what is traded that outcomes determine.
    Shares(&'a dyn SharesRule),
    /// Prices at nodes.
    Nodal(&'a dyn NodalRule),
}

/// A rule whose kilograms are scarce.
pub trait ScarcityRule {
    /// The price of a kg that the search begins with.
    fn start_price_per_kg(&self) -> f64;

    /// What is scarce at an outcome.
    fn scarcity(&self, setting: &Setting, modifiers: &Modifiers, physical: &Physical) -> Scarcity;
}

/// A rule whose terms contain shares that outcomes determine.
pub trait SharesRule {
    /// The shares before anything is known.
    fn start(&self, setting: &Setting, modifiers: &Modifiers) -> Shares;

    /// The shares that an outcome calls for.
    fn target(&self, setting: &Setting, modifiers: &Modifiers, physical: &Physical) -> Shares;
}

/// A rule with prices at nodes.
pub trait NodalRule {
    /// The first signal: everybody withdraws at the root.
    fn start(&self, setting: &Setting, modifiers: &Modifiers) -> NodalSignal;

    /// The signal that an outcome calls for.
    fn target(
        &self,
        setting: &Setting,
        modifiers: &Modifiers,
        physical: &Physical,
        signal: &NodalSignal,
    ) -> NodalSignal;

    /// What every member pays per kWh beside its account.
    fn adders(&self, setting: &Setting, _signal: &NodalSignal) -> Vec<Terms> {
        vec![Terms::default(); setting.members.len()]
    }

    /// What one more kWh withdrawn at every bus costs a load there, in its parts.
    fn node_prices(
        &self,
        setting: &Setting,
        modifiers: &Modifiers,
        physical: &Physical,
        signal: &NodalSignal,
    ) -> Option<NodePrices>;

    /// Whether the network's limits have prices too.
    fn prices_limits(&self) -> bool {
        false
    }

    /// By how much the price at the root rises when import begins, per kWh and period; `None` where it does not.
    fn root_jump_per_kwh(&self, _setting: &Setting, _physical: &Physical) -> Option<Vec<f64>> {
        None
    }

    /// Whether prices turn steeply with flows inside the network.
    fn turns_steeply(&self) -> bool {
        false
    }
}

/// Terms of every member at a signal: what it pays per kWh where prices differ by node, and its account.
pub(super) fn terms<R: Rule>(rule: &R, setting: &Setting, modifiers: &Modifiers, signal: &Signal) -> Vec<Terms> {
    let mut terms = match rule.announced() {
        Announced::Nodal(rule) => rule.adders(setting, signal.nodal()),
        _ => vec![Terms::default(); setting.members.len()],
    };
    let accounts = rule.accounts(setting, modifiers, signal);
    terms.iter_mut().zip(accounts).for_each(|(terms, account)| terms.account = Some(account));
    terms
}

/// The network operator's account for passive load and losses: that of a member without a fixed quota.
pub fn feeder_account(members: Vec<Account>) -> Option<Account> {
    let member = members.into_iter().next()?;
    Some(Account { quota_kg: 0.0, ..member })
}

/// Answers for kilograms with what the next one costs everybody by its account, the network operator included.
pub fn priced_by_accounts(
    setting: &Setting,
    modifiers: &Modifiers,
    physical: &Physical,
    accounts: Vec<Account>,
    mut answers: Responsibility,
) -> Responsibility {
    answers.marginal_prices = accounts::marginal_prices(setting, &accounts, physical, &answers.charged_kg);
    if let (Coverage::Feeder, Some(account)) = (modifiers.coverage, feeder_account(accounts)) {
        let balance_kg = accounts::feeder_balance_kg(setting, modifiers, &account, physical);
        let charged_kg = accounts::feeder_kg(setting, physical);
        answers.marginal_prices.push(MarginalPrice::at(&account.charge, balance_kg, charged_kg));
    }
    answers
}

/// The prices of a rule that is a parameter of another.
pub fn nested<'p>(
    parameter: &'p str,
    prices: Vec<(String, &'p mut f64)>,
) -> impl Iterator<Item = (String, &'p mut f64)> {
    prices.into_iter().map(move |(name, price)| (format!("{parameter}.{name}"), price))
}
