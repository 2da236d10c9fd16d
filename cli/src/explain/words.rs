//! Lines of a terminal: paragraphs, and parameters with their meanings.

use crate::wrap::PROSE;
use crate::{console, reference};
use coase_core::declaration::Parameter;

/// A text in lines that fit the terminal, of at most [`PROSE`] characters, each behind an indent. Fenced lines stay as they are, without their fences.
pub fn wrapped(text: &str, indent: &str) -> String {
    let width = console::width().map_or(PROSE, |width| width.min(PROSE));
    let mut out = String::new();
    let mut fenced = false;
    for paragraph in text.lines() {
        if paragraph.trim_start().starts_with("```") {
            fenced = !fenced;
            continue;
        }
        if fenced || paragraph.is_empty() {
            out += format!("{indent}{paragraph}").trim_end();
            out.push('\n');
            continue;
        }
        let mut line = indent.to_owned();
        for word in paragraph.split_whitespace() {
            if line.len() > indent.len() && line.chars().count() + 1 + word.chars().count() > width {
                out += &line;
                out.push('\n');
                indent.clone_into(&mut line);
            }
            if line.len() > indent.len() {
                line.push(' ');
            }
            line += word;
        }
        out += &line;
        out.push('\n');
    }
    out
}

/// Parameters, one after the other: name and default, unit and range, meaning, and the words that can be written.
pub fn parameters(all: &[Parameter], default: &dyn Fn(&Parameter) -> Option<String>, indent: &str) -> String {
    let mut out = String::new();
    for parameter in all {
        let default = match default(parameter) {
            Some(default) => format!(" = {default}"),
            None if parameter.required => " (required)".to_owned(),
            None => String::new(),
        };
        let unit = parameter.unit.as_ref().map_or_else(String::new, |unit| format!(" [{unit}]"));
        out.extend([indent, &parameter.name, &default, &unit, "\n"]);
        let inner = format!("{indent}    ");
        out += &wrapped(&parameter.meaning, &inner);
        if parameter.variants.is_empty() {
            out.extend([&inner, "takes ", &parameter.allowed(), "\n"]);
            if !reference::has_a_place(parameter) {
                out += &parameters(&parameter.fields, &reference::default, &format!("{inner}    "));
            }
            continue;
        }
        for variant in &parameter.variants {
            let value = variant.value.as_ref().map_or_else(String::new, |value| format!("({value})"));
            let colon = if variant.meaning.is_empty() { "" } else { ": " };
            out += &wrapped(&format!("{}{value}{colon}{}", variant.name, variant.meaning), &inner);
            out += &parameters(&variant.fields, &reference::default, &format!("{inner}    "));
        }
    }
    out
}
