//! Writing LaTeX.

use super::{Formula, Name, Part, Set, set};
use std::fmt::Write as _;

impl Formula {
    /// For LaTeX's mathematical mode; amsmath knows all of it.
    pub fn latex(&self) -> String {
        written(&self.parts)
    }
}

fn written(parts: &[Part]) -> String {
    let mut out = String::new();
    for part in parts {
        match part {
            Part::Space => out.push(' '),
            Part::Thin => out.push_str(" \\, "),
            Part::Number(number) => out.push_str(number),
            Part::Name(name) => out.push_str(&named(name)),
            Part::Sign(sign) => signed(*sign, &mut out),
            Part::Raised(of) => drop(write!(out, "^{{{}}}", written(of))),
            Part::Lowered(of) => drop(write!(out, "_{{{}}}", written(of))),
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn signed(sign: char, out: &mut String) {
    let command = match sign {
        '×' => "\\times",
        '≤' => "\\leq ",
        '≥' => "\\geq ",
        '≠' => "\\ne ",
        '←' => "\\leftarrow ",
        '→' => "\\to ",
        '·' => "\\cdot ",
        '~' => "\\sim ",
        '\\' => "\\backslash ",
        '{' | '}' | '%' | '&' | '#' | '$' => return out.extend(['\\', sign]),
        plain => return out.push(plain),
    };
    out.push_str(command);
}

fn named(name: &Name) -> String {
    match name {
        Name::Parameter(words) => format!("\\mathtt{{{}}}", escaped(words)),
        Name::Symbol { base, index: Some(index), .. } => format!("{}_{{{}}}", word(base), word(index)),
        // A command must not run into the next letter.
        Name::Symbol { base, primes, .. } => {
            let end = if matches!(set(base), Set::Letter | Set::Upright) || *primes > 0 { "" } else { " " };
            format!("{}{}{end}", word(base), "'".repeat(*primes))
        }
    }
}

fn word(text: &str) -> String {
    match set(text) {
        Set::Greek | Set::Operator => format!("\\{text}"),
        Set::Argument => format!("\\operatorname{{{text}}}"),
        Set::Letter => text.to_owned(),
        Set::Upright => format!("\\mathrm{{{}}}", escaped(text)),
    }
}

fn escaped(text: &str) -> String {
    text.replace('_', "\\_")
}

/// Words and numbers of a formula in LaTeX, in order.
#[cfg(test)]
pub(super) fn symbols(latex: &str) -> Vec<String> {
    let commands = ["times", "leq", "geq", "ne", "leftarrow", "to", "cdot", "sim", "backslash"];
    let mut bare = latex.to_owned();
    for style in ["\\mathrm", "\\mathtt", "\\operatorname"] {
        bare = bare.replace(style, " ");
    }
    let bare = bare.replace("\\_", "_parameter_");
    let bare: String = bare.replace("_parameter_", "\u{1}").replace(['_', '^', '{', '}'], " ").replace('\u{1}', "_");
    let mut found = vec![];
    for command in bare.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '\\' || c == '.')) {
        for (k, piece) in command.split('\\').enumerate() {
            let is_sign = k > 0 && commands.contains(&piece);
            if !piece.is_empty() && !is_sign {
                found.push(piece.to_owned());
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::formula::Formula;

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
            assert_eq!(Formula::read(plain).latex(), latex, "{plain}");
        }
    }
}
