//! A table of words and numbers, with what has to be said under it; the same rows as tidy data.

use super::{FURTHER, escaped, piped, sets};
use std::fmt::Write as _;

/// A table whose cells are written.
pub(super) struct Sheet {
    pub caption: String,
    /// What is said under it.
    pub note: String,
    pub columns: Vec<Head>,
    /// A cell for every column; empty where there is no value.
    pub rows: Vec<Vec<String>>,
    /// The header and the rows of the tidy data.
    pub tidy: (Vec<String>, Vec<Vec<String>>),
}

/// The head of a column.
pub(super) struct Head {
    pub name: &'static str,
    /// Numbers stand at the right and have a true minus.
    pub is_number: bool,
}

impl Sheet {
    /// Heads from names; those that begin with `#` are of numbers.
    pub fn heads(names: &[&'static str]) -> Vec<Head> {
        let head = |name: &&'static str| match name.strip_prefix('#') {
            Some(name) => Head { name, is_number: true },
            None => Head { name, is_number: false },
        };
        names.iter().map(head).collect()
    }

    pub fn latex(&self) -> String {
        let mut out = format!("% {}\n% \\usepackage{{booktabs}}\n", self.caption);
        if self.rows.iter().flatten().any(|cell| cell.chars().any(|c| !sets(c))) {
            out.push_str(FURTHER);
        }
        let aligned: String = self.columns.iter().map(|c| if c.is_number { 'r' } else { 'l' }).collect();
        let heads: Vec<String> = self.columns.iter().map(|c| escaped(c.name)).collect();
        let _ = writeln!(out, "\\begin{{tabular}}{{{aligned}}}\n\\toprule\n{} \\\\\n\\midrule", heads.join(" & "));
        for row in &self.rows {
            let cell = |(cell, head): (&String, &Head)| match (cell.as_str(), head.is_number) {
                ("", _) => "--".to_owned(),
                (text, true) => match text.split_at(1) {
                    ("-", rest) => format!("$-${rest}"),
                    ("<", rest) => format!("$<$\\,{rest}"),
                    _ => text.to_owned(),
                },
                (text, false) => escaped(text),
            };
            let cells: Vec<String> = row.iter().zip(&self.columns).map(cell).collect();
            let _ = writeln!(out, "{} \\\\", cells.join(" & "));
        }
        let _ = writeln!(out, "\\bottomrule\n\\end{{tabular}}\n% {}", self.note);
        out
    }

    pub fn markdown(&self) -> String {
        let mut out = format!("{}\n\n", self.caption);
        let heads: Vec<&str> = self.columns.iter().map(|c| c.name).collect();
        let aligned: String = self.columns.iter().map(|c| if c.is_number { "---:|" } else { "---|" }).collect();
        let _ = writeln!(out, "| {} |\n|{aligned}", heads.join(" | "));
        for row in &self.rows {
            let cell = |(cell, head): (&String, &Head)| {
                if head.is_number { cell.replace('-', "\u{2212}") } else { piped(cell) }
            };
            let cells: Vec<String> = row.iter().zip(&self.columns).map(cell).collect();
            let _ = writeln!(out, "| {} |", cells.join(" | "));
        }
        let _ = write!(out, "\n{}\n", self.note);
        out
    }

    /// The tidy data as comma-separated values.
    pub fn csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        // Into memory, rows of one length: nothing can fail.
        for row in std::iter::once(&self.tidy.0).chain(&self.tidy.1) {
            writer.write_record(row).unwrap_or_else(|never| unreachable!("{never}"));
        }
        let bytes = writer.into_inner().unwrap_or_else(|never| unreachable!("{never}"));
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// A number as it is in tidy data; empty where there is none.
pub(super) fn plain(value: Option<f64>) -> String {
    value.map_or_else(String::new, |v| format!("{}", if v == 0.0 { 0.0 } else { v }))
}
