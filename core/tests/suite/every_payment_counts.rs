//! Whatever a mechanism or a policy moves, under whatever reason and to whomever, stands in the accounts of those who pay
//! and receive it. Three quadratic agents at a tariff of 0.4 / 1.0; without trade they pay -5, 0 and -2.5, with or without
//! a fee: expected numbers are these and the fee.

use coase_core::mechanism::Mechanism;
use coase_core::outcome::{Party, Reason, Verdict};
use coase_core::physical::Physical;
use coase_core::policy::{CarbonPolicy, MarginalPrice, Responsibility, Signal};
use coase_core::record::{Table, Value};
use coase_core::schemars::{self, JsonSchema};
use coase_core::setting::Setting;
use coase_core::terms::{Account, Charge, Terms};
use coase_core::{Ledger, Market, MechanismError, Outcome, RunContext, register, register_policy};
use coase_testkit::agents::three;
use coase_testkit::measured::{Measured, measure};
use coase_testkit::policy;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const ALONE: [f64; 3] = [-5.0, 0.0, -2.5];
const FEE: f64 = 3.0;

/// Nobody trades; everybody pays a fee.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Fee {
    #[serde(skip, default = "membership")]
    reason: Reason,
    #[serde(skip, default = "operator")]
    to: Party,
    amount: f64,
}

fn membership() -> Reason {
    Reason::Other("membership")
}

fn operator() -> Party {
    Party::Operator
}

impl Default for Fee {
    fn default() -> Self {
        Self { reason: membership(), to: operator(), amount: FEE }
    }
}

register!(Fee, "fee-per-head", Baseline, "nobody trades, everybody pays", claims: [IndividuallyRational], needs: [],
    information: Prices);

impl Mechanism for Fee {
    fn run(&self, market: &Market, _: &mut RunContext) -> Result<Outcome, MechanismError> {
        let mut outcome = Outcome::new(market.setting());
        for i in (0..market.len()).filter(|i| Party::Member(*i) != self.to) {
            outcome.ledger.pay(Party::Member(i), self.to, self.amount, self.reason);
        }
        Ok(outcome)
    }
}

/// Nobody trades; everybody's imports stand in an account of 1 kg/kWh that costs 0.01 per kg.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
struct Ration {}

register!(Ration, "ration", Baseline, "an account of the mechanism's own", claims: [], needs: [], information: Prices);

impl Mechanism for Ration {
    fn run(&self, market: &Market, _: &mut RunContext) -> Result<Outcome, MechanismError> {
        let mut outcome = Outcome::new(market.setting());
        let account = Account {
            import_kg_per_kwh: vec![1.0],
            export_kg_per_kwh: vec![],
            withdrawal_kg_per_kwh: vec![],
            injection_kg_per_kwh: vec![],
            sold_kg_per_kwh: vec![],
            bought_kg_per_kwh: vec![],
            renewable_quota_kg_per_kwh: 0.0,
            turbine_quota_kg_per_kwh: 0.0,
            quota_kg: 0.0,
            charge: Charge::linear(0.01),
        };
        outcome.imposed = vec![Terms { account: Some(account), ..Terms::default() }; market.len()];
        Ok(outcome)
    }
}

/// A policy that levies 2 per head under a reason of its own, and gives half of it back.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
struct Levy {}

register_policy!(Levy, "levy-per-head", "two per head", claims: [], source: "a test");

impl CarbonPolicy for Levy {
    fn check(&self, _: &Setting) -> Result<(), coase_core::policy::PolicyError> {
        Ok(())
    }
    fn price_per_tonne(&self) -> Option<f64> {
        None
    }
    fn with_price_factor(&self, _: f64) -> Arc<dyn CarbonPolicy> {
        Arc::new(self.clone())
    }
    fn terms(&self, setting: &Setting, _: &Signal) -> Vec<Terms> {
        vec![Terms::default(); setting.members.len()]
    }
    fn settle(&self, setting: &Setting, _: &Physical, _: &Signal, ledger: &mut Ledger) {
        for i in 0..setting.members.len() {
            ledger.pay(Party::Member(i), Party::Authority, 2.0, "levy");
            ledger.pay(Party::Authority, Party::Member(i), 1.0, Reason::CarbonRefund);
        }
    }
    fn responsibility(&self, _: &Setting, _: &Physical, _: &Signal) -> Responsibility {
        Responsibility::default()
    }
    fn marginal_prices(&self, _: &Setting, _: &Physical, _: &Signal) -> Vec<MarginalPrice> {
        vec![]
    }
}

fn measured(mechanism: &dyn Mechanism, policy: &dyn CarbonPolicy) -> Measured {
    measure(&three(), mechanism, policy)
}

