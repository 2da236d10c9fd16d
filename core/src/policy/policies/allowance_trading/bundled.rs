//! Allowances that travel with energy.
//!
//! What a member buys from its peers, `b_it`, stands in its account at the grid's intensity `e_t`, as if it came from the grid.
//! Allowances that a seller holds travel with what it sells, `s_it`, and cover it there:
//!
//! ```text
//! H_i    = quota_i + allowances issued per kWh (imported, from emitting devices, from renewables)
//! kappa_i = min(1, H_i / sum_t e_t s_it)                 share of its sales that is covered
//! k_t    = sum_i kappa_i s_it / sum_i s_it               share of what is bought in a period that is covered
//! x_i    = E_i - H_i + sum_t kappa_i e_t s_it + sum_t (1 - k_t) e_t b_it
//! ```
//!
//! and everybody pays its own ladder on its balance `x_i`. An allowance is used once, by its holder or with the energy that it
//! sold: `sum_t kappa_i e_t s_it <= H_i`, and what is given is what arrives (certificate `retirement`). Whoever holds none, as a
//! wind plant without a quota, gives none and owes none; its buyers answer for what they buy. The shares enter the terms, so
//! that what dispatch sees is what is paid, and the engine brings them to a fixed point.
//!
//! Who pays for which tonne stays visible: purchases that are charged at the grid's intensity were emitted by their seller's
//! turbine, which is charged itself (`double_charged_kg`), or by nobody (`phantom_kg`); `covered_kg` is what was emitted.

use crate::market::Plan;
use crate::outcome::{Certificate, Kind};
use crate::physical::Physical;
use crate::policy::accounts::sale_kwh;
use crate::policy::{Responsibility, Shares, Signal};
use crate::setting::Setting;
use crate::terms::{Account, at};
use std::sync::Arc;

/// Allowances used beyond those there are that are a rounding, relative to the kilograms sold.
const TOLERANCE: f64 = 1e-6;

/// Shares of what is sold, by member, and of what is bought, by period, that allowances cover.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Covered {
    sales: Vec<f64>,
    purchases: Vec<f64>,
}

impl Covered {
    /// Before anything is known: whoever may hold allowances covers all that it sells.
    pub fn start(accounts: &[Account], setting: &Setting) -> Self {
        let sales: Vec<f64> = accounts.iter().map(|a| f64::from(u8::from(may_hold(a)))).collect();
        let purchases = vec![mean(&sales); setting.periods.count];
        Self { sales, purchases }
    }

    /// From a signal; what it does not say is not covered.
    pub fn of_signal(signal: &Signal) -> Self {
        let Shares { of_sales, of_purchases } = signal.shares().clone();
        Self { sales: of_sales, purchases: of_purchases }
    }

    /// As shares of a signal.
    pub fn shares(self) -> Shares {
        Shares { of_sales: self.sales, of_purchases: self.purchases }
    }

    /// Share of a member's sales.
    pub fn of_sales(&self, member: usize) -> f64 {
        at(&self.sales, member)
    }

    /// Share of the purchases of a period.
    pub fn of_purchases(&self, period: usize) -> f64 {
        at(&self.purchases, period)
    }

    /// What the trades of an outcome call for. Where nothing is sold a first kWh is as well covered as sales are on average.
    pub fn of(accounts: &[Account], setting: &Setting, physical: &Physical) -> Self {
        let members = accounts.iter().zip(&physical.plans);
        let share = |(account, plan): (&Account, &Arc<Plan>)| {
            let sold_kg = sold_kg(setting, plan);
            if sold_kg > 0.0 {
                (holdings_kg(setting, account, plan) / sold_kg).min(1.0)
            } else {
                f64::from(u8::from(may_hold(account)))
            }
        };
        let sales: Vec<f64> = members.map(share).collect();
        let of_period = |t: usize| {
            let sold = |plan: &Arc<Plan>| sale_kwh(setting, plan, t).max(0.0);
            let all: f64 = physical.plans.iter().map(sold).sum();
            let covered: f64 = physical.plans.iter().zip(&sales).map(|(plan, share)| share * sold(plan)).sum();
            // Less than a millionth of a kWh is a solver's rounding.
            if all > 1e-6 { covered / all } else { mean(&sales) }
        };
        let purchases = (0..setting.periods.count).map(of_period).collect();
        Self { sales, purchases }
    }

