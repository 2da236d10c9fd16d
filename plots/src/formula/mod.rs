//! Formulas as declarations write them, in plain text (`S_{t+1} = k S_t + eta_c P_c h`), read once and written in LaTeX or in
//! MathML.
//!
//! Knows the notation, and nothing of who declares what or where it is shown.

mod latex;
mod mathml;
mod parts;

use parts::parts;

/// What stands between backticks in a declaration.
#[derive(Clone, Debug, PartialEq)]
pub enum Quoted {
    /// A name or a form as it stands in files.
    Code(String),
    /// A formula.
    Formula(Formula),
}

/// A formula, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Formula {
    parts: Vec<Part>,
}

/// A part of a formula. What is raised or lowered belongs to the part in front of it.
#[derive(Clone, Debug, PartialEq)]
enum Part {
    Space,
    /// Between factors that would run into each other.
    Thin,
    Number(String),
    Name(Name),
    /// A sign, as Unicode has it: `≤` for `<=`.
    Sign(char),
    Raised(Vec<Part>),
    Lowered(Vec<Part>),
}

/// A symbol, or a parameter of files.
#[derive(Clone, Debug, PartialEq)]
enum Name {
    Symbol {
        base: String,
        index: Option<String>,
        primes: usize,
    },
    /// As it is written.
    Parameter(String),
}

/// How a word is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Set {
    Greek,
    /// A function or a large operator.
    Operator,
    /// `argmin` and `argmax`.
    Argument,
    /// One letter, slanted.
    Letter,
    Upright,
}

const GREEK: [(&str, char, char); 17] = [
    ("alpha", 'α', 'Α'),
    ("beta", 'β', 'Β'),
    ("gamma", 'γ', 'Γ'),
    ("delta", 'δ', 'Δ'),
    ("epsilon", 'ε', 'Ε'),
    ("zeta", 'ζ', 'Ζ'),
    ("eta", 'η', 'Η'),
    ("theta", 'θ', 'Θ'),
    ("kappa", 'κ', 'Κ'),
    ("lambda", 'λ', 'Λ'),
    ("mu", 'μ', 'Μ'),
    ("pi", 'π', 'Π'),
    ("rho", 'ρ', 'Ρ'),
    ("sigma", 'σ', 'Σ'),
    ("tau", 'τ', 'Τ'),
    ("phi", 'φ', 'Φ'),
    ("omega", 'ω', 'Ω'),
];
const OPERATORS: [&str; 8] = ["sum", "prod", "max", "min", "exp", "ln", "log", "sin"];

/// Reads what stands between backticks.
pub fn quoted(text: &str) -> Quoted {
    let is_name = text.chars().all(|c| c.is_alphanumeric() || "_-.:".contains(c)) && !is_symbol(text);
    let begins_as_form = text.starts_with(char::is_uppercase) && text.get(..1) != text.get(1..2);
    let head = text.split('(').next().unwrap_or_default();
    let is_form = begins_as_form && text.ends_with(')') && head.len() > 2 && head.chars().all(char::is_alphanumeric);
    if is_name || is_form || text.contains('"') || text.contains("::") {
        Quoted::Code(text.to_owned())
    } else {
        Quoted::Formula(Formula::read(text))
    }
}

impl Formula {
    /// Reads a formula; whatever is written is one.
    pub fn read(text: &str) -> Formula {
        Formula { parts: parts(text) }
    }
}

/// A letter, perhaps with an index: `x`, `S_t`, `eta_c`, `p_max`.
fn is_symbol(text: &str) -> bool {
    let (base, index) = text.split_once('_').unwrap_or((text, ""));
    (base.len() == 1 || is_greek(base)) && !index.contains('_') && !base.starts_with(|c: char| c.is_ascii_digit())
}

fn is_greek(word: &str) -> bool {
    let word = word.to_lowercase();
    GREEK.iter().any(|(name, _, _)| *name == word)
}

fn set(word: &str) -> Set {
    if is_greek(word) {
        Set::Greek
    } else if OPERATORS.contains(&word) {
        Set::Operator
    } else if word == "argmin" || word == "argmax" {
        Set::Argument
    } else if word.len() == 1 {
        Set::Letter
    } else {
        Set::Upright
    }
}

#[cfg(test)]
mod tests {
    use super::{Formula, Quoted, quoted};

    #[test]
    fn names_of_files_are_no_formulas() {
        for code in ["cost_per_kwh", "nash-bargaining", "Tax(price_per_tonne: 280)", "a: \"b\"", "core::x"] {
            assert_eq!(quoted(code), Quoted::Code(code.to_owned()));
        }
        for formula in ["x", "S_t", "eta_c", "a + b", "f(x)"] {
            assert!(matches!(quoted(formula), Quoted::Formula(_)), "{formula}");
        }
    }

    /// Symbols and numbers of a formula in order, as its two writers give them.
    #[test]
    fn both_writers_give_the_same_symbols() {
        for text in [
            "S_{t+1} = k S_t + eta_c P_c h - P_d h / eta_d",
            "max_k base (1 + k growth) x",
            "base interval (D - S)+ / D",
            "2^(rate / W) - 1",
            "0 <= P_t <= p_max x profile_t",
            "x* = argmin sum_i Phi_i",
            "prod_i (J0_i - J_i)^w_i",
            "cost_per_kwh x P_t",
            "U_i' - lambda_i",
            "a_-i, b^-1, {x, y} ~ N",
        ] {
            let formula = Formula::read(text);
            let (latex, mathml) = (super::latex::symbols(&formula.latex()), super::mathml::symbols(&formula.mathml()));
            assert_eq!(latex, mathml, "{text}: {} {}", formula.latex(), formula.mathml());
            assert!(latex.len() > 2, "{text}");
        }
    }
}
