//! Words and numbers in LaTeX.

use std::fmt::Write as _;

/// Whether every LaTeX sets a character without a package.
pub(crate) fn sets(c: char) -> bool {
    c.is_ascii() || matches!(c, '\u{2009}' | '\u{2013}' | '\u{2014}' | '\u{2212}' | '\u{a0}'..='\u{ff}')
}

/// Characters that pdfLaTeX knows nothing of become their numbers there, so that the table compiles; XeLaTeX and LuaLaTeX
/// set them in the font of the document.
pub(crate) const FURTHER: &str = "% Names beyond Latin-1: XeLaTeX and LuaLaTeX set them in the font of your document. pdfLaTeX sets their\n\
    % numbers, unless you say otherwise, with CJKutf8 for instance: \\newcommand{\\coasetext}[2]{#1}\n\
    \\providecommand{\\coasetext}[2]{\\ifdefined\\XeTeXversion#1\\else\\ifdefined\\directlua#1\\else#2\\fi\\fi}\n";

/// A text with everything that LaTeX reads as commands made harmless.
pub(crate) fn escaped(s: &str) -> String {
    let mut out = String::new();
    let mut rest = s;
    while !rest.is_empty() {
        let known = rest.find(|c| !sets(c)).unwrap_or(rest.len());
        out.push_str(&escaped_known(&rest[..known]));
        rest = &rest[known..];
        let further = rest.find(sets).unwrap_or(rest.len());
        if further > 0 {
            let numbers: Vec<String> = rest[..further].chars().map(|c| format!("U+{:04X}", u32::from(c))).collect();
            let _ = write!(out, "\\coasetext{{{}}}{{{}}}", &rest[..further], numbers.join(" "));
            rest = &rest[further..];
        }
    }
    out
}

fn escaped_known(s: &str) -> String {
    let mut out = String::new();
    for c in s.chars() {
        match c {
            // A line break would end the row, and a blank line the table.
            c if c.is_control() => out.push(' '),
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => {
                out.push('\\');
                out.push(c);
            }
            '<' => out.push_str("\\textless{}"),
            '>' => out.push_str("\\textgreater{}"),
            '|' => out.push_str("\\textbar{}"),
            '\\' => out.push_str("\\textbackslash{}"),
            '^' => out.push_str("\\textasciicircum{}"),
            '~' => out.push_str("\\textasciitilde{}"),
            '\u{2009}' => out.push_str("\\,"),
            '\u{2212}' => out.push_str("$-$"),
            '\u{2013}' => out.push_str("--"),
            '\u{2014}' => out.push_str("---"),
            '\u{a0}' => out.push('~'),
            _ => out.push(c),
        }
    }
    out
}

/// A label of a figure, with its markup.
pub(crate) fn label(label: &str) -> String {
    let run = |run: &crate::text::Run| {
        let text = escaped(&run.text);
        match run.rise {
            rise if rise < 0.0 => format!("\\textsubscript{{{text}}}"),
            rise if rise > 0.0 => format!("\\textsuperscript{{{text}}}"),
            _ => text,
        }
    };
    crate::text::runs(label).iter().map(run).collect()
}

/// A label that can be referred to, of what LaTeX takes in one.
pub(crate) fn reference(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, ':' | '-' | '.') { c } else { '-' }).collect()
}

/// A number as it is written, with a true minus and thin spaces from five digits on.
pub(crate) fn number(written: &str) -> String {
    let (sign, digits) = written.strip_prefix('-').map_or(("", written), |rest| ("$-$", rest));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let mut out = sign.to_owned();
    for (k, c) in whole.chars().enumerate() {
        if whole.len() >= 5 && k > 0 && (whole.len() - k) % 3 == 0 {
            out.push_str("\\,");
        }
        out.push(c);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{escaped, label, number};

    #[test]
    fn what_latex_reads_as_commands_is_harmless() {
        assert_eq!(escaped("50 % | <a_b> & $x$"), "50 \\% \\textbar{} \\textless{}a\\_b\\textgreater{} \\& \\$x\\$");
    }

    #[test]
    fn markup_of_labels_is_set() {
        assert_eq!(label("10^{\u{2212}3} t CO_2/day"), "10\\textsuperscript{$-$3} t CO\\textsubscript{2}/day");
    }

    #[test]
    fn numbers_have_a_true_minus_and_thin_spaces() {
        assert_eq!(
            ["-12345.60", "1234", "1234567", "0.5"].map(number),
            ["$-$12\\,345.60", "1234", "1\\,234\\,567", "0.5"]
        );
    }
}
