//! Tables of fields in Markdown.

use super::{default, devices, forms, has_a_place};
use coase_core::declaration::{Declaration, Parameter};
use coase_core::engine::report_rules;
use coase_core::mechanism::mechanisms;
use coase_core::open::camel_case;
use coase_core::policy::{Modifiers, policies};
use std::fmt::Write;

/// A block of a page: `fields NAME`, `devices`, `mechanisms`, `policies`, `modifiers` or `report rules`.
///
/// # Errors
/// Says which blocks there are.
pub fn block(words: &str) -> Result<String, String> {
    match words.trim() {
        "devices" => Ok(sections(devices().map(|form| (form.name, form.declaration)), &[])),
        "mechanisms" => Ok(sections(mechanisms().iter().map(|p| (camel_case(p.id), p.open.declaration())), &[])),
        "policies" => {
            let shared: Vec<String> = Modifiers::declaration().parameters.into_iter().map(|p| p.name).collect();
            Ok(sections(policies().iter().map(|p| (camel_case(p.id), p.open.declaration())), &shared))
        }
        "report rules" => Ok(sections(report_rules().iter().map(|p| (camel_case(p.id), p.open.declaration())), &[])),
        "modifiers" => Ok(fields(&Modifiers::declaration(), &[])),
        other => {
            let name = other.strip_prefix("fields ").map(str::trim);
            let form = name.and_then(|name| forms().into_iter().find(|form| form.name == name));
            let table = form.map(|form| format!("{}\n\n{}", form.declaration.meaning, fields(&form.declaration, &[])));
            table.ok_or_else(|| {
                format!(
                    "`{other}` is no block: `fields NAME`, `devices`, `mechanisms`, `policies`, `modifiers` or `report rules`"
                )
            })
        }
    }
}

fn sections(all: impl Iterator<Item = (String, Declaration)>, left_out: &[String]) -> String {
    let section = |(name, of): (String, Declaration)| {
        let table = fields(&of, left_out);
        let gap = if table.is_empty() { "" } else { "\n\n" };
        format!("### `{name}`\n\n{}{gap}{table}", of.meaning)
    };
    all.map(section).collect::<Vec<_>>().join("\n\n")
}

/// A table of the fields, and below it the words that some of them take.
fn fields(of: &Declaration, left_out: &[String]) -> String {
    let shown: Vec<&Parameter> = of.parameters.iter().filter(|p| !left_out.contains(&p.name)).collect();
    if shown.is_empty() {
        return String::new();
    }
    let mut text = "| field | means | unit | takes | default |\n|---|---|---|---|---|\n".to_owned();
    for parameter in &shown {
        let unit = parameter.unit.as_deref().unwrap_or("");
        let default = match default(parameter) {
            Some(default) => format!("`{default}`"),
            None if parameter.required => "required".to_owned(),
            None => String::new(),
        };
        let (name, meaning, takes) = (&parameter.name, cell(&parameter.meaning), cell(&takes(parameter)));
        writeln!(text, "| `{name}` | {meaning} | {unit} | {takes} | {default} |").expect("writing to a string");
    }
    for parameter in shown.iter().filter(|p| !p.variants.is_empty()) {
        writeln!(text, "\nWhat `{}` can be:\n", parameter.name).expect("writing to a string");
        words(&mut text, parameter, "");
    }
    for parameter in shown.iter().filter(|p| !p.fields.is_empty() && !has_a_place(p)) {
        writeln!(text, "\nFields of `{}`:\n", parameter.name).expect("writing to a string");
        parameter.fields.iter().for_each(|field| item(&mut text, field, ""));
    }
    text.trim_end().to_owned()
}

/// The words of a parameter, and what stands in their brackets.
fn words(text: &mut String, parameter: &Parameter, indent: &str) {
    for variant in &parameter.variants {
        let value = variant.value.as_ref().map_or_else(String::new, |value| format!("({value})"));
        writeln!(text, "{indent}- `{}{value}`: {}", variant.name, cell(&variant.meaning)).expect("writing to a string");
        variant.fields.iter().for_each(|field| item(text, field, &format!("{indent}  ")));
    }
}

/// A field within a field, as an item of a list.
fn item(text: &mut String, field: &Parameter, indent: &str) {
    let unit = field.unit.as_ref().map_or_else(String::new, |unit| format!(" [{unit}]"));
    let default = default(field).map_or_else(String::new, |default| format!(", default `{default}`"));
    let (name, meaning, takes) = (&field.name, cell(&field.meaning), takes(field));
    writeln!(text, "{indent}- `{name}`{unit}: {meaning} ({takes}{default})").expect("writing to a string");
    words(text, field, &format!("{indent}  "));
}

fn takes(parameter: &Parameter) -> String {
    if parameter.variants.is_empty() {
        return parameter.allowed();
    }
    let words = parameter.variants.iter().map(|v| format!("`{}`", v.name)).collect::<Vec<_>>().join(", ");
    let list = if matches!(parameter.takes, coase_core::declaration::Takes::List(_)) { "a list of " } else { "" };
    let optional = if parameter.optional { " or `None`" } else { "" };
    format!("{list}{words}{optional}")
}

/// Text that keeps within a cell.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
