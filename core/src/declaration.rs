//! What a parameter struct says of itself: name, meaning, unit, default, range and variants of every field.
//!
//! All of it is declared once, on the type: fields and defaults are those that serde reads, meanings are the doc comments,
//! units are what names end with ([`units::of_name`]), and ranges stand in `#[schemars(range(min = 0.0))]`. A field that is
//! named otherwise says its unit as `#[schemars(extend("unit" = "1/a"))]`, and a bound that is itself excluded is
//! `extend("exclusiveMinimum" = 0.0)`. Knows serde and schemars and nothing of markets.
//!
//! ```
//! use coase_core::declaration::Declaration;
//! use coase_core::schemars::{self, JsonSchema};
//! use serde::{Deserialize, Serialize};
//!
//! /// A price between those of the tariff: `sell + share (buy - sell)`.
//! #[derive(Default, Serialize, Deserialize, JsonSchema)]
//! #[serde(default, deny_unknown_fields)]
//! struct Posted {
//!     /// Where between the selling (0) and the buying price (1).
//!     #[schemars(range(min = 0.0, max = 1.0))]
//!     share: f64,
//! }
//!
//! let posted = Declaration::of::<Posted>();
//! assert_eq!(posted.meaning, "A price between those of the tariff: `sell + share (buy - sell)`.");
//! assert_eq!(posted.parameters[0].allowed(), "a number, 0 to 1");
//! assert_eq!(posted.parameters[0].default, Some(0.0.into()));
//! ```

use crate::units;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{self, DeserializeOwned, Deserializer, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;

/// A struct or a plugin, and its fields.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Declaration {
    /// What it is, with its equations: the doc comment of the type.
    pub meaning: String,
    /// Its fields in the order of the type.
    pub parameters: Vec<Parameter>,
}

/// A field of a file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Parameter {
    /// Name in files.
    pub name: String,
    /// What it means.
    pub meaning: String,
    /// Its unit; `None` where it has none.
    pub unit: Option<String>,
    /// What can be written.
    pub takes: Takes,
    /// Whether `None` can be written.
    pub optional: bool,
    /// Whether it must be written.
    pub required: bool,
    /// What holds where it is not written, as JSON.
    pub default: Option<Value>,
    /// Least value.
    pub least: Option<Bound>,
    /// Greatest value.
    pub most: Option<Bound>,
    /// The words that can be written, each with what may follow it in brackets.
    pub variants: Vec<Variant>,
    /// The fields of the struct that can be written, or of the structs of which a list can be.
    pub fields: Vec<Parameter>,
}

/// An end of a range.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bound {
    /// Where it is.
    pub value: f64,
    /// Whether the value itself is allowed.
    pub included: bool,
}

/// One of the words that a parameter can be.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Variant {
    /// The word.
    pub name: String,
    /// What it means.
    pub meaning: String,
    /// What follows in brackets where that is a single value: `Escalating(0.1)`.
    pub value: Option<Takes>,
    /// What follows in brackets where that has names: `OutputBased(grid_kg_per_kwh: 0.4)`.
    pub fields: Vec<Parameter>,
}

/// What kind of value a parameter takes.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Takes {
    /// A number.
    Number,
    /// A whole number.
    Whole,
    /// `true` or `false`.
    Truth,
    /// Text in quotes.
    Text,
    /// A word of [`Parameter::variants`].
    Word,
    /// Values in brackets.
    List(Box<Takes>),
    /// Values by name.
    Map(Box<Takes>),
    /// Values of different kinds, in this order: a row.
    Row(Vec<Takes>),
    /// A declaration of its own, by its name.
    Form(String),
    /// One or another.
    Either(Vec<Takes>),
    /// Anything.
    Any,
}

