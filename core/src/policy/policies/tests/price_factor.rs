//! A price factor is the same as prices written that much larger, under every policy.

use super::nodal::{feeder, state};
use super::support::{bills, options, plan, policy, setting, tariff};
use crate::outcome::{Party, Reason};
use crate::physical::Physical;
use crate::policy::{CarbonPolicy, PolicyError, SignalKind, policies};
use crate::setting::Setting;
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

/// The same parameters with every price that the policy declares multiplied, wherever it stands.
fn with_prices_times(factor: f64, declared: &[(String, f64)], json: &mut Value) {
    let parameters = json.as_object_mut().and_then(|tagged| tagged.values_mut().next()).unwrap();
    for (path, written) in declared {
        let pointer = format!("/{}", path.replace('.', "/"));
        let price = parameters.pointer_mut(&pointer).unwrap_or_else(|| panic!("no parameter `{path}`"));
        assert_eq!(price.as_f64(), Some(*written), "{path}");
        *price = (factor * written).into();
    }
}

/// Every answer of a policy about an outcome, by the name of the question.
fn answers(policy: &dyn CarbonPolicy, setting: &Setting, physical: &Physical) -> Vec<(&'static str, String)> {
    let start = policy.start(setting);
    let signal = policy.target(setting, physical, &start);
    vec![
        ("check", format!("{:?}", policy.check(setting))),
        ("price_per_tonne", format!("{:?}", policy.price_per_tonne())),
        ("storage_rule", format!("{:?}", policy.storage_rule())),
        ("signal_kind", format!("{:?}", policy.signal_kind())),
        ("start", format!("{start:?}")),
        ("terms", format!("{:?}", policy.terms(setting, &signal))),
        ("charged_terms", format!("{:?}", policy.charged_terms(setting, &signal))),
        ("target", format!("{signal:?}")),
        ("prices_limits", format!("{:?}", policy.prices_limits())),
        ("root_jump_per_kwh", format!("{:?}", policy.root_jump_per_kwh(setting, physical))),
        ("turns_steeply", format!("{:?}", policy.turns_steeply(setting))),
        ("node_prices", format!("{:?}", policy.node_prices(setting, physical, &signal))),
        ("settle", format!("{:?}", bills(policy, setting, physical, &signal))),
        ("responsibility", format!("{:?}", policy.responsibility(setting, physical, &signal))),
        ("marginal_prices", format!("{:?}", policy.marginal_prices(setting, physical, &signal))),
        ("scarcity", format!("{:?}", policy.scarcity(setting, physical))),
        ("evidence", format!("{:?}", policy.evidence(setting, physical, &signal))),
        ("claim", format!("{:?}", [0, 1].map(|k| policy.claim(setting, k, physical, &signal)))),
    ]
}

/// What is about the factor itself, and so differs.
const ABOUT_THE_FACTOR: [&str; 4] = ["written_price_per_tonne", "carbon_prices", "price_factor", "with_price_factor"];

/// Names of the methods of [`CarbonPolicy`], from its source: a method that is added is compared, or named above.
fn questions() -> Vec<&'static str> {
    let source = include_str!("../../carbon_policy.rs");
    let body = source.split_once("pub trait CarbonPolicy").and_then(|(_, rest)| rest.split_once("\n}\n")).unwrap().0;
    let name = |line: &'static str| line.trim_start().strip_prefix("fn ").and_then(|rest| rest.split('(').next());
    body.lines().filter_map(name).collect()
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
            with_prices_times(factor, &written.carbon_prices(), &mut multiplied);
            let read = |json: &Value| serde_json::from_value::<Box<dyn CarbonPolicy>>(json.clone()).unwrap();
            let (scaled, multiplied) = (read(&scaled), read(&multiplied));
            let compared = answers(&*scaled, &setting, &physical);
            assert_eq!(compared, answers(&*multiplied, &setting, &physical), "{json}");
            let named: Vec<&str> = compared.iter().map(|a| a.0).chain(ABOUT_THE_FACTOR).collect();
            assert!(questions().iter().all(|question| named.contains(question)), "{:?} {named:?}", questions());
            assert_eq!(scaled.written_price_per_tonne(), written.price_per_tonne(), "{json}");
            assert_eq!(scaled.carbon_prices(), written.carbon_prices(), "{json}");
            let again = written.with_price_factor(factor);
            assert_eq!(again.price_factor(), factor);
            assert_eq!(serde_json::to_value(&*again).unwrap(), serde_json::to_value(&*scaled).unwrap());
        }
    }
}

/// At one outcome and its signal, what carbon costs is in proportion to the prices, and what energy costs is not: a price that is not declared, or a question that does not see it, breaks the proportion.
#[test]
fn what_carbon_costs_is_in_proportion_to_the_factor() {
    let mut setting = feeder(&[18, 33], 1);
    setting.members[0].quota_kg = 50.0;
    let physical = state(&setting, vec![plan(900.0, 0.0, -900.0, 0.0, 0.0), plan(0.0, 60.0, 260.0, 150.0, 300.0)]);
    let proportional = |a: f64, b: f64, what: &str| close_as(b, 2.0 * a, what);
    for written in catalogue().into_iter().filter(|policy| policy.price_per_tonne().is_some()) {
        let what = format!("{written:?}");
        let signal = |policy: &dyn CarbonPolicy| match policy.signal_kind() {
            SignalKind::Nodal => policy.target(&setting, &physical, &policy.start(&setting)),
            _ => policy.start(&setting),
        };
        let [never, once, twice] = [0.0, 1.0, 2.0].map(|factor| written.with_price_factor(factor));
        let ledgers = [&never, &once, &twice].map(|policy| bills(&**policy, &setting, &physical, &signal(&**policy)));
        let [_, a, b] = ledgers.each_ref().map(|ledger| -> f64 {
            ledger
                .entries()
                .iter()
                .filter(|e| matches!(e.reason, Reason::Carbon | Reason::CarbonRefund))
                .map(|e| e.amount.abs())
                .sum()
        });
        proportional(a, b, &what);
        // What a kWh costs at the root has a carbon part too.
        for party in [Party::Member(0), Party::Member(1), Party::Dso, Party::Authority, Party::Grid] {
            let [zero, a, b] = ledgers.each_ref().map(|ledger| ledger.balance(party));
            close_as(b - a, a - zero, &what);
        }
        let marginal = |policy: &dyn CarbonPolicy| policy.marginal_prices(&setting, &physical, &signal(policy));
        for (a, b) in marginal(&*once).into_iter().zip(marginal(&*twice)) {
            proportional(a.price_per_kg, b.price_per_kg, &what);
        }
        let at_nodes = |policy: &dyn CarbonPolicy| {
            policy.node_prices(&setting, &physical, &signal(policy)).into_iter().flatten().flatten().flatten()
        };
        for (a, b) in at_nodes(&*once).zip(at_nodes(&*twice)) {
            proportional(a.carbon, b.carbon, &what);
            assert_eq!((a.energy, a.loss), (b.energy, b.loss), "{what}");
        }
    }
}

fn close_as(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() <= 1e-9 * (1.0 + expected.abs()), "{found}, expected {expected}: {what}");
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
