//! What the next tonne costs, against figures by hand and against what everybody is charged for.

use super::nodal::{feeder, state};
use super::price_factor::catalogue;
use super::support::{Signal, bills, close, paid, plan, policy, setting, tariff};
use crate::outcome::Party;
use crate::policy::{CarbonPolicy, MarginalPrice};
use serde_json::Value;

/// Realised marginal price and average price of a tonne.
fn prices(policy: &dyn CarbonPolicy, emitted_kg: &[f64], quotas_kg: &[f64]) -> (f64, f64) {
    let setting = setting(1, None, quotas_kg);
    let plans = emitted_kg.iter().map(|kg| plan(0.0, 0.0, 0.0, *kg, *kg)).collect();
    let physical = super::support::physical(&setting, plans, &[]);
    let signal = policy.start(&setting);
    let marginal = MarginalPrice::mean_per_kg(&policy.marginal_prices(&setting, &physical, &signal)).unwrap();
    let charged_kg = policy.responsibility(&setting, &physical, &signal).total_charged_kg();
    let paid = bills(policy, &setting, &physical, &signal).balance(Party::Authority);
    (1000.0 * marginal, 1000.0 * paid / charged_kg)
}

/// The published ladder at 25.15 t: what a tonne costs at the margin and on average are different things.
#[test]
fn a_ladder_has_the_published_marginal_and_average_prices() {
    let ladder = policy("Stepped()");
    for (quota, marginal, average) in [(18.0, 490.0, 106.0), (24.0, 280.0, 13.0), (10.0, 560.0, 282.0)] {
        let found = prices(&*ladder, &[25150.0], &[1000.0 * quota]);
        close(found.0, marginal, 1e-9);
        close(found.1, average, 0.5);
    }
}

#[test]
fn payers_count_by_what_they_are_charged_for_and_kinks_by_the_mean_of_both_prices() {
    // 2 t rest at the kink between 280 and 350, 6 t between 420 and 490; who emits nothing does not count.
    let found = prices(&*policy("Stepped()"), &[2000.0, 6000.0, 0.0], &[0.0; 3]);
    close(found.0, (2.0 * 315.0 + 6.0 * 455.0) / 8.0, 1e-9);
    close(found.1, (560.0 + 2100.0) / 8.0, 1e-9);
    // A surplus earns less than a shortage costs.
    let two_sided = policy("CapAndTrade(price_per_tonne: 300, sell_price_per_tonne: 100)");
    close(prices(&*two_sided, &[3000.0, 1000.0], &[1000.0, 2000.0]).0, (3.0 * 300.0 + 100.0) / 4.0, 1e-9);
    // Where nobody emits, the next tonne still has its price; where there is none, it has none.
    let tax = policy("Tax()");
    let setting = setting(1, None, &[0.0, 0.0]);
    let idle = super::support::physical(&setting, vec![plan(0.0, 0.0, 0.0, 0.0, 0.0); 2], &[]);
    close(MarginalPrice::mean_per_kg(&tax.marginal_prices(&setting, &idle, &Signal::None)).unwrap(), 0.28, 1e-15);
    for text in ["None()", "HardCap()"] {
        assert_eq!(MarginalPrice::mean_per_kg(&policy(text).marginal_prices(&setting, &idle, &Signal::None)), None);
    }
}

/// Allowances have one price, whoever holds them.
#[test]
fn traded_allowances_have_one_marginal_price() {
    let trading = policy("AllowanceTrading()");
    let setting = setting(1, None, &[0.0, 1000.0]);
    let plans = vec![plan(0.0, 0.0, 0.0, 5000.0, 5000.0), plan(0.0, 0.0, 0.0, 0.0, 0.0)];
    let physical = super::support::physical(&setting, plans, &[]);
    let found = trading.marginal_prices(&setting, &physical, &Signal::Scalar(0.3));
    assert!(found.iter().all(|payer| payer.price_per_kg == 0.3));
}

fn covering_the_feeder(written: &(dyn CarbonPolicy + 'static)) -> Option<Box<dyn CarbonPolicy>> {
    let mut json = serde_json::to_value(written).unwrap();
    let parameters = json.as_object_mut().and_then(|tagged| tagged.values_mut().next()).unwrap();
    parameters["coverage"] = Value::from("Feeder");
    serde_json::from_value(json).ok()
}

/// Weights are complete: together all payers are charged for what the accounts say is charged.
#[test]
fn every_charged_kilogram_has_a_marginal_price() {
    let mut setting = feeder(&[18, 33], 1);
    setting.members[0].quota_kg = 50.0;
    let plans = vec![plan(900.0, 0.0, -900.0, 0.0, 0.0), plan(0.0, 60.0, 260.0, 150.0, 300.0)];
    let physical = state(&setting, plans);
    let written = catalogue();
    let covered: Vec<_> = written.iter().filter_map(|policy| covering_the_feeder(&**policy)).collect();
    for policy in written.iter().chain(&covered) {
        if policy.price_per_tonne().is_none() || policy.check(&setting).is_err() {
            continue;
        }
        let signal = policy.target(&setting, &physical, &policy.start(&setting));
        let charged = policy.responsibility(&setting, &physical, &signal).total_charged_kg();
        let payers = policy.marginal_prices(&setting, &physical, &signal);
        close(payers.iter().map(|payer| payer.charged_kg).sum(), charged, 1e-6 * (1.0 + charged.abs()));
    }
}

/// On the accounts of members, the marginal price is what the bill grows by.
#[test]
fn the_marginal_price_is_the_slope_of_the_bill() {
    let setting = setting(1, Some(tariff(1, 1.0, 0.4, 0.5)), &[100.0, 20.0]);
    for text in ["Tax()", "CapAndTrade(sell_price_per_tonne: 90)", "Stepped(interval_kg: 40, growth: 0.5)"] {
        let policy = policy(text);
        let with = |more_kg: f64| {
            let plans = vec![plan(10.0, 0.0, -10.0, 60.0, 60.0), plan(30.0, 0.0, -30.0, 90.0 + more_kg, 90.0)];
            super::support::physical(&setting, plans, &[])
        };
        let bill = |more_kg: f64| paid(&bills(&*policy, &setting, &with(more_kg), &Signal::None), 1);
        let found = policy.marginal_prices(&setting, &with(0.0), &Signal::None)[1];
        close(found.price_per_kg, (bill(1e-3) - bill(-1e-3)) / 2e-3, 1e-9);
        close(found.charged_kg, 105.0, 1e-9);
    }
}
