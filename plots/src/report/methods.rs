//! What mechanisms and policies are, as their authors declare it.

use super::html::Html;
use super::panel::Panel;
use super::table::copied;
use super::{Page, paragraph};

/// A mechanism or policy as its author describes it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Method {
    pub id: String,
    /// "mechanism", "carbon policy".
    pub kind: String,
    /// What it does, in a line.
    pub summary: String,
    /// Paragraphs with equations, code between backticks.
    pub meaning: String,
    /// Claims with their conditions.
    pub claims: Vec<String>,
    pub parameters: Vec<Parameter>,
    pub source: String,
    /// Entries of the works that the source names.
    pub bibtex: String,
}

/// A parameter of a method.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameter {
    pub name: String,
    pub unit: String,
    pub meaning: String,
    pub default: String,
    /// What was run; none where it is not known.
    pub values: Vec<Value>,
}

/// A value of a parameter that was run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Value {
    /// The variant that it is of, by its label; empty where all have it.
    pub of: String,
    /// As it is written.
    pub value: String,
    /// Whether it is what stands where nothing is written.
    pub is_default: bool,
}

pub(super) fn write(page: &Page, _: &[Panel], html: &mut Html) {
    if page.about.methods.is_empty() {
        return paragraph(html, "What the mechanisms and policies are is told by `coase explain ID`.");
    }
    paragraph(
        html,
        "What each mechanism and policy is, as its author declares it, with the values that were run. What is not the default is bold.",
    );
    for method in page.about.methods {
        html.open("details", &[("id", &format!("method-{}", method.id)), ("class", "method")]);
        html.open("summary", &[])
            .element("code", &[], &method.id)
            .say(&format!(" ({}): {}", method.kind, method.summary));
        html.close();
        html.paragraphs(&method.meaning);
        if !method.parameters.is_empty() {
            parameters(method, html);
        }
        if !method.claims.is_empty() {
            paragraph(html, &format!("Claims: {}.", method.claims.join("; ")));
        }
        if !method.source.is_empty() {
            paragraph(html, &format!("Source: {}.", method.source));
        }
        if !method.bibtex.is_empty() {
            copied(html, "BibTeX", &method.bibtex);
        }
        html.close();
    }
}

fn parameters(method: &Method, html: &mut Html) {
    let caption = format!("Parameters of {}.", method.id);
    html.open("div", &[("class", "scroll"), ("role", "region"), ("aria-label", &caption), ("tabindex", "0")]);
    html.open("table", &[("class", "plain")]).element("caption", &[], &caption).open("thead", &[]).open("tr", &[]);
    for head in ["Parameter", "Unit", "As run", "Default", "Meaning"] {
        html.element("th", &[("scope", "col")], head);
    }
    html.close().close().open("tbody", &[]);
    for parameter in &method.parameters {
        html.open("tr", &[]).open("th", &[("scope", "row")]).element("code", &[], &parameter.name).close();
        html.element("td", &[], &parameter.unit).open("td", &[]);
        for (k, value) in parameter.values.iter().enumerate() {
            if k > 0 {
                html.open("br", &[]);
            }
            if !value.of.is_empty() {
                html.say(&format!("{}: ", value.of));
            }
            if value.is_default {
                html.element("code", &[], &value.value);
            } else {
                html.open("b", &[]).element("code", &[], &value.value).close();
            }
        }
        html.close().open("td", &[]).element("code", &[], &parameter.default).close();
        html.open("td", &[]).say_with_formulas(&parameter.meaning).close().close();
    }
    html.close().close().close();
}
