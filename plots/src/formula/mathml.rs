//! Writing MathML, which browsers set by themselves.

use super::{Formula, GREEK, Name, Part, Set, set};
use std::fmt::Write as _;

impl Formula {
    /// A `math` element, within a line of text.
    pub fn mathml(&self) -> String {
        format!("<math>{}</math>", row(&self.parts))
    }
}

/// The elements of some parts; what is raised or lowered takes the element in front of it.
fn row(parts: &[Part]) -> String {
    let mut elements: Vec<String> = vec![];
    for (k, part) in parts.iter().enumerate() {
        match part {
            Part::Space => {
                // Beside signs there is room already.
                let is_sign = |part: Option<&Part>| matches!(part, None | Some(Part::Sign(_)));
                if !is_sign(k.checked_sub(1).and_then(|k| parts.get(k))) && !is_sign(parts.get(k + 1)) {
                    elements.push("<mspace width=\"0.2em\"/>".to_owned());
                }
            }
            Part::Thin => elements.push("<mspace width=\"0.25em\"/>".to_owned()),
            Part::Number(number) => elements.push(format!("<mn>{number}</mn>")),
            Part::Name(name) => elements.push(named(name)),
            Part::Sign(sign) => elements.push(signed(*sign)),
            Part::Raised(of) => scripted("msup", of, &mut elements),
            Part::Lowered(of) => scripted("msub", of, &mut elements),
        }
    }
    elements.concat()
}

fn scripted(element: &str, script: &[Part], elements: &mut Vec<String>) {
    let base = elements.pop().unwrap_or_else(|| "<mrow></mrow>".to_owned());
    elements.push(format!("<{element}>{base}<mrow>{}</mrow></{element}>", row(script)));
}

fn named(name: &Name) -> String {
    let Name::Symbol { base, index, primes } = name else {
        let Name::Parameter(words) = name else { return String::new() };
        return format!("<mtext>{}</mtext>", escaped(words));
    };
    let mut out = word(base);
    if let Some(index) = index {
        out = format!("<msub>{out}{}</msub>", word(index));
    }
    if *primes > 0 {
        out = format!("<msup>{out}<mo>{}</mo></msup>", "′".repeat(*primes));
    }
    out
}

fn word(text: &str) -> String {
    match (set(text), text) {
        (Set::Operator, "sum") => "<mo movablelimits=\"true\">∑</mo>".to_owned(),
        (Set::Operator, "prod") => "<mo movablelimits=\"true\">∏</mo>".to_owned(),
        (Set::Greek, _) => format!("<mi>{}</mi>", greek(text)),
        _ => format!("<mi>{}</mi>", escaped(text)),
    }
}

fn greek(word: &str) -> char {
    let lower = word.to_lowercase();
    let found = GREEK.iter().find(|(name, _, _)| *name == lower);
    found.map_or('?', |(_, small, capital)| if word.starts_with(char::is_uppercase) { *capital } else { *small })
}

fn signed(sign: char) -> String {
    let sign = match sign {
        '-' => '−',
        '\'' => '′',
        '~' => '∼',
        other => other,
    };
    // Brackets keep the size of a line: they often enclose text.
    let fence = if "()[]{}|".contains(sign) { " stretchy=\"false\"" } else { "" };
    format!("<mo{fence}>{}</mo>", escaped(&sign.to_string()))
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        let _ = match c {
            '&' => write!(out, "&amp;"),
            '<' => write!(out, "&lt;"),
            '>' => write!(out, "&gt;"),
            '"' => write!(out, "&quot;"),
            c => write!(out, "{c}"),
        };
    }
    out
}

/// Words and numbers of a formula in MathML, in order, under the names that LaTeX has for them.
#[cfg(test)]
pub(super) fn symbols(mathml: &str) -> Vec<String> {
    let mut found = vec![];
    for piece in mathml.split('<').filter_map(|piece| piece.split_once('>')) {
        let (element, words) = piece;
        let words = match words.chars().next() {
            _ if words.is_empty() => continue,
            Some('∑') => "sum".to_owned(),
            Some('∏') => "prod".to_owned(),
            Some(letter) => GREEK
                .iter()
                .find_map(|(name, small, capital)| match letter {
                    l if l == *small => Some((*name).to_owned()),
                    l if l == *capital => Some(name[..1].to_uppercase() + &name[1..]),
                    _ => None,
                })
                .unwrap_or_else(|| words.to_owned()),
            None => continue,
        };
        if element.starts_with("mi")
            || element.starts_with("mn")
            || element.starts_with("mtext")
            || words == "sum"
            || words == "prod"
        {
            found.push(words);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::formula::Formula;

    #[test]
    fn a_formula_is_written_for_browsers() {
        assert_eq!(
            Formula::read("x_t <= 2 eta (a - b)^2").mathml(),
            "<math><msub><mi>x</mi><mi>t</mi></msub><mo>≤</mo><mn>2</mn><mspace width=\"0.2em\"/><mi>η</mi><mo stretchy=\"false\">(</mo>\
             <mi>a</mi><mo>−</mo><mi>b</mi><msup><mo stretchy=\"false\">)</mo><mrow><mn>2</mn></mrow></msup></math>"
        );
        assert_eq!(
            Formula::read("sum_i cost_per_kwh").mathml(),
            "<math><msub><mo movablelimits=\"true\">∑</mo><mi>i</mi></msub><mspace width=\"0.25em\"/><mtext>cost_per_kwh</mtext></math>"
        );
    }
}