impl fmt::Display for Takes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |all: &[Takes], word: &str| all.iter().map(Takes::to_string).collect::<Vec<_>>().join(word);
        match self {
            Takes::Number => f.write_str("a number"),
            Takes::Whole => f.write_str("a whole number"),
            Takes::Truth => f.write_str("true or false"),
            Takes::Text => f.write_str("text"),
            Takes::Word => f.write_str("one of the words below"),
            Takes::List(of) => write!(f, "a list, each {of}"),
            Takes::Map(of) => write!(f, "a map {{\"name\": value}}, each {of}"),
            Takes::Row(of) => write!(f, "({})", joined(of, ", ")),
            Takes::Form(name) => write!(f, "`{name}`"),
            Takes::Either(of) => f.write_str(&joined(of, ", or ")),
            Takes::Any => f.write_str("a value"),
        }
    }
}

impl Declaration {
    /// What a type says of itself.
    pub fn of<T: JsonSchema + DeserializeOwned>() -> Self {
        Self::read(&T::json_schema, fields::<T>())
    }

    /// What a schema says, its fields in this order. Fields that the order does not name come last.
    pub fn read(schema: &dyn Fn(&mut SchemaGenerator) -> Schema, order: &[&str]) -> Self {
        let mut generator = generator();
        let schema = schema(&mut generator);
        let reader = Reader { definitions: generator.definitions(), depth: 0 };
        let mut parameters = schema.as_object().map_or_else(Vec::new, |object| reader.fields(object));
        parameters.sort_by_key(|p| order.iter().position(|name| *name == p.name).unwrap_or(order.len()));
        Self { meaning: words(schema.get("description")), parameters }
    }

    /// The field of a name.
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|p| p.name == name)
    }
}

impl Parameter {
    /// What can be written, in words: its kind and its range.
    pub fn allowed(&self) -> String {
        let kind = if self.takes == Takes::Word {
            // Words with brackets behind them show what stands there.
            let word = |variant: &Variant| match (&variant.value, variant.fields.is_empty()) {
                (Some(value), _) => format!("{}({value})", variant.name),
                (None, true) => variant.name.clone(),
                (None, false) => format!("{}(..)", variant.name),
            };
            self.variants.iter().map(word).collect::<Vec<_>>().join(" | ")
        } else {
            self.takes.to_string()
        };
        let range = self.range().map_or_else(String::new, |range| format!(", {range}"));
        let optional = if self.optional { ", or None" } else { "" };
        format!("{kind}{range}{optional}")
    }

    /// Its range in words.
    pub fn range(&self) -> Option<String> {
        let low = |b: Bound| format!("{} {}", if b.included { "at least" } else { "above" }, b.value);
        let high = |b: Bound| format!("{} {}", if b.included { "at most" } else { "below" }, b.value);
        match (self.least, self.most) {
            (None, None) => None,
            (Some(least), None) => Some(low(least)),
            (None, Some(most)) => Some(high(most)),
            (Some(least), Some(most)) if least.included && most.included => {
                Some(format!("{} to {}", least.value, most.value))
            }
            (Some(least), Some(most)) => Some(format!("{} and {}", low(least), high(most))),
        }
    }

    /// Whether a number is in the range.
    pub fn holds(&self, x: f64) -> bool {
        let above = |b: Bound| x > b.value || (b.included && x == b.value);
        let below = |b: Bound| x < b.value || (b.included && x == b.value);
        self.least.is_none_or(above) && self.most.is_none_or(below)
    }
}

/// Names of a parameter struct's fields, without an instance: asks its own `Deserialize`.
pub fn fields<T: for<'a> Deserialize<'a>>() -> &'static [&'static str] {
    let mut found: &'static [&'static str] = &[];
    // The probe always fails: it only listens to what the type asks for.
    let _ = T::deserialize(FieldProbe(&mut found));
    found
}

