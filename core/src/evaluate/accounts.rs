//! Who ends with how much: the ledger of a run, complete, and the accounts read off it.
//!
//! The mechanism entered what it decided; tariff, shortfall, imposed terms and carbon are entered here, by one writer.

use super::Yardstick;
use crate::carbon::{CarbonPolicy, NODAL};
use crate::engine::Cleared;
use crate::outcome::{Ledger, Party};
use crate::physical::Physical;
use crate::setting::{Product, Setting};
use crate::terms::{Terms, at};

/// Reasons under which a participant pays peers and the operator.
const PAYMENTS: &[&str] = &["trade"];

/// What one outcome means in money.
#[derive(Clone, Debug)]
pub(super) struct Accounts {
    pub ledger: Ledger,
    pub members: Vec<MemberAccount>,
    pub upstream_resource_cost: f64,
    pub retail_margin: f64,
    pub dso_revenue: f64,
    pub operator_surplus: f64,
    pub carbon_revenue: f64,
}

/// What one participant pays, by kind. Costs are positive.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MemberAccount {
    pub resource_cost: f64,
    pub tariff: f64,
    pub shortfall: f64,
    /// Electricity part of nodal prices beyond the tariff.
    pub nodal: f64,
    /// What a mechanism imposed.
    pub imposed: f64,
    pub carbon: f64,
    pub refund: f64,
    pub payment: f64,
    /// Upstream resource cost of its own exchange with the grid.
    pub upstream: f64,
}

impl MemberAccount {
    /// Own cost and what energy from the grid costs at its node, without carbon.
    pub fn operating_cost(&self) -> f64 {
        self.resource_cost + self.tariff + self.shortfall + self.nodal
    }

    /// What goes to the DSO for using the network.
    pub fn network(&self) -> f64 {
        self.nodal + self.imposed + self.shortfall
    }

    /// All it pays.
    pub fn total_cost(&self) -> f64 {
        self.operating_cost() + self.imposed + self.carbon - self.refund + self.payment
    }
}

impl Accounts {
    /// Completes the mechanism's ledger of a cleared run (or of another outcome under its final terms) and reads the
    /// accounts off it.
    pub fn new(
        cleared: &Cleared,
        physical: &Physical,
        decided: &Ledger,
        imposed: &[Terms],
        policy: &dyn CarbonPolicy,
        yardstick: &Yardstick,
    ) -> Self {
        let setting = cleared.truth.setting();
        let mut ledger = decided.clone();
        for (i, plan) in physical.plans.iter().enumerate() {
            let member = Party::Member(i);
            ledger.pay_for(member, Party::Grid, plan.tariff_cost, "tariff", Some(Product::Energy));
            ledger.pay_for(member, Party::Dso, plan.shortfall_cost, "shortfall", Some(Product::Energy));
            if let Some(terms) = imposed.get(i) {
                ledger.pay_for(
                    member,
                    Party::Dso,
                    imposed_money(setting, terms, physical, i),
                    "imposed",
                    Some(Product::Energy),
                );
            }
        }
        policy.settle(setting, physical, &cleared.signal, &mut ledger);
        for (i, plan) in physical.plans.iter().enumerate() {
            let charge = cleared.limits.of_member(setting, i);
            let withdrawn = |t: usize| setting.energy_slot(t).map_or(0.0, |k| -plan.output[k]);
            let rent: f64 = charge.iter().enumerate().map(|(t, price)| price * withdrawn(t)).sum();
            ledger.pay_for(Party::Member(i), Party::Dso, rent, NODAL, Some(Product::Energy));
        }

        let worth = |kwh: &dyn Fn(usize) -> f64| {
            (0..setting.periods.count).map(|t| yardstick.upstream_cost_per_kwh[t] * kwh(t)).sum::<f64>()
        };
        let members: Vec<MemberAccount> = physical
            .plans
            .iter()
            .enumerate()
            .map(|(i, plan)| {
                let paid = |reasons: &[&str]| 0.0 - ledger.balance_of(Party::Member(i), reasons);
                MemberAccount {
                    resource_cost: plan.resource_cost,
                    tariff: paid(&["tariff"]),
                    shortfall: paid(&["shortfall"]),
                    nodal: paid(&[NODAL]),
                    imposed: paid(&["imposed"]),
                    carbon: paid(&["carbon"]),
                    refund: ledger.balance_of(Party::Member(i), &["carbon refund"]),
                    payment: paid(PAYMENTS),
                    upstream: worth(&|t| plan.net_exchange_kwh(t)),
                }
            })
            .collect();
        let exchange = worth(&|t| physical.community_exchange_kwh(t));
        let losses = worth(&|t| physical.loss_kwh(setting, t));
        Self {
            upstream_resource_cost: worth(&|t| physical.upstream_import_kwh[t]),
            retail_margin: ledger.balance(Party::Grid) - exchange,
            dso_revenue: ledger.balance(Party::Dso) - losses,
            operator_surplus: ledger.balance(Party::Operator),
            carbon_revenue: ledger.balance(Party::Authority),
            members,
            ledger,
        }
    }

    pub fn sum(&self, of: impl Fn(&MemberAccount) -> f64) -> f64 {
        self.members.iter().map(of).sum()
    }

    /// Operating and carbon cost of all: what efficiency is measured in.
    pub fn operating_and_carbon(&self) -> f64 {
        self.sum(|m| m.operating_cost() + m.carbon)
    }
}

/// Money that imposed terms move to the DSO.
fn imposed_money(setting: &Setting, terms: &Terms, physical: &Physical, member: usize) -> f64 {
    let plan = &physical.plans[member];
    let periods = (0..setting.periods.count).map(|t| {
        let output = setting.energy_slot(t).map_or(0.0, |k| plan.output[k]);
        at(&terms.import_adder, t) * plan.import_kwh[t] - at(&terms.export_adder, t) * plan.export_kwh[t]
            + at(&terms.withdrawal_adder, t) * (-output).max(0.0)
            + at(&terms.injection_adder, t) * output.max(0.0)
    });
    let traded = setting.slots.iter().zip(&plan.trade).filter(|(s, _)| s.product == Product::Energy);
    let trades: f64 = traded.map(|(s, sale)| at(&terms.trade_adder, s.period) * sale).sum();
    let direct: f64 = plan.emission_kg.iter().sum::<f64>() * terms.direct_price_per_kg;
    periods.sum::<f64>() - trades + direct
}
