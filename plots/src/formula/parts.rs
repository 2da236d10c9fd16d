//! Reading: plain text into parts.

use super::{Name, OPERATORS, Part, is_greek};

/// A piece of the text.
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

/// The parts of a formula of plain text.
pub(super) fn parts(text: &str) -> Vec<Part> {
    of(&tokens(text))
}

fn of(all: &[Token]) -> Vec<Part> {
    let mut out = vec![];
    let mut k = 0;
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
                out.push(Part::Thin);
            }
            Token::Space => out.push(Part::Space),
            Token::Number(number) => out.push(Part::Number(number.clone())),
            Token::Word(name) if name == "x" && is_times(all, k) => out.push(Part::Sign('×')),
            Token::Word(name) => {
                let (name, used) = named(&all[k..], name);
                out.push(Part::Name(name));
                k += used;
            }
            Token::Sign(sign) => {
                let pair = match (sign, next) {
                    ('<', Some(Token::Sign('='))) => vec![Part::Sign('≤')],
                    ('>', Some(Token::Sign('='))) => vec![Part::Sign('≥')],
                    ('!', Some(Token::Sign('='))) => vec![Part::Sign('≠')],
                    ('<', Some(Token::Sign('-'))) => vec![Part::Sign('←')],
                    ('-', Some(Token::Sign('>'))) => vec![Part::Sign('→')],
                    // The positive and the negative part.
                    (']' | ')', Some(Token::Sign(part @ ('+' | '-'))))
                        if part_ends(all, k + 2) && !(*sign == ')' && *part == '-') =>
                    {
                        vec![Part::Sign(*sign), Part::Raised(vec![Part::Sign(*part)])]
                    }
                    _ => vec![],
                };
                if pair.is_empty() {
                    match sign {
                        '^' | '_' => {
                            let (argument, used) = argument(&all[k + 1..]);
                            out.push(if *sign == '^' { Part::Raised(argument) } else { Part::Lowered(argument) });
                            k += used;
                        }
                        '*' if before != Some(&Token::Space) => out.push(Part::Raised(vec![Part::Sign('*')])),
                        '*' => out.push(Part::Sign('·')),
                        _ => out.push(Part::Sign(*sign)),
                    }
                } else {
                    out.extend(pair);
                    k += 1;
                }
            }
        }
        k += 1;
    }
    out
}

/// Whether the letter x at a place is a sign of multiplication: alone between two factors.
fn is_times(all: &[Token], k: usize) -> bool {
    let ends_a_term =
        |token: Option<&Token>| matches!(token, Some(Token::Word(_) | Token::Number(_) | Token::Sign(')' | ']' | '}')));
    let at = |k: Option<usize>| k.and_then(|k| all.get(k));
    at(k.checked_sub(1)) == Some(&Token::Space)
        && all.get(k + 1) == Some(&Token::Space)
        && ends_a_term(at(k.checked_sub(2)))
        && matches!(all.get(k + 2), Some(Token::Word(_) | Token::Number(_)))
}

/// Whether a sign behind a bracket is a mark of it, and no sum or difference with what comes next.
fn part_ends(all: &[Token], at: usize) -> bool {
    matches!(all.get(at), None | Some(Token::Space | Token::Sign(')' | ',' | ']' | ';')))
}

/// A word of several letters that is written upright, and would run into its neighbours.
fn is_upright(token: Option<&Token>) -> bool {
    let upright =
        |name: &str| name.len() > 1 && !is_greek(name) && !OPERATORS.contains(&name) && !name.starts_with("arg");
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
fn named(all: &[Token], name: &str) -> (Name, usize) {
    let mut parts = vec![name.to_owned()];
    let mut used = 0;
    while let (Some(Token::Sign('_')), Some(Token::Word(part) | Token::Number(part))) =
        (all.get(used + 1), all.get(used + 2))
    {
        parts.push(part.clone());
        used += 2;
    }
    let is_word =
        name.len() > 1 && !is_greek(name) && !OPERATORS.contains(&name) && name.chars().all(char::is_lowercase);
    let is_parameter = parts.len() > 2 || (is_word && parts.get(1).is_some_and(|index| index.len() > 1));
    if is_parameter {
        return (Name::Parameter(parts.join("_")), used);
    }
    let index = parts.get(1).cloned();
    let primes = all[1..].iter().take_while(|token| **token == Token::Sign('\'')).count();
    let primes = if index.is_none() { primes } else { 0 };
    (Name::Symbol { base: name.to_owned(), index, primes }, used + primes)
}

/// What an index or an exponent holds: what braces or brackets hold, or one name or number with its sign.
fn argument(all: &[Token]) -> (Vec<Part>, usize) {
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
            (vec![Part::Name(name)], used + 1)
        }
        Some(Token::Number(number)) => (vec![Part::Number(number.clone())], 1),
        Some(Token::Sign(sign @ ('-' | '+'))) => match all.get(1) {
            Some(Token::Word(_) | Token::Number(_)) => {
                let (rest, used) = argument(&all[1..]);
                ([vec![Part::Sign(*sign)], rest].concat(), used + 1)
            }
            _ => (vec![Part::Sign(*sign)], 1),
        },
        Some(Token::Sign(sign)) if !"(){}[]".contains(*sign) => (of(&all[..1]), 1),
        _ => (vec![], 0),
    }
}
