//! A series over the periods as it is written: a number, a list, a column of a CSV file, or a law of chance.
//!
//! Knows serde and the laws: who reads files replaces a column by its values, and who runs a seed a law by its draw.

mod drawn;

pub use drawn::{DrawnSeries, Law, NotDrawn, PowerCurve};

use crate::declaration::fields;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

/// Values over the periods.
#[derive(Clone, Debug, PartialEq)]
pub enum Series {
    /// The same in every period.
    Constant(f64),
    /// One value per period.
    List(Vec<f64>),
    /// `Csv(file: .., column: ..)`.
    Csv(CsvColumn),
    /// `Drawn(law: .., times: ..)`.
    Drawn(DrawnSeries),
}

/// A column of a CSV file.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CsvColumn {
    /// Path relative to the RON file, or beginning with `$COASE_DATA/`; `.gz` is unpacked.
    pub file: String,
    /// Name in the header.
    pub column: String,
    /// Factor on every value.
    #[serde(default = "one")]
    pub scale: f64,
    /// First row to take, from 0; if left out, the file has exactly one row per period.
    #[serde(default)]
    pub start: Option<usize>,
    /// What separates the cells; if left out, a comma, or what a first line `sep=;` says.
    #[serde(default, deserialize_with = "character")]
    pub separator: Option<char>,
    /// What separates the decimals, `.` or `,`; if left out, a point.
    #[serde(default, deserialize_with = "character")]
    pub decimal: Option<char>,
    /// Name of the column of times; where it is given, the rows must follow one another as the periods do.
    #[serde(default)]
    pub time: Option<String>,
    /// The time of the first row to take, as `2024-07-01 00:00`; if left out, the `start` of the scenario where it has one.
    #[serde(default)]
    pub from: Option<String>,
    /// The time zone of times without an offset, as `Europe/Berlin`: clocks are changed as they were there. If left out, the
    /// `zone` of the scenario; without one all hours of the year follow one another.
    #[serde(default)]
    pub zone: Option<String>,
    /// How rows become periods where they are not as long; if left out, they must be.
    #[serde(default)]
    pub resample: Option<Resample>,
}

/// How rows become periods of another length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Resample {
    /// Every period has the value of its row: right for means, such as hourly mean powers and prices.
    Repeat,
    /// On the straight line to the next row; after the last one, the last value: right for values at a time, such as
    /// temperatures.
    Interpolate,
    /// Every period has the mean of its rows, which are shorter: right for mean powers and prices.
    Mean,
}

impl CsvColumn {
    /// What separates the decimals.
    pub fn decimal(&self) -> char {
        self.decimal.unwrap_or('.')
    }
}

/// A character, also as a text of one: `';'` or `";"`.
fn character<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<char>, D::Error> {
    struct AnyCharacter;

    impl<'de> Visitor<'de> for AnyCharacter {
        type Value = Option<char>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("one character, such as ';'")
        }

        fn visit_char<E: de::Error>(self, c: char) -> Result<Option<char>, E> {
            Ok(Some(c))
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Option<char>, E> {
            let mut characters = text.chars();
            match (characters.next(), characters.next()) {
                (Some(c), None) => Ok(Some(c)),
                _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
            }
        }

        fn visit_none<E: de::Error>(self) -> Result<Option<char>, E> {
            Ok(None)
        }

        fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Option<char>, D::Error> {
            inner.deserialize_any(self)
        }
    }

    deserializer.deserialize_any(AnyCharacter)
}

fn one() -> f64 {
    1.0
}

impl Series {
    /// The values of a list; none of a number or a column, which stand for one only when the horizon is known.
    pub fn values(&self) -> &[f64] {
        match self {
            Series::List(values) => values,
            Series::Constant(_) | Series::Csv(_) | Series::Drawn(_) => &[],
        }
    }

    /// Writes a number out as a list of so many values.
    pub fn write_out(&mut self, periods: usize) {
        if let Series::Constant(value) = *self {
            *self = Series::List(vec![value; periods]);
        }
    }

    /// Keeps the first values of a list.
    pub fn truncate(&mut self, periods: usize) {
        if let Series::List(values) = self {
            values.truncate(periods);
        }
    }
}

impl Default for Series {
    fn default() -> Self {
        Series::Constant(0.0)
    }
}

impl From<f64> for Series {
    fn from(value: f64) -> Self {
        Series::Constant(value)
    }
}

impl From<Vec<f64>> for Series {
    fn from(values: Vec<f64>) -> Self {
        Series::List(values)
    }
}