    /// Whether every allowance is used once: nobody gives more than it holds, and what is given arrives.
    pub fn retirement(&self, accounts: &[Account], setting: &Setting, physical: &Physical) -> Certificate {
        let (mut given_kg, mut received_kg, mut size_kg) = (0.0, 0.0, 0.0);
        let mut worst = (0.0_f64, "");
        for (i, (account, plan)) in accounts.iter().zip(&physical.plans).enumerate() {
            let sold_kg = sold_kg(setting, plan);
            let gives_kg = self.of_sales(i) * sold_kg;
            let beyond_kg = gives_kg - holdings_kg(setting, account, plan);
            if beyond_kg > worst.0 {
                worst = (beyond_kg, &setting.members[i].id);
            }
            (given_kg, size_kg) = (given_kg + gives_kg, size_kg + sold_kg);
            received_kg += (0..setting.periods.count)
                .map(|t| self.of_purchases(t) * setting.intensity(t) * (-sale_kwh(setting, plan, t)).max(0.0))
                .sum::<f64>();
        }
        let whose = if worst.1.is_empty() {
            String::new()
        } else {
            format!(", {} gives {:.6} kg that it lacks", worst.1, worst.0)
        };
        let witness =
            format!("kg used more than once: {given_kg:.3} given with energy, {received_kg:.3} received{whose}");
        let value = worst.0.max((given_kg - received_kg).abs());
        Certificate::check("retirement", value, TOLERANCE * size_kg, witness).about(Kind::PolicyConstraint)
    }
}

/// What purchases add to who answers for what: they are charged at the grid's intensity. Sales are taken to come from emitting
/// devices first.
pub(super) fn with_purchases(answers: Responsibility, setting: &Setting, physical: &Physical) -> Responsibility {
    let Responsibility { mut charged_kg, mut phantom_kg, mut double_charged_kg, .. } = answers;
    for t in 0..setting.periods.count {
        let intensity = setting.intensity(t);
        for (charged_kg, plan) in charged_kg.iter_mut().zip(&physical.plans) {
            let sale = sale_kwh(setting, plan, t);
            let bought_kg = intensity * (-sale).max(0.0);
            *charged_kg += bought_kg;
            phantom_kg += bought_kg;
            let twice_kg = plan.emission_kg[t].min(intensity * sale.max(0.0)).max(0.0);
            double_charged_kg += twice_kg;
            phantom_kg -= twice_kg;
        }
    }
    Responsibility { charged_kg, phantom_kg, double_charged_kg, ..answers }
}

/// Kilograms that a member's sales stand for at the grid's intensity.
fn sold_kg(setting: &Setting, plan: &Plan) -> f64 {
    (0..setting.periods.count).map(|t| setting.intensity(t) * sale_kwh(setting, plan, t).max(0.0)).sum()
}

/// Allowances that a member holds at a schedule: its quota and what it was issued per kWh.
fn holdings_kg(setting: &Setting, account: &Account, plan: &Plan) -> f64 {
    let mut kg = account.quota_kg;
    for t in 0..setting.periods.count {
        kg += (setting.intensity(t) - at(&account.import_kg_per_kwh, t)) * plan.import_kwh[t];
        if let Some(credit) = account.export_kg_per_kwh.get(t) {
            kg -= (setting.intensity(t) + credit) * plan.export_kwh[t];
        }
        kg += account.turbine_quota_kg_per_kwh * plan.emitting_kwh[t];
        kg += account.renewable_quota_kg_per_kwh * plan.renewable_kwh(setting.periods.hours, t);
    }
    kg.max(0.0)
}

/// Whether a member may hold allowances at all.
fn may_hold(account: &Account) -> bool {
    account.quota_kg > 0.0 || account.turbine_quota_kg_per_kwh > 0.0 || account.renewable_quota_kg_per_kwh > 0.0
}

