//! Participants that are written once and stand many times, as written.

use ron::value::RawValue;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// So many participants alike, named `id1`, `id2`, ..
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "`of` is read through its place in the text")]
pub(crate) struct Repeat {
    /// What their names begin with.
    pub(crate) id: String,
    /// How many there are.
    #[schemars(range(min = 1))]
    pub(crate) count: usize,
    /// One of them, without its id.
    #[schemars(schema_with = "fields_of_a_participant")]
    pub(crate) of: Box<RawValue>,
    /// What differs from one to the next.
    #[serde(default)]
    pub(crate) vary: Vec<Vary>,
    /// Seed of what varies by chance.
    #[serde(default = "one")]
    pub(crate) seed: u64,
    /// Whether every seed of the experiment draws what varies by chance anew.
    #[serde(default)]
    pub(crate) drawn: bool,
}

/// A parameter that differs from one participant to the next.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Vary {
    /// Path within the participant: `devices.0.p_max_kw`, `bus`.
    pub(crate) path: String,
    /// What it takes.
    pub(crate) values: Varied,
}

/// Values by position or by chance.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) enum Varied {
    /// One after the other, from the beginning again after the last.
    Cycle(#[schemars(with = "Vec<serde_json::Value>")] Vec<Box<RawValue>>),
    /// One of them by chance, all alike likely.
    Choice(#[schemars(with = "Vec<serde_json::Value>")] Vec<Box<RawValue>>),
    /// Anything between two numbers, all alike likely.
    Uniform {
        /// The least.
        from: f64,
        /// The greatest.
        to: f64,
    },
    /// Normally distributed.
    Normal {
        /// Its mean.
        mean: f64,
        /// Its standard deviation.
        #[schemars(range(min = 0))]
        deviation: f64,
    },
    /// A text with a number in it that counts on: columns of a file, `p1`, `p2`, ..
    Numbered {
        /// The text, with `{}` where the number stands: `p{}`.
        text: String,
        /// The number of the first.
        #[serde(default = "one")]
        first: u64,
        /// By how much the number grows from one to the next.
        #[serde(default = "one")]
        every: u64,
    },
}

/// Those of `Participant` but for its id, each whatever it takes there.
fn fields_of_a_participant(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "object", "additionalProperties":
        {"anyOf": [{"type": "number"}, {"type": "string"}, {"type": "array"}, {"type": "object"}]}})
}

fn one() -> u64 {
    1
}
