//! What every plugin must do, whoever wrote it: asked of all that are linked.

use coase as _;
use coase_core::Mechanism;
use coase_core::declaration::{Parameter, Takes};
use coase_core::mechanism::mechanisms;
use coase_core::open::{Entry, camel_case};
use coase_core::participant::{Device, devices};
use coase_core::policy::{CarbonPolicy, policies};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeSet;

fn ron() -> ron::Options {
    let extensions = ron::extensions::Extensions::IMPLICIT_SOME
        | ron::extensions::Extensions::UNWRAP_NEWTYPES
        | ron::extensions::Extensions::UNWRAP_VARIANT_NEWTYPES;
    ron::Options::default().with_default_extension(extensions)
}

/// Checks the open set of a trait; `Box<T>` reads and writes through the registry.
fn conforms<T>(id: &str, entry: &Entry<T>)
where
    T: ?Sized + Serialize + std::fmt::Debug,
    Box<T>: DeserializeOwned,
{
    let name = camel_case(id);
    let default = (entry.default)();
    let json = serde_json::to_value(&*default).unwrap();
    let body = json.as_object().unwrap_or_else(|| panic!("{id}: {json}"));
    assert_eq!(body.keys().collect::<Vec<_>>(), [&name], "{id} is written as its id in CamelCase");

    let from_json: Box<T> = serde_json::from_value(json.clone()).unwrap_or_else(|e| panic!("{id}: {e}"));
    assert_eq!(serde_json::to_value(&*from_json).unwrap(), json, "{id}: JSON");

    let text = ron().to_string(&*default).unwrap();
    let from_ron: Box<T> = ron().from_str(&text).unwrap_or_else(|e| panic!("{id}: {e}: {text}"));
    assert_eq!(serde_json::to_value(&*from_ron).unwrap(), json, "{id}: {text}");

    let wrong = ron().from_str::<Box<T>>(&format!("{name}(no_such_parameter: 1)"));
    let complaint = wrong.expect_err(&format!("{id} accepts an unknown parameter")).to_string();
    assert!(complaint.contains("no_such_parameter"), "{id}: {complaint}");

    // What is declared is what is read, and whatever is written is declared.
    let declaration = entry.declaration();
    let declared: Vec<&str> = declaration.parameters.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(declared, (entry.fields)(), "{id}");
    let written = body[&name].as_object().cloned().unwrap_or_default();
    for field in written.keys() {
        assert!(declared.contains(&field.as_str()), "{id}: `{field}` is not among {declared:?}");
    }
    assert!(!declaration.meaning.is_empty(), "{id} does not say what it is");
    for parameter in &declaration.parameters {
        is_declared(&format!("{id}: `{}`", parameter.name), parameter);
    }
}

/// A parameter has a meaning, its default lies within its range, and so it is with what stands in brackets behind its words.
fn is_declared(of: &str, parameter: &Parameter) {
    assert!(!parameter.meaning.is_empty(), "{of} has no meaning");
    assert_ne!(parameter.takes, Takes::Any, "{of} does not say what it takes");
    if let Some(default) = parameter.default.as_ref().and_then(Value::as_f64) {
        assert!(parameter.holds(default), "{of}: {default} is not {}", parameter.allowed());
    }
    let words: BTreeSet<&str> = parameter.variants.iter().map(|v| v.name.as_str()).collect();
    assert_eq!(words.len(), parameter.variants.len(), "{of}: {words:?}");
    for field in &parameter.fields {
        is_declared(&format!("{of}.{}", field.name), field);
    }
    for variant in &parameter.variants {
        assert!(!variant.meaning.is_empty(), "{of}: {} has no meaning", variant.name);
        for field in &variant.fields {
            is_declared(&format!("{of}: {}.{}", variant.name, field.name), field);
        }
    }
}

/// A plugin whose parameters all have defaults.
fn defaults<T>(id: &str, entry: &Entry<T>)
where
    T: ?Sized + Serialize + std::fmt::Debug,
    Box<T>: DeserializeOwned,
{
    let json = serde_json::to_value(&*(entry.default)()).unwrap();
    let bare: Box<T> = ron().from_str(&format!("{}()", camel_case(id))).unwrap_or_else(|e| panic!("{id}: {e}"));
    assert_eq!(serde_json::to_value(&*bare).unwrap(), json, "{id}: no parameters are the defaults");
    for parameter in entry.declaration().parameters {
        let of = format!("{id}: `{}`", parameter.name);
        assert!(!parameter.required, "{of} has no default");
        assert_eq!(parameter.default.as_ref(), json[&camel_case(id)].get(&parameter.name), "{of}: default");
    }
}

/// A device whose open parameters are those that its declaration gives a default, and become it.
fn open_parameters(id: &str, entry: &Entry<dyn Device>) {
    let whole = serde_json::to_value(&*(entry.default)()).unwrap();
    let name = camel_case(id);
    for parameter in entry.declaration().parameters {
        let mut without = whole.clone();
        without[&name].as_object_mut().unwrap().remove(&parameter.name);
        let read = serde_json::from_value::<Box<dyn Device>>(without);
        assert_eq!(read.is_err(), parameter.required, "{id}: `{}`", parameter.name);
        if let Ok(device) = read {
            let written = serde_json::to_value(&*device).unwrap();
            assert_eq!(
                Some(&written[&name][&parameter.name]),
                parameter.default.as_ref(),
                "{id}: `{}`",
                parameter.name
            );
        }
    }
}

#[test]
fn every_mechanism_reads_what_it_writes_and_nothing_else() {
    let all = mechanisms();
    assert!(all.len() >= 6);
    for plugin in all {
        conforms::<dyn Mechanism>(plugin.id, &plugin.open);
        defaults::<dyn Mechanism>(plugin.id, &plugin.open);
    }
}

#[test]
fn every_policy_reads_what_it_writes_and_nothing_else() {
    for plugin in policies() {
        // `None` is RON's empty option: files write "none".
        if plugin.id != "none" {
            conforms::<dyn CarbonPolicy>(plugin.id, &plugin.open);
            defaults::<dyn CarbonPolicy>(plugin.id, &plugin.open);
        }
    }
}

#[test]
fn every_device_reads_what_it_writes_and_nothing_else() {
    let all = devices();
    assert!(all.len() >= 10);
    for plugin in all {
        conforms::<dyn Device>(plugin.id, &plugin.open);
        open_parameters(plugin.id, &plugin.open);
    }
}

#[test]
fn every_plugin_says_what_it_is() {
    for plugin in mechanisms() {
        assert!(!plugin.summary.is_empty(), "{}", plugin.id);
        assert_eq!((plugin.open.default)().plugin().id, plugin.id);
    }
    for plugin in devices() {
        assert!(!plugin.summary.is_empty() && !plugin.power.is_empty(), "{}", plugin.id);
        assert_eq!((plugin.open.default)().plugin().id, plugin.id);
    }
    for plugin in policies() {
        assert!(!plugin.summary.is_empty(), "{}", plugin.id);
        assert_eq!((plugin.open.default)().plugin().id, plugin.id);
    }
}

#[test]
fn an_unknown_variant_is_answered_with_the_known_ones() {
    let complaint = ron().from_str::<Box<dyn Mechanism>>("NashBargain()").expect_err("unknown").to_string();
    assert!(complaint.contains("NashBargain") && complaint.contains("NashBargaining"), "{complaint}");
}