struct FieldProbe<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for FieldProbe<'_> {
    type Error = de::value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(de::Error::custom("probe"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Self::Error> {
        *self.0 = fields;
        Err(de::Error::custom("probe"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct
        seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// A generator of schemas as this project writes them: draft 2020-12, types with a name of their own in `$defs`.
pub fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12().into_generator()
}

/// The JSON schema of a file form, with the unit of every number.
pub fn schema_of<T: JsonSchema>() -> Value {
    let mut schema = generator().into_root_schema_for::<T>().to_value();
    add_units(&mut schema);
    schema
}

/// Writes down the unit of every number whose name says it, and takes links that only the source can follow out of meanings.
fn add_units(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::String(meaning)) = object.get_mut("description") {
                *meaning = plain(meaning);
            }
            if let Some(Value::Object(fields)) = object.get_mut("properties") {
                for (name, field) in fields.iter_mut() {
                    let (Some(field), Some(unit)) = (field.as_object_mut(), units::of_name(name)) else { continue };
                    field.entry("unit").or_insert_with(|| unit.into());
                }
            }
            object.values_mut().for_each(add_units);
        }
        Value::Array(all) => all.iter_mut().for_each(add_units),
        _ => {}
    }
}

/// Reads schemas with their definitions.
struct Reader<'a> {
    definitions: &'a Map<String, Value>,
    /// How many structs are around what is read.
    depth: usize,
}

/// Structs within structs beyond which fields are not shown: a struct may contain itself.
const DEEPEST: usize = 8;