fn no_policy() -> Box<dyn CarbonPolicy> {
    policy("None()")
}

/// Everything that must hold of the books, whatever was paid.
#[track_caller]
fn balanced(run: &Measured, what: &str) {
    assert_eq!(run.verdict("gain_split"), Verdict::Upheld, "{what}");
    assert_eq!(run.verdict("ledger_balance"), Verdict::Upheld, "{what}");
    let parts = run.parts();
    let sums: Vec<f64> = (0..3).map(|i| parts.iter().map(|p| p[i]).sum::<f64>()).collect();
    close(&sums, &run.of_participants("gain"), what);
    let total: f64 = run.of_participants("total_cost").iter().sum();
    close(&[run.metric("total_cost")], &[total], what);
}

#[track_caller]
fn close(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() <= 1e-6, "{what}: {found:?} instead of {expected:?}");
    }
}

#[test]
fn a_fee_costs_its_payer_whatever_it_is_called_and_whoever_receives_it() {
    let reasons = Reason::NAMED.into_iter().chain([Reason::Other("membership"), Reason::Other("")]);
    for reason in reasons {
        for to in [Party::Operator, Party::Dso, Party::Grid, Party::Authority, Party::Member(1)] {
            let what = format!("{reason:?} to {to:?}");
            let found = measured(&Fee { reason, to, amount: FEE }, &*no_policy());
            let paid = match to {
                Party::Member(_) => [FEE, -2.0 * FEE, FEE],
                _ => [FEE; 3],
            };
            let cost: Vec<f64> = ALONE.iter().zip(paid).map(|(alone, paid)| alone + paid).collect();
            close(&found.of_participants("total_cost"), &cost, &what);
            close(&found.found.gains, &paid.map(|p| -p), &what);
            let of = |name: &str| found.of_participants(name);
            let (network, payment) = if to == Party::Dso { (paid, [0.0; 3]) } else { ([0.0; 3], paid) };
            close(&of("gain_network"), &network.map(|p| -p), &what);
            close(&of("payment"), &payment, &what);
            assert_eq!(found.verdict("individual_rationality"), Verdict::Refuted, "{what}");
            // A mechanism's payments are no cost of energy or carbon: efficiency does not see them.
            close(&[found.metric("welfare_gain")], &[0.0], &what);
            close(&[found.metric("carbon_payments")], &[0.0], &what);
            balanced(&found, &what);
        }
    }
}

#[test]
fn a_payment_the_other_way_is_a_receipt() {
    for reason in Reason::NAMED {
        let found = measured(&Fee { reason, to: Party::Operator, amount: -FEE }, &*no_policy());
        close(&found.found.gains, &[FEE; 3], reason.name());
        assert_eq!(found.verdict("individual_rationality"), Verdict::Upheld, "{reason:?}");
        balanced(&found, reason.name());
    }
}

#[test]
fn what_a_policy_asks_for_under_its_own_reason_is_paid_for_carbon() {
    let found = measured(&Fee::default(), &Levy {});
    let of = |name: &str| found.of_participants(name);
    close(&of("carbon_cost"), &[2.0; 3], "the levy");
    close(&of("total_cost"), &ALONE.map(|alone| alone + 2.0 - 1.0 + FEE), "with refund and fee");
    close(&[found.metric("carbon_payments")], &[6.0], "received");
    close(&[found.metric("carbon_revenue")], &[3.0], "kept");
    balanced(&found, "a levy");
}

/// The third agent imports `(1.1 - 1.01) / 0.002 = 45` kWh, for which the DSO gets 0.45.
#[test]
fn the_charge_on_an_account_that_a_mechanism_imposes_is_paid() {
    let found = measured(&Ration::default(), &*no_policy());
    let of = |name: &str| found.of_participants(name);
    let cost = 0.001 * 45.0 * 45.0 - 1.1 * 45.0 + 1.01 * 45.0;
    close(&of("total_cost"), &[ALONE[0], ALONE[1], cost], "the account is paid");
    close(&of("gain_network"), &[0.0, 0.0, -0.45], "to the DSO");
    balanced(&found, "an imposed account");
}

#[test]
fn the_ledger_names_a_reason_of_ones_own() {
    let found = measured(&Fee::default(), &*no_policy());
    let at = Table::Ledger.columns().iter().position(|c| c.name == "reason").expect("a reason");
    let names: Vec<&Value> = found.found.record.ledger.iter().map(|row| &row[at]).collect();
    assert!(names.contains(&&Value::Text("membership".into())), "{names:?}");
    assert!(names.contains(&&Value::Text("tariff".into())), "{names:?}");
}
