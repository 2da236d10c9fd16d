//! Values by the names of a file, and how numbers are shown.

use crate::fault::{Cause, Fault};
use crate::text::Text;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// Values by name, in the order that they have.
#[derive(Clone, Debug, PartialEq)]
pub struct Named<T>(pub Vec<(String, T)>);

impl<T: Serialize> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Six decimals, without a minus sign before nothing.
pub(super) fn cell(x: f64) -> String {
    let text = format!("{x:.6}");
    if text.trim_start_matches('-').chars().all(|c| c == '0' || c == '.') { "0.000000".to_owned() } else { text }
}

/// Checks that ids are there, each once: `kind` is `seller`, the list `sellers`.
pub(super) fn check_ids<'n>(
    text: &Text,
    list: &'static str,
    kind: &'static str,
    ids: impl Iterator<Item = &'n String>,
) -> Result<Vec<String>, Fault> {
    let mut known: Vec<String> = vec![];
    for (k, id) in ids.enumerate() {
        let at = format!("{list}.{k}.id");
        if id.trim().is_empty() {
            let why = "it has no letter";
            return Err(text.fault(&at, Cause::Name { kind: "an id", name: id.clone(), why }));
        }
        if known.contains(id) {
            return Err(text.fault(&at, Cause::Twice { kind, name: id.clone() }));
        }
        known.push(id.clone());
    }
    if known.is_empty() { Err(text.fault(list, Cause::Empty(list))) } else { Ok(known) }
}

/// Checks that a number is finite and fits.
pub(super) fn check(
    text: &Text,
    at: &str,
    field: &'static str,
    value: f64,
    fits: bool,
    expected: &'static str,
) -> Result<f64, Fault> {
    if value.is_finite() && fits { Ok(value) } else { Err(text.fault(at, Cause::Value { field, value, expected })) }
}

/// What a buyer's adders are by seller: none are zeros, and else there is one for each.
pub(super) fn check_adders(text: &Text, buyer: usize, adders: &[f64], sellers: usize) -> Result<Vec<f64>, Fault> {
    let at = format!("buyers.{buyer}.adders_per_kwh");
    if adders.is_empty() {
        return Ok(vec![0.0; sellers]);
    }
    if adders.len() != sellers {
        let (field, found) = ("adders_per_kwh".to_owned(), format!("a list of {}", adders.len()));
        let expected = format!("one number for each of the {sellers} sellers");
        return Err(text.fault(&at, Cause::Field { field, found, expected }));
    }
    for (j, adder) in adders.iter().enumerate() {
        check(text, &format!("{at}.{j}"), "adders_per_kwh", *adder, true, "a finite number")?;
    }
    Ok(adders.to_vec())
}