impl Reader<'_> {
    fn fields(&self, object: &Map<String, Value>) -> Vec<Parameter> {
        let required: Vec<&str> = array(object.get("required")).iter().filter_map(Value::as_str).collect();
        let Some(Value::Object(fields)) = object.get("properties") else { return vec![] };
        let parameter = |(name, field): (&String, &Value)| {
            let empty = Map::new();
            let field = field.as_object().unwrap_or(&empty);
            let (optional, plain) = Self::without_null(field);
            let (takes, variants) = self.takes(plain);
            let meaning = words(field.get("description"));
            let bound = |with: &str, without: &str| {
                let value = |key: &str| field.get(key).and_then(Value::as_f64);
                let included = value(with).map(|value| Bound { value, included: true });
                value(without).map(|value| Bound { value, included: false }).or(included)
            };
            let unit = field.get("unit").and_then(Value::as_str).filter(|unit| !unit.is_empty());
            Parameter {
                name: name.clone(),
                meaning,
                unit: unit.or_else(|| units::of_name(name).filter(|_| is_numeric(&takes))).map(str::to_owned),
                takes,
                optional,
                required: required.contains(&name.as_str()),
                default: field.get("default").cloned(),
                least: bound("minimum", "exclusiveMinimum"),
                most: bound("maximum", "exclusiveMaximum"),
                variants,
                fields: self.within(plain),
            }
        };
        fields.iter().map(parameter).collect()
    }

    /// The fields of the struct that a value is, or that the elements of a list are.
    fn within(&self, schema: &Map<String, Value>) -> Vec<Parameter> {
        if let Some(items) = schema.get("items").and_then(Value::as_object) {
            return self.within(items);
        }
        let name = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix("#/$defs/"));
        let of = name.and_then(|name| self.definitions.get(name)).and_then(Value::as_object);
        let inner = Self { definitions: self.definitions, depth: self.depth + 1 };
        let is_struct = |of: &&Map<String, Value>| of.contains_key("properties") && inner.depth < DEEPEST;
        of.filter(is_struct).map_or_else(Vec::new, |of| inner.fields(of))
    }

    /// Whether null is allowed, and what is besides it.
    fn without_null(field: &Map<String, Value>) -> (bool, &Map<String, Value>) {
        let is_null = |schema: &Value| schema.get("type").and_then(Value::as_str) == Some("null");
        let either = array(field.get("anyOf"));
        if either.len() == 2 && either.iter().any(is_null) {
            let other = either.iter().find(|schema| !is_null(schema)).and_then(Value::as_object);
            return (true, other.unwrap_or(field));
        }
        let optional = array(field.get("type")).iter().any(|word| word.as_str() == Some("null"));
        (optional, field)
    }

    fn takes(&self, schema: &Map<String, Value>) -> (Takes, Vec<Variant>) {
        if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix("#/$defs/")) {
            // Words, numbers and lists are shown where they are used; structs and open sets have a place of their own, and
            // may contain themselves.
            let definition = self.definitions.get(name).and_then(Value::as_object);
            let shown = definition.filter(|d| !d.contains_key("x-form")).map(|d| self.takes(d));
            return shown.filter(|(takes, _)| *takes != Takes::Any).unwrap_or((Takes::Form(name.to_owned()), vec![]));
        }
        let variants: Vec<Variant> =
            array(schema.get("oneOf")).iter().flat_map(|variant| self.variants(variant)).collect();
        if !variants.is_empty() {
            return (Takes::Word, variants);
        }
        if schema.contains_key("enum") {
            return (Takes::Word, self.variants(&Value::Object(schema.clone())));
        }
        let either: Vec<Takes> =
            array(schema.get("anyOf")).iter().filter_map(Value::as_object).map(|one| self.takes(one).0).collect();
        if !either.is_empty() {
            return (Takes::Either(either), vec![]);
        }
        let inner = |key: &str| {
            let inner = schema.get(key).and_then(Value::as_object);
            inner.map(|inner| self.takes(inner))
        };
        let kinds = array(schema.get("type"));
        let kind = schema.get("type").and_then(Value::as_str);
        let kind = kind.or_else(|| kinds.iter().filter_map(Value::as_str).find(|word| *word != "null"));
        match kind {
            Some("number") => (Takes::Number, vec![]),
            Some("integer") => (Takes::Whole, vec![]),
            Some("boolean") => (Takes::Truth, vec![]),
            Some("string") => (Takes::Text, vec![]),
            Some("array") if schema.contains_key("prefixItems") => {
                let row = array(schema.get("prefixItems")).iter().filter_map(Value::as_object);
                (Takes::Row(row.map(|one| self.takes(one).0).collect()), vec![])
            }
            Some("array") => {
                let (of, variants) = inner("items").unwrap_or((Takes::Any, vec![]));
                (Takes::List(Box::new(of)), variants)
            }
            Some("object") if !schema.contains_key("properties") => {
                // Keys that are numbers are given as patterns.
                let by_pattern = schema.get("patternProperties").and_then(Value::as_object);
                let by_pattern = by_pattern.and_then(|all| all.values().next()).and_then(Value::as_object);
                let of = inner("additionalProperties").or_else(|| by_pattern.map(|of| self.takes(of)));
                of.map_or((Takes::Any, vec![]), |(of, variants)| (Takes::Map(Box::new(of)), variants))
            }
            _ => (Takes::Any, vec![]),
        }
    }

    /// The variants that one alternative of an enum says.
    fn variants(&self, schema: &Value) -> Vec<Variant> {
        let meaning = words(schema.get("description"));
        let word = |name: &Value| {
            let name = name.as_str()?.to_owned();
            Some(Variant { name, meaning: meaning.clone(), value: None, fields: vec![] })
        };
        if let Some(name) = schema.get("const") {
            return word(name).into_iter().collect();
        }
        if let Some(Value::Array(names)) = schema.get("enum") {
            return names.iter().filter_map(word).collect();
        }
        let Some(Value::Object(fields)) = schema.get("properties") else { return vec![] };
        let variant = |(name, body): (&String, &Value)| {
            let empty = Map::new();
            let body = body.as_object().unwrap_or(&empty);
            // A struct in brackets shows its fields.
            let named = body.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix("#/$defs/"));
            let of = named.and_then(|name| self.definitions.get(name)).and_then(Value::as_object);
            let body = of.filter(|of| of.contains_key("properties")).unwrap_or(body);
            let fields = self.fields(body);
            let value = (!body.contains_key("properties") && body.get("type") != Some(&"object".into()))
                .then(|| self.takes(body).0);
            Variant { name: name.clone(), meaning: meaning.clone(), value, fields }
        };
        fields.iter().map(variant).collect()
    }
}

fn is_numeric(takes: &Takes) -> bool {
    match takes {
        Takes::Number | Takes::Whole => true,
        Takes::List(of) | Takes::Map(of) => is_numeric(of),
        Takes::Either(of) => of.iter().any(is_numeric),
        // A series has the unit of its values.
        Takes::Form(name) => name == "Series",
        _ => false,
    }
}

