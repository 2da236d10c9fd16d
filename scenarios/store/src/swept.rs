//! Values of swept parameters.

use crate::text::written;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A value of a swept parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Swept {
    /// A number.
    Number(f64),
    /// Words.
    Text(String),
}

impl Swept {
    /// Whether it is the value that a table has in this form.
    pub fn is_written(&self, in_table: &str) -> bool {
        match self {
            Self::Number(number) => in_table.parse::<f64>().is_ok_and(|known| known == *number),
            Self::Text(text) => text == in_table,
        }
    }
}

impl fmt::Display for Swept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => f.write_str(&written(*number)),
            Self::Text(text) => f.write_str(text),
        }
    }
}
