//! A table of words and numbers, with what has to be said under it; the same rows as tidy data.

use super::piped;
use crate::latex::{FURTHER, escaped, reference, sets};
use crate::text::{literal, width};
use std::fmt::Write as _;

/// Width of a page of IEEE's journals, small type, and what stands between columns, pt.
const PAGE: f64 = 516.0;
const SIZE: f64 = 7.0;
const BETWEEN: f64 = 6.0;
/// Lines that a page is high enough for.
const LINES: usize = 60;

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

    /// A table over the width of a page. Words that are the same in every row are said below it instead.
    pub fn latex(&self, label: &str) -> String {
        let mut out = "% \\usepackage{booktabs,graphicx}\n".to_owned();
        let said = self.rows.iter().flatten().map(String::as_str).chain([self.caption.as_str(), self.note.as_str()]);
        if said.into_iter().any(|cell| cell.chars().any(|c| !sets(c))) {
            out.push_str(FURTHER);
        }
        let same = |k: usize| {
            let mut cells = self.rows.iter().map(|row| &row[k]);
            let first = cells.next();
            !self.columns[k].is_number && self.rows.len() > 1 && cells.all(|cell| Some(cell) == first)
        };
        let (alike, shown): (Vec<usize>, Vec<usize>) = (0..self.columns.len()).partition(|k| same(*k));
        let told = alike.into_iter().filter(|k| !self.rows[0][*k].is_empty());
        let told: Vec<String> = told.map(|k| format!("{}: {}. ", self.columns[k].name, self.rows[0][k])).collect();
        let alike = told.concat();
        // The widths at which words are broken where all of it would be wider than a page.
        let natural = |k: &usize| {
            let cells = self.rows.iter().map(|row| row[*k].as_str()).chain([self.columns[*k].name]);
            let widest = cells.map(|cell| width(&literal(&cell.replace('-', "\u{2212}")), SIZE)).fold(0.0, f64::max);
            // Digits of a paper's font are wider than those of figures; words can be broken.
            if self.columns[*k].is_number { 1.1 * widest } else { widest }
        };
        // A word that has no room in its column sticks out of it.
        let longest_word = |k: &usize| {
            let cells = self.rows.iter().map(|row| row[*k].as_str()).chain([self.columns[*k].name]);
            let words = cells.flat_map(|cell| cell.split_inclusive([' ', '-']));
            1.15 * words.map(|word| width(&literal(word.trim()), SIZE)).fold(0.0, f64::max)
        };
        let of = |is_number: bool| -> f64 {
            shown.iter().filter(|k| self.columns[**k].is_number == is_number).map(natural).sum()
        };
        let (words, numbers) = (of(false), of(true) + BETWEEN * shown.len() as f64);
        let share = ((PAGE - numbers) / words).max(0.3);
        let aligned: String = shown
            .iter()
            .map(|k| match (self.columns[*k].is_number, share >= 1.0) {
                (true, _) => "r".to_owned(),
                (false, true) => "l".to_owned(),
                (false, false) => format!("p{{{:.0}pt}}", (share * natural(k)).max(longest_word(k))),
            })
            .collect();
        let heads: Vec<String> = shown.iter().map(|k| escaped(self.columns[*k].name)).collect();
        let lines = if share >= 1.0 { LINES } else { LINES / 2 };
        // Widths are estimates: what is a little wider than the page is set a little smaller.
        let (fitted, end) = if share >= 1.0 {
            ("", "")
        } else {
            ("\\resizebox{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}{!}{%\n", "}")
        };
        let note = escaped(format!("{alike}{}", self.note).trim());
        for (part, rows) in self.rows.chunks(lines).enumerate() {
            let caption = if part == 0 { escaped(&self.caption) } else { "The same, continued.".to_owned() };
            let label = if part == 0 { reference(label) } else { format!("{}-{}", reference(label), part + 1) };
            let _ = writeln!(
                out,
                "\\begin{{table*}}[tbp]\n\\centering\n\\caption{{{caption}}}\n\\label{{tab:{label}}}\n\\scriptsize\n\
                 \\setlength{{\\tabcolsep}}{{{}pt}}\n{fitted}\\begin{{tabular}}{{@{{}}{aligned}@{{}}}}\n\\toprule\n{} \\\\\n\\midrule",
                BETWEEN / 2.0,
                heads.join(" & ")
            );
            for row in rows {
                let cell = |k: &usize| match (row[*k].as_str(), self.columns[*k].is_number) {
                    ("", _) => "--".to_owned(),
                    (text, true) => match text.split_at(1) {
                        ("-", rest) => format!("$-${rest}"),
                        ("<", rest) => format!("$<$\\,{rest}"),
                        _ => text.to_owned(),
                    },
                    (text, false) => escaped(text),
                };
                let _ = writeln!(out, "{} \\\\", shown.iter().map(cell).collect::<Vec<_>>().join(" & "));
            }
            let _ = writeln!(
                out,
                "\\bottomrule\n\\end{{tabular}}{end}\n\\par\\smallskip\n\\begin{{minipage}}{{\\linewidth}}\\scriptsize {note}\\end{{minipage}}\n\
                 \\end{{table*}}"
            );
        }
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