impl JsonSchema for Series {
    fn schema_name() -> Cow<'static, str> {
        "Series".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let column = generator.subschema_for::<CsvColumn>();
        let csv = json_schema!({"type": "object", "properties": {"Csv": column}, "required": ["Csv"],
            "additionalProperties": false});
        let drawn = generator.subschema_for::<DrawnSeries>();
        let drawn = json_schema!({"type": "object", "properties": {"Drawn": drawn}, "required": ["Drawn"],
            "additionalProperties": false});
        json_schema!({"description": "Values over the periods: one for all, one for each, a column of a CSV file, or a law of chance.",
            "anyOf": [{"type": "number"}, {"type": "array", "items": {"type": "number"}}, csv, drawn], "x-form": "series"})
    }
}

impl Serialize for Series {
    /// A number, a list, or a law: what is written back has been resolved.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Series::Constant(value) => serializer.serialize_f64(*value),
            Series::List(values) => values.serialize(serializer),
            Series::Drawn(drawn) => serializer.serialize_newtype_variant("Series", 3, "Drawn", drawn),
            Series::Csv(_) => Err(serde::ser::Error::custom("a CSV column is written back as its values")),
        }
    }
}

impl<'de> Deserialize<'de> for Series {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnySeries)
    }
}

struct AnySeries;

impl<'de> Visitor<'de> for AnySeries {
    type Value = Series;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, a list of numbers, Csv(file: .., column: ..), or Drawn(law: ..)")
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Series, E> {
        Ok(Series::Constant(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Series, E> {
        Ok(Series::Constant(value as f64))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Series, E> {
        Ok(Series::Constant(value as f64))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Series, A::Error> {
        let mut values = Vec::with_capacity(list.size_hint().unwrap_or(0));
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Series::List(values))
    }

    /// RON hands over the fields of `Csv(..)` or `Drawn(..)` without the name: the first field tells them apart.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Series, A::Error> {
        let first = map.next_key::<String>()?;
        let is_drawn = first.as_deref().is_some_and(|name| fields::<DrawnSeries>().contains(&name));
        let whole = de::value::MapAccessDeserializer::new(Replayed { first, rest: map });
        if is_drawn {
            DrawnSeries::deserialize(whole).map(Series::Drawn)
        } else {
            CsvColumn::deserialize(whole).map(Series::Csv)
        }
    }
}

/// A map whose first key has been looked at.
struct Replayed<A> {
    first: Option<String>,
    rest: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Replayed<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        match self.first.take() {
            Some(key) => seed.deserialize(de::value::StringDeserializer::new(key)).map(Some),
            None => self.rest.next_key_seed(seed),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.rest.next_value_seed(seed)
    }
}

#[cfg(test)]
mod tests {
    use super::{CsvColumn, Resample, Series};

    #[test]
    fn a_series_is_a_number_a_list_or_a_column() {
        let options = ron::Options::default().with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
        let read = |text: &str| options.from_str::<Series>(text);
        assert_eq!(read("2"), Ok(Series::Constant(2.0)));
        assert_eq!(read("-0.1"), Ok(Series::Constant(-0.1)));
        assert_eq!(read("[1, 0.3, -2e3]"), Ok(Series::List(vec![1.0, 0.3, -2000.0])));
        let column = |scale, start| CsvColumn {
            file: "x.csv".into(),
            column: "p1".into(),
            scale,
            start,
            separator: None,
            decimal: None,
            time: None,
            from: None,
            zone: None,
            resample: None,
        };
        let csv = |scale, start| Series::Csv(column(scale, start));
        assert_eq!(read(r#"Csv(file: "x.csv", column: "p1")"#), Ok(csv(1.0, None)));
        assert_eq!(read(r#"Csv(file: "x.csv", column: "p1", scale: 0.5, start: 24)"#), Ok(csv(0.5, Some(24))));
        assert!(read(r#"Csv(file: "x.csv", colum: "p1")"#).unwrap_err().to_string().contains("`colum`"));
        assert!(read("\"x\"").is_err());
        let german = CsvColumn {
            separator: Some(';'),
            decimal: Some(','),
            time: Some("zeit".into()),
            resample: Some(Resample::Interpolate),
            ..column(1.0, None)
        };
        for (separator, decimal) in [("';'", "','"), ("\";\"", "Some(',')")] {
            let text = format!(
                r#"Csv(file: "x.csv", column: "p1", separator: {separator}, decimal: {decimal}, time: "zeit", resample: Interpolate)"#
            );
            assert_eq!(read(&text), Ok(Series::Csv(german.clone())), "{text}");
        }
        assert!(read(r#"Csv(file: "x.csv", column: "p1", separator: ";;")"#).is_err());
    }
}
