//! Lists of values as written: in full, or as a range.

use ron::value::RawValue;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer};
use std::borrow::Cow;

/// Values that a parameter takes in turn, each written as in a file: a list, or `Range(..)`, or `LogRange(..)`. Kept as it is
/// written, so that whoever reads it can say where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Values(pub(crate) String);

/// Seeds: a list, or `Range(from: 1, to: 28)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seeds(pub(crate) Values);

impl Values {
    /// The values, each as it is written; `Err` is what was expected.
    pub(crate) fn read(&self) -> Result<Vec<String>, String> {
        let text = self.0.as_str();
        if text.starts_with('[') {
            let list: Result<Vec<Box<RawValue>>, _> = ron::from_str(text);
            let list = list.map_err(|_| "a list in brackets, [..]".to_owned())?;
            return Ok(list.iter().map(|value| value.get_ron().trim().to_owned()).collect());
        }
        let range: Result<Written, _> = crate::dialect::options().from_str(text);
        match range {
            Ok(range) => {
                let values = range.values().map_err(|why| format!("a range that leads somewhere ({why})"))?;
                Ok(values.iter().map(|x| format!("{x}")).collect())
            }
            Err(error) if text.contains('(') => {
                let (range, log) = ("Range(from: 1, to: 28)", "LogRange(from: 1, to: 100, count: 5)");
                Err(format!("a list in brackets, [..], `{range}` or `{log}` ({})", error.code))
            }
            Err(_) => Err("a list in brackets, [..], or a range such as `Range(from: 1, to: 28)`".to_owned()),
        }
    }
}

/// Values at equal distances, or at equal ratios.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
enum Written {
    Range {
        from: f64,
        to: f64,
        #[serde(default)]
        count: Option<usize>,
        #[serde(default)]
        step: Option<f64>,
    },
    LogRange {
        from: f64,
        to: f64,
        count: usize,
    },
}

/// Values beyond which no range is written out.
const MOST: f64 = 100_000.0;

impl Written {
    fn values(&self) -> Result<Vec<f64>, String> {
        match *self {
            Written::Range { from, to, count, step } => {
                if !from.is_finite() || !to.is_finite() {
                    return Err(format!("the range from {from} to {to} has no end"));
                }
                let intervals = match (count, step) {
                    (Some(count), None) if count >= 2 => (count - 1) as f64,
                    (Some(1), None) if from == to => return Ok(vec![from]),
                    (Some(count), None) => return Err(format!("`count` is {count}, expected at least 2")),
                    (None, Some(step)) if step != 0.0 && (to - from) / step >= 0.0 => {
                        // What misses the end by rounding alone ends there.
                        ((to - from) / step + 1e-9).floor()
                    }
                    (None, Some(step)) => {
                        return Err(format!("`step` is {step}: it does not lead from {from} to {to}"));
                    }
                    (Some(_), Some(_)) => return Err("`count` and `step` are both given, expected one".to_owned()),
                    (None, None) if to >= from => to - from,
                    (None, None) => return Err(format!("`to` is {to}, expected at least `from`, {from}")),
                };
                if intervals >= MOST {
                    return Err(format!("a range of {intervals} values: at most {MOST} are run"));
                }
                let width = match (count, step) {
                    (Some(_), _) => (to - from) / intervals,
                    (_, Some(step)) => step,
                    _ => 1.0,
                };
                let exact = |k: f64| if count.is_some() && k == intervals { to } else { short(from + k * width) };
                Ok((0..=intervals as usize).map(|k| exact(k as f64)).collect())
            }
            Written::LogRange { from, to, count } => {
                if !(from > 0.0 && to > 0.0 && from.is_finite() && to.is_finite()) {
                    return Err(format!("`LogRange` from {from} to {to}, expected numbers above 0"));
                }
                if !(2..=MOST as usize).contains(&count) {
                    return Err(format!("`count` is {count}, expected at least 2 and at most {MOST}"));
                }
                let ratio = (to / from).ln() / (count - 1) as f64;
                let inner = |k: usize| short(from * (k as f64 * ratio).exp());
                let at = |k: usize| {
                    if k == 0 {
                        from
                    } else if k == count - 1 {
                        to
                    } else {
                        inner(k)
                    }
                };
                Ok((0..count).map(at).collect())
            }
        }
    }
}

