//! What can be written in files, from what the types declare: tables for the pages of `docs`, and forms and fields by name.

mod tables;

use coase_core::declaration::{Declaration, Parameter, Takes};
use coase_core::engine::report_rules;
use coase_core::mechanism::mechanisms;
use coase_core::open::camel_case;
use coase_core::participant::DevicePlugin;
use coase_core::policy::policies;

pub use tables::block;

/// Something with fields.
pub struct Form {
    /// As it stands in files.
    pub name: String,
    /// What kind of thing it is.
    pub kind: &'static str,
    /// What it says of itself.
    pub declaration: Declaration,
}

/// Forms of files, devices, mechanisms, policies and report rules: everything that has fields.
pub fn forms() -> Vec<Form> {
    let of_file = |(name, declaration): (&str, Declaration)| Form { name: name.to_owned(), kind: "form", declaration };
    let plugin = |id: &str, kind, declaration| Form { name: camel_case(id), kind, declaration };
    let mut all: Vec<Form> = coase_scenarios::forms().into_iter().map(of_file).collect();
    all.extend(devices());
    all.extend(coase_core::network::forms().into_iter().map(of_file));
    all.extend(mechanisms().into_iter().map(|p| plugin(p.id, "mechanism", p.open.declaration())));
    all.extend(policies().into_iter().map(|p| plugin(p.id, "carbon policy", p.open.declaration())));
    all.extend(report_rules().into_iter().map(|p| plugin(p.id, "report rule", p.open.declaration())));
    all
}

/// The devices that a participant can own.
pub fn devices() -> impl Iterator<Item = Form> {
    let device = |p: &DevicePlugin| Form { name: camel_case(p.id), kind: "device", declaration: p.open.declaration() };
    coase_core::participant::devices().into_iter().map(device)
}

/// Whether what a parameter takes is a form with a place of its own, where its fields are told.
pub fn has_a_place(parameter: &Parameter) -> bool {
    let inner = match &parameter.takes {
        Takes::List(of) | Takes::Map(of) => of,
        takes => takes,
    };
    let Takes::Form(name) = inner else { return false };
    let of_files = coase_scenarios::forms().into_iter().chain(coase_core::network::forms());
    of_files.map(|(name, _)| name).any(|known| known == name)
}

/// A default as RON writes it, where it can be told without its type.
pub fn default(parameter: &Parameter) -> Option<String> {
    use serde_json::Value;
    match parameter.default.as_ref()? {
        Value::Null if parameter.optional => Some("None".to_owned()),
        Value::String(word) if parameter.takes == Takes::Word => Some(word.clone()),
        plain @ (Value::Bool(_) | Value::Number(_) | Value::String(_)) => Some(plain.to_string()),
        Value::Array(list) if !list.iter().any(|x| x.is_array() || x.is_object()) => {
            Some(format!("[{}]", list.iter().map(Value::to_string).collect::<Vec<_>>().join(", ")))
        }
        Value::Object(map) if map.is_empty() && matches!(parameter.takes, Takes::Map(_)) => Some("{}".to_owned()),
        Value::Object(map) if map.values().all(|x| !x.is_array() && !x.is_object()) => {
            let fields = map.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join(", ");
            Some(format!("({fields})"))
        }
        Value::Null | Value::Object(_) | Value::Array(_) => None,
    }
}
