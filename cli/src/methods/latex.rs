//! Declared meanings as LaTeX: prose with its special characters written out, and what stands between backticks as formulas.
//!
//! Knows the notation of doc comments, in which formulas are plain text: `S_{t+1} = k S_t + eta_c P_c h`.

/// Prose with formulas between backticks.
pub fn prose(text: &str) -> String {
    text.split('`').enumerate().map(|(k, part)| if k % 2 == 0 { escaped(part) } else { code(part) }).collect()
}

/// Text in which nothing is a command.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => out.extend(['\\', c]),
            '~' => out.push_str("\\textasciitilde{}"),
            '^' => out.push_str("\\textasciicircum{}"),
            '\\' => out.push_str("\\textbackslash{}"),
            '<' | '>' => out.extend(['$', c, '$']),
            _ => out.push(c),
        }
    }
    out
}

/// A name as it stands in files, or a formula.
fn code(text: &str) -> String {
    let is_name = text.chars().all(|c| c.is_alphanumeric() || "_-.:".contains(c)) && !is_symbol(text);
    let is_call =
        text.ends_with(')') && text.chars().next().is_some_and(char::is_uppercase) && text[..1] != text[1..2] && {
            let head = text.split('(').next().unwrap_or_default();
            head.len() > 2 && head.chars().all(char::is_alphanumeric)
        };
    if is_name || is_call || text.contains('"') || text.contains("::") {
        format!("\\texttt{{{}}}", escaped(text))
    } else {
        format!("${}$", formula(text))
    }
}

/// A letter, perhaps with an index: `x`, `S_t`, `eta_c`, `p_max`.
fn is_symbol(text: &str) -> bool {
    let (base, index) = text.split_once('_').unwrap_or((text, ""));
    (base.len() == 1 || greek(base)) && !index.contains('_') && !base.starts_with(|c: char| c.is_ascii_digit())
}

const GREEK: [&str; 17] = [
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "kappa", "lambda", "mu", "pi", "rho",
    "sigma", "tau", "phi", "omega",
];
const OPERATORS: [&str; 8] = ["sum", "prod", "max", "min", "exp", "ln", "log", "sin"];

fn greek(word: &str) -> bool {
    GREEK.contains(&word.to_lowercase().as_str())
}

/// A part of a formula.
#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// A word of letters and digits that begins with a letter.
    Word(String),
    Number(String),
    Sign(char),
    Space,
}

fn tokens(text: &str) -> Vec<Token> {
    let letters: Vec<char> = text.chars().collect();
    let mut found = vec![];
    let mut k = 0;
    while k < letters.len() {
        let run = |from: usize, keep: fn(char) -> bool| letters[from..].iter().take_while(|c| keep(**c)).count();
        let c = letters[k];
        let (token, length) = if c.is_alphabetic() {
            let n = run(k, char::is_alphanumeric);
            (Token::Word(letters[k..k + n].iter().collect()), n)
        } else if c.is_ascii_digit() {
            let n = run(k, |c| c.is_ascii_digit() || c == '.');
            (Token::Number(letters[k..k + n].iter().collect()), n)
        } else if c.is_whitespace() {
            (Token::Space, run(k, char::is_whitespace))
        } else {
            (Token::Sign(c), 1)
        };
        found.push(token);
        k += length;
    }
    found
}

fn word(text: &str) -> String {
    if greek(text) || OPERATORS.contains(&text) {
        format!("\\{text} ")
    } else if text == "argmin" || text == "argmax" {
        format!("\\operatorname{{{text}}} ")
    } else if text.len() == 1 {
        text.to_owned()
    } else {
        format!("\\mathrm{{{}}}", escaped(text))
    }
}