/// A number to twelve digits: what is written in a range has no tail of rounding.
fn short(x: f64) -> f64 {
    format!("{x:.11e}").parse().unwrap_or(x)
}

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(|raw| Self(raw.get_ron().trim().to_owned()))
    }
}

impl<'de> Deserialize<'de> for Seeds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Values::deserialize(deserializer).map(Self)
    }
}

impl JsonSchema for Values {
    fn schema_name() -> Cow<'static, str> {
        "Values".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [{"type": "array"}, range(), log_range()]})
    }
}

impl JsonSchema for Seeds {
    fn schema_name() -> Cow<'static, str> {
        "Seeds".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [{"type": "array", "items": {"type": "integer", "minimum": 0}}, range()]})
    }
}

fn range() -> Schema {
    let number = || json_schema!({"type": "number"});
    let fields = json_schema!({"type": "object", "properties": {"from": number(), "to": number(), "step": number(),
        "count": {"type": "integer", "minimum": 1}}, "required": ["from", "to"], "additionalProperties": false});
    json_schema!({"type": "object", "properties": {"Range": fields}, "required": ["Range"], "additionalProperties": false})
}

fn log_range() -> Schema {
    let number = || json_schema!({"type": "number", "exclusiveMinimum": 0});
    let fields = json_schema!({"type": "object", "properties": {"from": number(), "to": number(),
        "count": {"type": "integer", "minimum": 2}}, "required": ["from", "to", "count"], "additionalProperties": false});
    json_schema!({"type": "object", "properties": {"LogRange": fields}, "required": ["LogRange"],
        "additionalProperties": false})
}

#[cfg(test)]
mod tests {
    use super::Values;

    fn values(text: &str) -> Result<Vec<String>, String> {
        crate::dialect::options().from_str::<Values>(text).map_err(|error| error.code.to_string())?.read()
    }

    #[test]
    fn ranges_are_written_out() {
        assert_eq!(values("[1, \"a\", Tax(x: [1])]"), Ok(vec!["1".into(), "\"a\"".into(), "Tax(x: [1])".into()]));
        assert_eq!(
            values("Range(from: 0, to: 1, count: 5)"),
            Ok(["0", "0.25", "0.5", "0.75", "1"].map(String::from).into())
        );
        // 0.1 + 0.1 + 0.1 has a tail; what a reader writes has none.
        assert_eq!(
            values("Range(from: 0, to: 0.3, step: 0.1)"),
            Ok(["0", "0.1", "0.2", "0.3"].map(String::from).into())
        );
        assert_eq!(values("Range(from: 3, to: 1, step: -1)"), Ok(["3", "2", "1"].map(String::from).into()));
        assert_eq!(
            values("LogRange(from: 1, to: 1000, count: 4)"),
            Ok(["1", "10", "100", "1000"].map(String::from).into())
        );
        assert_eq!(values("Range(from: 1, to: 4)"), Ok(["1", "2", "3", "4"].map(String::from).into()));
    }

    #[test]
    fn ranges_that_lead_nowhere_say_why() {
        for (text, part) in [
            ("Range(from: 0, to: 1, step: -0.1)", "does not lead"),
            ("Range(from: 0, to: 1, count: 1)", "at least 2"),
            ("Range(from: 0, to: 1, count: 3, step: 1)", "both"),
            ("LogRange(from: 0, to: 1, count: 3)", "above 0"),
            ("Range(from: 0, to: 1e9)", "at most"),
            ("Rnage(from: 0, to: 1)", "Rnage"),
            ("7", "a list in brackets"),
        ] {
            let said = values(text).expect_err(text);
            assert!(said.contains(part), "{text}: {said}");
        }
    }
}
