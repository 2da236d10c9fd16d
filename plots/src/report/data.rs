//! Data that the script of a page draws from: JSON in a block that nothing in it can leave.
//!
//! Numbers keep four digits, which no picture shows more of.

use std::fmt::Write as _;

/// JSON that is being written.
#[derive(Clone, Debug, Default)]
pub(super) struct Json(String);

impl Json {
    /// A text.
    pub fn text(words: &str) -> Json {
        let mut out = String::from("\"");
        for c in words.chars() {
            match c {
                '"' | '\\' => out.extend(['\\', c]),
                // Nothing that ends the block, or begins another.
                '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => drop(write!(out, "\\u{:04x}", u32::from(c))),
                c if c.is_control() => drop(write!(out, "\\u{:04x}", u32::from(c))),
                c => out.push(c),
            }
        }
        out.push('"');
        Json(out)
    }

    /// A number; what is missing, or no number, is `null`.
    pub fn number(value: Option<f64>) -> Json {
        Json(value.filter(|v| v.is_finite()).map_or_else(|| "null".to_owned(), short))
    }

    /// A list.
    pub fn list(items: impl IntoIterator<Item = Json>) -> Json {
        let items: Vec<String> = items.into_iter().map(|item| item.0).collect();
        Json(format!("[{}]", items.join(",")))
    }

    /// Numbers.
    pub fn numbers(values: impl IntoIterator<Item = Option<f64>>) -> Json {
        Json::list(values.into_iter().map(Json::number))
    }

    /// Texts.
    pub fn texts<'a>(words: impl IntoIterator<Item = &'a str>) -> Json {
        Json::list(words.into_iter().map(Json::text))
    }

    /// Fields by their names.
    pub fn object<'a>(fields: impl IntoIterator<Item = (&'a str, Json)>) -> Json {
        let fields: Vec<String> = fields.into_iter().map(|(name, value)| Json::text(name).0 + ":" + &value.0).collect();
        Json(format!("{{{}}}", fields.join(",")))
    }

    /// Bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Four digits, without what a reader adds by itself.
fn short(value: f64) -> String {
    if value.abs() < 1e-9 {
        return "0".to_owned();
    }
    let decimals = (3 - value.abs().log10().floor() as i32).clamp(0, 9);
    let text = format!("{value:.*}", decimals as usize);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::Json;

    #[test]
    fn nothing_leaves_the_block_and_numbers_are_short() {
        let json = Json::object([
            ("a", Json::text("</script> \"x\" & \n")),
            (
                "b",
                Json::numbers([Some(1.0), Some(-0.123_456), None, Some(f64::NAN), Some(12_345.6), Some(0.000_012_34)]),
            ),
        ]);
        assert_eq!(
            json.as_str(),
            "{\"a\":\"\\u003c/script\\u003e \\\"x\\\" \\u0026 \\u000a\",\"b\":[1,-0.1235,null,null,12346,0.00001234]}"
        );
    }
}
