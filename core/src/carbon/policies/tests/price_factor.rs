//! A price factor is the same as prices written that much larger, under every policy.

use super::nodal::{feeder, state};
use super::support::{bills, options, plan, policy, setting, tariff};
use crate::carbon::{CarbonPolicy, PolicyError, policies};
use crate::outcome::Reason;
use serde_json::Value;

/// All policies at their defaults, and forms with prices elsewhere.
pub(super) fn catalogue() -> Vec<Box<dyn CarbonPolicy>> {
    let forms = [
        "CapAndTrade(price_per_tonne: 320, sell_price_per_tonne: 120, quota: OutputBased())",
        "Stepped(interval_kg: 100, reward: Declining(0.2), coverage: Feeder)",
        "HardCap(scope: Total, cap_kg: 400)",
        "NodalFlow(direct: Stepped(base_price_per_tonne: 200, interval_kg: 40))",
        "AllowanceTrading(interval_kg: 100, credits: Bundled, recycling: EqualPerHead)",
        "Integrated(form: Adder, root_export: Credited)",
        "Integrated(price_per_tonne: 0, ladder: (interval_kg: 100))",
        "Integrated(price_per_tonne: 150, form: FlowInLoop, ladder: (interval_kg: 100))",
    ];
    let defaults = policies().into_iter().map(|plugin| (plugin.open.default)());
    defaults.chain(forms.map(policy)).collect()
}

/// The same parameters with every price multiplied, wherever it stands.
fn with_prices_times(factor: f64, json: &mut Value) {
    match json {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_f64() {
                    Some(price) if name.ends_with("price_per_tonne") => *value = (factor * price).into(),
                    _ => with_prices_times(factor, value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| with_prices_times(factor, item)),
        _ => {}
    }
}

fn with_factor(factor: f64, json: &mut Value) {
    let parameters = json.as_object_mut().and_then(|tagged| tagged.values_mut().next()).unwrap();
    parameters["price_factor"] = factor.into();
}

#[test]
fn every_policy_at_a_factor_is_the_policy_with_its_prices_multiplied() {
    let mut setting = feeder(&[18, 33], 1);
    setting.members[0].quota_kg = 50.0;
    let plans = vec![plan(900.0, 0.0, -900.0, 0.0, 0.0), plan(0.0, 60.0, 260.0, 150.0, 300.0)];
    let physical = state(&setting, plans);
    for written in catalogue() {
        let json = serde_json::to_value(&*written).unwrap();
        for factor in [0.0, 0.5, 2.0] {
            let (mut scaled, mut multiplied) = (json.clone(), json.clone());
            with_factor(factor, &mut scaled);
            with_prices_times(factor, &mut multiplied);
            let read = |json: &Value| serde_json::from_value::<Box<dyn CarbonPolicy>>(json.clone()).unwrap();
            let (scaled, multiplied) = (read(&scaled), read(&multiplied));
            assert_eq!(scaled.check(&setting), multiplied.check(&setting), "{json}");
            assert_eq!(scaled.price_per_tonne(), multiplied.price_per_tonne(), "{json}");
            assert_eq!(scaled.written_price_per_tonne(), written.price_per_tonne(), "{json}");
            assert_eq!(scaled.signal_kind(), multiplied.signal_kind());
            let start = scaled.start(&setting);
            assert_eq!(start, multiplied.start(&setting), "{json}");
            let signal = scaled.target(&setting, &physical, &start);
            assert_eq!(signal, multiplied.target(&setting, &physical, &start), "{json}");
            assert_eq!(scaled.terms(&setting, &signal), multiplied.terms(&setting, &signal), "{json}");
            assert_eq!(scaled.charged_terms(&setting, &signal), multiplied.charged_terms(&setting, &signal), "{json}");
            let paid = |policy: &dyn CarbonPolicy| bills(policy, &setting, &physical, &signal).entries().to_vec();
            assert_eq!(paid(&*scaled), paid(&*multiplied), "{json}");
            let answers = |policy: &dyn CarbonPolicy| policy.responsibility(&setting, &physical, &signal);
            assert_eq!(answers(&*scaled), answers(&*multiplied), "{json}");
            let marginal = |policy: &dyn CarbonPolicy| policy.marginal_prices(&setting, &physical, &signal);
            assert_eq!(marginal(&*scaled), marginal(&*multiplied), "{json}");
            let again = written.with_price_factor(factor);
            assert_eq!(again.price_factor(), factor);
            assert_eq!(serde_json::to_value(&*again).unwrap(), serde_json::to_value(&*scaled).unwrap());
        }
    }
}

/// Whatever has a price reacts to the factor: none of them forgets one.
#[test]
fn a_factor_of_zero_takes_every_carbon_payment_away() {
    let setting = feeder(&[18, 33], 1);
    let physical = state(&setting, vec![plan(900.0, 0.0, -900.0, 0.0, 0.0), plan(0.0, 60.0, 260.0, 150.0, 300.0)]);
    for written in catalogue().into_iter().filter(|policy| policy.price_per_tonne().is_some()) {
        let mut json = serde_json::to_value(&*written).unwrap();
        with_factor(0.0, &mut json);
        let free: Box<dyn CarbonPolicy> = serde_json::from_value(json).unwrap();
        let carbon = |policy: &dyn CarbonPolicy| {
            let signal = policy.target(&setting, &physical, &policy.start(&setting));
            let ledger = bills(policy, &setting, &physical, &signal);
            ledger.entries().iter().filter(|e| e.reason == Reason::Carbon).map(|e| e.amount.abs()).sum::<f64>()
        };
        assert!(carbon(&*written) > 1.0, "{written:?}");
        assert!(carbon(&*free) == 0.0, "{written:?}");
    }
}

#[test]
fn factors_without_meaning_are_refused_and_errors_name_what_is_written() {
    let mut setting = setting(1, Some(tariff(1, 1.0, 0.4, 0.581)), &[0.0]);
    let check = |setting: &_, text: &str| options().from_str::<Box<dyn CarbonPolicy>>(text).unwrap().check(setting);
    let refused = |text: &str, expected: &str, written: f64| match check(&setting, text) {
        Err(PolicyError::Parameter { name, value, .. }) => {
            assert_eq!(name, expected);
            assert!(value == written || written.is_nan() && value.is_nan(), "{value}");
        }
        other => panic!("{text}: {other:?}"),
    };
    refused("Tax(price_factor: -1)", "price_factor", -1.0);
    refused("None(price_factor: inf)", "price_factor", f64::INFINITY);
    refused("Stepped(price_factor: NaN)", "price_factor", f64::NAN);
    refused("Tax(price_per_tonne: -280, price_factor: 2)", "price_per_tonne", -280.0);
    refused("Tax(price_per_tonne: -280, price_factor: 0)", "price_per_tonne", -280.0);
    refused("Tax(price_per_tonne: 1e300, price_factor: 1e300)", "price_per_tonne", f64::INFINITY);
    setting.tariff.as_mut().unwrap().upstream_carbon_per_tonne = 60.0;
    check(&setting, "Tax(price_factor: 0)").unwrap();
    for text in ["Tax(price_factor: 0.5)", "HardCap(scope: Total, price_factor: 0)"] {
        assert!(matches!(check(&setting, text), Err(PolicyError::AlreadyInTariff { .. })), "{text}");
    }
}