fn mean(shares: &[f64]) -> f64 {
    shares.iter().sum::<f64>() / shares.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::support::*;
    use crate::outcome::{Party, Verdict};
    use crate::physical::Physical;
    use crate::policy::CarbonPolicy;
    use crate::policy::{Shares, Signal};
    use crate::setting::Setting;

    /// The first emits 10 kg and sells 40 kWh to the second, which imports 60 more, at 0.5 kg per kWh from the grid.
    fn sold(quota_kg: f64) -> (Setting, Physical) {
        let setting = setting(1, Some(tariff(1, 1.0, 0.4, 0.5)), &[quota_kg, 0.0]);
        let plans = vec![plan(0.0, 0.0, 40.0, 10.0, 20.0), plan(60.0, 0.0, -100.0, 0.0, 0.0)];
        let physical = physical(&setting, plans, &[]);
        (setting, physical)
    }

    fn bundled() -> Box<dyn CarbonPolicy> {
        policy("AllowanceTrading(credits: Bundled, base_price_per_tonne: 1000)")
    }

    /// Shares covered of what the first of two members sells, and of what is bought.
    fn covered(sales: f64, purchases: f64) -> Signal {
        Signal::ByMember(Shares { of_sales: vec![sales, 0.0], of_purchases: vec![purchases] })
    }

    #[test]
    fn allowances_that_are_held_travel_with_energy_and_are_used_once() {
        // Held, what of them covers the 20 kg sold, and the bills at 1 per kg.
        for (quota_kg, gives_kg) in [(100.0, 20.0), (20.0, 20.0), (5.0, 5.0), (0.0, 0.0)] {
            let (setting, physical) = sold(quota_kg);
            let signal = bundled().target(&setting, &physical, &bundled().start(&setting));
            close(signal.shares().of_sales[0], gives_kg / 20.0, 1e-12);
            assert_eq!(bundled().target(&setting, &physical, &signal), signal);
            let ledger = bills(&*bundled(), &setting, &physical, &signal);
            close(paid(&ledger, 0), 10.0 - quota_kg + gives_kg, 1e-9);
            close(paid(&ledger, 1), 30.0 + 20.0 - gives_kg, 1e-9);
            let retired = bundled().evidence(&setting, &physical, &signal).remove(0);
            assert_eq!((retired.name, retired.verdict), ("retirement", Verdict::Upheld), "{}", retired.witness);
        }
    }

    #[test]
    fn allowances_that_are_not_held_or_do_not_arrive_refute_the_retirement() {
        let (setting, physical) = sold(5.0);
        for signal in [covered(1.0, 1.0), covered(0.25, 0.5), covered(0.25, 0.0)] {
            let retired = bundled().evidence(&setting, &physical, &signal).remove(0);
            assert_eq!(retired.verdict, Verdict::Refuted, "{signal:?}: {}", retired.witness);
        }
    }

    /// Of 60 kg charged 40 were emitted: 10 by the seller, who is charged, and charged again with what it sold; 10 by nobody.
    #[test]
    fn what_is_charged_and_not_emitted_is_named() {
        let (setting, physical) = sold(0.0);
        let answers = bundled().responsibility(&setting, &physical, &covered(0.0, 0.0));
        assert_eq!(answers.charged_kg, [10.0, 50.0]);
        close(answers.covered_kg, 40.0, 1e-12);
        close(answers.double_charged_kg, 10.0, 1e-12);
        close(answers.phantom_kg, 10.0, 1e-12);
        let ledger = bills(&*bundled(), &setting, &physical, &covered(0.0, 0.0));
        close(ledger.balance(Party::Authority), answers.total_charged_kg(), 1e-9);
    }

    /// What dispatch sees is what is paid: a member that meets its load of 30 kWh and sells 20.
    #[test]
    fn what_dispatch_sees_is_what_is_paid() {
        let source = Source { cost_per_kwh: 0.42, emission_kg_per_kwh: 0.6, max_kwh: 100.0 };
        let seller = Tiny { sources: vec![source], load_kwh: vec![30.0] };
        let buyer = Tiny { sources: vec![], load_kwh: vec![50.0] };
        let setting = setting(1, Some(tariff(1, 1.0, 0.4, 0.5)), &[4.0, 0.0]);
        let policy = bundled();
        let market = market(&setting, &[seller, buyer], &*policy);
        let signal = covered(0.4, 0.4);
        let market = market.under(&policy.terms(&setting, &signal));
        let plans: Vec<_> =
            [20.0, -20.0].iter().enumerate().map(|(i, x)| market.local(i).deliver(&[*x]).unwrap().into()).collect();
        let physical = physical(&setting, plans, &[]);
        assert_eq!(policy.target(&setting, &physical, &signal), signal);
        let ledger = bills(&*policy, &setting, &physical, &signal);
        // 50 kWh at 0.6, 4 kg held and given; 30 kWh imported and 20 bought at 0.5, 4 kg of it covered.
        for (i, kg) in [30.0, 21.0].into_iter().enumerate() {
            close(paid(&ledger, i), kg, 1e-9);
            close(physical.plans[i].carbon_charge, kg, 1e-6);
        }
    }
}
