//! Every file of the library fits the schema of its form, and what is misspelt does not.

use super::{experiment_schema, forms, scenario_schema};
use crate::Loader;
use crate::library::LIBRARY;
use crate::text::Text;
use coase_core::declaration::{Parameter, Takes};
use coase_mechanisms as _;
use serde_json::{Value, json};

/// Whether a value fits a schema of draft 2020-12, as far as schemas of this project go.
fn fits(schema: &Value, value: &Value, root: &Value) -> Result<(), String> {
    let object = match schema {
        Value::Bool(fits) => return if *fits { Ok(()) } else { Err(format!("{value} is not allowed")) },
        Value::Object(object) => object,
        other => panic!("no schema: {other}"),
    };
    for (keyword, rule) in object {
        let list = || rule.as_array().map_or(&[][..], Vec::as_slice);
        let number = || (value.as_f64().unwrap_or(f64::NAN), rule.as_f64().unwrap());
        let kind = |kind: &str| match kind {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "null" => value.is_null(),
            "number" => value.is_number(),
            "integer" => value.is_u64() || value.is_i64(),
            other => panic!("no type: {other}"),
        };
        let holds = match keyword.as_str() {
            "$ref" => {
                let name = rule.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                fits(&root["$defs"][name], value, root)?;
                true
            }
            "type" => rule.as_str().map_or_else(|| list().iter().any(|k| kind(k.as_str().unwrap())), kind),
            "const" => rule == value,
            "enum" => list().contains(value),
            "anyOf" => list().iter().any(|one| fits(one, value, root).is_ok()),
            "oneOf" => list().iter().filter(|one| fits(one, value, root).is_ok()).count() == 1,
            "minimum" => !value.is_number() || number().0 >= number().1,
            "exclusiveMinimum" => !value.is_number() || number().0 > number().1,
            "maximum" => !value.is_number() || number().0 <= number().1,
            "exclusiveMaximum" => !value.is_number() || number().0 < number().1,
            "minLength" => value.as_str().is_none_or(|text| text.chars().count() as u64 >= rule.as_u64().unwrap()),
            "maxLength" => value.as_str().is_none_or(|text| text.chars().count() as u64 <= rule.as_u64().unwrap()),
            "minItems" => value.as_array().is_none_or(|all| all.len() as u64 >= rule.as_u64().unwrap()),
            "maxItems" => value.as_array().is_none_or(|all| all.len() as u64 <= rule.as_u64().unwrap()),
            "required" => {
                list().iter().all(|name| value.as_object().is_none_or(|o| o.contains_key(name.as_str().unwrap())))
            }
            "items" => {
                value.as_array().into_iter().flatten().try_for_each(|item| fits(rule, item, root))?;
                true
            }
            "prefixItems" => {
                let pairs = value.as_array().into_iter().flatten().zip(list());
                pairs.into_iter().try_for_each(|(item, one)| fits(one, item, root))?;
                true
            }
            "properties" => {
                for (name, one) in rule.as_object().unwrap() {
                    value
                        .get(name)
                        .map_or(Ok(()), |inner| fits(one, inner, root).map_err(|why| format!("{name}: {why}")))?;
                }
                true
            }
            "additionalProperties" => {
                let known = object.get("properties").and_then(Value::as_object);
                let others = value.as_object().into_iter().flatten();
                let mut others = others.filter(|(name, _)| known.is_none_or(|known| !known.contains_key(*name)));
                others.try_for_each(|(name, inner)| fits(rule, inner, root).map_err(|why| format!("{name}: {why}")))?;
                true
            }
            "$schema" | "$defs" | "title" | "description" | "default" | "format" | "unit" | "x-form" => true,
            other => panic!("the schema says `{other}`, which is not checked"),
        };
        if !holds {
            return Err(format!("{value} against {keyword} {rule}"));
        }
    }
    Ok(())
}

/// A file as JSON, without its head word, and the schema of its form.
fn file(text: &str) -> (Value, Value) {
    let text = Text::new("a.ron", "", text);
    let head = text.head().to_owned();
    let mut json = text.outline().unwrap().json(text.as_str());
    let schema = if head == "Scenario" { scenario_schema() } else { experiment_schema() };
    (json[&head].take(), schema)
}

#[test]
fn every_file_of_the_library_fits_its_schema() {
    for library in LIBRARY {
        let (json, schema) = file(library.text);
        fits(&schema, &json, &schema).unwrap_or_else(|why| panic!("{}: {why}", library.id));
    }
}

