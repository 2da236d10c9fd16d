//! What a scarcity price brings into balance: kilograms in accounts, and what all accounts together are charged.
//!
//! With balances `x_i` (emissions less allowances), the sum `X` of all, and a convex charge `F` on the sum, a price `p` of a kg
//! is in balance with an outcome if it is a marginal price of the sum, `p` in `dF(X)`. A cap on all together is the charge
//! that is nothing up to the cap: a positive price then asks for `X` equal to the cap, a price of zero for `X` at most that.
//! Ladders whose allowances may be passed on are the pooled ladder. Knows no concrete rule.

use super::accounts;
use crate::outcome::{Certificate, Kind};
use crate::physical::Physical;
use crate::setting::Setting;
use crate::terms::{Account, Charge, at};

/// Excess that is none, relative to the kilograms that move through the accounts.
const TOLERANCE: f64 = 1e-6;

/// The accounts that share what is scarce, and what it costs.
#[derive(Clone, Debug, PartialEq)]
pub struct Scarcity {
    /// The account of every member; what its own charge says does not count here.
    pub accounts: Vec<Account>,
    /// Balance of the network operator at this outcome, kg.
    pub operator_kg: f64,
    /// What the sum of all balances costs: convex, with the price of a kg as its slope.
    pub charge: Charge,
}

impl Scarcity {
    /// Sum of all balances, kg.
    pub fn balance_kg(&self, setting: &Setting, physical: &Physical) -> f64 {
        let members = self.accounts.iter().zip(&physical.plans);
        self.operator_kg + members.map(|(a, plan)| accounts::balance_kg(setting, a, plan)).sum::<f64>()
    }

    /// Kilograms of each member before fixed quotas.
    pub fn charged_kg(&self, setting: &Setting, physical: &Physical) -> Vec<f64> {
        let members = self.accounts.iter().zip(&physical.plans);
        members.map(|(a, plan)| accounts::balance_kg(setting, a, plan) + a.quota_kg).collect()
    }

    /// Fixed quotas of all, kg.
    pub fn quota_kg(&self) -> f64 {
        self.accounts.iter().map(|a| a.quota_kg).sum()
    }

    /// All kilograms that move through the accounts, whatever their sign: what a rounding is measured against.
    pub fn size_kg(&self, setting: &Setting, physical: &Physical) -> f64 {
        let of = |(a, plan): (&Account, &std::sync::Arc<crate::market::Plan>)| {
            let period = |t: usize| {
                (at(&a.import_kg_per_kwh, t) * plan.import_kwh[t]).abs()
                    + (at(&a.export_kg_per_kwh, t) * plan.export_kwh[t]).abs()
                    + plan.emission_kg[t].abs()
            };
            (0..setting.periods.count).map(period).sum::<f64>()
        };
        self.operator_kg.abs() + self.accounts.iter().zip(&physical.plans).map(of).sum::<f64>()
    }

    /// By how much a sum of balances lies above (positive) or below (negative) what a price calls for, kg.
    pub fn excess_kg(&self, price_per_kg: f64, balance_kg: f64) -> f64 {
        let (least, most) = self.charge.demand(price_per_kg);
        (balance_kg - most).max(0.0) - (least - balance_kg).max(0.0)
    }

    /// Whether the outcome keeps the cap, and whether the allowances that the price calls for are there.
    pub(super) fn evidence(&self, setting: &Setting, physical: &Physical, price_per_kg: f64) -> Vec<Certificate> {
        let balance_kg = self.balance_kg(setting, physical);
        let tolerance = TOLERANCE * self.size_kg(setting, physical);
        if let Some(cap_kg) = self.charge.cap_kg {
            let (emitted, cap) = (balance_kg + self.quota_kg(), cap_kg + self.quota_kg());
            let witness = format!("kg above the cap: {emitted:.3} emitted by all together, {cap:.3} allowed");
            let over_kg = (balance_kg - cap_kg).max(0.0);
            return vec![Certificate::check("emission_cap", over_kg, tolerance, witness).about(Kind::PolicyConstraint)];
        }
        let excess = self.excess_kg(price_per_kg, balance_kg);
        let witness = format!(
            "kg of allowances asked for at their price and not there (the sum of balances is {balance_kg:.3} kg)"
        );
        vec![Certificate::check("allowance_market", excess.abs(), tolerance, witness).about(Kind::PolicyConstraint)]
    }
}

/// Whether every member keeps the cap on its own account; nothing where there is none.
pub(super) fn own_caps(setting: &Setting, accounts: &[Account], physical: &Physical) -> Option<Certificate> {
    let over = |(i, (a, plan)): (usize, (&Account, &std::sync::Arc<crate::market::Plan>))| {
        a.charge.cap_kg.map(|cap_kg| (i, accounts::balance_kg(setting, a, plan) - cap_kg, cap_kg))
    };
    let capped = accounts.iter().zip(&physical.plans).enumerate().filter_map(over);
    let (i, excess_kg, cap_kg) = capped.reduce(|worst, next| if next.1 > worst.1 { next } else { worst })?;
    let witness = format!(
        "kg above a member's own cap; nearest to it: {} at {:.3} of {cap_kg:.3}",
        setting.members[i].id,
        cap_kg + excess_kg
    );
    let tolerance = TOLERANCE * accounts[i].quota_kg.abs().max(cap_kg + excess_kg.max(0.0));
    Some(Certificate::check("emission_cap", excess_kg.max(0.0), tolerance, witness).about(Kind::PolicyConstraint))
}
