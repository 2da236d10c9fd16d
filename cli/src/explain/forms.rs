//! Devices, forms of files and their fields.

use super::{Sheet, words};
use crate::reference::{self, Form};
use coase_core::declaration::Parameter;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Names of forms and devices.
pub fn form_ids() -> Vec<String> {
    reference::forms().into_iter().map(|form| form.name).collect()
}

/// A form of a file or a device, however its name is written: `EvFleet`, `ev-fleet`, `ev_fleet`.
pub fn form(id: &str) -> Option<anyhow::Result<Sheet>> {
    let form = reference::forms().into_iter().find(|form| is(form, id))?;
    let declaration = &form.declaration;
    let json = json!({"id": form.name, "kind": form.kind, "meaning": declaration.meaning, "parameters": declaration.parameters});
    let fields = words::parameters(&declaration.parameters, &reference::default, "  ");
    let meaning = words::wrapped(&declaration.meaning, "  ");
    let text = format!("{} ({})\n{meaning}\nFields = their defaults [units]\n{fields}", form.name, form.kind);
    Some(Ok(Sheet { json, text }))
}

/// Names of all fields.
pub fn field_ids() -> Vec<String> {
    let names = reference::forms().into_iter().flat_map(|form| form.declaration.parameters).map(|p| p.name);
    names.collect::<BTreeSet<_>>().into_iter().collect()
}

/// A field, of whatever has one of this name, or of one form: `quota_kg`, `participant.quota_kg`.
pub fn field(id: &str) -> Option<anyhow::Result<Sheet>> {
    let (of, name) = id.rsplit_once('.').map_or((None, id), |(of, name)| (Some(of), name));
    let forms = reference::forms().into_iter().filter(|form| of.is_none_or(|of| is(form, of)));
    let found: Vec<(Form, Parameter)> =
        forms.filter_map(|form| form.declaration.parameter(name).cloned().map(|field| (form, field))).collect();
    let mut text = format!("{id} (field)\n");
    let mut fields: Vec<Value> = vec![];
    // Where several say the same of it, it is said once.
    for (k, (form, field)) in found.iter().enumerate() {
        fields.push(json!({"of": form.name, "kind": form.kind, "declaration": field}));
        if found[..k].iter().any(|(_, other)| other == field) {
            continue;
        }
        let same: Vec<&str> =
            found.iter().filter(|(_, other)| other == field).map(|(form, _)| form.name.as_str()).collect();
        text.extend(["\nof ", &same.join(", "), "\n"]);
        text += &words::parameters(std::slice::from_ref(field), &reference::default, "  ");
    }
    (!found.is_empty()).then(|| Ok(Sheet { json: json!({"id": id, "kind": "field", "fields": fields}), text }))
}

fn is(form: &Form, id: &str) -> bool {
    let plain = |name: &str| name.replace(['-', '_'], "").to_lowercase();
    plain(&form.name) == plain(id)
}