#[test]
fn what_the_loader_refuses_does_not_fit() {
    let scenario = |change: &dyn Fn(&mut Value)| {
        let (mut json, schema) = file(crate::library_file("three_vpp").unwrap().text);
        change(&mut json);
        fits(&schema, &json, &schema)
    };
    assert_eq!(scenario(&|_| {}), Ok(()));
    assert!(scenario(&|json| json["periods"] = json!(1.5)).is_err());
    assert!(scenario(&|json| json["periods"] = json!(0)).is_err());
    assert!(scenario(&|json| json["perods"] = json!(1)).is_err());
    assert!(scenario(&|json| json["grid"]["buy_price_per_kwh"] = json!("dear")).is_err());
    assert!(scenario(&|json| json["participants"][0]["devices"][0] = json!({"Pw": {}})).is_err());
    let experiment = |mechanism: Value, policy: Value| {
        let schema = experiment_schema();
        fits(&schema, &json!({"scenarios": ["three_vpp"], "mechanisms": [mechanism], "carbon": [policy]}), &schema)
    };
    let ladder = json!({"label": "x", "policy": {"Stepped": {"growth": 0.5, "reward": {"Escalating": 0.1}}}});
    assert_eq!(
        experiment(json!({"NetworkRepair": {"inner": {"NashBargaining": {"weights": "Equal"}}}}), ladder),
        Ok(())
    );
    assert!(experiment(json!("grid-olny"), json!("none")).is_err());
    assert!(experiment(json!({"NashBargaining": {"weights": "Equl"}}), json!("none")).is_err());
    assert!(experiment(json!("grid-only"), json!({"Tax": {"price_per_tonne": -1}})).is_err());
}

#[test]
fn every_field_says_what_it_means_and_what_it_takes() {
    fn declared(of: &str, parameter: &Parameter) {
        assert!(!parameter.meaning.is_empty(), "{of}.{} has no meaning", parameter.name);
        assert_ne!(parameter.takes, Takes::Any, "{of}.{}", parameter.name);
        if let Some(default) = parameter.default.as_ref().and_then(Value::as_f64) {
            assert!(parameter.holds(default), "{of}.{}: {default}", parameter.name);
        }
        for field in parameter.variants.iter().flat_map(|variant| &variant.fields).chain(&parameter.fields) {
            declared(&format!("{of}.{}", parameter.name), field);
        }
    }
    for (name, form) in forms() {
        assert!(!form.meaning.is_empty() && !form.parameters.is_empty(), "{name}");
        form.parameters.iter().for_each(|parameter| declared(name, parameter));
    }
    let quota = &forms()[3].1.parameter("quota_kg").cloned().unwrap();
    assert_eq!((quota.unit.as_deref(), quota.allowed().as_str()), (Some("kg"), "a number"));
}

#[test]
fn what_lies_outside_a_declared_range_is_refused() {
    let bounds = |name: &str| {
        let form = forms().into_iter().find(|form| form.0 == name).unwrap().1;
        let outside = |p: Parameter| {
            let below = p.least.map(|b| if b.included { b.value - 1.0 } else { b.value });
            let above = p.most.map(|b| if b.included { b.value + 1.0 } else { b.value });
            [below, above].into_iter().flatten().map(|x| (p.name.clone(), x)).collect::<Vec<_>>()
        };
        form.parameters.into_iter().flat_map(outside).collect::<Vec<_>>()
    };
    let mut asked = 0;
    for (form, path) in [
        ("Scenario", "scenario"),
        ("Participant", "scenario.participants.0"),
        ("Grid", "scenario.grid"),
        ("Experiment", "experiment"),
    ] {
        for (field, value) in bounds(form) {
            let set = format!("{path}.{field}={value}").parse().unwrap();
            let text = r#"Experiment(scenarios: ["three_vpp"], mechanisms: ["grid-only"])"#;
            let refused = Loader::default().load_text("a", text, ".".as_ref(), &[set]).unwrap_err().to_string();
            assert!(refused.contains(&field), "{field} = {value}: {refused}");
            asked += 1;
        }
    }
    assert!(asked >= 11, "{asked}");
}

#[test]
fn every_struct_in_a_schema_is_a_form() {
    let networks = coase_core::network::forms();
    let known: Vec<&str> = forms().iter().map(|form| form.0).chain(networks.iter().map(|form| form.0)).collect();
    for (name, definition) in experiment_schema()["$defs"].as_object().unwrap() {
        let is_struct = definition.get("properties").is_some();
        // What plugins have in their brackets is shown with them.
        let of_a_plugin = ["EvSession", "Stepped", "Distortion", "DeviceSaid", "SideSaid"].contains(&name.as_str());
        let name = if name == "CsvColumn" { "Csv" } else { name };
        assert!(!is_struct || of_a_plugin || known.contains(&name), "{name} is described nowhere");
    }
}
