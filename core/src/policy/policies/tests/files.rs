//! Every policy in files: defaults round-trip, misspelt fields are named with their place.

use super::support::{options, policy};
use crate::open;
use crate::policy::{CarbonPolicy, Modifiers, policies};

fn name(id: &str) -> String {
    open::camel_case(id)
}

#[test]
fn all_policies_are_registered_with_their_parameters() {
    let fields = |id: &str| (policies().iter().find(|p| p.id == id).unwrap().open.fields)();
    assert_eq!(fields("tax")[0], "price_per_tonne");
    assert_eq!(fields("stepped")[..6], ["base_price_per_tonne", "interval_kg", "growth", "tiers", "reward", "quota"]);
    let shared: Vec<&str> =
        ["visible", "import_base", "coverage", "recycling", "quota_decline_per_year", "year", "storage_carbon"]
            .into_iter()
            .chain(["allow_negative_carbon_price", "price_factor"])
            .collect();
    let declared = Modifiers::declaration();
    assert_eq!(declared.parameters.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(), shared);
    for plugin in policies() {
        assert!((plugin.open.fields)().ends_with(&shared), "{}", plugin.id);
    }
}

#[test]
fn defaults_round_trip_in_both_formats() {
    for plugin in policies() {
        let default = (plugin.open.default)();
        let json = serde_json::to_value(&*default).unwrap();
        let again: Box<dyn CarbonPolicy> = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(&*again).unwrap(), json);
        let written = json[name(plugin.id)].as_object().unwrap();
        let mut fields: Vec<&str> = written.keys().map(String::as_str).collect();
        let mut expected = (plugin.open.fields)().to_vec();
        fields.sort_unstable();
        expected.sort_unstable();
        assert_eq!(fields, expected, "{} writes other fields than it reads", plugin.id);

        let ron = options().to_string(&*default).unwrap();
        let again: Box<dyn CarbonPolicy> = options().from_str(&ron).unwrap();
        assert_eq!(serde_json::to_value(&*again).unwrap(), json, "{ron}");
        let empty: Box<dyn CarbonPolicy> = options().from_str(&format!("{}()", name(plugin.id))).unwrap();
        assert_eq!(serde_json::to_value(&*empty).unwrap(), json);
    }
}

#[test]
fn every_policy_rejects_an_unknown_field_and_lists_the_known_ones() {
    for plugin in policies() {
        let text = format!("{}(\n  visible: true,\n  colour: 3,\n)", name(plugin.id));
        let error = options().from_str::<Box<dyn CarbonPolicy>>(&text).unwrap_err();
        assert_eq!((error.span.end.line, error.span.end.col), (3, 9), "{}: {error}", plugin.id);
        let json = format!("{{\"{}\": {{\"visible\": true, \"colour\": 3}}}}", name(plugin.id));
        let in_json = serde_json::from_str::<Box<dyn CarbonPolicy>>(&json).unwrap_err();
        for message in [error.code.to_string(), in_json.to_string()] {
            assert!(message.contains("`colour`"), "{message}");
            for field in (plugin.open.fields)() {
                assert!(message.contains(&format!("`{field}`")), "{message} does not name {field}");
            }
        }
    }
}

#[test]
fn own_parameters_and_modifiers_mix_in_any_order() {
    let text = "Stepped(import_base: NetOfExports, interval_kg: 500, visible: false, reward: Escalating(0.25), \
                quota: OutputBased(grid_kg_per_kwh: 0.5), recycling: PerLoad, price_factor: 0.5, storage_carbon: Tank)";
    let json = serde_json::to_value(&*policy(text)).unwrap();
    let stepped = &json["Stepped"];
    assert_eq!(stepped["interval_kg"], 500.0);
    assert_eq!(stepped["base_price_per_tonne"], 280.0);
    assert_eq!(stepped["reward"]["Escalating"], 0.25);
    assert_eq!(stepped["quota"]["OutputBased"]["grid_kg_per_kwh"], 0.5);
    assert_eq!(stepped["quota"]["OutputBased"]["turbine_kg_per_kwh"], 0.4);
    assert_eq!(stepped["import_base"], "NetOfExports");
    assert_eq!(stepped["visible"], false);
    assert_eq!(stepped["recycling"], "PerLoad");
    assert_eq!(stepped["storage_carbon"], "Tank");
    assert_eq!(stepped["price_factor"], 0.5);
}

#[test]
fn a_field_given_twice_or_of_the_wrong_kind_is_an_error() {
    let read = |text: &str| options().from_str::<Box<dyn CarbonPolicy>>(text).unwrap_err().code.to_string();
    assert!(read("Tax(visible: true, visible: false)").contains("duplicate field"));
    assert!(read("Tax(price_per_tonne: 1, price_per_tonne: 2)").contains("duplicate field"));
    assert!(read("Tax(recycling: Burnt)").contains("Burnt"));
    assert!(!read("Tax(price_per_tonne: \"much\")").is_empty());
}