/// A formula of plain text as LaTeX.
pub fn formula(text: &str) -> String {
    let all = tokens(text);
    let mut out = String::new();
    let mut k = 0;
    // Braces that this function opens for an index or exponent are closed by it; those of the text are indices too.
    while k < all.len() {
        let next = all.get(k + 1);
        let before = k.checked_sub(1).map(|k| &all[k]);
        match &all[k] {
            // A factor beside an upright word.
            Token::Space
                if ends_a_factor(before)
                    && matches!(next, Some(Token::Word(name)) if name != "x")
                    && (is_upright(before) || is_upright(next)) =>
            {
                out.push_str(" \\, ");
            }
            Token::Space => out.push(' '),
            Token::Number(number) => out.push_str(number),
            Token::Word(name) => {
                let ends_a_term = |token: Option<&Token>| {
                    matches!(token, Some(Token::Word(_) | Token::Number(_) | Token::Sign(')' | ']' | '}')))
                };
                let is_times = name == "x"
                    && before == Some(&Token::Space)
                    && next == Some(&Token::Space)
                    && ends_a_term(k.checked_sub(2).map(|k| &all[k]))
                    && matches!(all.get(k + 2), Some(Token::Word(_) | Token::Number(_)));
                if is_times {
                    out.push_str("\\times");
                } else {
                    let (name, used) = named(&all[k..], name);
                    out.push_str(&name);
                    k += used;
                }
            }
            Token::Sign(sign) => {
                let pair = match (sign, next) {
                    ('<', Some(Token::Sign('='))) => Some("\\leq "),
                    ('>', Some(Token::Sign('='))) => Some("\\geq "),
                    ('!', Some(Token::Sign('='))) => Some("\\ne "),
                    ('<', Some(Token::Sign('-'))) => Some("\\leftarrow "),
                    ('-', Some(Token::Sign('>'))) => Some("\\to "),
                    // The positive and the negative part.
                    (']', Some(Token::Sign('+'))) if part_ends(&all, k + 2) => Some("]^{+}"),
                    (']', Some(Token::Sign('-'))) if part_ends(&all, k + 2) => Some("]^{-}"),
                    (')', Some(Token::Sign('+'))) if part_ends(&all, k + 2) => Some(")^{+}"),
                    _ => None,
                };
                if let Some(pair) = pair {
                    out.push_str(pair);
                    k += 1;
                } else {
                    match sign {
                        '^' | '_' => {
                            let (argument, used) = argument(&all[k + 1..]);
                            out.extend([sign.to_string(), format!("{{{argument}}}")]);
                            k += used;
                        }
                        '*' if before != Some(&Token::Space) => out.push_str("^{*}"),
                        '*' => out.push_str("\\cdot "),
                        '{' => out.push_str("\\{"),
                        '}' => out.push_str("\\}"),
                        '%' | '&' | '#' | '$' => out.extend(['\\', *sign]),
                        '\\' => out.push_str("\\backslash "),
                        '~' => out.push_str("\\sim "),
                        _ => out.push(*sign),
                    }
                }
            }
        }
        k += 1;
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a sign behind a bracket is a mark of it, and no sum or difference with what comes next.
fn part_ends(all: &[Token], at: usize) -> bool {
    matches!(all.get(at), None | Some(Token::Space | Token::Sign(')' | ',' | ']' | ';')))
}

/// A word of several letters that is written upright, and would run into its neighbours.
fn is_upright(token: Option<&Token>) -> bool {
    let upright = |name: &str| name.len() > 1 && !greek(name) && !OPERATORS.contains(&name) && !name.starts_with("arg");
    matches!(token, Some(Token::Word(name)) if upright(name))
}

/// What can stand at the end of a factor.
fn ends_a_factor(token: Option<&Token>) -> bool {
    let is_operator = |name: &str| OPERATORS.contains(&name) || name.starts_with("arg");
    match token {
        // Between spaces the letter is a sign.
        Some(Token::Word(name)) => name != "x" && !is_operator(name),
        Some(Token::Number(_) | Token::Sign(')' | ']' | '}' | '\'')) => true,
        _ => false,
    }
}

/// A name with its primes and indices, and how many tokens beyond its word were used: parameters of files, which have several parts,
/// stay as they are written.
fn named(all: &[Token], name: &str) -> (String, usize) {
    let mut parts = vec![name.to_owned()];
    let mut used = 0;
    while let (Some(Token::Sign('_')), Some(Token::Word(part) | Token::Number(part))) =
        (all.get(used + 1), all.get(used + 2))
    {
        parts.push(part.clone());
        used += 2;
    }
    let primes = |from: usize| all[from..].iter().take_while(|token| **token == Token::Sign('\'')).count();
    let is_word = name.len() > 1 && !greek(name) && !OPERATORS.contains(&name) && name.chars().all(char::is_lowercase);
    let is_parameter = parts.len() > 2 || (is_word && parts.get(1).is_some_and(|index| index.len() > 1));
    if is_parameter {
        return (format!("\\mathtt{{{}}}", escaped(&parts.join("_"))), used);
    }
    let mut out = word(name).trim_end().to_owned();
    if let Some(index) = parts.get(1) {
        out = format!("{out}_{{{}}}", word(index).trim_end());
    } else if primes(1) > 0 {
        out.push_str(&"'".repeat(primes(1)));
        used += primes(1);
    }
    // A command must not run into the next letter.
    (
        out + if parts.len() == 1 && (greek(name) || OPERATORS.contains(&name) || name.starts_with("arg")) {
            " "
        } else {
            ""
        },
        used,
    )
}

/// What an index or an exponent holds: what braces or brackets hold, or one name or number with its sign.
fn argument(all: &[Token]) -> (String, usize) {
    if let Some(Token::Sign(open @ ('{' | '('))) = all.first() {
        let close = if *open == '{' { '}' } else { ')' };
        let mut depth = 0;
        for (k, token) in all.iter().enumerate() {
            depth += i32::from(*token == Token::Sign(*open)) - i32::from(*token == Token::Sign(close));
            if depth == 0 {
                return (of(&all[1..k]), k + 1);
            }
        }
    }
    match all.first() {
        Some(Token::Word(name)) => {
            let (name, used) = named(all, name);
            (name.trim_end().to_owned(), used + 1)
        }
        Some(Token::Number(number)) => (number.clone(), 1),
        Some(Token::Sign('-' | '+')) => {
            let sign = if all[0] == Token::Sign('-') { '-' } else { '+' };
            match all.get(1) {
                Some(Token::Word(_) | Token::Number(_)) => {
                    let (rest, used) = argument(&all[1..]);
                    (format!("{sign}{rest}"), used + 1)
                }
                _ => (sign.to_string(), 1),
            }
        }
        Some(Token::Sign(sign)) if !"(){}[]".contains(*sign) => (of(&all[..1]), 1),
        _ => (String::new(), 0),
    }
}

/// Tokens as a formula.
fn of(tokens: &[Token]) -> String {
    let text: String = tokens
        .iter()
        .map(|token| match token {
            Token::Word(text) | Token::Number(text) => text.clone(),
            Token::Sign(sign) => sign.to_string(),
            Token::Space => " ".to_owned(),
        })
        .collect();
    formula(&text)
}

#[cfg(test)]
mod tests {
    use super::{formula, prose};
    use coase_core::engine::report_rules;
    use coase_core::mechanism::mechanisms;
    use coase_core::participant::devices;
    use coase_core::policy::policies;

    #[test]
    fn formulas_are_written_as_a_typesetter_needs_them() {
        for (plain, latex) in [
            (
                "S_{t+1} = k S_t + eta_c P_c h - P_d h / eta_d",
                "S_{t+1} = k S_{t} + \\eta_{c} P_{c} h - P_{d} h / \\eta_{d}",
            ),
            ("max_k base (1 + k growth) x", "\\max_{k} \\, \\mathrm{base} (1 + k \\, \\mathrm{growth}) x"),
            ("base interval (D - S)+ / D", "\\mathrm{base} \\, \\mathrm{interval} (D - S)^{+} / D"),
            ("2^(rate / W) - 1", "2^{\\mathrm{rate} / W} - 1"),
            ("0 <= P_t <= p_max x profile_t", "0 \\leq P_{t} \\leq p_{\\max} \\times \\mathrm{profile}_{t}"),
            ("x* = argmin sum_i Phi_i", "x^{*} = \\operatorname{argmin} \\sum_{i} \\Phi_{i}"),
            ("U_i' - lambda_i", "U_{i}' - \\lambda_{i}"),
            ("cost_per_kwh x P_t", "\\mathtt{cost\\_per\\_kwh} \\times P_{t}"),
            ("d (theta - target)^2", "d (\\theta - \\mathrm{target})^{2}"),
            ("prod_i (J0_i - J_i)^w_i", "\\prod_{i} (\\mathrm{J0}_{i} - J_{i})^{w_{i}}"),
        ] {
            assert_eq!(formula(plain), latex, "{plain}");
        }
        assert_eq!(prose("50 % of `S_t` by `cost_per_kwh`"), "50 \\% of $S_{t}$ by \\texttt{cost\\_per\\_kwh}");
    }

    /// Whatever a plugin says of itself: braces close, formulas end, and nothing is a command by accident.
    #[test]
    fn every_declaration_can_be_typeset() {
        let meanings = mechanisms().into_iter().map(|p| (p.id, p.open.declaration().meaning));
        let meanings = meanings.chain(policies().into_iter().map(|p| (p.id, p.open.declaration().meaning)));
        let meanings = meanings.chain(report_rules().into_iter().map(|p| (p.id, p.open.declaration().meaning)));
        let meanings = meanings.chain(devices().into_iter().map(|p| (p.id, p.open.declaration().meaning)));
        for (id, meaning) in meanings {
            let latex = prose(&meaning);
            let bare = latex.replace("\\{", "").replace("\\}", "").replace("\\$", "").replace("\\\\", "");
            assert_eq!(bare.matches('{').count(), bare.matches('}').count(), "{id}: {latex}");
            assert_eq!(bare.matches('$').count() % 2, 0, "{id}: {latex}");
            for (k, part) in bare.split('$').enumerate() {
                let plain = part.replace("\\_", "").replace("\\%", "").replace("\\&", "").replace("\\#", "");
                let forbidden: &[char] =
                    if k % 2 == 0 { &['_', '^', '%', '&', '#', '`'] } else { &['%', '&', '#', '`'] };
                assert!(!plain.contains(forbidden), "{id}: {part}");
                assert!(
                    k % 2 == 0 || (!plain.contains("_{}") && !plain.contains("^{}") && !plain.contains("__")),
                    "{id}: {part}"
                );
            }
        }
    }
}
