//! The metrics of a run, in the order of the record.

use super::measures::{NOTHING_TO_GAIN, energy_trades, money_tolerance, price};
use super::{Case, fairness};
use crate::market::{DevicePlan, Plan};
use crate::outcome::Certificate;
use crate::record::{METRICS, Value};
use crate::setting::Periods;
use crate::units::per_kg;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) fn row(case: &Case, excess: Option<&Certificate>, regret: Option<&Certificate>) -> Vec<Value> {
    let mut found: BTreeMap<&'static str, Value> = BTreeMap::new();
    let mut put = |name, value: Value| {
        found.insert(name, value);
    };
    money(case, &mut put);
    sharing(case, excess, regret, &mut put);
    carbon(case, &mut put);
    energy(case, &mut put);
    network(case, &mut put);
    let trace = &case.cleared.trace;
    put("iterations", Value::from(case.cleared.iterations().len()));
    put("messages", Value::from(trace.messages));
    put("local_solves", Value::from(case.cleared.questions.local));
    METRICS.iter().map(|c| found.remove(c.name).unwrap_or(Value::Missing)).collect()
}

fn money(case: &Case, put: &mut impl FnMut(&'static str, Value)) {
    let (after, before) = (&case.accounts, &case.alone);
    let resource = after.sum(|m| m.resource_cost);
    let damage = per_kg(case.yardstick.damage_per_tonne) * case.carbon.emissions_kg;
    put("total_cost", case.carbon.total_cost.into());
    put("operating_cost", after.sum(super::accounts::MemberAccount::operating_cost).into());
    put("carbon_cost", after.sum(|m| m.carbon).into());
    put("resource_cost", resource.into());
    put("upstream_resource_cost", after.upstream_resource_cost.into());
    put("carbon_damage", damage.into());
    put("social_cost", (resource + after.upstream_resource_cost + damage).into());
    let welfare = before.operating_and_carbon() - after.operating_and_carbon();
    put("welfare_gain", welfare.into());
    let resources = |a: &super::Accounts| a.sum(|m| m.resource_cost) + a.upstream_resource_cost;
    put("resource_gain", (resources(before) - resources(after)).into());
    if let Some(benchmark) = case.benchmark {
        put("efficiency", benchmark.efficiency(NOTHING_TO_GAIN).into());
    }
    if let Some(repaired) = case.repaired {
        put("efficiency_repaired", repaired.efficiency.into());
        put("repair_cost", repaired.cost.into());
    }
    put("operator_surplus", after.operator_surplus.into());
    put("dso_revenue", after.dso_revenue.into());
    put("retail_margin", after.retail_margin.into());
    put("carbon_revenue", after.carbon_revenue.into());
    put("carbon_payments", case.carbon.payments.into());
    put("carbon_price_per_tonne", case.price.map(|p| p.0).into());
    put("carbon_price_factor", case.price.map(|p| p.1).into());
    put("carbon_marginal_price_per_tonne", case.carbon.marginal_price_per_tonne.into());
    put("carbon_average_price_per_tonne", case.carbon.average_price_per_tonne.into());
}

fn sharing(
    case: &Case,
    excess: Option<&Certificate>,
    regret: Option<&Certificate>,
    put: &mut impl FnMut(&'static str, Value),
) {
    let gains = case.gains();
    let turnover = case.accounts.ledger.turnover();
    let losses: f64 = gains.iter().filter(|g| **g < -money_tolerance(case)).map(|g| -g).sum();
    put("individual_rationality_violation", losses.into());
    put("jain_index", fairness::jain(&gains, turnover).into());
    put("gini", fairness::gini(&gains, turnover).into());
    put("core_excess", excess.and_then(|c| c.value).into());
    put("max_regret", regret.and_then(|c| c.value).into());
}

fn carbon(case: &Case, put: &mut impl FnMut(&'static str, Value)) {
    let setting = case.cleared.truth.setting();
    let physical = &case.cleared.physical;
    let r = &case.responsibility;
    put("emissions_kg", case.carbon.emissions_kg.into());
    put("covered_kg", r.covered_kg.into());
    put("uncovered_kg", r.uncovered_kg.into());
    put("phantom_kg", r.phantom_kg.into());
    put("double_charged_kg", r.double_charged_kg.into());
    if !physical.grid.is_empty() {
        let hours = setting.periods.hours;
        put("load_carbon_kg", physical.grid.iter().map(|s| s.carbon.total_load_kg_per_h() * hours).sum::<f64>().into());
        put("loss_carbon_kg", physical.grid.iter().map(|s| s.carbon.total_loss_kg_per_h() * hours).sum::<f64>().into());
    }
}

fn energy(case: &Case, put: &mut impl FnMut(&'static str, Value)) {
    let setting = case.cleared.truth.setting();
    let physical = &case.cleared.physical;
    let hours = setting.periods.hours;
    let plans = &physical.plans;
    let exchange: Vec<f64> = (0..setting.periods.count).map(|t| physical.community_exchange_kwh(t)).collect();
    let (available, used) = renewables(plans, hours);
    if available > 0.0 {
        put("curtailment_kwh", (available - used).max(0.0).into());
        put("renewable_utilisation", (used / available).into());
    }
    let load: f64 = plans.iter().map(|p| p.load_kwh(hours)).sum();
    let generated: f64 = plans.iter().map(|p| p.generation_kwh(hours)).sum();
    let imported: f64 = exchange.iter().map(|x| x.max(0.0)).sum();
    let exported: f64 = exchange.iter().map(|x| (-x).max(0.0)).sum();
    if load > 1e-9 {
        put("self_sufficiency", (1.0 - imported / load).into());
        let traded: f64 = energy_trades(case).iter().map(|t| t.quantity).sum();
        put("p2p_share", (traded / load).into());
    }
    put("resold_kwh", plans.iter().map(|p| p.resold_kwh(setting)).sum::<f64>().into());
    if generated > 1e-9 {
        put("self_consumption", (1.0 - exported / generated).into());
    }
    put("peak_import_kw", exchange.iter().fold(0.0, |m: f64, x| m.max(x / hours)).into());
    let n = exchange.len().max(1) as f64;
    let mean = exchange.iter().sum::<f64>() / hours / n;
    put("load_variance_kw2", (exchange.iter().map(|x| (x / hours - mean).powi(2)).sum::<f64>() / n).into());
    put("lerner_index", lerner(case).into());
    put("user_satisfaction", satisfaction(plans, setting.periods).into());
}

fn network(case: &Case, put: &mut impl FnMut(&'static str, Value)) {
    let setting = case.cleared.truth.setting();
    let physical = &case.cleared.physical;
    if setting.feeder.is_some() {
        put("loss_kwh", (0..setting.periods.count).map(|t| physical.loss_kwh(setting, t)).sum::<f64>().into());
        let (voltage, thermal) = super::limits::sums(setting, physical);
        put("voltage_violation_pu", voltage.into());
        put("thermal_violation_kva", thermal.into());
    }
}

/// Renewable energy available and used, kWh.
fn renewables(plans: &[Arc<Plan>], hours: f64) -> (f64, f64) {
    let devices = plans.iter().flat_map(|p| &p.devices).filter(|d| !d.available_kw.is_empty());
    devices.fold((0.0, 0.0), |sum, d| {
        (sum.0 + hours * d.available_kw.iter().sum::<f64>(), sum.1 + hours * d.power_kw.iter().sum::<f64>())
    })
}

/// Volume-weighted `(p - m) / p` of the sellers of energy, `m` their marginal cost at what they deliver.
fn lerner(case: &Case) -> Option<f64> {
    let (mut weighted, mut volume) = (0.0, 0.0);
    for trade in energy_trades(case) {
        let price = trade.price.or_else(|| price(&case.cleared.outcome, trade.seller, trade.slot, true));
        let margin = case.cleared.physical.plans[trade.seller].marginal_cost.get(trade.slot);
        if let (Some(price), Some(marginal)) = (price, margin)
            && price > 1e-9
        {
            weighted += trade.quantity * (price - marginal) / price;
            volume += trade.quantity;
        }
    }
    (volume > 1e-9).then(|| weighted / volume)
}

/// Mean over devices with a comfort of their own: 1 less the interrupted share of the load, 1 less the mean deviation of
/// temperature as a share of what is permitted, 1 less the share of charging that vehicles miss.
fn satisfaction(plans: &[Arc<Plan>], periods: Periods) -> Option<f64> {
    let of = |d: &DevicePlan| -> Option<f64> {
        let desired: f64 = d.desired_kw.iter().sum();
        if desired > 0.0 {
            return Some(1.0 - d.power_kw.iter().sum::<f64>() / desired);
        }
        if let Some(missed) = d.unserved(periods) {
            let charged = periods.hours * d.power_kw.iter().map(|p| (-p).max(0.0)).sum::<f64>();
            return Some(if missed.kwh > 0.0 { 1.0 - missed.kwh / (charged + missed.kwh) } else { 1.0 });
        }
        let comfort = || 1.0 - d.discomfort.iter().map(|x| x.abs()).sum::<f64>() / d.discomfort.len() as f64;
        (!d.discomfort.is_empty()).then(comfort)
    };
    let found: Vec<f64> = plans.iter().flat_map(|p| &p.devices).filter_map(of).collect();
    (!found.is_empty()).then(|| found.iter().sum::<f64>() / found.len() as f64)
}