fn array(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn words(meaning: Option<&Value>) -> String {
    meaning.and_then(Value::as_str).map_or_else(String::new, plain)
}

/// A doc comment for people without the source: lines of a paragraph joined, links as their words. What stands between fences
/// stays.
fn plain(doc: &str) -> String {
    let mut out = String::new();
    let mut fenced = false;
    for line in doc.lines() {
        let is_fence = line.trim_start().starts_with("```");
        let starts_anew = out.is_empty() || out.ends_with('\n');
        if is_fence || fenced || line.trim().is_empty() || line.trim_start().starts_with("* ") {
            if !starts_anew {
                out.push('\n');
            }
            out.push_str(if is_fence || fenced { line } else { line.trim_end() });
            out.push_str(if line.trim_start().starts_with("* ") { "" } else { "\n" });
        } else {
            out.push_str(if starts_anew { "" } else { " " });
            out.push_str(line.trim());
        }
        fenced ^= is_fence;
    }
    without_links(out.trim())
}

/// `` [`X`](path) `` and `` [`X`] `` as `` `X` ``.
fn without_links(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("[`") {
        let (before, link) = rest.split_at(start);
        out.push_str(before);
        let Some(end) = link.find("`]") else { break };
        out.push_str(&link[1..=end]);
        let after = &link[end + 2..];
        let target = after.strip_prefix('(').and_then(|target| target.split_once(')'));
        rest = target.map_or(after, |(_, after)| after);
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::{Declaration, Takes, plain};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};
    use serde_json::json;

    /// Pays `tau E`.
    #[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
    #[serde(default, deny_unknown_fields)]
    struct Levy {
        /// Price of
        /// a tonne; see [`Levy`].
        #[schemars(range(min = 0.0))]
        price_per_tonne: f64,
        /// Who pays.
        by: By,
        /// What shrinks.
        #[schemars(extend("unit" = "1/a", "exclusiveMaximum" = 1.0), range(min = 0.0))]
        decline: Option<f64>,
        /// Hours.
        hours: Vec<f64>,
    }

    #[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
    enum By {
        /// All.
        #[default]
        Head,
        /// By share.
        Share(f64),
        /// By kind.
        Kind {
            /// Of it.
            #[serde(default)]
            least_kw: f64,
        },
    }

    #[test]
    fn everything_is_read_from_the_type() {
        let levy = Declaration::of::<Levy>();
        assert_eq!(levy.meaning, "Pays `tau E`.");
        let names: Vec<&str> = levy.parameters.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names, ["price_per_tonne", "by", "decline", "hours"]);
        let price = &levy.parameters[0];
        assert_eq!(price.meaning, "Price of a tonne; see `Levy`.");
        assert_eq!((price.unit.as_deref(), price.default.clone()), (Some("money/t"), Some(json!(0.0))));
        assert_eq!(price.allowed(), "a number, at least 0");
        assert!(price.holds(0.0) && !price.holds(-0.1));
        let by = &levy.parameters[1];
        assert_eq!(by.allowed(), "Head | Share(a number) | Kind(..)");
        assert_eq!(by.variants[2].fields[0].unit.as_deref(), Some("kW"));
        assert_eq!(by.default, Some(json!("Head")));
        let decline = &levy.parameters[2];
        assert_eq!(decline.allowed(), "a number, at least 0 and below 1, or None");
        assert_eq!(decline.unit.as_deref(), Some("1/a"));
        assert_eq!(levy.parameters[3].takes, Takes::List(Box::new(Takes::Number)));
    }

    #[test]
    fn doc_comments_become_sentences() {
        assert_eq!(plain("a\nb\n\n[`C`](d::C) e"), "a b\n\n`C` e");
        assert_eq!(plain("a\n\n```text\nx = 1\n  y\n```\nb"), "a\n\n```text\nx = 1\n  y\n```\nb");
        assert_eq!(plain("a:\n* b\n  c\n* d"), "a:\n* b c\n* d");
    }
}
