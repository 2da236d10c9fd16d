//! What a resolved experiment says of its mechanisms and policies: each with its label and the parameters that it ran with.
//!
//! Knows how RON parts elements, and no field by name but `label`.

/// A mechanism or a policy as it stands in a resolved experiment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Its label where it has one of its own.
    pub label: Option<String>,
    /// The name of its form: `NashBargaining`; its id where all is default.
    pub name: String,
    /// Parameters with their values, as written.
    pub parameters: Vec<(String, String)>,
}

/// The elements of a list of a resolved experiment, such as `mechanisms`.
pub fn written(resolved: &str, list: &str) -> Vec<Written> {
    // Lists of the experiment stand four spaces deep; those of scenarios deeper.
    let head = format!("\n    {list}: [");
    let Some(from) = resolved.find(&head).map(|at| at + head.len()) else { return vec![] };
    elements(&resolved[from..]).into_iter().map(one).collect()
}

fn one(text: &str) -> Written {
    if let Some(id) = unquoted(text) {
        return Written { name: id.to_owned(), ..Written::default() };
    }
    let (name, inside) = text.split_once('(').unwrap_or((text, ""));
    let fields: Vec<(&str, &str)> = elements(inside).into_iter().filter_map(|field| field.split_once(':')).collect();
    let field = |wanted: &str| fields.iter().find(|(name, _)| name.trim() == wanted).map(|(_, value)| value.trim());
    match (name.trim().is_empty(), field("label")) {
        (true, Some(label)) => {
            let plugin = fields.iter().find(|(name, _)| name.trim() != "label").map_or("", |(_, value)| value.trim());
            Written { label: unquoted(label).map(str::to_owned), ..one(plugin) }
        }
        _ => Written {
            label: None,
            name: name.trim().to_owned(),
            parameters: fields.iter().map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect(),
        },
    }
}

fn unquoted(text: &str) -> Option<&str> {
    text.trim().strip_prefix('"')?.strip_suffix('"')
}

/// The elements of a list up to the bracket that closes it.
fn elements(text: &str) -> Vec<&str> {
    let (mut depth, mut is_quoted, mut is_escaped, mut begin) = (0, false, false, 0);
    let mut found = vec![];
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth > 0 => depth -= 1,
            ',' if depth == 0 => {
                found.push(&text[begin..at]);
                begin = at + 1;
            }
            ')' | ']' | '}' => {
                found.push(&text[begin..at]);
                break;
            }
            _ => {}
        }
    }
    found.into_iter().map(str::trim).filter(|element| !element.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::written;

    #[test]
    fn parameters_are_read_as_they_were_run() {
        let resolved = "Experiment(\n    scenarios: [\n        Scenario(a: [1]),\n    ],\n    mechanisms: [\n        \"grid-only\",\n        \
                        NashBargaining(weights: Given({\"a, b\": 2.0}), solver: Admm(rho: 1.0, tolerance: 2.0)),\n        \
                        (label: \"m, (1\", mechanism: Shapley(samples: None)),\n    ],\n    carbon: [\n        \"none\",\n    ],\n)";
        let found = written(resolved, "mechanisms");
        let names: Vec<&str> = found.iter().map(|w| w.name.as_str()).collect();
        assert_eq!(names, ["grid-only", "NashBargaining", "Shapley"]);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            found[1].parameters,
            [pair("weights", "Given({\"a, b\": 2.0})"), pair("solver", "Admm(rho: 1.0, tolerance: 2.0)")]
        );
        assert_eq!(
            (found[2].label.as_deref(), &found[2].parameters[..]),
            (Some("m, (1"), &[pair("samples", "None")][..])
        );
        assert_eq!(written(resolved, "carbon")[0].name, "none");
        assert!(written(resolved, "absent").is_empty());
    }
}
