//! Who ends with how much: the ledger of a run, complete, and the accounts read off it.
//!
//! The mechanism entered what it decided; tariff, shortfall, imposed terms and carbon are entered here, by one writer. Every
//! payment of a participant stands in exactly one part of its account: what it pays in all is its own cost less the balance
//! of its ledger. What a mechanism decided is a network charge where the DSO receives it and a payment otherwise, whatever
//! reason it gives: it can neither hide a fee nor move money into the costs that efficiency is measured in.

use super::Yardstick;
use crate::engine::Cleared;
use crate::outcome::{Balances, Ledger, Party, Payment, Reason};
use crate::physical::Physical;
use crate::policy::CarbonPolicy;
use crate::setting::{Product, Setting};
use crate::terms::{Terms, at};

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
    /// What the carbon authority receives before it gives anything back.
    pub carbon_payments: f64,
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
    /// What the policy asks for, electricity and refunds aside.
    pub carbon: f64,
    pub refund: f64,
    /// What a mechanism charges on behalf of the DSO.
    pub network_charge: f64,
    /// What a mechanism moves between participants, the operator and others.
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
        self.nodal + self.imposed + self.shortfall + self.network_charge
    }

    /// All it pays.
    pub fn total_cost(&self) -> f64 {
        self.operating_cost() + self.imposed + self.network_charge + self.carbon - self.refund + self.payment
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
        let bills = bills(cleared, physical, imposed);
        let mut carbon = Ledger::default();
        policy.settle(setting, physical, &cleared.signal, &mut carbon);

        let worth = |kwh: &dyn Fn(usize) -> f64| {
            (0..setting.periods.count).map(|t| yardstick.upstream_cost_per_kwh[t] * kwh(t)).sum::<f64>()
        };
        let paid = |ledger: &Ledger, reason: Reason| ledger.balances_where(move |e| e.reason == reason);
        let of_tariff = [paid(&bills, Reason::Tariff), paid(&carbon, Reason::Tariff)];
        let of_nodal = [paid(&bills, Reason::Nodal), paid(&carbon, Reason::Nodal)];
        let (of_shortfall, of_imposed) = (paid(&bills, Reason::Shortfall), paid(&bills, Reason::Imposed));
        // Where prices of electricity differ by bus, a policy settles them too.
        let asked = |reason: Reason| !matches!(reason, Reason::Tariff | Reason::Nodal | Reason::CarbonRefund);
        let (of_carbon, of_refund) = (carbon.balances_where(|e| asked(e.reason)), paid(&carbon, Reason::CarbonRefund));
        let is_charge = |e: &Payment| e.from == Party::Dso || e.to == Party::Dso;
        let (of_charge, of_payment) = (decided.balances_where(is_charge), decided.balances_where(|e| !is_charge(e)));
        let members: Vec<MemberAccount> = physical
            .plans
            .iter()
            .enumerate()
            .map(|(i, plan)| {
                let member = Party::Member(i);
                let paid = |balances: &Balances| 0.0 - balances.of(member);
                MemberAccount {
                    resource_cost: plan.resource_cost,
                    tariff: paid(&of_tariff[0]) + paid(&of_tariff[1]),
                    shortfall: paid(&of_shortfall),
                    nodal: paid(&of_nodal[0]) + paid(&of_nodal[1]),
                    imposed: paid(&of_imposed),
                    carbon: paid(&of_carbon),
                    refund: of_refund.of(member),
                    network_charge: paid(&of_charge),
                    payment: paid(&of_payment),
                    upstream: worth(&|t| plan.net_exchange_kwh(t)),
                }
            })
            .collect();
        let carbon_payments = carbon.balance_where(Party::Authority, |e| e.reason != Reason::CarbonRefund);
        let mut ledger = decided.clone();
        ledger.append(&bills);
        ledger.append(&carbon);
        let balances = ledger.balances();
        let exchange = worth(&|t| physical.community_exchange_kwh(t));
        let losses = worth(&|t| physical.network_kwh(setting, t));
        Self {
            upstream_resource_cost: worth(&|t| physical.upstream_import_kwh[t]),
            retail_margin: balances.of(Party::Grid) - exchange,
            dso_revenue: balances.of(Party::Dso) - losses,
            operator_surplus: balances.of(Party::Operator),
            carbon_revenue: balances.of(Party::Authority),
            carbon_payments,
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

/// What follows from the schedules without carbon: tariff, shortfall, imposed terms, and the rent of limits that have prices.
fn bills(cleared: &Cleared, physical: &Physical, imposed: &[Terms]) -> Ledger {
    let setting = cleared.truth.setting();
    let mut bills = Ledger::default();
    for (i, plan) in physical.plans.iter().enumerate() {
        let mut pay = |to: Party, amount: f64, reason: Reason| {
            bills.pay_for(Party::Member(i), to, amount, reason, Some(Product::Energy));
        };
        pay(Party::Grid, plan.tariff_cost, Reason::Tariff);
        pay(Party::Dso, plan.shortfall_cost, Reason::Shortfall);
        if let Some(terms) = imposed.get(i) {
            pay(Party::Dso, imposed_money(setting, terms, physical, i), Reason::Imposed);
        }
        let withdrawn = |t: usize| setting.energy_slot(t).map_or(0.0, |k| -plan.output[k]);
        let charge = cleared.limits.of_member(setting, i);
        pay(Party::Dso, charge.iter().enumerate().map(|(t, price)| price * withdrawn(t)).sum(), Reason::Nodal);
    }
    bills
}

/// Money that imposed terms move to the DSO, under which the schedules were made: adders, and the charge on an account that
/// a mechanism keeps itself.
fn imposed_money(setting: &Setting, terms: &Terms, physical: &Physical, member: usize) -> f64 {
    let plan = &physical.plans[member];
    let periods = (0..setting.periods.count).map(|t| {
        let output = setting.energy_slot(t).map_or(0.0, |k| plan.output[k]);
        at(&terms.import_adder, t) * plan.import_kwh[t] - at(&terms.export_adder, t) * plan.export_kwh[t]
            + at(&terms.withdrawal_adder, t) * (-output).max(0.0)
            + at(&terms.injection_adder, t) * output.max(0.0)
    });
    let trades: f64 = plan.trade.iter().enumerate().map(|(k, sale)| at(&terms.trade_adder, k) * sale).sum();
    let direct: f64 = plan.emission_kg.iter().sum::<f64>() * terms.direct_price_per_kg;
    let account = if terms.account.is_some() { plan.carbon_charge } else { 0.0 };
    periods.sum::<f64>() - trades + direct + account
}
