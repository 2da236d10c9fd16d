//! Declared meanings as LaTeX: prose with its special characters written out, and what stands between backticks as formulas.
//!
//! Knows prose; what formulas are written in is known by [`coase_plots::formula`].

use coase_plots::formula::{Quoted, quoted};

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
    match quoted(text) {
        Quoted::Code(name) => format!("\\texttt{{{}}}", escaped(&name)),
        Quoted::Formula(formula) => format!("${}$", formula.latex()),
    }
}

#[cfg(test)]
mod tests {
    use super::prose;
    use coase_core::engine::report_rules;
    use coase_core::mechanism::mechanisms;
    use coase_core::participant::devices;
    use coase_core::policy::policies;
    use coase_plots::formula::{Quoted, quoted};

    #[test]
    fn prose_holds_formulas_and_names_of_files() {
        assert_eq!(prose("50 % of `S_t` by `cost_per_kwh`"), "50 \\% of $S_{t}$ by \\texttt{cost\\_per\\_kwh}");
    }

    /// Whatever a plugin says of itself: braces close, formulas end, and nothing is a command by accident.
    #[test]
    fn every_declaration_can_be_typeset() {
        let meanings = mechanisms().into_iter().map(|p| (p.id, p.open.declaration().meaning));
        let meanings = meanings.chain(policies().into_iter().map(|p| (p.id, p.open.declaration().meaning)));
        let meanings = meanings.chain(report_rules().into_iter().map(|p| (p.id, p.open.declaration().meaning)));
        let meanings = meanings.chain(devices().into_iter().map(|p| (p.id, p.open.declaration().meaning)));
        let mut formulas = 0;
        for (id, meaning) in meanings {
            for part in meaning.split('`').skip(1).step_by(2) {
                if let Quoted::Formula(formula) = quoted(part) {
                    formulas += 1;
                    let mathml = formula.mathml();
                    let closed = elements(&mathml).unwrap_or_else(|wrong| panic!("{id}: {part}: {wrong}: {mathml}"));
                    assert!(closed > 1, "{id}: {part}: {mathml}");
                }
            }
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
        assert!(formulas > 50, "{formulas}");
    }

    /// How many elements there are; each is closed where it should be.
    fn elements(mathml: &str) -> Result<usize, String> {
        let (mut open, mut count): (Vec<&str>, usize) = (vec![], 0);
        for tag in mathml.split('<').skip(1).filter_map(|piece| piece.split_once('>')).map(|(tag, _)| tag) {
            if let Some(name) = tag.strip_prefix('/') {
                let last = open.pop().ok_or("nothing is open")?;
                if last != name {
                    return Err(format!("{name} closes {last}"));
                }
            } else {
                count += 1;
                if !tag.ends_with('/') {
                    open.push(tag.split(' ').next().unwrap_or_default());
                }
            }
        }
        if open.is_empty() { Ok(count) } else { Err(format!("open: {open:?}")) }
    }
}
